//! `sekisho probe` explains what comes of a login.

mod common;

use common::{Node, home::Home, text};

#[test]
fn an_accepted_login_needs_no_password_and_no_secret_typed() {
    let node = Node::start();
    let _home = Home::start(node.network().home());
    let output = node.command(&["probe", "alice@acme.example"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("accepted in") && said.contains("Reply-Message = \"welcome\""), "{said}");
    assert!(said.contains("client contract acme-host"), "{said}");
}

#[test]
fn a_rejected_login_tells_who_said_no() {
    let node = Node::start();
    let _home = Home::start(node.network().home());
    let output = node.command(&["probe", "alice@acme.example", "--password", "wrong"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("home server acme-home-1") && said.contains("not you"), "{said}");

    let output = node.command(&["probe", "alice@other.example", "--password", "wrong"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("sekisho itself said no") && said.contains("No customer has it"), "{said}");
}

#[test]
fn no_answer_names_the_reason_that_grew_and_its_remedy() {
    let node = Node::start();
    let home = Home::start(node.network().home());
    let wrong = node.documents.path().join("wrong");
    std::fs::write(&wrong, "another secret\n").unwrap();
    let output =
        node.command(&["probe", "alice@acme.example", "--timeout", "1", "--secret-file", wrong.to_str().unwrap()]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("message_authenticator_bad grew by 1") && said.contains("secrets differ"), "{said}");

    home.be_silent(true);
    let output = node.command(&["probe", "alice@acme.example", "--timeout", "1"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("acme-home-1") && said.contains("did not answer in time"), "{said}");
}

#[test]
fn accounting_is_recorded() {
    let node = Node::start();
    let _home = Home::start(node.network().home());
    for record in ["start", "interim", "stop"] {
        let output = node.command(&["probe", "alice@acme.example", "--accounting", record]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        assert!(text(&output).contains("recorded in"), "{}", text(&output));
    }
}

#[test]
fn a_node_that_is_not_there_is_said_to_be_so() {
    let mut node = Node::start();
    node.signal(rustix::process::Signal::TERM);
    node.wait();
    let output = node.command(&["status"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("sekisho run"), "{}", text(&output));
    let config = node.documents.path().to_str().unwrap().to_owned();
    let output = node.command(&["probe", "alice@acme.example", "--timeout", "1", "--config", &config]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
    assert!(text(&output).contains("is it running?"), "{}", text(&output));
}
