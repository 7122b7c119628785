//! Accounts as rows of the table.

use jiff::Timestamp;

use super::{Inner, session::Row, session::Value};
use crate::{
    error::RegistryError,
    row::{AccountChange, AccountRow, StoredSecret},
};

/// The columns of an account, in the order in which they are read and written.
pub(crate) const COLUMNS: &str =
    "realm, user_name, contract, revision, gone, form, secret, enabled, expires, simultaneous, calling, reply, note";
/// How many they are.
pub(crate) const WIDTH: usize = 13;

/// The values of a row, in the order of [`COLUMNS`].
pub(crate) fn values(row: &AccountRow, revision: u64, inner: &Inner) -> Result<[Value; WIDTH], RegistryError> {
    let json = |result: Result<String, serde_json::Error>| {
        result.map(Value::Text).map_err(|error| inner.damaged("an account".to_owned(), error))
    };
    let (form, secret) = match &row.secret {
        StoredSecret::Recoverable(sealed) => ("recoverable", sealed.clone()),
        StoredSecret::Argon2id(phc) => ("argon2id", phc.clone().into_bytes()),
    };
    Ok([
        Value::Text(row.realm.clone()),
        Value::Text(row.user.clone()),
        Value::Text(row.contract.clone()),
        Value::Int(number(revision)),
        Value::Flag(false),
        Value::Text(form.to_owned()),
        Value::Octets(secret),
        Value::Flag(row.enabled),
        Value::MaybeText(row.expires.map(|expires| expires.to_string())),
        Value::MaybeInt(row.simultaneous.map(i64::from)),
        json(serde_json::to_string(&row.calling))?,
        json(serde_json::to_string(&row.reply))?,
        Value::Text(row.note.clone()),
    ])
}

/// What a row says, of the [`COLUMNS`].
pub(crate) fn read(row: &Row, inner: &Inner) -> Result<AccountChange, RegistryError> {
    let (realm, user) = (inner.column(row.text(0))?, inner.column(row.text(1))?);
    let revision = inner.count(row.int(3), "an account's revision")?;
    if inner.column(row.flag(4))? {
        return Ok(AccountChange::Gone { realm, user, revision });
    }
    let damaged = |column: &str, matter: &dyn ToString| {
        inner.damaged(format!("the {column} of an account in realm {realm}"), matter.to_string())
    };
    let secret = inner.column(row.octets(6))?;
    let secret = match inner.column(row.text(5))?.as_str() {
        "recoverable" => StoredSecret::Recoverable(secret),
        // Not quoted, whatever it is.
        "argon2id" => {
            StoredSecret::Argon2id(String::from_utf8(secret).map_err(|_| damaged("secret", &"it is no text"))?)
        }
        form => return Err(damaged("form", &format!("it is `{form}`"))),
    };
    let expires = match inner.column(row.maybe_text(8))? {
        Some(text) => Some(text.parse::<Timestamp>().map_err(|error| damaged("expiry", &error))?),
        None => None,
    };
    let simultaneous = match inner.column(row.maybe_int(9))? {
        Some(value) => Some(u16::try_from(value).map_err(|error| damaged("number of sessions", &error))?),
        None => None,
    };
    Ok(AccountChange::Changed(AccountRow {
        contract: inner.column(row.text(2))?,
        revision,
        secret,
        enabled: inner.column(row.flag(7))?,
        expires,
        simultaneous,
        calling: serde_json::from_str(&inner.column(row.text(10))?).map_err(|error| damaged("numbers", &error))?,
        reply: serde_json::from_str(&inner.column(row.text(11))?).map_err(|error| damaged("attributes", &error))?,
        note: inner.column(row.text(12))?,
        realm,
        user,
    }))
}

/// A number of ours as the databases count: none of them ever comes near 2⁶³.
pub(crate) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
