//! What an access network's equipment wants in an Accept, and how its accounting is read: keys of `[[access_network]]`.

use crate::{
    access::{AcceptForm, NetworkAccounting, ServiceType, SessionKey, TunnelSets, Unclaimed},
    finding::Problem,
    section::Section,
};

const SETS: [(&str, TunnelSets); 4] = [
    ("tagged", TunnelSets::Tagged),
    ("single", TunnelSets::Single),
    ("untagged", TunnelSets::Untagged),
    ("cisco-avpair", TunnelSets::CiscoAvPair),
];
const SERVICES: [(&str, Option<ServiceType>); 3] =
    [("none", None), ("framed", Some(ServiceType::Framed)), ("outbound", Some(ServiceType::Outbound))];
const PROTOCOLS: [(&str, bool); 2] = [("none", false), ("ppp", true)];
const SESSION_KEYS: [(&str, SessionKey); 2] =
    [("acct-session-id", SessionKey::AcctSessionId), ("3gpp-charging-id", SessionKey::ChargingId)];
const UNCLAIMED: [(&str, Unclaimed); 2] = [("record", Unclaimed::Record), ("silence", Unclaimed::Silence)];

/// What its Accepts look like.
pub(super) fn accept_form(section: &Section<'_>) -> Option<AcceptForm> {
    let sets = section.choice("tunnel_sets", &SETS).or(TunnelSets::Tagged);
    let given = section.integer("max_alternatives", 1..=8u8).optional();
    let service_type = section.choice("service_type", &SERVICES).or(None);
    let protocol = section.choice("framed_protocol", &PROTOCOLS).or(false);
    let (sets, given) = (sets?, given?);
    let most = if sets == TunnelSets::Tagged { 8 } else { 1 };
    if let Some(given) = given.filter(|given| *given > most) {
        let message =
            format!("{given} alternatives need a Tag each, and `tunnel_sets = {:?}` has one set", sets.name());
        let remedy = "Say 1, or take the key out, or set `tunnel_sets = \"tagged\"`.";
        section.fault("max_alternatives", Problem::new(message, remedy));
        return None;
    }
    Some(AcceptForm {
        sets,
        max_alternatives: given.unwrap_or(most),
        service_type: service_type?,
        framed_protocol_ppp: protocol?,
    })
}

/// How its accounting is read.
pub(super) fn accounting(section: &Section<'_>) -> Option<NetworkAccounting> {
    let session_key = section.choice("session_key", &SESSION_KEYS).or(SessionKey::AcctSessionId);
    let multi_bearer = section.boolean("multi_bearer").or(session_key == Some(SessionKey::ChargingId));
    let tunnel_links = section.boolean("tunnel_links").or(false);
    let unclaimed = section.choice("unclaimed_accounting", &UNCLAIMED).or(Unclaimed::Record);
    Some(NetworkAccounting {
        session_key: session_key?,
        multi_bearer: multi_bearer?,
        tunnel_links: tunnel_links?,
        unclaimed: unclaimed?,
    })
}
