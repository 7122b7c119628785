//! `[vpdn.load_balancing]`: what is taken, what is the default, what is refused, and what was hardly meant.

use std::time::Duration;

use crate::common::{BALANCED, TUNNEL, carriers, documents, tunnel_refused, tunnel_taken, tunnel_warned, with};
use sekisho_config::{AllDown, Balancing, Failback, Strategy, Vpdn};
use sekisho_regulation::terms::Fees;
use sekisho_wire::{
    attr,
    select::AttributeId::{Plain, Vendor},
};

/// The customer with keys at its option.
fn option(keys: &str) -> String {
    with(BALANCED, "strategy = \"round-robin\"\n", &format!("{keys}\n"))
}

/// The customer with keys at its option and without a further tier.
fn one_tier(keys: &str) -> String {
    with(&option(keys), "[[vpdn.load_balancing.tier]]\nlns = [\"nagoya\"]\n", "")
}

#[track_caller]
fn option_taken(keys: &str) -> Vpdn {
    tunnel_taken(&option(keys)).vpdn.remove(0)
}

#[test]
fn what_is_left_out_has_its_default() {
    let vpdn = option_taken("");
    let strategies: Vec<_> = vpdn.tiers.iter().map(|tier| (tier.strategy, tier.lns.join(" "))).collect();
    assert_eq!(strategies, [(Strategy::RoundRobin, "tokyo osaka".into()), (Strategy::RoundRobin, "nagoya".into())]);
    let expected = Balancing {
        fees: Fees::default(),
        key: vec![Plain(attr::CALLING_STATION_ID), Vendor(10_415, 1)],
        sticky: None,
        slow_start: Duration::from_secs(60),
        all_down: AllDown::FailOpen,
        alternatives: 8,
        failback: Failback::Now,
        overflow: Vec::new(),
        rebalance: None,
    };
    assert_eq!(vpdn.balancing, Some(expected));
    tunnel_warned(BALANCED, &[]);
}

#[test]
fn every_key_is_taken() {
    let keys = r#"strategy = "hash"
key = ["3GPP-IMSI", "NAS-Port-Id", "User-Name"]
sticky = "168h"
slow_start = "0s"
all_down = "reject"
alternatives = 1
failback = "delayed"
failback_delay = "24h"
overflow = ["fukuoka"]
rebalance = "paced"
rebalance_rate = 600"#;
    let text = with(&option(keys), "[[vpdn]]", "[[lns]]\nname = \"fukuoka\"\naddress = \"192.0.2.14\"\n[[vpdn]]");
    let text = with(&text, "lns = [\"nagoya\"]", "lns = [\"nagoya\"]\nstrategy = \"least-sessions\"");
    let vpdn = tunnel_taken(&text).vpdn.remove(0);
    assert_eq!((vpdn.tiers[0].strategy, vpdn.tiers[1].strategy), (Strategy::Hash, Strategy::LeastSessions));
    let expected = Balancing {
        fees: Fees::default(),
        key: vec![Vendor(10_415, 1), Plain(attr::NAS_PORT_ID), Plain(attr::USER_NAME)],
        sticky: Some(Duration::from_secs(168 * 3_600)),
        slow_start: Duration::ZERO,
        all_down: AllDown::Reject,
        alternatives: 1,
        failback: Failback::Delayed(Duration::from_secs(86_400)),
        overflow: vec!["fukuoka".into()],
        rebalance: Some(600),
    };
    assert_eq!(vpdn.balancing, Some(expected));
    assert_eq!(vpdn.lnss().collect::<Vec<_>>(), ["tokyo", "osaka", "nagoya", "fukuoka"]);
    let balancing = |keys: &str| option_taken(keys).balancing.unwrap();
    assert_eq!(balancing("failback = \"manual\"").failback, Failback::Manual);
    assert_eq!(balancing("failback = \"delayed\"").failback, Failback::Delayed(Duration::from_secs(300)));
    assert_eq!(balancing("rebalance = \"paced\"").rebalance, Some(10));
    assert_eq!(
        [Strategy::RoundRobin, Strategy::LeastSessions, Strategy::Hash].map(Strategy::name),
        ["round-robin", "least-sessions", "hash"]
    );
}

