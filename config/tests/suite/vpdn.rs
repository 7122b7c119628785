//! `[[vpdn]]`: what is taken, what is the default, what is refused, and how it goes with the customer's other contracts.

use std::time::Duration;

use crate::common::{
    ACME, BALANCED, NODE, TUNNEL, carriers, documents, refused, taken, tunnel_refused, tunnel_taken, tunnel_warned,
    with,
};
use sekisho_config::{Counting, ItemType, Network, Selector, Strategy, Verify, Vpdn};
use sekisho_wire::{
    attr,
    select::AttributeId::{Plain, Vendor},
};

/// The customer with keys at its contract.
fn contract(keys: &str) -> String {
    with(TUNNEL, "type = \"D\"\n", &format!("type = \"D\"\n{keys}\n"))
}

/// The customer with a home server, and keys at its contract for VPDN.
fn beside_a_proxy(keys: &str) -> String {
    let (_, rest) = TUNNEL.split_once("[[lns]]").unwrap();
    with(&format!("{ACME}[[lns]]{rest}"), "type = \"D\"\n", &format!("type = \"D\"\n{keys}\n"))
}

/// The same without a terminal.
fn without_terminal(keys: &str) -> String {
    let text = beside_a_proxy(keys);
    let (head, rest) = text.split_once("[[client]]").unwrap();
    format!("{head}[[proxy]]{}", rest.split_once("[[proxy]]").unwrap().1)
}

#[track_caller]
fn contract_taken(keys: &str) -> Vpdn {
    tunnel_taken(&contract(keys)).vpdn.remove(0)
}

#[test]
fn what_is_left_out_has_its_default() {
    let vpdn = contract_taken("");
    assert_eq!((vpdn.contract.as_str(), vpdn.kind, &vpdn.verify), ("acme-vpdn", ItemType::D, &Verify::Realm));
    assert_eq!(vpdn.realms, tunnel_taken(TUNNEL).realms);
    assert_eq!((vpdn.tiers.len(), vpdn.tiers[0].strategy), (1, Strategy::RoundRobin));
    assert_eq!((vpdn.tiers[0].lns.as_slice(), vpdn.balancing.is_none()), (&["tokyo".to_owned()][..], true));
    assert_eq!((vpdn.accounting, vpdn.max_sessions, vpdn.interim_interval), (Counting::Lac, 0, None));
    assert!(vpdn.full_message.is_none() && vpdn.reply.is_empty());
    assert_eq!(vpdn.lnss().collect::<Vec<_>>(), ["tokyo"]);
}

#[test]
fn every_key_is_taken() {
    let keys = r#"realms = ["ACME.example."]
verify = "realm"
accounting = "lac"
max_sessions = 16_777_216
interim_interval = "24h"
full_message = "満員です"
reply = { "Session-Timeout" = 86400, "Cisco-AVPair" = ["ip:a=1", "ip:b=2"] }"#;
    let vpdn = contract_taken(keys);
    assert_eq!((vpdn.realms.len(), vpdn.max_sessions), (1, 16_777_216));
    assert_eq!(vpdn.interim_interval, Some(Duration::from_secs(86_400)));
    assert_eq!(vpdn.full_message.as_deref(), Some("満員です"));
    let mut reply = vpdn.reply;
    reply.sort();
    let octets = |text: &str| Box::<[u8]>::from(text.as_bytes());
    let expected = [
        (Plain(attr::SESSION_TIMEOUT), Box::<[u8]>::from([0, 1, 0x51, 0x80])),
        (Vendor(9, 1), octets("ip:a=1")),
        (Vendor(9, 1), octets("ip:b=2")),
    ];
    assert_eq!(reply, expected);
    let keys =
        "verify = \"proxy\"\nframed_networks = [\"10.1.0.0/16\"]\nallow_reply = [\"filter-id\", \"Cisco-AVPair\"]";
    let vpdn = tunnel_taken(&without_terminal(keys)).vpdn.remove(0);
    let expected = Verify::Proxy {
        framed_networks: vec![Network { address: "10.1.0.0".parse().unwrap(), length: 16 }],
        allow_reply: vec![Plain(attr::FILTER_ID), Vendor(9, 1)],
    };
    assert_eq!(vpdn.verify, expected);
    let most = tunnel_taken(&with(TUNNEL, "[[realm]]", "max_vpdn_sessions = 16_777_216\n[[realm]]"));
    assert_eq!((most.max_vpdn_sessions, tunnel_taken(TUNNEL).max_vpdn_sessions), (16_777_216, 0));
}

