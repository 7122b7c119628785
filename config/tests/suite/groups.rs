//! `[[group]]`: what is taken, what is the default, what is refused, and how it goes with the customer's other contracts.

use crate::common::{ACME, HOSTED, TUNNEL, carriers, held, held_refused, held_taken, with};
use sekisho_config::{
    Group, Passwords, Protocol,
    Protocol::{Chap, EapMd5, MsChapV2, Pap},
    Unserviceable, Verify,
};
use sekisho_regulation::terms::Fees;
use sekisho_wire::{
    attr,
    select::AttributeId::{Plain, Vendor},
};

/// The customer with keys at its contract.
fn group(keys: &str) -> String {
    with(HOSTED, "accounts = 500\n", &format!("accounts = 500\n{keys}\n"))
}

#[track_caller]
fn group_taken(keys: &str) -> Group {
    held_taken(&group(keys)).groups.remove(0)
}

/// The customer with a home server beside its accounts.
fn both() -> String {
    format!("{HOSTED}[[proxy]]{}", ACME.split_once("[[proxy]]").unwrap().1)
}

/// A customer with accounts and an LNS, without a terminal.
fn verifying(keys: &str) -> String {
    let (head, rest) = with(TUNNEL, "type = \"D\"\n", &format!("type = \"D\"\n{keys}\n"))
        .split_once("[[lns]]")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    format!("{head}[[group]]\ncontract = \"acme-group\"\naccounts = 5\n[[lns]]{rest}")
}

fn warnings(text: &str) -> Vec<String> {
    held(&carriers(), &[("acme", text)]).warnings()
}

#[test]
fn what_is_left_out_has_its_default() {
    let customer = held_taken(HOSTED);
    let group = &customer.groups[0];
    assert_eq!((group.contract.as_str(), group.accounts, &group.realms), ("acme-group", 500, &customer.realms));
    assert_eq!((group.passwords, group.protocols.as_slice()), (Passwords::Recoverable, &Protocol::ALL[..]));
    assert_eq!((group.simultaneous, group.max_sessions, group.reply.len()), (0, 0, 0));
    assert_eq!((group.agreement.fees, group.agreement.prerequisites.len()), (Fees::default(), 0));
    assert_eq!(warnings(HOSTED), [""; 0]);
}

#[test]
fn every_key_is_taken() {
    let keys = r#"realms = ["ACME.example."]
passwords = "recoverable"
protocols = ["mschapv2", "pap", "eap-md5", "chap"]
simultaneous = 1
max_sessions = 400
reply = { "Service-Type" = "Framed-User", "Session-Timeout" = 86400, "Cisco-AVPair" = ["ip:a=1", "ip:b=2"] }
fees = { initial = 10_000, monthly = 5_000, change = 1_000 }
prerequisites = ["現地調査", "site survey"]"#;
    let mut group = group_taken(keys);
    assert_eq!((group.realms.len(), group.simultaneous, group.max_sessions), (1, 1, 400));
    assert_eq!(group.protocols, [Pap, Chap, MsChapV2, EapMd5]);
    group.reply.sort();
    let octets = |octets: &[u8]| Box::<[u8]>::from(octets);
    let expected = [
        (Plain(attr::SERVICE_TYPE), octets(&[0, 0, 0, 2])),
        (Plain(attr::SESSION_TIMEOUT), octets(&[0, 1, 0x51, 0x80])),
        (Vendor(9, 1), octets(b"ip:a=1")),
        (Vendor(9, 1), octets(b"ip:b=2")),
    ];
    assert_eq!(group.reply, expected);
    assert_eq!(group.agreement.fees, Fees { initial: 10_000, monthly: 5_000, change: 1_000 });
    assert_eq!(group.agreement.prerequisites, ["現地調査", "site survey"]);
}

#[test]
fn of_an_argon2id_password_only_pap_can_be_checked() {
    assert_eq!(group_taken("passwords = \"argon2id\"").protocols, [Pap]);
    assert_eq!(group_taken("passwords = \"argon2id\"\nprotocols = [\"pap\"]").protocols, [Pap]);
    held_refused(
        &group("passwords = \"argon2id\"\nprotocols = [\"pap\", \"chap\"]"),
        &[
            "acme (entry 12):14:21: group[0].protocols[1]: \"chap\" needs the password itself, which nobody gets back from \
             `passwords = \"argon2id\"`. Leave \"pap\" alone, or set `passwords = \"recoverable\"`.",
        ],
    );
}

