//! Points in time, as operators write them and as exports show them.

use std::fmt;

use toml::value::{Date, Datetime, Offset};

const SECOND: u64 = 1_000_000_000;
const DAY: i64 = 86_400;
/// Days from 1 March of the year 0 to 1 January 1970.
const TO_1970: i64 = 719_468;
/// Days of 400 years, after which the calendar repeats itself.
const ERA: i64 = 146_097;

/// Nanoseconds since 1970 of a time that is written as RFC 3339 has it (`2026-11-27T09:00:00+09:00`), as a date
/// (`2026-11-27`, its first moment in UTC), or in seconds since 1970.
///
/// # Errors
///
/// What is the matter with it, and how to write it.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong = |why: &str| format!("{why}: write 2026-11-27T09:00:00+09:00, 2026-11-27 (UTC), or seconds since 1970");
    if !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit()) {
        // So few seconds are in a year without sekisho, and more likely a date without its hyphens.
        let seconds = text.parse().ok().filter(|seconds| *seconds == 0 || text.len() > 8);
        let nanos = seconds.and_then(|seconds: u64| seconds.checked_mul(SECOND));
        return nanos.ok_or_else(|| wrong("not a time that anything was recorded at"));
    }
    let written: Datetime = text.parse().map_err(|_| wrong("not a time"))?;
    let Datetime { date: Some(date), time, offset } = written else { return Err(wrong("a time without its date")) };
    let (seconds, nanos) = match (time, offset) {
        (None, _) => (0, 0),
        (Some(_), None) => return Err(wrong("a time of day without its offset from UTC")),
        (Some(time), Some(offset)) => {
            let ahead = match offset {
                Offset::Z => 0,
                Offset::Custom { minutes } => i64::from(minutes) * 60,
            };
            let of_day = i64::from(time.hour) * 3_600 + i64::from(time.minute) * 60;
            (of_day + i64::from(time.second.unwrap_or(0)) - ahead, time.nanosecond.unwrap_or(0))
        }
    };
    let since = u64::try_from(days(date) * DAY + seconds).ok().and_then(|seconds| seconds.checked_mul(SECOND));
    let since = since.and_then(|since| since.checked_add(u64::from(nanos)));
    since.ok_or_else(|| wrong("not a time between the years 1970 and 2553"))
}

/// Nanoseconds since 1970, shown as RFC 3339 has it, in UTC with milliseconds: `2026-11-27T00:00:00.000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown(pub u64);

impl Shown {
    /// A time in seconds since 1970, as packets have it.
    pub fn seconds(seconds: u32) -> Shown {
        Shown(u64::from(seconds) * SECOND)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, millis) = (self.0 / SECOND, self.0 % SECOND / 1_000_000);
        let (day, second) = ((seconds / DAY as u64) as i64, seconds % DAY as u64);
        let (year, month, day) = civil(day);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

/// Days from 1970 to a date of the Gregorian calendar. Years begin in March here, so that the day that some years have more
/// is their last one.
fn days(date: Date) -> i64 {
    let (month, day) = (i64::from(date.month), i64::from(date.day));
    let (year, month) =
        if month > 2 { (i64::from(date.year), month - 3) } else { (i64::from(date.year) - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - TO_1970
}

/// The date so many days after 1 January 1970: year, month, day.
fn civil(days: i64) -> (i64, i64, i64) {
    let (era, of_era) = ((days + TO_1970) / ERA, (days + TO_1970) % ERA);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / (ERA - 1)) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(text: &str) -> String {
        Shown(parse(text).unwrap()).to_string()
    }

    #[test]
    fn a_time_is_written_with_its_offset_as_a_date_or_in_seconds() {
        for (written, shown) in [
            ("2026-11-27T09:00:00+09:00", "2026-11-27T00:00:00.000Z"),
            ("2026-11-27", "2026-11-27T00:00:00.000Z"),
            ("2026-11-27T00:00:00.1239Z", "2026-11-27T00:00:00.123Z"),
            ("2026-11-26t23:59:60z", "2026-11-27T00:00:00.000Z"),
            ("2024-02-29T12:30:15-03:30", "2024-02-29T16:00:15.000Z"),
            ("1700000000", "2023-11-14T22:13:20.000Z"),
            ("0", "1970-01-01T00:00:00.000Z"),
            ("1970-01-01T09:00:00+09:00", "1970-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(there_and_back(written), shown, "{written}");
        }
    }

    #[test]
    fn what_is_no_exact_time_is_refused_with_a_remedy() {
        for (written, why) in [
            ("", "not a time"),
            ("yesterday", "not a time"),
            ("-5", "not a time"),
            ("2026-02-29", "not a time"),
            ("2026-13-01", "not a time"),
            ("2026-11-27T25:00:00Z", "not a time"),
            ("2026-11-27 and more", "not a time"),
            ("09:00:00", "without its date"),
            ("2026-11-27T09:00:00", "without its offset"),
            ("20261127", "not a time that anything was recorded at"),
            ("99999999999999999999", "not a time that anything was recorded at"),
            ("1969-12-31", "between the years"),
            ("1970-01-01T00:00:00+09:00", "between the years"),
            ("9999-01-01", "between the years"),
        ] {
            let refused = parse(written).unwrap_err();
            assert!(refused.contains(why) && refused.contains("write 2026-11-27"), "{written}: {refused}");
        }
    }

    #[test]
    fn every_day_of_six_hundred_years_follows_the_one_before() {
        let mut expected = (1970, 1, 1);
        for day in 0..219_146 {
            let (year, month, of_month) = civil(day);
            assert_eq!((year, month, of_month), expected);
            let date = Date { year: year as u16, month: month as u8, day: of_month as u8 };
            assert_eq!(days(date), day);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let last = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, of_month) {
                (12, 31) => (year + 1, 1, 1),
                (month, day) if day == last => (year, month + 1, 1),
                (month, day) => (year, month, day + 1),
            };
        }
    }
}
