//! One part of the sessions: places that are used again, found by session, and in a chain for each account and each source. Nothing is
//! allocated once it has grown.

use std::sync::Arc;

use hashbrown::HashTable;

use super::{GroupSessions, SessionView};
use crate::snapshot::{ClientId, GroupId, RealmId};

const NONE: u32 = u32::MAX;
/// How far back an account's sessions are looked through one by one: for a place that is kept for an unknown device, which is hardly
/// older than the last few, and for what has expired, which the sweep finds soon.
const RECENT: usize = 1024;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A place that an Accept keeps.
    Reserved,
    /// A session.
    Active,
    /// The end of a session, remembered.
    Ended,
}

/// Octets to look at, as many as there is room for. They tell nothing apart: hashes do that.
#[derive(Clone, Copy)]
pub(super) struct Short<const N: usize> {
    octets: [u8; N],
    len: u8,
}

impl<const N: usize> Short<N> {
    pub(super) fn of(whole: &[u8]) -> Short<N> {
        let mut octets = [0; N];
        let len = whole.len().min(N);
        octets[..len].copy_from_slice(&whole[..len]);
        Short { octets, len: len as u8 }
    }

    pub(super) fn octets(&self) -> &[u8] {
        &self.octets[..usize::from(self.len)]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A session, a reservation, or a remembered end.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) account: u64,
    pub(super) source: u64,
    /// Zero: none yet.
    pub(super) session: u64,
    /// A device's, of this account. Zero: not known.
    pub(super) device: u64,
    /// Unix time.
    pub(super) since: u32,
    /// Seconds of the engine's time.
    pub(super) expires: u32,
    /// Its device has attached again, and a place is kept for that until then.
    pub(super) again: u32,
    pub(super) realm: RealmId,
    pub(super) group: GroupId,
    pub(super) client: ClientId,
    pub(super) contract: Arc<GroupSessions>,
    pub(super) user: Short<{ SessionView::USER }>,
    pub(super) number: Short<{ SessionView::NUMBER }>,
    pub(super) state: State,
}

#[derive(Clone, Copy)]
struct Link {
    previous: u32,
    next: u32,
}

struct Place {
    entry: Entry,
    links: [Link; 2],
}

/// The two chains that a session is in. A remembered end is in none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chain {
    Account,
    Source,
}

/// Where a chain begins, and what is in it: thousands of devices may share an account, and nobody should have to count them.
struct Head {
    key: u64,
    first: u32,
    len: u32,
    reserved: u32,
}

/// See the module.
#[derive(Default)]
pub(super) struct Shelf {
    places: Vec<Option<Place>>,
    free: Vec<u32>,
    sessions: HashTable<u32>,
    /// Sessions and reservations by device.
    devices: HashTable<u32>,
    heads: [HashTable<Head>; 2],
}

