//! The rules about sources, ports and headers, by BPF test runs.

use sekisho_abi::{Ingress, IngressKey, Outcome, Reason, Roles, Source};
use sekisho_kernel::testing::{Frame, Layer};

use crate::world::*;

#[test]
fn a_registered_client_passes() {
    let gate = gate(&table());
    assert_eq!(outcome(&gate, &request(CLIENT, AUTH).build()), Outcome::Passed);
    assert_eq!(outcome(&gate, &request(CLIENT_V6, AUTH_V6).build()), Outcome::Passed);
    assert_eq!(outcome(&gate, &Frame::udp(at(CLIENT), at(ACCT), radius(4)).build()), Outcome::Passed);
}

#[test]
fn an_unregistered_source_is_dropped() {
    let gate = gate(&table());
    assert_eq!(outcome(&gate, &request(STRANGER, AUTH).build()), dropped(Reason::Unregistered));
    assert_eq!(outcome(&gate, &request(STRANGER_V6, AUTH_V6).build()), dropped(Reason::Unregistered));
}

#[test]
fn what_is_not_ours_passes_whoever_sends_it() {
    let gate = gate(&table());
    for to in ["192.0.2.1:53", "192.0.2.99:1812", "[2001:db8::1]:53", "[2001:db8::99]:1812"] {
        let from = if to.starts_with('[') { STRANGER_V6 } else { STRANGER };
        assert_eq!(outcome(&gate, &request(from, to).build()), Outcome::NotOurs, "{to}");
    }
    let tcp = request(STRANGER, AUTH).protocol(6).build();
    assert_eq!(outcome(&gate, &tcp), Outcome::NotOurs);
    let icmp_v6 = request(STRANGER_V6, AUTH_V6).protocol(58).build();
    assert_eq!(outcome(&gate, &icmp_v6), Outcome::NotOurs);
    let mut arp = request(STRANGER, AUTH).build();
    arp[12..14].copy_from_slice(&[0x08, 0x06]);
    assert_eq!(outcome(&gate, &arp), Outcome::NotOurs);
}

#[test]
fn a_header_of_another_version_or_without_room_for_itself_is_the_network_stacks_to_refuse() {
    let gate = gate(&table());
    // A header of no length at all: its total length would be taken for a port of ours.
    for (from, to, first) in [(STRANGER, AUTH, 0x65), (STRANGER, AUTH, 0x40), (STRANGER_V6, AUTH_V6, 0x40)] {
        let mut frame = request(from, to).ip_len(1812).build();
        frame[14] = first;
        assert_eq!(outcome(&gate, &frame), Outcome::NotOurs, "{first:#x}");
    }
}

#[test]
fn a_registered_source_at_the_wrong_ingress_is_dropped_with_its_own_reason() {
    let gate = gate(&table());
    assert_eq!(outcome(&gate, &request(ELSEWHERE, AUTH).build()), dropped(Reason::WrongIngress));
    assert_eq!(outcome(&gate, &request(ELSEWHERE_V6, AUTH_V6).build()), dropped(Reason::WrongIngress));
}

#[test]
fn a_client_may_use_only_the_service_addresses_that_it_was_given() {
    let gate = gate(&table());
    assert_eq!(outcome(&gate, &request(OTHER_SERVICE, AUTH).build()), dropped(Reason::WrongService));
    assert_eq!(outcome(&gate, &request(OTHER_SERVICE, DEDICATED).build()), Outcome::Passed);
}

#[test]
fn dynamic_authorization_needs_its_own_role() {
    let gate = gate(&table());
    let disconnect = |from| Frame::udp(at(from), at(DYNAUTH), radius(40)).build();
    assert_eq!(outcome(&gate, &disconnect(DYNAUTH_CLIENT)), Outcome::Passed);
    assert_eq!(outcome(&gate, &disconnect(CLIENT)), dropped(Reason::WrongRole));
    assert_eq!(outcome(&gate, &request(DYNAUTH_CLIENT, AUTH).build()), dropped(Reason::WrongRole));
}

#[test]
fn only_a_home_server_may_answer_to_an_upstream_port() {
    let gate = gate(&table());
    let accept = |from| Frame::udp(at(from), at(UPSTREAM), radius(2)).build();
    assert_eq!(outcome(&gate, &accept(HOME_SERVER)), Outcome::Passed);
    assert_eq!(outcome(&gate, &accept(CLIENT)), dropped(Reason::WrongRole));
    assert_eq!(outcome(&gate, &accept(STRANGER)), dropped(Reason::Unregistered));
    assert_eq!(outcome(&gate, &request(HOME_SERVER, AUTH).build()), dropped(Reason::WrongService));
    assert_eq!(outcome(&gate, &request(HOME_SERVER, UPSTREAM).build()), dropped(Reason::BadCode));
}