#[test]
fn each_fault_is_told_with_its_place_and_remedy() {
    for (keys, says) in [
        ("strategy = \"random\"", "strategy: \"random\" is none of the words known here. Say \"round-robin\" or"),
        ("key = []", "key: is an empty list, so no device would be told from another. Leave it out for the default"),
        (
            "key = [\"User-Name\"]",
            "key: is User-Name alone, which a whole fleet of devices may share: all would get one LNS",
        ),
        ("key = [\"NAS-Port\", \"nas-port\"]", "key[1]: is in the list already. Take it out: the first place counts."),
        ("key = [\"User-Password\"]", "key[0]: User-Password is hidden, or is another one in each request"),
        (
            "key = [\"Caling-Station-Id\"]",
            "key[0]: \"Caling-Station-Id\" is no attribute of the dictionaries. Did you mean",
        ),
        (
            "key = [\"NAS-Port\", \"NAS-Port-Id\", \"NAS-Identifier\", \"User-Name\", \"Calling-Station-Id\"]",
            "key: names 5 attributes. Name at most 4, the best ones first.",
        ),
        ("sticky = \"59s\"", "sticky: \"59s\" is out of bounds. Give a time from 1m to 168h"),
        ("slow_start = \"61m\"", "slow_start: \"61m\" is out of bounds. Give a time from 0s to 1h"),
        (
            "all_down = \"accept\"",
            "all_down: \"accept\" is none of the words known here. Say \"fail-open\" or \"reject\".",
        ),
        ("alternatives = 0", "alternatives: 0 is out of bounds. Give a number from 1 to 8."),
        ("alternatives = 9", "alternatives: 9 is out of bounds"),
        (
            "failback = \"5m\"",
            "failback: \"5m\" is none of the words known here. Say \"now\" or \"manual\" or \"delayed\".",
        ),
        (
            "failback = \"delayed\"\nfailback_delay = \"25h\"",
            "failback_delay: \"25h\" is out of bounds. Give a time from 1s to 24h",
        ),
        ("overflow = []", "overflow: is an empty list. Name at least one [[lns]] of this customer."),
        (
            "overflow = [\"kyoto\"]",
            "overflow[0]: \"kyoto\" is no LNS of this customer. Add it as [[lns]] first, or say one of:",
        ),
        ("overflow = [\"osaka\"]", "overflow[0]: \"osaka\" is an LNS of this contract already, at "),
        ("rebalance = \"now\"", "rebalance: \"now\" is none of the words known here. Say \"never\" or \"paced\"."),
        (
            "rebalance = \"paced\"\nrebalance_rate = 601",
            "rebalance_rate: 601 is out of bounds. Give a number from 1 to 600.",
        ),
        ("tiers = 1", "tiers: there is no such key here. Did you mean `tier`?"),
    ] {
        tunnel_refused(&option(keys), &["customers/acme.toml:", "vpdn[0].load_balancing.", says]);
    }
    for (tier, says) in [
        ("", "tier[0].lns: is missing. Name at least one [[lns]] of this customer."),
        ("lns = []", "tier[0].lns: is an empty list"),
        ("lns = [\"tokyo\"]", "tier[0].lns[0]: \"tokyo\" is an LNS of this contract already, at "),
        ("lns = [\"nagoya\", \"nagoya\"]", "tier[0].lns[1]: \"nagoya\" is an LNS of this contract already, at "),
        ("lns = [\"nagoya\"]\nstrategy = \"first\"", "tier[0].strategy: \"first\" is none of the words known here"),
    ] {
        tunnel_refused(&with(BALANCED, "lns = [\"nagoya\"]", tier), &["vpdn[0].load_balancing.", says]);
    }
    let twice = with(BALANCED, "lns = [\"tokyo\", \"osaka\"]", "lns = [\"tokyo\", \"osaka\", \"tokyo\"]");
    tunnel_refused(
        &twice,
        &["vpdn[0].lns[2]: \"tokyo\" is an LNS of this contract already, at ", "stands in one tier"],
    );
    let table = with(BALANCED, "[[vpdn.load_balancing.tier]]", "[vpdn.load_balancing.tier]");
    tunnel_refused(
        &table,
        &["tier: should be a list of tables, but is a table. Begin each one with [[vpdn.load_balancing.tier]]."],
    );
}

