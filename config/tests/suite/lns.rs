//! `[[lns]]`: what is taken, what is the default, what is refused, and whose an address is.

use std::time::Duration;

use crate::common::{
    ACME, BALANCED, NETWORK, NODE, TUNNEL, carriers, documents, refused, taken, tunnel_refused, tunnel_taken,
    tunnel_warned, with,
};
use sekisho_config::{Host, Lns, LnsProbe, Rate, ServerState};

/// The customer with keys at its LNS.
fn lns(keys: &str) -> String {
    with(TUNNEL, "address = \"192.0.2.11\"\n", &format!("address = \"192.0.2.11\"\n{keys}\n"))
}

/// The customer with another address of its LNS.
fn at(address: &str) -> String {
    with(TUNNEL, "\"192.0.2.11\"", &format!("\"{address}\""))
}

#[track_caller]
fn lns_taken(keys: &str) -> Lns {
    tunnel_taken(&lns(keys)).lnss.remove(0)
}

/// A second customer for VPDN.
fn other() -> String {
    TUNNEL.replace("acme", "other").replace("192.0.2.11", "192.0.2.21")
}

#[test]
fn what_is_left_out_has_its_default() {
    let lns = lns_taken("");
    assert_eq!((lns.name.as_str(), &lns.address), ("tokyo", &Host::Address("192.0.2.11".parse().unwrap())));
    assert_eq!((lns.domain.as_str(), lns.ingresses.len()), ("default", 2));
    assert_eq!((lns.weight, lns.max_sessions, lns.state), (1, 0, ServerState::Up));
    assert_eq!(lns.assignment_id, "acme-tokyo");
    assert!(lns.client_endpoint.is_none() && lns.tunnel_password.is_none() && lns.private_group_id.is_none());
    assert!(lns.client_auth_id.is_none() && lns.server_auth_id.is_none());
    assert!(lns.accounting.is_none() && lns.probe.is_none());
    let customer = tunnel_taken(TUNNEL);
    assert_eq!(customer.lns("tokyo"), Some(&lns));
    assert_eq!(customer.lns("osaka"), None);
    tunnel_warned(TUNNEL, &[]);
}

#[test]
fn every_key_is_taken() {
    let keys = r#"ingress = ["eth1"]
weight = 1000
max_sessions = 1_000_000
state = "draining"
client_endpoint = "198.51.100.77"
tunnel_password = "password of the tunnel"
client_auth_id = "lac"
server_auth_id = "lns"
private_group_id = "7"
assignment_id = "tunnel 1"
accounting_address = "192.0.2.31"
secret = "secret of the LNS itself"
previous_secret = "secret of the LNS before"
client_rate = 100
client_burst = 200
probe = "l2tp-auth"
probe_from = "198.51.100.1"
probe_interval = "10s"
probe_timeout = "8s"
probe_rise = 1
probe_fall = 10
probe_refused = "down""#;
    let lns = lns_taken(keys);
    assert_eq!((lns.ingresses.as_slice(), lns.weight, lns.max_sessions), (&["eth1".to_owned()][..], 1_000, 1_000_000));
    assert_eq!(lns.state, ServerState::Draining);
    assert_eq!(lns.client_endpoint, Some(Host::Address("198.51.100.77".parse().unwrap())));
    assert_eq!(lns.tunnel_password.as_ref().unwrap().expose(), b"password of the tunnel");
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    assert_eq!((text(&lns.client_auth_id), text(&lns.server_auth_id)), ("lac".into(), "lns".into()));
    assert_eq!((text(&lns.private_group_id), lns.assignment_id.as_str()), ("7".into(), "tunnel 1"));
    let accounting = lns.accounting.as_ref().unwrap();
    assert_eq!(accounting.address, "192.0.2.31".parse::<std::net::IpAddr>().unwrap());
    assert!(accounting.previous_secret.is_some() && accounting.previous_secret.as_ref() != Some(&accounting.secret));
    assert_eq!(accounting.rate, Rate { per_second: 100, burst: 200 });
    let probe = LnsProbe {
        deep: true,
        from: Some("198.51.100.1".parse().unwrap()),
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(8),
        rise: 1,
        fall: 10,
        refused_is_up: false,
    };
    assert_eq!(lns.probe, Some(probe));
    let debug = format!("{lns:?}");
    assert!(!debug.contains("password of the tunnel") && !debug.contains("secret of the LNS"), "{debug}");
}

