//! Rejects of our own making: for what is not served, for what nobody answers in time, and in the place of an answer that its
//! client must not get.

use std::time::Duration;

use arrayvec::ArrayVec;
use sekisho_abi::Reason;
use sekisho_wire::{
    attr,
    attribute::attributes,
    build::{turn_into_reply, write_reply},
    code::Code,
    mschap::{MsChapLogin, failure},
    scan::Layout,
    verify::Verified,
};

use crate::{
    dynauth::nak_of,
    engine::{Engine, Transmit},
    health::Health,
    packet::{Action, Packet},
    reasons::unwritable,
    snapshot::{Client, ClientRole, HomeKind, Pool, RealmId, RealmService, RoutingSnapshot, Verdict},
    table::{Request, State, Upstream},
    time::Time,
    verdict::Arrival,
};

/// Why a request is refused: the Error-Cause (RFC 5176 §3.5) that its Reject carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Cause {
    /// The answer would have granted a service that the client must not grant.
    UnsupportedService = 405,
    /// The answer had a value that it must not have.
    InvalidValue = 407,
    /// There is no way to a server, or to a NAS.
    NotRoutable = 502,
    /// It is not allowed there.
    Prohibited = 501,
    /// There is no such session; which NAS has it cannot be told.
    NoSession = 503,
    /// There is a way, but no answer comes by it.
    NoAnswer = 505,
    /// There are more of its kind than can be served.
    NoResources = 506,
}

impl Cause {
    /// The attribute's value.
    pub(crate) const fn octets(self) -> [u8; 4] {
        (self as u32).to_be_bytes()
    }
}

/// The attributes of a Reject: its cause, and the end of the client's EAP conversation.
pub(crate) struct Attributes<'m> {
    cause: Option<[u8; 4]>,
    eap_failure: Option<[u8; 4]>,
    /// What the subscriber is told.
    message: Option<&'m str>,
    /// MS-CHAP-Error.
    ms_chap: Option<ArrayVec<u8, 96>>,
}

impl<'m> Attributes<'m> {
    /// For the Reject to this Access-Request.
    pub(crate) fn of(cause: Cause, request: &[u8]) -> Attributes<'m> {
        Attributes { cause: Some(cause.octets()), eap_failure: eap_failure(request), message: None, ms_chap: None }
    }

    /// For a Reject to this Access-Request that does not say why; by MS-CHAP it says that it is final, with a challenge that nobody
    /// will answer (RFC 2548 §2.1.5).
    pub(crate) fn unexplained(request: &[u8], challenge: &[u8; 16]) -> Attributes<'m> {
        Attributes {
            cause: None,
            eap_failure: eap_failure(request),
            message: None,
            ms_chap: ms_chap(request, challenge),
        }
    }

    /// With a Reply-Message; but not beside an EAP-Message (RFC 3579 §2.6.5).
    pub(crate) fn saying(self, message: Option<&'m str>) -> Attributes<'m> {
        Attributes { message: message.filter(|_| self.eap_failure.is_none()), ..self }
    }

    pub(crate) fn all(&self) -> ArrayVec<(u8, &[u8]), 4> {
        let mut all = ArrayVec::new();
        all.extend(self.cause.as_ref().map(|cause| (attr::ERROR_CAUSE, &cause[..])));
        all.extend(self.message.map(|message| (attr::REPLY_MESSAGE, message.as_bytes())));
        all.extend(self.eap_failure.as_ref().map(|failure| (attr::EAP_MESSAGE, &failure[..])));
        all.extend(self.ms_chap.as_ref().map(|error| (attr::VENDOR_SPECIFIC, &error[..])));
        all
    }
}

impl Engine {
    /// A request that will not be served: a Reject after `reject_delay`; for accounting silence, so that the NAS keeps it.
    pub(crate) fn refuse(
        &mut self,
        arrival: &Arrival<'_>,
        realm: Option<RealmId>,
        cause: Cause,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        self.refuse_saying(arrival, realm, cause, None, verified, packet)
    }

    /// The same with a word for the subscriber.
    pub(crate) fn refuse_saying(
        &mut self,
        arrival: &Arrival<'_>,
        realm: Option<RealmId>,
        cause: Cause,
        message: Option<&str>,
        verified: &Verified,
        packet: &mut Packet,
    ) -> Result<Action, Reason> {
        let Arrival { now, client, customer, .. } = *arrival;
        if cause == Cause::NotRoutable
            && let Some(customer) = customer
        {
            customer.stats.worker(self.settings.worker).unroutable.increment();
        }
        if verified.layout().code != Code::ACCESS_REQUEST {
            return Err(Reason::Unrouted);
        }
        let attributes = Attributes::of(cause, verified.layout().packet(packet.buf.bytes())).saying(message);
        turn_into_reply(&mut packet.buf, verified, Code::ACCESS_REJECT, arrival.secret(), &attributes.all())
            .map_err(unwritable)?;
        let request = self.record(arrival, realm, State::Answered, packet.buf.bytes());
        let index = self.table.insert(request);
        Ok(self.reject_in_time(now, arrival.snapshot, index, client.reject_delay))
    }

