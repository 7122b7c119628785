//! CoA and Disconnect that are not forwarded: for another customer's session, for no NAS, or without proof.

use std::time::Duration;

use crate::common::{dynauth::*, *};
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
    snapshot::{HomeService, RoutingSnapshot},
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

#[test]
fn a_refusal_has_the_senders_proxy_states_and_is_remembered() {
    let mut net = Net::new();
    let attrs: [(u8, &[u8]); 3] =
        [(attr::PROXY_STATE, b"one"), (attr::NAS_IDENTIFIER, b"unknown"), (attr::PROXY_STATE, b"two")];
    let asked = disconnect(1, &attrs);
    let reply = net.ask(&asked).unwrap();
    assert_eq!(proxy_states(&verified_at_nas(&reply, &asked)), [b"one".to_vec(), b"two".to_vec()]);
    assert_eq!(net.ask(&asked), Some(reply.clone()));
    assert_eq!(net.world.stats.repeated.read(), 1);
    let signed = RequestBuilder::new(Code::COA_REQUEST, 2, [0; 16]).message_authenticator().build(&nas_secret());
    let reply = net.ask(&signed.unwrap()).unwrap();
    assert_eq!(reply.bytes[20], attr::MESSAGE_AUTHENTICATOR, "who asks with one is answered with one");
    assert!(net.is_idle());
    let customer = net.world.snapshot.customers[0].as_ref().unwrap();
    assert_eq!(customer.stats.sum(|stats| &stats.unroutable), 2);
    assert_eq!(customer.stats.sum(|stats| &stats.replies.disconnect_nak), 1);
}

#[test]
fn a_session_of_another_customers_realm_is_dropped_in_silence() {
    let mut net = Net::new();
    let (own, foreign) = ((attr::NAS_IP_ADDRESS, &V4[..]), (attr::NAS_IP_ADDRESS, &[192, 0, 2, 20][..]));
    let user = |name: &'static [u8]| (attr::USER_NAME, name);
    let dropped = [
        (SENDER, disconnect(1, &[own, user(b"bob@b.example")])),
        (SENDER, disconnect(2, &[foreign, user(b"bob@b.example")])),
        (SENDER, disconnect(3, &[own, user(b"carol@nowhere.example")])),
        (SENDER_B, disconnect(4, &[foreign, user(b"alice@a.example")])),
        (SENDER_B, disconnect(5, &[own, user(b"alice@A.Example.")])),
        // Customer 1's own realm, which nobody serves: no Access-Request for it is routed.
        (SENDER_B, disconnect(6, &[foreign, user(b"bob@b.example")])),
    ];
    for (from, asked) in &dropped {
        assert_eq!(net.send(from, asked), (Action::Drop(Reason::ReversePath), None));
        assert_eq!(net.send(from, asked).0, Action::Drop(Reason::ReversePath), "and again");
    }
    assert_eq!(net.world.dropped(Reason::ReversePath), 12);
    assert!(net.is_idle());
    assert_eq!(net.world.stats.remembered.read(), 0, "nothing is kept of it");
    for (id, name) in [&b"alice@a.example"[..], b"alice@A.EXAMPLE.", b"aabbccddeeff"].into_iter().enumerate() {
        assert!(net.ask(&disconnect(10 + id as u8, &[own, (attr::USER_NAME, name)])).is_some(), "{name:?}");
    }
}

#[test]
fn a_nas_that_cannot_be_asked_now_is_a_nak_at_once() {
    let full = |snapshot: &mut RoutingSnapshot| home(snapshot, 40).max_outstanding = 1;
    let mut net = Net::with(full);
    assert!(!net.ask(&disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)])).unwrap().to_client());
    let asked = disconnect(2, &[(attr::NAS_IP_ADDRESS, &V4)]);
    assert_eq!(cause(&net.ask(&asked).unwrap(), &asked, Code::DISCONNECT_NAK), 505);
    assert_eq!(net.world.engine.in_flight(), 1);
}

#[test]
fn codes_belong_to_their_ports_and_senders_to_their_roles() {
    let mut net = Net::new();
    let asked = disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)]);
    let status = RequestBuilder::new(Code::STATUS_SERVER, 1, [1; 16]).message_authenticator().build(&nas_secret());
    let cases = [
        (AUTH, NAS, asked.clone(), Reason::BadCode),
        (ACCT, NAS, asked.clone(), Reason::BadCode),
        (DYNAUTH, SENDER, pap(1, "alice@a.example", 1), Reason::BadCode),
        (DYNAUTH, SENDER, accounting(1, "alice@a.example", 1), Reason::BadCode),
        (DYNAUTH, SENDER, status.unwrap(), Reason::BadCode),
        (DYNAUTH, NAS, asked.clone(), Reason::WrongRole),
        (DYNAUTH, HOME_2, asked.clone(), Reason::WrongRole),
        (DYNAUTH, "203.0.113.1:1000", asked.clone(), Reason::Unregistered),
        (AUTH, SENDER, pap(1, "alice@a.example", 1), Reason::WrongRole),
    ];
    for (socket, from, bytes, reason) in cases {
        let (action, _) = net.world.receive(Socket::Service(socket), address(from), &bytes);
        assert_eq!(action, Action::Drop(reason), "{from} on {socket}");
    }
    assert!(net.is_idle());
}

