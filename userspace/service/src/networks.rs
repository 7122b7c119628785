//! Those who send for all of a kind: the operator's access networks, at many addresses, and LNSs with their own accounting.

use std::{net::SocketAddr, time::Duration};

use sekisho_abi::{BucketParams, Roles};
use sekisho_config::{
    AccessNetwork, Customer, LookupMode, Node, RealmPlace as Place, Selector, ServiceType, SessionKey, TunnelSets,
    Unclaimed,
};
use sekisho_engine::snapshot::{
    Access, Client, ClientId, ClientRole, CustomerId, Lookup, NameLookup, NasIdentity, RealmId, RealmPlace, Require,
    RoutingSnapshot, SessionName, Verdict,
};
use sekisho_wire::{nai::CanonicalRealm, tunnel::TunnelForm};

use crate::{
    book::IdBook,
    clients::{require, state},
    compile::Context,
    gate,
    limits::{Charged, bucket},
    routing::put,
    servers,
    vpdn::access_type,
};

/// Service-Type (RFC 2865 §5.6).
const FRAMED: u32 = 2;
const OUTBOUND: u32 = 5;
/// Framed-Protocol (§5.7).
const PPP: u32 = 1;
/// An LNS asks again before this has passed; then it has its answer, or keeps the record.
const LNS_PATIENCE: Duration = Duration::from_secs(10);

/// Adds the node's access networks. The customers are there already, with the realms that may be a network's defaults.
pub(crate) fn networks(
    node: &Node,
    customers: &[Customer],
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) {
    for from in &node.access_networks {
        network(from, customers, context, book, snapshot);
    }
}

fn network(
    from: &AccessNetwork,
    customers: &[Customer],
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) {
    // The configuration gives each of them at least one.
    let Some(first) = from.addresses.first() else { return };
    let id = book.client(CustomerId::NOBODY, &from.name);
    let way = gate::Way { domain: &from.domain, ingresses: &from.ingresses };
    let charged = Charged::network(id, from);
    for network in &from.addresses {
        gate::register_network(way, *network, charged, book, snapshot);
    }
    let default_realm = from.lookup.default_realm.as_ref().and_then(|name| realm(name, customers, book));
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
        default_realm,
        bare_domain: false,
        outer_suffix: from.lookup.outer_suffix.as_ref().map(|suffix| suffix.as_str().as_bytes().into()),
        administrative: false,
        request_policies: Vec::new(),
        reply_policies: Vec::new(),
        realm_limit: bucket(from.realm),
        access: Some(Box::new(access(from, customers, book))),
        state: state(id, context),
    };
    put(&mut snapshot.clients, id.index(), client);
    if let Some(port) = from.disconnect_port {
        nases(from, id, port, context, book, snapshot);
    }
}

/// Adds the addresses of an access network that Disconnects can be sent to: those that are named one by one.
fn nases(
    from: &AccessNetwork,
    id: ClientId,
    port: u16,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) {
    let way = gate::Way { domain: &from.domain, ingresses: &from.ingresses };
    for network in from.addresses.iter().filter(|network| network.is_host()) {
        let address = SocketAddr::new(network.address, port);
        // Answers are known by the address that they come from alone, so a port is one server's.
        if snapshot.home_by_address.contains_key(&address) {
            continue;
        }
        gate::register(way, network.address, Roles::HOME_SERVER, None, book, snapshot);
        let nas = servers::Nas {
            customer: CustomerId::NOBODY,
            name: &from.name,
            address,
            secret: &from.secret,
            previous_secret: from.previous_secret.as_ref(),
        };
        let home = servers::nas(&nas, context, book, snapshot);
        snapshot.nas_by_source.insert((id, network.address), home);
    }
}

