//! What is kept of probes that are over, so that an LNS that has missed the end, or whose answer came too late, is told.
//!
//! Nothing here has a timer: the LNS repeats what it has to say until it is answered, and each of its messages gets one of ours.
//! Where even the end of a tunnel was given up, the LNS's next Hello on it is answered by another StopCCN.

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use super::{
    Target, Transmit,
    packet::{self, Header, Kind, Message},
};
use crate::time::Time;

/// A full retransmission cycle (RFC 2661 §5.8: five repetitions after 1, 2, 4, 8 and 8 s, and 8 s of waiting) after a Hello, which
/// an idle tunnel has after a minute (§5.5).
const KEEP: Duration = Duration::from_secs(100);
/// No more than that are kept; of more the oldest is forgotten. 40 octets each.
const MOST: usize = 16_384;

/// What remains of one probe.
#[derive(Debug)]
pub(super) struct Remains {
    pub(super) target: Arc<Target>,
    /// Our number of the tunnel.
    pub(super) own: u16,
    /// The peer's, if we ever knew it.
    pub(super) peer: Option<u16>,
}

impl Remains {
    pub(super) fn answers_from(&self, from: SocketAddr, local: Option<IpAddr>) -> bool {
        self.target.answers_from(from, local)
    }

    /// The answer to a message for a tunnel that is no more.
    pub(super) fn answer(&self, from: SocketAddr, message: &Message<'_>) -> Option<Transmit> {
        let tunnel = message.assigned.or(self.peer)?;
        // Numbered as the peer expects: we may have sent more than it has had.
        let Header { ns, nr, .. } = message.header;
        let header = Header { tunnel, ns: nr, nr: ns.wrapping_add(1) };
        let bytes = match message.kind {
            Kind::Zlb => return None,
            Kind::StopCcn => packet::zlb(header),
            _ => packet::stop_ccn(header, self.own),
        };
        Some(Transmit { source: self.target.source, to: SocketAddr::new(self.target.address, from.port()), bytes })
    }
}

/// The remains of all, by our number of the tunnel; these numbers are not given to new tunnels.
#[derive(Debug, Default)]
pub(super) struct Kept {
    remains: HashMap<u16, Remains>,
    /// In the order of their ends.
    ends: VecDeque<(Time, u16)>,
}

impl Kept {
    /// What remains of a probe, until it is old.
    pub(super) fn get(&mut self, now: Time, own: u16) -> Option<&Remains> {
        self.forget(now, MOST);
        self.remains.get(&own)
    }

    pub(super) fn contains(&self, own: u16) -> bool {
        self.remains.contains_key(&own)
    }

    pub(super) fn insert(&mut self, now: Time, remains: Remains) {
        self.forget(now, MOST - 1);
        self.ends.push_back((now, remains.own));
        self.remains.insert(remains.own, remains);
    }

    /// Forgets what is old, and what is more than `most`.
    fn forget(&mut self, now: Time, most: usize) {
        while let Some((ended, own)) = self.ends.front()
            && (now >= *ended + KEEP || self.ends.len() > most)
        {
            self.remains.remove(own);
            self.ends.pop_front();
        }
    }
}
