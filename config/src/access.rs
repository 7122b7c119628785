//! The operator's access networks, as checked: `[[access_network]]` of `sekisho.toml`.

use std::{fmt, net::IpAddr, time::Duration};

use sekisho_wire::{nai::CanonicalRealm, secret::Secret};

use crate::{
    customer::Require,
    rates::{Rate, Rates},
};

/// A mobile carrier's equipment (LAC, PGW) that asks on behalf of subscribers of all customers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessNetwork {
    /// Its name, unique in the node among these and all contracts.
    pub name: String,
    /// Which `vpdn` contracts it may ask for.
    pub kind: ItemType,
    /// Where it sends from: at least one, and none within another of its domain.
    pub addresses: Vec<Network>,
    /// Name of the domain that the addresses belong to.
    pub domain: String,
    /// Names of the ingresses that it may come in by, all of its domain; at least one.
    pub ingresses: Vec<String>,
    /// Shared with the network.
    pub secret: Secret,
    /// The secret before it, still accepted.
    pub previous_secret: Option<Secret>,
    /// Whether Access-Requests without Message-Authenticator are dropped.
    pub require_message_authenticator: Require,
    /// Access-Requests with Proxy-State but without Message-Authenticator are dropped (CVE-2024-3596).
    pub limit_proxy_state: bool,
    /// Rejects leave this long after the request came.
    pub reject_delay: Duration,
    /// How long the network waits for one answer in all, as its operator declares it.
    pub timeout: Duration,
    /// Within this time a request is answered; at most `timeout`.
    pub answer_within: Duration,
    /// What all of it may send. The client's rate is a backstop: between customers it is `realm` that is fair.
    pub rates: Rates,
    /// What it may send for one realm: more is rejected, not dropped.
    pub realm: Rate,
    /// What tells its sessions apart: attribute types in the order in which they are looked for. 26 is 3GPP-IMSI.
    pub session_identity: Vec<u8>,
    /// How a request's realm is found.
    pub lookup: RealmLookup,
    /// Requests that only ask whether we are there.
    pub keepalive: Keepalive,
    /// What its Accepts look like.
    pub accept: AcceptForm,
    /// How its accounting is read.
    pub accounting: NetworkAccounting,
    /// The port where its NASes take Disconnect (RFC 5176), at the address that a session's requests come from; `None`:
    /// they take none.
    pub disconnect_port: Option<u16>,
}

/// How the realm of an access network's request is found, among the realms of all customers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealmLookup {
    /// What User-Name is.
    pub mode: LookupMode,
    /// Where a realm is looked for, the first place first; at least one, each once.
    pub places: Vec<RealmPlace>,
    /// A carrier's suffix that is taken off User-Name before anything is looked for.
    pub outer_suffix: Option<CanonicalRealm>,
    /// For a request that names no realm, by its APN (Called-Station-Id): APN, realm. Before `default_realm`.
    pub default_realms: Vec<(CanonicalRealm, CanonicalRealm)>,
    /// For a request that names no realm: a realm by its name, of any customer.
    pub default_realm: Option<CanonicalRealm>,
}

/// What a request's User-Name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookupMode {
    /// A subscriber's name with a realm.
    User,
    /// A name without a delimiter is itself a realm; one with a delimiter goes by the places.
    Domain,
    /// A called number, Called-Station-Id or User-Name `dnis:NUMBER`, is looked for first: among `apn` realms, in
    /// canonical form. Where no realm has it, the places follow.
    Dnis,
}

/// Where in a request a realm is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RealmPlace {
    /// After the last `@` of User-Name.
    Suffix,
    /// Before the first `/` of User-Name.
    Prefix,
    /// Called-Station-Id.
    Apn,
}

impl RealmPlace {
    /// The word in the document.
    pub const fn name(self) -> &'static str {
        match self {
            RealmPlace::Suffix => "suffix",
            RealmPlace::Prefix => "prefix",
            RealmPlace::Apn => "apn",
        }
    }
}

/// Requests that only ask whether we are there: answered at once, of no realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// User-Names, compared as octets; none is in a realm of a customer.
    pub users: Vec<String>,
    /// Whether the answer is an Accept, without any attribute; else it is a Reject.
    pub accept: bool,
}

/// What an access network's equipment wants in an Accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptForm {
    /// How tunnels are written.
    pub sets: TunnelSets,
    /// The most alternatives, the chosen LNS among them: 1 to 8 with [`TunnelSets::Tagged`], else 1.
    pub max_alternatives: u8,
    /// Service-Type (RFC 2865 §5.6), if it wants one.
    pub service_type: Option<ServiceType>,
    /// Framed-Protocol PPP (§5.7).
    pub framed_protocol_ppp: bool,
}

/// How tunnels are written in an Accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TunnelSets {
    /// A set with a Tag of its own for each alternative (RFC 2868 §3).
    Tagged,
    /// One set, with a Tag.
    Single,
    /// One set, without a Tag.
    Untagged,
    /// One set, as Cisco-AVPair `vpdn:…`.
    CiscoAvPair,
}

