//! The tables of FreeRADIUS's `rlm_sql`: read from its database, written as INSERT statements.
//!
//! `radcheck` and `radreply` mean what the check and reply items of [`users`](super::users) mean. Where there are `radusergroup`, `radgroupcheck` and
//! `radgroupreply`, what a user's groups give becomes its own, in the order of their priority: with `=` where the user has nothing of that name, with
//! `:=` in its place, with `+=` beside it. As FreeRADIUS does, the next group counts only where the one before has `Fall-Through = Yes`. That is
//! for a handful of groups: more than [`MAX_GROUP_ITEMS`] are refused, since what they give belongs in the contract's `reply` and not in every account.
//!
//! A row's value is taken as FreeRADIUS 3.2 takes it, with its escapes, and with quotes where they stand around the whole of it.

mod database;
mod groups;

use std::{collections::HashMap, io::Write};

use jiff::tz::TimeZone;
use zeroize::Zeroizing;

pub use self::database::Source;
use self::{
    database::{Pair, Tables},
    groups::Groups,
};
use super::{
    Defaults, ExportError, Exported, ImportErrors, Imported, Place, Secrets,
    faults::Problem,
    importer::{Importer, user_name},
    items::{self, Item, Op, Value},
    meaning::{Draft, LeftOut, Whose, checks},
};
use crate::account::{Account, Secret};

/// The most items of all groups together that are made items of accounts \[C\].
pub const MAX_GROUP_ITEMS: usize = 1000;
/// How many rows one INSERT statement has.
const ROWS: usize = 500;

/// Reads accounts from a database's tables as they are at one moment. Nothing is imported where anything is the matter with any row.
pub async fn read(source: &Source, defaults: &Defaults) -> Result<Imported, ImportErrors> {
    let tables = database::read(source).await?;
    gather(tables, defaults)
}

/// Writes accounts as SQL text, in one transaction: rows for `radcheck` and `radreply`, whose users are whole User-Names. It is for PostgreSQL and
/// SQLite, and for MySQL with `NO_BACKSLASH_ESCAPES`, since a backslash is an ordinary character in its strings. `Expiration` is written in
/// the time zone that is given, which should be that of the server that reads it. What has no room in the format is left out, and told.
pub fn write<'a>(
    mut output: impl Write,
    accounts: impl IntoIterator<Item = &'a Account>,
    secrets: Secrets,
    zone: &TimeZone,
) -> Result<Exported, ExportError> {
    if secrets == Secrets::Withheld {
        return Err(ExportError::NeedsSecrets);
    }
    let (mut left_out, mut written) = (LeftOut::default(), 0);
    let (mut check, mut reply) = (Statement::new("radcheck"), Statement::new("radreply"));
    output
        .write_all(b"-- For PostgreSQL and SQLite; for MySQL after SET sql_mode = 'NO_BACKSLASH_ESCAPES'.\nBEGIN;\n")?;
    for account in accounts {
        let Secret::Recoverable(password) = &account.secret else {
            left_out.hashed += 1;
            continue;
        };
        let Ok(password) = std::str::from_utf8(password) else {
            left_out.binary += 1;
            continue;
        };
        let Some(checks) = checks(account, zone) else {
            left_out.numbers += 1;
            continue;
        };
        let user = user_name(account);
        check.row(&mut output, &user, "Cleartext-Password", ":=", password)?;
        for (attribute, op, value) in checks {
            check.row(&mut output, &user, attribute, op, &value)?;
        }
        for (i, (attribute, value)) in account.reply.iter().enumerate() {
            let again = account.reply.iter().take(i).any(|(before, _)| before.eq_ignore_ascii_case(attribute));
            reply.row(&mut output, &user, attribute, if again { "+=" } else { "=" }, value)?;
        }
        left_out.notes += usize::from(!account.note.is_empty());
        written += 1;
    }
    check.finish(&mut output)?;
    reply.finish(&mut output)?;
    output.write_all(b"COMMIT;\n")?;
    output.flush()?;
    Ok(Exported { accounts: written, warnings: left_out.warnings() })
}

