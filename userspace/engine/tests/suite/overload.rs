//! What goes first when room is short (rule 18), and what must not push out what (rule 37).

use std::time::Duration;

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
};
use sekisho_wire::{attr, build::RequestBuilder, code::Code};

fn login(id: u8, authenticator: u8) -> RequestBuilder {
    RequestBuilder::new(Code::ACCESS_REQUEST, id, [authenticator; 16]).attribute(attr::USER_NAME, "alice@a.example")
}

fn signed(builder: RequestBuilder) -> Vec<u8> {
    builder.message_authenticator().build(&nas_secret()).unwrap()
}

fn unsigned(builder: RequestBuilder) -> Vec<u8> {
    builder.build(&nas_secret()).unwrap()
}

fn outcome(world: &mut World, socket: u16, request: &[u8]) -> Action {
    world.receive(Socket::Service(socket), address(NAS), request).0
}

#[test]
fn in_the_last_sixteenth_of_the_room_conversations_go_on_and_none_begins() {
    let mut world = World::with(Plan::default(), Limits { max_requests: 32, ..Limits::default() });
    for id in 0..31 {
        assert!(matches!(outcome(&mut world, AUTH, &signed(login(id, 1))), Action::Send(_)), "{id}");
    }
    // 31 of 32 are in flight: more than fifteen sixteenths.
    assert_eq!(outcome(&mut world, AUTH, &signed(login(31, 1))), Action::Drop(Reason::Overload));
    assert_eq!(world.dropped(Reason::Overload), 1);
    assert!(matches!(outcome(&mut world, AUTH, &signed(login(32, 1).attribute(attr::STATE, "s"))), Action::Send(_)));
    let full = signed(login(33, 1).attribute(attr::STATE, "s"));
    assert_eq!(outcome(&mut world, AUTH, &full), Action::Drop(Reason::TableFull));
    assert!(matches!(outcome(&mut world, AUTH, &signed(login(5, 2))), Action::Send(_)), "in the place of an older one");
}

#[test]
fn accounting_goes_on_until_there_is_no_room() {
    let mut world = World::with(Plan::default(), Limits { max_requests: 32, ..Limits::default() });
    for id in 0..32 {
        let record = accounting(id, "alice@a.example", 1);
        assert!(matches!(outcome(&mut world, ACCT, &record), Action::Send(_)), "{id}");
    }
    assert_eq!(outcome(&mut world, ACCT, &accounting(32, "alice@a.example", 1)), Action::Drop(Reason::TableFull));
}

#[test]
fn answers_that_are_only_remembered_are_no_load() {
    let mut world = World::with(Plan::default(), Limits { max_requests: 32, ..Limits::default() });
    for id in 0..64 {
        let sent = world.ask(&signed(login(id, 1))).unwrap();
        assert!(world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[])).1.is_some());
    }
    assert_eq!(world.dropped(Reason::Overload), 0);
}

#[test]
fn whoever_proves_nothing_cannot_end_a_request_that_was_proved() {
    let mut world = World::new();
    let request = signed(login(1, 1));
    let sent = world.ask(&request).unwrap();
    assert_eq!(outcome(&mut world, AUTH, &unsigned(login(1, 2))), Action::Drop(Reason::Unproven));
    assert_eq!((world.dropped(Reason::Unproven), world.stats.superseded.read()), (1, 0));
    let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
    verified_at_nas(&back.unwrap(), &request);
    // Answered: the NAS may use its identifier again, proved or not.
    assert!(matches!(outcome(&mut world, AUTH, &unsigned(login(1, 2))), Action::Send(_)));
    assert!(matches!(outcome(&mut world, AUTH, &unsigned(login(1, 3))), Action::Send(_)), "none of both was proved");
    assert!(matches!(outcome(&mut world, AUTH, &signed(login(1, 4))), Action::Send(_)));
    assert_eq!(world.stats.superseded.read(), 3);
}

#[test]
fn whoever_proves_nothing_cannot_end_a_reject_that_is_held_back() {
    let mut world = World::new();
    let refused = |authenticator: u8| {
        RequestBuilder::new(Code::ACCESS_REQUEST, 1, [authenticator; 16])
            .attribute(attr::USER_NAME, "x@nowhere.example")
    };
    assert_eq!(outcome(&mut world, AUTH, &signed(refused(1))), Action::Hold);
    assert_eq!(outcome(&mut world, AUTH, &unsigned(refused(2))), Action::Drop(Reason::Unproven));
    let back = world.pass(Duration::from_secs(2));
    assert_eq!(back.len(), 1);
    verified_at_nas(&back[0].1, &signed(refused(1)));
}
