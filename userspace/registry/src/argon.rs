//! Passwords that only PAP is checked with, hashed by argon2id (RFC 9106).
//!
//! A hash is a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`. Its parameters say what a check costs in memory and time, so those of
//! a hash that comes from elsewhere are bounded: an import must not be able to stop a node.

use std::str::FromStr;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{self, PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use rand::{TryRng, rngs::SysRng};
use zeroize::Zeroizing;

/// Memory of one check in KiB: 19 MiB, the least that OWASP's Password Storage Cheat Sheet asks for with two passes.
pub const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory.
pub const PASSES: u32 = 2;
/// Lanes, which one thread works through.
pub const LANES: u32 = 1;

/// The most memory in KiB that a hash from elsewhere may ask for: 256 MiB.
pub const MAX_MEMORY_KIB: u32 = 256 * 1024;
/// The most memory times passes in KiB that it may ask for: 512 MiB to be written, a second or less.
pub const MAX_WORK_KIB: u32 = 512 * 1024;
/// The most lanes.
pub const MAX_LANES: u32 = 16;
/// The fewest octets of its output: fewer would be guessed.
const MIN_OUTPUT: usize = 16;
/// The fewest octets of its salt, as the algorithm has it.
const MIN_SALT: usize = 8;
/// What a check can be asked for: no attribute carries a longer password.
const MAX_PASSWORD: usize = 1024;

/// Why a password could not be hashed or checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("the hash {}: {}", self.what(), self.remedy())]
pub enum ArgonError {
    /// No PHC string of argon2id, version 19.
    NoHash,
    /// A PHC string that lacks its salt or its output, or has them too short.
    Short,
    /// It asks for more than a node may spend on one login.
    TooMuch {
        /// Memory in KiB.
        memory: u32,
        /// Passes.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// The operating system has no random octets, or no memory.
    Failed,
    /// Longer than any password.
    Long,
}

impl ArgonError {
    /// What is the matter, as the rest of a sentence.
    pub fn what(&self) -> String {
        match self {
            ArgonError::NoHash => "is no PHC string of argon2id, version 19".to_owned(),
            ArgonError::Short => "lacks its salt or its output, or has them too short".to_owned(),
            ArgonError::TooMuch { memory, passes, lanes } => {
                format!("asks for {memory} KiB, {passes} passes and {lanes} lanes, more than one login may cost")
            }
            ArgonError::Failed => "could not be made for want of memory or of random octets".to_owned(),
            ArgonError::Long => "is to be made of a password that is too long".to_owned(),
        }
    }

    /// What would help.
    pub fn remedy(&self) -> String {
        match self {
            ArgonError::NoHash => {
                "give it as $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH, or give the password".to_owned()
            }
            ArgonError::Short => {
                format!(
                    "give a salt of at least {MIN_SALT} octets and a hash of at least {MIN_OUTPUT}, or give the password"
                )
            }
            ArgonError::TooMuch { .. } => format!(
                "at most {MAX_MEMORY_KIB} KiB, {MAX_WORK_KIB} KiB times passes and {MAX_LANES} lanes are checked; give the password, or let the \
                 subscriber choose a new one"
            ),
            ArgonError::Failed => "see what the system's log says of memory".to_owned(),
            ArgonError::Long => format!("give one of at most {MAX_PASSWORD} octets"),
        }
    }
}

/// Hashes a password with the parameters of this module and a random salt of 16 octets. It takes tens of milliseconds, and [`MEMORY_KIB`].
pub fn hash(password: &[u8]) -> Result<String, ArgonError> {
    if password.len() > MAX_PASSWORD {
        return Err(ArgonError::Long);
    }
    let mut salt = [0; 16];
    SysRng.try_fill_bytes(&mut salt).map_err(|_| ArgonError::Failed)?;
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| ArgonError::Failed)?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon.hash_password_with_salt(password, &salt).map_err(|_| ArgonError::Failed)?;
    Ok(hash.to_string())
}

/// Whether this is the password that was hashed. It costs what the hash's parameters say, within their bounds.
pub fn verify(phc: &str, password: &[u8]) -> Result<bool, ArgonError> {
    let hash = parse(phc)?;
    if password.len() > MAX_PASSWORD {
        return Ok(false);
    }
    match Argon2::default().verify_password(password, &hash) {
        Ok(()) => Ok(true),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(_) => Err(ArgonError::Failed),
    }
}

/// Whether a hash can be checked with at all, without checking any password.
pub fn check(phc: &str) -> Result<(), ArgonError> {
    parse(phc).map(drop)
}

/// A hash of a random password that nobody knows, with the parameters of [`hash`]: an unknown user is checked with it, so that it takes
/// what a known one takes.
pub fn dummy() -> Result<String, ArgonError> {
    let mut password = Zeroizing::new([0; 32]);
    SysRng.try_fill_bytes(password.as_mut_slice()).map_err(|_| ArgonError::Failed)?;
    hash(password.as_slice())
}

fn parse(phc: &str) -> Result<PasswordHash, ArgonError> {
    let hash = PasswordHash::from_str(phc).map_err(|_| ArgonError::NoHash)?;
    if hash.algorithm.as_str() != "argon2id" || hash.version != Some(Version::V0x13.into()) {
        return Err(ArgonError::NoHash);
    }
    let params = Params::try_from(&hash).map_err(|_| ArgonError::NoHash)?;
    let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
    if memory > MAX_MEMORY_KIB || memory.saturating_mul(passes) > MAX_WORK_KIB || lanes > MAX_LANES {
        return Err(ArgonError::TooMuch { memory, passes, lanes });
    }
    let long = |octets: Option<usize>, least| octets.is_some_and(|octets| octets >= least);
    if !long(hash.salt.as_ref().map(|it| it.len()), MIN_SALT)
        || !long(hash.hash.as_ref().map(|it| it.len()), MIN_OUTPUT)
    {
        return Err(ArgonError::Short);
    }
    Ok(hash)
}
