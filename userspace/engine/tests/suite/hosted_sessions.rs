//! How many sessions a hosted account, and a contract, may have at once.

use std::time::Duration;

use crate::common::{hosted::*, *};
use sekisho_engine::{Limits, hosted, hosted::Account, packet::Action, snapshot::*};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

const START: u32 = 1;
const STOP: u32 = 2;
const INTERIM: u32 = 3;
const ON: u32 = 7;
const ALICE: &str = "alice@a.example";

fn limited(limit: u16) -> World {
    group_world(move |group| group.simultaneous = limit)
}

/// Whether alice gets in from a number.
fn gets_in(world: &mut World, id: u8, number: &str) -> bool {
    world.is_let_in(&login(id, ALICE, PASSWORD, number))
}

fn sessions(world: &World) -> (usize, u32) {
    let listed = world.settings.hosted.sessions.list(world.now, usize::MAX, |_| true).len();
    (listed, world.snapshot.group(OF_A).unwrap().sessions.now())
}

#[test]
fn an_account_has_as_many_sessions_as_it_may_and_a_stop_makes_room() {
    let mut world = limited(2);
    for n in 1..=2 {
        assert!(gets_in(&mut world, n, &format!("0900000000{n}")));
        world.report(&session(n, START, &format!("s{n}"), ALICE, &format!("0900000000{n}")));
    }
    assert!(!gets_in(&mut world, 3, "09000000003"));
    assert_eq!(sessions(&world), (2, 2));
    world.report(&session(4, STOP, "s1", ALICE, "09000000001"));
    assert!(gets_in(&mut world, 5, "09000000003"));
    assert!(!gets_in(&mut world, 6, "09000000001"));
    assert_eq!(world.group_stats().rejected.sessions.read(), 2);
}

#[test]
fn an_accounts_own_limit_takes_the_place_of_the_contracts() {
    let mut world = limited(1);
    world.put("alice", &Account { simultaneous: Some(0), ..account() });
    assert!((1..=5).all(|n| gets_in(&mut world, n, &format!("0900000000{n}"))));
    world.put("alice", &Account { simultaneous: Some(2), ..account() });
    assert!((6..=7).all(|n| gets_in(&mut world, n, &format!("0900000000{n}"))));
    assert!(!gets_in(&mut world, 8, "09000000008"));
}

#[test]
fn a_place_is_kept_for_a_minute_and_then_given_to_another() {
    let mut world = limited(1);
    assert!(gets_in(&mut world, 1, "09000000001"));
    world.pass(Duration::from_secs(57));
    assert!(!gets_in(&mut world, 2, "09000000002"));
    world.pass(Duration::from_secs(2));
    assert!(gets_in(&mut world, 3, "09000000002"));
}

#[test]
fn a_device_that_attaches_again_supersedes_its_old_session_however_its_number_is_written() {
    let mut world = limited(1);
    assert!(gets_in(&mut world, 1, "09011112222"));
    world.report(&session(1, START, "s1", ALICE, "09011112222"));
    assert!(gets_in(&mut world, 2, "+81 90-1111-2222"), "its Stop was lost");
    assert!(!gets_in(&mut world, 3, "09099998888"));
    world.report(&session(4, START, "s2", ALICE, "+819011112222"));
    assert_eq!((sessions(&world), world.settings.hosted.sessions.counts().superseded), ((1, 1), 1));
    // What comes late of the old one does not end or double the new one.
    world.report(&session(5, INTERIM, "s1", ALICE, "09011112222"));
    world.report(&session(6, STOP, "s1", ALICE, "09011112222"));
    assert_eq!(sessions(&world), (1, 1));
    assert!(!gets_in(&mut world, 7, "09099998888"));
}

#[test]
fn a_device_that_attaches_again_keeps_its_place_when_the_old_sessions_stop_comes_before_the_new_start() {
    let mut world = limited(1);
    assert!(gets_in(&mut world, 1, "09011112222"));
    world.report(&session(1, START, "s1", ALICE, "09011112222"));
    assert!(gets_in(&mut world, 2, "09011112222"));
    world.report(&session(3, STOP, "s1", ALICE, "09011112222"));
    assert!(!gets_in(&mut world, 4, "09099998888"), "the place is its own");
    world.report(&session(5, START, "s2", ALICE, "09011112222"));
    assert_eq!(sessions(&world), (1, 1));
}

#[test]
fn a_stop_before_its_start_leaves_nothing_behind() {
    let mut world = limited(1);
    assert!(gets_in(&mut world, 1, "09000000001"));
    world.report(&session(1, STOP, "s1", ALICE, "09000000001"));
    world.report(&session(2, START, "s1", ALICE, "09000000001"));
    assert_eq!(sessions(&world), (0, 0));
    assert!(gets_in(&mut world, 3, "09000000002"));
}

