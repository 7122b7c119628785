//! Accounts as CSV (RFC 4180) with a header, in UTF-8.
//!
//! | column | what it says | empty |
//! |---|---|---|
//! | `user` | the part of User-Name without its realm; the whole of it where the row has no `realm` | refused |
//! | `realm` | the realm, as documents show it | the default realm |
//! | `password` | the password | see below |
//! | `password_hex` | the password in hexadecimal digits, for one that is not UTF-8 | see below |
//! | `argon2id` | a PHC string, for PAP alone | see below |
//! | `enabled` | `yes` or `no` (also `true`, `false`, `1`, `0`) | `yes` |
//! | `expires` | from when on it may not log in: `2027-03-31T15:00:00Z`, or with an offset, `2027-04-01T00:00:00+09:00` | never |
//! | `simultaneous` | how many sessions it may have at a time, `0` for any number | as the contract says |
//! | `calling` | the numbers that it may log in from, between semicolons | any |
//! | `reply` | attributes of its Accepts: `Framed-IP-Address = 192.0.2.1, Reply-Message = "welcome"` | none |
//! | `note` | anything | nothing |
//!
//! `user` and one of the three columns of secrets must be there, the others may be; their order is free, and any other column is refused. A row has
//! exactly one secret.
//!
//! # Cells that a spreadsheet would compute
//!
//! A spreadsheet takes a cell that begins with `=`, `+`, `-`, `@`, a tab or a line's end for a formula. An export puts an apostrophe before such a cell,
//! and also before one that begins with apostrophes and goes on so. An import takes one apostrophe off a cell of that form, and off no other: `'=1` is read as
//! `=1`, `''=1` as `'=1`, and `'twas` stays as it is. So every cell is read back as it was. Whoever writes a file by hand needs no apostrophe, unless a
//! password begins with apostrophes before one of those characters: then one more.

mod columns;
mod rows;

use std::io::{Read, Write};

use csv::{Terminator, WriterBuilder};
use zeroize::Zeroizing;

use self::{
    columns::{Columns, HEADER},
    rows::{Row, Rows},
};
use super::{
    Defaults, ExportError, Exported, ImportErrors, Imported, Place, Secrets,
    faults::Problem,
    importer::Importer,
    items::{self, Op},
};
use crate::account::{Account, Secret};

/// Reads accounts. Nothing is imported where anything is the matter with any row.
pub fn read(input: impl Read, defaults: &Defaults) -> Result<Imported, ImportErrors> {
    let mut importer = Importer::new(defaults);
    let mut rows = Rows::new(input);
    let mut columns = None;
    while let Some((line, row)) = rows.read().map_err(ImportErrors::Unreadable)? {
        let place = Place::Line(line);
        let row = match row {
            Ok(row) => row,
            Err(problem) => {
                importer.fault(place, None, problem);
                // Without a header no row means anything.
                match columns {
                    Some(_) => continue,
                    None => break,
                }
            }
        };
        match &columns {
            Some(columns) => take(&mut importer, place, columns, &row),
            None => match Columns::read(&row) {
                Ok(read) => columns = Some(read),
                Err(problems) => {
                    for (field, problem) in problems {
                        importer.fault(place, field.as_deref(), problem);
                    }
                    break;
                }
            },
        }
    }
    if columns.is_none() && !importer.is_faulty() {
        let remedy = format!("begin it with a row of the columns' names: {}", HEADER.join(","));
        importer.fault(Place::Line(1), None, Problem::new("the file is empty", remedy));
    }
    importer.finish()
}

/// Writes accounts with their header, in rows that end with CR LF, all columns but those of secrets where they are withheld. What is written is
/// read back the same, contracts aside.
pub fn write<'a, A>(output: impl Write, accounts: A, secrets: Secrets) -> Result<Exported, ExportError>
where
    A: IntoIterator<Item = &'a Account, IntoIter: Clone>,
{
    let accounts = accounts.into_iter();
    let shown = secrets == Secrets::Shown;
    let is_binary =
        |account: &Account| matches!(&account.secret, Secret::Recoverable(it) if std::str::from_utf8(it).is_err());
    let binary = shown && accounts.clone().any(is_binary);
    let wanted = |column: &str| match column {
        "password_hex" => binary,
        "password" | "argon2id" => shown,
        _ => true,
    };
    let columns: Vec<&str> = HEADER.into_iter().filter(|column| wanted(column)).collect();
    let mut output = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(output);
    let broken = |error: csv::Error| ExportError::Unwritable(error.into());
    output.write_record(&columns).map_err(broken)?;
    let mut exported = Exported::default();
    for account in accounts {
        for column in &columns {
            output.write_field(neutral(columns::cell(account, column)).as_slice()).map_err(broken)?;
        }
        output.write_record(None::<&[u8]>).map_err(broken)?;
        exported.accounts += 1;
    }
    output.flush()?;
    Ok(exported)
}

