//! A hosted account: what is said of it, and what is kept of that in little memory.

use std::fmt;

use zeroize::Zeroizing;

use super::octets;
use crate::snapshot::{GroupId, RealmId};

/// The longest local part of a name: a User-Name has 253 octets at most (RFC 2865 §5.1).
pub const MAX_USER: usize = 253;
/// The longest password that is kept.
pub const MAX_SECRET: usize = 512;
/// The most octets of an account's own reply attributes: half of what a packet takes.
pub const MAX_REPLY: usize = 2048;
/// The most numbers that an account may be bound to.
pub const MAX_CALLING: usize = 32;

/// What a login is checked against.
#[derive(Clone)]
pub struct Account {
    /// Its contract: it is no account of any other that may serve its realm.
    pub group: GroupId,
    /// Its password, in the contract's form.
    pub secret: Secret,
    /// Whether it may log in at all.
    pub enabled: bool,
    /// From this second of Unix time on it may log in no more.
    pub expires: Option<u64>,
    /// How many sessions it may have at once, 0 for as many as it wants; `None`: as the contract says.
    pub simultaneous: Option<u16>,
    /// The numbers (Calling-Station-Id) that it may log in from, in canonical form ([`sekisho_wire::number::canonical_number`]); what is no
    /// number, a MAC address perhaps, as it stands, in capitals or not.
    pub calling: Vec<Box<[u8]>>,
    /// Attributes of its Accepts, as they stand in a packet; each vendor's attribute in a Vendor-Specific of its own.
    pub reply: Box<[u8]>,
}

/// An account's password. It is wiped when it is dropped, and never shown.
#[derive(Clone)]
pub enum Secret {
    /// The password.
    Recoverable(Zeroizing<Box<[u8]>>),
    /// Its hash by argon2id, as text (`$argon2id$v=19$…`).
    Argon2id(Box<str>),
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Secret::Recoverable(_) => "Recoverable(..)",
            Secret::Argon2id(_) => "Argon2id(..)",
        })
    }
}

/// Without numbers and attributes, which are the subscriber's own.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("group", &self.group)
            .field("secret", &self.secret)
            .field("enabled", &self.enabled)
            .field("expires", &self.expires)
            .field("simultaneous", &self.simultaneous)
            .finish_non_exhaustive()
    }
}

/// Why an account cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// The local part is empty, or too long.
    #[error("user: has {0} octets; a name without its realm has 1 to {MAX_USER}")]
    User(usize),
    /// The password is empty, or too long.
    #[error("password: has {0} octets; give one of 1 to {MAX_SECRET}")]
    Secret(usize),
    /// It is bound to too many numbers, or to an empty or too long one.
    #[error("calling: at most {MAX_CALLING} numbers, of 1 to 253 octets each; leave the others out")]
    Calling,
    /// The reply attributes are too long, or not attributes.
    #[error("reply: not whole attributes of {MAX_REPLY} octets together at most; give fewer or shorter ones")]
    Reply,
}

/// An account as it is kept: one block of octets, and where in it what ends.
pub(crate) struct Known {
    pub(crate) realm: RealmId,
    pub(crate) group: GroupId,
    /// Unix time; `u64::MAX`: never.
    expires: u64,
    /// The user, the secret, the numbers (each behind its length), the reply attributes.
    octets: Zeroizing<Box<[u8]>>,
    secret_end: u16,
    calling_end: u16,
    /// `u16::MAX`: as the contract says.
    simultaneous: u16,
    user_end: u8,
    enabled: bool,
    hashed: bool,
}

impl Known {
    pub(super) fn new(realm: RealmId, user: &[u8], account: &Account) -> Result<Known, AccountError> {
        let (secret, hashed) = match &account.secret {
            Secret::Recoverable(password) => (&password[..], false),
            Secret::Argon2id(phc) => (phc.as_bytes(), true),
        };
        if !(1..=MAX_USER).contains(&user.len()) {
            return Err(AccountError::User(user.len()));
        }
        if !(1..=MAX_SECRET).contains(&secret.len()) {
            return Err(AccountError::Secret(secret.len()));
        }
        let are_numbers = account.calling.iter().all(|number| (1..=253).contains(&number.len()));
        if account.calling.len() > MAX_CALLING || !are_numbers {
            return Err(AccountError::Calling);
        }
        if account.reply.len() > MAX_REPLY || !octets::are_whole(&account.reply) {
            return Err(AccountError::Reply);
        }
        Ok(Known {
            realm,
            group: account.group,
            expires: account.expires.unwrap_or(u64::MAX),
            simultaneous: account.simultaneous.map_or(u16::MAX, |limit| limit.min(u16::MAX - 1)),
            enabled: account.enabled,
            hashed,
            ..Known::packed(user, secret, &account.calling, &account.reply)
        })
    }

