//! MS-CHAP of both versions for hosted accounts (RFC 2433, RFC 2759, RFC 2548, RFC 3079).

use crate::common::{hosted::*, *};
use sekisho_engine::{hosted::Account, snapshot::*};
use sekisho_wire::{
    attr,
    build::RequestBuilder,
    code::Code,
    mschap::{mppe::Keys, nt::NtHash, v2},
    password::unhide,
    salted::decrypt,
    select::AttributeId,
    vendor::*,
};

// RFC 2759 §9.2.
const USER: &str = "User";
const CLIENT_PASS: &str = "clientPass";
const CHALLENGE: [u8; 16] =
    [0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f, 0x3e, 0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28];
const PEER_CHALLENGE: [u8; 16] =
    [0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26, 0x2a, 0x28, 0x29, 0x5f, 0x2b, 0x3a, 0x33, 0x7c, 0x7e];
const NT_RESPONSE: [u8; 24] = [
    0x82, 0x30, 0x9e, 0xcd, 0x8d, 0x70, 0x8b, 0x5e, 0xa0, 0x8f, 0xaa, 0x39, 0x81, 0xcd, 0x83, 0x54, 0x42, 0x33, 0x11,
    0x4a, 0x3d, 0x85, 0xd6, 0xdf,
];
const PROOF: &[u8] = b"S=407A5589115FD0D6209F510FE9C04566932CDA56";

fn request(id: u8, user: &str) -> RequestBuilder {
    RequestBuilder::new(Code::ACCESS_REQUEST, id, [id; 16]).attribute(attr::USER_NAME, user)
}

fn by_v2(builder: RequestBuilder, ident: u8, nt: &[u8; 24]) -> Vec<u8> {
    let response = [&[ident, 0][..], &PEER_CHALLENGE, &[0; 8], nt].concat();
    let builder = builder
        .vendor(MICROSOFT, MS_CHAP_CHALLENGE, CHALLENGE)
        .vendor(MICROSOFT, MS_CHAP2_RESPONSE, response)
        .message_authenticator();
    builder.build(&nas_secret()).unwrap()
}

fn of(accept: &Sent, kind: u8) -> Option<Vec<u8>> {
    AttributeId::Vendor(MICROSOFT, kind).find(&accept.bytes).map(<[u8]>::to_vec)
}

fn number(accept: &Sent, kind: u8) -> u32 {
    u32::from_be_bytes(of(accept, kind).unwrap().try_into().unwrap())
}

/// Realms by APN, so that the name is what the RFC has.
fn rfc_world(protocols: Protocols) -> World {
    let mut plan = group_plan(move |group| group.protocols = protocols);
    plan.reshape(|snapshot| customer(snapshot, 0).default_realm = Some(RealmId(0)));
    let world = world_of(plan);
    world.put(USER, &Account { secret: recoverable(CLIENT_PASS), ..account() });
    world
}

#[test]
fn the_login_of_rfc_2759_gets_its_proof_and_keys_that_both_ends_have() {
    let mut world = rfc_world(Protocols::MSCHAPV2);
    let request = by_v2(request(1, USER), 7, &NT_RESPONSE);
    let accept = world.log_in(&request);
    assert_eq!(accept.bytes[0], Code::ACCESS_ACCEPT.0);
    assert_eq!(of(&accept, MS_CHAP2_SUCCESS).unwrap(), [&[7][..], PROOF].concat());
    assert_eq!((number(&accept, MS_MPPE_ENCRYPTION_POLICY), number(&accept, MS_MPPE_ENCRYPTION_TYPES)), (1, 4));
    let keys = Keys::of(&NtHash::of(CLIENT_PASS.as_bytes()).unwrap(), &NT_RESPONSE);
    let authenticator = request[4..20].try_into().unwrap();
    let mut salts = Vec::new();
    for (kind, expected) in [(MS_MPPE_SEND_KEY, keys.send()), (MS_MPPE_RECV_KEY, keys.recv())] {
        let mut field = of(&accept, kind).unwrap();
        salts.push(field[..2].to_vec());
        assert_eq!(decrypt(&mut field, &nas_secret(), &authenticator).unwrap(), expected);
    }
    assert!(salts[0] != salts[1] && salts.iter().all(|salt| salt[0] & 0x80 != 0));
    assert_eq!(world.ask(&request), Some(accept), "and a repetition the same octets");
}

#[test]
fn a_windows_domain_is_no_part_of_the_digest_and_a_realm_is() {
    let mut world = group_world(|_| {});
    world.put(USER, &Account { secret: recoverable(CLIENT_PASS), ..account() });
    let hash = NtHash::of(CLIENT_PASS.as_bytes()).unwrap();
    let with_realm = v2::nt_response(&CHALLENGE, &PEER_CHALLENGE, b"User@a.example", &hash);
    assert!(world.is_let_in(&by_v2(request(1, "User@a.example"), 1, &with_realm)));
    assert!(!world.is_let_in(&by_v2(request(2, "User@a.example"), 1, &NT_RESPONSE)));
    let mut plan = group_plan(|_| {});
    plan.reshape(|snapshot| {
        customer(snapshot, 0).nt_domains = Lookup::from([((*b"acme").into(), RealmId(0))]);
    });
    let mut world = world_of(plan);
    world.put(USER, &Account { secret: recoverable(CLIENT_PASS), ..account() });
    assert!(world.is_let_in(&by_v2(request(3, "ACME\\User"), 1, &NT_RESPONSE)));
}

