//! A worker's sockets in one epoll instance, so that ports toward home servers may come and go cheaply.

use std::{
    io,
    mem::MaybeUninit,
    net::{IpAddr, SocketAddr, UdpSocket},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::event::{Timespec, epoll};
use sekisho_engine::packet::{Socket, UpstreamPort};
use sekisho_kernel::UpstreamPorts;

/// Wanted size of a service socket's buffers: about 20,000 small packets, some tenths of a second at full load.
pub const SERVICE_BUFFER: usize = 16 << 20;
/// Wanted size of an upstream socket's buffers: each carries at most 256 requests per home server.
pub const UPSTREAM_BUFFER: usize = 4 << 20;

/// Where ports toward home servers are opened.
#[derive(Clone, Default)]
pub struct Upstream {
    /// Our IPv4 address toward home servers.
    pub ipv4: Option<IpAddr>,
    /// Our IPv6 address toward home servers.
    pub ipv6: Option<IpAddr>,
    /// Tells the gate in the kernel that a port takes replies now.
    pub gate: UpstreamPorts,
}

/// Sockets by their names in the engine.
pub(super) struct Sockets {
    epoll: OwnedFd,
    services: Vec<UdpSocket>,
    upstream_v4: Vec<Option<Opened>>,
    upstream_v6: Vec<Option<Opened>>,
    open: Upstream,
}

/// A port toward home servers, and our address of it.
struct Opened {
    socket: UdpSocket,
    local: SocketAddr,
}

impl Sockets {
    /// Sockets that can be ready at once; more wait for the next round.
    pub(super) const EVENTS: usize = 256;

    /// Takes this worker's service sockets.
    pub(super) fn new(services: Vec<UdpSocket>, open: Upstream) -> io::Result<Sockets> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (index, socket) in (0_u16..).zip(&services) {
            watch(&epoll, socket, Socket::Service(index))?;
        }
        Ok(Sockets { epoll, services, upstream_v4: Vec::new(), upstream_v6: Vec::new(), open })
    }

    /// The epoll instance, to be watched from outside: readable while any socket is.
    pub(super) fn epoll(&self) -> io::Result<OwnedFd> {
        self.epoll.try_clone()
    }

    /// The socket of that name.
    pub(super) fn get(&self, socket: Socket) -> Option<BorrowedFd<'_>> {
        match socket {
            Socket::Service(index) => self.services.get(usize::from(index)).map(AsFd::as_fd),
            Socket::Upstream(UpstreamPort { v6, index }) => {
                let sockets = if v6 { &self.upstream_v6 } else { &self.upstream_v4 };
                sockets.get(usize::from(index))?.as_ref().map(|opened| opened.socket.as_fd())
            }
        }
    }

    /// Fills `ready` with the sockets that have datagrams now: those toward home servers first, for under overload a
    /// reply finishes work and a request begins it (CONFORMANCE: RFC 5080 §2.2.3).
    pub(super) fn ready(&self, ready: &mut Vec<Socket>) -> io::Result<()> {
        const AT_ONCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
        ready.clear();
        let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; Sockets::EVENTS];
        let events = match epoll::wait(&self.epoll, &mut events, Some(&AT_ONCE)) {
            Ok((events, _)) => events,
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let names = || events.iter().map(|event| name(event.data.u64()));
        ready.extend(names().filter(|socket| matches!(socket, Socket::Upstream(_))));
        ready.extend(names().filter(|socket| matches!(socket, Socket::Service(_))));
        Ok(())
    }

    /// Opens a port toward home servers: first the socket, then the gate, and only then may the engine use it.
    pub(super) fn open(&mut self, port: UpstreamPort) -> Result<(), OpenError> {
        let (socket, local) = open_upstream(&self.open, port.v6)?;
        if let Err(source) = watch(&self.epoll, &socket, Socket::Upstream(port)) {
            self.open.forget(local);
            return Err(OpenError::Bind { address: local.ip(), source });
        }
        self.close(port);
        let sockets = if port.v6 { &mut self.upstream_v6 } else { &mut self.upstream_v4 };
        let index = usize::from(port.index);
        if sockets.len() <= index {
            sockets.resize_with(index + 1, || None);
        }
        if let Some(slot) = sockets.get_mut(index) {
            *slot = Some(Opened { socket, local });
        }
        Ok(())
    }

    /// Closes a port that no reply is awaited at any more; the epoll instance forgets it with the socket.
    pub(super) fn close(&mut self, port: UpstreamPort) {
        let sockets = if port.v6 { &mut self.upstream_v6 } else { &mut self.upstream_v4 };
        if let Some(Opened { local, .. }) = sockets.get_mut(usize::from(port.index)).and_then(Option::take) {
            self.open.forget(local);
        }
    }

    /// No new requests from here on; replies to what is in flight still leave by the service sockets.
    pub(super) fn stop_services(&mut self) {
        for socket in &self.services {
            if let Err(error) = epoll::delete(&self.epoll, socket) {
                tracing::debug!(%error, "a service socket was not watched");
            }
        }
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        for Opened { local, .. } in self.upstream_v4.iter().chain(&self.upstream_v6).flatten() {
            self.open.forget(*local);
        }
    }
}

impl Upstream {
    /// Tells the gate that a port is no longer ours.
    pub fn forget(&self, local: SocketAddr) {
        if let Err(error) = self.gate.close(local) {
            tracing::debug!(%local, %error, "the gate did not know the port");
        }
    }
}

