//! Taking a node out of service: who asks is told nothing, who logs in is served.

use std::time::Duration;

use crate::common::{Node, PASSWORD, home::Home, nas::Nas, text};
use sekisho_wire::code::Code;

#[test]
fn while_it_drains_status_server_gets_no_answer_and_everything_else_does() {
    let node = Node::start();
    let _home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    assert_eq!(nas.status(), Some(Code::ACCESS_ACCEPT));
    assert_eq!(node.metric("sekisho_draining"), 0.0);

    let drained = node.command(&["drain"]);
    assert!(drained.status.success() && text(&drained).starts_with("Draining:"), "{}", text(&drained));
    nas.patience(Duration::from_millis(300));
    assert_eq!(nas.status(), None);
    nas.patience(Duration::from_secs(5));
    assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    assert_eq!(nas.account("alice@acme.example", 1), Some(Code::ACCOUNTING_RESPONSE));
    assert_eq!(node.metric("sekisho_draining"), 1.0);
    assert_eq!(node.metric(r#"sekisho_dropped_total{where="userspace",reason="draining"}"#), 1.0);
    assert!(text(&node.command(&["status"])).contains("`sekisho drain --off` ends it"));
    assert!(text(&node.command(&["drain"])).contains("draining already"));

    assert_eq!(node.reload().0, 200, "a reload does not end it");
    assert_eq!(node.metric("sekisho_draining"), 1.0);

    let off = node.command(&["drain", "--off"]);
    assert!(off.status.success() && text(&off).starts_with("No longer draining"), "{}", text(&off));
    assert_eq!(nas.status(), Some(Code::ACCESS_ACCEPT));
    assert_eq!(node.metric("sekisho_draining"), 0.0);
    assert!(node.log().contains("WARN draining") && node.log().contains("no longer draining"), "{}", node.log());
}

#[test]
fn the_admin_api_drains_by_its_methods() {
    let node = Node::start();
    assert_eq!(node.http("POST", "/drain").unwrap().0, 200);
    assert_eq!(node.metric("sekisho_draining"), 1.0);
    assert_eq!(node.http("DELETE", "/drain").unwrap().0, 200);
    assert_eq!(node.http("DELETE", "/drain").unwrap(), (200, "It was not draining.\n".to_owned()));
    assert_eq!(node.http("GET", "/drain").unwrap().0, 405);
}
