//! Reading: the history, documents and accounts, in pages below and whole above.

use std::ops::ControlFlow;

use sekisho_regulation::event::Entry;
use sqlx::AssertSqlSafe;
use zeroize::Zeroizing;

use super::{
    Inner, Registry, edits,
    rows::{self, COLUMNS, number},
    session::{Row, Session, Value},
};
use crate::{
    error::RegistryError,
    mirror::Snapshot,
    row::{AccountChange, AccountRow, SealedDocument},
};

/// Rows of one statement: each is done well within the time that a statement has.
const PAGE: i64 = 5000;

/// Which part of a contract's accounts is asked for, in the order of realm and name.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Those after this realm and user; `None` from the first on.
    pub after: Option<(String, String)>,
    /// How many at most.
    pub size: u32,
}

impl Registry {
    /// The registry's revision, which rises with every change of the history or of accounts.
    pub async fn revision(&self) -> Result<u64, RegistryError> {
        self.inner.revision().await
    }

    /// All entries after the number `after`, in their order; all of them with 0.
    pub async fn history(&self, after: u64) -> Result<Vec<Entry>, RegistryError> {
        let (mut session, _) = self.inner.reading().await?;
        let entries = history(&self.inner, &mut session, after).await?;
        session.rollback().await;
        Ok(entries)
    }

    /// The text of the document that was recorded with this entry.
    pub async fn document(&self, number: u64) -> Result<Zeroizing<String>, RegistryError> {
        let document = self.documents(&[number]).await?.pop();
        let place = self.inner.place.clone();
        let Some(document) = document else { return Err(RegistryError::NoDocument { place, number }) };
        document.open(&self.inner.keys).map_err(|source| RegistryError::Sealed {
            place,
            what: format!("the document of entry {number}"),
            source,
        })
    }

    /// The documents that were recorded with these entries, sealed, in the order given.
    pub async fn documents(&self, numbers: &[u64]) -> Result<Vec<SealedDocument>, RegistryError> {
        let (mut session, _) = self.inner.reading().await?;
        let documents = documents(&self.inner, &mut session, numbers).await?;
        session.rollback().await;
        Ok(documents)
    }

    /// What happened to accounts after a revision, in the order of revisions, and the revision that was reached. After revision 0: all
    /// accounts (and those that are gone).
    pub async fn accounts(&self, after_revision: u64) -> Result<(Vec<AccountChange>, u64), RegistryError> {
        let mut changes = Vec::new();
        let reached = self.each_account(after_revision, |change| changes.push(change)).await?;
        Ok((changes, reached))
    }

    /// The same one by one, for whoever does not want a million of them at once. They are of one state of the registry.
    pub async fn each_account(
        &self,
        after_revision: u64,
        mut each: impl FnMut(AccountChange),
    ) -> Result<u64, RegistryError> {
        let (mut session, revision) = self.inner.reading().await?;
        if after_revision > revision {
            return Err(RegistryError::Rewound { place: self.inner.place.clone(), seen: after_revision, revision });
        }
        let mut position = Position::After(after_revision);
        while let ControlFlow::Continue(next) = revision_page(&self.inner, &mut session, position, &mut each).await? {
            position = next;
        }
        session.rollback().await;
        Ok(revision)
    }

    /// One account.
    pub async fn account(&self, realm: &str, user: &str) -> Result<Option<AccountRow>, RegistryError> {
        let (mut session, _) = self.inner.reading().await?;
        let row = edits::stored(&self.inner, &mut session, realm, user).await?;
        session.rollback().await;
        Ok(row)
    }

    /// A contract's accounts, a page of them.
    pub async fn accounts_of(&self, contract: &str, page: &Page) -> Result<Vec<AccountRow>, RegistryError> {
        let inner = &self.inner;
        let (mut session, _) = inner.reading().await?;
        // No name is empty, so that every account is after this.
        let (realm, user) = page.after.clone().unwrap_or_default();
        let sql = format!(
            "SELECT {COLUMNS} FROM account WHERE contract = $1 AND NOT gone AND (realm, user_name) > ($2, $3) ORDER BY realm, user_name LIMIT $4"
        );
        let values = vec![
            Value::Text(contract.to_owned()),
            Value::Text(realm),
            Value::Text(user),
            Value::Int(i64::from(page.size)),
        ];
        let mut accounts = Vec::new();
        for row in session.rows(AssertSqlSafe(sql), values).await? {
            if let AccountChange::Changed(row) = rows::read(&row, inner)? {
                accounts.push(row);
            }
        }
        session.rollback().await;
        Ok(accounts)
    }

    /// How many accounts a contract has.
    pub async fn count_accounts(&self, contract: &str) -> Result<u64, RegistryError> {
        let (mut session, _) = self.inner.reading().await?;
        let count = "SELECT count(*) FROM account WHERE contract = $1 AND NOT gone";
        let row = session.row(count, vec![Value::Text(contract.to_owned())]).await?;
        let accounts = row.map_or(Ok(0), |row| self.inner.count(row.int(0), "a number of accounts"))?;
        session.rollback().await;
        Ok(accounts)
    }

