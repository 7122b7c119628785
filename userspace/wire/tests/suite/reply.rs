//! What a client gets.

use crate::common::*;
use sekisho_wire::attr;
use sekisho_wire::buf::{Buf, MAX_PACKET, TooLong};
use sekisho_wire::build::{RequestBuilder, salted_field, turn_into_reply, vendor_value, write_reply};
use sekisho_wire::code::Code;
use sekisho_wire::forward::RewriteError;
use sekisho_wire::password::{hide, unhide};
use sekisho_wire::reply::ReplyEdits;
use sekisho_wire::salted::decrypt;
use sekisho_wire::verify::verify_reply;

type Attrs<'a> = &'a [(u8, &'a [u8])];

/// Our request to the home server, after a client that sent `client_states`.
fn upstream(code: Code, client_states: &[&[u8]]) -> Vec<u8> {
    let request = RequestBuilder::new(code, 9, RA_UP);
    let states = client_states.iter().chain([&OURS]);
    states.fold(request, |r, value| r.attribute(attr::PROXY_STATE, value)).build(&home()).unwrap()
}

fn request_code(reply: Code) -> Code {
    if reply == Code::ACCOUNTING_RESPONSE { Code::ACCOUNTING_REQUEST } else { Code::ACCESS_REQUEST }
}

/// The home server answers with exactly `attrs`; what the client gets, and what was done to it.
fn restored(code: Code, client_states: &[&[u8]], attrs: Attrs<'_>) -> (Vec<u8>, ReplyEdits) {
    try_restore(code, client_states, attrs).unwrap()
}

fn try_restore(code: Code, client_states: &[&[u8]], attrs: Attrs<'_>) -> Result<(Vec<u8>, ReplyEdits), RewriteError> {
    let request = upstream(request_code(code), client_states);
    let request_authenticator = authenticator(&request);
    let mut buf = Buf::new();
    write_reply(&mut buf, code, 9, &request_authenticator, &home(), &[], attrs).unwrap();
    let reply = verified_reply(&buf, &request_authenticator, &home());
    let mut salt = 0x1233;
    let mut salts = || {
        salt += 1;
        salt
    };
    let edits = restore(&mut buf, &reply, &request, 7, &mut salts, OURS)?;
    client_accepts(buf.bytes(), code);
    Ok((buf.bytes().to_vec(), edits))
}

/// A client that requires a Message-Authenticator takes it as the answer to its request 7.
fn client_accepts(packet: &[u8], code: Code) {
    verify_reply(&buf(packet), &layout(packet), &RA_DOWN, &nas(), true).unwrap();
    assert_eq!((packet[0], packet[1]), (code.0, 7));
    assert_eq!(layout(packet).message_authenticator_is_first(), code.is_access_reply());
    assert_eq!(usize::from(layout(packet).length), packet.len());
}

fn tunnel_password(tag: u8, salt: u16, plain: &[u8]) -> Vec<u8> {
    [&[tag][..], &salted_field(plain, salt, &home(), &RA_UP).unwrap()].concat()
}

#[test]
fn untouched_attributes_arrive_octet_for_octet_in_order() {
    for code in [Code::ACCESS_ACCEPT, Code::ACCESS_CHALLENGE, Code::ACCOUNTING_RESPONSE] {
        let own: Vec<(u8, Vec<u8>)> =
            (0..=255).filter(|n| ![33, 69, 80].contains(n)).map(|n| (n, vec![n; usize::from(n % 7)])).collect();
        let mut attrs: Vec<(u8, &[u8])> = own.iter().map(|(n, v)| (*n, &v[..])).collect();
        attrs.insert(100, (33, OURS));
        let (packet, edits) = restored(code, &[], &attrs);
        assert_eq!(list(&packet)[usize::from(code.is_access_reply())..], own);
        assert_eq!(edits, ReplyEdits::default());
    }
}

#[test]
fn our_proxy_state_goes_and_the_clients_stay_where_they_were() {
    let attrs: Attrs<'_> = &[(33, b"a"), (18, b"hi"), (33, b"b"), (25, b"c"), (33, OURS)];
    let (packet, edits) = restored(Code::ACCESS_ACCEPT, &[b"a", b"b"], attrs);
    assert_eq!(numbers(&packet), [80, 33, 18, 33, 25]);
    assert!(!edits.proxy_states_restored);
}

#[test]
fn proxy_states_that_the_home_server_spoiled_are_put_back_in_order() {
    let spoiled: [&[(u8, &[u8])]; 6] = [
        &[(18, b"hi")],
        &[(18, b"hi"), (33, OURS)],
        &[(33, b"b"), (33, b"a"), (18, b"hi"), (33, OURS)],
        &[(33, b"a"), (18, b"hi"), (33, OURS)],
        &[(33, OURS), (33, b"a"), (33, b"b"), (18, b"hi")],
        &[(33, b"a"), (33, b"b"), (33, b"c"), (18, b"hi"), (33, OURS)],
    ];
    for attrs in spoiled {
        for code in [Code::ACCESS_ACCEPT, Code::ACCESS_REJECT, Code::ACCOUNTING_RESPONSE] {
            let (packet, edits) = restored(code, &[b"a", b"b"], attrs);
            assert_eq!(values(&packet, 33), [b"a", b"b"]);
            assert_eq!(values(&packet, 18), [b"hi"]);
            assert!(edits.proxy_states_restored, "{attrs:?}");
        }
    }
}

#[test]
fn a_home_server_that_lost_only_ours_has_spoiled_nothing() {
    let (packet, edits) = restored(Code::ACCESS_ACCEPT, &[b"a"], &[(33, b"a"), (18, b"hi")]);
    assert_eq!(numbers(&packet), [80, 33, 18]);
    assert!(!edits.proxy_states_restored);
}

#[test]
fn a_client_without_proxy_states_never_gets_one() {
    let (packet, edits) = restored(Code::ACCESS_ACCEPT, &[], &[(33, b"stray"), (33, OURS), (33, b"more")]);
    assert_eq!(numbers(&packet), [80]);
    assert!(edits.proxy_states_restored);
}

#[test]
fn tunnel_passwords_of_tags_1_to_8_all_decrypt_at_the_nas() {
    let secrets: Vec<Vec<u8>> = (1..=8u8).map(|tag| vec![b'a' + tag; usize::from(tag) * 9]).collect();
    let hidden: Vec<Vec<u8>> =
        (1..=8u8).map(|tag| tunnel_password(tag, 0x8000 | u16::from(tag), &secrets[usize::from(tag) - 1])).collect();
    let attrs: Vec<(u8, &[u8])> = hidden.iter().map(|v| (69, &v[..])).chain([(33, OURS)]).collect();
    let (packet, edits) = restored(Code::ACCESS_ACCEPT, &[], &attrs);
    assert_eq!((edits.reencrypted, edits.undecryptable), (8, 0));

    let mut salts = std::collections::HashSet::new();
    for (i, mut value) in values(&packet, 69).into_iter().enumerate() {
        assert_eq!(usize::from(value[0]), i + 1);
        assert!(value[1] & 0x80 != 0 && salts.insert([value[1], value[2]]));
        assert_eq!(decrypt(&mut value[1..], &nas(), &RA_DOWN).unwrap(), secrets[i]);
    }
    assert_eq!(salts.len(), 8);
}

#[test]
fn salted_secrets_of_every_length_arrive() {
    for len in 0..240 {
        let plain: Vec<u8> = (0..len).map(|i| i as u8).collect();
        let field = salted_field(&plain, 0x8001, &home(), &RA_UP).unwrap();
        let tagged = [&[3][..], &field].concat();
        let mut attrs: Vec<(u8, &[u8])> = vec![(69, &tagged)];
        let key = vendor_value(311, 16, &field);
        if key.len() <= 253 {
            attrs.push((26, &key));
        }
        let (packet, edits) = restored(Code::ACCESS_ACCEPT, &[], &attrs);
        assert_eq!(usize::from(edits.reencrypted), attrs.len());
        let mut value = values(&packet, 69).remove(0);
        assert_eq!(decrypt(&mut value[1..], &nas(), &RA_DOWN).unwrap(), plain, "{len}");
        for mut value in values(&packet, 26) {
            assert_eq!(decrypt(&mut value[6..], &nas(), &RA_DOWN).unwrap(), plain, "{len}");
        }
    }
}

#[test]
fn a_tunnel_password_too_short_to_be_one_is_dropped_and_counted() {
    for len in (0..19).chain(20..35) {
        let junk = vec![1; len];
        let (packet, edits) = restored(Code::ACCESS_ACCEPT, &[], &[(69, &junk), (18, b"hi")]);
        assert_eq!(numbers(&packet), [80, 18], "value of {len}");
        assert_eq!((edits.reencrypted, edits.undecryptable), (0, 1));
    }
}

#[test]
fn what_decrypts_to_more_than_is_there_is_dropped_and_counted() {
    let mut plain = [0; 16];
    for claimed in 16..=255 {
        plain[0] = claimed;
        let mut field = [&[0x80, 1][..], &plain].concat();
        sekisho_wire::salted::encrypt(&mut field, &home(), &RA_UP).unwrap();
        let tagged = [&[0][..], &field].concat();
        let key = vendor_value(311, 17, &field);
        let (packet, edits) = restored(Code::ACCESS_ACCEPT, &[], &[(69, &tagged), (26, &key), (18, b"hi")]);
        assert_eq!(numbers(&packet), [80, 18]);
        assert_eq!(edits.undecryptable, 2);
    }
}

#[test]
fn a_vendor_attribute_keeps_its_other_parts_when_one_does_not_decrypt() {
    let good = salted_field(b"key", 0x8001, &home(), &RA_UP).unwrap();
    let bad = [9; 18];
    let part = |kind: u8, value: &[u8]| [&[kind, value.len() as u8 + 2][..], value].concat();
    let value = [&311u32.to_be_bytes()[..], &part(26, b"ok"), &part(16, &bad[..17]), &part(17, &good)].concat();
    let (packet, edits) = restored(Code::ACCESS_ACCEPT, &[], &[(26, &value), (25, b"c")]);
    assert_eq!((edits.reencrypted, edits.undecryptable), (1, 1));
    let mut vsa = values(&packet, 26).remove(0);
    assert_eq!(vsa[..8], [0, 0, 1, 55, 26, 4, b'o', b'k']);
    assert_eq!(decrypt(&mut vsa[10..], &nas(), &RA_DOWN).unwrap(), b"key");
    assert_eq!(numbers(&packet), [80, 26, 25]);
}

#[test]
fn vendor_attributes_of_impossible_shape_pass_unchanged() {
    for length in [0, 1, 5, 255] {
        let value = [0, 0, 1, 55, 16, length, 1, 2];
        let (packet, edits) = restored(Code::ACCESS_ACCEPT, &[], &[(26, &value)]);
        assert_eq!((values(&packet, 26), edits), (vec![value.to_vec()], ReplyEdits::default()));
    }
}

#[test]
fn mschap_mppe_keys_are_rehidden_with_their_nuls() {
    let keys: Vec<u8> = (0..32).map(|i| if i > 20 { 0 } else { i }).collect();
    let mut hidden = keys.clone();
    hide(&mut hidden, &home(), &RA_UP).unwrap();
    let (right, wrong) = (vendor_value(311, 12, &hidden), vendor_value(311, 12, &hidden[..31]));
    let (packet, edits) = restored(Code::ACCESS_ACCEPT, &[], &[(26, &right), (26, &wrong)]);
    let mut arrived = values(&packet, 26).remove(0).split_off(6);
    unhide(&mut arrived, &nas(), &RA_DOWN).unwrap();
    assert_eq!(arrived, keys);
    assert_eq!((edits.reencrypted, edits.undecryptable, values(&packet, 26).len()), (1, 1, 1));
}

#[test]
fn a_tunnel_password_outside_an_accept_is_dropped() {
    let hidden = tunnel_password(1, 0x8001, b"secret");
    for code in [Code::ACCESS_REJECT, Code::ACCESS_CHALLENGE, Code::ACCOUNTING_RESPONSE] {
        let (packet, edits) = restored(code, &[], &[(69, &hidden), (18, b"hi")]);
        assert!(values(&packet, 69).is_empty());
        assert_eq!((edits.forbidden, edits.reencrypted), (1, 0));
    }
}

#[test]
fn a_reject_carries_only_what_explains_it() {
    let error = vendor_value(311, 2, b"\x01E=648 R=1");
    let key = vendor_value(311, 16, &salted_field(b"key", 0x8001, &home(), &RA_UP).unwrap());
    let cisco = vendor_value(9, 1, b"ip:route");
    let part = |kind: u8| [kind, 3, 7];
    let mixed = [&311u32.to_be_bytes()[..], &part(7), &part(2), &part(27), &part(26)].concat();
    let attrs: Attrs<'_> = &[
        (6, &[0, 0, 0, 2]),
        (18, b"no"),
        (26, &error),
        (26, &key),
        (26, &cisco),
        (26, &mixed),
        (26, b"\0\0\x01\x37"),
        (79, b"failure"),
        (101, &[0, 0, 1, 246]),
        (25, b"class"),
        (24, b"state"),
        (33, b"a"),
        (33, OURS),
    ];
    let (packet, edits) = restored(Code::ACCESS_REJECT, &[b"a"], attrs);
    assert_eq!(numbers(&packet), [80, 18, 26, 26, 79, 101, 33]);
    assert_eq!(values(&packet, 26), [error, [&311u32.to_be_bytes()[..], &part(2), &part(27)].concat()]);
    assert_eq!(edits.forbidden, 3 + 1 + 1 + 2 + 1);
}

#[test]
fn a_message_authenticator_is_first_wherever_the_home_server_put_it_and_gone_from_accounting() {
    for (before, after) in [(0, 3), (1, 2), (3, 0)] {
        for code in [2u8, 3, 5, 11] {
            let message = [18, 4, b'h', b'i'];
            let packet = [&message.repeat(before)[..], &[80, 18], &[0; 16], &message.repeat(after)].concat();
            let request = upstream(request_code(Code(code)), &[]);
            let signed = sign_as_home(code, &authenticator(&request), &packet, 20 + before * 4 + 2);
            let mut buf = buf(&signed);
            let reply = verified_reply(&buf, &authenticator(&request), &home());
            restore(&mut buf, &reply, &request, 7, &mut || 0, OURS).unwrap();
            client_accepts(buf.bytes(), Code(code));
            let expected: &[u8] = if code == 5 { &[18; 3] } else { &[80, 18, 18, 18] };
            assert_eq!(numbers(buf.bytes()), expected);
        }
    }
}

/// Signs a reply with the RustCrypto digests: an independent home server.
fn sign_as_home(code: u8, request_authenticator: &[u8; 16], attrs: &[u8], at: usize) -> Vec<u8> {
    use hmac::{KeyInit, Mac};
    let length = (20 + attrs.len() as u16).to_be_bytes();
    let mut packet = [&[code, 9, length[0], length[1]][..], request_authenticator, attrs].concat();
    let mut mac = hmac::Hmac::<md5::Md5>::new_from_slice(b"homeSecret01").unwrap();
    mac.update(&packet);
    packet[at..at + 16].copy_from_slice(&mac.finalize().into_bytes());
    let digest = md5::Digest::finalize(md5::Digest::chain_update(
        <md5::Md5 as md5::Digest>::new_with_prefix(&packet),
        b"homeSecret01",
    ));
    packet[4..20].copy_from_slice(&digest);
    packet
}

#[test]
fn a_reply_that_grows_beyond_4096_octets_is_refused() {
    let class = [0; 253];
    let mut attrs: Vec<(u8, &[u8])> = vec![(25, &class); 15];
    attrs.push((25, &class[..222]));
    let full = 38 + 15 * 255 + 224;
    assert!(full < MAX_PACKET);
    let states: [&[u8]; 1] = [b"fifteen octets."];
    let fits = restored(Code::ACCESS_ACCEPT, &[&states[0][..MAX_PACKET - full - 2 - 1]], &attrs);
    assert_eq!(fits.0.len(), MAX_PACKET - 1);
    let refused = try_restore(Code::ACCESS_ACCEPT, &[&[0; 100]], &attrs);
    assert_eq!(refused.map(|_| ()), Err(RewriteError::TooLong(TooLong)));
}

#[test]
fn a_reply_of_a_code_that_does_not_answer_the_request_is_refused() {
    let request = upstream(Code::ACCOUNTING_REQUEST, &[]);
    let mut buf = Buf::new();
    for code in [2, 3, 11, 41, 44, 1, 12] {
        write_reply(&mut buf, Code(code), 9, &RA_UP, &home(), &[], &[]).unwrap();
        let reply = verified_reply(&buf, &RA_UP, &home());
        let refused = restore(&mut buf, &reply, &request, 7, &mut || 0, OURS);
        assert_eq!(refused, Err(RewriteError::Code(Code(code))));
    }
}

#[test]
fn our_own_replies_carry_the_requests_proxy_states_and_verify() {
    let client = |code| {
        RequestBuilder::new(code, 7, RA_DOWN)
            .attribute(33, "a")
            .attribute(44, "S1")
            .attribute(33, "b")
            .message_authenticator()
            .build(&nas())
            .unwrap()
    };
    for (request, reply, signed) in [(1, 3, true), (12, 2, true), (12, 5, true), (4, 5, false)] {
        let request = client(Code(request));
        let attrs: Attrs<'_> = &[(18, b"hello"), (101, &[0, 0, 1, 246])];
        let mut written = Buf::new();
        write_reply(&mut written, Code(reply), 7, &authenticator(&request), &nas(), &request, attrs).unwrap();
        let mut turned = buf(&request);
        let verified = verified(&turned, &nas());
        turn_into_reply(&mut turned, &verified, Code(reply), &nas(), attrs).unwrap();
        assert_eq!(turned.bytes(), written.bytes());

        let packet = written.bytes();
        verify_reply(&written, &layout(packet), &authenticator(&request), &nas(), true).unwrap();
        assert_eq!(layout(packet).message_authenticator_is_first(), signed);
        let expected: &[u8] = if signed { &[80, 33, 33, 18, 101] } else { &[33, 33, 18, 101] };
        assert_eq!(numbers(packet), expected);
        assert_eq!(values(packet, 33), [b"a", b"b"]);
    }
}
