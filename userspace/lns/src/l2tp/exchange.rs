//! One probe: its tunnel from the request to the end.
//!
//! ```text
//! shallow:  → SCCRQ  ← SCCRP                                      → StopCCN  ← ZLB
//! deep:     → SCCRQ  ← SCCRP  → SCCCN  ← ZLB  → HELLO  ← ZLB      → StopCCN  ← ZLB
//! refused:  → SCCRQ  ← (ZLB)  ← StopCCN  → ZLB
//! ```
//!
//! One message of ours is under way at a time. It is repeated 1, 3 and 7 s after the first time (RFC 2661 §5.8: from one second on,
//! doubling) until it is acknowledged; the request with identical octets, the others with an Nr that is up to date. The outcome is
//! there when the target's timeout has passed at the latest, and the tunnel is gone, or given up, [`TEARDOWN`] after that.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Duration};

use super::{
    Outcome, Probed, Refusal, Target, Transmit,
    packet::{self, Header, Kind, Message},
    remains::Remains,
    target::PORT,
};
use crate::time::Time;

/// How long after its first StopCCN a tunnel is given up that nobody acknowledges the end of: 1 + 2 + 4 + 8 s. The LNS has not
/// heard one of four.
pub const TEARDOWN: Duration = Duration::from_secs(15);

/// How often a message is sent.
const TRANSMISSIONS: u8 = 4;

/// A probe under way.
#[derive(Debug)]
pub(super) struct Exchange {
    target: Arc<Target>,
    /// Our number of the tunnel.
    own: u16,
    challenge: Option<[u8; 16]>,
    /// What the peer wants answered in the SCCCN.
    response: Option<[u8; 16]>,
    phase: Phase,
    /// What was under way when the StopCCN had to go out. An LNS that has missed it takes no StopCCN, which has a later number: it
    /// is repeated together with that.
    unheard: Option<Phase>,
    /// The peer's number of the tunnel, and where the peer is.
    peer: Option<u16>,
    to: SocketAddr,
    /// Number of our message that is under way.
    ns: u16,
    /// Of the next that we expect.
    nr: u16,
    begun: Time,
    /// How often the message under way was sent, and when it is to be sent again (or, stopping, given up).
    sent: u8,
    again: Time,
    /// How often the request was sent.
    requests: u8,
    latency: Option<Duration>,
    /// Nobody waits for the outcome any more: it has been told, or the target is gone.
    told: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// SCCRQ is under way.
    Asking,
    /// SCCRQ is acknowledged, or is not to be repeated: the answer is to come.
    Waiting,
    /// SCCCN is under way.
    Connecting,
    /// HELLO is under way.
    Greeting,
    /// StopCCN is under way.
    Stopping,
    Over,
}

/// Where an exchange puts what it has for the world.
pub(super) struct Out<'a> {
    pub(super) transmits: &'a mut VecDeque<Transmit>,
    pub(super) events: &'a mut VecDeque<Probed>,
}

impl Exchange {
    /// Begins: the request goes out. With a challenge the probe is a deep one.
    pub(super) fn begin(
        now: Time,
        target: Arc<Target>,
        own: u16,
        challenge: Option<[u8; 16]>,
        out: &mut Out<'_>,
    ) -> Exchange {
        let to = SocketAddr::new(target.address, PORT);
        let mut exchange = Exchange {
            target,
            own,
            challenge,
            response: None,
            phase: Phase::Asking,
            unheard: None,
            peer: None,
            to,
            ns: 0,
            nr: 0,
            begun: now,
            sent: 0,
            again: now,
            requests: 0,
            latency: None,
            told: false,
        };
        exchange.transmit(now, out);
        exchange
    }