/// Reads one row.
fn take(importer: &mut Importer<'_>, place: Place, columns: &Columns, row: &Row<'_>) {
    if row.len() != columns.len() {
        let message = format!("the row has {} cells, and the header {}", row.len(), columns.len());
        let remedy = "put as many commas into it; a cell with a comma stands in quotation marks";
        importer.fault(place, None, Problem::new(message, remedy));
        return;
    }
    let cell = |column: &str| columns.index(column).map(|i| as_it_was(row.cell(i))).unwrap_or_default();
    let named = match cell("realm") {
        "" => importer.split(cell("user")),
        realm => importer.realm(realm).map(|realm| (cell("user").to_owned(), realm)),
    };
    let mut problems: Vec<(&str, Problem)> = Vec::new();
    let mut keep = |field, problem| problems.push((field, problem));
    let named = named.map_err(|problem| keep("realm", problem)).ok();
    let secret = secret(cell("password"), cell("password_hex"), cell("argon2id"));
    let secret = secret.map_err(|(field, problem)| keep(field, problem)).ok();
    let enabled = columns::enabled(cell("enabled")).map_err(|problem| keep("enabled", problem)).ok();
    let expires = columns::expires(cell("expires")).map_err(|problem| keep("expires", problem)).ok();
    let simultaneous =
        columns::simultaneous(cell("simultaneous")).map_err(|problem| keep("simultaneous", problem)).ok();
    let reply = reply(cell("reply")).map_err(|problem| keep("reply", problem)).ok();
    for (field, problem) in problems {
        importer.fault(place, Some(field), problem);
    }
    let (Some((user, realm)), Some(secret), Some(enabled)) = (named, secret, enabled) else { return };
    let (Some(expires), Some(simultaneous), Some(reply)) = (expires, simultaneous, reply) else { return };
    let calling =
        cell("calling").split(';').map(str::trim).filter(|number| !number.is_empty()).map(str::to_owned).collect();
    let contract = importer.defaults.contract.clone();
    let note = cell("note").to_owned();
    importer
        .push(place, Account { contract, realm, user, secret, enabled, expires, simultaneous, calling, reply, note });
}

/// The one secret of a row.
fn secret(password: &str, hex: &str, argon: &str) -> Result<Secret, (&'static str, Problem)> {
    match (password, hex, argon) {
        ("", "", "") => Err(("password", Problem::new("is empty", "give the password, or an argon2id hash of it"))),
        (password, "", "") => Ok(Secret::Recoverable(Zeroizing::new(password.as_bytes().to_vec()))),
        ("", hex, "") => match columns::octets(hex) {
            Some(octets) => Ok(Secret::Recoverable(octets)),
            None => Err((
                "password_hex",
                Problem::new("is not octets", "write two hexadecimal digits for each, without spaces"),
            )),
        },
        ("", "", phc) => Ok(Secret::Argon2id(phc.to_owned())),
        _ => Err((
            "password",
            Problem::new("is not the row's only secret", "give one of password, password_hex and argon2id"),
        )),
    }
}

/// The attributes of a cell.
fn reply(cell: &str) -> Result<Vec<(String, String)>, Problem> {
    let list = items::list(cell)?;
    if list.comma {
        return Err(Problem::new("ends with a comma", "take it out, or write the attribute that is to follow"));
    }
    let mut reply = Vec::with_capacity(list.items.len());
    for item in list.items {
        if item.op != Op::Assign {
            let message = format!("has the operator {} at {}", item.op.written(), item.attribute);
            return Err(Problem::new(message, "write =; all attributes of the cell are added, in their order"));
        }
        let text = item.value.text()?.to_owned();
        reply.push((item.attribute, text));
    }
    Ok(reply)
}

/// Whether a spreadsheet might compute this; apostrophes before it make no difference to whether it is marked.
fn is_formula(cell: &[u8]) -> bool {
    let first = cell.iter().find(|&&octet| octet != b'\'');
    matches!(first, Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n'))
}

/// A cell as it is written.
fn neutral(mut cell: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
    if !is_formula(&cell) {
        return cell;
    }
    let mut marked = Zeroizing::new(Vec::with_capacity(cell.len() + 1));
    marked.push(b'\'');
    marked.append(&mut cell);
    marked
}

/// A cell as it was before it was written.
fn as_it_was(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if is_formula(rest.as_bytes()) => rest,
        _ => cell,
    }
}
