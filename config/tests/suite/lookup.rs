//! How the realm of an access network's request is found, what only asks whether we are there, and what an Accept looks like.

use crate::common::{ACME, NETWORK, NODE, TUNNEL, documents, refused, taken, with};
use sekisho_config::{
    AccessNetwork, LookupMode, NetworkAccounting, RealmPlace, ServiceType, SessionKey, TunnelSets, Unclaimed,
};

/// The node with keys at its access network.
fn node(keys: &str) -> String {
    with(&format!("{NODE}{NETWORK}"), "type = \"D\"\n", &format!("type = \"D\"\n{keys}\n"))
}

/// The customer with further realms.
fn realms(more: &str) -> String {
    with(TUNNEL, "[[lns]]", &format!("{more}\n[[lns]]"))
}

#[track_caller]
fn network(keys: &str) -> AccessNetwork {
    taken(&documents(&node(keys), &[("acme", TUNNEL)])).0.access_networks.remove(0)
}

#[track_caller]
fn network_refused(keys: &str, says: &str) {
    refused(&documents(&node(keys), &[("acme", TUNNEL)]), &["sekisho.toml:", "access_network[0].", says]);
}

#[track_caller]
fn network_warned(keys: &str, customer: &str, says: &[&str]) {
    let warnings = documents(&node(keys), &[("acme", customer)]).warnings();
    assert_eq!(warnings.len(), says.len(), "{warnings:#?}");
    for (warning, says) in warnings.iter().zip(says) {
        assert!(warning.contains(says), "{says:?} is not in {warning}");
    }
}

#[test]
fn what_is_left_out_has_its_default() {
    let carrier = network("");
    assert_eq!((carrier.lookup.mode, carrier.lookup.places.as_slice()), (LookupMode::User, &[RealmPlace::Suffix][..]));
    assert!(carrier.lookup.default_realm.is_none() && carrier.lookup.default_realms.is_empty());
    assert!(carrier.lookup.outer_suffix.is_none());
    assert!(carrier.keepalive.users.is_empty() && !carrier.keepalive.accept);
    assert_eq!((carrier.accept.sets, carrier.accept.max_alternatives), (TunnelSets::Tagged, 8));
    assert_eq!((carrier.accept.service_type, carrier.accept.framed_protocol_ppp), (None, false));
    let accounting = NetworkAccounting {
        session_key: SessionKey::AcctSessionId,
        multi_bearer: false,
        tunnel_links: false,
        unclaimed: Unclaimed::Record,
    };
    assert_eq!((carrier.accounting, carrier.disconnect_port), (accounting, None));
    network_warned("", TUNNEL, &[]);
}

#[test]
fn every_key_is_taken() {
    let keys = r#"realms_by = ["apn", "prefix", "suffix"]
lookup = "domain"
default_realm = "ACME.example."
outer_suffix = "carrier.example"
probe_users = ["keepalive", "probe@carrier.example"]
probe_answer = "accept"
tunnel_sets = "untagged"
max_alternatives = 1
service_type = "outbound"
framed_protocol = "ppp"
session_key = "3gpp-charging-id"
multi_bearer = false
tunnel_links = true
disconnect_port = 3799
unclaimed_accounting = "silence"
default_realms = { "Internet.Example" = "acme.example", iot = "acme.example" }"#;
    let carrier = network(keys);
    assert_eq!(carrier.lookup.places, [RealmPlace::Apn, RealmPlace::Prefix, RealmPlace::Suffix]);
    assert_eq!(carrier.lookup.mode, LookupMode::Domain);
    assert_eq!(carrier.lookup.default_realm.as_ref().unwrap().as_str(), "acme.example");
    assert_eq!(carrier.lookup.outer_suffix.as_ref().unwrap().as_str(), "carrier.example");
    let by_apn: Vec<_> =
        carrier.lookup.default_realms.iter().map(|(apn, realm)| (apn.as_str(), realm.as_str())).collect();
    assert_eq!(by_apn, [("internet.example", "acme.example"), ("iot", "acme.example")]);
    assert_eq!((carrier.keepalive.users.len(), carrier.keepalive.accept), (2, true));
    assert_eq!((carrier.accept.sets, carrier.accept.max_alternatives), (TunnelSets::Untagged, 1));
    assert_eq!((carrier.accept.service_type, carrier.accept.framed_protocol_ppp), (Some(ServiceType::Outbound), true));
    assert_eq!((carrier.accounting.session_key, carrier.accounting.multi_bearer), (SessionKey::ChargingId, false));
    assert!(carrier.accounting.tunnel_links);
    assert_eq!((carrier.accounting.unclaimed, carrier.disconnect_port), (Unclaimed::Silence, Some(3799)));
    assert!(network("session_key = \"3gpp-charging-id\"").accounting.multi_bearer, "the default there");
    assert_eq!(network("service_type = \"framed\"").accept.service_type, Some(ServiceType::Framed));
    assert_eq!(network("lookup = \"dnis\"").lookup.mode, LookupMode::Dnis);
}

