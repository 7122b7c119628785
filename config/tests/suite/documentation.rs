//! What a new operator reads is true: the examples pass the check, and the defaults on the page are the parser's.

use std::path::Path;

use crate::common::{
    ACME, BALANCED, HOSTED, NODE, documents, held, held_taken, taken, tunnel_taken, tunnel_warned, with,
};
use sekisho_config::{CustomersFrom, Selector, load, load_node};

const PAGE: &str = include_str!("../../../docs/configuration.md");

#[test]
fn the_examples_pass_the_check() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let (node, customers, _) = load(&path, &|_| None).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!((node.name.as_str(), node.admin.to_string()), ("trial", "127.0.0.1:9812".into()));
    assert_eq!(node.probes[0].user, "alice@acme.example");
    let [acme] = customers.as_slice() else { panic!("{customers:?}") };
    assert_eq!(acme.serviceable(), Ok(()));
    assert_eq!(acme.realms[0].selector, Selector::Suffix);
}

#[test]
fn the_examples_for_vpdn_pass_the_check_without_a_warning() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/vpdn");
    let (node, customers, warnings) = load(&path, &|_| None).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(warnings, []);
    assert_eq!((node.name.as_str(), node.access_networks.len()), ("trial-vpdn", 1));
    let [acme] = customers.as_slice() else { panic!("{customers:?}") };
    assert_eq!(acme.serviceable(), Ok(()));
    let [contract] = acme.vpdn.as_slice() else { panic!("{:?}", acme.vpdn) };
    assert_eq!((acme.lnss.len(), contract.lnss().count()), (3, 3));
    assert!(contract.balancing.is_some());
}

#[test]
fn the_examples_are_found_by_their_directory_or_by_the_nodes_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let by_file = load(&path.join("sekisho.toml"), &|_| None).unwrap();
    assert_eq!(load(&path, &|_| None).unwrap(), by_file);
}

#[test]
fn a_default_of_the_page_written_out_changes_nothing() {
    let plain = taken(&documents(NODE, &[("acme", ACME)]));
    let mut node = NODE.to_owned();
    for heading in ["[upstream]", "[xdp]", "[limits]", "[journal]", "[sessions]", "[l2tp]", "[admin]"] {
        node = format!("{node}{heading}\n{}", defaults(heading));
    }
    node = with(&node, "[node]\n", &format!("[node]\n{}", defaults("[node]")));
    node = with(&node, "auth = 1812\naccounting", &format!("{}auth = 1812\naccounting", defaults("[[listener]]")));
    let mut acme = ACME.to_owned();
    for heading in ["[[client]]", "[[proxy]]", "[[proxy.server]]"] {
        acme = with(&acme, heading, &format!("{heading}\n{}", defaults(heading)));
    }
    let written = documents(&node, &[("acme", &acme)]);
    let (mut node, customers) = taken(&written);
    node.customers.clone_from(&plain.0.customers);
    node.secrets.clone_from(&plain.0.secrets);
    node.state.clone_from(&plain.0.state);
    node.journal.directory.clone_from(&plain.0.journal.directory);
    assert_eq!((node, customers), plain);
    assert_eq!(defaults("[limits]").lines().count(), 11);
    assert_eq!(defaults("[xdp]").lines().count(), 6);
    assert_eq!(defaults("[[proxy.server]]").lines().count(), 11);
    assert_eq!((defaults("[journal]").lines().count(), defaults("[sessions]").lines().count()), (6, 6));
}

#[test]
fn a_default_of_vpdn_written_out_changes_nothing() {
    let plain = tunnel_taken(BALANCED);
    let mut written = with(BALANCED, "strategy = \"round-robin\"\n", "");
    written = with(&written, "[customer]\n", &format!("[customer]\n{}", defaults("[customer]")));
    written = with(&written, "name = \"nagoya\"\n", &format!("name = \"nagoya\"\n{}", defaults("[[lns]]")));
    for heading in ["[[vpdn]]", "[vpdn.load_balancing]", "[[vpdn.load_balancing.tier]]"] {
        written = with(&written, heading, &format!("{heading}\n{}", defaults(heading)));
    }
    assert_eq!(tunnel_taken(&written), plain);
    let count = |heading| defaults(heading).lines().count();
    assert_eq!((count("[customer]"), count("[[lns]]"), count("[[vpdn]]")), (2, 9, 3));
    assert_eq!((count("[vpdn.load_balancing]"), count("[[vpdn.load_balancing.tier]]")), (9, 1));
}

