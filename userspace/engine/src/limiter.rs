//! Rate limits where the kernel keeps none: the same buckets, in tables that all workers share.
//!
//! A packet is limited once. What comes in by an ingress with the gate in its kernel's path was charged there, and is not
//! charged again; everything else is charged here, in the same order and by the same functions (`sekisho_abi`).
//!
//! A client's own two buckets hang on its [`crate::health::ClientState`] and outlive a reload with it; those of its sessions are
//! in a table of fixed size. One limit exists in userspace only: that of an access network's logins for one realm, since whoever is
//! over that gets a Reject, and no silence.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use sekisho_abi::{
    BucketParams, Identity, Limits, Reason, Source,
    gcra::{self, Verdict, ticks},
    identity::{self, Found, nonzero},
    sessions::{self, SessionVerdict, Set},
    shed,
    siphash::SipHash,
};
use sekisho_wire::{code::Code, scan::Layout};

use crate::{
    snapshot::{Client, ClientId, RealmId, RoutingSnapshot},
    time::Time,
};

/// Sets of the table of (access network, realm): 16,384 buckets, in 256 KiB.
const REALM_SETS: u32 = 2048;
/// Octets of a RADIUS header (RFC 2865 §3), which attributes follow.
const HEADER: usize = 20;

/// Limits of one node. Shared by its workers, told by its shell.
pub struct Limiter {
    seed: [u64; 2],
    gated: AtomicU64,
    shed: AtomicU64,
    sessions: Sets,
    realms: Sets,
}

/// A client's buckets: its own, and that of its new sessions.
#[derive(Debug, Default)]
pub struct ClientBuckets {
    requests: AtomicU64,
    new_sessions: AtomicU64,
}

/// Whose buckets a request is charged to, and how deep they are.
#[derive(Clone, Copy)]
pub(crate) struct Charged<'s> {
    client: &'s Client,
    source: &'s Source,
}

impl<'s> Charged<'s> {
    /// A host that is terminal and dynamic-authorization client at once is charged as the terminal, for both.
    pub(crate) fn of(source: &'s Source, snapshot: &'s RoutingSnapshot, client: &'s Client) -> Charged<'s> {
        let client = match ClientId(source.id) {
            id if id == client.id => client,
            id => snapshot.client(id).map_or(client, |terminal| &**terminal),
        };
        Charged { client, source }
    }
}

/// Sets of buckets; their number is a power of two.
type Sets = Box<[Aligned]>;

/// A set of buckets on cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
struct Aligned(Set<AtomicU64>);

impl Limiter {
    /// Buckets for so many sessions, all of them full. `seed` keys the hash of what names a session, so that nobody outside can
    /// make two sessions one.
    pub fn new(seed: [u64; 2], max_sessions: u32) -> Limiter {
        Limiter {
            seed,
            gated: AtomicU64::new(0),
            shed: AtomicU64::new(shed::CALM),
            sessions: table(sessions::sets(max_sessions)),
            realms: table(REALM_SETS),
        }
    }

    /// Says where the kernel limits and sheds: bit `i` for the ingress with index `i`. What comes in there is not charged here.
    pub fn set_gated(&self, ingresses: u64) {
        self.gated.store(ingresses, Relaxed);
    }

    /// What is shed from now on of what comes in elsewhere: [`shed::CALM`], [`shed::INTERIMS`] or [`shed::STARTS`].
    pub fn set_shed(&self, level: u64) {
        self.shed.store(level, Relaxed);
    }

    /// What is shed.
    pub fn shed(&self) -> u64 {
        self.shed.load(Relaxed)
    }

    /// Whether what comes in by this ingress is limited here.
    #[inline]
    pub(crate) fn limits(&self, ingress: u32) -> bool {
        self.gated.load(Relaxed) >> (ingress & 63) & 1 == 0
    }

