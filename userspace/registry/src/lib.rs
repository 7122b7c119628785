//! The registry: what the operator has recorded of customers, contracts and hosted accounts.
//!
//! It is an append-only history (who, when, what, why), the documents that were applied, and the hosted accounts, in SQLite (a file) or in
//! PostgreSQL: with the same behaviour, the same SQL but for the schema, and the same tests. What the history *means* is
//! `sekisho-regulation`'s: this crate keeps what was recorded, and decides nothing.
//!
//! ```
//! use sekisho_registry::{AccountEdit, Change, Location, NewEntry, Registry, account::{Account, Secret}, keys::KeyRing};
//! use sekisho_regulation::event::Event;
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! # let directory = tempfile::tempdir()?;
//! # let at = |name: &str| directory.path().join(name);
//! let keys = KeyRing::create(&at("registry.key"))?;
//! let registry = Registry::open(&Location::Sqlite(at("registry.sqlite")), keys).await?;
//! let mut watch = registry.watch().await;
//!
//! let event = Event::Accounts { contract: "acme-group".into(), what: "added one".into() };
//! let entry = NewEntry { at: "2026-11-27T12:00:00Z".parse()?, who: "sato".into(), why: "asked for by telephone".into(), event };
//! let alice = Account {
//!     contract: "acme-group".into(),
//!     realm: "acme.example".into(),
//!     user: "alice".into(),
//!     secret: Secret::Recoverable(b"correct horse".to_vec().into()),
//!     enabled: true,
//!     expires: None,
//!     simultaneous: None,
//!     calling: vec![],
//!     reply: vec![],
//!     note: String::new(),
//! };
//! let change = Change { entries: vec![entry], accounts: vec![AccountEdit::Put(alice)], ..Change::default() };
//! let recorded = registry.record(0, change).await?;
//!
//! assert_eq!(watch.changed().await, sekisho_registry::Heard::Changed(recorded.revision));
//! assert_eq!(registry.history(0).await?.len(), 1);
//! assert_eq!(registry.accounts(0).await?.0.len(), 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! - A [`Change`] is recorded whole or not at all, and is on the disk when [`Registry::record`] returns. The history is numbered
//!   without gaps, and triggers of both databases refuse to alter it.
//! - Whoever decides by the history says how far it was seen: where another writer was faster, nothing is recorded.
//! - A contract's number of accounts is counted where no other writer can come between: it is a hard limit.
//! - Secrets are stored sealed ([`keys`]), each for its place; a backup and a mirror hold them so too.
//! - Every operation ends within seconds. A database that is down, slow, locked or full is an error in words, and never a hang.
//! - A follower hears of each change, in whichever process it was made, and of the database being lost and found ([`Watch`]).
//!
//! # Where to start
//!
//! `store/session` is the door to both databases, `store/schema` their tables, `store/record` the one way in, `store/read` the way out.
//! [`follow`] tells of changes; [`backup`] and [`mirror`] write files, whose form is [`dump`]'s.

#![forbid(unsafe_code)]

pub mod account;
pub mod argon;
pub mod backup;
pub mod change;
pub mod dump;
mod error;
mod files;
pub mod follow;
pub mod formats;
mod hex;
pub mod keys;
mod location;
pub mod mirror;
pub mod row;
mod store;

pub use backup::BackedUp;
pub use change::{AccountEdit, AccountSet, Change, NewEntry, Recorded};
pub use dump::DumpError;
pub use error::RegistryError;
pub use follow::{Heard, Watch};
pub use location::{Location, LocationError};
pub use mirror::{Mirror, Snapshot};
pub use row::{AccountChange, AccountRow, SealedDocument, StoredSecret};
pub use store::{Page, Registry, Resealed};
