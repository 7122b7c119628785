//! Counts and times as people read them.

use crate::report::Replies;

pub(super) fn replies(replies: &Replies) -> String {
    named(&replies.by_code())
}

/// `access 3, accounting 5`; zeros are left out, but not all of them.
pub(super) fn named(counts: &[(&str, u64)]) -> String {
    let shown = counts.iter().filter(|(_, count)| *count > 0);
    let shown: Vec<String> = shown.map(|(name, count)| format!("{name} {}", number(*count))).collect();
    if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }
}

/// `1234567` as `1,234,567`.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The two largest units of a time.
pub(super) fn duration(seconds: f64) -> String {
    let s = seconds.max(0.0) as u64;
    match (s / 86_400, s / 3600 % 24, s / 60 % 60, s % 60) {
        (0, 0, 0, s) => format!("{s} s"),
        (0, 0, m, s) => format!("{m} min {s} s"),
        (0, h, m, _) => format!("{h} h {m} min"),
        (d, h, _, _) => format!("{d} d {h} h"),
    }
}

/// The largest unit of a time: `75 s` below two minutes, `15 min`, `3 h`, `2 d`.
pub(super) fn briefly(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brief_time_has_one_unit() {
        let times = [0, 119, 120, 7_199, 7_200, 172_800].map(briefly);
        assert_eq!(times, ["0 s", "119 s", "2 min", "119 min", "2 h", "2 d"]);
    }
}
