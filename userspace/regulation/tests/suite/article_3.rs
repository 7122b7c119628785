//! Art. 3: the minimum term, and the billing start date from which it runs.

use crate::common::*;
use proptest::prelude::*;
use sekisho_regulation::calendar::minimum_term_end;

#[test]
fn a_contract_is_served_from_its_billing_start_date_on() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)])));
    desk.accept("acme-d").confirm("acme-d").record(started("acme-d", date(2027, 1, 15)));
    assert_eq!(desk.standing("acme-d", date(2027, 1, 14)).state, State::Accepted);
    assert!(!desk.served("acme-d", date(2027, 1, 14)));
    assert_eq!(desk.standing("acme-d", date(2027, 1, 15)).state, State::Serving);
    assert!(desk.served("acme-d", date(2027, 1, 15)));
    let midnight = desk.local(date(2027, 1, 15), 0, 0);
    assert_eq!(desk.book.next_change(desk.now), Some(midnight));
}

#[test]
fn billing_does_not_start_before_acceptance_the_document_or_the_test_window() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 5), terms("acme", vec![vpdn("acme-d", Item::D), vpdn("acme-k", Item::K)])));
    desk.on(date(2027, 1, 3)).accept("acme-d");
    let (rule, article, line) = desk.refused(vec![started("acme-d", date(2027, 1, 2))]);
    assert_eq!((rule, article), (Rule::Life, "Art. 3"));
    assert!(line.contains("before it is accepted on 2027-01-03"), "{line}");
    let (_, _, line) = desk.refused(vec![started("acme-d", date(2027, 1, 4))]);
    assert!(line.contains("before its document is in force on 2027-01-05"), "{line}");
    desk.record(accepted("acme-k", date(2027, 1, 3), Some(date(2027, 1, 8))));
    let (_, _, line) = desk.refused(vec![started("acme-k", date(2027, 1, 7))]);
    assert!(line.contains("before its test window begins on 2027-01-08"), "{line}");
    desk.record(started("acme-d", date(2027, 1, 5))).record(started("acme-k", date(2027, 1, 8)));
    assert_eq!(desk.book.contract("acme-k").unwrap().billing_start, Some(date(2027, 1, 8)));
}

#[test]
fn billing_starts_once() {
    let desk = with_proxy();
    let (rule, _, line) = desk.refused(vec![started("acme-proxy", date(2027, 2, 1))]);
    assert_eq!(rule, Rule::Life);
    assert!(line.contains("its billing start date is 2027-01-01 already"), "{line}");
}

#[test]
fn a_billing_start_date_in_the_past_is_a_fact_like_any_other() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).accept("acme-d");
    desk.on(date(2027, 1, 20)).record(started("acme-d", date(2027, 1, 4)));
    assert_eq!(desk.book.contract("acme-d").unwrap().billed().unwrap().from, date(2027, 1, 4));
}

proptest! {
    #[test]
    fn a_notice_given_after_billing_start_never_ends_inside_the_minimum_term(
        start in 0i64..1500, arrival in 0i64..400, requested in proptest::option::of(-500i64..500),
    ) {
        let day = |days: i64| date(2027, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
        let (start, arrived) = (day(start), day(start + arrival));
        let mut desk = Desk::new();
        desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).accept("acme-d");
        desk.record(started("acme-d", start));
        let requested = requested.map(|days| arrived.checked_add(jiff::Span::new().days(days)).unwrap());
        desk.on(arrived).record(cancelled("acme-d", arrived, requested));
        prop_assert!(desk.last_day("acme-d").unwrap() >= minimum_term_end(start));
        // One day before billing starts it is no notice at all.
        let mut desk = Desk::new();
        desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).accept("acme-d");
        desk.record(started("acme-d", start));
        desk.on(arrived);
        let early = start.yesterday().unwrap();
        prop_assert_eq!(desk.refused(vec![cancelled("acme-d", early, requested)]).1, "Art. 9");
    }
}
