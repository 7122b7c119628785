//! Within `sekisho.toml`.

use super::{Claim, once};
use crate::{
    document::Site,
    finding::{Problem, Report},
    node::{Ingress, MAX_INGRESSES, MAX_LISTENERS, XdpMode},
    read::node::NodeDraft,
};

/// Checks domains, ingresses, listeners and the interfaces of the gate against each other.
pub(crate) fn check(draft: &NodeDraft, top: &Site, report: &Report) {
    ingresses(draft, top, report);
    listeners(draft, top, report);
    gate(draft, report);
}

fn ingresses(draft: &NodeDraft, top: &Site, report: &Report) {
    let Some(domains) = &draft.domains else { return };
    let names = domains.iter().map(|domain| Claim {
        what: domain.domain.value.as_str(),
        site: &domain.domain.site,
        key: "name",
    });
    once(names, report, |name, other| {
        Problem::new(format!("{name:?} is a domain already, at {other}"), "Put the ingresses of both under one name.")
    });
    let all = || domains.iter().flat_map(|domain| domain.ingresses.iter());
    once(all().map(|i| Claim { what: i.value.name.as_str(), site: &i.site, key: "name" }), report, |name, other| {
        let remedy = "Give each ingress a name of its own; the default is its interface with its VLANs.";
        Problem::new(format!("{name:?} names another ingress, at {other}"), remedy)
    });
    let frames = |ingress: &Ingress| {
        let tags = ingress.vlan.as_ref().map(|vlan| (vlan.outer, vlan.inner));
        (ingress.interface.clone(), tags)
    };
    once(all().map(|i| Claim { what: frames(&i.value), site: &i.site, key: "interface" }), report, |_, other| {
        let message = format!("the same frames are an ingress already, at {other}");
        Problem::new(message, "An ingress belongs to one domain: keep one, or tell them apart by VLAN.")
    });
    let seen = all().map(|i| {
        let interface = i.value.vlan.as_ref().map_or(&i.value.interface, |vlan| &vlan.interface);
        let key = if i.value.vlan.is_some() { "vlan_interface" } else { "interface" };
        Claim { what: interface.as_str(), site: &i.site, key }
    });
    once(seen, report, |name, other| {
        let message = format!("a socket sees this ingress as {name:?}, and so it does the one at {other}");
        Problem::new(message, "Give `vlan_interface` the interface that the kernel has for this VLAN.")
    });
    let count = all().count();
    if count > MAX_INGRESSES {
        let message = format!("there are {count} ingresses, and the gate has room for {MAX_INGRESSES}");
        report.fault(top.finding("domain", Problem::new(message, "Take out those that no contract uses.")));
    }
}

fn listeners(draft: &NodeDraft, top: &Site, report: &Report) {
    let ports = draft.listeners.iter().flat_map(|placed| {
        placed.value.each_port().map(|(key, port)| Claim {
            what: (placed.value.address, port),
            site: &placed.site,
            key,
        })
    });
    once(ports, report, |(address, port), other| {
        Problem::new(format!("{address} listens on {port} already, at {other}"), "Keep one of them.")
    });
    let count = draft.listeners.len();
    if count > MAX_LISTENERS {
        let message = format!("there are {count} listeners, and the gate has room for {MAX_LISTENERS}");
        report.fault(top.finding("listener", Problem::new(message, "Spread them over several nodes.")));
    }
}

fn gate(draft: &NodeDraft, report: &Report) {
    let (Some(node), Some(site)) = (&draft.node, &draft.xdp) else { return };
    if node.xdp.mode == XdpMode::Off {
        return;
    }
    for (i, interface) in node.xdp.interfaces.iter().enumerate() {
        if node.xdp.interfaces.iter().take(i).any(|other| other == interface) {
            let problem = Problem::new(format!("{interface:?} is in the list already"), "Take it out.");
            report.fault(site.finding(&format!("interfaces[{i}]"), problem));
        }
        if !node.ingresses().any(|(_, ingress)| ingress.interface == *interface) {
            let message = format!("no ingress has {interface:?}, so the gate drops all RADIUS that comes in there");
            let remedy = "Add a [[domain.ingress]] for it, or take it out where that is not meant.";
            report.warn(site.finding(&format!("interfaces[{i}]"), Problem::new(message, remedy)));
        }
    }
}
