//! `sekisho probe` explains what comes of a login.

use crate::common::{Documents, Node, home::Home, text};

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
fn a_reject_of_the_nodes_own_tells_what_was_the_matter() {
    let documents = Documents::new();
    documents.change_acme(
        "secret = \"a-secret-of-this-host\"",
        "secret = \"a-secret-of-this-host\"\nanswer_within = \"2s\"",
    );
    let node = Node::with(documents);
    let home = Home::start(node.network().home());
    home.be_generous();
    let output = node.command(&["probe", "alice@acme.example"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("Error-Cause = 405 (unsupported-service)"), "{said}");
    assert!(said.contains("sekisho itself said no: the answer of the home server acme-home-1"), "{said}");
    assert!(said.contains("Administrative") && said.contains("`administrative`"), "{said}");

    home.be_silent(true);
    let output = node.command(&["probe", "alice@acme.example"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no home server has answered within the client's `answer_within`"), "{said}");
    assert!(said.contains("Silent: acme-home-1 ("), "{said}");

    node.documents.change_acme("[[proxy.server]]", "[[proxy.server]]\nstate = \"down\"");
    assert_eq!(node.reload().0, 200);
    let output = node.command(&["probe", "alice@acme.example"]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("every server of the contract is dead, out of service or without an address"), "{said}");

    node.documents.change_acme(&format!("address = \"{}\"", node.network().home()), "address = \"acme.invalid\"");
    assert_eq!(node.reload().0, 200);
    let output = node.command(&["probe", "alice@acme.example"]);
    let said = text(&output);
    assert!(said.contains("every server of the contract is dead, out of service or without an address"), "{said}");
    node.documents.change_acme("state = \"down\"", "state = \"down\"\naccounting = 1813");
    node.documents.change_acme("suffix = \"acme.example\"", "name = \"branches\"\npattern = '^acme\\.'");
    assert_eq!(node.reload().0, 200);
    let output = node.command(&["probe", "alice@acme.example"]);
    let said = text(&output);
    assert!(
        said.contains("It is taken for pattern:branches; acme-proxy-1 serves it, but has no server for logins"),
        "{said}"
    );
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
