//! `[[access_network]]`: what is taken, what is the default, what is refused, and whose an address is.

use std::time::Duration;

use crate::common::{ACME, NODE, documents, refused, taken, with};
use sekisho_config::{AccessNetwork, ItemType, Network, Rate, Rates, Require};

/// An access network with what it cannot do without.
const CARRIER: &str = r#"
[[access_network]]
name = "carrier"
type = "D"
addresses = ["203.0.113.1", "198.18.0.0/24"]
secret = "secret of the carrier"
"#;

/// The node with a carrier's network, and one passage of that changed.
fn node(from: &str, to: &str) -> String {
    format!("{NODE}{}", with(CARRIER, from, to))
}

fn network(text: &str) -> Network {
    let (address, length) = text.split_once('/').unwrap();
    Network { address: address.parse().unwrap(), length: length.parse().unwrap() }
}

/// A second one.
fn second(addresses: &str) -> String {
    let other = CARRIER.replace("carrier", "other").replace("[\"203.0.113.1\", \"198.18.0.0/24\"]", addresses);
    format!("{NODE}{CARRIER}{other}")
}

#[track_caller]
fn carrier_refused(from: &str, to: &str, says: &str) {
    refused(&documents(&node(from, to), &[("acme", ACME)]), &["access_network[0]", says]);
}

#[track_caller]
fn carrier_taken(node: &str) -> AccessNetwork {
    taken(&documents(node, &[("acme", ACME)])).0.access_networks.remove(0)
}

#[test]
fn a_node_without_access_networks_has_none() {
    assert!(taken(&documents(NODE, &[("acme", ACME)])).0.access_networks.is_empty());
}

#[test]
fn what_is_left_out_has_its_default() {
    let carrier = carrier_taken(&format!("{NODE}{CARRIER}"));
    assert_eq!((carrier.name.as_str(), carrier.kind), ("carrier", ItemType::D));
    assert_eq!(carrier.addresses, [network("203.0.113.1/32"), network("198.18.0.0/24")]);
    assert_eq!(
        (carrier.domain.as_str(), carrier.ingresses.as_slice()),
        ("default", &["eth0".into(), "eth1".into()][..])
    );
    assert_eq!((carrier.require_message_authenticator, carrier.limit_proxy_state), (Require::Auto, true));
    assert_eq!((carrier.reject_delay, carrier.timeout), (Duration::from_millis(500), Duration::from_secs(10)));
    assert_eq!(carrier.answer_within, Duration::from_secs(9), "a tenth less than the network waits");
    let client = Rate { per_second: 50_000, burst: 100_000 };
    assert_eq!(carrier.rates.client, client);
    assert!(!carrier.rates.session.limits() && !carrier.rates.new_session.limits(), "what is over them gets silence");
    assert_eq!(carrier.realm, Rate { per_second: 2_000, burst: 4_000 });
    assert_eq!(carrier.session_identity, [31, 26], "Calling-Station-Id, 3GPP-IMSI");
    assert!(carrier.previous_secret.is_none());
    assert!(documents(&format!("{NODE}{CARRIER}"), &[("acme", ACME)]).warnings().is_empty());
}

#[test]
fn every_key_is_taken() {
    let keys = r#"type = "I"
ingress = ["eth1"]
previous_secret = "the secret before it"
require_message_authenticator = "yes"
limit_proxy_state = false
reject_delay = "1s"
timeout = "5s"
answer_within = "3s"
client_rate = 1
client_burst = 2
session_rate = 3
session_burst = 40
new_session_rate = 5
new_session_burst = 6
realm_rate = 7
realm_burst = 8
session_identity = ["3GPP-IMSI", "User-Name"]"#;
    let carrier = carrier_taken(&node("type = \"D\"", keys));
    assert_eq!((carrier.kind, carrier.ingresses.as_slice()), (ItemType::I, &["eth1".to_owned()][..]));
    assert!(carrier.previous_secret.is_some() && carrier.previous_secret.as_ref() != Some(&carrier.secret));
    assert_eq!((carrier.require_message_authenticator, carrier.limit_proxy_state), (Require::Yes, false));
    assert_eq!((carrier.reject_delay, carrier.answer_within), (Duration::from_secs(1), Duration::from_secs(3)));
    assert_eq!(carrier.timeout, Duration::from_secs(5));
    let rate = |per_second, burst| Rate { per_second, burst };
    assert_eq!(carrier.rates, Rates { client: rate(1, 2), session: rate(3, 40), new_session: rate(5, 6) });
    assert_eq!(carrier.realm, rate(7, 8));
    assert_eq!(carrier.session_identity, [26, 1]);
    assert_eq!(carrier_taken(&node("\"D\"", "\"K\"")).kind, ItemType::K);
}

