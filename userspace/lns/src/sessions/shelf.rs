//! A shelf of sessions, and of sessions that have ended.

use std::num::NonZeroU64;

use hashbrown::HashTable;

use super::{
    Key,
    books::Books,
    devices::Link,
    record::{Ended, Session, put, take},
    shelves::hash,
};
use crate::SourceId;

/// A session that has ended is known that long, in seconds: what comes later than that about it was not late but lost.
pub(super) const ENDED: u32 = 300;

#[derive(Default)]
pub(super) struct Shelf {
    pub(super) sessions: HashTable<Session>,
    pub(super) ended: HashTable<Ended>,
}

impl Shelf {
    pub(super) fn session(&self, source: SourceId, key: Key) -> Option<&Session> {
        self.sessions.find(hash(key.half()), |it| it.key == key && it.source == source)
    }

    pub(super) fn session_mut(&mut self, source: SourceId, key: Key) -> Option<&mut Session> {
        self.sessions.find_mut(hash(key.half()), |it| it.key == key && it.source == source)
    }

    /// A device's session.
    pub(super) fn linked(&self, link: Link, device: Key) -> Option<&Session> {
        let is = |it: &Session| it.key.half() == link.session && it.source == link.source && it.device == Some(device);
        self.sessions.find(hash(link.session), is)
    }

    /// Puts in a session that was not there. The caller has made room for it in the books.
    pub(super) fn insert(&mut self, books: &Books, session: Session) {
        books.enter(&session);
        self.sessions.insert_unique(hash(session.key.half()), session, |other| hash(other.key.half()));
    }

    /// Takes out the session that is the one wanted of those with half a key.
    pub(super) fn take(&mut self, books: &Books, half: NonZeroU64, is: impl Fn(&Session) -> bool) -> Option<Session> {
        let session = take(&mut self.sessions, half, |it| it.key.half() == half && is(it))?;
        books.take_away(&session);
        Some(session)
    }

    pub(super) fn ended(&mut self, now: u32, source: SourceId, key: Key) -> Option<&mut Ended> {
        let is = |it: &Ended| it.key == key && it.source == source && it.until > now;
        self.ended.find_mut(hash(key.half()), is)
    }

    /// Forgets that a session has ended: it is there again.
    pub(super) fn revive(&mut self, books: &Books, source: SourceId, key: Key) {
        if take(&mut self.ended, key.half(), |it| it.key == key && it.source == source).is_some() {
            books.ended.remove();
        }
    }

    /// Remembers that a session has ended.
    pub(super) fn bury(&mut self, books: &Books, now: u32, session: &Session, event: u32) {
        self.remember_end(books, now, session.source, session.key, event, 0);
    }

    /// Remembers that a session has ended, or some of its bearers. If there is no room, the one of the shelf goes that has been
    /// remembered longest.
    pub(super) fn remember_end(
        &mut self,
        books: &Books,
        now: u32,
        source: SourceId,
        key: Key,
        event: u32,
        bearers: u16,
    ) {
        let ended = Ended { key, source, event, until: now.saturating_add(ENDED), bearers };
        if !books.ended.add() {
            let Some((oldest, half)) = self.ended.iter().map(|it| (it.until, it.key.half())).min() else { return };
            take(&mut self.ended, half, |it| it.key.half() == half && it.until == oldest);
        }
        if put(&mut self.ended, ended).is_some() {
            books.ended.remove();
        }
    }
}
