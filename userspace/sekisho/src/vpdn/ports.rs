//! The sockets that probes leave by: one for each of our addresses toward LNSs.
//!
//! The host chooses the port, so that who would forge an answer must guess it. It is never 1701: whoever runs an LNS on this host
//! keeps its own.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use sekisho_engine::Time;
use sekisho_lns::l2tp::{PORT, TEARDOWN, Target, Transmit};
use tokio::{net::UdpSocket, sync::mpsc, task::JoinHandle, time::sleep};

/// An answer is shorter.
const DATAGRAM: usize = 2048;
/// Datagrams that wait for the prober; what is beyond that is lost, as on the way.
const WAITING: usize = 1024;
/// After an error a socket is left alone for so long.
const PAUSE: Duration = Duration::from_millis(100);

/// A datagram that has come: from where, to which of our addresses, and its payload.
pub(super) struct Datagram {
    pub(super) from: SocketAddr,
    pub(super) local: Option<IpAddr>,
    pub(super) bytes: Vec<u8>,
}

/// The sockets, by the address that they are bound to: unspecified where the host's routes are to say.
pub(super) struct Ports {
    open: HashMap<IpAddr, Port>,
    /// Addresses that could not be bound, and why; the operator has been told.
    failed: HashMap<IpAddr, String>,
    inlet: mpsc::Sender<Datagram>,
}

struct Port {
    socket: Arc<UdpSocket>,
    reader: JoinHandle<()>,
    /// Since when nobody needs it any more; tunnels may still be torn down by it.
    unneeded: Option<Time>,
}

impl Ports {
    /// None yet; what comes to them comes to the receiver.
    pub(super) fn new() -> (Ports, mpsc::Receiver<Datagram>) {
        let (inlet, outlet) = mpsc::channel(WAITING);
        (Ports { open: HashMap::new(), failed: HashMap::new(), inlet }, outlet)
    }

    /// Opens those that these targets need, again those that could not be opened before, and in time closes those that none needs.
    pub(super) fn provide<'t>(&mut self, now: Time, targets: impl Iterator<Item = &'t Target>) {
        let needed: HashSet<IpAddr> = targets.map(way).collect();
        self.failed.retain(|address, _| needed.contains(address));
        for (address, port) in &mut self.open {
            port.unneeded = if needed.contains(address) { None } else { port.unneeded.or(Some(now)) };
        }
        self.open.retain(|_, port| port.unneeded.is_none_or(|since| now < since + TEARDOWN + TEARDOWN));
        for address in needed {
            if self.open.contains_key(&address) {
                continue;
            }
            match self.bind(address) {
                Ok(port) => {
                    if self.failed.remove(&address).is_some() {
                        tracing::info!(%address, "LNSs can be probed from this address again");
                    }
                    self.open.insert(address, port);
                }
                Err(error) => self.fail(address, &error),
            }
        }
    }

    /// Why a target cannot be probed; `None`: it can.
    pub(super) fn trouble(&self, target: &Target) -> Option<&str> {
        self.failed.get(&way(target)).map(String::as_str)
    }

    /// Whether some address could not be bound.
    pub(super) fn has_trouble(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Sends a datagram. What does not leave is as good as lost on the way.
    pub(super) async fn send(&self, transmit: &Transmit) {
        let address = transmit.source.unwrap_or_else(|| unspecified(transmit.to.ip()));
        let Some(port) = self.open.get(&address) else { return };
        if let Err(error) = port.socket.send_to(&transmit.bytes, transmit.to).await {
            tracing::debug!(to = %transmit.to, %error, "a probe could not be sent");
        }
    }

    fn bind(&self, address: IpAddr) -> io::Result<Port> {
        let bind = || sekisho_udp::bind(SocketAddr::new(address, 0), &sekisho_udp::Options::default());
        let mut socket = bind()?;
        if socket.local_addr()?.port() == PORT {
            // The first is held meanwhile, so that the second gets another.
            socket = bind()?;
        }
        let socket = Arc::new(UdpSocket::from_std(socket)?);
        let local = (!address.is_unspecified()).then_some(address);
        let reader = tokio::spawn(read(Arc::clone(&socket), local, self.inlet.clone()));
        Ok(Port { socket, reader, unneeded: None })
    }

    fn fail(&mut self, address: IpAddr, error: &io::Error) {
        let key = if address.is_ipv4() { "l2tp.ipv4" } else { "l2tp.ipv6" };
        let reason = format!("it cannot be probed from {address} ({error}): correct its probe_from, or {key}");
        if self.failed.insert(address, reason).is_none() {
            tracing::error!(
                %address, %error,
                "LNSs that are to be probed from this address are not probed: correct their probe_from, or {key}; \
                 `ip address` shows the addresses of this host"
            );
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// The address that a target's socket is bound to.
fn way(target: &Target) -> IpAddr {
    target.source.unwrap_or_else(|| unspecified(target.address))
}

const fn unspecified(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    }
}

async fn read(socket: Arc<UdpSocket>, local: Option<IpAddr>, inlet: mpsc::Sender<Datagram>) {
    let mut buffer = vec![0; DATAGRAM];
    loop {
        match socket.recv_from(&mut buffer).await {
            Ok((len, from)) => {
                let bytes = buffer.get(..len).unwrap_or_default().to_vec();
                // A flood is nobody's answer.
                if let Err(mpsc::error::TrySendError::Closed(_)) = inlet.try_send(Datagram { from, local, bytes }) {
                    return;
                }
            }
            Err(error) => {
                tracing::debug!(%error, "a probe's socket refuses to receive");
                sleep(PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(source: &str) -> Target {
        Target {
            lns: sekisho_lns::LnsId(1),
            address: Ipv4Addr::LOCALHOST.into(),
            source: Some(source.parse().unwrap()),
            interval: Duration::from_secs(20),
            timeout: Duration::from_secs(4),
            secret: None,
            host_name: "tokyo".into(),
        }
    }

    fn at(seconds: u64) -> Time {
        Time::from_millis(seconds * 1000)
    }

    #[tokio::test]
    async fn an_address_that_is_not_ours_is_told_with_its_key() {
        let (mut ports, _inbox) = Ports::new();
        // TEST-NET-1: no host has it.
        let elsewhere = target("192.0.2.1");
        ports.provide(at(1), [&elsewhere].into_iter());
        assert!(ports.has_trouble());
        let trouble = ports.trouble(&elsewhere).unwrap();
        assert!(trouble.contains("192.0.2.1") && trouble.contains("l2tp.ipv4"), "{trouble}");
        let here = target("127.0.0.1");
        ports.provide(at(2), [&here].into_iter());
        assert!(!ports.has_trouble() && ports.trouble(&here).is_none());
    }

    #[tokio::test]
    async fn a_socket_that_nobody_needs_stays_until_tunnels_are_torn_down() {
        let (mut ports, _inbox) = Ports::new();
        ports.provide(at(1), [&target("127.0.0.1")].into_iter());
        ports.provide(at(2), [].into_iter());
        assert_eq!(ports.open.len(), 1);
        ports.provide(at(2) + TEARDOWN + TEARDOWN, [].into_iter());
        assert_eq!(ports.open.len(), 0);
    }
}
