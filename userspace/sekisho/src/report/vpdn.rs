//! `vpdn` contracts, LNSs, sessions and the journal, as they are seen.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Count, Histogram};

/// A `vpdn` contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpdn {
    /// Name of the contract.
    pub contract: String,
    /// The type of access networks that may ask for it: `D`, `K` or `I`.
    pub kind: String,
    /// Sessions.
    pub active: u32,
    /// Accepts whose Start has not come yet.
    pub pending: u32,
    /// Sessions at most, pending ones among them; 0: no limit.
    pub max_sessions: u32,
    /// Accepts with a tunnel, by why the LNS was chosen; all of them, also zeros.
    pub accepts: Vec<Count>,
    /// Rejects for want of an LNS, by why; all of them, also zeros.
    pub refused: Vec<Count>,
    /// Sessions whose end was asked for, so that they get the LNS that is due to them.
    pub rebalanced: u64,
    /// Names of its LNSs.
    pub lns: Vec<String>,
    /// How many of them may be given sessions: neither draining nor down.
    pub in_service: usize,
    /// Whether a preferred tier that is back waits for the operator's word (`failback = "manual"`).
    pub waits_for_failback: bool,
}

/// An LNS.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lns {
    /// Whose it is.
    pub customer: String,
    /// Its name, unique within the customer.
    pub name: String,
    /// What Tunnel-Server-Endpoint says of it.
    pub endpoint: String,
    /// `unknown`, `up`, `refusing`, `full`, `draining` or `down`.
    pub state: String,
    /// Why, in words.
    pub reason: String,
    /// Seconds in that state.
    pub since_seconds: f64,
    /// What its document wants: `up`, `draining` or `down`.
    pub document: String,
    /// What the operator has commanded, which goes before that.
    pub operator: Option<String>,
    /// Its share.
    pub weight: u32,
    /// Sessions at most, pending ones among them; 0: no limit.
    pub max_sessions: u32,
    /// Sessions.
    pub active: u32,
    /// Accepts whose Start has not come yet.
    pub pending: u32,
    /// Whether `active` has sessions in it that nothing but a day's silence would end.
    pub estimated: bool,
    /// How often it was chosen.
    pub chosen: u64,
    /// Sessions that started on it.
    pub started: u64,
    /// Of those, how many had been given to another.
    pub failed_over_to: u64,
    /// Sessions that had been given to it and started on another.
    pub failed_over_from: u64,
    /// Its last probe; `None`: there has been none, or it is not probed.
    pub probe: Option<LnsProbe>,
    /// Its probes by outcome; all of them, also zeros. Empty where it is not to be probed.
    pub probes: Vec<Count>,
    /// Access networks that get another, since their sessions fail on it.
    pub avoided_for: Vec<Avoided>,
    /// How often its state has changed.
    pub changes: u64,
    /// Names of the contracts that have it.
    pub contracts: Vec<String>,
}

impl Lns {
    /// Whether it may be given sessions.
    pub fn is_in_service(&self) -> bool {
        !matches!(self.state.as_str(), "draining" | "down")
    }

    /// Whether its last answer tells of something that is configured wrongly.
    pub fn is_misconfigured(&self) -> bool {
        self.probe.as_ref().is_some_and(|probe| probe.misconfigured)
    }
}

/// A probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LnsProbe {
    /// `up`, `full`, `draining`, `refused`, `wrong_secret` or `silent`.
    pub outcome: String,
    /// Seconds since it ended.
    pub age_seconds: f64,
    /// How long the answer took; `None` without one.
    pub latency_ms: Option<f64>,
    /// Whether the last answer tells of something that is configured wrongly, here or there.
    pub misconfigured: bool,
}

/// An access network that gets another LNS.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Avoided {
    /// Its name.
    pub network: String,
    /// For so long yet; 0: a trickle is let through.
    pub seconds: f64,
}

/// The table of sessions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SessionTable {
    /// Sessions that are followed.
    pub tracked: u64,
    /// Accepts whose Start has not come yet.
    pub reserved: u64,
    /// Sessions that found no room.
    pub untracked: u64,
    /// Accepts that found no room, and count from their Start only.
    pub unreserved: u64,
    /// Sessions that ended, by how: `stop`, `superseded`, `expired`, `restart`.
    pub ended: Vec<Count>,
    /// Sessions that the start has restored.
    pub restored: u64,
    /// Seconds since they were saved last; `None`: not since the start.
    pub saved: Option<f64>,
    /// Whether sessions, or what was said of LNSs by command, could not be saved the last time.
    pub unsaved: bool,
}

/// Accounting that ends here, and the journal that keeps it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// `journal.directory`.
    pub directory: PathBuf,
    /// Records written.
    pub written: u64,
    /// Records that had been written before.
    pub known: u64,
    /// Records that could not be written.
    pub refused: u64,
    /// From the first record of a batch to the disk's word.
    pub commits: Histogram,
    /// Octets of all segments.
    pub octets: u64,
    /// Segments; none where nothing has been recorded.
    pub segments: u64,
    /// Records that wait for a home server.
    pub waiting: u64,
    /// Whether the disk takes nothing at the moment.
    pub failing: bool,
    /// Accounting-Requests acknowledged since they are recorded here.
    pub recorded: u64,
    /// Accounting-Requests without an answer since they could not be recorded, or not in time.
    pub unrecorded: u64,
    /// Accounting-Requests acknowledged since they are recorded here, but not acknowledged by a home server that was told.
    pub untold: u64,
}

/// What `GET /sessions` gives. As it names subscribers, it has no `Debug` that could reach a log.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sessions {
    /// Sessions of `vpdn` contracts that are followed, in all.
    pub tracked: u64,
    /// Reservations of `vpdn` contracts, in all.
    pub reserved: u64,
    /// Sessions of `vpdn` contracts that found no room.
    pub untracked: u64,
    /// Sessions and reservations of hosted accounts, in all.
    pub hosted: u64,
    /// Sessions and reservations of hosted accounts that found no room.
    pub hosted_untracked: u64,
    /// How many are shown.
    pub shown: usize,
    /// Those that were asked for.
    pub sessions: Vec<Session>,
}

/// A session or a reservation. It names a subscriber: it is for whoever asks, and no log.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Whose.
    pub customer: String,
    /// Of which contract.
    pub contract: String,
    /// Whether it counts for a hosted account: it has no LNS then, nor what else is told of an LNS's session.
    pub hosted: bool,
    /// On which LNS, where that is known.
    pub lns: Option<String>,
    /// From which access network; of a hosted account's, from which client.
    pub network: String,
    /// User-Name; octets that are no UTF-8 are replaced.
    pub user: String,
    /// The number in its one form, or the IMSI.
    pub number: String,
    /// Its address.
    pub framed_ip: Option<std::net::IpAddr>,
    /// `active` or `reserved`.
    pub state: String,
    /// Seconds since its Start, by the clock of whoever accounts for it; of a reservation since the Accept.
    pub age_seconds: u64,
    /// Seconds since it was last heard of; not kept for a hosted account's.
    pub last_heard_seconds: Option<u64>,
    /// Seconds until it is over if nothing is heard.
    pub expires_seconds: u64,
    /// How many bearers it has; 0 where its access network tells of none.
    pub bearers: u32,
}

/// What `GET /lns` gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lnss {
    /// By customer and name.
    pub lns: Vec<Lns>,
}
