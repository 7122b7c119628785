//! The gate's table: ways in, our own ports, and who may send.

use std::{collections::HashMap, net::IpAddr};

use sekisho_abi::{
    Ingress, IngressKey, PortKind, Prefix, Roles, Service, ServiceKey, Source, SourceKey, address_bytes, numbers,
};
use sekisho_config::{Network, Node};
use sekisho_engine::snapshot::RoutingSnapshot;

use crate::{
    book::IdBook,
    compile::{CompileError, CompileErrors, Context},
    limits::Charged,
};

/// Domains and ingresses, both as frames carry them and as sockets see them.
pub(crate) fn ingresses(
    node: &Node,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) -> Result<(), CompileErrors> {
    let names: Vec<String> = node.ingresses().map(|(_, ingress)| ingress.name.clone()).collect();
    if !book.ingresses.assign(&names) {
        return Err(CompileErrors(vec![CompileError::TooManyIngresses]));
    }
    let mut errors = same_number(node);
    for (domain, ingress) in node.ingresses() {
        let mut index_of = |interface: &str| {
            let index = (context.interface_index)(interface);
            if index.is_none() {
                errors.push(CompileError::NoSuchInterface {
                    domain: domain.name.clone(),
                    ingress: ingress.name.clone(),
                    interface: interface.to_owned(),
                });
            }
            index
        };
        let arrives = index_of(&ingress.interface);
        let seen = match &ingress.vlan {
            Some(vlan) => index_of(&vlan.interface),
            None => arrives,
        };
        let (Some(arrives), Some(seen), Some(bit)) = (arrives, seen, book.ingresses.bit(&ingress.name)) else {
            continue;
        };
        let key = IngressKey {
            ifindex: arrives,
            outer_vlan: ingress.vlan.as_ref().map_or(0, |vlan| vlan.outer),
            inner_vlan: ingress.vlan.as_ref().and_then(|vlan| vlan.inner).unwrap_or(0),
        };
        let value = Ingress { domain: numbers::domain(&domain.name), index: bit };
        snapshot.gate.ingresses.insert(key, value);
        snapshot.ingress_by_interface.insert(seen, value);
    }
    if errors.is_empty() { Ok(()) } else { Err(CompileErrors(errors)) }
}

/// Domains that the gate could not tell apart. Their numbers come from their names, so that tables outlive the process.
fn same_number(node: &Node) -> Vec<CompileError> {
    let mut first: HashMap<u32, &str> = HashMap::new();
    let mut errors = Vec::new();
    for domain in &node.domains {
        let one = *first.entry(numbers::domain(&domain.name)).or_insert(&domain.name);
        if one != domain.name {
            errors.push(CompileError::SameDomainNumber { one: one.to_owned(), other: domain.name.clone() });
        }
    }
    errors
}

/// Our addresses with their ports.
pub(crate) fn services(node: &Node, book: &mut IdBook, snapshot: &mut RoutingSnapshot) -> Result<(), CompileErrors> {
    let addresses: Vec<IpAddr> = node.listeners.iter().map(|listener| listener.address).collect();
    if !book.services.assign(&addresses) {
        return Err(CompileErrors(vec![CompileError::TooManyListeners]));
    }
    for listener in &node.listeners {
        let Some(bit) = book.services.bit(&listener.address) else { continue };
        let address = address_bytes(listener.address);
        let auth = listener.ports.auth().map(|port| (port, PortKind::Auth));
        let acct = listener.ports.accounting().map(|port| (port, PortKind::Acct));
        let dynauth = listener.dynauth.map(|port| (port, PortKind::DynAuth));
        for (port, kind) in auth.into_iter().chain(acct).chain(dynauth) {
            let key = ServiceKey { address, port: u32::from(port) };
            snapshot.gate.services.insert(key, Service::new(kind, bit));
        }
        if listener.dedicated && !snapshot.gate.dedicated.contains(&address) {
            snapshot.gate.dedicated.push(address);
        }
    }
    Ok(())
}

/// Where a source is, and by which ingresses it may come in.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    pub(crate) domain: &'a str,
    pub(crate) ingresses: &'a [String],
}

/// Registers a host in a role. One address can have several: they add up, and it is charged to the terminal's contract,
/// else to the dynamic-authorization client's.
pub(crate) fn register(
    way: Way<'_>,
    address: IpAddr,
    role: Roles,
    charged: Option<Charged>,
    book: &IdBook,
    snapshot: &mut RoutingSnapshot,
) {
    let key = SourceKey { domain: numbers::domain(way.domain), address: address_bytes(address) };
    let source = snapshot.gate.sources.entry(key).or_insert(Source { ingresses: 0, ..stranger() });
    source.roles = source.roles.with(role);
    source.ingresses |= bits(way, book);
    if let Some(charged) = charged.filter(|charged| source.owner == 0 || charged.id != Source::NO_ID) {
        *source = charge(*source, charged);
    }
}

/// Registers addresses of an access network. The configuration has looked that no two overlap.
pub(crate) fn register_network(
    way: Way<'_>,
    network: Network,
    charged: Charged,
    book: &IdBook,
    snapshot: &mut RoutingSnapshot,
) {
    if network.is_host() {
        return register(way, network.address, Roles::ACCESS_NETWORK, Some(charged), book, snapshot);
    }
    let source = Source { roles: Roles::ACCESS_NETWORK, ingresses: bits(way, book), ..stranger() };
    let prefix = Prefix::new(numbers::domain(way.domain), address_bytes(network.address), network.length);
    snapshot.gate.prefixes.insert(prefix, charge(source, charged));
}

fn stranger() -> Source {
    Source::unlimited(Roles::NONE, Source::NO_ID)
}

fn charge(source: Source, charged: Charged) -> Source {
    let Charged { id, owner, limits, identity } = charged;
    Source { id, owner, limits, identity, ..source }
}

fn bits(way: Way<'_>, book: &IdBook) -> u64 {
    way.ingresses.iter().filter_map(|name| book.ingresses.bit(name)).fold(0, |bits, bit| bits | 1 << bit)
}
