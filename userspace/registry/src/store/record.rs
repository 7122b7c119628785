//! Recording: the history grows, documents and accounts change, all at once or not at all.

use sekisho_regulation::event::Entry;

use super::{
    Inner, Registry,
    edits::{self, Key, Prepared},
    rows::number,
    session::{Session, Value},
};
use crate::{
    account::Account,
    change::{AccountEdit, AccountSet, Change, NewEntry, Recorded},
    error::RegistryError,
    keys::{KeyError, KeyRing},
    row::{AccountRow, SealedDocument, StoredSecret, account_context, document_context},
};

impl Registry {
    /// Records a change: all of it, or nothing.
    ///
    /// `seen` is the last entry of the history that the caller's decision rests on. Where another writer was faster, nothing is recorded
    /// and [`RegistryError::Moved`] says so: the caller reads the history again and decides again. The new entries get the numbers
    /// after `seen`.
    pub async fn record(&self, seen: u64, change: Change) -> Result<Recorded, RegistryError> {
        self.write(seen, change, true).await
    }

    /// Whether a change would be recorded: all is done as [`Registry::record`] does it, and taken back.
    pub async fn rehearse(&self, seen: u64, change: Change) -> Result<(), RegistryError> {
        self.write(seen, change, false).await.map(drop)
    }

    async fn write(&self, seen: u64, change: Change, is_kept: bool) -> Result<Recorded, RegistryError> {
        let inner = &self.inner;
        let (keys, place) = (inner.keys.clone(), inner.place.clone());
        // Sealing 100,000 passwords takes its time: not from whoever else runs on this thread, nor while others wait for the database.
        let sealing = tokio::task::spawn_blocking(move || Sealed::new(seen, change, &keys, &place));
        let sealed = sealing
            .await
            .map_err(|error| RegistryError::Refused { place: inner.place.clone(), matter: error.to_string() })??;
        let (mut session, revision) = inner.writing().await?;
        match sealed.apply(inner, &mut session, seen, revision).await {
            Ok(Some(recorded)) if is_kept => {
                inner.commit(session).await?;
                Ok(recorded)
            }
            Ok(Some(recorded)) => {
                session.rollback().await;
                Ok(recorded)
            }
            // There was nothing to do, which is no new revision.
            Ok(None) => {
                session.rollback().await;
                Ok(Recorded { last: seen, revision: revision.saturating_sub(1) })
            }
            Err(error) => {
                session.rollback().await;
                Err(error)
            }
        }
    }
}

/// A change as it will be stored.
struct Sealed {
    entries: Vec<Entry>,
    documents: Vec<SealedDocument>,
    edits: Vec<Prepared>,
    limits: Vec<(String, u32)>,
}

impl Sealed {
    fn new(seen: u64, change: Change, keys: &KeyRing, place: &str) -> Result<Sealed, RegistryError> {
        let Change { entries, documents, accounts, account_limits } = change;
        let sealing =
            |what: String| move |source: KeyError| RegistryError::Sealed { place: place.to_owned(), what, source };
        let mut numbered = Vec::with_capacity(entries.len());
        for (number, NewEntry { at, who, why, event }) in (seen + 1..).zip(entries) {
            for (name, text) in [("who", &who), ("why", &why)] {
                check_text(&format!("the `{name}` of entry {number}"), text, true)?;
            }
            numbered.push(Entry { number, at, who, why, event });
        }
        let mut sealed = Vec::with_capacity(documents.len());
        for (index, customer, text) in documents {
            let Some(number) = numbered.get(index).map(|entry| entry.number) else {
                return Err(unfit(
                    format!("document {}", sealed.len() + 1),
                    "names no entry of its change",
                    "give the index of the entry that records it",
                ));
            };
            if let Some(customer) = &customer {
                check_name(&format!("the customer of entry {number}"), customer)?;
            }
            let octets = keys
                .seal(&document_context(customer.as_deref(), number), text.as_bytes())
                .map_err(sealing(format!("the document of entry {number}")))?;
            sealed.push(SealedDocument { number, customer, sealed: octets });
        }
        let mut edits = Vec::with_capacity(accounts.len());
        for (place, edit) in (1..).zip(accounts) {
            edits.push(prepare(place, edit, keys).map_err(|fault| match fault {
                Fault::Unfit(error) => error,
                Fault::Key(error) => sealing(format!("the secret of edit {place}"))(error),
            })?);
        }
        Ok(Sealed { entries: numbered, documents: sealed, edits, limits: account_limits.into_iter().collect() })
    }

