//! Tunnel attributes as a LAC reads them.

use sekisho_wire::{
    attr,
    attribute::attributes,
    buf::{Buf, MAX_PACKET, TooLong},
    salted::decrypt,
    secret::Secret,
    tunnel::{MAX_PASSWORD, MAX_TEXT, Medium, TunnelForm, TunnelSet, append_tunnel},
    vendor::{CISCO, CISCO_AVPAIR, sub_attributes, vendor},
};

const AUTHENTICATOR: [u8; 16] = *b"sixteen octets..";

fn secret() -> Secret {
    Secret::new("shared with the carrier").unwrap()
}

fn set() -> TunnelSet {
    TunnelSet {
        medium: Medium::Ipv4,
        server_endpoint: "198.51.100.7".into(),
        client_endpoint: Some("192.0.2.1".into()),
        password: Some(Secret::new("LNS-tunnel-secret").unwrap()),
        private_group_id: Some("acme-vrf".into()),
        assignment_id: "acme-lns-1".into(),
        client_auth_id: Some("carrier-lac".into()),
        server_auth_id: Some("acme-lns".into()),
    }
}

fn bare(endpoint: &str) -> TunnelSet {
    TunnelSet {
        server_endpoint: endpoint.into(),
        client_endpoint: None,
        password: None,
        private_group_id: None,
        client_auth_id: None,
        server_auth_id: None,
        ..set()
    }
}

/// A packet's header without attributes.
fn header() -> Buf {
    let mut buf = Buf::new();
    buf.load(&[2; 20]).unwrap();
    buf
}

fn written(set: &TunnelSet, form: TunnelForm) -> Vec<(u8, Vec<u8>)> {
    let mut buf = header();
    append_tunnel(&mut buf, set, form, (3, 20), (&secret(), &AUTHENTICATOR, 0x1234)).unwrap();
    attributes(buf.bytes()).map(|it| (it.number, it.value.to_vec())).collect()
}

fn password_of(value: &[u8]) -> Vec<u8> {
    decrypt(&mut value[1..].to_vec(), &secret(), &AUTHENTICATOR).unwrap().to_vec()
}

#[test]
fn every_attribute_of_a_set_has_its_tag_and_the_password_decrypts() {
    let mut all = written(&set(), TunnelForm::Tagged);
    let password = all.remove(all.iter().position(|it| it.0 == attr::TUNNEL_PASSWORD).unwrap()).1;
    assert_eq!((password[0], password_of(&password)), (3, b"LNS-tunnel-secret".to_vec()));
    assert_eq!(password[1..3], [0x92, 0x34], "the salt's top bit is set");
    let text = |number, text: &str| (number, [b"\x03", text.as_bytes()].concat());
    let expected = [
        (attr::TUNNEL_TYPE, vec![3, 0, 0, 3]),
        (attr::TUNNEL_MEDIUM_TYPE, vec![3, 0, 0, 1]),
        text(attr::TUNNEL_CLIENT_ENDPOINT, "192.0.2.1"),
        text(attr::TUNNEL_SERVER_ENDPOINT, "198.51.100.7"),
        text(attr::TUNNEL_PRIVATE_GROUP_ID, "acme-vrf"),
        text(attr::TUNNEL_ASSIGNMENT_ID, "acme-lns-1"),
        (attr::TUNNEL_PREFERENCE, vec![3, 0, 0, 20]),
        text(attr::TUNNEL_CLIENT_AUTH_ID, "carrier-lac"),
        text(attr::TUNNEL_SERVER_AUTH_ID, "acme-lns"),
    ];
    assert_eq!(all, expected);
}

#[test]
fn without_a_tag_numbers_and_password_have_a_zero_and_texts_nothing() {
    let all = written(&set(), TunnelForm::Untagged);
    let value = |number| all.iter().find(|it| it.0 == number).map(|it| it.1.clone());
    assert_eq!(value(attr::TUNNEL_TYPE).unwrap(), [0, 0, 0, 3]);
    assert_eq!(value(attr::TUNNEL_SERVER_ENDPOINT).unwrap(), b"198.51.100.7");
    let password = value(attr::TUNNEL_PASSWORD).unwrap();
    assert_eq!((password[0], password_of(&password)), (0, b"LNS-tunnel-secret".to_vec()));
    assert_eq!(value(attr::TUNNEL_PREFERENCE), None, "one set has nothing to be preferred to");
}

