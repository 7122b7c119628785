//! `sendmmsg` that gets past packets which the kernel refuses.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

use crate::BATCH;
use crate::address::Address;
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

/// Sends any number of packets, [`BATCH`] a system call. One a worker; it serves any number of sockets.
pub struct Sender {
    addresses: Box<[Address; BATCH]>,
    vectors: Box<[libc::iovec; BATCH]>,
    headers: Box<[libc::mmsghdr; BATCH]>,
    failures: Vec<Failure>,
}

impl Sender {
    /// Allocates the arrays (about 8 KB), the only allocation ever.
    pub fn new() -> Self {
        Self {
            addresses: Box::new([Address::empty(); BATCH]),
            vectors: Box::new([NO_VECTOR; BATCH]),
            headers: Box::new([no_header(); BATCH]),
            failures: Vec::with_capacity(BATCH),
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
            let mut from = 0;
            while from < count {
                // SAFETY: headers `from..count` of our array were written by `fill`: each points to one address and one
                // vector of ours, and the vector to octets that the caller lends for 'a, which outlives this call. The
                // kernel writes only `msg_len`.
                let result =
                    unsafe { libc::sendmmsg(fd, self.headers.as_mut_ptr().add(from), (count - from) as u32, 0) };
                if let Ok(sent) = usize::try_from(result) {
                    outcome.sent += sent;
                    from += sent;
                    continue;
                }
                // An error is only ever reported for the first packet of a call.
                let error = io::Error::last_os_error();
                match error.raw_os_error() {
                    Some(libc::EINTR) => {}
                    Some(libc::EAGAIN) => {
                        outcome.unsent = count - from + packets.count();
                        return Ok(outcome);
                    }
                    Some(errno) if !is_of_the_socket(errno) => {
                        if self.failures.len() < self.failures.capacity() {
                            self.failures.push(Failure { index: outcome.done(), errno });
                        }
                        outcome.failed += 1;
                        from += 1;
                    }
                    _ => return Err(error),
                }
            }
        }
    }

    /// The refused packets of the last [`send`](Self::send), the first [`BATCH`] of them.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Prepares up to [`BATCH`] packets; returns how many.
    fn fill<'a>(&mut self, packets: &mut impl Iterator<Item = (&'a [u8], SocketAddr)>) -> usize {
        let arrays = self.headers.iter_mut().zip(self.vectors.iter_mut()).zip(self.addresses.iter_mut());
        let mut count = 0;
        for (((header, vector), address), (octets, peer)) in arrays.zip(packets) {
            // The kernel only reads through this pointer.
            vector.iov_base = octets.as_ptr().cast_mut().cast();
            vector.iov_len = octets.len();
            let header = &mut header.msg_hdr;
            header.msg_namelen = address.set(peer);
            header.msg_name = ptr::from_mut(address).cast();
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            count += 1;
        }
        count
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

fn is_of_the_socket(errno: i32) -> bool {
    matches!(errno, libc::EBADF | libc::ENOTSOCK | libc::EFAULT)
}
