//! `vpdn` contracts and the LNSs of a customer.

use std::{collections::HashMap, sync::Arc};

use sekisho_config::{
    AllDown as ConfigAllDown, Balancing, Counting, Customer, Failback as ConfigFailback, Host, ItemType, Lns, LnsTier,
    Node, Selector, ServerState, Strategy as ConfigStrategy, Verify as ConfigVerify, Vpdn,
};
use sekisho_engine::{
    snapshot::{
        self, AccessType, Accountant, ContractId, CustomerId, LnsId, LnsPlan, Pool, RealmService, RoutingSnapshot,
        Verify,
    },
    stats::PerWorker,
};
use sekisho_lns::{
    balance::{self, AllDown, Balance, Failback, Strategy, Tier, tier_seed},
    health::{Policy as HealthPolicy, RefusedIs, Wanted},
    l2tp::{Target, TunnelSecret},
};
use sekisho_wire::{
    attr,
    policy::{Policy, Rule, Value},
    secret::Secret,
    select::AttributeId,
    tunnel::{Medium, TunnelSet},
    vendor::{CISCO, CISCO_AVPAIR},
};

use crate::{
    book::IdBook,
    compile::Context,
    routing::{Services as Answers, put},
};

/// What serves a realm for access networks, by the realm's selector and name and their type.
pub(crate) type Services<'a> = HashMap<(Selector, &'a str, AccessType), ContractId>;

/// What a home server's Accept may say to the operator's equipment unless its contract allows more. What the protocol needs passes
/// in any case; addresses, where the contract says of which networks they are.
const ALLOWED: [AttributeId; 8] = [
    AttributeId::Plain(attr::SERVICE_TYPE),
    AttributeId::Plain(attr::FRAMED_PROTOCOL),
    AttributeId::Plain(attr::FRAMED_MTU),
    AttributeId::Plain(attr::CLASS),
    AttributeId::Plain(attr::SESSION_TIMEOUT),
    AttributeId::Plain(attr::IDLE_TIMEOUT),
    AttributeId::Plain(attr::ACCT_INTERIM_INTERVAL),
    AttributeId::Plain(attr::CHARGEABLE_USER_IDENTITY),
];
/// Framed-IPv6-Address, RFC 6911 §3.1.
const FRAMED_IPV6_ADDRESS: u8 = 168;
/// What may be given of the contract's networks, by their family: that it is of them is looked at. A netmask is nobody's to give.
const ADDRESSES_V4: [AttributeId; 1] = [AttributeId::Plain(attr::FRAMED_IP_ADDRESS)];
const ADDRESSES_V6: [AttributeId; 4] = [
    AttributeId::Plain(attr::FRAMED_INTERFACE_ID),
    AttributeId::Plain(attr::FRAMED_IPV6_PREFIX),
    AttributeId::Plain(attr::DELEGATED_IPV6_PREFIX),
    AttributeId::Plain(FRAMED_IPV6_ADDRESS),
];

/// Adds a customer's LNSs.
pub(crate) fn lnss(
    node: &Node,
    owner: &Customer,
    customer: CustomerId,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) {
    for from in &owner.lnss {
        let id = book.lns(customer, &from.name);
        let state = Arc::clone(context.loads.lns(id));
        let lns = balance::Lns::new(id, &from.name, customer, from.weight, from.max_sessions, state);
        let endpoint = from.address.to_string().to_ascii_lowercase();
        snapshot.lns_by_endpoint.insert((customer, endpoint.as_bytes().into()), id);
        let plan = LnsPlan {
            lns: Arc::new(lns),
            customer,
            endpoint: endpoint.into(),
            wanted: match from.state {
                ServerState::Up => Wanted::Up,
                ServerState::Draining => Wanted::Draining,
                ServerState::Down => Wanted::Down,
            },
            policy: policy(from),
            probe: probe(node, from, id),
        };
        put(&mut snapshot.lnss, id.index(), plan);
    }
}

fn policy(from: &Lns) -> HealthPolicy {
    let Some(probe) = &from.probe else { return HealthPolicy::default() };
    HealthPolicy {
        rise: probe.rise,
        fall: probe.fall,
        refused: if probe.refused_is_up { RefusedIs::Up } else { RefusedIs::Down },
        interval: probe.interval,
        ..HealthPolicy::default()
    }
}

