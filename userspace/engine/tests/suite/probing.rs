//! Status-Server toward home servers that have fallen silent (RFC 5997 §4), and what the operator wants of them.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use crate::common::*;
use sekisho_engine::{ControlEvent, Probe, health::Health, snapshot::*};
use sekisho_wire::{
    buf::Buf,
    build::write_reply,
    code::Code,
    scan::scan,
    secret::Secret,
    verify::{RequestPolicy, verify_request},
};

const CHECK: StatusCheck =
    StatusCheck { interval: Duration::from_secs(10), timeout: Duration::from_secs(4), answers_to_alive: 3 };

/// A world with one server, asked once in vain and so a zombie.
fn with_a_zombie(change: impl FnOnce(&mut Plan)) -> World {
    let mut plan = Plan { auth: vec![HOME_1], acct: Vec::new(), status_check: Some(CHECK), ..Plan::default() };
    change(&mut plan);
    let mut world = World::with(plan, Default::default());
    world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    world.pass(Duration::from_millis(3_200));
    assert_eq!(health(&world, 0), Health::Zombie);
    world
}

fn health(world: &World, index: usize) -> Health {
    world.snapshot.homes[index].as_ref().unwrap().state.health()
}

/// What a server makes of a probe: only one that a server would answer gets an answer.
fn answer_to(probe: &Probe, code: Code, secret: &Secret) -> Vec<u8> {
    let mut buf = Buf::new();
    buf.load(&probe.bytes).unwrap();
    let layout = scan(buf.bytes()).unwrap();
    assert_eq!(layout.code, Code::STATUS_SERVER);
    let policy = RequestPolicy { require_message_authenticator: true, limit_proxy_state: true };
    verify_request(&buf, &layout, &home_secret(0), policy).expect("a Message-Authenticator that holds");
    let authenticator = layout.authenticator(buf.bytes()).unwrap();
    let mut reply = Buf::new();
    write_reply(&mut reply, code, layout.id, &authenticator, secret, &probe.bytes, &[]).unwrap();
    reply.bytes().to_vec()
}

/// Time passes until the next probe.
fn next_probe(world: &mut World) -> Probe {
    world.probes.clear();
    for _ in 0..2_000 {
        world.pass(Duration::from_millis(100));
        if let Some((_, probe)) = world.probes.first() {
            return probe.clone();
        }
    }
    panic!("no probe in 200 seconds");
}

fn answer(world: &mut World, probe: &Probe) {
    let reply = answer_to(probe, Code::ACCESS_ACCEPT, &home_secret(0));
    world.control.handle_reply(world.now, probe.address, &reply);
}

#[test]
fn a_zombie_is_alive_again_after_enough_answered_probes_in_a_row() {
    let mut world = with_a_zombie(|_| ());
    let since = world.now;
    for answered in 1..=3 {
        assert_eq!(health(&world, 0), Health::Zombie, "after {} answers", answered - 1);
        let probe = next_probe(&mut world);
        assert_eq!((probe.home, probe.address), (HomeId(0), address(HOME_1)));
        world.pass(Duration::from_millis(50));
        answer(&mut world, &probe);
    }
    assert_eq!(health(&world, 0), Health::Alive);
    let took = world.now - since;
    assert!((Duration::from_secs(18)..Duration::from_secs(25)).contains(&took), "{took:?}");
    let state = &world.snapshot.homes[0].as_ref().unwrap().state;
    assert_eq!((state.probes_sent(), state.probes_answered()), (3, 3));
    let changes: Vec<_> = std::iter::from_fn(|| world.control.poll_event()).collect();
    let changed = |from, to| ControlEvent::HealthChanged { home: HomeId(0), from, to };
    assert_eq!(changes, [changed(Health::Alive, Health::Zombie), changed(Health::Zombie, Health::Alive)]);
    world.probes.clear();
    world.pass(Duration::from_secs(60));
    assert_eq!(world.probes, [], "a server that is alive is not asked");
}

