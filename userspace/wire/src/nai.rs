//! The realm in a User-Name, and the one form in which realms are compared.
//!
//! A Network Access Identifier (RFC 7542) is `user@realm`. It is looked at and not changed, as RFC 7542 asks; where home
//! servers know no realms an operator has them taken off ([`Stripped`]), and put back in replies.

use std::fmt;

use idna::AsciiDenyList;
use idna::uts46::{DnsLength, Hyphens, Uts46};

/// The longest realm: a domain name's 253 octets (RFC 7542 §2.3).
pub const MAX_REALM: usize = 253;

/// What follows the last `@`; `None` if there is none or nothing follows.
pub fn realm_suffix(name: &[u8]) -> Option<&[u8]> {
    let at = name.iter().rposition(|&octet| octet == b'@')?;
    name.get(at + 1..).filter(|realm| !realm.is_empty())
}

/// What precedes the first `/`; `None` if there is none or nothing precedes.
pub fn realm_prefix(name: &[u8]) -> Option<&[u8]> {
    let slash = name.iter().position(|&octet| octet == b'/')?;
    name.get(..slash).filter(|realm| !realm.is_empty())
}

/// What precedes the first `\`, a Windows domain and no NAI; `None` if there is none or nothing precedes.
pub fn realm_nt(name: &[u8]) -> Option<&[u8]> {
    let backslash = name.iter().position(|&octet| octet == b'\\')?;
    name.get(..backslash).filter(|realm| !realm.is_empty())
}

/// Where in a name a realm stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// After the last `@`, see [`realm_suffix`].
    Suffix,
    /// Before the first `/`, see [`realm_prefix`].
    Prefix,
    /// Before the first `\`, see [`realm_nt`].
    Nt,
}

impl Place {
    /// The realm at this place of `name`.
    pub fn realm(self, name: &[u8]) -> Option<&[u8]> {
        match self {
            Place::Suffix => realm_suffix(name),
            Place::Prefix => realm_prefix(name),
            Place::Nt => realm_nt(name),
        }
    }
}

/// A name that realms are taken off. Its `front`, `user` and `back` together are the name, always.
#[derive(Clone, Copy)]
pub struct Stripped<'a> {
    name: &'a [u8],
    /// Where in `name` the user begins and ends.
    start: usize,
    end: usize,
}

impl<'a> Stripped<'a> {
    /// The whole name, nothing taken off.
    pub fn of(name: &'a [u8]) -> Self {
        Self { name, start: 0, end: name.len() }
    }

    /// What is left; never empty where the name is not.
    pub fn user(&self) -> &'a [u8] {
        self.name.get(self.start..self.end).unwrap_or_default()
    }

    /// What was taken off the front, with its delimiter: `acme/`, `ACME\`.
    pub fn front(&self) -> &'a [u8] {
        self.name.get(..self.start).unwrap_or_default()
    }

    /// What was taken off the back, with its delimiter: `@acme.example`, `@acme.example@carrier.example`.
    pub fn back(&self) -> &'a [u8] {
        self.name.get(self.end..).unwrap_or_default()
    }

    /// Without the realm at `place`; as it is where there is none, or where no user would be left.
    #[must_use]
    pub fn without_realm(self, place: Place) -> Self {
        let user = self.user();
        let Some(taken) = place.realm(user).map(|realm| realm.len() + 1).filter(|&taken| taken < user.len()) else {
            return self;
        };
        match place {
            Place::Suffix => Self { end: self.end - taken, ..self },
            Place::Prefix | Place::Nt => Self { start: self.start + taken, ..self },
        }
    }

    /// Without a carrier's suffix, given in canonical form: `alice@acme.example` of
    /// `alice@acme.example@carrier.example`. As it is where its suffix is another.
    #[must_use]
    pub fn without_outer(self, outer: &[u8]) -> Self {
        let is_outer = realm_suffix(self.user()).is_some_and(|realm| canonical(realm, &mut [0; 255]) == Some(outer));
        if is_outer { self.without_realm(Place::Suffix) } else { self }
    }

    /// Writes `name` with what was taken off here put back to `out`: the name as the client knows it. `None` where it
    /// is to stay as it is: nothing was taken off, it has it already, or it would exceed the 253 octets of an attribute.
    pub fn restore<'o>(&self, name: &[u8], out: &'o mut [u8; 253]) -> Option<&'o [u8]> {
        let (front, back) = (self.front(), self.back());
        let begins = |with: &[u8]| name.get(..with.len()).is_some_and(|it| it.eq_ignore_ascii_case(with));
        let ends = |with: &[u8]| {
            let from = name.len().checked_sub(with.len());
            from.and_then(|from| name.get(from..)).is_some_and(|it| it.eq_ignore_ascii_case(with))
        };
        if begins(front) && ends(back) {
            return None;
        }
        let len = front.len() + name.len() + back.len();
        let out = out.get_mut(..len)?;
        for (to, octet) in out.iter_mut().zip(front.iter().chain(name).chain(back)) {
            *to = *octet;
        }
        Some(out)
    }
}

/// Writes the canonical form of a realm to `out`: lower case, without the trailing dot, and for a name with letters
/// beyond ASCII its A-labels (UTS 46 non-transitional, which includes NFC).
///
/// `None` if this is no realm: empty, longer than 253 octets in that form, with an empty label, a space or a control character, or
/// not IDNA. An ASCII name allocates nothing.
pub fn canonical<'a>(realm: &[u8], out: &'a mut [u8; 255]) -> Option<&'a [u8]> {
    if realm.is_ascii() {
        return canonical_ascii(realm, out);
    }
    let ascii = Uts46::new().to_ascii(realm, AsciiDenyList::EMPTY, Hyphens::Allow, DnsLength::Ignore).ok()?;
    canonical_ascii(ascii.as_bytes(), out)
}

fn canonical_ascii<'a>(realm: &[u8], out: &'a mut [u8; 255]) -> Option<&'a [u8]> {
    let realm = realm.strip_suffix(b".").unwrap_or(realm);
    if realm.len() > MAX_REALM {
        return None;
    }
    let out = out.get_mut(..realm.len())?;
    let mut previous = b'.';
    for (to, &octet) in out.iter_mut().zip(realm) {
        if !octet.is_ascii_graphic() || (octet == b'.' && previous == b'.') {
            return None;
        }
        *to = octet.to_ascii_lowercase();
        previous = octet;
    }
    // True of an empty name as well.
    if previous == b'.' { None } else { Some(out) }
}

/// The name cannot be a realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a realm: 1 to 253 octets, no empty label, no spaces or control characters, valid IDNA")]
pub struct NotARealm;

/// A realm in canonical form, as a key: equal realms are equal octets.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalRealm(Box<[u8]>);

impl CanonicalRealm {
    /// Brings a name as a person writes it to canonical form.
    pub fn new(realm: &str) -> Result<Self, NotARealm> {
        let mut out = [0; 255];
        Ok(Self(canonical(realm.as_bytes(), &mut out).ok_or(NotARealm)?.into()))
    }

    /// The canonical form: ASCII, lower case.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl AsRef<str> for CanonicalRealm {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::borrow::Borrow<[u8]> for CanonicalRealm {
    /// For look-ups with what [`canonical`] returns: it hashes and compares as its octets do.
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for CanonicalRealm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for CanonicalRealm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