fn probe(node: &Node, from: &Lns, lns: LnsId) -> Option<Target> {
    let probe = from.probe.as_ref()?;
    let Host::Address(address) = from.address else { return None };
    let password = from.tunnel_password.as_ref().filter(|_| probe.deep);
    Some(Target {
        lns,
        address,
        source: probe.from.or_else(|| node.l2tp_for(address)),
        interval: probe.interval,
        timeout: probe.timeout,
        secret: password.and_then(|password| TunnelSecret::new(password.expose())),
        host_name: node.l2tp.host_name.clone(),
    })
}

/// Adds a customer's `vpdn` contracts, whose LNSs are there already.
pub(crate) fn contracts<'a>(
    owner: &'a Customer,
    customer: CustomerId,
    answers: &Answers<'_>,
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &mut RoutingSnapshot,
) -> Services<'a> {
    let mut services = Services::new();
    for from in &owner.vpdn {
        let id = book.contract(customer, &from.contract);
        let kind = access_type(from.kind);
        let mut contract = contract(owner, from, (id, customer, kind), context, book, snapshot);
        let answers = from.realms.iter().filter_map(|realm| answers.get(&(realm.selector, realm.name.as_str())));
        match (&from.verify, &mut contract.verify) {
            // The configuration takes realms of one `group` contract only.
            (ConfigVerify::Group, verify) => {
                let mut groups = answers.filter_map(|service| match service {
                    RealmService::Group(group) => Some(*group),
                    RealmService::Proxy(_) => None,
                });
                let Some(group) = groups.next() else { continue };
                *verify = Verify::Group(group);
            }
            (_, Verify::Proxy { pools, .. }) => {
                let all = answers.filter_map(|service| match service {
                    RealmService::Proxy(pool) => Some(*pool),
                    RealmService::Group(_) => None,
                });
                pools.extend(all.filter(|pool| snapshot.pool(*pool).is_some_and(Pool::takes_accounting)));
                pools.sort_unstable();
                pools.dedup();
            }
            _ => {}
        }
        services.extend(from.realms.iter().map(|realm| ((realm.selector, realm.name.as_str(), kind), id)));
        put(&mut snapshot.vpdn, id.index(), contract);
    }
    services
}

fn contract(
    owner: &Customer,
    from: &Vpdn,
    (id, customer, kind): (ContractId, CustomerId, AccessType),
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &RoutingSnapshot,
) -> snapshot::Vpdn {
    let before = context.previous.and_then(|previous| previous.vpdn(id));
    let mut balance = balance(owner, from, (id, customer), context, book, snapshot);
    if let Some(before) = before {
        balance.succeed(&before.balance);
    }
    let names = from.lnss().filter_map(|name| owner.lns(name));
    let reply = from.reply.iter().map(|(id, value)| Rule::Add(*id, Value::Literal(value.clone())));
    snapshot::Vpdn {
        id,
        contract: from.contract.clone(),
        customer,
        kind,
        verify: verify(&from.verify),
        balance,
        key: from.balancing.as_ref().map_or_else(Vec::new, |balancing| balancing.key.clone()),
        tunnels: names.map(|lns| (book.lns(customer, &lns.name), tunnel(lns))).collect(),
        // The configuration takes only what fits.
        reply: Policy::new(reply.collect()).attributes().unwrap_or_default(),
        accounting: match from.accounting {
            Counting::Lac => Accountant::Lac,
            Counting::Lns => Accountant::Lns,
            Counting::None => Accountant::Nobody,
        },
        interim_interval: from.interim_interval,
        rebalance: from.balancing.as_ref().and_then(|balancing| balancing.rebalance),
        full_message: from.full_message.as_deref().map(Into::into),
        stats: match before {
            Some(before) => Arc::clone(&before.stats),
            None => Arc::new(PerWorker::new(context.workers)),
        },
    }
}

