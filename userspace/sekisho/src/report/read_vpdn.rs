//! Reading contracts, LNSs and sessions into a report.

use std::sync::Arc;

use sekisho_engine::{
    snapshot::{self, AccessType, CustomerId, LnsPlan, RoutingSnapshot},
    stats::{Counter, VpdnStats, WorkerStats},
    time::Time,
};
use sekisho_lns::{
    balance::Tier,
    health::{Reason, State},
};

use super::{Avoided, Count, Lns, LnsProbe, SessionTable, Vpdn};
use crate::{
    clock::wall_seconds,
    tables::Keeper,
    vpdn::{
        self,
        notes::{Note, OUTCOMES},
    },
};

/// A customer's `vpdn` contracts, by name.
pub(super) fn contracts(snapshot: &RoutingSnapshot, customer: CustomerId, now: Time) -> Vec<Vpdn> {
    let of = snapshot.vpdn.iter().flatten().filter(|contract| contract.customer == customer);
    let mut contracts: Vec<Vpdn> = of.map(|one| contract(snapshot, one, now)).collect();
    contracts.sort_by(|a, b| a.contract.cmp(&b.contract));
    contracts
}

fn contract(snapshot: &RoutingSnapshot, from: &snapshot::Vpdn, now: Time) -> Vpdn {
    let sum = |counter: fn(&VpdnStats) -> &Counter| from.stats.sum(counter);
    let accepts = [
        ("lone", sum(|it| &it.chosen.lone)),
        ("strategy", sum(|it| &it.chosen.strategy)),
        ("further_tier", sum(|it| &it.chosen.further_tier)),
        ("again", sum(|it| &it.chosen.again)),
        ("sticky", sum(|it| &it.chosen.sticky)),
        ("overflow", sum(|it| &it.chosen.overflow)),
        ("fail_open", sum(|it| &it.chosen.fail_open)),
    ];
    let refused = [
        ("all_down", sum(|it| &it.refused.all_down)),
        ("all_full", sum(|it| &it.refused.all_full)),
        ("contract_full", sum(|it| &it.refused.contract_full)),
        ("customer_full", sum(|it| &it.refused.customer_full)),
    ];
    let counts = |counts: &[(&str, u64)]| counts.iter().map(|(name, count)| Count::new(name, *count)).collect();
    let plans = || from.tunnels.iter().filter_map(|(id, _)| snapshot.lns(*id));
    let (balance, load) = (&from.balance, &from.balance.load);
    Vpdn {
        contract: from.contract.clone(),
        kind: match from.kind {
            AccessType::D => "D",
            AccessType::K => "K",
            AccessType::I => "I",
        }
        .to_owned(),
        active: load.active(),
        pending: load.pending(),
        max_sessions: balance.max_sessions,
        accepts: counts(&accepts),
        refused: counts(&refused),
        rebalanced: sum(|it| &it.rebalanced),
        lns: plans().map(|plan| plan.lns.name.clone()).collect(),
        in_service: plans().filter(|plan| !is_out(plan, now)).count(),
        waits_for_failback: balance.tiers.iter().any(Tier::is_away),
    }
}

fn is_out(plan: &LnsPlan, now: Time) -> bool {
    matches!(plan.lns.state.health.state(now), State::Draining | State::Down)
}

/// LNSs, by name: a customer's.
pub(super) fn lnss(snapshot: &RoutingSnapshot, vpdn: &vpdn::Vpdn, customer: CustomerId, now: Time) -> Vec<Lns> {
    let of = snapshot.lnss.iter().flatten().filter(|plan| plan.customer == customer);
    let mut lnss: Vec<Lns> = of.map(|plan| lns(snapshot, plan, vpdn.notes.of(plan.lns.id), now)).collect();
    lnss.sort_by(|a, b| a.name.cmp(&b.name));
    lnss
}

