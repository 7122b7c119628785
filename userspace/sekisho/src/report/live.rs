//! What is there for a moment: backlog and drops.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::backlog::kinds;

/// How much waits, and what is shed for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Backlog {
    /// The fullest of the workers' tables of requests: requests in flight as a share of `limits.max_requests`.
    pub tables: f64,
    /// The fullest of the service sockets' receive queues, as a share of its room.
    pub queues: f64,
    /// What is shed: 0 nothing, 1 Interim-Updates, 2 Starts too.
    pub shedding: u64,
    /// Seconds since something is.
    pub since: Option<f64>,
}

impl Backlog {
    /// `shedding Interim-Updates since 12 s: receive queues 83 % full`; `None` while nothing is shed.
    pub fn in_words(&self) -> Option<String> {
        let (kinds, since) = (kinds(self.shedding), self.since?);
        Some(format!("shedding {kinds} since {since:.0} s: {} full", self.fullest()))
    }

    /// `receive queues 83 %`: what is fullest.
    pub fn fullest(&self) -> String {
        let (what, share) = match self.queues > self.tables {
            true => ("receive queues", self.queues),
            false => ("tables of requests", self.tables),
        };
        format!("{what} {:.0} %", share * 100.0)
    }
}

/// Packets of one sender that were dropped for one reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drop {
    /// `kernel` or `userspace`.
    #[serde(rename = "where")]
    pub place: String,
    /// Source address.
    pub source: IpAddr,
    /// The interface that the last of them came in by.
    pub interface: Option<String>,
    /// Whose the source is; `None` for strangers and access networks.
    pub customer: Option<String>,
    /// Name of its contract, server or access network.
    pub name: Option<String>,
    /// Why.
    pub reason: String,
    /// Of a session over its limit: a keyed hash of what names it, as 16 hexadecimal digits.
    pub session: Option<String>,
    /// Per second, over the last three.
    pub rate: f64,
    /// Since the row has been there.
    pub total: u64,
    /// Seconds since the last one.
    pub last_seen: f64,
}