#[test]
fn each_fault_is_told_with_its_place_and_remedy() {
    for (keys, says) in [
        (
            "verify = \"group\"",
            "verify: no `group` contract of this customer serves \"acme.example\", so nobody can be asked. Put the realm into",
        ),
        (
            "verify = \"yes\"",
            "verify: \"yes\" is none of the words known here. Say \"realm\" or \"proxy\" or \"group\".",
        ),
        (
            "verify = \"proxy\"",
            "verify: no `proxy` contract of this customer serves \"acme.example\", so nobody can be asked",
        ),
        ("realms = []", "realms: is an empty list. Name at least one, or leave the key out"),
        (
            "realms = [\"b.example\"]",
            "realms[0]: \"b.example\" is no realm of this customer. Add it as [[realm]] first, or say",
        ),
        (
            "accounting = \"both\"",
            "accounting: \"both\" is none of the words known here. Say \"lac\" or \"lns\" or \"none\".",
        ),
        ("max_sessions = 16777217", "max_sessions: 16777217 is out of bounds. Give a number from 0 to 16777216."),
        ("interim_interval = \"59s\"", "interim_interval: \"59s\" is out of bounds. Give a time from 1m to 24h"),
        ("full_message = \"\"", "full_message: has 0 octets. Give 1 to 253."),
        ("full_message = \"a\\nb\"", "full_message: holds a control character"),
        ("reply = [\"a\"]", "reply: should be a table, but is a list. Begin it with [vpdn.reply]."),
        (
            "reply = { \"Sesion-Timeout\" = 1 }",
            "reply.Sesion-Timeout: \"Sesion-Timeout\" is no attribute of the dictionaries. Did",
        ),
        (
            "reply = { \"Session-Timeout\" = \"long\" }",
            "reply.Session-Timeout: \"long\" is no value of Session-Timeout",
        ),
        ("reply = { \"Session-Timeout\" = true }", "reply.Session-Timeout: is no value that an attribute can be given"),
        (
            "reply = { \"Reply-Message\" = { from = \"User-Name\" } }",
            "reply.Reply-Message: is the value of another attribute",
        ),
        (
            "reply = { \"Tunnel-Type\" = \"L2TP\" }",
            "reply.Tunnel-Type: Tunnel-Type says where a tunnel goes, which the contract's LNSs do",
        ),
        (
            "reply = { \"Tunnel-Server-Endpoint\" = \"192.0.2.9\" }",
            "reply.Tunnel-Server-Endpoint: Tunnel-Server-Endpoint says",
        ),
        (
            "reply = { \"Tunnel-Password\" = \"secret\" }",
            "reply.Tunnel-Password: the value of Tunnel-Password is hidden",
        ),
        (
            "reply = { \"Cisco-AVPair\" = \"vpdn:ip-addresses=192.0.2.9\" }",
            "reply.Cisco-AVPair: Cisco-AVPair says where a tunnel goes",
        ),
        ("reply = { Class = \"0x00\" }", "reply.Class: Class is needed by the protocol itself"),
        (
            "reply = { \"Service-Type\" = \"Framed-User\" }",
            "reply.Service-Type: Service-Type is what the access network's equipment wants",
        ),
        (
            "reply = { \"Framed-Protocol\" = \"PPP\" }",
            "reply.Framed-Protocol: Framed-Protocol is what the access network's",
        ),
        (
            "allow_reply = [\"Tunnel-Private-Group-Id\"]",
            "allow_reply[0]: Tunnel-Private-Group-Id says where a tunnel goes",
        ),
        ("allow_reply = [\"Filter\"]", "allow_reply[0]: \"Filter\" is no attribute of the dictionaries"),
        ("framed_networks = [\"10.1.2.0/16\"]", "framed_networks[0]: \"10.1.2.0/16\" has bits set behind its prefix"),
        (
            "load_balancing = true",
            "load_balancing: should be a table, but is true or false. Begin it with [vpdn.load_balancing].",
        ),
    ] {
        tunnel_refused(&contract(keys), &["customers/acme.toml:", "vpdn[0].", says]);
    }
    for (from, to, says) in [
        ("contract = \"acme-vpdn\"\n", "", "vpdn[0].contract: is missing. Name the contract"),
        (
            "type = \"D\"\n",
            "",
            "vpdn[0].type: is missing. Say \"D\", \"K\" or \"I\": which access networks may ask for it.",
        ),
        ("type = \"D\"", "type = \"d\"", "vpdn[0].type: \"d\" is none of the words known here"),
        ("lns = [\"tokyo\"]\n", "", "vpdn[0].lns: is missing. Name at least one [[lns]] of this customer."),
        ("lns = [\"tokyo\"]", "lns = []", "vpdn[0].lns: is an empty list. Name at least one [[lns]]"),
        (
            "lns = [\"tokyo\"]",
            "lns = [\"tokio\"]",
            "vpdn[0].lns[0]: \"tokio\" is no LNS of this customer. Add it as [[lns]] first, or say one of: \"tokyo\".",
        ),
        (
            "[[realm]]",
            "max_vpdn_sessions = 16777217\n[[realm]]",
            "customer.max_vpdn_sessions: 16777217 is out of bounds",
        ),
    ] {
        tunnel_refused(&with(TUNNEL, from, to), &[says]);
    }
    let (head, rest) = TUNNEL.split_once("[[lns]]").unwrap();
    let none = format!("{head}[[vpdn]]{}", rest.split_once("[[vpdn]]").unwrap().1);
    tunnel_refused(&none, &["vpdn[0].lns[0]: \"tokyo\" is no LNS of this customer. Add it as [[lns]] first."]);
}

