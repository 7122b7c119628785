//! What is no RADIUS packet is told from what only looks strange: the first is dropped, the second is not.

use crate::common::*;
use sekisho_wire::attribute::attributes;
use sekisho_wire::build::RequestBuilder;
use sekisho_wire::code::Code;
use sekisho_wire::scan::{Malformed, scan};
use sekisho_wire::verify::verify_request;

/// A header with this Length before these attributes.
fn packet(length: usize, attrs: &[u8]) -> Vec<u8> {
    [&[1, 7][..], &(length as u16).to_be_bytes(), &RA_DOWN, attrs].concat()
}

fn verdict(datagram: &[u8]) -> Result<u16, Malformed> {
    scan(datagram).map(|layout| layout.length)
}

fn access() -> RequestBuilder {
    RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_DOWN)
}

#[test]
fn a_length_from_20_to_4096_that_was_received_is_the_only_right_one() {
    let full = [25, 255].iter().copied().chain([0; 253]).collect::<Vec<u8>>();
    let attrs = [full.repeat(15), vec![25, 251], vec![0; 249]].concat();
    assert_eq!(verdict(&packet(4096, &attrs)), Ok(4096));
    assert_eq!(verdict(&packet(4097, &[&attrs[..], &[0]].concat())), Err(Malformed::BadLength));
    for length in [0, 1, 19, 4097, 65535] {
        assert_eq!(verdict(&packet(length, &[0; 100])), Err(Malformed::BadLength), "{length}");
    }
    for beyond in [1, 2, 100, 4000] {
        let attrs = [1, 3, b'a'];
        assert_eq!(verdict(&packet(23 + beyond, &attrs)), Err(Malformed::BadLength), "{beyond} more than received");
    }
    for short in 0..20 {
        let header = packet(20, &[]);
        assert_eq!(verdict(&header[..short]), Err(Malformed::TooShort), "{short}");
    }
    assert_eq!(verdict(&packet(20, &[])), Ok(20));
}

#[test]
fn octets_behind_the_length_are_padding_whatever_they_are() {
    for padding in [&[0][..], &[1, 0], &[255; 300], &[80, 18]] {
        let datagram = [&packet(23, &[1, 3, b'a'])[..], padding].concat();
        assert_eq!(verdict(&datagram), Ok(23));
        assert_eq!(layout(&datagram).attributes(&datagram).count(), 1);
    }
}

#[test]
fn an_attribute_of_length_0_or_1_spoils_the_packet_wherever_it_stands_and_ends_every_walk() {
    let good = [1, 5, b'b', b'o', b'b'];
    for length in [0, 1] {
        for number in 0..=255 {
            for before in 0..3 {
                for after in 0..3 {
                    let attrs = [&good.repeat(before)[..], &[number, length], &good.repeat(after)].concat();
                    let datagram = packet(20 + attrs.len(), &attrs);
                    assert_eq!(verdict(&datagram), Err(Malformed::BadAttribute));
                    assert_eq!(attributes(&datagram).count(), before);
                }
            }
        }
    }
}

#[test]
fn attributes_fill_the_packet_exactly_or_it_is_dropped() {
    for beyond in [1, 2, 250] {
        let datagram = packet(23, &[1, 3 + beyond, b'a']);
        assert_eq!(verdict(&datagram), Err(Malformed::BadAttribute), "an attribute ends {beyond} behind the packet");
    }
    // Nor do the octets behind the packet complete it.
    let datagram = [&packet(23, &[1, 6, b'a'])[..], &[0; 50]].concat();
    assert_eq!(verdict(&datagram), Err(Malformed::BadAttribute));
    assert_eq!(verdict(&packet(24, &[1, 3, b'a', 25])), Err(Malformed::BadAttribute), "a number without length");
}

#[test]
fn no_attribute_is_refused_for_its_number_its_order_or_the_length_of_its_value() {
    // Refused for what they are: a password of no possible length, ARAP, a second Message-Authenticator.
    let refused = |number| [2, 70, 71, 80, 84].contains(&number);
    let numbers: Vec<u8> = (0..=255).filter(|&number| !refused(number)).collect();
    for length in [0, 1, 3, 4, 5, 253] {
        for &number in &numbers {
            let sent = access().attribute(number, vec![0xfe; length]).message_authenticator().build(&nas()).unwrap();
            assert!(verify_request(&buf(&sent), &layout(&sent), &nas(), LENIENT).is_ok(), "{number}, {length} octets");
        }
    }
    let descending = numbers.iter().rev().fold(access(), |r, &n| r.attribute(n, [n; 3]));
    let sent = descending.message_authenticator().build(&nas()).unwrap();
    assert!(verify_request(&buf(&sent), &layout(&sent), &nas(), LENIENT).is_ok());
}

#[test]
fn the_flags_of_a_client_have_no_effect_on_dynamic_authorization() {
    use sekisho_wire::verify::{MessageAuthenticator, Refusal, RequestPolicy};
    let strict = RequestPolicy { require_message_authenticator: true, limit_proxy_state: true };
    for code in [Code::COA_REQUEST, Code::DISCONNECT_REQUEST] {
        let request = || RequestBuilder::new(code, 7, [0; 16]).attribute(33, "p").attribute(44, "S1");
        let verdict = |packet: &[u8]| {
            verify_request(&buf(packet), &layout(packet), &nas(), strict).map(|it| it.message_authenticator())
        };
        assert_eq!(verdict(&request().build(&nas()).unwrap()), Ok(MessageAuthenticator::Absent));
        assert_eq!(verdict(&request().build(&home()).unwrap()), Err(Refusal::AuthenticatorBad));
        let signed = request().message_authenticator();
        assert_eq!(verdict(&signed.build(&nas()).unwrap()), Ok(MessageAuthenticator::Good));
        // RFC 5176 §3.4: one that is present has to be right.
        let junk = request().attribute(80, [7; 16]).build(&nas()).unwrap();
        assert_eq!(verdict(&junk), Err(Refusal::MessageAuthenticatorBad));
        let twice = request().attribute(80, [7; 16]).attribute(80, [7; 16]).build(&nas()).unwrap();
        assert_eq!(verdict(&twice), Err(Refusal::MessageAuthenticatorRepeated));
    }
}

#[test]
fn what_is_no_login_that_we_could_answer_is_still_a_packet_to_forward() {
    use sekisho_wire::chap::ChapLogin;
    use sekisho_wire::eap::{MAX_MESSAGE, gather, response::parse};
    use sekisho_wire::mschap::MsChapLogin;
    let eap: [&[u8]; 8] = [
        &[],
        &[2],
        &[2, 9, 0],
        &[2, 9, 0, 4],
        &[2, 9, 255, 255, 1],
        &[2, 9, 0, 6, 4, 16],
        &[2, 9, 0, 10, 26, 2, 9, 255, 255, 49],
        &[1, 9, 0, 5, 1],
    ];
    for message in eap {
        let request = access()
            .attribute(79, message)
            .attribute(3, [22; 5])
            .vendor(311, 11, [3; 9])
            .vendor(311, 25, [0; 49])
            .message_authenticator();
        let sent = request.build(&nas()).unwrap();
        assert!(verify_request(&buf(&sent), &layout(&sent), &nas(), LENIENT).is_ok());
        let mut room = [0; MAX_MESSAGE];
        assert!(parse(gather(&sent, &mut room).unwrap().unwrap()).is_err(), "{message:?}");
        assert!(ChapLogin::find(&sent, &layout(&sent)).is_err());
        assert!(MsChapLogin::find(&sent).is_err());
    }
}