#[test]
fn the_contract_of_the_page_is_taken() {
    let (_, example) = PAGE.split_once("```toml\n[[vpdn]]").unwrap();
    let example = format!("[[vpdn]]{}", example.split("```").next().unwrap());
    let (head, _) = BALANCED.split_once("[[vpdn]]").unwrap();
    let text =
        head.replace("\"tokyo\"", "\"tokyo-1\"").replace("\"osaka\"", "\"tokyo-2\"").replace("nagoya", "osaka-1");
    tunnel_warned(&format!("{text}{example}"), &[]);
}

#[test]
fn an_access_networks_defaults_of_the_page_written_out_change_nothing() {
    let heading = "[[access_network]]";
    let node = |keys: &str| {
        let secret = "secret = \"secret of the carrier\"";
        let text = format!(
            "{NODE}{heading}\nname = \"carrier\"\ntype = \"D\"\naddresses = [\"203.0.113.1\"]\n{secret}\n{keys}"
        );
        taken(&documents(&text, &[("acme", ACME)])).0.access_networks
    };
    assert_eq!(node(&defaults(heading)), node(""));
    assert_eq!(defaults(heading).lines().count(), 20);
}

#[test]
fn the_policy_of_the_page_is_taken() {
    let (_, example) = PAGE.split_once("```toml\n[[policy]]").unwrap();
    let example = format!("[[policy]]{}", example.split("```").next().unwrap());
    let text = with(ACME, "[[client]]\n", "[[client]]\nreply_policy = \"from-partners\"\n");
    let loaded = documents(NODE, &[("acme", &format!("{text}{example}"))]);
    assert!(loaded.warnings().is_empty(), "{:?}", loaded.warnings());
    let (_, customers) = taken(&loaded);
    assert_eq!(customers[0].clients[0].policies.reply.as_ref().unwrap().rules().len(), 7);
}

#[test]
fn a_default_of_the_registry_and_of_hosted_accounts_written_out_changes_nothing() {
    let node = |text: &str| {
        let held = documents(&format!("{NODE}{text}"), &[]);
        let (mut node, warnings) = load_node(held.path(), &|_| None).unwrap_or_else(|faults| panic!("{faults}"));
        let CustomersFrom::Registry(registry) = &mut node.customers else { panic!("{:?}", node.customers) };
        assert_eq!(warnings, []);
        (registry.time_zone.clone(), node.hosted)
    };
    let written = format!("[registry]\n{}[hosted]\n{}", defaults("[registry]"), defaults("[hosted]"));
    assert_eq!(node(&written), node("[registry]\n"));
    assert_eq!((defaults("[registry]").lines().count(), defaults("[hosted]").lines().count()), (1, 7));
    let keys = format!(
        "[[group]]\n{}fees = {{ {} }}\n",
        defaults("[[group]]"),
        defaults("[contract.fees]").trim().replace('\n', ", ")
    );
    assert_eq!(held_taken(&with(HOSTED, "[[group]]\n", &keys)), held_taken(HOSTED));
    assert_eq!((defaults("[[group]]").lines().count(), defaults("[contract.fees]").lines().count()), (3, 3));
}

#[test]
fn the_group_and_the_operators_document_of_the_page_are_taken() {
    let example = |begin: &str| {
        let (_, example) = PAGE.split_once(&format!("```toml\n{begin}\n")).unwrap();
        format!("{begin}\n{}", example.split("```").next().unwrap())
    };
    let (head, _) = HOSTED.split_once("[[group]]").unwrap();
    let customer = held_taken(&format!("{head}{}", example("[[group]]")));
    assert_eq!((customer.groups[0].accounts, customer.groups[0].agreement.fees.monthly), (500, 5_000));
    let held = held(NODE, &[]).and_operator(&example("[operator]"));
    held.node().file("secrets/mobile-d", "a secret of sixteen", 0o600);
    assert_eq!(held.taken().0.access_networks[0].name, "mobile-d");
}

/// Every key of a table of the page whose default is one plain value, as a document writes it.
fn defaults(heading: &str) -> String {
    let (_, part) = PAGE.split_once(&format!("\n### `{heading}`\n")).unwrap();
    let part = part.split("\n#").next().unwrap();
    let code =
        |cell: &str| cell.strip_prefix('`')?.strip_suffix('`').filter(|code| !code.contains('`')).map(str::to_owned);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let [key, _, default, ..] = cells.as_slice() else { return None };
        Some(format!("{} = {}\n", code(key.strip_prefix("| ")?)?, code(default)?))
    };
    part.lines().filter_map(row).collect()
}
