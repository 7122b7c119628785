//! Home servers by name.

use std::{
    net::UdpSocket,
    time::{Duration, Instant},
};

use crate::common::{Documents, Node, PASSWORD, home::Home, nas::Nas, text};
use sekisho_wire::code::Code;

/// The server of these documents has this name, and is at these ports.
fn named(name: &str, [auth, accounting]: [u16; 2]) -> Documents {
    let documents = Documents::new();
    let by_address = format!("address = \"{}\"\nsecret = \"{}\"", documents.network.home(), crate::common::HOME_SECRET);
    let by_name = format!(
        "address = \"{name}\"\nauth = {auth}\naccounting = {accounting}\nsecret = \"{}\"",
        crate::common::HOME_SECRET
    );
    documents.change_acme(&by_address, &by_name);
    documents
}

#[test]
fn a_server_is_found_by_its_name() {
    let sockets = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    let ports = [0, 1].map(|index: usize| sockets[index].local_addr().unwrap().port());
    let home = Home::on(sockets);
    let node = Node::with(named("localhost", ports));
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    assert_eq!(home.received(), 1);
    assert!(!node.get("/metrics").contains("sekisho_server_unresolved{"));
}

#[test]
fn a_name_without_an_address_holds_nobody_up_and_is_shown_until_it_has_one() {
    let began = Instant::now();
    let node = Node::with(named("radius.acme.invalid", [1812, 1813]));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    let log = node.log();
    let warnings: Vec<&str> = log.lines().filter(|line| line.contains("the server's name has no address")).collect();
    let [warning] = warnings.as_slice() else { panic!("one warning: {log}") };
    for word in ["WARN", "acme", "acme-home-1", "radius.acme.invalid"] {
        assert!(warning.contains(word), "{warning}");
    }
    let series = r#"sekisho_server_unresolved{customer="acme",server="acme-home-1",host="radius.acme.invalid"}"#;
    assert_eq!(node.metric(series), 1.0);
    let page = text(&node.command(&["status"]));
    assert!(page.contains("acme-home-1 radius.acme.invalid has no address: it is asked nothing"), "{page}");
    assert!(page.contains("realm   acme.example by acme-proxy-1 (none of its servers has an address)"), "{page}");

    // Everybody else is served, also a customer's other realms; and an address makes it a server like any other.
    let home = Home::start(node.network().home());
    node.documents.change_acme("radius.acme.invalid", &node.network().home().to_string());
    let (status, said) = node.reload();
    assert_eq!(status, 200, "{said}");
    let mut nas = Nas::new(node.network().nas(), node.network().node());
    assert_eq!(nas.login("alice@acme.example", PASSWORD), Some(Code::ACCESS_ACCEPT));
    assert_eq!(home.received(), 1);
    assert!(!node.has_metric(series));
}

#[test]
fn a_name_that_leads_to_ourselves_is_refused_and_said_so() {
    let documents = named("localhost", [1812, 1813]);
    let node = documents.network.node().to_string();
    let text_ = std::fs::read_to_string(documents.node_file()).unwrap();
    // Our own listener at the address that the name has; on ports of this test alone.
    let own = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port());
    let listener = format!(
        "[[listener]]\naddress = \"127.0.0.1\"\nauth = {}\naccounting = {}\n[[listener]]\naddress = \"{node}\"",
        own[0], own[1]
    );
    let text_ = text_.replace(&format!("[[listener]]\naddress = \"{node}\""), &listener);
    std::fs::write(documents.node_file(), text_).unwrap();
    documents.change_acme("auth = 1812\naccounting = 1813", &format!("auth = {}\naccounting = {}", own[0], own[1]));
    let node = Node::with(documents);
    let page = text(&node.command(&["status"]));
    assert!(page.contains("localhost is 127.0.0.1, which is our own listener: requests would go round"), "{page}");
}
