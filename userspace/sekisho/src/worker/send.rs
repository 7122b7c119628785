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
