//! What becomes of a verified request: forwarded, refused, or answered here.

use std::time::Duration;

use sekisho_abi::{PortKind, Reason};
use sekisho_wire::{
    attr,
    build::turn_into_reply,
    code::Code,
    dynauth::{DynAuthEdits, rewrite_dynauth},
    forward::rewrite_request,
    nai::Place,
    scan::Layout,
    secret::Secret,
    verify::Verified,
};

use crate::{
    access::accounting::is_restart,
    conversations::conversation,
    edits::{apply_policies, edit_request},
    engine::Engine,
    fanout::accounting_pools,
    health::Health,
    hosted,
    identifiers::{AllIdentifiers, Identifiers},
    packet::{Action, Packet},
    pool,
    reasons::unwritable,
    refusal::{Cause, identities_differ, is_down},
    route::{Route, route},
    snapshot::{Client, Customer, GroupId, HomeKind, HomeServer, Pool, RealmId, RoutingSnapshot, Verdict},
    stages::{Signer, Unsealed},
    table::{Fingerprint, FlowKey, Origin, Request, State, Upstream},
    time::Time,
};

/// More Proxy-States than this are a loop, whoever's they are (CONFORMANCE §2.7).
const MAX_PROXY_STATES: u16 = 10;
/// Requests that may wait for a dead home server, where nobody better is left: enough to notice soon that it lives again.
const DEAD_OUTSTANDING: u32 = 64;
/// Identifiers that may wait or rest (30 seconds, unanswered) toward a dead home server, whatever the load.
const DEAD_IN_USE: usize = 256;
/// Where it has as many as that, it gets one more this often: 120 in the time that one rests, so that two ports are enough.
const DEAD_SPACING: Duration = Duration::from_millis(250);

/// A verified request, and what it came into.
pub(crate) struct Arrival<'s> {
    pub(crate) now: Time,
    pub(crate) snapshot: &'s RoutingSnapshot,
    pub(crate) client: &'s Client,
    /// Its client's, who is not an access network's.
    pub(crate) customer: Option<&'s Customer>,
    pub(crate) key: FlowKey,
    pub(crate) fingerprint: Fingerprint,
    /// It was made with its client's previous secret.
    pub(crate) by_previous: bool,
    /// Only a holder of the secret can have made it.
    pub(crate) proven: bool,
}

impl Arrival<'_> {
    /// What the request was made with, and is answered with.
    pub(crate) fn secret(&self) -> &Secret {
        self.client.secret_of(self.by_previous)
    }
}

/// Where a request goes on to.
pub(crate) struct Onward<'s> {
    pub(crate) realm: Option<RealmId>,
    pub(crate) choice: pool::Choice<'s>,
    /// Challenges in its conversation so far.
    pub(crate) rounds: u8,
}

impl Engine {
    /// The verdict table for a `client`: its own customer's realms are forwarded, everything else is refused.
    pub(crate) fn follow_route(
        &mut self,
        arrival: &Arrival<'_>,
        customer: &Customer,
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let layout = verified.layout();
        if self.loops(layout, packet.buf.bytes()) {
            self.stats.loops.increment();
            tracing::debug!(client = arrival.client.contract, "proxy loop: the request has been here before");
            return self.refuse(arrival, None, Cause::NotRoutable, verified, packet);
        }
        let restarts = layout.code == Code::ACCOUNTING_REQUEST && is_restart(layout.acct_status(packet.buf.bytes()));
        if restarts && has_groups(arrival.snapshot, customer) {
            return self.restart_hosted(arrival, customer, verified, packet);
        }
        let route = route(arrival.snapshot, arrival.client, customer, packet.buf.bytes(), layout);
        self.tell(arrival, layout, route);
        if layout.eap_message.is_some() && identities_differ(layout, packet.buf.bytes()) {
            self.stats.identities_differ.increment();
            tracing::debug!(client = arrival.client.contract, "EAP-Identity and User-Name are not the same");
        }
        let (realm, pool, place) = match route {
            Route::Proxy(realm, pool, place) => (Some(realm), pool, place),
            Route::WholeNas(pool) => (None, pool, None),
            Route::EveryPool => {
                let verified = apply_policies(arrival.client, verified, &mut packet.buf)?;
                let pools = accounting_pools(arrival.snapshot, customer);
                return self.fan_out(arrival, pools, None, &verified, packet);
            }
            Route::Group(realm, group, place) => {
                return self.follow_group(arrival, customer, (realm, group, place), verified, packet, unsealed);
            }
            Route::Unserved(realm) => return self.refuse(arrival, Some(realm), Cause::NotRoutable, verified, packet),
            Route::Unknown => return self.refuse(arrival, None, Cause::NotRoutable, verified, packet),
        };
        let pool = arrival.snapshot.pool(pool).ok_or(Reason::NoServer)?;
        let kind = HomeKind::of(layout.code);
        if pool.members(kind).next().is_none() && !pool.awaits(kind) {
            return self.refuse(arrival, realm, Cause::NotRoutable, verified, packet);
        }
        if let Some(realm) = realm.and_then(|id| arrival.snapshot.realm(id)) {
            realm.stats.worker(self.settings.worker).requests.increment();
        }
        self.forward(arrival, (realm, place), pool, verified, packet, unsealed)
    }

