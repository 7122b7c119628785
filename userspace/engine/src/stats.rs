//! Counters that one worker writes and anybody reads.
//!
//! A counter has a single writer, so an increment is a load and a store, without a locked instruction; readers see every
//! value, a moment late. Each worker's block stands on cache lines of its own.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use sekisho_abi::Reason;

/// A count that one worker writes.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds; by the one writer only.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(n), Relaxed);
    }

    /// Adds one; by the one writer only.
    #[inline]
    pub fn increment(&self) {
        self.add(1);
    }

    /// Replaces the value (of a gauge); by the one writer only.
    #[inline]
    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    /// Reads.
    pub fn read(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// One block for each worker, each on cache lines of its own.
#[derive(Debug)]
pub struct PerWorker<T>(Box<[Padded<T>]>);

#[derive(Debug, Default)]
#[repr(align(128))]
struct Padded<T>(T);

impl<T: Default> PerWorker<T> {
    /// Blocks for `workers` workers (at least one).
    pub fn new(workers: usize) -> PerWorker<T> {
        PerWorker((0..workers.max(1)).map(|_| Padded::default()).collect())
    }
}

impl<T> PerWorker<T> {
    /// The block of one worker; the first for a worker beyond the number given at the start.
    #[inline]
    pub fn worker(&self, index: usize) -> &T {
        let index = if index < self.0.len() { index } else { 0 };
        &self.0[index].0
    }

    /// All blocks.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|padded| &padded.0)
    }

    /// The sum of one counter over the workers.
    pub fn sum(&self, counter: impl Fn(&T) -> &Counter) -> u64 {
        self.iter().map(|block| counter(block).read()).sum()
    }
}

/// Upper bounds of the latency buckets in microseconds; one more bucket takes what is longer.
pub const LATENCY_BOUNDS_US: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// How long answers took: in each bucket a count and a sum of nanoseconds.
#[derive(Debug, Default)]
pub struct Latency {
    buckets: [(Counter, Counter); LATENCY_BOUNDS_US.len() + 1],
}

impl Latency {
    /// Records one answer.
    #[inline]
    pub fn record(&self, nanoseconds: u64) {
        let us = nanoseconds.div_ceil(1000);
        let bucket = LATENCY_BOUNDS_US.iter().position(|bound| us <= *bound).unwrap_or(LATENCY_BOUNDS_US.len());
        self.buckets[bucket].0.increment();
        self.buckets[bucket].1.add(nanoseconds);
    }

    /// Count and nanoseconds of each bucket, in the order of [`LATENCY_BOUNDS_US`], the open one last.
    pub fn read(&self) -> [(u64, u64); LATENCY_BOUNDS_US.len() + 1] {
        std::array::from_fn(|i| (self.buckets[i].0.read(), self.buckets[i].1.read()))
    }
}

/// Replies by code.
#[derive(Debug, Default)]
pub struct Replies {
    /// Access-Accept (2).
    pub accept: Counter,
    /// Access-Reject (3).
    pub reject: Counter,
    /// Access-Challenge (11).
    pub challenge: Counter,
    /// Accounting-Response (5).
    pub accounting: Counter,
    /// Disconnect-ACK (41).
    pub disconnect_ack: Counter,
    /// Disconnect-NAK (42).
    pub disconnect_nak: Counter,
    /// CoA-ACK (44).
    pub coa_ack: Counter,
    /// CoA-NAK (45).
    pub coa_nak: Counter,
}

impl Replies {
    /// The counter of a code; `None` for a code that is no reply to a request we take.
    pub fn of(&self, code: u8) -> Option<&Counter> {
        Some(match code {
            2 => &self.accept,
            3 => &self.reject,
            5 => &self.accounting,
            11 => &self.challenge,
            41 => &self.disconnect_ack,
            42 => &self.disconnect_nak,
            44 => &self.coa_ack,
            45 => &self.coa_nak,
            _ => return None,
        })
    }
}

/// Labels of [`Replies`] in the order of metrics.
pub const REPLY_CODES: [(u8, &str); 8] = [
    (2, "accept"),
    (3, "reject"),
    (11, "challenge"),
    (5, "accounting"),
    (41, "disconnect_ack"),
    (42, "disconnect_nak"),
    (44, "coa_ack"),
    (45, "coa_nak"),
];

/// Replies of home servers that became a Reject because of what was in them.
#[derive(Debug, Default)]
pub struct Withheld {
    /// Accepts with Service-Type Administrative or NAS-Prompt, for clients that must not grant these.
    pub service_type: Counter,
    /// Accepts with an address or prefix outside the contract's networks.
    pub framed_address: Counter,
    /// Challenges beyond [`crate::Limits::max_challenges`] in one conversation.
    pub challenges: Counter,
    /// Accepts and Challenges with more than 1024 octets of State and Class.
    pub kept_octets: Counter,
    /// Answers to an access network's logins that could not be made its own: too long, with what has to be added.
    pub unusable: Counter,
}

