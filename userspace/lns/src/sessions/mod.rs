//! Sessions, counted from accounting.
//!
//! One table for all workers. An Accept keeps a place ([`Sessions::attach`]); the Start turns that into a session, Interims show that it
//! goes on, the Stop ends it. What is lost, doubled or late on the way changes nothing for good: an Interim stands in for a
//! Start, an ended session is remembered so that nothing late brings it back, a device that comes again has ended what it had, and
//! what is silent for too long expires ([`Sessions::sweep`]).
//!
//! # What counts for whom
//!
//! Each session and each reservation counts for its LNS, its contract and its customer ([`crate::load::Load`]), exactly: a record is
//! counted where it is put in and taken out, under one lock. Limits are looked at when an LNS is chosen and taken up by the attach
//! after it; workers that do so at the same moment do not see each other, so a limit is overshot by one less than the number of
//! workers at most, and only by sessions that were being accepted at that moment.
//!
//! # Whose word counts
//!
//! A session is known by its verified source and the identity that this source gives it; no packet reaches beyond its source. A NAS's
//! restart ends what the same source has reported of the same NAS. The caller decides which source accounts for a contract, and
//! passes no other's reports: a session that its LAC and its LNS both report would count twice.
//!
//! # Cost
//!
//! Each call takes the lock of one shelf, some hundred records of two million; a Start, a Stop and an attach that ends an older session
//! take a second one after the first, and a Start whose LNS only the reservation knows a third. At its bound of a million
//! sessions, each with a device, a number of 12 octets and a User-Name of 25, the table takes 266 octets a session
//! (`tests/allocation.rs`), 285 with what the allocator keeps beside that. `benches/sessions.rs` says how long all takes.
//!
//! # A session's life
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use sekisho_lns::{ContractId, CustomerId, LnsId, Loads, SourceId, Time, sessions::*};
//!
//! let loads = Arc::new(Loads::new());
//! let sessions = Sessions::new(Settings::default(), [0; 16], loads.clone());
//! let (source, contract, customer, lns) = (SourceId(0), ContractId(0), CustomerId(0), LnsId(0));
//! let (number, user) = (&b"819012345678"[..], &b"alice@a.example"[..]);
//! let device = sessions.key(&[b"device", b"acme", b"vpdn-1", number, b"internet.a.example"]);
//!
//! // The Accept: `lns` was chosen.
//! let attach = Attach {
//!     source,
//!     who: Who::Device(device),
//!     contract,
//!     customer,
//!     lns,
//!     number,
//!     user,
//!     sticky: None,
//!     accounted: true,
//! };
//! assert!(sessions.attach(Time::from_millis(0), &attach).tracked);
//! assert_eq!(loads.lns(lns).load.pending(), 1);
//!
//! // Its accounting.
//! let report = Report {
//!     source,
//!     nas: Some(sessions.key(&[b"nas", b"pgw-1"])),
//!     session: sessions.key(&[b"session", b"pgw-1", b"0000002a"]),
//!     bearer: None,
//!     last: false,
//!     device: Some(device),
//!     contract,
//!     customer,
//!     lns: Some(lns),
//!     user,
//!     number,
//!     framed_ip: None,
//!     handle: None,
//!     event: 1_800_000_000,
//!     session_time: None,
//!     session_timeout: None,
//!     interim: Some(Duration::from_secs(600)),
//!     sticky: None,
//! };
//! assert_eq!(sessions.start(Time::from_millis(2_000), &report).effect, Effect::Started);
//! assert_eq!((loads.lns(lns).load.pending(), loads.lns(lns).load.active()), (0, 1));
//! let stop = Report { event: report.event + 60, ..report };
//! let outcome = sessions.stop(Time::from_millis(62_000), &stop);
//! assert_eq!((outcome.effect, outcome.lived), (Effect::Ended, true));
//! assert_eq!(loads.contract(contract).total(), 0);
//! ```

