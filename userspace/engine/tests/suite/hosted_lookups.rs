//! Passwords kept as argon2id hashes: checked elsewhere, and answered when the verdict comes.

use std::{sync::Arc, time::Duration};

use crate::common::{hosted::*, *};
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    hosted::{Account, Lookup, PasswordVerdict, Secret},
    packet::{Action, Socket},
    snapshot::*,
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

const ALICE: &str = "alice@a.example";
const HASH: &str = "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$qqSCqQPLbO7RKU+qFwvGng9SW7NSAcN79ODs6fFxXms";

fn hashed_world_of(mut plan: Plan, limits: Limits) -> World {
    plan.reshape(|_| {});
    let world = World::with(plan, limits);
    world.put("alice", &Account { secret: Secret::Argon2id(HASH.into()), ..account() });
    world
}

fn plan() -> Plan {
    group_plan(|group| group.form = PasswordForm::Argon2id)
}

fn world() -> World {
    hashed_world_of(plan(), Limits::default())
}

/// Sends a login that has to be checked.
fn ask(world: &mut World, request: &[u8]) -> Lookup {
    let (action, sent) = world.receive(Socket::Service(AUTH), address(NAS), request);
    assert_eq!((action, sent), (Action::Hold, None));
    world.engine.poll_lookup().unwrap()
}

fn answers(world: &mut World, time: Duration) -> Vec<Sent> {
    world.pass(time).into_iter().map(|it| it.1).collect()
}

#[test]
fn a_login_is_accepted_when_its_password_is_said_to_be_right() {
    let mut world = world();
    let request = pap(1, ALICE, 1);
    let lookup = ask(&mut world, &request);
    assert_eq!((&*lookup.phc, &lookup.password[..]), (HASH, PASSWORD.as_bytes()));
    assert!(!format!("{lookup:?}").contains("argon2"), "{lookup:?}");
    world.pass(Duration::from_millis(40));
    world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Right);
    let accept = answers(&mut world, Duration::from_millis(10)).remove(0);
    assert_eq!(accept.bytes[0], Code::ACCESS_ACCEPT.0);
    verified_at_nas(&accept, &request);
    assert_eq!(world.ask(&request), Some(accept), "a repetition gets the same octets");
    assert_eq!((world.group_stats().lookups.read(), world.group_stats().accepts.read()), (1, 1));
}

#[test]
fn a_reject_comes_a_second_after_its_request_however_long_the_check_took() {
    for took in [0, 40, 900] {
        let mut world = world();
        let lookup = ask(&mut world, &pap(1, ALICE, 1));
        world.pass(Duration::from_millis(took));
        world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Wrong);
        assert_eq!(answers(&mut world, Duration::from_millis(980 - took)), [], "{took}");
        assert_eq!(answers(&mut world, Duration::from_millis(60)).remove(0).bytes[0], Code::ACCESS_REJECT.0);
    }
}

#[test]
fn an_unknown_users_login_takes_the_same_way_at_the_same_cost_and_is_refused_whatever_is_said() {
    let mut world = world();
    let lookup = ask(&mut world, &pap(1, "nobody@a.example", 1));
    assert!(lookup.phc.starts_with("$argon2id$v=19$m=4096,t=3,p=1$") && &*lookup.phc != HASH, "{}", lookup.phc);
    // One salt and one hash, or whoever checks it would be done at once.
    assert_eq!(lookup.phc.split('$').count(), HASH.split('$').count(), "{}", lookup.phc);
    world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Right);
    let reject = answers(&mut world, Duration::from_millis(1_050)).remove(0);
    assert_eq!(reject.bytes[0], Code::ACCESS_REJECT.0);
    assert_eq!(world.group_stats().rejected.unknown.read(), 1);
    // Of a contract without accounts nothing is known.
    assert!(world.settings.hosted.accounts.remove(RealmId(0), b"alice"));
    assert!(ask(&mut world, &pap(2, ALICE, 2)).phc.starts_with("$argon2id$"));
}

