//! Settlement (最低利用期間内解除調定金, Art. 11, annex 2): what an end inside the minimum term costs.

use jiff::civil::Date;

use super::{
    account::{Billed, months},
    error::MoneyError,
    line::{Days, Line, What},
};
use crate::{calendar::minimum_term_end, event::Ground};

/// Whether an end by this right owes settlement. Art. 11.1 excepts general regulation Art. 28(2) and 28(3), and asks of no other end who
/// brought it about; so it is for an option here, too, see [`SETTLEMENT_GROUNDS`](super::SETTLEMENT_GROUNDS).
pub fn owes_settlement(ground: Ground) -> bool {
    match ground {
        Ground::General28_2 | Ground::General28_3 => false,
        Ground::Notice | Ground::Operator => true,
    }
}

/// The rest of the minimum term, in the month of the last day: a line for each month that it touches. Nothing where billing had not started
/// by the last day, since then no term had begun.
pub(super) fn settlement(billed: &Billed, end: Option<(Date, Ground)>) -> Result<Vec<(Date, Line)>, MoneyError> {
    let (Some(start), Some((last, ground))) = (billed.billing_start, end) else { return Ok(Vec::new()) };
    let (term, Ok(first)) = (minimum_term_end(start), last.tomorrow()) else { return Ok(Vec::new()) };
    if last < start || first > term || !owes_settlement(ground) {
        return Ok(Vec::new());
    }
    let fee = billed.fees_on(last)?.monthly;
    let share = |month: Date| {
        let days = Days::new(first.max(month), term.min(month.last_of_month()));
        let line = Line::new(billed, What::Settlement, fee, billed.yen(days.share(fee))?);
        let line = line.over(days);
        let note = format!("{}; ended on {last}, inside the minimum term", line.note);
        Ok((last, line.noted(note)))
    };
    months(first, term).map(share).collect()
}
