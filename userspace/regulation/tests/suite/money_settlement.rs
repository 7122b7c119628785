//! Art. 11 and annex 2: what an end inside the minimum term costs, contract and option apart.

use crate::money_common::{account, contract, ended, lines_for, months, option, stated};
use jiff::civil::{Date, date};
use proptest::prelude::*;
use sekisho_regulation::{
    calendar::{cancellation_end, minimum_term_end},
    event::{Ground, Part},
    money::{Account, Billed, What},
    terms::Fees,
};

/// The settlement lines of the first three months.
fn settled(account: &Account, start: Date) -> Vec<(Date, i64)> {
    let span = months(start, start.saturating_add(jiff::ToSpan::months(3)));
    let lines = lines_for(account, What::Settlement, span);
    lines.iter().map(|line| (line.days.unwrap().from, line.amount)).collect()
}

#[test]
fn the_rest_of_the_minimum_term_is_owed_by_days() {
    for (start, last, expected) in [
        // The whole term but its first day.
        (date(2026, 11, 1), date(2026, 11, 1), vec![(date(2026, 11, 2), 10_000 * 29 / 30)]),
        // The day before its last: one day.
        (date(2026, 11, 1), date(2026, 11, 29), vec![(date(2026, 11, 30), 10_000 / 30)]),
        (date(2027, 1, 31), date(2027, 2, 27), vec![(date(2027, 2, 28), 10_000 / 28)]),
        (date(2028, 1, 31), date(2028, 2, 28), vec![(date(2028, 2, 29), 10_000 / 29)]),
        (date(2026, 12, 31), date(2027, 1, 29), vec![(date(2027, 1, 30), 10_000 / 31)]),
        // Its last day, and later: nothing.
        (date(2026, 11, 1), date(2026, 11, 30), vec![]),
        (date(2027, 1, 29), date(2027, 2, 28), vec![]),
        (date(2028, 1, 30), date(2028, 2, 29), vec![]),
        (date(2027, 4, 30), date(2027, 5, 29), vec![]),
        (date(2026, 12, 31), date(2027, 1, 30), vec![]),
        (date(2026, 11, 1), date(2026, 12, 1), vec![]),
        // Two months, each with its own days: 5 of 31 and 14 of 28.
        (
            date(2027, 1, 15),
            date(2027, 1, 26),
            vec![(date(2027, 1, 27), 10_000 * 5 / 31), (date(2027, 2, 1), 10_000 * 14 / 28)],
        ),
    ] {
        let account = account([ended(contract(start, 10_000), last, Ground::Operator)]);
        assert_eq!(settled(&account, start), expected, "{start} to {last}");
    }
}

#[test]
fn it_stands_in_the_month_of_the_last_day_with_its_article() {
    let account = account([ended(contract(date(2027, 1, 15), 10_000), date(2027, 1, 26), Ground::Operator)]);
    let january = stated(&account, 2027, 1);
    let lines: Vec<_> = january.lines.iter().map(|line| (line.what, line.article.as_str(), line.amount)).collect();
    assert_eq!(
        lines,
        [
            (What::Monthly, "Art. 10, annex 1.2", 10_000 * 12 / 31),
            (What::Settlement, "Art. 11.1, annex 2.1", 10_000 * 5 / 31),
            (What::Settlement, "Art. 11.1, annex 2.1", 5_000),
        ]
    );
    assert_eq!(
        january.lines[1].note,
        "2027-01-27 to 2027-01-31: 5 of 31 days of 10,000; ended on 2027-01-26, inside the minimum term"
    );
    assert_eq!(stated(&account, 2027, 2).lines, []);
}

#[test]
fn nothing_is_owed_where_the_ground_is_general_regulation_28_2_or_28_3() {
    let start = date(2026, 11, 1);
    for (ground, owed) in
        [(Ground::General28_2, false), (Ground::General28_3, false), (Ground::Operator, true), (Ground::Notice, true)]
    {
        for part in [Part::Basic, Part::Option] {
            let billed = Billed { part, ..ended(contract(start, 10_000), date(2026, 11, 10), ground) };
            assert_eq!(!settled(&account([billed]), start).is_empty(), owed, "{ground:?} {part:?}");
        }
    }
}

