//! One line of a statement.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    account::Billed,
    choices::{
        CREDIT_BOUND, CREDIT_FEE, CREDIT_MONTH, Choice, PARTIAL_MONTHS, SETTLEMENT_DAYS, SETTLEMENT_GROUNDS,
        STILL_BILLED,
    },
};
use crate::event::Part;

/// One amount, with all that it was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which contract.
    pub contract: String,
    /// What kind it is of, in words: `vpdn D`.
    pub kind: String,
    /// The contract, or its option.
    pub part: Part,
    /// What it is for.
    pub what: What,
    /// By which article of the regulation: `Art. 10, annex 1.2`.
    pub article: String,
    /// The days that are paid for or given back, where days count.
    pub days: Option<Days>,
    /// How many: 1 for a fee, the days that count for one by days, the periods of 24 hours for a credit.
    pub quantity: u64,
    /// The fee that it was made of, in yen.
    pub unit: u64,
    /// Yen; negative is in the customer's favour.
    pub amount: i64,
    /// The incident that a credit is for.
    pub incident: Option<String>,
    /// What a correction corrects.
    pub corrects: Option<Corrects>,
    /// The same for people, in words.
    pub note: String,
}

/// What an amount is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// 初期費用, on acceptance.
    Initial,
    /// 月額費用, from the billing start date.
    Monthly,
    /// 一時費用, on acceptance of a change.
    Change,
    /// 最低利用期間内解除調定金: the rest of the minimum term.
    Settlement,
    /// 料金の減額, as claimed.
    Credit,
    /// What has been recorded since its month was closed.
    Correction,
}

/// Days of one calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    /// The first.
    pub from: Date,
    /// The last.
    pub to: Date,
    /// How many days the month has.
    pub of: u32,
}

/// What a correction corrects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrects {
    /// The closed month, by its first day.
    pub month: Date,
    /// What the amounts are for.
    pub what: What,
    /// What has been billed so far, earlier corrections included. Yen.
    pub billed: i64,
    /// What is owed by all that is recorded now. Yen.
    pub owed: i64,
}

impl Line {
    /// A line of a contract or option. Quantity is 1, and nothing else is said, until it is.
    pub(super) fn new(billed: &Billed, what: What, unit: u64, amount: i64) -> Line {
        Line {
            contract: billed.contract.clone(),
            kind: billed.kind.clone(),
            part: billed.part,
            what,
            article: what.article(billed.part).to_owned(),
            days: None,
            quantity: 1,
            unit,
            amount,
            incident: None,
            corrects: None,
            note: String::new(),
        }
    }

    /// By days.
    pub(super) fn over(self, days: Days) -> Line {
        let Days { from, to, of } = days;
        let (count, unit) = (days.count(), grouped(self.unit.into()));
        let note = match count == of {
            true => format!("{from} to {to}"),
            false => format!("{from} to {to}: {count} of {of} days of {unit}"),
        };
        Line { days: Some(days), quantity: count.into(), note, ..self }
    }

    /// With words.
    pub(super) fn noted(self, note: String) -> Line {
        Line { note, ..self }
    }
}

impl What {
    /// As documents and tables write it.
    pub fn name(self) -> &'static str {
        match self {
            What::Initial => "initial",
            What::Monthly => "monthly",
            What::Change => "change",
            What::Settlement => "settlement",
            What::Credit => "credit",
            What::Correction => "correction",
        }
    }

    /// The article by which it is owed. A correction's is that of what it corrects.
    pub fn article(self, part: Part) -> &'static str {
        match (self, part) {
            (What::Initial, _) => "Art. 10, annex 1.1",
            (What::Monthly, _) => "Art. 10, annex 1.2",
            (What::Change, _) => "Art. 10, annex 1.3",
            (What::Settlement, Part::Basic) => "Art. 11.1, annex 2.1",
            (What::Settlement, Part::Option) => "Art. 11.2, annex 2.2",
            (What::Credit, _) => "Art. 12, annex 3",
            (What::Correction, _) => "Art. 10",
        }
    }

    /// What was chosen for it where the regulation is silent.
    pub fn choices(self) -> &'static [Choice] {
        match self {
            What::Monthly => &[PARTIAL_MONTHS, STILL_BILLED],
            What::Settlement => &[SETTLEMENT_DAYS, SETTLEMENT_GROUNDS],
            What::Credit => &[CREDIT_FEE, CREDIT_BOUND, CREDIT_MONTH],
            What::Initial | What::Change | What::Correction => &[],
        }
    }
}

impl Days {
    /// Days `from` to `to`, which lie in one month.
    pub(super) fn new(from: Date, to: Date) -> Days {
        Days { from, to, of: from.days_in_month().unsigned_abs().into() }
    }

    /// How many these are.
    pub fn count(&self) -> u32 {
        u32::try_from((self.to - self.from).get_days()).map_or(0, |between| between + 1)
    }

    /// What these days cost: their share of the monthly fee, rounded down.
    pub(super) fn share(&self, monthly: u64) -> u128 {
        u128::from(monthly) * u128::from(self.count()) / u128::from(self.of)
    }
}

/// As documents and tables write it.
pub(super) fn part_name(part: Part) -> &'static str {
    match part {
        Part::Basic => "basic",
        Part::Option => "option",
    }
}

/// A month as people and commands write it: `2026-11`.
pub(super) fn month_name(month: Date) -> String {
    month.strftime("%Y-%m").to_string()
}

/// Yen with commas: `-1,000`.
pub(super) fn grouped(yen: i128) -> String {
    let digits = yen.unsigned_abs().to_string();
    let mut text = String::from(if yen < 0 { "-" } else { "" });
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn yen_are_written_in_groups_of_three() {
        for (yen, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-100, "-100"), (-1_234_567, "-1,234,567")] {
            assert_eq!(grouped(yen), text);
        }
    }

    #[test]
    fn a_month_is_written_with_its_year() {
        assert_eq!(month_name(date(2026, 11, 1)), "2026-11");
    }

    #[test]
    fn days_count_both_of_their_ends() {
        let day = date(2028, 2, 29);
        assert_eq!((Days::new(day, day).count(), Days::new(day, day).of), (1, 29));
        assert_eq!(Days::new(day.first_of_month(), day).count(), 29);
    }
}
