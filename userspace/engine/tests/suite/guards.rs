//! What a NAS may say of itself, and what a home server may grant it (rules 15, 20; tables 3 and 5a).

use std::{net::IpAddr, time::Duration};

use crate::common::*;
use sekisho_abi::Reason;
use sekisho_engine::{
    Limits,
    packet::{Action, Socket},
    snapshot::RoutingSnapshot,
    stats::{Counter, Withheld},
};
use sekisho_wire::{attr, attribute::attributes, build::RequestBuilder, code::Code};

const FRAMED_IPV6_ADDRESS: u8 = 168;

type Attributes<'a> = &'a [(u8, &'a [u8])];

fn cause(attrs: &[(u8, Vec<u8>)]) -> Option<u32> {
    let value = attrs.iter().find(|(number, _)| *number == attr::ERROR_CAUSE)?.1.clone();
    Some(u32::from_be_bytes(value.try_into().unwrap()))
}

fn attributes_of(reply: &Sent) -> Vec<(u8, Vec<u8>)> {
    attributes(&reply.bytes).map(|it| (it.number, it.value.to_vec())).collect()
}

fn checked(snapshot: &mut RoutingSnapshot) {
    let nas = &mut client(snapshot, 0).nas;
    nas.checked = true;
    nas.addresses = vec!["10.0.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap()];
    nas.identifiers = vec![Box::from(&b"nas-1"[..]), Box::from(&b"nas-2"[..])];
}

fn says(attributes: Attributes<'_>) -> (Vec<u8>, Vec<u8>) {
    let add =
        |builder| attributes.iter().fold(builder, |it: RequestBuilder, (number, value)| it.attribute(*number, value));
    let access = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16]).attribute(attr::USER_NAME, "x@a.example");
    let record = RequestBuilder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16])
        .attribute(attr::USER_NAME, "x@a.example")
        .attribute(attr::ACCT_STATUS_TYPE, [0, 0, 0, 7])
        .attribute(attr::ACCT_SESSION_ID, "s");
    let build = |builder: RequestBuilder| builder.build(&nas_secret()).unwrap();
    (build(add(access).message_authenticator()), build(add(record)))
}

#[test]
fn a_nas_that_gives_itself_for_another_is_dropped_where_that_is_checked() {
    let v6: [u8; 16] = "2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets();
    let cases: [(Attributes<'_>, bool); 12] = [
        (&[], true),
        (&[(attr::NAS_IP_ADDRESS, &[192, 0, 2, 10])], true),
        (&[(attr::NAS_IP_ADDRESS, &[10, 0, 0, 1]), (attr::NAS_IDENTIFIER, b"nas-2")], true),
        (&[(attr::NAS_IPV6_ADDRESS, &v6)], true),
        (&[(attr::NAS_IDENTIFIER, b"nas-1")], true),
        (&[(attr::NAS_IP_ADDRESS, &[10, 0, 0, 2])], false),
        (&[(attr::NAS_IP_ADDRESS, &[10, 0, 0, 1]), (attr::NAS_IP_ADDRESS, &[10, 0, 0, 2])], false),
        (&[(attr::NAS_IP_ADDRESS, &[10, 0, 0])], false),
        (&[(attr::NAS_IPV6_ADDRESS, &[0; 16])], false),
        (&[(attr::NAS_IDENTIFIER, b"nas-3")], false),
        (&[(attr::NAS_IDENTIFIER, b"NAS-1")], false),
        (&[(attr::NAS_IP_ADDRESS, &[10, 0, 0, 1]), (attr::NAS_IDENTIFIER, b"")], false),
    ];
    for (attributes, own) in cases {
        let (access, record) = says(attributes);
        for (socket, request) in [(AUTH, access), (ACCT, record)] {
            let mut world = World::with(Plan::shaped(checked), Limits::default());
            let (action, sent) = world.receive(Socket::Service(socket), address(NAS), &request);
            assert_eq!(sent.is_some(), own, "{attributes:?}");
            if !own {
                assert_eq!(action, Action::Drop(Reason::NasMismatch));
                assert_eq!((world.dropped(Reason::NasMismatch), world.engine.in_flight()), (1, 0));
                assert_eq!(world.pass(Duration::from_secs(20)), [], "silently");
            }
            let mut world = World::new();
            assert!(
                world.receive(Socket::Service(socket), address(NAS), &request).1.is_some(),
                "unchecked: {attributes:?}"
            );
        }
    }
}

#[test]
fn a_false_nas_ends_no_request_of_the_true_one() {
    let mut world = World::with(Plan::shaped(checked), Limits::default());
    let request = pap(1, "alice@a.example", 1);
    let sent = world.ask(&request).unwrap();
    let (false_one, _) = says(&[(attr::NAS_IP_ADDRESS, &[10, 9, 9, 9])]);
    assert_eq!(world.ask(&false_one), None);
    assert!(world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, &[])).1.is_some());
}

