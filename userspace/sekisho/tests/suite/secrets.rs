//! Two secrets while one is changed, and how an operator sees when the old one has gone quiet.

use crate::common::{NAS_SECRET, Node, PASSWORD, home::Home, nas::Nas, text};
use sekisho_wire::code::Code;

const USED: &str = r#"sekisho_client_previous_secret_last_used_seconds{customer="acme",client="acme-nas-1"}"#;

#[test]
fn a_nas_may_change_its_secret_when_it_likes_and_the_old_one_is_seen_to_be_in_use() {
    let node = Node::start();
    let _home = Home::start(node.network().home());
    let (address, here) = (node.network().nas(), node.network().node());
    let mut old = Nas::new(address, here);
    assert_eq!(old.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    assert!(!node.has_metric(USED), "there is one secret");

    let both = format!("secret = \"the-new-one-of-the-nas\"\nprevious_secret = \"{NAS_SECRET}\"");
    node.documents.change_acme(&format!("secret = \"{NAS_SECRET}\""), &both);
    assert_eq!(node.reload().0, 200);
    assert!(!node.has_metric(USED), "the old one has not been used as such");
    assert!(text(&node.command(&["status"])).contains("old secret not used"));

    assert_eq!(old.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    assert!(node.metric(USED) < 10.0);
    let mut new = Nas::with_secret(address, here, "the-new-one-of-the-nas");
    assert_eq!(new.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    assert!(text(&node.command(&["status"])).contains("old secret used"));

    node.documents.change_acme(&format!("previous_secret = \"{NAS_SECRET}\""), "");
    assert_eq!(node.reload().0, 200);
    assert!(!node.has_metric(USED));
    assert_eq!(new.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    old.patience(std::time::Duration::from_millis(300));
    assert_eq!(old.login("alice@acme.example", PASSWORD), None);
}
