//! Sealing: what keeps secrets unreadable in the database, in its backups and in its mirrors.
//!
//! CHAP and MS-CHAP need passwords that can be read, so they are encrypted rather than hashed, with a key that is kept apart from
//! them: a [`KeyRing`], read from a file or a systemd credential ([`file`]). Each secret is sealed by XChaCha20-Poly1305 under a random nonce
//! of 24 octets, together with the *context* that it belongs to, such as `account/c1/acme.example/alice`: a secret that is copied to
//! another row, or to another customer, does not open there.
//!
//! ```text
//! | version (1) | key id (4) | nonce (24) | ciphertext, as long as the secret | tag (16) |
//! ```
//!
//! The version and the key id are authenticated too, with the context. A key is rotated by putting a new one before it
//! ([`KeyRing::rotate`]): the first of the ring seals, all of them open. When everything is sealed anew, the former ones can be deleted.

mod file;

use std::{fmt, iter, sync::Arc};

use chacha20poly1305::{
    Key as CipherKey, XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit, Payload},
};
use rand::{TryRng, rngs::SysRng};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

pub use self::file::KeyFileError;

/// Octets of a key.
pub const KEY: usize = 32;
/// The sealed form that is written, and the only one that is known.
const VERSION: u8 = 1;
/// Octets of the nonce.
const NONCE: usize = 24;
/// Octets before the ciphertext: version, key id and nonce.
const HEAD: usize = 1 + 4 + NONCE;
/// Octets of the authenticator at the end.
const TAG: usize = 16;
/// What a sealed form has beyond its secret.
pub const OVERHEAD: usize = HEAD + TAG;

/// The keys that secrets are sealed with: the current one, and former ones that still open what they sealed.
///
/// A clone is cheap and shares the keys, which are wiped when the last is dropped. `Debug` shows key ids only.
#[derive(Clone)]
pub struct KeyRing(Arc<Keys>);

/// No two of the same id.
struct Keys {
    current: Key,
    former: Vec<Key>,
}

impl KeyRing {
    /// A ring of one new key that is kept nowhere: what it seals is lost with it.
    pub fn generate() -> Result<KeyRing, KeyError> {
        Ok(KeyRing::of(Key::generate()?, Vec::new()))
    }

    /// Seals `plain` with the current key, for the one place that `context` names. The result has [`OVERHEAD`] octets more.
    pub fn seal(&self, context: &str, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let key = &self.0.current;
        let mut nonce = [0; NONCE];
        fill(&mut nonce)?;
        let associated = associated(key.id, context);
        let payload = Payload { msg: plain, aad: &associated };
        let ciphertext = key.cipher().encrypt(&XNonce::from(nonce), payload).map_err(|_| KeyError::TooLong)?;
        let mut sealed = Vec::with_capacity(HEAD + ciphertext.len());
        sealed.push(VERSION);
        sealed.extend(key.id.0);
        sealed.extend(nonce);
        sealed.extend(ciphertext);
        Ok(sealed)
    }

    /// Opens what was sealed for the place that `context` names, with the key that sealed it.
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let (id, nonce, ciphertext) = parts(sealed)?;
        let Some(key) = self.keys().find(|key| key.id == id) else {
            return Err(KeyError::UnknownKey { id, known: self.ids().collect() });
        };
        let associated = associated(id, context);
        let payload = Payload { msg: ciphertext, aad: &associated };
        let plain = key.cipher().decrypt(&XNonce::from(nonce), payload).map_err(|_| KeyError::Altered)?;
        Ok(Zeroizing::new(plain))
    }

    /// Whether this was sealed with the current key, so that a rotation has nothing left to do here.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        parts(sealed).is_ok_and(|(id, ..)| id == self.current())
    }

    /// The id of the key that seals.
    pub fn current(&self) -> KeyId {
        self.0.current.id
    }

    /// The ids of all keys, the current one first.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.keys().map(|key| key.id)
    }

    fn of(current: Key, former: Vec<Key>) -> KeyRing {
        KeyRing(Arc::new(Keys { current, former }))
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        iter::once(&self.0.current).chain(&self.0.former)
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing")?;
        f.debug_list().entries(self.ids()).finish()
    }
}