#[test]
fn a_probe_and_a_source_of_accounting_have_defaults_of_their_own() {
    let lns = lns_taken("probe = \"l2tp\"\nsecret = \"secret of the LNS itself\"");
    let (seconds, probe) = (Duration::from_secs, lns.probe.unwrap());
    assert_eq!((probe.deep, probe.from, probe.refused_is_up), (false, None, true));
    assert_eq!((probe.interval, probe.timeout, probe.rise, probe.fall), (seconds(20), seconds(4), 2, 3));
    let accounting = lns.accounting.unwrap();
    assert_eq!(Host::Address(accounting.address), lns.address);
    assert_eq!((accounting.rate, accounting.previous_secret), (Rate { per_second: 10_000, burst: 20_000 }, None));
    let named = tunnel_taken(&at("LNS-1.ACME.example.")).lnss.remove(0);
    assert_eq!(named.address, Host::Name("lns-1.acme.example".into()));
}

#[test]
fn each_fault_is_told_with_its_place_and_remedy() {
    let long = "x".repeat(251);
    let text = |key: &str| (format!("{key} = {long:?}"), format!("lns[0].{key}: has 251 octets. Give 1 to 250."));
    let texts = ["client_auth_id", "server_auth_id", "private_group_id", "assignment_id"].map(text);
    for (keys, says) in &texts {
        tunnel_refused(&lns(keys), &[says]);
    }
    for (keys, says) in [
        ("weight = 0", "weight: 0 is out of bounds. Give a number from 1 to 1000."),
        ("weight = 1001", "weight: 1001 is out of bounds"),
        ("max_sessions = 1000001", "max_sessions: 1000001 is out of bounds. Give a number from 0 to 1000000."),
        ("state = \"off\"", "state: \"off\" is none of the words known here. Say \"up\" or \"draining\" or \"down\"."),
        (
            "client_endpoint = \"2001:db8::1\"",
            "client_endpoint: 2001:db8::1 is of another family than the LNS's address",
        ),
        ("client_endpoint = \"a b\"", "client_endpoint: \"a b\" is neither an IP address nor a host name"),
        ("tunnel_password = \"\"", "tunnel_password: is empty"),
        (
            "tunnel_password = \"a\"\ntunnel_password_env = \"B\"",
            "tunnel_password_env: stands beside `tunnel_password`",
        ),
        ("tunnel_password_file = \"nowhere\"", "tunnel_password_file: the file cannot be read"),
        ("client_auth_id = \"\"", "client_auth_id: has 0 octets. Give 1 to 250."),
        ("server_auth_id = \"a\\u0001b\"", "server_auth_id: holds a control character. Take it out."),
        (
            "accounting_address = \"192.0.2.31\"",
            "secret: is missing. Give one of `secret`, `secret_file` and `secret_env`.",
        ),
        ("client_rate = 1", "secret: is missing"),
        (
            "secret = \"secret of the LNS itself\"\naccounting_address = \"ff02::1\"",
            "accounting_address: \"ff02::1\" is a multicast",
        ),
        (
            "probe = \"ping\"",
            "probe: \"ping\" is none of the words known here. Say \"none\" or \"l2tp\" or \"l2tp-auth\".",
        ),
        (
            "probe = \"l2tp-auth\"",
            "probe: needs the LNS's tunnel password, and there is none. Give `tunnel_password`, or",
        ),
        ("probe = \"l2tp\"\nprobe_from = \"lns.example\"", "probe_from: \"lns.example\" is not an IP address"),
        (
            "probe = \"l2tp\"\nprobe_interval = \"9s\"",
            "probe_interval: \"9s\" is out of bounds. Give a time from 10s to 10m",
        ),
        (
            "probe = \"l2tp\"\nprobe_timeout = \"9s\"",
            "probe_timeout: \"9s\" is out of bounds. Give a time from 1s to 8s",
        ),
        ("probe = \"l2tp\"\nprobe_rise = 0", "probe_rise: 0 is out of bounds. Give a number from 1 to 10."),
        ("probe = \"l2tp\"\nprobe_fall = 11", "probe_fall: 11 is out of bounds"),
        ("probe = \"l2tp\"\nprobe_refused = \"full\"", "probe_refused: \"full\" is none of the words known here"),
        ("ingress = [\"eth7\"]", "ingress[0]: \"eth7\" is no ingress of domain \"default\""),
    ] {
        tunnel_refused(&lns(keys), &["customers/acme.toml:", "lns[0].", says]);
    }
    let password = format!("tunnel_password = \"{}\"", "x".repeat(129));
    tunnel_refused(&lns(&password), &["tunnel_password: the tunnel password has 129 octets. Take at most 128."]);
    assert!(lns_taken(&password.replacen('x', "", 1)).tunnel_password.is_some());
    tunnel_refused(
        &with(TUNNEL, "address = \"192.0.2.11\"\n", ""),
        &["lns[0].address: is missing. Give the LNS's address"],
    );
}

