//! CoA and Disconnect through the program: its own port, its own senders, the terminals' ports.

use std::{fs, net::UdpSocket, thread, time::Duration};

use crate::common::{Documents, NAS_SECRET, Node, nas::Nas, text};
use sekisho_wire::{buf::Buf, build::write_reply, code::Code, scan::scan, secret::Secret};

const SENDER_SECRET: &str = "a-secret-of-the-sender";

/// The NAS takes CoA and Disconnect, and host 50 may send them.
fn documents() -> Documents {
    let documents = Documents::new();
    let node = fs::read_to_string(documents.node_file()).unwrap();
    fs::write(documents.node_file(), node.replace("accounting = 1813", "accounting = 1813\ndynauth = 3799")).unwrap();
    let sender = documents.network.host(50);
    documents.write_acme(&format!(
        "[[dynauth]]\nname = \"acme-coa\"\naddress = \"{sender}\"\nsecret = \"{SENDER_SECRET}\"\nanswer_within = \"1s\"\n"
    ));
    documents.change_acme("contract = \"acme-nas-1\"", "contract = \"acme-nas-1\"\ndynauth = 3799");
    documents
}

#[test]
fn a_disconnect_reaches_its_terminal_and_the_answer_its_sender() {
    let node = Node::with(documents());
    let (terminal, here) = (node.network().nas(), node.network().node());
    let port = UdpSocket::bind((terminal, 3799)).unwrap();
    let answering = thread::spawn(move || {
        let (mut buf, mut reply, secret) = (Buf::new(), Buf::new(), Secret::new(NAS_SECRET).unwrap());
        let (len, peer) = port.recv_from(buf.receive_space()).unwrap();
        buf.set_received(len);
        let layout = scan(buf.bytes()).unwrap();
        let authenticator = layout.authenticator(buf.bytes()).unwrap();
        let code = Code::DISCONNECT_ACK;
        write_reply(&mut reply, code, layout.id, &authenticator, &secret, buf.bytes(), &[]).unwrap();
        port.send_to(reply.bytes(), peer).unwrap();
        layout.code
    });
    let mut sender = Nas::with_secret(node.network().host(50), here, SENDER_SECRET);
    assert_eq!(sender.disconnect("alice@acme.example", terminal), Some(Code::DISCONNECT_ACK));
    assert_eq!(answering.join().unwrap(), Code::DISCONNECT_REQUEST);

    assert_eq!(node.metric(r#"sekisho_requests_total{code="disconnect"}"#), 1.0);
    assert_eq!(node.metric(r#"sekisho_replies_total{code="disconnect_ack"}"#), 1.0);
    let series = r#"customer="acme",server="acme-nas-1",kind="dynauth",code="disconnect_ack""#;
    assert_eq!(node.metric(&format!("sekisho_server_replies_total{{{series}}}")), 1.0);
    let page = text(&node.command(&["status"]));
    assert!(page.contains(":3799 dynauth"), "{page}");
    assert!(page.contains("requests   disconnect 1") && page.contains("dynauth acme-coa"), "{page}");
}

#[test]
fn no_such_terminal_a_silent_one_and_a_stranger() {
    let node = Node::with(documents());
    let here = node.network().node();
    let mut sender = Nas::with_secret(node.network().host(50), here, SENDER_SECRET);
    assert_eq!(sender.disconnect("alice@acme.example", node.network().host(77)), Some(Code::DISCONNECT_NAK));
    // Nobody listens there; the sender hears of it within its own `answer_within`.
    assert_eq!(sender.disconnect("alice@acme.example", node.network().nas()), Some(Code::DISCONNECT_NAK));
    assert_eq!(node.metric(r#"sekisho_replies_total{code="disconnect_nak"}"#), 2.0);

    // A terminal may log in and account, and not have sessions ended.
    let mut terminal = Nas::new(node.network().nas(), here);
    terminal.patience(Duration::from_millis(300));
    assert_eq!(terminal.disconnect("alice@acme.example", node.network().nas()), None);
    assert_eq!(node.metric(r#"sekisho_dropped_total{where="userspace",reason="wrong_role"}"#), 1.0);
}
