//! A secret is replaced while requests and replies go on: both are accepted, each request is answered with the one that it was
//! made with, home servers get the new one.

use std::{sync::Arc, time::Duration};

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    health::ClientState,
    packet::{Action, Socket},
    snapshot::RoutingSnapshot,
};
use sekisho_wire::{
    attr,
    build::{RequestBuilder, salted_field, vendor_value},
    code::Code,
    password, salted,
    secret::Secret,
};

const MICROSOFT: u32 = 311;
const MS_MPPE_SEND_KEY: u8 = 16;
const KEY: [u8; 32] = [0x5a; 32];

fn old() -> Secret {
    Secret::new("the secret before").unwrap()
}

fn older() -> Secret {
    Secret::new("the secret before that").unwrap()
}

/// The NAS and the first home server have an old secret each, still accepted.
fn rotating(snapshot: &mut RoutingSnapshot) {
    client(snapshot, 0).previous_secret = Some(old());
    home(snapshot, 0).previous_secret = Some(old());
    home(snapshot, 2).previous_secret = Some(old());
}

fn world() -> World {
    World::with(Plan::shaped(rotating), Limits::default())
}

fn state(world: &World) -> Arc<ClientState> {
    Arc::clone(&world.snapshot.clients[0].as_ref().unwrap().state)
}

fn login(id: u8, password: &[u8], secret: &Secret) -> RequestBuilder {
    RequestBuilder::new(Code::ACCESS_REQUEST, id, [id; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .user_password(password, secret)
}

/// The password as the home server reads it.
fn password_at_home(sent: &Sent) -> Vec<u8> {
    let attrs = verified_at_home(sent, 0);
    let mut hidden = attrs.iter().find(|(number, _)| *number == attr::USER_PASSWORD).unwrap().1.clone();
    password::unhide(&mut hidden, &home_secret(0), sent.bytes[4..20].try_into().unwrap()).unwrap();
    password::without_padding(&hidden).to_vec()
}

/// An Accept with an MPPE key by a home server that has this secret.
fn accept_with_key(sent: &Sent, text: &str) -> Vec<u8> {
    let secret = Secret::new(text).unwrap();
    let authenticator = sent.bytes[4..20].try_into().unwrap();
    let field = salted_field(&KEY, 0x8001, &secret, authenticator).unwrap();
    written_reply(sent, text, Code::ACCESS_ACCEPT, |builder| {
        builder
            .message_authenticator()
            .attribute(attr::VENDOR_SPECIFIC, vendor_value(MICROSOFT, MS_MPPE_SEND_KEY, &field))
    })
}

/// The MPPE key as a NAS with this secret reads it.
fn key_at_nas(back: &Sent, request: &[u8], secret: &Secret) -> Vec<u8> {
    let attrs = verified_with(back, request, secret);
    let mut value = attrs.into_iter().find(|(number, _)| *number == attr::VENDOR_SPECIFIC).unwrap().1;
    salted::decrypt(&mut value[6..], secret, request[4..20].try_into().unwrap()).unwrap().to_vec()
}

#[test]
fn a_nas_with_either_secret_is_served_with_that_secret_and_the_home_server_with_its_own() {
    for (id, secret, by_previous) in [(1, nas_secret(), false), (2, old(), true)] {
        let mut world = world();
        let request = login(id, b"opensesame", &secret).message_authenticator().build(&secret).unwrap();
        let sent = world.ask(&request).unwrap();
        assert_eq!(password_at_home(&sent), b"opensesame");
        let (_, back) = world.answer(&sent, &accept_with_key(&sent, "the secret of home 0"));
        let back = back.unwrap();
        assert_eq!(key_at_nas(&back, &request, &secret), KEY);
        assert_eq!(world.ask(&request).unwrap(), back, "repeated");
        let learned = &state(&world).learned;
        assert_eq!(learned.previous_secret_used().0 > 0, by_previous);
        assert_eq!(learned.current_secret_used().0 > 0, !by_previous);
    }
}

#[test]
fn a_secret_that_is_neither_is_refused_and_proves_nothing() {
    let mut world = world();
    let request = login(1, b"opensesame", &older()).message_authenticator().build(&older()).unwrap();
    let (action, _) = world.receive(Socket::Service(AUTH), address(NAS), &request);
    assert_eq!(action, Action::Drop(Reason::MessageAuthenticatorBad));
    let record = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .attribute(attr::ACCT_SESSION_ID, "s")
        .build(&older())
        .unwrap();
    let (action, _) = world.receive(Socket::Service(ACCT), address(NAS), &record);
    assert_eq!(action, Action::Drop(Reason::AuthenticatorBad));
    let learned = &state(&world).learned;
    assert_eq!((learned.previous_secret_used().0, learned.current_secret_used().0), (0, 0));
}

#[test]
fn without_a_message_authenticator_the_password_shows_the_secret() {
    let passwords: [&[u8]; 5] = [b"opensesame", b"", b"sixteen octets!!", "pässwörd".as_bytes(), &[b'x'; 128]];
    for secret in [nas_secret(), old()] {
        for password in passwords {
            let mut world = world();
            let request = login(1, password, &secret).build(&secret).unwrap();
            let sent = world.ask(&request).unwrap();
            assert_eq!(password_at_home(&sent), password);
            let (_, back) = world.answer(&sent, &accept_with_key(&sent, "the secret of home 0"));
            assert_eq!(key_at_nas(&back.unwrap(), &request, &secret), KEY);
        }
    }
    // Text under neither: taken as the secret in force has it, as it would be without the other.
    let mut world = world();
    let request = login(1, b"\xff\x01binary", &nas_secret()).build(&nas_secret()).unwrap();
    let sent = world.ask(&request).unwrap();
    assert_eq!(password_at_home(&sent), b"\xff\x01binary");
}

#[test]
fn what_shows_no_secret_is_answered_with_the_one_that_was_proved_last() {
    let chap = |id: u8| {
        let builder = RequestBuilder::new(Code::ACCESS_REQUEST, id, [id; 16]);
        builder.attribute(attr::USER_NAME, "alice@a.example").chap_password(9, b"opensesame")
    };
    let mut world = world();
    for (id, proved, expected) in
        [(1, None, nas_secret()), (3, Some(old()), old()), (5, Some(nas_secret()), nas_secret())]
    {
        if let Some(secret) = proved {
            let sent = world.ask(&chap(id + 1).message_authenticator().build(&secret).unwrap()).unwrap();
            world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_REJECT, &[]));
        }
        let request = chap(id).build(&nas_secret()).unwrap();
        let sent = world.ask(&request).unwrap();
        let attrs = verified_at_home(&sent, 0);
        assert!(attrs.contains(&(attr::CHAP_CHALLENGE, vec![id; 16])), "the challenge is the NAS's authenticator");
        let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[]));
        verified_with(&back.unwrap(), &request, &expected);
        world.now = world.now + Duration::from_secs(5);
    }
}

