//! `sendmmsg` that gets past packets which the kernel refuses, and takes packets that follow each other to one peer
//! through the stack together (generic segmentation, UDP_SEGMENT).

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

use crate::BATCH;
use crate::address::Address;
use crate::control::SegmentSize;
use crate::receiver::{NO_VECTOR, no_header};

/// What became of the packets of one [`Sender::send`].
///
/// The first `done()` packets are dealt with, sent or refused; the `unsent` ones after them were not tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendOutcome {
    /// Packets that the kernel took.
    pub sent: usize,
    /// Packets that it refused for a reason of their own (too long, no route, forbidden…) and that were skipped;
    /// [`Sender::failures`] names them.
    pub failed: usize,
    /// Packets left over because the socket's send buffer is full: to be sent when the socket is writable again.
    pub unsent: usize,
}

impl SendOutcome {
    /// How many packets, from the first on, need no further attempt.
    pub fn done(&self) -> usize {
        self.sent + self.failed
    }

    /// Whether the send buffer filled up.
    pub fn would_block(&self) -> bool {
        self.unsent > 0
    }
}

/// A packet that the kernel refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its place among the packets of the call, from 0.
    pub index: usize,
    /// The system's error number, e.g. `EMSGSIZE`, `ENETUNREACH`, `EPERM`.
    pub errno: i32,
}

impl Failure {
    /// The same as an [`io::Error`], to be shown.
    pub fn error(&self) -> io::Error {
        io::Error::from_raw_os_error(self.errno)
    }
}

/// The longest packet that shares a message with others. Segments are never fragmented, so it has to fit every path
/// (1280 octets, RFC 8200 §5), and a whole batch of them one datagram of 65,507 octets.
const MAX_SEGMENT: usize = 1000;
/// How many packets go alone after the kernel refused to cut a message: no hardware checksum, IPsec, a narrow link.
const ALONE: usize = 4096;

/// Sends any number of packets, [`BATCH`] a system call. One a worker; it serves any number of sockets.
///
/// Packets that follow each other to the same peer, each as long as the first, the last perhaps shorter, make one
/// message: routing, filters and queues are passed once, and the kernel or the network card cuts it into the same
/// datagrams. Replies to a busy NAS are such packets more often than not. Where the kernel does not do it, they are sent
/// one by one, and none is lost.
pub struct Sender {
    places: Box<[Place; BATCH]>,
    vectors: Box<[libc::iovec; BATCH]>,
    headers: Box<[libc::mmsghdr; BATCH]>,
    sizes: Box<[SegmentSize; BATCH]>,
    failures: Vec<Failure>,
    alone: usize,
}

impl Sender {
    /// Allocates the arrays (about 9 KB), the only allocation ever.
    pub fn new() -> Self {
        Self {
            places: Box::new([Place { address: Address::empty(), length: 0, joins: false }; BATCH]),
            vectors: Box::new([NO_VECTOR; BATCH]),
            headers: Box::new([no_header(); BATCH]),
            sizes: Box::new([SegmentSize::new(0); BATCH]),
            failures: Vec::with_capacity(BATCH),
            alone: 0,
        }
    }

    /// Sends `packets` in order.
    ///
    /// A packet that the kernel refuses is skipped and counted; a full send buffer ends the call, the rest of `packets`
    /// counted as unsent (on a blocking socket it waits instead). On a connected socket a refusal may be the pending ICMP
    /// error of an earlier packet, and the packet named did not go out either.
    ///
    /// # Errors
    /// Only what concerns the socket and no packet: EBADF, ENOTSOCK, EFAULT.
    pub fn send<'a>(
        &mut self,
        fd: impl AsFd,
        packets: impl Iterator<Item = (&'a [u8], SocketAddr)>,
    ) -> io::Result<SendOutcome> {
        let fd = fd.as_fd().as_raw_fd();
        let mut packets = packets.fuse();
        let mut outcome = SendOutcome::default();
        self.failures.clear();
        loop {
            let count = self.fill(&mut packets);
            if count == 0 {
                return Ok(outcome);
            }
            let mut together = self.alone == 0;
            self.alone = self.alone.saturating_sub(count);
            let mut from = 0;
            while from < count {
                let messages = self.compose(from, count, together);
                // SAFETY: the first `messages` headers of our array were written by `compose`: each points to one address,
                // one control message or none, and vectors `from..count` of ours, and those to octets that the caller
                // lends for 'a, which outlives this call. The kernel writes only `msg_len`.
                let result = unsafe { libc::sendmmsg(fd, self.headers.as_mut_ptr(), messages as u32, 0) };
                if let Ok(taken) = usize::try_from(result) {
                    let sent: usize = self.headers.iter().take(taken).map(packets_in).sum();
                    outcome.sent += sent;
                    from += sent;
                    continue;
                }
                // An error is only ever reported for the first message of a call.
                let error = io::Error::last_os_error();
                match error.raw_os_error() {
                    Some(libc::EINTR) => {}
                    Some(libc::EAGAIN) => {
                        outcome.unsent = count - from + packets.count();
                        return Ok(outcome);
                    }
                    None => return Err(error),
                    Some(errno) if is_of_the_socket(errno) => return Err(error),
                    // Which of them it concerns shows when each goes alone.
                    Some(errno) if self.headers.first().map_or(0, packets_in) > 1 => {
                        together = false;
                        if is_of_the_cutting(errno) {
                            self.alone = ALONE;
                        }
                    }
                    Some(errno) => {
                        if self.failures.len() < self.failures.capacity() {
                            self.failures.push(Failure { index: outcome.done(), errno });
                        }
                        outcome.failed += 1;
                        from += 1;
                    }
                }
            }
        }
    }

