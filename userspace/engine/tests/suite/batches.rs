//! A batch has the effect that its packets would have one by one.
//!
//! Two worlds get the same packets at the same times: one in batches, one packet after packet. What becomes of each packet is
//! the same, with exactly one exception: a request repeated in the batch that answers it is absorbed, since the answer leaves
//! with that very batch. Alone, it would get the answer a second time.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use crate::common::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits, Time,
    packet::{Action, BATCH, Socket},
    snapshot::{HomeKind, NasKey, PoolId, Require, RoutingSnapshot, Strip, Verdict},
};
use sekisho_wire::{
    attr,
    buf::Buf,
    build::{RequestBuilder, write_reply},
    code::Code,
    scan::scan,
    secret::Secret,
    verify::verify_reply,
};

/// The last three: of a second pool for accounting, where the first pool's accounting is copied to, and a NAS that takes CoA.
const HOMES: [&str; 6] = [HOME_1, HOME_2, ACCT_1, "198.51.100.31:1813", "198.51.100.32:1813", dynauth::NAS_AT];

/// A request that a NAS makes, once or more often.
struct Asked {
    socket: Socket,
    peer: SocketAddr,
    bytes: Vec<u8>,
}

/// A packet of a script; numbers are places in the list of requests.
#[derive(Clone, Copy, Debug)]
enum What {
    Request(usize),
    /// With its last octet changed.
    Mangled(usize),
    /// Without its last octet.
    Cut(usize),
    Reply(usize, How),
}

#[derive(Clone, Copy, Debug)]
enum How {
    Right,
    Forged,
    /// To any of the copies that were sent.
    ToAny(usize),
    /// To the first copy that was sent to a home server, which need not be the last.
    ToTheFirstCopy,
    /// As long as a packet can be, and without the Proxy-States.
    Huge,
    /// With a code that answers something else.
    WrongCode,
}

/// What became of a packet, in words that do not depend on random numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    /// There was nothing to reply to.
    NotSent,
    ToHome(SocketAddr, usize),
    ToClient(u8, usize),
    Held,
    Dropped(Reason),
}

struct Script {
    random: ChaCha8Rng,
    asked: Vec<Asked>,
}

impl Script {
    fn new(seed: u64) -> Script {
        let random = ChaCha8Rng::seed_from_u64(seed);
        Script { random, asked: Vec::new() }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.random.next_u32() as usize % bound
    }

    fn round(&mut self) -> Vec<What> {
        (0..self.below(40)).map(|_| self.packet()).collect()
    }

    fn packet(&mut self) -> What {
        // Mostly what is recent: the old is forgotten.
        let back = 1 + self.below(24);
        let (dice, recent) = (self.below(20), self.asked.len().checked_sub(back));
        match (dice, recent) {
            (0..6, _) | (_, None) => self.request(),
            (6..11, Some(n)) => What::Request(n),
            (11, Some(n)) => What::Mangled(n),
            (12, Some(n)) => What::Cut(n),
            (13, Some(n)) => What::Reply(n, How::Forged),
            (14, Some(n)) => What::Reply(n, How::ToTheFirstCopy),
            (15, Some(n)) => What::Reply(n, [How::Huge, How::WrongCode][self.below(2)]),
            (16, Some(n)) => What::Reply(n, How::ToAny(self.below(6))),
            (_, Some(n)) => What::Reply(n, How::Right),
        }
    }

    fn request(&mut self) -> What {
        let n = self.asked.len();
        let (id, mut authenticator) = (self.below(6) as u8, [0; 16]);
        self.random.fill_bytes(&mut authenticator);
        let nas = [NAS, NAS, "192.0.2.10:40001", NAS_B][self.below(4)];
        let realm = ["a.example", "a.example", "a.example", "nowhere.example"][self.below(4)];
        let user = format!("{n}@{realm}");
        if self.below(10) == 0 {
            return self.dynauth_request(id, &user);
        }
        let (service, bytes) = match self.below(9) {
            0..2 => (ACCT, accounting(id, &user, 1)),
            // Accounting-On.
            8 => (ACCT, accounting(id, &n.to_string(), 7)),
            2 => (
                AUTH,
                RequestBuilder::new(Code::STATUS_SERVER, id, authenticator)
                    .message_authenticator()
                    .build(&nas_secret())
                    .unwrap(),
            ),
            kind => {
                let mut builder =
                    RequestBuilder::new(Code::ACCESS_REQUEST, id, authenticator).attribute(attr::USER_NAME, &user);
                if kind == 3 {
                    builder = builder.attribute(attr::PROXY_STATE, "of the client");
                }
                let builder = builder.user_password(b"opensesame", &nas_secret());
                let builder = if kind == 4 { builder } else { builder.message_authenticator() };
                (AUTH, builder.build(&nas_secret()).unwrap())
            }
        };
        self.asked.push(Asked { socket: Socket::Service(service), peer: address(nas), bytes });
        What::Request(n)
    }

