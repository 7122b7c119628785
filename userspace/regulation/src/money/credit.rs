//! Credit (料金の減額, Art. 12, annex 3): what was wholly unusable is paid back, if it is claimed.

use std::collections::BTreeMap;

use jiff::{ToSpan as _, civil::Date};

use super::{
    account::{Billed, CreditClaim, months},
    error::MoneyError,
    line::{Line, What, grouped},
};

/// The unusable time is divided by 24 hours, and the fraction dropped (annex 3).
pub const SECONDS_A_DAY: u64 = 86_400;
/// Each period of 24 hours gives back one thirtieth of the monthly fee, however long the month is (annex 3).
pub const CREDIT_SHARE: u64 = 30;

/// What annex 3 gives back for so many seconds in a row at a monthly fee: yen, rounded down; nothing below 24 hours.
pub fn credit(seconds: u64, monthly: u64) -> u128 {
    u128::from(seconds / SECONDS_A_DAY) * u128::from(monthly) / u128::from(CREDIT_SHARE)
}

/// The credits claimed as far as `through`, each in the month of its claim. `monthly` are the lines of the monthly fee of the same part: no
/// more is given back than they say of the months in which it was unusable.
pub(super) fn credits(
    billed: &Billed,
    monthly: &[(Date, Line)],
    through: Date,
) -> Result<Vec<(Date, Line)>, MoneyError> {
    let mut left: BTreeMap<Date, i64> = BTreeMap::new();
    for (month, line) in monthly {
        let of_month = left.entry(*month).or_default();
        *of_month = of_month.saturating_add(line.amount);
    }
    let counts = |claim: &&CreditClaim| claim.claimed <= through && claim.claimable.contains(&claim.claimed);
    let mut claims: Vec<_> = billed.credits.iter().filter(counts).collect();
    // In the order of claims: a later claim takes nothing from an earlier one, which may be closed.
    claims.sort_by(|a, b| (a.claimed, a.began, &a.incident).cmp(&(b.claimed, b.began, &b.incident)));
    let mut lines = Vec::new();
    for claim in claims {
        let fee = billed.fees_on(claim.began)?.monthly;
        let periods = claim.seconds / SECONDS_A_DAY;
        let wanted = billed.yen(credit(claim.seconds, fee))?;
        let given = take(&mut left, claim, wanted);
        let mut note = format!(
            "incident {}, from {}: {periods} × 24 hours, each {} / {CREDIT_SHARE}",
            claim.incident,
            claim.began,
            grouped(fee.into())
        );
        if given < wanted {
            note.push_str("; not more than the fee");
        }
        let line = Line::new(billed, What::Credit, fee, -given).noted(note);
        lines.push((claim.claimed, Line { quantity: periods, incident: Some(claim.incident.clone()), ..line }));
    }
    Ok(lines)
}

/// Takes what a claim wants from what is left of the fees of its months, the first first, and says how much it got.
fn take(left: &mut BTreeMap<Date, i64>, claim: &CreditClaim, wanted: i64) -> i64 {
    // A time of n days that begins within a day ends n days later at the latest.
    let days = i32::try_from(claim.seconds / SECONDS_A_DAY).unwrap_or(i32::MAX);
    let last = claim.began.checked_add(i64::from(days).days()).unwrap_or(claim.claimed).min(claim.claimed);
    let mut given = 0;
    for month in months(claim.began, last) {
        let Some(left) = left.get_mut(&month) else { continue };
        let here = (*left).min(wanted - given);
        *left -= here;
        given += here;
    }
    given
}
