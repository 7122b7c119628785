//! A corpus of packets as carriers see them, forward to the home server and back: what a proxy must not touch arrives
//! octet for octet in its order, and what it must, in the hop's own hand.

mod generator;
mod shapes;

use crate::common::*;
use generator::{Attr, Dice, Exchange, from_home};
use sekisho_wire::attr;
use sekisho_wire::buf::{Buf, MAX_PACKET};
use sekisho_wire::build::{RequestBuilder, chap_response, write_reply};
use sekisho_wire::code::Code;
use sekisho_wire::forward::{forward_request, redirect_request};
use sekisho_wire::password::{unhide, without_padding};
use sekisho_wire::salted::decrypt;
use sekisho_wire::secret::Secret;
use sekisho_wire::verify::{RequestPolicy, verify_reply, verify_request};

/// Packets of each shape.
const COUNT: u64 = 300;

const STRICT: RequestPolicy = RequestPolicy { require_message_authenticator: true, limit_proxy_state: true };

/// What an attribute is to whoever reads it: with hidden values in plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Read {
    Plain(u8, Vec<u8>),
    Password(Vec<u8>),
    TunnelPassword(u8, Vec<u8>),
    Key(u8, Vec<u8>),
}

/// Reads a packet as its receiver does, without its Message-Authenticator.
fn read(packet: &[u8], secret: &Secret, authenticator: &[u8; 16]) -> Vec<Read> {
    let mut found = Vec::new();
    for (number, mut value) in list(packet) {
        match number {
            attr::MESSAGE_AUTHENTICATOR => {}
            attr::USER_PASSWORD => {
                unhide(&mut value, secret, authenticator).unwrap();
                found.push(Read::Password(without_padding(&value).to_vec()));
            }
            attr::TUNNEL_PASSWORD => {
                let plain = decrypt(&mut value[1..], secret, authenticator).unwrap().to_vec();
                found.push(Read::TunnelPassword(value[0], plain));
            }
            attr::VENDOR_SPECIFIC if is_keys(&value) => {
                let mut rest = &mut value[4..];
                while let [kind, length, ..] = *rest {
                    let (key, next) = rest.split_at_mut(usize::from(length));
                    found.push(Read::Key(kind, decrypt(&mut key[2..], secret, authenticator).unwrap().to_vec()));
                    rest = next;
                }
            }
            _ => found.push(Read::Plain(number, value)),
        }
    }
    found
}

fn is_keys(value: &[u8]) -> bool {
    let subs = sekisho_wire::vendor::sub_attributes(value);
    value.starts_with(&[0, 0, 1, 55]) && subs.is_some_and(|mut subs| subs.all(|(kind, ..)| kind == 16 || kind == 17))
}

/// What its receiver is to read of an attribute of the corpus.
fn expected(attrs: &[Attr]) -> Vec<Read> {
    let read = |attr: &Attr| match attr.clone() {
        Attr::Plain(number, value) => vec![Read::Plain(number, value)],
        Attr::Password(password) => vec![Read::Password(without_padding(&password).to_vec())],
        Attr::Chap(id, password) => vec![Read::Plain(3, chap_response(id, &password, &RA_DOWN).to_vec())],
        Attr::Signature => vec![],
        Attr::TunnelPassword(tag, password) => vec![Read::TunnelPassword(tag, password)],
        Attr::Keys([send, recv], _) => vec![Read::Key(16, send), Read::Key(17, recv)],
    };
    attrs.iter().flat_map(read).collect()
}

/// The client's request, with Proxy-States of proxies before us among its attributes.
fn build(exchange: &Exchange, states: &[Vec<u8>]) -> Vec<u8> {
    let mut request = RequestBuilder::new(Code(exchange.code), 7, RA_DOWN);
    for attr in &exchange.request {
        request = match attr {
            Attr::Plain(number, value) => request.attribute(*number, value),
            Attr::Password(password) => request.user_password(password, &nas()),
            Attr::Chap(id, password) => request.chap_password(*id, password),
            Attr::Signature => request.message_authenticator(),
            Attr::TunnelPassword(..) | Attr::Keys(..) => panic!("not in a request"),
        };
    }
    states.iter().fold(request, |r, state| r.attribute(33, state)).build(&nas()).unwrap()
}

fn states(dice: &mut Dice) -> Vec<Vec<u8>> {
    (0..dice.below(4))
        .map(|_| {
            let len = dice.below(40);
            dice.octets(len)
        })
        .collect()
}

fn proxy_states(states: &[Vec<u8>]) -> Vec<Read> {
    states.iter().map(|state| Read::Plain(33, state.clone())).collect()
}

