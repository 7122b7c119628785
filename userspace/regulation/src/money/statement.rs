//! What one customer owes for one month.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    account::Account,
    corrections::{corrections, month_of_corrections},
    error::MoneyError,
    ledger::ledger,
    line::Line,
};

/// The format of statements in the history. A program that changes what a statement means counts it up, and still reads the older ones.
pub const FORMAT: u32 = 1;
/// The version of the service regulation by which statements are made.
pub const REGULATION: &str = "令和元年 12 月 1 日 (2019-12-01)";
/// The rate of consumption tax, in percent.
pub const TAX_PERCENT: u32 = 10;

/// What one customer owes for one month (Art. 10 to 12). Yen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// [`FORMAT`] when it was made.
    pub format: u32,
    /// The customer's name.
    pub customer: String,
    /// Its name as people write it.
    pub title: Option<String>,
    /// The month, by its first day.
    pub month: Date,
    /// [`REGULATION`] when it was made.
    pub regulation: String,
    /// What is owed and given back, one by one; corrections of closed months at the end. None is zero.
    pub lines: Vec<Line>,
    /// The lines together.
    pub subtotal: i64,
    /// Consumption tax.
    pub tax: Tax,
    /// Subtotal and tax.
    pub total: i64,
}

/// Consumption tax on the subtotal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    /// [`TAX_PERCENT`] when the statement was made.
    pub percent: u32,
    /// Yen, the fraction dropped; negative where the subtotal is.
    pub amount: i64,
}

/// What a customer owes for the month that begins on `month`, by all that is recorded.
///
/// A closed month's statement is the one that it was closed with. The month after the last closed one bears the corrections of what was
/// recorded too late. A month that is not over yet is shown as it stands: to its end, as far as nothing else is recorded.
///
/// # Errors
///
/// [`MoneyError`]: the day is not the first of a month, fees are missing or too large, or the closed months contradict each other.
pub fn statement(account: &Account, month: Date) -> Result<Statement, MoneyError> {
    account.check()?;
    if month.day() != 1 {
        return Err(MoneyError::NotAMonth(month));
    }
    if let Some(frozen) = account.frozen(month) {
        return Ok(frozen.clone());
    }
    let closed = account.closed_through();
    if closed.is_some_and(|through| month < through) {
        // Closed together with a later month: it had no lines, and what it should have had stands as corrections.
        return Statement::new(account, month, Vec::new());
    }
    let mut ledger = ledger(account, month)?;
    let mut lines = ledger.remove(&month).unwrap_or_default();
    if month_of_corrections(account) == Some(month) {
        lines.extend(corrections(account, &ledger)?);
    }
    Statement::new(account, month, lines)
}

impl Statement {
    fn new(account: &Account, month: Date, lines: Vec<Line>) -> Result<Statement, MoneyError> {
        let too_large = || MoneyError::TooLarge { of: account.customer.clone() };
        let subtotal: i128 = lines.iter().map(|line| i128::from(line.amount)).sum();
        // Towards zero, so that what is charged and taken back is the same.
        let tax = subtotal * i128::from(TAX_PERCENT) / 100;
        let yen = |sum: i128| i64::try_from(sum).map_err(|_| too_large());
        Ok(Statement {
            format: FORMAT,
            customer: account.customer.clone(),
            title: account.title.clone(),
            month,
            regulation: REGULATION.to_owned(),
            lines,
            subtotal: yen(subtotal)?,
            tax: Tax { percent: TAX_PERCENT, amount: yen(tax)? },
            total: yen(subtotal + tax)?,
        })
    }
}