#[test]
fn the_65th_lns_of_a_contract_is_refused() {
    let lnss = |n: usize| {
        let one = |i| format!("[[lns]]\nname = \"l{i}\"\naddress = \"10.0.0.{i}\"\n");
        let names: Vec<String> = (1..=n).map(|i| format!("\"l{i}\"")).collect();
        let (head, _) = TUNNEL.split_once("[[lns]]").unwrap();
        let all: String = (1..=n).map(one).collect();
        format!(
            "{head}{all}[[vpdn]]\ncontract = \"c\"\ntype = \"D\"\nlns = [{}]\n[vpdn.load_balancing]\n",
            names.join(", ")
        )
    };
    assert_eq!(tunnel_taken(&lnss(64)).vpdn[0].lnss().count(), 64);
    tunnel_refused(&lnss(65), &["vpdn[0].lns: the contract has 65 LNSs, and at most 64 are chosen from"]);
}

#[test]
fn keys_that_mean_nothing_where_they_stand_are_warned_about() {
    let says = "load_balancing.failback_delay: means nothing without `failback = \"delayed\"`. Set";
    tunnel_warned(&option("failback_delay = \"1m\""), &[says]);
    let says = "load_balancing.rebalance_rate: means nothing without `rebalance = \"paced\"`. Set";
    tunnel_warned(&option("rebalance_rate = 5"), &[says]);
    let says = "load_balancing.key: means nothing where no tier has the strategy \"hash\". Take it out, or set";
    tunnel_warned(&option("key = [\"Calling-Station-Id\"]"), &[says]);
    let hash = with(
        &option("key = [\"Calling-Station-Id\"]"),
        "lns = [\"nagoya\"]",
        "lns = [\"nagoya\"]\nstrategy = \"hash\"",
    );
    tunnel_warned(&hash, &[]);
    tunnel_warned(&option("failback = \"manual\""), &[]);
    let spare =
        |keys: &str| with(&one_tier(keys), "lns = [\"tokyo\", \"osaka\"]", "lns = [\"tokyo\", \"osaka\", \"nagoya\"]");
    let says =
        "load_balancing.failback: means nothing with one tier: there is none to come back from. Take it out, or add";
    tunnel_warned(&spare("failback = \"manual\""), &[says]);
    let alone = with(TUNNEL, "lns = [\"tokyo\"]\n", "lns = [\"tokyo\"]\n[vpdn.load_balancing]\n");
    tunnel_warned(&alone, &["vpdn[0].lns: has one LNS, so there is nothing to balance. Name further LNSs, or take"]);
}

#[test]
fn overflow_where_nothing_is_ever_full_is_warned_about() {
    let text = one_tier("overflow = [\"nagoya\"]");
    let says = "load_balancing.overflow: no other LNS has `max_sessions` or a probe, so none is ever full and these are never used";
    tunnel_warned(&text, &[says]);
    for key in ["max_sessions = 100", "probe = \"l2tp\""] {
        tunnel_warned(&with(&text, "name = \"tokyo\"", &format!("name = \"tokyo\"\n{key}")), &[]);
        tunnel_warned(&with(&text, "name = \"nagoya\"", &format!("name = \"nagoya\"\n{key}")), &[says]);
    }
}

#[test]
fn sessions_that_nobody_could_disconnect_are_warned_about() {
    let text = option("rebalance = \"paced\"");
    let says =
        "load_balancing.rebalance: no access network of type D takes Disconnect, so no session is ever moved. Give";
    tunnel_warned(&text, &[says]);
    let takes = with(&carriers(), "type = \"D\"", "type = \"D\"\ndisconnect_port = 3799");
    assert!(documents(&takes, &[("acme", &text)]).warnings().is_empty());
    let uncounted = with(&text, "type = \"D\"", "type = \"D\"\naccounting = \"none\"");
    let warnings = documents(&takes, &[("acme", &uncounted)]).warnings();
    assert!(warnings.iter().any(|it| it.to_string().contains("load_balancing.rebalance")), "{warnings:?}");
}
