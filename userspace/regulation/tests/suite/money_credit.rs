//! Art. 12 and annex 3: what was wholly unusable for 24 hours or more is given back, if it is claimed in time.

use crate::money_common::{account, amounts, claim, contract, ended, lines_for, months, option, stated};
use jiff::civil::{Date, date};
use sekisho_regulation::{
    event::{Ground, Part},
    money::{Account, Billed, CreditClaim, What, credit},
    terms::Fees,
};

const DAY: u64 = 86_400;

fn with(claims: impl IntoIterator<Item = CreditClaim>) -> Account {
    account([Billed { credits: claims.into_iter().collect(), ..contract(date(2026, 1, 1), 10_000) }])
}

/// The credits of a year, with the months in which they stand.
fn given(account: &Account) -> Vec<(i8, i64)> {
    let of_month = |month: Date| {
        let lines = lines_for(account, What::Credit, [month]);
        lines.into_iter().map(move |line| (month.month(), line.amount))
    };
    months(date(2026, 1, 1), date(2026, 12, 31)).flat_map(of_month).collect()
}

#[test]
fn every_full_24_hours_give_back_a_thirtieth_of_the_monthly_fee() {
    for (seconds, monthly, yen) in [
        (0, 10_000, 0),
        (DAY - 60, 10_000, 0),
        (DAY - 1, 10_000, 0),
        (DAY, 10_000, 333),
        (2 * DAY - 60, 10_000, 333),
        (2 * DAY, 10_000, 666),
        (3 * DAY, 10_000, 1_000),
        (10 * DAY, 29, 9),
        (DAY, 29, 0),
        (DAY, 0, 0),
        (u64::MAX, u64::MAX, u128::from(u64::MAX / DAY) * u128::from(u64::MAX) / 30),
    ] {
        assert_eq!(credit(seconds, monthly), yen, "{seconds} s at {monthly}");
    }
}

#[test]
fn an_outage_of_23_hours_and_59_minutes_gives_nothing_one_of_24_hours_one_day() {
    let november = |seconds| amounts(&with([claim("inc-1", date(2026, 11, 3), seconds, date(2026, 11, 9))]), 2026, 11);
    assert_eq!(november(DAY - 60), [(What::Monthly, 10_000)]);
    assert_eq!(november(DAY), [(What::Monthly, 10_000), (What::Credit, -333)]);
    assert_eq!(november(2 * DAY - 60), [(What::Monthly, 10_000), (What::Credit, -333)]);
    assert_eq!(november(3 * DAY), [(What::Monthly, 10_000), (What::Credit, -1_000)]);
}

#[test]
fn a_credit_stands_in_the_month_of_its_claim_with_its_article_and_incident() {
    let account = with([claim("inc-1", date(2026, 8, 30), 3 * DAY, date(2026, 10, 1))]);
    assert_eq!(given(&account), [(10, -1_000)]);
    let october = stated(&account, 2026, 10);
    let line = &october.lines[1];
    assert_eq!((line.article.as_str(), line.incident.as_deref()), ("Art. 12, annex 3", Some("inc-1")));
    assert_eq!((line.quantity, line.unit), (3, 10_000));
    assert_eq!(line.note, "incident inc-1, from 2026-08-30: 3 × 24 hours, each 10,000 / 30");
}

#[test]
fn a_claim_is_heard_on_its_last_day_and_not_after_it() {
    // Possible on 2026-11-30: until 2027-02-28.
    let (began, last) = (date(2026, 11, 29), date(2027, 2, 28));
    let february = |claimed: Date| {
        lines_for(&with([claim("inc-1", began, DAY, claimed)]), What::Credit, months(began, date(2027, 3, 31))).len()
    };
    assert_eq!(february(last), 1);
    assert_eq!(february(last.tomorrow().unwrap()), 0);
    assert_eq!(february(began), 0, "before it was possible");
}

