//! Documents and hosts that the program refuses, with the place and the reason.

use std::{fs, process::Command};

use crate::common::{Documents, Node, PROGRAM, run, text};

#[test]
fn a_faulty_document_is_refused_with_its_place_and_as_check_says_it() {
    let documents = Documents::new();
    documents.write_acme("colour = \"blue\"\n");
    let refused = run(&documents).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let said = text(&refused);
    let line = fs::read_to_string(documents.acme_file()).unwrap().lines().count();
    let place = format!("{}:{line}:1:", documents.acme_file().display());
    assert!(said.contains(&place), "no {place} in {said}");
    assert!(said.contains("colour"), "{said}");
    let check = Command::new(PROGRAM).arg("check").arg(documents.path()).output().unwrap();
    assert_eq!(check.status.code(), Some(2));
    assert_eq!(text(&check), said);
}

#[test]
fn sound_documents_are_told_in_a_paragraph() {
    let documents = Documents::new();
    let check = Command::new(PROGRAM).arg("check").arg(documents.path()).output().unwrap();
    let said = text(&check);
    assert_eq!(check.status.code(), Some(0), "{said}");
    assert!(said.contains("1 customer (1 served) with 1 realm, 2 client contracts"), "{said}");
}

#[test]
fn an_address_in_use_is_named() {
    let node = Node::start();
    let second = run(&node.documents).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let said = text(&second);
    assert!(said.contains(&format!("{}:1812", node.network().node())), "{said}");
    assert!(said.contains("another program has it"), "{said}");
}

#[test]
fn an_address_that_is_not_ours_is_named() {
    let documents = Documents::new();
    let text_ = fs::read_to_string(documents.node_file()).unwrap();
    let listener = format!("address = \"{}\"\nauth", documents.network.node());
    let upstream = format!("[upstream]\nipv4 = \"{}\"\n", documents.network.node());
    let other = text_.replace(&listener, "address = \"192.0.2.77\"\nauth") + &upstream;
    fs::write(documents.node_file(), other).unwrap();
    let refused = run(&documents).output().unwrap();
    let said = text(&refused);
    assert!(!refused.status.success());
    assert!(said.contains("192.0.2.77:1812") && said.contains("no address of this host"), "{said}");
}

#[test]
fn an_interface_that_does_not_exist_is_named() {
    let documents = Documents::new();
    let text_ = fs::read_to_string(documents.node_file()).unwrap();
    fs::write(documents.node_file(), text_.replace("\"lo\"", "\"nosuch0\"")).unwrap();
    let refused = run(&documents).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("nosuch0"), "{}", text(&refused));
}
