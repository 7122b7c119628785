//! Hosted accounts: logins for a realm with a `group` contract are answered here (SERVICE "Verdicts").
//!
//! The realm's contract is a [`crate::snapshot::Group`], which changes by a reload; its accounts are [`Accounts`], which change one by
//! one, at once, and outlive every reload. What workers share of all that is [`Hosted`].
//!
//! A login's way: `login` finds its account and judges it; `proof` compares what it shows (PAP, CHAP, MS-CHAP) with the password,
//! or `eap` carries on a conversation whose memory is in the State that its client brings back (`state`); where only a hash is kept, `lookup` has it
//! checked elsewhere ([`crate::Engine::poll_lookup`]). `accept` says what an Accept says, `refused` what a Reject does not. [`Guard`] locks out who fails too often, [`Sessions`]
//! counts who is in, by the reservations of Accepts and by what `accounting` reports.
//!
//! Nothing tells from outside whether an account exists: an unknown user's login is compared with a password that nobody has, takes the same
//! way, and gets the same Reject at the same time. A subscriber's name and number are in no log at all.
//!
//! The same accounts stand behind `vpdn` contracts with [`crate::snapshot::Verify::Group`]: there tunnels join the Accept.

mod accept;
mod account;
mod accounting;
mod accounts;
mod eap;
mod guard;
mod login;
mod lookup;
pub(crate) mod octets;
mod proof;
mod refused;
mod sessions;
mod state;

pub use account::{Account, AccountError, MAX_CALLING, MAX_REPLY, MAX_SECRET, MAX_USER, Secret};
pub use accounts::Accounts;

pub use guard::Guard;
pub(crate) use login::Login;
pub use lookup::{Lookup, PasswordVerdict};
pub use sessions::{Counts, GroupSessions, Restored, SessionView, Sessions, Settings};

use std::fmt;

use crate::random::Random;

/// All that workers share of hosted accounts.
pub struct Hosted {
    /// The accounts.
    pub accounts: Accounts,
    /// Who has failed too often.
    pub guard: Guard,
    /// Sessions of accounts.
    pub sessions: Sessions,
    /// Keys the State of EAP conversations, so that any worker may continue what another began.
    pub(crate) state_key: [u8; 32],
}

impl Hosted {
    /// Without accounts. The seed must be random and secret.
    pub fn new(seed: [u8; 32], sessions: Sessions) -> Hosted {
        let mut random = Random::new(seed);
        let mut next = || {
            let mut octets = [0; 32];
            octets[..16].copy_from_slice(&random.authenticator());
            octets[16..].copy_from_slice(&random.authenticator());
            octets
        };
        Hosted { accounts: Accounts::new(next()), guard: Guard::new(next()), sessions, state_key: next() }
    }
}

/// Without the key.
impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted")
            .field("accounts", &self.accounts)
            .field("guard", &self.guard)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}
