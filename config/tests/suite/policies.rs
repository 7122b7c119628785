//! Rules on attributes, by the names of the dictionaries.

use crate::common::{ACME, NODE, documents, refused, taken, with};
use sekisho_wire::{
    attr,
    policy::{Rule, Value},
    select::AttributeId::{Plain, Vendor},
};

const RULES: &str = r#"
[[policy]]
name = "tidy"
allow = ["User-Name", "framed-ip-address", "3GPP-IMSI", "Class"]
remove = ["Filter-Id", "Cisco-AVPair=vpdn:*"]
[policy.replace]
"Session-Timeout" = 3600
"Service-Type" = "Framed-User"
[policy.default]
"NAS-Identifier" = { from = "Called-Station-Id" }
[policy.add]
"Reply-Message" = "welcome"
"#;

fn literal(octets: &[u8]) -> Value {
    Value::Literal(octets.into())
}

#[test]
fn rules_are_compiled_in_their_order_and_belong_to_who_names_them() {
    let text = with(ACME, "name = \"acme\"\n", "name = \"acme\"\nreply_policy = \"tidy\"\n");
    let text =
        with(&text, "[[client]]\n", "[[client]]\nrequest_policy = \"tidy\"\noperator_name = \"1acme.example\"\n");
    let customer = taken(&documents(NODE, &[("acme", &(text + RULES))])).1.remove(0);
    let reply = customer.policies.reply.as_ref().unwrap();
    let expected = [
        Rule::Allow(vec![Plain(attr::USER_NAME), Plain(attr::FRAMED_IP_ADDRESS), Plain(attr::CLASS), Vendor(10415, 1)]),
        Rule::Remove(Plain(attr::FILTER_ID), None),
        Rule::Remove(Vendor(9, 1), Some(b"vpdn:"[..].into())),
        Rule::Replace(Plain(attr::SERVICE_TYPE), literal(&[0, 0, 0, 2])),
        Rule::Replace(Plain(attr::SESSION_TIMEOUT), literal(&[0, 0, 14, 16])),
        Rule::Default(Plain(attr::NAS_IDENTIFIER), Value::Of(Plain(attr::CALLED_STATION_ID))),
        Rule::Add(Plain(attr::REPLY_MESSAGE), literal(b"welcome")),
    ];
    assert_eq!(reply.rules(), expected);
    assert_eq!((&customer.policies.request, &customer.clients[0].policies.reply), (&None, &None));
    let request = customer.clients[0].policies.request.as_ref().unwrap();
    let (last, before) = request.rules().split_last().unwrap();
    assert_eq!(before, expected);
    assert_eq!(*last, Rule::Default(Plain(attr::OPERATOR_NAME), literal(b"1acme.example")));
}

#[test]
fn a_faulty_rule_is_told_where_it_stands() {
    for (from, to, says) in [
        (
            "\"Filter-Id\"",
            "\"Filter-Idd\"",
            "policy[0].remove[0]: \"Filter-Idd\" is no attribute of the dictionaries. Did you mean `Filter-Id`?",
        ),
        ("\"Filter-Id\"", "\"Proxy-State\"", "policy[0].remove[0]: Proxy-State is needed by the protocol itself"),
        (
            "=vpdn:*",
            "=vpdn:",
            "policy[0].remove[1]: \"Cisco-AVPair=vpdn:\" says no beginning of a value. End it with a star",
        ),
        ("= 3600", "= \"an hour\"", "policy[0].replace.Session-Timeout: "),
        (
            "Framed-User",
            "Framd-User",
            "policy[0].replace.Service-Type: \"Framd-User\" is no value of Service-Type. Did you mean",
        ),
        (
            "\"Reply-Message\" =",
            "\"Tunnel-Password\" =",
            "policy[0].add.Tunnel-Password: the value of Tunnel-Password is hidden",
        ),
        (
            "\"Called-Station-Id\" }",
            "\"User-Password\" }",
            "policy[0].default.NAS-Identifier: the value of User-Password is hidden",
        ),
        ("\"welcome\"", "true", "policy[0].add.Reply-Message: is no value that an attribute can be given"),
        ("name = \"tidy\"", "", "policy[0].name: is missing"),
    ] {
        let text = format!("{ACME}{}", with(RULES, from, to));
        let faults = documents(NODE, &[("acme", &text)]).faults().join("\n");
        assert!(faults.contains(says), "{says:?} is not in {faults}");
    }
    let text = with(ACME, "[[client]]\n", "[[client]]\nreply_policy = \"tidi\"\n") + RULES;
    let faults = documents(NODE, &[("acme", &text)]).faults().join("\n");
    assert!(faults.contains("client[0].reply_policy: \"tidi\" is no policy of this customer"), "{faults}");
}