    /// CoA or Disconnect: for the NAS, for nobody's, or for another's session.
    fn dynauth_request(&mut self, id: u8, user: &str) -> What {
        let code = [Code::COA_REQUEST, Code::DISCONNECT_REQUEST][self.below(2)];
        let nas = [dynauth::V4, dynauth::V4, dynauth::V4, [10, 1, 2, 3]][self.below(4)];
        let builder = RequestBuilder::new(code, id, [0; 16])
            .attribute(attr::USER_NAME, user)
            .attribute(attr::NAS_IP_ADDRESS, nas);
        let builder = if self.below(2) == 0 { builder } else { builder.message_authenticator() };
        let bytes = builder.build(&nas_secret()).unwrap();
        self.asked.push(Asked { socket: Socket::Service(DYNAUTH), peer: address(dynauth::SENDER), bytes });
        What::Request(self.asked.len() - 1)
    }
}

/// One of the two worlds, and what its home servers have got.
struct Side {
    world: World,
    copies: HashMap<usize, Vec<Sent>>,
    /// Answers to an Accounting-On that left.
    answered_by_several: u32,
}

impl Side {
    fn new(limits: Limits, reject_delay: Duration) -> Side {
        let servers = [3, 4].map(|number| Extra::new(number, HOMES[number], HomeKind::Acct));
        let nas = Extra::new(5, HOMES[5], HomeKind::DynAuth);
        let shape = move |snapshot: &mut RoutingSnapshot| {
            servers.iter().for_each(|server| server.join(snapshot, 0));
            snapshot.pools[0].copies = vec![servers[1].id()];
            snapshot.pools.push(acct_pool("second", 0, &[&servers[0]]));
            customer(snapshot, 0).acct_pools = vec![PoolId(0), PoolId(1)];
            nas.join(snapshot, 0);
            customer(snapshot, 0).nases = [(NasKey::Address(address(HOMES[5]).ip()), nas.id())].into();
            dynauth::sender(snapshot, 2, dynauth::SENDER, 0);
            snapshot.pools[0].strip = Strip::Realm;
            let client = client(snapshot, 0);
            client.require_message_authenticator = Require::Auto;
            client.previous_secret = Some(Secret::new("the secret before").unwrap());
            client.when_unanswered = Verdict::Reject;
        };
        let plan = Plan { reject_delay, ..Plan::shaped(shape) };
        Side { world: World::with(plan, limits), copies: HashMap::new(), answered_by_several: 0 }
    }

    fn packet(&self, asked: &[Asked], what: What) -> Option<(Socket, SocketAddr, Vec<u8>)> {
        let from_nas = |n: usize| (asked[n].socket, asked[n].peer, asked[n].bytes.clone());
        Some(match what {
            What::Request(n) => from_nas(n),
            What::Mangled(n) => {
                let (socket, peer, mut bytes) = from_nas(n);
                *bytes.last_mut()? ^= 1;
                (socket, peer, bytes)
            }
            What::Cut(n) => {
                let (socket, peer, mut bytes) = from_nas(n);
                bytes.pop();
                (socket, peer, bytes)
            }
            What::Reply(n, how) => {
                let copies = self.copies.get(&n)?;
                let sent = match how {
                    How::ToTheFirstCopy => copies.first()?,
                    How::ToAny(which) => &copies[which % copies.len()],
                    _ => copies.last()?,
                };
                (sent.path.socket, sent.path.peer, reply_to(sent, n, how))
            }
        })
    }

    /// Handles packets in batches of the sizes that `size` gives; outcomes, with the number of the batch.
    fn handle(&mut self, asked: &[Asked], round: &[What], mut size: impl FnMut() -> usize) -> Vec<(usize, Outcome)> {
        let packets: Vec<_> = round.iter().map(|what| self.packet(asked, *what)).collect();
        let (mut done, mut batch, mut outcomes) = (0, 0, Vec::new());
        while done < packets.len() {
            let end = (done + size().clamp(1, BATCH)).min(packets.len());
            let present: Vec<_> = packets[done..end].iter().flatten().cloned().collect();
            let mut results = self.world.receive_all(&present).into_iter();
            for packet in &packets[done..end] {
                let outcome = match packet.as_ref().and_then(|_| results.next()) {
                    None => Outcome::NotSent,
                    Some((Action::Hold, _)) => Outcome::Held,
                    Some((Action::Drop(reason), _)) => Outcome::Dropped(reason),
                    Some((Action::Send(_), sent)) => self.left(asked, &sent.unwrap()),
                };
                outcomes.push((batch, outcome));
            }
            (done, batch) = (end, batch + 1);
        }
        outcomes
    }

