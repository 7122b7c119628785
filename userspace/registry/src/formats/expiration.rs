//! `Expiration` as FreeRADIUS has it: a day and a time in the server's time zone.

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

use super::faults::Problem;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Reads `23 Sep 2027`, `Sep 23 2027 12:00:00`, `2027-09-23 12:00`, `2027-09-23T12:00:00Z` or seconds since 1970. A day alone begins at midnight.
/// What is no instant of its own is one of the time zone.
pub(super) fn read(text: &str, zone: &TimeZone) -> Result<Timestamp, Problem> {
    let text = text.trim();
    let found = seconds(text).or_else(|| text.parse().ok()).or_else(|| {
        let civil = named(text).or_else(|| digits(text))?;
        zone.to_timestamp(civil).ok()
    });
    found.ok_or_else(|| {
        Problem::new("is no time", "write it as \"23 Sep 2027 12:00:00\", or as 2027-09-23T12:00:00+09:00")
    })
}

/// As [`read`] and FreeRADIUS read it, to the second.
pub(super) fn written(expires: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(expires).strftime("%d %b %Y %H:%M:%S").to_string()
}

fn seconds(text: &str) -> Option<Timestamp> {
    if text.bytes().all(|it| it.is_ascii_digit()) { Timestamp::from_second(text.parse().ok()?).ok() } else { None }
}

/// A day with its month in letters, before or after its number.
fn named(text: &str) -> Option<DateTime> {
    let (mut day, mut month, mut year, mut time) = (None, None, None, None);
    for word in text.split([' ', '\t', '-', ',']).filter(|word| !word.is_empty()) {
        let slot = match word {
            _ if word.contains(':') => {
                if time.replace(clock(word)?).is_some() {
                    return None;
                }
                continue;
            }
            _ if word.bytes().all(|it| it.is_ascii_alphabetic()) => {
                let lower = word.to_ascii_lowercase();
                let number =
                    MONTHS.iter().zip(1..).find_map(|(name, number)| lower.starts_with(name).then_some(number));
                if month.replace(number?).is_some() {
                    return None;
                }
                continue;
            }
            _ if word.len() == 4 => &mut year,
            _ => &mut day,
        };
        if slot.replace(word.parse::<i16>().ok()?).is_some() {
            return None;
        }
    }
    let date = Date::new(year?, month?, i8::try_from(day?).ok()?).ok()?;
    Some(date.to_datetime(time.unwrap_or(Time::midnight())))
}

/// A day in digits, the year first.
fn digits(text: &str) -> Option<DateTime> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, clock(time.trim())?),
        None => (text, Time::midnight()),
    };
    Some(date.parse::<Date>().ok()?.to_datetime(time))
}

/// `12:00` or `12:00:00`.
fn clock(text: &str) -> Option<Time> {
    let mut parts = text.split(':').map(|part| part.parse::<i8>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?);
    if parts.next().is_some() { None } else { Time::new(hour, minute, second, 0).ok() }
}
