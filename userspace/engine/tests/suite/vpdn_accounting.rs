//! Accounting of `vpdn` sessions: recorded before it is acknowledged (RFC 2866 §4.1), and counted.

use std::time::Duration;

use crate::common::{vpdn::*, *};
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
    snapshot::*,
};
use sekisho_lns::balance::Strategy;
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

const START: u32 = 1;
const STOP: u32 = 2;
const INTERIM: u32 = 3;
const ON: u32 = 7;
const OTHER: &str = "203.0.113.6:3000";

fn world_of(plan: Plan) -> World {
    World::with(plan, Limits::default())
}

fn world() -> World {
    world_of(vpdn_plan(Strategy::RoundRobin, three()))
}

fn build(request: RequestBuilder) -> Vec<u8> {
    request.build(&nas_secret()).unwrap()
}

/// Active and pending sessions of the contract, and of each LNS.
fn counts(world: &World) -> ((u32, u32), [(u32, u32); 3]) {
    let loads = &world.plan.loads;
    let contract = loads.contract(ContractId(CONTRACT));
    let of = |id| (loads.lns(LnsId(id)).load.active(), loads.lns(LnsId(id)).load.pending());
    ((contract.active(), contract.pending()), [0, 1, 2].map(of))
}

/// Where the login of this device was sent.
fn attached(world: &mut World, n: u32) -> String {
    let request = build(dial(n, "x@a.example"));
    tunnels(&world.dial(&request).unwrap(), &request)[0].endpoint.clone()
}

#[test]
fn a_record_is_acknowledged_when_it_is_kept_and_not_before() {
    let mut world = world();
    let start = build(report(1, START, "x@a.example"));
    assert_eq!(world.account(&start), (Action::Hold, None));
    assert!(world.pass(Duration::from_secs(1)).is_empty(), "nobody has kept it");
    assert_eq!(world.account(&start).0, Action::Drop(Reason::Absorbed), "it is under way");
    let answers = world.keep_records(true);
    assert_eq!((answers.len(), answers[0].bytes[0]), (1, Code::ACCOUNTING_RESPONSE.0));
    verified_at_nas(&answers[0], &start);
    assert_eq!(world.account(&start).1, Some(answers[0].clone()), "and its repetition gets the same");
    assert_eq!((world.stats.recorded.read(), world.stats.unrecorded.read()), (1, 0));
}

#[test]
fn what_is_handed_out_says_whose_it_is_and_is_the_packet_as_it_came() {
    let mut world = world();
    let start = build(report(1, START, "x@a.example").attribute(attr::PROXY_STATE, "theirs"));
    world.account(&start);
    let told = world.engine.poll_record(|record| {
        assert_eq!((record.peer, record.packet), (address(PGW), &start[..]));
        [record.source, record.customer, record.contract, record.realm].map(str::to_owned)
    });
    assert_eq!(told.unwrap(), ["client-2", "a", "vpdn-a", "a.example"]);
    assert!(world.engine.poll_record(|_| ()).is_none());
}

#[test]
fn what_cannot_be_kept_gets_no_answer_and_may_be_sent_again() {
    let mut world = world();
    let start = build(report(1, START, "x@a.example"));
    world.account(&start);
    assert!(world.keep_records(false).is_empty());
    assert_eq!(world.stats.unrecorded.read(), 1);
    assert_eq!(world.account(&start), (Action::Hold, None));
    assert_eq!(world.keep_records(true).len(), 1);
}

#[test]
fn a_disk_that_never_answers_costs_the_nas_its_patience_and_us_nothing() {
    let mut world = world();
    world.account(&build(report(1, START, "x@a.example")));
    let token = world.engine.poll_record(|record| record.token).unwrap();
    assert!(world.pass(Duration::from_secs(11)).is_empty());
    assert_eq!((world.engine.in_flight(), world.stats.expired.read(), world.stats.unrecorded.read()), (0, 1, 1));
    world.engine.handle_recorded(world.now, token, true);
    assert!(world.pass(Duration::from_millis(50)).is_empty(), "too late");
}

#[test]
fn a_record_whose_client_has_gone_meanwhile_gets_no_answer() {
    let mut world = world();
    world.account(&build(report(1, START, "x@a.example")));
    let token = world.engine.poll_record(|record| record.token).unwrap();
    world.reload(|plan| plan.reshape(|snapshot| snapshot.clients[CARRIER as usize] = None));
    world.engine.handle_recorded(world.now, token, true);
    assert!(world.pass(Duration::from_millis(50)).is_empty());
    assert!(world.engine.is_consistent());
}

#[test]
fn more_than_may_wait_for_the_disk_is_dropped_with_its_reason_and_logins_go_on() {
    let mut world =
        World::with(vpdn_plan(Strategy::RoundRobin, three()), Limits { max_records: 2, ..Limits::default() });
    let actions = [1, 2, 3].map(|n| world.account(&build(report(n, START, "x@a.example"))).0);
    assert_eq!(actions, [Action::Hold, Action::Hold, Action::Drop(Reason::JournalFull)]);
    attached(&mut world, 9);
    assert_eq!(world.keep_records(true).len(), 2);
    assert_eq!(world.account(&build(report(3, START, "x@a.example"))).0, Action::Hold);
}

