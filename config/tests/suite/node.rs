//! `sekisho.toml`: what is taken, what is the default, what is refused.

use std::{net::SocketAddr, num::NonZeroUsize, path::Path, time::Duration};

use crate::common::{ACME, NODE, documents, node_refused, node_taken, taken, with};
use sekisho_config::{CustomersFrom, Ingress, LogLevel, Node, Ports, Vlan, XdpMode};

fn plain() -> Node {
    taken(&documents(NODE, &[("acme", ACME)])).0
}

#[test]
fn what_is_left_out_has_its_default() {
    let node = plain();
    assert_eq!((node.name.as_str(), node.workers, node.log), ("sekisho", None, LogLevel::Info));
    assert!(
        matches!(&node.customers, CustomersFrom::Directory(path) if path.ends_with("customers"))
            && node.secrets.as_ref().is_some_and(|path| path.ends_with("secrets"))
    );
    assert_eq!(node.upstream.ipv4, Some("198.51.100.1".parse().unwrap()), "the first IPv4 listener");
    assert_eq!(node.upstream.ipv6, Some("2001:db8::1".parse().unwrap()), "the first IPv6 listener");
    assert_eq!(node.upstream.max_ports, 128);
    assert_eq!((node.xdp.mode, node.xdp.max_sources), (XdpMode::Auto, 65_536));
    assert_eq!(node.xdp.interfaces, ["eth0", "eth1"], "every interface that an ingress names");
    assert_eq!((node.xdp.max_replies, node.xdp.replies_on_veth, node.xdp.persist), (8_192, false, true));
    assert_eq!(node.xdp.directory, Path::new("/sys/fs/bpf/sekisho"));
    assert_eq!((node.limits.max_requests, node.limits.max_delayed_rejects), (262_144, 16_384));
    assert_eq!(node.limits.duplicate_window, Duration::from_secs(10));
    assert_eq!(node.limits.retransmit_window, Duration::from_secs(1));
    assert_eq!(node.admin, SocketAddr::from(([127, 0, 0, 1], 9812)));
    assert!(node.probes.is_empty());
}

#[test]
fn every_key_of_the_node_is_taken() {
    let text = r#"
[node]
name = "edge-1"
customers = "c"
secrets = "/etc/sekisho/secrets"
workers = 4
log = "debug"
[upstream]
ipv4 = "198.51.100.9"
ipv6 = "2001:db8::9"
max_ports = 1_024
[xdp]
mode = "native"
interfaces = ["eth0"]
max_sources = 0x400
max_replies = 0
replies_on_veth = true
persist = false
directory = "/run/bpf/edge-1"
[limits]
max_requests = 65536
max_delayed_rejects = 1
duplicate_window = "30s"
retransmit_window = "250ms"
[admin]
address = "[::1]:9000"
[[probe]]
user = "alice@acme.example"
password = "wonderland"
"#;
    let documents = documents(&with(NODE, "[node]\nsecrets = \"secrets\"\n", text), &[]);
    std::fs::create_dir(documents.path().join("c")).unwrap();
    let node = taken(&documents).0;
    assert_eq!((node.name.as_str(), node.workers, node.log), ("edge-1", NonZeroUsize::new(4), LogLevel::Debug));
    assert_eq!(node.secrets.as_deref(), Some(Path::new("/etc/sekisho/secrets")));
    assert_eq!(node.upstream_for("203.0.113.1".parse().unwrap()), Some("198.51.100.9".parse().unwrap()));
    assert_eq!((node.xdp.mode, node.xdp.max_sources, node.upstream.max_ports), (XdpMode::Native, 1_024, 1_024));
    assert_eq!((node.xdp.max_replies, node.xdp.replies_on_veth, node.xdp.persist), (0, true, false));
    assert_eq!(node.xdp.directory, Path::new("/run/bpf/edge-1"));
    assert_eq!(node.limits.retransmit_window, Duration::from_millis(250));
    assert_eq!(node.admin, "[::1]:9000".parse().unwrap());
    assert_eq!(node.probes[0].password.expose(), b"wonderland");
    assert_eq!(format!("{:?}", node.probes[0].password), "Password(..)");
}

