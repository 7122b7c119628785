//! The life of contracts, from an empty registry to the last day, by the commands that an operator gives.

use crate::common::office::{ALL, CUSTOMERS, Office, day, today};

/// Everything has been applied for today.
fn applied() -> Office {
    let office = Office::new();
    let files: Vec<&str> = ALL.iter().flat_map(|file| ["-f", file]).collect();
    office.done(&[&["apply"], &files[..]].concat());
    office
}

fn serving() -> Office {
    Office::serving_since(today())
}

#[test]
fn from_an_empty_registry_to_a_served_customer_of_each_kind_in_a_dozen_commands() {
    let office = Office::new();
    office.done(&["apply", "-f", "carriers.toml", "-f", "sakura.toml", "-f", "acme.toml", "-f", "fuji.toml"]);
    for customer in CUSTOMERS {
        office.done(&["accept", "--customer", customer]);
    }
    let said = office.done(&["accounts", "import", "--contract", "sakura-group", "sakura.csv"]);
    assert_eq!(said, "sakura-group: 2 accounts imported\n");
    for customer in CUSTOMERS {
        office.done(&["confirm", "--customer", customer, "--all"]);
        office.done(&["start", "--customer", customer]);
    }
    let kinds = [
        ("sakura-nas", "client"),
        ("sakura-group", "group"),
        ("acme-nas", "client"),
        ("acme-proxy", "proxy"),
        ("fuji-vpdn", "vpdn D"),
    ];
    for (contract, kind) in kinds {
        let found = office.contract(contract, None);
        assert_eq!((&found["kind"], &found["served"]), (&kind.into(), &true.into()), "{found:#}");
        assert_eq!(found["since"], today().to_string());
    }
    assert_eq!(office.contract("fuji-vpdn", None)["option"], "serving");
}

#[test]
fn applying_a_document_shows_the_difference_and_what_it_applies_for() {
    let office = Office::new();
    let said = office.done(&["apply", "-f", "carriers.toml", "-f", "sakura.toml"]);
    for words in ["carrier-d", "sakura: ", "sakura-group is applied for: accept or reject it"] {
        assert!(said.contains(words), "no {words:?} in\n{said}");
    }
    for secret in ["trial-secret-of-sakura", "trial-secret-of-carrier-d"] {
        assert!(!said.contains(secret), "{said}");
    }
    let (state, served) = (office.state("sakura-group"), office.is_served("sakura-group", None));
    assert_eq!((state.as_str(), served), ("applied, incomplete", false));
}

#[test]
fn a_dry_run_says_what_would_be_recorded_and_records_nothing() {
    let office = Office::new();
    let said = office.done(&["apply", "-f", "carriers.toml", "-f", "sakura.toml", "--dry-run"]);
    assert!(said.contains("sakura-group is applied for"), "{said}");
    assert!(said.ends_with("Nothing has been recorded: this was a dry run.\n"), "{said}");
    assert!(office.history().is_empty());
    office.done(&["apply", "-f", "sakura.toml"]);
    let said = office.done(&["accept", "sakura-nas", "--dry-run"]);
    assert!(said.contains("sakura-nas is accepted"), "{said}");
    assert_eq!((office.history().len(), office.state("sakura-nas")), (1, "applied, incomplete".to_owned()));
    let said = office.refused(&["start", "sakura-nas", "--dry-run"]);
    assert!(said.contains("it cannot be started"), "{said}");
}

#[test]
fn documents_come_in_all_or_none() {
    let office = Office::new();
    office.change("acme.toml", "suffix = \"acme.example\"", "suffix = \"sakura.example\"");
    let said = office.refused(&["apply", "-f", "sakura.toml", "-f", "acme.toml"]);
    assert!(said.contains("acme.toml") && said.contains("sakura.example"), "{said}");
    assert!(office.history().is_empty());
    office.refused(&["apply", "-f", "sakura.toml", "-f", "nowhere.toml"]);
    let said = office.refused(&["apply", "-f", "sakura.toml", "-f", "sakura.toml"]);
    assert!(said.contains("another file is a document of sakura as well"), "{said}");
}

#[test]
fn the_same_document_again_records_nothing_and_costs_nothing() {
    let office = serving();
    let before = office.history();
    let owed = office.statement("sakura", today().first_of_month());
    for file in ALL {
        for more in [&[][..], &["--dry-run"], &["--at", &day(3).to_string()]] {
            assert_eq!(office.done(&[&["apply", "-f", file], more].concat()), "Nothing changes.\n", "{file}");
        }
    }
    assert_eq!(office.history(), before);
    assert_eq!(office.statement("sakura", today().first_of_month()), owed);
}

