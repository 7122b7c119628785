//! What holds for any octets at all.

use crate::common::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sekisho_wire::attribute::{attributes, proxy_states};
use sekisho_wire::buf::Buf;
use sekisho_wire::build::{RequestBuilder, turn_into_reply, write_reply};
use sekisho_wire::code::Code;
use sekisho_wire::dynauth::rewrite_dynauth;
use sekisho_wire::forward::{forward_request, redirect_request};
use sekisho_wire::nai::{Place, Stripped, canonical};
use sekisho_wire::salted::Salted;
use sekisho_wire::scan::scan;
use sekisho_wire::vendor::sub_attributes;
use sekisho_wire::verify::{RequestPolicy, RequestToVerify, verify_reply, verify_request, verify_requests};

/// Attributes as RFC 2865 §3 and §5 say it and no faster: the reference that the scan is held to.
fn reference(datagram: &[u8]) -> Option<Vec<(u8, usize, Vec<u8>)>> {
    let length = usize::from(*datagram.get(2)?) * 256 + usize::from(*datagram.get(3)?);
    if datagram.len() < 20 || !(20..=4096).contains(&length) || length > datagram.len() {
        return None;
    }
    let mut found = Vec::new();
    let mut at = 20;
    while at < length {
        let size = if at + 1 < length { usize::from(datagram[at + 1]) } else { 0 };
        if size < 2 || at + size > length {
            return None;
        }
        found.push((datagram[at], at + 2, datagram[at + 2..at + size].to_vec()));
        at += size;
    }
    Some(found)
}

/// The numbers that a proxy treats specially more often than others.
fn number() -> impl Strategy<Value = u8> {
    let special = vec![1, 2, 3, 18, 24, 26, 31, 33, 40, 44, 60, 69, 70, 79, 80, 80, 101];
    prop_oneof![3 => select(special), 1 => any::<u8>()]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    let microsoft = (select(vec![2u8, 12, 16, 17, 26]), any::<u8>(), vec(any::<u8>(), 0..40))
        .prop_map(|(kind, length, rest)| [&[0, 0, 1, 55, kind, length][..], &rest].concat());
    let honest = (select(vec![2u8, 12, 16, 17, 26]), vec(any::<u8>(), 0..40))
        .prop_map(|(kind, rest)| [&[0, 0, 1, 55, kind, rest.len() as u8 + 2][..], &rest].concat());
    prop_oneof![
        vec(any::<u8>(), 0..=8),
        vec(any::<u8>(), 16),
        vec(any::<u8>(), 17..=35),
        vec(any::<u8>(), 253),
        microsoft,
        honest,
        Just(OURS.to_vec()),
    ]
}

/// Datagrams that look like RADIUS, some with one octet spoiled.
fn datagram() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![4 => select(vec![1u8, 2, 3, 4, 5, 11, 12, 40, 43]), 1 => any::<u8>()];
    let spoil = prop_oneof![3 => Just(None), 1 => any::<(prop::sample::Index, u8)>().prop_map(Some)];
    (code, any::<[u8; 16]>(), vec((number(), value()), 0..12), vec(any::<u8>(), 0..4), spoil).prop_map(
        |(code, authenticator, attrs, padding, spoil)| {
            let request = RequestBuilder::new(Code(code), 7, authenticator);
            let request = attrs.iter().fold(request, |r, (n, v)| r.attribute(*n, v));
            let mut packet = request.build(&nas()).unwrap();
            packet.extend(padding);
            if let Some((at, octet)) = spoil {
                *at.get_mut(&mut packet) = octet;
            }
            packet
        },
    )
}

