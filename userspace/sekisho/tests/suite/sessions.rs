//! Sessions of `vpdn` contracts outlive the process, and an operator finds them.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, time::Duration};

use crate::common::{Documents, Node, nas::Nas, text, until, until_within, vpdn::ALICE};
use rustix::process::Signal;
use sekisho_wire::code::Code;

const BOB: &str = "bob@acme.example";
const SOON: &str = "[sessions]\nsave_interval = \"10s\"\n";

fn file(node: &Node) -> PathBuf {
    node.documents.path().join("state/sessions")
}

/// Sessions and reservations of the contract.
fn counts(node: &Node) -> (f64, f64) {
    let of = |state| {
        node.metric(&format!("sekisho_vpdn_sessions{{customer=\"acme\",contract=\"acme-vpdn-d\",state=\"{state}\"}}"))
    };
    (of("active"), of("pending"))
}

/// Alice has a session on the first LNS, Bob an Accept.
fn begin(node: &Node) -> Nas {
    let mut lac = node.lac();
    assert_eq!(lac.attach(ALICE, "09011112222"), Some(Code::ACCESS_ACCEPT));
    assert_eq!(lac.report(ALICE, "09011112222", 1, node.network().lns(1)), Some(Code::ACCOUNTING_RESPONSE));
    assert_eq!(lac.attach(BOB, "09033334444"), Some(Code::ACCESS_ACCEPT));
    assert_eq!(counts(node), (1.0, 1.0));
    lac
}

#[test]
fn a_stop_after_a_restart_ends_the_session_that_was_there_before() {
    let node = Node::with(Documents::of_vpdn());
    drop(begin(&node));
    let node = node.restart();
    assert!(node.log().contains("the sessions of the last run are restored"), "{}", node.log());
    assert_eq!(counts(&node), (1.0, 1.0));
    assert_eq!(node.lns_metric("sekisho_lns_sessions", "tokyo-1", ",state=\"active\""), 1.0);
    assert_eq!(fs::metadata(file(&node)).unwrap().permissions().mode() & 0o777, 0o600);

    let mut lac = node.lac();
    lac.report(ALICE, "09011112222", 2, node.network().lns(1)).unwrap();
    assert_eq!(counts(&node), (0.0, 1.0));
    assert_eq!(node.metric("sekisho_sessions_ended_total{how=\"stop\"}"), 1.0);
    for hidden in ["alice", "11112222", "bob", "33334444"] {
        assert!(!node.log().contains(hidden), "a subscriber in the log: {}", node.log());
    }
}

#[test]
fn what_was_saved_last_outlives_a_kill() {
    let documents = Documents::of_vpdn();
    documents.write_carrier(SOON);
    let node = Node::with(documents);
    let mut lac = begin(&node);
    until_within(Duration::from_secs(20), || file(&node).exists());
    lac.attach("carol@acme.example", "09055556666").unwrap();
    drop(lac);
    let node = node.restart_after(Signal::KILL);
    assert_eq!(counts(&node), (1.0, 1.0), "Carol is found by her first record");
    let mut lac = node.lac();
    lac.report("carol@acme.example", "09055556666", 3, node.network().lns(2)).unwrap();
    assert_eq!(counts(&node), (2.0, 1.0));
}

#[test]
fn a_damaged_file_is_told_of_and_put_aside() {
    let node = Node::with(Documents::of_vpdn());
    drop(begin(&node));
    let mut node = node;
    node.signal(Signal::TERM);
    node.wait();
    let path = file(&node);
    let mut octets = fs::read(&path).unwrap();
    let middle = octets.len() / 2;
    octets[middle] ^= 1;
    fs::write(&path, octets).unwrap();
    let node = node.restarted();
    assert!(node.log().contains("cannot be restored") && node.log().contains("state/sessions"), "{}", node.log());
    assert!(path.with_extension("damaged").exists() && !path.exists());
    assert_eq!(counts(&node), (0.0, 0.0));
}

#[test]
fn a_place_that_cannot_be_written_is_told_of_once_and_stops_nobody() {
    let documents = Documents::of_vpdn();
    let taken = documents.path().join("taken");
    fs::write(&taken, "").unwrap();
    documents.write_carrier(&format!("{SOON}[journal]\ndirectory = \"elsewhere\"\n"));
    let node = fs::read_to_string(documents.node_file()).unwrap();
    let state = format!("[node]\nstate = \"{}\"", taken.join("state").display());
    fs::write(documents.node_file(), node.replace("[node]", &state)).unwrap();
    let mut node = Node::with(documents);
    drop(begin(&node));
    until_within(Duration::from_secs(20), || node.metric("sekisho_sessions_unsaved") == 1.0);
    let page = text(&node.command(&["status"]));
    assert!(page.contains("forgotten at a restart"), "{page}");
    node.signal(Signal::TERM);
    assert_eq!(node.wait().0, Some(0));
    assert_eq!(node.log().matches("sessions cannot be saved").count(), 1, "{}", node.log());
}

