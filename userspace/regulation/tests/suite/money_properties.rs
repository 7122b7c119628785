//! What holds of every life, and of every order in which it is recorded.

use crate::money_common::{account, claim, contract, freeze, months, option};
use jiff::{
    ToSpan as _,
    civil::{Date, date},
};
use proptest::prelude::*;
use sekisho_regulation::{
    event::{Ground, Part},
    money::{Account, Billed, Statement, What, next_to_close, statement},
    terms::Fees,
};

const FIRST: Date = date(2027, 11, 1);

/// Days of the two years around the leap day of 2028.
fn day() -> impl Strategy<Value = Date> {
    (0..600_i32).prop_map(|days| FIRST.saturating_add(days.days()))
}

fn fees() -> impl Strategy<Value = Fees> {
    let yen = || prop_oneof![Just(0), 0..100_000_u64];
    (yen(), yen(), yen()).prop_map(|(initial, monthly, change)| Fees { initial, monthly, change })
}

fn ground() -> impl Strategy<Value = Ground> {
    prop_oneof![Just(Ground::Notice), Just(Ground::General28_2), Just(Ground::General28_3), Just(Ground::Operator)]
}

/// Something that is recorded, sooner or later, of the contract or its option.
#[derive(Clone, Debug)]
enum Fact {
    Fees(Date, Fees),
    Accepted(Date),
    Started(Date),
    Ended(Option<(Date, Ground)>),
    Changed(Date),
    Claimed { began: Date, days: u8, after: u8 },
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        (day(), fees()).prop_map(|(day, fees)| Fact::Fees(day, fees)),
        day().prop_map(Fact::Accepted),
        day().prop_map(Fact::Started),
        proptest::option::of((day(), ground())).prop_map(Fact::Ended),
        day().prop_map(Fact::Changed),
        (day(), 0..70_u8, 0..120_u8).prop_map(|(began, days, after)| Fact::Claimed { began, days, after }),
    ]
}

fn record(billed: &mut Billed, fact: Fact, number: usize) {
    match fact {
        Fact::Fees(day, fees) => {
            billed.fees.push((day, fees));
            billed.fees.sort_by_key(|(day, _)| *day);
        }
        Fact::Accepted(day) => billed.accepted = Some(day),
        Fact::Started(day) => billed.billing_start = Some(day),
        Fact::Ended(end) => billed.end = end,
        Fact::Changed(day) => billed.changes.push(day),
        Fact::Claimed { began, days, after } => {
            // Before it was over, too: what a month owes may not depend on what comes after it.
            let claimed = began.saturating_add(i32::from(after).days());
            let claim = claim(&format!("inc-{number}"), began, u64::from(days) * 86_400 + 3_600, claimed);
            billed.credits.push(claim);
        }
    }
}

/// A contract and an option of which nothing but fees is known.
fn blank() -> Account {
    let nothing = |billed: Billed| Billed { accepted: None, billing_start: None, ..billed };
    account([nothing(contract(FIRST, 10_000)), nothing(option(FIRST, 3_000))])
}

/// All statements from the beginning to a month.
fn statements(account: &Account, last: Date) -> Vec<Statement> {
    months(FIRST, last).map(|month| statement(account, month).unwrap()).collect()
}

fn subtotals(statements: &[Statement]) -> i64 {
    statements.iter().map(|it| it.subtotal).sum()
}

