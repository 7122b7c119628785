//! Art. 12: incidents, and the claims for them.

use crate::common::*;
use jiff::{SignedDuration, Timestamp};

/// A served contract on 1 March 2027, and the instant at which the operator knew: 1 February at noon.
fn desk() -> (Desk, Timestamp) {
    let mut desk = Desk::new();
    let contracts = vec![shared("acme-d", Item::D), vpdn("acme-k", Item::K)];
    desk.record(document(date(2027, 1, 1), terms("acme", contracts))).serve("acme-d").serve("acme-k");
    desk.record(option_started("acme-d", date(2027, 1, 1))).on(date(2027, 3, 1));
    let known = desk.local(date(2027, 2, 1), 12, 0);
    (desk, known)
}

fn after(known: Timestamp, hours: i64, minutes: i64) -> Timestamp {
    known + SignedDuration::from_mins(hours * 60 + minutes)
}

#[test]
fn twenty_four_hours_in_a_row_can_be_claimed_for_and_a_minute_less_cannot() {
    for (hours, minutes, claimable) in [(23, 59, false), (24, 0, true), (47, 59, true)] {
        let (mut desk, known) = desk();
        desk.record(opened("i1", "acme-d", known, false));
        desk.record(closed("i1", after(known, hours, minutes), Fault::Operator));
        let outages = desk.book.outages("acme-d", Part::Basic);
        assert_eq!(outages[0].seconds(), u64::try_from(hours * 3600 + minutes * 60).unwrap());
        assert_eq!(outages[0].claimable.is_some(), claimable);
        let claim = claimed("i1", "acme-d", date(2027, 2, 10));
        if claimable {
            desk.record(claim);
            assert_eq!(desk.book.outages("acme-d", Part::Basic)[0].claimed, Some(date(2027, 2, 10)));
            assert!(desk.refused(vec![claimed("i1", "acme-d", date(2027, 2, 11))]).2.contains("was claimed"));
        } else {
            let (rule, article, line) = desk.refused(vec![claim]);
            assert_eq!((rule, article), (Rule::Credit, "Art. 12"));
            assert!(line.contains("23 h 59 min") && line.contains("料金の減額"), "{line}");
        }
    }
}

#[test]
fn the_operator_knew_when_the_earlier_of_alert_and_report_came() {
    let (mut desk, known) = desk();
    desk.record(opened("i1", "acme-d", after(known, 5, 0), true));
    desk.record(reported("i1", known, Source::Customer));
    desk.record(closed("i1", after(known, 24, 0), Fault::Operator));
    assert_eq!(desk.book.outages("acme-d", Part::Basic)[0].seconds(), 86_400);
}

#[test]
fn a_draft_counts_for_nothing_until_somebody_has_confirmed_it() {
    let (mut desk, known) = desk();
    desk.record(opened("i1", "acme-d", known, true));
    desk.record(reported("i1", after(known, 1, 0), Source::Alert));
    desk.record(closed("i1", after(known, 30, 0), Fault::Operator));
    assert!(desk.book.outages("acme-d", Part::Basic).is_empty());
    assert!(desk.refused(vec![claimed("i1", "acme-d", date(2027, 2, 10))]).2.contains("draft"));
    // The staff confirms it afterwards: the alert's instant counts.
    desk.record(reported("i1", after(known, 2, 0), Source::Operator));
    assert_eq!(desk.book.outages("acme-d", Part::Basic)[0].seconds(), 30 * 3600);
    desk.record(claimed("i1", "acme-d", date(2027, 2, 10)));
}

#[test]
fn only_the_operators_fault_can_be_claimed_for_and_only_when_it_is_over() {
    for fault in [Fault::Customer, Fault::Limit, Fault::Prerequisite, Fault::Other] {
        let (mut desk, known) = desk();
        desk.record(opened("i1", "acme-d", known, false));
        assert!(desk.refused(vec![claimed("i1", "acme-d", date(2027, 2, 10))]).2.contains("close it first"));
        desk.record(closed("i1", after(known, 48, 0), fault));
        assert_eq!(desk.refused(vec![claimed("i1", "acme-d", date(2027, 2, 10))]).0, Rule::Credit);
        assert!(desk.book.outages("acme-d", Part::Basic).is_empty());
    }
}