    pub(super) fn target(&self) -> &Arc<Target> {
        &self.target
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// When [`Exchange::handle_timeout`] is due.
    pub(super) fn timeout(&self) -> Time {
        match self.phase {
            Phase::Waiting => self.deadline(),
            Phase::Stopping | Phase::Over => self.again,
            Phase::Asking | Phase::Connecting | Phase::Greeting => self.again.min(self.deadline()),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Time, out: &mut Out<'_>) {
        match self.phase {
            Phase::Over => {}
            Phase::Stopping if self.sent == TRANSMISSIONS => self.phase = Phase::Over,
            Phase::Stopping => self.transmit(now, out),
            _ if now >= self.deadline() => {
                self.tell(Outcome::Silent, out);
                self.stop(now, out);
            }
            Phase::Waiting => {}
            // The longest timeout leaves no room for a fifth time.
            Phase::Asking | Phase::Connecting | Phase::Greeting => self.transmit(now, out),
        }
    }

    /// The target is no more: nobody is told of the outcome. A tunnel that is open, or opened yet, is torn down.
    pub(super) fn abandon(&mut self, now: Time, out: &mut Out<'_>) {
        self.told = true;
        match self.phase {
            Phase::Asking => self.phase = Phase::Waiting,
            Phase::Connecting | Phase::Greeting => self.stop(now, out),
            Phase::Waiting | Phase::Stopping | Phase::Over => {}
        }
    }

    /// A message for our tunnel, from the target's address.
    pub(super) fn handle(&mut self, now: Time, from: SocketAddr, message: &Message<'_>, out: &mut Out<'_>) {
        let header = message.header;
        let acknowledged = header.nr == self.ns.wrapping_add(1);
        if header.nr == self.ns {
            self.unheard = None;
        }
        match message.kind {
            Kind::Zlb => {}
            Kind::StopCcn => return self.handle_stop(now, from, message, out),
            // A SCCRP that names no tunnel could never be taken back: it answers nothing.
            _ if self.peer.is_none() && (message.kind != Kind::Sccrp || message.assigned.is_none()) => return,
            // What comes twice or too early is dropped. No acknowledgement: a message of ours is under way, and its Nr is one (§5.8).
            _ if header.ns == self.nr => {
                self.nr = self.nr.wrapping_add(1);
                if message.kind == Kind::Sccrp && self.peer.is_none() {
                    self.peer = message.assigned;
                    // §8.1: it may answer from another port, and stays there.
                    self.to = SocketAddr::new(self.target.address, from.port());
                    return self.handle_reply(now, message, out);
                }
            }
            _ => {}
        }
        if acknowledged {
            self.advance(now, out);
        }
    }

    /// What is to be kept when it is over.
    pub(super) fn into_remains(self) -> Remains {
        Remains { target: self.target, own: self.own, peer: self.peer }
    }

    /// A SCCRP: the tunnel is half open.
    fn handle_reply(&mut self, now: Time, message: &Message<'_>, out: &mut Out<'_>) {
        self.latency = Some(now - self.begun);
        let (Some(secret), Some(challenge)) = (&self.target.secret, self.challenge) else {
            self.tell(Outcome::Up, out);
            return self.stop(now, out);
        };
        let proved = message.response.is_some_and(|response| secret.is_proved_by(Kind::Sccrp, &challenge, &response));
        if !proved {
            self.tell(Outcome::WrongSecret, out);
            return self.stop(now, out);
        }
        self.response = message.challenge.and_then(|challenge| secret.response(Kind::Scccn, challenge));
        if self.told {
            return self.stop(now, out);
        }
        self.next(now, Phase::Connecting, out);
    }

    /// A StopCCN, whatever its number: it is the peer's last word.
    fn handle_stop(&mut self, now: Time, from: SocketAddr, message: &Message<'_>, out: &mut Out<'_>) {
        let (result, error) = message.result.unwrap_or_default();
        let outcome = match Outcome::of_stop(Refusal { result, error }) {
            // It has taken our request and not our answer.
            Outcome::Refused(_) if self.response.is_some() => Outcome::WrongSecret,
            outcome => outcome,
        };
        self.latency = self.latency.or(Some(now - self.begun));
        self.tell(outcome, out);
        if self.peer.is_none() {
            self.peer = message.assigned;
            self.to = SocketAddr::new(self.target.address, from.port());
        }
        self.nr = message.header.ns.wrapping_add(1);
        self.phase = Phase::Over;
        if self.peer.is_some() {
            let bytes = packet::zlb(self.header(self.ns.wrapping_add(1)));
            out.transmits.push_back(Transmit { source: self.target.source, to: self.to, bytes });
        }
    }

    /// Our message has arrived.
    fn advance(&mut self, now: Time, out: &mut Out<'_>) {
        match self.phase {
            Phase::Asking => self.phase = Phase::Waiting,
            Phase::Connecting => self.next(now, Phase::Greeting, out),
            Phase::Greeting => {
                self.phase = Phase::Waiting;
                self.tell(Outcome::Up, out);
                self.stop(now, out);
            }
            Phase::Stopping => self.phase = Phase::Over,
            Phase::Waiting | Phase::Over => {}
        }
    }

    /// Tears down what is open.
    fn stop(&mut self, now: Time, out: &mut Out<'_>) {
        match self.peer {
            Some(_) => {
                self.unheard = Some(self.phase).filter(|phase| matches!(phase, Phase::Connecting | Phase::Greeting));
                self.next(now, Phase::Stopping, out);
            }
            None => self.phase = Phase::Over,
        }
    }

    /// Sends the next message.
    fn next(&mut self, now: Time, phase: Phase, out: &mut Out<'_>) {
        (self.phase, self.sent) = (phase, 0);
        self.ns = self.ns.wrapping_add(1);
        self.transmit(now, out);
    }

    /// Sends what is under way, once more.
    fn transmit(&mut self, now: Time, out: &mut Out<'_>) {
        self.requests += u8::from(self.phase == Phase::Asking);
        self.again = now + Duration::from_secs(1 << self.sent);
        self.sent += 1;
        let before = self.unheard.and_then(|phase| self.message(phase, self.ns.wrapping_sub(1)));
        let messages = before.into_iter().chain(self.message(self.phase, self.ns));
        let (source, to) = (self.target.source, self.to);
        out.transmits.extend(messages.map(|bytes| Transmit { source, to, bytes }));
    }

    /// The message of a phase.
    fn message(&self, phase: Phase, ns: u16) -> Option<Vec<u8>> {
        let header = self.header(ns);
        match phase {
            Phase::Asking => {
                let challenge = self.challenge.as_ref().map(<[u8; 16]>::as_slice);
                Some(packet::sccrq(self.own, &self.target.host_name, challenge))
            }
            Phase::Connecting => Some(packet::scccn(header, self.response)),
            Phase::Greeting => Some(packet::hello(header)),
            Phase::Stopping => Some(packet::stop_ccn(header, self.own)),
            Phase::Waiting | Phase::Over => None,
        }
    }

    fn header(&self, ns: u16) -> Header {
        Header { tunnel: self.peer.unwrap_or_default(), ns, nr: self.nr }
    }

    fn tell(&mut self, outcome: Outcome, out: &mut Out<'_>) {
        if self.told {
            return;
        }
        self.told = true;
        let latency = self.latency.filter(|_| outcome != Outcome::Silent);
        out.events.push_back(Probed { lns: self.target.lns, outcome, latency, requests: self.requests });
    }

    fn deadline(&self) -> Time {
        self.begun + self.target.timeout()
    }
}