#[test]
fn every_probe_has_an_identifier_and_an_authenticator_of_its_own_at_jittered_intervals() {
    let mut world = with_a_zombie(|_| ());
    world.pass(Duration::from_secs(1_000));
    let probes = &world.probes;
    assert!((90..=112).contains(&probes.len()), "{}", probes.len());
    let packets: HashSet<_> = probes.iter().map(|(_, probe)| (probe.bytes[1], probe.bytes[4..20].to_vec())).collect();
    assert_eq!(packets.len(), probes.len());
    let gaps: Vec<_> = probes.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let allowed = Duration::from_secs(9)..=Duration::from_millis(11_200);
    assert!(gaps.iter().all(|gap| allowed.contains(gap)), "{gaps:?}");
    assert!(gaps.iter().collect::<HashSet<_>>().len() > 5, "spread: {gaps:?}");
    assert!(probes.iter().all(|(_, probe)| probe.bytes[0] == Code::STATUS_SERVER.0), "no login, no accounting");
}

#[test]
fn a_dead_server_stays_dead_until_probes_are_answered_however_long_that_takes() {
    let mut world = with_a_zombie(|_| ());
    world.pass(Duration::from_secs(1_000));
    assert_eq!(health(&world, 0), Health::Dead);
    // One unanswered between two answered: not in a row.
    for answered in [true, true, false, true, true] {
        let probe = next_probe(&mut world);
        if answered {
            answer(&mut world, &probe);
        }
        world.pass(Duration::from_secs(5));
        assert_eq!(health(&world, 0), Health::Dead);
    }
    let probe = next_probe(&mut world);
    answer(&mut world, &probe);
    assert_eq!(health(&world, 0), Health::Alive);
}

#[test]
fn a_zombie_that_answers_probes_does_not_become_dead_meanwhile() {
    let slow = StatusCheck { answers_to_alive: 10, ..CHECK };
    let mut world = with_a_zombie(|plan| plan.status_check = Some(slow));
    for _ in 0..9 {
        let probe = next_probe(&mut world);
        answer(&mut world, &probe);
        assert_eq!(health(&world, 0), Health::Zombie);
    }
    let probe = next_probe(&mut world);
    answer(&mut world, &probe);
    assert_eq!(health(&world, 0), Health::Alive);
}

#[test]
fn either_code_answers_a_probe_on_either_port_and_no_other_code_does() {
    for (code, alive) in [
        (Code::ACCESS_ACCEPT, true),
        (Code::ACCOUNTING_RESPONSE, true),
        (Code::ACCESS_REJECT, false),
        (Code::ACCESS_CHALLENGE, false),
        (Code::STATUS_SERVER, false),
    ] {
        let once = StatusCheck { answers_to_alive: 1, ..CHECK };
        let mut world = with_a_zombie(|plan| plan.status_check = Some(once));
        let probe = next_probe(&mut world);
        world.control.handle_reply(world.now, probe.address, &answer_to(&probe, code, &home_secret(0)));
        assert_eq!(health(&world, 0) == Health::Alive, alive, "{code}");
    }
}

#[test]
fn forged_late_repeated_and_misdirected_answers_to_probes_change_nothing() {
    let once = StatusCheck { answers_to_alive: 2, ..CHECK };
    let mut world = with_a_zombie(|plan| plan.status_check = Some(once));
    let probe = next_probe(&mut world);
    let good = answer_to(&probe, Code::ACCESS_ACCEPT, &home_secret(0));
    let forged = answer_to(&probe, Code::ACCESS_ACCEPT, &home_secret(1));
    let mut other_id = good.clone();
    other_id[1] ^= 1;
    let mut bad_message_authenticator = good.clone();
    *bad_message_authenticator.last_mut().unwrap() ^= 1;
    for bad in [&forged, &other_id, &bad_message_authenticator, &vec![], &good[..19].to_vec(), &vec![2; 5_000]] {
        world.control.handle_reply(world.now, probe.address, bad);
    }
    world.control.handle_reply(world.now, address(HOME_2), &good);
    let answered = |world: &World| world.snapshot.homes[0].as_ref().unwrap().state.probes_answered();
    assert_eq!(answered(&world), 0);
    // The true one still counts, and counts once.
    world.control.handle_reply(world.now, probe.address, &good);
    world.control.handle_reply(world.now, probe.address, &good);
    assert_eq!((answered(&world), health(&world, 0)), (1, Health::Zombie));
    let probe = next_probe(&mut world);
    world.pass(Duration::from_millis(4_100));
    answer(&mut world, &probe);
    assert_eq!((answered(&world), health(&world, 0)), (1, Health::Zombie), "too late");
}

