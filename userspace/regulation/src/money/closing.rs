//! Closing months: in their order, and not before they are over.

use jiff::civil::Date;

use super::{
    account::Account,
    corrections::{corrections, month_of_corrections},
    error::MoneyError,
    ledger::ledger,
    statement::{Statement, statement},
};

/// The statement with which a month is to be closed today; once it is recorded the month never changes.
///
/// # Errors
///
/// [`MoneyError`]: the month is closed already, is not over, or an earlier one that has lines is open; or whatever [`statement`] says.
pub fn close(account: &Account, month: Date, today: Date) -> Result<Statement, MoneyError> {
    let statement = statement(account, month)?;
    let customer = || account.customer.clone();
    if let Some(through) = account.closed_through().filter(|through| month <= *through) {
        return Err(MoneyError::AlreadyClosed { customer: customer(), month, through });
    }
    let last = month.last_of_month();
    if today <= last {
        return Err(MoneyError::NotOver { customer: customer(), month, last });
    }
    if let Some(earlier) = first_open(account, month)?.filter(|open| *open < month) {
        return Err(MoneyError::EarlierOpen { customer: customer(), month, earlier });
    }
    Ok(statement)
}

/// The month that is to be closed next, by its first day: the first open one that is over and has lines. `None`: none, today.
///
/// # Errors
///
/// As [`statement`].
pub fn next_to_close(account: &Account, today: Date) -> Result<Option<Date>, MoneyError> {
    account.check()?;
    let Ok(last) = today.first_of_month().yesterday() else { return Ok(None) };
    first_open(account, last.first_of_month())
}

/// The first month as far as `month` that has lines and is open.
fn first_open(account: &Account, month: Date) -> Result<Option<Date>, MoneyError> {
    let through = account.closed_through();
    let ledger = ledger(account, through.map_or(month, |through| through.max(month)))?;
    let own = ledger.keys().copied().find(|open| through.is_none_or(|through| *open > through));
    let corrected = match month_of_corrections(account) {
        Some(open) if !corrections(account, &ledger)?.is_empty() => Some(open),
        _ => None,
    };
    Ok(own.into_iter().chain(corrected).min().filter(|open| *open <= month))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_refusal_names_the_customer_the_month_and_the_remedy() {
        let account = Account { customer: "acme".to_owned(), ..Account::default() };
        let refusal = close(&account, date(2026, 11, 1), date(2026, 11, 30)).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "acme, 2026-11: not over before the end of 2026-11-30: close it after that day"
        );
    }
}
