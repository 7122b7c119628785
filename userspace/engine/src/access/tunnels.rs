//! The LNS for a login, and the Accept that says so.

use sekisho_lns::{
    LnsId, SourceId,
    balance::{Ask, Chosen, Refused, Why},
    health::SoftFailure,
    sessions::{Attach, Key, NoStart, Sessions, Who},
};
use sekisho_wire::{
    attr,
    attribute::attributes,
    buf::{Buf, TooLong},
    secret::Secret,
    tunnel::append_tunnel,
};

use super::said::{self, Octets};
use crate::{
    hosted::octets,
    refusal::Cause,
    snapshot::{Access, Accountant, ClientId, RoutingSnapshot, Vpdn},
    stats::{self, Counter, VpdnStats},
    time::Time,
};

/// From one alternative's Tunnel-Preference to the next; the lowest is preferred (RFC 2868 §3.8).
const STEP: u32 = 10;

/// Whose login it is: what is needed of the request once it has been rewritten.
pub(crate) struct Caller {
    calling: Octets,
    user: Octets,
    key: Octets,
    who: Who,
}

/// The LNSs for a login, and whose it is.
pub(crate) struct Found<'c> {
    pub(crate) chosen: Chosen<'c>,
    pub(crate) caller: Caller,
}

/// What a client and we share, and what one answer's passwords are hidden with.
pub(crate) struct Hiding<'a> {
    pub(crate) secret: &'a Secret,
    pub(crate) authenticator: &'a [u8; 16],
    pub(crate) salt: u16,
}

impl Caller {
    /// By the request, whose User-Name this is.
    pub(crate) fn of(
        sessions: &Sessions,
        snapshot: &RoutingSnapshot,
        contract: &Vpdn,
        packet: &[u8],
        user: &[u8],
    ) -> Caller {
        let calling = said::calling(snapshot, packet);
        let request = || sessions.key(&[b"request", packet.get(4..20).unwrap_or_default(), user]);
        let who = match said::device(sessions, snapshot, contract, packet, &calling) {
            Some(device) => Who::Device(device),
            None => Who::Request(request()),
        };
        let key = said::key(snapshot, packet, &contract.key);
        Caller { key, who, user: said::octets(user), calling }
    }

    fn device(&self) -> Option<Key> {
        match self.who {
            Who::Device(device) => Some(device),
            Who::Request(_) => None,
        }
    }
}

/// The LNSs for a login. Nothing is counted yet.
pub(crate) fn choose<'c>(
    now: Time,
    sessions: &Sessions,
    contract: &'c Vpdn,
    source: SourceId,
    caller: &Caller,
) -> Result<Chosen<'c>, Refused> {
    let known = caller.device().map(|device| sessions.remembered(now, device)).unwrap_or_default();
    contract.balance.choose(now, &Ask { source, key: &caller.key, known })
}

/// Counts a login that has got its LNS: it is a session from now on, until no Start comes. Whether that has ended the session that its
/// device had before.
pub(crate) fn attach(
    now: Time,
    sessions: &Sessions,
    snapshot: &RoutingSnapshot,
    (contract, source): (&Vpdn, SourceId),
    caller: &Caller,
    chosen: &Chosen<'_>,
) -> bool {
    let Some(first) = chosen.picks.first() else { return false };
    let attached = sessions.attach(
        now,
        &Attach {
            source,
            who: caller.who,
            contract: contract.id,
            customer: contract.balance.customer,
            lns: first.id,
            number: &caller.calling,
            user: &caller.user,
            sticky: contract.balance.sticky,
            accounted: contract.accounting != Accountant::Nobody,
        },
    );
    if let Some(NoStart { source, lns }) = attached.no_start {
        note_failure(now, snapshot, lns, source, SoftFailure::NoStart);
    }
    attached.superseded
}

/// A session failed that this source had been given an LNS for.
pub(crate) fn note_failure(now: Time, snapshot: &RoutingSnapshot, lns: LnsId, source: SourceId, failure: SoftFailure) {
    let Some(plan) = snapshot.lns(lns) else { return };
    if plan.lns.state.health.soft_failure(now, source, failure, &plan.policy).is_some() {
        tracing::warn!(
            lns = plan.lns.name,
            source = snapshot.client(ClientId(source.0)).map(|client| client.contract.as_str()),
            ?failure,
            "sessions that this access network brings to the LNS fail: avoided for it, for a while"
        );
    }
}

/// Appends what an access network's equipment wants in an Accept: a set for each LNS, as many as fit, and what the contract adds.
pub(crate) fn write(
    buf: &mut Buf,
    access: &Access,
    contract: &Vpdn,
    chosen: &Chosen<'_>,
    hiding: &Hiding<'_>,
) -> Result<(), TooLong> {
    let numbers = [(attr::SERVICE_TYPE, access.service_type), (attr::FRAMED_PROTOCOL, access.framed_protocol)];
    for (number, value) in numbers {
        let Some(value) = value else { continue };
        // What a home server has said stands.
        if !attributes(buf.bytes()).any(|it| it.number == number) {
            buf.append_attribute(number, &value.to_be_bytes())?;
        }
    }
    octets::append_further(buf, &contract.reply)?;
    let sets = chosen.picks.iter().filter_map(|lns| contract.tunnel(lns.id));
    for (place, set) in (0..).zip(sets.take(access.max_alternatives.max(1))) {
        let before = buf.len();
        let salt = hiding.salt.wrapping_add(place);
        let order = (place as u8 + 1, u32::from(place) * STEP);
        let written = append_tunnel(buf, set, access.form, order, (hiding.secret, hiding.authenticator, salt));
        if let Err(too_long) = written {
            buf.trim(before);
            // Without the others the session can still be had.
            return if place == 0 { Err(too_long) } else { Ok(()) };
        }
    }
    Ok(())
}

/// What a login gets for which there is no LNS.
pub(crate) fn cause(refused: Refused) -> Cause {
    match refused {
        Refused::AllDown | Refused::NoLns => Cause::NoAnswer,
        Refused::AllFull | Refused::ContractFull | Refused::CustomerFull => Cause::NoResources,
    }
}

/// Whether everything is full, which subscribers may be told in the contract's words.
pub(crate) fn is_full(refused: Refused) -> bool {
    cause(refused) == Cause::NoResources
}

/// Where a choice is counted.
pub(crate) fn counter(stats: &VpdnStats, result: Result<Why, Refused>) -> &Counter {
    let VpdnStats {
        chosen: stats::Chosen { lone, strategy, further_tier, again, sticky, overflow, fail_open },
        refused,
        rebalanced: _,
    } = stats;
    match result {
        Ok(Why::Lone) => lone,
        Ok(Why::Again) => again,
        Ok(Why::Sticky) => sticky,
        Ok(Why::Strategy) => strategy,
        Ok(Why::Tier(_)) => further_tier,
        Ok(Why::Overflow) => overflow,
        Ok(Why::FailOpen) => fail_open,
        Err(Refused::AllDown | Refused::NoLns) => &refused.all_down,
        Err(Refused::AllFull) => &refused.all_full,
        Err(Refused::ContractFull) => &refused.contract_full,
        Err(Refused::CustomerFull) => &refused.customer_full,
    }
}
