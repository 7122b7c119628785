//! Art. 9: cancellation, and the midnight at which the data plane drops a contract.

use crate::common::*;
use jiff::{SignedDuration, Timestamp};

#[test]
fn a_notice_takes_effect_thirty_days_after_it_arrived_or_on_the_later_day_that_it_names() {
    for (arrived, requested, last) in [
        (date(2027, 1, 31), None, date(2027, 3, 2)),
        (date(2027, 1, 31), Some(date(2027, 2, 10)), date(2027, 3, 2)),
        (date(2027, 1, 31), Some(date(2027, 3, 31)), date(2027, 3, 31)),
        (date(2027, 4, 1), None, date(2027, 5, 1)),
        (date(2028, 1, 30), None, date(2028, 2, 29)),
    ] {
        let mut desk = Desk::new();
        desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).serve("acme-d");
        // Recorded three days later: what counts is the day on which it arrived.
        desk.on(arrived.checked_add(jiff::Span::new().days(3)).unwrap());
        desk.record(cancelled("acme-d", arrived, requested));
        assert_eq!(desk.last_day("acme-d"), Some(last));
        assert_eq!(desk.standing("acme-d", arrived).state, State::Cancelling);
        assert!(desk.served("acme-d", last) && !desk.served("acme-d", last.tomorrow().unwrap()));
    }
}

#[test]
fn a_contract_is_served_to_the_end_of_its_last_local_day_in_every_zone() {
    for (zone, last, midnight) in [
        ("Asia/Tokyo", date(2027, 1, 31), "2027-01-31T15:00:00Z"),
        ("UTC", date(2027, 1, 31), "2027-02-01T00:00:00Z"),
        // The clock goes forward in the night before, and back in the night after: both days have other lengths.
        ("Europe/Berlin", date(2027, 3, 28), "2027-03-28T22:00:00Z"),
        ("Europe/Berlin", date(2027, 10, 31), "2027-10-31T23:00:00Z"),
        // Here it goes forward at midnight itself: the day begins at one o'clock.
        ("Asia/Beirut", date(2027, 3, 27), "2027-03-27T22:00:00Z"),
    ] {
        let mut desk = Desk::of(zone);
        desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).serve("acme-d");
        desk.record(cancelled("acme-d", date(2027, 1, 1), Some(last)));
        let midnight: Timestamp = midnight.parse().unwrap();
        assert_eq!(desk.book.next_change(desk.now), Some(midnight), "{zone} {last}");
        let second_before = midnight.checked_sub(SignedDuration::from_secs(1)).unwrap();
        assert!(desk.at("acme-d", second_before).served, "{zone} {last}");
        let after = desk.at("acme-d", midnight);
        assert_eq!((after.served, after.state), (false, State::Ended), "{zone} {last}");
        assert_eq!(desk.book.next_change(midnight), None);
    }
}

#[test]
fn a_day_that_begins_in_a_gap_begins_at_the_end_of_the_gap() {
    // In Toronto the clock went from 23:30 to 00:30 once.
    let book = Book::new(jiff::tz::TimeZone::get("America/Toronto").unwrap());
    let midnight = book.midnight(date(1919, 3, 31));
    assert_eq!(book.day(midnight), date(1919, 3, 31));
    let before = midnight.checked_sub(SignedDuration::from_secs(1)).unwrap();
    assert_eq!(book.day(before), date(1919, 3, 30));
}

#[test]
fn a_notice_is_given_once() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).serve("acme-d");
    desk.record(cancelled("acme-d", date(2027, 1, 1), None));
    let (rule, article, line) = desk.refused(vec![cancelled("acme-d", date(2027, 1, 1), Some(date(2027, 6, 30)))]);
    assert_eq!((rule, article), (Rule::Cancellation, "Art. 9"));
    assert!(line.contains("cancelled already, and its last day is 2027-01-31"), "{line}");
    let (_, _, line) = desk.refused(vec![by("acme-d", date(2027, 1, 1), None, Ground::General28_2)]);
    assert!(line.contains("end it before, by this ground"), "{line}");
    desk.record(Event::Ended { contract: "acme-d".into(), on: date(2027, 1, 30), ground: Ground::General28_2 });
    desk.on(date(2027, 3, 1));
    let (_, _, line) = desk.refused(vec![cancelled("acme-d", date(2027, 3, 1), None)]);
    assert!(line.contains("it is ended") && line.contains("new name"), "{line}");
}