#[test]
fn a_status_server_may_say_what_it_likes() {
    let mut world = World::with(Plan::shaped(checked), Limits::default());
    let probe = RequestBuilder::new(Code::STATUS_SERVER, 4, [8; 16])
        .attribute(attr::NAS_IDENTIFIER, "a monitor")
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    assert!(world.ask(&probe).is_some());
}

/// What the NAS gets when the server says this: at once, or if that becomes a Reject of our own, after `reject_delay`.
fn heard(world: &mut World, sent: &Sent, reply: &[u8]) -> Sent {
    let arrived = world.now;
    let (action, back) = world.answer(sent, reply);
    back.unwrap_or_else(|| {
        assert_eq!(action, Action::Hold);
        let (when, back) = world.pass(Duration::from_millis(1_100)).remove(0);
        assert!((1_000..1_020).contains(&(when - arrived).as_millis()), "{:?} after the request", when - arrived);
        assert_eq!(back.bytes[0], Code::ACCESS_REJECT.0);
        back
    })
}

/// What the NAS gets of this reply: its code, its Error-Cause, and whether everything else came through.
fn answered(world: &mut World, code: Code, attributes: Attributes<'_>) -> (Code, Option<u32>) {
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .attribute(attr::PROXY_STATE, b"of the client")
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    let sent = world.ask(&request).unwrap();
    let back = heard(world, &sent, &home_reply(&sent, 0, code, attributes));
    let attrs = verified_at_nas(&back, &request);
    assert_eq!(attrs[0].0, attr::MESSAGE_AUTHENTICATOR);
    assert_eq!(proxy_states(&attrs), [b"of the client".to_vec()]);
    if back.bytes[0] == Code::ACCESS_REJECT.0 && code != Code::ACCESS_REJECT {
        let allowed = [attr::MESSAGE_AUTHENTICATOR, attr::PROXY_STATE, attr::ERROR_CAUSE];
        assert!(attrs.iter().all(|(number, _)| allowed.contains(number)), "{attrs:?}");
    } else {
        attributes.iter().for_each(|(number, value)| assert!(attrs.contains(&(*number, value.to_vec())), "{number}"));
    }
    assert_eq!(world.ask(&request).unwrap(), back, "a repetition gets the same");
    (Code(back.bytes[0]), cause(&attrs))
}

fn withheld(world: &World) -> [u64; 4] {
    let Withheld { service_type, framed_address, challenges, kept_octets, unusable: _ } = &world.stats.withheld;
    [service_type, framed_address, challenges, kept_octets].map(Counter::read)
}

const ACCEPTED: (Code, Option<u32>) = (Code::ACCESS_ACCEPT, None);