fn access(from: &AccessNetwork, customers: &[Customer], book: &mut IdBook) -> Access {
    let mut default_realms = Lookup::new();
    for (apn, name) in &from.lookup.default_realms {
        if let Some(realm) = realm(name, customers, book) {
            default_realms.insert(apn.as_str().as_bytes().into(), realm);
        }
    }
    Access {
        lookup: match from.lookup.mode {
            LookupMode::User => NameLookup::User,
            LookupMode::Domain => NameLookup::Domain,
            LookupMode::Dnis => NameLookup::Dnis,
        },
        // Each of the three stands there once at most.
        places: from.lookup.places.iter().take(3).map(|place| realm_place(*place)).collect(),
        default_realms,
        keepalive_users: from.keepalive.users.iter().map(|user| user.as_bytes().into()).collect(),
        keepalive_accepts: from.keepalive.accept,
        form: match from.accept.sets {
            TunnelSets::Tagged | TunnelSets::Single => TunnelForm::Tagged,
            TunnelSets::Untagged => TunnelForm::Untagged,
            TunnelSets::CiscoAvPair => TunnelForm::CiscoAvPair,
        },
        max_alternatives: usize::from(from.accept.max_alternatives),
        service_type: from.accept.service_type.map(|service| match service {
            ServiceType::Framed => FRAMED,
            ServiceType::Outbound => OUTBOUND,
        }),
        framed_protocol: from.accept.framed_protocol_ppp.then_some(PPP),
        session_name: match from.accounting.session_key {
            SessionKey::AcctSessionId => SessionName::AcctSessionId,
            SessionKey::ChargingId => SessionName::ChargingId,
        },
        multi_bearer: from.accounting.multi_bearer,
        counts_links: from.accounting.tunnel_links,
        records_unclaimed: from.accounting.unclaimed == Unclaimed::Record,
    }
}

const fn realm_place(from: Place) -> RealmPlace {
    match from {
        Place::Suffix => RealmPlace::Suffix,
        Place::Prefix => RealmPlace::Prefix,
        Place::Apn => RealmPlace::Apn,
    }
}

/// A realm of whatever customer, by its exact name.
fn realm(name: &CanonicalRealm, customers: &[Customer], book: &mut IdBook) -> Option<RealmId> {
    customers.iter().find_map(|customer| {
        let is_exact = |selector| !matches!(selector, Selector::Pattern | Selector::Default);
        let realm = customer.realms.iter().find(|realm| realm.name == *name && is_exact(realm.selector))?;
        let owner = book.customer(&customer.name);
        Some(book.realm(owner, realm.selector, realm.name.as_str()))
    })
}

/// Adds those of a customer's LNSs that send accounting themselves.
pub(crate) fn lns_sources(
    owner: &Customer,
    customer: CustomerId,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) {
    for lns in &owner.lnss {
        let Some(from) = &lns.accounting else { continue };
        // No contract can have this name.
        let name = format!("lns:{}", lns.name);
        let id = book.client(customer, &name);
        let way = gate::Way { domain: &lns.domain, ingresses: &lns.ingresses };
        let charged = Charged::lns(&owner.name, &name, id, from.rate);
        gate::register(way, from.address, Roles::CLIENT, Some(charged), book, snapshot);
        let client = Client {
            id,
            contract: name,
            role: ClientRole::Lns(book.lns(customer, &lns.name)),
            customer,
            address: from.address,
            secret: from.secret.clone(),
            previous_secret: from.previous_secret.clone(),
            // Accounting proves itself by its authenticator (RFC 2866 §3).
            require_message_authenticator: Require::No,
            limit_proxy_state: false,
            reject_delay: Duration::ZERO,
            answer_within: LNS_PATIENCE,
            when_unanswered: Verdict::Silence,
            nas: NasIdentity::default(),
            default_realm: None,
            bare_domain: false,
            outer_suffix: None,
            administrative: false,
            request_policies: Vec::new(),
            reply_policies: Vec::new(),
            realm_limit: BucketParams::NONE,
            access: Some(Box::new(Access::of_an_lns())),
            state: state(id, context),
        };
        put(&mut snapshot.clients, id.index(), client);
    }
}
