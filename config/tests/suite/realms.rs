//! A realm belongs to one customer and is served by one contract.

use crate::common::{ACME, NODE, customer_refused, customer_taken, documents, other, refused, taken, with};
use sekisho_config::Selector;

#[test]
fn a_realm_is_kept_in_its_canonical_form() {
    for (written, canonical) in [
        ("ACME.Example.", "acme.example"),
        ("ａｃｍｅ.example", "acme.example"),
        ("東京.example", "xn--1lqs71d.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("bu\\u0308cher.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
    ] {
        assert_eq!(customer_taken("acme.example", written).realms[0].to_string(), canonical, "{written}");
    }
}

#[test]
fn each_selector_is_a_realm_of_its_own() {
    let text = with(ACME, "[[client]]", "[[realm]]\nprefix = \"acme\"\n[[realm]]\napn = \"internet.acme\"\n[[client]]");
    let acme = taken(&documents(NODE, &[("acme", &text)])).1.remove(0);
    let realms: Vec<String> = acme.realms.iter().map(ToString::to_string).collect();
    assert_eq!(realms, ["acme.example", "prefix:acme", "apn:internet.acme"]);
    assert_eq!(acme.realms[1].selector, Selector::Prefix);
    assert_eq!(acme.proxies[0].realms, acme.realms, "left out, `realms` is all of them");
}

#[test]
fn what_is_no_realm_is_refused() {
    for (written, says) in [
        ("", "cannot be a realm: it is empty"),
        (".", "cannot be a realm"),
        ("a..example", "cannot be a realm"),
        ("@acme.example", "holds a delimiter"),
        ("acme/", "holds a delimiter"),
        ("acme example", "holds a space or a control character"),
        ("*.example", "holds a character that no realm has; a regular expression stands under `pattern`"),
    ] {
        customer_refused("acme.example", written, &["realm[0].suffix: ", says]);
    }
    customer_refused(
        "suffix = \"acme.example\"",
        "",
        &["customers/acme.toml:4:1: realm[0]: says nothing of where it is found. Give one of `suffix`"],
    );
    let both = "suffix = \"acme.example\"\napn = \"acme\"";
    customer_refused("suffix = \"acme.example\"", both, &["realm[0].apn: stands beside `suffix`"]);
}

#[test]
fn a_realm_belongs_to_one_customer_however_it_is_written() {
    for alike in ["acme.example", "ACME.example.", "Ａcme.EXAMPLE", "acme。example"] {
        let squatter = with(&other(), "other.example", alike);
        let says = ["customers/other.toml:5:10: realm[0].suffix: \"acme.example\" is another customer's realm, at "];
        refused(&documents(NODE, &[("acme", ACME), ("other", &squatter)]), &says);
    }
    let other_selector = with(&other(), "suffix = \"other.example\"", "prefix = \"acme.example\"");
    refused(&documents(NODE, &[("acme", ACME), ("other", &other_selector)]), &["is another customer's realm"]);
    taken(&documents(NODE, &[("acme", ACME), ("other", &with(&other(), "other.example", "b.acme.example"))]));
}

#[test]
fn a_realm_is_named_once_by_its_own_customer() {
    let twice = with(ACME, "[[client]]", "[[realm]]\nsuffix = \"Acme.Example\"\n[[client]]");
    let faults = documents(NODE, &[("acme", &twice)]).faults();
    assert!(
        faults[0].contains("realm[1].suffix: \"acme.example\" is a realm of this customer already, at "),
        "{faults:?}"
    );
}

#[test]
fn a_proxy_contract_serves_realms_of_its_own_customer() {
    let serving =
        |realms: &str| with(ACME, "contract = \"acme-proxy\"", &format!("contract = \"p\"\nrealms = {realms}"));
    refused(
        &documents(NODE, &[("acme", &serving("[\"acme.example\", \"other.example\"]")), ("other", &other())]),
        &[
            "proxy[0].realms[1]: \"other.example\" is no realm of this customer. Add it as [[realm]] first, or say one of: \"acme.example\".",
        ],
    );
    refused(&documents(NODE, &[("acme", &serving("[]"))]), &["proxy[0].realms: is an empty list"]);
    refused(
        &documents(NODE, &[("acme", &serving("[\"acme.example\", \"ACME.example\"]"))]),
        &["is in the list already"],
    );
    assert_eq!(taken(&documents(NODE, &[("acme", &serving("[\"Acme.Example.\"]"))])).1[0].proxies[0].realms.len(), 1);
    customer_refused(
        "[[realm]]\nsuffix = \"acme.example\"\n",
        "",
        &["proxy[0]: the customer has no realm that this contract"],
    );
}

#[test]
fn a_faulty_realm_does_not_make_the_contract_that_names_it_faulty_too() {
    let text = with(ACME, "contract = \"acme-proxy\"", "contract = \"p\"\nrealms = [\"acme.example\"]");
    let text = with(&text, "suffix = \"acme.example\"", "sufix = \"acme.example\"");
    let faults = documents(NODE, &[("acme", &text)]).faults();
    assert!(faults.iter().all(|fault| fault.contains(": realm[0]")), "{faults:?}");
}

#[test]
fn a_realm_is_served_by_one_contract() {
    let more = "\n[[proxy]]\ncontract = \"second\"\n[[proxy.server]]\nname = \"b\"\naddress = \"192.0.2.101\"\nsecret = \"a secret of sixteen\"\n";
    let text = format!("{ACME}{more}");
    refused(
        &documents(NODE, &[("acme", &text)]),
        &["proxy[1].realms: \"acme.example\" is served by another proxy contract already, at "],
    );
    let apart =
        with(&text, "suffix = \"acme.example\"", "suffix = \"acme.example\"\n[[realm]]\nsuffix = \"b.example\"");
    let apart = with(&apart, "\"acme-proxy\"", "\"acme-proxy\"\nrealms = [\"acme.example\"]");
    let apart = with(&apart, "\"second\"", "\"second\"\nrealms = [\"b.example\"]");
    assert_eq!(taken(&documents(NODE, &[("acme", &apart)])).1[0].proxies.len(), 2);
}

#[test]
fn a_realm_that_no_contract_serves_is_warned_about() {
    let text = with(ACME, "[[client]]", "[[realm]]\napn = \"spare\"\n[[client]]");
    let text = with(&text, "\"acme-proxy\"", "\"acme-proxy\"\nrealms = [\"acme.example\"]");
    let warnings = documents(NODE, &[("acme", &text)]).warnings();
    assert!(
        warnings[0].contains("realm[1].apn: no contract serves \"apn:spare\", so it is rejected. Put \"spare\" into"),
        "{warnings:?}"
    );
}