#[test]
fn the_nodes_limits_are_not_an_access_networks_since_what_is_over_them_gets_silence() {
    let node = with(
        &format!("{NODE}{CARRIER}"),
        "[node]",
        "[limits]\nclient_rate = 100\nclient_burst = 100\nsession_rate = 9\n[node]",
    );
    let rates = carrier_taken(&node).rates;
    assert_eq!((rates.client.per_second, rates.session.limits(), rates.new_session.limits()), (50_000, false, false));
}

#[test]
fn each_fault_is_told_with_its_place_and_remedy() {
    for (from, to, says) in [
        ("name = \"carrier\"\n", "", ".name: is missing. Name the access network"),
        ("type = \"D\"\n", "", ".type: is missing. Say \"D\", \"K\" or \"I\""),
        ("\"D\"", "\"d\"", ".type: \"d\" is none of the words known here. Say \"D\" or \"K\" or \"I\"."),
        ("addresses = [\"203.0.113.1\", \"198.18.0.0/24\"]\n", "", ".addresses: is missing. Give what it sends from"),
        ("[\"203.0.113.1\", \"198.18.0.0/24\"]", "[]", ".addresses: is an empty list. Give what it sends from"),
        ("secret = \"secret of the carrier\"\n", "", ".secret: is missing. Give one of"),
        ("type = \"D\"", "type = \"D\"\nreject_delay = \"1001ms\"", "Give a time from 0s to 1s"),
        (
            "type = \"D\"",
            "type = \"D\"\nreject_delay = \"1s\"\nanswer_within = \"1s\"",
            ".reject_delay: 1s is as long as",
        ),
        (
            "type = \"D\"",
            "type = \"D\"\ntimeout = \"999ms\"",
            ".timeout: \"999ms\" is out of bounds. Give a time from 1s to 1m",
        ),
        ("type = \"D\"", "type = \"D\"\nanswer_within = \"499ms\"", ".answer_within: \"499ms\" is out of bounds"),
        (
            "type = \"D\"",
            "type = \"D\"\ntimeout = \"5s\"\nanswer_within = \"5001ms\"",
            ".answer_within: 5001ms is longer than the network waits (5s). Make it as long as `timeout` at most",
        ),
        ("type = \"D\"", "type = \"D\"\ndisconnect_port = 0", ".disconnect_port: 0 is out of bounds"),
        ("type = \"D\"", "type = \"D\"\ndomain = \"south\"", ".domain: \"south\" is no domain of this node"),
        ("type = \"D\"", "type = \"D\"\ningress = [\"eth7\"]", ".ingress[0]: \"eth7\" is no ingress of domain"),
        ("type = \"D\"", "type = \"D\"\nrealm_rate = 1000001", ".realm_rate: 1000001 is out of bounds"),
        ("type = \"D\"", "type = \"D\"\nrealm_burst = 0", ".realm_burst: 0 is out of bounds"),
        (
            "type = \"D\"",
            "type = \"D\"\naddress = \"192.0.2.1\"",
            ".address: there is no such key here. Did you mean `addresses`?",
        ),
        (
            "type = \"D\"",
            "type = \"D\"\nsession_identity = [\"User-Name\"]",
            ".session_identity: is User-Name alone, which",
        ),
    ] {
        carrier_refused(from, to, says);
    }
}

#[test]
fn an_address_is_a_hosts_and_a_prefix_is_of_a_carriers_size() {
    for (text, says) in [
        ("0.0.0.0/0", "the unspecified address"),
        ("8.0.0.0/7", "\"8.0.0.0/7\" is wider than any carrier has. An IPv4 prefix has 8 to 32 bits"),
        ("2000::/15", "\"2000::/15\" is wider than any carrier has. An IPv6 prefix has 16 to 128 bits"),
        ("224.0.0.0/8", "a multicast address"),
        ("ff02::/16", "a multicast address"),
        ("::/16", "the unspecified address"),
        ("::8000:0:0/81", "is an IPv4 address in IPv6 form"),
        ("::ffff:192.0.2.0/120", "is no network"),
        ("198.18.0.1/24", "has bits set behind its prefix. Write the network's own address"),
        ("198.18.0.0/33", "is no network"),
        ("198.18.0.0/", "is no network"),
        ("carrier.example", "is no network. Write it as \"10.1.0.0/16\""),
        ("198.18.0.0:1812", "is no network"),
    ] {
        carrier_refused("198.18.0.0/24", text, &format!(".addresses[1]: {text:?} "));
        carrier_refused("198.18.0.0/24", text, says);
    }
    for good in ["10.0.0.0/8", "2001::/16", "2001:db8::7", "2001:db8::7/128", "198.18.0.0/32"] {
        carrier_taken(&node("198.18.0.0/24", good));
    }
}