#[test]
fn a_source_is_registered_in_one_domain_only() {
    let mut table = table();
    let vlan = IngressKey { ifindex: LO, outer_vlan: 100, inner_vlan: 0 };
    table.ingresses.insert(vlan, Ingress { domain: 6, index: 1 });
    let gate = gate(&table);
    assert_eq!(outcome(&gate, &request(CLIENT, AUTH).build()), Outcome::Passed);
    assert_eq!(outcome(&gate, &request(CLIENT, AUTH).vlan(100).build()), dropped(Reason::Unregistered));
}

#[test]
fn an_ingress_without_a_domain_has_no_registered_sources() {
    let gate = gate(&table());
    assert_eq!(outcome(&gate, &request(CLIENT, AUTH).vlan(100).build()), dropped(Reason::Unregistered));
}

#[test]
fn up_to_two_vlan_tags_say_by_which_ingress_a_packet_came() {
    let mut table = table();
    let key = |outer_vlan, inner_vlan| IngressKey { ifindex: LO, outer_vlan, inner_vlan };
    table.ingresses.insert(key(100, 0), Ingress { domain: 7, index: 1 });
    table.ingresses.insert(key(100, 200), Ingress { domain: 8, index: 2 });
    table.sources.insert(source_key(7, CLIENT), Source::unlimited(Roles::CLIENT, 1));
    table.sources.insert(source_key(8, CLIENT_V6), Source::unlimited(Roles::CLIENT, 2));
    let gate = gate(&table);
    let v4 = || request(CLIENT, AUTH);
    let v6 = || request(CLIENT_V6, AUTH_V6);
    assert_eq!(outcome(&gate, &v4().vlan(100).build()), Outcome::Passed);
    assert_eq!(outcome(&gate, &v4().service_vlan(100).build()), Outcome::Passed);
    assert_eq!(outcome(&gate, &v6().vlan(100).build()), dropped(Reason::Unregistered));
    assert_eq!(outcome(&gate, &v6().service_vlan(100).vlan(200).build()), Outcome::Passed);
    assert_eq!(outcome(&gate, &v6().vlan(100).vlan(200).build()), Outcome::Passed);
    assert_eq!(outcome(&gate, &v6().vlan(200).vlan(100).build()), dropped(Reason::Unregistered));
    let priority = 0xe000;
    assert_eq!(outcome(&gate, &v4().vlan(priority | 100).build()), Outcome::Passed, "priority is no identifier");
    assert_eq!(outcome(&gate, &v4().vlan(priority).build()), Outcome::Passed, "a priority tag is no VLAN");
    let three = v4().vlan(1).vlan(2).vlan(3).build();
    assert_eq!(outcome(&gate, &three), Outcome::NotOurs, "three tags are not IP to us");
}

#[test]
fn the_radius_header_is_checked_in_userspaces_order() {
    let gate = gate(&table());
    let packet = |code: u8, length: u16, octets: usize| {
        let mut payload = vec![0; octets];
        let head = [&[code, 0], &length.to_be_bytes()[..]].concat();
        let shown = octets.min(4);
        payload[..shown].copy_from_slice(&head[..shown]);
        Frame::udp(at(CLIENT), at(AUTH), payload).build()
    };
    for octets in [0, 1, 3, 4, 19] {
        assert_eq!(outcome(&gate, &packet(1, 20, octets)), dropped(Reason::TooShort), "{octets} octets");
    }
    assert_eq!(outcome(&gate, &packet(4, 20, 20)), dropped(Reason::BadCode));
    assert_eq!(outcome(&gate, &packet(255, 0, 20)), dropped(Reason::BadCode));
    assert_eq!(outcome(&gate, &packet(1, 19, 20)), dropped(Reason::BadLength));
    assert_eq!(outcome(&gate, &packet(1, 21, 20)), dropped(Reason::BadLength));
    assert_eq!(outcome(&gate, &packet(1, 0xffff, 40)), dropped(Reason::BadLength));
    assert_eq!(outcome(&gate, &packet(12, 20, 20)), Outcome::Passed, "Status-Server");
    assert_eq!(outcome(&gate, &packet(1, 20, 64)), Outcome::Passed, "padding behind Length");
}

