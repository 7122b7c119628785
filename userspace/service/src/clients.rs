//! A customer's terminals, and those that may send them CoA and Disconnect (RFC 5176).

use std::{collections::HashSet, net::SocketAddr, sync::Arc, time::Duration};

use sekisho_abi::{BucketParams, Roles, SourceKey, address_bytes, numbers};
use sekisho_config::{
    Customer,
    customer::{self, DynAuth, Policies, Unanswered},
};
use sekisho_engine::{
    health::ClientState,
    snapshot::{
        Client, ClientId, ClientRole, CustomerId, HomeId, Lookup, NasIdentity, NasKey, Require, RoutingSnapshot,
        Verdict,
    },
};
use sekisho_wire::policy::Policy;

use crate::{book::IdBook, compile::Context, gate, limits::Charged, routing::put, servers};

/// Adds a customer's terminals and dynamic-authorization clients; the NASes among the terminals, by how a request may
/// name them. What names two of them names none.
pub(crate) fn clients(
    owner: &Customer,
    customer: CustomerId,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) -> Lookup<NasKey, HomeId> {
    let (mut nases, mut ambiguous) = (Lookup::new(), HashSet::new());
    for from in &owner.clients {
        terminal(from, owner, customer, context, book, snapshot);
        let Some(home) = nas(from, customer, context, book, snapshot) else { continue };
        for name in nas_names(from) {
            if nases.insert(name.clone(), home).is_some_and(|before| before != home) {
                ambiguous.insert(name);
            }
        }
    }
    nases.retain(|name, _| !ambiguous.contains(name));
    for from in &owner.dynauth {
        sender(from, owner, customer, context, book, snapshot);
    }
    nases
}

fn terminal(
    from: &customer::Client,
    owner: &Customer,
    customer: CustomerId,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) {
    let id = book.client(customer, &from.contract);
    let charged = Charged::terminal(&owner.name, id, from);
    gate::register(way(from), from.address, Roles::CLIENT, Some(charged), book, snapshot);
    let default = from.default_realm.as_ref().and_then(|name| owner.realms.iter().find(|realm| realm.name == *name));
    let client = Client {
        id,
        contract: from.contract.clone(),
        role: ClientRole::Terminal,
        customer,
        address: from.address,
        secret: from.secret.clone(),
        previous_secret: from.previous_secret.clone(),
        require_message_authenticator: require(from.require_message_authenticator),
        limit_proxy_state: from.limit_proxy_state,
        reject_delay: from.reject_delay,
        answer_within: from.answer_within,
        when_unanswered: verdict(from.when_unanswered),
        nas: NasIdentity {
            checked: from.check_nas,
            addresses: from.nas_addresses.clone(),
            identifiers: from.nas_identifiers.iter().map(|name| name.as_bytes().into()).collect(),
        },
        default_realm: default.map(|realm| book.realm(customer, realm.selector, realm.name.as_str())),
        bare_domain: from.bare_domain,
        outer_suffix: from.outer_suffix.as_ref().map(|suffix| suffix.as_str().as_bytes().into()),
        administrative: from.administrative,
        request_policies: both(&from.policies.request, &owner.policies.request),
        reply_policies: both(&owner.policies.reply, &from.policies.reply),
        realm_limit: BucketParams::NONE,
        access: None,
        state: state(id, context),
    };
    put(&mut snapshot.clients, id.index(), client);
}

fn way(from: &customer::Client) -> gate::Way<'_> {
    gate::Way { domain: &from.domain, ingresses: &from.ingresses }
}

/// The port where a terminal takes CoA and Disconnect: its answers come to our upstream ports as a home server's do.
fn nas(
    from: &customer::Client,
    customer: CustomerId,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) -> Option<HomeId> {
    let address = SocketAddr::new(from.address, from.dynauth?);
    // Answers are known by the address that they come from alone, so a port is one server's.
    if snapshot.home_by_address.contains_key(&address) {
        return None;
    }
    gate::register(way(from), from.address, Roles::HOME_SERVER, None, book, snapshot);
    let nas = servers::Nas {
        customer,
        name: &from.contract,
        address,
        secret: &from.secret,
        previous_secret: from.previous_secret.as_ref(),
    };
    Some(servers::nas(&nas, context, book, snapshot))
}

/// How a dynamic-authorization request may name a terminal.
fn nas_names(from: &customer::Client) -> impl Iterator<Item = NasKey> {
    let addresses = from.nas_addresses.iter().chain([&from.address]).copied().map(NasKey::Address);
    addresses.chain(from.nas_identifiers.iter().map(|name| NasKey::Identifier(name.as_bytes().into())))
}

/// A dynamic-authorization client. What it sends goes toward terminals, and so by the rules for that direction.
fn sender(
    from: &DynAuth,
    owner: &Customer,
    customer: CustomerId,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) {
    let id = book.client(customer, &from.name);
    let way = gate::Way { domain: &from.domain, ingresses: &from.ingresses };
    gate::register(way, from.address, Roles::DYNAUTH, Some(Charged::sender(&owner.name, from)), book, snapshot);
    let Policies { request: toward_server, reply: toward_terminal } = &owner.policies;
    let client = Client {
        id,
        contract: from.name.clone(),
        role: ClientRole::DynAuth,
        customer,
        address: from.address,
        secret: from.secret.clone(),
        previous_secret: from.previous_secret.clone(),
        // Its requests prove themselves by their authenticator (RFC 5176 §2.3).
        require_message_authenticator: Require::No,
        limit_proxy_state: false,
        // A NAK tells nothing that is worth guessing for.
        reject_delay: Duration::ZERO,
        answer_within: from.answer_within,
        when_unanswered: Verdict::Reject,
        nas: NasIdentity::default(),
        default_realm: None,
        bare_domain: false,
        outer_suffix: None,
        administrative: false,
        request_policies: toward_terminal.iter().cloned().collect(),
        reply_policies: toward_server.iter().cloned().collect(),
        realm_limit: BucketParams::NONE,
        access: None,
        state: state(id, context),
    };
    put(&mut snapshot.clients, id.index(), client);
    let key = SourceKey { domain: numbers::domain(&from.domain), address: address_bytes(from.address) };
    snapshot.dynauth.insert(key, id);
}

/// What was learned of it before, if it was known.
pub(crate) fn state(id: ClientId, context: &Context<'_>) -> Arc<ClientState> {
    context
        .previous
        .and_then(|previous| previous.client(id))
        .map(|before| Arc::clone(&before.state))
        .unwrap_or_default()
}

fn both(first: &Option<Arc<Policy>>, second: &Option<Arc<Policy>>) -> Vec<Arc<Policy>> {
    first.iter().chain(second).cloned().collect()
}

/// Whether Message-Authenticator is asked for.
pub(crate) const fn require(from: customer::Require) -> Require {
    match from {
        customer::Require::Yes => Require::Yes,
        customer::Require::No => Require::No,
        customer::Require::Auto => Require::Auto,
    }
}

/// What a request gets that nobody answers.
pub(crate) const fn verdict(from: Unanswered) -> Verdict {
    match from {
        Unanswered::Reject => Verdict::Reject,
        Unanswered::Silence => Verdict::Silence,
    }
}