#[test]
fn several_values_of_one_name_can_be_added_and_only_added() {
    let values = "\"Cisco-AVPair\" = [\"ip:a=1\", { from = \"Filter-Id\" }]\n";
    let rules = |table: &str| format!("{ACME}[[policy]]\nname = \"p\"\n[policy.{table}]\n{values}");
    let named = with(&rules("add"), "[[client]]\n", "[[client]]\nreply_policy = \"p\"\n");
    let customer = taken(&documents(NODE, &[("acme", &named)])).1.remove(0);
    let expected =
        [Rule::Add(Vendor(9, 1), literal(b"ip:a=1")), Rule::Add(Vendor(9, 1), Value::Of(Plain(attr::FILTER_ID)))];
    assert_eq!(customer.clients[0].policies.reply.as_ref().unwrap().rules(), expected);
    refused(
        &documents(NODE, &[("acme", &rules("replace"))]),
        &["policy[0].replace.Cisco-AVPair: is a list of values. Give one; several can only be given under `add`."],
    );
}

#[test]
fn a_value_fits_the_type_of_its_attribute() {
    for (value, octets) in [
        ("\"Framed-IP-Address\" = \"192.0.2.1\"", &[192, 0, 2, 1][..]),
        ("\"Framed-IPv6-Address\" = \"2001:db8::1\"", &[32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ("\"Framed-IPv6-Prefix\" = \"2001:db8:80::/41\"", &[0, 41, 32, 1, 13, 184, 0, 128]),
        ("\"PMIP6-Home-IPv4-HoA\" = \"192.0.2.0/24\"", &[0, 24, 192, 0, 2, 0]),
        ("\"Framed-Interface-Id\" = \"0:0:0:1\"", &[0, 0, 0, 0, 0, 0, 0, 1]),
        ("\"Session-Timeout\" = 0xffff_ffff", &[255, 255, 255, 255]),
        ("\"Service-Type\" = \"framed-user\"", &[0, 0, 0, 2]),
        ("\"Event-Timestamp\" = 1", &[0, 0, 0, 1]),
        ("\"3GPP-RAT-Type\" = \"EUTRAN\"", &[6]),
        ("\"MIP6-Feature-Vector\" = 1", &[0, 0, 0, 0, 0, 0, 0, 1]),
        ("\"PKM-SAID\" = 258", &[1, 2]),
        ("\"Chargeable-User-Identity\" = \"0x00fF\"", &[0, 255]),
        // RFC 2868 §3.1: a Tag of zero in front of three octets, and none in front of text.
        ("\"Tunnel-Type\" = \"L2TP\"", &[0, 0, 0, 3]),
        ("\"Tunnel-Assignment-Id\" = \"a\"", b"a"),
        // WiMAX: it does not go on in another attribute.
        ("\"WiMAX-GMT-Timezone-offset\" = -2", &[0, 255, 255, 255, 254]),
        ("\"Operator-NAS-Identifier\" = \"0x01\"", &[1]),
    ] {
        let text = with(ACME, "[[client]]\n", "[[client]]\nreply_policy = \"p\"\n");
        let text = format!("{text}[[policy]]\nname = \"p\"\n[policy.replace]\n{value}\n");
        let customer = taken(&documents(NODE, &[("acme", &text)])).1.remove(0);
        let rules = customer.clients[0].policies.reply.as_ref().unwrap().rules().to_vec();
        assert!(matches!(&rules[..], [Rule::Replace(_, Value::Literal(found))] if **found == *octets), "{rules:?}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_refused_with_the_way_to_write_it() {
    let long = format!("\"Reply-Message\" = \"{}\"", "a".repeat(254));
    for (value, says) in [
        ("\"Framed-IP-Address\" = \"2001:db8::1\"", "is not an IPv4 address. Give it as \"192.0.2.1\"."),
        ("\"Framed-IPv6-Prefix\" = \"2001:db8::1/32\"", "is not an IPv6 prefix without bits of a host"),
        ("\"Framed-IPv6-Prefix\" = \"2001:db8::/129\"", "is not an IPv6 prefix"),
        ("\"Framed-Interface-Id\" = \"0:0:1\"", "is not an interface identifier"),
        ("\"Session-Timeout\" = 0x1_0000_0000", "is out of bounds. Give a number from 0 to 4294967295."),
        ("\"Session-Timeout\" = -1", "-1 is out of bounds"),
        (
            "\"Service-Type\" = \"Framed-Usr\"",
            "\"Framed-Usr\" is no value of Service-Type. Did you mean \"framed-user\"?",
        ),
        ("\"Tunnel-Type\" = 16777216", "is out of bounds. Beside its Tag there is room for 0 to 16777215."),
        ("\"Reply-Message\" = \"\"", "is empty"),
        ("\"Reply-Message\" = 1", "should be text, but is a whole number. Write it in double quotes."),
        (long.as_str(), "has 254 octets. There is room for 253."),
        ("\"Chargeable-User-Identity\" = \"0x0\"", "is not octets. Give it as \"0x00ff\"."),
        ("\"Chargeable-User-Identity\" = \"text\"", "is not octets"),
        ("\"Event-Timestamp\" = \"now\"", "should be a time in seconds since 1970"),
        ("\"Framed-IP-Address\" = { from = \"User-Name\" }", "Framed-IP-Address cannot have the value of User-Name"),
        ("\"Filter-Id\" = { from = \"Tunnel-Assignment-Id\" }", "which is of another type"),
        ("\"Filter-Id\" = { of = \"User-Name\" }", "is no value that an attribute can be given"),
        ("\"WiMAX-MSK\" = \"0x00\"", "the value of WiMAX-MSK is hidden from everybody but its receiver"),
    ] {
        let text = format!("{ACME}[[policy]]\nname = \"p\"\n[policy.replace]\n{value}\n");
        refused(&documents(NODE, &[("acme", &text)]), &["policy[0].replace.", says]);
    }
}

#[test]
fn a_beginning_is_asked_of_values_that_have_one() {
    for (removed, says) in [
        (
            "Session-Timeout=1*",
            "the value of Session-Timeout does not begin with text. Write \"Session-Timeout\" alone",
        ),
        ("Tunnel-Assignment-Id=a*", "the value of Tunnel-Assignment-Id does not begin with text"),
        ("MS-MPPE-Send-Key=a*", "the value of MS-MPPE-Send-Key does not begin with text"),
        ("Cisco-AVPair=*", "says no beginning of a value"),
    ] {
        let text = format!("{ACME}[[policy]]\nname = \"p\"\nremove = [{removed:?}]\n");
        refused(&documents(NODE, &[("acme", &text)]), &["policy[0].remove[0]: ", says]);
    }
}

#[test]
fn a_policy_that_changes_nothing_is_warned_about() {
    let text = format!("{ACME}[[policy]]\nname = \"idle\"\nremove = [\"Filter-Id\"]\n[[policy]]\nname = \"empty\"\n");
    let warnings = documents(NODE, &[("acme", &text)]).warnings();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings[0].contains("policy[0].name: nothing names \"idle\", so it changes nothing"), "{warnings:?}");
    assert!(warnings[1].contains("policy[1]: has no rule and changes nothing"), "{warnings:?}");
}

#[test]
fn an_operators_dictionary_adds_names() {
    let node = with(NODE, "[node]\n", "[node]\ndictionaries = \"dictionaries\"\n");
    let text = format!("{ACME}[[policy]]\nname = \"p\"\nremove = [\"Example-Secret\"]\n");
    let documents = documents(&node, &[("acme", &text)]);
    assert!(documents.faults().join("\n").contains("dictionaries cannot be listed"));
    std::fs::create_dir(documents.path().join("dictionaries")).unwrap();
    let dictionary =
        "VENDOR Example 32473\nBEGIN-VENDOR Example\nATTRIBUTE Example-Secret 7 octets encrypt=2\nEND-VENDOR Example\n";
    documents.file("dictionaries/example.dictionary", dictionary, 0o640);
    documents.file("dictionaries/dictionary.theirs", "ATTRIBUTE Theirs 201 string\n", 0o640);
    documents.file("dictionaries/dictionary.theirs~", "an editor's copy\n", 0o640);
    let (node, _) = taken(&documents);
    assert_eq!(node.dictionary.find("Theirs").unwrap().id, Plain(201), "FreeRADIUS calls its files so");
    assert!(node.dictionary.salted().any(|id| id == (32473, 7)));
    documents.file("dictionaries/faulty.dictionary", "ATRIBUTE X 1 string\n", 0o640);
    let faults = documents.faults().join("\n");
    assert!(faults.contains("dictionaries/faulty.dictionary:1:1"), "{faults}");
}
