//! Within a domain an address is one host; home servers are neither ours nor somebody else's.

use crate::common::{ACME, NODE, customer_refused, documents, other, refused, taken, with};

/// The node with a second domain behind `eth2`.
fn two_domains() -> String {
    with(
        NODE,
        "[[listener]]\naddress = \"198",
        "[[domain]]\nname = \"south\"\n[[domain.ingress]]\ninterface = \"eth2\"\n[[listener]]\naddress = \"198",
    )
}

/// A customer wholly in one domain.
fn within(text: &str, domain: &str) -> String {
    text.replace("\nsecret", &format!("\ndomain = \"{domain}\"\nsecret"))
}

#[test]
fn two_client_contracts_on_one_address_are_refused_and_both_places_named() {
    let thief = with(&other(), "\"192.0.2.2\"", "\"192.0.2.1\"");
    let documents = documents(NODE, &[("acme", ACME), ("other", &thief)]);
    refused(
        &documents,
        &[
            "customers/other.toml:8:11: client[0].address: 192.0.2.1 is another client contract's in domain \"default\", at ",
            "customers/acme.toml:8. ",
        ],
    );
}

#[test]
fn the_same_address_in_two_domains_is_two_terminals() {
    let neighbour = with(&other(), "\"192.0.2.2\"", "\"192.0.2.1\"");
    taken(&documents(&two_domains(), &[("acme", &within(ACME, "default")), ("other", &within(&neighbour, "south"))]));
}

#[test]
fn a_home_servers_port_is_named_once() {
    let thief = with(&other(), "\"192.0.2.200\"", "\"192.0.2.100\"\nauth = 1812");
    let says =
        ["customers/other.toml:15:8: proxy[0].server[0].auth: 192.0.2.100:1812 is another customer's server, at "];
    refused(&documents(NODE, &[("acme", ACME), ("other", &thief)]), &says);
    let own = format!(
        "{ACME}[[proxy.server]]\nname = \"b\"\naddress = \"192.0.2.100\"\nauth = 1900\naccounting = 1812\nsecret = \"a secret of sixteen\"\n"
    );
    refused(
        &documents(NODE, &[("acme", &own)]),
        &["server[1].accounting: 192.0.2.100:1812 is a server of this customer already, at "],
    );
    let beside = with(&other(), "\"192.0.2.200\"", "\"192.0.2.100\"\nauth = 1912");
    taken(&documents(NODE, &[("acme", ACME), ("other", &beside)]));
}

#[test]
fn our_own_listener_is_no_home_server() {
    let faults = documents(NODE, &[("acme", &with(ACME, "\"192.0.2.100\"", "\"198.51.100.1\""))]).faults();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[0].contains("acme.toml:14:11: proxy[0].server[0].address: 198.51.100.1:1812 is our own listener, at "),
        "{faults:?}"
    );
    assert!(faults[1].contains("198.51.100.1:1813 is our own listener, at "), "{faults:?}");
    taken(&documents(NODE, &[("acme", &with(ACME, "\"192.0.2.100\"", "\"198.51.100.1\"\nauth = 1912"))]));
}

#[test]
fn a_server_is_reached_from_an_address_of_its_family() {
    let v4_only = with(NODE, "[[listener]]\naddress = \"2001:db8::1\"\nauth = 1812\n", "");
    let v6_server = with(ACME, "\"192.0.2.100\"", "\"2001:db8::100\"");
    let says = "2001:db8::100 is an IPv6 address, and this node has none to send from. Give `ipv6` under [upstream] in sekisho.toml.";
    refused(&documents(&v4_only, &[("acme", &v6_server)]), &["server[0].address: ", says]);
    let with_upstream = with(&v4_only, "[node]", "[upstream]\nipv6 = \"2001:db8::2\"\n[node]");
    taken(&documents(&with_upstream, &[("acme", &v6_server)]));
}

#[test]
fn loopback_reaches_loopback_and_nothing_else() {
    let on_loopback = with(NODE, "198.51.100.1", "127.0.0.1");
    let says =
        "192.0.2.100 cannot be reached from 127.0.0.1, which is a loopback address. Give `ipv4` under [upstream]";
    refused(&documents(&on_loopback, &[("acme", ACME)]), &[says]);
    customer_refused(
        "192.0.2.100",
        "127.0.0.1",
        &["127.0.0.1 is this host's loopback, where a customer has no server."],
    );
    customer_refused("192.0.2.100", "::1", &["::1 is this host's loopback"]);
    let own_home = with(ACME, "\"192.0.2.100\"", "\"127.0.0.1\"\nauth = 1912");
    taken(&documents(&on_loopback, &[("acme", &own_home)]));
}

#[test]
fn one_host_with_two_roles_comes_in_one_way() {
    let both = with(ACME, "\"192.0.2.100\"", "\"192.0.2.1\"");
    taken(&documents(NODE, &[("acme", &both)]));
    let apart = with(&both, "name = \"home\"", "name = \"home\"\ningress = [\"eth0\"]");
    refused(
        &documents(NODE, &[("acme", &apart)]),
        &["server[0].ingress: 192.0.2.1 may come in by other ingresses at "],
    );
    let alike = with(&apart, "contract = \"acme-nas\"", "contract = \"acme-nas\"\ningress = [\"eth0\"]");
    taken(&documents(NODE, &[("acme", &alike)]));
}

#[test]
fn the_gates_table_has_room_for_every_source() {
    let terminals = |n: u8| {
        let one = |i| {
            format!(
                "[[client]]\ncontract = \"nas-{i}\"\naddress = \"203.0.113.{i}\"\nsecret = \"a secret of sixteen\"\n"
            )
        };
        format!("{ACME}{}", (1..=n).map(one).collect::<String>())
    };
    let node = with(NODE, "[node]", "[xdp]\nmax_sources = 64\n[node]");
    taken(&documents(&node, &[("acme", &terminals(62))]));
    refused(
        &documents(&node, &[("acme", &terminals(63))]),
        &["sekisho.toml:3:15: xdp.max_sources: there are 65 sources, and the gate's table has room for 64. Raise"],
    );
}