#[test]
fn two_networks_of_a_domain_never_overlap_and_both_places_are_named() {
    for (addresses, says) in [
        ("[\"203.0.113.1\"]", "[0]: 203.0.113.1 is an access network's already in domain \"default\", at "),
        ("[\"198.18.0.128/25\"]", "[0]: 198.18.0.128/25 lies within 198.18.0.0/24 of domain \"default\", at "),
        ("[\"192.0.2.8\", \"198.18.0.7\"]", "[1]: 198.18.0.7 lies within 198.18.0.0/24"),
    ] {
        let loaded = documents(&second(addresses), &[("acme", ACME)]);
        refused(
            &loaded,
            &["access_network[1].addresses", says, "sekisho.toml:21. An address is one access network's:"],
        );
    }
    let wider = documents(&second("[\"198.18.0.0/16\"]"), &[("acme", ACME)]);
    refused(&wider, &["sekisho.toml:21:", "access_network[0].addresses[1]: 198.18.0.0/24 lies within 198.18.0.0/16"]);
    let own = node("\"203.0.113.1\"", "\"198.18.0.9\"");
    refused(&documents(&own, &[("acme", ACME)]), &["addresses[0]: 198.18.0.9 lies within 198.18.0.0/24"]);
    taken(&documents(&second("[\"198.18.1.0/24\", \"2001:db8:1::/48\"]"), &[("acme", ACME)]));
}

#[test]
fn the_same_network_in_two_domains_is_two_carriers() {
    let two = with(
        &second("[\"198.18.0.0/24\"]\ndomain = \"south\""),
        "[[listener]]\naddress = \"198",
        "[[domain]]\nname = \"south\"\n[[domain.ingress]]\ninterface = \"eth2\"\n[[listener]]\naddress = \"198",
    );
    let two = with(&two, "name = \"carrier\"", "name = \"carrier\"\ndomain = \"default\"");
    let acme = ACME.replace("\nsecret", "\ndomain = \"south\"\nsecret");
    let networks = taken(&documents(&two, &[("acme", &acme)])).0.access_networks;
    assert_eq!((networks[0].domain.as_str(), networks[1].domain.as_str()), ("default", "south"));
}

#[test]
fn an_address_is_a_customers_or_an_access_networks() {
    let dynauth = "[[dynauth]]\nname = \"d\"\naddress = \"203.0.113.1\"\nsecret = \"another secret of sixteen\"\n";
    for (customer, at) in [
        (with(ACME, "\"192.0.2.1\"", "\"203.0.113.1\""), "client[0].address"),
        (with(ACME, "\"192.0.2.100\"", "\"203.0.113.1\""), "proxy[0].server[0].address"),
        (format!("{ACME}{dynauth}"), "dynauth[0].address"),
    ] {
        let loaded = documents(&format!("{NODE}{CARRIER}"), &[("acme", &customer)]);
        let says = format!("{at}: 203.0.113.1 is access network \"carrier\"'s in domain \"default\", at ");
        refused(&loaded, &["customers/acme.toml:", &says, "sekisho.toml:21. "]);
    }
}

#[test]
fn an_address_within_a_prefix_goes_before_it_and_that_is_said() {
    let acme = with(ACME, "\"192.0.2.1\"", "\"198.18.0.7\"");
    let warnings = documents(&format!("{NODE}{CARRIER}"), &[("acme", &acme)]).warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let says = "client[0].address: 198.18.0.7 lies within 198.18.0.0/24 of access network \"carrier\", at ";
    assert!(warnings[0].contains(says), "{warnings:?}");
    assert!(warnings[0].contains("what comes from it is not the network's"), "{warnings:?}");
    let beside = with(ACME, "\"192.0.2.1\"", "\"198.18.1.7\"");
    assert!(documents(&format!("{NODE}{CARRIER}"), &[("acme", &beside)]).warnings().is_empty());
}

