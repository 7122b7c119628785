//! Days in a row.

use std::fmt;

use jiff::civil::Date;

/// Days in a row, the first and the last among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day; `None`: no end is recorded.
    pub until: Option<Date>,
}

impl Period {
    /// From `from` to `until`; `None` where that is no day at all.
    pub fn new(from: Date, until: Option<Date>) -> Option<Period> {
        until.is_none_or(|until| from <= until).then_some(Period { from, until })
    }

    /// Whether `day` is among them.
    pub fn contains(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }

    /// The days that both have.
    pub fn overlap(&self, other: &Period) -> Option<Period> {
        Period::new(self.from.max(other.from), earlier(self.until, other.until))
    }

    /// Whether all days of `other` are among them.
    pub fn covers(&self, other: &Period) -> bool {
        self.overlap(other) == Some(*other)
    }

    /// Its days that are in none of `others`, in order.
    pub fn without(&self, others: &[Period]) -> Vec<Period> {
        let mut others: Vec<Period> = others.iter().filter_map(|other| self.overlap(other)).collect();
        others.sort_unstable();
        let mut rest = Vec::new();
        // The first day of which nothing is known yet; `None`: there is no such day any more.
        let mut next = Some(self.from);
        for other in others {
            let Some(day) = next else { break };
            if other.from > day {
                rest.extend(Period::new(day, before(other.from)));
            }
            next = match other.until {
                None => None,
                Some(until) => after(until).map(|following| following.max(day)),
            };
        }
        if let Some(day) = next {
            rest.extend(Period::new(day, self.until));
        }
        rest
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(until) if until == self.from => write!(f, "on {until}"),
            Some(until) => write!(f, "from {} to {until}", self.from),
            None => write!(f, "from {} on", self.from),
        }
    }
}

/// The earlier of two last days; `None` is no end.
pub(crate) fn earlier(one: Option<Date>, other: Option<Date>) -> Option<Date> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The day before, as the last day of what `day` begins the next of. At the calendar's first day that is the day itself.
pub(crate) fn before(day: Date) -> Option<Date> {
    Some(day.yesterday().unwrap_or(day))
}

/// The day after; `None` after the calendar's last.
pub(crate) fn after(day: Date) -> Option<Date> {
    day.tomorrow().ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn days(from: i8, until: i8) -> Period {
        Period { from: date(2027, 1, from), until: Some(date(2027, 1, until)) }
    }

    #[test]
    fn what_is_left_of_a_period_are_the_days_in_none_of_the_others() {
        let open = Period { from: date(2027, 1, 1), until: None };
        assert_eq!(days(1, 9).without(&[]), [days(1, 9)]);
        assert_eq!(days(1, 9).without(&[days(3, 4), days(2, 3)]), [days(1, 1), days(5, 9)]);
        assert_eq!(days(1, 9).without(&[days(1, 9)]), []);
        assert_eq!(days(1, 9).without(&[open]), []);
        assert_eq!(days(3, 9).without(&[days(1, 3), days(9, 20)]), [days(4, 8)]);
        assert_eq!(days(1, 9).without(&[days(2, 8), days(3, 4)]), [days(1, 1), days(9, 9)]);
        assert_eq!(open.without(&[days(1, 9)]), [Period { from: date(2027, 1, 10), until: None }]);
    }
}
