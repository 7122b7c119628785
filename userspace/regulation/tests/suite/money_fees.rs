//! Art. 10 and annex 1: what is owed from when, and what a part of a month costs.

use crate::money_common::{account, amounts, contract, ended, option, stated};
use jiff::civil::date;
use sekisho_regulation::{
    event::Ground,
    money::{Account, Billed, MoneyError, What, statement},
    terms::Fees,
};

const FEES: Fees = Fees { initial: 5_000, monthly: 10_000, change: 3_000 };

#[test]
fn the_initial_fee_is_owed_in_the_month_of_acceptance_and_the_monthly_fee_from_the_billing_start_date() {
    let start = date(2026, 12, 16);
    let contract =
        Billed { accepted: Some(date(2026, 11, 30)), fees: vec![(date(2026, 11, 1), FEES)], ..contract(start, 0) };
    let account = account([contract]);
    assert_eq!(amounts(&account, 2026, 10), []);
    assert_eq!(amounts(&account, 2026, 11), [(What::Initial, 5_000)]);
    assert_eq!(amounts(&account, 2026, 12), [(What::Monthly, 10_000 * 16 / 31)]);
    assert_eq!(amounts(&account, 2027, 1), [(What::Monthly, 10_000)]);
}

#[test]
fn a_contract_that_was_accepted_and_never_started_owes_its_initial_fee_alone() {
    let contract =
        Billed { billing_start: None, fees: vec![(date(2026, 1, 1), FEES)], ..contract(date(2026, 11, 5), 0) };
    let account = account([contract]);
    assert_eq!(amounts(&account, 2026, 11), [(What::Initial, 5_000)]);
    assert_eq!(amounts(&account, 2026, 12), []);
}

#[test]
fn a_contract_that_was_only_applied_for_owes_nothing() {
    let contract = Billed { accepted: None, billing_start: None, ..contract(date(2026, 11, 5), 10_000) };
    assert_eq!(amounts(&account([contract]), 2026, 11), []);
}

#[test]
fn each_accepted_change_is_a_fee_in_its_month_two_on_one_day_are_two() {
    let changes = vec![date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 1)];
    let contract = Billed { changes, fees: vec![(date(2026, 1, 1), FEES)], ..contract(date(2026, 10, 1), 0) };
    let account = account([contract]);
    assert_eq!(amounts(&account, 2026, 11), [(What::Monthly, 10_000), (What::Change, 3_000)]);
    assert_eq!(amounts(&account, 2026, 12), [(What::Monthly, 10_000), (What::Change, 3_000), (What::Change, 3_000)]);
}

#[test]
fn a_part_of_a_month_costs_its_days_rounded_down() {
    for (start, days, of) in [
        (date(2026, 11, 1), 30, 30),
        (date(2026, 11, 2), 29, 30),
        (date(2026, 11, 30), 1, 30),
        (date(2026, 12, 31), 1, 31),
        (date(2027, 2, 15), 14, 28),
        (date(2028, 2, 15), 15, 29),
        (date(2028, 2, 29), 1, 29),
        (date(2100, 2, 28), 1, 28),
    ] {
        let statement = stated(&account([contract(start, 10_000)]), start.year(), start.month());
        let [line] = &statement.lines[..] else { panic!("{statement:?}") };
        assert_eq!(line.amount, 10_000 * days / of, "{start}");
        let of_month = line.days.unwrap();
        assert_eq!((of_month.from, i64::from(of_month.count()), i64::from(of_month.of)), (start, days, of), "{start}");
    }
}

#[test]
fn the_last_day_is_billed_and_the_day_after_it_is_not() {
    let contract = ended(contract(date(2026, 1, 1), 10_000), date(2026, 11, 30), Ground::Notice);
    assert_eq!(amounts(&account([contract.clone()]), 2026, 11), [(What::Monthly, 10_000)]);
    assert_eq!(amounts(&account([contract.clone()]), 2026, 12), []);
    let later = ended(contract, date(2026, 12, 1), Ground::Notice);
    assert_eq!(amounts(&account([later]), 2026, 12), [(What::Monthly, 10_000 / 31)]);
}