    /// A request for a realm that is answered here.
    fn follow_group(
        &mut self,
        arrival: &Arrival<'_>,
        customer: &Customer,
        (realm, group, place): (RealmId, GroupId, Option<Place>),
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let group = arrival.snapshot.group(group).filter(|group| group.customer == customer.id);
        let Some(group) = group else {
            return self.refuse(arrival, Some(realm), Cause::NotRoutable, verified, packet);
        };
        if let Some(realm) = arrival.snapshot.realm(realm) {
            realm.stats.worker(self.settings.worker).requests.increment();
        }
        if verified.layout().code != Code::ACCESS_REQUEST {
            return self.account_login(arrival, group, (realm, place), verified, packet);
        }
        let login = hosted::Login::new(arrival, group, (realm, place), None);
        self.answer_login(arrival, &login, verified, packet, unsealed)
    }

    /// A line for whoever looks for one client's requests.
    fn tell(&self, arrival: &Arrival<'_>, layout: &Layout, route: Route) {
        let (verdict, realm, pool) = match route {
            Route::Proxy(realm, pool, _) => ("routed", Some(realm), Some(pool)),
            Route::WholeNas(pool) => ("routed for the whole NAS", None, Some(pool)),
            Route::EveryPool => ("routed for the whole NAS, to every pool", None, None),
            Route::Group(realm, ..) => ("answered here", Some(realm), None),
            Route::Unserved(realm) => ("refused: no contract serves the realm", Some(realm), None),
            Route::Unknown => ("refused: no realm of this customer", None, None),
        };
        tracing::debug!(
            client = arrival.client.contract,
            code = layout.code.name(),
            realm = realm.and_then(|id| arrival.snapshot.realm(id)).map(|realm| realm.name.as_str()),
            contract = pool.and_then(|id| arrival.snapshot.pool(id)).map(|pool| pool.contract.as_str()),
            verdict,
            "request"
        );
    }

    pub(crate) fn forward(
        &mut self,
        arrival: &Arrival<'_>,
        (realm, place): (Option<RealmId>, Option<Place>),
        pool: &Pool,
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let Arrival { now, snapshot, .. } = *arrival;
        let kind = HomeKind::of(verified.layout().code);
        let conversation =
            conversation(&self.settings.sticky, now, pool.customer.0, verified.layout(), packet.buf.bytes());
        let asked = pool::Asked {
            packet: verified.layout().packet(packet.buf.bytes()),
            client: arrival.key.peer.ip(),
            held: conversation.map(|conversation| conversation.home),
        };
        let choice = {
            let identifiers = &self.identifiers;
            pool::choose(snapshot, pool, kind, 0, &asked, |home, health| may_take(identifiers, now, home, health))
        };
        let Some(choice) = choice else {
            // Perhaps for want of a port: where no request gets through, this is the only place to ask for one.
            for home in pool.members(kind).filter_map(|(_, member)| snapshot.home(member.home)) {
                self.supply(now, home);
            }
            if kind == HomeKind::Auth && pool.when_down == Verdict::Reject && is_down(snapshot, pool, kind) {
                self.stats.rejected_down.increment();
                return self.refuse(arrival, realm, Cause::NoAnswer, verified, packet);
            }
            return Err(lack(snapshot, pool, kind));
        };
        let rounds = conversation.map_or(0, |conversation| conversation.rounds);
        // Only now: what a server is chosen by may be what a policy takes out.
        let edited = edit_request(arrival.client, pool, place, verified, &mut packet.buf)?;
        let verified = edited.as_ref().map_or(verified, |edited| &edited.verified);
        let action = self.send_to(arrival, &Onward { realm, choice, rounds }, verified, packet, unsealed)?;
        if let Some(edited) = &edited {
            self.keep_whole_name(&arrival.key, edited, place);
        }
        if kind == HomeKind::Acct
            && !pool.copies.is_empty()
            && let Some(index) = self.table.find(&arrival.key)
        {
            self.copy_out(now, snapshot, pool, index, &choice.home.secret);
        }
        Ok(action)
    }

