//! Accounting of `vpdn` sessions: it counts them, and is recorded here or by the customer's home server.

use std::time::Duration;

use sekisho_abi::Reason;
use sekisho_lns::{
    LnsId, SourceId,
    health::SoftFailure,
    sessions::{Effect, Handle, Outcome, Report},
};
use sekisho_wire::{attr, buf::MAX_PACKET, code::Code, verify::Verified};

use super::{ADDED, Asked, said, tunnels::note_failure};
use crate::{
    engine::Engine,
    packet::{Action, Packet},
    recording::{Claim, Holder},
    snapshot::{
        Access, AccessType, Accountant, CustomerId, PoolId, RealmService, RoutingSnapshot, SessionName, Verify, Vpdn,
    },
    verdict::Arrival,
};

// Acct-Status-Type: RFC 2866 §5.1, RFC 2867 §3.
pub(crate) const START: u32 = 1;
pub(crate) const STOP: u32 = 2;
pub(crate) const INTERIM: u32 = 3;
const ACCOUNTING_ON: u32 = 7;
const ACCOUNTING_OFF: u32 = 8;
pub(crate) const TUNNEL_LINK_START: u32 = 12;
pub(crate) const TUNNEL_LINK_STOP: u32 = 13;

/// Who accounts, and how its records are read.
#[derive(Clone, Copy)]
struct Reporter {
    source: SourceId,
    session_name: SessionName,
    multi_bearer: bool,
    /// Tunnel-Link-Start and -Stop stand in the place of Start and Stop.
    counts_links: bool,
    /// The LNS that it is.
    lns: Option<LnsId>,
}

impl Engine {
    /// The verdict table for an access network's accounting.
    pub(super) fn follow_accounting(
        &mut self,
        arrival: &Arrival<'_>,
        (access, kind): (&Access, AccessType),
        asked: Option<Asked<'_>>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let Arrival { snapshot, client, .. } = *arrival;
        let reporter = Reporter {
            source: arrival.client.source(),
            session_name: access.session_name,
            multi_bearer: access.multi_bearer,
            counts_links: access.counts_links,
            lns: None,
        };
        let request = verified.layout().packet(packet.buf.bytes());
        let status = verified.layout().acct_status(packet.buf.bytes());
        if is_restart(status) {
            let nas = said::nas(&self.settings.sessions, request);
            self.settings.sessions.nas_restarted(reporter.source, nas, self.event(arrival, request));
            let name = said::nas_name(request).unwrap_or_default();
            self.settings.hosted.sessions.restarted(snapshot, client, name, self.event(arrival, request));
            tracing::debug!(client = client.contract, "a NAS begins or ends: its sessions are over");
            return self.record_and_tell(arrival, Claim::default(), &concerned(snapshot, kind), verified, packet);
        }
        let contract = asked.as_ref().map(|asked| asked.contract).or_else(|| {
            // A Stop may come without the name that its Start had.
            let session = said::session(&self.settings.sessions, reporter.session_name, request)?;
            let known = self.settings.sessions.find_by_session(arrival.now, reporter.source, session)?;
            snapshot.vpdn(known.contract).map(|contract| &**contract)
        });
        let Some(contract) = contract else {
            tracing::debug!(client = client.contract, "accounting of no contract");
            if !access.records_unclaimed {
                return Err(Reason::Unrouted);
            }
            return self.record_here(arrival, Claim::default(), verified, packet);
        };
        if contract.accounting == Accountant::Lac {
            self.count_session(arrival, reporter, contract, status, request);
        }
        if let (Verify::Group(group), Some(asked)) = (&contract.verify, &asked)
            && let Some(group) = snapshot.group(*group)
        {
            let whose = (asked.realm, asked.place);
            self.count_hosted(arrival, group, whose, Some(asked.access), status, request);
        }
        let realm = asked.map(|asked| asked.realm);
        let claim = Claim { customer: Some(contract.customer), contract: Some(Holder::Vpdn(contract.id)), realm };
        let home = match &contract.verify {
            Verify::Proxy { pools, .. } => match realm.and_then(|id| snapshot.realm(id)?.service) {
                Some(RealmService::Proxy(pool)) => Some(pool).filter(|pool| pools.contains(pool)),
                Some(RealmService::Group(_)) | None => None,
            },
            Verify::Realm | Verify::Group(_) => None,
        };
        self.record_and_tell(arrival, claim, home.as_slice(), verified, packet)
    }

