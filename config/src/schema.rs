//! Every key of both documents. What is not here is refused, and `docs/configuration.md` describes what is.

/// Keys of one kind of table.
pub(crate) type Keys = &'static [&'static str];

pub(crate) const NODE_DOCUMENT: Keys = &["node", "domain", "listener", "upstream", "xdp", "limits", "admin", "probe"];
pub(crate) const NODE: Keys = &["name", "customers", "secrets", "workers", "log"];
pub(crate) const DOMAIN: Keys = &["name", "ingress"];
pub(crate) const INGRESS: Keys = &["name", "interface", "vlan", "inner_vlan", "vlan_interface"];
pub(crate) const LISTENER: Keys = &["address", "auth", "accounting", "device", "dedicated"];
pub(crate) const UPSTREAM: Keys = &["ipv4", "ipv6", "max_ports"];
pub(crate) const XDP: Keys = &["mode", "interfaces", "max_sources"];
pub(crate) const LIMITS: Keys = &["max_requests", "max_delayed_rejects", "duplicate_window", "retransmit_window"];
pub(crate) const ADMIN: Keys = &["address"];
pub(crate) const PROBE: Keys = &["user", "password", "password_file", "password_env"];

pub(crate) const CUSTOMER_DOCUMENT: Keys = &["customer", "realm", "client", "proxy"];
pub(crate) const CUSTOMER: Keys = &["name", "title"];
pub(crate) const REALM: Keys = &["suffix", "prefix", "apn"];
pub(crate) const CLIENT: Keys = &[
    "contract",
    "address",
    "domain",
    "ingress",
    "secret",
    "secret_file",
    "secret_env",
    "require_message_authenticator",
    "limit_proxy_state",
    "reject_delay",
    "answer_within",
];
pub(crate) const PROXY: Keys = &["contract", "realms", "type", "server"];
pub(crate) const SERVER: Keys = &[
    "name",
    "address",
    "auth",
    "accounting",
    "domain",
    "ingress",
    "secret",
    "secret_file",
    "secret_env",
    "require_message_authenticator",
    "response_window",
    "zombie_period",
    "revive_interval",
    "max_outstanding",
];
