//! Minutes of a bad network from one seed: loss, duplication, delay, servers that go and come back, NASes that repeat
//! themselves. What must hold, holds for every login; the same seed gives the same history to the last octet.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    time::Duration,
};

use crate::common::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sekisho_engine::{
    Time,
    packet::{Action, Socket},
};
use sekisho_wire::{attr, attribute::attributes, code::Code};

/// The NAS sends three times, three seconds apart.
const TRIES: u8 = 3;
const RETRY: Duration = Duration::from_secs(3);

struct Weather {
    loss: f64,
    duplication: f64,
    /// Mean time between a server's going down and coming back, in seconds; zero: always up.
    outage: f64,
    logins: u32,
    per_second: f64,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Login,
    Try(u32, u8),
    AtProxy(Via, SocketAddr, Vec<u8>),
    AtHome(usize, Via, Vec<u8>),
    AtNas(SocketAddr, Vec<u8>),
    Outage(usize),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Via {
    Service,
    Upstream(u16),
}

impl Via {
    fn socket(self) -> Socket {
        match self {
            Via::Service => Socket::Service(AUTH),
            Via::Upstream(index) => Socket::Upstream(sekisho_engine::packet::UpstreamPort { v6: false, index }),
        }
    }
}

struct Login {
    user: String,
    peer: SocketAddr,
    request: Vec<u8>,
    reply: Option<Vec<u8>>,
    begun: Time,
    effects: HashSet<(usize, Vec<u8>)>,
}

struct Simulation {
    world: World,
    random: ChaCha8Rng,
    weather: Weather,
    queue: BinaryHeap<Reverse<(Time, u64, What)>>,
    sequence: u64,
    logins: Vec<Login>,
    by_request: HashMap<(SocketAddr, [u8; 16]), u32>,
    by_user: BTreeMap<String, u32>,
    up: [bool; 2],
    /// When each server went down or came back.
    changes: [Vec<Time>; 2],
    digest: DefaultHasher,
}

impl Simulation {
    fn new(seed: u64, weather: Weather) -> Simulation {
        let mut simulation = Simulation {
            world: World::new(),
            random: ChaCha8Rng::seed_from_u64(seed),
            weather,
            queue: BinaryHeap::new(),
            sequence: 0,
            logins: Vec::new(),
            by_request: HashMap::new(),
            by_user: BTreeMap::new(),
            up: [true; 2],
            changes: Default::default(),
            digest: DefaultHasher::new(),
        };
        simulation.at(simulation.world.now, What::Login);
        if simulation.weather.outage > 0.0 {
            for server in 0..2 {
                simulation.schedule_outage(server);
            }
        }
        simulation
    }

    fn chance(&mut self) -> f64 {
        f64::from(self.random.next_u32()) / f64::from(u32::MAX)
    }

    fn at(&mut self, time: Time, what: What) {
        self.sequence += 1;
        self.queue.push(Reverse((time, self.sequence, what)));
    }

    fn exponential(&mut self, mean_seconds: f64) -> Duration {
        Duration::from_secs_f64(-(1.0 - self.chance() * 0.999).ln() * mean_seconds)
    }

    fn schedule_outage(&mut self, server: usize) {
        let wait = self.exponential(self.weather.outage);
        self.at(self.world.now + wait, What::Outage(server));
    }

    /// Puts a packet on the wire: lost, doubled, late.
    fn transmit(&mut self, what: What) {
        let copies = if self.chance() < self.weather.duplication { 2 } else { 1 };
        for _ in 0..copies {
            if self.chance() >= self.weather.loss {
                let delay = Duration::from_micros(200 + u64::from(self.random.next_u32() % 40_000));
                self.at(self.world.now + delay, what.clone());
            }
        }
    }

    fn run(&mut self) -> u64 {
        while let Some(Reverse((time, _, what))) = self.queue.pop() {
            self.turn_clock(time);
            self.happen(what);
        }
        let rest = self.world.now + Duration::from_secs(60);
        self.turn_clock(rest);
        assert!(self.queue.is_empty(), "the proxy begins nothing of its own after everybody has stopped");
        self.digest.finish()
    }

