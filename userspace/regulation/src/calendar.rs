//! Days that the regulation counts.

use jiff::{ToSpan as _, civil::Date};

/// A notice takes effect this many days after it arrived, the day of arrival not counted (Art. 8.4, 9); no holiday shifts it \[C\].
pub const NOTICE_DAYS: i32 = 30;
/// Where the operator is, unless the node's document says otherwise: a contract's day begins and ends at midnight there.
pub const TIME_ZONE: &str = "Asia/Tokyo";

/// The last day of the minimum term (Art. 3, 8.3): one month from and including `start`, the billing start date. It ends the day before the
/// same day of the next month, or on that month's last day where it has no such day.
pub fn minimum_term_end(start: Date) -> Date {
    let next = start.saturating_add(1.month());
    // 31 January: the next month's last day, which `next` is already.
    if next.day() == start.day() { next.yesterday().unwrap_or(next) } else { next }
}

/// The last day of a contract or option whose notice arrived on `arrival` and names `requested` (Art. 8.4, 9): the later of the two.
pub fn cancellation_end(arrival: Date, requested: Option<Date>) -> Date {
    let earliest = arrival.saturating_add(NOTICE_DAYS.days());
    requested.map_or(earliest, |requested| requested.max(earliest))
}

/// The last day on which a credit may be claimed (Art. 12): three months from `possible`, the day on which it first could be, which
/// itself is not counted.
pub fn claim_deadline(possible: Date) -> Date {
    let first = possible.tomorrow().unwrap_or(possible);
    let after = first.saturating_add(3.months());
    // The period begins on `first` and ends the day before the day of the third month that corresponds to it; where there is none, on that
    // month's last day (Civil Code of Japan, Art. 143).
    if after.day() == first.day() { after.yesterday().unwrap_or(after) } else { after }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_minimum_term_ends_the_day_before_the_same_day_of_the_next_month() {
        for (start, end) in [
            (date(2027, 1, 29), date(2027, 2, 28)),
            (date(2027, 1, 30), date(2027, 2, 28)),
            (date(2027, 1, 31), date(2027, 2, 28)),
            (date(2028, 1, 29), date(2028, 2, 28)),
            (date(2028, 1, 30), date(2028, 2, 29)),
            (date(2028, 1, 31), date(2028, 2, 29)),
            (date(2027, 4, 30), date(2027, 5, 29)),
            (date(2026, 12, 31), date(2027, 1, 30)),
            (date(2026, 12, 1), date(2026, 12, 31)),
        ] {
            assert_eq!(minimum_term_end(start), end, "{start}");
        }
    }

    #[test]
    fn a_notice_takes_effect_thirty_days_after_the_day_it_arrived_or_later_if_it_says_so() {
        let arrival = date(2027, 1, 31);
        assert_eq!(cancellation_end(arrival, None), date(2027, 3, 2));
        assert_eq!(cancellation_end(arrival, Some(date(2027, 2, 10))), date(2027, 3, 2));
        assert_eq!(cancellation_end(arrival, Some(date(2027, 3, 31))), date(2027, 3, 31));
    }

    #[test]
    fn a_credit_may_be_claimed_for_three_months_the_first_day_not_counted() {
        for (possible, last) in [
            (date(2027, 2, 28), date(2027, 5, 31)),
            (date(2027, 1, 31), date(2027, 4, 30)),
            (date(2026, 11, 30), date(2027, 2, 28)),
            (date(2027, 1, 15), date(2027, 4, 15)),
        ] {
            assert_eq!(claim_deadline(possible), last, "{possible}");
        }
    }
}
