//! The load-balancing option's own life (Art. 8).

use jiff::civil::Date;

use crate::{
    contract::End,
    period::{Period, before},
};

/// One application for the load-balancing option (負荷分散オプション) and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionLife {
    /// The first day of the document that applies for it.
    pub from: Date,
    /// The first day of a document that no longer has it, before it was started: it was withdrawn.
    pub dropped: Option<Date>,
    /// Its billing start date.
    pub billing_start: Option<Date>,
    /// Its last day, where a notice for it was recorded. It ends with its contract at the latest.
    pub end: Option<End>,
    /// The LNS that remains when it has ended.
    pub survivor: Option<String>,
}

impl OptionLife {
    pub(crate) fn new(from: Date) -> OptionLife {
        OptionLife { from, dropped: None, billing_start: None, end: None, survivor: None }
    }

    /// Whether it was neither withdrawn nor given notice for: it stands until something is recorded.
    pub fn is_open(&self) -> bool {
        self.dropped.is_none() && self.end.is_none()
    }

    /// Whether a document from `from` on that has the option merely goes on to name this one, which has ended or will, and does not apply anew: it
    /// begins no later than the last day, or the document before it has the option as well \[C\].
    pub(crate) fn goes_on_in(&self, from: Date, before_has_it: bool) -> bool {
        self.end.is_some_and(|end| before_has_it || from <= end.on)
    }

    /// Its last day as far as it is recorded for the option itself.
    pub fn last_day(&self) -> Option<Date> {
        self.end.as_ref().map(|end| end.on).or_else(|| self.dropped.and_then(before))
    }

    /// The days on which it is billed, and shares the sessions.
    pub fn billed(&self) -> Option<Period> {
        Period::new(self.billing_start?, self.last_day())
    }
}
