//! Access networks: how they name realms and sessions, and how they want to be answered.

use arrayvec::ArrayVec;
use sekisho_wire::tunnel::TunnelForm;

use super::{Lookup, RealmId};

/// The type of an access network's items (service regulation, Art. 2): it is for `vpdn` contracts of the same type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccessType {
    /// D.
    D,
    /// K.
    K,
    /// I.
    I,
}

impl AccessType {
    /// How many there are.
    pub const COUNT: usize = 3;

    /// As an index.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Realms that access networks may ask for, of all customers. Each name is one customer's at most.
#[derive(Debug, Default)]
pub struct AccessRealms {
    /// By canonical suffix (`user@realm`).
    pub suffixes: Lookup<Box<[u8]>, RealmId>,
    /// By canonical prefix (`realm/user`).
    pub prefixes: Lookup<Box<[u8]>, RealmId>,
    /// By APN (Called-Station-Id), canonical; a called number in its international form too.
    pub apns: Lookup<Box<[u8]>, RealmId>,
}

/// What is special about a client that is an access network, or an LNS.
#[derive(Clone, Debug)]
pub struct Access {
    /// What User-Name is.
    pub lookup: NameLookup,
    /// Where a realm is looked for, the first place first.
    pub places: ArrayVec<RealmPlace, 3>,
    /// For requests that name no realm, by canonical APN; before [`super::Client::default_realm`].
    pub default_realms: Lookup<Box<[u8]>, RealmId>,
    /// User-Names that only ask whether we are there.
    pub keepalive_users: Vec<Box<[u8]>>,
    /// They get an Accept, without any attribute; else a Reject.
    pub keepalive_accepts: bool,
    /// How tunnels are written in an Accept.
    pub form: TunnelForm,
    /// The most sets in one answer, the chosen LNS's among them: at least 1.
    pub max_alternatives: usize,
    /// Service-Type of an Accept (RFC 2865 §5.6), where its equipment wants one.
    pub service_type: Option<u32>,
    /// Framed-Protocol of an Accept (§5.7).
    pub framed_protocol: Option<u32>,
    /// What names a session in its accounting.
    pub session_name: SessionName,
    /// A session may have several bearers (3GPP-NSAPI).
    pub multi_bearer: bool,
    /// Tunnel-Link-Start and -Stop (RFC 2867 §3) stand in the place of Start and Stop.
    pub counts_links: bool,
    /// Accounting of no contract is recorded, and then acknowledged; else it gets silence.
    pub records_unclaimed: bool,
}

impl Access {
    /// How the accounting of an LNS is read.
    pub fn of_an_lns() -> Access {
        let places = [RealmPlace::Suffix, RealmPlace::Prefix, RealmPlace::Apn];
        Access {
            lookup: NameLookup::User,
            places: places.into(),
            default_realms: Lookup::new(),
            keepalive_users: Vec::new(),
            keepalive_accepts: false,
            form: TunnelForm::Tagged,
            max_alternatives: 1,
            service_type: None,
            framed_protocol: None,
            session_name: SessionName::AcctSessionId,
            multi_bearer: false,
            counts_links: false,
            records_unclaimed: true,
        }
    }
}

/// What an access network's User-Name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameLookup {
    /// A subscriber's name with a realm.
    User,
    /// A name without a delimiter is itself a realm.
    Domain,
    /// The called number is looked for first: Called-Station-Id, or a User-Name `dnis:NUMBER`.
    Dnis,
}

/// Where in an access network's request a realm is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealmPlace {
    /// After the last `@` of User-Name.
    Suffix,
    /// Before the first `/` of User-Name.
    Prefix,
    /// Called-Station-Id.
    Apn,
}

/// What names a session within its access network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionName {
    /// The NAS's identifier or address, and Acct-Session-Id.
    AcctSessionId,
    /// GGSN-Address and 3GPP-Charging-Id (TS 29.061 §16.4.7).
    ChargingId,
}
