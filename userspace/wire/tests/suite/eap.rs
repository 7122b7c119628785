//! EAP as a small server meets it: what peers say, strictly read, and what they are answered.

use crate::common::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use sekisho_wire::build::{RequestBuilder, chap_response};
use sekisho_wire::code::Code;
use sekisho_wire::eap::response::{Answer, MsChapV2, Response, parse};
use sekisho_wire::eap::{BadEap, MAX_MESSAGE, gather, kind, request};
use sekisho_wire::mschap::nt::NtHash;
use sekisho_wire::mschap::{failure, v2};

/// A Response with an honest Length.
fn response(id: u8, kind: u8, data: &[u8]) -> Vec<u8> {
    let length = 5 + data.len() as u16;
    [&[2, id][..], &length.to_be_bytes(), &[kind], data].concat()
}

/// The data of an MSCHAPv2 Response with honest lengths.
fn mschapv2_response(ident: u8, value: &[u8], name: &[u8]) -> Vec<u8> {
    let length = 5 + value.len() as u16 + name.len() as u16;
    [&[2, ident][..], &length.to_be_bytes(), &[value.len() as u8], value, name].concat()
}

fn with_messages(values: &[&[u8]]) -> Vec<u8> {
    let request = RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_DOWN).attribute(1, "alice");
    let request = values.iter().fold(request, |request, value| request.attribute(79, value));
    request.attribute(4, [192, 0, 2, 1]).build(&nas()).unwrap()
}

fn gathered(packet: &[u8]) -> Result<Option<Vec<u8>>, BadEap> {
    gather(packet, &mut [0; MAX_MESSAGE]).map(|found| found.map(<[u8]>::to_vec))
}

fn answer(message: &[u8]) -> Answer<'_> {
    parse(message).unwrap().answer
}

#[test]
fn a_message_is_put_together_from_attributes_that_follow_each_other() {
    assert_eq!(gathered(&with_messages(&[])), Ok(None));
    assert_eq!(gathered(&with_messages(&[b"one"])), Ok(Some(b"one".to_vec())));
    assert_eq!(gathered(&with_messages(&[b"one", b" and", b"", b" two"])), Ok(Some(b"one and two".to_vec())));
    // EAP-Start, RFC 3579 §2.1.
    assert_eq!(gathered(&with_messages(&[b""])), Ok(Some(vec![])));
    let scattered = RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_DOWN).attribute(79, "a").attribute(1, "alice");
    let scattered = scattered.attribute(79, "b").build(&nas()).unwrap();
    assert_eq!(gathered(&scattered), Err(BadEap::Scattered));
}

#[test]
fn four_full_attributes_are_the_longest_message() {
    let full = &[7; 253][..];
    assert_eq!(gathered(&with_messages(&[full; 4])).unwrap().unwrap().len(), MAX_MESSAGE);
    assert_eq!(gathered(&with_messages(&[full, full, full, full, &[7]])), Err(BadEap::TooLong));
}

#[test]
fn a_length_beyond_the_octets_is_refused_and_octets_behind_it_are_padding() {
    let identity = response(9, kind::IDENTITY, b"alice");
    for short in 0..identity.len() {
        assert_eq!(parse(&identity[..short]), Err(BadEap::Length), "{short}");
    }
    for length in 0..5 {
        assert_eq!(parse(&[2, 9, 0, length, 1, b'a', b'b']), Err(BadEap::Length), "{length}");
    }
    let padded = [&identity[..], &[0, 0, 0]].concat();
    assert_eq!(parse(&padded), Ok(Response { id: 9, answer: Answer::Identity(b"alice") }));
    assert_eq!(answer(&response(9, kind::IDENTITY, b"")), Answer::Identity(b""));
}

#[test]
fn peers_send_responses_only() {
    for code in (0..=255).filter(|&code| code != 2) {
        let message = [&[code], &response(9, kind::IDENTITY, b"alice")[1..]].concat();
        assert_eq!(parse(&message), Err(BadEap::NotAResponse(code)));
    }
}

