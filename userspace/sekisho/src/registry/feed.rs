//! What a running node is served from: the registry, or the mirror that an earlier run has left.
//!
//! The database is the truth, and a node outlives it: everything that it needs is in memory, and a copy of it, the mirror, on its
//! own disk, for a start while the database cannot be reached. Secrets are sealed in both.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use sekisho_config::{Customer, Node, Text, Texts, Warning};
use sekisho_registry::{
    AccountChange, DumpError, Mirror, Registry, RegistryError, SealedDocument, Snapshot, keys::KeyRing,
};
use sekisho_regulation::{Book, Event, InForce};
use zeroize::Zeroizing;

pub use super::trouble::{FeedError, FollowError};
use super::{
    apply::served,
    desk::numbers,
    papers::{Papers, called},
    place::{Place, make_room, read_keys},
};
use crate::documents::{self, Documents};

/// What a copy of the registry takes.
pub struct Copying {
    registry: Registry,
    /// Documents that are or will be in force, by a history up to this entry.
    documents: Vec<u64>,
    seen: u64,
    /// Where the copy goes.
    file: PathBuf,
}

/// Writes a copy of the registry. Gives `false`, and writes nothing, where more has been recorded meanwhile: a copy without the newest
/// documents would be served from as if they were not there.
///
/// # Errors
///
/// The database cannot be read, or the file not written; in words.
pub async fn mirror(Copying { registry, documents, seen, file }: Copying) -> Result<bool, String> {
    let snapshot = registry.snapshot(&documents).await.map_err(|error| error.to_string())?;
    if snapshot.history.last().map_or(0, |last| last.number) != seen {
        return Ok(false);
    }
    let written = tokio::task::spawn_blocking(move || {
        // A node with its registry elsewhere may have had nothing to keep here until now.
        make_room(&file).map_err(|error| error.to_string())?;
        Mirror::write(&file, &snapshot).map_err(|error: DumpError| error.to_string())
    });
    written.await.map_err(|error| error.to_string())?.map(|()| true)
}

/// The documents of a node as they are now, and the registry that they come from where it has one.
///
/// # Errors
///
/// They are faulty, or the registry cannot be read and has left no mirror.
pub async fn documents(path: &Path) -> Result<(Documents, Option<(Feed, News)>), FeedError> {
    let node = Documents::node(path)?;
    if node.node.customers.registry().is_none() {
        return Ok((Documents::load(&node.path)?, None));
    }
    let (feed, news) = Feed::open(&node.node).await?;
    let documents = Documents::of(&feed, &node.path, None, Timestamp::now())?;
    Ok((documents, Some((feed, news))))
}

/// The same for a command that has nothing else to wait for.
///
/// # Errors
///
/// As [`documents()`], in words.
pub fn documents_now(path: &Path) -> Result<Documents, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(documents(path)).map(|(documents, _)| documents).map_err(|error| error.to_string())
}

/// What a node is served from. A clone reads ahead while the other is served from.
#[derive(Clone)]
pub struct Feed {
    place: Place,
    /// `None` while it has not been reached since the start.
    registry: Option<Registry>,
    /// How often it has been opened.
    opened: u64,
    /// Which registry this is of; `None`: nothing has been read.
    id: Option<String>,
    book: Book,
    /// The last entry of the history.
    seen: u64,
    /// The registry's revision that accounts have been followed to.
    revision: u64,
    /// Documents that are or will be in force, by their entry.
    texts: BTreeMap<u64, Zeroizing<String>>,
    /// The mirror that is served from.
    stale: Option<Stale>,
    /// An older state of it has been put in its place: it is read anew.
    rewound: bool,
}

/// Which mirror is served from, and why.
#[derive(Clone, Debug)]
pub struct Stale {
    /// When it was written.
    pub written: Timestamp,
    /// What is the matter with the database.
    pub why: String,
}

/// What of the registry is new to a node.
#[derive(Default)]
pub struct News {
    /// Entries of the history, other than of accounts: contracts or documents may have changed.
    pub history: bool,
    /// All accounts follow, and those that are not among them are no more.
    pub whole: bool,
    /// Accounts.
    pub accounts: Vec<AccountChange>,
}