#[test]
fn several_lnss_need_the_option() {
    let (text, _) = BALANCED.split_once("[vpdn.load_balancing]").unwrap();
    let says =
        "vpdn[0].lns: names 2 LNSs without the load-balancing option (負荷分散, Art. 8.2), and then a contract has";
    tunnel_refused(text, &[says, "Add [vpdn.load_balancing] where the customer has the option, else leave one LNS."]);
}

#[test]
fn patterns_and_a_default_are_never_found_by_access_networks() {
    let inner = "[[realm]]\npattern = '^(.+\\.)?acme\\.example$'\nname = \"all\"\n[[realm]]\ndefault = true\n";
    let beside = with(TUNNEL, "[[lns]]", &format!("{inner}[[lns]]"));
    let vpdn = tunnel_taken(&beside).vpdn.remove(0);
    assert_eq!(vpdn.realms.iter().map(|realm| realm.selector).collect::<Vec<_>>(), [Selector::Suffix]);
    let named = with(&beside, "type = \"D\"", "type = \"D\"\nrealms = [\"acme.example\", \"all\"]");
    let says =
        "vpdn[0].realms: \"pattern:all\" is for the customer's own terminals, and no access network ever finds it.";
    tunnel_refused(&named, &[says, "Name realms with `suffix`, `prefix`, `nt_domain` or `apn`."]);
    let alone = with(TUNNEL, "[[realm]]\nsuffix = \"acme.example\"\n", inner);
    tunnel_refused(&alone, &["vpdn[0]: patterns and a default are all the customer has"]);
    let none = with(TUNNEL, "[[realm]]\nsuffix = \"acme.example\"\n", "");
    tunnel_refused(&none, &["vpdn[0]: the customer has no realm that this contract could serve"]);
}