#[test]
fn an_lns_without_a_name_is_told_once_and_not_by_its_contracts() {
    tunnel_refused(&with(TUNNEL, "name = \"tokyo\"\n", ""), &["lns[0].name: is missing. Name the LNS"]);
}

#[test]
fn an_lns_is_a_single_host_that_is_not_ours() {
    for (address, says) in [
        ("224.0.0.1", "\"224.0.0.1\" is a multicast address, which is no host's own"),
        ("0.0.0.0", "the unspecified address"),
        ("192.0.2.0/24", "is a network"),
        ("::ffff:192.0.2.1", "is an IPv4 address in IPv6 form"),
        ("lns_1", "\"lns_1\" is neither an IP address nor a host name"),
        ("198.51.100.1", "198.51.100.1 is our own address. Give the address of the customer's LNS."),
        (
            "127.0.0.11",
            "127.0.0.11 is this host's loopback, where a customer has no LNS. Give the LNS's address; to try",
        ),
        ("203.0.113.1", "203.0.113.1 is access network \"carrier-d\"'s in domain \"default\", at "),
    ] {
        tunnel_refused(&at(address), &["lns[0].address: ", says]);
    }
    let toward =
        with(&carriers(), "[node]", "[l2tp]\nipv4 = \"198.51.100.8\"\n[upstream]\nipv4 = \"198.51.100.9\"\n[node]");
    for ours in ["198.51.100.8", "198.51.100.9"] {
        refused(&documents(&toward, &[("acme", &at(ours))]), &["lns[0].address: ", "is our own address"]);
    }
    let long = format!("{}.example", ["a".repeat(62).as_str(); 4].join("."));
    tunnel_refused(&at(&long[..251]), &["lns[0].address: has 251 octets. There is room for 250."]);
}

#[test]
fn an_lns_may_be_on_loopback_where_all_listeners_are() {
    let trial = carriers().replace("198.51.100.1", "127.0.0.1").replace("2001:db8::1", "::1");
    taken(&documents(&trial, &[("acme", &at("127.0.0.11"))]));
    taken(&documents(&trial, &[("acme", &at("192.0.2.11"))]));
    refused(&documents(&trial, &[("acme", &at("127.0.0.1"))]), &["lns[0].address: 127.0.0.1 is our own address"]);
    let half = carriers().replace("2001:db8::1", "::1");
    refused(&documents(&half, &[("acme", &at("127.0.0.11"))]), &["127.0.0.11 is this host's loopback"]);
}

#[test]
fn an_lns_is_in_a_domain_once_and_one_customers() {
    let twice = with(BALANCED, "192.0.2.13", "192.0.2.12");
    let says = "lns[2].address: 192.0.2.12 is an LNS of this customer already, at ";
    tunnel_refused(&twice, &[says, "acme.toml:11. Name it once"]);
    let loaded = |acme: &str, other: &str| documents(&carriers(), &[("acme", acme), ("other", other)]);
    taken(&loaded(TUNNEL, &other()));
    let thief = with(&other(), "192.0.2.21", "192.0.2.11");
    let says = "lns[0].address: 192.0.2.11 is another customer's in domain \"default\", at ";
    refused(&loaded(TUNNEL, &thief), &["customers/other.toml:", says, "acme.toml:8. A host is one customer's"]);
    let named =
        |text: &str| with(text, text.split("address = \"").nth(1).unwrap().split('"').next().unwrap(), "lns.example");
    refused(&loaded(&named(TUNNEL), &named(&other())), &["lns.example is another customer's"]);
    // A terminal and a server of another customer's.
    for (address, place) in [("192.0.2.1", "acme.toml:8. "), ("192.0.2.100", "acme.toml:14. ")] {
        let thief = with(&other(), "192.0.2.21", address);
        refused(&loaded(ACME, &thief), &["customers/other.toml:", "is another customer's", place]);
    }
    // One's own may be both.
    let both = format!("{ACME}{}", TUNNEL.split_once("[[lns]]").map(|(_, rest)| format!("[[lns]]{rest}")).unwrap());
    tunnel_taken(&with(&both, "192.0.2.11", "192.0.2.1"));
}

