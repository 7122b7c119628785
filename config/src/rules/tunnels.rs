//! What becomes of a tunnel's attributes in the form that an access network wants.

use std::collections::HashSet;

use super::vpdn::networks;
use crate::{
    access::TunnelSets,
    document::Placed,
    finding::{Problem, Report},
    read::{customer::CustomerDraft, node::NodeDraft},
    vpdn::Lns,
};

/// A vendor's attribute has room for 247 octets, and so many stand before a value: `vpdn:l2tp-tunnel-password=`.
const CISCO_ROOM: usize = 247 - 26;

/// Checks LNSs against the forms of the access networks that get them.
pub(crate) fn check(customers: &[CustomerDraft], draft: &NodeDraft, report: &Report) {
    if draft.node.is_none() {
        return;
    }
    let mut in_clear = HashSet::new();
    for customer in customers.iter().filter(|customer| customer.sound) {
        let mut told = HashSet::new();
        for vpdn in &customer.vpdn {
            let forms = networks(draft, vpdn).filter(|network| network.value.accept.sets == TunnelSets::CiscoAvPair);
            for network in forms {
                for name in vpdn.vpdn.lnss() {
                    let Some(lns) = customer.lnss.iter().find(|lns| lns.value.name == name) else { continue };
                    if lns.value.tunnel_password.is_some() && in_clear.insert(&network.value.name) {
                        let message = format!(
                            "tunnel passwords go out in the clear in this form: that of {:?}, at {}, and perhaps others",
                            name,
                            lns.site.place("")
                        );
                        let remedy = "Use another form where the equipment can, which hides them (RFC 2868 §3.5), or \
                                      have nobody listen on the way.";
                        report.warn(network.site.finding("tunnel_sets", Problem::new(message, remedy)));
                    }
                    if told.insert(name) {
                        too_long(lns, &network.value.name, report);
                    }
                }
            }
        }
    }
}

/// A text that is too long for Cisco-AVPair.
fn too_long(lns: &Placed<Lns>, network: &str, report: &Report) {
    let Placed { value, site } = lns;
    let texts = [
        ("client_auth_id", &value.client_auth_id),
        ("server_auth_id", &value.server_auth_id),
        ("private_group_id", &value.private_group_id),
    ];
    for (key, text) in texts {
        if let Some(text) = text.as_ref().filter(|text| text.len() > CISCO_ROOM) {
            let message = format!(
                "has {} octets, too many for the Cisco-AVPair that access network {network:?} wants",
                text.len()
            );
            report.fault(site.finding(key, Problem::new(message, format!("There is room for {CISCO_ROOM}."))));
        }
    }
}