fn any_octets() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => datagram(), 1 => vec(any::<u8>(), 0..100), 1 => vec(any::<u8>(), 0..5000)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_scan_agrees_with_the_reference(datagram in any_octets()) {
        let expected = reference(&datagram);
        let found = scan(&datagram);
        prop_assert_eq!(found.is_ok(), expected.is_some());
        let (Ok(layout), Some(expected)) = (found, expected) else { return Ok(()) };

        let walked: Vec<_> = layout.attributes(&datagram).map(|a| (a.number, a.at + 2, a.value.to_vec())).collect();
        prop_assert_eq!(&walked, &expected);
        let first = |number: u8| expected.iter().find(|(n, ..)| *n == number).map(|(_, at, v)| (*at, v.len()));
        let count = |number: u8| expected.iter().filter(|(n, ..)| *n == number).count();
        let spans = [
            (1, layout.user_name), (2, layout.user_password), (3, layout.chap_password), (4, layout.nas_ip),
            (6, layout.service_type), (24, layout.state), (30, layout.called_station), (31, layout.calling_station),
            (32, layout.nas_identifier), (33, layout.first_proxy_state), (40, layout.acct_status_type),
            (44, layout.acct_session_id), (60, layout.chap_challenge), (79, layout.eap_message),
            (80, layout.message_authenticator), (95, layout.nas_ipv6),
        ];
        for (number, span) in spans {
            prop_assert_eq!(span.map(|s| (s.at(), s.len())), first(number), "attribute {}", number);
        }
        prop_assert_eq!(usize::from(layout.message_authenticators), count(80).min(255));
        prop_assert_eq!(usize::from(layout.proxy_states), count(33));
        prop_assert_eq!(layout.last_proxy_state.map(|s| s.of(&datagram).to_vec()),
            expected.iter().rfind(|(n, ..)| *n == 33).map(|(_, _, v)| v.clone()));
        prop_assert_eq!(layout.user_password_repeated, count(2) > 1);
        prop_assert_eq!(layout.tunnel_password, count(69) > 0);
        prop_assert_eq!(layout.reply_message, count(18) > 0);
        prop_assert_eq!(layout.arap, count(70) + count(71) + count(84) > 0);
        let microsoft = |kinds: &[u8]| expected.iter().any(|(n, _, v)| {
            *n == 26 && v.starts_with(&[0, 0, 1, 55])
                && sub_attributes(v).is_some_and(|mut subs| subs.any(|(kind, ..)| kinds.contains(&kind)))
        });
        prop_assert_eq!(layout.mppe_keys, microsoft(&[12]));
    }

    #[test]
    fn nothing_that_arrives_makes_the_request_path_panic_or_send_a_malformed_packet(
        datagram in any_octets(),
        require_message_authenticator in any::<bool>(),
        limit_proxy_state in any::<bool>(),
    ) {
        let datagram = &datagram[..datagram.len().min(4096)];
        let Ok(layout) = scan(datagram) else { return Ok(()) };
        let mut packet = buf(datagram);
        let policy = RequestPolicy { require_message_authenticator, limit_proxy_state };
        let Ok(verified) = verify_request(&packet, &layout, &nas(), policy) else { return Ok(()) };

        if forward_request(&mut packet, &verified, &nas(), &home(), 9, &RA_UP, OURS).is_ok() {
            prop_assert!(verify_request(&packet, &scan(packet.bytes()).unwrap(), &home(), policy).is_ok());
            prop_assert_eq!(proxy_states(packet.bytes()).last(), Some(OURS));
            prop_assert_eq!(proxy_states(packet.bytes()).count(), usize::from(layout.proxy_states) + 1);
            let second = secret("second");
            prop_assert!(redirect_request(&mut packet, &home(), &second, 10, &RA_DOWN).is_ok());
            prop_assert!(verify_request(&packet, &scan(packet.bytes()).unwrap(), &second, policy).is_ok());
        }
        let mut packet = buf(datagram);
        if let Ok((_, seal)) = rewrite_dynauth(&mut packet, &verified, 9, OURS, &Salted::default()) {
            seal.apply(packet.bytes_mut(), &home());
            prop_assert!(verify_request(&packet, &scan(packet.bytes()).unwrap(), &home(), policy).is_ok());
            prop_assert_eq!(proxy_states(packet.bytes()).last(), Some(OURS));
            prop_assert_eq!(proxy_states(packet.bytes()).count(), usize::from(layout.proxy_states) + 1);
        }
        let mut packet = buf(datagram);
        if turn_into_reply(&mut packet, &verified, Code::ACCESS_REJECT, &nas(), &[(18, b"no")]).is_ok() {
            let authenticator = layout.authenticator(datagram).unwrap();
            let reply = verify_reply(&packet, &scan(packet.bytes()).unwrap(), &authenticator, &nas(), true);
            prop_assert!(reply.is_ok());
        }
    }

    #[test]
    fn nothing_a_home_server_signs_makes_the_reply_path_panic_or_send_a_malformed_packet(
        code in select(vec![2u8, 3, 5, 11, 41, 42, 44, 45]),
        attrs in vec((number(), value()), 0..14),
        client_states in vec(vec(any::<u8>(), 0..20), 0..4),
        request in any_octets(),
        salt in any::<u16>(),
    ) {
        let attrs: Vec<(u8, &[u8])> = attrs.iter().filter(|(n, _)| *n != 80).map(|(n, v)| (*n, &v[..])).collect();
        let mut packet = Buf::new();
        write_reply(&mut packet, Code(code), 9, &RA_UP, &home(), &[], &attrs).unwrap();
        let reply = verified_reply(&packet, &RA_UP, &home());
        let before = packet.bytes().to_vec();

        // A request that is not ours must not make it panic either.
        let mut scratch = buf(&before);
        let _ = restore(&mut scratch, &reply, &request, 7, &mut || salt, OURS);

        let request_code = match code {
            5 => Code::ACCOUNTING_REQUEST,
            41 | 42 => Code::DISCONNECT_REQUEST,
            44 | 45 => Code::COA_REQUEST,
            _ => Code::ACCESS_REQUEST,
        };
        let request = RequestBuilder::new(request_code, 9, RA_UP);
        let request = client_states.iter().fold(request, |r, v| r.attribute(33, v)).attribute(33, OURS);
        let mut request = request.build(&home()).unwrap();
        request[4..20].copy_from_slice(&RA_UP);
        let edits =
            restore(&mut packet, &reply, &request, 7, &mut || salt, OURS);
        prop_assert!(edits.is_ok());
        let client = verify_reply(&packet, &scan(packet.bytes()).unwrap(), &RA_DOWN, &nas(), true);
        prop_assert!(client.is_ok());
        prop_assert_eq!(values(packet.bytes(), 33), client_states);
        if code != 3 {
            let untouched = |p: &[u8]| -> Vec<(u8, Vec<u8>)> {
                list(p).into_iter().filter(|(n, _)| ![26, 33, 69, 80].contains(n)).collect()
            };
            prop_assert_eq!(untouched(packet.bytes()), untouched(&before));
        }
    }

    #[test]
    fn a_walk_stays_inside_any_octets(octets in vec(any::<u8>(), 0..300)) {
        for attribute in attributes(&octets) {
            prop_assert!(attribute.at + 2 + attribute.value.len() <= octets.len());
        }
        let _ = sub_attributes(&octets).map(Iterator::count);
    }

    #[test]
    fn a_stripped_name_is_put_together_again(name in "[a-c@/\\\\.]{0,12}", steps in vec(0..4usize, 0..5)) {
        let mut stripped = Stripped::of(name.as_bytes());
        for step in steps {
            stripped = match step {
                0 => stripped.without_outer(b"a"),
                1 => stripped.without_realm(Place::Suffix),
                2 => stripped.without_realm(Place::Prefix),
                _ => stripped.without_realm(Place::Nt),
            };
        }
        let whole = [stripped.front(), stripped.user(), stripped.back()].concat();
        prop_assert_eq!(&whole, name.as_bytes());
        prop_assert!(name.is_empty() || !stripped.user().is_empty());
        if let Some(restored) = stripped.restore(stripped.user(), &mut [0; 253]) {
            prop_assert_eq!(restored, name.as_bytes());
        }
    }

    #[test]
    fn the_canonical_form_of_a_realm_is_its_own_canonical_form(
        realm in prop_oneof![vec(any::<u8>(), 0..260), "\\PC{0,40}".prop_map(String::into_bytes)],
    ) {
        let mut out = [0; 255];
        if let Some(form) = canonical(&realm, &mut out) {
            let mut again = [0; 255];
            prop_assert_eq!(canonical(form, &mut again), Some(form));
            prop_assert!(form.is_ascii() && form.len() <= 253);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn requests_verified_together_get_the_verdicts_they_get_alone(
        datagrams in vec(datagram(), 0..80),
        spoiled in vec(any::<bool>(), 80),
    ) {
        let (right, wrong) = (nas(), home());
        let found: Vec<_> = datagrams.iter().filter_map(|d| Some((buf(d), scan(d).ok()?))).collect();
        let requests: Vec<_> = found.iter().zip(spoiled).map(|((buf, layout), spoiled)| RequestToVerify {
            buf, layout, secret: if spoiled { &wrong } else { &right }, policy: LENIENT,
        }).collect();
        let alone: Vec<_> = requests.iter()
            .map(|r| verify_request(r.buf, r.layout, r.secret, r.policy).map(|v| v.message_authenticator()))
            .collect();
        let mut together = Vec::new();
        verify_requests(&requests, |i, verdict| {
            assert_eq!(i, together.len());
            together.push(verdict.map(|v| (*v.layout(), v.message_authenticator())));
        });
        for (i, verdict) in together.iter().enumerate() {
            prop_assert_eq!(verdict.map(|(_, state)| state), alone[i]);
            prop_assert!(verdict.is_err() || verdict.unwrap().0 == *requests[i].layout);
        }
        prop_assert_eq!(together.len(), requests.len());
    }
}
