//! What FreeRADIUS's check and reply items mean for an account.

use jiff::{Timestamp, tz::TimeZone};

use super::{
    expiration,
    faults::Problem,
    items::{Item, Op},
};
use crate::account::{Account, Secret};

/// Attributes of FreeRADIUS's that hold a password, or a hash of one, in a way that cannot be taken over; in lower case.
const HASHES: [&str; 19] = [
    "nt-password",
    "lm-password",
    "crypt-password",
    "md5-password",
    "smd5-password",
    "sha-password",
    "ssha-password",
    "sha1-password",
    "ssha1-password",
    "sha2-password",
    "ssha2-password",
    "ssha2-224-password",
    "ssha2-256-password",
    "ssha2-384-password",
    "ssha2-512-password",
    "sha3-password",
    "ssha3-password",
    "pbkdf2-password",
    "digest-ha1",
];
/// Values of Auth-Type that only say how a password is to be checked, which is seen from the request; in lower case.
const ORDINARY: [&str; 8] = ["local", "pap", "chap", "mschap", "ms-chap", "eap", "digest", "none-given"];

/// An account that is being put together of items.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) secret: Option<Secret>,
    pub(super) rejected: bool,
    pub(super) expires: Option<Timestamp>,
    pub(super) simultaneous: Option<u16>,
    pub(super) calling: Vec<String>,
    pub(super) reply: Vec<(String, String)>,
    pub(super) note: String,
    /// What `Fall-Through` says, where it is there.
    pub(super) falls_through: Option<bool>,
}

/// Whose items these are, of an account's own or of a group's that it is in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Own,
    /// With `=` they give way to what is there.
    Group,
}

impl Draft {
    /// Takes a check item, which says a password or a condition. A warning comes back for what is of no consequence here.
    pub(super) fn check(
        &mut self,
        item: &Item,
        whose: Whose,
        zone: &TimeZone,
    ) -> Result<Option<&'static str>, Problem> {
        let Item { attribute, op, value } = item;
        let lower = attribute.to_ascii_lowercase();
        if let Some(problem) = unreadable(attribute, &lower) {
            return Err(problem);
        }
        let yields = whose == Whose::Group && *op != Op::Set;
        match lower.as_str() {
            "cleartext-password" => {
                sets(attribute, *op)?;
                if !(yields && self.secret.is_some()) {
                    self.secret = Some(Secret::Recoverable(value.octets()?.clone()));
                }
            }
            // There it decides whether the group counts for the user, and not who may log in.
            "calling-station-id" if whose == Whose::Group => {
                return Err(Problem::new(
                    "is a condition of a group, which has no counterpart here",
                    "take it out, and bind the users themselves to their numbers",
                ));
            }
            "calling-station-id" => match op {
                Op::Matches => self.calling = alternatives(value.text()?)?,
                _ => {
                    sets(attribute, *op)?;
                    self.calling = vec![value.text()?.to_owned()];
                }
            },
            "simultaneous-use" => {
                sets(attribute, *op)?;
                let number = value.text()?.trim().parse().ok();
                let number = number
                    .ok_or_else(|| Problem::new("is no number of sessions", "give 1 to 65535, or 0 for any number"))?;
                if !(yields && self.simultaneous.is_some()) {
                    self.simultaneous = Some(number);
                }
            }
            "expiration" => {
                sets(attribute, *op)?;
                let expires = expiration::read(value.text()?, zone)?;
                if !(yields && self.expires.is_some()) {
                    self.expires = Some(expires);
                }
            }
            "auth-type" => {
                sets(attribute, *op)?;
                let how = value.text()?.to_ascii_lowercase();
                if how == "reject" {
                    self.rejected = true;
                } else if ORDINARY.contains(&how.as_str()) {
                    return Ok(Some(
                        "Auth-Type was left out: how a password is checked is seen from the request, and the contract's `protocols` say what is allowed",
                    ));
                } else {
                    return Err(Problem::new(
                        "is another than Reject",
                        "take it out: an account is checked with its password, and with nothing else",
                    ));
                }
            }
            _ => {
                return Err(Problem::new(
                    "is a condition that has no counterpart here",
                    "take it out; where a user may come from is said by the contract, and what it gets by reply items",
                ));
            }
        }
        Ok(None)
    }

    /// Takes a reply item. A warning comes back for what is of no consequence here.
    pub(super) fn reply(&mut self, item: &Item, whose: Whose) -> Result<Option<&'static str>, Problem> {
        let Item { attribute, op, value } = item;
        if unreadable(attribute, &attribute.to_ascii_lowercase()).is_some()
            || attribute.eq_ignore_ascii_case("Cleartext-Password")
        {
            return Err(Problem::new(
                "stands among what is replied",
                "put it on the entry's first line, or into radcheck: there it is a check item",
            ));
        }
        if attribute.eq_ignore_ascii_case("Fall-Through") {
            let on = matches!(value.text()?.to_ascii_lowercase().as_str(), "yes" | "1");
            self.falls_through = Some(on);
            return Ok(None);
        }
        let known = |(name, _): &(String, String)| name.eq_ignore_ascii_case(attribute);
        match (op, whose) {
            (Op::Set, Whose::Group) => self.reply.retain(|pair| !known(pair)),
            (Op::Assign, Whose::Group) if self.reply.iter().any(known) => return Ok(None),
            (Op::Set | Op::Assign | Op::Add, _) => {}
            (op, _) => {
                let message = format!("has the operator {}, which compares", op.written());
                return Err(Problem::new(message, "write =, := or +=, or put it among the check items"));
            }
        }
        self.reply.push((attribute.clone(), value.text()?.to_owned()));
        Ok(None)
    }

    /// The account; `None` where it has no password.
    pub(super) fn account(self, contract: &str, realm: String, user: String) -> Option<Account> {
        Some(Account {
            contract: contract.to_owned(),
            realm,
            user,
            secret: self.secret?,
            enabled: !self.rejected,
            expires: self.expires,
            simultaneous: self.simultaneous,
            calling: self.calling,
            reply: self.reply,
            note: self.note,
        })
    }
}

