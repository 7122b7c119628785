//! What a batch has to send, one system call a socket.

use std::{
    net::SocketAddr,
    os::fd::AsFd,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sekisho_abi::Reason;
use sekisho_engine::{
    packet::{Action, BATCH, Batch, Packet, Path, Socket},
    stats::WorkerStats,
};
use sekisho_udp::Sender;

use super::sockets::Sockets;

/// How long a batch waits in all for sockets whose send buffer is full. Beyond it packets are given up and counted: NAS
/// and home server repeat what is lost, but a worker that stands still answers nobody.
const PATIENCE: Duration = Duration::from_millis(10);

/// Sends everything in `batch` whose action says so, socket by socket and peer by peer, so that what goes to one peer
/// can go together; to each peer in the order of the batch.
pub(super) fn send(batch: &Batch, sockets: &Sockets, sender: &mut Sender, stats: &WorkerStats) {
    let mut order = [0_u8; BATCH];
    let mut count = 0;
    let leaving = (0_u8..).zip(batch.packets()).filter(|(_, packet)| path(packet).is_some());
    for (place, (index, _)) in order.iter_mut().zip(leaving) {
        *place = index;
        count += 1;
    }
    let order = order.get_mut(..count).unwrap_or_default();
    let path_of = |index: &u8| batch.packets().get(usize::from(*index)).and_then(path);
    order.sort_by_key(|index| path_of(index).map(|path| (path.socket, path.peer)));
    let socket_of = |index: &u8| path_of(index).map(|path| path.socket);
    let mut deadline = None;
    for group in order.chunk_by(|one, next| socket_of(one) == socket_of(next)) {
        if let Some(socket) = group.first().and_then(socket_of) {
            let packets = group.iter().filter_map(|index| batch.packets().get(usize::from(*index)).and_then(datagram));
            send_by(socket, packets, sockets, sender, stats, &mut deadline);
        }
    }
}

fn send_by<'a>(
    socket: Socket,
    packets: impl Iterator<Item = (&'a [u8], SocketAddr)> + Clone,
    sockets: &Sockets,
    sender: &mut Sender,
    stats: &WorkerStats,
    deadline: &mut Option<Instant>,
) {
    let count = packets.clone().count();
    let Some(fd) = sockets.get(socket) else {
        fail(count, stats);
        return;
    };
    let mut handed = 0;
    while handed < count {
        let outcome = match sender.send(fd, packets.clone().skip(handed)) {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::debug!(?socket, %error, "a socket refuses to send");
                fail(count - handed, stats);
                return;
            }
        };
        if outcome.failed > 0 {
            let first = sender.failures().first().map(|failure| failure.error().to_string());
            tracing::debug!(?socket, failed = outcome.failed, first, "packets not sent");
            fail(outcome.failed, stats);
        }
        handed = count - outcome.unsent.min(count);
        if handed < count && !writable_soon(fd, deadline) {
            fail(count - handed, stats);
            return;
        }
    }
}

/// Waits until the send buffer has room again, or the batch's patience is at its end.
fn writable_soon(fd: impl AsFd, deadline: &mut Option<Instant>) -> bool {
    let now = Instant::now();
    let left = deadline.get_or_insert(now + PATIENCE).saturating_duration_since(now);
    let Ok(timeout) = Timespec::try_from(left) else { return false };
    !left.is_zero() && matches!(poll(&mut [PollFd::new(&fd, PollFlags::OUT)], Some(&timeout)), Ok(n) if n > 0)
}

fn fail(count: usize, stats: &WorkerStats) {
    stats.dropped[Reason::SendFailed as usize].add(count as u64);
}

fn path(packet: &Packet) -> Option<Path> {
    match packet.action {
        Action::Send(path) => Some(path),
        Action::Hold | Action::Drop(_) => None,
    }
}

fn datagram(packet: &Packet) -> Option<(&[u8], SocketAddr)> {
    path(packet).map(|path| (packet.buf.bytes(), path.peer))
}