    /// Charges a request to its client's bucket.
    ///
    /// # Errors
    ///
    /// [`Reason::ClientRate`], [`Reason::Contended`].
    #[inline]
    pub(crate) fn charge(&self, now: Time, charged: &Charged<'_>) -> Result<(), Reason> {
        match gcra::charge(&charged.client.state.buckets.requests, charged.source.limits.client, ticks(now.0)) {
            Verdict::Admitted => Ok(()),
            Verdict::Over => Err(Reason::ClientRate),
            Verdict::Contended => Err(Reason::Contended),
        }
    }

    /// Charges a request that is well-formed to its session's bucket. What names no session is charged to none, nor is
    /// Status-Server.
    ///
    /// # Errors
    ///
    /// [`Reason::SessionRate`], [`Reason::NewSessionRate`], [`Reason::Contended`].
    #[inline]
    pub(crate) fn charge_session(
        &self,
        now: Time,
        charged: &Charged<'_>,
        packet: &[u8],
        layout: &Layout,
    ) -> Result<(), Reason> {
        let Limits { session, new_session, .. } = &charged.source.limits;
        if !(session.limits() || new_session.limits()) || layout.code == Code::STATUS_SERVER {
            return Ok(());
        }
        self.charge_named(now, charged, packet)
    }

    fn charge_named(&self, now: Time, charged: &Charged<'_>, packet: &[u8]) -> Result<(), Reason> {
        let Limits { session, new_session, .. } = charged.source.limits;
        let attributes = packet.get(HEADER..).unwrap_or_default();
        let Found { session: Some((kind, value)), .. } = identity::find(charged.source.identity, attributes) else {
            return Ok(());
        };
        let key = identity::session(self.seed, charged.client.id.0, kind, value);
        let new = (&charged.client.state.buckets.new_sessions, new_session);
        match sessions::charge(set(&self.sessions, key), key, session, ticks(now.0), new) {
            SessionVerdict::Admitted => Ok(()),
            SessionVerdict::Over => Err(Reason::SessionRate),
            SessionVerdict::OverNew => Err(Reason::NewSessionRate),
            SessionVerdict::Contended => Err(Reason::Contended),
        }
    }

    /// Whether a request goes because there is too much of everything, and why. Only accounting does.
    #[inline]
    pub(crate) fn sheds(&self, packet: &[u8], layout: &Layout) -> Option<Reason> {
        let level = self.shed();
        if level == shed::CALM || layout.code != Code::ACCOUNTING_REQUEST {
            return None;
        }
        let attributes = packet.get(HEADER..).unwrap_or_default();
        shed::shed(level, identity::find(Identity::NONE, attributes).status?)
    }

    /// Charges a login to the bucket of its access network's logins for its realm; those that no realm is found for have one
    /// together. `false`: there are too many of them.
    pub(crate) fn admits(&self, now: Time, client: &Client, realm: Option<RealmId>) -> bool {
        if !client.realm_limit.limits() {
            return true;
        }
        let realm = realm.map_or(u64::from(u32::MAX) + 1, |realm| u64::from(realm.0));
        let key = nonzero(SipHash::new(self.seed).word(u64::from(client.id.0)).word(realm).finish(16 << 56));
        let unlimited = (&AtomicU64::new(0), BucketParams::NONE);
        let verdict = sessions::charge(set(&self.realms, key), key, client.realm_limit, ticks(now.0), unlimited);
        verdict == SessionVerdict::Admitted
    }
}

/// Without the seed.
impl fmt::Debug for Limiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("gated", &self.gated).field("shed", &self.shed).finish_non_exhaustive()
    }
}

fn table(sets: u32) -> Sets {
    (0..sets).map(|_| Aligned::default()).collect()
}

/// The set that a key belongs to.
fn set(table: &Sets, key: u64) -> &Set<AtomicU64> {
    // The number of sets is a power of two, and fits 32 bits.
    &table[sessions::set_of(key, table.len() as u32) as usize].0
}
