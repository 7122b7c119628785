//! What a node keeps of the registry on its own disk, so that it serves on without its database, and after a restart too.

use std::{io, path::Path};

use jiff::Timestamp;
use sekisho_regulation::event::Entry;

use crate::{
    dump::{DumpError, Form, Head, Item, Reader, Writer},
    files,
    keys::KeyRing,
    row::{AccountRow, SealedDocument, StoredSecret},
};

/// All that a node needs of the registry, of one of its states. Secrets are sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Of which registry ([`Registry::id`](crate::Registry::id)): what is followed after this revision is followed of that one only.
    pub registry: String,
    /// The revision that it has all of.
    pub revision: u64,
    /// When it was taken.
    pub taken: Timestamp,
    /// The history.
    pub history: Vec<Entry>,
    /// The documents that are, or are going to be, in force.
    pub documents: Vec<SealedDocument>,
    /// All accounts.
    pub accounts: Vec<AccountRow>,
}

/// The last good [`Snapshot`] on a node's disk: one file, which is there whole or as it was before.
///
/// Both functions wait for the disk, and belong on a thread that may.
pub struct Mirror;

impl Mirror {
    /// Writes it: beside the file first, and onto the disk, and then in its place. Nobody but its owner may open it.
    pub fn write(path: &Path, snapshot: &Snapshot) -> Result<(), DumpError> {
        let Snapshot { registry, revision, taken, history, documents, accounts } = snapshot;
        let head = Head::new(Form::Mirror, registry.clone(), *revision, *taken);
        files::replace(path, |out| {
            let mut writer = Writer::new(out, &head)?;
            history.iter().try_for_each(|entry| writer.entry(entry))?;
            documents.iter().try_for_each(|document| writer.document(document))?;
            accounts.iter().try_for_each(|account| writer.account(account))?;
            writer.end()
        })
    }

    /// Reads it; `None` where there is none.
    ///
    /// One that is damaged, or is no mirror, is refused as a whole, and so is one that these keys do not open: its documents, and the
    /// first sealed password. The other passwords are opened by whoever uses them.
    pub fn read(path: &Path, keys: &KeyRing) -> Result<Option<Snapshot>, DumpError> {
        let (mut reader, head) = match Reader::open(path, Form::Mirror) {
            Err(DumpError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            outcome => outcome?,
        };
        let Head { registry, revision, taken, .. } = head;
        let mut snapshot =
            Snapshot { registry, revision, taken, history: Vec::new(), documents: Vec::new(), accounts: Vec::new() };
        let mut opened = false;
        while let Some(item) = reader.next()? {
            match item {
                Item::Entry(entry) => snapshot.history.push(*entry),
                Item::Document(document) => {
                    document.open(keys).map_err(|error| reader.sealed(error))?;
                    snapshot.documents.push(document);
                }
                Item::Account(account) => {
                    if !opened && matches!(account.secret, StoredSecret::Recoverable(_)) {
                        account.secret(keys).map_err(|error| reader.sealed(error))?;
                        opened = true;
                    }
                    snapshot.accounts.push(*account);
                }
            }
        }
        Ok(Some(snapshot))
    }
}
