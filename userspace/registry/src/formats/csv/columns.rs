//! Columns: which there are, and what their cells say.

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::Row;
use crate::{
    account::{Account, Secret},
    formats::{faults::Problem, items},
};

/// All columns, in the order in which they are written.
pub(super) const HEADER: [&str; 11] = [
    "user",
    "realm",
    "password",
    "password_hex",
    "argon2id",
    "enabled",
    "expires",
    "simultaneous",
    "calling",
    "reply",
    "note",
];
/// Those of which one must be there.
const SECRETS: [&str; 3] = ["password", "password_hex", "argon2id"];

/// The columns of a file, in its order.
pub(super) struct Columns(Vec<&'static str>);

impl Columns {
    /// Reads the header; what is the matter comes with the column that it is about.
    pub(super) fn read(row: &Row<'_>) -> Result<Columns, Vec<(Option<String>, Problem)>> {
        let (mut columns, mut problems) = (Vec::new(), Vec::new());
        let is_known = |name: &str| HEADER.into_iter().any(|known| known.eq_ignore_ascii_case(name.trim()));
        let separated = |name: &str| row.len() > 1 || !name.contains([';', '\t']);
        if row.cells().all(|name| !is_known(name) && separated(name)) {
            // Accounts, most likely: nothing of them is repeated.
            let message = "the first line names no column of accounts";
            let remedy = format!("write a header before the accounts; the columns are {}", HEADER.join(", "));
            return Err(vec![(None, Problem::new(message, remedy))]);
        }
        for name in row.cells() {
            let name = name.trim();
            match HEADER.into_iter().find(|known| known.eq_ignore_ascii_case(name)) {
                Some(known) if columns.contains(&known) => {
                    problems.push((Some(known.to_owned()), Problem::new("is there twice", "take one of them out")));
                }
                Some(known) => columns.push(known),
                None if row.len() == 1 && name.contains([';', '\t']) => {
                    problems.push((None, Problem::new("the header has no comma", "separate the columns by commas")));
                }
                None => {
                    let remedy = format!("take it out; the columns are {}", HEADER.join(", "));
                    let name: String = name.chars().take(40).collect();
                    problems.push((Some(name), Problem::new("is no column of accounts", remedy)));
                }
            }
        }
        if problems.is_empty() && !columns.contains(&"user") {
            problems.push((
                Some("user".to_owned()),
                Problem::new("is no column of this file", "add it, with the users' names"),
            ));
        }
        if problems.is_empty() && !SECRETS.iter().any(|column| columns.contains(column)) {
            let message = "is no column of this file, nor is password_hex or argon2id";
            let remedy = "add one of them; an export has them where passwords were asked for";
            problems.push((Some("password".to_owned()), Problem::new(message, remedy)));
        }
        if problems.is_empty() { Ok(Columns(columns)) } else { Err(problems) }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn index(&self, column: &str) -> Option<usize> {
        self.0.iter().position(|known| *known == column)
    }
}

/// What a column says of an account.
pub(super) fn cell(account: &Account, column: &str) -> Zeroizing<Vec<u8>> {
    let text = |text: String| Zeroizing::new(text.into_bytes());
    match column {
        "user" => text(account.user.clone()),
        "realm" => text(account.realm.clone()),
        "password" => match &account.secret {
            Secret::Recoverable(octets) if std::str::from_utf8(octets).is_ok() => octets.clone(),
            _ => Zeroizing::default(),
        },
        "password_hex" => match &account.secret {
            Secret::Recoverable(octets) if std::str::from_utf8(octets).is_err() => digits(octets),
            _ => Zeroizing::default(),
        },
        "argon2id" => match &account.secret {
            Secret::Argon2id(phc) => text(phc.clone()),
            Secret::Recoverable(_) => Zeroizing::default(),
        },
        "enabled" => text(if account.enabled { "yes" } else { "no" }.to_owned()),
        "expires" => text(account.expires.map(|it| it.to_string()).unwrap_or_default()),
        "simultaneous" => text(account.simultaneous.map(|it| it.to_string()).unwrap_or_default()),
        "calling" => text(account.calling.join(";")),
        "reply" => {
            let mut cell = Zeroizing::new(Vec::new());
            for (name, value) in &account.reply {
                if !cell.is_empty() {
                    cell.extend(b", ");
                }
                cell.extend(name.as_bytes());
                cell.extend(b" = ");
                cell.extend(items::quoted(value.as_bytes()).iter());
            }
            cell
        }
        _ => text(account.note.clone()),
    }
}

pub(super) fn enabled(cell: &str) -> Result<bool, Problem> {
    match cell.trim().to_ascii_lowercase().as_str() {
        "" | "yes" | "true" | "1" => Ok(true),
        "no" | "false" | "0" => Ok(false),
        _ => Err(Problem::new("is neither yes nor no", "write yes or no")),
    }
}

pub(super) fn expires(cell: &str) -> Result<Option<Timestamp>, Problem> {
    match cell.trim() {
        "" => Ok(None),
        time => time.parse().map(Some).map_err(|_| {
            Problem::new(
                "is no time with an offset",
                "write it as 2027-03-31T15:00:00Z, or as 2027-04-01T00:00:00+09:00",
            )
        }),
    }
}

pub(super) fn simultaneous(cell: &str) -> Result<Option<u16>, Problem> {
    match cell.trim() {
        "" => Ok(None),
        number => number
            .parse()
            .map(Some)
            .map_err(|_| Problem::new("is no number of sessions", "give 1 to 65535, 0 for any number, or nothing")),
    }
}

/// Octets of their digits.
pub(super) fn octets(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    let (pairs, []) = digits.trim().as_bytes().as_chunks::<2>() else { return None };
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut octets = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        octets.push(digit(*high)? << 4 | digit(*low)?);
    }
    Some(octets)
}

/// Digits of octets.
fn digits(octets: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut digits = Zeroizing::new(Vec::with_capacity(2 * octets.len()));
    for octet in octets {
        for half in [octet >> 4, octet & 15] {
            digits.extend(b"0123456789abcdef".get(usize::from(half)));
        }
    }
    digits
}
