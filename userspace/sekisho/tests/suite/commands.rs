//! What the commands of the service say: names that there are not, who and why, JSON for programs, and how they end.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::common::{
    Documents, PROGRAM,
    office::{Office, day, today},
    text,
};
use serde_json::Value;

/// The keys of a JSON object.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn names_that_there_are_not_are_refused_with_where_to_find_those_that_there_are() {
    let office = Office::serving_since(today());
    let today = today().to_string();
    let of_contracts: [&[&str]; 6] = [
        &["accept", "nobody"],
        &["confirm", "nobody", "-p", "realm"],
        &["cancel", "nobody", "--arrived", &today],
        &["change", "nobody", "--accounts", "3"],
        &["incident", "open", "i", "--contract", "nobody"],
        &["accounts", "list", "--contract", "nobody"],
    ];
    for arguments in of_contracts {
        let said = office.refused(arguments);
        assert!(said.contains("nobody") && said.contains("sekisho get contracts"), "{arguments:?}: {said}");
    }
    let of_customers: [&[&str]; 6] = [
        &["accept", "--customer", "nobody"],
        &["get", "contracts", "--customer", "nobody"],
        &["get", "customers", "--customer", "nobody"],
        &["get", "incidents", "--customer", "nobody"],
        &["export", "nobody"],
        &["statement", "nobody", "--month", "2026-11"],
    ];
    for arguments in of_customers {
        let said = office.refused(arguments);
        assert!(said.contains("nobody") && said.contains("sekisho get customers"), "{arguments:?}: {said}");
    }
    let said = office.refused(&["incident", "close", "nothing", "--fault", "operator"]);
    assert!(said.contains("there is no incident nothing"), "{said}");
    let said = office.refused(&["get", "history", "--customer", "nobody"]);
    assert!(said.contains("there is no customer nobody"), "{said}");
    let said = office.refused(&["get", "history", "--contract", "nothing"]);
    assert!(said.contains("nothing") && said.contains("sekisho get contracts"), "{said}");
}

#[test]
fn the_history_says_who_when_what_and_why() {
    let office = Office::new();
    office.done(&["apply", "-f", "sakura.toml", "--who", "taro", "--why", "application of 12 May"]);
    office.done(&["accept", "sakura-nas"]);
    let history = office.history();
    let told: Vec<[&str; 3]> =
        history.iter().map(|line| ["who", "why", "what"].map(|key| line[key].as_str().unwrap())).collect();
    assert_eq!(
        told,
        [
            ["taro", "application of 12 May", &format!("document of sakura, from {}", today())],
            ["hanako", "", &format!("sakura-nas accepted on {}", today())],
        ]
    );
    let page = office.done(&["get", "history", "--contract", "sakura-nas"]);
    assert!(page.contains("taro") && page.contains("application of 12 May"), "{page}");
    assert_eq!(office.json(&["get", "history", "--after", "1"]).as_array().unwrap().len(), 1);
}

#[test]
fn what_commands_show_to_programs_has_its_shape() {
    let office = Office::serving_since(today());
    let customers = office.json(&["get", "customers"]);
    assert_eq!(keys(&customers["customers"][0]), ["contracts", "name", "realms", "served", "title"]);
    let names: Vec<&Value> = customers["customers"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["acme", "fuji", "sakura"]);
    assert_eq!(customers["customers"][2]["realms"][0], "sakura.example");
    let contracts = office.json(&["get", "contracts", "--customer", "sakura"]);
    assert_eq!(
        keys(&contracts["contracts"][0]),
        [
            "accounts",
            "contract",
            "customer",
            "kind",
            "option",
            "restrictions",
            "served",
            "since",
            "state",
            "until",
            "why_not"
        ]
    );
    assert_eq!(contracts["contracts"].as_array().unwrap().len(), 2);
    let history = office.history();
    assert_eq!(keys(&history[0]), ["at", "contracts", "customers", "number", "what", "who", "why"]);
    office.done(&["incident", "open", "i-1", "--contract", "sakura-group"]);
    let incidents = office.json(&["get", "incidents"]);
    assert_eq!(keys(&incidents["incidents"][0]), ["affects", "credit", "ended", "incident", "known", "state"]);
    let accounts = office.json(&["accounts", "list", "--contract", "sakura-group"]);
    assert_eq!(keys(&accounts), ["accounts", "count", "most"]);
    assert_eq!(
        keys(&accounts["accounts"][0]),
        ["calling", "enabled", "expires", "note", "password", "realm", "reply", "simultaneous", "user"]
    );
}