#[test]
fn a_notice_arrives_no_later_than_today() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).serve("acme-d");
    let (rule, _, line) = desk.refused(vec![cancelled("acme-d", date(2027, 1, 2), None)]);
    assert_eq!(rule, Rule::Life);
    assert!(line.contains("after today, 2027-01-01"), "{line}");
}

#[test]
fn before_billing_starts_there_is_nothing_to_cancel_and_it_is_withdrawn() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).accept("acme-d");
    let notice = || cancelled("acme-d", date(2027, 1, 1), None);
    assert!(desk.refused(vec![notice()]).2.contains("withdraw it"));
    desk.record(started("acme-d", date(2027, 1, 10)));
    assert!(desk.refused(vec![notice()]).2.contains("before billing started on 2027-01-10"));
    desk.record(withdrawn("acme-d", date(2027, 1, 1)));
    assert_eq!(desk.standing("acme-d", date(2027, 1, 10)).state, State::Withdrawn);
    // Once it has started, it is the other way round.
    let mut desk = with_proxy();
    desk.on(date(2027, 1, 10));
    let (_, article, line) = desk.refused(vec![withdrawn("acme-proxy", date(2027, 1, 10))]);
    assert_eq!(article, "Art. 9");
    assert!(line.contains("cancel it"), "{line}");
}

#[test]
fn what_has_been_served_is_not_withdrawn_as_of_a_day_before_that() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).accept("acme-d");
    desk.confirm("acme-d").record(started("acme-d", date(2027, 2, 1)));
    desk.on(date(2027, 3, 10));
    let (_, article, line) = desk.refused(vec![withdrawn("acme-d", date(2027, 1, 20))]);
    assert_eq!(article, "Art. 9");
    assert!(line.contains("billing has started on 2027-02-01") && line.contains("cancel it"), "{line}");
    // Nor does a notice of that day send anybody back there.
    let (_, _, line) = desk.refused(vec![cancelled("acme-d", date(2027, 1, 20), None)]);
    assert!(line.contains("before billing started on 2027-02-01") && !line.contains("withdraw"), "{line}");
    desk.record(cancelled("acme-d", date(2027, 2, 1), None));
}

#[test]
fn a_ground_of_the_general_regulation_asks_for_no_thirty_days() {
    for (requested, last) in [
        (None, date(2027, 1, 10)),
        (Some(date(2027, 1, 5)), date(2027, 1, 10)),
        (Some(date(2027, 1, 20)), date(2027, 1, 20)),
    ] {
        let mut desk = Desk::new();
        desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).serve("acme-d");
        desk.on(date(2027, 1, 10)).record(by("acme-d", date(2027, 1, 10), requested, Ground::General28_2));
        let end = desk.book.contract("acme-d").unwrap().end.unwrap();
        assert_eq!((end.on, end.ground), (last, Ground::General28_2));
    }
}

#[test]
fn the_operator_ends_by_its_own_right_and_the_customer_by_its_notice() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).serve("acme-d");
    let by_operator = by("acme-d", date(2027, 1, 1), None, Ground::Operator);
    assert_eq!(desk.refused(vec![by_operator]).0, Rule::Cancellation);
    let by_notice = Event::Ended { contract: "acme-d".into(), on: date(2027, 1, 5), ground: Ground::Notice };
    assert_eq!(desk.refused(vec![by_notice]).0, Rule::Cancellation);
    // It may end what is cancelled, before its last day and not after.
    desk.record(cancelled("acme-d", date(2027, 1, 1), None));
    assert_eq!(desk.refused(vec![ended("acme-d", date(2027, 1, 31))]).0, Rule::Life);
    desk.record(ended("acme-d", date(2027, 1, 5)));
    assert!(desk.served("acme-d", date(2027, 1, 5)));
    let standing = desk.standing("acme-d", date(2027, 1, 6));
    assert_eq!(standing.state, State::EndedByOperator);
    assert_eq!(standing.why_not[0].article, "Art. 9");
}