#[test]
fn each_fault_is_told_with_its_place_and_remedy() {
    for (keys, says) in [
        ("realms_by = []", "realms_by: is an empty list. Name at least one of"),
        ("realms_by = [\"realm\"]", "realms_by[0]: \"realm\" is none of the words known here. Say \"suffix\" or"),
        ("realms_by = [\"apn\", \"apn\"]", "realms_by[1]: \"apn\" is in the list already. Take it out"),
        (
            "lookup = \"name\"",
            "lookup: \"name\" is none of the words known here. Say \"user\" or \"domain\" or \"dnis\".",
        ),
        ("default_realm = \"b.example\"", "default_realm: \"b.example\" is no realm of any customer. Name a realm"),
        ("default_realm = \"a@b\"", "default_realm: \"a@b\" holds a delimiter"),
        (
            "default_realms = \"acme.example\"",
            "default_realms: should be a table, but is a string. Begin it with [access_network.default_realms].",
        ),
        ("default_realms = { a = 1 }", "default_realms.a: is no realm. Write the realm in double quotes."),
        ("default_realms = { a = \"b.example\" }", "default_realms.a: \"b.example\" is no realm of any customer"),
        ("default_realms = { \"a b\" = \"acme.example\" }", "default_realms.a b: \"a b\" holds a space"),
        (
            "default_realms = { a = \"acme.example\", A = \"acme.example\" }",
            "is in the table already, written in another way. Keep one",
        ),
        ("outer_suffix = \"\"", "outer_suffix: \"\" cannot be a realm"),
        ("probe_users = [\"\"]", "probe_users[0]: has 0 octets. A User-Name has 1 to 253."),
        ("probe_users = [\"a\", \"a\"]", "probe_users[1]: \"a\" is in the list already"),
        ("probe_users = [\"a\"]\nprobe_answer = \"yes\"", "probe_answer: \"yes\" is none of the words known here"),
        ("tunnel_sets = \"cisco\"", "tunnel_sets: \"cisco\" is none of the words known here"),
        ("max_alternatives = 9", "max_alternatives: 9 is out of bounds. Give a number from 1 to 8."),
        (
            "tunnel_sets = \"single\"\nmax_alternatives = 2",
            "max_alternatives: 2 alternatives need a Tag each, and `tunnel_sets = \"single\"` has one set. Say 1",
        ),
        ("service_type = \"login\"", "service_type: \"login\" is none of the words known here"),
        ("framed_protocol = \"slip\"", "framed_protocol: \"slip\" is none of the words known here"),
        ("session_key = \"imsi\"", "session_key: \"imsi\" is none of the words known here"),
        ("tunnel_links = 1", "tunnel_links: should be true or false"),
        ("multi_bearer = \"yes\"", "multi_bearer: should be true or false"),
        ("unclaimed_accounting = \"drop\"", "unclaimed_accounting: \"drop\" is none of the words known here"),
    ] {
        network_refused(keys, says);
    }
    for sets in ["single", "untagged", "cisco-avpair"] {
        assert_eq!(network(&format!("tunnel_sets = {sets:?}")).accept.max_alternatives, 1);
    }
}

#[test]
fn a_default_realm_is_one_that_an_access_network_can_find() {
    let own = realms("[[realm]]\npattern = '^x$'\nname = \"all\"\n[[realm]]\ndefault = true");
    for name in ["all", "default"] {
        let loaded = documents(&node(&format!("default_realm = {name:?}")), &[("acme", &own)]);
        refused(
            &loaded,
            &["default_realm: ", "is for a customer's own terminals, and no access network ever finds it"],
        );
    }
    let windows =
        with(&realms("[[realm]]\nnt_domain = \"acme\""), "suffix = \"acme.example\"", "apn = \"acme.example\"");
    taken(&documents(&node("default_realm = \"acme\""), &[("acme", &windows)]));
}

#[test]
fn a_default_realm_is_not_called_unknown_where_a_customers_document_is_broken() {
    let broken = with(TUNNEL, "suffix = \"acme.example\"", "suffix = \"acme example\"");
    refused(&documents(&node("default_realm = \"acme.example\""), &[("acme", &broken)]), &["realm[0].suffix"]);
}

#[test]
fn a_default_realm_that_no_contract_of_the_type_serves_is_warned_about() {
    let says = "access_network[0].default_realm: no `vpdn` contract of type D serves \"acme.example\"";
    network_warned("default_realm = \"acme.example\"", ACME, &[says]);
    let says =
        "default_realms.iot: no `vpdn` contract of type D serves \"acme.example\", so these requests are rejected";
    network_warned("default_realms = { iot = \"acme.example\" }", ACME, &[says]);
    network_warned("default_realm = \"acme.example\"", TUNNEL, &[]);
}

