//! Reading counters into a report.

use std::{collections::HashMap, sync::Arc};

use sekisho_abi::{Reason, numbers};
use sekisho_engine::{
    health::{HomeState, Learned},
    snapshot::{self, ClientRole, CustomerId, HomeKind, HomeServer, RealmService, Require, RoutingSnapshot},
    stats::{self, Counter, WorkerStats},
    time::Time,
};

use super::{
    Client, Count, Customer, Histogram, Proof, Realm, Replies, Server, Totals, Unresolved, Withheld, read_hosted,
    read_vpdn,
};
use crate::vpdn::Vpdn;

/// What the gate has counted, by whose it is.
pub type InKernel = HashMap<u64, Vec<Count>>;

/// Sums over the workers, and drops by reason.
pub fn totals(workers: &[Arc<WorkerStats>]) -> (Totals, Vec<Count>) {
    let sum = |counter: fn(&WorkerStats) -> &Counter| workers.iter().map(|stats| counter(stats).read()).sum::<u64>();
    let totals = Totals {
        requests_received: sum(|stats| &stats.requests_received),
        replies_received: sum(|stats| &stats.replies_received),
        access: sum(|stats| &stats.access),
        accounting: sum(|stats| &stats.accounting),
        status: sum(|stats| &stats.status),
        disconnect: sum(|stats| &stats.disconnect),
        coa: sum(|stats| &stats.coa),
        replies: replies(|of| workers.iter().map(|stats| of(&stats.replies).read()).sum()),
        forwarded: sum(|stats| &stats.forwarded),
        retransmitted: sum(|stats| &stats.retransmitted),
        failed_over: sum(|stats| &stats.failed_over),
        repeated: sum(|stats| &stats.repeated),
        superseded: sum(|stats| &stats.superseded),
        fanned_out: sum(|stats| &stats.fanned_out),
        expired: sum(|stats| &stats.expired),
        rejected_unanswered: sum(|stats| &stats.rejected_unanswered),
        rejected_down: sum(|stats| &stats.rejected_down),
        rejected_limited: sum(|stats| &stats.rejected_limited),
        rejected_full: sum(|stats| &stats.rejected_full),
        keepalives: sum(|stats| &stats.keepalives),
        identities_differ: sum(|stats| &stats.identities_differ),
        withheld: Withheld {
            service_type: sum(|stats| &stats.withheld.service_type),
            framed_address: sum(|stats| &stats.withheld.framed_address),
            challenges: sum(|stats| &stats.withheld.challenges),
            kept_octets: sum(|stats| &stats.withheld.kept_octets),
            unusable: sum(|stats| &stats.withheld.unusable),
        },
        delayed: sum(|stats| &stats.delayed),
        undelayed: sum(|stats| &stats.undelayed),
        undecryptable: sum(|stats| &stats.undecryptable),
        hidden: sum(|stats| &stats.hidden),
        loops: sum(|stats| &stats.loops),
        in_flight: sum(|stats| &stats.in_flight),
        remembered: sum(|stats| &stats.remembered),
        ports: sum(|stats| &stats.ports),
    };
    let dropped = Reason::ALL.iter().map(|reason| {
        let count = workers.iter().filter_map(|stats| stats.dropped.get(*reason as usize)).map(Counter::read).sum();
        Count::new(reason.name(), count)
    });
    (totals, dropped.collect())
}

/// Every customer with its clients, realms and servers, by name.
pub fn customers(
    snapshot: &RoutingSnapshot,
    unresolved: &[sekisho_service::Unresolved],
    vpdn: &Vpdn,
    kernel: &InKernel,
    now: Time,
) -> Vec<Customer> {
    let each = snapshot.customers.iter().flatten();
    let mut customers: Vec<Customer> = each
        .map(|found| Customer {
            groups: read_hosted::groups(snapshot, found.id),
            vpdn: read_vpdn::contracts(snapshot, found.id, now),
            lns: read_vpdn::lnss(snapshot, vpdn, found.id, now),
            ..customer(snapshot, unresolved, found, kernel, now)
        })
        .collect();
    customers.sort_by(|a, b| a.name.cmp(&b.name));
    customers
}

/// The operator's access networks, by name.
pub fn access_networks(snapshot: &RoutingSnapshot, kernel: &InKernel, now: Time) -> Vec<Client> {
    let networks = snapshot.clients.iter().flatten().filter(|client| client.customer == CustomerId::NOBODY);
    let mut networks: Vec<Client> = networks.map(|one| client(one, "", kernel, now)).collect();
    networks.sort_by(|a, b| a.contract.cmp(&b.contract));
    networks
}

fn customer(
    snapshot: &RoutingSnapshot,
    unresolved: &[sekisho_service::Unresolved],
    found: &snapshot::Customer,
    kernel: &InKernel,
    now: Time,
) -> Customer {
    let of = |id: CustomerId| id == found.id;
    let clients = snapshot.clients.iter().flatten().filter(|client| of(client.customer));
    let realms = snapshot.realms.iter().flatten().filter(|realm| of(realm.customer));
    let homes = snapshot.homes.iter().flatten().filter(|home| of(home.customer));
    let mut customer = Customer {
        name: found.name.clone(),
        requests: found.stats.sum(|stats| &stats.requests),
        replies: replies(|of| found.stats.sum(|stats| of(&stats.replies))),
        dropped: found.stats.sum(|stats| &stats.dropped),
        unroutable: found.stats.sum(|stats| &stats.unroutable),
        clients: clients.map(|one| client(one, &found.name, kernel, now)).collect(),
        realms: realms.map(|one| realm(snapshot, one)).collect(),
        servers: homes.map(|one| server(one, now)).collect(),
        unresolved: unresolved.iter().filter(|one| one.customer == found.name).map(without_address).collect(),
        ..Customer::default()
    };
    customer.clients.sort_by(|a, b| a.contract.cmp(&b.contract));
    customer.realms.sort_by(|a, b| a.name.cmp(&b.name));
    customer.servers.sort_by(|a, b| (&a.name, &b.kind).cmp(&(&b.name, &a.kind)));
    customer
}