#[test]
fn an_answer_under_the_secret_before_counts_while_that_is_being_replaced() {
    let old = Secret::new("the secret before").unwrap();
    let once = StatusCheck { answers_to_alive: 1, ..CHECK };
    let mut world = with_a_zombie(|plan| {
        plan.status_check = Some(once);
        plan.previous_home_secret = Some(Secret::new("the secret before").unwrap());
    });
    let probe = next_probe(&mut world);
    world.control.handle_reply(world.now, probe.address, &answer_to(&probe, Code::ACCESS_ACCEPT, &old));
    assert_eq!(health(&world, 0), Health::Alive);
    let learned = &world.snapshot.homes[0].as_ref().unwrap().state.learned;
    assert_eq!((learned.previous_secret_used(), learned.current_secret_used().0), (world.now, 0));
}

#[test]
fn a_verified_reply_to_a_request_revives_at_once_what_is_being_probed() {
    let mut world = with_a_zombie(|_| ());
    world.pass(Duration::from_secs(100));
    assert_eq!(health(&world, 0), Health::Dead);
    let sent = world.ask(&pap(2, "alice@a.example", 2)).expect("nobody better");
    world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    world.probes.clear();
    world.pass(Duration::from_millis(200));
    assert_eq!(health(&world, 0), Health::Alive);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.probes, []);
}

#[test]
fn so_many_requests_in_a_row_have_to_go_unanswered() {
    let plan = Plan { response_timeouts: 3, auth: vec![HOME_1], ..Plan::default() };
    let mut world = World::with(plan, Default::default());
    for id in 1..=2 {
        world.ask(&pap(id, "alice@a.example", id)).unwrap();
    }
    world.pass(Duration::from_secs(4));
    assert_eq!(health(&world, 0), Health::Alive, "two are not three");
    let sent = world.ask(&pap(3, "alice@a.example", 3)).unwrap();
    world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    world.pass(Duration::from_millis(50));
    for id in 4..=5 {
        world.ask(&pap(id, "alice@a.example", id)).unwrap();
    }
    world.pass(Duration::from_secs(4));
    assert_eq!(health(&world, 0), Health::Alive, "an answer between them: not in a row");
    world.ask(&pap(6, "alice@a.example", 6)).unwrap();
    world.pass(Duration::from_secs(4));
    assert_eq!(health(&world, 0), Health::Zombie);
}

#[test]
fn what_the_operator_wants_counts_at_once_and_nobody_probes_what_he_has_taken_out() {
    let mut world = with_a_zombie(|_| ());
    for (service, expected) in [(HomeService::Draining, Health::Draining), (HomeService::Down, Health::Down)] {
        world.reload(|plan| plan.services = HashMap::from([(HOME_1, service)]));
        world.pass(Duration::from_millis(10));
        assert_eq!(health(&world, 0), expected);
        world.probes.clear();
        world.pass(Duration::from_secs(100));
        assert_eq!((health(&world, 0), world.probes.len()), (expected, 0));
    }
    world.reload(|plan| plan.services.clear());
    world.pass(Duration::from_millis(10));
    assert_eq!(health(&world, 0), Health::Alive, "and it begins anew");
}