#[test]
fn names_are_unique_among_access_networks_and_contracts() {
    let twice = second("[\"192.0.2.8\"]").replace("\"other\"", "\"carrier\"");
    refused(
        &documents(&twice, &[("acme", ACME)]),
        &["access_network[1].name: \"carrier\" is an access network's name, at "],
    );
    let contract = with(ACME, "\"acme-nas\"", "\"carrier\"");
    let loaded = documents(&format!("{NODE}{CARRIER}"), &[("acme", &contract)]);
    refused(&loaded, &["acme.toml:7:12: client[0].contract: \"carrier\" is an access network's name, at "]);
}

#[test]
fn an_access_network_shares_no_secret_with_a_customer() {
    let loaded = documents(&node("secret of the carrier", "secret of acme's terminal"), &[("acme", ACME)]);
    refused(&loaded, &["client[0].secret: the secret is an access network's too, at ", "sekisho.toml:22. Give each"]);
    let shared = second("[\"192.0.2.8\"]").replace("secret of the other", "secret of the carrier");
    taken(&documents(&shared, &[("acme", ACME)]));
}

#[test]
fn secrets_come_from_files_and_the_environment_too() {
    let loaded = documents(&node("secret = \"secret of the carrier\"", "secret_file = \"carrier\""), &[("acme", ACME)]);
    refused(&loaded, &["access_network[0].secret_file: the file cannot be read"]);
    loaded.file("secrets/carrier", "secret of the carrier\n", 0o600);
    let inline = carrier_taken(&format!("{NODE}{CARRIER}"));
    assert!(taken(&loaded).0.access_networks[0].secret == inline.secret);
    let env = "secret = \"secret of the carrier\"";
    carrier_taken(&node(env, "secret_env = \"ACME_SECRET\""));
    let debug = format!("{:?}", taken(&loaded));
    assert!(!debug.contains("secret of the carrier"), "{debug}");
}

#[test]
fn an_identity_that_is_new_in_each_attempt_is_warned_about() {
    let warnings = |list: &str| {
        let text = node("type = \"D\"", &format!("type = \"D\"\nsession_identity = {list}"));
        documents(&text, &[("acme", ACME)]).warnings()
    };
    let found = warnings("[\"Acct-Session-Id\", \"Calling-Station-Id\"]");
    assert!(found[0].contains("access_network[0].session_identity: begins with Acct-Session-Id"), "{found:?}");
    assert!(warnings("[\"Calling-Station-Id\", \"Acct-Session-Id\"]").is_empty());
    assert!(warnings("[\"User-Name\", \"Calling-Station-Id\"]").is_empty());
}

#[test]
fn a_network_that_is_open_to_forged_answers_is_warned_about() {
    let open = node("type = \"D\"", "type = \"D\"\nrequire_message_authenticator = \"no\"\nlimit_proxy_state = false");
    let warnings = documents(&open, &[("acme", ACME)]).warnings();
    assert!(
        warnings[0].contains("access_network[0].limit_proxy_state: the client is open to forged answers"),
        "{warnings:?}"
    );
}

#[test]
fn the_gates_tables_have_room_for_every_address_and_every_prefix() {
    let addresses = |n: u8| (1..=n).map(|i| format!("\"10.9.9.{i}\"")).collect::<Vec<_>>().join(", ");
    let small = |n| with(&node("\"203.0.113.1\"", &addresses(n)), "[node]", "[xdp]\nmax_sources = 64\n[node]");
    taken(&documents(&small(62), &[("acme", ACME)]));
    let says = "xdp.max_sources: there are 65 sources, and the gate's table has room for 64";
    refused(&documents(&small(63), &[("acme", ACME)]), &[says]);
    let other = CARRIER.replace("carrier", "other").replace("\"203.0.113.1\", \"198.18.0.0/24\"", "\"198.18.1.0/24\"");
    refused(&documents(&format!("{}{other}", small(62)), &[("acme", ACME)]), &[says]);
    taken(&documents(&format!("{}{other}", small(61)), &[("acme", ACME)]));
    let prefixes =
        |n: u16| (0..n).map(|i| format!("\"10.{}.{}.0/24\"", i / 256, i % 256)).collect::<Vec<_>>().join(", ");
    taken(&documents(&node("\"198.18.0.0/24\"", &prefixes(4_096)), &[("acme", ACME)]));
    let says =
        "addresses: there are 4097 prefixes, and the gate has room for 4096. Put those together that lie side by side.";
    refused(&documents(&node("\"198.18.0.0/24\"", &prefixes(4_097)), &[("acme", ACME)]), &[says]);
}