/// LNSs of all customers, or of one, by customer and name.
pub fn all_lnss(snapshot: &RoutingSnapshot, vpdn: &vpdn::Vpdn, customer: Option<CustomerId>, now: Time) -> Vec<Lns> {
    let customers = snapshot.customers.iter().flatten().filter(|it| customer.is_none_or(|only| it.id == only));
    let mut lnss: Vec<Lns> = customers.flat_map(|it| lnss(snapshot, vpdn, it.id, now)).collect();
    lnss.sort_by(|a, b| (&a.customer, &a.name).cmp(&(&b.customer, &b.name)));
    lnss
}

fn lns(snapshot: &RoutingSnapshot, plan: &LnsPlan, note: Note, now: Time) -> Lns {
    let known = plan.lns.state.health.explain(now);
    let load = &plan.lns.state.load;
    let has_it = snapshot.vpdn.iter().flatten().filter(|contract| contract.tunnel(plan.lns.id).is_some());
    let avoided = known.sources.iter().filter_map(|source| {
        let (network, until) = (vpdn::naming::source(snapshot, source.source)?, source.avoided_until?);
        Some(Avoided { network, seconds: (until - now).as_secs_f64() })
    });
    let mut contracts: Vec<String> = has_it.map(|contract| contract.contract.clone()).collect();
    contracts.sort_unstable();
    Lns {
        customer: snapshot.customer_name(plan.customer).to_owned(),
        name: plan.lns.name.clone(),
        endpoint: plan.endpoint.to_string(),
        state: known.state.name().to_owned(),
        reason: note.unprobed.filter(|_| known.reason == Reason::NotProbed).unwrap_or_else(|| known.reason.to_string()),
        since_seconds: (now - known.since.unwrap_or_default()).as_secs_f64(),
        document: known.document.name().to_owned(),
        operator: known.operator.map(|wanted| wanted.name().to_owned()),
        weight: plan.lns.weight,
        max_sessions: plan.lns.max_sessions,
        active: load.active(),
        pending: load.pending(),
        estimated: load.estimated() > 0,
        chosen: load.chosen(),
        started: load.started(),
        failed_over_to: load.failed_over_to(),
        failed_over_from: load.failed_over_from(),
        probe: known.last_probe.map(|(at, outcome)| LnsProbe {
            outcome: outcome.name().to_owned(),
            age_seconds: (now - at).as_secs_f64(),
            latency_ms: note.latency.map(|latency| latency.as_secs_f64() * 1e3),
            misconfigured: known.misconfigured.is_some(),
        }),
        probes: match &plan.probe {
            Some(_) => OUTCOMES.iter().zip(note.outcomes).map(|(name, count)| Count::new(name, count)).collect(),
            None => Vec::new(),
        },
        avoided_for: avoided.collect(),
        changes: note.changes,
        contracts,
    }
}

/// The table of sessions.
pub fn session_table(vpdn: &vpdn::Vpdn, accounts: &Keeper, workers: &[Arc<WorkerStats>]) -> SessionTable {
    let counts = vpdn.sessions.counts();
    let sum = |counter: fn(&WorkerStats) -> &Counter| workers.iter().map(|stats| counter(stats).read()).sum();
    SessionTable {
        tracked: counts.sessions as u64,
        reserved: counts.reservations as u64,
        untracked: counts.untracked,
        unreserved: counts.refused,
        ended: vec![
            Count::new("stop", sum(|stats| &stats.sessions_stopped)),
            Count::new("superseded", sum(|stats| &stats.sessions_superseded)),
            Count::new("expired", vpdn.ended.expired()),
            Count::new("restart", vpdn.ended.restarted()),
        ],
        restored: vpdn.restored.sessions as u64,
        saved: vpdn.keeper.saved().map(|saved| wall_seconds().saturating_sub(saved) as f64),
        unsaved: vpdn.keeper.is_failing() || accounts.is_failing() || vpdn.words.is_failing(),
    }
}