    /// Records it here, which is when it is acknowledged, and has home servers told of it, who may be silent: a network that all
    /// customers share must not wait for one customer's.
    fn record_and_tell(
        &mut self,
        arrival: &Arrival<'_>,
        claim: Claim,
        pools: &[PoolId],
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let is_long = usize::from(verified.layout().length) > MAX_PACKET - ADDED;
        if pools.is_empty() || is_long || !self.has_room_to_spare() {
            return self.record_here(arrival, claim, verified, packet);
        }
        self.fan_out(arrival, pools.iter().copied(), Some(claim), verified, packet)
    }

    /// An LNS of a customer's: its accounting is of its own sessions, and it may ask for nothing else.
    pub(crate) fn follow_lns(
        &mut self,
        arrival: &Arrival<'_>,
        lns: LnsId,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let Arrival { snapshot, client, .. } = *arrival;
        if verified.layout().code != Code::ACCOUNTING_REQUEST {
            return Err(Reason::WrongRole);
        }
        let access = client.access.as_deref().ok_or(Reason::Unregistered)?;
        let reporter = Reporter {
            source: arrival.client.source(),
            session_name: access.session_name,
            multi_bearer: access.multi_bearer,
            counts_links: access.counts_links,
            lns: Some(lns),
        };
        let request = verified.layout().packet(packet.buf.bytes());
        let status = verified.layout().acct_status(packet.buf.bytes());
        if is_restart(status) {
            self.settings.sessions.lns_restarted(lns, self.event(arrival, request));
            let claim = Claim { customer: Some(client.customer), ..Claim::default() };
            return self.record_here(arrival, claim, verified, packet);
        }
        let found = super::realm::find(snapshot, client, access, packet.buf.bytes(), verified.layout());
        let realm = found.and_then(|(id, _)| snapshot.realm(id)).filter(|realm| realm.customer == client.customer);
        let mut contracts = realm
            .iter()
            .flat_map(|realm| realm.vpdn)
            .flatten()
            .filter_map(|id| snapshot.vpdn(id))
            .filter(|contract| contract.accounting == Accountant::Lns && contract.tunnel(lns).is_some());
        let contract = contracts.next().map(|contract| &**contract);
        if let Some(contract) = contract {
            self.count_session(arrival, reporter, contract, status, request);
        }
        let claim = Claim {
            customer: Some(client.customer),
            contract: contract.map(|contract| Holder::Vpdn(contract.id)),
            realm: realm.map(|realm| realm.id),
        };
        self.record_here(arrival, claim, verified, packet)
    }

    /// Counts what a record says of a session.
    fn count_session(
        &self,
        arrival: &Arrival<'_>,
        reporter: Reporter,
        contract: &Vpdn,
        status: Option<u32>,
        request: &[u8],
    ) {
        let (sessions, snapshot) = (&*self.settings.sessions, arrival.snapshot);
        let Some(session) = said::session(sessions, reporter.session_name, request) else { return };
        let calling = said::calling(snapshot, request);
        let seconds = |number| said::number(request, number).map(|it| Duration::from_secs(it.into()));
        let report = Report {
            source: reporter.source,
            nas: said::nas(sessions, request),
            session,
            bearer: if reporter.multi_bearer { said::bearer(request) } else { None },
            last: said::is_last(request),
            device: said::device(sessions, snapshot, contract, request, &calling),
            contract: contract.id,
            customer: contract.balance.customer,
            lns: reporter.lns.or_else(|| lns_of(snapshot, contract.customer, request)),
            user: said::plain(request, attr::USER_NAME).unwrap_or_default(),
            number: &calling,
            framed_ip: said::plain(request, attr::FRAMED_IP_ADDRESS)
                .and_then(|value| <[u8; 4]>::try_from(value).ok())
                .map(Into::into),
            handle: handle(arrival, request),
            event: self.event(arrival, request),
            session_time: said::number(request, attr::ACCT_SESSION_TIME),
            session_timeout: seconds(attr::SESSION_TIMEOUT),
            interim: contract.interim_interval.or_else(|| seconds(attr::ACCT_INTERIM_INTERVAL)),
            sticky: contract.balance.sticky,
        };
        let outcome = match status {
            Some(START) => sessions.start(arrival.now, &report),
            Some(TUNNEL_LINK_START) if reporter.counts_links => sessions.start(arrival.now, &report),
            Some(STOP) => sessions.stop(arrival.now, &report),
            Some(TUNNEL_LINK_STOP) if reporter.counts_links => sessions.stop(arrival.now, &report),
            Some(INTERIM) => sessions.interim(arrival.now, &report),
            _ => return,
        };
        if outcome.effect == Effect::Ended {
            self.stats.sessions_stopped.increment();
        }
        if outcome.superseded {
            self.stats.sessions_superseded.increment();
        }
        tracing::debug!(contract = contract.contract, effect = ?outcome.effect, "session");
        learn(arrival, &outcome);
    }

