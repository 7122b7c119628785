//! Documents of a registry: the same rules as for files, and a few stricter ones.

use crate::common::{
    ACME, HOSTED, NETWORK, NODE, OPERATOR, TUNNEL, carriers, documents, held, held_refused, held_taken, other, taken,
    with,
};
use sekisho_config::{Kind, Text, kind_of};

const INLINE: &str = "secret = \"secret of acme's terminal\"";

#[test]
fn a_document_means_the_same_in_a_file_and_in_the_registry() {
    let texts = held(&carriers(), &[("a", ACME), ("b", &other())]);
    let (node, customers) = texts.taken();
    let (same, files) = taken(&documents(&carriers(), &[("acme", ACME), ("other", &other())]));
    assert_eq!((customers, node.access_networks), (files, same.access_networks));
    assert_eq!(texts.warnings(), [""; 0]);
}

#[test]
fn a_fault_is_shown_at_its_document_of_the_registry() {
    let twice = with(&other(), "\"192.0.2.2\"", "\"192.0.2.1\"");
    held(NODE, &[("acme (entry 12)", ACME), ("other (entry 7)", &twice)]).refused(&[
        "other (entry 7):8:11: client[0].address: 192.0.2.1 is another client contract's in domain \"default\", at acme (entry 12):8.",
    ]);
    held_refused("[customer", &["acme (entry 12):1:10: not TOML"]);
    let long = format!("{ACME}#{}", " ".repeat(16 * 1024 * 1024));
    held_refused(&long, &["acme (entry 12): has 16777", "octets, and a document has at most 16777216"]);
}

#[test]
fn two_customers_never_share_a_secret_whatever_their_documents_are_called() {
    let thief = with(&other(), "secret of other's terminal", "secret of acme's terminal");
    held(NODE, &[("a document", ACME), ("a document", &thief)])
        .refused(&["client[0].secret: the secret is another customer's too, at a document:9. Give each"]);
    let tunnel = format!("{ACME}{}", TUNNEL.split_once("suffix = \"acme.example\"\n").unwrap().1);
    let alike = with(&tunnel, "secret of acme's terminal", "secret of the carrier");
    held_refused(&alike, &["client[0].secret: the secret is an access network's too, at sekisho.toml:"]);
}

#[test]
fn a_customers_document_names_no_file_and_no_variable_of_a_node() {
    for way in ["secret_file = \"acme\"", "secret_env = \"ACME_SECRET\""] {
        held_refused(
            &with(ACME, INLINE, way),
            &[
                "acme (entry 12):9:",
                "names something of one node, and a customer's document in the registry is read by every node. Give `secret` itself",
            ],
        );
    }
    held_refused(
        &with(ACME, INLINE, ""),
        &["client[0].secret: is missing. Give it itself: the registry keeps documents encrypted."],
    );
    let previous = with(ACME, INLINE, &format!("{INLINE}\nprevious_secret_env = \"ACME_SECRET\""));
    held_refused(&previous, &["client[0].previous_secret_env: names something of one node"]);
    let tunnel = with(TUNNEL, "\"192.0.2.11\"", "\"192.0.2.11\"\ntunnel_password_file = \"acme\"");
    held_refused(
        &tunnel,
        &["lns[0].tunnel_password_file: names something of one node", "Give `tunnel_password` itself"],
    );
}

#[test]
fn the_operators_document_adds_access_networks_to_the_nodes_own() {
    let names = |held: &crate::common::Held| -> Vec<String> {
        held.taken().0.access_networks.into_iter().map(|network| network.name).collect()
    };
    assert_eq!(names(&held(&carriers(), &[]).and_operator(OPERATOR)), ["carrier-d", "carrier-k"]);
    assert_eq!(names(&held(NODE, &[]).and_operator("[operator]\nname = \"o\"\ntitle = \"通信\"")), [""; 0]);
    let by_env = with(OPERATOR, "secret = \"secret of the other network\"", "secret_env = \"ACME_SECRET\"");
    assert_eq!(names(&held(NODE, &[]).and_operator(&by_env)), ["carrier-k"]);
    let by_file = with(OPERATOR, "secret = \"secret of the other network\"", "secret_file = \"k\"");
    let held = held(NODE, &[]).and_operator(&by_file);
    held.node().file("secrets/k", "secret of the other network", 0o600);
    assert_eq!(names(&held), ["carrier-k"]);
    let contract = with(TUNNEL, "type = \"D\"", "type = \"K\"");
    assert_eq!(crate::common::held(NODE, &[("acme", &contract)]).and_operator(OPERATOR).warnings(), [""; 0]);
}

#[test]
fn an_access_network_stands_in_one_of_the_two_documents() {
    let both = |network: &str| held(&carriers(), &[]).and_operator(&format!("[operator]\nname = \"o\"\n{network}"));
    let same = both(NETWORK).faults();
    assert_eq!(same.len(), 2, "{same:#?}");
    assert!(
        same[0]
            .contains("operator (entry 1):5:8: access_network[0].name: \"carrier-d\" is an access network's name, at")
    );
    assert!(same[1].contains("203.0.113.1 is an access network's already in domain \"default\", at sekisho.toml:"));
    // The same secret at two networks of the operator's is its own affair.
    let other = NETWORK.replace("carrier-d", "carrier-e").replace("203.0.113.1", "203.0.113.2");
    assert_eq!(both(&other).taken().0.access_networks.len(), 2);
}

