//! `[[domain]]` and `[[domain.ingress]]`.

use crate::{
    document::Placed,
    finding::Problem,
    node::{Domain, Ingress, Vlan},
    schema,
    section::Section,
    value,
};

/// A domain with the places of its ingresses, in their order.
pub(crate) struct DomainDraft {
    pub(crate) domain: Placed<String>,
    pub(crate) ingresses: Vec<Placed<Ingress>>,
}

impl DomainDraft {
    pub(crate) fn checked(&self) -> Domain {
        let ingresses = self.ingresses.iter().map(|placed| placed.value.clone()).collect();
        Domain { name: self.domain.value.clone(), ingresses }
    }
}

/// Every domain; `None` where any of them is faulty.
pub(crate) fn domains(top: &Section<'_>) -> Option<Vec<DomainDraft>> {
    let before = top.report.count();
    let domains: Vec<DomainDraft> =
        top.tables("domain", schema::DOMAIN).iter().filter_map(|section| domain(section)).collect();
    if top.report.count() != before {
        return None;
    }
    if domains.is_empty() {
        let remedy = "Add [[domain]] with a name, and [[domain.ingress]] for each interface that RADIUS comes in by.";
        top.fault("domain", Problem::new("is missing", remedy));
        return None;
    }
    Some(domains)
}

fn domain(section: &Section<'_>) -> Option<DomainDraft> {
    let name = section.parsed("name", value::name).required(section, "name", "Name the domain, such as \"default\".");
    let before = section.report.count();
    let sections = section.tables("ingress", schema::INGRESS);
    if sections.is_empty() && section.report.count() == before {
        let remedy = "Add [[domain.ingress]] for each interface that the domain's packets come in by.";
        section.fault("ingress", Problem::new("is missing", remedy));
    }
    let ingresses = sections
        .iter()
        .filter_map(|section| Some(Placed { value: ingress(section)?, site: section.site.clone() }))
        .collect();
    Some(DomainDraft { domain: Placed { value: name?, site: section.site.clone() }, ingresses })
}

fn ingress(section: &Section<'_>) -> Option<Ingress> {
    let remedy = "Name an interface as `ip link` shows it.";
    let interface = section.parsed("interface", value::interface).required(section, "interface", remedy);
    let name = section.parsed("name", value::name).optional();
    let outer = section.integer("vlan", 1..=4094u16).optional();
    let inner = section.integer("inner_vlan", 1..=4094u16).optional();
    let seen_as = section.parsed("vlan_interface", value::interface).optional();
    let (interface, name, outer, inner, seen_as) = (interface?, name?, outer?, inner?, seen_as?);
    let Some(outer) = outer else {
        for key in ["inner_vlan", "vlan_interface"].into_iter().filter(|key| section.has(key)) {
            let problem =
                Problem::new("is given, but no `vlan`", "Give the outer tag as `vlan`, or take this key out.");
            section.fault(key, problem);
        }
        return Some(Ingress { name: name.unwrap_or_else(|| interface.clone()), interface, vlan: None });
    };
    let tags = inner.map_or(format!("{outer}"), |inner| format!("{outer}.{inner}"));
    let derived = format!("{interface}.{tags}");
    let seen_as = match seen_as {
        Some(given) => given,
        None => value::interface(&derived)
            .map_err(|_| {
                let message = format!("is missing, and {derived:?} is too long for an interface");
                let problem = Problem::new(message, "Name the interface that the kernel has for this VLAN.");
                section.fault("vlan_interface", problem);
            })
            .ok()?,
    };
    let vlan = Some(Vlan { outer, inner, interface: seen_as });
    Some(Ingress { name: name.unwrap_or(derived), interface, vlan })
}