#[test]
fn the_longest_packet_and_frames_of_several_buffers_are_judged_like_others() {
    let gate = gate(&table());
    let long = |from: &str, length: u16, octets: usize| {
        // Attributes of 255 octets, and the last of 251.
        let attributes = [26, 255].into_iter().chain([0; 253]).cycle();
        let mut payload: Vec<u8> = [0; 20].into_iter().chain(attributes).take(octets).collect();
        payload[20 + 15 * 255 + 1] = 251;
        payload[0] = 1;
        payload[2..4].copy_from_slice(&length.to_be_bytes());
        Frame::udp(at(from), at(AUTH), payload).build()
    };
    assert_eq!(outcome(&gate, &long(CLIENT, 4096, 4096)), Outcome::Passed);
    assert_eq!(outcome(&gate, &long(CLIENT, 4096, 9000)), Outcome::Passed);
    assert_eq!(outcome(&gate, &long(CLIENT, 4097, 9000)), dropped(Reason::BadLength));
    assert_eq!(outcome(&gate, &long(STRANGER, 4096, 9000)), dropped(Reason::Unregistered));
}

#[test]
fn a_frame_that_ends_in_a_header_is_truncated() {
    let gate = gate(&table());
    for (from, to) in [(CLIENT, AUTH), (CLIENT_V6, AUTH_V6)] {
        let frame = request(from, to).vlan(0);
        let octets = frame.build();
        for end in [Layer::Vlan, Layer::Ip, Layer::Udp].map(|layer| frame.end_of(layer) - 1) {
            assert_eq!(outcome(&gate, &octets[..end]), dropped(Reason::FrameTruncated), "{to}, {end} octets");
        }
        let payload = frame.end_of(Layer::Udp);
        for end in payload..octets.len() {
            assert_eq!(outcome(&gate, &octets[..end]), dropped(Reason::FrameTruncated), "{to}, {end} octets");
        }
    }
}

#[test]
fn a_truncated_datagram_to_others_is_not_ours_to_drop() {
    let gate = gate(&table());
    for to in ["192.0.2.99:1812", "[2001:db8::99]:1812"] {
        let frame = request(if to.starts_with('[') { STRANGER_V6 } else { STRANGER }, to);
        let end = frame.end_of(Layer::Udp) - 1;
        assert_eq!(outcome(&gate, &frame.build()[..end]), Outcome::NotOurs, "{to}");
    }
}

#[test]
fn lengths_that_contradict_each_other_are_truncation() {
    let gate = gate(&table());
    for (from, to, ip) in [(CLIENT, AUTH, 20), (CLIENT_V6, AUTH_V6, 0)] {
        let frame = || request(from, to);
        assert_eq!(outcome(&gate, &frame().udp_len(7).build()), dropped(Reason::FrameTruncated));
        assert_eq!(outcome(&gate, &frame().udp_len(29).build()), dropped(Reason::FrameTruncated));
        assert_eq!(outcome(&gate, &frame().udp_len(29).trailer(8).build()), dropped(Reason::FrameTruncated));
        assert_eq!(outcome(&gate, &frame().ip_len(ip + 7).build()), dropped(Reason::FrameTruncated));
        assert_eq!(outcome(&gate, &frame().ip_len(ip + 29).build()), dropped(Reason::FrameTruncated));
        assert_eq!(outcome(&gate, &frame().trailer(18).build()), Outcome::Passed, "Ethernet's padding");
        assert_eq!(outcome(&gate, &frame().udp_len(27).build()), dropped(Reason::TooShort), "19 octets of payload");
    }
}

#[test]
fn a_udp_length_of_zero_is_what_the_kernel_takes_it_for() {
    let gate = gate(&table());
    let v4 = request(CLIENT, AUTH).udp_len(0).build();
    assert_eq!(outcome(&gate, &v4), dropped(Reason::FrameTruncated));
    let v6 = request(CLIENT_V6, AUTH_V6).udp_len(0).build();
    assert_eq!(outcome(&gate, &v6), Outcome::Passed, "Linux reads to the end of the packet");
}

#[test]
fn an_ipv4_mapped_address_in_an_ipv6_header_is_no_ipv4_client() {
    let gate = gate(&table());
    let mapped = |text: &str| {
        let address = at(text);
        format!("[::ffff:{}]:{}", address.ip(), address.port())
    };
    let spoofed = Frame::udp(at(&mapped(CLIENT)), at(AUTH_V6), radius(1)).build();
    assert_eq!(outcome(&gate, &spoofed), dropped(Reason::Unregistered));
    let to_mapped = Frame::udp(at(STRANGER_V6), at(&mapped(AUTH)), radius(1)).build();
    assert_eq!(outcome(&gate, &to_mapped), Outcome::NotOurs);
}

#[test]
fn the_verifiers_budget_is_far_away() {
    let instructions = gate(&table()).verified_instructions().unwrap();
    println!("the verifier walked through {instructions} instructions");
    assert!((1..500_000).contains(&instructions), "{instructions}");
}