    fn pass(&mut self, asked: &[Asked], duration: Duration) -> Vec<(Time, Outcome)> {
        let sent = self.world.pass(duration);
        sent.into_iter().map(|(at, sent)| (at, self.left(asked, &sent))).collect()
    }

    /// A packet has left: its receiver verifies it, whoever that is.
    fn left(&mut self, asked: &[Asked], sent: &Sent) -> Outcome {
        if sent.to_client() {
            let n = asked.iter().rposition(|asked| answers(sent, asked)).expect("a reply that its NAS accepts");
            let whole_nas = scan(&asked[n].bytes).unwrap().acct_status(&asked[n].bytes) == Some(7);
            self.answered_by_several += u32::from(whole_nas && asked[n].peer != address(NAS_B));
            return Outcome::ToClient(sent.bytes[0], n);
        }
        let home = HOMES.iter().position(|home| address(home) == sent.path.peer).unwrap();
        let attrs = verified_at_home(sent, home);
        assert_eq!(proxy_states(&attrs).last().unwrap(), b"this one");
        let user = attrs.into_iter().find(|(number, _)| *number == attr::USER_NAME).unwrap().1;
        let n = String::from_utf8(user).unwrap().split('@').next().unwrap().parse().unwrap();
        let copies = self.copies.entry(n).or_default();
        if copies.last() != Some(sent) {
            copies.push(sent.clone());
        }
        Outcome::ToHome(sent.path.peer, n)
    }

    /// After a minute nothing is left.
    fn finish(&mut self, asked: &[Asked]) -> Vec<(Time, Outcome)> {
        let last = self.pass(asked, Duration::from_secs(60));
        let stats = &self.world.stats;
        assert_eq!((self.world.engine.in_flight(), stats.in_flight.read(), stats.remembered.read()), (0, 0, 0));
        for home in self.world.snapshot.homes.iter().flatten() {
            assert_eq!(home.stats.sum(|stats| &stats.outstanding), 0);
        }
        last
    }
}

fn answers(sent: &Sent, asked: &Asked) -> bool {
    if (sent.path.socket, sent.path.peer, sent.bytes[1]) != (asked.socket, asked.peer, asked.bytes[1]) {
        return false;
    }
    let mut buf = Buf::new();
    buf.load(&sent.bytes).unwrap();
    let layout = scan(buf.bytes()).unwrap();
    verify_reply(&buf, &layout, asked.bytes[4..20].try_into().unwrap(), &nas_secret(), true).is_ok()
}

fn reply_to(sent: &Sent, n: usize, how: How) -> Vec<u8> {
    let home = HOMES.iter().position(|home| address(home) == sent.path.peer).unwrap();
    let right = match (sent.bytes[0], n % 5) {
        (4, _) => Code::ACCOUNTING_RESPONSE,
        (40, 0) => Code::DISCONNECT_NAK,
        (40, _) => Code::DISCONNECT_ACK,
        (43, 0) => Code::COA_NAK,
        (43, _) => Code::COA_ACK,
        (_, 0) => Code::ACCESS_REJECT,
        (_, 1) => Code::ACCESS_CHALLENGE,
        _ => Code::ACCESS_ACCEPT,
    };
    match how {
        How::Right | How::ToTheFirstCopy | How::ToAny(_) => {
            home_reply(sent, home, right, &[(attr::REPLY_MESSAGE, b"hello")])
        }
        How::Forged => home_reply(sent, home + 1, right, &[]),
        How::WrongCode if sent.bytes[0] == 4 => home_reply(sent, home, Code::ACCESS_ACCEPT, &[]),
        How::WrongCode => home_reply(sent, home, Code::ACCOUNTING_RESPONSE, &[]),
        How::Huge => {
            let mut attrs = vec![(attr::CLASS, &[7; 253][..]); 15];
            attrs.push((attr::CLASS, &[7; 231]));
            let authenticator = sent.bytes[4..20].try_into().unwrap();
            let mut buf = Buf::new();
            write_reply(&mut buf, right, sent.bytes[1], &authenticator, &home_secret(home), &[], &attrs).unwrap();
            buf.bytes().to_vec()
        }
    }
}

fn some_time(script: &mut Script) -> Duration {
    let most = [20, 20, 1_500, 4_000, 12_000][script.below(5)];
    Duration::from_millis(script.below(most) as u64)
}

