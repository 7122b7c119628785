//! Requests from an access network: the operator's own equipment, which all customers share.
//!
//! A login from there gets an answer whatever becomes of it. A few that get none make a gateway take this node for dead, and then
//! no customer is served; so what is refused, what comes too often for its realm, and what there is no room for all gets a
//! Reject.
//!
//! A realm is looked for among those of all customers (`realm`), and its customer's contract of the kind `vpdn` and of the
//! network's type serves it: with a tunnel to one of its LNSs (`tunnels`), at once, when a hosted account has been checked
//! ([`crate::hosted`]), or when the customer's home server has let the subscriber in (`verified`). Accounting, the network's or the LNS's own, counts sessions and is recorded here (`accounting`);
//! what it says of devices and sessions, `said` reads.

pub(crate) mod accounting;
mod realm;
pub(crate) mod said;
pub(crate) mod tunnels;
mod verified;

pub(crate) use verified::{Login, NoTunnel};

use sekisho_abi::Reason;
use sekisho_wire::{
    attr,
    buf::MAX_PACKET,
    build::{turn_into_reply, turn_into_reply_with},
    code::Code,
    nai::Place,
    scan::Layout,
    verify::Verified,
};

use crate::{
    engine::Engine,
    hosted,
    packet::{Action, Packet},
    reasons::unwritable,
    refusal::{Attributes, Cause},
    snapshot::{Access, AccessType, RealmId, RealmService, Verify, Vpdn},
    stages::Unsealed,
    table::State,
    verdict::Arrival,
};

/// What a login gets on its way to a home server, at most: Message-Authenticator, Proxy-State, CHAP-Challenge.
const ADDED: usize = 64;

/// What a login asks for: a realm's contract.
struct Asked<'s> {
    access: &'s Access,
    contract: &'s Vpdn,
    realm: RealmId,
    place: Option<Place>,
}

impl Engine {
    /// The verdict table for an access network of this type.
    pub(crate) fn follow_access(
        &mut self,
        arrival: &Arrival<'_>,
        kind: AccessType,
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let Arrival { now, snapshot, client, .. } = *arrival;
        let access = client.access.as_deref().ok_or(Reason::Unregistered)?;
        let layout = verified.layout();
        if is_keepalive(access, layout, packet.buf.bytes()) {
            return self.answer_keepalive(arrival, access, verified, packet);
        }
        if self.loops(layout, packet.buf.bytes()) {
            self.stats.loops.increment();
            tracing::debug!(client = client.contract, "proxy loop: the request has been here before");
            return self.refuse(arrival, None, Cause::NotRoutable, verified, packet);
        }
        let found = realm::find(snapshot, client, access, packet.buf.bytes(), layout);
        let realm = found.map(|(realm, _)| realm);
        let contract = realm
            .and_then(|id| snapshot.realm(id)?.vpdn.get(kind.index()).copied().flatten())
            .and_then(|id| snapshot.vpdn(id));
        let asked = found.zip(contract).map(|((realm, place), contract)| Asked { access, contract, realm, place });
        if let Some(customer) = contract.and_then(|contract| snapshot.customer(contract.customer)) {
            customer.stats.worker(self.settings.worker).requests.increment();
        }
        if layout.code != Code::ACCESS_REQUEST {
            return self.follow_accounting(arrival, (access, kind), asked, verified, packet);
        }
        let tell = |verdict| {
            let realm = realm.and_then(|id| snapshot.realm(id)).map(|realm| realm.name.as_str());
            let contract = contract.map(|contract| contract.contract.as_str());
            tracing::debug!(client = client.contract, realm, contract, verdict, "login");
        };
        if !self.settings.limiter.admits(now, client, realm) {
            self.stats.rejected_limited.increment();
            tell("refused: too many for its realm");
            return self.refuse(arrival, realm, Cause::NoResources, verified, packet);
        }
        let Some(asked) = asked else {
            tell("refused: no contract serves the realm");
            return self.refuse(arrival, realm, Cause::NotRoutable, verified, packet);
        };
        if proves_nothing(layout, packet.buf.bytes()) {
            tell("refused: secrets for nobody who has shown who he is");
            return self.refuse(arrival, realm, Cause::UnsupportedService, verified, packet);
        }
        if let Some(realm) = snapshot.realm(asked.realm) {
            realm.stats.worker(self.settings.worker).requests.increment();
        }
        match asked.contract.verify {
            Verify::Realm => {
                tell("a tunnel");
                self.answer_with_tunnels(arrival, &asked, verified, packet)
            }
            Verify::Group(group) => {
                let group = snapshot.group(group).filter(|group| group.customer == asked.contract.customer);
                let Some(group) = group else {
                    tell("refused: no contract has its accounts");
                    return self.refuse(arrival, realm, Cause::NotRoutable, verified, packet);
                };
                tell("checked here");
                let tunnel = Some((asked.access, asked.contract));
                let login = hosted::Login::new(arrival, group, (asked.realm, asked.place), tunnel);
                self.answer_login(arrival, &login, verified, packet, unsealed)
            }
            Verify::Proxy { .. } => {
                tell("to the customer's home server");
                self.ask_home(arrival, &asked, verified, packet, unsealed)
            }
        }
    }

