//! Where CoA and Disconnect are taken, and which terminal they go to.

use crate::common::{ACME, NODE, documents, node_refused, refused, taken, with};
use sekisho_config::Ports;

const SENDER: &str =
    "[[dynauth]]\nname = \"acme-policy\"\naddress = \"192.0.2.50\"\nsecret = \"a secret of sixteen\"\n";

/// A node that takes CoA.
fn node() -> String {
    with(NODE, "accounting = 1813\n", "accounting = 1813\ndynauth = 3799\n")
}

/// A customer with two terminals that take CoA, and a server that sends it; both have these keys.
fn two_terminals(first: &str, second: &str) -> String {
    let one = with(ACME, "[[client]]\n", &format!("[[client]]\ndynauth = 3799\n{first}"));
    let other = "contract = \"b\"\naddress = \"192.0.2.2\"\nsecret = \"a secret of sixteen, too\"\n";
    format!("{one}[[client]]\ndynauth = 3799\n{second}{other}{SENDER}")
}

#[test]
fn a_listener_may_be_for_coa_alone() {
    let text = with(NODE, "auth = 1812\naccounting = 1813\n", "dynauth = 3799\n");
    let listener = taken(&documents(&text, &[("acme", ACME)])).0.listeners.remove(0);
    assert_eq!((listener.ports, listener.dynauth), (Ports::Neither, Some(3799)));
    assert_eq!(listener.each_port().collect::<Vec<_>>(), [("dynauth", 3799)]);
    let twice = "[[listener]]\naddress = \"198.51.100.1\"\ndynauth = 1812\n[[listener]]\naddress = \"198.51.100.1\"\n";
    node_refused(
        "[[listener]]\naddress = \"198.51.100.1\"\n",
        twice,
        &["listener[1].auth: 198.51.100.1 listens on 1812 already"],
    );
}

#[test]
fn terminals_that_a_coa_cannot_tell_apart_are_warned_about() {
    let apart = two_terminals("nas_identifiers = [\"a\"]\n", "nas_identifiers = [\"b\"]\n");
    let apart = documents(&node(), &[("acme", &apart)]);
    assert!(apart.warnings().is_empty(), "{:?}", apart.warnings());
    let alike =
        two_terminals("nas_identifiers = [\"a\"]\n", "nas_identifiers = [\"a\"]\nnas_addresses = [\"192.0.2.1\"]\n");
    let warnings = documents(&node(), &[("acme", &alike)]).warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].contains("client[1].nas_identifiers: \"a\" is another terminal's too, at "), "{warnings:?}");
    assert!(warnings[1].contains("client[1].nas_addresses: \"192.0.2.1\" is another terminal's too"), "{warnings:?}");
}

#[test]
fn a_terminal_that_nobody_sends_coa_to_is_warned_about() {
    let text = with(ACME, "[[client]]\n", "[[client]]\ndynauth = 3799\n");
    let warnings = documents(&node(), &[("acme", &text)]).warnings();
    assert!(
        warnings[0].contains("client[0].dynauth: nobody of this customer sends CoA and Disconnect"),
        "{warnings:?}"
    );
}

#[test]
fn names_of_a_nas_that_nothing_goes_by_are_warned_about() {
    let text = with(ACME, "[[client]]\n", "[[client]]\nnas_identifiers = [\"a\"]\n");
    let warnings = documents(NODE, &[("acme", &text)]).warnings();
    assert!(warnings[0].contains("client[0].nas_identifiers: is given, but nothing is checked"), "{warnings:?}");
    let checked = with(&text, "[[client]]\n", "[[client]]\ncheck_nas = true\n");
    assert!(documents(NODE, &[("acme", &checked)]).warnings().is_empty());
}

#[test]
fn answers_of_two_terminals_are_told_apart_by_their_address_and_port() {
    let domain = "[[domain]]\nname = \"south\"\n[[domain.ingress]]\ninterface = \"eth2\"\n";
    let node = with(&node(), "[[listener]]\naddress = \"198", &format!("{domain}[[listener]]\naddress = \"198"));
    let acme = with(ACME, "[[client]]\n", "[[client]]\ndynauth = 3799\n");
    let other = with(&crate::common::other(), "[[client]]\n", "[[client]]\ndynauth = 3799\n");
    let other = with(&other, "\"192.0.2.2\"", "\"192.0.2.1\"");
    let within = |text: &str, domain: &str| text.replace("\nsecret", &format!("\ndomain = \"{domain}\"\nsecret"));
    let clash = documents(&node, &[("acme", &within(&acme, "default")), ("other", &within(&other, "south"))]);
    refused(&clash, &["client[0].dynauth: another terminal takes CoA and Disconnect at 192.0.2.1:3799 already, at "]);
    let apart = with(&other, "dynauth = 3799", "dynauth = 3800");
    taken(&documents(&node, &[("acme", &within(&acme, "default")), ("other", &within(&apart, "south"))]));
}

#[test]
fn our_own_listener_takes_no_coa_as_a_terminal() {
    let text = with(ACME, "\"192.0.2.1\"", "\"198.51.100.1\"\ndynauth = 3799");
    refused(
        &documents(&node(), &[("acme", &text)]),
        &["client[0].dynauth: 198.51.100.1:3799 is our own listener, at ", "requests would go round for ever"],
    );
}
