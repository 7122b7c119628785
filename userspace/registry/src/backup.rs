//! Backup and restore: a file that either database can be made from again.

use std::{io, ops::ControlFlow, path::Path};

use jiff::Timestamp;
use sekisho_regulation::event::Entry;
use tokio::sync::mpsc;

use crate::{
    dump::{DumpError, Form, Head, Item, Reader, Writer},
    error::RegistryError,
    files,
    keys::KeyRing,
    location::Location,
    row::{AccountChange, AccountRow, SealedDocument},
    store::{self, Inner, Position, Registry, Session, Value},
};

/// Batches that may wait between the database and the file.
const AHEAD: usize = 2;
/// Lines of a batch that is read from a file.
const BATCH: usize = 1000;

/// What is in a backup.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// Entries of the history.
    pub entries: u64,
    /// Documents.
    pub documents: u64,
    /// Accounts.
    pub accounts: u64,
}

impl Registry {
    /// Writes all of the registry to a file, of one state of it, while others read and write. Secrets stay sealed: to restore it, the
    /// keys are needed as well, which are kept elsewhere. A file that is there is replaced when the new one is whole.
    pub async fn backup(&self, file: &Path) -> Result<BackedUp, RegistryError> {
        let inner = &self.inner;
        let (mut session, revision) = inner.reading().await?;
        let head = Head::new(Form::Backup, inner.id.clone(), revision, Timestamp::now());
        let (batches, received) = mpsc::channel(AHEAD);
        let path = file.to_owned();
        let writer = tokio::task::spawn_blocking(move || write(&path, &head, received));
        let sent = send(inner, &mut session, &batches).await;
        session.rollback().await;
        if sent.is_ok() {
            // Without it, what was written is thrown away.
            let _ = batches.send(Batch::Whole).await;
        }
        drop(batches);
        let written = writer
            .await
            .map_err(|error| RegistryError::Refused { place: inner.place.clone(), matter: error.to_string() })?;
        sent?;
        Ok(written?)
    }

    /// Makes a registry from a backup, in a new file or an empty database.
    ///
    /// The whole backup is checked first, and each secret of it opened: where anything is wrong, nothing is made. The restored registry is
    /// another one than the one that was backed up ([`Registry::id`]), so that whoever followed that one reads this one whole.
    pub async fn restore(location: &Location, file: &Path, keys: KeyRing) -> Result<Registry, RegistryError> {
        let place = location.to_string();
        let (path, ring) = (file.to_owned(), keys.clone());
        let checking = tokio::task::spawn_blocking(move || check(&path, &ring));
        let revision =
            checking.await.map_err(|error| RegistryError::Refused { place, matter: error.to_string() })??;
        let registry = Registry::open(location, keys).await?;
        let inner = &registry.inner;
        let (mut session, _) = inner.writing().await?;
        match fill(inner, &mut session, file, revision).await {
            Ok(()) => inner.commit(session).await?,
            Err(error) => {
                session.rollback().await;
                return Err(error);
            }
        }
        Ok(registry)
    }
}

/// What goes from the database to the file.
enum Batch {
    Entries(Vec<Entry>),
    Documents(Vec<SealedDocument>),
    Accounts(Vec<AccountRow>),
    /// There is no more, and all of it came.
    Whole,
}