    /// When what a record reports happened, in seconds of Unix time: by the NAS's clock where it says so, and then always by that.
    pub(crate) fn event(&self, arrival: &Arrival<'_>, request: &[u8]) -> u64 {
        let stamped = said::number(request, attr::EVENT_TIMESTAMP).map(u64::from);
        let delay = said::number(request, attr::ACCT_DELAY_TIME).map_or(0, u64::from);
        stamped.unwrap_or_else(|| self.settings.wall(arrival.now).saturating_sub(delay))
    }
}

/// Where the session can be ended: kept only where somebody takes Disconnects.
fn handle<'p>(arrival: &Arrival<'_>, request: &'p [u8]) -> Option<Handle<'p>> {
    let nas = arrival.key.peer.ip();
    let id = said::plain(request, attr::ACCT_SESSION_ID)?;
    arrival.snapshot.nas_by_source.contains_key(&(arrival.client.id, nas)).then_some(Handle { nas, id })
}

/// The pools whose home servers let subscribers of this type of network in, and have sessions of theirs now.
fn concerned(snapshot: &RoutingSnapshot, kind: AccessType) -> Vec<PoolId> {
    let contracts = snapshot.vpdn.iter().flatten();
    let in_use = contracts.filter(|contract| contract.kind == kind && contract.balance.load.active() > 0);
    let mut pools: Vec<PoolId> = in_use
        .flat_map(|contract| match &contract.verify {
            Verify::Proxy { pools, .. } => &pools[..],
            Verify::Realm | Verify::Group(_) => &[],
        })
        .copied()
        .collect();
    pools.sort_unstable();
    pools.dedup();
    pools
}

/// What accounting says of the health of LNSs.
fn learn(arrival: &Arrival<'_>, outcome: &Outcome) {
    let Arrival { now, snapshot, .. } = *arrival;
    if let Some(from) = &outcome.failed_over {
        note_failure(now, snapshot, from.from, outcome.access, SoftFailure::FailedOver);
    }
    let Some(lns) = outcome.lns else { return };
    if outcome.short {
        note_failure(now, snapshot, lns, outcome.access, SoftFailure::ShortStop);
    }
    if outcome.lived
        && let Some(plan) = snapshot.lns(lns)
        && plan.lns.state.health.succeeded(outcome.access).is_some()
    {
        tracing::info!(lns = plan.lns.name, "sessions of an access network live on this LNS again");
    }
}

/// The customer's LNS that a record names by Tunnel-Server-Endpoint (RFC 2868 §3.4): perhaps behind a Tag.
fn lns_of(snapshot: &RoutingSnapshot, customer: CustomerId, request: &[u8]) -> Option<LnsId> {
    let value = said::plain(request, attr::TUNNEL_SERVER_ENDPOINT)?;
    let text = match value {
        [..=0x1f, text @ ..] => text,
        text => text,
    };
    let name = str::from_utf8(text).ok()?;
    let name = match name.parse::<std::net::IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => name.to_ascii_lowercase(),
    };
    snapshot.lns_by_endpoint.get(&(customer, name.into_bytes().into_boxed_slice())).copied()
}

/// Whether a NAS begins or ends.
pub(crate) fn is_restart(status: Option<u32>) -> bool {
    matches!(status, Some(ACCOUNTING_ON | ACCOUNTING_OFF))
}