#[test]
fn a_document_may_come_into_force_on_a_later_day() {
    let office = serving();
    office.change("sakura.toml", "Sakura Cable K.K.", "Sakura Networks K.K.");
    let (tomorrow, title) = (day(1), |at: &[&str]| {
        office.json(&[&["get", "customers", "--customer", "sakura"], at].concat())["customers"][0]["title"].clone()
    });
    let said = office.done(&["apply", "-f", "sakura.toml", "--at", &tomorrow.to_string()]);
    assert!(said.ends_with(&format!("In force from the midnight at which {tomorrow} begins.\n")), "{said}");
    assert_eq!(title(&[]), "Sakura Cable K.K.");
    assert_eq!(title(&["--at", &tomorrow.to_string()]), "Sakura Networks K.K.");
    assert!(!office.done(&["export", "sakura"]).contains("Networks"));
    assert!(office.done(&["export", "sakura", "--at", &tomorrow.to_string()]).contains("Networks"));
    let said = office.refused(&["apply", "-f", "sakura.toml", "--at", &day(-1).to_string()]);
    assert!(said.contains("would change what has been"), "{said}");
}

#[test]
fn contracts_that_are_older_than_the_registry_are_applied_for_on_the_day_on_which_they_were() {
    let office = Office::serving_since(day(-100));
    let found = office.contract("sakura-group", None);
    assert_eq!((&found["since"], &found["served"]), (&day(-100).to_string().into(), &true.into()), "{found:#}");
    office.change("acme.toml", "ACME", "Acme");
    let said = office.refused(&["apply", "-f", "acme.toml", "--applied", &day(-3).to_string()]);
    assert!(said.contains("acme has a document already"), "{said}");
    let said = Office::new().refused(&["apply", "-f", "acme.toml", "--applied", &day(1).to_string()]);
    assert!(said.contains("which is still to come"), "{said}");
}

#[test]
fn a_contract_is_incomplete_until_all_that_it_needs_is_confirmed_and_says_by_name_what_is_missing() {
    let office = applied();
    office.done(&["accept", "--customer", "sakura"]);
    office.done(&["start", "--customer", "sakura"]);
    let missing = |office: &Office| office.contract("sakura-group", None)["why_not"].to_string();
    for name in ["realm", "account-data"] {
        assert!(missing(&office).contains(&format!("{name} is not confirmed")), "{}", missing(&office));
    }
    let page = office.done(&["get", "contracts", "--customer", "sakura"]);
    assert!(page.contains("Art. 5.6") && page.contains("account-data is not confirmed"), "{page}");
    let said = office.done(&["confirm", "sakura-group", "-p", "realm"]);
    assert_eq!(said, "sakura-group: realm confirmed\n");
    assert!(!missing(&office).contains("realm is not confirmed"), "{}", missing(&office));
    let said = office.refused(&["confirm", "sakura-group", "-p", "lns"]);
    assert!(
        said.contains("lns is no prerequisite of it") && said.contains("name one of realm, account-data"),
        "{said}"
    );
    let said = office.refused(&["confirm", "sakura-group", "-p", "realm"]);
    assert!(said.contains("realm was confirmed at"), "{said}");
    let said = office.refused(&["confirm", "sakura-group", "-p", "account-data", "--on", &day(1).to_string()]);
    assert!(said.contains("which is to come"), "{said}");
    office.done(&["confirm", "sakura-group", "-p", "account-data"]);
    office.done(&["confirm", "sakura-nas", "-p", "terminal"]);
    assert!(office.is_served("sakura-group", None));
    assert_eq!(office.done(&["confirm", "--customer", "sakura", "--all"]), "Nothing changes.\n");
}

#[test]
fn a_contract_can_be_tried_out_before_it_is_billed() {
    let office = applied();
    office.done(&["accept", "--customer", "sakura", "--test-from", &today().to_string()]);
    office.done(&["confirm", "--customer", "sakura", "--all"]);
    assert_eq!(office.state("sakura-group"), "testing");
    assert!(office.is_served("sakura-group", None));
    office.done(&["start", "--customer", "sakura", "--on", &day(3).to_string()]);
    assert_eq!(office.state("sakura-group"), "testing");
    assert_eq!(office.contract("sakura-group", Some(day(3)))["state"], "serving");
}

