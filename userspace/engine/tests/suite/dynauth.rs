//! CoA and Disconnect (RFC 5176): from a customer's server to that customer's NAS, and its answer back.

use std::{net::SocketAddr, time::Duration};

use crate::common::{dynauth::*, *};
use sekisho_abi::Reason;
use sekisho_engine::{
    health::Health,
    packet::{Action, Socket},
    snapshot::{HomeKind, NasKey},
};
use sekisho_wire::{
    attr,
    build::{RequestBuilder, salted_field},
    code::Code,
};

#[test]
fn a_disconnect_and_a_coa_reach_the_nas_and_its_answers_come_back() {
    let mut net = Net::new();
    let kinds = [
        (Code::DISCONNECT_REQUEST, Code::DISCONNECT_ACK),
        (Code::DISCONNECT_REQUEST, Code::DISCONNECT_NAK),
        (Code::COA_REQUEST, Code::COA_ACK),
        (Code::COA_REQUEST, Code::COA_NAK),
    ];
    for (id, (code, answer)) in kinds.into_iter().enumerate() {
        let asked = request(
            code,
            id as u8,
            &[
                (attr::USER_NAME, b"alice@a.example"),
                (attr::PROXY_STATE, b"of the sender"),
                (attr::NAS_IP_ADDRESS, &V4),
                (attr::ACCT_SESSION_ID, b"17"),
            ],
        );
        let sent = net.ask(&asked).unwrap();
        assert_eq!(sent.path.peer, address(NAS_AT));
        let attrs = verified_at_home(&sent, NAS_SECRETS[0]);
        let numbers: Vec<u8> = attrs.iter().map(|(number, _)| *number).collect();
        let expected =
            [attr::USER_NAME, attr::PROXY_STATE, attr::NAS_IP_ADDRESS, attr::ACCT_SESSION_ID, attr::PROXY_STATE];
        assert_eq!(numbers, expected);
        assert_eq!(proxy_states(&attrs), [b"of the sender".to_vec(), b"this one".to_vec()]);
        let error = 503u32.to_be_bytes();
        let (_, reply) = net.world.answer(&sent, &home_reply(&sent, 40, answer, &[(attr::ERROR_CAUSE, &error)]));
        let reply = reply.unwrap();
        assert_eq!((reply.path.peer, reply.path.socket), (address(SENDER), Socket::Service(DYNAUTH)));
        assert_eq!(cause(&reply, &asked, answer), 503);
        assert_eq!(proxy_states(&verified_at_nas(&reply, &asked)), [b"of the sender".to_vec()]);
        assert_eq!(net.ask(&asked), Some(reply), "repeated, it gets the same octets");
    }
    assert!(net.is_idle());
    let (stats, replies) = (&net.world.stats, &net.world.stats.replies);
    assert_eq!((stats.disconnect.read(), stats.coa.read(), stats.forwarded.read()), (2, 2, 4));
    let counters = [&replies.disconnect_ack, &replies.disconnect_nak, &replies.coa_ack, &replies.coa_nak];
    assert_eq!(counters.map(|counter| counter.read()), [1; 4]);
    assert_eq!(net.nases[0].count(|stats| &stats.replies.coa_ack), 1);
}