#[test]
fn numbers_and_times_out_of_bounds_are_refused_with_the_bounds() {
    for (to, says) in [
        ("[node]\nworkers = 65", "65 is out of bounds. Give a number from 0 to 64."),
        ("[node]\nworkers = -1", "-1 is out of bounds. Give a number from 0 to 64."),
        ("[upstream]\nmax_ports = 0\n[node]", "0 is out of bounds. Give a number from 1 to 4096."),
        ("[xdp]\nmax_sources = 63\n[node]", "Give a number from 64 to 1048576."),
        ("[xdp]\nmax_replies = 262145\n[node]", "Give a number from 0 to 262144."),
        ("[limits]\nmax_sessions = 1023\n[node]", "Give a number from 1024 to 16777216."),
        ("[limits]\nmax_requests = 99999999999999\n[node]", "99999999999999 is out of bounds."),
        ("[limits]\nduplicate_window = \"4s\"\n[node]", "\"4s\" is out of bounds. Give a time from 5s to 30s, such as"),
        ("[limits]\nduplicate_window = \"31s\"\n[node]", "\"31s\" is out of bounds"),
        ("[limits]\nduplicate_window = \"10\"\n[node]", "\"10\" is not a time"),
        ("[limits]\nduplicate_window = \"s\"\n[node]", "\"s\" is not a time"),
        ("[limits]\nduplicate_window = \"1.5s\"\n[node]", "\"1.5s\" is not a time"),
        ("[limits]\nduplicate_window = \"99999999999999999999h\"\n[node]", "out of bounds"),
        ("[node]\nlog = \"loud\"", "\"loud\" is none of the words known here. Say \"error\" or \"warn\" or"),
        ("[xdp]\nmode = \"on\"\n[node]", "Say \"auto\" or \"native\" or \"generic\" or \"off\"."),
    ] {
        node_refused("[node]", to, &[says]);
    }
    assert_eq!(
        node_taken("[node]", "[limits]\nduplicate_window = \"5000ms\"\n[node]").limits.duplicate_window.as_secs(),
        5
    );
}

#[test]
fn a_listener_has_one_address_of_ours_and_at_least_one_port() {
    for (from, to, says) in [
        ("198.51.100.1", "0.0.0.0", "\"0.0.0.0\" means every address, and the gate knows ours one by one. Name each"),
        ("2001:db8::1", "::", "\"::\" means every address"),
        ("198.51.100.1", "224.0.0.1", "a multicast address, which is no host's own"),
        ("198.51.100.1", "198.51.100.0/24", "is a network"),
        ("198.51.100.1", "198.51.100.1:1812", "has a port. Give the address alone"),
        ("198.51.100.1", "::ffff:198.51.100.1", "is an IPv4 address in IPv6 form. Write it as IPv4"),
        ("2001:db8::1\"\nauth = 1812", "2001:db8::1\"", "listener[1].auth: is missing, and so are the other ports"),
        ("1813", "1812", "listener[0].accounting: 1812 is the port for authentication already"),
        ("accounting = 1813", "accounting = 65536", "Give a number from 1 to 65535."),
        ("address = \"198.51.100.1\"\n", "", "listener[0].address: is missing"),
        ("accounting = 1813", "device = \"no device\"", "cannot be the name of an interface"),
    ] {
        node_refused(from, to, &[says]);
    }
    let node = node_taken("accounting = 1813", "device = \"vrf-a\"\ndedicated = true");
    assert_eq!(node.listeners[0].ports, Ports::Auth(1812));
    assert_eq!((node.listeners[0].device.as_deref(), node.listeners[0].dedicated), (Some("vrf-a"), true));
    let both =
        "[[listener]]\naddress = \"198.51.100.1\"\nauth = 1812\n[[listener]]\naddress = \"198.51.100.1\"\nauth = 1812";
    node_refused(
        "[[listener]]\naddress = \"198.51.100.1\"\nauth = 1812",
        both,
        &["198.51.100.1 listens on 1812 already, at "],
    )
}