/// The request arrives at the home server, and at another after that, as the client meant it.
fn forward(exchange: &Exchange, states: &[Vec<u8>]) -> Vec<u8> {
    let mut packet = buf(&build(exchange, states));
    let request = verified(&packet, &nas());
    forward_request(&mut packet, &request, &nas(), &home(), 9, &RA_UP, OURS).unwrap();
    let arrived = packet.bytes().to_vec();

    let mut wanted = [expected(&exchange.request), proxy_states(states)].concat();
    let has = |number| wanted.iter().any(|it| matches!(it, Read::Plain(n, _) if *n == number));
    if has(3) && !has(60) {
        wanted.push(Read::Plain(60, RA_DOWN.to_vec()));
    }
    wanted.push(Read::Plain(33, OURS.to_vec()));
    let second = secret("the second server's");
    redirect_request(&mut packet, &home(), &second, 10, &[9; 16]).unwrap();
    for (packet, secret) in [(&arrived[..], home()), (packet.bytes(), second)] {
        let verified = verify_request(&buf(packet), &layout(packet), &secret, STRICT);
        assert!(verified.is_ok(), "{verified:?}");
        assert_eq!(read(packet, &secret, &authenticator(packet)), wanted);
        assert_eq!(layout(packet).message_authenticator_is_first(), exchange.code == 1);
    }
    arrived
}

/// The home server answers, and the client reads what it meant.
fn back(exchange: &Exchange, states: &[Vec<u8>], mut upstream: Vec<u8>, dice: &mut Dice) {
    // The authenticator that the corpus encrypts its answers with, whatever the request's code.
    upstream[4..20].copy_from_slice(&RA_UP);
    let mut attrs: Vec<(u8, Vec<u8>)> =
        exchange.reply.iter().enumerate().flat_map(|(i, attr)| from_home(attr, i as u16 * 2)).collect();
    // Proxy-States come back in their order, wherever the server puts them.
    let at = dice.below(attrs.len() + 1);
    attrs.splice(at..at, states.iter().cloned().chain([OURS.to_vec()]).map(|state| (33, state)));
    let attrs: Vec<(u8, &[u8])> = attrs.iter().map(|(number, value)| (*number, &value[..])).collect();
    let mut packet = Buf::new();
    write_reply(&mut packet, Code(exchange.answer), 9, &RA_UP, &home(), &[], &attrs).unwrap();
    let mut wanted = read(packet.bytes(), &home(), &RA_UP);
    wanted.retain(|it| *it != Read::Plain(33, OURS.to_vec()));

    let reply = verified_reply(&packet, &RA_UP, &home());
    let mut salt = dice.next() as u16;
    let mut salts = || {
        salt = salt.wrapping_add(1);
        salt
    };
    let edits = restore(&mut packet, &reply, &upstream, 7, &mut salts, OURS).unwrap();
    let packet = packet.bytes();
    assert!(verify_reply(&buf(packet), &layout(packet), &RA_DOWN, &nas(), true).is_ok());
    let found = read(packet, &nas(), &RA_DOWN);
    assert_eq!(found, wanted);
    assert_eq!((edits.undecryptable, edits.forbidden, edits.proxy_states_restored), (0, 0, false));
    let meant: Vec<_> = found.into_iter().filter(|it| !matches!(it, Read::Plain(33, _))).collect();
    assert_eq!(meant, expected(&exchange.reply));
}

fn every(shape: fn(&mut Dice) -> Exchange) {
    let mut longest = 0;
    for seed in 0..COUNT {
        let mut dice = Dice::new(seed);
        let exchange = shape(&mut dice);
        let states = states(&mut dice);
        let named = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let upstream = forward(&exchange, &states);
            let len = upstream.len();
            back(&exchange, &states, upstream, &mut dice);
            len
        }));
        longest = longest.max(named.unwrap_or_else(|_| panic!("packet {seed}: {exchange:?}, {states:?}")));
    }
    assert!(longest <= MAX_PACKET && longest > 250, "the corpus is of a size that networks send: {longest}");
}

#[test]
fn mobile_logins_come_through_as_they_were() {
    every(shapes::mobile);
}

#[test]
fn dsl_logins_come_through_as_they_were_and_so_do_their_tunnels() {
    every(shapes::dsl);
}

#[test]
fn wifi_conversations_come_through_as_they_were_and_so_do_their_keys() {
    every(shapes::wifi);
}

#[test]
fn accounting_comes_through_as_it_was() {
    every(shapes::accounting);
}

#[test]
fn strange_attributes_come_through_as_they_were() {
    every(shapes::strange);
}
