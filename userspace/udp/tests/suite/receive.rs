//! What a receiver tells about datagrams.

use std::io::ErrorKind;
use std::net::UdpSocket;

use crate::common::{LOOPBACKS, receive, waiting};
use sekisho_udp::{BATCH, Meta, Options, Receiver, bind};

/// The index of `lo` in any network namespace.
const LO: u32 = 1;

#[test]
fn a_batch_tells_length_peer_and_ingress_interface_of_each_datagram() {
    let mut receiver = Receiver::new();
    for loopback in LOOPBACKS {
        let (socket, address) = waiting(loopback);
        let peers = [UdpSocket::bind(loopback).unwrap(), UdpSocket::bind(loopback).unwrap()];
        for (i, peer) in [(0, &peers[0]), (1, &peers[1]), (2, &peers[0])] {
            peer.send_to(&vec![i; 20 + usize::from(i)], address).unwrap();
        }
        let datagrams = receive(&mut receiver, &socket, 4096).unwrap();
        assert_eq!(datagrams.len(), 3, "one call, three datagrams");
        for (i, (octets, meta)) in datagrams.iter().enumerate() {
            assert_eq!(octets, &vec![i as u8; 20 + i]);
            let peer = peers[i % 2].local_addr().unwrap();
            assert_eq!(*meta, Meta { len: 20 + i, peer, ifindex: LO, truncated: false });
        }
        assert_eq!(receiver.meta(3), Meta::NONE, "no datagram, no meta");
        assert_eq!(receiver.meta(BATCH), Meta::NONE);
    }
}

#[test]
fn a_datagram_longer_than_its_buffer_is_marked_truncated() {
    let (socket, address) = waiting("127.0.0.1:0");
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.send_to(&[1; 101], address).unwrap();
    peer.send_to(&[2; 100], address).unwrap();
    let datagrams = receive(&mut Receiver::new(), &socket, 100).unwrap();
    let seen: Vec<_> = datagrams.iter().map(|(octets, meta)| (octets.len(), meta.truncated)).collect();
    assert_eq!(seen, [(100, true), (100, false)]);
}

#[test]
fn an_empty_datagram_is_a_datagram() {
    let (socket, address) = waiting("127.0.0.1:0");
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&[], address).unwrap();
    let datagrams = receive(&mut Receiver::new(), &socket, 100).unwrap();
    assert_eq!(datagrams.len(), 1);
    assert_eq!(datagrams[0].1.len, 0);
}

#[test]
fn without_packet_info_the_interface_is_unknown() {
    let mut receiver = Receiver::new();
    for loopback in LOOPBACKS {
        let options = Options { packet_info: false, nonblocking: false, ..Options::default() };
        let socket = bind(loopback.parse().unwrap(), &options).unwrap();
        let address = socket.local_addr().unwrap();
        UdpSocket::bind(loopback).unwrap().send_to(b"?", address).unwrap();
        assert_eq!(receive(&mut receiver, &socket, 100).unwrap()[0].1.ifindex, 0);
    }
}

#[test]
fn a_call_takes_at_most_a_batch_and_leaves_the_rest_for_the_next() {
    let (socket, address) = waiting("127.0.0.1:0");
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    for i in 0..BATCH + 5 {
        peer.send_to(&[i as u8], address).unwrap();
    }
    let mut receiver = Receiver::new();
    let mut buffers = vec![[0_u8; 16]; BATCH * 2];
    let first = receiver.recv(&socket, buffers.iter_mut().map(|b| b.as_mut_slice())).unwrap();
    assert_eq!(first, BATCH);
    assert!(buffers[BATCH..].iter().all(|buffer| *buffer == [0; 16]), "buffers beyond the batch are not touched");
    assert_eq!(receive(&mut receiver, &socket, 16).unwrap().len(), 5);
}

#[test]
fn an_idle_nonblocking_socket_would_block_and_forgets_the_last_batch() {
    let socket = bind("127.0.0.1:0".parse().unwrap(), &Options::default()).unwrap();
    let mut receiver = Receiver::new();
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.send_to(b"x", socket.local_addr().unwrap()).unwrap();
    assert_eq!(receive(&mut receiver, &socket, 16).unwrap().len(), 1);
    assert_eq!(receive(&mut receiver, &socket, 16).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(receiver.meta(0), Meta::NONE);
    assert_eq!(receiver.recv(&socket, std::iter::empty()).unwrap(), 0, "no buffers, no call");
}

#[test]
fn a_receiver_serves_sockets_of_both_families_and_moves_between_threads() {
    let mut receiver = Receiver::new();
    for loopback in LOOPBACKS {
        let (socket, address) = waiting(loopback);
        UdpSocket::bind(loopback).unwrap().send_to(b"x", address).unwrap();
        receiver = std::thread::spawn(move || {
            let datagrams = receive(&mut receiver, &socket, 16).unwrap();
            assert_eq!(datagrams[0].1.peer.ip(), address.ip());
            receiver
        })
        .join()
        .unwrap();
    }
}