#[test]
fn a_contract_and_its_option_have_terms_of_their_own() {
    let (start, option_start) = (date(2026, 11, 1), date(2026, 11, 21));
    let last = date(2026, 12, 10);
    let option = option(option_start, 3_100);
    // The contract's term is over, the option's is not: 11 to 20 December.
    let account =
        account([ended(contract(start, 10_000), last, Ground::Operator), ended(option, last, Ground::Operator)]);
    let lines = lines_for(&account, What::Settlement, months(start, last));
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((line.part, line.amount, line.article.as_str()), (Part::Option, 1_000, "Art. 11.2, annex 2.2"));
}

#[test]
fn an_option_that_ends_with_its_contract_inside_its_own_term_owes_by_the_contracts_ground() {
    let (start, last) = (date(2026, 1, 1), date(2026, 12, 10));
    for (ground, expected) in [(Ground::Notice, vec![1_000]), (Ground::General28_2, vec![])] {
        let account = account([ended(contract(start, 10_000), last, ground), option(date(2026, 11, 21), 3_100)]);
        let lines = lines_for(&account, What::Settlement, months(start, last));
        assert_eq!(lines.iter().map(|line| line.amount).collect::<Vec<_>>(), expected, "{ground:?}");
    }
}

#[test]
fn what_ended_before_billing_started_had_no_term() {
    for start in [None, Some(date(2026, 11, 20))] {
        let billed = Billed { billing_start: start, ..contract(date(2026, 11, 1), 10_000) };
        let account = account([ended(billed, date(2026, 11, 19), Ground::Operator)]);
        assert_eq!(settled(&account, date(2026, 11, 1)), [], "{start:?}");
    }
}

#[test]
fn the_fee_is_the_one_in_force_on_the_last_day() {
    let start = date(2026, 11, 1);
    let mut billed = contract(start, 10_000);
    billed.fees.push((date(2026, 11, 21), Fees { monthly: 60_000, ..Fees::default() }));
    for (last, owed) in [(date(2026, 11, 20), 10_000 * 10 / 30), (date(2026, 11, 21), 60_000 * 9 / 30)] {
        let account = account([ended(billed.clone(), last, Ground::Operator)]);
        assert_eq!(settled(&account, start), [(last.tomorrow().unwrap(), owed)], "{last}");
    }
}

#[test]
fn a_contract_without_a_monthly_fee_owes_no_settlement() {
    let account = account([ended(contract(date(2026, 11, 1), 0), date(2026, 11, 10), Ground::Operator)]);
    assert_eq!(settled(&account, date(2026, 11, 1)), []);
}

proptest! {
    #[test]
    fn a_customers_notice_given_after_billing_start_never_leads_to_a_settlement(
        start in 0..60_000_i32, wait in 0..400_i32, requested in proptest::option::of(-400..400_i32), monthly in 0..1_000_000_u64,
    ) {
        let day = |base: Date, days: i32| base.saturating_add(jiff::ToSpan::days(days));
        let start = day(date(2000, 1, 1), start);
        let arrival = day(start, wait);
        let last = cancellation_end(arrival, requested.map(|days| day(arrival, days)));
        let account = account([ended(contract(start, monthly), last, Ground::Notice)]);
        prop_assert!(lines_for(&account, What::Settlement, months(start, last)).is_empty());
    }

    #[test]
    fn what_ends_inside_its_term_costs_what_the_term_would_have_within_rounding(
        start in 0..60_000_i32, served in 0..31_i32, monthly in 0..1_000_000_u64,
    ) {
        let start = date(2000, 1, 1).saturating_add(jiff::ToSpan::days(start));
        let term = minimum_term_end(start);
        let last = start.saturating_add(jiff::ToSpan::days(served)).min(term);
        let total = |account: &Account| months(start, term).map(|month| {
            sekisho_regulation::money::statement(account, month).unwrap().subtotal
        }).sum::<i64>();
        let early = total(&account([ended(contract(start, monthly), last, Ground::Operator)]));
        let full = total(&account([ended(contract(start, monthly), term, Ground::Operator)]));
        // A month that is parted at the last day is rounded down twice.
        prop_assert!((full - 1..=full).contains(&early), "{early} of {full}");
    }
}