    /// All that a node needs to serve on without its database, of one state of the registry: the history, these documents, and all
    /// accounts, with their secrets sealed. See [`Mirror`](crate::mirror::Mirror).
    pub async fn snapshot(&self, documents_in_force: &[u64]) -> Result<Snapshot, RegistryError> {
        let inner = &self.inner;
        let (mut session, revision) = inner.reading().await?;
        let history = history(inner, &mut session, 0).await?;
        let documents = documents(inner, &mut session, documents_in_force).await?;
        let mut accounts = Vec::new();
        let mut keep = |change| {
            if let AccountChange::Changed(row) = change {
                accounts.push(row);
            }
        };
        let mut position = Position::After(0);
        while let ControlFlow::Continue(next) = revision_page(inner, &mut session, position, &mut keep).await? {
            position = next;
        }
        session.rollback().await;
        Ok(Snapshot {
            registry: inner.id.clone(),
            revision,
            taken: jiff::Timestamp::now(),
            history,
            documents,
            accounts,
        })
    }
}

/// Where a reader of accounts is, in the order of revision, realm and name.
pub(crate) enum Position {
    /// Before the first account of a later revision than this.
    After(u64),
    /// After this one.
    Behind(u64, String, String),
}

/// The next page of accounts, and where the page after it begins; or that there is none.
pub(crate) async fn revision_page(
    inner: &Inner,
    session: &mut Session,
    position: Position,
    each: &mut impl FnMut(AccountChange),
) -> Result<ControlFlow<(), Position>, RegistryError> {
    let (condition, mut values) = match position {
        Position::After(revision) => ("revision > $1", vec![Value::Int(number(revision))]),
        Position::Behind(revision, realm, user) => (
            "(revision, realm, user_name) > ($1, $2, $3)",
            vec![Value::Int(number(revision)), Value::Text(realm), Value::Text(user)],
        ),
    };
    values.push(Value::Int(PAGE));
    let sql = format!(
        "SELECT {COLUMNS} FROM account WHERE {condition} ORDER BY revision, realm, user_name LIMIT ${}",
        values.len()
    );
    let rows = session.rows(AssertSqlSafe(sql), values).await?;
    let full = i64::try_from(rows.len()).is_ok_and(|rows| rows >= PAGE);
    let mut next = ControlFlow::Break(());
    let last = rows.len().saturating_sub(1);
    for (index, row) in rows.into_iter().enumerate() {
        let change = rows::read(&row, inner)?;
        if full && index == last {
            let (AccountChange::Changed(AccountRow { revision, realm, user, .. })
            | AccountChange::Gone { realm, user, revision }) = &change;
            next = ControlFlow::Continue(Position::Behind(*revision, realm.clone(), user.clone()));
        }
        each(change);
    }
    Ok(next)
}

/// The next entries of the history; fewer than a page only where there are no more.
pub(crate) async fn history_page(
    inner: &Inner,
    session: &mut Session,
    after: u64,
) -> Result<Vec<Entry>, RegistryError> {
    let sql = "SELECT number, at, who, why, event FROM history WHERE number > $1 ORDER BY number LIMIT $2";
    let rows = session.rows(sql, vec![Value::Int(number(after)), Value::Int(PAGE)]).await?;
    rows.iter().map(|row| entry(inner, row)).collect()
}

/// The documents after an entry's number, a page of them, sealed.
pub(crate) async fn all_documents(
    inner: &Inner,
    session: &mut Session,
    after: u64,
) -> Result<Vec<SealedDocument>, RegistryError> {
    // A document may be large: fewer of them are read at once.
    let sql = "SELECT number, customer, sealed FROM document WHERE number > $1 ORDER BY number LIMIT $2";
    let rows = session.rows(sql, vec![Value::Int(number(after)), Value::Int(PAGE / 50)]).await?;
    rows.iter().map(|row| sealed_document(inner, row)).collect()
}

async fn history(inner: &Inner, session: &mut Session, after: u64) -> Result<Vec<Entry>, RegistryError> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let page = history_page(inner, session, entries.last().map_or(after, |entry| entry.number)).await?;
        if page.is_empty() {
            return Ok(entries);
        }
        entries.extend(page);
    }
}

async fn documents(
    inner: &Inner,
    session: &mut Session,
    numbers: &[u64],
) -> Result<Vec<SealedDocument>, RegistryError> {
    let mut documents = Vec::with_capacity(numbers.len());
    for wanted in numbers {
        let sql = "SELECT number, customer, sealed FROM document WHERE number = $1";
        match session.row(sql, vec![Value::Int(number(*wanted))]).await? {
            Some(row) => documents.push(sealed_document(inner, &row)?),
            None => return Err(RegistryError::NoDocument { place: inner.place.clone(), number: *wanted }),
        }
    }
    Ok(documents)
}

fn sealed_document(inner: &Inner, row: &Row) -> Result<SealedDocument, RegistryError> {
    Ok(SealedDocument {
        number: inner.count(row.int(0), "a document's number")?,
        customer: inner.column(row.maybe_text(1))?,
        sealed: inner.column(row.octets(2))?,
    })
}

fn entry(inner: &Inner, row: &Row) -> Result<Entry, RegistryError> {
    let number = inner.count(row.int(0), "an entry's number")?;
    let damaged = |matter: &dyn ToString| inner.damaged(format!("entry {number} of the history"), matter.to_string());
    Ok(Entry {
        number,
        at: inner.column(row.text(1))?.parse().map_err(|error: jiff::Error| damaged(&error))?,
        who: inner.column(row.text(2))?,
        why: inner.column(row.text(3))?,
        event: serde_json::from_str(&inner.column(row.text(4))?).map_err(|error| damaged(&error))?,
    })
}