// An index in a batch is an octet.
const _: () = assert!(BATCH <= 256);

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, UdpSocket};

    use sekisho_engine::packet::UpstreamPort;

    use super::*;
    use crate::worker::Upstream;

    fn bound() -> UdpSocket {
        let options = sekisho_udp::Options { nonblocking: false, ..sekisho_udp::Options::default() };
        let socket = sekisho_udp::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &options).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        socket
    }

    fn add(batch: &mut Batch, bytes: &[u8], action: Action) {
        let packet = &mut batch.free_mut()[0];
        packet.buf.load(bytes).unwrap();
        packet.action = action;
        batch.grow(1);
    }

    fn received(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
        let mut buffer = [0; 64];
        let (len, from) = socket.recv_from(&mut buffer).unwrap();
        (buffer[..len].to_vec(), from)
    }

    #[test]
    fn each_socket_sends_its_own_packets_in_their_order_and_dropped_ones_stay() {
        let (auth, acct, peer) = (bound(), bound(), bound());
        let (from_auth, from_acct) = (auth.local_addr().unwrap(), acct.local_addr().unwrap());
        let sockets = Sockets::new(vec![auth, acct], Upstream::default()).unwrap();
        let by = |index| {
            let socket = Socket::Service(index);
            Action::Send(Path { socket, peer: peer.local_addr().unwrap(), ifindex: 0 })
        };
        let mut batch = Batch::default();
        add(&mut batch, b"1", by(1));
        add(&mut batch, b"2", by(0));
        add(&mut batch, b"dropped", Action::Drop(Reason::TooShort));
        add(&mut batch, b"3", by(1));
        add(&mut batch, b"held", Action::Hold);
        add(&mut batch, b"4", by(0));
        let stats = WorkerStats::default();
        send(&batch, &sockets, &mut Sender::new(), &stats);
        let all: Vec<_> = (0..4).map(|_| received(&peer)).collect();
        let expected = [(b"2", from_auth), (b"4", from_auth), (b"1", from_acct), (b"3", from_acct)];
        assert_eq!(all, expected.map(|(bytes, from)| (bytes.to_vec(), from)));
        assert_eq!(stats.dropped[Reason::SendFailed as usize].read(), 0);
    }

    #[test]
    fn each_peer_gets_its_packets_in_their_order_however_they_are_mixed() {
        let service = bound();
        let peers = [bound(), bound(), bound()];
        let sockets = Sockets::new(vec![service], Upstream::default()).unwrap();
        let mut batch = Batch::default();
        for n in 0..BATCH as u8 {
            let peer = peers[usize::from(n) % 3].local_addr().unwrap();
            // Of two lengths, so that some go together and some do not.
            add(
                &mut batch,
                &[n; 2][..1 + usize::from(n / 5 % 2)],
                Action::Send(Path { socket: Socket::Service(0), peer, ifindex: 0 }),
            );
        }
        let stats = WorkerStats::default();
        send(&batch, &sockets, &mut Sender::new(), &stats);
        for (first, peer) in (0_u8..).zip(&peers) {
            for n in (first..BATCH as u8).step_by(3) {
                assert_eq!(received(peer).0, [n; 2][..1 + usize::from(n / 5 % 2)]);
            }
        }
        assert_eq!(stats.dropped[Reason::SendFailed as usize].read(), 0);
    }

    #[test]
    fn what_cannot_be_sent_is_counted_and_does_not_hold_up_the_rest() {
        let (service, peer) = (bound(), bound());
        let sockets = Sockets::new(vec![service], Upstream::default()).unwrap();
        let to = |socket, peer| Action::Send(Path { socket, peer, ifindex: 0 });
        let mut batch = Batch::default();
        // Port 0 is nobody's, and that upstream port was never opened.
        add(&mut batch, b"1", to(Socket::Service(0), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))));
        add(&mut batch, b"2", to(Socket::Upstream(UpstreamPort { v6: false, index: 7 }), peer.local_addr().unwrap()));
        add(&mut batch, b"3", to(Socket::Service(0), peer.local_addr().unwrap()));
        let stats = WorkerStats::default();
        send(&batch, &sockets, &mut Sender::new(), &stats);
        assert_eq!(received(&peer).0, b"3");
        assert_eq!(stats.dropped[Reason::SendFailed as usize].read(), 2);
    }
}
