//! A node goes by the registry: every change, and every local midnight that makes one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use jiff::Timestamp;
use sekisho_engine::snapshot::RoutingSnapshot;
use sekisho_registry::{AccountChange, Heard, Watch};
use tokio::{
    sync::{Mutex, Notify},
    time::sleep,
};

use super::{
    accounts::Intake,
    feed::{self, Feed, News, Stale},
};
use crate::{clock::wall_seconds, documents::Documents, report, running::Running};

/// The clock of the wall may be set: a midnight far away is looked at again after this time.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// A database that is not there is tried again after this time.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// What something of the node's own stood against is tried again after this time.
const REPAIRED: Duration = Duration::from_secs(2);
/// The mirror is written this long after a change, so that many changes are one writing,
const SETTLE: Duration = Duration::from_secs(2);
/// and not more often than this.
const NOT_BEFORE: Duration = Duration::from_secs(30);

/// A node's end of the registry.
pub struct Follower {
    /// What it is served from.
    pub feed: Mutex<Feed>,
    /// Held by whoever reads what is new, until it is in force: what was read first is not put over what was read later.
    following: Mutex<()>,
    intake: std::sync::Mutex<Intake>,
    /// Somebody has written, and says so.
    nudged: Notify,
    /// The next midnight that changes something may be another.
    noted: Notify,
    /// All accounts are to be read again: what is made of them has changed.
    accounts_anew: AtomicBool,
    state: std::sync::Mutex<State>,
}

/// What there is to see of it.
#[derive(Clone, Default)]
struct State {
    location: String,
    revision: u64,
    followed_at: u64,
    lost: Option<String>,
    mirror_of: Option<Timestamp>,
    next: Option<Timestamp>,
    unserved: Vec<report::Unserved>,
}

impl Follower {
    /// With what the feed has been opened with.
    pub fn new(feed: Feed) -> Follower {
        let (intake, stale) = (Intake::new(feed.keys()), feed.stale());
        let state = State {
            location: feed.location(),
            revision: feed.revision(),
            followed_at: wall_seconds(),
            lost: stale.map(|stale| stale.why.clone()),
            mirror_of: stale.map(|stale| stale.written),
            ..State::default()
        };
        if let Some(Stale { written, why }) = stale {
            tracing::error!(why, mirror_of = %written, "the registry cannot be reached: this node serves from its mirror");
        }
        Follower {
            feed: Mutex::new(feed),
            following: Mutex::new(()),
            intake: std::sync::Mutex::new(intake),
            nudged: Notify::new(),
            noted: Notify::new(),
            accounts_anew: AtomicBool::new(false),
            state: std::sync::Mutex::new(state),
        }
    }

    /// Has the node look at once.
    pub fn nudge(&self) {
        self.nudged.notify_one();
    }

    /// Has all accounts read again, since numbers or reply attributes mean something else now.
    pub fn read_accounts_anew(&self) {
        self.accounts_anew.store(true, Relaxed);
        self.nudge();
    }

    /// What there is to see.
    pub fn report(&self, accounts: &sekisho_engine::hosted::Accounts) -> report::Registry {
        let state = self.state().clone();
        let intake = self.intake();
        report::Registry {
            location: state.location,
            up: state.lost.is_none(),
            lost: state.lost,
            mirror_of: state.mirror_of.map(|at| at.to_string()),
            revision: state.revision,
            followed_at: state.followed_at,
            next_change: state.next.map(|at| at.to_string()),
            accounts: accounts.len() as u64,
            account_octets: accounts.octets() as u64,
            accounts_waiting: intake.waiting() as u64,
            accounts_unusable: intake.unusable() as u64,
            unserved: state.unserved,
        }
    }

    /// Notes what a reload has put in force.
    pub fn note(&self, next: Option<Timestamp>, unserved: Vec<report::Unserved>) {
        let mut state = self.state();
        (state.next, state.unserved) = (next, unserved);
        self.noted.notify_one();
    }

    /// What the registry has in force could not be put in force: it is due since now, like what a midnight brings.
    fn note_due(&self) {
        let mut state = self.state();
        let now = Timestamp::now();
        state.next = Some(state.next.map_or(now, |next| next.min(now)));
        self.noted.notify_one();
    }

    fn note_followed(&self, revision: u64) {
        let mut state = self.state();
        if state.lost.is_some() {
            tracing::info!(revision, "the registry is back: this node goes by it again");
        }
        (state.lost, state.mirror_of) = (None, None);
        (state.revision, state.followed_at) = (revision, wall_seconds());
    }

    /// The registry cannot be reached: what is known is served on.
    fn note_lost(&self, why: &str) {
        let mut state = self.state();
        if state.lost.is_none() {
            tracing::error!(why, "the registry cannot be reached: this node serves on from what it knows");
        }
        state.lost = Some(why.to_owned());
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn intake(&self) -> std::sync::MutexGuard<'_, Intake> {
        self.intake.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn next(&self) -> Option<Timestamp> {
        self.state().next
    }
}

impl Running {
    /// Has the accounts of contracts that a routing serves where logins find them: before anybody goes by it, and afterwards those that
    /// have come meanwhile.
    pub fn prepare_accounts(&self, follower: &Follower, routing: &RoutingSnapshot, documents: &Documents) {
        follower.intake().go_by((routing, &documents.node.dictionary), &self.hosted.accounts);
    }