/// What a key is called: the first four octets of a digest of it, which say nothing of the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 4]);

impl fmt::Display for KeyId {
    /// Eight hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why something could not be sealed or opened. No message names the context, which may hold a subscriber's name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key that sealed it is not in the ring.
    #[error(
        "it was sealed with key {id}, and the key file has only {}: put the line of that key back at the end of the key file, or load the file \
         anew if a key was rotated while this process ran",
        list(known)
    )]
    UnknownKey {
        /// The key that is missing.
        id: KeyId,
        /// The keys of the ring, the current one first.
        known: Vec<KeyId>,
    },
    /// The authenticator does not fit. Which of its causes it was cannot be told: the context is authenticated, not kept.
    #[error(
        "it does not open: either it was altered, or it was sealed for another place (another account, contract or customer) and copied here: set the \
         secret anew, or restore a backup"
    )]
    Altered,
    /// Too short to be anything sealed.
    #[error(
        "it has {octets} octets and is nothing that was sealed, which has at least {OVERHEAD}: set the secret anew, or restore a backup"
    )]
    Short {
        /// Its octets.
        octets: usize,
    },
    /// Written by a program to come, or no sealed form at all.
    #[error("it has the sealed form {version}, this sekisho knows {VERSION}: read it with the sekisho that wrote it")]
    Version {
        /// Its first octet.
        version: u8,
    },
    /// More than the cipher can take in one message: 256 GiB.
    #[error("it is too long to be sealed: seal it in parts")]
    TooLong,
    /// The operating system has no random octets.
    #[error("the operating system gives no random octets ({0}): see what its log says of getrandom")]
    Random(String),
}

/// One key of a ring.
struct Key {
    id: KeyId,
    octets: Zeroizing<[u8; KEY]>,
}

impl Key {
    fn new(octets: Zeroizing<[u8; KEY]>) -> Key {
        let digest = Sha256::new().chain_update(b"sekisho key id").chain_update(*octets).finalize();
        let mut id = [0; 4];
        id.iter_mut().zip(digest.iter()).for_each(|(to, octet)| *to = *octet);
        Key { id: KeyId(id), octets }
    }

    fn generate() -> Result<Key, KeyError> {
        let mut octets = Zeroizing::new([0; KEY]);
        fill(octets.as_mut_slice())?;
        Ok(Key::new(octets))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let mut key = CipherKey::from(*self.octets);
        let cipher = XChaCha20Poly1305::new(&key);
        key.zeroize();
        cipher
    }
}

/// Fills with random octets of the operating system.
fn fill(octets: &mut [u8]) -> Result<(), KeyError> {
    SysRng.try_fill_bytes(octets).map_err(|error| KeyError::Random(error.to_string()))
}

/// What is authenticated beside the ciphertext.
fn associated(id: KeyId, context: &str) -> Vec<u8> {
    [&[VERSION][..], &id.0, context.as_bytes()].concat()
}

/// Key id, nonce and ciphertext of a sealed form.
fn parts(sealed: &[u8]) -> Result<(KeyId, [u8; NONCE], &[u8]), KeyError> {
    let short = KeyError::Short { octets: sealed.len() };
    match sealed.first() {
        Some(&VERSION) if sealed.len() >= OVERHEAD => {}
        Some(&version) if version != VERSION => return Err(KeyError::Version { version }),
        _ => return Err(short),
    }
    let Some((id, rest)) = sealed.get(1..).and_then(|rest| rest.split_first_chunk()) else { return Err(short) };
    let Some((nonce, ciphertext)) = rest.split_first_chunk() else { return Err(short) };
    Ok((KeyId(*id), *nonce, ciphertext))
}

fn list(ids: &[KeyId]) -> String {
    ids.iter().map(KeyId::to_string).collect::<Vec<_>>().join(", ")
}
