//! What the gate charges a source to: whose buckets, how deep, and what tells sessions apart.

use crate::common::{NODE, contract, customer, documents, first, reload};
use sekisho_abi::{BucketParams, Identity, Limits, Roles, Source, SourceKey, address_bytes, numbers};
use sekisho_service::{CompileError, Compiled};

/// What the gate has of an address in the north.
fn source(compiled: &Compiled, address: &str) -> Source {
    let key = SourceKey { domain: numbers::domain("north"), address: address_bytes(address.parse().unwrap()) };
    compiled.snapshot.gate.sources[&key]
}

/// The customer with keys at its terminal, and more tables.
fn acme(terminal: &str, more: &str) -> String {
    let text = customer("acme", "north", "192.0.2.1").replacen("[[client]]\n", &format!("[[client]]\n{terminal}\n"), 1);
    format!("{text}{more}")
}

fn compiled(node: &str, customer: &str) -> Compiled {
    first(&documents(node, &[("acme", customer)])).unwrap()
}

const SENDER: &str = "[[dynauth]]\nname = \"acme-policy\"\naddress = \"10.0.0.9\"\ndomain = \"north\"\n\
                      secret = \"secret of acme's policy server\"\nclient_rate = 7\nclient_burst = 8\n";

#[test]
fn a_terminal_is_charged_to_its_contract_by_the_nodes_limits() {
    let terminal = source(&compiled(NODE, &acme("", "")), "10.0.0.1");
    let limits = Limits {
        client: BucketParams::per_second(10_000, 20_000),
        session: BucketParams::per_second(20, 100),
        new_session: BucketParams::per_second(5_000, 10_000),
    };
    assert_eq!((terminal.limits, terminal.identity), (limits, Identity::CLIENT));
    assert_eq!(terminal.owner, numbers::owner("acme", "acme-nas"));
}

#[test]
fn a_contract_has_limits_and_an_identity_of_its_own() {
    let keys =
        "client_rate = 0\nsession_rate = 3\nsession_burst = 40\nsession_identity = [\"3GPP-IMSI\", \"User-Name\"]";
    let terminal = source(&compiled(NODE, &acme(keys, "")), "10.0.0.1");
    assert!(!terminal.limits.client.limits(), "no limit");
    assert_eq!(terminal.limits.session, BucketParams::per_second(3, 40));
    assert_eq!(terminal.limits.new_session, BucketParams::per_second(5_000, 10_000));
    assert_eq!(terminal.identity, Identity([26, 1, 0, 0]));
}

#[test]
fn a_home_server_is_charged_to_nobody() {
    let server = source(&compiled(NODE, &acme("", "")), "192.0.2.1");
    assert_eq!((server.roles, server.owner, server.id), (Roles::HOME_SERVER, 0, Source::NO_ID));
    assert_eq!(server.limits, Limits::NONE);
}

#[test]
fn a_terminal_that_is_a_home_server_too_stays_charged() {
    let both = source(&compiled(NODE, &acme("", "").replace("\"192.0.2.1\"", "\"10.0.0.1\"")), "10.0.0.1");
    assert_eq!(both.roles, Roles::CLIENT.with(Roles::HOME_SERVER));
    assert_eq!(both.owner, numbers::owner("acme", "acme-nas"));
}

#[test]
fn a_sender_of_coa_has_a_limit_and_no_sessions() {
    let sender = source(&compiled(NODE, &acme("", SENDER)), "10.0.0.9");
    assert_eq!((sender.roles, sender.id), (Roles::DYNAUTH, Source::NO_ID));
    assert_eq!(sender.owner, numbers::owner("acme", "acme-policy"));
    assert_eq!(sender.limits, Limits { client: BucketParams::per_second(7, 8), ..Limits::NONE });
    assert_eq!(sender.identity, Identity::NONE);
}