    /// Forwards a request to this server, which has an identifier free.
    pub(crate) fn send_to(
        &mut self,
        arrival: &Arrival<'_>,
        onward: &Onward<'_>,
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let Arrival { now, snapshot, .. } = *arrival;
        let Onward { realm, choice: pool::Choice { home, bit, held }, rounds } = *onward;
        let index = self.table.reserve();
        let identifiers = self.identifiers.of_mut(home.id).ok_or(Reason::NoIdentifier)?;
        let slot = identifiers.take(now, index).ok_or(Reason::NoIdentifier)?;
        let authenticator = self.random.authenticator();
        let marker = &self.settings.marker;
        let buf = &mut packet.buf;
        let rewritten = if verified.layout().code.is_dynamic_authorization() {
            rewrite_dynauth(buf, verified, slot.id, marker, &snapshot.salted)
        } else {
            rewrite_request(buf, verified, arrival.secret(), &home.secret, slot.id, &authenticator, marker)
                .map(|seal| (DynAuthEdits::default(), seal))
        };
        let (edits, seal) = rewritten.map_err(unwritable).inspect_err(|_| identifiers.answered(slot))?;
        if edits.hidden > 0 {
            self.stats.hidden.add(u64::from(edits.hidden));
        }
        home.stats.worker(self.settings.worker).requests.increment();
        self.show_outstanding(snapshot, home);
        self.stats.forwarded.increment();
        let upstream = Upstream { held, rounds, ..Upstream::first(now, home, slot, bit) };
        let request = self.record(arrival, realm, State::InFlight(upstream), packet.buf.bytes());
        let due = (now + home.response_window).min(request.deadline);
        self.table.insert(request);
        let signer = Signer::Home(home.id, snapshot.version);
        *unsealed = self.table.token(index).map(|token| Unsealed { token, seal, signer });
        self.timers.arm(index, due);
        self.snapshots.hold();
        self.supply(now, home);
        Ok(Action::Send(upstream.path()))
    }

    /// Answers a Status-Server: that we are here, whatever the state of home servers (RFC 5997 §3, §4.4). Not remembered: each
    /// has an identifier of its own, and its answer costs no more than a look-up would.
    pub(crate) fn answer_status(
        &mut self,
        arrival: &Arrival<'_>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        self.stats.status.increment();
        if self.draining {
            return Err(Reason::Draining);
        }
        let service = self.settings.services.get(usize::from(arrival.key.service));
        let accounting = service.is_some_and(|service| service.kind == PortKind::Acct as u32);
        let code = if accounting { Code::ACCOUNTING_RESPONSE } else { Code::ACCESS_ACCEPT };
        turn_into_reply(&mut packet.buf, verified, code, arrival.secret(), &[]).map_err(unwritable)?;
        Ok(Action::Send(arrival.key.path()))
    }

    /// Makes a record for the table, with a copy of `bytes`.
    pub(crate) fn record(
        &mut self,
        arrival: &Arrival<'_>,
        realm: Option<RealmId>,
        state: State,
        bytes: &[u8],
    ) -> Request {
        Request {
            key: arrival.key,
            fingerprint: arrival.fingerprint,
            version: arrival.snapshot.version,
            client: arrival.client.id,
            origin: Origin::Client,
            by_previous: arrival.by_previous,
            proven: arrival.proven,
            whole_name: None,
            realm,
            arrived: arrival.now,
            deadline: arrival.now + arrival.client.answer_within,
            bytes: self.store.put(bytes),
            batch: self.batches,
            published: None,
            state,
        }
    }

    /// Makes sure that the table has room, by forgetting the oldest answer if need be.
    pub(crate) fn make_room(&mut self) -> Result<(), Reason> {
        if self.table.len() >= self.settings.limits.max_requests as usize {
            let oldest = self.timers.oldest().ok_or(Reason::TableFull)?;
            self.remove(oldest);
        }
        Ok(())
    }

    /// Whether a request has been here before, or among proxies for too long.
    pub(crate) fn loops(&self, layout: &Layout, datagram: &[u8]) -> bool {
        if layout.proxy_states == 0 {
            return false;
        }
        let marker = &self.settings.marker[..];
        layout.proxy_states > MAX_PROXY_STATES
            || layout
                .attributes(datagram)
                .any(|attribute| attribute.number == attr::PROXY_STATE && attribute.value == marker)
    }
}

impl HomeKind {
    /// The kind that takes requests with this code.
    fn of(code: Code) -> HomeKind {
        if code == Code::ACCESS_REQUEST { HomeKind::Auth } else { HomeKind::Acct }
    }
}

/// Whether any of a customer's contracts has hosted accounts.
fn has_groups(snapshot: &RoutingSnapshot, customer: &Customer) -> bool {
    snapshot.groups.iter().flatten().any(|group| group.customer == customer.id)
}

/// Whether another request may go to this home server now.
pub(crate) fn may_take(identifiers: &AllIdentifiers, now: Time, home: &HomeServer, health: Health) -> bool {
    identifiers.of(home.id).is_some_and(|identifiers| {
        identifiers.can_take(now)
            && identifiers.outstanding() < home.max_outstanding
            && (health != Health::Dead || may_try(identifiers, now))
    })
}

/// Whether another request may be spent on a dead home server.
fn may_try(identifiers: &Identifiers, now: Time) -> bool {
    let few = identifiers.outstanding() < DEAD_OUTSTANDING && identifiers.in_use() < DEAD_IN_USE;
    few || now >= identifiers.last_taken() + DEAD_SPACING
}

fn lack(snapshot: &RoutingSnapshot, pool: &Pool, kind: HomeKind) -> Reason {
    if is_down(snapshot, pool, kind) { Reason::NoServer } else { Reason::NoIdentifier }
}