#[test]
fn a_claim_arrives_within_three_months_the_first_day_not_counted() {
    // Known on the day before: 24 hours are complete on the first day of the table.
    for (possible, last) in [
        (date(2027, 2, 28), date(2027, 5, 31)),
        (date(2027, 1, 31), date(2027, 4, 30)),
        (date(2027, 11, 30), date(2028, 2, 29)),
    ] {
        let mut desk = Desk::new();
        desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).serve("acme-d");
        desk.on(date(2028, 6, 1));
        let known = desk.local(possible.yesterday().unwrap(), 8, 0);
        desk.record(opened("i1", "acme-d", known, false)).record(closed("i1", after(known, 80, 0), Fault::Operator));
        assert_eq!(desk.book.outages("acme-d", Part::Basic)[0].claimable, Some(possible..=last));
        for early_or_late in [possible.yesterday().unwrap(), last.tomorrow().unwrap()] {
            let (rule, _, line) = desk.refused(vec![claimed("i1", "acme-d", early_or_late)]);
            assert_eq!(rule, Rule::Credit);
            assert!(line.contains(&format!("from {possible} to {last}")), "{line}");
        }
        for day in [possible, last] {
            desk.book.admit(&desk.next(vec![claimed("i1", "acme-d", day)])).unwrap();
        }
    }
}

#[test]
fn incidents_that_overlap_count_no_hour_twice() {
    let (mut desk, known) = desk();
    for (name, from, to) in [("i1", 0, 30), ("i2", 20, 50), ("i3", 25, 40), ("i4", 100, 124)] {
        desk.record(opened(name, "acme-d", after(known, from, 0), false));
        desk.record(closed(name, after(known, to, 0), Fault::Operator));
    }
    let hours: Vec<_> = desk
        .book
        .outages("acme-d", Part::Basic)
        .iter()
        .map(|outage| (outage.incident.clone(), outage.seconds() / 3600))
        .collect();
    // One day of the first 30 hours; 26 hours to the 50th; 2 of them left; and a time of its own.
    assert_eq!(hours, [("i1".into(), 30), ("i2".into(), 26), ("i3".into(), 2), ("i4".into(), 24)]);
    let days: u64 = hours.iter().map(|(_, hours)| hours / 24).sum();
    assert_eq!(days, 50 / 24 + 1);
    assert!(desk.refused(vec![claimed("i3", "acme-d", date(2027, 2, 10))]).2.contains("2 h 0 min"));
}

#[test]
fn contracts_and_options_are_affected_apart() {
    let (mut desk, known) = desk();
    let affects = vec![affected("acme-d", Part::Option), affected("acme-k", Part::Basic)];
    let source = Source::Operator;
    desk.record(Event::IncidentOpened { incident: "i1".into(), affects, known, source, draft: false });
    desk.record(closed("i1", after(known, 24, 0), Fault::Operator));
    assert_eq!(desk.book.outages("acme-d", Part::Option).len(), 1);
    assert!(desk.book.outages("acme-d", Part::Basic).is_empty());
    assert_eq!(desk.book.outages("acme-k", Part::Basic).len(), 1);
    desk.record(claimed("i1", "acme-d", date(2027, 2, 10))).record(claimed("i1", "acme-k", date(2027, 2, 11)));
}

#[test]
fn only_time_in_which_it_is_billed_counts() {
    let (mut desk, _) = desk();
    desk.record(by("acme-k", date(2027, 3, 1), None, Ground::General28_2)).on(date(2027, 3, 10));
    let known = desk.local(date(2027, 2, 28), 0, 0);
    desk.record(opened("i1", "acme-k", known, false)).record(closed("i1", after(known, 100, 0), Fault::Operator));
    // Its last day is 1 March.
    assert_eq!(desk.book.outages("acme-k", Part::Basic)[0].seconds(), 48 * 3600);
}

/// On 1 February an incident of January is recorded, of which the days and hours are given.
fn in_january(desk: &mut Desk, [known, ended]: [(i8, i8); 2]) {
    let [known, ended] = [known, ended].map(|(day, hour)| desk.local(date(2027, 1, day), hour, 0));
    desk.on(date(2027, 2, 1)).record(opened("i1", "acme-d", known, false));
    desk.record(closed("i1", ended, Fault::Operator));
}

/// What counts of incident i1 for a contract: the local days and hours at which each time in a row begins and ends.
fn counted(desk: &Desk, contract: &str) -> Vec<[(i8, i8); 2]> {
    let local = |at: Timestamp| {
        let at = desk.book.zone().to_datetime(at);
        (at.day(), at.hour())
    };
    let outages = desk.book.outages(contract, Part::Basic);
    outages.iter().map(|outage| [local(outage.began), local(outage.ended)]).collect()
}

#[test]
fn time_in_which_it_was_incomplete_does_not_count() {
    for (ended, counts) in [(12, None), (25, Some([(20, 10), (25, 10)]))] {
        let mut desk = Desk::new();
        desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).accept("acme-d");
        desk.record(started("acme-d", date(2027, 1, 1))).on(date(2027, 1, 20)).confirm("acme-d");
        in_january(&mut desk, [(5, 10), (ended, 10)]);
        assert_eq!(counted(&desk, "acme-d"), counts.into_iter().collect::<Vec<_>>());
        let claim = claimed("i1", "acme-d", date(2027, 2, 1));
        if counts.is_some() {
            desk.record(claim);
        } else {
            let (rule, _, line) = desk.refused(vec![claim]);
            assert_eq!(rule, Rule::Credit);
            assert!(line.contains("0 h 0 min"), "{line}");
        }
    }
}