#[test]
fn accounting_and_what_is_answered_here_go_by_the_secret_of_the_request() {
    for secret in [nas_secret(), old()] {
        let mut world = world();
        let record = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16])
            .attribute(attr::USER_NAME, "alice@a.example")
            .attribute(attr::ACCT_SESSION_ID, "s")
            .build(&secret)
            .unwrap();
        let sent = world.ask_acct(&record).unwrap();
        verified_at_home(&sent, 2);
        let (_, back) = world.answer(&sent, &home_reply(&sent, 2, Code::ACCOUNTING_RESPONSE, &[]));
        verified_with(&back.unwrap(), &record, &secret);

        let probe =
            RequestBuilder::new(Code::STATUS_SERVER, 2, [2; 16]).message_authenticator().build(&secret).unwrap();
        verified_with(&world.ask(&probe).unwrap(), &probe, &secret);

        let refused = RequestBuilder::new(Code::ACCESS_REQUEST, 3, [3; 16])
            .attribute(attr::USER_NAME, "x@nowhere.example")
            .message_authenticator()
            .build(&secret)
            .unwrap();
        assert_eq!(world.ask(&refused), None);
        let back = world.pass(Duration::from_secs(2));
        verified_with(&back[0].1, &refused, &secret);
    }
}

#[test]
fn a_home_server_may_answer_with_either_secret_and_is_asked_with_the_new_one() {
    for (text, by_previous) in [("the secret of home 0", false), ("the secret before", true)] {
        let mut world = world();
        let request = login(1, b"opensesame", &nas_secret()).message_authenticator().build(&nas_secret()).unwrap();
        let sent = world.ask(&request).unwrap();
        assert_eq!(password_at_home(&sent), b"opensesame");
        let forged = accept_with_key(&sent, "the secret before that");
        assert_eq!(world.answer(&sent, &forged).0, Action::Drop(Reason::ReplyForged));
        let (_, back) = world.answer(&sent, &accept_with_key(&sent, text));
        assert_eq!(
            key_at_nas(&back.unwrap(), &request, &nas_secret()),
            KEY,
            "decrypted with the secret that it was made with"
        );
        let learned = &world.snapshot.homes[0].as_ref().unwrap().state.learned;
        assert_eq!(
            (learned.previous_secret_used().0 > 0, learned.current_secret_used().0 > 0),
            (by_previous, !by_previous)
        );
    }
    let mut world = world();
    let sent = world.ask_acct(&accounting(1, "alice@a.example", 1)).unwrap();
    let reply = written_reply(&sent, "the secret before", Code::ACCOUNTING_RESPONSE, |builder| builder);
    assert!(world.answer(&sent, &reply).1.is_some());
}

#[test]
fn what_is_under_way_when_the_secrets_change_ends_with_those_that_it_began_with() {
    let mut world = World::new();
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    let refused = pap(2, "x@nowhere.example", 2);
    assert_eq!(world.ask(&refused), None);
    world.reload(|plan| {
        plan.shape = Arc::new(|snapshot| {
            let client = client(snapshot, 0);
            client.previous_secret = Some(std::mem::replace(&mut client.secret, Secret::new("the next").unwrap()));
            let home = home(snapshot, 0);
            home.previous_secret = Some(std::mem::replace(&mut home.secret, Secret::new("its next").unwrap()));
        });
    });
    world.now = world.now + Duration::from_millis(1_500);
    assert_eq!(world.ask(&request).unwrap(), sent, "repeated upstream as it was");
    let (_, back) = world.answer(&sent, &accept_with_key(&sent, "the secret of home 0"));
    assert_eq!(key_at_nas(&back.unwrap(), &request, &nas_secret()), KEY);
    let held = world.pass(Duration::from_secs(1));
    verified_with(&held[0].1, &refused, &nas_secret());

    // The NAS has not heard yet of the new secret; the home server has.
    let request = pap(3, "alice@a.example", 3);
    let sent = world.ask(&request).unwrap();
    let (_, back) = world.answer(&sent, &accept_with_key(&sent, "its next"));
    assert_eq!(key_at_nas(&back.unwrap(), &request, &nas_secret()), KEY);
}