#[test]
fn a_nas_is_named_by_address_or_identifier_and_all_that_is_given_has_to_agree() {
    let mut net = Net::new();
    let (v4, v6) = ((attr::NAS_IP_ADDRESS, &V4[..]), v6());
    let (v6, name) = ((attr::NAS_IPV6_ADDRESS, &v6[..]), (attr::NAS_IDENTIFIER, &b"bras-10"[..]));
    let framed = (attr::FRAMED_IP_ADDRESS, &[10, 0, 0, 5][..]);
    let named: [Attributes<'_>; 6] = [&[v4], &[v6], &[name], &[v4, v6, name], &[name, v4], &[framed, v4]];
    for (id, attrs) in named.into_iter().enumerate() {
        let sent = net.ask(&disconnect(id as u8, attrs)).unwrap();
        assert_eq!(sent.path.peer, address(NAS_AT), "{attrs:?}");
    }
    let other = (attr::NAS_IDENTIFIER, &b"bras-11"[..]);
    let sent = net.ask(&disconnect(7, &[other])).unwrap();
    assert_eq!(sent.path.peer, address(OTHER_NAS_AT));
    let unlisted = (attr::NAS_IDENTIFIER, &b"a name that no contract lists"[..]);
    let sent = net.ask(&disconnect(8, &[unlisted, v4])).unwrap();
    assert_eq!(sent.path.peer, address(NAS_AT), "the NAS knows its own name");
    let stranger = (attr::NAS_IP_ADDRESS, &[10, 1, 2, 3][..]);
    let foreign = (attr::NAS_IDENTIFIER, &b"bras-20"[..]);
    let short = (attr::NAS_IP_ADDRESS, &[192, 0, 2][..]);
    let refused: [(Attributes<'_>, u32); 11] = [
        (&[stranger], 502),
        (&[foreign], 502),
        (&[(attr::NAS_IP_ADDRESS, &[192, 0, 2, 20])], 502),
        (&[short], 502),
        (&[stranger, foreign], 502),
        (&[], 503),
        (&[framed], 503),
        (&[(attr::ACCT_SESSION_ID, b"17")], 503),
        (&[v4, other], 503),
        (&[(attr::NAS_IP_ADDRESS, &[10, 1, 2, 3]), name], 503),
        (&[v4, (attr::NAS_IP_ADDRESS, &[192, 0, 2, 11])], 503),
    ];
    for (id, (attrs, expected)) in refused.into_iter().enumerate() {
        for (code, nak) in [(Code::DISCONNECT_REQUEST, Code::DISCONNECT_NAK), (Code::COA_REQUEST, Code::COA_NAK)] {
            let asked = request(code, 100 + id as u8, attrs);
            let reply = net.ask(&asked).unwrap();
            assert!(reply.to_client(), "{attrs:?}");
            assert_eq!(cause(&reply, &asked, nak), expected, "{attrs:?}");
        }
    }
}

#[test]
fn the_same_address_in_two_customers_networks_is_each_ones_own() {
    let mut net = Net::new();
    let asked = disconnect(1, &[(attr::NAS_IP_ADDRESS, &[10, 0, 0, 5])]);
    assert_eq!(net.send(SENDER, &asked).1.unwrap().path.peer, address(NAS_AT));
    assert_eq!(net.send(SENDER_B, &asked).1.unwrap().path.peer, address(NAS_B_AT));
}

#[test]
fn a_silent_nas_is_a_nak_when_the_senders_time_is_over() {
    let mut net = Net::new();
    let attrs: [(u8, &[u8]); 2] = [(attr::NAS_IP_ADDRESS, &V4), (attr::PROXY_STATE, b"of the sender")];
    let asked = disconnect(1, &attrs);
    let sent = net.ask(&asked).unwrap();
    assert_eq!(net.send(SENDER, &asked).0, Action::Drop(Reason::Absorbed));
    assert_eq!(net.world.pass(Duration::from_secs(4)), [], "there is no other NAS to ask");
    assert_eq!(net.ask(&asked), Some(sent.clone()), "the sender's repetition goes on as it was");
    assert_eq!(net.world.pass(Duration::from_millis(5_900)), []);
    let late = net.world.pass(Duration::from_millis(200));
    assert_eq!(late.len(), 1);
    let reply = &late[0].1;
    assert_eq!(reply.path.peer, address(SENDER));
    assert_eq!(cause(reply, &asked, Code::DISCONNECT_NAK), 505);
    assert_eq!(proxy_states(&verified_at_nas(reply, &asked)), [b"of the sender".to_vec()]);
    assert_eq!(net.ask(&asked).as_ref(), Some(reply), "and it is remembered");
    let ack = home_reply(&sent, 40, Code::DISCONNECT_ACK, &[]);
    assert_eq!(net.world.answer(&sent, &ack).0, Action::Drop(Reason::ReplyUnmatched));
    assert!(net.is_idle());
    let nas = &net.nases[0];
    assert_eq!((nas.state.health(), nas.count(|stats| &stats.timeouts)), (Health::Alive, 1));
    assert_eq!((net.world.stats.expired.read(), net.world.stats.replies.disconnect_nak.read()), (1, 1));
}

#[test]
fn a_message_authenticator_is_made_anew_toward_the_nas_and_back() {
    let mut net = Net::new();
    let asked = RequestBuilder::new(Code::COA_REQUEST, 1, [0; 16])
        .attribute(attr::NAS_IP_ADDRESS, V4)
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    let sent = net.ask(&asked).unwrap();
    assert_eq!(verified_at_home(&sent, 40)[0].0, attr::MESSAGE_AUTHENTICATOR);
    let reply = net.world.answer(&sent, &home_reply(&sent, 40, Code::COA_ACK, &[])).1.unwrap();
    assert_eq!(verified_at_nas(&reply, &asked)[0].0, attr::MESSAGE_AUTHENTICATOR);
}

#[test]
fn one_host_may_be_home_server_sender_and_terminal_at_once() {
    // The NAS itself sends as well, with a secret that the terminal does not have.
    let mut net = Net::with(|snapshot| {
        sender(snapshot, 4, NAS, 0);
        client(snapshot, 4).secret = home_secret(77);
    });
    let asked = RequestBuilder::new(Code::DISCONNECT_REQUEST, 1, [0; 16]).attribute(attr::NAS_IDENTIFIER, "bras-11");
    let sent = net.send(NAS, &asked.build(&home_secret(77)).unwrap()).1.unwrap();
    assert_eq!(sent.path.peer, address(OTHER_NAS_AT));
    let with_the_terminals = disconnect(2, &[(attr::NAS_IDENTIFIER, b"bras-11")]);
    assert_eq!(net.send(NAS, &with_the_terminals).0, Action::Drop(Reason::AuthenticatorBad));
    assert!(net.world.ask(&pap(1, "alice@a.example", 1)).is_some(), "and the terminal logs in as ever");
}

#[test]
fn what_no_nas_could_read_and_what_is_private_to_proxies_stops_here() {
    let mut net = Net::new();
    let hidden = salted_field(b"tunnel secret", 0x8001, &nas_secret(), &[0; 16]).unwrap();
    let asked = RequestBuilder::new(Code::COA_REQUEST, 1, [0; 16])
        .attribute(attr::NAS_IP_ADDRESS, V4)
        .attribute(attr::TUNNEL_PASSWORD, [&[1], &hidden[..]].concat())
        .attribute(attr::OPERATOR_NAME, "1a.example")
        .attribute(attr::SESSION_TIMEOUT, [0, 0, 0, 60])
        .build(&nas_secret())
        .unwrap();
    let sent = net.ask(&asked).unwrap();
    let numbers: Vec<u8> = verified_at_home(&sent, 40).iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [attr::NAS_IP_ADDRESS, attr::SESSION_TIMEOUT, attr::PROXY_STATE]);
    assert_eq!(net.world.stats.hidden.read(), 1);
}

#[test]
fn a_sender_that_uses_its_identifier_again_ends_what_had_it() {
    let mut net = Net::new();
    let named = (attr::NAS_IP_ADDRESS, &V4[..]);
    let old = net.ask(&disconnect(1, &[named, (attr::ACCT_SESSION_ID, b"1")])).unwrap();
    let asked = disconnect(1, &[named, (attr::ACCT_SESSION_ID, b"2")]);
    let new = net.ask(&asked).unwrap();
    assert_eq!(net.world.stats.superseded.read(), 1);
    assert_ne!(old.bytes[1], new.bytes[1], "toward the NAS the old identifier rests");
    let ack = home_reply(&old, 40, Code::DISCONNECT_ACK, &[]);
    assert_eq!(net.world.answer(&old, &ack).0, Action::Drop(Reason::ReplyUnmatched));
    let reply = net.world.answer(&new, &home_reply(&new, 40, Code::DISCONNECT_ACK, &[])).1.unwrap();
    verified_at_nas(&reply, &asked);
}

#[test]
fn a_reload_in_the_middle_lets_requests_end_as_they_began() {
    let mut net = Net::new();
    let asked = disconnect(1, &[(attr::NAS_IP_ADDRESS, &V4)]);
    let silent = disconnect(2, &[(attr::NAS_IP_ADDRESS, &V4)]);
    let sent = net.ask(&asked).unwrap();
    net.ask(&silent).unwrap();
    // The NAS goes, its sender stays.
    net.world.reload(|plan| {
        plan.reshape(|snapshot| {
            snapshot.homes[40] = None;
            snapshot.home_by_address.remove(&address(NAS_AT));
            customer(snapshot, 0).nases.clear();
        });
    });
    let reply = net.world.answer(&sent, &home_reply(&sent, 40, Code::DISCONNECT_ACK, &[])).1.unwrap();
    verified_at_nas(&reply, &asked);
    let late = net.world.pass(Duration::from_secs(11));
    assert_eq!(late.len(), 1);
    assert_eq!(cause(&late[0].1, &silent, Code::DISCONNECT_NAK), 505);
    let asked = disconnect(3, &[(attr::NAS_IP_ADDRESS, &V4)]);
    assert_eq!(cause(&net.ask(&asked).unwrap(), &asked, Code::DISCONNECT_NAK), 502);
    // A sender that goes gets nothing any more.
    let sent = net.ask(&disconnect(4, &[])).unwrap();
    assert!(sent.to_client());
    net.world.reload(|plan| plan.reshape(|snapshot| snapshot.clients[2] = None));
    assert_eq!(net.send(SENDER, &asked).0, Action::Drop(Reason::Unregistered));
}

#[test]
fn batches_have_the_effect_of_their_packets_one_by_one() {
    let named = (attr::NAS_IP_ADDRESS, &V4[..]);
    let requests = [
        disconnect(1, &[named]),
        disconnect(1, &[named]),
        request(Code::COA_REQUEST, 2, &[(attr::NAS_IDENTIFIER, b"bras-11")]),
        disconnect(3, &[(attr::NAS_IDENTIFIER, b"nobody's")]),
        disconnect(3, &[(attr::NAS_IDENTIFIER, b"nobody's")]),
        disconnect(4, &[named, (attr::USER_NAME, b"bob@b.example")]),
        disconnect(1, &[named, (attr::ACCT_SESSION_ID, b"1")]),
        pap(5, "alice@a.example", 1),
    ];
    let run = |size: usize| {
        let mut net = Net::new();
        let mut outcomes = Vec::new();
        let mut sent = Vec::new();
        let packets: Vec<(Socket, SocketAddr, Vec<u8>)> =
            requests.iter().map(|bytes| (Socket::Service(DYNAUTH), address(SENDER), bytes.clone())).collect();
        for chunk in packets.chunks(size) {
            for (action, packet) in net.world.receive_all(chunk) {
                outcomes.push((action, packet.as_ref().map(|it| it.bytes[0])));
                sent.extend(packet.filter(|it| !it.to_client()));
            }
        }
        let answers: Vec<_> = sent
            .iter()
            .map(|sent| {
                let index = if sent.path.peer == address(NAS_AT) { 40 } else { 41 };
                let code = if sent.bytes[0] == Code::COA_REQUEST.0 { Code::COA_ACK } else { Code::DISCONNECT_ACK };
                (sent.path.socket, sent.path.peer, home_reply(sent, index, code, &[]))
            })
            .collect();
        for chunk in answers.chunks(size) {
            let results = net.world.receive_all(chunk);
            outcomes.extend(results.into_iter().map(|(action, it)| (action, it.map(|it| it.bytes[0]))));
        }
        assert!(net.is_idle());
        outcomes
    };
    let alone = run(1);
    let repeated_refusal = 4;
    let without = |outcomes: Vec<(Action, Option<u8>)>| -> Vec<_> {
        outcomes.into_iter().enumerate().filter(|(place, _)| *place != repeated_refusal).map(|(_, it)| it).collect()
    };
    // Alone, the repetition gets the refusal a second time; in its batch it is absorbed, since the refusal leaves with it.
    let alone = without(alone);
    assert_eq!(without(run(3)), alone);
    assert_eq!(without(run(64)), alone);
}

#[test]
fn while_a_secret_is_replaced_both_are_taken_and_each_is_answered_with_its_own() {
    let mut net = Net::with(|snapshot| {
        client(snapshot, 2).previous_secret = Some(home_secret(77));
        home(snapshot, 40).previous_secret = Some(home_secret(78));
    });
    let named = (attr::NAS_IP_ADDRESS, &V4[..]);
    let by_previous = |id: u8, attrs: Attributes<'_>| {
        let mut builder = RequestBuilder::new(Code::DISCONNECT_REQUEST, id, [0; 16]);
        for (number, value) in attrs {
            builder = builder.attribute(*number, value);
        }
        builder.build(&home_secret(77)).unwrap()
    };
    let verified = |reply: &Sent, asked: &[u8], code: Code| {
        assert_eq!(reply.bytes[0], code.0);
        verified_with(reply, asked, &home_secret(77));
    };
    let asked = by_previous(1, &[named]);
    let sent = net.ask(&asked).unwrap();
    verified_at_home(&sent, 40);
    // The NAS has not been given its new secret either.
    let reply = net.world.answer(&sent, &home_reply(&sent, 78, Code::DISCONNECT_ACK, &[])).1.unwrap();
    verified(&reply, &asked, Code::DISCONNECT_ACK);
    let asked = by_previous(2, &[]);
    verified(&net.ask(&asked).unwrap(), &asked, Code::DISCONNECT_NAK);
    let asked = by_previous(3, &[named]);
    net.ask(&asked).unwrap();
    let late = net.world.pass(Duration::from_secs(11));
    verified(&late[0].1, &asked, Code::DISCONNECT_NAK);
    let asked = disconnect(4, &[named]);
    let sent = net.ask(&asked).unwrap();
    let reply = net.world.answer(&sent, &home_reply(&sent, 40, Code::DISCONNECT_ACK, &[])).1.unwrap();
    verified_at_nas(&reply, &asked);
}