    /// An Accept with tunnels to the LNSs of the contract, or a Reject where it has none to give.
    fn answer_with_tunnels(
        &mut self,
        arrival: &Arrival<'_>,
        asked: &Asked<'_>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let Arrival { now, snapshot, .. } = *arrival;
        let Asked { access, contract, realm, .. } = *asked;
        let sessions = &*self.settings.sessions;
        let layout = verified.layout();
        let request = layout.packet(packet.buf.bytes());
        let user = layout.user_name.map_or(&[][..], |span| span.of(request));
        let caller = tunnels::Caller::of(sessions, snapshot, contract, request, user);
        let chosen = tunnels::choose(now, sessions, contract, arrival.client.source(), &caller);
        let stats = contract.stats.worker(self.settings.worker);
        let result = chosen.as_ref().map(|chosen| chosen.why).map_err(|refused| *refused);
        tunnels::counter(stats, result).increment();
        let chosen = match chosen {
            Ok(chosen) => chosen,
            Err(refused) => {
                tracing::debug!(contract = contract.contract, ?refused, "no LNS");
                let message = contract.full_message.as_deref().filter(|_| tunnels::is_full(refused));
                return self.refuse_saying(arrival, Some(realm), tunnels::cause(refused), message, verified, packet);
            }
        };
        let hiding = tunnels::Hiding {
            secret: arrival.secret(),
            authenticator: &arrival.fingerprint.authenticator,
            salt: self.random.salt(),
        };
        turn_into_reply_with(&mut packet.buf, verified, Code::ACCESS_ACCEPT, arrival.secret(), |buf| {
            tunnels::write(buf, access, contract, &chosen, &hiding)
        })
        .map_err(unwritable)?;
        let first = chosen.picks.first().map(|lns| lns.name.as_str());
        tracing::debug!(contract = contract.contract, lns = first, why = ?chosen.why, "chosen");
        let whose = (contract, arrival.client.source());
        if tunnels::attach(now, &self.settings.sessions, snapshot, whose, &caller, &chosen) {
            self.stats.sessions_superseded.increment();
        }
        let request = self.record(arrival, Some(realm), State::Answered, packet.buf.bytes());
        let index = self.table.insert(request);
        self.remember(now, index);
        self.count_reply(snapshot, index, now);
        Ok(Action::Send(arrival.key.path()))
    }

    /// Asks the home server that serves the realm about a login.
    fn ask_home(
        &mut self,
        arrival: &Arrival<'_>,
        asked: &Asked<'_>,
        verified: &Verified,
        packet: &mut Packet,
        unsealed: &mut Option<Unsealed>,
    ) -> Result<Action, Reason> {
        let snapshot = arrival.snapshot;
        let pool = match snapshot.realm(asked.realm).and_then(|realm| realm.service) {
            Some(RealmService::Proxy(pool)) => snapshot.pool(pool),
            Some(RealmService::Group(_)) | None => None,
        };
        let refuse = |engine: &mut Engine, cause, packet: &mut Packet| {
            engine.refuse(arrival, Some(asked.realm), cause, verified, packet)
        };
        let Some(pool) = pool else { return refuse(self, Cause::NotRoutable, packet) };
        if usize::from(verified.layout().length) > MAX_PACKET - ADDED {
            return refuse(self, Cause::InvalidValue, packet);
        }
        match self.forward(arrival, (Some(asked.realm), asked.place), pool, verified, packet, unsealed) {
            // Nothing has been changed yet, and silence would be taken for ours.
            Err(Reason::NoServer | Reason::NoIdentifier) => refuse(self, Cause::NoAnswer, packet),
            outcome => outcome,
        }
    }

    /// A login from an access network for which there is no room gets a Reject at once. It is not remembered: a repetition is
    /// judged anew.
    pub(crate) fn refuse_for_room(
        &mut self,
        arrival: &Arrival<'_>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let attributes = Attributes::of(Cause::NoResources, verified.layout().packet(packet.buf.bytes()));
        turn_into_reply(&mut packet.buf, verified, Code::ACCESS_REJECT, arrival.secret(), &attributes.all())
            .map_err(unwritable)?;
        self.stats.rejected_full.increment();
        self.stats.replies.reject.increment();
        Ok(Action::Send(arrival.key.path()))
    }

    /// The answer to a login that only asks whether we are there. Not remembered, as with Status-Server.
    fn answer_keepalive(
        &mut self,
        arrival: &Arrival<'_>,
        access: &Access,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let code = if access.keepalive_accepts { Code::ACCESS_ACCEPT } else { Code::ACCESS_REJECT };
        turn_into_reply(&mut packet.buf, verified, code, arrival.secret(), &[]).map_err(unwritable)?;
        self.stats.keepalives.increment();
        Ok(Action::Send(arrival.key.path()))
    }
}

fn is_keepalive(access: &Access, layout: &Layout, packet: &[u8]) -> bool {
    layout.code == Code::ACCESS_REQUEST
        && layout.user_name.is_some_and(|name| access.keepalive_users.iter().any(|user| **user == *name.of(packet)))
}

/// Whether a request shows nothing that an answer with secrets could be given for (RFC 5080 §2.1.1): it wants an authorization
/// only, or is about a call that nobody has answered yet, and continues no conversation.
fn proves_nothing(layout: &Layout, packet: &[u8]) -> bool {
    const CALL_CHECK: u32 = 10;
    const AUTHORIZE_ONLY: u32 = 17;
    let service = said::number(packet, attr::SERVICE_TYPE);
    layout.state.is_none() && matches!(service, Some(CALL_CHECK | AUTHORIZE_ONLY))
}