#[test]
fn more_accounts_are_one_change_and_one_fee_and_stand_in_the_document() {
    let office = serving();
    let said = office.done(&["change", "sakura-group", "--accounts", "200"]);
    let today = today();
    let line = format!("sakura-group: 200 accounts from {today}, 100 before: one change (Art. 7(1)), 3000 yen\n");
    assert!(said.contains(&line), "no {line:?} in\n{said}");
    assert_eq!(office.contract("sakura-group", None)["accounts"], 200);
    assert_eq!(office.done(&["change", "sakura-group", "--accounts", "200"]), "Nothing changes.\n");
    let document = office.done(&["export", "sakura", "--secrets"]);
    assert_eq!(document, office.read("sakura.toml").replace("accounts = 100", "accounts = 200"));
    let statement = office.statement("sakura", today.first_of_month());
    let fees: Vec<_> = statement["lines"].as_array().unwrap().iter().filter(|line| line["what"] == "change").collect();
    assert_eq!((fees.len(), &fees[0]["amount"]), (1, &3_000.into()), "{statement:#}");
    let said = office.refused(&["change", "acme-proxy", "--accounts", "5"]);
    assert!(said.contains("acme-proxy is no `group` contract"), "{said}");
}

#[test]
fn fewer_accounts_than_there_are_is_refused_by_article_7_in_a_dry_run_too() {
    let office = serving();
    for more in [&[][..], &["--dry-run"]] {
        let said = office.refused(&[&["change", "sakura-group", "--accounts", "1"], more].concat());
        assert!(said.contains("sakura-group would have 2 accounts") && said.contains("Art. 7"), "{said}");
    }
    assert_eq!(office.contract("sakura-group", None)["accounts"], 100);
    office.done(&["change", "sakura-group", "--accounts", "2"]);
}

#[test]
fn a_cancelled_contract_ends_thirty_days_after_its_notice_arrived_or_when_that_says_so_if_later() {
    let office = Office::serving_since(day(-60));
    let cases = [
        (day(-20), None, day(10)),
        (day(-20), Some(day(-10)), day(10)),
        (day(-20), Some(day(10)), day(10)),
        (day(-20), Some(day(11)), day(11)),
        (today(), None, day(30)),
        (today(), Some(day(45)), day(45)),
    ];
    for (arrived, requested, last) in cases {
        let (arrived, requested) = (arrived.to_string(), requested.map(|day| day.to_string()));
        let requested: Vec<&str> = requested.iter().flat_map(|day| ["--requested", day.as_str()]).collect();
        let said =
            office.done(&[&["cancel", "fuji-vpdn", "--arrived", &arrived, "--dry-run"], &requested[..]].concat());
        let line = format!("fuji-vpdn is cancelled: its last day is {last}\n");
        assert!(said.starts_with(&line), "no {line:?} in\n{said}");
    }
    office.done(&["cancel", "fuji-vpdn", "--arrived", &day(-20).to_string()]);
    let found = office.contract("fuji-vpdn", None);
    assert_eq!((&found["until"], &found["served"]), (&day(10).to_string().into(), &true.into()), "{found:#}");
    assert!(office.is_served("fuji-vpdn", Some(day(10))), "to the end of its last day");
    let after = office.contract("fuji-vpdn", Some(day(11)));
    assert_eq!(after["served"], false, "{after:#}");
    let said = office.refused(&["cancel", "fuji-vpdn", "--arrived", &today().to_string()]);
    assert!(said.contains("Art. 9") && said.contains(&format!("its last day is {}", day(10))), "{said}");
    let said = office.refused(&["cancel", "acme-proxy", "--arrived", &day(1).to_string()]);
    assert!(said.contains("its notice arrived"), "{said}");
}

#[test]
fn the_last_client_is_not_cancelled_while_a_proxy_needs_it_and_goes_together_with_it() {
    let office = serving();
    let today = today().to_string();
    let said = office.refused(&["cancel", "acme-nas", "--arrived", &today]);
    assert!(said.contains("Art. 5.1") && said.contains("acme"), "{said}");
    office.done(&["cancel", "acme-nas", "acme-proxy", "--arrived", &today]);
    for contract in ["acme-nas", "acme-proxy"] {
        assert!(office.state(contract).starts_with("cancelling"), "{}", office.state(contract));
    }
}

