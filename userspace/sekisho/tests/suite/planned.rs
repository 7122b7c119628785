//! Documents that are planned: what becomes of a plan when another document comes before it.

use crate::common::office::{ALL, Office, day, today};

/// With a plan for more accounts in ten days.
fn planned() -> Office {
    let office = Office::serving_since(today());
    office.done(&["change", "sakura-group", "--accounts", "200", "--at", &day(10).to_string()]);
    assert_eq!(office.contract("sakura-group", Some(day(10)))["accounts"], 200);
    office
}

/// Another title, from a day on.
fn rename(office: &Office, from: &str, to: &str, day: jiff::civil::Date) -> String {
    office.change("sakura.toml", from, to);
    office.done(&["apply", "-f", "sakura.toml", "--at", &day.to_string()])
}

/// Its 100 accounts stay, and a later document that says so is applied, and changed.
fn goes_on_with_100(office: &Office) {
    rename(office, "Sakura Cable", "Sakura Networks", day(1));
    assert_eq!(office.contract("sakura-group", Some(day(10)))["accounts"], 100);
    rename(office, "Sakura Networks", "Sakura", day(11));
    let said = office.done(&["change", "sakura-group", "--accounts", "150", "--at", &day(12).to_string()]);
    assert!(said.contains(&format!("150 accounts from {}, 100 before", day(12))), "{said}");
}

#[test]
fn a_document_in_the_place_of_a_planned_one_takes_back_its_number_of_accounts() {
    goes_on_with_100(&planned());
}

#[test]
fn a_number_planned_before_the_contract_was_accepted_is_taken_back_as_well() {
    let office = Office::new();
    let files: Vec<&str> = ALL.iter().flat_map(|file| ["-f", file]).collect();
    office.done(&[&["apply"], &files[..]].concat());
    office.change("sakura.toml", "accounts = 100", "accounts = 200");
    office.done(&["apply", "-f", "sakura.toml", "--at", &day(10).to_string()]);
    office.done(&["accept", "--customer", "sakura"]);
    office.change("sakura.toml", "accounts = 200", "accounts = 100");
    goes_on_with_100(&office);
}

#[test]
fn the_document_in_force_applied_again_takes_back_what_is_planned_behind_it() {
    let office = planned();
    office.change("carriers.toml", "carrier-d", "carrier-e");
    let at = day(10);
    office.done(&["apply", "-f", "carriers.toml", "--at", &at.to_string()]);
    office.change("carriers.toml", "carrier-e", "carrier-d");
    let said = office.done(&["apply", "-f", "sakura.toml", "-f", "carriers.toml", "-f", "acme.toml"]);
    let lines =
        ["sakura", "the operator"].map(|whose| format!("{whose}: what was planned from {at} on is taken back\n"));
    assert_eq!(said, lines.concat());
    assert_eq!(office.contract("sakura-group", Some(at))["accounts"], 100);
    assert_eq!(office.done(&["apply", "-f", "sakura.toml", "-f", "carriers.toml"]), "Nothing changes.\n");
    // The number was accepted, and its fee is owed once.
    let statement = office.statement("sakura", today().first_of_month());
    assert_eq!(statement["lines"].as_array().unwrap().iter().filter(|line| line["what"] == "change").count(), 1);
}

#[test]
fn what_is_planned_and_applied_again_for_its_day_is_no_other_plan() {
    let office = planned();
    office.change("sakura.toml", "accounts = 100", "accounts = 200");
    assert_eq!(office.done(&["apply", "-f", "sakura.toml", "--at", &day(10).to_string()]), "Nothing changes.\n");
    let said = office.done(&["apply", "-f", "sakura.toml", "--at", &day(5).to_string()]);
    assert!(said.contains(&format!("sakura: what was planned from {} on is taken back\n", day(10))), "{said}");
    assert_eq!(office.contract("sakura-group", Some(day(5)))["accounts"], 200);
}

#[test]
fn the_fee_of_a_change_is_told_as_it_is_charged_by_what_is_agreed_on_the_day_of_acceptance() {
    for (later, fee, charged) in [(10, "3000 yen", 3_000), (0, "5000 yen", 5_000)] {
        let office = Office::serving_since(today());
        office.change("sakura.toml", "accounts = 100", "accounts = 200");
        office.change("sakura.toml", "change = 3_000", "change = 5_000");
        let said = office.done(&["apply", "-f", "sakura.toml", "--at", &day(later).to_string()]);
        assert!(said.contains(&format!("one change (Art. 7(1)), {fee}\n")), "no {fee} in\n{said}");
        let statement = office.statement("sakura", today().first_of_month());
        let change = statement["lines"].as_array().unwrap().iter().find(|line| line["what"] == "change");
        assert_eq!(change.unwrap()["amount"], charged);
    }
}

#[test]
fn a_document_fits_together_with_what_is_planned_behind_any_number_of_other_changes() {
    let office = Office::serving_since(today());
    for days in (1..80).step_by(2) {
        office.done(&["suspend", "fuji-vpdn", "--from", &day(days).to_string()]);
        office.done(&["resume", "fuji-vpdn", "--from", &day(days + 1).to_string()]);
    }
    // No two customers have the same secret.
    office.change("acme.toml", "\"trial-secret-of-acme\"", "\"trial-secret-of-somebody\"");
    office.done(&["apply", "-f", "acme.toml", "--at", &day(100).to_string()]);
    office.change("sakura.toml", "trial-secret-of-sakura", "trial-secret-of-somebody");
    let said = office.refused(&["apply", "-f", "sakura.toml"]);
    assert!(said.contains("sakura.toml") && said.contains("secret"), "{said}");
}
