//! Sessions that are ended at their NAS because an operator wants them elsewhere (RFC 5176 §3.1).

use std::time::Duration;

use crate::common::{dynauth::*, *};
use sekisho_abi::Reason;
use sekisho_engine::{packet::Action, snapshot::HomeId};
use sekisho_wire::{attr, attribute::attributes, code::Code};

const SESSION: Attributes<'static> = &[(attr::ACCT_SESSION_ID, b"s-1"), (attr::USER_NAME, b"x@a.example")];

/// What the NAS gets.
fn sent(net: &mut Net) -> Sent {
    let now = net.world.now;
    net.world.engine.disconnect(now, net.nases[0].id(), SESSION).unwrap();
    net.world.pass(Duration::from_millis(10)).remove(0).1
}

#[test]
fn a_disconnect_is_signed_and_says_which_session() {
    let mut net = Net::new();
    net.world.open_ports();
    let _ = net.world.engine.disconnect(net.world.now, net.nases[0].id(), SESSION);
    net.world.open_ports();
    net.world.pass(Duration::from_millis(10));
    let sent = sent(&mut net);
    assert_eq!((sent.path.peer, sent.bytes[0]), (address(NAS_AT), Code::DISCONNECT_REQUEST.0));
    let attrs = verified_at_home(&sent, NAS_SECRETS[0]);
    assert_eq!(attrs[0].0, attr::MESSAGE_AUTHENTICATOR);
    for (number, value) in SESSION {
        assert!(attrs.contains(&(*number, value.to_vec())), "{number}");
    }
}

#[test]
fn its_answer_ends_it_and_silence_too_and_neither_goes_to_anybody() {
    let mut net = Net::new();
    let _ = net.world.engine.disconnect(net.world.now, net.nases[0].id(), SESSION);
    net.world.open_ports();
    net.world.pass(Duration::from_secs(6));
    let first = sent(&mut net);
    let ack = home_reply(&first, NAS_SECRETS[0], Code::DISCONNECT_ACK, &[]);
    assert_eq!(net.world.answer(&first, &ack), (Action::Hold, None));
    assert!(net.is_idle());
    assert_eq!(net.nases[0].count(|stats| &stats.replies.disconnect_ack), 1);
    sent(&mut net);
    assert!(net.world.pass(Duration::from_secs(6)).is_empty(), "sent once");
    assert!(net.is_idle());
    assert!(attributes(&first.bytes).count() == 3);
}

#[test]
fn what_is_no_nas_gets_none() {
    let mut net = Net::new();
    let now = net.world.now;
    for id in [HomeId(0), HomeId(9_999)] {
        assert_eq!(net.world.engine.disconnect(now, id, SESSION), Err(Reason::NoServer));
    }
    let long = [b'x'; 253];
    let many: Vec<(u8, &[u8])> = vec![(attr::USER_NAME, &long); 17];
    let _ = net.world.engine.disconnect(now, net.nases[0].id(), SESSION);
    net.world.open_ports();
    assert_eq!(net.world.engine.disconnect(net.world.now, net.nases[0].id(), &many), Err(Reason::TooLong));
    assert!(net.world.engine.is_consistent());
}
