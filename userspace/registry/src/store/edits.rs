//! What is done to accounts, many at a time: 100,000 are a hundred statements, and not as many as there are accounts.

use std::collections::HashSet;

use sqlx::AssertSqlSafe;

use super::{
    Inner,
    failure::Speaker,
    rows::{self, COLUMNS, WIDTH, number},
    session::{Session, Value},
};
use crate::{
    change::AccountSet,
    error::RegistryError,
    row::{AccountChange, AccountRow, StoredSecret},
};

/// Rows of one statement: 13 values each, of the 32,766 that SQLite takes and the 65,535 that PostgreSQL does.
const BATCH: usize = 1000;

/// An edit whose secrets are sealed already. Each has its place in the change, from 1, for messages.
pub(super) enum Prepared {
    Put(usize, AccountRow),
    Remove(usize, Key),
    Set(usize, Key, Box<AccountSet>, Option<StoredSecret>),
}

/// Contract, realm and user.
pub(super) struct Key {
    pub(super) contract: String,
    pub(super) realm: String,
    pub(super) user: String,
}

/// Does the edits in their order, under the revision that the change has.
pub(super) async fn apply(
    inner: &Inner,
    session: &mut Session,
    revision: u64,
    edits: Vec<Prepared>,
) -> Result<(), RegistryError> {
    let mut waiting = Waiting::default();
    for edit in edits {
        match edit {
            Prepared::Put(place, row) => {
                if !waiting.removals.is_empty() || waiting.has(&row.realm, &row.user) {
                    waiting.flush(inner, session, revision).await?;
                }
                waiting.put(place, row);
            }
            Prepared::Remove(place, key) => {
                if !waiting.rows.is_empty() || waiting.has(&key.realm, &key.user) {
                    waiting.flush(inner, session, revision).await?;
                }
                waiting.remove(place, key);
            }
            Prepared::Set(place, key, set, secret) => {
                if !waiting.removals.is_empty() || waiting.has(&key.realm, &key.user) {
                    waiting.flush(inner, session, revision).await?;
                }
                let row = present(inner, session, place, &key).await?;
                waiting.put(place, changed(row, *set, secret));
            }
        }
        if waiting.len() >= BATCH {
            waiting.flush(inner, session, revision).await?;
        }
    }
    waiting.flush(inner, session, revision).await
}

/// What is done by the next statement: rows that are put, or removals, and no account twice.
#[derive(Default)]
struct Waiting {
    rows: Vec<(usize, AccountRow)>,
    removals: Vec<(usize, Key)>,
    // Asked, never iterated.
    names: HashSet<(String, String)>,
}

impl Waiting {
    fn len(&self) -> usize {
        self.rows.len() + self.removals.len()
    }

    fn has(&self, realm: &str, user: &str) -> bool {
        self.names.contains(&(realm.to_owned(), user.to_owned()))
    }

    fn put(&mut self, place: usize, row: AccountRow) {
        self.names.insert((row.realm.clone(), row.user.clone()));
        self.rows.push((place, row));
    }

    fn remove(&mut self, place: usize, key: Key) {
        self.names.insert((key.realm.clone(), key.user.clone()));
        self.removals.push((place, key));
    }

    async fn flush(&mut self, inner: &Inner, session: &mut Session, revision: u64) -> Result<(), RegistryError> {
        self.names.clear();
        let rows = std::mem::take(&mut self.rows);
        if !rows.is_empty() {
            let values =
                rows.iter().map(|(_, row)| rows::values(row, revision, inner)).collect::<Result<Vec<_>, _>>()?;
            if !put_rows(session, values).await? {
                return Err(foreign(inner, session, &rows).await?);
            }
        }
        let removals = std::mem::take(&mut self.removals);
        if !removals.is_empty() {
            remove(inner, session, revision, &removals).await?;
        }
        Ok(())
    }
}

/// Puts rows of [`COLUMNS`], at most a batch of them. False where one of them is an account of another contract: then the change is refused.
pub(crate) async fn put_rows(session: &mut Session, rows: Vec<[Value; WIDTH]>) -> Result<bool, RegistryError> {
    let count = rows.len();
    let sql = format!(
        "INSERT INTO account ({COLUMNS}) VALUES {} ON CONFLICT (realm, user_name) DO UPDATE SET contract = excluded.contract, \
         revision = excluded.revision, gone = excluded.gone, form = excluded.form, secret = excluded.secret, enabled = excluded.enabled, \
         expires = excluded.expires, simultaneous = excluded.simultaneous, calling = excluded.calling, reply = excluded.reply, \
         note = excluded.note WHERE account.gone OR account.contract = excluded.contract",
        Marks::of(session).tuples(count, WIDTH)
    );
    // Its text is made of constants and numbers; every value is bound.
    let put = session.execute(AssertSqlSafe(sql), rows.into_iter().flatten().collect()).await?;
    Ok(put == u64::try_from(count).unwrap_or(u64::MAX))
}

/// Which of the rows that were not put belongs to somebody else.
async fn foreign(
    inner: &Inner,
    session: &mut Session,
    rows: &[(usize, AccountRow)],
) -> Result<RegistryError, RegistryError> {
    for (place, row) in rows {
        if let Some(stored) = stored(inner, session, &row.realm, &row.user).await?
            && stored.contract != row.contract
        {
            return Ok(RegistryError::OtherContract {
                edit: *place,
                contract: row.contract.clone(),
                realm: row.realm.clone(),
            });
        }
    }
    Ok(RegistryError::Refused {
        place: inner.place.clone(),
        matter: "it has put fewer accounts than it was given".to_owned(),
    })
}