#[test]
fn a_node_without_listener_or_domain_is_refused() {
    let text = "[[domain]]\nname = \"a\"\n[[domain.ingress]]\ninterface = \"lo\"\n";
    crate::common::refused(&documents(text, &[]), &["listener: is missing. Add [[listener]]"]);
    crate::common::refused(&documents(&format!("listener = []\n{text}"), &[]), &["listener: is missing"]);
    crate::common::refused(
        &documents("[[listener]]\naddress = \"127.0.0.1\"\nauth = 1812", &[]),
        &["domain: is missing."],
    );
    node_refused(
        "[node]",
        "[[domain]]\nname = \"b\"\n[node]",
        &["domain[0].ingress: is missing. Add [[domain.ingress]]"],
    );
}

#[test]
fn a_vlan_has_tags_and_an_interface_of_its_own() {
    let node = node_taken("interface = \"eth1\"", "interface = \"eth1\"\nvlan = 100\ninner_vlan = 7");
    let vlan = Vlan { outer: 100, inner: Some(7), interface: "eth1.100.7".into() };
    let ingress = Ingress { name: "eth1.100.7".into(), interface: "eth1".into(), vlan: Some(vlan) };
    assert_eq!(node.domains[0].ingresses[1], ingress);
    let named = "name = \"isp\"\ninterface = \"enp129s0f0np0\"\nvlan = 100\nvlan_interface = \"isp0\"";
    let node = node_taken("interface = \"eth1\"", named);
    assert_eq!(node.domains[0].ingresses[1].name, "isp");
    for (to, says) in [
        ("interface = \"eth1\"\ninner_vlan = 7", "inner_vlan: is given, but no `vlan`"),
        ("interface = \"eth1\"\nvlan_interface = \"isp\"", "vlan_interface: is given, but no `vlan`"),
        ("interface = \"eth1\"\nvlan = 4095", "Give a number from 1 to 4094."),
        (
            "interface = \"enp129s0f0np0\"\nvlan = 100",
            "vlan_interface: is missing, and \"enp129s0f0np0.100\" is too long",
        ),
        ("interface = \"sixteen-letters-\"", "at most 15 characters"),
        ("interface = \"eth0/1\"", "cannot be the name of an interface"),
    ] {
        node_refused("interface = \"eth1\"", to, &[says]);
    }
}

#[test]
fn an_ingress_belongs_to_one_domain() {
    let second = |ingress: &str| {
        format!("[[domain]]\nname = \"b\"\n[[domain.ingress]]\n{ingress}\n[[listener]]\naddress = \"198")
    };
    let refused = |ingress: &str, says: &str| {
        let text = with(NODE, "[[listener]]\naddress = \"198", &second(ingress));
        let acme = with(ACME, "address = \"192.0.2.1\"", "address = \"192.0.2.1\"\ndomain = \"default\"");
        let acme = with(&acme, "address = \"192.0.2.100\"", "address = \"192.0.2.100\"\ndomain = \"default\"");
        crate::common::refused(&documents(&text, &[("acme", &acme)]), &["sekisho.toml:", says]);
    };
    refused(
        "name = \"x\"\ninterface = \"eth0\"\nvlan = 5\nvlan_interface = \"eth1\"",
        "a socket sees this ingress as \"eth1\"",
    );
    refused("name = \"eth0\"\ninterface = \"eth7\"", "\"eth0\" names another ingress, at ");
    let text = with(NODE, "[[listener]]\naddress = \"198", &second("name = \"x\"\ninterface = \"eth0\""));
    let faults = documents(&text, &[]).faults();
    assert!(faults.iter().any(|fault| fault.contains("the same frames are an ingress already, at ")), "{faults:?}");
    let twice =
        with(NODE, "[[listener]]\naddress = \"198", &second("interface = \"eth2\"")).replace("\"b\"", "\"default\"");
    let faults = documents(&twice, &[]).faults();
    assert!(faults[0].contains("\"default\" is a domain already, at "), "{faults:?}");
}