impl Shelf {
    pub(super) fn insert(&mut self, entry: Entry) {
        let (session, device, state) = (entry.session, entry.device, entry.state);
        let place = Some(Place { entry, links: [Link { previous: NONE, next: NONE }; 2] });
        let index = match self.free.pop() {
            Some(index) => {
                self.places[index as usize] = place;
                index
            }
            None => {
                self.places.push(place);
                // Giving back never allocates.
                self.free.reserve(self.places.len());
                self.places.len() as u32 - 1
            }
        };
        if session != 0 {
            let Shelf { places, sessions, .. } = self;
            sessions.insert_unique(session, index, |other| of(places, *other).map_or(0, |it| it.session));
        }
        if state == State::Ended {
            return;
        }
        if device != 0 {
            let Shelf { places, devices, .. } = self;
            devices.insert_unique(device, index, |other| of(places, *other).map_or(0, |it| it.device));
        }
        self.link(Chain::Account, index);
        self.link(Chain::Source, index);
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<Entry> {
        let entry = of(&self.places, index)?;
        let (session, device, state) = (entry.session, entry.device, entry.state);
        if state != State::Ended {
            self.unlink(Chain::Account, index);
            self.unlink(Chain::Source, index);
        }
        if device != 0
            && let Ok(found) = self.devices.find_entry(device, |other| *other == index)
        {
            found.remove();
        }
        if session != 0
            && let Ok(found) = self.sessions.find_entry(session, |other| *other == index)
        {
            found.remove();
        }
        let place = self.places.get_mut(index as usize)?.take()?;
        self.free.push(index);
        Some(place.entry)
    }

    /// The session, or its end.
    pub(super) fn session(&self, session: u64) -> Option<u32> {
        let Shelf { places, sessions, .. } = self;
        sessions.find(session, |index| of(places, *index).is_some_and(|it| it.session == session)).copied()
    }

    /// A session has shown to be alive.
    pub(super) fn renew(&mut self, index: u32, expires: u32) {
        if let Some(entry) = self.at_mut(index).filter(|entry| entry.state == State::Active) {
            entry.expires = expires;
        }
    }

    /// A device that has a session or a reservation attaches once more.
    pub(super) fn attach_again(&mut self, index: u32, until: u32) {
        match self.at_mut(index) {
            Some(entry) if entry.state == State::Active => entry.again = until,
            Some(entry) => entry.expires = until,
            None => {}
        }
    }

    /// Sessions and reservations of an account.
    pub(super) fn count(&self, account: u64) -> usize {
        self.head(Chain::Account, account).map_or(0, |head| head.len as usize)
    }

    /// What a device has of its account, and what that is.
    pub(super) fn of_device(&self, device: u64) -> Option<(u32, &Entry)> {
        let is_it = |index: &u32| of(&self.places, *index).is_some_and(|it| it.device == device);
        let index = *self.devices.find(device, is_it)?;
        Some((index, of(&self.places, index)?))
    }

    /// A reservation of an account by this client that may be meant by whoever does not say its device, or did not.
    pub(super) fn reserved_by(&self, account: u64, client: ClientId, device: Option<u64>) -> Option<u32> {
        self.head(Chain::Account, account).filter(|head| head.reserved > 0)?;
        let is_it = |entry: &Entry| {
            entry.state == State::Reserved && entry.client == client && (device.is_none() || entry.device == 0)
        };
        let mut recent = self.chain(Chain::Account, account).take(RECENT);
        recent.find(|(_, entry)| is_it(entry)).map(|(index, _)| index)
    }

    /// The newest reservation that was made for the same device by the same client in the same second.
    pub(super) fn reserved_like(&self, wanted: &Entry) -> Option<u32> {
        let is_it = |entry: &Entry| {
            entry.state == State::Reserved
                && (entry.client, entry.device, entry.since) == (wanted.client, wanted.device, wanted.since)
        };
        let mut recent = self.chain(Chain::Account, wanted.account).take(RECENT);
        recent.find(|(_, entry)| is_it(entry)).map(|(index, _)| index)
    }

    /// Those of an account that have expired, among the most recent.
    pub(super) fn expired_of(&self, account: u64, now: u32) -> Vec<u32> {
        let recent = self.chain(Chain::Account, account).take(RECENT);
        recent.filter(|(_, entry)| entry.expires <= now).map(|(index, _)| index).collect()
    }

    /// Those of a source that are not younger than this second of Unix time.
    pub(super) fn of_source(&self, source: u64, event: u64) -> Vec<u32> {
        let chain = self.chain(Chain::Source, source);
        chain.filter(|(_, entry)| u64::from(entry.since) <= event).map(|(index, _)| index).collect()
    }

    /// The first from this place on that has expired.
    pub(super) fn expired(&self, from: u32, now: u32) -> Option<u32> {
        let all = (from..).zip(self.places.iter().skip(from as usize));
        let mut entries = all.filter_map(|(index, place)| Some((index, &place.as_ref()?.entry)));
        entries.find(|(_, entry)| entry.expires <= now).map(|(index, _)| index)
    }

    /// Everything but remembered ends.
    pub(super) fn all(&self) -> impl Iterator<Item = (u32, &Entry)> {
        let all = (0..).zip(&self.places);
        let entries = all.filter_map(|(index, place)| Some((index, &place.as_ref()?.entry)));
        entries.filter(|(_, entry)| entry.state != State::Ended)
    }

    /// With remembered ends.
    pub(super) fn everything(&self) -> impl Iterator<Item = &Entry> {
        self.places.iter().flatten().map(|place| &place.entry)
    }

    fn at_mut(&mut self, index: u32) -> Option<&mut Entry> {
        Some(&mut self.places.get_mut(index as usize)?.as_mut()?.entry)
    }

    fn head(&self, chain: Chain, key: u64) -> Option<&Head> {
        self.heads[chain as usize].find(key, |head| head.key == key)
    }

    fn chain(&self, chain: Chain, key: u64) -> impl Iterator<Item = (u32, &Entry)> {
        let mut next = self.head(chain, key).map_or(NONE, |head| head.first);
        std::iter::from_fn(move || {
            let index = next;
            let place = self.places.get(index as usize)?.as_ref()?;
            next = place.links[chain as usize].next;
            Some((index, &place.entry))
        })
    }

    /// Puts an entry at the beginning of its chain.
    fn link(&mut self, chain: Chain, index: u32) {
        let Shelf { places, heads, .. } = self;
        let Some(entry) = of(places, index) else { return };
        let (key, reserved) = (entry.key(chain), u32::from(entry.state == State::Reserved));
        let head = heads[chain as usize].entry(key, |head| head.key == key, |head| head.key);
        let mut head = head.or_insert(Head { key, first: NONE, len: 0, reserved: 0 });
        let head = head.get_mut();
        let next = std::mem::replace(&mut head.first, index);
        head.len += 1;
        head.reserved += reserved;
        set(places, chain, index, |link| *link = Link { previous: NONE, next });
        set(places, chain, next, |link| link.previous = index);
    }

    fn unlink(&mut self, chain: Chain, index: u32) {
        let Shelf { places, heads, .. } = self;
        let Some(Some(place)) = places.get(index as usize) else { return };
        let (Link { previous, next }, key) = (place.links[chain as usize], place.entry.key(chain));
        let reserved = u32::from(place.entry.state == State::Reserved);
        set(places, chain, next, |link| link.previous = previous);
        set(places, chain, previous, |link| link.next = next);
        let Ok(mut found) = heads[chain as usize].find_entry(key, |head| head.key == key) else { return };
        let head = found.get_mut();
        head.len = head.len.saturating_sub(1);
        head.reserved = head.reserved.saturating_sub(reserved);
        if previous == NONE {
            head.first = next;
        }
        if head.len == 0 {
            found.remove();
        }
    }
}

impl Entry {
    fn key(&self, chain: Chain) -> u64 {
        match chain {
            Chain::Account => self.account,
            Chain::Source => self.source,
        }
    }
}

fn of(places: &[Option<Place>], index: u32) -> Option<&Entry> {
    Some(&places.get(index as usize)?.as_ref()?.entry)
}

fn set(places: &mut [Option<Place>], chain: Chain, index: u32, change: impl FnOnce(&mut Link)) {
    if let Some(Some(place)) = places.get_mut(index as usize) {
        change(&mut place.links[chain as usize]);
    }
}
