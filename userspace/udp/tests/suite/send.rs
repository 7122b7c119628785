//! What becomes of the packets of a batch.

use std::net::{SocketAddr, UdpSocket};

use crate::common::{LOOPBACKS, in_a_namespace, ip, receive, waiting};
use sekisho_udp::{BATCH, Options, Receiver, SendOutcome, Sender, bind};

#[test]
fn a_batch_reaches_each_of_its_destinations_in_order() {
    let mut sender = Sender::new();
    for loopback in LOOPBACKS {
        let from = bind(loopback.parse().unwrap(), &Options::default()).unwrap();
        let (a, a_address) = waiting(loopback);
        let (b, b_address) = waiting(loopback);
        let packets = [(b"one".as_slice(), a_address), (b"two", b_address), (b"three", a_address)];
        let outcome = sender.send(&from, packets.into_iter()).unwrap();
        assert_eq!(outcome, SendOutcome { sent: 3, failed: 0, unsent: 0 });
        let mut receiver = Receiver::new();
        let at_a: Vec<_> = receive(&mut receiver, &a, 16).unwrap().into_iter().map(|(octets, _)| octets).collect();
        assert_eq!(at_a, [b"one".to_vec(), b"three".to_vec()]);
        let at_b = receive(&mut receiver, &b, 16).unwrap();
        assert_eq!(at_b[0].0, b"two");
        assert_eq!(at_b[0].1.peer, from.local_addr().unwrap());
    }
}

#[test]
fn more_than_a_batch_is_sent_in_one_call() {
    let from = bind("127.0.0.1:0".parse().unwrap(), &Options::default()).unwrap();
    let (to, address) = waiting("127.0.0.1:0");
    let octets: Vec<[u8; 2]> = (0..BATCH as u16 * 2 + 3).map(u16::to_be_bytes).collect();
    let outcome = Sender::new().send(&from, octets.iter().map(|o| (o.as_slice(), address))).unwrap();
    assert_eq!(outcome.sent, octets.len());
    let mut receiver = Receiver::new();
    let mut seen = Vec::new();
    while seen.len() < octets.len() {
        seen.extend(receive(&mut receiver, &to, 16).unwrap().into_iter().map(|(o, _)| [o[0], o[1]]));
    }
    assert_eq!(seen, octets);
}

#[test]
fn packets_that_the_kernel_refuses_do_not_hold_up_the_others() {
    let mut sender = Sender::new();
    for loopback in LOOPBACKS {
        let from = bind(loopback.parse().unwrap(), &Options::default()).unwrap();
        let (to, address) = waiting(loopback);
        let nowhere = SocketAddr::new(address.ip(), 0);
        let too_long = vec![0_u8; 65_536];
        let packets = [
            (too_long.as_slice(), address),
            (b"one", address),
            (b"to port 0", nowhere),
            (too_long.as_slice(), address),
            (b"two", address),
            (b"to port 0", nowhere),
        ];
        let outcome = sender.send(&from, packets.into_iter()).unwrap();
        assert_eq!(outcome, SendOutcome { sent: 2, failed: 4, unsent: 0 });
        let failures: Vec<_> = sender.failures().iter().map(|failure| (failure.index, failure.errno)).collect();
        assert_eq!(failures, [(0, 90), (2, 22), (3, 90), (5, 22)], "EMSGSIZE 90, EINVAL 22");
        let seen: Vec<_> = receive(&mut Receiver::new(), &to, 16).unwrap().into_iter().map(|(o, _)| o).collect();
        assert_eq!(seen, [b"one", b"two"]);
    }
}

#[test]
fn an_address_of_the_other_family_is_a_failure_of_that_packet_only() {
    let from = bind("127.0.0.1:0".parse().unwrap(), &Options::default()).unwrap();
    let (_to, address) = waiting("127.0.0.1:0");
    let other = "[::1]:1812".parse().unwrap();
    let mut sender = Sender::new();
    let outcome = sender.send(&from, [(b"x".as_slice(), other), (b"y", address)].into_iter()).unwrap();
    assert_eq!((outcome.sent, outcome.failed), (1, 1));
    assert_eq!(sender.failures()[0].index, 0);
}