#[test]
fn each_fault_is_told_with_its_place_and_remedy() {
    for (keys, says) in [
        (
            "passwords = \"clear\"",
            "passwords: \"clear\" is none of the words known here. Say \"recoverable\" or \"argon2id\".",
        ),
        ("protocols = []", "protocols: is an empty list, so nobody could log in. Name at least one"),
        ("protocols = [\"eap-tls\"]", "protocols[0]: \"eap-tls\" is none of the words known here. Say \"pap\" or"),
        ("protocols = [\"pap\", \"pap\"]", "protocols[1]: \"pap\" is in the list already. Take it out."),
        ("simultaneous = 65536", "simultaneous: 65536 is out of bounds. Give a number from 0 to 65535."),
        ("max_sessions = -1", "max_sessions: -1 is out of bounds. Give a number from 0 to 16777216."),
        ("realms = [\"b.example\"]", "realms[0]: \"b.example\" is no realm of this customer"),
        (
            "reply = { \"User-Password\" = \"a\" }",
            "reply.User-Password: User-Password is needed by the protocol itself",
        ),
        ("reply = { \"Tunnel-Type\" = \"L2TP\" }", "reply.Tunnel-Type: Tunnel-Type says where a tunnel goes"),
        ("reply = { \"Cisco-AVPair\" = \"vpdn:a=b\" }", "reply.Cisco-AVPair: Cisco-AVPair says where a tunnel goes"),
        (
            "fees = { monthly = -1 }",
            "group[0].fees.monthly: -1 is out of bounds. Give a number from 0 to 1000000000000.",
        ),
        ("fees = { yearly = 1 }", "group[0].fees.yearly: there is no such key here"),
        ("fees = 10", "group[0].fees: should be a table, but is a whole number. Begin it with [group.fees]."),
        ("fees = { monthly = 1.5 }", "fees.monthly: should be a whole number, but is a number with a point"),
        ("prerequisites = [\"a\", \"a\"]", "prerequisites[1]: \"a\" is in the list already. Take it out."),
        ("prerequisites = [\" a\"]", "prerequisites[0]: \" a\" has blanks around it. Take them out."),
        ("prerequisites = [\"\"]", "prerequisites[0]: has 0 octets. Give 1 to 128."),
    ] {
        held_refused(&group(keys), &["acme (entry 12):13:", says]);
    }
    held_refused(
        &with(HOSTED, "accounts = 500\n", ""),
        &["group[0].accounts: is missing. Give the number of accounts that was agreed (アカウント数, Art. 7(1))."],
    );
    for accounts in ["0", "10_000_001"] {
        let text = with(HOSTED, "accounts = 500", &format!("accounts = {accounts}"));
        held_refused(&text, &["accounts: ", "is out of bounds. Give a number from 1 to 10000000."]);
    }
}

#[test]
fn a_realm_is_of_one_group_contract_and_may_be_of_a_proxy_contract_before_or_after() {
    let twice = format!("{HOSTED}[[group]]\ncontract = \"b\"\naccounts = 1\n");
    held_refused(
        &twice,
        &["group[1].realms: \"acme.example\" is served by another group contract already, at ", "Name in `realms`"],
    );
    let customer = held_taken(&both());
    assert_eq!(customer.groups[0].realms, customer.proxies[0].realms);
    assert_eq!(warnings(&both()), [""; 0]);
    let more =
        with(&group("realms = [\"acme.example\"]"), "[[client]]", "[[realm]]\nsuffix = \"b.example\"\n[[client]]");
    let says = "realm[1].suffix: no contract serves \"b.example\", so it is rejected. Put \"b.example\" into";
    assert!(warnings(&more)[0].contains(says), "{:?}", warnings(&more));
}

#[test]
fn a_contracts_name_is_unique_in_the_node() {
    let same = with(HOSTED, "\"acme-group\"", "\"acme-nas\"");
    held_refused(&same, &["group[0].contract: \"acme-nas\" is another contract's name, at "]);
}

#[test]
fn group_counts_as_a_service_to_ask_for() {
    assert_eq!(held_taken(HOSTED).serviceable(), Ok(()));
    let (head, rest) = HOSTED.split_once("[[client]]").unwrap();
    let alone = format!("{head}[[group]]{}", rest.split_once("[[group]]").unwrap().1);
    assert_eq!(held_taken(&alone).serviceable(), Err(Unserviceable::NoClient));
    let says = "has a `proxy` or `group` contract but no `client` contract, so nobody may ask for it: nothing of it is served \
                (service regulation, Art. 5.1).";
    assert!(warnings(&alone)[0].contains(says), "{:?}", warnings(&alone));
}

#[test]
fn accounts_that_only_verify_for_vpdn_need_no_terminal() {
    let text = verifying("verify = \"group\"");
    let customer = held_taken(&text);
    assert_eq!((&customer.vpdn[0].verify, customer.serviceable()), (&Verify::Group, Ok(())));
    assert_eq!(warnings(&text), [""; 0]);
    let says = "group[0].contract: the customer has no `client` contract, and no `vpdn` contract verifies by this one: nobody may \
                ask for it (service regulation, Art. 5.1). Add [[client]], or set `verify = \"group\"`";
    let idle = warnings(&verifying(""));
    assert!(idle.len() == 1 && idle[0].contains(says), "{idle:?}");
    let idle = warnings(&verifying("verify = \"group\"\nallow_reply = [\"Filter-Id\"]"));
    assert!(idle[0].contains("allow_reply: means nothing where no home server answers"), "{idle:?}");
}

#[test]
fn accounts_that_verify_serve_every_realm() {
    let two = with(
        &verifying("verify = \"group\""),
        "[[group]]\n",
        "[[realm]]\nprefix = \"acme\"\n[[group]]\nrealms = [\"acme.example\"]\n",
    );
    let says = "vpdn[0].verify: no `group` contract of this customer serves \"prefix:acme\", so nobody can be asked. Put the realm \
                into `realms` of a [[group]], or take it out of this contract's.";
    held_refused(&two, &[says]);
}

#[test]
fn a_realm_that_stands_for_many_names_has_no_accounts() {
    let text = with(HOSTED, "[[realm]]\n", "[[realm]]\ndefault = true\n\n[[realm]]\n");
    held_refused(&text, &["group[0]", "\"default:default\" stands for many names"]);
}

#[test]
fn a_vpdn_contract_asks_the_accounts_of_one_contract() {
    let text = with(
        HOSTED,
        "[[group]]\n",
        "[[realm]]\nprefix = \"acme\"\n[[group]]\ncontract = \"b\"\naccounts = 1\nrealms = [\"acme\"]\n[[group]]\nrealms = [\"acme.example\"]\n",
    );
    let tunnel = TUNNEL.split_once("[[lns]]").unwrap().1;
    let text = format!("{text}[[lns]]{tunnel}verify = \"group\"\n");
    held_refused(&text, &["vpdn[0].verify: its realms are served by \"b\" and by \"acme-group\""]);
}
