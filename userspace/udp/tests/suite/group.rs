//! A flow always meets its socket, and the kernel and we agree on which.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};

use crate::common::{LOOPBACKS, receive};
use sekisho_udp::{Options, Receiver, bind_group, selector_index};

/// Sends one datagram from `peer` and returns the index of the socket that got it.
fn meets(group: &[UdpSocket], peer: &UdpSocket) -> usize {
    peer.send_to(b"x", group[0].local_addr().unwrap()).unwrap();
    let mut receiver = Receiver::new();
    let got: Vec<usize> = (0..group.len()).filter(|i| receive(&mut receiver, &group[*i], 16).is_ok()).collect();
    assert_eq!(got.len(), 1, "exactly one socket of the group receives it");
    got[0]
}

#[test]
fn the_kernel_and_the_function_choose_the_same_socket() {
    for loopback in LOOPBACKS {
        for sockets in [1, 2, 3, 8] {
            let group = bind_group(loopback.parse().unwrap(), sockets, &Options::default()).unwrap();
            let mut counts = vec![0; sockets];
            for _ in 0..64 {
                let peer = UdpSocket::bind(loopback).unwrap();
                let index = meets(&group, &peer);
                assert_eq!(index, selector_index(peer.local_addr().unwrap(), sockets));
                assert_eq!(index, meets(&group, &peer), "the same flow, the same socket");
                counts[index] += 1;
            }
            assert!(counts.iter().all(|count| *count > 0), "{loopback} {sockets}: {counts:?}");
        }
    }
}

#[test]
fn the_source_address_counts_too() {
    let group = bind_group("127.0.0.1:0".parse().unwrap(), 4, &Options::default()).unwrap();
    let mut counts = [0; 4];
    for last in 1..=64 {
        let Ok(peer) = UdpSocket::bind((format!("127.9.8.{last}").as_str(), 47_123)) else { continue };
        let index = meets(&group, &peer);
        assert_eq!(index, selector_index(peer.local_addr().unwrap(), 4));
        counts[index] += 1;
    }
    assert!(counts.iter().all(|count| *count > 4), "{counts:?}");
}

#[test]
fn a_second_group_on_the_same_address_is_refused_not_given_half_of_the_datagrams() {
    let group = bind_group("127.0.0.1:0".parse().unwrap(), 2, &Options::default()).unwrap();
    let address = group[0].local_addr().unwrap();
    let refused = bind_group(address, 2, &Options::default()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AddrInUse);
    drop(group);
    bind_group(address, 2, &Options::default()).unwrap();
}

#[test]
fn all_sockets_of_a_group_have_the_one_address_that_the_kernel_chose() {
    let group = bind_group("[::1]:0".parse().unwrap(), 3, &Options::default()).unwrap();
    let addresses: Vec<SocketAddr> = group.iter().map(|socket| socket.local_addr().unwrap()).collect();
    assert_ne!(addresses[0].port(), 0);
    assert!(addresses.iter().all(|address| *address == addresses[0]));
}

#[test]
fn a_group_has_at_least_one_socket() {
    let refused = bind_group("127.0.0.1:0".parse().unwrap(), 0, &Options::default()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_group_can_be_bound_to_a_device_with_buffers_of_a_size() {
    let options = Options {
        device: Some("lo".into()),
        receive_buffer: Some(4 << 20),
        send_buffer: Some(1 << 20),
        ..Options::default()
    };
    match bind_group("127.0.0.1:0".parse().unwrap(), 2, &options) {
        Ok(group) => {
            let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
            meets(&group, &peer);
            let size = socket2::SockRef::from(&group[1]).recv_buffer_size().unwrap();
            assert!(size >= 200_000, "{size}");
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::PermissionDenied, "only privilege may lack: {error}"),
    }
    let unknown = Options { device: Some("no-such-device".into()), ..Options::default() };
    assert!(bind_group("127.0.0.1:0".parse().unwrap(), 2, &unknown).is_err());
}