#[test]
fn the_65th_ingress_and_the_65th_listener_are_refused() {
    let ingresses =
        |n: usize| (0..n).map(|i| format!("[[domain.ingress]]\ninterface = \"v{i}\"\n")).collect::<String>();
    let listeners = |n: usize| {
        (0..n).map(|i| format!("[[listener]]\naddress = \"198.51.100.{i}\"\nauth = 1812\n")).collect::<String>()
    };
    let node = |i, l| format!("[[domain]]\nname = \"a\"\n{}{}", ingresses(i), listeners(l));
    taken(&documents(&node(64, 64), &[]));
    crate::common::refused(&documents(&node(65, 1), &[]), &["there are 65 ingresses, and the gate has room for 64"]);
    crate::common::refused(&documents(&node(1, 65), &[]), &["there are 65 listeners, and the gate has room for 64"]);
}

#[test]
fn the_gates_interfaces_are_checked_against_the_ingresses() {
    node_refused("[node]", "[xdp]\ninterfaces = []\n[node]", &["xdp.interfaces: is an empty list"]);
    node_refused(
        "[node]",
        "[xdp]\ninterfaces = [\"eth0\", \"eth0\"]\n[node]",
        &["interfaces[1]: \"eth0\" is in the list already"],
    );
    let odd = with(NODE, "[node]", "[xdp]\ninterfaces = [\"eth0\", \"eth9\"]\n[node]");
    let warnings = documents(&odd, &[("acme", ACME)]).warnings();
    assert!(warnings[0].contains("sekisho.toml:3:23: xdp.interfaces[1]: no ingress has \"eth9\""), "{warnings:?}");
    let off = odd.replace("[xdp]", "[xdp]\nmode = \"off\"");
    assert!(documents(&off, &[("acme", ACME)]).warnings().is_empty());
}

#[test]
fn an_admin_address_that_others_can_reach_is_warned_about() {
    let open = with(NODE, "[node]", "[admin]\naddress = \"198.51.100.1:9812\"\n[node]");
    let warnings = documents(&open, &[("acme", ACME)]).warnings();
    assert!(warnings[0].contains("admin.address: \"198.51.100.1:9812\" can be reached from outside"), "{warnings:?}");
    for wrong in ["127.0.0.1", "127.0.0.1:0", "localhost:9812"] {
        let says = format!("{wrong:?} is not an IP address with a port");
        node_refused("[node]", &format!("[admin]\naddress = \"{wrong}\"\n[node]"), &[&says]);
    }
}

#[test]
fn what_is_pinned_stands_below_an_absolute_path() {
    for wrong in ["", "sekisho", "./sys/fs/bpf", "/", "/sys/fs/bpf/../.."] {
        let says = format!("xdp.directory: {wrong:?} cannot be a directory for pinned objects. Give an absolute path");
        node_refused("[node]", &format!("[xdp]\ndirectory = {wrong:?}\n[node]"), &[&says]);
    }
    node_refused("[node]", "[xdp]\npersist = \"yes\"\n[node]", &["xdp.persist: should be true or false"]);
}

#[test]
fn upstream_addresses_are_of_their_family() {
    node_refused("[node]", "[upstream]\nipv4 = \"2001:db8::5\"\n[node]", &["\"2001:db8::5\" is not an IPv4 address"]);
    node_refused("[node]", "[upstream]\nipv6 = \"198.51.100.5\"\n[node]", &["\"198.51.100.5\" is not an IPv6 address"]);
    node_refused("[node]", "[upstream]\nipv4 = \"0.0.0.0\"\n[node]", &["the unspecified address"]);
}

#[test]
fn a_probe_has_a_user_and_one_password() {
    let probe = |text: &str| format!("[[probe]]\n{text}\n[node]");
    for (text, says) in [
        (
            "user = \"a@b\"",
            "probe[0].password: is missing. Give one of `password`, `password_file` and `password_env`.",
        ),
        ("password = \"x\"", "probe[0].user: is missing"),
        ("user = \"\"\npassword = \"x\"", "has 0 octets"),
        ("user = \"a@b\"\npassword = \"\"", "probe[0].password: is empty"),
        (
            "user = \"a\"\npassword = \"x\"\n[[probe]]\nuser = \"a\"\npassword = \"y\"",
            "probe[1].user: \"a\" has a probe already",
        ),
    ] {
        node_refused("[node]", &probe(text), &[says]);
    }
}
