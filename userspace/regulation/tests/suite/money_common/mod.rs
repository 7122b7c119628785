//! What the tests of money share: accounts that are quickly written.

use jiff::civil::{Date, date};
use sekisho_regulation::{
    calendar::claim_deadline,
    event::{Ground, Part},
    money::{Account, Billed, Closed, CreditClaim, Line, Statement, What, close, statement},
    terms::Fees,
};

/// A contract with these fees from the beginning, accepted and started on a day.
pub fn contract(start: Date, monthly: u64) -> Billed {
    Billed {
        contract: "acme-vpdn-1".to_owned(),
        kind: "vpdn D".to_owned(),
        part: Part::Basic,
        fees: vec![(date(2020, 1, 1), Fees { initial: 0, monthly, change: 0 })],
        accepted: Some(start),
        billing_start: Some(start),
        end: None,
        changes: Vec::new(),
        credits: Vec::new(),
    }
}

/// The option of that contract.
pub fn option(start: Date, monthly: u64) -> Billed {
    Billed { part: Part::Option, ..contract(start, monthly) }
}

/// The same, ended.
pub fn ended(billed: Billed, last: Date, ground: Ground) -> Billed {
    Billed { end: Some((last, ground)), ..billed }
}

/// A claim made in time for an outage of so many seconds that began at the midnight of a day.
pub fn claim(incident: &str, began: Date, seconds: u64, claimed: Date) -> CreditClaim {
    let possible = began.tomorrow().unwrap();
    let claimable = possible..=claim_deadline(possible);
    CreditClaim { incident: incident.to_owned(), began, seconds, claimed, claimable }
}

pub fn account(parts: impl IntoIterator<Item = Billed>) -> Account {
    let parts = parts.into_iter().collect();
    Account { customer: "acme".to_owned(), title: Some("アクメ株式会社".to_owned()), parts, closed: Vec::new() }
}

/// The statement of a month of 2026, 2027 or whichever.
pub fn stated(account: &Account, year: i16, month: i8) -> Statement {
    statement(account, date(year, month, 1)).unwrap()
}

/// The amounts of a month's lines.
pub fn amounts(account: &Account, year: i16, month: i8) -> Vec<(What, i64)> {
    stated(account, year, month).lines.iter().map(|line| (line.what, line.amount)).collect()
}

/// The lines for one thing over many months.
pub fn lines_for(account: &Account, what: What, months: impl IntoIterator<Item = Date>) -> Vec<Line> {
    let of_month = |month| statement(account, month).unwrap().lines;
    months.into_iter().flat_map(of_month).filter(|line| line.what == what).collect()
}

/// All months from one to another.
pub fn months(first: Date, last: Date) -> impl Iterator<Item = Date> {
    first.first_of_month().series(jiff::ToSpan::months(1)).take_while(move |month| *month <= last)
}

/// Closes a month on the day after it, as the history would.
pub fn freeze(account: &mut Account, month: Date) -> Statement {
    let statement = close(account, month, month.last_of_month().tomorrow().unwrap()).unwrap();
    account.closed.push(Closed { month, statement: statement.clone() });
    statement
}
