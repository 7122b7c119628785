//! What is told to the kernel of requests that are being repeated, so that repetitions do not reach the engine (rule 12).

use std::{sync::Arc, time::Duration};

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

const STEP: Duration = Duration::from_millis(20);

/// A world with a kernel in front.
struct Fronted {
    world: World,
    kernel: Arc<Kernel>,
    /// Packets that came up to the engine.
    seen: u32,
}

impl Fronted {
    fn new() -> Fronted {
        Fronted::with(Plan::default(), Limits::default())
    }

    fn with(plan: Plan, limits: Limits) -> Fronted {
        let kernel = Kernel::with_room(64);
        let world = World::with(Plan { kernel: Some(Arc::clone(&kernel)), ..plan }, limits);
        Fronted { world, kernel, seen: 0 }
    }

    /// What the kernel does with a packet, and what the engine sends if it gets it.
    fn ask_at(&mut self, service: u16, packet: &[u8]) -> (Fate, Option<Sent>) {
        self.kernel.set_now(self.world.now);
        let fate = self.kernel.fate(service, address(NAS), packet);
        if fate != Fate::Passed {
            return (fate, None);
        }
        self.seen += 1;
        (fate, self.world.receive(Socket::Service(service), address(NAS), packet).1)
    }

    fn ask(&mut self, packet: &[u8]) -> (Fate, Option<Sent>) {
        self.ask_at(AUTH, packet)
    }

    fn accept(&mut self, sent: &Sent) -> Sent {
        self.world.answer(sent, &home_reply(sent, 0, Code::ACCESS_ACCEPT, &[(18, b"hi")])).1.unwrap()
    }
}

#[test]
fn of_a_storm_of_eight_copies_the_engine_sees_two() {
    let mut front = Fronted::new();
    let request = pap(1, "alice@a.example", 1);
    let (_, sent) = front.ask(&request);
    let sent = sent.unwrap();
    for copy in 1..8 {
        front.world.pass(STEP);
        let expected = if copy == 1 { Fate::Passed } else { Fate::Absorbed };
        assert_eq!(front.ask(&request), (expected, None), "copy {copy}");
    }
    assert_eq!((front.seen, front.world.dropped(Reason::Absorbed)), (2, 1));
    let back = front.accept(&sent);
    for _ in 0..8 {
        front.world.pass(STEP);
        assert_eq!(front.ask(&request), (Fate::Answered(back.bytes.clone()), None));
    }
    assert_eq!((front.seen, front.world.stats.forwarded.read()), (2, 1));
}

#[test]
fn a_request_that_is_not_repeated_is_not_published() {
    let mut front = Fronted::new();
    let (_, sent) = front.ask(&pap(1, "alice@a.example", 1));
    assert_eq!(front.kernel.len(), 0);
    front.accept(&sent.unwrap());
    assert_eq!(front.kernel.len(), 0);
}

#[test]
fn copies_back_to_back_are_one_request_and_publish_nothing() {
    let mut front = Fronted::new();
    let request = pap(1, "alice@a.example", 1);
    let all = vec![(Socket::Service(AUTH), address(NAS), request.clone()); 8];
    let sent = front.world.receive_all(&all).into_iter().filter(|(_, sent)| sent.is_some()).count();
    assert_eq!((sent, front.kernel.len()), (1, 0));
    assert_eq!(front.world.dropped(Reason::Absorbed), 7);
}

#[test]
fn the_repetition_that_the_server_has_to_get_comes_through() {
    let mut front = Fronted::new();
    let request = pap(1, "alice@a.example", 1);
    let (_, first) = front.ask(&request);
    front.world.pass(Duration::from_millis(500));
    assert_eq!(front.ask(&request), (Fate::Passed, None));
    front.world.pass(Duration::from_millis(490));
    assert_eq!(
        front.ask(&request).0,
        Fate::Absorbed,
        "the window ends a second after the sending, not after a repetition"
    );
    front.world.pass(Duration::from_millis(10));
    assert_eq!(front.ask(&request), (Fate::Passed, first), "after the window it goes on, as the same octets");
    front.world.pass(Duration::from_millis(990));
    assert_eq!(front.ask(&request).0, Fate::Absorbed, "and the window begins anew");
    assert_eq!(front.world.stats.retransmitted.read(), 1);
}