    /// A Reject of our own, whose bytes are stored, leaves `reject_delay` after its request came: at once where that has passed, or
    /// where too many are held back.
    pub(crate) fn reject_in_time(
        &mut self,
        now: Time,
        snapshot: &RoutingSnapshot,
        index: u32,
        reject_delay: Duration,
    ) -> Action {
        let Some(request) = self.table.at_mut(index) else { return Action::Hold };
        let (due, path) = (request.arrived + reject_delay, request.key.path());
        if now < due && self.delayed < self.settings.limits.max_delayed_rejects {
            request.state = State::Delayed;
            self.delayed += 1;
            self.stats.delayed.increment();
            self.timers.arm(index, due);
            self.publish_answer(now, index);
            return Action::Hold;
        }
        if now < due {
            self.stats.undelayed.increment();
        }
        request.state = State::Answered;
        self.remember(now, index);
        self.publish_answer(now, index);
        self.count_reply(snapshot, index, now);
        Action::Send(path)
    }

    /// An Access-Request that nobody has answered within its client's budget gets a Reject, at once, if its client's contract
    /// says so; or its pool's, while that is down. A CoA- or Disconnect-Request always gets a NAK. Whether it got one.
    pub(crate) fn refuse_unanswered(
        &mut self,
        now: Time,
        routed: &RoutingSnapshot,
        index: u32,
        upstream: Upstream,
    ) -> bool {
        let current = std::sync::Arc::clone(self.snapshots.current());
        let Engine { table, store, scratch, settings, .. } = self;
        let Some(request) = table.at_mut(index) else { return false };
        let Some(client) = routed.client(request.client).filter(|client| current.client(client.id).is_some()) else {
            return false;
        };
        let answer = match Code(request.fingerprint.code) {
            Code::ACCESS_REQUEST if is_rejected(routed, client, request) => Code::ACCESS_REJECT,
            code if code.is_dynamic_authorization() => nak_of(code),
            _ => return false,
        };
        let sent = store.bytes(&request.bytes);
        let asked = without_marker(sent, &settings.marker);
        let written = write_reply(
            scratch,
            answer,
            request.key.id,
            &request.fingerprint.authenticator,
            client.secret_of(request.by_previous),
            asked,
            &Attributes::of(Cause::NoAnswer, asked).all(),
        );
        if written.is_err() {
            return false;
        }
        store.replace(&mut request.bytes, scratch.bytes());
        request.state = State::Answered;
        let version = request.version;
        self.rest_identifier(now, routed, upstream);
        self.snapshots.release(version);
        if answer == Code::ACCESS_REJECT {
            self.stats.rejected_unanswered.increment();
        }
        self.remember(now, index);
        self.publish_answer(now, index);
        self.count_reply(&current, index, now);
        if let Some(token) = self.table.token(index) {
            self.ready.push_back(Transmit::Reply(token));
        }
        true
    }

    /// Puts a finished Reject in the place of a home server's answer that could not be made its client's, too long perhaps, if that is
    /// an access network, and this its login. Whether it did.
    pub(crate) fn refuse_unusable(&mut self, routed: &RoutingSnapshot, index: u32, packet: &mut Packet) -> bool {
        let Engine { table, store, settings, stats, .. } = self;
        let Some(request) = table.at(index).filter(|it| Code(it.fingerprint.code) == Code::ACCESS_REQUEST) else {
            return false;
        };
        let Some(client) = routed.client(request.client).filter(|it| matches!(it.role, ClientRole::AccessNetwork(_)))
        else {
            return false;
        };
        let asked = without_marker(store.bytes(&request.bytes), &settings.marker);
        let written = write_reply(
            &mut packet.buf,
            Code::ACCESS_REJECT,
            request.key.id,
            &request.fingerprint.authenticator,
            client.secret_of(request.by_previous),
            asked,
            &Attributes::of(Cause::InvalidValue, asked).all(),
        );
        stats.withheld.unusable.increment();
        written.is_ok()
    }

