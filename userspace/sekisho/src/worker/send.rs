//! What a batch has to send, one system call a socket.

use std::{
    os::fd::AsFd,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sekisho_abi::Reason;
use sekisho_engine::{
    packet::{Action, Batch, Packet, Socket},
    stats::WorkerStats,
};
use sekisho_udp::Sender;

use super::sockets::Sockets;

/// How long a batch waits in all for sockets whose send buffer is full. Beyond it packets are given up and counted: NAS
/// and home server repeat what is lost, but a worker that stands still answers nobody.
const PATIENCE: Duration = Duration::from_millis(10);

/// Sends everything in `batch` whose action says so, grouped by socket in the order in which sockets first appear;
/// within a socket packets keep their order.
pub(super) fn send(batch: &Batch, sockets: &Sockets, sender: &mut Sender, stats: &WorkerStats) {
    let mut done: u64 = 0;
    let mut deadline = None;
    for (index, packet) in batch.packets().iter().enumerate() {
        let Action::Send(path) = packet.action else { continue };
        if done & bit(index) != 0 {
            continue;
        }
        for (later, other) in batch.packets().iter().enumerate().skip(index) {
            if leaves_by(other, path.socket) {
                done |= bit(later);
            }
        }
        send_by(path.socket, batch, sockets, sender, stats, &mut deadline);
    }
}

fn send_by(
    socket: Socket,
    batch: &Batch,
    sockets: &Sockets,
    sender: &mut Sender,
    stats: &WorkerStats,
    deadline: &mut Option<Instant>,
) {
    let count = batch.packets().iter().filter(|packet| leaves_by(packet, socket)).count();
    let Some(fd) = sockets.get(socket) else {
        fail(count, stats);
        return;
    };
    let mut handed = 0;
    while handed < count {
        let packets = batch.packets().iter().filter(|packet| leaves_by(packet, socket)).skip(handed);
        let outcome = match sender.send(fd, packets.filter_map(datagram)) {
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

fn leaves_by(packet: &Packet, socket: Socket) -> bool {
    matches!(packet.action, Action::Send(path) if path.socket == socket)
}

fn datagram(packet: &Packet) -> Option<(&[u8], std::net::SocketAddr)> {
    match packet.action {
        Action::Send(path) => Some((packet.buf.bytes(), path.peer)),
        Action::Hold | Action::Drop(_) => None,
    }
}

const fn bit(index: usize) -> u64 {
    1 << (index & 63)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

    use sekisho_engine::packet::{Path, UpstreamPort};

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
        let expected = [(b"1", from_acct), (b"3", from_acct), (b"2", from_auth), (b"4", from_auth)];
        assert_eq!(all, expected.map(|(bytes, from)| (bytes.to_vec(), from)));
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
