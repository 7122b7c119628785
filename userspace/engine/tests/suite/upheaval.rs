//! Everything at once, by chance: logins of many rounds, accounting, Accounting-On, CoA, access networks, repetitions, batches of
//! all of them, limits, servers that forge, challenge, overstep and fall silent, reloads, full tables, ports that come and go, and
//! a kernel in front that answers repetitions. After every step the books agree, every packet that leaves is right for whoever gets
//! it, and when all have stopped nothing is left.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Weak},
    time::Duration,
};

use crate::common::{
    dynauth::{NAS_AT, SENDER},
    turns::*,
    *,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    packet::{BATCH, Socket},
    snapshot::*,
};
use sekisho_wire::{
    attr,
    attribute::attributes,
    buf::Buf,
    build::{RequestBuilder, write_reply},
    code::Code,
    scan::scan,
    secret::Secret,
    select::AttributeId,
    verify::{RequestPolicy, verify_reply, verify_request},
};

const SEEDS: u64 = 6;

/// A packet that the proxy is sent: to which socket, from where.
type Incoming = (Socket, SocketAddr, Vec<u8>);

/// A request that a client has sent.
struct Asked {
    service: u16,
    peer: SocketAddr,
    bytes: Vec<u8>,
    secret: Secret,
    /// Of the secret.
    number: u32,
    /// What nobody else's name has.
    user: String,
}

struct Upheaval {
    world: World,
    random: ChaCha8Rng,
    asked: Vec<Asked>,
    /// Requests that home servers and NASes have got, and may answer.
    sent: Vec<Sent>,
    /// States of challenges that have reached a client.
    states: Vec<(IpAddr, Vec<u8>)>,
    /// Snapshots that are not in force any more.
    older: Vec<Weak<RoutingSnapshot>>,
    extras: Vec<Extra>,
    /// The secrets that clients have now, and before.
    secrets: (u32, Option<u32>),
    users: u32,
    /// A server that answers nothing for a while.
    silent: Option<&'static str>,
    /// What one client repeats all the time.
    stubborn: Option<Incoming>,
    /// In front of the engine.
    kernel: Arc<Kernel>,
    /// The last answer to each request.
    answers: HashMap<(u16, SocketAddr, Vec<u8>), Vec<u8>>,
    /// Repetitions that the kernel has absorbed, and answered.
    spared: (u32, u32),
    /// Packets that have left, by code.
    got: HashMap<u8, u32>,
}

