//! `recvmmsg` with its arrays allocated once.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

use crate::BATCH;
use crate::address::Address;
use crate::control::Control;

/// What is known of a received datagram beside its octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Octets written into the buffer.
    pub len: usize,
    /// Who sent it.
    pub peer: SocketAddr,
    /// The interface by which it came in, as the kernel numbers them; 0 if not asked for ([`Options`](crate::Options)).
    pub ifindex: u32,
    /// The datagram was longer than its buffer; the rest is lost.
    pub truncated: bool,
}

impl Meta {
    /// What is said of a datagram that was not received: from nowhere, no octets.
    pub const NONE: Self = Self {
        len: 0,
        peer: SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        ifindex: 0,
        truncated: false,
    };
}

/// Receives up to [`BATCH`] datagrams a call. One a worker; it serves any number of sockets.
pub struct Receiver {
    slots: Box<[Slot; BATCH]>,
    vectors: Box<[libc::iovec; BATCH]>,
    headers: Box<[libc::mmsghdr; BATCH]>,
    received: usize,
}

impl Receiver {
    /// Allocates the arrays (about 13 KB), the only allocation ever.
    pub fn new() -> Self {
        Self {
            slots: Box::new([Slot { address: Address::empty(), control: Control::empty() }; BATCH]),
            vectors: Box::new([NO_VECTOR; BATCH]),
            headers: Box::new([no_header(); BATCH]),
            received: 0,
        }
    }

    /// Receives what is there, a datagram a buffer, at most [`BATCH`] of them; further buffers are not touched.
    ///
    /// Returns how many buffers were filled, from the first on; [`meta`](Self::meta) then tells about each. On a blocking
    /// socket it waits for the first datagram and takes those that have come meanwhile. No buffers: `Ok(0)`.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there (or the socket's receive timeout passed), `Interrupted` by a signal on a blocking
    /// socket, a pending ICMP error such as `ConnectionRefused` on a connected socket. After an error no datagram counts
    /// as received.
    pub fn recv<'a>(&mut self, fd: impl AsFd, buffers: impl Iterator<Item = &'a mut [u8]>) -> io::Result<usize> {
        self.received = 0;
        let arrays = self.headers.iter_mut().zip(self.vectors.iter_mut()).zip(self.slots.iter_mut());
        let mut count: u32 = 0;
        // The arrays come first: zip asks the second iterator only when the first had one more.
        for (((header, vector), slot), buffer) in arrays.zip(buffers) {
            vector.iov_base = buffer.as_mut_ptr().cast();
            vector.iov_len = buffer.len();
            let header = &mut header.msg_hdr;
            header.msg_name = ptr::from_mut(&mut slot.address).cast();
            header.msg_namelen = Address::SIZE;
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_control = slot.control.0.as_mut_ptr().cast();
            header.msg_controllen = slot.control.0.len();
            header.msg_flags = 0;
            count += 1;
        }
        if count == 0 {
            return Ok(0);
        }
        // SAFETY: the first `count` headers were just written: each points to one vector, one address and one control
        // array of ours, of the lengths given, and the vector to a buffer that the caller lends exclusively for 'a, which
        // outlives this call. No timeout is given.
        let result = unsafe {
            libc::recvmmsg(
                fd.as_fd().as_raw_fd(),
                self.headers.as_mut_ptr(),
                count,
                libc::MSG_WAITFORONE,
                ptr::null_mut(),
            )
        };
        self.received = usize::try_from(result).map_err(|_| io::Error::last_os_error())?;
        Ok(self.received)
    }

    /// What is known of datagram `index` of the last [`recv`](Self::recv); [`Meta::NONE`] beyond those received.
    #[inline]
    pub fn meta(&self, index: usize) -> Meta {
        if index >= self.received {
            return Meta::NONE;
        }
        let (Some(header), Some(slot)) = (self.headers.get(index), self.slots.get(index)) else {
            return Meta::NONE;
        };
        Meta {
            len: header.msg_len as usize,
            peer: slot.address.get(header.msg_hdr.msg_namelen).unwrap_or(Meta::NONE.peer),
            ifindex: slot.control.interface(header.msg_hdr.msg_controllen),
            truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
        }
    }
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: the raw pointers in `vectors` and `headers` are written by every call before the kernel reads them and are never
// followed otherwise; nothing is shared with another thread.
unsafe impl Send for Receiver {}

#[derive(Clone, Copy)]
struct Slot {
    address: Address,
    control: Control,
}

pub(crate) const NO_VECTOR: libc::iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };

pub(crate) fn no_header() -> libc::mmsghdr {
    // SAFETY: all of its fields (integers and pointers, and padding) may be zero.
    unsafe { std::mem::zeroed() }
}
