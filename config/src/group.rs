//! `group` contracts, as checked: `[[group]]` of a customer's document.

use sekisho_wire::select::AttributeId;

use crate::{customer::Realm, terms::Agreement};

/// A `group` contract (グループ): requests for some realms are answered from the operator's account database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Name of the contract, unique in the node.
    pub contract: String,
    /// The customer's realms that it serves; at least one.
    pub realms: Vec<Realm>,
    /// The number of accounts (Art. 7(1)), a hard limit: 1 to 10,000,000.
    pub accounts: u32,
    /// How its accounts' passwords are kept.
    pub passwords: Passwords,
    /// The ways of logging in that are answered, in the order of [`Protocol`]; at least one, each once. With
    /// [`Passwords::Argon2id`] it is [`Protocol::Pap`] alone.
    pub protocols: Vec<Protocol>,
    /// The most sessions of an account at a time that says nothing else; 0: no limit.
    pub simultaneous: u16,
    /// The most sessions of the contract at a time: at most 16,777,216; 0: no limit.
    pub max_sessions: u32,
    /// Attributes of every Accept, values as they stand in a packet; none of them is hidden or protected, or belongs to a
    /// tunnel.
    pub reply: Vec<(AttributeId, Box<[u8]>)>,
    /// What was agreed for it.
    pub agreement: Agreement,
}

/// How passwords of accounts are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passwords {
    /// Encrypted, so that they can be had back: every protocol works.
    Recoverable,
    /// As argon2id, from which nobody gets them back: PAP alone works.
    Argon2id,
}

impl Passwords {
    /// The word in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Passwords::Recoverable => "recoverable",
            Passwords::Argon2id => "argon2id",
        }
    }
}

/// A way of logging in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// User-Password (RFC 2865 §5.2).
    Pap,
    /// CHAP-Password (RFC 2865 §5.3).
    Chap,
    /// MS-CHAP (RFC 2433).
    MsChap,
    /// MS-CHAPv2 (RFC 2759).
    MsChapV2,
    /// EAP-MD5 (RFC 3748 §5.4).
    EapMd5,
    /// EAP-MSCHAPv2.
    EapMsChapV2,
}

impl Protocol {
    /// Every one, in order.
    pub const ALL: [Protocol; 6] =
        [Protocol::Pap, Protocol::Chap, Protocol::MsChap, Protocol::MsChapV2, Protocol::EapMd5, Protocol::EapMsChapV2];

    /// The word in the document.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Pap => "pap",
            Protocol::Chap => "chap",
            Protocol::MsChap => "mschap",
            Protocol::MsChapV2 => "mschapv2",
            Protocol::EapMd5 => "eap-md5",
            Protocol::EapMsChapV2 => "eap-mschapv2",
        }
    }

    /// Whether a login by it can be checked against passwords that are kept so.
    pub const fn works_with(self, passwords: Passwords) -> bool {
        matches!(passwords, Passwords::Recoverable) || matches!(self, Protocol::Pap)
    }
}
