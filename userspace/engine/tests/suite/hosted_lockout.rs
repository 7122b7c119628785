//! Against guessing: too many failures lock an account for a number, or a client; and nobody else.

use std::time::Duration;

use crate::common::{hosted::*, *};
use sekisho_engine::snapshot::*;
use sekisho_wire::{attr, build::RequestBuilder, code::Code, secret::Secret};

const MINUTE: Duration = Duration::from_secs(60);

fn policy(failures: u16, client_failures: u16) -> Lockout {
    Lockout { failures, client_failures, window: 5 * MINUTE, hold: MINUTE }
}

fn world(failures: u16, client_failures: u16) -> World {
    group_world(move |group| group.lockout = policy(failures, client_failures))
}

/// Logs in again and again, each time with an identifier of its own.
#[derive(Default)]
struct Caller(u8);

impl Caller {
    fn is_let_in(&mut self, world: &mut World, user: &str, password: &str, number: &str) -> bool {
        self.0 = self.0.wrapping_add(1);
        world.is_let_in(&login(self.0, &format!("{user}@a.example"), password, number))
    }
}

const SIM_1: &str = "09000000001";
const SIM_2: &str = "09000000002";

#[test]
fn wrong_passwords_lock_an_account_for_that_number_and_no_other() {
    let (mut world, mut caller) = (world(3, 0), Caller::default());
    (0..3).for_each(|_| assert!(!caller.is_let_in(&mut world, "alice", "wrong", SIM_1)));
    assert!(!caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1), "locked");
    assert!(!caller.is_let_in(&mut world, "alice", PASSWORD, "+81-90-0000-0001"), "the same number");
    assert!(caller.is_let_in(&mut world, "alice", PASSWORD, SIM_2), "one SIM does not lock another's account");
    assert!(caller.is_let_in(&mut world, "bob", PASSWORD, SIM_1));
    let rejected = &world.group_stats().rejected;
    assert_eq!((rejected.password.read(), rejected.locked.read()), (3, 2));
    // The same is done for one that is locked.
    assert_eq!(world.group_stats().compared.read(), 7);
}

#[test]
fn a_lock_is_held_for_its_time_and_what_comes_meanwhile_does_not_prolong_it() {
    let (mut world, mut caller) = (world(2, 0), Caller::default());
    (0..2).for_each(|_| assert!(!caller.is_let_in(&mut world, "alice", "wrong", SIM_1)));
    // A Reject takes a second.
    for _ in 0..5 {
        world.pass(Duration::from_secs(10));
        assert!(!caller.is_let_in(&mut world, "alice", "wrong", SIM_1));
    }
    world.pass(Duration::from_secs(7));
    assert!(caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1));
}

#[test]
fn a_lock_begins_with_the_failure_that_makes_it() {
    let (mut world, mut caller) = (world(2, 0), Caller::default());
    assert!(!caller.is_let_in(&mut world, "alice", "wrong", SIM_1));
    world.pass(4 * MINUTE);
    assert!(!caller.is_let_in(&mut world, "alice", "wrong", SIM_1));
    world.pass(Duration::from_secs(55));
    assert!(!caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1));
    world.pass(Duration::from_secs(5));
    assert!(caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1));
}

#[test]
fn failures_count_within_their_window_and_a_right_password_clears_them() {
    let (mut world, mut caller) = (world(2, 0), Caller::default());
    assert!(!caller.is_let_in(&mut world, "alice", "wrong", SIM_1));
    world.pass(5 * MINUTE);
    assert!(!caller.is_let_in(&mut world, "alice", "wrong", SIM_1));
    assert!(caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1), "the first is too old");
    assert!(!caller.is_let_in(&mut world, "alice", "wrong", SIM_1));
    assert!(caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1), "the one before is cleared");
}

