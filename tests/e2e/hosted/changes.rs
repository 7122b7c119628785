//! What the operator changes of an account is in force at once, and nobody else notices.

use std::time::Duration;

use sekisho_tests::load::{Load, count, summary};
use sekisho_tests::network::Family;
use sekisho_tests::process::Program;
use sekisho_tests::programs;
use sekisho_tests::service::Service;

use super::land::{ACCEPT, ACCOUNTS, ALICE, GROUP, Land, PASSWORD, REJECT, group, told};
use crate::scene::nas_secret;

#[test]
fn what_a_command_changes_of_an_account_is_in_force_at_once() {
    let land = Land::new();
    let service = land.service(&group(), "user,password\nalice,wonderland\nbob,builder\n");
    let sekisho = service.run();
    let terminal = land.terminal();
    let routing = sekisho.status()["node"]["version_of_routing"].clone();
    assert_eq!(terminal.code(ALICE, PASSWORD), ACCEPT);
    service.set(GROUP, "alice", &["--disable"]);
    terminal.comes_to(REJECT, ALICE, PASSWORD);
    service.set(GROUP, "alice", &["--enable"]);
    terminal.comes_to(ACCEPT, ALICE, PASSWORD);

    service.does_with(&["accounts", "set", "--contract", GROUP, "alice", "--password-file", "-"], "looking-glass\n");
    terminal.comes_to(ACCEPT, ALICE, "looking-glass");
    assert_eq!(terminal.code(ALICE, PASSWORD), REJECT, "the former password");

    service.set(GROUP, "alice", &["--reply", "Framed-IP-Address=192.0.2.77"]);
    sekisho_tests::wait::eventually("the attribute is there", || {
        (terminal.login(ALICE, "looking-glass").values(8) == [[192, 0, 2, 77]]).then_some(())
    });

    service.does(&["accounts", "remove", "--contract", GROUP, "alice"]);
    terminal.comes_to(REJECT, ALICE, "looking-glass");
    service.does_with(&["accounts", "add", "--contract", GROUP, "alice"], "a third one\n");
    terminal.comes_to(ACCEPT, ALICE, "a third one");
    assert!(
        terminal.login(ALICE, "a third one").values(8).is_empty(),
        "nothing is left of the account that was removed"
    );
    assert_eq!(terminal.code("bob@acme.example", "builder"), ACCEPT, "and nobody else was touched");
    let status = sekisho.status();
    assert_eq!(status["registry"]["accounts"], 2);
    assert_eq!(status["node"]["version_of_routing"], routing, "no account makes a node read all its documents again");
}

#[test]
fn an_account_that_is_removed_while_its_contract_is_suspended_is_gone_when_that_is_resumed() {
    let land = Land::new();
    let service = land.service(&group(), "user,password\nalice,wonderland\nbob,builder\n");
    let sekisho = service.run();
    let terminal = land.terminal();
    assert_eq!(terminal.code(ALICE, PASSWORD), ACCEPT);
    let is_served = || {
        let status = sekisho.status();
        status["registry"]["unserved"].as_array().is_some_and(Vec::is_empty).then_some(())
    };
    service.does(&["suspend", GROUP]);
    sekisho_tests::wait::eventually("the contract is not served", || is_served().is_none().then_some(()));
    service.does(&["accounts", "remove", "--contract", GROUP, "alice"]);
    service.set(GROUP, "bob", &["--note", "still there"]);
    service.does(&["resume", GROUP]);
    sekisho_tests::wait::eventually("the contract is served again", is_served);
    terminal.comes_to(ACCEPT, "bob@acme.example", "builder");
    assert_eq!(terminal.code(ALICE, PASSWORD), REJECT, "she is no subscriber any more");
    assert_eq!(sekisho.status()["registry"]["accounts"], 1);
}

/// Has the node's own document say something else in its file.
fn edit_node(service: &Service<'_>, from: &str, to: &str) {
    let path = service.documents().directory().join("sekisho.toml");
    let text = std::fs::read_to_string(&path).expect("the node's document");
    assert!(text.contains(from), "{text}");
    std::fs::write(&path, text.replacen(from, to, 1)).expect("the node's document");
}

#[test]
fn a_contract_is_suspended_whatever_somebody_is_making_of_the_nodes_own_document() {
    let land = Land::new();
    let service = land.service(&group(), ACCOUNTS);
    let sekisho = service.run();
    let terminal = land.terminal();
    assert_eq!(terminal.code(ALICE, PASSWORD), ACCEPT);
    // For the next start.
    edit_node(&service, "workers = ", "workers = 1");
    let refused = sekisho.command(&["reload"]);
    assert!(!refused.status.success() && refused.output.contains("node.workers"), "{}", refused.output);
    service.does(&["suspend", GROUP]);
    sekisho_tests::wait::eventually("the contract is not served", || {
        let status = sekisho.status();
        status["registry"]["unserved"].as_array().is_some_and(|unserved| !unserved.is_empty()).then_some(())
    });
    service.does(&["resume", GROUP]);
    terminal.comes_to(ACCEPT, ALICE, PASSWORD);
}

#[test]
fn another_country_code_is_that_of_the_numbers_that_accounts_are_bound_to_as_well() {
    let land = Land::new();
    let service = land.service(&group(), "user,password,calling\nalice,wonderland,09022222222\n");
    let sekisho = service.run();
    let terminal = land.terminal();
    let login = |number: &str| terminal.code_from(number, ALICE, PASSWORD);
    assert_eq!((login("+819022222222"), login("+829022222222")), (ACCEPT, REJECT));
    edit_node(&service, "[node]\n", "[node]\ncountry_code = \"82\"\n");
    assert!(sekisho.command(&["reload"]).status.success(), "{}", sekisho.log());
    sekisho_tests::wait::eventually("the numbers are others", || (login("+829022222222") == ACCEPT).then_some(()));
    assert_eq!((login("09022222222"), login("+819022222222")), (ACCEPT, REJECT));
}

