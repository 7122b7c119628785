//! What is dropped is seen live: by whom, why, how much, and never whose login it was.

use std::{thread, time::Duration};

use crate::common::{Documents, HOME_SECRET, NAS_SECRET, Node, PASSWORD, home::Home, nas::Nas, text, until};
use sekisho_wire::code::Code;

/// The NAS's sessions may send two packets and no more.
const LIMITS: &str = "session_rate = 1\nsession_burst = 2\n";

fn limited() -> Node {
    let documents = Documents::new();
    let named = "contract = \"acme-nas-1\"\n";
    documents.change_acme(named, &format!("{named}{LIMITS}"));
    Node::with(documents)
}

#[test]
fn a_session_over_its_limit_and_a_stranger_are_rows_and_nobody_is_named() {
    let node = limited();
    let _home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    for _ in 0..2 {
        assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    }
    nas.patience(Duration::from_millis(100));
    for _ in 0..3 {
        assert_eq!(nas.login("alice@acme.example", PASSWORD), None, "over the limit of the session");
    }
    assert_eq!(nas.login("bob@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT), "another session is untouched");
    let mut stranger = Nas::new(node.network().host(66), node.network().node());
    stranger.patience(Duration::from_millis(100));
    assert_eq!(stranger.login("alice@acme.example", PASSWORD), None);

    until(|| node.get("/drops").contains("unregistered"));
    let told = node.get("/drops");
    for words in ["\"session_rate\"", "\"acme-nas-1\"", "\"acme\"", "\"where\":\"userspace\"", "\"interface\":\"lo\""] {
        assert!(told.contains(words), "no {words} in {told}");
    }
    for hidden in ["alice", "bob", PASSWORD, NAS_SECRET, HOME_SECRET] {
        assert!(!told.contains(hidden), "{told}");
    }

    let page = text(&node.command(&["drops", "--once"]));
    assert!(page.contains("acme-nas-1 of acme") && page.contains("a stranger"), "{page}");
    assert!(page.contains("session_rate: one session sends"), "{page}");
    let few = text(&node.command(&["drops", "--once", "--reason", "unregistered"]));
    assert!(few.contains("a stranger") && !few.contains("acme-nas-1"), "{few}");
    let few = text(&node.command(&["drops", "--once", "--source", &node.network().nas().to_string()]));
    assert!(!few.contains("a stranger") && few.contains("acme-nas-1"), "{few}");
    let json = text(&node.command(&["drops", "--once", "--json"]));
    let rows: serde_json::Value = serde_json::from_str(&json).unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["reason"] == "session_rate").unwrap();
    assert_eq!(row["total"], 3);
    assert_eq!(row["session"].as_str().map(str::len), Some(16));
    let series = r#"sekisho_dropped_total{where="userspace",reason="session_rate"}"#;
    assert_eq!(node.metric(series), 3.0);
}

#[test]
fn a_limit_is_changed_live() {
    let node = limited();
    let _home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    for _ in 0..2 {
        assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    }
    node.documents.change_acme(LIMITS, "");
    let (status, said) = node.reload();
    assert!(status == 200 && said.contains("~ client acme-nas-1"), "{said}");
    thread::sleep(Duration::from_millis(20));
    for _ in 0..20 {
        assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    }
}

#[test]
fn nothing_dropped_is_told_so_and_an_unknown_reason_is_refused() {
    let node = Node::start();
    assert_eq!(text(&node.command(&["drops", "--once"])), "Nothing has been dropped.\n");
    let refused = node.command(&["drops", "--once", "--reason", "because"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused).contains("there is no such reason"), "{}", text(&refused));
}
