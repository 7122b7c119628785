//! An independent voice: the `radius` crate. What we build it reads, what it builds we read.
//!
//! Its Tunnel-Password (0.4) lacks the length octet of RFC 2868 §3.5, so it is no witness there; the vectors are.

use crate::common::*;
use proptest::collection::vec;
use proptest::prelude::*;
use radius::core::avp::AVP;
use radius::core::code::Code as TheirCode;
use radius::core::packet::Packet;
use radius::core::{rfc2865, rfc2866};
use sekisho_wire::attribute::attributes;
use sekisho_wire::buf::Buf;
use sekisho_wire::build::{RequestBuilder, write_reply};
use sekisho_wire::code::Code;
use sekisho_wire::forward::forward_request;
use sekisho_wire::password::{unhide, without_padding};
use sekisho_wire::verify::{verify_reply, verify_request};

/// A password without NUL octets: theirs ends at the first.
fn password() -> impl Strategy<Value = Vec<u8>> {
    vec(1u8..=255, 1..=128)
}

proptest! {
    #[test]
    fn they_read_the_login_we_build_and_the_one_we_forward(
        password in password(),
        client in vec(any::<u8>(), 1..100),
        server in vec(any::<u8>(), 1..100),
        authenticator in any::<[u8; 16]>(),
        name in "[a-z]{1,20}@[a-z]{1,20}\\.example",
    ) {
        let (from, to) = (secret(&client), secret(&server));
        let request = RequestBuilder::new(Code::ACCESS_REQUEST, 7, authenticator)
            .attribute(1, &name).user_password(&password, &from).build(&from).unwrap();
        let theirs = Packet::decode(&request, &client).unwrap();
        prop_assert_eq!(rfc2865::lookup_user_password(&theirs).unwrap().unwrap(), password.clone());

        let mut buf = buf(&request);
        let verified = verified(&buf, &from);
        forward_request(&mut buf, &verified, &from, &to, 8, &RA_UP, OURS).unwrap();
        let theirs = Packet::decode(buf.bytes(), &server).unwrap();
        prop_assert_eq!(rfc2865::lookup_user_password(&theirs).unwrap().unwrap(), password);
        prop_assert_eq!(rfc2865::lookup_user_name(&theirs).unwrap().unwrap(), name);
        prop_assert_eq!(rfc2865::lookup_proxy_state(&theirs).unwrap(), OURS);
        prop_assert_eq!(theirs.get_identifier(), 8);
    }

    #[test]
    fn we_read_the_login_they_build(password in password(), shared in vec(any::<u8>(), 1..100)) {
        let mut theirs = Packet::new(TheirCode::AccessRequest, &shared);
        rfc2865::add_user_name(&mut theirs, "alice@acme.example");
        rfc2865::add_user_password(&mut theirs, &password).unwrap();
        let request = theirs.encode().unwrap();
        let found = layout(&request);
        prop_assert_eq!(found.user_name.unwrap().of(&request), b"alice@acme.example");
        let mut hidden = found.user_password.unwrap().of(&request).to_vec();
        unhide(&mut hidden, &secret(&shared), &authenticator(&request)).unwrap();
        prop_assert_eq!(without_padding(&hidden), password);
    }

    #[test]
    fn they_and_we_agree_on_accounting(
        shared in vec(any::<u8>(), 1..100),
        session in vec(any::<u8>(), 1..40),
        id in any::<u8>(),
    ) {
        let key = secret(&shared);
        let mut theirs = Packet::new_with_identifier(TheirCode::AccountingRequest, &shared, id);
        theirs.add(AVP::from_bytes(rfc2866::ACCT_SESSION_ID_TYPE, &session));
        let request = theirs.encode().unwrap();
        let accounting = buf(&request);
        prop_assert!(verify_request(&accounting, &layout(&request), &key, LENIENT).is_ok());

        let ours = RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, [0; 16]).attribute(44, &session);
        prop_assert!(Packet::is_authentic_request(&ours.build(&key).unwrap(), &shared));

        let mut reply = Buf::new();
        write_reply(&mut reply, Code::ACCOUNTING_RESPONSE, id, &authenticator(&request), &key, &request, &[]).unwrap();
        prop_assert!(Packet::is_authentic_response(reply.bytes(), &request, &shared));
    }

    #[test]
    fn we_believe_the_replies_they_sign(
        shared in vec(any::<u8>(), 1..100),
        values in vec(vec(any::<u8>(), 0..=253), 0..8),
    ) {
        let request = RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_UP).build(&secret(&shared)).unwrap();
        let mut accept = Packet::decode(&request, &shared).unwrap().make_response_packet(TheirCode::AccessAccept);
        values.iter().for_each(|value| accept.add(AVP::from_bytes(25, value)));
        let reply = buf(&accept.encode().unwrap());
        let verdict = verify_reply(&reply, &layout(reply.bytes()), &RA_UP, &secret(&shared), false);
        prop_assert!(verdict.is_ok());
        prop_assert_eq!(crate::common::values(reply.bytes(), 25), values);
    }

    #[test]
    fn they_read_every_attribute_we_build(attrs in vec((any::<u8>(), vec(any::<u8>(), 0..=253)), 0..15)) {
        let request = RequestBuilder::new(Code::ACCESS_REQUEST, 7, RA_UP);
        let request = attrs.iter().fold(request, |r, (n, v)| r.attribute(*n, v)).build(&home()).unwrap();
        let theirs = Packet::decode(&request, b"homeSecret01").unwrap();
        for number in 0..=255 {
            let read: Vec<Vec<u8>> = theirs.lookup_all(number).iter().map(|a| a.encode_bytes()).collect();
            let sent: Vec<Vec<u8>> = attrs.iter().filter(|(n, _)| *n == number).map(|(_, v)| v.clone()).collect();
            prop_assert_eq!(read, sent);
        }
        prop_assert_eq!(attributes(&request).count(), attrs.len());
    }
}
