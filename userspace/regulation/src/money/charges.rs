//! Fees (Art. 10, annex 1): initial, monthly, and one for each change.

use jiff::civil::Date;

use super::{
    account::{Billed, months},
    error::MoneyError,
    line::{Days, Line, What},
};
use crate::event::Ground;

/// The initial fee, in the month of acceptance; owed whatever becomes of the contract.
pub(super) fn initial(billed: &Billed) -> Result<Option<(Date, Line)>, MoneyError> {
    let Some(accepted) = billed.accepted else { return Ok(None) };
    let fee = billed.fees_on(accepted)?.initial;
    let line = Line::new(billed, What::Initial, fee, billed.yen(fee.into())?).noted(format!("accepted on {accepted}"));
    Ok(Some((accepted, line)))
}

/// One fee for each change that was accepted (Art. 7), in the month of acceptance.
pub(super) fn changes(billed: &Billed) -> Result<Vec<(Date, Line)>, MoneyError> {
    let change = |accepted: &Date| {
        let fee = billed.fees_on(*accepted)?.change;
        let line =
            Line::new(billed, What::Change, fee, billed.yen(fee.into())?).noted(format!("accepted on {accepted}"));
        Ok((*accepted, line))
    };
    billed.changes.iter().map(change).collect()
}

/// The monthly fee, from the billing start date to the last day, or as far as `through`: a line for each month and fee.
pub(super) fn monthly(
    billed: &Billed,
    end: Option<(Date, Ground)>,
    through: Date,
) -> Result<Vec<(Date, Line)>, MoneyError> {
    let Some(start) = billed.billing_start else { return Ok(Vec::new()) };
    let last = end.map_or(through, |(last, _)| last.min(through));
    let mut lines = Vec::new();
    if last < start {
        return Ok(lines);
    }
    for month in months(start, last) {
        for (days, fee) in runs(billed, start.max(month), last.min(month.last_of_month()))? {
            lines.push((month, Line::new(billed, What::Monthly, fee, billed.yen(days.share(fee))?).over(days)));
        }
    }
    Ok(lines)
}

/// The days of one month, parted where the monthly fee changes. A document that leaves it as it was parts nothing.
fn runs(billed: &Billed, from: Date, to: Date) -> Result<Vec<(Days, u64)>, MoneyError> {
    let mut runs: Vec<(Days, u64)> = Vec::new();
    let changes = billed.fees.iter().map(|(day, _)| *day).filter(|day| (from..=to).contains(day) && *day != from);
    for first in std::iter::once(from).chain(changes) {
        let fee = billed.fees_on(first)?.monthly;
        match runs.last_mut() {
            // The same fee, or the same day twice.
            Some((_, before)) if *before == fee => {}
            before => {
                if let Some((days, _)) = before {
                    days.to = first.yesterday().unwrap_or(first);
                }
                runs.push((Days::new(first, to), fee));
            }
        }
    }
    Ok(runs)
}
