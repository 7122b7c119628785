//! What a `vpdn` contract adds to Accepts, and what it lets home servers add: `reply` and `allow_reply`.

use sekisho_wire::{attr, policy::Value, select::AttributeId};
use toml::de::DeValue;

use super::{
    policy::{giveable, given_value},
    surroundings::Surroundings,
};
use crate::{dictionary::Attribute, finding::Problem, section::Section};

/// Cisco-AVPair: vendor and vendor type.
const CISCO_AVPAIR: AttributeId = AttributeId::Vendor(9, 1);
/// What Cisco-AVPairs of tunnels begin with.
const OF_TUNNELS: &[u8] = b"vpdn:";

/// An attribute with its value as it stands in a packet.
type Given = (AttributeId, Box<[u8]>);

/// The table `reply`: attribute = value, or several values in a list.
pub(super) fn reply(section: &Section<'_>, around: &Surroundings<'_>) -> Option<Vec<Given>> {
    let before = section.report.count();
    let mut reply = Vec::new();
    for (name, given) in section.pairs("reply") {
        let values = match given {
            DeValue::Array(values) => values.iter().map(|value| value.get_ref()).collect(),
            value => vec![value],
        };
        for value in values {
            match one(around, name, value) {
                Ok(given) => reply.push(given),
                Err(problem) => section.fault(&format!("reply.{name}"), problem),
            }
        }
    }
    (section.report.count() == before).then_some(reply)
}

fn one(around: &Surroundings<'_>, name: &str, value: &DeValue<'_>) -> Result<Given, Problem> {
    let attribute = giveable(around, name)?;
    if is_tunnels(attribute.id) {
        return Err(tunnels(attribute));
    }
    if let AttributeId::Plain(attr::SERVICE_TYPE | attr::FRAMED_PROTOCOL) = attribute.id {
        let message = format!("{} is what the access network's equipment wants, whatever the contract", attribute.name);
        let remedy = "Take it out: `service_type` and `framed_protocol` of the [[access_network]] say it.";
        return Err(Problem::new(message, remedy));
    }
    match given_value(around, attribute, value)? {
        Value::Literal(octets) if attribute.id == CISCO_AVPAIR && octets.starts_with(OF_TUNNELS) => {
            Err(tunnels(attribute))
        }
        Value::Literal(octets) => Ok((attribute.id, octets)),
        Value::Of(_) => {
            let message = "is the value of another attribute, and there is no packet to take it from";
            Err(Problem::new(message, "Write the value itself."))
        }
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