#[test]
fn sessions_are_found_by_what_is_known_of_them() {
    let node = Node::with(Documents::of_vpdn());
    drop(begin(&node));
    let shown = |query: &str| -> (u64, String) {
        let (status, body) = node.http("GET", &format!("/sessions?{query}")).unwrap();
        assert_eq!(status, 200, "{query}: {body}");
        let found: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((found["tracked"].as_u64(), found["reserved"].as_u64()), (Some(1), Some(1)));
        (found["shown"].as_u64().unwrap(), body)
    };
    assert_eq!(shown("").0, 2);
    for alice in [
        "number=%2B81+90-1111-2222",
        "number=09011112222",
        "user=alice%40acme.example",
        "lns=tokyo-1&user=alice@acme.example",
    ] {
        let (count, body) = shown(alice);
        assert!(count == 1 && body.contains(ALICE) && body.contains("\"active\""), "{alice}: {body}");
    }
    assert_eq!(shown("customer=acme&contract=acme-vpdn-d&network=carrier").0, 2);
    assert_eq!(shown("limit=1").0, 1);
    assert_eq!(shown("network=acme-nas-1").0, 0, "a client has sessions of hosted accounts only");
    assert_eq!(shown("user=ALICE@acme.example").0, 0, "a User-Name is compared as octets");
    for (query, status, words) in [
        ("customer=nobody", 404, "there is no customer \"nobody\""),
        ("lns=osaka-9", 404, "there is no LNS"),
        ("network=acme-nas-9", 404, "there is no access network"),
        ("colour=blue", 400, "colour"),
        ("limit=0", 400, "limit"),
    ] {
        let (found, body) = node.http("GET", &format!("/sessions?{query}")).unwrap();
        assert!(found == status && body.contains(words), "{query}: {found} {body}");
    }

    let page = text(&node.command(&["sessions", "--number", "+81 90 1111 2222"]));
    assert!(page.contains(ALICE) && !page.contains(BOB) && page.contains("1 shown of 1 sessions"), "{page}");
    let json = node.command(&["sessions", "--user", BOB, "--json"]);
    let found: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(found["sessions"][0]["state"], "reserved");
    let refused = node.command(&["sessions", "--contract", "acme-vpdn-k"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused).contains("there is no vpdn or group contract \"acme-vpdn-k\""), "{}", text(&refused));
}

#[test]
fn a_session_without_interims_is_over_when_the_document_says_so() {
    let documents = Documents::of_vpdn();
    documents.write_carrier("[sessions]\nwithout_interims = \"2h\"\n");
    let node = Node::with(documents);
    drop(begin(&node));
    let found: serde_json::Value = serde_json::from_str(&node.get("/sessions?number=09011112222")).unwrap();
    let expires = found["sessions"][0]["expires_seconds"].as_u64().unwrap();
    assert!((7_100..=7_200).contains(&expires), "{found}");
}

#[test]
fn a_login_beyond_what_a_contract_may_have_is_refused_and_counted() {
    let documents = Documents::of_vpdn();
    let contract = "contract = \"acme-vpdn-d\"\n";
    documents.change_acme(contract, &format!("{contract}max_sessions = 2\n"));
    let node = Node::with(documents);
    let mut lac = begin(&node);
    assert_eq!(lac.attach("carol@acme.example", "09055556666"), Some(Code::ACCESS_REJECT));
    let refused = r#"sekisho_vpdn_refused_total{customer="acme",contract="acme-vpdn-d",reason="contract_full"}"#;
    assert_eq!(node.metric(refused), 1.0);
    assert_eq!(lac.attach(ALICE, "09011112222"), Some(Code::ACCESS_ACCEPT), "she gives back what she had");
    until(|| node.metric("sekisho_sessions_ended_total{how=\"superseded\"}") == 1.0);
    let page = text(&node.command(&["status"]));
    assert!(page.contains("sessions of 2, accepts: ") && page.contains("refused: contract_full 1"), "{page}");
}