#[test]
fn a_sender_of_coa_at_a_terminals_address_is_charged_as_the_terminal_whoever_comes_first() {
    let at_terminal = SENDER.replace("10.0.0.9", "10.0.0.1");
    let own = compiled(NODE, &acme("", &at_terminal));
    let sender = customer("zebra", "north", "192.0.2.2").replace("10.0.0.1", "10.0.0.2");
    let others = |terminals: &str, senders: &str| {
        let sender = format!("{sender}{}", SENDER.replace("10.0.0.9", "10.0.0.1").replace("acme", "zebra"));
        first(&documents(NODE, &[(terminals, &acme("", "")), (senders, &sender)])).unwrap()
    };
    for compiled in [own, others("a", "b"), others("b", "a")] {
        let both = source(&compiled, "10.0.0.1");
        assert_eq!(both.roles, Roles::CLIENT.with(Roles::DYNAUTH));
        assert_eq!(contract(&compiled.snapshot, both.id), "acme-nas");
        assert_eq!((both.owner, both.identity), (numbers::owner("acme", "acme-nas"), Identity::CLIENT));
        assert!(both.limits.session.limits());
    }
}

#[test]
fn a_reload_changes_limits_and_not_whose_buckets_they_are() {
    let before = compiled(NODE, &acme("", ""));
    let node = format!("{NODE}[limits]\nclient_rate = 50\nclient_burst = 60\n");
    let after = reload(&before, &documents(&node, &[("acme", &acme("", ""))])).unwrap();
    let (old, new) = (source(&before, "10.0.0.1"), source(&after, "10.0.0.1"));
    assert_eq!((new.owner, new.id), (old.owner, old.id));
    assert_eq!(new.limits.client, BucketParams::per_second(50, 60));
    assert_eq!(new.limits.session, old.limits.session);
}

#[test]
fn a_process_that_starts_anew_gives_domains_and_contracts_the_same_numbers() {
    let other = customer("aardvark", "south", "192.0.2.7");
    let alone = compiled(NODE, &acme("", ""));
    let beside = first(&documents(NODE, &[("a", &other), ("b", &acme("", ""))])).unwrap();
    assert_ne!(source(&alone, "10.0.0.1").id, source(&beside, "10.0.0.1").id, "the engine's own number");
    assert_eq!(source(&alone, "10.0.0.1").owner, source(&beside, "10.0.0.1").owner);
    let turned = NODE.replace("\"north\"", "\"x\"").replace("\"south\"", "\"north\"").replace("\"x\"", "\"south\"");
    let south = first(&documents(&turned, &[])).unwrap();
    let domain = |compiled: &Compiled, interface| compiled.snapshot.ingress(interface).unwrap().domain;
    assert_eq!(domain(&alone, 200), domain(&south, 100), "whatever the order of the document");
}

#[test]
fn the_same_contract_of_another_customer_has_buckets_of_its_own() {
    let first_owner = source(&compiled(NODE, &acme("", "")), "10.0.0.1").owner;
    let renamed = acme("", "").replace("name = \"acme\"", "name = \"other\"");
    assert_ne!(source(&compiled(NODE, &renamed), "10.0.0.1").owner, first_owner);
}

/// Two names whose numbers are the same.
const ALIKE: [&str; 2] = ["vlan-88807", "vlan-129434"];

#[test]
fn two_domains_of_the_same_number_are_refused_and_both_named() {
    let [one, other] = ALIKE;
    assert_eq!(numbers::domain(one), numbers::domain(other));
    let node = NODE.replace("\"north\"", &format!("{one:?}")).replace("\"south\"", &format!("{other:?}"));
    let errors = first(&documents(&node, &[])).unwrap_err();
    assert_eq!(errors.0, [CompileError::SameDomainNumber { one: one.to_owned(), other: other.to_owned() }]);
    let says =
        format!("domains {one:?} and {other:?} are the same to the gate, by chance. Give one of them another name.");
    assert_eq!(errors.to_string(), says);
}