#[test]
fn a_batch_has_the_effect_of_its_packets_one_by_one() {
    let (mut absorbed, mut answered_by_several) = (0, 0);
    for seed in 0..24 {
        let delay = Duration::from_millis(500 * (seed % 3));
        let mut script = Script::new(seed);
        let mut together = Side::new(Limits::default(), delay);
        let mut alone = Side::new(Limits::default(), delay);
        for number in 0..40 {
            let round = script.round();
            let sizes: Vec<usize> = round.iter().map(|_| 1 + script.below(40)).collect();
            let mut sizes = sizes.into_iter();
            let batched = together.handle(&script.asked, &round, || sizes.next().unwrap_or(1));
            let single = alone.handle(&script.asked, &round, || 1);
            for (place, ((batch, got), (_, expected))) in batched.iter().zip(&single).enumerate() {
                let before = batched[..place].iter().filter(|(other, _)| other == batch);
                let answered_in_this_batch = |n| {
                    let mut before = before.clone();
                    before.any(|(_, outcome)| matches!(outcome, Outcome::ToClient(_, other) if *other == n))
                };
                match (round[place], got, expected) {
                    // What is mangled is a request too, if its client did not sign it.
                    (
                        What::Request(n) | What::Mangled(n),
                        Outcome::Dropped(Reason::Absorbed),
                        Outcome::ToClient(_, m),
                    ) if n == *m && answered_in_this_batch(n) => {
                        absorbed += 1;
                    }
                    (what, got, expected) => {
                        assert_eq!(got, expected, "seed {seed}, round {number}, {place}: {what:?}")
                    }
                }
            }
            let time = some_time(&mut script);
            let (got, expected) = (together.pass(&script.asked, time), alone.pass(&script.asked, time));
            assert_eq!(got, expected, "seed {seed}, after round {number}");
            if script.below(8) == 0 {
                together.world.reload(|_| ());
                alone.world.reload(|_| ());
            }
        }
        assert_eq!(together.finish(&script.asked), alone.finish(&script.asked), "seed {seed}");
        let counts = |side: &Side| {
            let stats = &side.world.stats;
            let repeated = stats.repeated.read() + side.world.dropped(Reason::Absorbed);
            let replies = &stats.replies;
            let counters = [&stats.forwarded, &stats.superseded, &stats.failed_over, &stats.expired, &stats.fanned_out];
            let dynauth = [&replies.coa_ack, &replies.coa_nak, &replies.disconnect_ack, &replies.disconnect_nak];
            let counters = counters.into_iter().chain([&replies.accept, &replies.accounting]).chain(dynauth);
            let homes = side.world.snapshot.homes.iter().flatten();
            let copies =
                homes.map(|home| home.stats.sum(|stats| &stats.copies) + home.stats.sum(|it| &it.copies_skipped));
            counters.map(|counter| counter.read()).chain([repeated]).chain(copies).collect::<Vec<_>>()
        };
        assert_eq!(counts(&together), counts(&alone), "seed {seed}");
        answered_by_several += together.answered_by_several;
    }
    assert!(answered_by_several > 10, "Accounting-On is answered when all have it: {answered_by_several}");
    assert!(absorbed > 20, "the exception occurs: {absorbed}");
}

#[test]
fn whatever_comes_in_a_batch_no_unsealed_packet_leaves_and_nothing_is_lost_for_ever() {
    for seed in 100..130 {
        // Room for so little that answers are forgotten early, and by the very batch that they are sent in.
        let limits = Limits { max_requests: 4, max_delayed_rejects: 1, ..Limits::default() };
        let mut script = Script::new(seed);
        let mut side = Side::new(limits, Duration::from_millis(300));
        for _ in 0..60 {
            let round = script.round();
            side.handle(&script.asked, &round, || BATCH);
            let time = some_time(&mut script);
            side.pass(&script.asked, time);
            if script.below(8) == 0 {
                side.world.reload(|_| ());
            }
        }
        side.finish(&script.asked);
        assert!(side.world.stats.forwarded.read() > 50, "seed {seed}");
    }
}

#[test]
fn a_request_repeated_in_the_batch_that_answers_it_is_absorbed() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    let reply = (sent.path.socket, sent.path.peer, home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    let again = (Socket::Service(AUTH), address(NAS), request.clone());
    let outcomes = world.receive_all(&[reply, again]);
    verified_at_nas(outcomes[0].1.as_ref().unwrap(), &request);
    assert_eq!(outcomes[1].0, Action::Drop(Reason::Absorbed));
    assert_eq!(world.ask(&request), outcomes[0].1, "in the next batch it gets the answer");
}

#[test]
fn a_request_repeated_in_the_batch_in_which_another_took_its_place_takes_its_place_back() {
    let mut world = World::new();
    let (old, new) = (pap(1, "alice@a.example", 1), pap(1, "alice@a.example", 2));
    world.ask(&old).unwrap();
    let from_nas = |bytes: &[u8]| (Socket::Service(AUTH), address(NAS), bytes.to_vec());
    let outcomes = world.receive_all(&[from_nas(&new), from_nas(&old)]);
    assert!(outcomes[0].1.is_some(), "the new one is served");
    let sent = outcomes[1].1.clone().expect("the old one begins again");
    let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.unwrap(), &old);
}
