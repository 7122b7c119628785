//! The registry itself by command: where it is, its keys, and what is left when its machine is gone.

use std::{fs, os::unix::fs::PermissionsExt as _};

use crate::common::{
    office::{Office, today},
    text,
};

#[test]
fn the_first_command_makes_it_for_its_owner_alone_with_a_key() {
    let office = Office::new();
    assert!(office.done(&["get", "customers"]).contains("There is no customer yet"));
    let mode = |name: &str| fs::metadata(office.file(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!([mode("state"), mode("state/registry.key"), mode("state/registry.db")], [0o700, 0o600, 0o600]);
}

#[test]
fn its_status_says_where_it_is_what_is_in_it_and_its_keys() {
    let office = Office::serving_since(today());
    let said = office.done(&["registry", "status"]);
    let entries = office.history().len();
    for words in [
        "registry.db",
        &format!("entries    {entries}, revision "),
        "customers  3\n",
        "contracts  5\n",
        "accounts   sakura-group: 2 of 100\n",
        "keys       ",
    ] {
        assert!(said.contains(words), "no {words:?} in\n{said}");
    }
    let key = office.read("state/registry.key");
    assert!(!said.contains(key.lines().next().unwrap()), "{said}");
}

#[test]
fn a_backup_is_restored_on_an_empty_machine_with_the_key_and_without_it_is_of_no_use() {
    let office = Office::serving_since(today());
    let said = office.done(&["registry", "backup", "backup"]);
    let entries = office.history().len();
    assert!(said.contains(&format!("holds the registry up to entry {entries}.")), "{said}");
    let backup = office.read("backup");
    for secret in ["wonderland", "builder-builder", "trial-secret-of-sakura", "trial-tunnel-password"] {
        assert!(!backup.contains(secret), "a secret in the backup");
    }

    let other = Office::new();
    fs::copy(office.file("backup"), other.file("backup")).unwrap();
    let output = other.run(&["registry", "restore", "backup"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("there is no key file"), "{}", text(&output));
    assert!(!other.file("state/registry.key").exists() && !other.file("state/registry.db").exists(), "nothing is made");

    fs::create_dir_all(other.file("state")).unwrap();
    fs::copy(office.file("state/registry.key"), other.file("state/registry.key")).unwrap();
    assert_eq!(other.done(&["registry", "restore", "backup"]), format!("{entries} entries are restored.\n"));
    assert_eq!(other.history(), office.history());
    assert_eq!(other.json(&["get", "contracts"]), office.json(&["get", "contracts"]));
    let export = ["accounts", "export", "--contract", "sakura-group", "--secrets"];
    assert_eq!(other.done(&export), office.done(&export));
    assert_eq!(other.done(&["export", "fuji", "--secrets"]), office.done(&["export", "fuji", "--secrets"]));
    other.done(&["suspend", "sakura-group"]);

    let output = other.run(&["registry", "restore", "backup"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("the registry is not empty"), "{}", text(&output));
    assert_eq!(other.state("sakura-group"), "suspended");
}

#[test]
fn a_damaged_backup_restores_nothing() {
    let office = Office::serving_since(today());
    office.done(&["registry", "backup", "backup"]);
    let other = Office::new();
    fs::create_dir_all(other.file("state")).unwrap();
    fs::copy(office.file("state/registry.key"), other.file("state/registry.key")).unwrap();
    let backup = office.read("backup");
    other.write("short", &backup[..backup.len() - 200]);
    let output = other.run(&["registry", "restore", "short"]);
    assert_ne!(output.status.code(), Some(0), "{}", text(&output));
    assert!(!text(&output).contains("panicked"), "{}", text(&output));
    assert!(other.history().is_empty());
    let output = other.run(&["registry", "restore", "nowhere"]);
    assert!(text(&output).contains("nowhere"), "{}", text(&output));
}

#[test]
fn a_new_key_seals_everything_and_the_former_one_can_go() {
    let office = Office::serving_since(today());
    let former = office.read("state/registry.key");
    let said = office.done(&["registry", "rotate-key"]);
    assert!(said.starts_with("Everything is sealed with key "), "{said}");
    assert!(said.contains("4 documents and 2 accounts"), "{said}");
    let both = office.read("state/registry.key");
    let keys = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!((keys(&former).len(), keys(&both).len()), (1, 2), "{both}");
    assert_eq!(keys(&both)[1], keys(&former)[0], "the new key is in front");
    // The line of the former key is taken out.
    let kept: String = both.lines().filter(|line| *line != keys(&former)[0]).map(|line| format!("{line}\n")).collect();
    office.write("state/registry.key", &kept);
    let export = office.done(&["accounts", "export", "--contract", "sakura-group", "--secrets"]);
    assert!(export.contains("wonderland"), "{export}");
    assert_eq!(office.done(&["export", "fuji", "--secrets"]), office.read("fuji.toml"));
    // And with the former one alone, nothing can be read any more.
    office.write("state/registry.key", &former);
    let output = office.run(&["get", "customers"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("these are not the keys of this registry"), "{}", text(&output));
}

#[test]
fn choices_are_printed_each_with_its_article() {
    let office = Office::new();
    let said = office.done(&["registry", "choices"]);
    assert!(said.lines().count() > 10, "{said}");
    for line in said.lines() {
        assert!(line.contains("Art. ") || line.contains("annex") || line.contains("general regulation"), "{line}");
    }
}

#[test]
fn nothing_is_shown_to_whom_the_registry_is_not_open() {
    let office = Office::serving_since(today());
    fs::set_permissions(office.file("state/registry.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = office.run(&["get", "customers"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    assert!(text(&output).contains("chmod"), "{}", text(&output));
}

#[test]
fn the_trial_is_made_empty_where_that_is_asked_for() {
    let office = Office::new();
    let said = office.done(&["trial", "--empty", "trial"]);
    assert!(said.contains("its registry is empty"), "{said}");
    for file in ["sekisho.toml", "carriers.toml", "sakura.toml", "sakura.csv", "acme.toml", "fuji.toml"] {
        assert!(office.file("trial").join(file).exists(), "{file}");
    }
    // What has been changed in it stays.
    fs::write(office.file("trial/sakura.csv"), "user,password\n").unwrap();
    office.done(&["trial", "--empty", "trial"]);
    assert_eq!(office.read("trial/sakura.csv"), "user,password\n");
}