fn client(client: &snapshot::Client, customer: &str, kernel: &InKernel, now: Time) -> Client {
    let learned = &client.state.learned;
    let (require, previous) = (client.require_message_authenticator, client.previous_secret.is_some());
    Client {
        contract: client.contract.clone(),
        address: client.address,
        dynauth: client.role == ClientRole::DynAuth,
        proof: proof(learned, require, previous, now),
        kernel: kernel.get(&numbers::owner(customer, &client.contract)).cloned().unwrap_or_default(),
    }
}

fn proof(learned: &Learned, require: Require, previous_secret: bool, now: Time) -> Proof {
    let used = Some(learned.previous_secret_used()).filter(|used| previous_secret && *used > Time(0));
    Proof {
        message_authenticator: (require == Require::Auto).then(|| learned.message_authenticator()),
        previous_secret,
        previous_secret_used: used.map(|used| (now - used).as_secs_f64()),
    }
}

fn without_address(one: &sekisho_service::Unresolved) -> Unresolved {
    Unresolved { server: one.server.clone(), host: one.host.clone(), why: one.why.to_string() }
}

fn realm(snapshot: &RoutingSnapshot, realm: &snapshot::Realm) -> Realm {
    let pool = match realm.service {
        Some(RealmService::Proxy(pool)) => snapshot.pool(pool),
        Some(RealmService::Group(_)) | None => None,
    };
    let group = match realm.service {
        Some(RealmService::Group(group)) => snapshot.group(group),
        Some(RealmService::Proxy(_)) | None => None,
    };
    let mut servers: Vec<String> = pool
        .into_iter()
        .flat_map(|pool| &pool.tiers)
        .flat_map(|tier| tier.auth.iter().chain(&tier.acct))
        .filter_map(|member| snapshot.home(member.home).map(|home| home.name.clone()))
        .collect();
    let mut seen = std::collections::HashSet::new();
    servers.retain(|name| seen.insert(name.clone()));
    Realm {
        name: realm.name.clone(),
        hosted: group.is_some(),
        contract: pool.map(|pool| pool.contract.clone()).or_else(|| Some(group?.contract.clone())),
        vpdn: realm.vpdn.iter().flatten().filter_map(|id| Some(snapshot.vpdn(*id)?.contract.clone())).collect(),
        servers,
        requests: realm.stats.sum(|stats| &stats.requests),
        replies: replies(|of| realm.stats.sum(|stats| of(&stats.replies))),
        expired: realm.stats.sum(|stats| &stats.expired),
        latency: Histogram::sum(realm.stats.iter().map(|stats| &stats.latency)),
    }
}

fn server(home: &HomeServer, now: Time) -> Server {
    let (since, last_reply) = times(&home.state, now);
    // Accounting-Responses have none, whatever is asked for.
    let require = if home.kind == HomeKind::Auth { home.require_message_authenticator } else { Require::No };
    Server {
        name: home.name.clone(),
        kind: home.kind.name().to_owned(),
        address: home.address.to_string(),
        state: home.state.health().name().to_owned(),
        since,
        last_reply,
        requests: home.stats.sum(|stats| &stats.requests),
        retransmitted: home.stats.sum(|stats| &stats.retransmitted),
        replies: replies(|of| home.stats.sum(|stats| of(&stats.replies))),
        timeouts: home.stats.sum(|stats| &stats.timeouts),
        forged: home.stats.sum(|stats| &stats.forged),
        unmatched: home.stats.sum(|stats| &stats.unmatched),
        outstanding: home.stats.sum(|stats| &stats.outstanding),
        withheld: home.stats.sum(|stats| &stats.withheld),
        copies: home.stats.sum(|stats| &stats.copies),
        copies_skipped: home.stats.sum(|stats| &stats.copies_skipped),
        probes_sent: home.state.probes_sent(),
        probes_answered: home.state.probes_answered(),
        proof: proof(&home.state.learned, require, home.previous_secret.is_some(), now),
        latency: Histogram::sum(home.stats.iter().map(|stats| &stats.latency)),
    }
}

/// Seconds in the present state, and since the last reply; a server that never changed its state is in it since the start.
fn times(state: &HomeState, now: Time) -> (f64, Option<f64>) {
    let last = state.last_reply();
    let reply = (last > Time(0)).then(|| (now - last).as_secs_f64());
    ((now - state.since()).as_secs_f64(), reply)
}

/// The sum of each code's counter.
fn replies(sum: impl Fn(fn(&stats::Replies) -> &Counter) -> u64) -> Replies {
    Replies {
        accept: sum(|replies| &replies.accept),
        reject: sum(|replies| &replies.reject),
        challenge: sum(|replies| &replies.challenge),
        accounting: sum(|replies| &replies.accounting),
        disconnect_ack: sum(|replies| &replies.disconnect_ack),
        disconnect_nak: sum(|replies| &replies.disconnect_nak),
        coa_ack: sum(|replies| &replies.coa_ack),
        coa_nak: sum(|replies| &replies.coa_nak),
    }
}