#[test]
fn as_ciscos_pairs_the_same_is_said_in_words() {
    let all = written(&set(), TunnelForm::CiscoAvPair);
    let pairs: Vec<String> = all
        .iter()
        .map(|(number, value)| {
            assert_eq!((*number, vendor(value)), (attr::VENDOR_SPECIFIC, Some(CISCO)));
            let sub: Vec<_> = sub_attributes(value).unwrap().collect();
            let [(CISCO_AVPAIR, _, text)] = sub[..] else { panic!("{sub:?}") };
            String::from_utf8(text.to_vec()).unwrap()
        })
        .collect();
    let expected = [
        "vpdn:tunnel-type=l2tp",
        "vpdn:tunnel-id=carrier-lac",
        "vpdn:ip-addresses=198.51.100.7",
        "vpdn:source-ip=192.0.2.1",
        "vpdn:l2tp-tunnel-password=LNS-tunnel-secret",
    ];
    assert_eq!(pairs, expected);
}

#[test]
fn what_is_not_given_is_not_there_and_ipv6_is_said() {
    let set = TunnelSet { medium: Medium::Ipv6, ..bare("2001:db8::7") };
    let numbers: Vec<u8> = written(&set, TunnelForm::Tagged).iter().map(|it| it.0).collect();
    let expected = [
        attr::TUNNEL_TYPE,
        attr::TUNNEL_MEDIUM_TYPE,
        attr::TUNNEL_SERVER_ENDPOINT,
        attr::TUNNEL_ASSIGNMENT_ID,
        attr::TUNNEL_PREFERENCE,
    ];
    assert_eq!(numbers, expected);
    assert_eq!(written(&set, TunnelForm::Tagged)[1].1, [3, 0, 0, 2]);
    assert_eq!(written(&bare("lns.acme.example"), TunnelForm::CiscoAvPair).len(), 2);
}

#[test]
fn passwords_of_every_length_decrypt_and_a_longer_one_is_refused() {
    for length in 1..=MAX_PASSWORD {
        let password: Vec<u8> = (0..length as u8).collect();
        let set = TunnelSet { password: Some(Secret::new(&password).unwrap()), ..bare("192.0.2.9") };
        let all = written(&set, TunnelForm::Tagged);
        let value = &all.iter().find(|it| it.0 == attr::TUNNEL_PASSWORD).unwrap().1;
        assert_eq!(password_of(value), password, "{length} octets");
    }
    let long = TunnelSet { password: Some(Secret::new([7; MAX_PASSWORD + 1]).unwrap()), ..bare("192.0.2.9") };
    let refused = append_tunnel(&mut header(), &long, TunnelForm::Tagged, (1, 0), (&secret(), &AUTHENTICATOR, 0));
    assert_eq!(refused, Err(TooLong));
}

#[test]
fn texts_of_every_length_fit_and_longer_ones_are_refused() {
    let write = |length: usize, form| {
        let set = TunnelSet { client_auth_id: Some("x".repeat(length).into()), ..bare("192.0.2.9") };
        append_tunnel(&mut header(), &set, form, (1, 0), (&secret(), &AUTHENTICATOR, 0))
    };
    assert_eq!(write(MAX_TEXT, TunnelForm::Tagged), Ok(()));
    assert_eq!(write(MAX_TEXT + 1, TunnelForm::Tagged), Err(TooLong));
    assert_eq!(write(247 - "vpdn:tunnel-id=".len(), TunnelForm::CiscoAvPair), Ok(()));
    assert_eq!(write(248 - "vpdn:tunnel-id=".len(), TunnelForm::CiscoAvPair), Err(TooLong));
}

#[test]
fn a_full_packet_is_refused_and_no_debug_shows_the_password() {
    let mut full = Buf::new();
    full.load(&[2; MAX_PACKET - 30]).unwrap();
    let refused = append_tunnel(&mut full, &set(), TunnelForm::Tagged, (1, 0), (&secret(), &AUTHENTICATOR, 0));
    assert_eq!(refused, Err(TooLong));
    assert!(!format!("{:?}", set()).contains("LNS-tunnel-secret"));
}
