//! Every key of the documents. What is not here is refused, and `docs/configuration.md` describes what is.

/// Keys of one kind of table.
pub(crate) type Keys = &'static [&'static str];

pub(crate) const NODE_DOCUMENT: Keys = &[
    "node",
    "domain",
    "listener",
    "upstream",
    "xdp",
    "limits",
    "journal",
    "sessions",
    "l2tp",
    "access_network",
    "admin",
    "probe",
    "registry",
    "hosted",
];
pub(crate) const NODE: Keys =
    &["name", "customers", "secrets", "state", "dictionaries", "country_code", "workers", "log"];
pub(crate) const DOMAIN: Keys = &["name", "ingress"];
pub(crate) const INGRESS: Keys = &["name", "interface", "vlan", "inner_vlan", "vlan_interface"];
pub(crate) const LISTENER: Keys = &["address", "auth", "accounting", "dynauth", "device", "dedicated"];
pub(crate) const UPSTREAM: Keys = &["ipv4", "ipv6", "max_ports"];
pub(crate) const XDP: Keys =
    &["mode", "interfaces", "max_sources", "max_replies", "replies_on_veth", "persist", "directory"];
pub(crate) const LIMITS: Keys = &[
    "max_requests",
    "max_delayed_rejects",
    "duplicate_window",
    "retransmit_window",
    "client_rate",
    "client_burst",
    "session_rate",
    "session_burst",
    "new_session_rate",
    "new_session_burst",
    "max_sessions",
];
pub(crate) const JOURNAL: Keys =
    &["directory", "segment_size", "segment_age", "retention", "max_size", "reserve", "queue"];
pub(crate) const SESSIONS: Keys =
    &["max_tracked", "reservation", "save_interval", "short", "without_interims", "customer_share"];
pub(crate) const L2TP: Keys = &["host_name", "ipv4", "ipv6"];
pub(crate) const ACCESS_NETWORK: Keys = &[
    "name",
    "type",
    "addresses",
    "domain",
    "ingress",
    "secret",
    "secret_file",
    "secret_env",
    "previous_secret",
    "previous_secret_file",
    "previous_secret_env",
    "require_message_authenticator",
    "limit_proxy_state",
    "reject_delay",
    "timeout",
    "answer_within",
    "client_rate",
    "client_burst",
    "session_rate",
    "session_burst",
    "new_session_rate",
    "new_session_burst",
    "realm_rate",
    "realm_burst",
    "session_identity",
    "realms_by",
    "lookup",
    "default_realm",
    "default_realms",
    "outer_suffix",
    "probe_users",
    "probe_answer",
    "tunnel_sets",
    "max_alternatives",
    "service_type",
    "framed_protocol",
    "session_key",
    "multi_bearer",
    "tunnel_links",
    "disconnect_port",
    "unclaimed_accounting",
];
pub(crate) const ADMIN: Keys = &["address"];
pub(crate) const PROBE: Keys = &["user", "password", "password_file", "password_env"];

pub(crate) const REGISTRY: Keys =
    &["database", "database_file", "database_env", "key_file", "key_credential", "time_zone", "mirror"];
pub(crate) const HOSTED: Keys =
    &["argon2_workers", "argon2_queue", "max_failures", "failure_window", "lock", "client_failures", "max_sessions"];

pub(crate) const OPERATOR_DOCUMENT: Keys = &["operator", "access_network"];
pub(crate) const OPERATOR: Keys = &["name", "title"];

pub(crate) const CUSTOMER_DOCUMENT: Keys =
    &["customer", "mobile", "realm", "client", "proxy", "group", "dynauth", "policy", "lns", "vpdn"];
pub(crate) const CUSTOMER: Keys =
    &["name", "title", "request_policy", "reply_policy", "max_vpdn_sessions", "private_gateway", "restrictions"];