#[test]
fn a_keepalive_is_in_no_customers_realm() {
    let own =
        realms("[[realm]]\nprefix = \"acme\"\n[[realm]]\nnt_domain = \"windows\"\n[[realm]]\napn = \"0312345678\"");
    let refused = |keys: &str, user: &str| {
        let says = format!("probe_users[0]: {user:?} is in \"");
        let loaded = documents(&node(&format!("{keys}\nprobe_users = ['{user}']")), &[("acme", &own)]);
        refused(&loaded, &[&says, "a customer's realm", "Take it out: a keepalive's name has no realm"]);
    };
    refused("", "probe@ACME.example.");
    refused("", "acme/probe");
    refused("outer_suffix = \"carrier.example\"", "probe@acme.example@carrier.example");
    refused("lookup = \"domain\"", "acme.example");
    refused("lookup = \"dnis\"", "dnis:+81312345678");
    let says = format!("{:?} is in \"windows\"", "windows\\probe");
    crate::common::refused(&documents(&node("probe_users = ['windows\\probe']"), &[("acme", &own)]), &[&says]);
    for (keys, user) in [
        ("", "keepalive"),
        ("", "acme.example"),
        ("", "probe@carrier.example"),
        ("", "dnis:0312345678"),
        ("lookup = \"dnis\"", "dnis:0300000000"),
    ] {
        taken(&documents(&node(&format!("{keys}\nprobe_users = [{user:?}]")), &[("acme", &own)]));
    }
}

#[test]
fn a_called_number_is_one_realm_however_it_is_written() {
    let twice = realms("[[realm]]\napn = \"0312345678\"\n[[realm]]\napn = \"81312345678\"");
    taken(&documents(&node(""), &[("acme", &twice)]));
    let says = "81312345678 is a realm already, at ";
    let loaded = documents(&node("lookup = \"dnis\""), &[("acme", &twice)]);
    refused(
        &loaded,
        &["acme.toml:9:7: realm[2].apn: ", says, "acme.toml:7, and access networks look called numbers up."],
    );
    let other = TUNNEL.replace("acme", "other").replace("192.0.2.11", "192.0.2.21");
    let other = with(&other, "suffix = \"other.example\"", "apn = \"0081312345678\"");
    let loaded = documents(
        &node("lookup = \"dnis\""),
        &[("acme", &realms("[[realm]]\napn = \"0312345678\"")), ("other", &other)],
    );
    refused(&loaded, &["other.toml:", "realm[0].apn: ", says]);
    network_warned(
        "lookup = \"dnis\"",
        TUNNEL,
        &["lookup: looks called numbers up, and no customer has a number as `apn`"],
    );
}

#[test]
fn keys_that_mean_nothing_or_take_a_realm_away_are_warned_about() {
    network_warned("probe_answer = \"accept\"", TUNNEL, &["probe_answer: means nothing without `probe_users`"]);
    let says = "outer_suffix: \"acme.example\" is a customer's realm, which is taken off before it is looked for";
    network_warned("outer_suffix = \"acme.example\"", TUNNEL, &[says]);
}

#[test]
fn a_disconnect_does_not_come_back_to_us() {
    let listening = with(&node("disconnect_port = 3799"), "accounting = 1813\n", "accounting = 1813\ndynauth = 3799\n");
    taken(&documents(&listening, &[("acme", TUNNEL)]));
    let own = with(&listening, "\"203.0.113.1\"", "\"198.51.100.0/24\"");
    let says = "access_network[0].disconnect_port: 198.51.100.1:3799 is our own listener, at ";
    refused(&documents(&own, &[("acme", TUNNEL)]), &[says, "Give the port where its NASes take Disconnect"]);
    taken(&documents(&with(&own, "disconnect_port = 3799", "disconnect_port = 1700"), &[("acme", TUNNEL)]));
}

#[test]
fn dynamic_authorization_may_be_for_an_access_network_alone() {
    let dynauth = "[[dynauth]]\nname = \"d\"\naddress = \"192.0.2.50\"\nsecret = \"another secret of sixteen\"\n";
    let acme = format!("{TUNNEL}{dynauth}");
    let takes = with(&node("disconnect_port = 3799"), "accounting = 1813\n", "accounting = 1813\ndynauth = 3799\n");
    assert!(documents(&takes, &[("acme", &acme)]).warnings().is_empty());
    let none = with(&takes, "disconnect_port = 3799", "");
    let warnings = documents(&none, &[("acme", &acme)]).warnings();
    assert!(warnings[0].contains("dynauth[0]: no terminal of this customer takes CoA and Disconnect"), "{warnings:?}");
}