/// What FreeRADIUS's check items say of an account, as attribute, operator and value; `None` where a number has a form that cannot be said, or
/// the secret is a hash.
pub(super) fn checks(account: &Account, zone: &TimeZone) -> Option<Vec<(&'static str, &'static str, String)>> {
    let mut items = Vec::new();
    if !account.enabled {
        items.push(("Auth-Type", ":=", "Reject".to_owned()));
    }
    if let Some(expires) = account.expires {
        items.push(("Expiration", ":=", expiration::written(expires, zone)));
    }
    if let Some(number) = account.simultaneous {
        items.push(("Simultaneous-Use", ":=", number.to_string()));
    }
    match account.calling.as_slice() {
        [] => {}
        [number] => items.push(("Calling-Station-Id", "==", number.clone())),
        numbers => items.push(("Calling-Station-Id", "=~", one_of(numbers)?)),
    }
    Some(items)
}

/// Operators by which a check item sets something, or asks for it, which is the same here.
fn sets(attribute: &str, op: Op) -> Result<(), Problem> {
    match op {
        Op::Set | Op::Equal | Op::Assign | Op::Add => Ok(()),
        op => {
            let message = format!("has the operator {}, which has no counterpart here", op.written());
            let remedy = if attribute.eq_ignore_ascii_case("Calling-Station-Id") {
                "write ==, or =~ with \"^(NUMBER|NUMBER)$\""
            } else {
                "write :="
            };
            Err(Problem::new(message, remedy))
        }
    }
}

/// Why no password can be had of an attribute.
fn unreadable(attribute: &str, lower: &str) -> Option<Problem> {
    match lower {
        "user-password" | "password" | "chap-password" | "ms-chap-password" | "ms-chap-response" => Some(Problem::new(
            "is what a request carries, not what an account has",
            "write Cleartext-Password := \"...\"",
        )),
        "password-with-header" => Some(Problem::new(
            "may be a hash, from which nobody finds the password, and CHAP needs it",
            "write Cleartext-Password := \"...\", or give the subscriber a new password",
        )),
        _ if HASHES.contains(&lower) => Some(Problem::new(
            format!("holds a hash ({attribute}), from which nobody finds the password, and CHAP needs it"),
            "write Cleartext-Password := \"...\", or give the subscriber a new password",
        )),
        _ => None,
    }
}

/// What may stand in a number as it is when it stands in a regular expression.
fn is_plain(it: char) -> bool {
    it.is_ascii_alphanumeric() || matches!(it, '-' | ':' | ' ' | '@' | '_' | '/')
}

/// `^(1|2)$` for several numbers.
fn one_of(numbers: &[String]) -> Option<String> {
    let mut pattern = String::from("^(");
    for (i, number) in numbers.iter().enumerate() {
        pattern.push_str(if i > 0 { "|" } else { "" });
        for it in number.chars() {
            match it {
                '+' => pattern.push_str("[+]"),
                '.' => pattern.push_str("[.]"),
                it if is_plain(it) => pattern.push(it),
                _ => return None,
            }
        }
    }
    pattern.push_str(")$");
    Some(pattern)
}

/// The numbers of `^(1|2)$` or `^1$`.
fn alternatives(pattern: &str) -> Result<Vec<String>, Problem> {
    let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
    let inner = inner.map(|it| it.strip_prefix('(').and_then(|it| it.strip_suffix(')')).unwrap_or(it));
    let numbers: Option<Vec<String>> = inner.and_then(|inner| {
        let plain = inner.split('|').map(|number| number.replace("[+]", "+").replace("[.]", "."));
        plain.map(|number| number.chars().all(|it| is_plain(it) || matches!(it, '+' | '.')).then_some(number)).collect()
    });
    // A dot or a plus outside of its brackets means something else.
    let literal = pattern.replace("[+]", "").replace("[.]", "");
    numbers.filter(|_| !literal.contains(['+', '.'])).ok_or_else(|| {
        Problem::new(
            "is a regular expression that is not a list of numbers",
            "write \"^(NUMBER|NUMBER)$\", or import as CSV with several numbers",
        )
    })
}

/// Accounts that FreeRADIUS's formats have no room for, and what is lost of others.
#[derive(Default)]
pub(super) struct LeftOut {
    pub(super) hashed: usize,
    pub(super) names: usize,
    pub(super) numbers: usize,
    pub(super) binary: usize,
    pub(super) notes: usize,
}

impl LeftOut {
    pub(super) fn warnings(&self) -> Vec<String> {
        let told = [
            (self.hashed, "accounts were left out: they have argon2id hashes, which FreeRADIUS 3 does not check"),
            (self.names, "accounts were left out: their users' names cannot be written in this format"),
            (
                self.numbers,
                "accounts were left out: they have several numbers with characters that mean something else in a regular expression",
            ),
            (self.binary, "accounts were left out: their passwords are not UTF-8, and this format is text"),
            (self.notes, "accounts were written without their notes, which the format has no room for"),
        ];
        told.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
    }
}
