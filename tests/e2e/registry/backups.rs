//! A backup on another machine: all of it with the key, nothing of it without.

use sekisho_tests::documents::home_secret;
use sekisho_tests::home::ScriptedHome;
use sekisho_tests::registry::{Desk, Office};
use sekisho_tests::sekisho::Sekisho;

use super::scene::{ALICE, BOB, SAKURA_GROUP, SAKURA_NAS, Town, login, radclient_accepts};

/// A backup of a registry that both customers are served from, and what the operator sees of that.
fn backup(town: &Town, office: &Office) -> (String, [String; 3]) {
    let desk = town.desk(office);
    town.serve_both(office, &desk);
    desk.done(&["accounts", "set", "--contract", SAKURA_GROUP, "bob", "--disable"]);
    let file = office.path("backup").display().to_string();
    let told = desk.done(&["registry", "backup", &file]);
    assert!(told.contains("Keep the key"), "{told}");
    let octets = std::fs::read(&file).unwrap();
    let holds = |secret: &str| octets.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!holds("wonderland") && !holds("secret-of-"), "secrets are sealed in it");
    (file, seen(&desk))
}

/// Contracts, accounts, documents.
fn seen(desk: &Desk<'_>) -> [String; 3] {
    let accounts = ["accounts", "export", "--contract", SAKURA_GROUP, "--secrets"];
    [desk.done(&["get", "contracts"]), desk.done(&accounts), desk.done(&["export", "acme", "--secrets"])]
}

#[test]
fn a_backup_restored_on_an_empty_machine_with_the_key_is_the_same_registry_with_the_same_logins() {
    let (town, office) = (Town::new(), Office::new());
    let (file, before) = backup(&town, &office);
    let history = town.desk(&office).history();

    let (other, machine) = (Town::new(), Office::new());
    std::fs::copy(office.path("registry.key"), machine.path("registry.key")).unwrap();
    let desk = other.desk(&machine);
    let told = desk.done(&["registry", "restore", &file]);
    assert!(told.contains("restored"), "{told}");
    assert_eq!(seen(&desk), before);
    assert_eq!(desk.history(), history);
    let _home = ScriptedHome::willing(&other.home, &home_secret("home1"));
    let _sekisho = Sekisho::start(&other.network, &other.node(&machine));
    let (sakura, acme) = (other.sakura_nas(), other.acme_nas());
    assert_eq!((login(&sakura, ALICE), login(&sakura, BOB)), (2, 3));
    assert_eq!(login(&acme, "carol@acme.example"), 2);
    radclient_accepts(&other.sakura, SAKURA_NAS, ALICE);
    // A second time it would be mixed with what is there.
    let told = desk.refused(&["registry", "restore", &file]);
    assert!(told.contains("not empty"), "{told}");
    assert_eq!(desk.history(), history);
}

#[test]
fn a_backup_is_refused_without_the_key_and_leaves_nothing() {
    let (town, office) = (Town::new(), Office::new());
    let (file, _) = backup(&town, &office);
    let other = Town::new();
    // Without any key, and with another one.
    for other_key in [None, Some("fedcba9876543210")] {
        let machine = Office::new();
        if let Some(digits) = other_key {
            machine.write_key(digits);
        }
        let desk = other.desk(&machine);
        let told = desk.fails(&["registry", "restore", &file], 1);
        assert!(told.contains("key"), "{told}");
        assert!(!told.contains("wonderland"), "{told}");
        let contracts = desk.done(&["get", "contracts"]);
        assert!(contracts.contains("no contract yet"), "{contracts}");
    }
}