/// Opens a socket toward home servers and tells the gate, so that replies to it are admitted; gives it with our address.
///
/// # Errors
///
/// [`OpenError`]; nothing stays behind then.
pub fn open_upstream(upstream: &Upstream, v6: bool) -> Result<(UdpSocket, SocketAddr), OpenError> {
    let address = if v6 { upstream.ipv6 } else { upstream.ipv4 };
    let address = address.ok_or(OpenError::NoAddress { v6 })?;
    let options = sekisho_udp::Options {
        receive_buffer: Some(UPSTREAM_BUFFER),
        send_buffer: Some(UPSTREAM_BUFFER),
        ..sekisho_udp::Options::default()
    };
    let bind = |source| OpenError::Bind { address, source };
    let socket = sekisho_udp::bind(SocketAddr::new(address, 0), &options).map_err(bind)?;
    let local = socket.local_addr().map_err(bind)?;
    upstream.gate.open(local).map_err(|error| OpenError::Gate { local, reason: error.to_string() })?;
    Ok((socket, local))
}

/// Why a port toward home servers could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No address of that family to send from.
    #[error("no {} address toward home servers: set upstream.{}", family(*v6), family(*v6).to_ascii_lowercase())]
    NoAddress {
        /// IPv6 rather than IPv4.
        v6: bool,
    },
    /// The kernel refused the socket.
    #[error("cannot open a port toward home servers on {address}: {source}")]
    Bind {
        /// Our address.
        address: IpAddr,
        /// What the kernel said.
        source: io::Error,
    },
    /// The gate did not take the port: replies would be dropped.
    #[error("the gate does not take our port {local}: {reason}")]
    Gate {
        /// Our address and port.
        local: SocketAddr,
        /// What the gate said.
        reason: String,
    },
}

const fn family(v6: bool) -> &'static str {
    if v6 { "IPv6" } else { "IPv4" }
}

fn watch(epoll: &OwnedFd, socket: &UdpSocket, as_socket: Socket) -> io::Result<()> {
    // Level-triggered: what one round leaves unread, the next one finds.
    epoll::add(epoll, socket, epoll::EventData::new_u64(number(as_socket)), epoll::EventFlags::IN)?;
    Ok(())
}

const UPSTREAM: u64 = 1 << 32;
const V6: u64 = 1 << 33;

fn number(socket: Socket) -> u64 {
    match socket {
        Socket::Service(index) => u64::from(index),
        Socket::Upstream(port) => u64::from(port.index) | UPSTREAM | if port.v6 { V6 } else { 0 },
    }
}

fn name(number: u64) -> Socket {
    let index = (number & 0xffff) as u16;
    if number & UPSTREAM == 0 {
        Socket::Service(index)
    } else {
        Socket::Upstream(UpstreamPort { v6: number & V6 != 0, index })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn bound() -> UdpSocket {
        sekisho_udp::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), &sekisho_udp::Options::default()).unwrap()
    }

    #[test]
    fn replies_are_read_before_requests() {
        let service = bound();
        let to_service = service.local_addr().unwrap();
        let upstream = Upstream { ipv4: Some(Ipv4Addr::LOCALHOST.into()), ..Upstream::default() };
        let mut sockets = Sockets::new(vec![service], upstream).unwrap();
        let port = UpstreamPort { v6: false, index: 0 };
        sockets.open(port).unwrap();
        let to_upstream = sockets.upstream_v4[0].as_ref().unwrap().local;

        let peer = bound();
        peer.send_to(b"request", to_service).unwrap();
        peer.send_to(b"reply", to_upstream).unwrap();
        let mut ready = Vec::new();
        sockets.ready(&mut ready).unwrap();
        assert_eq!(ready, [Socket::Upstream(port), Socket::Service(0)]);

        sockets.stop_services();
        sockets.ready(&mut ready).unwrap();
        assert_eq!(ready, [Socket::Upstream(port)]);
    }

    #[test]
    fn a_port_that_is_closed_is_free_again_and_its_name_serves_for_another() {
        let upstream = Upstream { ipv4: Some(Ipv4Addr::LOCALHOST.into()), ..Upstream::default() };
        let mut sockets = Sockets::new(vec![bound()], upstream).unwrap();
        let port = UpstreamPort { v6: false, index: 1 };
        sockets.open(port).unwrap();
        let before = sockets.upstream_v4[1].as_ref().unwrap().local;
        sockets.close(port);
        assert!(sockets.get(Socket::Upstream(port)).is_none());
        UdpSocket::bind(before).unwrap();
        // Nobody minds a port that is not there.
        sockets.close(port);
        sockets.close(UpstreamPort { v6: true, index: 9 });

        sockets.open(port).unwrap();
        let after = sockets.upstream_v4[1].as_ref().unwrap().local;
        bound().send_to(b"reply", after).unwrap();
        let mut ready = Vec::new();
        sockets.ready(&mut ready).unwrap();
        assert_eq!(ready, [Socket::Upstream(port)]);
    }

    #[test]
    fn a_family_without_an_address_names_the_key_to_set() {
        let mut sockets = Sockets::new(vec![bound()], Upstream::default()).unwrap();
        let error = sockets.open(UpstreamPort { v6: true, index: 0 }).unwrap_err();
        assert!(error.to_string().contains("upstream.ipv6"), "{error}");
    }

    #[test]
    fn a_socket_keeps_its_name_through_epoll() {
        for socket in [
            Socket::Service(0),
            Socket::Service(63),
            Socket::Upstream(UpstreamPort { v6: false, index: 0 }),
            Socket::Upstream(UpstreamPort { v6: true, index: 1023 }),
        ] {
            assert_eq!(name(number(socket)), socket);
        }
    }
}
