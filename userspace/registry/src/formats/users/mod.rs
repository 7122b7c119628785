//! FreeRADIUS's `users` file (`rlm_files`, `mods-config/files/authorize`).
//!
//! ```text
//! alice   Cleartext-Password := "secret", Calling-Station-Id == "819012345678"
//!         Framed-IP-Address = 192.0.2.1,
//!         Reply-Message = "welcome"
//! ```
//!
//! | check item | becomes |
//! |---|---|
//! | `Cleartext-Password` | the password; any other attribute with a password or a hash is refused by name |
//! | `Calling-Station-Id ==`, or `=~ "^(1|2)$"` | the numbers that the account is bound to |
//! | `Simultaneous-Use` | its sessions at a time |
//! | `Expiration` | when it expires, in the time zone of the import |
//! | `Auth-Type := Reject` | disabled |
//!
//! Any other check item is a condition without counterpart here, and refused. Reply items are taken over in their order. Files that are included are not
//! followed, and `DEFAULT` entries are left out with a warning: what they give to everybody belongs in the contract's `reply`. Where a user has several
//! entries, the second is a fault.
//!
//! Quotes and escapes are those of FreeRADIUS 3.2, which its own server has been asked for.

mod entry;

use std::io::{Read, Write};

use jiff::tz::TimeZone;
use zeroize::Zeroizing;

use self::entry::{Entry, name};
use super::{
    Defaults, ExportError, Exported, ImportErrors, Imported, Place, Secrets,
    faults::Problem,
    importer::{Importer, user_name},
    items,
    lines::{Lines, text, without_end},
    meaning::{LeftOut, checks},
};
use crate::account::{Account, Secret};

/// Reads accounts. Nothing is imported where anything is the matter with any entry.
pub fn read(input: impl Read, defaults: &Defaults) -> Result<Imported, ImportErrors> {
    let mut importer = Importer::new(defaults);
    let mut lines = Lines::new(input);
    // `None` also after what is no account: lines that belong to it are passed over.
    let (mut entry, mut passing): (Option<Entry>, bool) = (None, false);
    while let Some((number, line)) = lines.read().map_err(ImportErrors::Unreadable)? {
        let place = Place::Line(number);
        let line = match line.and_then(|line| text(without_end(line))) {
            Ok(line) => line,
            Err(problem) => {
                importer.fault(place, None, problem);
                if let Some(entry) = &mut entry {
                    entry.faulty = true;
                }
                continue;
            }
        };
        let trimmed = line.trim_ascii();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if line.starts_with(|it: char| it.is_ascii_whitespace()) {
            match &mut entry {
                Some(entry) => entry.replies(&mut importer, number, trimmed),
                None if passing => {}
                None => {
                    let remedy =
                        "begin the line with the user's name; what a user gets stands below it, behind a space";
                    importer.fault(
                        place,
                        None,
                        Problem::new("the line begins with a space, and no entry is before it", remedy),
                    );
                }
            }
            continue;
        }
        if let Some(entry) = entry.take() {
            entry.finish(&mut importer);
        }
        passing = true;
        entry = begin(&mut importer, number, trimmed);
    }
    if let Some(entry) = entry {
        entry.finish(&mut importer);
    }
    importer.finish()
}

/// Begins an entry, unless it is none of an account.
fn begin(importer: &mut Importer<'_>, number: u64, line: &str) -> Option<Entry> {
    let place = Place::Line(number);
    if line.starts_with("$INCLUDE") {
        let remedy = "import that file too, by itself, and take the line out of this one";
        importer.fault(place, None, Problem::new("$INCLUDE names another file, which is not followed", remedy));
        return None;
    }
    let (name, rest) = match name(line) {
        Ok(found) => found,
        Err(problem) => {
            importer.fault(place, None, problem);
            return None;
        }
    };
    if name == "DEFAULT" {
        importer.warn(
            place,
            "DEFAULT is no account and was left out: what it gives to everybody belongs in the contract's `reply`",
        );
        return None;
    }
    Some(Entry::begin(importer, number, name, rest))
}

/// Writes accounts as entries. `Expiration` is written in the time zone that is given, which should be that of the server that reads it. What has no room
/// in the format is left out, and told.
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
    let mut entry = Zeroizing::new(Vec::new());
    for account in accounts {
        entry.clear();
        let password = match &account.secret {
            Secret::Recoverable(password) => password,
            Secret::Argon2id(_) => {
                left_out.hashed += 1;
                continue;
            }
        };
        let Some(name) = entry::written(&user_name(account)) else {
            left_out.names += 1;
            continue;
        };
        let Some(checks) = checks(account, zone) else {
            left_out.numbers += 1;
            continue;
        };
        entry.extend(name.as_bytes());
        entry.extend(b"\tCleartext-Password := ");
        entry.extend(items::quoted(password).iter());
        for (attribute, op, value) in checks {
            entry.extend(format!(", {attribute} {op} ").as_bytes());
            entry.extend(items::quoted(value.as_bytes()).iter());
        }
        for (i, (attribute, value)) in account.reply.iter().enumerate() {
            entry.extend(if i == 0 { &b"\n\t"[..] } else { b",\n\t" });
            let again = account.reply.iter().take(i).any(|(before, _)| before.eq_ignore_ascii_case(attribute));
            entry.extend(format!("{attribute} {} ", if again { "+=" } else { "=" }).as_bytes());
            entry.extend(items::quoted(value.as_bytes()).iter());
        }
        entry.push(b'\n');
        output.write_all(&entry)?;
        left_out.notes += usize::from(!account.note.is_empty());
        written += 1;
    }
    output.flush()?;
    Ok(Exported { accounts: written, warnings: left_out.warnings() })
}