/// What one worker did.
#[derive(Debug)]
pub struct WorkerStats {
    /// Datagrams received on service sockets.
    pub requests_received: Counter,
    /// Datagrams received on upstream sockets.
    pub replies_received: Counter,
    /// Access-Requests verified.
    pub access: Counter,
    /// Accounting-Requests verified.
    pub accounting: Counter,
    /// Status-Server requests verified.
    pub status: Counter,
    /// Disconnect-Requests verified.
    pub disconnect: Counter,
    /// CoA-Requests verified.
    pub coa: Counter,
    /// Attributes of CoA- and Disconnect-Requests left out because no NAS could decrypt them.
    pub hidden: Counter,
    /// Replies sent to clients, by code.
    pub replies: Replies,
    /// Requests forwarded for the first time.
    pub forwarded: Counter,
    /// Upstream copies sent again because the client repeated its request.
    pub retransmitted: Counter,
    /// Requests moved to another home server.
    pub failed_over: Counter,
    /// Replies repeated from the cache.
    pub repeated: Counter,
    /// Requests that took the place of an older one with the same key.
    pub superseded: Counter,
    /// Requests that got no answer within the client's budget.
    pub expired: Counter,
    /// Rejects that were held back for `reject_delay`.
    pub delayed: Counter,
    /// Rejects sent at once because too many were being held back.
    pub undelayed: Counter,
    /// Access-Requests that got a Reject because nobody answered them within the client's budget.
    pub rejected_unanswered: Counter,
    /// Access-Requests that got a Reject because every server of their pool was dead or out of service.
    pub rejected_down: Counter,
    /// Access-Requests of access networks that got a Reject because there were too many for their realm.
    pub rejected_limited: Counter,
    /// Access-Requests of access networks that got a Reject, at once, because there was no room for them.
    pub rejected_full: Counter,
    /// Access-Requests whose EAP-Identity is another name than their User-Name.
    pub identities_differ: Counter,
    /// Replies that became a Reject.
    pub withheld: Withheld,
    /// Salted attributes (Tunnel-Password, MPPE keys) that could not be decrypted and were left out.
    pub undecryptable: Counter,
    /// Proxy loops detected.
    pub loops: Counter,
    /// Gauge: requests in flight.
    pub in_flight: Counter,
    /// Gauge: answers remembered for retransmissions.
    pub remembered: Counter,
    /// Gauge: hosted accounts' hashes that are being checked, or wait for that.
    pub looked_for: Counter,
    /// Gauge: upstream ports open.
    pub ports: Counter,
    /// Accounting that went to several pools (-On and -Off), or to a home server while it is recorded here.
    pub fanned_out: Counter,
    /// Accounting-Requests answered because they are recorded here.
    pub recorded: Counter,
    /// Accounting-Requests that got no answer because they could not be recorded, or not in time.
    pub unrecorded: Counter,
    /// Accounting-Requests that are recorded and acknowledged here, but not acknowledged by every home server that was to be told.
    pub untold: Counter,
    /// Logins of access networks that only asked whether we are there.
    pub keepalives: Counter,
    /// Sessions of `vpdn` contracts that a Stop has ended.
    pub sessions_stopped: Counter,
    /// Sessions of `vpdn` contracts that have ended because their device has begun another: their Stop was lost.
    pub sessions_superseded: Counter,
    /// Packets dropped, by [`Reason`].
    pub dropped: [Counter; Reason::COUNT],
}

impl Default for WorkerStats {
    fn default() -> WorkerStats {
        WorkerStats {
            requests_received: Counter::default(),
            replies_received: Counter::default(),
            access: Counter::default(),
            accounting: Counter::default(),
            status: Counter::default(),
            disconnect: Counter::default(),
            coa: Counter::default(),
            hidden: Counter::default(),
            replies: Replies::default(),
            forwarded: Counter::default(),
            retransmitted: Counter::default(),
            failed_over: Counter::default(),
            repeated: Counter::default(),
            superseded: Counter::default(),
            expired: Counter::default(),
            delayed: Counter::default(),
            undelayed: Counter::default(),
            rejected_unanswered: Counter::default(),
            rejected_down: Counter::default(),
            rejected_limited: Counter::default(),
            rejected_full: Counter::default(),
            identities_differ: Counter::default(),
            withheld: Withheld::default(),
            undecryptable: Counter::default(),
            loops: Counter::default(),
            in_flight: Counter::default(),
            remembered: Counter::default(),
            looked_for: Counter::default(),
            ports: Counter::default(),
            fanned_out: Counter::default(),
            recorded: Counter::default(),
            unrecorded: Counter::default(),
            untold: Counter::default(),
            keepalives: Counter::default(),
            sessions_stopped: Counter::default(),
            sessions_superseded: Counter::default(),
            dropped: std::array::from_fn(|_| Counter::default()),
        }
    }
}