#[test]
fn a_login_that_is_refused_with_the_right_password_is_no_guess() {
    let (mut world, mut caller) = (world(1, 1), Caller::default());
    world.put("alice", &sekisho_engine::hosted::Account { enabled: false, ..account() });
    (0..3).for_each(|_| assert!(!caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1)));
    assert_eq!(world.group_stats().rejected.disabled.read(), 3);
    assert!(caller.is_let_in(&mut world, "bob", PASSWORD, SIM_1));
}

#[test]
fn a_clients_failures_lock_it_out_unknown_users_among_them() {
    let mut plan = group_plan(|group| group.lockout = policy(10, 6));
    plan.clients.push(Some(("192.0.2.30:40000", 0, b"the secret of the NAS".to_vec())));
    let (mut world, mut caller) = (world_of(plan), Caller::default());
    for n in 0..6 {
        assert!(!caller.is_let_in(&mut world, &format!("nobody-{n}"), "guess", ""));
    }
    assert!(!caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1), "locked");
    let elsewhere = world.log_in_at("192.0.2.30:40000", &login(1, "alice@a.example", PASSWORD, SIM_1));
    assert_eq!(elsewhere.bytes[0], Code::ACCESS_ACCEPT.0, "another client is not");
    world.pass(MINUTE);
    assert!(caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1));
}

#[test]
fn one_caller_alone_does_not_lock_its_client_out() {
    let (mut world, mut caller) = (world(3, 6), Caller::default());
    for n in 0..20 {
        assert!(!caller.is_let_in(&mut world, &format!("nobody-{}", n % 7), "guess", SIM_1));
    }
    assert!(caller.is_let_in(&mut world, "alice", PASSWORD, SIM_2));
    // A second one makes six.
    (0..3).for_each(|_| assert!(!caller.is_let_in(&mut world, "alice", "wrong", "09000000003")));
    assert!(!caller.is_let_in(&mut world, "alice", PASSWORD, SIM_2));
}

#[test]
fn a_reload_and_another_worker_know_the_same_failures() {
    let (mut world, mut caller) = (world(2, 0), Caller::default());
    (0..2).for_each(|_| assert!(!caller.is_let_in(&mut world, "alice", "wrong", SIM_1)));
    world.reload(|_| {});
    let mut other = world.beside(1);
    assert!(!caller.is_let_in(&mut other, "alice", PASSWORD, SIM_1));
    assert!(!caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1));
}

/// A login without Message-Authenticator, under this secret.
fn unproven(id: u8, password: &[u8], secret: &Secret, chap: bool) -> Vec<u8> {
    let builder = RequestBuilder::new(Code::ACCESS_REQUEST, id, [id; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .attribute(attr::CALLING_STATION_ID, SIM_1);
    let builder = if chap { builder.chap_password(1, password) } else { builder.user_password(password, secret) };
    builder.build(secret).unwrap()
}

#[test]
fn whoever_knows_only_a_clients_address_locks_nobody_out() {
    let (mut world, mut caller) = (world(3, 6), Caller::default());
    let guess = Secret::new("not the secret").unwrap();
    for id in 100..120 {
        assert!(!world.is_let_in(&unproven(id, b"guess", &guess, false)));
    }
    assert!(caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1));
    // By CHAP nobody can tell; then it is that account and number, and never the whole client.
    for id in 120..140 {
        assert!(!world.is_let_in(&unproven(id, b"guess", &guess, true)));
    }
    assert!(!caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1));
    assert!(caller.is_let_in(&mut world, "bob", PASSWORD, SIM_1));
}

#[test]
fn a_client_without_message_authenticators_is_guarded_all_the_same() {
    let (mut world, mut caller) = (world(3, 6), Caller::default());
    for id in 100..103 {
        assert!(!world.is_let_in(&unproven(id, b"guess", &nas_secret(), false)));
    }
    assert!(!world.is_let_in(&unproven(103, PASSWORD.as_bytes(), &nas_secret(), false)), "locked");
    assert!(!caller.is_let_in(&mut world, "alice", PASSWORD, SIM_1));
    assert!(caller.is_let_in(&mut world, "alice", PASSWORD, SIM_2));
}
