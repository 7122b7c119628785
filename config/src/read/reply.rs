//! What `vpdn` and `group` contracts add to Accepts, and what a `vpdn` contract lets home servers add: `reply` and
//! `allow_reply`.

use sekisho_wire::{attr, policy::Value, select::AttributeId};
use toml::de::DeValue;

use super::{
    policy::{giveable, given_value},
    surroundings::Surroundings,
};
use crate::{
    dictionary::{Attribute, Dictionary},
    finding::Problem,
    section::Section,
};

/// Cisco-AVPair: vendor and vendor type.
const CISCO_AVPAIR: AttributeId = AttributeId::Vendor(9, 1);
/// What Cisco-AVPairs of tunnels begin with, in capitals or not, and past blanks.
const OF_TUNNELS: &[u8] = b"vpdn:";

/// An attribute with its value as it stands in a packet.
type Given = (AttributeId, Box<[u8]>);

/// The table `reply` of a `vpdn` contract: attribute = value, or several values in a list.
pub(super) fn reply(section: &Section<'_>, around: &Surroundings<'_>) -> Option<Vec<Given>> {
    values(section, around, |attribute| {
        if let AttributeId::Plain(attr::SERVICE_TYPE | attr::FRAMED_PROTOCOL) = attribute.id {
            let message =
                format!("{} is what the access network's equipment wants, whatever the contract", attribute.name);
            let remedy = "Take it out: `service_type` and `framed_protocol` of the [[access_network]] say it.";
            return Err(Problem::new(message, remedy));
        }
        Ok(())
    })
}

/// The same table of a `group` contract.
pub(super) fn group_reply(section: &Section<'_>, around: &Surroundings<'_>) -> Option<Vec<Given>> {
    values(section, around, |_| Ok(()))
}

fn values(
    section: &Section<'_>,
    around: &Surroundings<'_>,
    may: impl Fn(&Attribute) -> Result<(), Problem>,
) -> Option<Vec<Given>> {
    let before = section.report.count();
    let mut reply = Vec::new();
    for (name, given) in section.pairs("reply") {
        let values = match given {
            DeValue::Array(values) => values.iter().map(|value| value.get_ref()).collect(),
            value => vec![value],
        };
        for value in values {
            match one(around, name, value, &may) {
                Ok(given) => reply.push(given),
                Err(problem) => section.fault(&format!("reply.{name}"), problem),
            }
        }
    }
    (section.report.count() == before).then_some(reply)
}

fn one(
    around: &Surroundings<'_>,
    name: &str,
    value: &DeValue<'_>,
    may: impl Fn(&Attribute) -> Result<(), Problem>,
) -> Result<Given, Problem> {
    let attribute = of_accepts(&around.dictionary, name)?;
    may(attribute)?;
    match given_value(around, attribute, value)? {
        Value::Literal(octets) => no_tunnel(attribute, &octets).map(|()| (attribute.id, octets)),
        Value::Of(_) => {
            let message = "is the value of another attribute, and there is no packet to take it from";
            Err(Problem::new(message, "Write the value itself."))
        }
    }
}

/// The attribute of a name, if an Accept that is made here may have it: none that is hidden, protected or a tunnel's.
pub(crate) fn of_accepts<'a>(dictionary: &'a Dictionary, name: &str) -> Result<&'a Attribute, Problem> {
    let attribute = giveable(dictionary, name)?;
    if is_tunnels(attribute.id) { Err(tunnels(attribute)) } else { Ok(attribute) }
}

/// Refuses a value that belongs to a tunnel, whatever its attribute.
pub(crate) fn no_tunnel(attribute: &Attribute, octets: &[u8]) -> Result<(), Problem> {
    let value = octets.trim_ascii_start();
    let begins = value.get(..OF_TUNNELS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(OF_TUNNELS));
    match attribute.id == CISCO_AVPAIR && begins {
        true => Err(tunnels(attribute)),
        false => Ok(()),
    }
}

/// The list `allow_reply`.
pub(super) fn allow_reply(section: &Section<'_>, around: &Surroundings<'_>) -> Option<Vec<AttributeId>> {
    let named = |name: &str| {
        let attribute = around.dictionary.look_up(name)?;
        if is_tunnels(attribute.id) { Err(tunnels(attribute)) } else { Ok(attribute.id) }
    };
    section.list("allow_reply", named).or(Vec::new())
}

fn tunnels(attribute: &Attribute) -> Problem {
    let message = format!("{} says where a tunnel goes, which the contract's LNSs do", attribute.name);
    Problem::new(message, "Take it out; [[lns]] has keys for what a tunnel needs.")
}

/// Whether an attribute is of RFC 2868 or RFC 2867: it belongs to a tunnel.
fn is_tunnels(id: AttributeId) -> bool {
    let AttributeId::Plain(number) = id else { return false };
    matches!(
        number,
        attr::TUNNEL_TYPE
            | attr::TUNNEL_MEDIUM_TYPE
            | attr::TUNNEL_CLIENT_ENDPOINT
            | attr::TUNNEL_SERVER_ENDPOINT
            | attr::ACCT_TUNNEL_CONNECTION
            | attr::TUNNEL_PASSWORD
            | attr::TUNNEL_PRIVATE_GROUP_ID
            | attr::TUNNEL_ASSIGNMENT_ID
            | attr::TUNNEL_PREFERENCE
            | attr::ACCT_TUNNEL_PACKETS_LOST
            | attr::TUNNEL_CLIENT_AUTH_ID
            | attr::TUNNEL_SERVER_AUTH_ID
    )
}
