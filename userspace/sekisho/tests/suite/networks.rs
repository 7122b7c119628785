//! Access networks as an operator sees them: they come and go by a reload, and what is learned of them is kept.

use std::{fs, time::Duration};

use crate::common::{Documents, Node, PASSWORD, nas::Nas, text, until};
use sekisho_wire::code::Code;

const SECRET: &str = "a-secret-of-the-carrier";
const LEARNED: &str = r#"sekisho_client_message_authenticator_learned{customer="",client="carrier"}"#;

/// An access network whose equipment is the host with this number.
fn carrier(documents: &Documents, host: u8) -> String {
    format!(
        "[[access_network]]\nname = \"carrier\"\ntype = \"D\"\naddresses = [\"{}\"]\nsecret = \"{}\"\nreject_delay = \"0s\"\n",
        documents.network.host(host),
        SECRET
    )
}

#[test]
fn an_access_network_comes_changes_and_goes_by_a_reload() {
    let node = Node::start();
    let mut lac = Nas::with_secret(node.network().host(20), node.network().node(), SECRET);
    lac.patience(Duration::from_millis(200));
    assert_eq!(lac.login("alice@acme.example", PASSWORD), None, "it is a stranger");

    node.documents.write_node(&carrier(&node.documents, 20));
    let (status, said) = node.reload();
    let added = format!("+ access network carrier ({}) added", node.network().host(20));
    assert!(status == 200 && said.contains(&added), "{said}");
    lac.patience(Duration::from_secs(5));
    assert_eq!(lac.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_REJECT), "nobody serves it, so no silence");
    let page = text(&node.command(&["status"]));
    assert!(page.contains(&format!("network carrier {}", node.network().host(20))), "{page}");

    node.documents.write_node(&carrier(&node.documents, 21));
    assert!(node.reload().1.contains("~ access network carrier"));
    node.documents.write_node("");
    assert!(node.reload().1.contains("- access network carrier"));
}

#[test]
fn what_is_learned_of_an_access_network_outlives_the_process() {
    let documents = Documents::new();
    documents.write_node(&carrier(&documents, 20));
    let mut node = Node::with(documents);
    assert_eq!(node.metric(LEARNED), 0.0);
    let mut lac = Nas::with_secret(node.network().host(20), node.network().node(), SECRET);
    assert_eq!(lac.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_REJECT));
    assert_eq!(node.metric(LEARNED), 1.0);
    let file = node.documents.path().join("state/learned.json");
    until(|| fs::read_to_string(&file).is_ok_and(|text| text.contains("carrier")));
    node = node.restart();
    assert_eq!(node.metric(LEARNED), 1.0, "{}", node.log());
}

#[test]
fn what_is_made_at_the_start_is_not_changed_by_a_reload() {
    let node = Node::start();
    let keys = "[limits]\nmax_sessions = 1024\n";
    node.documents.write_node(keys);
    let (status, said) = node.reload();
    assert!(status == 422 && said.contains("limits.max_sessions: a change takes effect at the next start"), "{said}");
    let text = fs::read_to_string(node.documents.node_file()).unwrap().replace(keys, "");
    let xdp = "[xdp]\npersist = false\nmax_replies = 16\ndirectory = \"/sys/fs/bpf/elsewhere\"\n";
    fs::write(node.documents.node_file(), text.replace("[xdp]\n", xdp)).unwrap();
    let (status, said) = node.reload();
    assert_eq!(status, 422);
    for key in ["xdp.persist", "xdp.max_replies", "xdp.directory"] {
        assert!(said.contains(key), "{said}");
    }
}
