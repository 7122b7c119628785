//! A node that drains tells its clients by not answering Status-Server, and goes on serving those that still ask (RFC 5997 §4.2).

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::packet::{Action, Socket};
use sekisho_wire::{build::RequestBuilder, code::Code};

fn status(id: u8) -> Vec<u8> {
    RequestBuilder::new(Code::STATUS_SERVER, id, [id; 16]).message_authenticator().build(&nas_secret()).unwrap()
}

#[test]
fn a_draining_node_is_silent_to_status_server_and_serves_everybody_as_ever() {
    let mut world = World::new();
    assert_eq!(world.ask(&status(1)).unwrap().bytes[0], Code::ACCESS_ACCEPT.0);
    world.engine.set_draining(true);
    for socket in [AUTH, ACCT] {
        let (action, _) = world.receive(Socket::Service(socket), address(NAS), &status(2));
        assert_eq!(action, Action::Drop(Reason::Draining));
    }
    // What cannot prove itself is dropped for that, and learns nothing.
    let mut forged = status(3);
    forged[30] ^= 1;
    let (action, _) = world.receive(Socket::Service(AUTH), address(NAS), &forged);
    assert_eq!(action, Action::Drop(Reason::MessageAuthenticatorBad));
    let login = pap(4, "alice@a.example", 4);
    let sent = world.ask(&login).unwrap();
    let reply = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[])).1.unwrap();
    verified_at_nas(&reply, &login);
    let record = accounting(5, "alice@a.example", 1);
    let sent = world.ask_acct(&record).unwrap();
    assert!(world.answer(&sent, &home_reply(&sent, 2, Code::ACCOUNTING_RESPONSE, &[])).1.is_some());
    world.engine.set_draining(false);
    assert_eq!(world.ask(&status(6)).unwrap().bytes[0], Code::ACCESS_ACCEPT.0, "and a drain can be called off");
}
