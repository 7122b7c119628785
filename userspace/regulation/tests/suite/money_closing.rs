//! A closed month never changes: what is recorded of it later is a correction in the next open month.

use crate::money_common::{account, amounts, claim, contract, ended, freeze, option, stated};
use jiff::civil::date;
use sekisho_regulation::{
    event::{Ground, Part},
    money::{Billed, Closed, Corrects, MoneyError, What, close, next_to_close, statement},
    terms::Fees,
};

#[test]
fn a_month_is_closed_after_its_last_day_and_not_on_it() {
    let account = account([contract(date(2026, 11, 1), 10_000)]);
    let november = date(2026, 11, 1);
    let error = close(&account, november, date(2026, 11, 30)).unwrap_err();
    let expected = MoneyError::NotOver { customer: "acme".to_owned(), month: november, last: date(2026, 11, 30) };
    assert_eq!(error, expected);
    assert_eq!(close(&account, november, date(2026, 12, 1)), statement(&account, november));
}

#[test]
fn months_that_have_lines_are_closed_in_their_order() {
    let mut account = account([contract(date(2026, 10, 15), 10_000)]);
    let today = date(2027, 1, 5);
    let error = close(&account, date(2026, 12, 1), today).unwrap_err();
    assert_eq!(error.to_string(), "acme, 2026-12: 2026-10 has lines and is still open: close that month first");
    assert_eq!(next_to_close(&account, today), Ok(Some(date(2026, 10, 1))));
    freeze(&mut account, date(2026, 10, 1));
    assert_eq!(next_to_close(&account, today), Ok(Some(date(2026, 11, 1))));
    freeze(&mut account, date(2026, 11, 1));
    freeze(&mut account, date(2026, 12, 1));
    assert_eq!(next_to_close(&account, today), Ok(None), "January is not over");
    assert_eq!(next_to_close(&account, date(2027, 2, 1)), Ok(Some(date(2027, 1, 1))));
}

#[test]
fn a_month_without_lines_need_not_be_closed() {
    let contract = Billed { billing_start: Some(date(2026, 12, 1)), ..contract(date(2026, 10, 15), 10_000) };
    let fees = vec![(date(2026, 10, 1), Fees { initial: 500, monthly: 10_000, change: 0 })];
    let mut account = account([Billed { fees, ..contract }]);
    freeze(&mut account, date(2026, 10, 1));
    assert_eq!(next_to_close(&account, date(2027, 1, 1)), Ok(Some(date(2026, 12, 1))));
    freeze(&mut account, date(2026, 12, 1));
    assert_eq!(stated(&account, 2026, 11).lines, []);
}

#[test]
fn a_month_is_closed_once_and_so_is_every_month_before_it() {
    let mut account = account([contract(date(2026, 11, 1), 10_000)]);
    freeze(&mut account, date(2026, 11, 1));
    for month in [date(2026, 11, 1), date(2026, 10, 1)] {
        let error = close(&account, month, date(2027, 1, 1)).unwrap_err();
        let through = date(2026, 11, 1);
        assert_eq!(error, MoneyError::AlreadyClosed { customer: "acme".to_owned(), month, through });
    }
}

#[test]
fn an_end_recorded_too_late_leaves_the_closed_months_and_corrects_them_in_the_next_open_one() {
    let mut account = account([contract(date(2026, 1, 1), 10_000)]);
    for month in 1..=11 {
        freeze(&mut account, date(2026, month, 1));
    }
    let (october, november) = (stated(&account, 2026, 10), stated(&account, 2026, 11));
    account.parts[0].end = Some((date(2026, 10, 15), Ground::General28_2));
    assert_eq!(stated(&account, 2026, 10), october);
    assert_eq!(stated(&account, 2026, 11), november);
    let december = stated(&account, 2026, 12);
    let lines: Vec<_> = december.lines.iter().map(|line| (line.what, line.amount, line.note.as_str())).collect();
    assert_eq!(
        lines,
        [
            (What::Correction, 10_000 * 15 / 31 - 10_000, "monthly of 2026-10: 4,838 instead of 10,000"),
            (What::Correction, -10_000, "monthly of 2026-11: 0 instead of 10,000"),
        ]
    );
    assert_eq!(
        december.lines[0].corrects,
        Some(Corrects { month: date(2026, 10, 1), what: What::Monthly, billed: 10_000, owed: 4_838 })
    );
    assert_eq!(december.lines[0].article, "Art. 10, annex 1.2");
    assert_eq!(amounts(&account, 2027, 1), [], "once, in the next open month");
}

#[test]
fn a_correction_that_was_closed_itself_is_not_made_again_and_can_be_corrected() {
    let mut account = account([contract(date(2026, 10, 1), 10_000)]);
    freeze(&mut account, date(2026, 10, 1));
    account.parts[0].end = Some((date(2026, 10, 31), Ground::General28_2));
    freeze(&mut account, date(2026, 11, 1));
    account.parts[0].end = Some((date(2026, 10, 10), Ground::General28_2));
    let december = freeze(&mut account, date(2026, 12, 1));
    assert_eq!(december.subtotal, 10_000 * 10 / 31 - 10_000);
    assert_eq!(amounts(&account, 2027, 1), []);
    account.parts[0].end = None;
    assert_eq!(
        amounts(&account, 2027, 1),
        [
            (What::Monthly, 10_000),
            (What::Correction, 10_000 - 10_000 * 10 / 31),
            (What::Correction, 10_000),
            (What::Correction, 10_000),
        ],
        "October's rest, November, December"
    );
}

