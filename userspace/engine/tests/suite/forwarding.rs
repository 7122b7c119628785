//! A login and an accounting record, there and back.

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::packet::{Action, Socket};
use sekisho_wire::{attr, build::RequestBuilder, code::Code, password};

#[test]
fn a_login_reaches_the_home_server_and_its_answer_reaches_the_nas() {
    let mut world = World::new();
    let request = pap(9, "alice@a.example", 1);
    let sent = world.ask(&request).expect("forwarded");
    assert_eq!(sent.path.peer, address(HOME_1));
    assert_ne!(sent.bytes[4..20], request[4..20], "a new Request Authenticator");
    let attrs = verified_at_home(&sent, 0);
    assert_eq!(attrs[0].0, attr::MESSAGE_AUTHENTICATOR, "first (CVE-2024-3596)");
    assert_eq!(attrs.last().unwrap(), &(attr::PROXY_STATE, b"this one".to_vec()));
    let mut hidden = attrs.iter().find(|(number, _)| *number == attr::USER_PASSWORD).unwrap().1.clone();
    password::unhide(&mut hidden, &home_secret(0), sent.bytes[4..20].try_into().unwrap()).unwrap();
    assert_eq!(&hidden, b"opensesame\0\0\0\0\0\0");

    let reply = home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[(attr::REPLY_MESSAGE, b"welcome")]);
    let (_, back) = world.answer(&sent, &reply);
    let back = back.expect("sent back");
    assert_eq!((back.path.peer, back.path.socket), (address(NAS), Socket::Service(AUTH)));
    let attrs = verified_at_nas(&back, &request);
    assert_eq!(attrs[0].0, attr::MESSAGE_AUTHENTICATOR);
    assert_eq!(attrs[1], (attr::REPLY_MESSAGE, b"welcome".to_vec()));
    assert_eq!(proxy_states(&attrs), Vec::<Vec<u8>>::new());
    assert_eq!(world.stats.replies.accept.read(), 1);
}

#[test]
fn the_clients_own_proxy_states_come_back_in_order_even_if_the_home_server_lost_them() {
    let mut world = World::new();
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [3; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .attribute(attr::PROXY_STATE, b"first")
        .attribute(attr::PROXY_STATE, b"second")
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    let sent = world.ask(&request).unwrap();
    let states = proxy_states(&verified_at_home(&sent, 0));
    assert_eq!(states, [b"first".to_vec(), b"second".to_vec(), b"this one".to_vec()]);
    let mut forgetful = sent.clone();
    forgetful.bytes.truncate(20);
    let reply = home_reply(&forgetful, 0, Code::ACCESS_REJECT, &[]);
    let (_, back) = world.answer(&sent, &reply);
    let attrs = verified_at_nas(&back.unwrap(), &request);
    assert_eq!(proxy_states(&attrs), [b"first".to_vec(), b"second".to_vec()]);
}

#[test]
fn accounting_is_forwarded_and_answered_when_the_home_server_answers() {
    let mut world = World::new();
    let request = accounting(7, "alice@a.example", 1);
    let sent = world.ask_acct(&request).expect("forwarded");
    assert_eq!(sent.path.peer, address(ACCT_1));
    verified_at_home(&sent, 2);
    let (_, back) = world.answer(&sent, &home_reply(&sent, 2, Code::ACCOUNTING_RESPONSE, &[]));
    let attrs = verified_at_nas(&back.unwrap(), &request);
    assert!(attrs.is_empty(), "no Message-Authenticator in an Accounting-Response: {attrs:?}");
}

#[test]
fn accounting_on_without_a_realm_goes_to_the_customers_only_pool() {
    let mut world = World::new();
    let sent = world.ask_acct(&accounting(1, "", 7)).expect("forwarded");
    assert_eq!(sent.path.peer, address(ACCT_1));
    assert_eq!(world.ask_acct(&accounting(2, "", 1)), None, "a Start without a name has nowhere to go");
    assert_eq!(world.dropped(Reason::Unrouted), 1);
}

#[test]
fn an_answer_with_the_wrong_kind_of_code_is_dropped() {
    let mut world = World::new();
    let sent = world.ask(&pap(1, "alice@a.example", 1)).unwrap();
    let (action, _) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCOUNTING_RESPONSE, &[]));
    assert_eq!(action, Action::Drop(Reason::ReplyCode));
}

#[test]
fn status_server_is_answered_on_both_ports_whatever_the_home_servers_do() {
    let mut world = World::new();
    for (service, code) in [(AUTH, Code::ACCESS_ACCEPT), (ACCT, Code::ACCOUNTING_RESPONSE)] {
        let probe =
            RequestBuilder::new(Code::STATUS_SERVER, 4, [8; 16]).message_authenticator().build(&nas_secret()).unwrap();
        let (_, back) = world.receive(Socket::Service(service), address(NAS), &probe);
        let back = back.expect("answered");
        assert_eq!(back.bytes[0], code.0);
        verified_at_nas(&back, &probe);
    }
    assert_eq!(world.stats.status.read(), 2);
    assert_eq!(world.engine.in_flight(), 0);
}

#[test]
fn a_proxy_loop_ends_in_a_reject() {
    let mut world = World::new();
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [3; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .attribute(attr::PROXY_STATE, b"this one")
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    assert_eq!(world.ask(&request), None);
    assert_eq!(world.stats.loops.read(), 1);
    let back = world.pass(std::time::Duration::from_millis(1_200));
    assert_eq!(back.len(), 1);
    let attrs = verified_at_nas(&back[0].1, &request);
    assert_eq!(back[0].1.bytes[0], Code::ACCESS_REJECT.0);
    assert!(attrs.contains(&(attr::ERROR_CAUSE, 502u32.to_be_bytes().to_vec())));
}
