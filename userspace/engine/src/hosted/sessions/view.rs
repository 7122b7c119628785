//! Sessions of hosted accounts to look at.

use std::{fmt, sync::PoisonError, time::Duration};

use super::{Sessions, seconds, shelf::State};
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
    /// The local part of the subscriber's name: its first 43 octets.
    pub user: Box<[u8]>,
    /// The subscriber's number in canonical form, its first 19 octets; empty where it is not known.
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
            let live = shelf.all().filter(|entry| entry.expires > now).map(|entry| SessionView {
                group: entry.group,
                realm: entry.realm,
                user: entry.user.octets().into(),
                number: entry.number.octets().into(),
                client: entry.client,
                since: entry.since.into(),
                expires_in: Duration::from_secs((entry.expires - now).into()),
                is_reserved: entry.state == State::Reserved,
            });
            found.extend(live.filter(|view| wanted(view)).take(limit - found.len()));
        }
        found
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