/// What is in force at an instant, checked.
pub struct Composed {
    /// The node, with the operator's access networks.
    pub node: Node,
    /// Its customers, with what is served of them.
    pub customers: Vec<Customer>,
    /// What works, and should be known.
    pub warnings: Vec<Warning>,
    /// How each contract stands.
    pub in_force: InForce,
    /// When that changes next.
    pub next: Option<Timestamp>,
}

impl Feed {
    /// With everything that has been recorded: in the database, or where that cannot be reached in the mirror.
    ///
    /// # Errors
    ///
    /// There is no registry, no key, or neither database nor mirror.
    pub async fn open(node: &Node) -> Result<(Feed, News), FeedError> {
        let place = Place::of(node)?;
        let mut feed = Feed {
            book: place.book(),
            place,
            registry: None,
            opened: 0,
            id: None,
            seen: 0,
            revision: 0,
            texts: BTreeMap::new(),
            stale: None,
            rewound: false,
        };
        // Which registry this node has served from before: an empty one in its place is nothing to serve from.
        let mirror = Mirror::read(&feed.place.mirror, &feed.place.keys);
        feed.id = mirror.as_ref().ok().and_then(|found| Some(found.as_ref()?.registry.clone()));
        match (feed.connect().await, mirror) {
            (Ok(news), mirror) => {
                if let Err(error) = mirror {
                    tracing::warn!(%error, "the copy of the registry on this node's disk is of no use: it is written anew");
                }
                Ok((feed, News { history: true, whole: true, ..news }))
            }
            (Err(database), Ok(Some(mirror))) => {
                let news = feed.take(mirror, database.to_string());
                Ok((feed, news))
            }
            (Err(database), mirror) => Err(FeedError::Neither {
                database: database.to_string(),
                mirror: mirror
                    .err()
                    .map_or_else(|| format!("{} is not there", feed.place.mirror.display()), |error| error.to_string()),
            }),
        }
    }

    /// Opens the database if that has not been done, and reads what is new.
    ///
    /// # Errors
    ///
    /// What is the matter with it; what was known before still holds.
    pub async fn connect(&mut self) -> Result<News, FollowError> {
        self.refresh_keys();
        let registry = match &self.registry {
            Some(registry) => registry.clone(),
            None => self.open_registry().await?,
        };
        let caught = match self.catch_up(&registry).await {
            // Its file has been replaced, by a restored one perhaps; or it has been sealed by another key in this moment.
            Err(FollowError::Registry(error)) if !error.is_transient() => {
                self.rewound = matches!(error, RegistryError::Rewound { .. });
                self.refresh_keys();
                self.registry = None;
                let registry = self.open_registry().await?;
                self.catch_up(&registry).await
            }
            caught => caught,
        };
        // Whoever rotates puts the key down first: what seals the accounts that have been read is there now.
        self.refresh_keys();
        caught
    }

    /// Another key may have been put in front meanwhile; where that cannot be read, those that are known stay.
    fn refresh_keys(&mut self) {
        let Ok(keys) = read_keys(&self.place.source) else { return };
        if !keys.ids().eq(self.place.keys.ids()) {
            tracing::info!(current = %keys.current(), "the keys of the registry are others now");
            self.place.keys = keys;
            self.registry = None;
        }
    }

    async fn open_registry(&mut self) -> Result<Registry, FollowError> {
        // What is opened is made where it is not there: not in the place of one that has been served from.
        if let (Some(file), Some(_)) = (self.place.location.file(), &self.id)
            && !file.exists()
        {
            return Err(FollowError::Gone { file: file.to_owned() });
        }
        let registry = self.place.open().await?;
        self.registry = Some(registry.clone());
        self.opened += 1;
        Ok(registry)
    }