#[test]
fn a_faulty_operators_document_is_refused_with_its_places() {
    let refused = |text: &str, says: &[&str]| held(NODE, &[]).and_operator(text).refused(says);
    refused("", &["operator (entry 1):1:1: operator: is missing. Begin the document with [operator]"]);
    refused("[operator]\n", &["operator (entry 1):1:1: operator.name: is missing. Name the operator"]);
    refused("[operator]\nname = \"o\"\n[customer]\n", &["customer: there is no such key here"]);
    refused("[operator]\nname = 5", &["operator (entry 1):2:8: operator.name: should be a string"]);
}

#[test]
fn a_home_server_is_none_of_our_addresses() {
    let beside = with(ACME, "\"192.0.2.100\"", "\"198.51.100.1\"\nauth = 1912");
    held(NODE, &[("acme (entry 12)", &beside)]).refused(&[
        "acme (entry 12):14:11: proxy[0].server[0].address: 198.51.100.1 is our own address. Give the address",
    ]);
    let upstream = format!("{NODE}[upstream]\nipv4 = \"198.51.100.7\"\n");
    let beside = with(ACME, "\"192.0.2.100\"", "\"198.51.100.7\"");
    held(&upstream, &[("acme", &beside)]).refused(&["198.51.100.7 is our own address"]);
    held_refused(&with(ACME, "\"192.0.2.100\"", "\"127.0.0.1\""), &["127.0.0.1 is this host's loopback"]);
    held_refused(&with(ACME, "\"192.0.2.100\"", "\"224.0.0.1\""), &["is a multicast address"]);
}

#[test]
fn a_home_server_is_where_no_other_customer_has_anything() {
    let two = |text: &str| held(NODE, &[("acme", ACME), ("other", text)]);
    let says = "proxy[0].server[0].address: 192.0.2.100 is another customer's in domain \"default\", at acme:14. A host is one";
    two(&with(&other(), "\"192.0.2.200\"", "\"192.0.2.100\"\nauth = 1912")).refused(&[says]);
    let says = "proxy[0].server[0].address: 192.0.2.1 is another customer's in domain \"default\", at acme:8.";
    two(&with(&other(), "\"192.0.2.200\"", "\"192.0.2.1\"")).refused(&[says]);
    let says = "client[0].address: 192.0.2.100 is another customer's in domain \"default\", at acme:14.";
    two(&with(&other(), "\"192.0.2.2\"", "\"192.0.2.100\"")).refused(&[says]);
    // One's own server may be one's own terminal.
    held(NODE, &[("acme", &with(ACME, "\"192.0.2.100\"", "\"192.0.2.1\""))]).taken();
}

#[test]
fn on_a_node_for_trial_everybody_is_on_loopback() {
    let node = with(NODE, "198.51.100.1", "127.0.0.1").replace("2001:db8::1", "::1");
    let acme = with(ACME, "\"192.0.2.100\"", "\"127.0.0.1\"\nauth = 1912");
    let neighbour = with(&other(), "\"192.0.2.200\"", "\"127.0.0.1\"\nauth = 2012");
    held(&node, &[("acme", &acme), ("other", &neighbour)]).taken();
    let mixed = with(&node, "\"::1\"", "\"2001:db8::1\"");
    let says = "127.0.0.1 is our own address";
    held(&mixed, &[("acme", &acme)]).refused(&[says]);
}

#[test]
fn a_file_is_a_customers_document_or_the_operators() {
    let kind = |text: &str| {
        kind_of(&Text::new("a.toml", text))
            .map_err(|faults| faults.faults.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(kind(HOSTED), Ok(Kind::Customer("acme".into())));
    assert_eq!(kind(OPERATOR), Ok(Kind::Operator));
    // What else is the matter with it is told by whoever reads it.
    assert_eq!(kind("[customer]\nname = \"acme\"\nnmae = 1\n[[clinet]]\n"), Ok(Kind::Customer("acme".into())));
    for (text, says) in [
        ("", "a.toml:1:1: is neither a customer's document nor the operator's. Begin it with [customer]"),
        (NODE, "a.toml:1:1: is neither a customer's document nor the operator's"),
        ("[customer]\n[operator]\n", "a.toml:2:1: operator: stands beside [customer]"),
        ("\n[customer]\n", "a.toml:2:1: customer.name: is missing. Name the customer"),
        ("customer = 5\n", "a.toml:1:12: customer.name: is missing"),
        ("[customer]\nname = 5\n", "a.toml:2:8: customer.name: should be a string. Write it in double quotes."),
        ("[customer]\nname = \"ACME\"\n", "a.toml:2:8: customer.name: \"ACME\" cannot be a customer's name"),
        ("[customer\n", "a.toml:1:10: not TOML"),
    ] {
        let faults = kind(text).unwrap_err();
        assert!(faults[0].starts_with(says), "{faults:?}");
    }
}

#[test]
fn no_text_is_shown_in_debug() {
    assert_eq!(format!("{:?}", Text::new("acme (entry 12)", ACME)), "Text(\"acme (entry 12)\")");
    assert!(!format!("{:?}", held_taken(ACME)).contains("secret of acme"));
}
