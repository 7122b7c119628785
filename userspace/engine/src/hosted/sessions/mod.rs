//! Sessions of hosted accounts: so many at once, and no more.
//!
//! An Accept reserves a place for [`Settings::reservation`], the session's Start takes it, its Stop gives it back. A device (a number,
//! Calling-Station-Id) has one session of an account at a time: when it attaches again, the Stop of the one before was lost. What
//! accounting reports is a fact: it is counted whatever the limits say, and keeps others out.
//!
//! An account's sessions are those that are accounted under its name. Scope is the verified source of a record: nobody ends
//! another's sessions. Parts with a lock each (`shelf`); bounded, and kept over a restart (`kept`).

mod kept;
mod shelf;
mod view;

use std::{
    fmt,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

pub use kept::Restored;
pub use view::SessionView;

use self::shelf::{Entry, Shelf, Short, State};
use crate::{
    random::{HashKeys, Random},
    snapshot::{Client, Group, RealmId, RoutingSnapshot},
    time::Time,
};

/// Parts with a lock each.
const SHELVES: usize = 64;
/// How long the end of a session is remembered, in seconds: a record of it that comes late must not begin it again.
const REMEMBERED: u32 = 60;

/// Bounds of hosted accounts' sessions, and how long they last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Sessions, reservations and remembered ends, all together. One contract alone may have half of them, and two contracts a third each:
    /// whoever has none finds room.
    pub max_sessions: usize,
    /// How long an Accept keeps a place for its session's Start.
    pub reservation: Duration,
    /// How late the Stop of a session may be that its Session-Timeout ends.
    pub grace: Duration,
    /// A session of which nothing says when it will be heard of again is over after this time.
    pub without_interims: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_sessions: 1_000_000,
            reservation: Duration::from_secs(60),
            grace: Duration::from_secs(300),
            without_interims: Duration::from_secs(86_400),
        }
    }
}

/// How many sessions and reservations the accounts of one `group` contract have. One for the life of a contract, over reloads.
#[derive(Debug, Default)]
pub struct GroupSessions {
    live: AtomicU32,
    /// With remembered ends.
    records: AtomicUsize,
}

impl GroupSessions {
    /// How many there are now; those that have expired are counted for some seconds more.
    pub fn now(&self) -> u32 {
        self.live.load(Relaxed)
    }

    fn enter(&self) {
        self.live.fetch_add(1, Relaxed);
    }

    /// One more, unless there are `max` of them (0: no limit). Whether there is one more.
    fn enter_up_to(&self, max: u32) -> bool {
        let next = |now: u32| (max == 0 || now < max).then(|| now.saturating_add(1));
        self.live.fetch_update(Relaxed, Relaxed, next).is_ok()
    }

    fn leave(&self) {
        self.live.fetch_sub(1, Relaxed);
    }
}

/// What there is in the table, and what did not get into it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions, reservations and remembered ends.
    pub records: usize,
    /// Sessions that ended because their device began another.
    pub superseded: u64,
    /// Sessions and reservations that found no room: where this grows, all counts are too low.
    pub untracked: u64,
}

/// The sessions of all hosted accounts.
pub struct Sessions {
    settings: Settings,
    seed: [u8; 32],
    keys: HashKeys,
    shelves: Box<[Mutex<Shelf>]>,
    /// Places in use.
    used: AtomicUsize,
    superseded: AtomicU64,
    untracked: AtomicU64,
    /// Whose turn the sweep is at.
    hand: AtomicUsize,
}

/// Whose a session is, and where it comes from.
#[derive(Clone, Copy)]
pub(crate) struct Whose<'a> {
    /// Has the names of what has a number here: records are told apart by those, which a restart leaves as they are.
    pub(crate) snapshot: &'a RoutingSnapshot,
    pub(crate) group: &'a Group,
    pub(crate) realm: RealmId,
    /// The local part of the name.
    pub(crate) user: &'a [u8],
    /// In canonical form; empty where it is not known.
    pub(crate) calling: &'a [u8],
    pub(crate) client: &'a Client,
    /// The NAS, within an access network.
    pub(crate) nas: &'a [u8],
    /// Unix time of the login, or of what is reported.
    pub(crate) event: u64,
}