#[test]
fn a_wrong_response_gets_error_691_without_another_try_and_so_does_an_unknown_user() {
    let mut world = rfc_world(Protocols::ALL);
    let mut wrong = NT_RESPONSE;
    wrong[0] ^= 1;
    for (id, user) in [(1, USER), (2, "Nobody")] {
        let reject = world.log_in(&by_v2(request(id, user), 9, &wrong));
        assert_eq!(reject.bytes[0], Code::ACCESS_REJECT.0);
        let error = of(&reject, MS_CHAP_ERROR).unwrap();
        assert_eq!((error[0], &error[1..13], &error[45..49]), (9, &b"E=691 R=0 C="[..], &b" V=3"[..]), "{error:?}");
    }
    assert_eq!(world.group_stats().compared.read(), 2);
}

fn by_v1(builder: RequestBuilder, flags: u8, password: &str, challenge: &[u8; 8]) -> Vec<u8> {
    let nt = NtHash::of(password.as_bytes()).unwrap().challenge_response(challenge);
    builder
        .vendor(MICROSOFT, MS_CHAP_CHALLENGE, challenge)
        .vendor(MICROSOFT, MS_CHAP_RESPONSE, [&[3, flags][..], &[0; 24], &nt].concat())
        .message_authenticator()
        .build(&nas_secret())
        .unwrap()
}

#[test]
fn the_first_version_is_answered_with_its_keys_and_lan_managers_half_is_refused() {
    let mut world = rfc_world(Protocols::MSCHAP);
    let login = by_v1(request(1, USER), 1, CLIENT_PASS, &[5; 8]);
    let accept = world.log_in(&login);
    assert_eq!(accept.bytes[0], Code::ACCESS_ACCEPT.0);
    let mut keys = of(&accept, MS_CHAP_MPPE_KEYS).unwrap();
    unhide(&mut keys, &nas_secret(), &login[4..20].try_into().unwrap()).unwrap();
    assert_eq!((&keys[..8], &keys[24..]), (&[0; 8][..], &[0; 8][..]));
    assert_ne!(keys[8..24], [0; 16]);
    assert!(!world.is_let_in(&by_v1(request(2, USER), 0, CLIENT_PASS, &[5; 8])));
    let reject = world.log_in(&by_v1(request(3, USER), 1, "wrong", &[5; 8]));
    assert!(of(&reject, MS_CHAP_ERROR).unwrap().starts_with(b"\x03E=691 R=0 C="));
    let rejected = &world.group_stats().rejected;
    assert_eq!((rejected.protocol.read(), rejected.password.read()), (1, 1));
}

#[test]
fn each_version_is_allowed_for_itself() {
    for (protocols, first, second) in [(Protocols::MSCHAP, true, false), (Protocols::MSCHAPV2, false, true)] {
        let mut world = rfc_world(protocols);
        assert_eq!(world.is_let_in(&by_v1(request(1, USER), 1, CLIENT_PASS, &[5; 8])), first);
        assert_eq!(world.is_let_in(&by_v2(request(2, USER), 1, &NT_RESPONSE)), second);
    }
}

#[test]
fn a_password_that_is_no_text_proves_nothing_here() {
    let mut world = rfc_world(Protocols::ALL);
    let secret = sekisho_engine::hosted::Secret::Recoverable(zeroize::Zeroizing::new([0xff, 0xfe].into()));
    world.put(USER, &Account { secret, ..account() });
    assert!(!world.is_let_in(&by_v2(request(1, USER), 1, &NT_RESPONSE)));
    assert!(!world.is_let_in(&by_v1(request(2, USER), 1, CLIENT_PASS, &[5; 8])));
}

#[test]
fn the_operators_own_word_on_encryption_stands() {
    let mut plan = group_plan(|group| group.reply = [26, 12, 0, 0, 1, 55, 7, 6, 0, 0, 0, 2].into());
    plan.reshape(|snapshot| customer(snapshot, 0).default_realm = Some(RealmId(0)));
    let mut world = world_of(plan);
    world.put(USER, &Account { secret: recoverable(CLIENT_PASS), ..account() });
    let accept = world.log_in(&by_v2(request(1, USER), 1, &NT_RESPONSE));
    assert_eq!((number(&accept, MS_MPPE_ENCRYPTION_POLICY), of(&accept, MS_MPPE_ENCRYPTION_TYPES)), (2, None));
}

#[test]
fn a_response_by_the_name_that_the_subscriber_typed_is_right_where_the_carrier_adds_a_suffix() {
    let mut plan = group_plan(|group| group.protocols = Protocols::MSCHAPV2);
    plan.reshape(|snapshot| {
        customer(snapshot, 0).default_realm = Some(RealmId(0));
        client(snapshot, 0).outer_suffix = Some((*b"carrier.example").into());
    });
    let mut world = world_of(plan);
    world.put(USER, &Account { secret: recoverable(CLIENT_PASS), ..account() });
    let accept = world.log_in(&by_v2(request(1, "User@carrier.example"), 7, &NT_RESPONSE));
    assert_eq!(accept.bytes[0], Code::ACCESS_ACCEPT.0);
    assert_eq!(of(&accept, MS_CHAP2_SUCCESS).unwrap(), [&[7][..], PROOF].concat());
    let wrong = [&NT_RESPONSE[..23], &[0]].concat().try_into().unwrap();
    let reject = world.log_in(&by_v2(request(2, "User@carrier.example"), 7, &wrong));
    assert_eq!(reject.bytes[0], Code::ACCESS_REJECT.0);
}
