//! Every line that is owed by what is recorded, month by month, whatever has been closed.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{
    account::Account,
    charges::{changes, initial, monthly},
    credit::credits,
    error::MoneyError,
    line::Line,
    settlement::settlement,
};

/// Lines by month (its first day), in the order of the account's parts; within a part fees, then settlement, then credit. None is zero, and
/// no month is empty.
pub(super) type Ledger = BTreeMap<Date, Vec<Line>>;

/// The lines of all months up to and with `month`. Those of a month do not depend on how far one looks.
pub(super) fn ledger(account: &Account, month: Date) -> Result<Ledger, MoneyError> {
    let through = month.last_of_month();
    let mut ledger = Ledger::new();
    for billed in &account.parts {
        let end = account.end_of(billed);
        let monthly = monthly(billed, end, through)?;
        let credits = credits(billed, &monthly, through)?;
        let charges = initial(billed)?.into_iter().chain(monthly).chain(changes(billed)?);
        for (day, line) in charges.chain(settlement(billed, end)?).chain(credits) {
            if day <= through && line.amount != 0 {
                ledger.entry(day.first_of_month()).or_default().push(line);
            }
        }
    }
    Ok(ledger)
}