#[test]
fn an_answer_is_repeated_until_it_is_forgotten() {
    let mut front = Fronted::new();
    let request = pap(1, "alice@a.example", 1);
    let (_, sent) = front.ask(&request);
    let back = front.accept(&sent.unwrap());
    front.world.pass(Duration::from_secs(1));
    assert_eq!(front.ask(&request), (Fate::Passed, Some(back.clone())), "the first repetition");
    front.world.pass(Duration::from_millis(8_990));
    assert_eq!(front.ask(&request), (Fate::Answered(back.bytes), None));
    front.world.pass(Duration::from_millis(10));
    assert_eq!(front.kernel.fate(AUTH, address(NAS), &request), Fate::Passed);
    front.world.pass(Duration::from_secs(1));
    assert_eq!(front.kernel.len(), 0);
}

#[test]
fn nobody_gets_the_answer_to_another_body() {
    let mut front = Fronted::new();
    let request = pap(1, "alice@a.example", 1);
    let (_, sent) = front.ask(&request);
    front.ask(&request);
    front.accept(&sent.unwrap());
    assert!(matches!(front.ask(&request).0, Fate::Answered(_)));
    let other = pap(1, "bobby@a.example", 1);
    assert_eq!(request[..20], other[..20], "the same identifier, authenticator and length");
    let (fate, sent) = front.ask(&other);
    assert!(fate == Fate::Passed && !sent.unwrap().to_client());
    assert_eq!(front.kernel.len(), 0, "superseded: the first one's answer is withdrawn");
    assert_eq!(front.kernel.fate(AUTH, address("192.0.2.10:40001"), &request), Fate::Passed);
}

#[test]
fn what_is_superseded_in_flight_is_withdrawn() {
    let mut front = Fronted::new();
    let request = pap(1, "alice@a.example", 1);
    front.ask(&request);
    front.ask(&request);
    assert_eq!(front.kernel.len(), 1);
    front.ask(&pap(1, "alice@a.example", 2));
    assert_eq!(front.kernel.len(), 0);
    assert!(front.ask(&request).1.is_some(), "a request like any other");
}

#[test]
fn what_nobody_answers_is_withdrawn() {
    let plan = Plan { answer_within: Duration::from_millis(900), ..Plan::default() };
    let mut front = Fronted::with(plan, Limits::default());
    let request = pap(1, "alice@a.example", 1);
    front.ask(&request);
    front.ask(&request);
    assert_eq!(front.kernel.len(), 1);
    front.world.pass(Duration::from_secs(1));
    assert_eq!((front.kernel.len(), front.world.engine.in_flight()), (0, 0));
}

#[test]
fn the_oldest_answers_make_room_and_are_withdrawn() {
    let mut front = Fronted::with(Plan::default(), Limits { max_requests: 2, ..Limits::default() });
    for id in 0..4 {
        let request = pap(id, "alice@a.example", 1);
        let (_, sent) = front.ask(&request);
        front.accept(&sent.unwrap());
        front.ask(&request);
        assert!(matches!(front.ask(&request).0, Fate::Answered(_)));
    }
    assert_eq!(front.kernel.len(), 2);
}

#[test]
fn repetitions_of_what_is_refused_are_absorbed_until_the_reject_leaves_and_then_get_it() {
    let mut front = Fronted::new();
    let request = pap(1, "x@nowhere.example", 1);
    assert_eq!(front.ask(&request), (Fate::Passed, None));
    front.world.pass(STEP);
    assert_eq!(front.ask(&request), (Fate::Passed, None));
    for _ in 0..5 {
        front.world.pass(STEP);
        assert_eq!(front.ask(&request).0, Fate::Absorbed);
    }
    let back = front.world.pass(Duration::from_secs(1));
    assert_eq!(back.len(), 1);
    assert_eq!(back[0].1.bytes[0], Code::ACCESS_REJECT.0);
    assert_eq!(front.ask(&request).0, Fate::Answered(back[0].1.bytes.clone()));
    assert_eq!(front.seen, 2);
}

#[test]
fn a_reject_for_what_nobody_answers_is_published_in_the_place_of_the_request() {
    let plan = Plan::shaped(|snapshot| client(snapshot, 0).when_unanswered = sekisho_engine::snapshot::Verdict::Reject);
    let plan = Plan { answer_within: Duration::from_millis(900), ..plan };
    let mut front = Fronted::with(plan, Limits::default());
    let request = pap(1, "alice@a.example", 1);
    front.ask(&request);
    front.ask(&request);
    let back = front.world.pass(Duration::from_secs(1)).pop().unwrap().1;
    assert_eq!((back.bytes[0], front.ask(&request).0), (Code::ACCESS_REJECT.0, Fate::Answered(back.bytes)));
}

