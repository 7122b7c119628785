//! What `auto` learns outlives the process.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use crate::common::{Documents, HOME_SECRET, NAS_SECRET, Node, PASSWORD, home::Home, nas::Nas, until};
use sekisho_wire::code::Code;

const CLIENT: &str = r#"sekisho_client_message_authenticator_learned{customer="acme",client="acme-nas-1"}"#;
const SERVER: &str =
    r#"sekisho_server_message_authenticator_learned{customer="acme",server="acme-home-1",kind="auth"}"#;

#[test]
fn who_has_signed_once_must_sign_after_a_restart_as_well() {
    let mut node = Node::start();
    let home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    let sent = nas.send_unsigned_login("alice@acme.example", PASSWORD);
    assert_eq!(nas.answer(&sent), Some(Code::ACCESS_ACCEPT), "nothing is known of it yet");
    assert_eq!(node.metric(CLIENT), 0.0);
    assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    assert_eq!((node.metric(CLIENT), node.metric(SERVER)), (1.0, 1.0));

    node = node.restart();
    assert_eq!((node.metric(CLIENT), node.metric(SERVER)), (1.0, 1.0), "{}", node.log());
    let before = home.received();
    nas.patience(Duration::from_millis(400));
    let sent = nas.send_unsigned_login("alice@acme.example", PASSWORD);
    assert_eq!(nas.answer(&sent), None);
    assert_eq!(home.received(), before);
    assert_eq!(
        node.metric(r#"sekisho_dropped_total{where="userspace",reason="message_authenticator_downgrade"}"#),
        1.0
    );
    nas.patience(Duration::from_secs(5));
    assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));

    // The operator's word is above what was learned, and forgets it.
    let named = "contract = \"acme-nas-1\"";
    node.documents.change_acme(named, &format!("{named}\nrequire_message_authenticator = \"no\""));
    assert_eq!(node.reload().0, 200);
    let sent = nas.send_unsigned_login("alice@acme.example", PASSWORD);
    assert_eq!(nas.answer(&sent), Some(Code::ACCESS_ACCEPT));
    assert!(!node.has_metric(CLIENT));
    let file = node.documents.path().join("state/learned.json");
    until(|| !fs::read_to_string(&file).unwrap().contains("acme-nas-1"));
    assert!(fs::read_to_string(&file).unwrap().contains("acme-home-1"));
}

#[test]
fn the_file_is_its_owners_alone_and_holds_names_only() {
    let node = Node::start();
    let _home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    nas.login("alice@acme.example", PASSWORD).unwrap();
    let file = node.documents.path().join("state/learned.json");
    until(|| file.exists());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(file.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    let text = fs::read_to_string(&file).unwrap();
    for hidden in [NAS_SECRET, HOME_SECRET, PASSWORD, "alice"] {
        assert!(!text.contains(hidden), "{text}");
    }
}

#[test]
fn a_place_that_cannot_be_written_is_told_of_once_and_stops_nobody() {
    let documents = Documents::new();
    let taken = documents.path().join("taken");
    fs::write(&taken, "").unwrap();
    let text = fs::read_to_string(documents.node_file()).unwrap();
    let state = format!("[node]\nstate = \"{}\"", taken.join("state").display());
    fs::write(documents.node_file(), text.replace("[node]", &state)).unwrap();
    let mut node = Node::with(documents);
    let _home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    until(|| node.log().contains("will be forgotten at the end"));
    assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    node.signal(rustix::process::Signal::TERM);
    assert_eq!(node.wait().0, Some(0));
    assert_eq!(node.log().matches("will be forgotten at the end").count(), 1, "{}", node.log());
    assert!(node.log().contains("node.state"), "{}", node.log());
}

#[test]
fn a_file_that_is_none_of_ours_is_told_of_and_written_anew() {
    let documents = Documents::new();
    fs::create_dir(documents.path().join("state")).unwrap();
    let file = documents.path().join("state/learned.json");
    fs::write(&file, "{\"clients\": 7}").unwrap();
    let node = Node::with(documents);
    assert!(node.log().contains("it is learned anew"), "{}", node.log());
    let _home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    nas.login("alice@acme.example", PASSWORD).unwrap();
    until(|| fs::read_to_string(&file).unwrap().contains("acme-nas-1"));
}