#[test]
fn what_was_never_complete_has_nothing_to_claim_for() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![vpdn("acme-d", Item::D)]))).accept("acme-d");
    let now = desk.now;
    desk.record(started("acme-d", date(2027, 1, 1))).record(confirmed("acme-d", "realm", now));
    in_january(&mut desk, [(5, 10), (31, 10)]);
    assert!(desk.book.outages("acme-d", Part::Basic).is_empty());
}

#[test]
fn time_in_which_it_was_suspended_or_ineligible_does_not_count_and_parts_what_is_in_a_row() {
    let contracts = || vec![vpdn("acme-d", Item::D)];
    let mut suspended_twice = Desk::new();
    suspended_twice.record(document(date(2027, 1, 1), terms("acme", contracts()))).serve("acme-d");
    for (from, until) in [(8, 10), (11, 12)] {
        suspended_twice.record(suspended("acme-d", date(2027, 1, from)));
        suspended_twice.record(resumed("acme-d", date(2027, 1, until)));
    }
    let mut ineligible = Desk::new();
    let mut of = terms("acme", contracts());
    of.mobile[0].until = Some(date(2027, 1, 7));
    ineligible.record(document(date(2027, 1, 1), of)).serve("acme-d");
    let in_a_row = [vec![[(5, 9), (8, 0)], [(10, 0), (11, 0)], [(12, 0), (12, 23)]], vec![[(5, 9), (8, 0)]]];
    for (mut desk, in_a_row) in [suspended_twice, ineligible].into_iter().zip(in_a_row) {
        in_january(&mut desk, [(5, 9), (12, 23)]);
        assert_eq!(counted(&desk, "acme-d"), in_a_row);
        desk.record(claimed("i1", "acme-d", date(2027, 2, 1)));
    }
}

#[test]
fn an_incident_has_a_name_contracts_and_instants_in_order() {
    let (mut desk, known) = desk();
    let refused = |desk: &Desk, event: Event| {
        let (rule, _, line) = desk.refused(vec![event]);
        assert!(matches!(rule, Rule::Credit | Rule::Names), "{line}");
        line
    };
    assert!(refused(&desk, opened("i1", "nobodys", known, false)).contains("no such contract"));
    assert!(refused(&desk, opened("i1", "acme-d", after(desk.now, 1, 0), false)).contains("to come"));
    let source = Source::Operator;
    let of = |affects| Event::IncidentOpened { incident: "i1".into(), affects, known, source, draft: false };
    assert!(refused(&desk, of(vec![])).contains("affects nothing"));
    let twice = vec![affected("acme-d", Part::Basic), affected("acme-d", Part::Basic)];
    assert!(refused(&desk, of(twice)).contains("twice"));
    assert!(refused(&desk, of(vec![affected("acme-k", Part::Option)])).contains("has none"));
    for event in
        [reported("i1", known, source), closed("i1", known, Fault::Other), claimed("i1", "acme-d", date(2027, 2, 3))]
    {
        assert!(refused(&desk, event).contains("there is no incident i1"));
    }
    desk.record(opened("i1", "acme-d", known, false));
    assert!(refused(&desk, opened("i1", "acme-d", known, false)).contains("already"));
    assert!(refused(&desk, closed("i1", after(known, -1, 0), Fault::Operator)).contains("before that"));
    assert!(refused(&desk, closed("i1", after(desk.now, 1, 0), Fault::Operator)).contains("to come"));
    desk.record(closed("i1", after(known, 24, 0), Fault::Operator));
    assert!(refused(&desk, closed("i1", after(known, 25, 0), Fault::Operator)).contains("is closed"));
    assert!(refused(&desk, reported("i1", after(known, 24, 0), source)).contains("was over"));
    assert!(refused(&desk, claimed("i1", "acme-k", date(2027, 2, 3))).contains("does not affect it"));
}

#[test]
fn months_are_closed_in_order_and_when_they_are_over() {
    let (mut desk, _) = desk();
    let close = |customer: &str, month| Event::MonthClosed {
        customer: customer.into(),
        month,
        statement: sekisho_regulation::money::Statement::default(),
    };
    for (event, why) in [
        (close("nobody", date(2027, 1, 1)), "no customer"),
        (close("acme", date(2027, 1, 2)), "no first day"),
        (close("acme", date(2027, 3, 1)), "is not over"),
    ] {
        let (rule, _, line) = desk.refused(vec![event]);
        assert_eq!(rule, Rule::Month);
        assert!(line.contains(why), "{line}");
    }
    desk.record(close("acme", date(2027, 2, 1)));
    for month in [date(2027, 1, 1), date(2027, 2, 1)] {
        assert!(desk.refused(vec![close("acme", month)]).2.contains("never changes"));
    }
    assert_eq!(desk.book.customer("acme").unwrap().closed.len(), 1);
}
