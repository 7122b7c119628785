//! A prober, LNSs, the way between them, and a clock.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sekisho_lns::{
    LnsId, Time,
    l2tp::{Outcome, Probed, Prober, Target, Transmit, TunnelSecret, packet::Message},
};

use crate::l2tp::lns::{Lns, Manners};

/// Where probes leave.
pub const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 40_000);

/// What the way does to datagrams.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Of a thousand.
    pub loss: u32,
    /// Of a thousand.
    pub duplication: u32,
    /// Each takes from one millisecond to this: later ones overtake.
    pub delay_ms: u32,
}

pub const GOOD: Way = Way { loss: 0, duplication: 0, delay_ms: 1 };

/// Where a datagram goes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Datagram {
    ToLns(IpAddr, u16, Vec<u8>),
    ToUs(SocketAddr, Vec<u8>),
}

pub struct World {
    pub now: Time,
    pub prober: Prober,
    pub lnss: BTreeMap<IpAddr, Lns>,
    pub way: Way,
    /// What the prober has sent, and when.
    pub sent: Vec<(Time, Transmit)>,
    pub probed: Vec<(Time, Probed)>,
    pub most_in_flight: usize,
    random: ChaCha8Rng,
    under_way: BinaryHeap<Reverse<(Time, u64, Datagram)>>,
    sequence: u64,
}

/// The address of an LNS.
pub fn address(lns: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + lns))
}

/// Every ten seconds, four seconds' patience.
pub fn target(lns: u32) -> Target {
    Target {
        lns: LnsId(lns),
        address: address(lns),
        source: None,
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(4),
        secret: None,
        host_name: "sekisho".into(),
    }
}

pub fn deep(lns: u32, secret: &str) -> Target {
    Target { secret: TunnelSecret::new(secret.as_bytes()), ..target(lns) }
}

impl World {
    pub fn new(seed: u64) -> World {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut octets = [0; 32];
        random.fill_bytes(&mut octets);
        World {
            now: Time::from_millis(1_000),
            prober: Prober::new(octets),
            lnss: BTreeMap::new(),
            way: GOOD,
            sent: Vec::new(),
            probed: Vec::new(),
            most_in_flight: 0,
            random,
            under_way: BinaryHeap::new(),
            sequence: 0,
        }
    }

    /// With one LNS, number 1, probed from now on.
    pub fn with(target: Target, manners: Manners) -> World {
        let mut world = World::new(1);
        world.lnss.insert(target.address, Lns::new(manners));
        world.prober.set_targets(world.now, vec![target]);
        world
    }

    /// LNS number 1.
    pub fn lns(&mut self) -> &mut Lns {
        self.lnss.get_mut(&address(1)).unwrap()
    }

    /// Lets time pass.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.drain();
        while let Some(next) = self.next().filter(|next| *next <= end) {
            self.now = self.now.max(next);
            self.turn();
        }
        self.now = end;
    }

    /// Lets time pass until the next probe has its outcome.
    pub fn next_probed(&mut self) -> Probed {
        let before = self.probed.len();
        self.drain();
        while self.probed.len() == before {
            self.now = self.now.max(self.next().unwrap());
            self.turn();
        }
        self.probed[before].1
    }

    pub fn next_outcome(&mut self) -> Outcome {
        self.next_probed().outcome
    }

    /// Lets time pass until a request is under way; the SCCRP that would answer it.
    pub fn reply(&mut self) -> Vec<u8> {
        while self.sent.is_empty() {
            self.run(Duration::from_millis(100));
        }
        let own = Message::parse(&self.sent[0].1.bytes).unwrap().assigned.unwrap();
        let body = [0x80, 8, 0, 0, 0, 0, 0, 2, 0x80, 8, 0, 0, 0, 9, 0, 5];
        let fields = [0xc802, 28, own, 0, 0, 1].map(u16::to_be_bytes);
        [fields.concat(), body.to_vec()].concat()
    }

    /// A datagram arrives here.
    pub fn arrives(&mut self, from: SocketAddr, bytes: &[u8]) {
        self.prober.handle_packet(self.now, from, Some(HERE.ip()), bytes);
        self.drain();
    }

    fn next(&self) -> Option<Time> {
        let datagram = self.under_way.peek().map(|Reverse((time, ..))| *time);
        let lnss = self.lnss.values().filter_map(Lns::timeout);
        lnss.chain(datagram).chain(self.prober.poll_timeout()).min()
    }

    fn turn(&mut self) {
        while self.under_way.peek().is_some_and(|Reverse((time, ..))| *time <= self.now) {
            let Some(Reverse((_, _, datagram))) = self.under_way.pop() else { break };
            match datagram {
                Datagram::ToUs(from, bytes) => self.arrives(from, &bytes),
                Datagram::ToLns(to, port, bytes) => {
                    let Some(lns) = self.lnss.get_mut(&to) else { continue };
                    let answers = lns.handle(self.now, HERE, port, &bytes);
                    self.answer(to, answers);
                }
            }
        }
        for address in self.lnss.keys().copied().collect::<Vec<_>>() {
            let answers = self.lnss.get_mut(&address).unwrap().handle_timeout(self.now);
            self.answer(address, answers);
        }
        if self.prober.poll_timeout().is_some_and(|due| due <= self.now) {
            self.prober.handle_timeout(self.now);
        }
        self.drain();
    }

    fn answer(&mut self, from: IpAddr, answers: Vec<crate::l2tp::lns::Sent>) {
        for sent in answers {
            assert_eq!(sent.to, HERE);
            self.put(Datagram::ToUs(SocketAddr::new(from, sent.port), sent.bytes));
        }
    }

    fn drain(&mut self) {
        while let Some(transmit) = self.prober.poll_transmit() {
            self.sent.push((self.now, transmit.clone()));
            self.put(Datagram::ToLns(transmit.to.ip(), transmit.to.port(), transmit.bytes));
        }
        while let Some(probed) = self.prober.poll_event() {
            self.probed.push((self.now, probed));
        }
        self.most_in_flight = self.most_in_flight.max(self.prober.in_flight());
    }

    /// On the way: lost, doubled, late.
    fn put(&mut self, datagram: Datagram) {
        let copies = 1 + u32::from(self.random.next_u32() % 1000 < self.way.duplication);
        for _ in 0..copies {
            if self.random.next_u32() % 1000 < self.way.loss {
                continue;
            }
            let delay = Duration::from_millis(1 + u64::from(self.random.next_u32() % self.way.delay_ms));
            self.sequence += 1;
            self.under_way.push(Reverse((self.now + delay, self.sequence, datagram.clone())));
        }
    }
}
