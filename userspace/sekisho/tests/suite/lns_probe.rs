//! LNSs are asked whether they live, by the beginning of a tunnel.

use std::time::Duration;

use crate::common::{
    Documents, Node,
    lns::{Does, Lns},
    text, until_within,
    vpdn::ALICE,
};
use sekisho_wire::code::Code;

/// More than an interval, its jitter, and a timeout.
const A_WHILE: Duration = Duration::from_secs(25);
const PROBED: &str =
    "probe = \"l2tp\"\nprobe_interval = \"10s\"\nprobe_timeout = \"1s\"\nprobe_rise = 1\nprobe_fall = 1\n";

#[test]
fn an_lns_that_falls_silent_is_down_until_it_answers_again() {
    let documents = Documents::of_vpdn();
    documents.write_lnss(PROBED, "");
    let lns = Lns::start(documents.network.lns(1));
    let node = Node::with(documents);
    until_within(A_WHILE, || node.lns_is("tokyo-1", "up"));
    assert_eq!(node.lns_metric("sekisho_lns_probes_total", "tokyo-1", ",outcome=\"up\""), 1.0);
    assert!(node.lns_is("tokyo-2", "unknown"), "it is not to be probed");
    let json: serde_json::Value = serde_json::from_slice(&node.command(&["lns", "--json"]).stdout).unwrap();
    let probe = &json["lns"][0]["probe"];
    assert!(probe["outcome"] == "up" && probe["latency_ms"].as_f64().is_some(), "{json}");

    lns.does(Does::KeepSilent);
    until_within(A_WHILE, || node.lns_is("tokyo-1", "down"));
    assert!(node.log().contains("an LNS is down: it does not answer"), "{}", node.log());
    let mut lac = node.lac();
    for number in 0..10 {
        assert_eq!(lac.attach(ALICE, &format!("0901234000{number}")), Some(Code::ACCESS_ACCEPT));
    }
    assert_eq!((node.chosen("tokyo-1"), node.chosen("tokyo-2")), (0.0, 10.0));
    let page = text(&node.command(&["status"]));
    assert!(page.contains("tokyo-1 of acme is down") && page.contains("it does not answer"), "{page}");
    assert!(node.metric(r#"sekisho_vpdn_lns_in_service{customer="acme",contract="acme-vpdn-d"}"#) == 1.0);

    lns.does(Does::Open);
    until_within(A_WHILE, || node.lns_is("tokyo-1", "up"));
    assert!(node.log().contains("an LNS is up"), "{}", node.log());
}

#[test]
fn one_that_refuses_us_is_used_and_raises_an_alarm_until_it_is_probed_no_more() {
    let documents = Documents::of_vpdn();
    documents.write_lnss(PROBED, "");
    let lns = Lns::start(documents.network.lns(1));
    lns.does(Does::Refuse);
    let node = Node::with(documents);
    until_within(A_WHILE, || node.lns_is("tokyo-1", "refusing"));
    assert_eq!(node.lns_metric("sekisho_lns_misconfigured", "tokyo-1", ""), 1.0);
    let shown = text(&node.command(&["lns"]));
    assert!(shown.contains("we are not authorized") && shown.contains("let it accept tunnels"), "{shown}");

    let asked = lns.asked();
    node.documents.write_lnss("", "");
    assert_eq!(node.reload().0, 200);
    until_within(A_WHILE, || node.lns_is("tokyo-1", "unknown"));
    std::thread::sleep(Duration::from_secs(12));
    assert_eq!(lns.asked(), asked, "it is let alone");
}

#[test]
fn a_source_address_that_this_host_does_not_have_is_told_of_with_its_key() {
    let documents = Documents::of_vpdn();
    // TEST-NET-1: no host has it.
    documents.write_lnss(&format!("{PROBED}probe_from = \"192.0.2.1\"\n"), "");
    documents.change_acme(&documents.network.lns(1).to_string(), "192.0.2.31");
    let node = Node::with(documents);
    until_within(A_WHILE, || node.log().contains("correct their probe_from, or l2tp.ipv4"));
    let shown = text(&node.command(&["lns"]));
    assert!(shown.contains("it cannot be probed from 192.0.2.1"), "{shown}");

    let _lns = Lns::start(node.network().lns(1));
    node.documents.write_lnss(&format!("{PROBED}probe_from = \"{}\"\n", node.network().node()), "");
    assert_eq!(node.reload().0, 200);
    until_within(A_WHILE, || node.lns_is("tokyo-1", "up"));
    assert_eq!(node.log().matches("are not probed: correct").count(), 1, "{}", node.log());
    assert!(!text(&node.command(&["lns"])).contains("cannot be probed"));
}
