//! Packets that go through the stack together arrive as if each had gone alone.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use crate::common::{LOOPBACKS, in_a_namespace, ip, receive, waiting};
use proptest::prelude::*;
use sekisho_udp::{BATCH, Options, Receiver, SendOutcome, Sender, bind};
use socket2::SockRef;

/// A socket that is handed what passed the stack together as one message (UDP_GRO).
fn unseparated(loopback: &str) -> (UdpSocket, SocketAddr) {
    let (socket, address) = waiting(loopback);
    crate::common::set_udp_gro(&socket);
    (socket, address)
}

/// The lengths of the messages that `packets` make on their way, if all of them go to one peer.
fn messages(loopback: &str, lengths: &[usize]) -> Vec<usize> {
    let from = bind(loopback.parse().unwrap(), &Options::default()).unwrap();
    let (to, address) = unseparated(loopback);
    let octets = [7; 4096];
    let outcome = Sender::new().send(&from, lengths.iter().map(|length| (&octets[..*length], address))).unwrap();
    assert_eq!(outcome, SendOutcome { sent: lengths.len(), failed: 0, unsent: 0 });
    let (all, mut seen): (usize, Vec<usize>) = (lengths.iter().sum(), Vec::new());
    let mut room = vec![0; 65_536];
    while seen.iter().sum::<usize>() < all {
        seen.push(to.recv(&mut room).unwrap());
    }
    seen
}

#[test]
fn packets_of_one_length_pass_the_stack_as_one_message_which_a_shorter_one_ends() {
    for loopback in LOOPBACKS {
        assert_eq!(messages(loopback, &[38; 5]), [190]);
        assert_eq!(messages(loopback, &[38, 38, 20, 38, 20, 20, 38]), [96, 58, 20, 38]);
        assert_eq!(messages(loopback, &[20, 38, 38, 44]), [20, 76, 44]);
        assert_eq!(messages(loopback, &[1000; BATCH]), [64_000], "a whole batch of the longest");
        assert_eq!(messages(loopback, &[1001; 3]), [1001; 3], "a segment is never fragmented, so it must be short");
        assert_eq!(messages(loopback, &[20; BATCH + 2]), [BATCH * 20, 40]);
    }
}

#[test]
fn what_the_kernel_does_not_cut_goes_packet_by_packet() {
    in_a_namespace(|| {
        // Of 600 octets a link of 576 takes none uncut, and what is fragmented cannot be a segment.
        ip("link set lo mtu 576 up");
        let from = bind("127.0.0.1:0".parse().unwrap(), &Options::default()).unwrap();
        let (to, address) = waiting("127.0.0.1:0");
        let packets: Vec<Vec<u8>> = (0..20).map(|n| vec![n; 600]).collect();
        let mut sender = Sender::new();
        for _ in 0..2 {
            let outcome = sender.send(&from, packets.iter().map(|octets| (octets.as_slice(), address))).unwrap();
            assert_eq!(outcome, SendOutcome { sent: 20, failed: 0, unsent: 0 });
            assert_eq!(sender.failures(), []);
            let mut seen = Vec::new();
            while seen.len() < packets.len() {
                seen.extend(receive(&mut Receiver::new(), &to, 1024).unwrap().into_iter().map(|(octets, _)| octets));
            }
            assert_eq!(seen, packets);
        }
    });
}

#[test]
fn a_refused_packet_among_those_that_go_together_is_named_and_holds_up_none() {
    let from = bind("127.0.0.1:0".parse().unwrap(), &Options::default()).unwrap();
    let (to, address) = waiting("127.0.0.1:0");
    let nowhere = SocketAddr::new(address.ip(), 0);
    let mut sender = Sender::new();
    let peers = [address, address, nowhere, nowhere, nowhere, address, address];
    let outcome = sender.send(&from, peers.iter().map(|peer| (b"one".as_slice(), *peer))).unwrap();
    assert_eq!(outcome, SendOutcome { sent: 4, failed: 3, unsent: 0 });
    assert_eq!(sender.failures().iter().map(|failure| failure.index).collect::<Vec<_>>(), [2, 3, 4]);
    let mut seen = 0;
    while seen < 4 {
        seen += receive(&mut Receiver::new(), &to, 16).unwrap().len();
    }
}

/// Lengths that often repeat, to a few peers that often do.
fn packets() -> impl Strategy<Value = Vec<(usize, usize, usize)>> {
    let length = prop_oneof![4 => Just(20), 4 => Just(38), 1 => Just(0), 1 => 1..60_usize, 1 => 990..1010_usize];
    prop::collection::vec((0..3_usize, length, 1..8_usize), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_packet_arrives_as_it_was_in_its_order_whatever_goes_before_and_after_it(runs in packets()) {
        for loopback in LOOPBACKS {
            let from = bind(loopback.parse().unwrap(), &Options::default()).unwrap();
            let to: Vec<_> = (0..3).map(|_| waiting(loopback)).collect();
            for (socket, _) in &to {
                SockRef::from(socket).set_recv_buffer_size(4 << 20).unwrap();
                socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            }
            let mut sent: Vec<(usize, Vec<u8>)> = Vec::new();
            for (peer, length, times) in &runs {
                for _ in 0..*times {
                    sent.push((*peer, vec![sent.len() as u8; *length]));
                }
            }
            let packets = sent.iter().map(|(peer, octets)| (octets.as_slice(), to[*peer].1));
            let outcome = Sender::new().send(&from, packets).unwrap();
            prop_assert_eq!(outcome, SendOutcome { sent: sent.len(), failed: 0, unsent: 0 });
            let mut receiver = Receiver::new();
            for (peer, (socket, _)) in to.iter().enumerate() {
                let expected: Vec<_> = sent.iter().filter(|(to, _)| *to == peer).map(|(_, octets)| octets).collect();
                let mut seen = Vec::new();
                while seen.len() < expected.len() {
                    let batch = receive(&mut receiver, socket, 2048).unwrap();
                    prop_assert!(batch.iter().all(|(_, meta)| meta.peer == from.local_addr().unwrap()));
                    seen.extend(batch.into_iter().map(|(octets, _)| octets));
                }
                prop_assert_eq!(seen.iter().collect::<Vec<_>>(), expected);
            }
        }
    }
}