#[test]
fn a_contract_that_starts_and_ends_in_one_month_costs_its_days() {
    let contract = ended(contract(date(2026, 11, 10), 10_000), date(2026, 11, 12), Ground::General28_2);
    assert_eq!(amounts(&account([contract]), 2026, 11), [(What::Monthly, 1_000)]);
}

#[test]
fn a_contract_that_ended_before_billing_started_has_no_monthly_fee() {
    for start in [date(2026, 11, 20), date(2026, 12, 20)] {
        let contract = ended(contract(start, 10_000), date(2026, 11, 10), Ground::Operator);
        for month in [11, 12] {
            assert_eq!(amounts(&account([contract.clone()]), 2026, month), [], "{start}");
        }
    }
}

#[test]
fn a_fee_that_changes_within_a_month_is_two_lines_by_days() {
    let mut contract = contract(date(2026, 1, 1), 10_000);
    contract.fees.push((date(2026, 11, 11), Fees { monthly: 20_000, ..Fees::default() }));
    let account = account([contract]);
    assert_eq!(amounts(&account, 2026, 10), [(What::Monthly, 10_000)]);
    assert_eq!(amounts(&account, 2026, 11), [(What::Monthly, 3_333), (What::Monthly, 13_333)]);
    assert_eq!(amounts(&account, 2026, 12), [(What::Monthly, 20_000)]);
    let notes: Vec<_> = stated(&account, 2026, 11).lines.into_iter().map(|line| line.note).collect();
    assert_eq!(
        notes,
        ["2026-11-01 to 2026-11-10: 10 of 30 days of 10,000", "2026-11-11 to 2026-11-30: 20 of 30 days of 20,000"]
    );
}

#[test]
fn a_document_that_leaves_the_monthly_fee_as_it_was_parts_no_month() {
    let mut contract = contract(date(2026, 1, 1), 10_000);
    let same = Fees { monthly: 10_000, initial: 1, change: 2 };
    contract.fees.extend([(date(2026, 11, 11), same), (date(2026, 11, 20), same)]);
    assert_eq!(amounts(&account([contract]), 2026, 11), [(What::Monthly, 10_000)]);
}

#[test]
fn of_two_documents_from_the_same_day_the_last_counts() {
    let mut contract = contract(date(2026, 1, 1), 10_000);
    let fees = |monthly| Fees { monthly, ..Fees::default() };
    contract.fees.extend([(date(2026, 11, 16), fees(90_000)), (date(2026, 11, 16), fees(20_000))]);
    assert_eq!(amounts(&account([contract]), 2026, 11), [(What::Monthly, 5_000), (What::Monthly, 10_000)]);
}

#[test]
fn one_time_fees_are_those_of_the_day_of_acceptance() {
    let later = Fees { initial: 7_000, monthly: 0, change: 4_000 };
    let fees = vec![(date(2026, 1, 1), Fees { monthly: 0, ..FEES }), (date(2026, 11, 11), later)];
    let changes = vec![date(2026, 11, 10), date(2026, 11, 11)];
    let contract = Billed { accepted: Some(date(2026, 11, 11)), fees, changes, ..contract(date(2026, 11, 12), 0) };
    let expected = [(What::Initial, 7_000), (What::Change, 3_000), (What::Change, 4_000)];
    assert_eq!(amounts(&account([contract]), 2026, 11), expected);
}

#[test]
fn before_the_first_fees_the_first_hold() {
    let contract = Billed { fees: vec![(date(2027, 1, 1), FEES)], ..contract(date(2026, 11, 1), 0) };
    assert_eq!(amounts(&account([contract]), 2026, 11), [(What::Initial, 5_000), (What::Monthly, 10_000)]);
}