#[test]
fn the_same_address_in_two_domains_is_two_lnss() {
    let two = with(
        &carriers(),
        "[[listener]]\naddress = \"198",
        "[[domain]]\nname = \"south\"\n[[domain.ingress]]\ninterface = \"eth2\"\n[[listener]]\naddress = \"198",
    );
    let two = with(&two, "name = \"carrier-d\"", "name = \"carrier-d\"\ndomain = \"default\"");
    let within =
        |text: &str, domain: &str| with(text, "name = \"tokyo\"", &format!("name = \"tokyo\"\ndomain = {domain:?}"));
    let other = with(&other(), "192.0.2.21", "192.0.2.11");
    taken(&documents(&two, &[("acme", &within(TUNNEL, "default")), ("other", &within(&other, "south"))]));
    refused(&documents(&two, &[("acme", TUNNEL)]), &["lns[0].domain: is missing. This node has several"]);
    // One customer's would be told apart by nothing in its accounting.
    let both = BALANCED.replace("\naddress", "\ndomain = \"default\"\naddress");
    let both =
        with(&both, "domain = \"default\"\naddress = \"192.0.2.13\"", "domain = \"south\"\naddress = \"192.0.2.11\"");
    refused(
        &documents(&two, &[("acme", &both)]),
        &["lns[2].address: 192.0.2.11 is an LNS of this customer already, at "],
    );
}

#[test]
fn names_are_unique_in_the_customer() {
    let twice = with(
        &with(BALANCED, "\"nagoya\"\naddress", "\"osaka\"\naddress"),
        "[[vpdn.load_balancing.tier]]\nlns = [\"nagoya\"]\n",
        "",
    );
    tunnel_refused(
        &twice,
        &["lns[2].name: \"osaka\" is another LNS of this customer, at ", "Give each LNS a name of its own."],
    );
    taken(&documents(&carriers(), &[("acme", TUNNEL), ("other", &other())]));
}

#[test]
fn what_an_lns_sends_accounting_from_is_nothing_else() {
    const SECRET: &str = "secret = \"secret of the LNS itself\"";
    let sends = |from: &str| lns(&format!("{SECRET}\naccounting_address = {from:?}"));
    let loaded = |text: &str| {
        documents(
            &carriers(),
            &[("acme", text), ("other", &crate::common::other().replace("192.0.2.2\"", "192.0.2.52\""))],
        )
    };
    taken(&loaded(&sends("192.0.2.31")));
    for (from, says) in [
        ("192.0.2.52", "192.0.2.52 is another customer's in domain \"default\", at "),
        ("192.0.2.200", "192.0.2.200 is another customer's in domain \"default\", at "),
        ("203.0.113.1", "203.0.113.1 is access network \"carrier-d\"'s in domain \"default\", at "),
        ("198.51.100.1", "198.51.100.1 is our own address"),
        ("127.0.0.5", "127.0.0.5 is this host's loopback"),
    ] {
        refused(&loaded(&sends(from)), &["lns[0].accounting_address: ", says]);
    }
    let client = "[[client]]\ncontract = \"c\"\naddress = \"192.0.2.11\"\nsecret = \"secret of acme's terminal\"\n[[proxy]]\n\
                  contract = \"p\"\n[[proxy.server]]\nname = \"home\"\naddress = \"192.0.2.100\"\nsecret = \"a secret of sixteen\"\n";
    let says = "lns[0].address: 192.0.2.11 is a client contract's, at ";
    tunnel_refused(&format!("{}{client}", lns(SECRET)), &[says, "A source has one secret: let the LNS send"]);
    tunnel_taken(&format!("{}{client}", lns("")));
    let two = with(BALANCED, "address = \"192.0.2.11\"", &format!("address = \"192.0.2.11\"\n{SECRET}"));
    let two = with(
        &two,
        "address = \"192.0.2.12\"",
        &format!("address = \"192.0.2.12\"\n{SECRET}\naccounting_address = \"192.0.2.11\""),
    );
    tunnel_refused(&two, &["lns[1].accounting_address: 192.0.2.11 is what another LNS of domain \"default\" sends"]);
    let named = with(&lns(SECRET), "192.0.2.11", "lns.acme.example");
    let says = "lns[0].accounting_address: is missing: a source is known by its address, and `address` is a host name";
    tunnel_refused(&named, &[says]);
    tunnel_taken(&with(&named, SECRET, &format!("{SECRET}\naccounting_address = \"192.0.2.11\"")));
}

#[test]
fn a_source_of_accounting_takes_room_in_the_gate() {
    let node = with(&carriers(), "[node]", "[xdp]\nmax_sources = 64\n[node]");
    let addresses = |n: u8| (1..=n).map(|i| format!("\"10.9.9.{i}\"")).collect::<Vec<_>>().join(", ");
    let node = |n| with(&node, "\"203.0.113.1\"", &addresses(n));
    taken(&documents(&node(64), &[("acme", TUNNEL)]));
    let sends = lns("secret = \"secret of the LNS itself\"");
    taken(&documents(&node(63), &[("acme", &sends)]));
    refused(
        &documents(&node(64), &[("acme", &sends)]),
        &["there are 65 sources, and the gate's table has room for 64"],
    );
}