pub(crate) const MOBILE: Keys = &["type", "class", "plan", "network_class", "from", "until"];
pub(crate) const FEES: Keys = &["initial", "monthly", "change"];
pub(crate) const REALM: Keys = &["suffix", "prefix", "nt_domain", "apn", "pattern", "default", "name"];
pub(crate) const CLIENT: Keys = &[
    "contract",
    "address",
    "domain",
    "ingress",
    "secret",
    "secret_file",
    "secret_env",
    "previous_secret",
    "previous_secret_file",
    "previous_secret_env",
    "require_message_authenticator",
    "limit_proxy_state",
    "reject_delay",
    "answer_within",
    "when_unanswered",
    "check_nas",
    "nas_addresses",
    "nas_identifiers",
    "operator_name",
    "default_realm",
    "bare_domain",
    "outer_suffix",
    "administrative",
    "dynauth",
    "client_rate",
    "client_burst",
    "session_rate",
    "session_burst",
    "new_session_rate",
    "new_session_burst",
    "session_identity",
    "request_policy",
    "reply_policy",
    "fees",
    "prerequisites",
];
pub(crate) const PROXY: Keys = &[
    "contract",
    "realms",
    "type",
    "key",
    "strip",
    "when_down",
    "framed_networks",
    "server",
    "fallback",
    "copy",
    "fees",
    "prerequisites",
];
pub(crate) const GROUP: Keys = &[
    "contract",
    "realms",
    "accounts",
    "passwords",
    "protocols",
    "simultaneous",
    "max_sessions",
    "reply",
    "fees",
    "prerequisites",
];
pub(crate) const FALLBACK: Keys = &["type", "key", "server"];
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
    "previous_secret",
    "previous_secret_file",
    "previous_secret_env",
    "require_message_authenticator",
    "response_window",
    "response_timeouts",
    "zombie_period",
    "revive_interval",
    "status_check",
    "check_interval",
    "check_timeout",
    "num_answers_to_alive",
    "max_outstanding",
    "weight",
    "state",
];
pub(crate) const COPY: Keys = &[
    "name",
    "address",
    "accounting",
    "domain",
    "ingress",
    "secret",
    "secret_file",
    "secret_env",
    "previous_secret",
    "previous_secret_file",
    "previous_secret_env",
    "max_outstanding",
];
pub(crate) const DYNAUTH: Keys = &[
    "name",
    "address",
    "domain",
    "ingress",
    "secret",
    "secret_file",
    "secret_env",
    "previous_secret",
    "previous_secret_file",
    "previous_secret_env",
    "answer_within",
    "client_rate",
    "client_burst",
];
pub(crate) const POLICY: Keys = &["name", "allow", "remove", "replace", "default", "add"];
pub(crate) const LNS: Keys = &[
    "name",
    "address",
    "domain",
    "ingress",
    "weight",
    "max_sessions",
    "state",
    "client_endpoint",
    "tunnel_password",
    "tunnel_password_file",
    "tunnel_password_env",
    "client_auth_id",
    "server_auth_id",
    "private_group_id",
    "assignment_id",
    "accounting_address",
    "secret",
    "secret_file",
    "secret_env",
    "previous_secret",
    "previous_secret_file",
    "previous_secret_env",
    "client_rate",
    "client_burst",
    "probe",
    "probe_from",
    "probe_interval",
    "probe_timeout",
    "probe_rise",
    "probe_fall",
    "probe_refused",
];
pub(crate) const VPDN: Keys = &[
    "contract",
    "type",
    "realms",
    "verify",
    "lns",
    "accounting",
    "max_sessions",
    "interim_interval",
    "full_message",
    "reply",
    "framed_networks",
    "allow_reply",
    "load_balancing",
    "fees",
    "prerequisites",
];
pub(crate) const LOAD_BALANCING: Keys = &[
    "strategy",
    "key",
    "sticky",
    "slow_start",
    "all_down",
    "alternatives",
    "failback",
    "failback_delay",
    "overflow",
    "rebalance",
    "rebalance_rate",
    "tier",
    "fees",
];
pub(crate) const LNS_TIER: Keys = &["lns", "strategy"];

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../docs/configuration.md");

    /// Every kind of table as its heading writes it.
    const TABLES: [(&str, Keys); 32] = [
        ("[node]", NODE),
        ("[[domain]]", DOMAIN),
        ("[[domain.ingress]]", INGRESS),
        ("[[listener]]", LISTENER),
        ("[upstream]", UPSTREAM),
        ("[xdp]", XDP),
        ("[limits]", LIMITS),
        ("[journal]", JOURNAL),
        ("[sessions]", SESSIONS),
        ("[l2tp]", L2TP),
        ("[[access_network]]", ACCESS_NETWORK),
        ("[admin]", ADMIN),
        ("[[probe]]", PROBE),
        ("[registry]", REGISTRY),
        ("[hosted]", HOSTED),
        ("[operator]", OPERATOR),
        ("[customer]", CUSTOMER),
        ("[[mobile]]", MOBILE),
        ("[[realm]]", REALM),
        ("[[client]]", CLIENT),
        ("[[proxy]]", PROXY),
        ("[[proxy.server]]", SERVER),
        ("[[proxy.fallback]]", FALLBACK),
        ("[[proxy.copy]]", COPY),
        ("[[group]]", GROUP),
        ("[[dynauth]]", DYNAUTH),
        ("[[policy]]", POLICY),
        ("[[lns]]", LNS),
        ("[[vpdn]]", VPDN),
        ("[vpdn.load_balancing]", LOAD_BALANCING),
        ("[[vpdn.load_balancing.tier]]", LNS_TIER),
        ("[contract.fees]", FEES),
    ];

    /// The keys that the page describes under a heading, in its order.
    fn described(heading: &str) -> Vec<&'static str> {
        let (_, part) = PAGE.split_once(&format!("\n### `{heading}`\n")).unwrap_or_else(|| panic!("no {heading}"));
        let part = part.split("\n#").next().unwrap_or(part);
        let key = |line: &'static str| line.strip_prefix("| `")?.split('`').next();
        part.lines().filter_map(key).collect()
    }

    #[test]
    fn the_page_describes_every_key_and_no_other_in_the_schemas_order() {
        for (heading, keys) in TABLES {
            assert_eq!(described(heading), keys, "{heading}");
        }
        assert_eq!(PAGE.matches("\n### `[").count(), TABLES.len());
    }

    #[test]
    fn the_page_has_every_table_of_the_documents() {
        for key in NODE_DOCUMENT.iter().chain(OPERATOR_DOCUMENT).chain(CUSTOMER_DOCUMENT) {
            let known = TABLES.iter().any(|(heading, _)| heading.trim_matches(['[', ']']) == *key);
            assert!(known, "{key}");
        }
    }
}