#[test]
fn an_interim_makes_up_for_a_start_that_was_lost() {
    let mut world = limited(1);
    world.report(&session(1, INTERIM, "s1", ALICE, "09000000001"));
    assert!(!gets_in(&mut world, 2, "09000000002"));
    assert!(gets_in(&mut world, 3, "09000000001"));
}

#[test]
fn a_start_without_a_number_takes_the_place_that_was_kept_for_its_client() {
    let mut world = limited(1);
    assert!(gets_in(&mut world, 1, "09000000001"));
    world.report(&session(1, START, "s1", ALICE, ""));
    assert_eq!(sessions(&world), (1, 1));
    assert!(gets_in(&mut world, 2, "09000000001"), "its number is remembered");
}

#[test]
fn a_silent_session_is_over_after_three_interims_or_its_timeout_or_a_day() {
    let hour = Duration::from_secs(3600);
    let cases = [
        (vec![(attr::ACCT_INTERIM_INTERVAL, 600u32), (attr::SESSION_TIMEOUT, 7200)], hour / 2),
        (vec![(attr::SESSION_TIMEOUT, 7200)], 2 * hour + Duration::from_secs(300)),
        (vec![], 24 * hour),
    ];
    for (reply, lasts) in cases {
        let reply: Vec<u8> = reply.iter().flat_map(|(kind, n)| [&[*kind, 6][..], &n.to_be_bytes()].concat()).collect();
        let mut world = group_world(move |group| {
            (group.simultaneous, group.reply) = (1, reply.clone().into());
        });
        assert!(gets_in(&mut world, 1, "09000000001"));
        world.report(&session(1, START, "s1", ALICE, "09000000001"));
        let sleep = |world: &mut World, time: Duration| {
            world.now = world.now + time;
            world.pass(Duration::from_millis(10));
        };
        sleep(&mut world, lasts - Duration::from_secs(10));
        assert!(!gets_in(&mut world, 2, "09000000002"), "{lasts:?}");
        world.report(&session(2, INTERIM, "s1", ALICE, "09000000001"));
        sleep(&mut world, lasts - Duration::from_secs(10));
        assert!(!gets_in(&mut world, 3, "09000000002"), "{lasts:?}: it was heard of");
        sleep(&mut world, Duration::from_secs(20));
        assert!(gets_in(&mut world, 4, "09000000002"), "{lasts:?}");
    }
}

#[test]
fn a_contract_has_no_more_sessions_than_it_may_and_those_that_expire_make_room() {
    let mut world = group_world(|group| group.max_sessions = 1);
    assert!(gets_in(&mut world, 1, "09000000001"));
    assert!(!world.is_let_in(&login(2, "bob@a.example", PASSWORD, "09000000002")));
    assert_eq!(world.log_in_at(NAS_B, &login(3, "alice@b.example", "another", "")).bytes[0], Code::ACCESS_ACCEPT.0);
    // Every part of the table has its turn within some seconds.
    world.pass(Duration::from_secs(80));
    assert_eq!(sessions(&world), (0, 0));
    assert!(world.is_let_in(&login(4, "bob@a.example", PASSWORD, "09000000002")));
}

#[test]
fn a_nas_that_begins_has_no_sessions_and_another_nas_keeps_its_own() {
    let mut plan = group_plan(|group| group.simultaneous = 2);
    plan.clients.push(Some(("192.0.2.30:40000", 0, b"the secret of the NAS".to_vec())));
    let mut world = world_of(plan);
    let third = "192.0.2.30:40000";
    world.report(&session(1, START, "s1", ALICE, "09000000001"));
    world.report_at(third, &session(1, START, "s1", ALICE, "09000000002"));
    assert_eq!(sessions(&world), (2, 2));
    // Whatever it calls itself.
    let on = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 2, [0; 16])
        .attribute(attr::ACCT_STATUS_TYPE, ON.to_be_bytes())
        .attribute(attr::ACCT_SESSION_ID, "0")
        .attribute(attr::NAS_IP_ADDRESS, [192, 0, 2, 30])
        .build(&nas_secret())
        .unwrap();
    world.report(&on);
    let left = world.settings.hosted.sessions.list(world.now, usize::MAX, |_| true);
    assert_eq!(
        left.iter().map(|it| (it.client, &it.number[..])).collect::<Vec<_>>(),
        [(ClientId(2), &b"819000000002"[..])]
    );
    assert_eq!(sessions(&world).1, 1);
}