#[test]
fn a_realm_has_one_contract_for_each_type() {
    let second = |kind: &str| format!("{TUNNEL}[[vpdn]]\ncontract = \"second\"\ntype = {kind:?}\nlns = [\"tokyo\"]\n");
    let says = "vpdn[1].realms: \"acme.example\" is served by another vpdn contract of type D already, at ";
    tunnel_refused(&second("D"), &[says, "acme.toml:9. Name in `realms` of each contract what it serves"]);
    assert_eq!(tunnel_taken(&second("K")).vpdn.len(), 2);
    tunnel_taken(&beside_a_proxy(""));
}

#[test]
fn a_contracts_name_is_unique_in_the_node() {
    let acme = with(&beside_a_proxy(""), "\"acme-vpdn\"", "\"acme-proxy\"");
    tunnel_refused(&acme, &["vpdn[0].contract: \"acme-proxy\" is another contract's name, at "]);
    let network = with(TUNNEL, "\"acme-vpdn\"", "\"carrier-d\"");
    tunnel_refused(&network, &["vpdn[0].contract: \"carrier-d\" is an access network's name, at "]);
}

#[test]
fn a_contract_for_vpdn_is_served_without_any_other() {
    tunnel_warned(TUNNEL, &[]);
    assert_eq!(tunnel_taken(TUNNEL).serviceable(), Ok(()));
    tunnel_warned(&beside_a_proxy(""), &[]);
    tunnel_warned(&without_terminal("verify = \"proxy\""), &[]);
    let says =
        "proxy[0].contract: the customer has no `client` contract, and no `vpdn` contract verifies by this one: nobody";
    tunnel_warned(&without_terminal(""), &[says, "Art. 5.1"]);
    let (head, proxy) = ACME.split_once("[[proxy]]").unwrap();
    assert!(proxy.contains("[[proxy.server]]"));
    let terminal = format!("{head}[[lns]]{}", TUNNEL.split_once("[[lns]]").unwrap().1);
    let says = "client[0].contract: the customer has no `proxy` or `group` contract, and terminals never ask for VPDN";
    tunnel_warned(&terminal, &[says, "Add [[proxy]] with the servers that answer"]);
    assert_eq!(tunnel_taken(&terminal).serviceable(), Ok(()));
}

#[test]
fn home_servers_that_verify_serve_every_realm() {
    let two = with(
        &without_terminal("verify = \"proxy\""),
        "[[proxy]]\n",
        "[[realm]]\nprefix = \"acme\"\n[[proxy]]\nrealms = [\"acme.example\"]\n",
    );
    let says =
        "vpdn[0].verify: no `proxy` contract of this customer serves \"prefix:acme\", so nobody can be asked. Put the";
    tunnel_refused(&two, &[says]);
    let one = with(&two, "verify = \"proxy\"", "verify = \"proxy\"\nrealms = [\"acme.example\"]");
    let says = "realm[1].prefix: no contract serves \"prefix:acme\", so it is rejected. Put \"acme\" into `realms` of a contract.";
    tunnel_warned(&one, &[says]);
}

#[test]
fn home_servers_that_verify_are_slower_than_no_access_network() {
    let two = "response_window = \"9s\"\n[[proxy.server]]\nname = \"b\"\naddress = \"192.0.2.101\"\nsecret = \"a secret of sixteen\"\n[[lns]]\n";
    let slow = with(&without_terminal("verify = \"proxy\""), "[[lns]]\n", two);
    let says = "server[0].response_window: 9s is as long as an access network waits (9s), so a request never fails over in time";
    tunnel_warned(&slow, &[says, "shorter than every access network's `answer_within`."]);
    let outer = with(&without_terminal("verify = \"proxy\""), "[[proxy]]\n", "[[proxy]]\nstrip = \"outer\"\n");
    tunnel_warned(&outer, &["proxy[0].strip: no terminal of this customer has an `outer_suffix`"]);
    let node = with(&carriers(), "type = \"D\"", "type = \"D\"\nouter_suffix = \"carrier.example\"");
    assert!(documents(&node, &[("acme", &outer)]).warnings().is_empty());
}

