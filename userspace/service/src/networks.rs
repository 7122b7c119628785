//! The operator's access networks: clients of nobody's contract, at many addresses.

use sekisho_config::{AccessNetwork, ItemType, Node};
use sekisho_engine::snapshot::{AccessType, Client, ClientRole, CustomerId, NasIdentity, RoutingSnapshot, Verdict};

use crate::{
    book::IdBook,
    clients::{require, state},
    compile::Context,
    gate,
    limits::{Charged, bucket},
    routing::put,
};

/// Adds the node's access networks.
pub(crate) fn networks(node: &Node, context: &Context<'_>, book: &mut IdBook, snapshot: &mut RoutingSnapshot) {
    for from in &node.access_networks {
        network(from, context, book, snapshot);
    }
}

fn network(from: &AccessNetwork, context: &Context<'_>, book: &mut IdBook, snapshot: &mut RoutingSnapshot) {
    // The configuration gives each of them at least one.
    let Some(first) = from.addresses.first() else { return };
    let id = book.client(CustomerId::NOBODY, &from.name);
    let way = gate::Way { domain: &from.domain, ingresses: &from.ingresses };
    let charged = Charged::network(id, from);
    for network in &from.addresses {
        gate::register_network(way, *network, charged, book, snapshot);
    }
    let client = Client {
        id,
        contract: from.name.clone(),
        role: ClientRole::AccessNetwork(access_type(from.kind)),
        customer: CustomerId::NOBODY,
        address: first.address,
        secret: from.secret.clone(),
        previous_secret: from.previous_secret.clone(),
        require_message_authenticator: require(from.require_message_authenticator),
        limit_proxy_state: from.limit_proxy_state,
        reject_delay: from.reject_delay,
        answer_within: from.answer_within,
        // Silence would make it take this node for dead, for every customer.
        when_unanswered: Verdict::Reject,
        nas: NasIdentity::default(),
        default_realm: None,
        bare_domain: false,
        outer_suffix: None,
        administrative: false,
        request_policies: Vec::new(),
        reply_policies: Vec::new(),
        realm_limit: bucket(from.realm),
        state: state(id, context),
    };
    put(&mut snapshot.clients, id.index(), client);
}

const fn access_type(from: ItemType) -> AccessType {
    match from {
        ItemType::D => AccessType::D,
        ItemType::K => AccessType::K,
        ItemType::I => AccessType::I,
    }
}