    /// What a login is checked against for which there is no account.
    pub(super) fn nobody(secret: &[u8], hashed: bool) -> Known {
        Known { hashed, ..Known::packed(&[], secret, &[], &[]) }
    }

    fn packed(user: &[u8], secret: &[u8], calling: &[Box<[u8]>], reply: &[u8]) -> Known {
        let numbers: usize = calling.iter().map(|number| number.len() + 1).sum();
        // At once as long as it will be: growing would leave copies of the password behind.
        let mut all = Vec::with_capacity(user.len() + secret.len() + numbers + reply.len());
        all.extend_from_slice(user);
        all.extend_from_slice(secret);
        let secret_end = all.len() as u16;
        for number in calling {
            all.push(number.len() as u8);
            all.extend_from_slice(number);
        }
        let calling_end = all.len() as u16;
        all.extend_from_slice(reply);
        Known {
            realm: RealmId(u32::MAX),
            group: GroupId(u32::MAX),
            expires: u64::MAX,
            octets: Zeroizing::new(all.into_boxed_slice()),
            secret_end,
            calling_end,
            simultaneous: 0,
            user_end: user.len() as u8,
            enabled: true,
            hashed: false,
        }
    }

    /// The local part of its name.
    pub(crate) fn user(&self) -> &[u8] {
        self.octets.get(..usize::from(self.user_end)).unwrap_or_default()
    }

    /// The password, or its hash where [`Known::is_hashed`].
    pub(crate) fn secret(&self) -> &[u8] {
        self.octets.get(usize::from(self.user_end)..usize::from(self.secret_end)).unwrap_or_default()
    }

    pub(crate) fn is_hashed(&self) -> bool {
        self.hashed
    }

    /// What of a hash says how much it costs to check: all before its salt, `$argon2id$v=19$m=19456,t=2,p=1`.
    pub(super) fn hash_cost(&self) -> Option<&[u8]> {
        let secret = Some(self.secret()).filter(|_| self.hashed)?;
        let mut dollars = secret.iter().enumerate().filter(|(_, octet)| **octet == b'$').map(|(at, _)| at);
        secret.get(..dollars.nth(3)?)
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Whether it has expired at this second of Unix time.
    pub(crate) fn has_expired(&self, wall: u64) -> bool {
        wall >= self.expires
    }

    /// How many sessions it may have; 0: as many as it wants.
    pub(crate) fn simultaneous(&self, contract: u16) -> u16 {
        if self.simultaneous == u16::MAX { contract } else { self.simultaneous }
    }

    pub(crate) fn lists_numbers(&self) -> bool {
        self.calling_end > self.secret_end
    }

    /// Whether this number, in canonical form, is one of its own.
    pub(crate) fn lists(&self, calling: &[u8]) -> bool {
        let mut rest = self.octets.get(usize::from(self.secret_end)..usize::from(self.calling_end)).unwrap_or_default();
        while let Some((len, tail)) = rest.split_first() {
            let Some((number, tail)) = tail.split_at_checked(usize::from(*len)) else { return false };
            if number.eq_ignore_ascii_case(calling) {
                return true;
            }
            rest = tail;
        }
        false
    }

    /// Its own reply attributes.
    pub(crate) fn reply(&self) -> &[u8] {
        self.octets.get(usize::from(self.calling_end)..).unwrap_or_default()
    }

    /// Octets of memory that it takes, without what the allocator adds.
    pub(super) fn size(&self) -> usize {
        // With the two counts of its `Arc`.
        size_of::<Known>() + 2 * size_of::<usize>() + self.octets.len()
    }
}

/// Only whose it is.
impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").field("realm", &self.realm).field("group", &self.group).finish_non_exhaustive()
    }
}