    /// What is new since the last time.
    async fn catch_up(&mut self, registry: &Registry) -> Result<News, FollowError> {
        let is_another = self.rewound || self.id.as_deref().is_some_and(|id| id != registry.id());
        let (seen, revision) = match is_another || self.stale.is_none() && self.seen == 0 {
            true => (0, 0),
            false => (self.seen, self.revision),
        };
        // Accounts first: what is written between the two is after the revision that they have been followed to, and is told of again.
        let (accounts, reached) = registry.accounts(revision).await?;
        let entries = registry.history(seen).await?;
        if is_another && entries.is_empty() {
            self.registry = None;
            return Err(FollowError::Empty { location: self.place.location.to_string() });
        }
        let mut book = if is_another { self.place.book() } else { self.book.clone() };
        for entry in &entries {
            book.replay(entry);
        }
        let mut texts = if is_another { BTreeMap::new() } else { self.texts.clone() };
        let wanted = book.documents_from(book.day(Timestamp::now()));
        for number in &wanted {
            if !texts.contains_key(number) {
                texts.insert(*number, registry.document(*number).await?);
            }
        }
        texts.retain(|number, _| wanted.contains(number));
        self.seen = entries.last().map_or(seen, |last| last.number);
        self.id = Some(registry.id().to_owned());
        (self.book, self.texts, self.revision) = (book, texts, reached);
        (self.stale, self.rewound) = (None, false);
        // Of accounts the history tells that they were changed; what they are now comes by itself, and no contract is another for it.
        let contracts = entries.iter().any(|entry| !matches!(entry.event, Event::Accounts { .. }));
        Ok(News { history: contracts || is_another, whole: is_another, accounts })
    }

    fn take(&mut self, snapshot: Snapshot, why: String) -> News {
        let Snapshot { registry, revision, taken, history, documents, accounts } = snapshot;
        for entry in &history {
            self.seen = entry.number;
            self.book.replay(entry);
        }
        let text = |document: SealedDocument| Some((document.number, document.open(&self.place.keys).ok()?));
        self.texts = documents.into_iter().filter_map(text).collect();
        (self.id, self.revision) = (Some(registry), revision);
        self.stale = Some(Stale { written: taken, why });
        News { history: true, whole: true, accounts: accounts.into_iter().map(AccountChange::Changed).collect() }
    }

    /// What is in force at an instant, for the node whose document is `node`, in the file `path`.
    ///
    /// # Errors
    ///
    /// The documents are faulty for this node, or do not go together.
    pub fn compose(&self, path: &Path, node: Text, at: Timestamp) -> Result<Composed, FeedError> {
        let in_force = self.book.in_force(at);
        let mut papers = Papers::default();
        for (of, number) in numbers(&in_force) {
            match (self.texts.get(&number), &self.stale) {
                (Some(text), _) => papers.set(of, &called(of, number), text.clone()),
                // The others are served meanwhile.
                (None, Some(_)) => tracing::error!(
                    document = called(of, number),
                    "the copy of the registry lacks a document, or no key opens it: what it describes is not served"
                ),
                (None, None) => return Err(FeedError::Missing { document: called(of, number) }),
            }
        }
        let texts = Texts { node: Some(node), ..papers.texts() };
        let (node, customers, warnings) = documents::read(path, &texts)?;
        let customers = served(&in_force, &customers)?;
        Ok(Composed { node, customers, warnings, next: self.book.next_change(at), in_force })
    }

    /// What a copy of the registry on this node's disk takes; `None` while the database has not been reached.
    pub fn copying(&self) -> Option<Copying> {
        let registry = self.registry.clone()?;
        let documents = self.texts.keys().copied().collect();
        Some(Copying { registry, documents, seen: self.seen, file: self.place.mirror.clone() })
    }

    /// The next look reads all accounts, not only what is new of them.
    pub fn read_accounts_anew(&mut self) {
        self.revision = 0;
    }

    /// The database, once it has been reached.
    pub fn registry(&self) -> Option<Registry> {
        self.registry.clone()
    }

    /// How often the database has been opened: whoever watches it has to watch it anew when that has grown.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Where the database is, without its password.
    pub fn location(&self) -> String {
        self.place.location.to_string()
    }

    /// The keys that secrets are sealed with.
    pub fn keys(&self) -> KeyRing {
        self.place.keys.clone()
    }

    /// What is served from the mirror.
    pub fn stale(&self) -> Option<&Stale> {
        self.stale.as_ref()
    }

    /// What has been recorded.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// The last entry of it.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// How far the registry has been followed.
    pub fn revision(&self) -> u64 {
        self.revision
    }
}
