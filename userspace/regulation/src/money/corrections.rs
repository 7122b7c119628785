//! What has been recorded since a month was closed: the month stays as it is, and the difference goes to the next open one.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{
    account::{Account, next_month},
    error::MoneyError,
    ledger::Ledger,
    line::{Corrects, Line, What, grouped, month_name},
};
use crate::event::Part;

/// What is compared: within one closed month, everything that one contract or option owes by one article, and each incident by itself.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    month: Date,
    contract: String,
    part: Part,
    what: What,
    incident: Option<String>,
}

/// Both sides of the comparison. Sums of amounts that fit are allowed not to.
#[derive(Default)]
struct Sides {
    kind: String,
    billed: i128,
    owed: i128,
}

/// The month in which corrections stand: the one after the last that was closed.
pub(super) fn month_of_corrections(account: &Account) -> Option<Date> {
    account.closed_through().and_then(next_month)
}

/// A line for each difference between what the closed months billed, corrections in later ones included, and what `ledger` says is owed for
/// them. By month, then contract. The ledger must reach as far as the last closed month.
pub(super) fn corrections(account: &Account, ledger: &Ledger) -> Result<Vec<Line>, MoneyError> {
    let Some(through) = account.closed_through() else { return Ok(Vec::new()) };
    let mut sides: BTreeMap<Key, Sides> = BTreeMap::new();
    for closed in &account.closed {
        for line in &closed.statement.lines {
            let (month, what) = line.corrects.map_or((closed.month, line.what), |it| (it.month, it.what));
            let side = side_of(&mut sides, month, what, line);
            side.billed += i128::from(line.amount);
        }
    }
    for (month, lines) in ledger.range(..=through) {
        for line in lines {
            side_of(&mut sides, *month, line.what, line).owed += i128::from(line.amount);
        }
    }
    sides
        .into_iter()
        .filter(|(_, sides)| sides.billed != sides.owed)
        .map(|(key, sides)| correction(key, sides))
        .collect()
}

fn side_of<'a>(sides: &'a mut BTreeMap<Key, Sides>, month: Date, what: What, line: &Line) -> &'a mut Sides {
    let key = Key { month, contract: line.contract.clone(), part: line.part, what, incident: line.incident.clone() };
    let sides = sides.entry(key).or_default();
    sides.kind.clone_from(&line.kind);
    sides
}

fn correction(key: Key, sides: Sides) -> Result<Line, MoneyError> {
    let Key { month, contract, part, what, incident } = key;
    let Sides { kind, billed, owed } = sides;
    let yen = |sum: i128| i64::try_from(sum).map_err(|_| MoneyError::TooLarge { of: contract.clone() });
    let corrects = Corrects { month, what, billed: yen(billed)?, owed: yen(owed)? };
    let amount = yen(owed - billed)?;
    let (named, month) = (what.name(), month_name(month));
    let of_incident = incident.as_ref().map_or_else(String::new, |it| format!(" for incident {it}"));
    Ok(Line {
        kind,
        part,
        what: What::Correction,
        article: what.article(part).to_owned(),
        days: None,
        quantity: 1,
        unit: amount.unsigned_abs(),
        amount,
        incident,
        corrects: Some(corrects),
        note: format!("{named} of {month}{of_incident}: {} instead of {}", grouped(owed), grouped(billed)),
        contract,
    })
}
