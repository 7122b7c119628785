//! All LNSs of a node, probed one after the other.
//!
//! An LNS has one probe at a time. The first comes at a random moment of its interval, so that a start asks them one by one, and the
//! next an interval later, a tenth more or less; but not before the tunnel of the last one is gone, which takes [`super::TEARDOWN`] where
//! the LNS does not acknowledge the end. At most [`IN_FLIGHT`] probes are under way; what is due beyond that waits for its turn.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use super::{
    Probed, Target, Transmit,
    exchange::{Exchange, Out},
    packet::Message,
    random::Random,
    remains::Kept,
};
use crate::{ids::LnsId, time::Time};

/// Probes under way at one time, teardown included.
pub const IN_FLIGHT: usize = 256;

/// Asks LNSs whether they live.
///
/// Call [`Prober::handle_timeout`] when [`Prober::poll_timeout`] says, and [`Prober::handle_packet`] for what comes to the sockets
/// that probes leave by; then send what [`Prober::poll_transmit`] has, and take what [`Prober::poll_event`] has. One port for all is
/// enough: answers are told apart by tunnel. Let the host choose it, so that who would forge an answer must guess that as well.
#[derive(Debug)]
pub struct Prober {
    random: Random,
    lnss: BTreeMap<LnsId, Slot>,
    /// When those LNSs are due that have no probe under way.
    due: BTreeSet<(Time, LnsId)>,
    /// By our number of the tunnel.
    exchanges: HashMap<u16, Exchange>,
    /// Their timeouts.
    alarms: BTreeSet<(Time, u16)>,
    kept: Kept,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Probed>,
    counts: Counts,
}

/// What came and went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Probes begun.
    pub probes: u64,
    /// Datagrams that are no control message, or one with a wrong length. They change nothing.
    pub malformed: u64,
    /// Messages of no tunnel that is open, or from another address than its LNS's. They change nothing.
    pub strays: u64,
}

/// An LNS that is probed.
#[derive(Debug)]
struct Slot {
    target: Arc<Target>,
    /// When its next probe is due, or was.
    due: Time,
    /// Its probe under way.
    exchange: Option<u16>,
}

impl Prober {
    /// Nobody is probed yet. The seed is for numbers of tunnels and for challenges, which must not be guessed, and for nothing else.
    pub fn new(seed: [u8; 32]) -> Prober {
        Prober {
            random: Random::new(seed),
            lnss: BTreeMap::new(),
            due: BTreeSet::new(),
            exchanges: HashMap::new(),
            alarms: BTreeSet::new(),
            kept: Kept::default(),
            transmits: VecDeque::new(),
            events: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// These, and no others, are to be probed. Of several for one LNS the last counts.
    ///
    /// An LNS that was probed before keeps its schedule, and its probe under way if it is still at the same place; what has changed
    /// about it holds from the next probe on. A tunnel with one that is gone is torn down.
    pub fn set_targets(&mut self, now: Time, targets: Vec<Target>) {
        let wanted: BTreeMap<LnsId, Target> = targets.into_iter().map(|target| (target.lns, target)).collect();
        let gone: Vec<LnsId> = self.lnss.keys().filter(|lns| !wanted.contains_key(lns)).copied().collect();
        for lns in gone {
            self.remove(now, lns);
        }
        for (lns, target) in wanted {
            match self.lnss.get_mut(&lns) {
                Some(slot) if slot.target.is_where(&target) => {
                    // A shorter interval begins now.
                    let due = slot.due.min(now + target.interval());
                    slot.target = Arc::new(target);
                    if slot.exchange.is_none() {
                        self.due.remove(&(slot.due, lns));
                        self.due.insert((due, lns));
                    }
                    slot.due = due;
                }
                _ => {
                    self.remove(now, lns);
                    let due = now + self.random.up_to(target.interval());
                    self.due.insert((due, lns));
                    self.lnss.insert(lns, Slot { target: Arc::new(target), due, exchange: None });
                }
            }
        }
    }

    /// Repeats, gives up and begins what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        while let Some((_, own)) = self.alarms.first().copied().filter(|(time, _)| *time <= now) {
            self.drive(now, own, |exchange, out| exchange.handle_timeout(now, out));
        }
        while let Some((_, lns)) = self.next_due().filter(|(time, _)| *time <= now) {
            self.begin(now, lns);
        }
    }

