//! `group` contracts: whose logins are answered here, from hosted accounts.

use std::{sync::Arc, time::Duration};

use super::{CustomerId, RealmId};
use crate::{
    hosted::GroupSessions,
    stats::{GroupStats, PerWorker},
};

sekisho_lns::ids! {
    /// A `group` contract, in [`super::RoutingSnapshot::groups`].
    GroupId;
}

/// A `group` contract: logins for its realms are answered here, from [`crate::hosted::Accounts`].
#[derive(Debug)]
pub struct Group {
    /// Stable number.
    pub id: GroupId,
    /// Name of the contract.
    pub contract: String,
    /// Whose it is.
    pub customer: CustomerId,
    /// Its realms, for explanations: what is served is what [`super::Realm::service`] and [`super::Verify::Group`] say.
    pub realms: Vec<RealmId>,
    /// How a login may prove itself.
    pub protocols: Protocols,
    /// What is kept of its accounts' passwords. An account that has the other form counts as unknown.
    pub form: PasswordForm,
    /// How many sessions an account may have at once that says nothing else; 0: as many as it wants.
    pub simultaneous: u16,
    /// How many sessions all its accounts may have together; 0: as many as they want.
    pub max_sessions: u32,
    /// From which numbers an account may log in.
    pub calling: Calling,
    /// Attributes of every Accept, as they stand in a packet; each vendor's attribute in a Vendor-Specific of its own. An account's own
    /// attribute of a kind takes the place of all of that kind here.
    pub reply: Box<[u8]>,
    /// When logins are locked out.
    pub lockout: Lockout,
    /// How many sessions there are now: the same one over reloads.
    pub sessions: Arc<GroupSessions>,
    /// Counters.
    pub stats: Arc<PerWorker<GroupStats>>,
}

/// What is kept of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordForm {
    /// The password itself, which CHAP and MS-CHAP need.
    Recoverable,
    /// A hash of it (argon2id): for PAP only, and checked elsewhere ([`crate::Engine::poll_lookup`]).
    Argon2id,
}

/// Whether accounts are bound to numbers (Calling-Station-Id).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calling {
    /// An account may log in from anywhere, whatever numbers it lists.
    Any,
    /// An account that lists numbers may log in from these only, others from anywhere.
    WhereListed,
    /// An account may log in from the numbers that it lists only; one that lists none, not at all.
    Listed,
}

/// When logins are locked out because of those before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// So many wrong passwords for an account from one number lock it for that number; 0: no number of them does.
    pub failures: u16,
    /// So many failures of one client's logins lock that client out of the contract, unknown users' among them; 0: no number of them
    /// does. An access network, which is all subscribers', is never locked out.
    pub client_failures: u16,
    /// Within this time, in whole seconds.
    pub window: Duration,
    /// For so long, in whole seconds.
    pub hold: Duration,
}

impl Default for Lockout {
    /// Ten wrong passwords from a number, or a thousand failures of a client, within five minutes: locked for five minutes.
    fn default() -> Lockout {
        let window = Duration::from_secs(300);
        Lockout { failures: 10, client_failures: 1000, window, hold: window }
    }
}

/// Ways for a login to prove itself, as a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Protocols(u8);

impl Protocols {
    /// None.
    pub const NONE: Protocols = Protocols(0);
    /// User-Password (RFC 2865 §5.2).
    pub const PAP: Protocols = Protocols(1);
    /// CHAP-Password (RFC 2865 §5.3).
    pub const CHAP: Protocols = Protocols(2);
    /// MS-CHAP version 1 (RFC 2433, RFC 2548 §2.1).
    pub const MSCHAP: Protocols = Protocols(4);
    /// MS-CHAP version 2 (RFC 2759, RFC 2548 §2.3).
    pub const MSCHAPV2: Protocols = Protocols(8);
    /// EAP with MD5-Challenge (RFC 3748 §5.4).
    pub const EAP_MD5: Protocols = Protocols(16);
    /// EAP with MS-CHAP version 2 (EAP type 26).
    pub const EAP_MSCHAPV2: Protocols = Protocols(32);
    /// All of them.
    pub const ALL: Protocols = Protocols(63);

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Protocols) -> Protocols {
        Protocols(self.0 | other.0)
    }

    /// Whether all of those are among these.
    pub const fn has(self, other: Protocols) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of those is among these.
    pub const fn has_any(self, other: Protocols) -> bool {
        self.0 & other.0 != 0
    }
}