#[test]
fn what_costs_nothing_is_no_line() {
    let contract = Billed { changes: vec![date(2026, 11, 5)], ..contract(date(2026, 11, 1), 0) };
    let statement = stated(&account([contract, option(date(2026, 11, 30), 1)]), 2026, 11);
    assert_eq!((statement.lines.len(), statement.subtotal, statement.tax.amount, statement.total), (0, 0, 0, 0));
}

#[test]
fn a_contract_and_its_option_are_billed_apart_and_end_on_different_days() {
    let contract = ended(contract(date(2026, 1, 1), 10_000), date(2026, 11, 20), Ground::Notice);
    let option = ended(option(date(2026, 2, 1), 3_000), date(2026, 11, 10), Ground::Notice);
    assert_eq!(amounts(&account([contract, option]), 2026, 11), [(What::Monthly, 6_666), (What::Monthly, 1_000)]);
}

#[test]
fn an_option_ends_with_its_contract_whatever_is_said_of_the_option() {
    let contract = ended(contract(date(2026, 1, 1), 30_000), date(2026, 11, 10), Ground::Notice);
    for option in
        [option(date(2026, 2, 1), 3_000), ended(option(date(2026, 2, 1), 3_000), date(2026, 12, 24), Ground::Notice)]
    {
        let account = account([contract.clone(), option]);
        assert_eq!(amounts(&account, 2026, 11), [(What::Monthly, 10_000), (What::Monthly, 1_000)]);
        assert_eq!(amounts(&account, 2026, 12), []);
    }
}

#[test]
fn the_contract_of_another_name_takes_no_option_with_it() {
    let other = Billed { contract: "acme-vpdn-2".to_owned(), ..contract(date(2026, 1, 1), 0) };
    let other = ended(other, date(2026, 10, 31), Ground::Notice);
    let account = account([other, contract(date(2026, 1, 1), 0), option(date(2026, 2, 1), 3_000)]);
    assert_eq!(amounts(&account, 2026, 11), [(What::Monthly, 3_000)]);
}

#[test]
fn tax_is_ten_percent_of_the_subtotal_its_fraction_dropped() {
    for (monthly, tax) in [(1, 0), (9, 0), (10, 1), (19, 1), (10_009, 1_000)] {
        let statement = stated(&account([contract(date(2026, 1, 1), monthly)]), 2026, 11);
        assert_eq!((statement.tax.percent, statement.tax.amount), (10, tax), "{monthly}");
        assert_eq!(statement.total, statement.subtotal + tax, "{monthly}");
    }
    let halves = [contract(date(2026, 1, 1), 5), option(date(2026, 1, 1), 5)];
    assert_eq!(stated(&account(halves), 2026, 11).tax.amount, 1, "once on the subtotal, not line by line");
}

#[test]
fn what_cannot_be_answered_is_refused_with_its_place_and_remedy() {
    let said = |account: &Account, day| statement(account, day).unwrap_err().to_string();
    let november = date(2026, 11, 1);
    let good = contract(date(2026, 1, 1), 10_000);
    assert_eq!(
        said(&account([good.clone()]), date(2026, 11, 2)),
        "2026-11-02: a month is named by its first day: give 2026-11-01"
    );
    let without = account([Billed { fees: Vec::new(), ..good.clone() }]);
    assert_eq!(
        said(&without, november),
        "acme-vpdn-1 (basic): no fees were ever agreed for it (annex 1): apply a document that states them"
    );
    let mut unsorted = good.clone();
    unsorted.fees.push((date(2019, 1, 1), FEES));
    assert!(matches!(
        statement(&account([unsorted]), november),
        Err(MoneyError::FeesOutOfOrder { day, .. }) if day == date(2019, 1, 1)
    ));
    let huge = contract(date(2026, 1, 1), u64::MAX);
    assert!(said(&account([huge]), november).starts_with("acme-vpdn-1: an amount of more than"));
    let half = contract(date(2026, 1, 1), i64::MAX.unsigned_abs());
    assert!(said(&account([half.clone(), half]), november).starts_with("acme: an amount of more than"));
}