#[test]
fn a_service_for_administrators_is_granted_only_where_the_contract_has_it() {
    let framed: Attributes<'_> = &[(attr::SERVICE_TYPE, &[0, 0, 0, 2])];
    for granted in [6, 7, 9, 11] {
        let hidden = [0, 0, 0, granted];
        let administrative: [Attributes<'_>; 2] =
            [&[(attr::SERVICE_TYPE, &hidden)], &[(attr::SERVICE_TYPE, &[0, 0, 0, 2]), (attr::SERVICE_TYPE, &hidden)]];
        for attributes in administrative {
            let mut world = World::new();
            assert_eq!(answered(&mut world, Code::ACCESS_ACCEPT, attributes), (Code::ACCESS_REJECT, Some(405)));
            assert_eq!(withheld(&world), [1, 0, 0, 0]);
            assert_eq!((world.stats.replies.reject.read(), world.stats.replies.accept.read()), (1, 0));
            let home = world.snapshot.homes[0].as_ref().unwrap();
            assert_eq!(home.stats.sum(|stats| &stats.withheld), 1, "and whose it was");
            assert_eq!(home.stats.sum(|stats| &stats.replies.accept), 1, "what it said");
            let mut world = World::with(Plan::shaped(|it| client(it, 0).administrative = true), Limits::default());
            assert_eq!(answered(&mut world, Code::ACCESS_ACCEPT, attributes), ACCEPTED);
        }
    }
    assert_eq!(answered(&mut World::new(), Code::ACCESS_ACCEPT, framed), ACCEPTED);
    assert_eq!(answered(&mut World::new(), Code::ACCESS_ACCEPT, &[(attr::SERVICE_TYPE, &[6])]), ACCEPTED);
}

#[test]
fn a_reject_in_the_place_of_an_accept_waits_as_any_other_of_our_own() {
    let granted: Attributes<'_> = &[(attr::SERVICE_TYPE, &[0, 0, 0, 6])];
    let request = pap(1, "alice@a.example", 1);
    let mut world = World::new();
    let sent = world.ask(&request).unwrap();
    assert_eq!(world.pass(Duration::from_millis(600)), []);
    let accept = home_reply(&sent, 0, Code::ACCESS_ACCEPT, granted);
    assert_eq!(world.answer(&sent, &accept), (Action::Hold, None));
    assert_eq!((world.engine.in_flight(), world.stats.delayed.read()), (1, 1));
    assert_eq!(world.receive(Socket::Service(AUTH), address(NAS), &request).0, Action::Drop(Reason::Absorbed));
    assert_eq!(world.answer(&sent, &accept).0, Action::Drop(Reason::ReplyUnmatched));
    assert_eq!(world.pass(Duration::from_millis(390)), [], "a second from the request's arrival");
    let back = world.pass(Duration::from_millis(30)).remove(0).1;
    assert_eq!(cause(&verified_at_nas(&back, &request)), Some(405));
    assert_eq!((world.engine.in_flight(), world.ask(&request)), (0, Some(back)));
    // A server that took longer than that has delayed it enough.
    let request = pap(2, "alice@a.example", 2);
    let sent = world.ask(&request).unwrap();
    world.pass(Duration::from_millis(1_200));
    let (_, back) = world.answer(&sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, granted));
    assert_eq!(back.unwrap().bytes[0], Code::ACCESS_REJECT.0);
    assert_eq!((world.stats.replies.reject.read(), world.stats.replies.accept.read()), (2, 0));
}

fn networks(list: &'static [(&'static str, u8)]) -> World {
    let parse = move |(address, length): &(&str, u8)| (address.parse::<IpAddr>().unwrap(), *length);
    let shape = move |it: &mut RoutingSnapshot| it.pools[0].framed_networks = list.iter().map(parse).collect();
    World::with(Plan::shaped(shape), Limits::default())
}

#[test]
fn an_address_outside_the_contracts_networks_is_not_given() {
    let refused = (Code::ACCESS_REJECT, Some(407));
    let v4: &[(&str, u8)] = &[("10.1.0.0", 16), ("192.0.2.64", 26)];
    let cases: [(&[u8], _); 7] = [
        (&[10, 1, 2, 3], ACCEPTED),
        (&[192, 0, 2, 127], ACCEPTED),
        (&[255, 255, 255, 255], ACCEPTED),
        (&[255, 255, 255, 254], ACCEPTED),
        (&[10, 2, 0, 1], refused),
        (&[192, 0, 2, 63], refused),
        (&[10, 1, 2], refused),
    ];
    for (value, expected) in cases {
        let mut world = networks(v4);
        assert_eq!(
            answered(&mut world, Code::ACCESS_ACCEPT, &[(attr::FRAMED_IP_ADDRESS, value)]),
            expected,
            "{value:?}"
        );
        assert_eq!(withheld(&world), [0, u64::from(expected == refused), 0, 0]);
        assert_eq!(answered(&mut networks(&[]), Code::ACCESS_ACCEPT, &[(attr::FRAMED_IP_ADDRESS, value)]), ACCEPTED);
    }
    let second: Attributes<'_> =
        &[(attr::FRAMED_IP_ADDRESS, &[10, 1, 0, 1]), (attr::FRAMED_IP_ADDRESS, &[10, 2, 0, 1])];
    assert_eq!(answered(&mut networks(v4), Code::ACCESS_ACCEPT, second), refused);
    assert_eq!(answered(&mut networks(v4), Code::ACCESS_ACCEPT, &[]), ACCEPTED, "none at all");
}