#[test]
fn after_a_reload_nothing_counts_that_was_published_before() {
    let mut front = Fronted::new();
    let (answered, waiting) = (pap(1, "alice@a.example", 1), pap(2, "alice@a.example", 2));
    let (_, sent) = front.ask(&answered);
    front.accept(&sent.unwrap());
    let (_, sent) = front.ask(&waiting);
    front.world.pass(STEP);
    front.ask(&answered);
    front.ask(&waiting);
    assert_eq!(front.kernel.len(), 2);
    front.world.reload(|_| {});
    front.accept(&sent.unwrap());
    assert_eq!(front.kernel.len(), 0, "nor is an answer published to what came before");
    for request in [&answered, &waiting] {
        let (fate, back) = front.ask(request);
        assert!(fate == Fate::Passed && back.clone().unwrap().to_client());
        assert_eq!(front.ask(request).0, Fate::Answered(back.unwrap().bytes), "verified again, and published again");
    }
}

#[test]
fn a_request_whose_place_was_given_away_is_published_anew() {
    let mut front = Fronted::new();
    let request = pap(1, "alice@a.example", 1);
    let (_, sent) = front.ask(&request);
    front.ask(&request);
    front.kernel.forget();
    let back = front.accept(&sent.unwrap());
    assert_eq!(front.kernel.len(), 0);
    assert_eq!(front.ask(&request), (Fate::Passed, Some(back.clone())));
    assert_eq!(front.ask(&request).0, Fate::Answered(back.bytes));
}

#[test]
fn accounting_and_its_fan_outs() {
    let mut front = Fronted::new();
    let request = accounting(1, "alice@a.example", 1);
    let (_, sent) = front.ask_at(ACCT, &request);
    front.ask_at(ACCT, &request);
    let sent = sent.unwrap();
    let back = front.world.answer(&sent, &home_reply(&sent, 2, Code::ACCOUNTING_RESPONSE, &[])).1.unwrap();
    assert_eq!(front.ask_at(ACCT, &request).0, Fate::Answered(back.bytes));
    // To several pools: who has not answered is to get it again, so the repetitions have to come here.
    let extra = Extra::new(5, "198.51.100.31:1813", sekisho_engine::snapshot::HomeKind::Acct);
    front.world.reload(|plan| {
        plan.reshape(move |snapshot| {
            extra.join(snapshot, 0);
            snapshot.pools.push(acct_pool("second", 0, &[&extra]));
            let both = [0, 1].map(sekisho_engine::snapshot::PoolId);
            customer(snapshot, 0).acct_pools = both.to_vec();
        });
    });
    let on = accounting(2, "", 7);
    front.ask_at(ACCT, &on);
    for _ in 0..4 {
        front.world.pass(STEP);
        assert_eq!(front.ask_at(ACCT, &on).0, Fate::Passed);
    }
}

#[test]
fn what_is_too_long_for_the_kernel_is_answered_here() {
    let mut front = Fronted::new();
    let long = |octets: usize| {
        let mut builder =
            RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16]).attribute(attr::USER_NAME, "a@a.example");
        for _ in 0..octets / 200 {
            builder = builder.attribute(attr::CLASS, [7; 198]);
        }
        builder.message_authenticator().build(&nas_secret()).unwrap()
    };
    let request = long(2_000);
    let (_, sent) = front.ask(&request);
    front.ask(&request);
    assert_eq!(front.kernel.len(), 0, "the request");
    let back = front.accept(&sent.unwrap());
    assert_eq!(front.ask(&request), (Fate::Passed, Some(back)));

    let request = pap(2, "alice@a.example", 2);
    let (_, sent) = front.ask(&request);
    front.ask(&request);
    assert_eq!(front.kernel.len(), 1);
    let sent = sent.unwrap();
    let class = [(18, &[b'x'; 200][..]); 9];
    let back = front.world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &class)).1.unwrap();
    assert_eq!(front.kernel.len(), 0, "its reply");
    assert_eq!(front.ask(&request), (Fate::Passed, Some(back)));
}

#[test]
fn octets_beyond_the_length_are_not_part_of_what_is_published() {
    let mut front = Fronted::new();
    let request = pap(1, "alice@a.example", 1);
    let padded = [&request[..], &[0; 7]].concat();
    front.ask(&padded);
    let action = front.world.receive(Socket::Service(AUTH), address(NAS), &padded).0;
    assert_eq!(action, Action::Drop(Reason::Absorbed));
    assert_eq!(front.kernel.fate(AUTH, address(NAS), &request), Fate::Absorbed);
}