/// Makes accounts of rows.
fn gather(tables: Tables, defaults: &Defaults) -> Result<Imported, ImportErrors> {
    let mut importer = Importer::new(defaults);
    let groups = Groups::new(&mut importer, &tables);
    let zone = &defaults.time_zone;
    // In the order in which users appear in radcheck.
    let mut users: Vec<User> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for pair in &tables.check {
        let i = *known.entry(pair.name.clone()).or_insert_with(|| {
            users.push(User { place: pair.place, name: pair.name.clone(), draft: Draft::default(), faulty: false });
            users.len() - 1
        });
        if let Some(user) = users.get_mut(i) {
            user.faulty |= !apply(&mut importer, pair, |item| user.draft.check(item, Whose::Own, zone));
        }
    }
    for pair in &tables.reply {
        match known.get(&pair.name).and_then(|&i| users.get_mut(i)) {
            Some(user) => user.faulty |= !apply(&mut importer, pair, |item| user.draft.reply(item, Whose::Own)),
            None => {
                importer.warn(pair.place, "the row was left out: radcheck has no row of its user, and so no password")
            }
        }
    }
    for member in &tables.members {
        if !known.contains_key(&member.name) {
            importer.warn(member.place, "the row was left out: radcheck has no row of its user, and so no password");
        }
    }
    for mut user in users {
        user.faulty |= !groups.apply(&mut importer, &user.name, user.place, &mut user.draft);
        user.finish(&mut importer);
    }
    importer.finish()
}

/// A user whose rows are being gathered.
struct User {
    /// Its first row.
    place: Place,
    name: String,
    draft: Draft,
    faulty: bool,
}

impl User {
    fn finish(self, importer: &mut Importer<'_>) {
        let User { place, name, draft, faulty } = self;
        if faulty {
            return;
        }
        if name == "DEFAULT" {
            importer.warn(
                place,
                "DEFAULT is no account and was left out: what it gives to everybody belongs in the contract's `reply`",
            );
            return;
        }
        if draft.secret.is_none() && draft.rejected {
            importer.warn(
                place,
                "the user has no password and is always rejected, and was left out: so is one who is not known",
            );
            return;
        }
        let (user, realm) = match importer.split(&name) {
            Ok(found) => found,
            Err(problem) => return importer.fault(place, None, problem),
        };
        match draft.account(&importer.defaults.contract, realm, user) {
            Some(account) => importer.push(place, account),
            None => importer.fault(
                place,
                None,
                Problem::new(
                    "the user has no password",
                    "add a row to radcheck with the attribute Cleartext-Password and the operator :=",
                ),
            ),
        }
    }
}

/// Gives a row's item to `take`, and reports what it says of it; whether it was taken.
fn apply(
    importer: &mut Importer<'_>,
    pair: &Pair,
    take: impl FnOnce(&Item) -> Result<Option<&'static str>, Problem>,
) -> bool {
    let taken = item(pair).and_then(|item| take(&item));
    match taken {
        Ok(warning) => {
            if let Some(warning) = warning {
                importer.warn(pair.place, warning);
            }
            true
        }
        Err(problem) => {
            importer.fault(pair.place, Some(&pair.attribute), problem);
            false
        }
    }
}

/// A row as an item.
fn item(pair: &Pair) -> Result<Item, Problem> {
    let op = Op::new(&pair.op)
        .ok_or_else(|| Problem::new("has no operator that is known", "put :=, == or = into the row's op"))?;
    Ok(Item { attribute: pair.attribute.trim().to_owned(), op, value: Value::alone(&pair.value) })
}

/// Rows of one table, in statements of some hundred.
struct Statement {
    table: &'static str,
    rows: usize,
    text: Zeroizing<String>,
}

impl Statement {
    fn new(table: &'static str) -> Statement {
        Statement { table, rows: 0, text: Zeroizing::default() }
    }

    fn row(
        &mut self,
        output: &mut impl Write,
        user: &str,
        attribute: &str,
        op: &str,
        value: &str,
    ) -> std::io::Result<()> {
        if self.rows == 0 {
            self.text.push_str(&format!("INSERT INTO {} (username, attribute, op, value) VALUES", self.table));
        }
        self.text.push_str(if self.rows == 0 { "\n(" } else { ",\n(" });
        for (i, cell) in [user, attribute, op].into_iter().enumerate() {
            self.text.push_str(if i == 0 { "'" } else { ", '" });
            self.text.push_str(&cell.replace('\'', "''"));
            self.text.push('\'');
        }
        self.text.push_str(", '");
        self.text.push_str(&Zeroizing::new(items::alone(value).replace('\'', "''")));
        self.text.push_str("')");
        self.rows += 1;
        if self.rows == ROWS { self.finish(output) } else { Ok(()) }
    }

    fn finish(&mut self, output: &mut impl Write) -> std::io::Result<()> {
        if self.rows > 0 {
            self.text.push_str(";\n");
            output.write_all(self.text.as_bytes())?;
            self.text.clear();
            self.rows = 0;
        }
        Ok(())
    }
}
