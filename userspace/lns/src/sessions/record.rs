//! What is kept of sessions, reservations and devices: the size of these is what a million sessions cost.

use std::{net::IpAddr, num::NonZeroU64, time::Duration};

use arrayvec::ArrayVec;
use hashbrown::{HashTable, hash_table::Entry};

use super::{key::Key, shelves::hash};
use crate::{ContractId, CustomerId, LnsId, SourceId, Time};

/// The beginning of a process's life, so that what another process heard before has a time as well: 34 years.
const BEGINNING: u64 = 1 << 30;

/// Seconds of the process's life, after [`BEGINNING`]: as exact as sessions need it, and half as large as a [`Time`].
pub(super) fn seconds(now: Time) -> u32 {
    (now.0 / 1_000_000_000 + BEGINNING).min(u64::from(u32::MAX)) as u32
}

/// A length of time in seconds, rounded up.
pub(super) fn whole_seconds(duration: Duration) -> u32 {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    seconds.min(u64::from(u32::MAX)) as u32
}

/// Unix seconds, until 2106.
pub(super) fn unix(seconds: u64) -> u32 {
    seconds.min(u64::from(u32::MAX)) as u32
}

/// An LNS, or none, in four octets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct At(pub(super) u32);

impl At {
    pub(super) const NOWHERE: At = At(u32::MAX);

    pub(super) fn id(self) -> Option<LnsId> {
        (self != At::NOWHERE).then_some(LnsId(self.0))
    }
}

impl From<Option<LnsId>> for At {
    fn from(lns: Option<LnsId>) -> At {
        lns.map_or(At::NOWHERE, |lns| At(lns.0))
    }
}

/// What a session or a reservation counts for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) contract: ContractId,
    pub(super) customer: CustomerId,
    pub(super) lns: At,
}

/// A subscriber's number (canonical digits) and user name, and how its NAS is told which session is meant ([`Handle`]), in one allocation;
/// none where all are empty.
#[derive(Clone, Default)]
pub(super) struct Names(Box<[u8]>);

impl Names {
    /// Of number and handle only the first 255 octets are kept.
    pub(super) fn new(number: &[u8], user: &[u8], handle: &[u8]) -> Names {
        let [number, handle] = [number, handle].map(|part| &part[..part.len().min(usize::from(u8::MAX))]);
        match (number, user, handle) {
            ([], [], []) => Names::default(),
            _ => {
                let lengths = [number.len() as u8, handle.len() as u8];
                Names([&lengths, number, handle, user].concat().into_boxed_slice())
            }
        }
    }

    pub(super) fn number(&self) -> &[u8] {
        self.parts()[0]
    }

    pub(super) fn handle(&self) -> &[u8] {
        self.parts()[1]
    }

    pub(super) fn user(&self) -> &[u8] {
        self.parts()[2]
    }

    /// Whether nothing says who it is.
    pub(super) fn is_nameless(&self) -> bool {
        self.number().is_empty() && self.user().is_empty()
    }

    fn parts(&self) -> [&[u8]; 3] {
        let [number, handle, rest @ ..] = &*self.0 else { return [&[]; 3] };
        let (number, rest) = rest.split_at(usize::from(*number).min(rest.len()));
        let (handle, user) = rest.split_at(usize::from(*handle).min(rest.len()));
        [number, handle, user]
    }
}

/// Where a session can be ended, and by what name: the NAS's address, and the Acct-Session-Id as that NAS has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle<'a> {
    /// Where its reports come from.
    pub nas: IpAddr,
    /// Acct-Session-Id, of which 238 octets are kept.
    pub id: &'a [u8],
}

impl Handle<'_> {
    /// As octets: how many the address has, the address, the rest.
    pub(super) fn octets(&self) -> ArrayVec<u8, 255> {
        let mut octets = ArrayVec::new();
        match self.nas {
            IpAddr::V4(v4) => {
                octets.push(4);
                octets.extend(v4.octets());
            }
            IpAddr::V6(v6) => {
                octets.push(16);
                octets.extend(v6.octets());
            }
        }
        let room = octets.remaining_capacity();
        octets.extend(self.id.iter().copied().take(room));
        octets
    }
}

impl<'a> Handle<'a> {
    pub(super) fn of(octets: &'a [u8]) -> Option<Handle<'a>> {
        match octets {
            [4, rest @ ..] => {
                let (address, id) = rest.split_first_chunk::<4>()?;
                Some(Handle { nas: IpAddr::from(*address), id })
            }
            [16, rest @ ..] => {
                let (address, id) = rest.split_first_chunk::<16>()?;
                Some(Handle { nas: IpAddr::from(*address), id })
            }
            _ => None,
        }
    }
}

/// Yes or no about a session, as bits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags(pub(super) u8);

impl Flags {
    /// It lived longer than a short session: its LNS works.
    pub(super) const LIVED: Flags = Flags(1);
    /// An Interim has come: the next one says how far they are apart.
    pub(super) const INTERIM: Flags = Flags(2);
    /// It expires by its Session-Timeout.
    pub(super) const TIMEOUT: Flags = Flags(4);
    /// Nothing says when it expires; it counts as an estimate.
    pub(super) const ESTIMATE: Flags = Flags(8);
    /// Its identity was another session's before: a Stop may be that one's.
    pub(super) const REUSED: Flags = Flags(16);

