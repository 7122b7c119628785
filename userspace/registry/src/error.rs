//! What can be the matter with the registry, for whoever has to act on it.

use std::path::PathBuf;

use crate::{dump::DumpError, keys::KeyError};

/// Why the registry could not be opened, read or written. Nothing of a change is recorded where one of these is returned, but for
/// [`Uncertain`](RegistryError::Uncertain).
///
/// `place` is where the registry is, without any password. No message names a subscriber: an account is named by the place of its edit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The database is not there, or does not let us in.
    #[error("{place}: the registry cannot be reached: {matter}; {remedy}")]
    Unreachable {
        /// Where.
        place: String,
        /// What the database, or the operating system, says.
        matter: String,
        /// What would help.
        remedy: &'static str,
    },
    /// It is there, and takes too long.
    #[error(
        "{place}: the registry was too slow: {matter}; see what else the database does, and whether its disk keeps up, and try again"
    )]
    Slow {
        /// Where.
        place: String,
        /// What was waited for, and how long.
        matter: String,
    },
    /// Somebody else is writing, and does not finish.
    #[error(
        "{place}: the registry is locked: another process has been writing for {seconds} s; try again when it is done, and see which process \
         it is if it does not end"
    )]
    Locked {
        /// Where.
        place: String,
        /// How long was waited, in seconds.
        seconds: u64,
    },
    /// The disk is full.
    #[error("{place}: the registry cannot be written: its disk is full ({matter}); make room, and try again")]
    Full {
        /// Where.
        place: String,
        /// What the database says.
        matter: String,
    },
    /// The file was removed or replaced while it was open: what was written to it would be lost.
    #[error("{}: the registry's file was removed or replaced while it was open; put it back, or restart what uses it", path.display())]
    Vanished {
        /// The file.
        path: PathBuf,
    },
    /// The database has another registry in it than the one that was opened: it was restored, or made anew.
    #[error(
        "{place}: this is another registry than the one that was opened: it was restored or made anew; open it again and read all of it"
    )]
    Replaced {
        /// Where.
        place: String,
    },
    /// The file may be read by everybody.
    #[error("{}: everybody may open the registry's file (mode {mode:03o}); run `chmod o= {}`", path.display(), path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Something else is there.
    #[error(
        "{place}: this is no registry: {matter}; name another file or database, or restore a backup into an empty one"
    )]
    NotARegistry {
        /// Where.
        place: String,
        /// What is there instead.
        matter: String,
    },
    /// A newer sekisho has been here.
    #[error(
        "{place}: the registry has schema {version}, and this sekisho knows schemas up to {known}; use a sekisho that is as new as the one that \
         wrote it"
    )]
    Newer {
        /// Where.
        place: String,
        /// Its schema.
        version: i64,
        /// The newest known here.
        known: i64,
    },
    /// The schema could not be brought up to date.
    #[error(
        "{place}: the registry's schema cannot be brought up to date: {matter}; nothing was changed, see that this user may create tables"
    )]
    Migration {
        /// Where.
        place: String,
        /// What the database says.
        matter: String,
    },
    /// The key ring does not belong to this registry.
    #[error("{place}: these are not the keys of this registry: {source}")]
    WrongKey {
        /// Where.
        place: String,
        /// What the key ring says.
        source: KeyError,
    },
    /// Another writer was faster: the decision rests on a history that has moved on.
    #[error("the history moved on from entry {seen} to {last} meanwhile; read it again, and decide again")]
    Moved {
        /// What the caller had seen.
        seen: u64,
        /// The last entry there is.
        last: u64,
    },
    /// The caller has seen a revision that this registry has not reached.
    #[error(
        "{place}: the registry is at revision {revision}, and {seen} was seen of it: it was restored; read all of it again"
    )]
    Rewound {
        /// Where.
        place: String,
        /// What the caller had seen.
        seen: u64,
        /// The registry's.
        revision: u64,
    },
    /// An account belongs to another contract than the edit says.
    #[error(
        "edit {edit}: the account in realm {realm} belongs to another contract than {contract}; remove it there first"
    )]
    OtherContract {
        /// The edit's place in the change, from 1.
        edit: usize,
        /// The contract that it names.
        contract: String,
        /// The account's realm.
        realm: String,
    },
    /// There is no such account.
    #[error(
        "edit {edit}: contract {contract} has no such account in realm {realm}; see how the name is written, or add it first"
    )]
    NoAccount {
        /// The edit's place in the change, from 1.
        edit: usize,
        /// The contract that it names.
        contract: String,
        /// The account's realm.
        realm: String,
    },
    /// The contract's number of accounts would be exceeded, which is a hard limit.
    #[error(
        "contract {contract} would have {accounts} accounts, and it states {limit} (契約者アカウント数); remove accounts, or change the contract first \
         (Art. 7)"
    )]
    TooMany {
        /// Which.
        contract: String,
        /// How many it would have.
        accounts: u64,
        /// How many it may have.
        limit: u32,
    },
    /// The change cannot be stored as it is.
    #[error("{what} {matter}; {remedy}")]
    Unfit {
        /// What of it: `entry 2`, `edit 17`.
        what: String,
        /// What is the matter.
        matter: String,
        /// What would help.
        remedy: &'static str,
    },
    /// There is no such document.
    #[error("{place}: no document was recorded with entry {number}; see `get history` for those that were")]
    NoDocument {
        /// Where.
        place: String,
        /// The entry's number.
        number: u64,
    },
    /// Something was sealed with a key that is missing, or was altered.
    #[error("{place}: {what}: {source}")]
    Sealed {
        /// Where.
        place: String,
        /// What it is: `the document of entry 7`.
        what: String,
        /// What the key ring says.
        source: KeyError,
    },
    /// What is there makes no sense.
    #[error("{place}: {what} is damaged: {matter}; restore a backup")]
    Damaged {
        /// Where.
        place: String,
        /// What: `entry 7 of the history`.
        what: String,
        /// What is the matter with it.
        matter: String,
    },
    /// The connection broke while the change was being committed.
    #[error(
        "{place}: the connection broke while a change was being committed ({matter}); read the history to see whether it was recorded"
    )]
    Uncertain {
        /// Where.
        place: String,
        /// What the database, or the operating system, says.
        matter: String,
    },
    /// A backup is restored into an empty registry only.
    #[error(
        "{place}: the registry is not empty, and a backup is never mixed with what is there; restore into a new file or an empty database"
    )]
    NotEmpty {
        /// Where.
        place: String,
    },
    /// Something of a backup's file.
    #[error(transparent)]
    Dump(#[from] DumpError),
    /// Whatever else the database says.
    #[error("{place}: the database refuses: {matter}; this should not happen, see the database's log")]
    Refused {
        /// Where.
        place: String,
        /// What it says.
        matter: String,
    },
}

impl RegistryError {
    /// Whether it may go away by itself: the same call may be tried again, after a while.
    pub fn is_transient(&self) -> bool {
        use RegistryError::{Full, Locked, Slow, Unreachable};
        matches!(self, Unreachable { .. } | Slow { .. } | Locked { .. } | Full { .. })
    }
}