#[test]
fn an_accept_that_does_not_fit_is_a_reject() {
    let attributes = |number: u8, count| (0..count).flat_map(|_| [&[number, 250][..], &[b'x'; 248]].concat()).collect();
    let (general, own): (Vec<u8>, Vec<u8>) = (attributes(25, 12), attributes(18, 8));
    for form in [PasswordForm::Argon2id, PasswordForm::Recoverable] {
        let general = general.clone();
        let plan = group_plan(move |group| (group.form, group.reply) = (form, general.clone().into()));
        let mut world = hashed_world_of(plan, Limits::default());
        let request = pap(1, ALICE, 1);
        let reject = if form == PasswordForm::Argon2id {
            let secret = Secret::Argon2id(HASH.into());
            world.put("alice", &Account { secret, reply: own.clone().into(), ..account() });
            let lookup = ask(&mut world, &request);
            world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Right);
            answers(&mut world, Duration::from_millis(1_050)).remove(0)
        } else {
            world.put("alice", &Account { reply: own.clone().into(), ..account() });
            world.log_in(&request)
        };
        assert_eq!(reject.bytes[0], Code::ACCESS_REJECT.0);
        verified_at_nas(&reject, &request);
        assert_eq!(world.ask(&request), Some(reject), "{form:?}");
    }
}

#[test]
fn repetitions_are_absorbed_meanwhile() {
    let mut world = world();
    let request = pap(1, ALICE, 1);
    let lookup = ask(&mut world, &request);
    world.pass(Duration::from_secs(2));
    let (action, _) = world.receive(Socket::Service(AUTH), address(NAS), &request);
    assert_eq!(action, Action::Drop(Reason::Absorbed));
    assert!(world.engine.poll_lookup().is_none());
    world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Right);
    assert_eq!(answers(&mut world, Duration::from_millis(10)).len(), 1);
}

#[test]
fn a_verdict_on_a_superseded_or_answered_request_is_ignored() {
    let mut world = world();
    let first = ask(&mut world, &pap(1, ALICE, 1));
    let second = ask(&mut world, &pap(1, ALICE, 2));
    world.engine.handle_verdict(world.now, first.token, PasswordVerdict::Right);
    assert_eq!(answers(&mut world, Duration::from_millis(10)), []);
    world.engine.handle_verdict(world.now, second.token, PasswordVerdict::Right);
    world.engine.handle_verdict(world.now, second.token, PasswordVerdict::Wrong);
    let back = answers(&mut world, Duration::from_secs(2));
    assert_eq!((back.len(), back[0].bytes[0]), (1, Code::ACCESS_ACCEPT.0));
    // The same token again, after its place has been given away.
    world.pass(Duration::from_secs(20));
    world.engine.handle_verdict(world.now, second.token, PasswordVerdict::Right);
    assert_eq!(answers(&mut world, Duration::from_secs(2)), []);
}

#[test]
fn one_contracts_storm_leaves_room_for_another() {
    let mut plan = plan();
    plan.reshape(|snapshot| {
        Arc::get_mut(snapshot.groups[1].as_mut().unwrap()).unwrap().form = PasswordForm::Argon2id;
    });
    let mut world = hashed_world_of(plan, Limits { max_lookups: 4, ..Limits::default() });
    for id in 0..8 {
        world.receive(Socket::Service(AUTH), address(NAS), &pap(id, ALICE, id));
    }
    assert_eq!(std::iter::from_fn(|| world.engine.poll_lookup()).count(), 2);
    let (action, _) = world.receive(Socket::Service(AUTH), address(NAS_B), &pap(1, "alice@b.example", 1));
    assert_eq!(action, Action::Hold);
    assert!(world.engine.poll_lookup().is_some());
}

#[test]
fn a_verdict_that_comes_twice_makes_room_for_one() {
    let mut world = hashed_world_of(plan(), Limits { max_lookups: 4, ..Limits::default() });
    let first = ask(&mut world, &pap(1, ALICE, 1));
    ask(&mut world, &pap(2, ALICE, 2));
    assert_eq!(world.stats.looked_for.read(), 2);
    (0..3).for_each(|_| world.engine.handle_verdict(world.now, first.token, PasswordVerdict::Right));
    ask(&mut world, &pap(3, ALICE, 3));
    world.receive(Socket::Service(AUTH), address(NAS), &pap(4, ALICE, 4));
    assert!(world.engine.poll_lookup().is_none());
    assert_eq!(world.stats.looked_for.read(), 2);
}

#[test]
fn one_superseded_before_it_was_handed_out_is_not_checked() {
    let mut world = world();
    for authenticator in 1..=3 {
        world.receive(Socket::Service(AUTH), address(NAS), &pap(1, ALICE, authenticator));
    }
    assert!(world.engine.poll_lookup().is_some());
    assert!(world.engine.poll_lookup().is_none());
}