proptest! {
    #[test]
    fn the_months_of_a_life_cost_its_days_one_by_one_but_for_what_is_rounded_down(
        start in day(), length in 0..500_i32, changes in proptest::collection::vec((day(), 0..100_000_u64), 0..6),
    ) {
        let last = start.saturating_add(length.days());
        let mut billed = Billed { end: Some((last, Ground::General28_2)), ..contract(start, 10_000) };
        for (day, monthly) in changes {
            record(&mut billed, Fact::Fees(day, Fees { monthly, ..Fees::default() }), 0);
        }
        // In units of 1 / (28 × 29 × 30 × 31) yen, so that nothing is rounded.
        let unit = 28 * 29 * 30 * 31_u64;
        let fee_on = |day: Date| billed.fees.iter().rev().find(|(from, _)| *from <= day).unwrap().1.monthly;
        let by_day = start.series(1.day()).take_while(|day| *day <= last);
        let exact: u64 = by_day.map(|day| fee_on(day) * unit / u64::from(day.days_in_month().unsigned_abs())).sum();
        let account = account([billed.clone()]);
        let statements = statements(&account, last);
        let billed = u64::try_from(subtotals(&statements)).unwrap() * unit;
        let lines = statements.iter().map(|it| it.lines.len()).sum::<usize>() as u64;
        // A line that came to nothing by rounding is not shown: a month and each change of the fee bound how many there were.
        let rounded = lines.max(months(start, last).count() as u64 + 6) * unit;
        prop_assert!(billed <= exact && exact < billed + rounded, "{billed} of {exact}");
    }

    #[test]
    fn a_closed_month_never_changes_and_all_statements_together_are_what_the_facts_owe(
        facts in proptest::collection::vec((fact(), any::<bool>(), 0..24_usize), 0..24),
    ) {
        let mut account = blank();
        let mut frozen: Vec<Statement> = Vec::new();
        for (at, month) in months(FIRST, FIRST.saturating_add(23.months())).enumerate() {
            for (number, (fact, of_option, when)) in facts.iter().enumerate() {
                if *when == at {
                    record(&mut account.parts[usize::from(*of_option)], fact.clone(), number);
                }
            }
            let today = month.last_of_month().tomorrow().unwrap();
            // Every third month is left open for a while, if it may be.
            let due = next_to_close(&account, today).unwrap();
            let due = if at % 3 == 0 { None } else { due };
            for month in due.into_iter().flat_map(|due| months(due, month)) {
                frozen.push(freeze(&mut account, month));
            }
            for closed in &frozen {
                prop_assert_eq!(closed, &statement(&account, closed.month).unwrap());
            }
            if account.closed.last().is_none_or(|closed| closed.month < month) {
                // What is open bears all corrections.
                let afresh = Account { closed: Vec::new(), ..account.clone() };
                let (told, owed) = (statements(&account, month), statements(&afresh, month));
                prop_assert_eq!(subtotals(&told), subtotals(&owed));
            }
        }
    }

    #[test]
    fn no_more_is_given_back_than_was_billed_by_the_month(
        facts in proptest::collection::vec((fact(), any::<bool>()), 0..24),
    ) {
        let mut account = blank();
        for (number, (fact, of_option)) in facts.into_iter().enumerate() {
            record(&mut account.parts[usize::from(of_option)], fact, number);
        }
        let lines: Vec<_> = statements(&account, date(2030, 12, 1)).into_iter().flat_map(|it| it.lines).collect();
        for part in [Part::Basic, Part::Option] {
            let sum = |what| lines.iter().filter(|it| it.part == part && it.what == what).map(|it| it.amount).sum::<i64>();
            prop_assert!(sum(What::Monthly) + sum(What::Credit) >= 0);
        }
    }

    #[test]
    fn a_statement_adds_up_and_survives_the_history(
        facts in proptest::collection::vec((fact(), any::<bool>()), 0..24), month in 0..24_i32,
    ) {
        let mut account = blank();
        for (number, (fact, of_option)) in facts.into_iter().enumerate() {
            record(&mut account.parts[usize::from(of_option)], fact, number);
        }
        let statement = statement(&account, FIRST.saturating_add(month.months())).unwrap();
        prop_assert_eq!(statement.subtotal, statement.lines.iter().map(|line| line.amount).sum::<i64>());
        prop_assert_eq!(statement.tax.amount, statement.subtotal / 10);
        prop_assert_eq!(statement.total, statement.subtotal + statement.tax.amount);
        prop_assert!(statement.lines.iter().all(|line| line.amount != 0));
        let json = serde_json::to_string(&statement).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Statement>(&json).unwrap(), &statement);
        let csv = statement.to_csv().unwrap();
        let mut table = csv::Reader::from_reader(csv.as_bytes());
        let amounts = table.records().map(|row| row.unwrap()[13].parse::<i64>().unwrap());
        prop_assert_eq!(amounts.sum::<i64>(), statement.total);
    }
}