impl Upheaval {
    fn new(seed: u64, limits: Limits) -> Upheaval {
        let places = [
            (20, OTHER_POOL, HomeKind::Acct),
            (21, THIRD_POOL, HomeKind::Acct),
            (22, BILLING, HomeKind::Acct),
            (23, NAS_AT, HomeKind::DynAuth),
        ];
        let extras: Vec<Extra> = places.map(|(number, at, kind)| Extra::new(number, at, kind)).into();
        let mut plan = Plan { answer_within: Duration::from_secs(6), ..Plan::default() };
        plan.clients = CLIENTS.iter().map(|at| Some((*at, u32::from(*at == NAS_B), b"unused".to_vec()))).collect();
        let kernel = Kernel::with_room(24);
        plan.kernel = Some(Arc::clone(&kernel));
        let (random, before) = (ChaCha8Rng::seed_from_u64(seed), extras.clone());
        plan.shape = Arc::new(move |snapshot| Turn(0).apply(snapshot, &before, (0, None)));
        Upheaval {
            world: World::with(plan, limits),
            random,
            extras,
            asked: Vec::new(),
            sent: Vec::new(),
            states: Vec::new(),
            older: Vec::new(),
            secrets: (0, None),
            users: 0,
            silent: None,
            stubborn: None,
            kernel,
            answers: HashMap::new(),
            spared: (0, 0),
            got: HashMap::new(),
        }
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.random.next_u32().is_multiple_of(n)
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.random.next_u32() as usize % all.len()]
    }

    /// Records are kept, most of them; some the disk does not take, and of some nothing is heard.
    fn record(&mut self) {
        while let Some(token) = self.world.engine.poll_record(|record| record.token) {
            if !self.one_in(10) {
                let is_kept = !self.one_in(10);
                self.world.engine.handle_recorded(self.world.now, token, is_kept);
            }
        }
    }

    fn step(&mut self) {
        if self.one_in(40) {
            self.reload();
        }
        if self.one_in(30) {
            let limiter = &self.world.settings.limiter;
            limiter.set_gated(u64::from(self.random.next_u32() % 2));
            limiter.set_shed(u64::from(self.random.next_u32() % 3));
        }
        if self.one_in(60) {
            let limits = Limits { max_ports: self.pick(&[1, 2, 4]), ..self.world.settings.limits };
            self.world.engine.set_limits(limits);
        }
        if self.one_in(20) {
            self.world.no_ports = self.one_in(3);
            self.silent =
                self.pick(&[None, None, Some(HOME_1), Some(HOME_2), Some(ACCT_2), Some(NAS_AT), Some(THIRD_POOL)]);
        }
        let count = 1 + self.random.next_u32() as usize % (BATCH - 1);
        let mut packets: Vec<Incoming> = Vec::with_capacity(count + 2);
        while packets.len() < count {
            match self.random.next_u32() % 8 {
                0..=2 => packets.push(self.request()),
                3 => packets.extend(self.repetition()),
                _ => self.reply(&mut packets),
            }
            if self.one_in(12)
                && let Some(last) = packets.last().cloned()
            {
                packets.push(last);
            }
        }
        if self.one_in(6) {
            self.stubborn = self.repetition();
        }
        packets.extend(self.stubborn.clone());
        self.kernel.set_now(self.world.now);
        packets.retain(|packet| self.passes(packet));
        for (_, sent) in self.world.receive_all(&packets) {
            sent.into_iter().for_each(|sent| self.leaves(sent));
        }
        self.record();
        let wait = self.pick(&[0, 0, 10, 30, 200, 1_100]);
        for (_, sent) in self.world.pass(Duration::from_millis(wait)) {
            self.leaves(sent);
        }
    }

    /// Whether a packet goes up to the engine; if not, it gets just what its sender has got for it before.
    fn passes(&mut self, (socket, peer, bytes): &Incoming) -> bool {
        let Socket::Service(service) = *socket else { return true };
        match self.kernel.fate(service, *peer, bytes) {
            Fate::Passed => return true,
            Fate::Absorbed => self.spared.0 += 1,
            Fate::Answered(reply) => {
                assert_eq!(self.answers.get(&(service, *peer, bytes.clone())), Some(&reply));
                self.spared.1 += 1;
            }
        }
        false
    }

    fn reload(&mut self) {
        // It may prove nothing, and then would be taken for a request by a secret that it was not made with.
        self.stubborn = None;
        if self.one_in(3) {
            self.secrets = (self.secrets.0 + 1, Some(self.secrets.0));
        } else if self.one_in(2) {
            self.secrets.1 = None;
        }
        let kinds = [
            PoolKind::FailOver,
            PoolKind::LoadBalance,
            PoolKind::ClientBalance,
            PoolKind::KeyedBalance(AttributeId::Plain(attr::USER_NAME)),
        ];
        let kind = self.pick(&kinds);
        let mut auth: Vec<_> = [HOME_1, HOME_2, HOME_3].into_iter().filter(|_| !self.one_in(4)).collect();
        if auth.is_empty() {
            auth = vec![HOME_2];
        }
        let acct = self.pick(&[&[ACCT_2][..], &[ACCT_1, ACCT_2]]).to_vec();
        let (names, max_outstanding) = (self.random.next_u32() % 3, self.pick(&[3, 40, 65_536]));
        let wanted = [HomeService::Up, HomeService::Up, HomeService::Draining, HomeService::Down];
        let services = [HOME_1, HOME_2, ACCT_1].map(|at| (at, self.pick(&wanted)));
        let is_there = !self.one_in(6);
        let (turn, secrets, extras) = (Turn(self.random.next_u32()), self.secrets, self.extras.clone());
        self.older.push(Arc::downgrade(&self.world.snapshot));
        self.world.reload(|plan| {
            (plan.kind, plan.auth, plan.acct) = (kind, auth, acct);
            (plan.names, plan.max_outstanding, plan.services) = (names, max_outstanding, services.into());
            plan.clients[2] = is_there.then(|| (NAS_2, 0, b"unused".to_vec()));
            plan.shape = Arc::new(move |snapshot| turn.apply(snapshot, &extras, secrets));
        });
    }

    /// A request that nobody has sent before, though others had its identifier.
    fn request(&mut self) -> Incoming {
        self.users += 1;
        let user = format!("u{}", self.users);
        let number = match self.secrets {
            (now, Some(before)) => self.pick(&[now, before]),
            (now, None) => now,
        };
        let secret = client_secret(number);
        let id = (self.random.next_u32() % 40) as u8;
        let at = self.pick(&CLIENTS);
        let peer = SocketAddr::new(address(at).ip(), 40_000 + (self.random.next_u32() % 2) as u16);
        let (service, peer, bytes) = match self.random.next_u32() % 18 {
            0..=8 => (AUTH, peer, self.access(id, peer, &user, &secret)),
            9..=12 => (ACCT, peer, record(id, &user, Some("a.example"), 1, &secret)),
            13 => (ACCT, peer, record(id, &user, None, 7, &secret)),
            16 => {
                let peer = address(self.pick(&PGWS));
                (AUTH, peer, self.access(id, peer, &user, &secret))
            }
            17 => (ACCT, address(self.pick(&PGWS)), record(id, &user, Some("a.example"), 1, &secret)),
            _ => {
                let code = self.pick(&[Code::COA_REQUEST, Code::DISCONNECT_REQUEST]);
                let nas = self.pick(&[[192, 0, 2, 10], [192, 0, 2, 10], [10, 9, 8, 7]]);
                let builder = RequestBuilder::new(code, id, [0; 16])
                    .attribute(attr::ACCT_SESSION_ID, &user)
                    .attribute(attr::NAS_IP_ADDRESS, nas)
                    .attribute(attr::PROXY_STATE, &user);
                (DYNAUTH, address(SENDER), builder.build(&secret).unwrap())
            }
        };
        self.asked.push(Asked { service, peer, bytes: bytes.clone(), secret, number, user });
        (Socket::Service(service), peer, bytes)
    }

    fn access(&mut self, id: u8, peer: SocketAddr, user: &str, secret: &Secret) -> Vec<u8> {
        let mut authenticator = [0; 16];
        self.random.fill_bytes(&mut authenticator);
        let realm = self.pick(&["a.example", "a.example", "a.example", "a.example", "nowhere.example", "b.example"]);
        let builder = RequestBuilder::new(Code::ACCESS_REQUEST, id, authenticator)
            .attribute(attr::USER_NAME, format!("{user}@{realm}"));
        let held = self.states.iter().rposition(|(at, _)| *at == peer.ip());
        let builder = match held.filter(|_| self.one_in(2)) {
            Some(place) => {
                let (_, state) = self.states.remove(place);
                builder
                    .attribute(attr::STATE, state)
                    .attribute(attr::EAP_MESSAGE, [2, id, 0, 5, 13])
                    .message_authenticator()
            }
            None if self.one_in(3) => {
                builder.attribute(attr::EAP_MESSAGE, [2, id, 0, 6, 1, b'x']).message_authenticator()
            }
            None if self.one_in(2) => builder.user_password(b"opensesame", secret),
            None => {
                let builder = builder.user_password(b"opensesame", secret).attribute(attr::PROXY_STATE, user);
                builder.attribute(attr::PROXY_STATE, "the other").message_authenticator()
            }
        };
        builder.build(secret).unwrap()
    }

    /// Something that was sent not long ago, again.
    fn repetition(&mut self) -> Option<Incoming> {
        let recent = self.asked.len().min(60);
        let back = self.random.next_u32() as usize % recent.max(1);
        let asked = self.asked.get(self.asked.len().checked_sub(1 + back)?)?;
        // What proves nothing is answered by the secret in force, whatever it was made with.
        let is_proven =
            asked.bytes[0] != Code::ACCESS_REQUEST.0 || scan(&asked.bytes).unwrap().message_authenticator.is_some();
        if !is_proven && asked.number != self.secrets.0 && Some(asked.number) != self.secrets.1 {
            return None;
        }
        Some((Socket::Service(asked.service), asked.peer, asked.bytes.clone()))
    }

    /// What a server that was asked says, if anything.
    fn reply(&mut self, packets: &mut Vec<Incoming>) {
        if self.sent.is_empty() {
            return;
        }
        let place = self.random.next_u32() as usize % self.sent.len();
        let sent = if self.one_in(6) { self.sent[place].clone() } else { self.sent.swap_remove(place) };
        if self.silent.is_some_and(|silent| address(silent) == sent.path.peer) {
            return;
        }
        let marker = marker(&sent.bytes);
        let mut state = [0; 20];
        self.random.fill_bytes(&mut state);
        let codes: &[Code] = match Code(sent.bytes[0]) {
            Code::ACCESS_REQUEST => &[Code::ACCESS_ACCEPT, Code::ACCESS_REJECT, Code::ACCESS_CHALLENGE],
            Code::ACCOUNTING_REQUEST => &[Code::ACCOUNTING_RESPONSE],
            Code::COA_REQUEST => &[Code::COA_ACK, Code::COA_NAK],
            _ => &[Code::DISCONNECT_ACK, Code::DISCONNECT_NAK],
        };
        let code = if self.one_in(20) { Code::ACCESS_ACCEPT } else { self.pick(codes) };
        let mut attrs: Vec<(u8, &[u8])> = vec![(attr::REPLY_MESSAGE, &marker)];
        if code == Code::ACCESS_CHALLENGE {
            attrs.push((attr::STATE, &state));
        }
        if code == Code::ACCESS_ACCEPT {
            attrs.push((attr::SESSION_TIMEOUT, &[0, 0, 14, 16]));
            attrs.extend(self.one_in(8).then_some((attr::SERVICE_TYPE, &[0, 0, 0, 6][..])));
        }
        let mut buf = Buf::new();
        let authenticator = sent.bytes[4..20].try_into().unwrap();
        let secret = server_secret(sent.path.peer);
        write_reply(&mut buf, code, sent.bytes[1], &authenticator, &secret, &sent.bytes, &attrs).unwrap();
        if self.one_in(10) {
            buf.bytes_mut()[5] ^= 1;
        }
        packets.push((sent.path.socket, sent.path.peer, buf.bytes().to_vec()));
    }

    /// A packet leaves the proxy: it has to be right for whoever gets it.
    fn leaves(&mut self, sent: Sent) {
        *self.got.entry(sent.bytes[0]).or_default() += 1;
        if sent.to_client() {
            return self.at_client(&sent);
        }
        let mut buf = Buf::new();
        buf.load(&sent.bytes).unwrap();
        let layout = scan(buf.bytes()).unwrap();
        let policy = RequestPolicy { require_message_authenticator: true, limit_proxy_state: true };
        verify_request(&buf, &layout, &server_secret(sent.path.peer), policy).unwrap();
        let marker = marker(&sent.bytes);
        assert!(self.asked.iter().rev().any(|asked| asked.user.as_bytes() == marker), "asked by nobody");
        self.sent.push(sent);
        if self.sent.len() > 400 {
            self.sent.remove(0);
        }
    }

    fn at_client(&mut self, sent: &Sent) {
        let Socket::Service(service) = sent.path.socket else { return };
        let mut buf = Buf::new();
        buf.load(&sent.bytes).unwrap();
        let layout = scan(buf.bytes()).unwrap();
        let answered = self.asked.iter().rev().find(|asked| {
            let authenticator = asked.bytes[4..20].try_into().unwrap();
            (asked.service, asked.peer, asked.bytes[1]) == (service, sent.path.peer, layout.id)
                && verify_reply(&buf, &layout, &authenticator, &asked.secret, true).is_ok()
        });
        let asked = answered.expect("an answer to somebody's request");
        self.answers.insert((service, asked.peer, asked.bytes.clone()), sent.bytes.clone());
        assert!(layout.code.answers(Code(asked.bytes[0])));
        let is_shared = PGWS.map(address).contains(&sent.path.peer);
        let is_refused_or_kept = matches!(layout.code, Code::ACCESS_REJECT | Code::ACCOUNTING_RESPONSE);
        assert!(!is_shared || is_refused_or_kept, "nothing is served there");
        let said = attributes(&sent.bytes).find(|it| it.number == attr::REPLY_MESSAGE);
        assert!(said.is_none_or(|said| said.value == asked.user.as_bytes()), "somebody else's answer");
        let states = |packet| {
            attributes(packet)
                .filter(|it| it.number == attr::PROXY_STATE)
                .map(|it| it.value.to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(states(&sent.bytes), states(&asked.bytes), "its own Proxy-States, in their order");
        assert!(layout.service_type.is_none());
        if layout.code == Code::ACCESS_CHALLENGE
            && let Some(state) = layout.state
        {
            self.states.push((sent.path.peer.ip(), state.of(&sent.bytes).to_vec()));
        }
    }

    /// Everybody stops.
    fn end(&mut self, seed: u64) {
        self.world.no_ports = false;
        self.older.push(Arc::downgrade(&self.world.snapshot));
        self.world.reload(|_| {});
        for (_, sent) in self.world.pass(Duration::from_secs(240)) {
            self.leaves(sent);
        }
        assert_eq!(self.world.engine.in_flight(), 0, "seed {seed}");
        for home in self.world.snapshot.homes.iter().flatten() {
            assert_eq!(home.stats.sum(|stats| &stats.outstanding), 0, "seed {seed}: {}", home.name);
        }
        assert_eq!(self.world.stats.remembered.read(), 0, "seed {seed}");
        assert!(self.older.iter().all(|older| older.strong_count() == 0), "seed {seed}: an old snapshot is held");
        assert_eq!(self.world.ports.len(), 1, "seed {seed}");
        assert_eq!(self.kernel.len(), 0, "seed {seed}: published for nobody");
        assert!(self.spared.0 > 0 && self.spared.1 > 20, "seed {seed}: {:?}", self.spared);
    }
}

fn run(seed: u64, steps: u32, limits: Limits) -> Upheaval {
    let mut upheaval = Upheaval::new(seed, limits);
    for _ in 0..steps {
        upheaval.step();
    }
    upheaval.end(seed);
    upheaval
}

#[test]
fn whatever_happens_the_books_agree_and_everybody_gets_his_own() {
    let (mut dropped, mut limited) = ([0; 4], 0);
    for seed in 0..SEEDS {
        let upheaval = run(seed, 300, Limits { max_ports: 4, ..Limits::default() });
        for code in [1, 2, 3, 4, 5, 11, 40, 41, 42, 43, 44, 45] {
            assert!(upheaval.got.contains_key(&code), "seed {seed}: no packet of code {code} has left");
        }
        let reasons = [Reason::ClientRate, Reason::SessionRate, Reason::NewSessionRate, Reason::ShedStart];
        for (count, reason) in dropped.iter_mut().zip(reasons) {
            *count += upheaval.world.dropped(reason);
        }
        limited += upheaval.world.stats.rejected_limited.read();
    }
    assert!(dropped.iter().all(|count| *count > 0) && limited > 0, "{dropped:?}, {limited}");
}

#[test]
fn nor_does_a_table_that_is_always_full_change_that() {
    for seed in 100..100 + SEEDS {
        let limits = Limits { max_requests: 60, max_delayed_rejects: 4, max_ports: 2, ..Limits::default() };
        run(seed, 300, limits);
    }
}