#[test]
fn ipv6_addresses_and_prefixes_are_held_to_networks_of_ipv6() {
    let octets = |text: &str| text.parse::<std::net::Ipv6Addr>().unwrap().octets();
    let prefix = |text: &str, length: u8| [&[0, length][..], &octets(text)[..8]].concat();
    let cases = [
        (FRAMED_IPV6_ADDRESS, octets("2001:db8:1::5").to_vec(), true),
        (FRAMED_IPV6_ADDRESS, octets("2001:db9::5").to_vec(), false),
        (attr::FRAMED_IPV6_PREFIX, prefix("2001:db8:2::", 64), true),
        (attr::DELEGATED_IPV6_PREFIX, prefix("2001:db8:2::", 56), true),
        (attr::DELEGATED_IPV6_PREFIX, prefix("2001:d00::", 24), false),
        (attr::FRAMED_IPV6_PREFIX, prefix("2001:db9::", 64), false),
        (attr::FRAMED_IPV6_PREFIX, vec![0], false),
    ];
    for (number, value, own) in cases {
        let expected = if own { ACCEPTED } else { (Code::ACCESS_REJECT, Some(407)) };
        let mut both = networks(&[("10.1.0.0", 16), ("2001:db8::", 32)]);
        assert_eq!(answered(&mut both, Code::ACCESS_ACCEPT, &[(number, &value)]), expected, "{number} {value:?}");
        let mut v4_only = networks(&[("10.1.0.0", 16)]);
        assert_eq!(answered(&mut v4_only, Code::ACCESS_ACCEPT, &[(number, &value)]), ACCEPTED);
    }
}

#[test]
fn a_burden_of_state_and_class_is_not_passed_on() {
    let long = [7; 253];
    let class = |count: usize| vec![(attr::CLASS, &long[..]); count];
    for code in [Code::ACCESS_ACCEPT, Code::ACCESS_CHALLENGE] {
        assert_eq!(answered(&mut World::new(), code, &class(4)), (code, None), "1020 octets");
        let mut world = World::new();
        let five = [class(4), vec![(attr::STATE, &b"12345"[..])]].concat();
        assert_eq!(answered(&mut world, code, &five), (Code::ACCESS_REJECT, Some(407)), "1027 octets");
        assert_eq!(withheld(&world), [0, 0, 0, 1]);
    }
    let messages = vec![(attr::REPLY_MESSAGE, &long[..]); 8];
    assert_eq!(answered(&mut World::new(), Code::ACCESS_ACCEPT, &messages), ACCEPTED, "long for another reason");
}

#[test]
fn a_conversation_has_only_so_many_challenges() {
    let limits = Limits { max_challenges: 3, ..Limits::default() };
    let mut world = World::with(Plan::default(), limits);
    let mut rounds = |user: &str, state: &str| {
        let mut codes = Vec::new();
        for round in 0..5u8 {
            let shown = format!("{state}-{round}");
            let mut builder =
                RequestBuilder::new(Code::ACCESS_REQUEST, round, [round; 16]).attribute(attr::USER_NAME, user);
            if round > 0 {
                builder = builder.attribute(attr::STATE, &shown);
            }
            let sent = world.ask(&builder.message_authenticator().build(&nas_secret()).unwrap()).unwrap();
            let next = format!("{state}-{}", round + 1);
            let challenge = home_reply(&sent, 0, Code::ACCESS_CHALLENGE, &[(attr::STATE, next.as_bytes())]);
            let back = heard(&mut world, &sent, &challenge);
            codes.push(back.bytes[0]);
            if back.bytes[0] == Code::ACCESS_REJECT.0 {
                assert_eq!(cause(&attributes_of(&back)), Some(505));
                break;
            }
        }
        codes
    };
    assert_eq!(rounds("alice@a.example", "alice"), [11, 11, 11, 3]);
    assert_eq!(rounds("bob@a.example", "bob"), [11, 11, 11, 3], "each conversation has its own");
    assert_eq!(withheld(&world), [0, 0, 2, 0]);
}

