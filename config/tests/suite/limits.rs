//! How much anybody may send: the node's limits, what a contract has instead, and what tells sessions apart.

use crate::common::{ACME, NODE, customer_refused, documents, node_refused, node_taken, taken, with};
use sekisho_config::{Rate, Rates};

const ACCT_SESSION_ID: u8 = 44;
const CALLING_STATION_ID: u8 = 31;
const USER_NAME: u8 = 1;
/// Vendor-Specific stands for 3GPP-IMSI.
const IMSI: u8 = 26;

const fn rate(per_second: u32, burst: u32) -> Rate {
    Rate { per_second, burst }
}

/// The node with keys in `[limits]`.
fn limits(keys: &str) -> String {
    with(NODE, "[node]", &format!("[limits]\n{keys}\n[node]"))
}

/// The customer with keys at its terminal.
fn terminal(keys: &str) -> String {
    with(ACME, "[[client]]\n", &format!("[[client]]\n{keys}\n"))
}

/// Warnings about the two documents.
fn warnings(node: &str, customer: &str) -> Vec<String> {
    documents(node, &[("acme", customer)]).warnings()
}

#[test]
fn limits_have_defaults_that_hold_for_every_client() {
    let (node, customers) = taken(&documents(NODE, &[("acme", ACME)]));
    let expected = Rates { client: rate(10_000, 20_000), session: rate(20, 100), new_session: rate(5_000, 10_000) };
    assert_eq!((node.limits.rates, node.limits.max_sessions), (expected, 262_144));
    let client = &customers[0].clients[0];
    assert_eq!(client.rates, expected);
    assert_eq!(client.session_identity, [ACCT_SESSION_ID, CALLING_STATION_ID, USER_NAME]);
    assert!(warnings(NODE, ACME).is_empty());
}

#[test]
fn the_nodes_limits_are_every_clients_and_a_contract_may_have_its_own() {
    let node = limits(
        "client_rate = 1000\nclient_burst = 3000\nsession_rate = 10\nsession_burst = 60\nnew_session_rate = 500\n\
         new_session_burst = 700\nmax_sessions = 1_024",
    );
    let dynauth = "[[dynauth]]\nname = \"d\"\naddress = \"192.0.2.9\"\nsecret = \"another secret of sixteen\"\n";
    let (taken_node, customers) = taken(&documents(&node, &[("acme", &format!("{ACME}{dynauth}"))]));
    let expected = Rates { client: rate(1_000, 3_000), session: rate(10, 60), new_session: rate(500, 700) };
    assert_eq!((taken_node.limits.rates, taken_node.limits.max_sessions), (expected, 1_024));
    assert_eq!(customers[0].clients[0].rates, expected);
    assert_eq!(customers[0].dynauth[0].rate, expected.client);

    let all = "client_rate = 1\nclient_burst = 2\nsession_rate = 3\nsession_burst = 40\nnew_session_rate = 5\nnew_session_burst = 6";
    let own = format!("{}{dynauth}client_rate = 7\nclient_burst = 8\n", terminal(all));
    let (_, customers) = taken(&documents(&node, &[("acme", &own)]));
    let client = &customers[0].clients[0];
    assert_eq!(client.rates, Rates { client: rate(1, 2), session: rate(3, 40), new_session: rate(5, 6) });
    assert_eq!(customers[0].dynauth[0].rate, rate(7, 8));

    let one = taken(&documents(&node, &[("acme", &terminal("session_rate = 30"))])).1;
    assert_eq!(one[0].clients[0].rates, Rates { session: rate(30, 60), ..expected }, "the rest is the node's");
}

#[test]
fn no_limit_is_written_as_zero() {
    let node = node_taken("[node]", "[limits]\nclient_rate = 0\nsession_rate = 0\nnew_session_rate = 0\n[node]");
    let rates = node.limits.rates;
    assert!(!rates.client.limits() && !rates.session.limits() && !rates.new_session.limits());
    assert!(warnings(&limits("client_rate = 0\nsession_rate = 0\nnew_session_rate = 0"), ACME).is_empty());
}

#[test]
fn rates_and_bursts_have_bounds() {
    for key in ["client", "session", "new_session"] {
        for (text, says) in [
            (
                format!("{key}_rate = 1000001"),
                format!("limits.{key}_rate: 1000001 is out of bounds. Give a number from 0"),
            ),
            (format!("{key}_rate = -1"), format!("limits.{key}_rate: -1 is out of bounds")),
            (
                format!("{key}_burst = 0"),
                format!("limits.{key}_burst: 0 is out of bounds. Give a number from 1 to 1000000."),
            ),
            (format!("{key}_burst = 1000001"), format!("limits.{key}_burst: 1000001 is out of bounds")),
        ] {
            node_refused("[node]", &format!("[limits]\n{text}\n[node]"), &[&says]);
        }
    }
    customer_refused(
        "[[client]]\n",
        "[[client]]\nsession_rate = 1000001\n",
        &["client[0].session_rate: 1000001 is out"],
    );
    let most = node_taken("[node]", "[limits]\nclient_rate = 1_000_000\nclient_burst = 1_000_000\n[node]");
    assert_eq!(most.limits.rates.client, rate(1_000_000, 1_000_000));
}

