//! Requests of our own making: the parts of a fan-out, copies, and Disconnects. Each has an identifier and an authenticator of its own.

use sekisho_abi::Reason;
use sekisho_wire::{forward::redirect_request, secret::Secret};

use crate::{
    engine::{Engine, Transmit},
    identifiers::Slot,
    packet::{Action, Packet},
    snapshot::{HomeServer, RoutingSnapshot},
    table::{Origin, Request, State, Token, Upstream},
    time::Time,
};

/// A request to be made from another one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Derived<'s> {
    /// The snapshot that the other one was routed by.
    pub(crate) snapshot: &'s RoutingSnapshot,
    /// Whom it goes to.
    pub(crate) home: &'s HomeServer,
    /// Bit of that server's place in its pool.
    pub(crate) bit: u64,
    /// Whose secret the bytes were made for.
    pub(crate) from: &'s Secret,
    /// For whom it is.
    pub(crate) origin: Origin,
    /// When nobody waits for it any more.
    pub(crate) deadline: Time,
}

impl Upstream {
    /// Sent to this server now, by this port and with this identifier.
    pub(crate) fn first(now: Time, home: &HomeServer, slot: Slot, bit: u64) -> Upstream {
        Upstream {
            home: home.id,
            address: home.address,
            slot,
            first_sent: now,
            last_sent: now,
            tried: bit,
            overdue: false,
            held: false,
            rounds: 0,
        }
    }
}

impl Engine {
    /// Makes a request from the bytes in `scratch`, which belong to the request at `index`, and queues it for sending. `None`
    /// where there is no room for it, in the table or among the server's identifiers.
    pub(crate) fn derive(&mut self, now: Time, index: u32, derived: &Derived<'_>) -> Option<Token> {
        let Derived { snapshot, home, bit, from, origin, deadline } = *derived;
        self.make_room().ok()?;
        let place = self.table.reserve();
        let identifiers = self.identifiers.of_mut(home.id)?;
        let slot = identifiers.take(now, place)?;
        let authenticator = self.random.authenticator();
        let redirected = redirect_request(&mut self.scratch, from, &home.secret, slot.id, &authenticator);
        let (Ok(()), Some(first)) = (redirected, self.table.at(index)) else {
            identifiers.answered(slot);
            return None;
        };
        let request = Request {
            key: first.key,
            fingerprint: first.fingerprint,
            version: snapshot.version,
            client: first.client,
            origin,
            by_previous: first.by_previous,
            proven: first.proven,
            whole_name: None,
            realm: first.realm,
            arrived: first.arrived,
            deadline,
            bytes: self.store.put(self.scratch.bytes()),
            batch: self.batches,
            published: None,
            state: State::InFlight(Upstream::first(now, home, slot, bit)),
        };
        self.launch(now, (snapshot, home), request)
    }

    /// Queues a request of our own making, which has its identifier, for sending.
    pub(crate) fn launch(
        &mut self,
        now: Time,
        (snapshot, home): (&RoutingSnapshot, &HomeServer),
        request: Request,
    ) -> Option<Token> {
        let deadline = request.deadline;
        home.stats.worker(self.settings.worker).requests.increment();
        self.show_outstanding(snapshot, home);
        let place = self.table.insert_unlisted(request);
        self.derived += 1;
        self.timers.arm(place, (now + home.response_window).min(deadline));
        self.snapshots.hold_version(snapshot.version);
        let token = self.table.token(place)?;
        self.ready.push_back(Transmit::Upstream(token));
        self.supply(now, home);
        Some(token)
    }

    /// A home server has answered a request of our own making.
    pub(crate) fn derived_answered(&mut self, now: Time, index: u32, packet: &mut Packet) -> Result<Action, Reason> {
        let Some(Request { origin, version, .. }) = self.table.at(index) else { return Err(Reason::ReplyUnwanted) };
        let (origin, version) = (*origin, *version);
        self.snapshots.release(version);
        self.remove(index);
        match origin {
            Origin::Part(whole, place) => self.part_answered(now, whole, place, packet),
            Origin::Client | Origin::Copy => Ok(Action::Hold),
        }
    }
}
