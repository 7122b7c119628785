//! The control engine: one for all workers, owner of every home server's health.
//!
//! Workers report two facts through atomics (a verified reply; a request that went unanswered), the `probing` of silent servers
//! adds a third (an answered Status-Server); this state machine turns them into states, ten times a second:
//!
//! - alive → zombie: `response_timeouts` requests in a row went unanswered for `response_window` (or for all the time of a client
//!   that waits less), and no verified reply has come since the last of them was sent;
//! - zombie → dead: neither a verified reply nor the answer to a probe for `zombie_period`;
//! - zombie or dead → alive: a verified reply; or with a `status_check` so many answered probes in a row as it asks for, without
//!   one, for a dead server, that `revive_interval` has passed;
//! - draining and down: as the operator says, whatever the server does. When it is to be used again, it begins alive.
//!
//! The ports of NASes that take dynamic authorization are always alive: there is nobody else to ask.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Duration};

use sekisho_wire::buf::Buf;

use crate::{
    health::Health,
    probing::Prober,
    random::Random,
    snapshot::{HomeId, HomeKind, HomeServer, HomeService, RoutingSnapshot},
    time::Time,
};

const TICK: Duration = Duration::from_millis(100);

/// What the shell should tell the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlEvent {
    /// A home server's state has changed.
    HealthChanged {
        /// Which.
        home: HomeId,
        /// What it was.
        from: Health,
        /// What it is.
        to: Health,
    },
}

/// A Status-Server to be sent, once and never again (RFC 5997 §4.1). Its answer goes to [`Control::handle_reply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Whom it asks.
    pub home: HomeId,
    /// Where that is.
    pub address: SocketAddr,
    /// The datagram.
    pub bytes: Vec<u8>,
}

/// Decides on health, and asks silent servers whether they live.
#[derive(Debug)]
pub struct Control {
    snapshot: Arc<RoutingSnapshot>,
    random: Random,
    /// By [`HomeId`].
    probers: Vec<Prober>,
    next: Time,
    events: VecDeque<ControlEvent>,
    probes: VecDeque<Probe>,
    scratch: Buf,
}

impl Control {
    /// For the servers of this snapshot; `seed` is for the Request Authenticators of probes, and nobody else's.
    pub fn new(snapshot: Arc<RoutingSnapshot>, seed: [u8; 32]) -> Control {
        Control {
            snapshot,
            random: Random::new(seed),
            probers: Vec::new(),
            next: Time(0),
            events: VecDeque::new(),
            probes: VecDeque::new(),
            scratch: Buf::new(),
        }
    }

    /// Puts another snapshot in force. [`Control::handle_timeout`] is due at once: what the operator wants of a server may have
    /// changed.
    pub fn set_snapshot(&mut self, snapshot: Arc<RoutingSnapshot>) {
        self.snapshot = snapshot;
        self.next = Time(0);
    }

    /// Looks at every home server. [`Control::poll_transmit`] and [`Control::poll_event`] afterwards.
    pub fn handle_timeout(&mut self, now: Time) {
        self.next = now + TICK;
        let snapshot = Arc::clone(&self.snapshot);
        if self.probers.len() < snapshot.homes.len() {
            self.probers.resize_with(snapshot.homes.len(), Prober::default);
        }
        for (prober, home) in self.probers.iter_mut().zip(&snapshot.homes) {
            let Some(home) = home else { continue };
            let from = home.state.health();
            let to = decide(now, home, from, prober.last_answer());
            if to != from {
                home.state.enter(to, now);
                self.events.push_back(ControlEvent::HealthChanged { home: home.id, from, to });
            }
            match home.status_check.filter(|_| matches!(to, Health::Zombie | Health::Dead)) {
                Some(check) => {
                    let bytes = prober.look(now, home, &check, &mut self.random);
                    self.probes.extend(bytes.map(|bytes| Probe { home: home.id, address: home.address, bytes }));
                }
                None => prober.stop(),
            }
        }
    }

    /// A datagram that came to a socket by which probes leave. It counts where it answers a probe that is still waited for, and
    /// verifies; everything else changes nothing.
    pub fn handle_reply(&mut self, now: Time, from: SocketAddr, datagram: &[u8]) {
        let Some(id) = self.snapshot.home_by_address.get(&from) else { return };
        let Some(home) = self.snapshot.home(*id) else { return };
        let (Some(check), Some(prober)) = (home.status_check, self.probers.get_mut(id.index())) else { return };
        if !prober.is_answered_by(now, home, datagram, &mut self.scratch) || prober.answers() < check.answers_to_alive {
            return;
        }
        prober.stop();
        let from = home.state.health();
        if matches!(from, Health::Zombie | Health::Dead) {
            home.state.enter(Health::Alive, now);
            self.events.push_back(ControlEvent::HealthChanged { home: home.id, from, to: Health::Alive });
        }
    }

    /// When to call [`Control::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        Some(self.next)
    }

    /// The next probe to send.
    pub fn poll_transmit(&mut self) -> Option<Probe> {
        self.probes.pop_front()
    }

    /// What has happened.
    pub fn poll_event(&mut self) -> Option<ControlEvent> {
        self.events.pop_front()
    }
}

fn decide(now: Time, home: &HomeServer, health: Health, probe_answered: Time) -> Health {
    match home.service {
        HomeService::Draining => return Health::Draining,
        HomeService::Down => return Health::Down,
        HomeService::Up if home.kind == HomeKind::DynAuth => return Health::Alive,
        HomeService::Up => {}
    }
    let state = &home.state;
    let (since, replied) = (state.since(), state.last_reply());
    let silent =
        || state.unanswered_in_a_row() >= home.response_timeouts.max(1) && state.last_unanswered() > replied.max(since);
    match health {
        Health::Alive if silent() => Health::Zombie,
        Health::Zombie | Health::Dead if replied > since => Health::Alive,
        Health::Zombie if now >= since.max(probe_answered) + home.zombie_period => Health::Dead,
        Health::Dead if home.status_check.is_none() && now >= since + home.revive_interval => Health::Alive,
        Health::Draining | Health::Down => Health::Alive,
        unchanged => unchanged,
    }
}