/// Sends all of the registry, as long as somebody takes it.
async fn send(inner: &Inner, session: &mut Session, batches: &mpsc::Sender<Batch>) -> Result<(), RegistryError> {
    let mut after = 0;
    loop {
        let page = store::history_page(inner, session, after).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        if batches.send(Batch::Entries(page)).await.is_err() {
            return Ok(());
        }
    }
    after = 0;
    loop {
        let page = store::all_documents(inner, session, after).await?;
        let Some(last) = page.last() else { break };
        after = last.number;
        if batches.send(Batch::Documents(page)).await.is_err() {
            return Ok(());
        }
    }
    let mut position = ControlFlow::Continue(Position::After(0));
    while let ControlFlow::Continue(from) = position {
        let mut page = Vec::new();
        let mut keep = |change| {
            if let AccountChange::Changed(row) = change {
                page.push(row);
            }
        };
        position = store::revision_page(inner, session, from, &mut keep).await?;
        if batches.send(Batch::Accounts(page)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Writes what comes, on a thread that may wait for the disk.
fn write(path: &Path, head: &Head, mut batches: mpsc::Receiver<Batch>) -> Result<BackedUp, DumpError> {
    files::replace(path, |out| {
        let mut writer = Writer::new(out, head)?;
        let mut done = BackedUp::default();
        loop {
            match batches.blocking_recv() {
                Some(Batch::Entries(entries)) => {
                    entries.iter().try_for_each(|entry| writer.entry(entry))?;
                    done.entries += count(entries.len());
                }
                Some(Batch::Documents(documents)) => {
                    documents.iter().try_for_each(|document| writer.document(document))?;
                    done.documents += count(documents.len());
                }
                Some(Batch::Accounts(accounts)) => {
                    accounts.iter().try_for_each(|account| writer.account(account))?;
                    done.accounts += count(accounts.len());
                }
                Some(Batch::Whole) => {
                    writer.end()?;
                    return Ok(done);
                }
                None => return Err(io::Error::other("the registry could not be read to its end")),
            }
        }
    })
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Reads all of a backup, opens all that is sealed, and gives the revision that it was taken at.
fn check(path: &Path, keys: &KeyRing) -> Result<u64, DumpError> {
    let (mut reader, head) = Reader::open(path, Form::Backup)?;
    let mut entries = 0;
    while let Some(item) = reader.next()? {
        match item {
            Item::Entry(entry) => {
                entries += 1;
                if entry.number != entries {
                    return Err(reader.altered(format!("entry {} stands where {entries} should", entry.number)));
                }
            }
            Item::Document(document) => {
                if document.number > entries {
                    return Err(
                        reader.altered(format!("a document belongs to entry {}, which is not there", document.number))
                    );
                }
                document.open(keys).map_err(|error| reader.sealed(error))?;
            }
            Item::Account(account) => {
                account.secret(keys).map_err(|error| reader.sealed(error))?;
            }
        }
    }
    Ok(head.revision)
}

/// Fills an empty registry.
async fn fill(inner: &Inner, session: &mut Session, file: &Path, revision: u64) -> Result<(), RegistryError> {
    let something = "SELECT number FROM history UNION ALL SELECT revision FROM account LIMIT $1";
    if session.row(something, vec![Value::Int(1)]).await?.is_some() {
        return Err(RegistryError::NotEmpty { place: inner.place.clone() });
    }
    let (items, mut received) = mpsc::channel(AHEAD);
    let path = file.to_owned();
    let reading = tokio::task::spawn_blocking(move || read(&path, &items));
    while let Some(batch) = received.recv().await {
        let mut rows = Vec::new();
        for item in batch {
            match item {
                Item::Entry(entry) => store::insert_entry(inner, session, &entry).await?,
                Item::Document(document) => store::insert_document(session, document).await?,
                Item::Account(account) => rows.push(store::values(&account, account.revision, inner)?),
            }
        }
        if !rows.is_empty() && !store::put_rows(session, rows).await? {
            return Err(inner.damaged("the backup".to_owned(), "an account is in it twice"));
        }
    }
    // The file is read a second time, and might be another by now.
    reading
        .await
        .map_err(|error| RegistryError::Refused { place: inner.place.clone(), matter: error.to_string() })??;
    let values = vec![Value::Int(store::number(revision.saturating_add(1)))];
    session.execute("UPDATE meta SET revision = $1", values).await?;
    Ok(())
}

fn read(path: &Path, items: &mpsc::Sender<Vec<Item>>) -> Result<(), DumpError> {
    let (mut reader, _) = Reader::open(path, Form::Backup)?;
    let mut batch = Vec::new();
    while let Some(item) = reader.next()? {
        batch.push(item);
        if batch.len() == BATCH {
            // Where nobody takes them any more, the error is known on the other side.
            let _ = items.blocking_send(std::mem::take(&mut batch));
        }
    }
    let _ = items.blocking_send(batch);
    Ok(())
}
