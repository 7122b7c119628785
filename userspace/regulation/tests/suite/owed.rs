//! What the history means in money: from the book to a statement.

use crate::common::*;
use sekisho_regulation::money::{self, What};

/// What a customer owes for a month, by what and in yen.
fn owes(desk: &Desk, month: jiff::civil::Date) -> Vec<(String, Part, What, i64)> {
    let account = desk.book.account("acme").unwrap();
    let statement = money::statement(&account, month).unwrap();
    statement.lines.iter().map(|line| (line.contract.clone(), line.part, line.what, line.amount)).collect()
}

#[test]
fn a_contract_and_its_option_are_billed_apart_and_to_their_own_ends() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![shared("acme-d", Item::D)]))).serve("acme-d");
    desk.record(option_started("acme-d", date(2027, 1, 11)));
    let owed = owes(&desk, date(2027, 1, 1));
    let monthly = |part| owed.iter().find(|(_, of, what, _)| (*of, *what) == (part, What::Monthly)).map(|line| line.3);
    assert_eq!(monthly(Part::Basic), Some(30_000));
    assert_eq!(monthly(Part::Option), Some(5_000 * 21 / 31));
    desk.on(date(2027, 2, 1)).record(option_cancelled("acme-d", date(2027, 2, 1), None, Some("tokyo-1")));
    let march = owes(&desk, date(2027, 3, 1));
    assert_eq!(march.iter().find(|line| line.1 == Part::Option).map(|line| line.3), Some(5_000 * 3 / 31));
    assert!(owes(&desk, date(2027, 4, 1)).iter().all(|line| line.1 == Part::Basic));
}

#[test]
fn what_is_withdrawn_before_billing_starts_owes_no_month() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![shared("acme-d", Item::D)]))).accept("acme-d");
    desk.record(started("acme-d", date(2027, 2, 1))).record(option_started("acme-d", date(2027, 2, 1)));
    desk.on(date(2027, 1, 20)).record(withdrawn("acme-d", date(2027, 1, 20)));
    for month in 2..6 {
        assert_eq!(owes(&desk, date(2027, month, 1)), []);
    }
    // Its acceptance was owed, and stays so.
    assert!(owes(&desk, date(2027, 1, 1)).iter().all(|line| line.2 == What::Initial));
}

#[test]
fn an_option_that_its_contract_did_not_live_to_see_costs_nothing() {
    let first = date(2027, 1, 1);
    let mut with_option = shared("acme-d", Item::D);
    with_option.option.as_mut().unwrap().fees.initial = 20_000;
    let fees = |desk: &Desk, month| owes(desk, month).iter().map(|line| (line.1, line.2)).collect::<Vec<_>>();
    for (start, end) in [
        (Some(first), cancelled("acme-d", date(2027, 1, 11), None)),
        (Some(first), ended("acme-d", date(2027, 2, 28))),
        (None, withdrawn("acme-d", date(2027, 1, 11))),
    ] {
        let mut desk = Desk::new();
        desk.record(document(first, terms("acme", vec![vpdn("acme-d", Item::D)]))).accept("acme-d");
        desk.all(start.map(|on| started("acme-d", on)).into_iter().collect());
        desk.on(date(2027, 1, 10)).record(document(date(2027, 3, 1), terms("acme", vec![with_option.clone()])));
        assert!(fees(&desk, date(2027, 3, 1)).contains(&(Part::Option, What::Initial)));
        desk.on(date(2027, 1, 11)).record(end);
        assert_eq!(fees(&desk, date(2027, 3, 1)), []);
    }
    // What was accepted with its contract is owed as that is, whatever becomes of it.
    let mut desk = Desk::new();
    desk.record(document(first, terms("acme", vec![with_option]))).accept("acme-d").record(withdrawn("acme-d", first));
    assert_eq!(fees(&desk, first), [(Part::Basic, What::Initial), (Part::Option, What::Initial)]);
}

#[test]
fn a_claim_for_three_days_is_three_thirtieths_of_the_month() {
    let mut desk = with_proxy();
    let known = desk.local(date(2027, 1, 10), 9, 0);
    desk.on(date(2027, 1, 14)).record(opened("power", "acme-proxy", known, false));
    let ended = desk.local(date(2027, 1, 13), 10, 0);
    desk.record(closed("power", ended, Fault::Operator));
    assert!(owes(&desk, date(2027, 2, 1)).iter().all(|line| line.2 != What::Credit), "nobody has claimed it");
    desk.on(date(2027, 2, 3)).record(claimed("power", "acme-proxy", date(2027, 2, 3)));
    let credit: i64 =
        owes(&desk, date(2027, 2, 1)).iter().filter(|line| line.2 == What::Credit).map(|line| line.3).sum();
    assert_eq!(credit, -3_000);
}

#[test]
fn a_contract_older_than_the_registry_is_entered_with_its_days_and_billed_from_them() {
    let mut desk = Desk::new();
    let Event::Document { terms, .. } = document(date(2026, 4, 1), terms("acme", vec![client("nas"), proxy("p")]))
    else {
        unreachable!()
    };
    let old = date(2026, 4, 1);
    let entry = Event::Document { from: old, applied: Some(old), terms: terms.clone() };
    desk.record(entry.clone());
    for contract in ["nas", "p"] {
        desk.record(accepted(contract, old, None));
        desk.record(started(contract, date(2026, 4, 10)));
    }
    let owed = owes(&desk, date(2026, 4, 1));
    assert!(owed.contains(&("p".to_owned(), Part::Basic, What::Monthly, 30_000 * 21 / 30)), "{owed:?}");
    let refused = desk.refused(vec![entry]);
    assert!(refused.2.contains("has a document already"), "{}", refused.2);
}

#[test]
fn what_is_back_dated_is_no_day_to_come_and_begins_when_it_was_applied_for() {
    let desk = Desk::new();
    let of = |from, applied| Event::Document {
        from,
        applied: Some(applied),
        terms: terms("acme", vec![client("nas"), proxy("p")]),
    };
    let (today, later, before) = (date(2027, 1, 1), date(2027, 1, 2), date(2026, 12, 1));
    assert!(desk.refused(vec![of(later, later)]).2.contains("still to come"));
    assert!(desk.refused(vec![of(before, today)]).2.contains("when it was applied for"));
}
