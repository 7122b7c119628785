//! After a power cut every NAS of a region says Accounting-On at once, over wires that lose, double and delay: whoever is answered
//! has been heard by every pool of its customer, and by nobody else's.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    time::Duration,
};

use crate::common::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sekisho_engine::{
    Limits, Time,
    packet::{Path, Socket},
    snapshot::{HomeKind, PoolId, RoutingSnapshot},
};
use sekisho_wire::{attr, attribute::attributes, code::Code};

const POOLS: usize = 6;
const NASES: usize = 40;
/// A NAS says it so often, that far apart.
const TRIES: u64 = 6;
const RETRY: Duration = Duration::from_secs(3);

/// A packet on the wire.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Flight {
    arrives: Time,
    sequence: u64,
    to_proxy: bool,
    port: Option<u16>,
    peer: SocketAddr,
    bytes: Vec<u8>,
}

struct Region {
    world: World,
    random: ChaCha8Rng,
    loss: f64,
    wire: BinaryHeap<Reverse<Flight>>,
    sequence: u64,
    /// Sessions that each server has recorded.
    recorded: HashMap<SocketAddr, HashSet<Vec<u8>>>,
    answered: HashMap<SocketAddr, Vec<u8>>,
    digest: DefaultHasher,
}

fn server_at(pool: usize, standby: bool) -> String {
    format!("198.51.100.{}:1813", 10 + 2 * pool + usize::from(standby))
}

/// The NAS with this number, of customer 0 or 1 in turns.
fn nas_at(number: usize) -> SocketAddr {
    let host = if number.is_multiple_of(2) { NAS } else { NAS_B };
    SocketAddr::new(address(host).ip(), 20_000 + number as u16)
}

impl Region {
    /// Half of the pools is each customer's; each has a server and another that stands by.
    fn new(seed: u64, loss: f64) -> Region {
        let server = |n: usize| Extra::new(100 + n, &server_at(n / 2, n % 2 == 1), HomeKind::Acct);
        let servers: Vec<Extra> = (0..2 * POOLS).map(server).collect();
        let shape = move |snapshot: &mut RoutingSnapshot| {
            for owner in [0, 1] {
                customer(snapshot, owner as usize).acct_pools.clear();
            }
            for (pool, pair) in servers.chunks(2).enumerate() {
                let owner = (pool % 2) as u32;
                pair.iter().for_each(|server| server.join(snapshot, owner));
                let id = PoolId(snapshot.pools.len() as u32);
                snapshot.pools.push(acct_pool("a pool", owner, &[&pair[0], &pair[1]]));
                customer(snapshot, pool % 2).acct_pools.push(id);
            }
        };
        let plan = Plan { answer_within: Duration::from_secs(15), ..Plan::shaped(shape) };
        Region {
            world: World::with(plan, Limits::default()),
            random: ChaCha8Rng::seed_from_u64(seed),
            loss,
            wire: BinaryHeap::new(),
            sequence: 0,
            recorded: HashMap::new(),
            answered: HashMap::new(),
            digest: DefaultHasher::new(),
        }
    }

    fn transmit(&mut self, to_proxy: bool, port: Option<u16>, peer: SocketAddr, bytes: &[u8]) {
        let copies = if self.random.next_u32().is_multiple_of(20) { 2 } else { 1 };
        for _ in 0..copies {
            let lost = f64::from(self.random.next_u32()) / f64::from(u32::MAX) < self.loss;
            let arrives = self.world.now + Duration::from_micros(200 + u64::from(self.random.next_u32() % 40_000));
            if !lost {
                self.sequence += 1;
                let (sequence, bytes) = (self.sequence, bytes.to_vec());
                self.wire.push(Reverse(Flight { arrives, sequence, to_proxy, port, peer, bytes }));
            }
        }
    }

    fn run(&mut self) -> u64 {
        let begin = self.world.now;
        while self.world.now < begin + RETRY * TRIES as u32 + Duration::from_secs(60) {
            let elapsed = self.world.now.since(begin) / 1_000_000;
            let tries = (elapsed / 3_000, elapsed % 3_000);
            if tries.0 < TRIES && tries.1 == 0 {
                self.nases_speak();
            }
            for (_, sent) in self.world.pass(Duration::from_millis(10)) {
                self.leave(&sent);
            }
            while self.wire.peek().is_some_and(|next| next.0.arrives <= self.world.now) {
                let Some(Reverse(flight)) = self.wire.pop() else { break };
                self.arrive(flight);
            }
        }
        self.digest.finish()
    }

