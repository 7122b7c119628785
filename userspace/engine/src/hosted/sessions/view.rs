//! Sessions of hosted accounts to look at.

use std::{fmt, sync::PoisonError, time::Duration};

use super::{
    Sessions, seconds,
    shelf::{Entry, State},
};
use crate::{
    snapshot::{ClientId, GroupId, RealmId},
    time::Time,
};

/// A session or a reservation. Its `Debug` leaves out who it is.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionView {
    /// The contract, and with it the customer.
    pub group: GroupId,
    /// The realm.
    pub realm: RealmId,
    /// The local part of the subscriber's name: its first [`SessionView::USER`] octets.
    pub user: Box<[u8]>,
    /// The subscriber's number in canonical form, its first [`SessionView::NUMBER`] octets; empty where it is not known.
    pub number: Box<[u8]>,
    /// Who accounts for it.
    pub client: ClientId,
    /// When it began, or was accepted, in Unix seconds.
    pub since: u64,
    /// When it is over if nothing is heard.
    pub expires_in: Duration,
    /// A place that an Accept keeps: no Start has come.
    pub is_reserved: bool,
}

impl Sessions {
    /// Sessions and reservations that `wanted` is true of, `limit` at most. Looks through the whole table, part by part: workers wait for
    /// no more than one of them.
    pub fn list(&self, now: Time, limit: usize, wanted: impl Fn(&SessionView) -> bool) -> Vec<SessionView> {
        let now = seconds(now);
        let mut found = Vec::new();
        for shelf in &self.shelves {
            let shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
            let live = shelf.all().filter_map(|(_, entry)| SessionView::new(now, entry));
            found.extend(live.filter(|view| wanted(view)).take(limit - found.len()));
        }
        found
    }

    /// Gives back the places of sessions and reservations that `wanted` is true of: by the operator's word, of sessions whose Stop was lost.
    /// One that goes on all the same counts again from its next Interim. How many they were.
    pub fn forget(&self, now: Time, wanted: impl Fn(&SessionView) -> bool) -> usize {
        let now = seconds(now);
        let mut forgotten = 0;
        for shelf in &self.shelves {
            let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
            let live = shelf.all().filter_map(|(index, entry)| Some((index, SessionView::new(now, entry)?)));
            let wanted: Vec<u32> = live.filter(|(_, view)| wanted(view)).map(|(index, _)| index).collect();
            forgotten += wanted.len();
            for index in wanted {
                self.remove(&mut shelf, index);
            }
        }
        forgotten
    }
}

impl SessionView {
    /// So many octets of the local part are kept,
    pub const USER: usize = 43;
    /// and so many of the number.
    pub const NUMBER: usize = 19;

    /// `None`: it is over.
    fn new(now: u32, entry: &Entry) -> Option<SessionView> {
        let expires_in = entry.expires.checked_sub(now).filter(|left| *left > 0)?;
        Some(SessionView {
            group: entry.group,
            realm: entry.realm,
            user: entry.user.octets().into(),
            number: entry.number.octets().into(),
            client: entry.client,
            since: entry.since.into(),
            expires_in: Duration::from_secs(expires_in.into()),
            is_reserved: entry.state == State::Reserved,
        })
    }
}

impl fmt::Debug for SessionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionView")
            .field("group", &self.group)
            .field("realm", &self.realm)
            .field("client", &self.client)
            .field("since", &self.since)
            .field("expires_in", &self.expires_in)
            .field("is_reserved", &self.is_reserved)
            .finish_non_exhaustive()
    }
}