    /// The refused packets of the last [`send`](Self::send), the first [`BATCH`] of them.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Takes up to [`BATCH`] packets; returns how many.
    fn fill<'a>(&mut self, packets: &mut impl Iterator<Item = (&'a [u8], SocketAddr)>) -> usize {
        let mut count = 0;
        let mut before = None;
        for ((vector, place), (octets, peer)) in self.vectors.iter_mut().zip(self.places.iter_mut()).zip(packets) {
            let length = octets.len();
            // The kernel only reads through this pointer.
            vector.iov_base = octets.as_ptr().cast_mut().cast();
            vector.iov_len = length;
            place.length = place.address.set(peer);
            place.joins = before.is_some_and(|(its_peer, its_length)| {
                its_peer == peer && its_length <= MAX_SEGMENT && (1..=its_length).contains(&length)
            });
            before = Some((peer, length));
            count += 1;
        }
        count
    }

    /// Makes messages of packets `from..count`, of one each or of as many as can go `together`; returns how many messages.
    fn compose(&mut self, from: usize, count: usize, together: bool) -> usize {
        let mut at = from;
        let mut messages = 0;
        for (header, size) in self.headers.iter_mut().zip(self.sizes.iter_mut()) {
            let (Some(vectors), Some(places)) = (self.vectors.get_mut(at..count), self.places.get_mut(at..count))
            else {
                break;
            };
            let (Some(segment), Some(place)) = (vectors.first().map(|first| first.iov_len), places.first_mut()) else {
                break;
            };
            let header = &mut header.msg_hdr;
            header.msg_namelen = place.length;
            header.msg_name = ptr::from_mut(&mut place.address).cast();
            // A packet shorter than the first is the last of its message.
            let others = vectors.iter().zip(places.iter().skip(1));
            let others = others.take_while(|(before, place)| together && place.joins && before.iov_len == segment);
            header.msg_iovlen = 1 + others.count();
            header.msg_iov = vectors.as_mut_ptr();
            header.msg_control = ptr::null_mut();
            header.msg_controllen = 0;
            if header.msg_iovlen > 1 {
                *size = SegmentSize::new(segment as u16);
                header.msg_control = ptr::from_mut(size).cast();
                header.msg_controllen = size_of::<SegmentSize>();
            }
            at += header.msg_iovlen;
            messages += 1;
        }
        messages
    }
}

impl Default for Sender {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: the raw pointers in `vectors` and `headers` are written by every call before the kernel reads them and are never
// followed otherwise; nothing is shared with another thread.
unsafe impl Send for Sender {}

/// A packet's address in the kernel's form.
#[derive(Clone, Copy)]
struct Place {
    address: Address,
    length: libc::socklen_t,
    /// Whether the packet can follow the one before it in one message: to the same peer, not longer, not empty.
    joins: bool,
}

fn packets_in(message: &libc::mmsghdr) -> usize {
    message.msg_hdr.msg_iovlen
}

/// Whether the kernel refuses to cut messages toward there at all.
fn is_of_the_cutting(errno: i32) -> bool {
    matches!(errno, libc::EIO | libc::EINVAL | libc::EMSGSIZE | libc::EOPNOTSUPP)
}

fn is_of_the_socket(errno: i32) -> bool {
    matches!(errno, libc::EBADF | libc::ENOTSOCK | libc::EFAULT)
}