#[test]
fn accounts_that_no_key_of_the_node_opens_are_ready_when_it_has_the_key_and_is_told_to_reload() {
    let land = Land::new();
    let service = land.service(&group(), ACCOUNTS);
    let sekisho = service.run();
    let terminal = land.terminal();
    assert_eq!(terminal.code(ALICE, PASSWORD), ACCEPT);
    // The operator's desk has its keys elsewhere, and rotates them there.
    let directory = service.documents().directory();
    let (node, desk) = (directory.join("sekisho.toml"), directory.join("desk.toml"));
    let text = std::fs::read_to_string(&node).expect("the node's document");
    let own_key = "[registry]\nkey_file = \"desk.key\"\n";
    std::fs::write(&desk, text.replacen("[registry]\n", own_key, 1)).expect("the desk's document");
    let key = service.state().join("registry.key");
    std::fs::copy(&key, directory.join("desk.key")).expect("the key");
    let rotated = Program::new(programs::sekisho()).args(["registry", "rotate-key", "--config"]).arg(&desk);
    let rotated = rotated.finish(&land.network.proxy, "", Duration::from_secs(60));
    assert!(rotated.status.success(), "{}", rotated.output);
    sekisho_tests::wait::eventually("her account cannot be opened", || {
        (sekisho.status()["registry"]["accounts_unusable"] == 1).then_some(())
    });
    assert_eq!(terminal.code(ALICE, PASSWORD), REJECT);
    std::fs::copy(directory.join("desk.key"), &key).expect("the key");
    assert!(sekisho.command(&["reload"]).status.success(), "{}", sekisho.log());
    terminal.comes_to(ACCEPT, ALICE, PASSWORD);
    assert_eq!(sekisho.status()["registry"]["accounts_unusable"], 0);
}

#[test]
fn a_password_file_of_either_kind_of_line_end_has_the_password_alone() {
    let land = Land::new();
    let service = land.service(&group(), ACCOUNTS);
    let sekisho = service.run();
    let terminal = land.terminal();
    service.does_with(&["accounts", "set", "--contract", GROUP, "alice", "--password-file", "-"], "looking-glass\r\n");
    terminal.comes_to(ACCEPT, ALICE, "looking-glass");
    let long = format!("Reply-Message={}", "x".repeat(240));
    let nine: Vec<&str> = (0..9).flat_map(|_| ["--reply", long.as_str()]).collect();
    let refused = service.tries(&[&["accounts", "set", "--contract", GROUP, "alice"], &nine[..]].concat());
    assert!(!refused.status.success() && refused.output.contains("room for 2048"), "{}", refused.output);
    assert_eq!(terminal.code(ALICE, "looking-glass"), ACCEPT);
    assert_eq!(sekisho.status()["registry"]["accounts_unusable"], 0);
}

#[test]
fn a_command_that_is_only_tried_or_refused_changes_nothing() {
    let land = Land::new();
    let service = land.service(&group(), "user,password\nalice,wonderland\n");
    let sekisho = service.run();
    let terminal = land.terminal();
    let revision = sekisho.status()["registry"]["revision"].clone();
    service.set(GROUP, "alice", &["--disable", "--dry-run"]);
    service.does(&["accounts", "remove", "--contract", GROUP, "alice", "--dry-run"]);
    let rows: String = (0..100).map(|n| format!("user{n},password-{n}\n")).collect();
    let path =
        service.documents().write_beside("too-many.csv", &format!("user,password\n{rows}")).display().to_string();
    let refused = service.tries(&["accounts", "import", "--contract", GROUP, &path]);
    assert!(!refused.status.success() && refused.output.contains("Art. 7"), "{}", refused.output);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(sekisho.status()["registry"]["revision"], revision);
    assert_eq!(terminal.code(ALICE, PASSWORD), ACCEPT);
    assert_eq!(terminal.code("user1@acme.example", "password-1"), REJECT);
}

#[test]
fn others_that_log_in_meanwhile_under_load_lose_nothing_by_changes() {
    let land = Land::new();
    let rows: String = (0..50).map(|n| format!("user{n},password-{n}\n")).collect();
    let accounts = format!("user,password\n{rows}");
    let service = land.service(&group(), &accounts);
    service.does_with(&["accounts", "add", "--contract", GROUP, "alice"], "wonderland\n");
    let sekisho = service.run();
    let terminal = land.terminal();
    let path = service.documents().write_beside("load.csv", &accounts).display().to_string();
    let mut load = Load::logins(&land.nas, Family::V4, &nas_secret(Family::V4), 32)
        .with(&["--accounts", &path, "--duration", "5s"])
        .patience("3s", "0")
        .start(&land.nas);
    for round in 0..3 {
        let password = format!("password of round {round}");
        service.does_with(&["accounts", "set", "--contract", GROUP, "alice", "--password-file", "-"], &password);
        terminal.comes_to(ACCEPT, ALICE, &password);
        service.set(GROUP, "alice", &["--disable"]);
        terminal.comes_to(REJECT, ALICE, &password);
        service.set(GROUP, "alice", &["--enable"]);
    }
    assert!(load.runs(), "it was all under load");
    assert!(load.exits_within(Duration::from_secs(20)).success(), "{}", load.log());
    let summary = summary(&load);
    assert_eq!(count(&summary, "lost"), 0, "{summary}");
    assert_eq!(count(&summary, "retransmitted"), 0, "{summary}");
    assert!(count(&summary, "completed") > 1000, "{summary}");
    assert!(told(&sekisho, GROUP)["accepts"].as_u64().unwrap() > 1000);
}