#[test]
fn every_failure_is_counted_and_the_first_batch_of_them_named() {
    let from = bind("127.0.0.1:0".parse().unwrap(), &Options::default()).unwrap();
    let nowhere = "127.0.0.1:0".parse().unwrap();
    let mut sender = Sender::new();
    let outcome = sender.send(&from, std::iter::repeat_n((b"x".as_slice(), nowhere), BATCH * 3)).unwrap();
    assert_eq!(outcome, SendOutcome { sent: 0, failed: BATCH * 3, unsent: 0 });
    assert_eq!(sender.failures().len(), BATCH);
    sender.send(&from, std::iter::empty()).unwrap();
    assert!(sender.failures().is_empty(), "the next call starts afresh");
}

/// Loopback never fills a send buffer, an unanswered ARP request does: packets wait for it on the sender's account.
#[test]
fn a_full_send_buffer_ends_the_call_and_no_packet_is_forgotten() {
    let (outcome, count) = in_a_namespace(send_to_nobody);
    assert!(outcome.would_block(), "{outcome:?}");
    assert!(outcome.sent > 0);
    assert_eq!(outcome.failed, 0, "a full buffer is no failure of a packet");
    assert_eq!(outcome.done() + outcome.unsent, count, "packets beyond the first batch count too");
}

fn send_to_nobody() -> (SendOutcome, usize) {
    ip("link add near type veth peer name far");
    ip("link set near up");
    ip("link set far up");
    ip("address add 10.0.0.1/24 dev near");
    let options = Options { send_buffer: Some(1), ..Options::default() };
    let from = bind("10.0.0.1:0".parse().unwrap(), &options).unwrap();
    let octets = vec![0_u8; 1000];
    let nobody = "10.0.0.2:1812".parse().unwrap();
    let count = BATCH * 2;
    (Sender::new().send(&from, std::iter::repeat_n((octets.as_slice(), nobody), count)).unwrap(), count)
}

#[test]
fn the_largest_radius_packet_passes_a_socket_unhindered_by_the_path_mtu() {
    for loopback in LOOPBACKS {
        let from = bind(loopback.parse().unwrap(), &Options::default()).unwrap();
        let (to, address) = waiting(loopback);
        let outcome = Sender::new().send(&from, std::iter::once((&[7_u8; 4096][..], address))).unwrap();
        assert_eq!(outcome.sent, 1);
        assert_eq!(receive(&mut Receiver::new(), &to, 4096).unwrap()[0].0.len(), 4096);
    }
}

#[test]
fn an_icmp_error_of_an_earlier_packet_costs_a_connected_socket_one_packet_only() {
    let from = bind("127.0.0.1:0".parse().unwrap(), &Options::default()).unwrap();
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    from.connect(gone).unwrap();
    let mut sender = Sender::new();
    assert_eq!(sender.send(&from, std::iter::once((b"x".as_slice(), gone))).unwrap().sent, 1);
    let longer_and_longer = [b"x".as_slice(), b"xx", b"xxx", b"xxxx"];
    let outcome = sender.send(&from, longer_and_longer.into_iter().map(|octets| (octets, gone))).unwrap();
    assert_eq!(outcome, SendOutcome { sent: 3, failed: 1, unsent: 0 });
    assert_eq!(sender.failures()[0].error().kind(), std::io::ErrorKind::ConnectionRefused);
    let outcome = sender.send(&from, std::iter::repeat_n((b"x".as_slice(), gone), 4)).unwrap();
    assert_eq!(outcome, SendOutcome { sent: 4, failed: 0, unsent: 0 }, "and packets that go together none");
}
