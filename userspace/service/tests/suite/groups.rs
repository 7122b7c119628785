//! `group` contracts, compiled: who answers, by what, and what outlives a reload.

use std::{path::Path, sync::Arc};

use crate::common::{first, reload};
use sekisho_config::{Customer, Node, Text, Texts};
use sekisho_engine::snapshot::{Calling, Group, PasswordForm, Protocols, RealmService, RoutingSnapshot, Verify};

const NODE: &str = r#"
[registry]
[hosted]
max_failures = 3
failure_window = "1m"
lock = "2m"
[[domain]]
name = "closed"
[[domain.ingress]]
interface = "eth0"
[[listener]]
address = "198.51.100.1"
auth = 1812
accounting = 1813
[[access_network]]
name = "carrier"
type = "D"
addresses = ["203.0.113.0/24"]
secret = "secret of the carrier"
"#;

const SAKURA: &str = r#"
[customer]
name = "sakura"
[[mobile]]
type = "D"
class = "I"
[[realm]]
suffix = "sakura.example"
[[realm]]
suffix = "hashed.example"
[[client]]
contract = "sakura-nas"
address = "192.0.2.7"
secret = "secret of sakura's terminal"
[[group]]
contract = "sakura-group"
realms = ["sakura.example"]
accounts = 10
simultaneous = 2
max_sessions = 100
protocols = ["pap", "chap"]
reply = { "Session-Timeout" = 3600 }
[[group]]
contract = "sakura-hashed"
realms = ["hashed.example"]
accounts = 10
passwords = "argon2id"
[[lns]]
name = "one"
address = "192.0.2.1"
tunnel_password = "tunnel password 1"
[[vpdn]]
contract = "sakura-vpdn"
type = "D"
realms = ["sakura.example"]
verify = "group"
lns = ["one"]
"#;

fn documents(customer: &str) -> (Node, Vec<Customer>) {
    let directory = tempfile::tempdir().unwrap();
    let node = directory.path().join("sekisho.toml");
    std::fs::write(&node, NODE).unwrap();
    load(&node, customer)
}

fn load(node: &Path, customer: &str) -> (Node, Vec<Customer>) {
    let texts = Texts { customers: vec![Text::new("sakura (entry 1)", customer)], ..Texts::default() };
    let loaded = sekisho_config::load_documents(node, &texts, &|_| None);
    let (node, customers, _) = loaded.unwrap_or_else(|faults| panic!("{faults}"));
    (node, customers)
}

fn group<'s>(snapshot: &'s RoutingSnapshot, contract: &str) -> &'s Arc<Group> {
    snapshot.groups.iter().flatten().find(|group| group.contract == contract).unwrap()
}

fn service(snapshot: &RoutingSnapshot, realm: &str) -> Option<RealmService> {
    snapshot.realms.iter().flatten().find(|it| it.name == realm).unwrap().service
}

#[test]
fn a_realm_is_answered_by_its_contract_as_the_document_says() {
    let compiled = first(&documents(SAKURA)).unwrap();
    let snapshot = &compiled.snapshot;
    let (plain, hashed) = (group(snapshot, "sakura-group"), group(snapshot, "sakura-hashed"));
    assert_eq!(service(snapshot, "sakura.example"), Some(RealmService::Group(plain.id)));
    assert_eq!(service(snapshot, "hashed.example"), Some(RealmService::Group(hashed.id)));
    assert_eq!((plain.form, plain.protocols), (PasswordForm::Recoverable, Protocols::PAP.with(Protocols::CHAP)));
    assert_eq!((hashed.form, hashed.protocols), (PasswordForm::Argon2id, Protocols::PAP));
    assert_eq!((plain.simultaneous, plain.max_sessions, plain.calling), (2, 100, Calling::WhereListed));
    assert_eq!((plain.lockout.failures, plain.lockout.window.as_secs(), plain.lockout.hold.as_secs()), (3, 60, 120));
    assert_eq!(*plain.reply, [27, 6, 0, 0, 14, 16]);
    let realms: Vec<&str> = plain.realms.iter().map(|id| snapshot.realm(*id).unwrap().name.as_str()).collect();
    assert_eq!(realms, ["sakura.example"]);
}

#[test]
fn a_vpdn_contract_that_verifies_by_group_asks_the_contract_of_its_realms() {
    let compiled = first(&documents(SAKURA)).unwrap();
    let snapshot = &compiled.snapshot;
    let vpdn = snapshot.vpdn.iter().flatten().next().unwrap();
    let asked = group(snapshot, "sakura-group").id;
    assert!(matches!(vpdn.verify, Verify::Group(group) if group == asked), "{:?}", vpdn.verify);
}

#[test]
fn where_the_accounts_are_not_served_nobody_gets_a_tunnel_unasked() {
    let (node, customers) = documents(SAKURA);
    let served = |contract: &str| contract != "sakura-group";
    let customers = customers.iter().map(|it| it.only(&served, &|_| None).unwrap()).collect();
    let compiled = first(&(node, customers)).unwrap();
    assert_eq!(service(&compiled.snapshot, "sakura.example"), None);
    assert!(compiled.snapshot.vpdn.iter().flatten().next().is_none());
}

#[test]
fn numbers_sessions_and_counters_outlive_a_reload() {
    let before = first(&documents(SAKURA)).unwrap();
    let after = reload(&before, &documents(&SAKURA.replace("simultaneous = 2", "simultaneous = 1"))).unwrap();
    let (was, is) = (group(&before.snapshot, "sakura-group"), group(&after.snapshot, "sakura-group"));
    assert_eq!((was.id, is.simultaneous), (is.id, 1));
    assert!(Arc::ptr_eq(&was.sessions, &is.sessions) && Arc::ptr_eq(&was.stats, &is.stats));
}