/// Marks accounts of their contracts as gone, and wipes what they were.
async fn remove(
    inner: &Inner,
    session: &mut Session,
    revision: u64,
    removals: &[(usize, Key)],
) -> Result<(), RegistryError> {
    let mut keys = Vec::with_capacity(removals.len() * 3);
    for (_, key) in removals {
        keys.extend([Value::Text(key.contract.clone()), Value::Text(key.realm.clone()), Value::Text(key.user.clone())]);
    }
    // One that is named and not there is found out before, since afterwards all of them are gone.
    let there = format!(
        "SELECT count(*) FROM account WHERE NOT gone AND (contract, realm, user_name) IN (VALUES {})",
        Marks::of(session).tuples(removals.len(), 3)
    );
    let found = match session.row(AssertSqlSafe(there), keys.clone()).await? {
        Some(row) => inner.count(row.int(0), "a number of accounts")?,
        None => 0,
    };
    if found != u64::try_from(removals.len()).unwrap_or(u64::MAX) {
        for (place, key) in removals {
            present(inner, session, *place, key).await?;
        }
    }
    let mut marks = Marks::of(session);
    let sql = format!(
        "UPDATE account SET gone = TRUE, revision = {}, secret = {}, contract = '', expires = NULL, simultaneous = NULL, calling = '[]', \
         reply = '[]', note = '' WHERE NOT gone AND (contract, realm, user_name) IN (VALUES {})",
        marks.mark(),
        marks.mark(),
        marks.tuples(removals.len(), 3)
    );
    let mut values = vec![Value::Int(number(revision)), Value::Octets(Vec::new())];
    values.extend(keys);
    session.execute(AssertSqlSafe(sql), values).await?;
    Ok(())
}

/// The account that an edit names: it must be there, and of that contract.
async fn present(inner: &Inner, session: &mut Session, edit: usize, key: &Key) -> Result<AccountRow, RegistryError> {
    let (contract, realm) = (key.contract.clone(), key.realm.clone());
    match stored(inner, session, &key.realm, &key.user).await? {
        Some(row) if row.contract == key.contract => Ok(row),
        Some(_) => Err(RegistryError::OtherContract { edit, contract, realm }),
        None => Err(RegistryError::NoAccount { edit, contract, realm }),
    }
}

/// The account, where it is not gone.
pub(super) async fn stored(
    inner: &Inner,
    session: &mut Session,
    realm: &str,
    user: &str,
) -> Result<Option<AccountRow>, RegistryError> {
    let sql = format!("SELECT {COLUMNS} FROM account WHERE realm = $1 AND user_name = $2");
    let row =
        session.row(AssertSqlSafe(sql), vec![Value::Text(realm.to_owned()), Value::Text(user.to_owned())]).await?;
    Ok(match row.map(|row| rows::read(&row, inner)).transpose()? {
        Some(AccountChange::Changed(row)) => Some(row),
        Some(AccountChange::Gone { .. }) | None => None,
    })
}

fn changed(mut row: AccountRow, set: AccountSet, secret: Option<StoredSecret>) -> AccountRow {
    // The password itself is in `secret`, sealed.
    let AccountSet { secret: _, enabled, expires, simultaneous, calling, reply, note } = set;
    row.secret = secret.unwrap_or(row.secret);
    row.enabled = enabled.unwrap_or(row.enabled);
    row.expires = expires.unwrap_or(row.expires);
    row.simultaneous = simultaneous.unwrap_or(row.simultaneous);
    row.calling = calling.unwrap_or(row.calling);
    row.reply = reply.unwrap_or(row.reply);
    row.note = note.unwrap_or(row.note);
    row
}

/// The marks of a statement's values, in their order: `$1`, `$2`, and so on, which both databases know. Where there are thousands of them,
/// SQLite is given `?` alone: it looks for a mark with a name among all names, which takes minutes for 100,000 accounts.
struct Marks {
    named: bool,
    last: usize,
}

impl Marks {
    fn of(session: &Session) -> Marks {
        Marks { named: matches!(session.speaker(), Speaker::Postgres), last: 0 }
    }

    fn mark(&mut self) -> String {
        self.last += 1;
        if self.named { format!("${}", self.last) } else { "?".to_owned() }
    }

    /// `($1, $2), ($3, $4)`: so many tuples of such a width.
    fn tuples(&mut self, count: usize, width: usize) -> String {
        let tuples: Vec<String> = (0..count)
            .map(|_| format!("({})", (0..width).map(|_| self.mark()).collect::<Vec<_>>().join(", ")))
            .collect();
        tuples.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::Marks;

    #[test]
    fn marks_are_numbered_through_where_they_have_names() {
        let mut marks = Marks { named: true, last: 0 };
        assert_eq!(marks.mark(), "$1");
        assert_eq!(marks.tuples(2, 3), "($2, $3, $4), ($5, $6, $7)");
        assert_eq!(Marks { named: false, last: 0 }.tuples(2, 2), "(?, ?), (?, ?)");
    }
}
