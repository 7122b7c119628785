//! The rules about fragments, IPv4 options and IPv6 extension headers, by BPF test runs.

use sekisho_abi::{Outcome, Reason, Roles, Source};
use sekisho_kernel::testing::{Frame, Layer};

use crate::world::*;

/// Numbers of IPv6 extension headers.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;

#[test]
fn a_fragment_from_a_source_with_a_role_passes() {
    let gate = gate(&table());
    for (from, to) in [(CLIENT, AUTH), (CLIENT, DEDICATED), (CLIENT_V6, AUTH_V6), (CLIENT_V6, DEDICATED_V6)] {
        assert_eq!(outcome(&gate, &request(from, to).fragment(0, true).build()), Outcome::Passed, "{to}");
        assert_eq!(outcome(&gate, &request(from, to).fragment(3, true).build()), Outcome::Passed, "{to}");
        assert_eq!(outcome(&gate, &request(from, to).fragment(185, false).build()), Outcome::Passed, "{to}");
    }
}

#[test]
fn a_fragment_from_a_home_server_passes_for_eap_tls_comes_back_in_fragments_too() {
    let gate = gate(&table());
    let accept = || Frame::udp(at(HOME_SERVER), at(UPSTREAM), radius(2));
    assert_eq!(outcome(&gate, &accept().fragment(0, true).build()), Outcome::Passed);
    assert_eq!(outcome(&gate, &accept().fragment(185, false).build()), Outcome::Passed);
}

#[test]
fn a_fragment_from_a_stranger_is_dropped_where_the_address_is_dedicated() {
    let gate = gate(&table());
    for (from, to) in [(STRANGER, DEDICATED), (STRANGER_V6, DEDICATED_V6)] {
        for (offset, more) in [(0, true), (3, true), (185, false)] {
            let frame = request(from, to).fragment(offset, more).build();
            assert_eq!(outcome(&gate, &frame), dropped(Reason::FragmentUnregistered), "{to} {offset}");
        }
    }
}

#[test]
fn a_fragment_from_a_stranger_passes_where_others_use_the_address_too() {
    let gate = gate(&table());
    for (from, to) in [(STRANGER, AUTH), (STRANGER_V6, AUTH_V6), (ELSEWHERE, AUTH)] {
        assert_eq!(outcome(&gate, &request(from, to).fragment(185, false).build()), Outcome::Passed, "{to}");
    }
}

#[test]
fn a_fragment_at_the_wrong_ingress_is_dropped_where_the_address_is_dedicated() {
    let gate = gate(&table());
    for (from, to) in [(ELSEWHERE, DEDICATED), (ELSEWHERE_V6, DEDICATED_V6)] {
        let frame = request(from, to).fragment(185, false).build();
        assert_eq!(outcome(&gate, &frame), dropped(Reason::WrongIngress), "{to}");
    }
}

#[test]
fn a_fragment_that_cannot_be_ours_is_not_ours() {
    let gate = gate(&table());
    let tcp = request(STRANGER, DEDICATED).protocol(6).fragment(185, false).build();
    assert_eq!(outcome(&gate, &tcp), Outcome::NotOurs);
    let tcp_v6 = request(STRANGER_V6, DEDICATED_V6).protocol(6).fragment(185, false).build();
    assert_eq!(outcome(&gate, &tcp_v6), Outcome::NotOurs);
    for (from, to) in [(STRANGER, "192.0.2.2:53"), (STRANGER_V6, "[2001:db8::2]:53")] {
        let first = request(from, to).fragment(0, true).build();
        assert_eq!(outcome(&gate, &first), Outcome::NotOurs, "the first fragment shows its port");
    }
    let others = request(STRANGER, "192.0.2.99:1812").fragment(185, false).build();
    assert_eq!(outcome(&gate, &others), Outcome::NotOurs);
}

#[test]
fn options_go_up_for_sources_with_a_role_and_are_dropped_for_others() {
    let gate = gate(&table());
    for length in [4, 40] {
        let frame = |from| request(from, AUTH).options(&vec![1; length]).build();
        assert_eq!(outcome(&gate, &frame(CLIENT)), Outcome::Passed);
        assert_eq!(outcome(&gate, &frame(STRANGER)), dropped(Reason::OptionsUnregistered));
        assert_eq!(outcome(&gate, &frame(ELSEWHERE)), dropped(Reason::WrongIngress));
    }
}

#[test]
fn extension_headers_go_up_for_sources_with_a_role_and_are_dropped_for_others() {
    let gate = gate(&table());
    for number in [HOP_BY_HOP, ROUTING, DESTINATION] {
        let frame = |from| request(from, AUTH_V6).extension(number, &[1, 4, 0, 0, 0, 0, 1, 0]).build();
        assert_eq!(outcome(&gate, &frame(CLIENT_V6)), Outcome::Passed, "{number}");
        assert_eq!(outcome(&gate, &frame(STRANGER_V6)), dropped(Reason::OptionsUnregistered), "{number}");
        assert_eq!(outcome(&gate, &frame(ELSEWHERE_V6)), dropped(Reason::WrongIngress), "{number}");
    }
}