#[test]
fn every_kind_of_late_fact_is_corrected_by_its_own_article() {
    let start = date(2026, 11, 1);
    let fees = vec![(start, Fees { initial: 500, monthly: 30_000, change: 700 })];
    let basic = Billed { fees: fees.clone(), ..contract(start, 0) };
    let mut account = account([basic]);
    freeze(&mut account, start);
    let basic = &mut account.parts[0];
    basic.changes.push(date(2026, 11, 5));
    basic.credits.push(claim("inc-7", date(2026, 11, 10), 86_400, date(2026, 11, 12)));
    basic.end = Some((date(2026, 11, 29), Ground::Operator));
    account.parts.push(Billed { fees, ..option(date(2026, 11, 30), 0) });
    // The option began after its contract's last day: its acceptance alone is owed.
    let december = stated(&account, 2026, 12);
    let lines: Vec<_> = december
        .lines
        .iter()
        .map(|line| (line.part, line.article.as_str(), line.amount, line.incident.as_deref()))
        .collect();
    assert_eq!(
        lines,
        [
            (Part::Basic, "Art. 10, annex 1.2", -1_000, None),
            (Part::Basic, "Art. 10, annex 1.3", 700, None),
            (Part::Basic, "Art. 11.1, annex 2.1", 1_000, None),
            (Part::Basic, "Art. 12, annex 3", -1_000, Some("inc-7")),
            (Part::Option, "Art. 10, annex 1.1", 500, None),
        ]
    );
}

#[test]
fn what_is_recorded_late_of_a_month_that_had_no_lines_is_corrected_as_well() {
    let mut account = account([contract(date(2026, 11, 1), 10_000)]);
    freeze(&mut account, date(2026, 11, 1));
    account.parts[0].billing_start = Some(date(2026, 10, 1));
    assert_eq!(stated(&account, 2026, 10).lines, []);
    assert_eq!(amounts(&account, 2026, 12), [(What::Monthly, 10_000), (What::Correction, 10_000)]);
}

#[test]
fn a_month_that_has_only_corrections_is_closed_before_later_ones() {
    let first = ended(contract(date(2026, 10, 1), 10_000), date(2026, 10, 31), Ground::Notice);
    let mut account = account([first]);
    freeze(&mut account, date(2026, 10, 1));
    let today = date(2027, 1, 5);
    assert_eq!(next_to_close(&account, today), Ok(None));
    account.parts[0].changes.push(date(2026, 10, 20));
    account.parts[0].fees[0].1.change = 700;
    assert_eq!(next_to_close(&account, today), Ok(Some(date(2026, 11, 1))));
    let error = close(&account, date(2026, 12, 1), today).unwrap_err();
    assert!(matches!(error, MoneyError::EarlierOpen { earlier, .. } if earlier == date(2026, 11, 1)), "{error}");
    let later = Billed { contract: "acme-vpdn-2".to_owned(), ..contract(date(2026, 12, 1), 10_000) };
    account.parts.push(later);
    assert_eq!(
        next_to_close(&account, today),
        Ok(Some(date(2026, 11, 1))),
        "before the month that has lines of its own"
    );
    assert_eq!(freeze(&mut account, date(2026, 11, 1)).subtotal, 700);
    assert_eq!(next_to_close(&account, today), Ok(Some(date(2026, 12, 1))));
}

#[test]
fn a_contract_that_is_gone_from_the_account_is_still_corrected() {
    let mut account = account([contract(date(2026, 11, 1), 10_000)]);
    freeze(&mut account, date(2026, 11, 1));
    account.parts.clear();
    let december = stated(&account, 2026, 12);
    assert_eq!((december.subtotal, december.lines[0].kind.as_str()), (-10_000, "vpdn D"));
}

#[test]
fn a_history_that_contradicts_itself_is_refused() {
    let mut account = account([contract(date(2026, 11, 1), 10_000)]);
    let november = freeze(&mut account, date(2026, 11, 1));
    let with = |statement, month| {
        let mut account = account.clone();
        account.closed.push(Closed { month, statement });
        statement_error(&account)
    };
    let december = date(2026, 12, 1);
    assert!(matches!(with(november.clone(), date(2026, 11, 1)), MoneyError::ClosedTwice { .. }));
    assert!(matches!(with(november.clone(), december), MoneyError::ForeignStatement { .. }));
    let mut foreign = november.clone();
    foreign.customer = "other".to_owned();
    foreign.month = december;
    assert_eq!(
        with(foreign, december).to_string(),
        "acme, 2026-12: it was closed with a statement of other for 2026-12: the history is damaged, restore it"
    );
    let mut newer = november;
    newer.format = 2;
    assert!(matches!(with(newer, december), MoneyError::Format { found: 2, known: 1, .. }));
}

fn statement_error(account: &sekisho_regulation::money::Account) -> MoneyError {
    statement(account, date(2027, 1, 1)).unwrap_err()
}
