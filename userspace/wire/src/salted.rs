//! Salt-encrypted attributes (RFC 2868 §3.5, RFC 2548 §2.4.2): Tunnel-Password and the MPPE keys.
//!
//! A *field* is what both kinds have in common: a salt of two octets, then cipher text in blocks of sixteen whose
//! plain text is a length octet, the data, and zero padding. Tunnel-Password has a Tag octet before its field, the
//! vendors' attributes have none.

use crate::password::xor;
use crate::secret::Secret;
use crate::vendor::{MICROSOFT, MS_MPPE_RECV_KEY, MS_MPPE_SEND_KEY};

/// The field is not of this secret and Request Authenticator, or of no valid length: it must not be forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the salt-encrypted attribute does not decrypt with this secret and Request Authenticator")]
pub struct Undecryptable;

/// The vendor attributes whose value is a salt-encrypted field: those of RFC 2548, and what dictionaries add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salted {
    /// (vendor, vendor type, octets before the field), sorted.
    attributes: Vec<(u32, u8, usize)>,
}

impl Default for Salted {
    /// MS-MPPE-Send-Key and MS-MPPE-Recv-Key.
    fn default() -> Salted {
        Salted::new([])
    }
}

impl Salted {
    /// Microsoft's, and these (vendor, vendor type) beside them.
    pub fn new(more: impl IntoIterator<Item = (u32, u8)>) -> Salted {
        let microsoft = [(MICROSOFT, MS_MPPE_SEND_KEY), (MICROSOFT, MS_MPPE_RECV_KEY)];
        Salted { attributes: Vec::new() }.with(0, microsoft.into_iter().chain(more))
    }

    /// Beside them these (vendor, vendor type), whose field stands behind one octet that stays as it is: a Tag, or WiMAX's
    /// continuation.
    pub fn behind_an_octet(self, more: impl IntoIterator<Item = (u32, u8)>) -> Salted {
        self.with(1, more)
    }

    fn with(mut self, lead: usize, more: impl IntoIterator<Item = (u32, u8)>) -> Salted {
        self.attributes.extend(more.into_iter().map(|(vendor, kind)| (vendor, kind, lead)));
        self.attributes.sort_unstable();
        self.attributes.dedup_by_key(|(vendor, kind, _)| (*vendor, *kind));
        self
    }

    /// Whether sub-attribute `kind` of `vendor` holds a salt-encrypted field.
    pub fn contains(&self, vendor: u32, kind: u8) -> bool {
        self.lead(vendor, kind).is_some()
    }

    /// How many octets of sub-attribute `kind` of `vendor` stand before its salt-encrypted field; `None` where it has none.
    pub(crate) fn lead(&self, vendor: u32, kind: u8) -> Option<usize> {
        let at = self.attributes.binary_search_by_key(&(vendor, kind), |(vendor, kind, _)| (*vendor, *kind)).ok()?;
        self.attributes.get(at).map(|(_, _, lead)| *lead)
    }

    /// Whether any attribute of `vendor` is: others need not be looked into.
    pub(crate) fn has_vendor(&self, vendor: u32) -> bool {
        let first = self.attributes.partition_point(|entry| entry.0 < vendor);
        self.attributes.get(first).is_some_and(|entry| entry.0 == vendor)
    }
}

/// Decrypts a field in place and returns its data. A refused field is left as it was.
pub fn decrypt<'a>(field: &'a mut [u8], secret: &Secret, authenticator: &[u8; 16]) -> Result<&'a [u8], Undecryptable> {
    let (salt, blocks) = split(field)?;
    let mut mask = first_mask(secret, authenticator, salt);
    let data = check_length(blocks, &mask)?;
    for block in blocks.iter_mut() {
        let hidden = *block;
        xor(block, &mask);
        mask = secret.prefixed(&hidden);
    }
    blocks.as_flattened().get(1..=data).ok_or(Undecryptable)
}

/// Encrypts a field in place: a salt, then in whole blocks the length octet, the data and the padding.
pub fn encrypt(field: &mut [u8], secret: &Secret, authenticator: &[u8; 16]) -> Result<(), Undecryptable> {
    let (salt, blocks) = split(field)?;
    let mut mask = first_mask(secret, authenticator, salt);
    for block in blocks {
        xor(block, &mask);
        mask = secret.prefixed(block);
    }
    Ok(())
}

/// Takes a field from one hop's encryption to another's, under a new salt. A refused field is left as it was.
pub fn reencrypt(
    field: &mut [u8],
    (from, from_authenticator): (&Secret, &[u8; 16]),
    (to, to_authenticator): (&Secret, &[u8; 16]),
    new_salt: u16,
) -> Result<(), Undecryptable> {
    let (salt, blocks) = split(field)?;
    let mut before = first_mask(from, from_authenticator, salt);
    check_length(blocks, &before)?;
    *salt = new_salt.to_be_bytes();
    let mut after = first_mask(to, to_authenticator, salt);

    let last = blocks.len() - 1;
    for (i, block) in blocks.iter_mut().enumerate() {
        let hidden = *block;
        xor(block, &before);
        xor(block, &after);
        if i < last {
            before = from.prefixed(&hidden);
            after = to.prefixed(block);
        }
    }
    Ok(())
}

/// The salt and the cipher text, which has at least one block.
fn split(field: &mut [u8]) -> Result<(&mut [u8; 2], &mut [[u8; 16]]), Undecryptable> {
    let (salt, cipher) = field.split_first_chunk_mut().ok_or(Undecryptable)?;
    match cipher.as_chunks_mut() {
        (blocks, []) if !blocks.is_empty() => Ok((salt, blocks)),
        _ => Err(Undecryptable),
    }
}

/// `b(1)` = MD5(secret | Request Authenticator | salt).
fn first_mask(secret: &Secret, authenticator: &[u8; 16], salt: &[u8; 2]) -> [u8; 16] {
    let mut both = [0; 18];
    both[..16].copy_from_slice(authenticator);
    both[16..].copy_from_slice(salt);
    secret.prefixed(&both)
}

/// The length octet, if the data it promises is there: under a wrong key it most often is not.
fn check_length(blocks: &[[u8; 16]], mask: &[u8; 16]) -> Result<usize, Undecryptable> {
    let first = blocks.first().ok_or(Undecryptable)?;
    let data = usize::from(first[0] ^ mask[0]);
    if data < blocks.len() * 16 { Ok(data) } else { Err(Undecryptable) }
}
