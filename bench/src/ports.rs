//! Ports that nobody uses.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};

/// So many UDP ports of 127.0.0.1, all different, that were free a moment ago.
///
/// # Errors
/// When the kernel has none.
pub fn free<const COUNT: usize>() -> io::Result<[u16; COUNT]> {
    let sockets = (0..COUNT).map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))).collect::<io::Result<Vec<_>>>()?;
    let mut ports = [0; COUNT];
    for (port, socket) in ports.iter_mut().zip(&sockets) {
        *port = socket.local_addr()?.port();
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_ports_are_all_different() {
        let mut ports = free::<16>().unwrap().to_vec();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 16);
    }
}