#[test]
fn an_atomic_fragment_is_an_extension_header_like_others() {
    let gate = gate(&table());
    let frame = |from| request(from, AUTH_V6).fragment(0, false).build();
    assert_eq!(outcome(&gate, &frame(CLIENT_V6)), Outcome::Passed);
    assert_eq!(outcome(&gate, &frame(STRANGER_V6)), dropped(Reason::OptionsUnregistered));
    let mut reserved = frame(STRANGER_V6);
    // RFC 8200 §4.5: where others have their length, this header has an octet to be ignored.
    reserved[14 + 40 + 1] = 7;
    assert_eq!(outcome(&gate, &reserved), dropped(Reason::OptionsUnregistered));
}

#[test]
fn options_and_extension_headers_before_something_else_are_not_ours() {
    let gate = gate(&table());
    let dns = request(STRANGER, "192.0.2.1:53").options(&[1; 4]).build();
    assert_eq!(outcome(&gate, &dns), Outcome::NotOurs);
    let others = request(STRANGER, "192.0.2.99:1812").options(&[1; 4]).build();
    assert_eq!(outcome(&gate, &others), Outcome::NotOurs);
    let icmp = request(STRANGER, AUTH).protocol(1).options(&[148, 4, 0, 0]).build();
    assert_eq!(outcome(&gate, &icmp), Outcome::NotOurs);

    let header = |to| request(STRANGER_V6, to).extension(HOP_BY_HOP, &[5, 2, 0, 0, 1, 0]);
    assert_eq!(outcome(&gate, &header("[2001:db8::1]:53").build()), Outcome::NotOurs);
    assert_eq!(outcome(&gate, &header("[2001:db8::99]:1812").build()), Outcome::NotOurs);
    assert_eq!(outcome(&gate, &header(AUTH_V6).protocol(58).build()), Outcome::NotOurs);
    let all = header("[2001:db8::1]:53").extension(DESTINATION, &[0; 6]).extension(ROUTING, &[0; 6]);
    let all = all.fragment(0, false).extension(DESTINATION, &[0; 6]);
    assert_eq!(outcome(&gate, &all.build()), Outcome::NotOurs, "all that RFC 8200 §4.1 has");
    let ipsec = request(STRANGER_V6, AUTH_V6).extension(AUTHENTICATION, &[0; 6]).build();
    assert_eq!(outcome(&gate, &ipsec), Outcome::NotOurs, "IPsec is the network stack's to open");
}

#[test]
fn an_endless_chain_of_extension_headers_gets_a_stranger_nowhere() {
    let gate = gate(&table());
    let chain = |from, to| (0..12).fold(request(from, to), |frame, _| frame.extension(DESTINATION, &[0; 6])).build();
    assert_eq!(outcome(&gate, &chain(STRANGER_V6, AUTH_V6)), dropped(Reason::OptionsUnregistered));
    assert_eq!(outcome(&gate, &chain(CLIENT_V6, AUTH_V6)), Outcome::Passed);
    assert_eq!(outcome(&gate, &chain(STRANGER_V6, "[2001:db8::99]:1812")), Outcome::NotOurs);
}

#[test]
fn a_packet_that_ends_in_its_options_is_truncated() {
    let gate = gate(&table());
    let v4 = request(CLIENT, AUTH).options(&[1; 40]);
    assert_eq!(outcome(&gate, &v4.build()[..v4.end_of(Layer::Ip) - 4]), dropped(Reason::FrameTruncated));
    let v6 = request(CLIENT_V6, AUTH_V6).extension(DESTINATION, &[0; 6]);
    assert_eq!(outcome(&gate, &v6.build()[..v6.end_of(Layer::Ip) - 6]), dropped(Reason::FrameTruncated));
    let v6 = request(CLIENT_V6, AUTH_V6).extension(DESTINATION, &[0; 2000]);
    assert_eq!(outcome(&gate, &v6.build()[..200]), dropped(Reason::FrameTruncated));
}

#[test]
fn a_source_without_any_role_is_no_source() {
    let mut table = table();
    table.sources.insert(source_key(DOMAIN, STRANGER), Source::unlimited(Roles::NONE, 9));
    let gate = gate(&table);
    let options = request(STRANGER, AUTH).options(&[1; 4]).build();
    assert_eq!(outcome(&gate, &options), dropped(Reason::OptionsUnregistered));
    let fragment = request(STRANGER, DEDICATED).fragment(185, false).build();
    assert_eq!(outcome(&gate, &fragment), dropped(Reason::FragmentUnregistered));
    assert_eq!(outcome(&gate, &request(STRANGER, AUTH).build()), dropped(Reason::WrongRole));
}