    fn turn_clock(&mut self, to: Time) {
        while self.world.now < to {
            let step = Duration::from_millis(10).min(to - self.world.now);
            for (_, sent) in self.world.pass(step) {
                self.leave(sent);
            }
        }
    }

    /// A packet leaves the proxy.
    fn leave(&mut self, sent: Sent) {
        sent.bytes.hash(&mut self.digest);
        match sent.path.socket {
            Socket::Service(_) => self.transmit(What::AtNas(sent.path.peer, sent.bytes)),
            Socket::Upstream(port) => {
                let server = usize::from(sent.path.peer == address(HOME_2));
                self.transmit(What::AtHome(server, Via::Upstream(port.index), sent.bytes));
            }
        }
    }

    fn happen(&mut self, what: What) {
        match what {
            What::Login => self.begin_login(),
            What::Try(login, tries) => self.try_login(login, tries),
            What::AtProxy(via, peer, bytes) => {
                if let (Action::Send(_), Some(sent)) = self.world.receive(via.socket(), peer, &bytes) {
                    self.leave(sent);
                }
            }
            What::AtHome(server, via, bytes) => self.at_home(server, via, &bytes),
            What::AtNas(peer, bytes) => self.at_nas(peer, bytes),
            What::Outage(server) => {
                self.up[server] = !self.up[server];
                self.changes[server].push(self.world.now);
                if self.logins.len() < self.weather.logins as usize || !self.up[server] {
                    self.schedule_outage(server);
                }
            }
        }
    }

    fn begin_login(&mut self) {
        let index = self.logins.len() as u32;
        if index == self.weather.logins {
            return;
        }
        let user = format!("{}-{index}@a.example", if index % 5 == 4 { "bad" } else { "good" });
        let peer = address(&format!("192.0.2.10:{}", 20_000 + index / 256 % 4));
        let mut request = pap(index as u8, &user, 0);
        // Sign again with an authenticator that no other login has.
        let mut authenticator = [0; 16];
        self.random.fill_bytes(&mut authenticator);
        let builder = sekisho_wire::build::RequestBuilder::new(Code::ACCESS_REQUEST, request[1], authenticator);
        let signed = builder.attribute(attr::USER_NAME, &user).message_authenticator().build(&nas_secret());
        request = signed.unwrap();
        self.by_request.insert((peer, authenticator), index);
        self.by_user.insert(user.clone(), index);
        self.logins.push(Login { user, peer, request, reply: None, begun: self.world.now, effects: HashSet::new() });
        self.at(self.world.now, What::Try(index, 1));
        let wait = self.exponential(1.0 / self.weather.per_second);
        self.at(self.world.now + wait, What::Login);
    }

    fn try_login(&mut self, index: u32, tries: u8) {
        let login = &self.logins[index as usize];
        if login.reply.is_some() {
            return;
        }
        let what = What::AtProxy(Via::Service, login.peer, login.request.clone());
        self.transmit(what);
        if tries < TRIES {
            self.at(self.world.now + RETRY, What::Try(index, tries + 1));
        }
    }

    fn at_home(&mut self, server: usize, via: Via, bytes: &[u8]) {
        if !self.up[server] {
            return;
        }
        let sent_to = address([HOME_1, HOME_2][server]);
        let path = sekisho_engine::packet::Path { socket: via.socket(), peer: sent_to, ifindex: 0 };
        let sent = Sent { path, bytes: bytes.to_vec() };
        let attrs = verified_at_home(&sent, server);
        let user = attrs.into_iter().find(|(number, _)| *number == attr::USER_NAME).unwrap().1;
        let index = self.by_user[std::str::from_utf8(&user).unwrap()];
        self.logins[index as usize].effects.insert((server, bytes[4..20].to_vec()));
        let code = if user.starts_with(b"good") { Code::ACCESS_ACCEPT } else { Code::ACCESS_REJECT };
        // A Reject carries no Class; Reply-Message is in both.
        let reply = home_reply(&sent, server, code, &[(attr::REPLY_MESSAGE, &user)]);
        self.transmit(What::AtProxy(via, sent_to, reply));
    }

