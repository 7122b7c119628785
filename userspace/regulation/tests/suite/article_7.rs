//! Art. 7: changes of the number of accounts.

use crate::common::*;

fn with_group(accounts: u32) -> Terms {
    terms("acme", vec![client("acme-nas"), group("acme-group", accounts)])
}

fn served() -> Desk {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), with_group(100))).serve("acme-nas").serve("acme-group");
    desk
}

#[test]
fn an_accepted_change_is_in_force_from_its_day_and_costs_one_fee() {
    let mut desk = served();
    desk.all(vec![
        document(date(2027, 1, 20), with_group(200)),
        changed("acme-group", date(2027, 1, 1), date(2027, 1, 20), (100, 200)),
    ]);
    assert_eq!(desk.standing("acme-group", date(2027, 1, 19)).accounts, Some(100));
    assert_eq!(desk.standing("acme-group", date(2027, 1, 20)).accounts, Some(200));
    assert_eq!(desk.book.next_change(desk.now), Some(desk.local(date(2027, 1, 20), 0, 0)));
    // The same document again is no change.
    desk.on(date(2027, 1, 25)).record(document(date(2027, 1, 25), with_group(200)));
    assert_eq!(desk.book.contract("acme-group").unwrap().changes.len(), 1);
}

#[test]
fn a_document_does_not_change_the_number_by_itself_once_it_was_accepted() {
    let desk = served();
    let (rule, article, line) = desk.refused(vec![document(date(2027, 1, 1), with_group(200))]);
    assert_eq!((rule, article), (Rule::Accounts, "Art. 7(1)"));
    assert!(line.contains("accept the change from 100 to 200"), "{line}");
    // Before it is accepted, an application may say another number, and no fee is owed.
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), with_group(100))).record(document(date(2027, 1, 1), with_group(200)));
    desk.serve("acme-nas").serve("acme-group");
    assert_eq!(desk.standing("acme-group", date(2027, 1, 1)).accounts, Some(200));
}

#[test]
fn a_document_that_takes_the_place_of_a_planned_one_takes_back_the_number_planned_with_it() {
    let mut planned = served();
    let march = date(2027, 3, 1);
    planned.all(vec![changed("acme-group", date(2027, 1, 1), march, (100, 200)), document(march, with_group(200))]);
    // Two documents of different numbers may have been there before the contract was accepted, too.
    let mut applied = Desk::new();
    applied.record(document(date(2027, 1, 1), with_group(100))).record(document(march, with_group(200)));
    applied.serve("acme-nas").serve("acme-group");
    for mut desk in [planned, applied] {
        assert_eq!(desk.standing("acme-group", march).accounts, Some(200));
        desk.on(date(2027, 2, 1)).record(document(date(2027, 2, 1), with_group(100)));
        assert_eq!(desk.standing("acme-group", march).accounts, Some(100));
        desk.on(march).record(document(march, with_group(100)));
        desk.all(vec![changed("acme-group", march, march, (100, 150)), document(march, with_group(150))]);
    }
}

#[test]
fn a_number_agreed_for_a_document_to_come_stands_when_the_document_begins_earlier() {
    let mut desk = Desk::new();
    let march = date(2027, 3, 1);
    desk.record(document(march, with_group(200))).accept("acme-nas").accept("acme-group");
    desk.record(document(date(2027, 2, 1), with_group(200)));
    for day in [date(2027, 2, 1), march] {
        assert_eq!(desk.standing("acme-group", day).accounts, Some(200));
    }
}

#[test]
fn less_than_one_account_is_refused() {
    let refused = Desk::new().refused(vec![document(date(2027, 1, 1), with_group(0))]);
    assert_eq!((refused.0, refused.1), (Rule::Accounts, "Art. 7(1)"));
    let (_, article, line) =
        served().refused(vec![changed("acme-group", date(2027, 1, 1), date(2027, 1, 1), (100, 0))]);
    assert_eq!(article, "Art. 7(1)");
    assert!(line.contains("契約内容の変更"), "{line}");
}

#[test]
fn a_change_starts_from_what_is_in_force_and_changes_something() {
    let desk = served();
    let today = date(2027, 1, 1);
    let (_, _, line) = desk.refused(vec![changed("acme-group", today, today, (50, 200))]);
    assert!(line.contains("100 are in force"), "{line}");
    assert!(desk.refused(vec![changed("acme-group", today, today, (100, 100))]).2.contains("no fee"));
    let (rule, _, _) = desk.refused(vec![changed("acme-nas", today, today, (0, 1))]);
    assert_eq!(rule, Rule::Accounts);
}

#[test]
fn a_change_is_of_an_accepted_contract_that_has_not_ended() {
    let mut desk = Desk::new();
    let today = date(2027, 1, 1);
    desk.record(document(today, with_group(100)));
    let (rule, _, line) = desk.refused(vec![changed("acme-group", today, today, (100, 200))]);
    assert_eq!(rule, Rule::Life);
    assert!(line.contains("it is applied") && line.contains("accept, reject or withdraw it"), "{line}");
    let mut desk = served();
    desk.record(cancelled("acme-group", today, None));
    desk.record(changed("acme-group", today, date(2027, 1, 31), (100, 200)));
    assert_eq!(desk.refused(vec![changed("acme-group", today, date(2027, 2, 1), (200, 100))]).0, Rule::Life);
}

#[test]
fn a_change_is_not_in_force_before_it_was_accepted() {
    let mut desk = served();
    desk.on(date(2027, 1, 10));
    let early = changed("acme-group", date(2027, 1, 10), date(2027, 1, 9), (100, 200));
    assert_eq!(desk.refused(vec![early]).0, Rule::Life);
    let to_come = changed("acme-group", date(2027, 1, 11), date(2027, 1, 12), (100, 200));
    assert_eq!(desk.refused(vec![to_come]).0, Rule::Life);
}

#[test]
fn only_a_group_has_accounts() {
    let mut desk = served();
    let edit = |contract: &str| Event::Accounts { contract: contract.into(), what: "added alice".into() };
    desk.record(edit("acme-group"));
    assert_eq!(desk.refused(vec![edit("acme-nas")]).0, Rule::Accounts);
}