mod account;
mod attach;
mod books;
mod check;
mod devices;
mod end;
mod expiry;
mod key;
mod record;
mod report;
mod restart;
mod shelf;
mod shelves;
mod snapshot;
mod sweep;
mod view;

use std::{
    fmt,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    time::Duration,
};

pub use attach::{Attach, Attached, NoStart, Who};
pub use check::Mismatch;
pub use devices::Remembered;
pub use key::Key;
pub use record::Handle;
pub use report::{Effect, FailedOver, Outcome, Report};
pub use snapshot::{Kind, Naming, Restored, Written};
pub use sweep::Swept;
pub use view::{Filter, SessionView};

use self::{
    books::Books, devices::Devices, record::seconds, restart::Restarts, shelf::Shelf, shelves::Shelves, sweep::Hand,
};
use crate::{Time, loads::Loads};

/// Bounds and times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Sessions at most; devices that are remembered without one, as many again. Of more sessions only their number is known.
    pub max_sessions: usize,
    /// Reservations at most; sessions whose end is remembered, as many again.
    pub max_reservations: usize,
    /// How much of both one customer may take, in hundredths: equipment of one that reports sessions without end must not take the room
    /// of the others.
    pub customer_share: u8,
    /// How long a place is kept for a session: 60 s to 120 s.
    pub reservation: Duration,
    /// A session that ends so soon after its beginning is a failure of its LNS; zero: none is.
    pub short: Duration,
    /// A session of which nothing says when it will be heard of again is over after this time.
    pub without_interims: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_sessions: 1_000_000,
            max_reservations: 250_000,
            customer_share: 50,
            reservation: Duration::from_secs(90),
            short: Duration::from_secs(5),
            without_interims: Duration::from_secs(86_400),
        }
    }
}

/// The sessions of all customers.
pub struct Sessions {
    settings: Settings,
    seed: [u8; 16],
    books: Books,
    sessions: Shelves<Shelf>,
    devices: Shelves<Devices>,
    restarts: Restarts,
    hand: Mutex<Hand>,
}

/// Records in the table, and what did not get into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions.
    pub sessions: usize,
    /// Reservations.
    pub reservations: usize,
    /// Devices without a session, whose last LNS is remembered.
    pub memories: usize,
    /// Sessions whose end is remembered.
    pub ended: usize,
    /// Sessions that found no room, since the process began: where this grows, all counts are too low.
    pub untracked: u64,
    /// Reservations that found no room.
    pub refused: u64,
}

impl Sessions {
    /// None. The seed must be random and secret: with it anyone can make up identities that collide.
    pub fn new(settings: Settings, seed: [u8; 16], loads: Arc<Loads>) -> Sessions {
        // As many shelves of devices as of sessions: the sweep visits them together.
        let records = settings.max_sessions;
        Sessions {
            settings,
            seed,
            books: Books::new(&settings, loads),
            sessions: Shelves::new(records),
            devices: Shelves::new(records),
            restarts: Restarts::default(),
            hand: Mutex::default(),
        }
    }

    /// A key of an identity: a label, names and octets of packets; no [`crate::LnsId`] or its like, whose numbers another process
    /// gives otherwise.
    pub fn key(&self, parts: &[&[u8]]) -> Key {
        Key::of(&self.seed, parts)
    }

    /// What is known of a device that attaches, for [`crate::balance::Ask`].
    pub fn remembered(&self, now: Time, device: Key) -> Remembered {
        self.devices.view(self.devices.of(device.half()), |shelf| shelf.remembered(seconds(now), device))
    }

    /// How many records there are.
    pub fn counts(&self) -> Counts {
        Counts {
            sessions: self.books.sessions.now(),
            reservations: self.books.reservations.now(),
            memories: self.books.memories.now(),
            ended: self.books.ended.now(),
            untracked: self.books.untracked.load(Relaxed),
            refused: self.books.refused.load(Relaxed),
        }
    }
}

/// Without the seed, and without anybody's sessions.
impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("settings", &self.settings)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