#[test]
fn a_contract_that_no_access_network_asks_for_is_warned_about() {
    let warnings = documents(NODE, &[("acme", TUNNEL)]).warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let says = "vpdn[0].type: this node has no access network of type D, so nobody ever asks for the contract. Add";
    assert!(warnings[0].contains(says), "{warnings:?}");
    tunnel_warned(&with(TUNNEL, "\"D\"", "\"K\""), &["vpdn[0].type: this node has no access network of type K"]);
}

#[test]
fn a_realm_that_no_access_network_finds_is_warned_about() {
    let apn = with(TUNNEL, "suffix = \"acme.example\"", "apn = \"internet.acme\"");
    let says = "vpdn[0].realms: no access network of type D looks for \"apn:internet.acme\" where it stands. Name in `realms_by`";
    tunnel_warned(&apn, &[says]);
    for keys in [
        "realms_by = [\"suffix\", \"apn\"]",
        "default_realm = \"internet.acme\"",
        "default_realms = { iot = \"internet.acme\" }",
    ] {
        let node = with(&carriers(), "type = \"D\"", &format!("type = \"D\"\n{keys}"));
        assert!(documents(&node, &[("acme", &apn)]).warnings().is_empty(), "{keys}");
    }
    let number = with(TUNNEL, "suffix = \"acme.example\"", "apn = \"0312345678\"");
    let dnis = with(&carriers(), "type = \"D\"", "type = \"D\"\nlookup = \"dnis\"");
    assert!(documents(&dnis, &[("acme", &number)]).warnings().is_empty());
    let domain = with(&carriers(), "type = \"D\"", "type = \"D\"\nlookup = \"domain\"\nrealms_by = [\"prefix\"]");
    assert!(documents(&domain, &[("acme", TUNNEL)]).warnings().is_empty());
    let both = with(TUNNEL, "[[lns]]", "[[realm]]\napn = \"acme.example\"\n[[lns]]");
    tunnel_warned(&both, &[]);
}

#[test]
fn keys_that_mean_nothing_where_they_stand_are_warned_about() {
    let says = "vpdn[0].framed_networks: means nothing where no home server answers. Set `verify = \"proxy\"`, or take it out.";
    tunnel_warned(&contract("framed_networks = [\"10.0.0.0/8\"]"), &[says]);
    tunnel_warned(&contract("allow_reply = [\"Filter-Id\"]"), &["vpdn[0].allow_reply: means nothing"]);
    let says = "vpdn[0].full_message: nothing of this contract has a limit of sessions, so it is never said";
    tunnel_warned(&contract("full_message = \"full\""), &[says]);
    tunnel_warned(&contract("full_message = \"full\"\nmax_sessions = 1"), &[]);
    let probed = with(&contract("full_message = \"full\""), "[[vpdn]]", "probe = \"l2tp\"\n[[vpdn]]");
    tunnel_warned(&probed, &[]);
    let asks = |seconds: u32| {
        contract(&format!("interim_interval = \"5m\"\nreply = {{ \"Acct-Interim-Interval\" = {seconds} }}"))
    };
    let says =
        "vpdn[0].interim_interval: 5m is not what Acct-Interim-Interval of `reply` asks for: 600s. Give both the same";
    tunnel_warned(&asks(600), &[says]);
    tunnel_warned(&asks(300), &[]);
}

#[test]
fn a_realm_stays_one_customers_whatever_contracts_serve_it() {
    let other = TUNNEL
        .replace("acme-vpdn", "other-vpdn")
        .replace("name = \"acme\"", "name = \"other\"")
        .replace("192.0.2.11", "192.0.2.21");
    let loaded = documents(&carriers(), &[("acme", TUNNEL), ("other", &other)]);
    refused(&loaded, &["realm[0].suffix: \"acme.example\" is another customer's realm, at "]);
    let own = other.replace("acme.example", "other.example");
    assert_eq!(taken(&documents(&carriers(), &[("acme", TUNNEL), ("other", &own)])).1.len(), 2);
}
