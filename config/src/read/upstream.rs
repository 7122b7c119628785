//! `[upstream]` and `[l2tp]`: our addresses toward home servers and LNSs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::{
    document::Placed,
    finding::Problem,
    node::{L2tp, Listener, Upstream},
    section::Section,
    value,
};

/// Our side toward home servers; an address that is not given is the first listener's of its family.
pub(super) fn upstream(section: Option<&Section<'_>>, listeners: &[Placed<Listener>]) -> Option<Upstream> {
    let first_v4 = listeners.iter().find_map(|placed| match placed.value.address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(_) => None,
    });
    let first_v6 = listeners.iter().find_map(|placed| match placed.value.address {
        IpAddr::V6(v6) => Some(v6),
        IpAddr::V4(_) => None,
    });
    let max_ports = 128;
    let Some(section) = section else { return Some(Upstream { ipv4: first_v4, ipv6: first_v6, max_ports }) };
    let ours = addresses(section, first_v4, first_v6);
    let max_ports = section.integer("max_ports", 1..=4096u16).or(max_ports);
    let (ipv4, ipv6) = ours?;
    Some(Upstream { ipv4, ipv6, max_ports: max_ports? })
}

/// Our side toward LNSs; what is not given is as toward home servers, and the node's name.
pub(super) fn l2tp(section: Option<&Section<'_>>, node: Option<&str>, upstream: Option<&Upstream>) -> Option<L2tp> {
    let Some(section) = section else {
        let Upstream { ipv4, ipv6, .. } = *upstream?;
        return Some(L2tp { host_name: node?.to_owned(), ipv4, ipv6 });
    };
    let host_name = section.parsed("host_name", value::name).optional();
    let ours = addresses(section, upstream.and_then(|it| it.ipv4), upstream.and_then(|it| it.ipv6));
    let (ipv4, ipv6) = ours?;
    let host_name = host_name?.or(node.map(str::to_owned))?;
    upstream?;
    Some(L2tp { host_name, ipv4, ipv6 })
}

/// The keys `ipv4` and `ipv6`, each with its default.
fn addresses(
    section: &Section<'_>,
    default_v4: Option<Ipv4Addr>,
    default_v6: Option<Ipv6Addr>,
) -> Option<(Option<Ipv4Addr>, Option<Ipv6Addr>)> {
    let wrong = |text: &str, family: &str| {
        Problem::new(format!("{text:?} is not an {family} address"), "Each family has its own key: `ipv4`, `ipv6`.")
    };
    let ipv4 = section.parsed("ipv4", |text| match value::unicast(text).map_err(|fault| fault.problem(text))? {
        IpAddr::V4(v4) => Ok(Some(v4)),
        IpAddr::V6(_) => Err(wrong(text, "IPv4")),
    });
    let ipv6 = section.parsed("ipv6", |text| match value::unicast(text).map_err(|fault| fault.problem(text))? {
        IpAddr::V6(v6) => Ok(Some(v6)),
        IpAddr::V4(_) => Err(wrong(text, "IPv6")),
    });
    let (ipv4, ipv6) = (ipv4.or(default_v4), ipv6.or(default_v6));
    Some((ipv4?, ipv6?))
}
