//! A hosted account, as it is in memory: what a subscriber logs in with, and what it gets.

use std::fmt;

use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::argon;

/// The most octets of a user's name: what a User-Name has room for (RFC 2865 §5).
pub const MAX_USER: usize = 253;
/// The most octets of a password: RFC 2865 §5.2.
pub const MAX_PASSWORD: usize = 128;
/// The most octets of a number, and of a reply attribute's value: what an attribute has room for.
pub const MAX_VALUE: usize = 253;
/// The most numbers that an account is bound to \[C\].
pub const MAX_CALLING: usize = 32;
/// The most reply attributes of an account \[C\].
pub const MAX_REPLY: usize = 64;
/// The most octets of a note \[C\].
pub const MAX_NOTE: usize = 1024;

/// A hosted account. What it holds is not checked by itself: [`faults`](Account::faults) says what is the matter.
///
/// `Debug` shows neither the secret nor what reply attributes say, which may be secrets as well.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The `group` contract that it belongs to.
    pub contract: String,
    /// The realm as documents show it, in canonical form: `acme.example`, `prefix:acme`.
    pub realm: String,
    /// The part of User-Name without its realm, compared octet by octet \[C\].
    pub user: String,
    /// What a password is checked with.
    pub secret: Secret,
    /// Whether it may log in at all.
    pub enabled: bool,
    /// From when on it may not log in any more.
    pub expires: Option<Timestamp>,
    /// How many sessions it may have at a time, 0 for any number; `None` for what the contract says.
    pub simultaneous: Option<u16>,
    /// The numbers (Calling-Station-Id) that it may log in from; empty for any. As they were given: whoever compares puts them in canonical form.
    pub calling: Vec<String>,
    /// Attributes of its Accepts: name and value as a dictionary's text form has them, in their order.
    pub reply: Vec<(String, String)>,
    /// What the operator wants to remember.
    pub note: String,
}

/// What a password is checked with. `Debug` shows the form only, and a readable one is wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The password itself, as CHAP and MS-CHAP need it: 1 to 128 octets, none of them 0.
    Recoverable(Zeroizing<Vec<u8>>),
    /// A PHC string of argon2id, which only PAP can be checked with: [`argon`].
    Argon2id(String),
}

/// What is the matter with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFault {
    /// The field's name, as a column's.
    pub field: &'static str,
    /// What is the matter. No secret is ever quoted, nor a subscriber's name.
    pub message: String,
    /// What would help.
    pub remedy: String,
}

impl Account {
    /// What is the matter with it, field by field; nothing where it can be kept.
    pub fn faults(&self) -> Vec<FieldFault> {
        let mut faults = Faults(Vec::new());
        faults.text("contract", &self.contract, 1, MAX_VALUE);
        faults.text("realm", &self.realm, 1, MAX_USER + "default:".len());
        faults.text("user", &self.user, 1, MAX_USER);
        self.secret.check(&mut faults);
        if self.calling.len() > MAX_CALLING {
            let message = format!("has {} numbers", self.calling.len());
            faults.add("calling", message, format!("give at most {MAX_CALLING}"));
        }
        for number in &self.calling {
            faults.text("calling", number, 1, MAX_VALUE);
            if number.contains(';') || number.trim() != number {
                faults.add("calling", "has a number with a semicolon, or a space around it", "give the number alone");
            }
        }
        if self.reply.len() > MAX_REPLY {
            let message = format!("has {} attributes", self.reply.len());
            faults.add(
                "reply",
                message,
                format!("give at most {MAX_REPLY}; what all accounts get belongs to the contract's `reply`"),
            );
        }
        for (name, value) in &self.reply {
            if !is_attribute(name) {
                faults.add(
                    "reply",
                    "has a name that no attribute has",
                    "write it as a dictionary does, such as Framed-IP-Address",
                );
            }
            if value.is_empty() || value.len() > MAX_VALUE {
                let message = format!("has a value of {} octets", value.len());
                faults.add("reply", message, format!("give 1 to {MAX_VALUE} octets"));
            }
        }
        if self.note.len() > MAX_NOTE || self.note.chars().any(|it| it.is_control() && it != '\n' && it != '\t') {
            faults.add("note", format!("is longer than {MAX_NOTE} octets, or has control characters"), "shorten it");
        }
        faults.0
    }
}

impl Secret {
    fn check(&self, faults: &mut Faults) {
        match self {
            Secret::Recoverable(password) if password.is_empty() => {
                faults.add("password", "is empty", "give the account a password, of at least one octet");
            }
            Secret::Recoverable(password) if password.len() > MAX_PASSWORD => {
                let message = format!("has {} octets", password.len());
                faults.add(
                    "password",
                    message,
                    format!("give at most {MAX_PASSWORD}, which is what PAP has room for (RFC 2865 §5.2)"),
                );
            }
            Secret::Recoverable(password) if password.contains(&0) => {
                faults.add(
                    "password",
                    "has an octet 0, which PAP pads with (RFC 2865 §5.2)",
                    "give a password without it",
                );
            }
            Secret::Recoverable(_) => {}
            Secret::Argon2id(phc) => {
                if let Err(error) = argon::check(phc) {
                    faults.add("argon2id", error.what(), error.remedy());
                }
            }
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Secret::Recoverable(_) => "Recoverable(..)",
            Secret::Argon2id(_) => "Argon2id(..)",
        })
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.reply.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Account")
            .field("contract", &self.contract)
            .field("realm", &self.realm)
            .field("user", &self.user)
            .field("secret", &self.secret)
            .field("enabled", &self.enabled)
            .field("expires", &self.expires)
            .field("simultaneous", &self.simultaneous)
            .field("calling", &self.calling)
            .field("reply", &names)
            .field("note", &self.note)
            .finish()
    }
}

struct Faults(Vec<FieldFault>);

impl Faults {
    fn add(&mut self, field: &'static str, message: impl Into<String>, remedy: impl Into<String>) {
        self.0.push(FieldFault { field, message: message.into(), remedy: remedy.into() });
    }

    fn text(&mut self, field: &'static str, text: &str, least: usize, most: usize) {
        if text.len() < least || text.len() > most {
            self.add(field, format!("has {} octets", text.len()), format!("give {least} to {most}"));
        } else if text.chars().any(char::is_control) {
            self.add(field, "has a control character", "take it out");
        }
    }
}

/// Whether a dictionary could have this name, with the tag that FreeRADIUS writes behind a colon.
fn is_attribute(name: &str) -> bool {
    let known = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_' | b'.' | b'/' | b':');
    (1..=128).contains(&name.len()) && name.bytes().all(known)
}