#[test]
fn who_asks_for_one_customer_does_not_learn_of_another() {
    let office = Office::serving_since(day(-3));
    office.done(&["incident", "open", "both", "--contract", "sakura-group", "--contract", "acme-proxy"]);
    for what in ["contracts", "customers", "incidents", "history"] {
        for more in [&[][..], &["--json"]] {
            let said = office.done(&[&["get", what, "--customer", "sakura"], more].concat());
            assert!(said.contains("sakura") && !said.contains("acme") && !said.contains("fuji"), "{said}");
        }
    }
    assert!(!office.done(&["export", "sakura", "--secrets"]).contains("acme"));
    assert!(!office.statement("sakura", today().first_of_month()).to_string().contains("acme"));
}

#[test]
fn an_exported_document_has_no_secrets_and_cannot_be_applied_unless_they_are_asked_for() {
    let office = Office::serving_since(today());
    let shown = office.done(&["export", "fuji"]);
    assert!(!shown.contains("trial-tunnel-password") && shown.contains("tunnel_password_hidden = true"), "{shown}");
    office.write("shown.toml", &shown);
    let said = office.refused(&["apply", "-f", "shown.toml"]);
    assert!(said.contains("tunnel_password_hidden"), "{said}");
    office.write("whole.toml", &office.done(&["export", "fuji", "--secrets"]));
    assert_eq!(office.read("whole.toml"), office.read("fuji.toml"));
    assert_eq!(office.done(&["apply", "-f", "whole.toml"]), "Nothing changes.\n");
    let operator = office.done(&["export", "--operator", "--secrets"]);
    assert_eq!(operator, office.read("carriers.toml"));
}

#[test]
fn a_node_without_a_registry_says_so() {
    let documents = Documents::new();
    for arguments in
        [&["get", "customers"][..], &["registry", "status"], &["accept", "x"], &["accounts", "list", "--contract", "x"]]
    {
        let mut command = std::process::Command::new(PROGRAM);
        let output = command.args(arguments).arg("--config").arg(documents.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output).contains("this node has no [registry]"), "{}", text(&output));
    }
}

#[test]
fn a_faulty_document_is_refused_with_its_line() {
    let office = Office::new();
    office.change("sakura.toml", "accounts = 100", "accounts = \"many\"");
    let output = office.run(&["apply", "-f", "sakura.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("sakura.toml:") && text(&output).contains("accounts"), "{}", text(&output));
    office.change("sekisho.toml", "time_zone = \"Asia/Tokyo\"", "time_zone = \"Asia/Nowhere\"");
    let output = office.run(&["get", "customers"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("sekisho.toml:") && text(&output).contains("time_zone"), "{}", text(&output));
}

#[test]
fn a_registry_that_cannot_be_opened_is_a_failure_that_says_why() {
    let office = Office::new();
    office.change("sekisho.toml", "\"registry.db\"", "\"postgresql://sekisho:not-to-be-seen@127.0.0.1:9/none\"");
    office.write("key", &"5".repeat(64));
    fs::set_permissions(office.file("key"), fs::Permissions::from_mode(0o600)).unwrap();
    office.change("sekisho.toml", "time_zone", "key_file = \"key\"\ntime_zone");
    let output = office.run(&["get", "customers"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("the registry cannot be reached"), "{}", text(&output));
    assert!(!text(&output).contains("not-to-be-seen"), "{}", text(&output));
}

#[test]
fn a_registry_whose_key_is_gone_is_a_failure_that_says_what_to_put_back() {
    let office = Office::serving_since(today());
    let key = fs::read_dir(office.file("state")).unwrap().map(|entry| entry.unwrap().path());
    let key = key.filter(|path| path.to_string_lossy().contains("key")).collect::<Vec<_>>();
    assert_eq!(key.len(), 1, "{key:?}");
    fs::remove_file(&key[0]).unwrap();
    let output = office.run(&["get", "customers"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("there is no key file"), "{}", text(&output));
    assert!(!key[0].exists(), "a new key opens nothing");
}