#[test]
fn sessions_that_began_after_a_restart_stay_when_its_record_is_late() {
    let mut world = limited(0);
    world.pass(Duration::from_secs(10));
    world.report(&session(1, START, "s1", ALICE, "09000000001"));
    let on = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 2, [0; 16])
        .attribute(attr::ACCT_STATUS_TYPE, ON.to_be_bytes())
        .attribute(attr::ACCT_SESSION_ID, "0")
        .attribute(attr::ACCT_DELAY_TIME, 5u32.to_be_bytes())
        .build(&nas_secret())
        .unwrap();
    world.report(&on);
    assert_eq!(sessions(&world).0, 1);
}

#[test]
fn nobody_ends_another_clients_session_by_its_name() {
    let mut plan = group_plan(|group| group.simultaneous = 1);
    plan.clients.push(Some(("192.0.2.30:40000", 0, b"the secret of the NAS".to_vec())));
    let mut world = world_of(plan);
    world.report(&session(1, START, "s1", ALICE, "09000000001"));
    world.report_at("192.0.2.30:40000", &session(1, STOP, "s1", ALICE, "09000000001"));
    world.report_at(NAS_B, &session(1, STOP, "s1", "alice@b.example", "09000000001"));
    assert_eq!(sessions(&world), (1, 1));
    assert!(!gets_in(&mut world, 2, "09000000002"));
}

#[test]
fn a_reload_keeps_sessions() {
    let mut world = limited(1);
    world.report(&session(1, START, "s1", ALICE, "09000000001"));
    world.reload(|_| {});
    assert!(!gets_in(&mut world, 2, "09000000002"));
    assert_eq!(sessions(&world), (1, 1));
}

#[test]
fn sessions_are_listed_with_whose_they_are() {
    let mut world = limited(1);
    assert!(gets_in(&mut world, 1, "09000000001"));
    let list = |world: &World| world.settings.hosted.sessions.list(world.now, 10, |it| it.group == OF_A);
    let [reserved] = &list(&world)[..] else { unreachable!() };
    assert!(reserved.is_reserved);
    world.report(&session(1, START, "s1", ALICE, "09000000001"));
    let [view] = &list(&world)[..] else { unreachable!() };
    assert_eq!((view.group, view.realm, view.client, view.is_reserved), (OF_A, RealmId(0), ClientId(0), false));
    assert_eq!((&view.user[..], &view.number[..], view.since), (&b"alice"[..], &b"819000000001"[..], EPOCH + 1));
    let shown = format!("{view:?}");
    assert!(!shown.contains("alice") && !shown.contains("81900"), "{shown}");
}

#[test]
fn what_an_operator_has_forgotten_makes_room_and_counts_again_if_it_goes_on() {
    let mut world = limited(1);
    world.report(&session(1, START, "s1", ALICE, "09000000001"));
    world.put("bob", &account());
    world.report(&session(2, START, "s2", "bob@a.example", "09000000002"));
    let forget = |world: &World, name: &'static [u8]| {
        world.settings.hosted.sessions.forget(world.now, |it| it.group == OF_A && *it.user == *name)
    };
    assert_eq!(forget(&world, b"carol"), 0);
    assert_eq!((forget(&world, b"alice"), forget(&world, b"alice")), (1, 0));
    assert_eq!(sessions(&world), (1, 1), "nobody else's");
    assert!(gets_in(&mut world, 3, "09000000003"));
    world.report(&session(4, START, "s3", ALICE, "09000000003"));
    world.report(&session(5, INTERIM, "s1", ALICE, "09000000001"));
    assert_eq!(sessions(&world), (3, 3), "it goes on");
    assert!(!gets_in(&mut world, 6, "09000000004"));
    world.report(&session(7, STOP, "s1", ALICE, "09000000001"));
    world.report(&session(8, STOP, "s3", ALICE, "09000000003"));
    assert!(gets_in(&mut world, 9, "09000000004"));
}

#[test]
fn a_full_table_lets_subscribers_in_and_says_that_its_counts_are_too_low() {
    let mut plan = group_plan(|group| group.simultaneous = 1);
    plan.reshape(|_| {});
    let mut world = World::without_ports(plan, Limits::default());
    let settings = hosted::Settings { max_sessions: 4, ..hosted::Settings::default() };
    world.replace_hosted(no_accounts(settings));
    for n in 0..5u8 {
        world.put(&format!("user-{n}"), &account());
        assert!(world.is_let_in(&login(n, &format!("user-{n}@a.example"), PASSWORD, "")));
    }
    let counts = world.settings.hosted.sessions.counts();
    assert_eq!((counts.records, counts.untracked, sessions(&world)), (2, 3, (2, 2)));
    // Another customer's contract finds room all the same.
    world.settings.hosted.accounts.put(RealmId(1), b"alice", &Account { group: OF_B, ..account() }).unwrap();
    world.report_at(NAS_B, &session(9, START, "s1", "alice@b.example", ""));
    assert_eq!(world.settings.hosted.sessions.counts().records, 3);
}