fn balance(
    owner: &Customer,
    from: &Vpdn,
    (id, customer): (ContractId, CustomerId),
    context: &Context<'_>,
    book: &mut IdBook,
    snapshot: &RoutingSnapshot,
) -> Balance {
    let option = from.balancing.as_ref();
    let mut tier = |from_tier: &LnsTier, place: usize| {
        let lnss = from_tier.lns.iter().filter_map(|name| snapshot.lns(book.lns(customer, name)));
        let members = lnss.map(|plan| Arc::clone(&plan.lns)).collect();
        let seed = tier_seed(&owner.name, &from.contract, place);
        Tier::new(strategy(from_tier.strategy), seed, option.map_or(Failback::Now, failback), members)
    };
    let tiers: Vec<Tier> = from.tiers.iter().enumerate().map(|(place, lnss)| tier(lnss, place)).collect();
    let overflow = option.filter(|option| !option.overflow.is_empty()).map(|option| {
        let strategy = from.tiers.first().map_or(ConfigStrategy::RoundRobin, |first| first.strategy);
        tier(&LnsTier { strategy, lns: option.overflow.clone() }, from.tiers.len())
    });
    Balance {
        contract: id,
        customer,
        tiers,
        overflow,
        sticky: option.and_then(|option| option.sticky),
        slow_start: option.map_or(std::time::Duration::ZERO, |option| option.slow_start),
        all_down: match option.map(|option| option.all_down) {
            Some(ConfigAllDown::Reject) => AllDown::Reject,
            Some(ConfigAllDown::FailOpen) | None => AllDown::FailOpen,
        },
        alternatives: option.map_or(1, |option| usize::from(option.alternatives)),
        max_sessions: from.max_sessions,
        load: Arc::clone(context.loads.contract(id)),
        customer_max: owner.max_vpdn_sessions,
        customer_load: Arc::clone(context.loads.customer(customer)),
    }
}

const fn strategy(from: ConfigStrategy) -> Strategy {
    match from {
        ConfigStrategy::RoundRobin => Strategy::RoundRobin,
        ConfigStrategy::LeastSessions => Strategy::LeastSessions,
        ConfigStrategy::Hash => Strategy::Hash,
    }
}

fn failback(from: &Balancing) -> Failback {
    match from.failback {
        ConfigFailback::Now => Failback::Now,
        ConfigFailback::Manual => Failback::Manual,
        ConfigFailback::Delayed(after) => Failback::Delayed(after),
    }
}

fn verify(from: &ConfigVerify) -> Verify {
    let (framed_networks, allow_reply) = match from {
        // The contract whose accounts are asked is put in its place.
        ConfigVerify::Realm | ConfigVerify::Group => return Verify::Realm,
        ConfigVerify::Proxy { framed_networks, allow_reply } => (framed_networks.as_slice(), allow_reply.as_slice()),
    };
    let has = |v4: bool| framed_networks.iter().any(|network| network.address.is_ipv4() == v4);
    let of_family = |v4, all| if has(v4) { all } else { &[][..] };
    let addresses = of_family(true, &ADDRESSES_V4).iter().chain(of_family(false, &ADDRESSES_V6));
    let allowed = ALLOWED.iter().chain(addresses).chain(allow_reply).copied().collect();
    // By another User-Name, the network's accounting would be another realm's, and another customer's (RFC 2865 §5.1).
    let no_name = Rule::Remove(AttributeId::Plain(attr::USER_NAME), None);
    // Whatever is allowed, where a tunnel leads the operator's customer says, and not its home server.
    let no_tunnels = Rule::Remove(AttributeId::Vendor(CISCO, CISCO_AVPAIR), Some(b"vpdn:"[..].into()));
    Verify::Proxy {
        pools: Vec::new(),
        allowed: Policy::new(vec![no_name, no_tunnels, Rule::Allow(allowed)]),
        framed_networks: framed_networks.iter().map(|network| (network.address, network.length)).collect(),
    }
}

fn tunnel(from: &Lns) -> TunnelSet {
    let text = |text: &Option<String>| text.as_deref().map(Into::into);
    TunnelSet {
        medium: match (&from.address, &from.client_endpoint) {
            (Host::Address(address), _) | (Host::Name(_), Some(Host::Address(address))) => Medium::from(*address),
            (Host::Name(_), _) => Medium::Ipv4,
        },
        server_endpoint: from.address.to_string().into(),
        client_endpoint: from.client_endpoint.as_ref().map(|endpoint| endpoint.to_string().into()),
        password: from.tunnel_password.as_ref().and_then(|password| Secret::new(password.expose()).ok()),
        private_group_id: text(&from.private_group_id),
        assignment_id: from.assignment_id.as_str().into(),
        client_auth_id: text(&from.client_auth_id),
        server_auth_id: text(&from.server_auth_id),
    }
}

/// The type of an access network, or of a contract for one.
pub(crate) const fn access_type(from: ItemType) -> AccessType {
    match from {
        ItemType::D => AccessType::D,
        ItemType::K => AccessType::K,
        ItemType::I => AccessType::I,
    }
}