#[test]
fn over_ipv6_it_is_the_same() {
    const SENDER_V6: &str = "[2001:db8:1::1]:45000";
    const NAS_V6_AT: &str = "[2001:db8::10]:3799";
    let nas = Extra::new(43, NAS_V6_AT, HomeKind::DynAuth);
    let mut net = Net::with(move |snapshot| {
        nas.join(snapshot, 0);
        customer(snapshot, 0).nases.insert(NasKey::Address(V6.parse().unwrap()), nas.id());
        sender(snapshot, 4, SENDER_V6, 0);
    });
    let asked = disconnect(1, &[(attr::NAS_IPV6_ADDRESS, &v6())]);
    let sent = net.send(SENDER_V6, &asked).1.unwrap();
    assert_eq!(sent.path.peer, address(NAS_V6_AT));
    assert!(sent.upstream_port().v6);
    verified_at_home(&sent, 43);
    let reply = net.world.answer(&sent, &home_reply(&sent, 43, Code::DISCONNECT_ACK, &[])).1.unwrap();
    assert_eq!(reply.path.peer, address(SENDER_V6));
    verified_at_nas(&reply, &asked);
}

#[test]
fn thousands_of_nases_take_identifiers_only_when_they_are_asked() {
    let nases: Vec<Extra> = (0..3_000)
        .map(|n| Extra::new(100 + n, &format!("10.9.{}.{}:3799", n / 250, n % 250), HomeKind::DynAuth))
        .collect();
    let mut net = Net::with(move |snapshot| {
        for nas in &nases {
            nas.join(snapshot, 0);
            let at = address(&nas.at).ip();
            customer(snapshot, 0).nases.insert(NasKey::Address(at), nas.id());
        }
    });
    for n in (0..3_000u32).step_by(7) {
        let at = [10, 9, (n / 250) as u8, (n % 250) as u8];
        let asked = disconnect(n as u8, &[(attr::NAS_IP_ADDRESS, &at)]);
        let sent = net.ask(&asked).unwrap();
        let reply = net.world.answer(&sent, &home_reply(&sent, 100 + n as usize, Code::DISCONNECT_ACK, &[])).1;
        verified_at_nas(&reply.unwrap(), &asked);
    }
    assert_eq!(net.world.stats.ports.read(), 1);
}