    async fn apply(
        self,
        inner: &Inner,
        session: &mut Session,
        seen: u64,
        revision: u64,
    ) -> Result<Option<Recorded>, RegistryError> {
        let last = match session.row("SELECT coalesce(max(number), 0) FROM history", vec![]).await? {
            Some(row) => inner.count(row.int(0), "the history")?,
            None => 0,
        };
        if last != seen {
            return Err(RegistryError::Moved { seen, last });
        }
        if self.entries.is_empty() && self.documents.is_empty() && self.edits.is_empty() {
            return Ok(None);
        }
        for entry in &self.entries {
            insert_entry(inner, session, entry).await?;
        }
        for document in self.documents {
            insert_document(session, document).await?;
        }
        edits::apply(inner, session, revision, self.edits).await?;
        for (contract, limit) in self.limits {
            let count = "SELECT count(*) FROM account WHERE contract = $1 AND NOT gone";
            let accounts = match session.row(count, vec![Value::Text(contract.clone())]).await? {
                Some(row) => inner.count(row.int(0), "a number of accounts")?,
                None => 0,
            };
            if accounts > u64::from(limit) {
                return Err(RegistryError::TooMany { contract, accounts, limit });
            }
        }
        let last = self.entries.last().map_or(seen, |entry| entry.number);
        Ok(Some(Recorded { last, revision }))
    }
}

/// Appends an entry with the number that it has.
pub(crate) async fn insert_entry(inner: &Inner, session: &mut Session, entry: &Entry) -> Result<(), RegistryError> {
    let event =
        serde_json::to_string(&entry.event).map_err(|error| inner.damaged(format!("entry {}", entry.number), error))?;
    let values = vec![
        Value::Int(number(entry.number)),
        Value::Text(entry.at.to_string()),
        Value::Text(entry.who.clone()),
        Value::Text(entry.why.clone()),
        Value::Text(event),
    ];
    session.execute("INSERT INTO history (number, at, who, why, event) VALUES ($1, $2, $3, $4, $5)", values).await?;
    Ok(())
}

/// Puts a document to its entry.
pub(crate) async fn insert_document(session: &mut Session, document: SealedDocument) -> Result<(), RegistryError> {
    let SealedDocument { number: entry, customer, sealed } = document;
    let values = vec![Value::Int(number(entry)), Value::MaybeText(customer), Value::Octets(sealed)];
    session.execute("INSERT INTO document (number, customer, sealed) VALUES ($1, $2, $3)", values).await?;
    Ok(())
}

enum Fault {
    Unfit(RegistryError),
    Key(KeyError),
}

/// Seals what an edit has to seal, and refuses what neither database could give back as it was.
fn prepare(place: usize, edit: AccountEdit, keys: &KeyRing) -> Result<Prepared, Fault> {
    let what = |name: &str| format!("the {name} of edit {place}");
    let named = |contract: String, realm: String, user: String| {
        check_name(&what("contract"), &contract)?;
        check_name(&what("realm"), &realm)?;
        check_text(&what("user"), &user, false)?;
        Ok(Key { contract, realm, user })
    };
    match edit {
        AccountEdit::Put(account) => {
            let Account { contract, realm, user, note, .. } = &account;
            named(contract.clone(), realm.clone(), user.clone()).map_err(Fault::Unfit)?;
            check_text(&what("note"), note, true).map_err(Fault::Unfit)?;
            Ok(Prepared::Put(place, AccountRow::seal(account, keys).map_err(Fault::Key)?))
        }
        AccountEdit::Remove { contract, realm, user } => {
            Ok(Prepared::Remove(place, named(contract, realm, user).map_err(Fault::Unfit)?))
        }
        AccountEdit::Set { contract, realm, user, mut set } => {
            let key = named(contract, realm, user).map_err(Fault::Unfit)?;
            if let Some(note) = &set.note {
                check_text(&what("note"), note, true).map_err(Fault::Unfit)?;
            }
            let AccountSet { secret, .. } = &mut *set;
            let context = account_context(&key.contract, &key.realm, &key.user);
            let secret = secret
                .take()
                .map(|secret| StoredSecret::seal(&secret, &context, keys))
                .transpose()
                .map_err(Fault::Key)?;
            Ok(Prepared::Set(place, key, set, secret))
        }
    }
}

/// A name that stands in what a secret is sealed for, between slashes.
fn check_name(what: &str, name: &str) -> Result<(), RegistryError> {
    check_text(what, name, false)?;
    if name.contains('/') {
        return Err(unfit(what.to_owned(), "has a slash", "give a name without it"));
    }
    Ok(())
}

/// Text that both databases keep as it is: PostgreSQL knows no character 0.
fn check_text(what: &str, text: &str, free: bool) -> Result<(), RegistryError> {
    if !free && text.is_empty() {
        return Err(unfit(what.to_owned(), "is empty", "give it one"));
    }
    if text.chars().any(|character| character == '\0' || !free && character.is_control()) {
        return Err(unfit(what.to_owned(), "has a control character", "take it out"));
    }
    Ok(())
}

fn unfit(what: String, matter: &str, remedy: &'static str) -> RegistryError {
    RegistryError::Unfit { what, matter: matter.to_owned(), remedy }
}
