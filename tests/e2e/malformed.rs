//! Packets that are none, and what has brought other servers down: counted, unanswered, and life goes on.

use std::time::Duration;

use sekisho_tests::home::ScriptedHome;
use sekisho_tests::nas::Nas;
use sekisho_tests::network::{Family, acct, auth};
use sekisho_tests::sekisho::Sekisho;
use sekisho_wire::{attr, build::RequestBuilder, code::Code, secret::Secret};

use crate::scene::{Scene, home1_secret, nas_secret};

const USER: &str = "alice@acme.example";

/// A header with this code and Length, followed by `rest`.
fn packet(code: u8, length: u16, rest: &[u8]) -> Vec<u8> {
    let authenticator = sekisho_tests::nas::fresh_authenticator();
    [&[code, 1], &length.to_be_bytes()[..], &authenticator, rest].concat()
}

fn still_served(nas: &Nas, id: u8) {
    let answer = nas.ask(auth(Family::V4), &nas.login(id, USER, "wonderland"));
    assert_eq!(answer.code().0, 2);
}

/// Sends each malformed packet and holds the reason that it is counted for at `place`, native or without XDP.
fn malformed_packets_are_counted(mode: &str, place: &str) {
    let scene = Scene::new();
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4).xdp(mode));
    let nas = scene.scripted_nas(Family::V4);
    let name = [&[1, 20][..], USER.as_bytes()].concat();
    let length = 20 + name.len() as u16;
    // The gate looks at the header; attributes are for userspace.
    let cases: [(&str, &str, Vec<u8>); 17] = [
        ("too_short", place, Vec::new()),
        ("too_short", place, vec![1]),
        ("too_short", place, packet(1, 20, &[])[..19].to_vec()),
        ("bad_length", place, packet(1, 0, &name)),
        ("bad_length", place, packet(1, 19, &name)),
        ("bad_length", place, packet(1, 4097, &name)),
        // Longer than the link's MTU: it comes in fragments, which only userspace sees whole.
        ("bad_length", "userspace", packet(1, 4097, &[0; 4077])),
        ("bad_length", place, packet(1, 65535, &name)),
        ("bad_length", place, packet(1, length + 1, &name)),
        ("bad_code", place, packet(0, length, &name)),
        ("bad_code", place, packet(2, length, &name)),
        ("bad_code", place, packet(4, length, &name)),
        ("bad_code", place, packet(255, length, &name)),
        ("bad_attribute", place, packet(1, length + 2, &[&name[..], &[2, 0]].concat())),
        ("bad_attribute", place, packet(1, length + 2, &[&name[..], &[2, 1]].concat())),
        ("bad_attribute", place, packet(1, length + 2, &[&name[..], &[2, 3]].concat())),
        ("bad_attribute", place, packet(1, length + 1, &[&name[..], &[2]].concat())),
    ];
    for (_, _, datagram) in &cases {
        nas.send(auth(Family::V4), datagram);
    }
    nas.expect_silence(Duration::from_millis(300));
    let expected = |case: &(&str, &str, Vec<u8>)| cases.iter().filter(|it| (it.0, it.1) == (case.0, case.1)).count();
    let metrics = sekisho.metrics_when("every packet is counted under its reason", |metrics| {
        cases.iter().all(|case| metrics.dropped(case.1, case.0) == expected(case) as u64)
    });
    assert_eq!(metrics.sum("sekisho_dropped_total", &[]), cases.len() as u64);
    sekisho.assert_every_packet_is_counted_once();
    assert!(home.seen().is_empty());
    still_served(&nas, 9);
}

#[test]
fn malformed_packets_are_counted_in_the_kernel_and_not_answered() {
    malformed_packets_are_counted("native", "kernel");
}

#[test]
fn without_xdp_malformed_packets_are_counted_for_the_same_reasons() {
    malformed_packets_are_counted("off", "userspace");
}

#[test]
fn octets_behind_the_length_are_padding() {
    let scene = Scene::new();
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    let request = nas.login(1, USER, "wonderland");
    let padded = [&request[..], &[0xff; 700]].concat();
    nas.send(auth(Family::V4), &padded);
    assert_eq!(nas.answer(&request, Duration::from_secs(5)).expect("an answer").code().0, 2);
    assert_eq!(home.seen()[0].password(), b"wonderland");
}

#[test]
fn vendor_attributes_of_any_inner_shape_and_empty_ones_are_forwarded_as_they_are() {
    let scene = Scene::new();
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let _sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    let vendor = |sub: &[u8]| [&[0, 0, 1, 55][..], sub].concat();
    let values: Vec<(u8, Vec<u8>)> = vec![
        (26, vendor(&[16, 0])),
        (26, vendor(&[17, 1, 9])),
        (26, vendor(&[12, 255, 1, 2, 3])),
        (26, vendor(&[])),
        (26, vec![0, 0, 1]),
        (26, Vec::new()),
        (25, Vec::new()),
        (241, vec![1]),
        (245, vec![1, 0x80]),
        (255, vec![0; 253]),
        (192, Vec::new()),
    ];
    let more: Vec<(u8, &[u8])> = values.iter().map(|(number, value)| (*number, value.as_slice())).collect();
    let answer = nas.ask(auth(Family::V4), &nas.login_with(1, USER, "wonderland", &more));
    assert_eq!(answer.code().0, 2);
    let seen = home.seen();
    let arrived: Vec<(u8, Vec<u8>)> = sekisho_wire::attribute::attributes(&seen[0].bytes)
        .map(|it| (it.number, it.value.to_vec()))
        .filter(|(number, _)| values.iter().any(|(it, _)| it == number))
        .collect();
    assert_eq!(arrived, values);
}

