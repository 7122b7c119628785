//! The realm in a User-Name, and the one form in which realms are compared.
//!
//! A Network Access Identifier (RFC 7542) is `user@realm`. It is looked at, never changed: RFC 7542 forbids it.

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