#[test]
fn the_option_ends_alone_and_the_lns_that_remains_is_named() {
    let office = serving();
    let today = today().to_string();
    let said = office.refused(&["cancel", "fuji-vpdn", "--option", "--survivor", "nagoya", "--arrived", &today]);
    assert!(said.contains("Art. 8.4") && said.contains("nagoya"), "{said}");
    assert_eq!(office.run(&["cancel", "fuji-vpdn", "--option", "--arrived", &today]).status.code(), Some(2));
    let said = office.done(&["cancel", "fuji-vpdn", "--option", "--survivor", "osaka", "--arrived", &today]);
    assert_eq!(said, format!("the option of fuji-vpdn is cancelled: its last day is {}\n", day(30)));
    assert_eq!(office.contract("fuji-vpdn", None)["option"], format!("until {}", day(30)));
    let after = office.contract("fuji-vpdn", Some(day(31)));
    assert_eq!((&after["option"], &after["served"]), (&"not serving: osaka alone".into(), &true.into()), "{after:#}");
}

#[test]
fn a_contract_that_has_lived_is_not_taken_out_of_its_document() {
    let office = serving();
    let text = office.read("acme.toml");
    office.write("acme.toml", text.split("[[proxy]]").next().unwrap());
    let said = office.refused(&["apply", "-f", "acme.toml"]);
    assert!(said.contains("acme-proxy") && said.contains("cancel it first"), "{said}");
}

#[test]
fn a_suspended_contract_is_not_served_until_it_is_resumed_and_is_billed_on() {
    let office = serving();
    let said = office.done(&["suspend", "sakura-group"]);
    assert!(said.contains("billed on"), "{said}");
    assert_eq!((office.state("sakura-group").as_str(), office.is_served("sakura-group", None)), ("suspended", false));
    office.done(&["resume", "--customer", "sakura"]);
    assert!(office.is_served("sakura-group", None));
}

#[test]
fn applications_are_rejected_or_taken_back_and_are_over_then() {
    let office = applied();
    office.done(&["reject", "--customer", "acme"]);
    assert_eq!(office.state("acme-proxy"), "rejected");
    office.done(&["withdraw", "fuji-vpdn"]);
    assert_eq!(office.state("fuji-vpdn"), "withdrawn");
    let said = office.refused(&["accept", "acme-nas"]);
    assert!(said.contains("rejected") && said.contains("apply for a new contract under a new name"), "{said}");
}

#[test]
fn the_operator_ends_contracts_by_its_own_right() {
    let office = serving();
    office.done(&["end", "--customer", "fuji", "--on", &day(2).to_string()]);
    assert!(office.is_served("fuji-vpdn", Some(day(2))));
    let after = office.contract("fuji-vpdn", Some(day(3)));
    assert_eq!((&after["state"], &after["served"]), (&"ended by the operator".into(), &false.into()), "{after:#}");
}

#[test]
fn a_verb_that_does_not_fit_says_where_the_contract_is_and_which_verbs_do() {
    let office = applied();
    let today = today().to_string();
    let wrong: [(&[&str], &str); 5] = [
        (&["start", "sakura-nas"], "applied"),
        (&["suspend", "sakura-nas"], "applied"),
        (&["cancel", "sakura-nas", "--arrived", &today], "applied"),
        (&["end", "sakura-nas", "--on", &today], "applied"),
        (&["resume", "sakura-nas"], "applied"),
    ];
    for (arguments, state) in wrong {
        let said = office.refused(arguments);
        assert!(said.contains("Art. ") || said.contains("general regulation"), "{said}");
        for words in ["contract sakura-nas", state, "withdraw it"] {
            assert!(said.contains(words), "{arguments:?}: no {words:?} in\n{said}");
        }
    }
    office.done(&["accept", "--customer", "sakura"]);
    office.done(&["start", "--customer", "sakura"]);
    for arguments in [&["accept", "sakura-nas"][..], &["resume", "sakura-nas"], &["reject", "sakura-nas"]] {
        let said = office.refused(arguments);
        assert!(said.contains("it is serving") && said.contains("change, suspend or cancel it"), "{said}");
    }
    let said = office.refused(&["accept", "--customer", "sakura"]);
    assert!(said.contains("No contract of sakura is in a state that this fits"), "{said}");
    let said = office.refused(&["accept"]);
    assert!(said.contains("Name a contract, or a customer with --customer"), "{said}");
}

#[test]
fn several_contracts_are_changed_all_or_none() {
    let office = applied();
    let said = office.refused(&["accept", "sakura-nas", "sakura-nsa"]);
    assert!(said.contains("sakura-nsa"), "{said}");
    assert_eq!(office.state("sakura-nas"), "applied, incomplete");
    office.done(&["accept", "sakura-nas", "sakura-nas"]);
}