impl WorkerStats {
    /// Counts a drop.
    #[inline]
    pub fn count_drop(&self, reason: Reason) {
        self.dropped[reason as usize].increment();
    }
}

/// What a customer's clients sent and got.
#[derive(Debug, Default)]
pub struct CustomerStats {
    /// Requests verified.
    pub requests: Counter,
    /// Replies sent, by code.
    pub replies: Replies,
    /// Packets from registered clients dropped, of whatever reason.
    pub dropped: Counter,
    /// Requests for no realm, an unknown one, another customer's, or one without a serving contract.
    pub unroutable: Counter,
}

/// What was asked of a realm.
#[derive(Debug, Default)]
pub struct RealmStats {
    /// Requests routed to it.
    pub requests: Counter,
    /// Replies sent, by code.
    pub replies: Replies,
    /// Requests that got no answer.
    pub expired: Counter,
    /// From a request's arrival to its reply.
    pub latency: Latency,
}

/// What a `vpdn` contract's logins got.
#[derive(Debug, Default)]
pub struct VpdnStats {
    /// Accepts with a tunnel, by why its LNS was chosen.
    pub chosen: Chosen,
    /// Rejects because no LNS could be given.
    pub refused: Refused,
    /// Sessions whose end was asked for at their NAS, so that they get the LNS that is due to them.
    pub rebalanced: Counter,
}

/// Why an LNS was chosen.
#[derive(Debug, Default)]
pub struct Chosen {
    /// The contract's only one.
    pub lone: Counter,
    /// By the strategy of the first tier.
    pub strategy: Counter,
    /// By the strategy of a further tier: those before had none to use.
    pub further_tier: Counter,
    /// The device holds a session or a reservation there.
    pub again: Counter,
    /// The device had it before.
    pub sticky: Counter,
    /// For overflow: all others were full.
    pub overflow: Counter,
    /// As if all were up, since all are down.
    pub fail_open: Counter,
}

/// Why no LNS was given.
#[derive(Debug, Default)]
pub struct Refused {
    /// All are down, draining or taken out of service.
    pub all_down: Counter,
    /// All are full.
    pub all_full: Counter,
    /// The contract has all its sessions.
    pub contract_full: Counter,
    /// The customer has all its sessions.
    pub customer_full: Counter,
}

/// What a `group` contract's logins got, those of access networks among them.
#[derive(Debug, Default)]
pub struct GroupStats {
    /// Accepts.
    pub accepts: Counter,
    /// Challenges.
    pub challenges: Counter,
    /// Rejects, by why.
    pub rejected: Rejected,
    /// Passwords that were compared here, also in the place of an unknown user's.
    pub compared: Counter,
    /// Hashes that were handed out to be checked, also in the place of an unknown user's.
    pub lookups: Counter,
}

/// Why a login for a hosted account was refused. Whoever logs in is not told.
#[derive(Debug, Default)]
pub struct Rejected {
    /// There is no such account.
    pub unknown: Counter,
    /// The password, or what proves it, is wrong.
    pub password: Counter,
    /// The account is not enabled.
    pub disabled: Counter,
    /// The account has expired.
    pub expired: Counter,
    /// It came from a number that is not the account's.
    pub calling: Counter,
    /// The account, or the contract, has all its sessions.
    pub sessions: Counter,
    /// There were too many failures before it.
    pub locked: Counter,
    /// It proves itself in no way that the contract allows, or in none at all.
    pub protocol: Counter,
    /// Too many hashes were being checked, or none was checked in time.
    pub busy: Counter,
}

/// What one port of a home server got and gave.
#[derive(Debug, Default)]
pub struct HomeStats {
    /// Requests sent for the first time.
    pub requests: Counter,
    /// Upstream copies sent again.
    pub retransmitted: Counter,
    /// Verified replies, by code.
    pub replies: Replies,
    /// Requests not answered within `response_window`, or in all the time of a client that waits less.
    pub timeouts: Counter,
    /// Replies that did not verify, or without the Message-Authenticator that the server has sent before.
    pub forged: Counter,
    /// Verified replies that became a Reject because of what was in them.
    pub withheld: Counter,
    /// Replies that no request waited for.
    pub unmatched: Counter,
    /// Copies of accounting records sent; also among the requests.
    pub copies: Counter,
    /// Copies that it was not sent: it was dead or out of service, or had no identifier free.
    pub copies_skipped: Counter,
    /// Gauge: requests outstanding.
    pub outstanding: Counter,
    /// From sending upstream to the verified reply.
    pub latency: Latency,
}