#[test]
fn a_nak_says_which_methods_the_peer_would_have() {
    let wanted = |data: &[u8]| match answer(&response(9, kind::NAK, data)) {
        Answer::Nak(wanted) => wanted.types().collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(wanted(&[26, 25, 4]), [26, 25, 4]);
    assert_eq!(wanted(&[0]), [0_u8; 0]);
    assert_eq!(parse(&response(9, kind::NAK, &[])), Err(BadEap::Nak));
}

#[test]
fn types_that_are_not_known_here_are_told_apart_and_not_looked_into() {
    for other in [2, 13, 21, 25, 254, 255] {
        assert_eq!(answer(&response(9, other, &[1, 2, 3])), Answer::Other(other));
    }
}

#[test]
fn an_md5_challenge_is_answered_with_the_password() {
    let challenge = request::md5_challenge(9, &[5; 16], b"sekisho").unwrap();
    assert_eq!(challenge.octets(), [&[1, 9, 0, 29, 4, 16][..], &[5; 16], b"sekisho"].concat());

    let value = chap_response(9, b"wonderland", &[5; 16]);
    let message = response(9, kind::MD5_CHALLENGE, &[&[16], &value[1..], b"alice"].concat());
    let Answer::Md5(md5) = answer(&message) else { panic!("no MD5") };
    assert_eq!(md5.name, b"alice");
    assert!(md5.is_by(9, &[5; 16], b"wonderland"));
    assert!(!md5.is_by(10, &[5; 16], b"wonderland"));
    assert!(!md5.is_by(9, &[6; 16], b"wonderland"));
    assert!(!md5.is_by(9, &[5; 16], b"Wonderland"));
}

#[test]
fn an_md5_response_of_another_size_is_refused() {
    for data in [&[][..], &[16], &[16; 16], &[0], &[15; 17], &[17; 18], &[255; 40]] {
        assert_eq!(parse(&response(9, kind::MD5_CHALLENGE, data)), Err(BadEap::Md5), "{data:?}");
    }
}

#[test]
fn a_whole_conversation_of_mschapv2_ends_with_both_sides_proved() {
    let hash = NtHash::of(b"wonderland").unwrap();
    let challenge = request::mschapv2_challenge(9, 9, &[3; 16], b"sekisho").unwrap();
    let expected = [&[1, 9, 0, 33, 26, 1, 9, 0, 28, 16][..], &[3; 16], b"sekisho"].concat();
    assert_eq!(challenge.octets(), expected);

    let nt = v2::nt_response(&[3; 16], &[4; 16], b"alice", &hash);
    let value = [&[4; 16][..], &[0; 8], &nt, &[0]].concat();
    let message = response(9, kind::MSCHAPV2, &mschapv2_response(9, &value, br"ACME\alice"));
    let Answer::MsChapV2(MsChapV2::Response(said, name)) = answer(&message) else { panic!("no response") };
    assert_eq!((said.ident, name), (9, &br"ACME\alice"[..]));
    let success = v2::verify(&[3; 16], &said, name, &hash).unwrap();

    let proof = request::mschapv2_success(10, said.ident, &success).unwrap();
    let text = [&success.message()[..], b" M=OK"].concat();
    assert_eq!(proof.octets(), [&[1, 10, 0, 56, 26, 3, 9, 0, 51][..], &text].concat());
    assert_eq!(answer(&response(10, kind::MSCHAPV2, &[3])), Answer::MsChapV2(MsChapV2::Success));
    assert_eq!(request::success(10), [3, 10, 0, 4]);
}

#[test]
fn who_fails_in_mschapv2_is_told_so_and_acknowledges_it() {
    let told = request::mschapv2_failure(10, 9, &[0xab; 16]).unwrap();
    let text = failure::v2_text(&[0xab; 16]);
    let length = text.len() as u8 + 4;
    assert_eq!(told.octets(), [&[1, 10, 0, 5 + length, 26, 4, 9, 0, length][..], &text].concat());
    assert_eq!(answer(&response(10, kind::MSCHAPV2, &[4])), Answer::MsChapV2(MsChapV2::Failure));
    assert_eq!(request::failure(10), [4, 10, 0, 4]);
}

#[test]
fn an_acknowledgement_may_have_a_header_if_it_is_honest() {
    for (op, said) in [(3, MsChapV2::Success), (4, MsChapV2::Failure)] {
        assert_eq!(answer(&response(10, kind::MSCHAPV2, &[op, 9, 0, 4])), Answer::MsChapV2(said));
        for data in [&[op, 9][..], &[op, 9, 0], &[op, 9, 0, 5], &[op, 9, 0, 3], &[op, 9, 0, 4, 0]] {
            assert_eq!(parse(&response(10, kind::MSCHAPV2, data)), Err(BadEap::MsChapV2), "{data:?}");
        }
    }
}

#[test]
fn an_mschapv2_response_whose_lengths_contradict_each_other_is_refused() {
    let good = mschapv2_response(9, &[1; 49], b"alice");
    let refused =
        |data: &[u8]| assert_eq!(parse(&response(9, kind::MSCHAPV2, data)), Err(BadEap::MsChapV2), "{data:?}");
    for short in 0..good.len() {
        refused(&good[..short]);
    }
    refused(&[&good[..], &[0]].concat());
    for size in [0, 16, 48, 50, 54, 255] {
        refused(&mschapv2_response(9, &vec![1; size], b""));
        let mut other = good.clone();
        other[4] = size as u8;
        refused(&other);
    }
    // The server's own OpCode, the change of a password, and what nobody has defined.
    for op in [0, 1, 5, 6, 7, 8, 255] {
        let mut other = good.clone();
        other[0] = op;
        refused(&other);
    }
    let nameless = response(9, kind::MSCHAPV2, &mschapv2_response(9, &[1; 49], b""));
    assert!(matches!(answer(&nameless), Answer::MsChapV2(MsChapV2::Response(_, b""))));
}

#[test]
fn a_server_name_that_does_not_fit_is_refused_and_the_longest_fits() {
    assert_eq!(request::md5_challenge(9, &[5; 16], &[b'x'; 231]).unwrap().octets().len(), 253);
    assert!(request::md5_challenge(9, &[5; 16], &[b'x'; 232]).is_err());
    let longest = request::mschapv2_challenge(9, 9, &[5; 16], &[b'x'; 227]).unwrap();
    assert_eq!((longest.octets().len(), longest.octets()[3]), (253, 253));
    assert!(request::mschapv2_challenge(9, 9, &[5; 16], &[b'x'; 228]).is_err());
    assert!(request::mschapv2_challenge(9, 9, &[5; 16], &[b'x'; 70_000]).is_err());
}

#[test]
fn a_peer_that_asks_is_asked_who_it_is() {
    assert_eq!(request::identity(9), [1, 9, 0, 5, 1]);
}

/// Octets that get past the first checks more often than chance lets them.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop_oneof![select(vec![1u8, 3, 4, 26]), any::<u8>()];
    let honest = (any::<u8>(), kinds, vec(any::<u8>(), 0..300)).prop_map(|(id, kind, data)| response(id, kind, &data));
    let md5 = (vec(any::<u8>(), 0..40)).prop_map(|data| response(1, 4, &[&[16], &data[..]].concat()));
    let mschapv2 = (vec(any::<u8>(), 0..80), vec(any::<u8>(), 0..80))
        .prop_map(|(value, name)| response(1, 26, &mschapv2_response(3, &value, &name)));
    prop_oneof![vec(any::<u8>(), 0..80), honest, md5, mschapv2]
}

proptest! {
    #[test]
    fn no_octets_make_the_reading_panic_and_padding_changes_nothing(octets in message(), padding in vec(any::<u8>(), 0..9)) {
        let read = parse(&octets);
        if read.is_ok() {
            let padded = [&octets[..], &padding].concat();
            prop_assert_eq!(parse(&padded), read);
        }
    }

    #[test]
    fn a_message_survives_any_cut_into_attributes(octets in vec(any::<u8>(), 0..=MAX_MESSAGE), at in 1usize..=253) {
        let pieces: Vec<&[u8]> = octets.chunks(at).collect();
        prop_assume!(pieces.len() < 200);
        let wanted = if pieces.is_empty() { None } else { Some(octets.clone()) };
        prop_assert_eq!(gathered(&with_messages(&pieces)), Ok(wanted));
    }

    #[test]
    fn gathering_never_panics(datagram in vec(any::<u8>(), 0..400)) {
        let _ = gathered(&datagram);
        let _ = sekisho_wire::mschap::MsChapLogin::find(&datagram);
    }
}
