//! Art. 5.6, 5.7: prerequisites, one of them a realm that is the customer's own.

use crate::common::*;

#[test]
fn each_kind_has_its_prerequisites_and_the_operators_own() {
    let names = |terms: &ContractTerms| -> Vec<(String, &str)> {
        prerequisites(terms).into_iter().map(|asked| (asked.name, asked.article)).collect()
    };
    assert_eq!(names(&client("c")), [("terminal".into(), "Art. 5.6(2)")]);
    assert_eq!(names(&proxy("p")), [("realm".into(), "Art. 5.6(1)"), ("proxy-destination".into(), "Art. 5.6(5)")]);
    assert_eq!(names(&group("g", 1)), [("realm".into(), "Art. 5.6(1)"), ("account-data".into(), "Art. 5.6(6)")]);
    let mut vpdn = vpdn("v", Item::D);
    vpdn.prerequisites = vec!["contract-signed".into()];
    assert_eq!(
        names(&vpdn),
        [
            ("realm".into(), "Art. 5.6(1)"),
            ("lns".into(), "Art. 5.6(3)"),
            ("requesting-terminals".into(), "Art. 5.6(4)"),
            ("contract-signed".into(), "Art. 5.6(7)"),
        ]
    );
}

#[test]
fn without_a_prerequisite_a_contract_is_incomplete_not_served_and_billed() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)])));
    desk.accept("acme-d").record(started("acme-d", date(2027, 1, 1)));
    desk.record(confirmed("acme-d", "realm", desk.now));
    let standing = desk.standing("acme-d", date(2027, 1, 1));
    assert_eq!(standing.state, State::Serving);
    assert!(!standing.served);
    assert_eq!(standing.missing, ["lns", "requesting-terminals"]);
    assert_eq!(standing.to_string(), "serving, incomplete");
    assert_eq!((standing.why_not[0].rule, standing.why_not[0].article), (Rule::Prerequisites, "Art. 5.6(3)"));
    assert!(desk.book.contract("acme-d").unwrap().billed().unwrap().contains(date(2027, 1, 1)));
}

#[test]
fn an_incomplete_contract_is_not_served_in_its_test_window_either() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)])));
    desk.record(accepted("acme-d", date(2027, 1, 1), Some(date(2027, 1, 1))));
    let standing = desk.standing("acme-d", date(2027, 1, 1));
    assert_eq!((standing.to_string().as_str(), standing.served), ("testing, incomplete", false));
    desk.confirm("acme-d");
    assert!(desk.served("acme-d", date(2027, 1, 1)));
}

#[test]
fn a_contract_is_served_from_the_instant_at_which_its_last_prerequisite_was_confirmed() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)])));
    desk.accept("acme-d").record(started("acme-d", date(2027, 1, 1)));
    desk.on(date(2027, 1, 5));
    let (at, early) = (desk.local(date(2027, 1, 5), 9, 30), desk.local(date(2027, 1, 4), 9, 0));
    for (prerequisite, at) in [("realm", early), ("lns", at), ("requesting-terminals", early)] {
        desk.record(confirmed("acme-d", prerequisite, at));
    }
    assert_eq!(desk.book.next_change(early), Some(at));
    let just_before = at.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap();
    assert!(!desk.at("acme-d", just_before).served);
    assert!(desk.at("acme-d", at).served);
}

#[test]
fn only_what_is_asked_for_can_be_confirmed_once_and_when_it_has_happened() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)])));
    let (rule, article, line) = desk.refused(vec![confirmed("acme-d", "terminal", desk.now)]);
    assert_eq!((rule, article), (Rule::Prerequisites, "Art. 5.6"));
    assert!(line.contains("name one of realm, lns, requesting-terminals"), "{line}");
    let later = desk.local(date(2027, 1, 2), 0, 0);
    assert!(desk.refused(vec![confirmed("acme-d", "lns", later)]).2.contains("which is to come"));
    desk.record(confirmed("acme-d", "lns", desk.now));
    assert!(desk.refused(vec![confirmed("acme-d", "lns", desk.now)]).2.contains("was confirmed"));
}

#[test]
fn what_the_operator_designates_later_makes_the_contract_incomplete_from_that_document_on() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).serve("acme-d");
    let mut more = vpdn("acme-d", Item::D);
    more.prerequisites = vec!["form-7".into()];
    desk.record(document(date(2027, 1, 10), terms("acme", vec![more])));
    assert!(desk.served("acme-d", date(2027, 1, 9)));
    assert_eq!(desk.standing("acme-d", date(2027, 1, 10)).missing, ["form-7"]);
    desk.record(confirmed("acme-d", "form-7", desk.now));
    assert!(desk.served("acme-d", date(2027, 1, 10)));
}

#[test]
fn a_realm_is_of_one_customer() {
    let desk = with_proxy();
    let theirs = terms("bravo", vec![realm(vpdn("bravo-d", Item::D), "acme.example")]);
    let (rule, article, line) = desk.refused(vec![document(date(2027, 1, 1), theirs)]);
    assert_eq!((rule, article), (Rule::Realm, "Art. 5.6(1)"));
    assert!(line.contains("acme.example") && line.contains("bravo-d") && !line.contains("acme-proxy"), "{line}");
    // Several contracts of its own customer share it.
    let contracts = vec![client("acme-nas"), proxy("acme-proxy"), vpdn("acme-d", Item::D), vpdn("acme-k", Item::K)];
    let mut desk = desk;
    desk.record(document(date(2027, 1, 1), terms("acme", contracts)));
}

#[test]
fn a_realm_is_free_from_the_day_after_its_last_contract_ended() {
    let mut desk = with_proxy();
    let both = vec![cancelled("acme-proxy", date(2027, 1, 1), None), cancelled("acme-nas", date(2027, 1, 1), None)];
    desk.all(both);
    let theirs = || terms("bravo", vec![realm(vpdn("bravo-d", Item::D), "acme.example")]);
    let (rule, _, line) = desk.refused(vec![document(date(2027, 1, 31), theirs())]);
    assert_eq!(rule, Rule::Realm);
    assert!(line.contains("on 2027-01-31"), "{line}");
    desk.record(document(date(2027, 2, 1), theirs()));
    // And its former customer cannot have it back.
    let again = terms("acme", vec![realm(vpdn("acme-d", Item::D), "acme.example")]);
    assert_eq!(desk.refused(vec![document(date(2027, 3, 1), again)]).0, Rule::Realm);
}

#[test]
fn a_realm_named_by_a_scheduled_document_is_taken_from_its_day_on() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 2, 1), terms("acme", vec![vpdn("acme-d", Item::D)])));
    let theirs = terms("bravo", vec![vpdn("bravo-d", Item::D)]);
    assert_eq!(desk.refused(vec![document(date(2027, 1, 1), theirs)]).0, Rule::Realm);
}
