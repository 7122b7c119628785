//! Several sockets on one address, each flow always with the same one.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use crate::options::{Options, Sharing, open};
use crate::selector::{MAX_SOCKETS, Selector};

/// Binds `sockets` sockets to `address` (port 0: one that the kernel chooses, the same for all).
///
/// A datagram from `peer` is received by socket [`selector_index(peer, sockets)`](crate::selector_index), for as long as
/// all of them stay open: closing one lets the kernel move another into its place.
///
/// # Errors
/// As [`bind`](crate::bind), and `InvalidInput` for no sockets or more than 65,535. `AddrInUse` also when a group,
/// of this process or of another, is bound to the address already.
pub fn bind_group(address: SocketAddr, sockets: usize, options: &Options) -> io::Result<Vec<UdpSocket>> {
    let count = u32::try_from(sockets).ok().filter(|count| (1..=MAX_SOCKETS).contains(count));
    let count = count.ok_or(io::ErrorKind::InvalidInput)?;
    let selector = Selector { ipv6: address.is_ipv6(), sockets: count };
    let first = open(address, options, &Sharing::First(selector))?;
    let bound = first.local_addr()?;
    let mut group = Vec::with_capacity(sockets);
    group.push(first);
    while group.len() < sockets {
        group.push(open(bound, options, &Sharing::Next)?);
    }
    Ok(group)
}
