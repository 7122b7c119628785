//! After a key rotation: everything is sealed anew, so that the former key can be thrown away.

use sqlx::AssertSqlSafe;

use super::{
    Inner, Registry, open,
    rows::{self, COLUMNS, number},
    session::{Session, Value},
};
use crate::{
    error::RegistryError,
    keys::KeyError,
    row::{AccountChange, AccountRow, SealedDocument, StoredSecret, account_context, document_context},
};

/// Accounts of one transaction. Others may write in between.
const BATCH: i64 = 500;

/// How far resealing has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Documents that were looked at.
    pub documents: u64,
    /// Accounts that were looked at.
    pub accounts: u64,
    /// How many of both were sealed by a former key, and are sealed by the current one now.
    pub resealed: u64,
}

impl Registry {
    /// Seals everything anew that is not sealed by the current key, batch by batch, while others read and write. `progress` hears of
    /// each batch. It may be broken off and begun again.
    ///
    /// A batch with something resealed is a new revision, so that followers hold, and their mirrors keep, what the current key opens. When this
    /// has ended and the followers have followed, the former keys can be taken out of the key file. Backups made before still need them.
    pub async fn reseal(&self, mut progress: impl FnMut(Resealed)) -> Result<Resealed, RegistryError> {
        let inner = &self.inner;
        let mut done = Resealed::default();
        let mut after = 0;
        while let Some(last) = documents(inner, after, &mut done).await? {
            after = last;
            progress(done);
        }
        let mut after = (String::new(), String::new());
        while let Some(last) = accounts(inner, after, &mut done).await? {
            after = last;
            progress(done);
        }
        key_check(inner).await?;
        Ok(done)
    }
}

/// Reseals a batch of documents, and says which was the last.
async fn documents(inner: &Inner, after: u64, done: &mut Resealed) -> Result<Option<u64>, RegistryError> {
    let (mut session, _) = inner.writing().await?;
    let mut changed = 0;
    let page = super::all_documents(inner, &mut session, after).await?;
    for SealedDocument { number: entry, customer, sealed } in &page {
        let what = || format!("the document of entry {entry}");
        if let Some(new) = resealed(inner, &document_context(customer.as_deref(), *entry), sealed, what)? {
            let values = vec![Value::Octets(new), Value::Int(number(*entry))];
            session.execute("UPDATE document SET sealed = $1 WHERE number = $2", values).await?;
            changed += 1;
        }
    }
    done.documents += u64::try_from(page.len()).unwrap_or_default();
    end(inner, session, changed, done).await?;
    Ok(page.last().map(|document| document.number))
}

/// Reseals a batch of accounts, and says which was the last.
async fn accounts(
    inner: &Inner,
    after: (String, String),
    done: &mut Resealed,
) -> Result<Option<(String, String)>, RegistryError> {
    let (mut session, revision) = inner.writing().await?;
    let sql =
        format!("SELECT {COLUMNS} FROM account WHERE (realm, user_name) > ($1, $2) ORDER BY realm, user_name LIMIT $3");
    let page =
        session.rows(AssertSqlSafe(sql), vec![Value::Text(after.0), Value::Text(after.1), Value::Int(BATCH)]).await?;
    let mut last = None;
    let mut changed = 0;
    for row in &page {
        match rows::read(row, inner)? {
            AccountChange::Gone { realm, user, .. } => last = Some((realm, user)),
            AccountChange::Changed(row) => {
                changed += u64::from(account(inner, &mut session, revision, &row).await?);
                last = Some((row.realm, row.user));
            }
        }
    }
    done.accounts += u64::try_from(page.len()).unwrap_or_default();
    end(inner, session, changed, done).await?;
    Ok(last)
}

/// Reseals an account, where its secret is sealed, and not by the current key.
async fn account(inner: &Inner, session: &mut Session, revision: u64, row: &AccountRow) -> Result<bool, RegistryError> {
    let StoredSecret::Recoverable(sealed) = &row.secret else { return Ok(false) };
    let what = || format!("the secret of an account of contract {} in realm {}", row.contract, row.realm);
    let Some(new) = resealed(inner, &account_context(&row.contract, &row.realm, &row.user), sealed, what)? else {
        return Ok(false);
    };
    let sql = "UPDATE account SET secret = $1, revision = $2 WHERE realm = $3 AND user_name = $4";
    let values = vec![
        Value::Octets(new),
        Value::Int(number(revision)),
        Value::Text(row.realm.clone()),
        Value::Text(row.user.clone()),
    ];
    session.execute(sql, values).await?;
    Ok(true)
}

/// Last of all, what tells that a key ring is this registry's.
async fn key_check(inner: &Inner) -> Result<(), RegistryError> {
    let (mut session, _) = inner.writing().await?;
    let sealed = |source: KeyError| RegistryError::Sealed {
        place: inner.place.clone(),
        what: "the key check".to_owned(),
        source,
    };
    let Some(row) = session.row("SELECT key_check FROM meta", vec![]).await? else { return Ok(()) };
    if inner.keys.is_current(&inner.column(row.octets(0))?) {
        session.rollback().await;
        return Ok(());
    }
    let check = open::key_check(&inner.keys, &inner.id).map_err(sealed)?;
    session.execute("UPDATE meta SET key_check = $1", vec![Value::Octets(check)]).await?;
    inner.commit(session).await
}

/// The same sealed by the current key, where it is not.
fn resealed(
    inner: &Inner,
    context: &str,
    sealed: &[u8],
    what: impl Fn() -> String,
) -> Result<Option<Vec<u8>>, RegistryError> {
    if inner.keys.is_current(sealed) {
        return Ok(None);
    }
    let anew = || inner.keys.seal(context, &inner.keys.open(context, sealed)?);
    anew().map(Some).map_err(|source| RegistryError::Sealed { place: inner.place.clone(), what: what(), source })
}

/// Commits a batch with something in it; another is no new revision.
async fn end(inner: &Inner, session: Session, changed: u64, done: &mut Resealed) -> Result<(), RegistryError> {
    if changed == 0 {
        session.rollback().await;
        return Ok(());
    }
    inner.commit(session).await?;
    done.resealed += changed;
    Ok(())
}