#[test]
fn a_contract_and_its_option_are_credited_apart() {
    let outage = claim("inc-1", date(2026, 11, 3), 3 * DAY, date(2026, 11, 9));
    let basic = contract(date(2026, 1, 1), 10_000);
    let option = Billed { credits: vec![outage.clone()], ..option(date(2026, 1, 1), 3_000) };
    let of_option = account([basic.clone(), option.clone()]);
    assert_eq!(
        amounts(&of_option, 2026, 11),
        [(What::Monthly, 10_000), (What::Monthly, 3_000), (What::Credit, -300)],
        "only the option was unusable"
    );
    let both = account([Billed { credits: vec![outage], ..basic }, option]);
    let credits = lines_for(&both, What::Credit, [date(2026, 11, 1)]);
    let credits: Vec<_> = credits.iter().map(|line| (line.part, line.amount)).collect();
    assert_eq!(credits, [(Part::Basic, -1_000), (Part::Option, -300)]);
}

#[test]
fn the_fee_is_the_one_in_force_when_the_outage_began() {
    let mut contract = contract(date(2026, 1, 1), 10_000);
    contract.fees.push((date(2026, 11, 1), Fees { monthly: 60_000, ..Fees::default() }));
    for (began, yen) in [(date(2026, 10, 31), -1_000), (date(2026, 11, 1), -6_000)] {
        let credits = vec![claim("inc-1", began, 3 * DAY, date(2026, 11, 9))];
        assert_eq!(given(&account([Billed { credits, ..contract.clone() }])), [(11, yen)], "{began}");
    }
}

#[test]
fn a_whole_month_of_31_days_gives_back_its_fee_and_no_more() {
    let account = with([claim("inc-1", date(2026, 7, 1), 31 * DAY - 1, date(2026, 8, 5))]);
    assert_eq!(given(&account), [(8, -10_000)], "30 days");
    let account = with([
        claim("inc-1", date(2026, 7, 1), 16 * DAY, date(2026, 8, 20)),
        claim("inc-2", date(2026, 7, 17), 15 * DAY, date(2026, 8, 1)),
    ]);
    assert_eq!(given(&account), [(8, -5_000), (8, -5_000)], "the first claim whole, the second what is left");
    let account = with([
        claim("inc-1", date(2026, 7, 1), 16 * DAY, date(2026, 9, 20)),
        claim("inc-2", date(2026, 7, 17), 14 * DAY, date(2026, 8, 1)),
    ]);
    assert_eq!(given(&account), [(8, -4_666), (9, -5_333)]);
}

#[test]
fn a_contract_that_was_billed_for_two_days_gets_no_more_than_those_back() {
    let contract = ended(contract(date(2026, 1, 1), 30_000), date(2026, 11, 2), Ground::Notice);
    let credits = vec![claim("inc-1", date(2026, 11, 1), 3 * DAY, date(2026, 11, 9))];
    let account = account([Billed { credits, ..contract }]);
    assert_eq!(given(&account), [(11, -2_000)]);
    let lines = lines_for(&account, What::Credit, [date(2026, 11, 1)]);
    assert!(lines[0].note.ends_with("; not more than the fee"), "{}", lines[0].note);
}

#[test]
fn what_was_not_billed_yet_is_not_given_back() {
    let contract = Billed { billing_start: Some(date(2026, 12, 1)), ..contract(date(2026, 11, 1), 10_000) };
    let credits = vec![claim("inc-1", date(2026, 11, 3), 3 * DAY, date(2026, 12, 5))];
    assert_eq!(given(&account([Billed { credits, ..contract }])), []);
}

#[test]
fn a_statement_may_be_in_the_customers_favour_and_its_tax_is_so_too() {
    let contract = ended(contract(date(2026, 1, 1), 10_000), date(2026, 10, 31), Ground::Notice);
    let credits = vec![claim("inc-1", date(2026, 10, 1), 4 * DAY, date(2026, 11, 9))];
    let november = stated(&account([Billed { credits, ..contract }]), 2026, 11);
    assert_eq!((november.subtotal, november.tax.amount, november.total), (-1_333, -133, -1_466));
}
