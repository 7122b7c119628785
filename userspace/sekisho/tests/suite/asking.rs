//! A home server that is silent is asked whether it lives, by Status-Server.

use std::time::Duration;

use crate::common::{Documents, Node, PASSWORD, home::Home, nas::Nas, text, until};
use sekisho_wire::code::Code;

fn state(of: &str) -> String {
    format!(r#"sekisho_server_state{{customer="acme",server="acme-home-1",kind="auth",state="{of}"}}"#)
}

#[test]
fn a_silent_server_is_asked_and_back_when_it_answers() {
    let documents = Documents::new();
    let window = "response_window = \"500ms\"";
    let more = "status_check = \"status-server\"\ncheck_interval = \"200ms\"\ncheck_timeout = \"150ms\"\n\
                num_answers_to_alive = 2\nrevive_interval = \"1h\"";
    documents.change_acme(window, &format!("{window}\n{more}"));
    let node = Node::with(documents);
    let home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    assert_eq!(home.asked(), 0, "who answers is not asked");

    home.be_silent(true);
    nas.send_login("alice@acme.example", PASSWORD);
    until(|| node.metric(&state("zombie")) == 1.0);
    until(|| home.asked() >= 3);
    assert_eq!(node.metric(&state("alive")), 0.0);
    let labels = r#"customer="acme",server="acme-home-1",kind="auth""#;
    assert_eq!(node.metric(&format!("sekisho_server_probes_answered_total{{{labels}}}")), 0.0);

    home.be_silent(false);
    until(|| node.metric(&state("alive")) == 1.0);
    assert!(node.metric(&format!("sekisho_server_probes_sent_total{{{labels}}}")) >= 4.0);
    assert!(node.metric(&format!("sekisho_server_probes_answered_total{{{labels}}}")) >= 1.0);
    let page = text(&node.command(&["status"]));
    assert!(page.contains("status checks answered"), "{page}");
    assert!(node.log().contains("a home server counts as alive"), "{}", node.log());
    let asked = home.asked();
    std::thread::sleep(Duration::from_millis(500));
    assert!(home.asked() <= asked + 1, "it is let alone again");
}

#[test]
fn a_server_that_the_operator_takes_out_is_not_asked_and_not_missed() {
    let node = Node::start();
    let home = Home::start(node.network().home());
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    for (word, said) in
        [("draining", "taken out of service"), ("down", "taken out of service"), ("up", "counts as alive")]
    {
        let name = "name = \"acme-home-1\"\n";
        let text = std::fs::read_to_string(node.documents.acme_file()).unwrap();
        let lines: String =
            text.lines().filter(|line| !line.starts_with("state =")).map(|l| format!("{l}\n")).collect();
        std::fs::write(node.documents.acme_file(), lines.replace(name, &format!("{name}state = \"{word}\"\n")))
            .unwrap();
        assert_eq!(node.reload().0, 200);
        let shown = if word == "up" { "alive" } else { word };
        until(|| node.metric(&state(shown)) == 1.0);
        assert!(node.log().contains(said), "{}", node.log());
    }
    assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    assert_eq!(home.received(), 1);
}
