//! Rules on attributes, by the names of the dictionaries.

mod common;

use common::{ACME, NODE, documents, taken, with};
use sekisho_wire::{
    attr,
    policy::{Rule, Value},
    select::AttributeId::{Plain, Vendor},
};

const RULES: &str = r#"
[[policy]]
name = "tidy"
allow = ["User-Name", "framed-ip-address", "3GPP-IMSI"]
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
        Rule::Allow(vec![Plain(attr::USER_NAME), Plain(attr::FRAMED_IP_ADDRESS), Vendor(10415, 1)]),
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
fn an_operators_dictionary_adds_names() {
    let node = with(NODE, "[node]\n", "[node]\ndictionaries = \"dictionaries\"\n");
    let text = format!("{ACME}[[policy]]\nname = \"p\"\nremove = [\"Example-Secret\"]\n");
    let documents = documents(&node, &[("acme", &text)]);
    assert!(documents.faults().join("\n").contains("dictionaries cannot be listed"));
    std::fs::create_dir(documents.path().join("dictionaries")).unwrap();
    let dictionary =
        "VENDOR Example 32473\nBEGIN-VENDOR Example\nATTRIBUTE Example-Secret 7 octets encrypt=2\nEND-VENDOR Example\n";
    documents.file("dictionaries/example.dictionary", dictionary, 0o640);
    let (node, _) = taken(&documents);
    assert!(node.dictionary.salted().any(|id| id == (32473, 7)));
    documents.file("dictionaries/faulty.dictionary", "ATRIBUTE X 1 string\n", 0o640);
    let faults = documents.faults().join("\n");
    assert!(faults.contains("dictionaries/faulty.dictionary:1:1"), "{faults}");
}