#[test]
fn a_refused_eap_conversation_ends_in_an_eap_failure() {
    let mut world = World::new();
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16])
        .attribute(attr::USER_NAME, "alice@a.example")
        .attribute(attr::EAP_MESSAGE, b"\x02\x2a\x00\x06\x19\x00")
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    let sent = world.ask(&request).unwrap();
    let granted: Attributes<'_> = &[(attr::SERVICE_TYPE, &[0, 0, 0, 6]), (attr::EAP_MESSAGE, b"\x03\x2a\x00\x04")];
    let back = heard(&mut world, &sent, &home_reply(&sent, 0, Code::ACCESS_ACCEPT, granted));
    let attrs = verified_at_nas(&back, &request);
    assert!(attrs.contains(&(attr::EAP_MESSAGE, b"\x04\x2a\x00\x04".to_vec())));
}

#[test]
fn a_login_by_eap_that_is_not_served_ends_in_an_eap_failure_too() {
    let mut world = World::new();
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16])
        .attribute(attr::USER_NAME, "x@nowhere.example")
        .attribute(attr::EAP_MESSAGE, b"\x02\x07\x00\x16\x01x@nowhere.example")
        .message_authenticator()
        .build(&nas_secret())
        .unwrap();
    assert_eq!(world.ask(&request), None);
    let back = world.pass(Duration::from_secs(2));
    let attrs = verified_at_nas(&back[0].1, &request);
    assert_eq!(cause(&attrs), Some(502));
    assert!(attrs.contains(&(attr::EAP_MESSAGE, b"\x04\x07\x00\x04".to_vec())));
}

#[test]
fn an_eap_identity_that_is_not_the_user_name_is_counted_and_neither_is_changed() {
    let long = format!("{}@a.example", "x".repeat(243));
    let cases = [
        ("alice@a.example", "alice@a.example", false),
        ("alice@a.example", "bob@a.example", true),
        ("alice@a.example", "", true),
        (&long, &long, false),
        (&long, "alice@a.example", true),
    ];
    for (name, identity, differ) in cases {
        let mut world = World::new();
        let length = 5 + identity.len() as u16;
        let eap = [&[2, 7][..], &length.to_be_bytes(), &[1], identity.as_bytes()].concat();
        let builder = RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16]).attribute(attr::USER_NAME, name);
        let builder = eap.chunks(253).fold(builder, |it, fragment| it.attribute(attr::EAP_MESSAGE, fragment));
        let sent = world.ask(&builder.message_authenticator().build(&nas_secret()).unwrap()).unwrap();
        let attrs = verified_at_home(&sent, 0);
        assert!(attrs.contains(&(attr::USER_NAME, name.as_bytes().to_vec())));
        let fragments =
            attrs.iter().filter(|(number, _)| *number == attr::EAP_MESSAGE).flat_map(|(_, value)| value.clone());
        assert_eq!(fragments.collect::<Vec<_>>(), eap);
        assert_eq!(world.stats.identities_differ.read(), u64::from(differ), "{name} {identity}");
    }
    let mut world = World::new();
    for eap in [&b"\x02\x07\x00\x06\x19\x00"[..], b"", b"\x02", b"\x02\x07\x00\x05\x03"] {
        let builder =
            RequestBuilder::new(Code::ACCESS_REQUEST, 1, [1; 16]).attribute(attr::USER_NAME, "alice@a.example");
        world.ask(&builder.attribute(attr::EAP_MESSAGE, eap).message_authenticator().build(&nas_secret()).unwrap());
    }
    assert_eq!(world.stats.identities_differ.read(), 0, "no identities");
}