#[test]
fn what_does_not_verify_is_dropped_and_leaves_no_trace() {
    let mut net = Net::new();
    let named = (attr::NAS_IP_ADDRESS, &V4[..]);
    let mut forged = disconnect(1, &[named]);
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(net.send(SENDER, &forged).0, Action::Drop(Reason::AuthenticatorBad));
    // The Request Authenticator is right, over a Message-Authenticator that is not.
    let bad = disconnect(2, &[(attr::MESSAGE_AUTHENTICATOR, &[7; 16]), named]);
    assert_eq!(net.send(SENDER, &bad).0, Action::Drop(Reason::MessageAuthenticatorBad));
    let short = disconnect(3, &[(attr::MESSAGE_AUTHENTICATOR, &[7; 3]), named]);
    assert_eq!(net.send(SENDER, &short).0, Action::Drop(Reason::MessageAuthenticatorBad));
    let twice = disconnect(4, &[(attr::MESSAGE_AUTHENTICATOR, &[7; 16]), (attr::MESSAGE_AUTHENTICATOR, &[7; 16])]);
    assert_eq!(net.send(SENDER, &twice).0, Action::Drop(Reason::MessageAuthenticatorRepeated));
    assert!(net.is_idle());
    assert_eq!(net.nases[0].count(|stats| &stats.requests), 0);
}

#[test]
fn a_loop_ends_in_a_nak() {
    let mut net = Net::new();
    let named = (attr::NAS_IP_ADDRESS, &V4[..]);
    let ours = disconnect(1, &[named, (attr::PROXY_STATE, b"this one")]);
    assert_eq!(cause(&net.ask(&ours).unwrap(), &ours, Code::DISCONNECT_NAK), 502);
    let many = disconnect(2, &[[named].as_slice(), &[(attr::PROXY_STATE, &b"x"[..]); 11]].concat());
    assert_eq!(cause(&net.ask(&many).unwrap(), &many, Code::DISCONNECT_NAK), 502);
    assert_eq!(net.world.stats.loops.read(), 2);
}

#[test]
fn a_forged_answer_or_one_of_the_wrong_kind_changes_nothing() {
    let mut net = Net::new();
    let asked = disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)]);
    let sent = net.ask(&asked).unwrap();
    let forged = home_reply(&sent, 41, Code::DISCONNECT_ACK, &[]);
    assert_eq!(net.world.answer(&sent, &forged).0, Action::Drop(Reason::ReplyForged));
    let wrong = home_reply(&sent, 40, Code::COA_ACK, &[]);
    assert_eq!(net.world.answer(&sent, &wrong).0, Action::Drop(Reason::ReplyCode));
    let accept = home_reply(&sent, 40, Code::ACCESS_ACCEPT, &[]);
    assert_eq!(net.world.answer(&sent, &accept).0, Action::Drop(Reason::ReplyCode));
    let right = home_reply(&sent, 40, Code::DISCONNECT_ACK, &[]);
    verified_at_nas(&net.world.answer(&sent, &right).1.unwrap(), &asked);
}

#[test]
fn a_sender_that_a_reload_removes_gets_no_answer() {
    let mut net = Net::new();
    let sent = net.ask(&disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)])).unwrap();
    net.ask(&disconnect(2, &[(attr::NAS_IP_ADDRESS, &V4)])).unwrap();
    net.world.reload(|plan| plan.reshape(|snapshot| snapshot.clients[2] = None));
    let ack = home_reply(&sent, 40, Code::DISCONNECT_ACK, &[]);
    assert_eq!(net.world.answer(&sent, &ack).0, Action::Drop(Reason::ReplyUnwanted));
    assert_eq!(net.world.pass(Duration::from_secs(11)), []);
    assert!(net.is_idle());
}

#[test]
fn a_nas_taken_out_of_service_is_not_asked() {
    let mut net = Net::with(|snapshot| home(snapshot, 40).service = HomeService::Down);
    net.world.pass(Duration::from_millis(200));
    let asked = disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)]);
    assert_eq!(cause(&net.ask(&asked).unwrap(), &asked, Code::DISCONNECT_NAK), 505);
}

#[test]
fn without_a_port_it_is_a_nak_and_not_silence() {
    let mut net = Net::new();
    net.world = World::without_ports(net.world.plan.clone(), Limits::default());
    net.world.no_ports = true;
    net.world.open_ports();
    let asked = disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)]);
    assert_eq!(cause(&net.ask(&asked).unwrap(), &asked, Code::DISCONNECT_NAK), 505);
    net.world.no_ports = false;
    net.world.pass(Duration::from_secs(2));
    net.ask(&disconnect(2, &[(attr::NAS_IP_ADDRESS, &V4)]));
    assert!(!net.ask(&disconnect(3, &[(attr::NAS_IP_ADDRESS, &V4)])).unwrap().to_client());
}
