//! LNSs as an operator sees and steers them.

use std::fs;

use crate::common::{Documents, Node, text, vpdn::ALICE};
use rustix::process::Signal;
use sekisho_wire::code::Code;

/// So many devices log in.
fn attach(node: &Node, numbers: std::ops::Range<u32>) {
    let mut lac = node.lac();
    for number in numbers {
        assert_eq!(lac.attach(ALICE, &format!("0901234{number:04}")), Some(Code::ACCESS_ACCEPT));
    }
}

#[test]
fn an_lns_that_is_drained_gets_nothing_at_once_and_after_a_restart() {
    let mut node = Node::with(Documents::of_vpdn());
    attach(&node, 0..20);
    assert_eq!((node.chosen("tokyo-1"), node.chosen("tokyo-2")), (10.0, 10.0));

    assert_eq!(node.http("POST", "/lns/acme/tokyo-1/drain").unwrap(), (204, String::new()));
    attach(&node, 20..40);
    assert_eq!((node.chosen("tokyo-1"), node.chosen("tokyo-2")), (10.0, 30.0));
    assert!(node.lns_is("tokyo-1", "draining") && node.lns_is("tokyo-2", "unknown"));

    node = node.restart();
    assert!(node.lns_is("tokyo-1", "draining"), "{}", node.log());
    attach(&node, 40..50);
    assert_eq!((node.chosen("tokyo-1"), node.chosen("tokyo-2")), (0.0, 10.0));
    assert_eq!(node.reload().0, 200);
    assert!(node.lns_is("tokyo-1", "draining"), "a reload does not take it back");

    // Not even a crash does.
    node = node.restart_after(Signal::KILL);
    assert!(node.lns_is("tokyo-1", "draining"));
    assert_eq!(node.http("POST", "/lns/acme/tokyo-1/undrain").unwrap().0, 204);
    assert!(node.lns_is("tokyo-1", "unknown"));
    node = node.restart();
    assert!(node.lns_is("tokyo-1", "unknown"));
    attach(&node, 50..60);
    assert!(node.chosen("tokyo-1") > 0.0);
}

#[test]
fn the_command_line_says_what_it_has_done_and_why_it_has_not() {
    let node = Node::with(Documents::of_vpdn());
    let shown = text(&node.command(&["lns"]));
    for words in ["CUSTOMER", "tokyo-1", &node.network().lns(2).to_string(), "acme-vpdn-d", "it is not probed"] {
        assert!(shown.contains(words), "no {words} in {shown}");
    }
    let down = node.command(&["lns", "down", "acme/tokyo-1"]);
    assert!(down.status.success() && text(&down).contains("out of service"), "{}", text(&down));
    let shown = text(&node.command(&["lns", "--customer", "acme"]));
    let first = shown.lines().nth(1).unwrap();
    assert!(first.contains("tokyo-1") && first.contains("down"), "what is not well stands first: {shown}");
    assert!(shown.contains("set down by command"), "{shown}");
    let json: serde_json::Value = serde_json::from_slice(&node.command(&["lns", "--json"]).stdout).unwrap();
    let tokyo = &json["lns"][0];
    assert_eq!((&tokyo["operator"], &tokyo["document"], &tokyo["probe"]), (&"down".into(), &"up".into(), &().into()));

    let page = text(&node.command(&["status"]));
    assert!(page.contains("lns        unknown 1, down 1: tokyo-1 of acme is down"), "{page}");
    assert!(page.contains("realm   acme.example by acme-proxy-1 (acme-home-1), tunnels by acme-vpdn-d"), "{page}");
    assert!(node.log().contains("an LNS is down: set down by command"), "{}", node.log());

    for (arguments, words) in [
        (&["lns", "down", "acme/osaka-1"][..], "there is no LNS \"acme/osaka-1\""),
        (&["lns", "up", "tokyo-1"], "a customer and one of its LNSs"),
        (&["lns", "--customer", "zeta"], "there is no customer \"zeta\""),
        (&["lns", "failback", "acme-vpdn-k"], "there is no vpdn contract \"acme-vpdn-k\""),
        (&["lns", "failback", "acme-vpdn-d"], "waits for nobody"),
    ] {
        let output = node.command(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output).contains(words), "{arguments:?}: {}", text(&output));
    }
    assert_eq!(node.http("POST", "/lns/acme/tokyo-1/explode").unwrap().0, 404);
    assert_eq!(node.http("GET", "/lns/acme/tokyo-1/drain").unwrap().0, 405);
    let up = node.command(&["lns", "up", "acme/tokyo-1"]);
    assert!(up.status.success() && node.lns_is("tokyo-1", "unknown"), "{}", text(&up));
}