    /// Puts a finished Reject in the place of the reply that has been restored for its client.
    pub(crate) fn reject_instead(
        &mut self,
        client: &Client,
        index: u32,
        cause: Cause,
        message: Option<&str>,
        packet: &mut Packet,
    ) -> Result<(), Reason> {
        let Engine { table, store, scratch, .. } = self;
        let request = table.at(index).ok_or(Reason::ReplyUnmatched)?;
        // The restored reply has the client's Proxy-States; our request has its EAP-Message.
        scratch.load(packet.buf.bytes()).map_err(|_| Reason::TooLong)?;
        write_reply(
            &mut packet.buf,
            Code::ACCESS_REJECT,
            request.key.id,
            &request.fingerprint.authenticator,
            client.secret_of(request.by_previous),
            scratch.bytes(),
            &Attributes::of(cause, store.bytes(&request.bytes)).saying(message).all(),
        )
        .map_err(|_| Reason::TooLong)
    }
}

/// Whether a request that has run out of time gets a Reject rather than nothing.
fn is_rejected(routed: &RoutingSnapshot, client: &Client, request: &Request) -> bool {
    client.when_unanswered == Verdict::Reject
        || pool_of(routed, request)
            .is_some_and(|pool| pool.when_down == Verdict::Reject && is_down(routed, pool, HomeKind::Auth))
}

/// The pool that a request was routed to for its realm.
pub(crate) fn pool_of<'s>(routed: &'s RoutingSnapshot, request: &Request) -> Option<&'s Pool> {
    match routed.realm(request.realm?)?.service? {
        RealmService::Proxy(pool) => routed.pool(pool),
        RealmService::Group(_) => None,
    }
}

/// Whether none of a pool's servers of this kind may be hoped to answer: each is dead, or taken out of service.
pub(crate) fn is_down(snapshot: &RoutingSnapshot, pool: &Pool, kind: HomeKind) -> bool {
    let mut homes = pool.members(kind).filter_map(|(_, member)| snapshot.home(member.home));
    !homes.any(|home| matches!(home.health(), Health::Alive | Health::Zombie))
}

/// Our request without the Proxy-State that we added, which is its last attribute.
fn without_marker<'p>(sent: &'p [u8], marker: &[u8]) -> &'p [u8] {
    let size = marker.len() + 2;
    let split = sent.len().checked_sub(size).and_then(|at| sent.split_at_checked(at));
    match split {
        Some((before, [attr::PROXY_STATE, length, value @ ..])) if usize::from(*length) == size && value == marker => {
            before
        }
        _ => sent,
    }
}

/// The EAP-Failure that ends the conversation of an Access-Request with EAP: it has the identifier of the Response that it
/// answers (RFC 3748 §4.2), and without it a supplicant would wait on.
fn eap_failure(request: &[u8]) -> Option<[u8; 4]> {
    const RESPONSE: u8 = 2;
    const FAILURE: u8 = 4;
    match attributes(request).find(|it| it.number == attr::EAP_MESSAGE)?.value {
        [RESPONSE, id, ..] => Some([FAILURE, *id, 0, 4]),
        _ => None,
    }
}

/// The MS-CHAP-Error for an Access-Request by MS-CHAP.
fn ms_chap(request: &[u8], challenge: &[u8; 16]) -> Option<ArrayVec<u8, 96>> {
    match MsChapLogin::find(request).ok()?? {
        MsChapLogin::V1(_, response) => {
            let [challenge @ .., _, _, _, _, _, _, _, _] = *challenge;
            Some(failure::v1_attribute(response.ident, &challenge).into_iter().collect())
        }
        MsChapLogin::V2(_, response) => Some(failure::v2_attribute(response.ident, challenge).into_iter().collect()),
    }
}

/// Whether the EAP-Identity of a request is another name than its User-Name, which it should be (RFC 3579 §2.1). It is the
/// User-Name that requests are routed by, and neither is changed.
pub(crate) fn identities_differ(layout: &Layout, packet: &[u8]) -> bool {
    const HEADER: usize = 5;
    const IDENTITY: u8 = 1;
    let fragments = || layout.attributes(packet).filter(|it| it.number == attr::EAP_MESSAGE).flat_map(|it| it.value);
    let mut header = [0; HEADER];
    for (to, octet) in header.iter_mut().zip(fragments()) {
        *to = *octet;
    }
    let [2, _, high, low, IDENTITY] = header else { return false };
    let identity = fragments().take(usize::from(u16::from_be_bytes([high, low]))).skip(HEADER);
    !identity.eq(layout.user_name.map_or(&[][..], |name| name.of(packet)))
}
