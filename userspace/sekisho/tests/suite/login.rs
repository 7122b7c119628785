//! Logins and accounting through the program, and what can be seen of them.

use crate::common::{Node, PASSWORD, home::Home, nas::Nas, text};
use sekisho_wire::code::Code;

const START: u32 = 1;

#[test]
fn a_login_is_answered_by_the_home_server() {
    let node = Node::start();
    let home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    assert_eq!(nas.login("alice@acme.example", "wrong"), Some(Code::ACCESS_REJECT));
    assert_eq!(nas.account("alice@acme.example", START), Some(Code::ACCOUNTING_RESPONSE));
    assert_eq!(home.received(), 3);
}

#[test]
fn a_realm_of_nobody_is_rejected_without_the_home_server() {
    let node = Node::start();
    let home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    assert_eq!(nas.login("alice@other.example", PASSWORD), Some(Code::ACCESS_REJECT));
    assert_eq!(home.received(), 0);
    assert_eq!(node.metric(r#"sekisho_customer_unroutable_total{customer="acme"}"#), 1.0);
}

#[test]
fn metrics_tell_what_happened() {
    let node = Node::start();
    let _home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    for _ in 0..5 {
        nas.login("alice@acme.example", PASSWORD).unwrap();
    }
    nas.login("alice@acme.example", "wrong").unwrap();
    nas.account("alice@acme.example", START).unwrap();
    let mut stranger = Nas::new(node.network().host(200), node.network().node());
    stranger.patience(std::time::Duration::from_millis(200));
    assert_eq!(stranger.login("alice@acme.example", PASSWORD), None);

    for (series, value) in [
        (r#"sekisho_requests_total{code="access"}"#, 6.0),
        (r#"sekisho_requests_total{code="accounting"}"#, 1.0),
        (r#"sekisho_replies_total{code="accept"}"#, 5.0),
        (r#"sekisho_replies_total{code="reject"}"#, 1.0),
        (r#"sekisho_dropped_total{where="userspace",reason="unregistered"}"#, 1.0),
        (r#"sekisho_realm_requests_total{customer="acme",realm="acme.example"}"#, 7.0),
        (r#"sekisho_realm_latency_seconds_count{customer="acme",realm="acme.example"}"#, 7.0),
        (r#"sekisho_server_requests_total{customer="acme",server="acme-home-1",kind="auth"}"#, 6.0),
        (r#"sekisho_server_replies_total{customer="acme",server="acme-home-1",kind="acct",code="accounting"}"#, 1.0),
        (r#"sekisho_server_state{customer="acme",server="acme-home-1",kind="auth",state="alive"}"#, 1.0),
        (r#"sekisho_xdp_mode{interface="lo",mode="off"}"#, 1.0),
        ("sekisho_in_flight", 0.0),
    ] {
        assert_eq!(node.metric(series), value, "{series}");
    }
}

#[test]
fn status_shows_realm_server_and_drops_but_no_secret_and_no_subscriber() {
    let node = Node::start();
    let _home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    nas.login("alice@acme.example", PASSWORD).unwrap();
    let output = node.command(&["status"]);
    let page = text(&output);
    assert!(output.status.success(), "{page}");
    assert!(page.contains("realm   acme.example by acme-proxy-1 (acme-home-1): 1 requests"), "{page}");
    assert!(page.contains("acme-home-1 auth") && page.contains("alive"), "{page}");
    let everything = page + &node.get("/status") + &node.get("/metrics");
    for hidden in [crate::common::NAS_SECRET, crate::common::HOME_SECRET, PASSWORD, "alice"] {
        assert!(!everything.contains(hidden), "{hidden} is shown");
    }
}

#[test]
fn a_server_that_is_silent_is_seen_to_be() {
    let node = Node::start();
    let home = Home::start(node.network().home());
    home.be_silent(true);
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    nas.patience(std::time::Duration::from_secs(1));
    assert_eq!(nas.login("alice@acme.example", PASSWORD), None);
    let page = text(&node.command(&["status"]));
    assert!(page.contains("zombie") && page.contains("timeouts 1"), "{page}");
    home.be_silent(false);
    nas.patience(std::time::Duration::from_secs(5));
    assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
}