#[test]
fn a_burst_that_no_login_fits_into_is_warned_about_where_it_is_written() {
    let says = "39 at once are less than two EAP-TLS logins take (20 rounds and more each)";
    let found = warnings(&limits("session_burst = 39"), ACME);
    assert_eq!(found.len(), 1, "once, and not at every client: {found:?}");
    assert!(found[0].contains("limits.session_burst: ") && found[0].contains(says), "{found:?}");
    assert!(found[0].contains("Give `session_burst` of 40 or more."), "{found:?}");
    let found = warnings(NODE, &terminal("session_burst = 39"));
    assert!(found[0].contains("client[0].session_burst: 39 at once"), "{found:?}");
    let found = warnings(&limits("session_rate = 0"), &terminal("session_rate = 1\nsession_burst = 1"));
    assert!(found[0].contains("client[0].session_burst: 1 at once"), "{found:?}");
    assert!(warnings(NODE, &terminal("session_burst = 40")).is_empty());
}

#[test]
fn a_burst_without_a_rate_is_warned_about() {
    let found = warnings(NODE, &terminal("client_rate = 0\nclient_burst = 5"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("client[0].client_burst: means nothing where `client_rate` is 0"), "{found:?}");
    let found = warnings(&limits("client_rate = 0"), &terminal("client_burst = 5"));
    assert!(found[0].contains("client[0].client_burst: means nothing"), "the node's rate counts: {found:?}");
}

#[test]
fn a_rate_that_the_nodes_burst_makes_nothing_of_is_warned_about() {
    let found = warnings(NODE, &terminal("client_rate = 100"));
    assert_eq!(found.len(), 1, "{found:?}");
    let says = "client[0].client_rate: 20000 requests may still come at once, which is what this rate lets through in 200 seconds";
    assert!(found[0].contains(says) && found[0].contains("Give `client_burst` too."), "{found:?}");
    assert!(warnings(NODE, &terminal("client_rate = 100\nclient_burst = 20000")).is_empty(), "said so himself");
    assert!(warnings(NODE, &terminal("client_rate = 5000")).is_empty());
    assert!(warnings(NODE, &terminal("session_rate = 1")).is_empty(), "a login has to fit in");
}

#[test]
fn sessions_with_a_limit_that_may_begin_without_one_are_warned_about() {
    let found = warnings(&limits("new_session_rate = 0"), ACME);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("limits.new_session_rate: sessions are limited, but not how many begin"), "{found:?}");
    assert!(warnings(&limits("new_session_rate = 0\nsession_rate = 0"), ACME).is_empty());
}

#[test]
fn what_tells_sessions_apart_is_named_as_in_the_dictionaries() {
    let acme = terminal(
        "session_identity = [\"calling-station-id\", \"3GPP-IMSI\", \"Chargeable-User-Identity\", \"User-Name\"]",
    );
    let client = taken(&documents(NODE, &[("acme", &acme)])).1.remove(0).clients.remove(0);
    assert_eq!(client.session_identity, [CALLING_STATION_ID, IMSI, 89, USER_NAME]);
    for (list, says) in [
        ("[]", "client[0].session_identity: is an empty list, so no session would be told from another. Leave it out"),
        ("[\"Caling-Station-Id\"]", "client[0].session_identity[0]: \"Caling-Station-Id\" is no attribute"),
        ("[\"User-Name\", \"user-name\"]", "client[0].session_identity[1]: is in the list already. Take it out"),
        ("[\"User-Password\"]", "User-Password is hidden, or is another one in each request"),
        ("[\"State\"]", "State is hidden, or is another one in each request"),
        ("[\"Acct-Status-Type\"]", "Acct-Status-Type says what happens to a session, not which it is"),
        ("[\"Vendor-Specific\"]", "Vendor-Specific is the attribute of all vendors alike. Say \"3GPP-IMSI\""),
        (
            "[\"3GPP-IMEISV\"]",
            "3GPP-IMEISV lies within another attribute, where the gate does not look. Name an attribute",
        ),
        (
            "[\"User-Name\", \"NAS-Identifier\", \"NAS-Port\", \"NAS-Port-Id\", \"Calling-Station-Id\"]",
            "client[0].session_identity: names 5 attributes. Name at most 4, the best ones first.",
        ),
        ("\"User-Name\"", "client[0].session_identity: should be a list of strings, but is a string"),
    ] {
        customer_refused("[[client]]\n", &format!("[[client]]\nsession_identity = {list}\n"), &[says]);
    }
}

#[test]
fn a_node_has_so_many_kinds_of_session_identity() {
    let names = [
        "User-Name",
        "Calling-Station-Id",
        "Acct-Session-Id",
        "NAS-Port",
        "NAS-Port-Id",
        "Called-Station-Id",
        "NAS-Port-Type",
    ];
    let mut lists = Vec::new();
    for a in names {
        for b in names.into_iter().filter(|b| *b != a) {
            for c in names.into_iter().filter(|c| *c != a && *c != b) {
                for d in names.into_iter().filter(|d| ![a, b, c].contains(d)) {
                    lists.push(format!("[{a:?}, {b:?}, {c:?}, {d:?}]"));
                }
            }
        }
    }
    let clients = |n: usize| {
        let one = |(i, list): (usize, &String)| {
            let (high, low) = (i / 250, i % 250);
            format!(
                "[[client]]\ncontract = \"nas-{i}\"\naddress = \"10.0.{high}.{low}\"\nsecret = \"a secret of sixteen\"\nsession_identity = {list}\n"
            )
        };
        format!("{ACME}{}", lists.iter().take(n).enumerate().map(one).collect::<String>())
    };
    taken(&documents(NODE, &[("acme", &clients(249))]));
    let says = "client[250].session_identity: there are 251 different lists of these, and the gate has room for 250";
    crate::common::refused(&documents(NODE, &[("acme", &clients(250))]), &[says]);
}