    fn nases_speak(&mut self) {
        for number in 0..NASES {
            let at = nas_at(number);
            if !self.answered.contains_key(&at) {
                self.transmit(true, None, at, &accounting(number as u8, "", 7));
            }
        }
    }

    fn leave(&mut self, sent: &Sent) {
        sent.bytes.hash(&mut self.digest);
        let port = match sent.path.socket {
            Socket::Service(_) => None,
            Socket::Upstream(port) => Some(port.index),
        };
        self.transmit(false, port, sent.path.peer, &sent.bytes);
    }

    fn arrive(&mut self, flight: Flight) {
        let Flight { to_proxy, port, peer, bytes, .. } = flight;
        let upstream = |index| Socket::Upstream(sekisho_engine::packet::UpstreamPort { v6: false, index });
        let socket = port.map_or(Socket::Service(ACCT), upstream);
        match (to_proxy, port) {
            (true, _) => {
                if let Some(sent) = self.world.receive(socket, peer, &bytes).1 {
                    self.leave(&sent);
                }
            }
            (false, Some(_)) => self.at_server(Sent { path: Path { socket, peer, ifindex: 0 }, bytes }),
            (false, None) => self.at_nas(peer, bytes),
        }
    }

    fn at_server(&mut self, sent: Sent) {
        let place = (0..2 * POOLS).find(|n| address(&server_at(n / 2, n % 2 == 1)) == sent.path.peer).unwrap();
        let attrs = verified_at_home(&sent, 100 + place);
        let session = attrs.into_iter().find(|(number, _)| *number == attr::ACCT_SESSION_ID).unwrap().1;
        self.recorded.entry(sent.path.peer).or_default().insert(session);
        let reply = home_reply(&sent, 100 + place, Code::ACCOUNTING_RESPONSE, &[]);
        let Socket::Upstream(port) = sent.path.socket else { return };
        self.transmit(true, Some(port.index), sent.path.peer, &reply);
    }

    fn at_nas(&mut self, peer: SocketAddr, bytes: Vec<u8>) {
        let number = (0..NASES).find(|number| nas_at(*number) == peer).unwrap();
        let session = format!("session-{number}").into_bytes();
        let path = Path { socket: Socket::Service(ACCT), peer, ifindex: 0 };
        verified_at_nas(&Sent { path, bytes: bytes.clone() }, &accounting(number as u8, "", 7));
        assert!(attributes(&bytes).count() == 0 && bytes[0] == Code::ACCOUNTING_RESPONSE.0);
        for pool in 0..POOLS {
            let heard = [false, true].iter().any(|standby| {
                let at = address(&server_at(pool, *standby));
                self.recorded.get(&at).is_some_and(|sessions| sessions.contains(&session))
            });
            assert_eq!(heard, pool % 2 == number % 2, "NAS {number} is answered: pool {pool}");
        }
        let before = self.answered.insert(peer, bytes.clone());
        assert!(before.is_none_or(|before| before == bytes), "a repeated answer is the same to the last octet");
    }
}

#[test]
fn a_nas_is_answered_when_every_pool_of_its_customer_has_its_record_and_not_before() {
    for (seed, loss, least) in [(1, 0.0, NASES), (2, 0.05, NASES * 9 / 10), (3, 0.15, NASES / 2), (4, 0.15, NASES / 2)]
    {
        let mut region = Region::new(seed, loss);
        let digest = region.run();
        let answered = region.answered.len();
        assert!(answered >= least, "seed {seed}: {answered} of {NASES} are answered");
        assert_eq!(region.world.engine.in_flight(), 0, "seed {seed}: everything ends");
        for home in region.world.snapshot.homes.iter().flatten() {
            assert_eq!(home.stats.sum(|stats| &stats.outstanding), 0, "seed {seed}: no identifier is lost");
        }
        let mut again = Region::new(seed, loss);
        assert_eq!(again.run(), digest, "seed {seed}: the same history");
    }
}