/// What a record says of a session.
pub(crate) struct Report<'a> {
    pub(crate) whose: Whose<'a>,
    /// What names it within its client and NAS.
    pub(crate) session: &'a [&'a [u8]],
    /// How long it may be silent from now on.
    pub(crate) lasts: Duration,
}

/// The account, or the contract, has all its sessions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Sessions {
    /// None. The seed must be random and secret: it keys the hashes that sessions are told apart by.
    pub fn new(settings: Settings, seed: [u8; 32]) -> Sessions {
        Sessions {
            settings,
            seed,
            keys: Random::new(seed).hash_keys(),
            shelves: (0..SHELVES).map(|_| Mutex::default()).collect(),
            used: AtomicUsize::new(0),
            superseded: AtomicU64::new(0),
            untracked: AtomicU64::new(0),
            hand: AtomicUsize::new(0),
        }
    }

    /// How long a session may be silent whose records, or whose Accept, say this: three intervals of Interims; or else its
    /// Session-Timeout, and some more; or else a day.
    pub(crate) fn lasts(&self, interim: Option<u32>, session_timeout: Option<u32>) -> Duration {
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        match (interim.filter(|it| *it > 0), session_timeout.filter(|it| *it > 0)) {
            (Some(interim), _) => seconds(interim) * 3,
            (None, Some(timeout)) => seconds(timeout) + self.settings.grace,
            (None, None) => self.settings.without_interims,
        }
    }

    /// Keeps a place for a login that is about to be accepted, if its account may have `limit` sessions (0: any number of them), and
    /// its contract one more.
    pub(crate) fn reserve(&self, now: Time, whose: &Whose<'_>, limit: u16) -> Result<(), Full> {
        let (max, contract) = (whose.group.max_sessions, &whose.group.sessions);
        if limit == 0 && max == 0 {
            return Ok(());
        }
        let now = seconds(now);
        let until = now.saturating_add(whole(self.settings.reservation));
        let account = self.account(whose);
        let device = self.device(account, whose.calling);
        let mut shelf = self.shelf(account);
        if let Some((index, entry)) = device.and_then(|device| shelf.of_device(device)) {
            if entry.expires > now {
                // It counts as it is. That its old session ends is said by its next Start, or else by its Stop.
                shelf.attach_again(index, until);
                return Ok(());
            }
            self.remove(&mut shelf, index);
        }
        if limit > 0 && shelf.count(account) >= usize::from(limit) {
            self.drop_expired(&mut shelf, account, now);
            if shelf.count(account) >= usize::from(limit) {
                return Err(Full);
            }
        }
        if !contract.enter_up_to(max) {
            return Err(Full);
        }
        let entry = Entry { expires: until, ..self.entry(whose, account, State::Reserved) };
        self.insert_counted(&mut shelf, entry);
        Ok(())
    }

    /// Gives back the place of a login that got no Accept after all. What its device had before stays.
    pub(crate) fn give_back(&self, whose: &Whose<'_>) {
        let account = self.account(whose);
        let wanted = self.entry(whose, account, State::Reserved);
        let mut shelf = self.shelf(account);
        if let Some(index) = shelf.reserved_like(&wanted) {
            self.remove(&mut shelf, index);
        }
    }

    /// A session has begun, or goes on, whether or not its beginning was reported.
    pub(crate) fn is_alive(&self, now: Time, report: &Report<'_>) {
        let whose = &report.whose;
        let now = seconds(now);
        let expires = now.saturating_add(whole(report.lasts));
        let (account, session) = (self.account(whose), self.session(report));
        let mut shelf = self.shelf(account);
        if let Some(index) = shelf.session(session) {
            // Of one that has ended nothing that comes late is believed.
            return shelf.renew(index, expires);
        }
        let device = self.device(account, whose.calling);
        let before = device.and_then(|device| Some(shelf.of_device(device)?.0));
        let before = before.or_else(|| shelf.reserved_by(account, whose.client.id, device));
        let mut entry = Entry { expires, session, ..self.entry(whose, account, State::Active) };
        if let Some(before) = before.and_then(|index| self.take(&mut shelf, index, now)) {
            if before.state == State::Active && before.expires > now {
                self.superseded.fetch_add(1, Relaxed);
            }
            if before.state == State::Reserved && entry.number.is_empty() {
                (entry.device, entry.number) = (before.device, before.number);
            }
        }
        self.insert(&mut shelf, entry);
    }

    /// A session has ended.
    pub(crate) fn stop(&self, now: Time, report: &Report<'_>) {
        let whose = &report.whose;
        let now = seconds(now);
        let (account, session) = (self.account(whose), self.session(report));
        let mut shelf = self.shelf(account);
        match shelf.session(session) {
            Some(index) => {
                let again = self.take(&mut shelf, index, now).filter(|it| it.again > now);
                if let Some(entry) = again {
                    // Its device has attached again meanwhile, and will report a Start.
                    let reserved =
                        Entry { state: State::Reserved, session: 0, expires: entry.again, again: 0, ..entry };
                    self.insert(&mut shelf, reserved);
                }
            }
            None => {
                // Its Start may come yet.
                let expires = now.saturating_add(REMEMBERED);
                let entry = Entry { expires, session, ..self.entry(whose, account, State::Ended) };
                self.insert(&mut shelf, entry);
                let reserved = self.device(account, whose.calling).and_then(|device| shelf.of_device(device));
                if let Some((index, _)) = reserved.filter(|(_, entry)| entry.state == State::Reserved) {
                    self.remove(&mut shelf, index);
                }
            }
        }
    }

    /// A NAS of this client begins or ends, at this second of Unix time: its sessions until then are over.
    pub(crate) fn restarted(&self, snapshot: &RoutingSnapshot, client: &Client, nas: &[u8], event: u64) {
        let source = self.source(snapshot, client, nas);
        for shelf in &self.shelves {
            let mut shelf = shelf.lock().unwrap_or_else(PoisonError::into_inner);
            for index in shelf.of_source(source, event) {
                self.remove(&mut shelf, index);
            }
        }
    }

    /// Forgets what has expired on the next shelf: called some times a second by each worker.
    pub(crate) fn sweep(&self, now: Time) {
        let turn = self.hand.fetch_add(1, Relaxed) % SHELVES;
        let mut shelf = self.shelves[turn].lock().unwrap_or_else(PoisonError::into_inner);
        let mut from = 0;
        while let Some(index) = shelf.expired(from, seconds(now)) {
            self.remove(&mut shelf, index);
            from = index + 1;
        }
    }

    /// How many records there are.
    pub fn counts(&self) -> Counts {
        Counts {
            records: self.used.load(Relaxed),
            superseded: self.superseded.load(Relaxed),
            untracked: self.untracked.load(Relaxed),
        }
    }

    fn entry(&self, whose: &Whose<'_>, account: u64, state: State) -> Entry {
        Entry {
            account,
            source: self.source(whose.snapshot, whose.client, whose.nas),
            session: 0,
            device: self.device(account, whose.calling).unwrap_or(0),
            since: u32::try_from(whose.event).unwrap_or(u32::MAX),
            expires: 0,
            again: 0,
            realm: whose.realm,
            group: whose.group.id,
            client: whose.client.id,
            contract: std::sync::Arc::clone(&whose.group.sessions),
            user: Short::of(whose.user),
            number: Short::of(whose.calling),
            state,
        }
    }

    fn insert(&self, shelf: &mut Shelf, entry: Entry) {
        if entry.state != State::Ended {
            entry.contract.enter();
        }
        self.insert_counted(shelf, entry);
    }

    /// The same of one that its contract's count has already.
    fn insert_counted(&self, shelf: &mut Shelf, entry: Entry) {
        let own = entry.contract.records.load(Relaxed);
        self.insert_where(shelf, entry, |used| own < self.settings.max_sessions.saturating_sub(used));
    }

    /// What the table had before a restart: it had room then, whoever else has how much of it.
    fn put_back(&self, entry: Entry) {
        if entry.state != State::Ended {
            entry.contract.enter();
        }
        self.insert_where(&mut self.shelf(entry.account), entry, |used| used < self.settings.max_sessions);
    }

    fn insert_where(&self, shelf: &mut Shelf, entry: Entry, has_room: impl Fn(usize) -> bool) {
        if self.used.fetch_update(Relaxed, Relaxed, |used| has_room(used).then_some(used + 1)).is_ok() {
            entry.contract.records.fetch_add(1, Relaxed);
            return shelf.insert(entry);
        }
        self.untracked.fetch_add(1, Relaxed);
        if entry.state != State::Ended {
            entry.contract.leave();
        }
    }

    /// Takes a session or a reservation out; the end of a session stays for a while.
    fn take(&self, shelf: &mut Shelf, index: u32, now: u32) -> Option<Entry> {
        let entry = self.remove(shelf, index)?;
        if entry.session != 0 {
            let expires = now.saturating_add(REMEMBERED);
            self.insert(shelf, Entry { state: State::Ended, expires, again: 0, ..entry.clone() });
        }
        Some(entry)
    }

    fn remove(&self, shelf: &mut Shelf, index: u32) -> Option<Entry> {
        let entry = shelf.remove(index)?;
        self.used.fetch_sub(1, Relaxed);
        entry.contract.records.fetch_sub(1, Relaxed);
        if entry.state != State::Ended {
            entry.contract.leave();
        }
        Some(entry)
    }

    fn drop_expired(&self, shelf: &mut Shelf, account: u64, now: u32) {
        for index in shelf.expired_of(account, now) {
            self.remove(shelf, index);
        }
    }

    fn shelf(&self, account: u64) -> MutexGuard<'_, Shelf> {
        // By bits that the shelf's own tables do not begin with.
        self.shelves[(account >> 40) as usize % SHELVES].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn account(&self, whose: &Whose<'_>) -> u64 {
        let owner = whose.snapshot.customer_name(whose.group.customer);
        let realm = whose.snapshot.realm(whose.realm).map_or("", |realm| &realm.name);
        self.keys.parts(&[b"account", owner.as_bytes(), realm.as_bytes(), whose.user])
    }

    fn source(&self, snapshot: &RoutingSnapshot, client: &Client, nas: &[u8]) -> u64 {
        let owner = snapshot.customer_name(client.customer);
        self.keys.parts(&[b"source", owner.as_bytes(), client.contract.as_bytes(), nas])
    }

    /// Never zero, which is no session.
    fn session(&self, report: &Report<'_>) -> u64 {
        let Whose { snapshot, client, nas, .. } = report.whose;
        let source = self.source(snapshot, client, nas);
        let session = self.keys.parts(report.session);
        self.keys.parts(&[&session.to_be_bytes(), &source.to_be_bytes()]).max(1)
    }

    /// Of an account. Never zero, which is no device.
    fn device(&self, account: u64, calling: &[u8]) -> Option<u64> {
        (!calling.is_empty()).then(|| self.keys.parts(&[b"device", &account.to_be_bytes(), calling]).max(1))
    }
}

fn seconds(now: Time) -> u32 {
    u32::try_from(now.0 / 1_000_000_000).unwrap_or(u32::MAX)
}

fn whole(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}

/// Without anybody's sessions.
impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions")
            .field("settings", &self.settings)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}
