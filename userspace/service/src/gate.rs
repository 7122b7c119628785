//! The gate's table: ways in, our own ports, and who may send.

use std::net::IpAddr;

use sekisho_abi::{Ingress, IngressKey, PortKind, Roles, Service, ServiceKey, Source, SourceKey, address_bytes};
use sekisho_config::Node;
use sekisho_engine::snapshot::RoutingSnapshot;

use crate::{
    book::IdBook,
    compile::{CompileError, CompileErrors, Context},
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
    let mut errors = Vec::new();
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
        let value = Ingress { domain: book.domain(&domain.name), index: bit };
        snapshot.gate.ingresses.insert(key, value);
        snapshot.ingress_by_interface.insert(seen, value);
    }
    if errors.is_empty() { Ok(()) } else { Err(CompileErrors(errors)) }
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

/// Registers a host in a role. One address can have several: they add up, and the number is the client's.
pub(crate) fn register(
    domain: &str,
    address: IpAddr,
    ingresses: &[String],
    role: Roles,
    id: u32,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) {
    let bits = ingresses.iter().filter_map(|name| book.ingresses.bit(name)).fold(0, |bits, bit| bits | 1 << bit);
    let key = SourceKey { domain: book.domain(domain), address: address_bytes(address) };
    let fresh = Source { ingresses: 0, ..Source::unlimited(Roles::NONE, Source::NO_ID) };
    let source = snapshot.gate.sources.entry(key).or_insert(fresh);
    source.roles = source.roles.with(role);
    source.ingresses |= bits;
    if id != Source::NO_ID {
        source.id = id;
    }
}