#[test]
fn without_a_verdict_in_time_the_client_gets_what_its_contract_says() {
    for (verdict, answered) in [(Verdict::Silence, false), (Verdict::Reject, true)] {
        let mut plan = plan();
        plan.reshape(move |snapshot| client(snapshot, 0).when_unanswered = verdict);
        let mut world = hashed_world_of(plan, Limits::default());
        let lookup = ask(&mut world, &pap(1, ALICE, 1));
        let back = answers(&mut world, Duration::from_millis(10_100));
        assert_eq!(
            back.iter().map(|it| it.bytes[0]).collect::<Vec<_>>(),
            vec![Code::ACCESS_REJECT.0; answered as usize]
        );
        world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Right);
        assert_eq!(answers(&mut world, Duration::from_secs(2)), [], "too late");
        assert_eq!((world.group_stats().rejected.busy.read(), world.stats.expired.read()), (1, 1));
    }
}

#[test]
fn no_more_than_so_many_are_checked_at_a_time() {
    for (verdict, action) in [(Verdict::Silence, Action::Drop(Reason::Overload)), (Verdict::Reject, Action::Hold)] {
        let mut plan = plan();
        plan.reshape(move |snapshot| client(snapshot, 0).when_unanswered = verdict);
        let mut world = hashed_world_of(plan, Limits { max_lookups: 4, ..Limits::default() });
        let first = ask(&mut world, &pap(1, ALICE, 1));
        ask(&mut world, &pap(2, ALICE, 2));
        assert_eq!(world.receive(Socket::Service(AUTH), address(NAS), &pap(3, ALICE, 3)).0, action);
        assert!(world.engine.poll_lookup().is_none());
        assert_eq!(world.group_stats().rejected.busy.read(), 1);
        // A superseded one takes room until its verdict comes: somebody is at it.
        world.receive(Socket::Service(AUTH), address(NAS), &pap(1, ALICE, 9));
        assert!(world.engine.poll_lookup().is_none());
        world.engine.handle_verdict(world.now, first.token, PasswordVerdict::Right);
        ask(&mut world, &pap(4, ALICE, 4));
    }
}

#[test]
fn a_pool_that_is_busy_leaves_the_login_to_what_the_contract_says() {
    let mut world = world();
    let lookup = ask(&mut world, &pap(1, ALICE, 1));
    world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Busy);
    assert_eq!(answers(&mut world, Duration::from_secs(2)), []);
    let again = ask(&mut world, &pap(1, ALICE, 1));
    world.engine.handle_verdict(world.now, again.token, PasswordVerdict::Right);
    assert_eq!(answers(&mut world, Duration::from_millis(10)).len(), 1);
}

#[test]
fn what_has_changed_meanwhile_counts_and_a_client_that_has_gone_gets_nothing() {
    let mut world = world();
    let lookup = ask(&mut world, &pap(1, ALICE, 1));
    world.put("alice", &Account { secret: Secret::Argon2id(HASH.into()), enabled: false, ..account() });
    world.reload(|_| {});
    world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Right);
    assert_eq!(answers(&mut world, Duration::from_millis(1_050)).remove(0).bytes[0], Code::ACCESS_REJECT.0);
    world.put("alice", &Account { secret: Secret::Argon2id(HASH.into()), ..account() });
    let lookup = ask(&mut world, &pap(2, ALICE, 2));
    world.reload(|plan| plan.clients[0] = None);
    world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Right);
    assert_eq!(answers(&mut world, Duration::from_secs(2)), []);
}

#[test]
fn a_hash_proves_nothing_by_chap_and_a_password_in_another_form_is_none() {
    let mut world = world();
    let chap = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16])
        .attribute(attr::USER_NAME, ALICE)
        .chap_password(1, PASSWORD.as_bytes())
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    assert!(!world.is_let_in(&chap));
    world.put("bob", &account());
    let lookup = ask(&mut world, &pap(2, "bob@a.example", 2));
    assert!(!lookup.phc.contains(PASSWORD));
    world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Right);
    assert_eq!(answers(&mut world, Duration::from_millis(1_050)).remove(0).bytes[0], Code::ACCESS_REJECT.0);
}

#[test]
fn a_verdict_on_a_former_hash_lets_nobody_in() {
    let mut world = world();
    let lookup = ask(&mut world, &pap(1, ALICE, 1));
    world.put("alice", &Account { secret: Secret::Argon2id(HASH.replace("c29tZ", "c29tY").into()), ..account() });
    world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Right);
    let answers = answers(&mut world, Duration::from_secs(2));
    assert_eq!(answers[0].bytes[0], Code::ACCESS_REJECT.0);
    assert_eq!(world.group_stats().rejected.password.read(), 1);
}
