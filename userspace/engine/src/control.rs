//! The control engine: one for all workers, owner of every home server's health.
//!
//! Workers report two facts through atomics (a verified reply; a request that went unanswered); this state machine turns
//! them into states, ten times a second:
//!
//! - alive → zombie: a request went unanswered for `response_window` (or for all the time of a client that waits less), and no
//!   verified reply has come since it was sent;
//! - zombie → alive: a verified reply; zombie → dead: none for `zombie_period`;
//! - dead → alive: a verified reply, or `revive_interval` has passed.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use crate::{
    health::Health,
    snapshot::{HomeId, HomeServer, RoutingSnapshot},
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

/// Decides on health.
#[derive(Debug)]
pub struct Control {
    snapshot: Arc<RoutingSnapshot>,
    next: Time,
    events: VecDeque<ControlEvent>,
}

impl Control {
    /// For the servers of this snapshot.
    pub fn new(snapshot: Arc<RoutingSnapshot>) -> Control {
        Control { snapshot, next: Time(0), events: VecDeque::new() }
    }

    /// Puts another snapshot in force.
    pub fn set_snapshot(&mut self, snapshot: Arc<RoutingSnapshot>) {
        self.snapshot = snapshot;
    }

    /// Looks at every home server.
    pub fn handle_timeout(&mut self, now: Time) {
        self.next = now + TICK;
        for home in self.snapshot.homes.iter().flatten() {
            let from = home.state.health();
            let to = decide(now, home, from);
            if to != from {
                home.state.enter(to, now);
                self.events.push_back(ControlEvent::HealthChanged { home: home.id, from, to });
            }
        }
    }

    /// When to call [`Control::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Time> {
        Some(self.next)
    }

    /// What has happened.
    pub fn poll_event(&mut self) -> Option<ControlEvent> {
        self.events.pop_front()
    }
}

fn decide(now: Time, home: &HomeServer, health: Health) -> Health {
    let state = &home.state;
    let (since, replied) = (state.since(), state.last_reply());
    match health {
        Health::Alive if state.last_unanswered() > replied.max(since) => Health::Zombie,
        Health::Zombie | Health::Dead if replied > since => Health::Alive,
        Health::Zombie if now >= since + home.zombie_period => Health::Dead,
        Health::Dead if now >= since + home.revive_interval => Health::Alive,
        unchanged => unchanged,
    }
}