#[test]
fn every_attribute_at_its_longest_harms_nobody_whatever_the_secret() {
    let scene = Scene::new();
    let _home = ScriptedHome::willing(&scene.home, &home1_secret());
    let mut sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    let secrets = [nas_secret(Family::V4), "a wrong secret".to_owned()].map(|it| Secret::new(it).unwrap());
    for secret in &secrets {
        for number in 0..=255 {
            let authenticator = sekisho_tests::nas::fresh_authenticator();
            let access = RequestBuilder::new(Code::ACCESS_REQUEST, number, authenticator)
                .message_authenticator()
                .attribute(attr::USER_NAME, USER)
                .attribute(number, [number; 253]);
            nas.send(auth(Family::V4), &access.build(secret).unwrap());
            let record = RequestBuilder::new(Code::ACCOUNTING_REQUEST, number, [0; 16])
                .attribute(attr::USER_NAME, USER)
                .attribute(attr::ACCT_SESSION_ID, "1")
                .attribute(number, [number; 253]);
            nas.send(acct(Family::V4), &record.build(secret).unwrap());
            while nas.receive(Duration::from_millis(1)).is_some() {}
        }
    }
    while nas.receive(Duration::from_millis(300)).is_some() {}
    assert!(sekisho.process().runs());
    let other = scene.scripted_nas(Family::V4);
    still_served(&other, 9);
    let metrics = sekisho.metrics();
    // A few of the 256 break another rule first.
    assert!(metrics.dropped("userspace", "message_authenticator_bad") >= 250, "{}", metrics.drops());
    assert!(metrics.dropped("userspace", "authenticator_bad") >= 256, "{}", metrics.drops());
}

#[test]
fn replies_that_are_malformed_leave_the_request_waiting_for_a_good_one() {
    let scene = Scene::new();
    let home = ScriptedHome::start(&scene.home, &home1_secret(), |asked| {
        vec![asked.accept().after(Duration::from_millis(500))]
    });
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    let request = nas.login(1, USER, "wonderland");
    nas.send(auth(Family::V4), &request);
    let asked = sekisho_tests::wait::eventually("the home server is asked", || home.seen().first().cloned());
    let id = asked.bytes[1];
    let address = scene.home.v4;
    let socket = scene.home.namespace.run(move || std::net::UdpSocket::bind((address, 0))).unwrap();
    let with = |length: u16, rest: &[u8]| [&[2, id], &length.to_be_bytes()[..], &[7; 16], rest].concat();
    for datagram in [Vec::new(), with(19, &[]), with(4097, &[]), with(22, &[18, 0]), with(25, &[18, 1, 0, 0, 0])] {
        socket.send_to(&datagram, asked.from).unwrap();
    }
    let answer = nas.answer(&request, Duration::from_secs(5)).expect("the good answer");
    assert_eq!(answer.code().0, 2);
    let metrics = sekisho.metrics();
    let dropped = metrics.sum("sekisho_dropped_total", &[]);
    assert_eq!(dropped, 5, "each counted once");
}

#[test]
fn what_breaks_a_rule_of_its_code_is_silence_and_a_counted_reason() {
    let scene = Scene::new();
    let home = ScriptedHome::willing(&scene.home, &home1_secret());
    let sekisho = Sekisho::start(&scene.network, &scene.documents(Family::V4));
    let nas = scene.scripted_nas(Family::V4);
    let secret = Secret::new(nas_secret(Family::V4)).unwrap();
    let access = || {
        let authenticator = sekisho_tests::nas::fresh_authenticator();
        RequestBuilder::new(Code::ACCESS_REQUEST, 1, authenticator).attribute(attr::USER_NAME, USER)
    };
    let record = || RequestBuilder::new(Code::ACCOUNTING_REQUEST, 1, [0; 16]).attribute(attr::USER_NAME, USER);
    let requests = [
        ("message_authenticator_bad", access().attribute(80, [1; 16])),
        ("message_authenticator_repeated", access().message_authenticator().attribute(80, [1; 16])),
        ("eap_without_message_authenticator", access().attribute(79, [2, 1, 0, 4])),
        ("proxy_state_without_message_authenticator", access().attribute(33, "theirs")),
        ("password_length", access().message_authenticator().attribute(2, [0; 15])),
        ("password_length", access().message_authenticator().attribute(2, [0; 144])),
        ("arap", access().message_authenticator().attribute(70, [0; 16])),
        ("forbidden_attribute", record().attribute(44, "1").attribute(2, [0; 16])),
        ("session_id_missing", record()),
    ];
    for (reason, request) in requests {
        let datagram = request.build(&secret).unwrap();
        let before = sekisho.metrics().dropped("userspace", reason);
        let to = if datagram[0] == 1 { auth(Family::V4) } else { acct(Family::V4) };
        nas.send(to, &datagram);
        sekisho.metrics_when(reason, |metrics| metrics.dropped("userspace", reason) == before + 1);
    }
    nas.expect_silence(Duration::from_millis(200));
    assert!(home.seen().is_empty());
    still_served(&nas, 1);
}