    fn at_nas(&mut self, peer: SocketAddr, bytes: Vec<u8>) {
        // The NAS has one request per (port, identifier) under way; an answer is the last one's with that identifier.
        let matching = self.logins.iter_mut().rev().find(|login| login.peer == peer && login.request[1] == bytes[1]);
        let login = matching.expect("an answer to something");
        let path = sekisho_engine::packet::Path { socket: Socket::Service(AUTH), peer, ifindex: 0 };
        let attrs = verified_at_nas(&Sent { path, bytes: bytes.clone() }, &login.request);
        let user = attrs.into_iter().find(|(number, _)| *number == attr::REPLY_MESSAGE).unwrap().1;
        assert_eq!(user, login.user.as_bytes(), "somebody else's answer");
        let expected = if login.user.starts_with("good") { Code::ACCESS_ACCEPT } else { Code::ACCESS_REJECT };
        assert!(attributes(&bytes).count() > 0 && bytes[0] == expected.0);
        if let Some(before) = &login.reply {
            assert_eq!(before, &bytes, "a repeated answer is the same to the last octet");
        }
        login.reply = Some(bytes);
    }
}

fn simulate(seed: u64, weather: Weather) -> (Simulation, u64) {
    let mut simulation = Simulation::new(seed, weather);
    let digest = simulation.run();
    assert_eq!(simulation.world.engine.in_flight(), 0, "seed {seed}: everything ends");
    for home in simulation.world.snapshot.homes.iter().flatten() {
        assert_eq!(home.stats.sum(|stats| &stats.outstanding), 0, "seed {seed}: no identifier is lost");
    }
    for login in &simulation.logins {
        assert!(login.effects.len() <= 2, "seed {seed}: {} had {} effects", login.user, login.effects.len());
    }
    (simulation, digest)
}

fn unanswered(simulation: &Simulation) -> usize {
    simulation.logins.iter().filter(|login| login.reply.is_none()).count()
}

#[test]
fn in_good_weather_every_login_is_answered_with_one_effect() {
    let weather = Weather { loss: 0.0, duplication: 0.0, outage: 0.0, logins: 2_000, per_second: 200.0 };
    let (simulation, _) = simulate(1, weather);
    assert_eq!(unanswered(&simulation), 0);
    assert!(simulation.logins.iter().all(|login| login.effects.len() == 1));
    assert_eq!(simulation.world.stats.failed_over.read(), 0);
}

#[test]
fn with_loss_and_duplication_nobody_gets_anothers_answer_and_few_go_without() {
    for seed in 0..4 {
        let weather = Weather { loss: 0.05, duplication: 0.05, outage: 0.0, logins: 1_000, per_second: 50.0 };
        let (simulation, _) = simulate(seed, weather);
        // Three tries, four crossings of a wire that loses one in twenty: about 1 in 150 fails whatever a proxy does.
        assert!(unanswered(&simulation) < 40, "seed {seed}: {} of 1000 unanswered", unanswered(&simulation));
    }
}

/// Whether a server was up from the login's beginning until ten seconds later.
fn was_up(changes: &[Time], begun: Time) -> bool {
    let before = changes.iter().take_while(|change| **change <= begun).count();
    before % 2 == 0 && changes.get(before).is_none_or(|next| *next > begun + Duration::from_secs(10))
}

#[test]
fn while_servers_come_and_go_logins_fail_only_when_both_are_gone() {
    for seed in 10..14 {
        let weather = Weather { loss: 0.0, duplication: 0.02, outage: 40.0, logins: 1_000, per_second: 5.0 };
        let (simulation, _) = simulate(seed, weather);
        assert!(simulation.world.stats.failed_over.read() > 0, "seed {seed}");
        let servable: Vec<_> = simulation
            .logins
            .iter()
            .filter(|login| simulation.changes.iter().any(|changes| was_up(changes, login.begun)))
            .collect();
        assert!(servable.len() > 100, "seed {seed}: {} logins could have been served", servable.len());
        let failed = servable.iter().filter(|login| login.reply.is_none()).count();
        assert_eq!(failed, 0, "seed {seed}: of {} that one server could have served", servable.len());
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    let weather = || Weather { loss: 0.1, duplication: 0.1, outage: 20.0, logins: 400, per_second: 20.0 };
    assert_eq!(simulate(42, weather()).1, simulate(42, weather()).1);
    assert_ne!(simulate(42, weather()).1, simulate(43, weather()).1);
}
