//! A checked configuration, compiled.

use std::{fmt, net::IpAddr, sync::Arc};

use sekisho_config::{Customer, Node};
use sekisho_engine::snapshot::RoutingSnapshot;
use sekisho_lns::Loads;
use sekisho_wire::salted::Salted;

use crate::{
    book::IdBook,
    gate,
    hosts::{Hosts, Unresolved},
    networks, routing,
};

/// What compiling needs beside the configuration.
pub struct Context<'a> {
    /// The snapshot in use, whose counters and health go on; `None` at the start.
    pub previous: Option<&'a RoutingSnapshot>,
    /// The numbers given so far.
    pub book: &'a IdBook,
    /// How many workers there are, for counters.
    pub workers: usize,
    /// How many sessions LNSs, contracts and customers have.
    pub loads: &'a Loads,
    /// The kernel's index of an interface; `None` where there is no such interface.
    pub interface_index: &'a dyn Fn(&str) -> Option<u32>,
    /// The address that a home server's name has; `None` where it has none that is known.
    pub resolve: &'a dyn Fn(&str) -> Option<IpAddr>,
}

/// A snapshot, and the book of the numbers in it. They take the place of the former ones together.
#[derive(Debug)]
pub struct Compiled {
    /// For the engine; the gate's table in it is for the kernel too.
    pub snapshot: RoutingSnapshot,
    /// For compiling the next one.
    pub book: IdBook,
    /// Home servers that are left out, in the order of the documents.
    pub unresolved: Vec<Unresolved>,
}

/// Why a configuration that is sound in itself does not fit this host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// An ingress names an interface that the host does not have.
    #[error(
        "domain {domain:?}, ingress {ingress:?}: this host has no interface {interface:?}. \
         Create it, or correct the ingress; `ip link` shows what there is."
    )]
    NoSuchInterface {
        /// The ingress's domain.
        domain: String,
        /// The ingress.
        ingress: String,
        /// The interface.
        interface: String,
    },
    /// Two domains have the same number, which is made of their names.
    #[error("domains {one:?} and {other:?} are the same to the gate, by chance. Give one of them another name.")]
    SameDomainNumber {
        /// The one that stands first.
        one: String,
        /// The other.
        other: String,
    },
    /// More ingresses than the gate has bits for.
    #[error("more than 64 ingresses. Take out those that no contract uses.")]
    TooManyIngresses,
    /// More service addresses than the gate has bits for.
    #[error("more than 64 listener addresses. Spread them over several nodes.")]
    TooManyListeners,
}

/// Everything that stands against a configuration on this host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct CompileErrors(pub Vec<CompileError>);

impl fmt::Display for CompileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            let line = if i == 0 { "" } else { "\n" };
            write!(f, "{line}{error}")?;
        }
        Ok(())
    }
}

/// Compiles a configuration. Nothing of `context` is changed.
///
/// # Errors
///
/// All that does not fit this host; the former snapshot and book then stay in use.
pub fn compile(node: &Node, customers: &[Customer], context: &Context<'_>) -> Result<Compiled, CompileErrors> {
    let mut book = context.book.clone();
    let mut snapshot = RoutingSnapshot {
        version: context.previous.map_or(0, |previous| previous.version) + 1,
        salted: Arc::new(
            Salted::new(node.dictionary.salted()).behind_an_octet(node.dictionary.salted_behind_an_octet()),
        ),
        country_code: node.country_code.clone(),
        ..RoutingSnapshot::default()
    };
    gate::ingresses(node, context, &mut book, &mut snapshot)?;
    gate::services(node, &mut book, &mut snapshot)?;
    let (hosts, unresolved) = Hosts::find(node, customers, context.resolve);
    for customer in customers {
        routing::customer(node, customer, &hosts, context, &mut book, &mut snapshot);
    }
    networks::networks(node, customers, context, &mut book, &mut snapshot);
    Ok(Compiled { snapshot, book, unresolved })
}