#[test]
fn the_operators_word_goes_before_a_document_that_says_otherwise() {
    let node = Node::with(Documents::of_vpdn());
    node.documents.write_lnss("state = \"down\"\n", "");
    let (status, said) = node.reload();
    let changed = format!("acme: ~ LNS tokyo-1 ({}) changed", node.network().lns(1));
    assert!(status == 200 && said.contains(&changed), "{said}");
    assert!(node.lns_is("tokyo-1", "down"));
    attach(&node, 0..10);
    assert_eq!(node.chosen("tokyo-1"), 0.0);

    assert!(node.command(&["lns", "up", "acme/tokyo-1"]).status.success());
    assert!(node.lns_is("tokyo-1", "unknown"));
    let node = node.restart();
    assert!(node.lns_is("tokyo-1", "unknown"), "its document still says down");
}

#[test]
fn a_word_stays_while_its_lns_is_in_no_document() {
    let node = Node::with(Documents::of_vpdn());
    assert!(node.command(&["lns", "drain", "acme/tokyo-1"]).status.success());
    node.documents.write_acme("");
    let (status, said) = node.reload();
    assert!(status == 200 && said.contains("acme: - vpdn contract acme-vpdn-d"), "{said}");
    let node = node.restart();
    node.documents.write_lnss("", "");
    assert!(node.reload().1.contains("+ LNS tokyo-1"));
    assert!(node.lns_is("tokyo-1", "draining"), "{}", node.log());
}

#[test]
fn a_word_that_cannot_be_kept_holds_and_says_so() {
    let documents = Documents::of_vpdn();
    let taken = documents.path().join("taken");
    fs::write(&taken, "").unwrap();
    documents.write_carrier("[journal]\ndirectory = \"elsewhere\"\n");
    let node = fs::read_to_string(documents.node_file()).unwrap();
    let state = format!("[node]\nstate = \"{}\"", taken.join("state").display());
    fs::write(documents.node_file(), node.replace("[node]", &state)).unwrap();
    let node = Node::with(documents);
    let output = node.command(&["lns", "drain", "acme/tokyo-1"]);
    assert!(output.status.success() && text(&output).contains("until the next start only"), "{}", text(&output));
    assert!(node.lns_is("tokyo-1", "draining"));
    assert_eq!(node.metric("sekisho_sessions_unsaved"), 1.0);
}

#[test]
fn preferred_lnss_wait_for_the_operators_failback_where_the_contract_says_so() {
    let documents = Documents::of_vpdn();
    let one_tier = "lns = [\"tokyo-1\", \"tokyo-2\"]";
    documents.write_lnss("", "failback = \"manual\"\n[[vpdn.load_balancing.tier]]\nlns = [\"tokyo-2\"]\n");
    documents.change_acme(one_tier, "lns = [\"tokyo-1\"]");
    let node = Node::with(documents);
    node.command(&["lns", "down", "acme/tokyo-1"]);
    attach(&node, 0..2);
    node.command(&["lns", "up", "acme/tokyo-1"]);
    attach(&node, 2..4);
    assert_eq!((node.chosen("tokyo-1"), node.chosen("tokyo-2")), (0.0, 4.0));
    let page = text(&node.command(&["status"]));
    assert!(page.contains("wait for `sekisho lns failback acme-vpdn-d`"), "{page}");

    let output = node.command(&["lns", "failback", "acme-vpdn-d"]);
    assert!(output.status.success(), "{}", text(&output));
    attach(&node, 4..6);
    assert_eq!(node.chosen("tokyo-1"), 2.0);
    assert!(!text(&node.command(&["status"])).contains("failback"));
}

#[test]
fn what_is_made_at_the_start_is_named_by_its_key_when_a_reload_changes_it() {
    let node = Node::with(Documents::of_vpdn());
    node.documents.write_carrier("[journal]\nqueue = 128\n[sessions]\nmax_tracked = 2048\nshort = \"7s\"\n");
    let (status, said) = node.reload();
    assert_eq!(status, 422, "{said}");
    for key in ["journal.queue: ", "sessions.max_tracked: ", "sessions.short: "] {
        assert!(said.contains(key), "no {key} in {said}");
    }
    node.documents.write_carrier("[sessions]\nsave_interval = \"10s\"\n[l2tp]\nhost_name = \"another\"\n");
    let (status, said) = node.reload();
    assert!(status == 200 && said.contains("interval of saving sessions") && said.contains("toward LNSs"), "{said}");
}
