//! Who gets what: the verdict table for a `client`, and everything that is dropped.

use std::time::Duration;

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code, secret::Secret};

const SECOND: Duration = Duration::from_secs(1);

fn rejected_after_a_second(peer: &str, user: &str) {
    let mut world = World::new();
    let request = pap(1, user, 1);
    let (action, _) = world.receive(Socket::Service(AUTH), address(peer), &request);
    assert_eq!(action, Action::Hold, "{user}");
    assert_eq!(world.pass(SECOND - Duration::from_millis(20)), [], "not before reject_delay");
    let (action, _) = world.receive(Socket::Service(AUTH), address(peer), &request);
    assert_eq!(action, Action::Drop(Reason::Absorbed), "a repetition meanwhile is in flight");
    let back = world.pass(Duration::from_millis(100));
    assert_eq!(back.len(), 1, "{user}");
    assert_eq!((back[0].1.bytes[0], back[0].1.path.peer), (Code::ACCESS_REJECT.0, address(peer)));
    verified_at_nas(&back[0].1, &request);
    let (_, again) = world.receive(Socket::Service(AUTH), address(peer), &request);
    assert_eq!(again.unwrap().bytes, back[0].1.bytes, "a repetition afterwards gets the same bytes");
    assert_eq!(world.stats.forwarded.read(), 0);
}

#[test]
fn an_unknown_realm_is_rejected_after_reject_delay() {
    rejected_after_a_second(NAS, "alice@nowhere.example");
}

#[test]
fn a_name_without_a_realm_is_rejected() {
    rejected_after_a_second(NAS, "alice");
    rejected_after_a_second(NAS, "alice@");
    rejected_after_a_second(NAS, "");
}

#[test]
fn another_customers_realm_is_rejected_however_it_is_written() {
    for user in ["x@a.example", "x@A.EXAMPLE.", "x@b.example@a.example", "x@ａ.example"] {
        rejected_after_a_second(NAS_B, user);
    }
}

#[test]
fn a_realm_that_no_contract_serves_is_rejected() {
    rejected_after_a_second(NAS_B, "x@b.example");
}

#[test]
fn a_realm_is_compared_without_case_and_trailing_dot_and_forwarded_as_it_came() {
    for user in ["Alice@A.Example", "alice@a.example.", "odd@name@a.example"] {
        let mut world = World::new();
        let sent = world.ask(&pap(1, user, 1)).expect("forwarded");
        let attrs = verified_at_home(&sent, 0);
        assert!(attrs.contains(&(attr::USER_NAME, user.as_bytes().to_vec())));
    }
}

#[test]
fn accounting_for_an_unknown_realm_is_not_answered() {
    let mut world = World::new();
    assert_eq!(world.ask_acct(&accounting(1, "alice@nowhere.example", 1)), None);
    assert_eq!(world.dropped(Reason::Unrouted), 1);
    assert_eq!(world.pass(2 * SECOND), []);
}

#[test]
fn rejects_beyond_the_bound_leave_at_once_and_are_counted() {
    let limits = Limits { max_delayed_rejects: 2, ..Limits::default() };
    let mut world = World::with(Plan::default(), limits);
    for id in 0..2 {
        assert_eq!(world.ask(&pap(id, "x@nowhere.example", 1)), None);
    }
    let sent = world.ask(&pap(2, "x@nowhere.example", 1)).expect("at once");
    assert_eq!(sent.bytes[0], Code::ACCESS_REJECT.0);
    assert_eq!((world.stats.delayed.read(), world.stats.undelayed.read()), (2, 1));
    assert_eq!(world.pass(2 * SECOND).len(), 2);
    assert_eq!(world.ask(&pap(3, "x@nowhere.example", 1)), None, "held again once there is room");
}

#[test]
fn strangers_and_packets_by_a_way_without_a_domain_are_unregistered() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let (action, _) = world.receive(Socket::Service(AUTH), address("203.0.113.9:1"), &request);
    assert_eq!(action, Action::Drop(Reason::Unregistered));
    let (action, _) = world.receive(Socket::Service(AUTH), address(HOME_1), &request);
    assert_eq!(action, Action::Drop(Reason::WrongRole), "a home server is no client");
    assert_eq!(world.engine.in_flight(), 0);
}

#[test]
fn what_does_not_verify_is_dropped_with_its_reason_and_leaves_no_trace() {
    let wrong = Secret::new("not the secret").unwrap();
    let access = |builder: RequestBuilder, secret: &Secret| builder.build(secret).unwrap();
    let start = || RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16]).attribute(attr::USER_NAME, "alice@a.example");
    let account = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .attribute(attr::ACCT_STATUS_TYPE, [0, 0, 0, 1]);
    let session = account.clone().attribute(attr::ACCT_SESSION_ID, "s");
    let cases = [
        (AUTH, access(start().message_authenticator(), &wrong), Reason::MessageAuthenticatorBad),
        (AUTH, access(start().attribute(attr::EAP_MESSAGE, b"e"), &wrong), Reason::EapWithoutMessageAuthenticator),
        (
            AUTH,
            access(start().attribute(attr::PROXY_STATE, b"p"), &wrong),
            Reason::ProxyStateWithoutMessageAuthenticator,
        ),
        (AUTH, access(start().attribute(attr::USER_PASSWORD, [0; 17]), &wrong), Reason::PasswordLength),
        (AUTH, access(start().attribute(70, [0; 16]), &wrong), Reason::Arap),
        (ACCT, access(session.clone(), &wrong), Reason::AuthenticatorBad),
        (ACCT, access(account, &nas_secret()), Reason::SessionIdMissing),
        (ACCT, access(session.attribute(attr::STATE, b"s"), &nas_secret()), Reason::ForbiddenAttribute),
        (AUTH, accounting(1, "alice@a.example", 1), Reason::BadCode),
        (ACCT, pap(1, "alice@a.example", 1), Reason::BadCode),
        (AUTH, vec![1; 19], Reason::TooShort),
        (AUTH, [&[1, 1, 0, 21][..], &[0; 16]].concat(), Reason::BadLength),
        (AUTH, [&[1, 1, 0, 22][..], &[0; 16], &[1, 1]].concat(), Reason::BadAttribute),
    ];
    let mut world = World::new();
    for (service, packet, reason) in cases {
        let (action, _) = world.receive(Socket::Service(service), address(NAS), &packet);
        assert_eq!(action, Action::Drop(reason));
        assert!(world.dropped(reason) >= 1, "{reason:?} is counted");
    }
    assert_eq!(world.stats.forwarded.read(), 0);
    assert_eq!(world.pass(20 * SECOND), []);
}

#[test]
fn accounting_on_goes_to_the_only_contract_that_takes_accounting() {
    let mut world = World::with(Plan { auth_only: true, ..Plan::default() }, Default::default());
    let sent = world.ask_acct(&accounting(1, "", 7)).expect("forwarded");
    assert_eq!(sent.path.peer, address(ACCT_1));
}