    /// When to call [`Prober::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        let alarm = self.alarms.first().map(|(time, _)| *time);
        let due = self.next_due().map(|(time, _)| time);
        alarm.into_iter().chain(due).min()
    }

    /// A datagram has come: from where, to which of our addresses (where that is known), and its UDP payload.
    pub fn handle_packet(&mut self, now: Time, from: SocketAddr, local: Option<IpAddr>, bytes: &[u8]) {
        let Ok(message) = Message::parse(bytes) else {
            self.counts.malformed += 1;
            return;
        };
        let own = message.header.tunnel;
        match self.exchanges.get(&own) {
            Some(exchange) if exchange.target().answers_from(from, local) => {
                self.drive(now, own, |exchange, out| exchange.handle(now, from, &message, out));
            }
            Some(_) => self.counts.strays += 1,
            None => {
                self.counts.strays += 1;
                let remains = self.kept.get(now, own).filter(|remains| remains.answers_from(from, local));
                self.transmits.extend(remains.and_then(|remains| remains.answer(from, &message)));
            }
        }
    }

    /// The next datagram to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// A probe that has its outcome.
    pub fn poll_event(&mut self) -> Option<Probed> {
        self.events.pop_front()
    }

    /// What came and went since the beginning.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Probes under way, those included whose outcome is known and whose tunnel is being torn down.
    pub fn in_flight(&self) -> usize {
        self.exchanges.len()
    }

    fn next_due(&self) -> Option<(Time, LnsId)> {
        self.due.first().copied().filter(|_| self.exchanges.len() < IN_FLIGHT)
    }

    fn begin(&mut self, now: Time, lns: LnsId) {
        let Some(slot) = self.lnss.get_mut(&lns) else { return };
        self.due.remove(&(slot.due, lns));
        let own = self.random.tunnel(|own| !self.exchanges.contains_key(&own) && !self.kept.contains(own));
        let challenge = slot.target.secret.as_ref().map(|_| self.random.challenge());
        slot.due = now + self.random.jittered(slot.target.interval());
        slot.exchange = Some(own);
        let mut out = Out { transmits: &mut self.transmits, events: &mut self.events };
        let exchange = Exchange::begin(now, Arc::clone(&slot.target), own, challenge, &mut out);
        self.alarms.insert((exchange.timeout(), own));
        self.exchanges.insert(own, exchange);
        self.counts.probes += 1;
    }

    fn remove(&mut self, now: Time, lns: LnsId) {
        let Some(slot) = self.lnss.remove(&lns) else { return };
        self.due.remove(&(slot.due, lns));
        if let Some(own) = slot.exchange {
            self.drive(now, own, |exchange, out| exchange.abandon(now, out));
        }
    }

    /// Lets something happen to an exchange, and sees to what follows from it.
    fn drive(&mut self, now: Time, own: u16, event: impl FnOnce(&mut Exchange, &mut Out<'_>)) {
        let Some(exchange) = self.exchanges.get_mut(&own) else { return };
        self.alarms.remove(&(exchange.timeout(), own));
        event(exchange, &mut Out { transmits: &mut self.transmits, events: &mut self.events });
        if !exchange.is_over() {
            self.alarms.insert((exchange.timeout(), own));
            return;
        }
        let lns = exchange.target().lns;
        let remains = self.exchanges.remove(&own).map(Exchange::into_remains);
        remains.into_iter().for_each(|remains| self.kept.insert(now, remains));
        if let Some(slot) = self.lnss.get_mut(&lns).filter(|slot| slot.exchange == Some(own)) {
            slot.exchange = None;
            self.due.insert((slot.due, lns));
        }
    }
}
