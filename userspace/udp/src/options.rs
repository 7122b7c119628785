//! Opening a socket as RADIUS wants it.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use crate::selector::Selector;
use crate::sockopt::{attach_selector, set_buffer, set_int};

/// How a socket is opened. [`Options::default`] suits a worker: non-blocking, with the ingress interface.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only what comes in by this device, and out by it: an interface or a VRF (SO_BINDTODEVICE).
    pub device: Option<String>,
    /// Wanted size of the receive buffer in octets. The kernel doubles it for its own bookkeeping, and cuts it to
    /// `net.core.rmem_max` unless we have CAP_NET_ADMIN. `None` leaves the system's default.
    pub receive_buffer: Option<usize>,
    /// Wanted size of the send buffer in octets, likewise (`net.core.wmem_max`).
    pub send_buffer: Option<usize>,
    /// Have the kernel tell the ingress interface with every datagram (IP_PKTINFO, IPV6_RECVPKTINFO).
    pub packet_info: bool,
    /// Calls return `WouldBlock` instead of waiting.
    pub nonblocking: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { device: None, receive_buffer: None, send_buffer: None, packet_info: true, nonblocking: true }
    }
}

/// Binds one socket to `address`; port 0 lets the kernel choose.
///
/// An IPv6 socket is IPv6 only, so IPv4 peers never appear as mapped addresses. Fragmentation is left to the network
/// (no Don't-Fragment): a RADIUS packet may be 4096 octets long (RFC 2865 §3) and has no other way to be cut.
///
/// # Errors
/// What the kernel said: `AddrInUse`, `AddrNotAvailable`, `PermissionDenied` for a port below 1024, ENODEV for an unknown
/// device.
pub fn bind(address: SocketAddr, options: &Options) -> io::Result<UdpSocket> {
    open(address, options, &Sharing::None)
}

/// Whether a socket stands alone at its address.
pub(crate) enum Sharing {
    /// Alone.
    None,
    /// The first of a group, which brings the group's selector.
    First(Selector),
    /// A further one of a group.
    Next,
}

pub(crate) fn open(address: SocketAddr, options: &Options, sharing: &Sharing) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(options.nonblocking)?;
    if let Some(device) = &options.device {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    if let Some(octets) = options.receive_buffer {
        set_buffer(&socket, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF, octets)?;
    }
    if let Some(octets) = options.send_buffer {
        set_buffer(&socket, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF, octets)?;
    }
    let info = i32::from(options.packet_info);
    if address.is_ipv4() {
        set_int(&socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DONT)?;
        set_int(&socket, libc::IPPROTO_IP, libc::IP_PKTINFO, info)?;
    } else {
        socket.set_only_v6(true)?;
        set_int(&socket, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DONT)?;
        set_int(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, info)?;
    }
    match sharing {
        Sharing::None => {}
        Sharing::First(selector) => {
            socket.set_reuse_port(true)?;
            // Before bind: a socket that has a group of its own cannot join another one, so a second process (or a
            // second group of ours) on the same address gets AddrInUse instead of half of the datagrams.
            attach_selector(&socket, &mut selector.program())?;
        }
        Sharing::Next => socket.set_reuse_port(true)?,
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}