#[test]
fn a_login_is_pending_a_start_makes_it_a_session_and_a_stop_ends_it() {
    let mut world = world();
    let endpoint = attached(&mut world, 1);
    let at = three().iter().position(|place| place.endpoint == endpoint).unwrap();
    let expect = |world: &World, active, pending| {
        let (contract, lnss) = counts(world);
        assert_eq!((contract, lnss[at]), ((active, pending), (active, pending)));
    };
    expect(&world, 0, 1);
    for _ in 0..2 {
        world.account(&build(report(1, START, "x@a.example")));
        expect(&world, 1, 0);
    }
    world.account(&build(report(1, INTERIM, "x@a.example").attribute(attr::ACCT_SESSION_TIME, [0, 0, 0, 60])));
    expect(&world, 1, 0);
    world.account(&build(report(1, STOP, "x@a.example").attribute(attr::ACCT_SESSION_TIME, [0, 0, 0, 90])));
    expect(&world, 0, 0);
}

#[test]
fn a_session_counts_at_the_lns_that_its_start_names() {
    let mut world = world();
    let endpoint = attached(&mut world, 1);
    let other = three().iter().position(|place| place.endpoint != endpoint).unwrap();
    let name = [b"\x01", three()[other].endpoint.as_bytes()].concat();
    world.account(&build(report(1, START, "x@a.example").attribute(attr::TUNNEL_SERVER_ENDPOINT, name)));
    assert_eq!(counts(&world).1[other], (1, 0));
    assert_eq!(counts(&world).0, (1, 0));
}

#[test]
fn a_nas_that_restarts_ends_its_own_sessions_and_nobody_elses() {
    let mut plan = vpdn_plan(Strategy::RoundRobin, three());
    plan.reshape(|snapshot| access_network(snapshot, CARRIER + 1, [OTHER, "100.127.0.0:1"], BOUNDLESS));
    let mut world = world_of(plan);
    for n in 1..=3 {
        world.account(&build(report(n, START, "x@a.example")));
    }
    assert_eq!(counts(&world).0.0, 3);
    world.now = world.now + Duration::from_secs(10);
    let on = |nas: &str| {
        let id = nas.len() as u8 + nas.as_bytes()[4];
        RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, [0; 16])
            .attribute(attr::ACCT_STATUS_TYPE, ON.to_be_bytes())
            .attribute(attr::ACCT_SESSION_ID, "on")
            .attribute(attr::NAS_IDENTIFIER, nas)
    };
    let sweep = |world: &World| {
        for _ in 0..100 {
            world.settings.sessions.sweep(world.now, 100_000, &mut |_| ());
        }
    };
    // Of another access network, and of another NAS of this one.
    world.receive(Socket::Service(ACCT), address(OTHER), &build(on("pgw-1")));
    world.account(&build(on("pgw-2")));
    sweep(&world);
    assert_eq!(counts(&world).0.0, 3);
    let request = build(on("pgw-1"));
    assert_eq!(world.account(&request).0, Action::Hold);
    sweep(&world);
    assert_eq!(counts(&world).0.0, 0);
    assert_eq!(world.keep_records(true).len(), 6, "and every record is acknowledged");
}

#[test]
fn accounting_of_no_contract_is_recorded_and_a_stop_without_a_name_is_known_by_its_session() {
    let mut world = world();
    assert_eq!(world.account(&build(report(1, START, "x@nowhere.example"))).0, Action::Hold);
    world.account(&build(report(2, START, "x@a.example")));
    let stop = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 3, [0; 16])
        .attribute(attr::ACCT_STATUS_TYPE, STOP.to_be_bytes())
        .attribute(attr::ACCT_SESSION_ID, "session-2")
        .attribute(attr::NAS_IDENTIFIER, "pgw-1");
    world.account(&build(stop));
    assert_eq!(counts(&world).0, (0, 0));
    let mut contracts = Vec::new();
    while let Some(contract) = world.engine.poll_record(|record| record.contract.to_owned()) {
        contracts.push(contract);
    }
    assert_eq!(contracts, ["", "vpdn-a", "vpdn-a"]);
}

#[test]
fn an_lns_that_accounts_counts_its_own_sessions_and_the_network_then_does_not() {
    let mut plan = vpdn_plan(Strategy::RoundRobin, three());
    plan.reshape(|snapshot| {
        vpdn(snapshot).accounting = Accountant::Lns;
        access_network(snapshot, CARRIER + 1, [OTHER, "100.127.0.0:1"], BOUNDLESS);
        let client = client(snapshot, CARRIER as usize + 1);
        (client.role, client.customer) = (ClientRole::Lns(LnsId(2)), CustomerId(0));
        client.access = Some(Box::new(Access::of_an_lns()));
    });
    let mut world = world_of(plan);
    world.account(&build(report(1, START, "x@a.example")));
    assert_eq!(counts(&world).0, (0, 0), "recorded, not counted");
    let from_lns = |world: &mut World, request| world.receive(Socket::Service(ACCT), address(OTHER), &build(request)).0;
    assert_eq!(from_lns(&mut world, report(2, START, "x@a.example")), Action::Hold);
    assert_eq!(counts(&world).1[2], (1, 0));
    from_lns(&mut world, report(3, START, "x@b.example"));
    assert_eq!(counts(&world).0, (1, 0), "another customer's realm");
    assert_eq!(world.keep_records(true).len(), 3);
}
