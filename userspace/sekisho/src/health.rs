//! The control engine's task: decides which home servers are alive, asks those that it doubts, and tells.

use std::{future::pending, net::SocketAddr, sync::Arc, time::Duration};

use sekisho_engine::{
    Control, ControlEvent,
    health::Health,
    snapshot::{HomeServer, RoutingSnapshot},
};
use tokio::net::UdpSocket;

use crate::{
    running::Running,
    worker::{OpenError, Upstream, open_upstream},
};

/// How long to sleep when the control engine waits for nothing.
const IDLE: Duration = Duration::from_secs(60);
/// The longest RADIUS packet; what is longer is none of ours.
const DATAGRAM: usize = 4096;

/// Runs the control engine until the task is dropped.
pub async fn run(running: Arc<Running>, upstream: Upstream) {
    let mut snapshots = running.control.subscribe();
    let mut snapshot = Arc::clone(&snapshots.borrow_and_update());
    let mut control = Control::new(Arc::clone(&snapshot), rand::random());
    let mut probing = Probing::new(upstream);
    let (mut v4, mut v6) = (vec![0; DATAGRAM], vec![0; DATAGRAM]);
    loop {
        let patience = control.poll_timeout().map_or(IDLE, |time| running.clock.until(time));
        tokio::select! {
            changed = snapshots.changed() => {
                if changed.is_err() {
                    return;
                }
                snapshot = Arc::clone(&snapshots.borrow_and_update());
                control.set_snapshot(Arc::clone(&snapshot));
            }
            (octets, from) = probing.v4.receive(&mut v4) => control.handle_reply(running.clock.now(), from, octets),
            (octets, from) = probing.v6.receive(&mut v6) => control.handle_reply(running.clock.now(), from, octets),
            () = tokio::time::sleep(patience) => {}
        }
        let now = running.clock.now();
        if control.poll_timeout().is_some_and(|time| time <= now) {
            control.handle_timeout(now);
        }
        while let Some(probe) = control.poll_transmit() {
            probing.send(probe.address, &probe.bytes).await;
        }
        while let Some(event) = control.poll_event() {
            tell(&snapshot, event);
        }
    }
}

fn tell(snapshot: &RoutingSnapshot, event: ControlEvent) {
    let ControlEvent::HealthChanged { home, from, to } = event;
    let Some(home) = snapshot.home(home) else { return };
    let customer = snapshot.customer_name(home.customer);
    let HomeServer { name: server, kind, address, .. } = home.as_ref();
    let (kind, from, to) = (kind.name(), from.name(), (to, to.name()));
    match to {
        (Health::Alive, to) => {
            tracing::info!(customer, server, kind, %address, from, to, "a home server counts as alive")
        }
        (Health::Zombie | Health::Dead, to) => {
            tracing::warn!(customer, server, kind, %address, from, to, "a home server does not answer");
        }
        (Health::Draining | Health::Down, to) => {
            tracing::info!(customer, server, kind, %address, from, to, "a home server is taken out of service");
        }
    }
}

/// The sockets that Status-Server leaves by, one for each family, opened when they are first needed.
struct Probing {
    v4: Port,
    v6: Port,
}

impl Probing {
    fn new(upstream: Upstream) -> Probing {
        let port = |v6| Port { v6, upstream: upstream.clone(), open: None, failed: false };
        Probing { v4: port(false), v6: port(true) }
    }

    /// Sends one probe. What does not leave is as good as lost on the way: the control engine sends another later.
    async fn send(&mut self, to: SocketAddr, octets: &[u8]) {
        let port = if to.is_ipv6() { &mut self.v6 } else { &mut self.v4 };
        let Some(socket) = port.socket() else { return };
        if let Err(error) = socket.send_to(octets, to).await {
            tracing::debug!(%to, %error, "a Status-Server could not be sent");
        }
    }
}

struct Port {
    v6: bool,
    upstream: Upstream,
    open: Option<(UdpSocket, SocketAddr)>,
    /// It could not be opened, and the operator has been told so.
    failed: bool,
}

impl Port {
    fn socket(&mut self) -> Option<&UdpSocket> {
        if self.open.is_none() {
            match self.open() {
                Ok(open) => (self.open, self.failed) = (Some(open), false),
                Err(error) if !self.failed => {
                    self.failed = true;
                    tracing::error!(%error, "home servers cannot be asked whether they live");
                }
                // The operator knows.
                Err(_) => {}
            }
        }
        self.open.as_ref().map(|(socket, _)| socket)
    }

    fn open(&self) -> Result<(UdpSocket, SocketAddr), OpenError> {
        let (socket, local) = open_upstream(&self.upstream, self.v6)?;
        let bind = |source| OpenError::Bind { address: local.ip(), source };
        Ok((UdpSocket::from_std(socket).map_err(bind)?, local))
    }

    /// The next datagram; never, while the socket is not open.
    async fn receive<'b>(&self, buffer: &'b mut [u8]) -> (&'b [u8], SocketAddr) {
        let Some((socket, _)) = &self.open else { return pending().await };
        loop {
            match socket.recv_from(buffer).await {
                Ok((len, from)) => return (buffer.get(..len).unwrap_or_default(), from),
                // Some home server's host says that nobody listens there: that is an answer too, but not a signed one.
                Err(error) => tracing::debug!(%error, "a probe's socket refuses to receive"),
            }
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Some((_, local)) = &self.open {
            self.upstream.forget(*local);
        }
    }
}