#[test]
fn a_probe_goes_to_an_address_from_one_of_the_same_family() {
    let probed = |keys: &str| lns(&format!("probe = \"l2tp\"\n{keys}"));
    let named = with(&probed(""), "192.0.2.11", "lns.acme.example");
    let says =
        "lns[0].probe: \"lns.acme.example\" is a host name, and a probe goes to an address. Give `address` the LNS's";
    tunnel_refused(&named, &[says]);
    let says =
        "lns[0].probe_from: 2001:db8::1 is of another family than the LNS's address 192.0.2.11. Give one of our IPv4";
    tunnel_refused(&probed("probe_from = \"2001:db8::1\""), &[says]);
    let v6 = with(&probed(""), "192.0.2.11", "2001:db8::11");
    tunnel_taken(&v6);
    let v4_only = with(&carriers(), "[[listener]]\naddress = \"2001:db8::1\"\nauth = 1812\n", "");
    let says = "lns[0].probe: 2001:db8::11 is an IPv6 address, and this node has none to probe it from. Give `ipv6` under [l2tp]";
    refused(&documents(&v4_only, &[("acme", &v6)]), &[says]);
    taken(&documents(&with(&v4_only, "[node]", "[l2tp]\nipv6 = \"2001:db8::9\"\n[node]"), &[("acme", &v6)]));
    let trial = carriers().replace("198.51.100.1", "127.0.0.1").replace("2001:db8::1", "::1");
    let says = "lns[0].probe: 192.0.2.11 cannot be reached from 127.0.0.1, and only one of them is a loopback address";
    refused(&documents(&trial, &[("acme", &probed(""))]), &[says]);
    let says = "lns[0].probe_from: 192.0.2.11 cannot be reached from 127.0.0.9";
    tunnel_refused(&probed("probe_from = \"127.0.0.9\""), &[says]);
    taken(&documents(&trial, &[("acme", &with(&probed(""), "192.0.2.11", "127.0.0.11"))]));
}

#[test]
fn keys_that_mean_nothing_where_they_stand_are_warned_about() {
    let says = "lns[0].probe_interval: means nothing without a probe. Set `probe = \"l2tp\"`, or take it out.";
    tunnel_warned(&lns("probe_interval = \"30s\""), &[says]);
    let says = "lns[0].ingress: means nothing where the LNS neither sends accounting nor is probed";
    tunnel_warned(&lns("ingress = [\"eth0\"]"), &[says]);
    tunnel_warned(&lns("ingress = [\"eth0\"]\nprobe = \"l2tp\""), &[]);
    let idle = with(BALANCED, "[[vpdn.load_balancing.tier]]\nlns = [\"nagoya\"]\n", "");
    tunnel_warned(&idle, &["lns[2].name: no contract has \"nagoya\" among its LNSs, so no tunnel ends there. Name it"]);
}

#[test]
fn a_tunnel_password_in_the_clear_is_warned_about() {
    let cisco = with(&format!("{NODE}{NETWORK}"), "type = \"D\"", "type = \"D\"\ntunnel_sets = \"cisco-avpair\"");
    let warnings = documents(&cisco, &[("acme", &lns("tunnel_password = \"password of the tunnel\""))]).warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let says =
        "access_network[0].tunnel_sets: tunnel passwords go out in the clear in this form: that of \"tokyo\", at ";
    assert!(warnings[0].contains(says), "{warnings:?}");
    assert!(documents(&cisco, &[("acme", TUNNEL)]).warnings().is_empty());
    let long = lns(&format!("client_auth_id = {:?}", "x".repeat(222)));
    tunnel_taken(&long);
    let says =
        "lns[0].client_auth_id: has 222 octets, too many for the Cisco-AVPair that access network \"carrier-d\" wants";
    refused(&documents(&cisco, &[("acme", &long)]), &[says, "There is room for 221."]);
}

#[test]
fn an_lns_of_a_carriers_prefix_sends_as_itself_and_that_is_said() {
    let wide = with(&carriers(), "\"203.0.113.1\"", "\"192.0.2.0/24\"");
    assert!(documents(&wide, &[("acme", TUNNEL)]).warnings().is_empty(), "nothing comes from it");
    let warnings = documents(&wide, &[("acme", &lns("secret = \"secret of the LNS itself\""))]).warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("lns[0].address: 192.0.2.11 lies within 192.0.2.0/24 of access network"),
        "{warnings:?}"
    );
}
