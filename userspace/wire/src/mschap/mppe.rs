//! Keys for MPPE (RFC 3079), and the attributes that take them to the NAS (RFC 2548 §2.4).
//!
//! EAP-MSCHAPv2 gives the NAS the same two keys in the same attributes, each of sixteen octets: MS-MPPE-Recv-Key and
//! MS-MPPE-Send-Key one after the other are what its Master Session Key begins with, and what NASes and peers compare.

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

use super::nt::NtHash;
use super::v2::sha1;
use crate::buf::{Buf, TooLong};
use crate::password::hide;
use crate::salted;
use crate::secret::Secret;
use crate::vendor::{
    self, MICROSOFT, MS_CHAP_MPPE_KEYS, MS_MPPE_ENCRYPTION_POLICY, MS_MPPE_ENCRYPTION_TYPES, MS_MPPE_RECV_KEY,
    MS_MPPE_SEND_KEY,
};

/// The constants of RFC 3079 §3.4.
const MASTER: &[u8] = b"This is the MPPE Master Key";
const CLIENT_SENDS: &[u8] = b"On the client side, this is the send key; on the server side, it is the receive key.";
const CLIENT_RECEIVES: &[u8] = b"On the client side, this is the receive key; on the server side, it is the send key.";
const PAD_1: [u8; 40] = [0; 40];
const PAD_2: [u8; 40] = [0xf2; 40];

/// Whether the NAS must encrypt (RFC 2548 §2.4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EncryptionPolicy {
    /// It may.
    Allowed = 1,
    /// It must, or hang up.
    Required = 2,
}

/// How it may (RFC 2548 §2.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EncryptionTypes {
    /// With keys of 128 bits only.
    Strong = 4,
    /// With keys of 40 or 128 bits.
    Any = 6,
}

/// The two keys of 128 bits of a session after MS-CHAPv2, named as the server's end sees them (RFC 3079 §3.3).
///
/// They are wiped when dropped, and never shown.
#[derive(Clone)]
pub struct Keys {
    send: [u8; 16],
    recv: [u8; 16],
}

impl Keys {
    /// From the account's hash and an NT response that was right: in EAP the keys are wanted one round after the response,
    /// which the State can bring back.
    pub fn of(hash: &NtHash, nt_response: &[u8; 24]) -> Self {
        Self::derive(&hash.again(), nt_response)
    }

    /// From the hash of the hash.
    pub(super) fn derive(again: &NtHash, nt_response: &[u8; 24]) -> Self {
        let mut master = first_half(sha1(&[again.octets(), nt_response, MASTER]));
        let start = |magic: &[u8]| first_half(sha1(&[&master, &PAD_1, magic, &PAD_2]));
        let keys = Self { send: start(CLIENT_RECEIVES), recv: start(CLIENT_SENDS) };
        master.zeroize();
        keys
    }

    /// What the NAS sends with: MS-MPPE-Send-Key.
    pub const fn send(&self) -> &[u8; 16] {
        &self.send
    }

    /// What the NAS receives with: MS-MPPE-Recv-Key.
    pub const fn recv(&self) -> &[u8; 16] {
        &self.recv
    }

    /// The Master Session Key of EAP-MSCHAPv2: the receive key, the send key, zeros.
    pub fn msk(&self) -> Zeroizing<[u8; 64]> {
        let mut msk = Zeroizing::new([0; 64]);
        msk[..16].copy_from_slice(&self.recv);
        msk[16..32].copy_from_slice(&self.send);
        msk
    }

    /// Appends MS-MPPE-Send-Key and MS-MPPE-Recv-Key (RFC 2548 §2.4.2–3), for an Accept.
    ///
    /// The client's `secret` hides them, with the `authenticator` of its request, and `salt` and the number after it, whose
    /// top bits are set here: no other attribute of the packet may have either.
    ///
    /// # Errors
    ///
    /// The packet would be longer than it may be.
    pub fn append(
        &self,
        buf: &mut Buf,
        (secret, authenticator, salt): (&Secret, &[u8; 16], u16),
    ) -> Result<(), TooLong> {
        let keys = [(MS_MPPE_SEND_KEY, &self.send, salt), (MS_MPPE_RECV_KEY, &self.recv, salt.wrapping_add(1))];
        for (kind, key, salt) in keys {
            // Hidden in place, so that nothing of the key is left behind: salt, length octet, key, padding.
            let mut field = [0; 34];
            field[..2].copy_from_slice(&(salt | 0x8000).to_be_bytes());
            field[2] = 16;
            field[3..19].copy_from_slice(key);
            salted::encrypt(&mut field, secret, authenticator).map_err(|_| TooLong)?;
            vendor::append(buf, MICROSOFT, kind, &field)?;
        }
        Ok(())
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.send.zeroize();
        self.recv.zeroize();
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys(..)")
    }
}

/// Appends MS-CHAP-MPPE-Keys (RFC 2548 §2.4.1), for an Accept after the first version: LM-Key (8), NT-Key (16) and padding,
/// hidden as a User-Password is.
///
/// The LM-Key is zero, since nobody logs in by it. The NT-Key is the hash of the hash, from which RFC 3079 §2.2 starts and which NASes
/// want; that RFC 2548 speaks of the hash itself is its error.
///
/// # Errors
///
/// The packet would be longer than it may be.
pub fn append_v1_keys(
    buf: &mut Buf,
    hash: &NtHash,
    (secret, authenticator): (&Secret, &[u8; 16]),
) -> Result<(), TooLong> {
    let mut value = [0; 32];
    value[8..24].copy_from_slice(hash.again().octets());
    hide(&mut value, secret, authenticator).map_err(|_| TooLong)?;
    vendor::append(buf, MICROSOFT, MS_CHAP_MPPE_KEYS, &value)
}

/// Appends MS-MPPE-Encryption-Policy and MS-MPPE-Encryption-Types (RFC 2548 §2.4.4–5), for an Accept on PPP.
///
/// # Errors
///
/// The packet would be longer than it may be.
pub fn append_encryption(buf: &mut Buf, policy: EncryptionPolicy, types: EncryptionTypes) -> Result<(), TooLong> {
    vendor::append(buf, MICROSOFT, MS_MPPE_ENCRYPTION_POLICY, &(policy as u32).to_be_bytes())?;
    vendor::append(buf, MICROSOFT, MS_MPPE_ENCRYPTION_TYPES, &(types as u32).to_be_bytes())
}

fn first_half(mut digest: [u8; 20]) -> [u8; 16] {
    let half = digest.first_chunk().copied().unwrap_or_default();
    digest.zeroize();
    half
}