    /// Has accounts put where logins find them, by the routing in force.
    pub fn take_accounts(&self, follower: &Follower, news: News, documents: &Documents) {
        // In this order: what a reload puts in force meanwhile either knows these accounts as waiting, or is what they go by.
        let mut intake = follower.intake();
        let routing = self.routing.load();
        let routing = (&**routing, &*documents.node.dictionary);
        if news.whole {
            intake.begin_anew();
            // Whoever is in it stays meanwhile: no login is refused while all of it is taken.
            let stays = |change: &AccountChange| match change {
                AccountChange::Changed(row) => Some((row.realm.clone(), row.user.clone().into_bytes())),
                AccountChange::Gone { .. } => None,
            };
            let stay: BTreeMap<String, BTreeSet<Vec<u8>>> =
                news.accounts.iter().filter_map(stays).fold(BTreeMap::new(), |mut stay, (realm, user)| {
                    let users: &mut BTreeSet<Vec<u8>> = stay.entry(realm).or_default();
                    users.insert(user);
                    stay
                });
            let of = |realm| routing.0.realm(realm).and_then(|realm| stay.get(realm.name.as_str()));
            self.hosted.accounts.retain(|realm, user| of(realm).is_some_and(|users| users.contains(user)));
        }
        intake.take(news.accounts, routing, &self.hosted.accounts);
    }

    /// Reads what is new in the registry, and goes by it.
    pub async fn follow(self: &Arc<Running>) {
        let Some(follower) = self.follower.clone() else { return };
        let _following = follower.following.lock().await;
        // Read by a clone: a database that takes its time keeps no midnight waiting.
        let mut ahead = follower.feed.lock().await.clone();
        let anew = follower.accounts_anew.swap(false, Relaxed);
        if anew {
            ahead.read_accounts_anew();
        }
        let connected = ahead.connect().await;
        if anew && connected.is_err() {
            follower.accounts_anew.store(true, Relaxed);
        }
        let (revision, keys) = (ahead.revision(), ahead.keys());
        *follower.feed.lock().await = ahead;
        match connected {
            Err(error) => follower.note_lost(&error.to_string()),
            Ok(news) => {
                follower.note_followed(revision);
                let other_keys = follower.intake().set_keys(keys);
                let history = news.history;
                if !news.accounts.is_empty() || news.whole || other_keys {
                    let documents = Arc::clone(&self.current.lock().await.documents);
                    self.take_accounts(&follower, news, &documents);
                    if other_keys {
                        let mut intake = follower.intake();
                        intake.go_by((&self.routing.load(), &documents.node.dictionary), &self.hosted.accounts);
                    }
                }
                if history {
                    // What stands against it is in the log and in the status; the registry's rules leave little.
                    if self.go_by_registry().await.is_err() {
                        follower.note_due();
                    }
                }
            }
        }
    }
}

/// Follows the registry, and the calendar, until the task is dropped.
pub async fn run(running: Arc<Running>) {
    let Some(follower) = running.follower.clone() else { return };
    tokio::select! {
        () = listen(&running, &follower) => {}
        () = keep(&follower) => {}
        () = midnights(&running, &follower) => {}
    }
}

/// Goes by every change.
async fn listen(running: &Arc<Running>, follower: &Follower) {
    let (mut watch, mut watched): (Option<Watch>, u64) = (None, 0);
    running.follow().await;
    loop {
        let (registry, opened, revision) = {
            let feed = follower.feed.lock().await;
            (feed.registry(), feed.opened(), feed.revision())
        };
        // Of one that has been opened anew, its file replaced or its keys rotated, the former watch would hear nothing.
        if watch.is_none() || registry.is_none() || watched != opened {
            watch = match registry {
                Some(registry) => Some(registry.watch_after(revision).await),
                None => None,
            };
            watched = opened;
        }
        let is_lost = watch.is_none() || follower.state().lost.is_some();
        let heard = async {
            match &mut watch {
                Some(watch) => watch.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            heard = heard => match heard {
                Heard::Changed(_) | Heard::Back => running.follow().await,
                Heard::Lost(why) => follower.note_lost(&why),
            },
            () = follower.nudged.notified() => running.follow().await,
            // The watch tells when the same database is back; another one may be in its place.
            () = sleep(TRY_AGAIN), if is_lost => running.follow().await,
        }
    }
}

/// Puts in force what begins or ends by its date, whatever becomes of the database.
async fn midnights(running: &Arc<Running>, follower: &Follower) {
    loop {
        tokio::select! {
            () = midnight(follower.next()) => {
                // A faulty document of the registry would have been refused when it was applied; files that the node's document names may
                // be missing just now, or it does not fit what others have applied.
                if running.go_by_registry().await.is_err() {
                    sleep(REPAIRED).await;
                }
            }
            () = follower.noted.notified() => {}
        }
    }
}

/// Resolves at an instant; never, where there is none. The wall clock decides, which may be set meanwhile.
async fn midnight(at: Option<Timestamp>) {
    let Some(at) = at else { return std::future::pending().await };
    loop {
        let left = at.duration_since(Timestamp::now());
        let Ok(left) = Duration::try_from(left) else { return };
        if left.is_zero() {
            return;
        }
        sleep(left.min(LOOK_AGAIN)).await;
    }
}

/// Keeps the mirror: a while after each change, and not too often.
async fn keep(follower: &Follower) {
    let mut written = None;
    loop {
        sleep(SETTLE).await;
        let (revision, stale) = {
            let state = follower.state();
            (state.revision, state.mirror_of.is_some() || state.lost.is_some())
        };
        if stale || written == Some(revision) {
            continue;
        }
        let Some(copying) = follower.feed.lock().await.copying() else { continue };
        match feed::mirror(copying).await {
            Ok(true) => written = Some(revision),
            // Soon: what is new is being followed.
            Ok(false) => continue,
            Err(error) => tracing::error!(error, "no copy of the registry could be left on this node's disk"),
        }
        sleep(NOT_BEFORE - SETTLE).await;
    }
}