impl TunnelSets {
    /// The word in the document.
    pub const fn name(self) -> &'static str {
        match self {
            TunnelSets::Tagged => "tagged",
            TunnelSets::Single => "single",
            TunnelSets::Untagged => "untagged",
            TunnelSets::CiscoAvPair => "cisco-avpair",
        }
    }
}

/// Service-Type of an Accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceType {
    /// Framed, 2.
    Framed,
    /// Outbound, 5.
    Outbound,
}

/// How an access network's accounting is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkAccounting {
    /// What names a session.
    pub session_key: SessionKey,
    /// A session may have several bearers (3GPP-NSAPI): a Stop ends it only with 3GPP-Session-Stop-Indicator.
    pub multi_bearer: bool,
    /// It sends Tunnel-Link-Start and -Stop in the place of Start and Stop (RFC 2867 §3).
    pub tunnel_links: bool,
    /// What accounting of no contract gets.
    pub unclaimed: Unclaimed,
}

/// What names a session, within its access network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKey {
    /// NAS-Identifier or its address, and Acct-Session-Id.
    AcctSessionId,
    /// GGSN-Address and 3GPP-Charging-Id (TS 29.061 §16.4.7).
    ChargingId,
}

/// What accounting gets that is of no contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unclaimed {
    /// It is recorded in the journal, and then acknowledged.
    Record,
    /// Nothing.
    Silence,
}

/// Item type (品目, Art. 2) of an access network, and of the `vpdn` contracts that it may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ItemType {
    /// Type D.
    D,
    /// Type K.
    K,
    /// Type I.
    I,
}

impl ItemType {
    /// The word in the document.
    pub const fn name(self) -> &'static str {
        match self {
            ItemType::D => "D",
            ItemType::K => "K",
            ItemType::I => "I",
        }
    }
}

/// Addresses that begin alike; nothing is set behind the prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    /// The first of them.
    pub address: IpAddr,
    /// How many bits they have in common: at most 32 of IPv4, 128 of IPv6.
    pub length: u8,
}

impl Network {
    /// The network that is one address.
    pub const fn host(address: IpAddr) -> Network {
        Network { address, length: bits(address) }
    }

    /// Whether it is one address.
    pub const fn is_host(&self) -> bool {
        self.length == bits(self.address)
    }

    /// Whether an address is one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && self.masked(number(address)) == number(self.address)
    }

    /// Whether the two have an address in common: then one of them lies within the other.
    pub fn overlaps(&self, other: &Network) -> bool {
        self.contains(other.address) || other.contains(self.address)
    }

    /// Whether nothing is set behind the prefix.
    pub(crate) fn is_sound(&self) -> bool {
        self.masked(number(self.address)) == number(self.address)
    }

    /// Its first address as a number, to sort by within a family.
    pub(crate) fn first(&self) -> u128 {
        number(self.address)
    }

    fn masked(&self, number: u128) -> u128 {
        let behind = u32::from(bits(self.address).saturating_sub(self.length));
        number.checked_shr(behind).and_then(|prefix| prefix.checked_shl(behind)).unwrap_or(0)
    }
}

impl fmt::Display for Network {
    /// `192.0.2.1`, `10.0.0.0/8`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_host() {
            true => write!(f, "{}", self.address),
            false => write!(f, "{}/{}", self.address, self.length),
        }
    }
}

/// How many bits an address of this family has.
const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn network(address: &str, length: u8) -> Network {
        Network { address: address.parse().unwrap(), length }
    }

    #[test]
    fn a_network_has_the_addresses_that_begin_with_its_prefix() {
        let ten = network("10.128.0.0", 9);
        assert!(ten.contains("10.255.255.255".parse().unwrap()) && ten.contains("10.128.0.0".parse().unwrap()));
        assert!(!ten.contains("10.127.255.255".parse().unwrap()));
        assert!(!ten.contains("::10.128.0.1".parse().unwrap()), "another family");
        assert!(network("::", 0).contains("2001:db8::1".parse().unwrap()));
        assert!(network("2001:db8::7", 128).contains("2001:db8::7".parse().unwrap()));
        assert!(!network("2001:db8::7", 128).contains("2001:db8::6".parse().unwrap()));
    }

    #[test]
    fn two_networks_overlap_where_one_lies_within_the_other() {
        let (wide, narrow) = (network("10.0.0.0", 8), network("10.1.0.0", 16));
        assert!(wide.overlaps(&narrow) && narrow.overlaps(&wide) && wide.overlaps(&wide));
        assert!(!narrow.overlaps(&network("10.2.0.0", 16)));
    }

    #[test]
    fn a_host_is_written_without_its_length() {
        assert_eq!(network("192.0.2.1", 32).to_string(), "192.0.2.1");
        assert_eq!(network("2001:db8::", 32).to_string(), "2001:db8::/32");
        assert!(Network::host("::1".parse().unwrap()).is_host() && !network("2001:db8::", 32).is_host());
    }
}