    pub(super) fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    pub(super) fn set(&mut self, flag: Flags, on: bool) {
        self.0 = if on { self.0 | flag.0 } else { self.0 & !flag.0 };
    }
}

/// A session.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) key: Key,
    /// Who accounts for it: a key means something in this scope only.
    pub(super) source: SourceId,
    /// Where it came from, which is not the same where the LNS accounts.
    pub(super) access: SourceId,
    pub(super) device: Option<Key>,
    /// Half of the key of its NAS.
    pub(super) nas: Option<NonZeroU64>,
    pub(super) place: Place,
    pub(super) names: Names,
    pub(super) framed_ip: Option<IpAddr>,
    /// Unix seconds of its Start, as the source's clock has it.
    pub(super) started: u32,
    /// The same of the last report.
    pub(super) event: u32,
    /// When that came, by our clock.
    pub(super) heard: u32,
    /// Seconds between Interims; zero: not known.
    pub(super) interim: u32,
    pub(super) expires: u32,
    /// Bearers that are known, a bit for each NSAPI.
    pub(super) bearers: u16,
    pub(super) flags: Flags,
}

/// A session that has ended, so that what comes late about it counts nothing.
#[derive(Clone)]
pub(super) struct Ended {
    pub(super) key: Key,
    pub(super) source: SourceId,
    /// Unix seconds of the last that is known of it.
    pub(super) event: u32,
    pub(super) until: u32,
    /// Bearers that have ended; none: all of it has.
    pub(super) bearers: u16,
}

/// A place that is kept for a session which an Accept was given for.
#[derive(Clone)]
pub(super) struct Reservation {
    pub(super) key: Key,
    pub(super) source: SourceId,
    pub(super) place: Place,
    pub(super) made: u32,
    pub(super) expires: u32,
    pub(super) names: Names,
    pub(super) of_device: bool,
    /// Whether a Start is to come.
    pub(super) accounted: bool,
}

/// A device that has a session, or of which is remembered where its last one was.
#[derive(Clone)]
pub(super) struct Device {
    pub(super) key: Key,
    /// Half of the key of its session, and whose report it is from; `None`: it has none.
    pub(super) session: Option<NonZeroU64>,
    pub(super) source: SourceId,
    /// Where that session is, or the last one was.
    pub(super) lns: At,
    /// For so many seconds after its session the LNS is remembered; zero: not at all.
    pub(super) sticky: u32,
    /// Until when, where it has no session. Where it has one: when to look whether that is there.
    pub(super) until: u32,
}

/// What a hash table has: found by half of its key.
pub(super) trait Record {
    /// That half.
    fn half(&self) -> NonZeroU64;
    /// Whether both are of the same.
    fn is_same(&self, other: &Self) -> bool;
}

macro_rules! records {
    ($($record:ident by $($identity:ident)+;)+) => {$(
        impl Record for $record {
            fn half(&self) -> NonZeroU64 {
                self.key.half()
            }

            fn is_same(&self, other: &$record) -> bool {
                $(self.$identity == other.$identity)&&+
            }
        }
    )+};
}

records! {
    Session by key source;
    Ended by key source;
    Reservation by key;
    Device by key;
}

/// Takes the record out that `is` the one wanted.
pub(super) fn take<T: Record>(table: &mut HashTable<T>, half: NonZeroU64, is: impl FnMut(&T) -> bool) -> Option<T> {
    let found = table.find_entry(hash(half), is).ok()?;
    Some(found.remove().0)
}

/// Puts a record in, in the place of the same one before it.
pub(super) fn put<T: Record>(table: &mut HashTable<T>, record: T) -> Option<T> {
    let is = |other: &T| other.is_same(&record);
    match table.entry(hash(record.half()), is, |other| hash(other.half())) {
        Entry::Occupied(mut place) => Some(std::mem::replace(place.get_mut(), record)),
        Entry::Vacant(place) => {
            place.insert(record);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_as_small_as_the_documentation_says() {
        let sizes = [size_of::<Session>(), size_of::<Device>(), size_of::<Reservation>(), size_of::<Ended>()];
        assert_eq!(sizes, [120, 40, 64, 32]);
    }

    #[test]
    fn names_are_what_they_were() {
        let names = Names::new(b"819012345678", b"alice@a.example", b"handle");
        assert_eq!((names.number(), names.user()), (&b"819012345678"[..], &b"alice@a.example"[..]));
        assert_eq!(names.handle(), b"handle");
        let long = Names::new(&[b'1'; 300], b"u", b"");
        assert_eq!((long.number().len(), long.user()), (255, &b"u"[..]));
        let user = Names::new(b"", b"u", b"");
        assert_eq!((user.number(), user.user()), (&b""[..], &b"u"[..]));
        assert!(Names::new(b"", b"", b"h").is_nameless() && !user.is_nameless());
    }

    #[test]
    fn a_handle_is_what_it_was() {
        for nas in ["192.0.2.1", "2001:db8::1"] {
            let handle = Handle { nas: nas.parse().unwrap(), id: b"0000002a" };
            assert_eq!(Handle::of(&handle.octets()), Some(handle));
            let long = Handle { id: &[b'x'; 253], ..handle };
            assert_eq!(Handle::of(&long.octets()).unwrap().id.len(), if nas.contains(':') { 238 } else { 250 });
        }
        assert_eq!((Handle::of(b""), Handle::of(&[4, 1])), (None, None));
    }
}
