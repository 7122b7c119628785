//! What a client's reply policies change in Accepts for hosted accounts.

use std::{sync::Arc, time::Duration};

use crate::common::{hosted::*, *};
use sekisho_engine::{
    hosted::{Account, PasswordVerdict, Secret},
    packet::{Action, Socket},
    snapshot::*,
};
use sekisho_wire::{
    attr,
    build::RequestBuilder,
    code::Code,
    policy::{Policy, Rule, Value},
    select::AttributeId,
};

const HASH: &str = "$argon2id$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$qqSCqQPLbO7RKU+qFwvGng9SW7NSAcN79ODs6fFxXms";

/// Customer 0's realm, and its first client's replies are changed by these policies, one after the other.
fn with_reply_policies(policies: Vec<Vec<Rule>>, shape: impl Fn(&mut Group) + 'static) -> World {
    let mut plan = group_plan(shape);
    plan.reshape(move |snapshot| {
        client(snapshot, 0).reply_policies =
            policies.iter().map(|rules| Arc::new(Policy::new(rules.clone()))).collect();
    });
    world_of(plan)
}

#[test]
fn an_accept_is_changed_by_its_clients_reply_policies_as_a_home_servers_is() {
    let (timeout, service) = (AttributeId::Plain(attr::SESSION_TIMEOUT), AttributeId::Plain(attr::SERVICE_TYPE));
    let own = vec![Rule::Remove(service, None), Rule::Replace(timeout, Value::Literal([0, 0, 14, 16].into()))];
    let customers = vec![Rule::Add(AttributeId::Plain(attr::FILTER_ID), Value::Of(timeout))];
    let reply = |group: &mut Group| group.reply = [6, 6, 0, 0, 0, 2, 27, 6, 0, 0, 0, 60].into();
    let mut world = with_reply_policies(vec![own, customers], reply);
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .user_password(PASSWORD.as_bytes(), &nas_secret())
        .attribute(attr::PROXY_STATE, "its own")
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    let accept = world.log_in(&request);
    let attrs = verified_at_nas(&accept, &request);
    let hour = vec![0, 0, 14, 16];
    assert_eq!(attrs[0].0, attr::MESSAGE_AUTHENTICATOR, "still the first");
    let expected =
        [(attr::PROXY_STATE, b"its own".to_vec()), (attr::SESSION_TIMEOUT, hour.clone()), (attr::FILTER_ID, hour)];
    assert_eq!(attrs[1..], expected);
    assert_eq!(world.ask(&request), Some(accept), "a repetition gets the same");
    let request = login(2, "alice@a.example", "wrong", "");
    let reject = world.log_in(&request);
    assert_eq!(verified_at_nas(&reject, &request).len(), 1, "nothing is added to a Reject");
}

#[test]
fn an_accept_that_a_policy_makes_too_long_becomes_a_reject() {
    let long = Rule::Add(AttributeId::Plain(attr::REPLY_MESSAGE), Value::Literal([b'x'; 253].into()));
    let mut world = with_reply_policies(vec![vec![long; 17]], |it| it.simultaneous = 1);
    assert!(!world.is_let_in(&pap(1, "alice@a.example", 1)));
    assert!(world.engine.is_consistent());
    assert_eq!(world.snapshot.group(OF_A).unwrap().sessions.now(), 0, "it keeps no place");
}

fn replaced(kind: u8, number: u32) -> Rule {
    Rule::Replace(AttributeId::Plain(kind), Value::Literal(number.to_be_bytes().into()))
}

/// The answer to a login whose password is kept as a hash, and is right.
fn looked_up(world: &mut World, request: &[u8]) -> Vec<Sent> {
    world.put("alice", &Account { secret: Secret::Argon2id(HASH.into()), ..account() });
    assert_eq!(world.receive(Socket::Service(AUTH), address(NAS), request), (Action::Hold, None));
    let lookup = world.engine.poll_lookup().unwrap();
    world.engine.handle_verdict(world.now, lookup.token, PasswordVerdict::Right);
    world.pass(Duration::from_millis(1_100)).into_iter().map(|it| it.1).collect()
}

#[test]
fn an_accept_whose_password_was_checked_elsewhere_is_changed_as_well() {
    let mut world =
        with_reply_policies(vec![vec![replaced(attr::SESSION_TIMEOUT, 3600)]], |it| it.form = PasswordForm::Argon2id);
    let request = pap(1, "alice@a.example", 1);
    let accept = looked_up(&mut world, &request).remove(0);
    let attrs = verified_at_nas(&accept, &request);
    assert_eq!((accept.bytes[0], attrs[0].0), (Code::ACCESS_ACCEPT.0, attr::MESSAGE_AUTHENTICATOR));
    assert_eq!(attrs[1..], [(attr::SESSION_TIMEOUT, vec![0, 0, 14, 16])]);
    assert_eq!(world.ask(&request), Some(accept), "a repetition gets the same");

    let long = Rule::Add(AttributeId::Plain(attr::REPLY_MESSAGE), Value::Literal([b'x'; 253].into()));
    let mut world =
        with_reply_policies(vec![vec![long; 17]], |it| (it.form, it.simultaneous) = (PasswordForm::Argon2id, 1));
    assert_eq!(looked_up(&mut world, &request).remove(0).bytes[0], Code::ACCESS_REJECT.0);
    assert_eq!(world.snapshot.group(OF_A).unwrap().sessions.now(), 0, "it keeps no place");
}

#[test]
fn a_session_may_be_silent_for_as_long_as_its_nas_was_told_and_not_as_the_contract_says() {
    let mut world = with_reply_policies(vec![vec![replaced(attr::ACCT_INTERIM_INTERVAL, 3600)]], |group| {
        (group.simultaneous, group.reply) = (1, [85, 6, 0, 0, 0, 60].into());
    });
    assert!(world.is_let_in(&login(1, "alice@a.example", PASSWORD, "09000000001")));
    world.report(&session(1, 1, "s1", "alice@a.example", "09000000001"));
    let mut later = |seconds| {
        world.now = world.now + Duration::from_secs(seconds);
        world.pass(Duration::from_millis(10));
        world.is_let_in(&login(2, "alice@a.example", PASSWORD, "09000000002"))
    };
    assert!(!later(3 * 3600 - 10), "three intervals of the policy's are not over");
    assert!(later(20));
}