#[test]
fn a_record_is_kept_for_its_contract_and_answered_then() {
    let mut world = group_world(|_| {});
    let record = session(1, START, "s1", ALICE, "09000000001");
    assert_eq!(world.receive(sekisho_engine::packet::Socket::Service(ACCT), address(NAS), &record).0, Action::Hold);
    let (token, whose) = world
        .engine
        .poll_record(|it| {
            let names = [it.source, it.customer, it.contract, it.realm].map(str::to_owned);
            (it.token, names)
        })
        .unwrap();
    assert_eq!(whose, ["client-0", "a", "group-a", "a.example"]);
    world.engine.handle_recorded(world.now, token, true);
    let back = world.pass(Duration::from_millis(10));
    assert_eq!(back[0].1.bytes[0], Code::ACCOUNTING_RESPONSE.0);
    // Not kept, not answered.
    world.receive(sekisho_engine::packet::Socket::Service(ACCT), address(NAS), &session(2, STOP, "s1", ALICE, ""));
    assert_eq!(world.keep_records(false), []);
}

#[test]
fn a_nas_that_begins_is_recorded_and_home_servers_are_told_where_there_are_any() {
    let mut plan = group_plan(|_| {});
    plan.reshape(|snapshot| {
        let at = Member::new(HomeId(2), "home", 1);
        let tier = Tier { kind: PoolKind::FailOver, seed: 1, auth: Vec::new(), acct: vec![at] };
        snapshot.pools = vec![Pool {
            contract: "proxy-a".to_owned(),
            customer: CustomerId(0),
            tiers: vec![tier],
            copies: Vec::new(),
            strip: Strip::Nothing,
            when_down: Verdict::Silence,
            framed_networks: Vec::new(),
            auth_awaited: false,
            acct_awaited: false,
        }];
        customer(snapshot, 0).acct_pools = vec![PoolId(0)];
    });
    let mut world = world_of(plan);
    world.report(&session(1, START, "s1", ALICE, "09000000001"));
    let (_, sent) = world.receive(sekisho_engine::packet::Socket::Service(ACCT), address(NAS), &accounting(2, "", 7));
    assert_eq!(sent, None);
    assert_eq!(sessions(&world).0, 0);
    let mut tokens = Vec::new();
    while let Some(token) = world.engine.poll_record(|it| it.token) {
        tokens.push(token);
    }
    tokens.into_iter().for_each(|token| world.engine.handle_recorded(world.now, token, true));
    let sent: Vec<Sent> = world.pass(Duration::from_millis(30)).into_iter().map(|it| it.1).collect();
    assert_eq!(sent.iter().filter(|it| it.to_client()).count(), 1);
    assert_eq!(sent.iter().filter(|it| it.path.peer == address(ACCT_1)).count(), 1);
}

#[test]
fn an_account_that_thousands_share_costs_none_of_them_more() {
    let mut world = group_world(|group| (group.simultaneous, group.max_sessions) = (60_000, 1_000_000));
    let took = |from: u32, world: &mut World| {
        let begin = std::time::Instant::now();
        for n in from..from + 2_000 {
            let number = format!("090{n:08}");
            assert!(gets_in(world, n as u8, &number));
            let record = session(n as u8, START, &format!("s{n}"), ALICE, if n % 2 == 0 { &number } else { "" });
            world.receive(sekisho_engine::packet::Socket::Service(ACCT), address(NAS), &record);
            let token = world.engine.poll_record(|it| it.token).unwrap();
            world.engine.handle_recorded(world.now, token, true);
            // Nothing is remembered of it: identifiers come again.
            world.now = world.now + Duration::from_millis(100);
            world.engine.handle_timeout(world.now);
            world.batch.clear();
            world.engine.poll_transmit(&mut world.batch);
        }
        begin.elapsed()
    };
    let few = took(0, &mut world);
    let all: Vec<Duration> = (1..=10).map(|step| took(step * 2_000, &mut world)).collect();
    let many = all[9];
    assert_eq!(sessions(&world), (22_000, 22_000));
    assert!(many < few * 5 + Duration::from_millis(500), "{few:?}, and then {many:?}");
}

#[test]
fn a_place_is_given_back_on_a_node_that_nobody_asks_anything_of() {
    let mut world = group_world(|group| group.max_sessions = 1);
    assert!(gets_in(&mut world, 1, "09000000001"));
    let end = world.now + Duration::from_secs(90);
    while let Some(at) = world.engine.poll_timeout().filter(|at| *at <= end) {
        // As a shell does, and not before it is asked to.
        world.now = at.max(world.now + Duration::from_nanos(1));
        world.engine.handle_timeout(world.now);
    }
    assert_eq!(world.snapshot.group(OF_A).unwrap().sessions.now(), 0);
}
