//! The page of drops: a row for each sender and reason, and what the reasons mean.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{
    style::Style,
    table::Table,
    words::{duration, number},
};
use crate::report::Drop;

/// The rows, at most `most` of them, and advice on each of their reasons. Writing to a String does not fail.
pub fn drops(rows: &[Drop], most: usize, style: Style) -> String {
    if rows.is_empty() {
        return "Nothing has been dropped.\n".to_owned();
    }
    let head = ["PER SECOND", "TOTAL", "LAST", "WHERE", "REASON", "SOURCE", "WHO", "SESSION"];
    let mut table = Table::new(head, 0..3);
    rows.iter().take(most).for_each(|row| table.add(cells(row)));
    let (head, lines) = table.lines(style);
    let mut text = head + "\n";
    for (row, line) in rows.iter().zip(lines) {
        let line = if row.rate >= 1.0 { style.doubtful(&line) } else { line };
        let _ = writeln!(text, "{line}");
    }
    if rows.len() > most {
        let _ = writeln!(text, "and {} more", number((rows.len() - most) as u64));
    }
    let reasons: BTreeSet<&str> = rows.iter().take(most).map(|row| row.reason.as_str()).collect();
    text.push('\n');
    for reason in reasons {
        let _ = writeln!(text, "{}: {}", style.bold(reason), crate::advice::of_name(reason).unwrap_or_default());
    }
    text
}

fn cells(row: &Drop) -> [String; 8] {
    let who = match (&row.customer, &row.name) {
        (Some(customer), Some(name)) => format!("{name} of {customer}"),
        (_, Some(name)) => name.clone(),
        _ => "a stranger".to_owned(),
    };
    let source = match &row.interface {
        Some(interface) => format!("{} on {interface}", row.source),
        None => row.source.to_string(),
    };
    let rate = if row.rate > 0.0 && row.rate < 10.0 { format!("{:.1}", row.rate) } else { number(row.rate as u64) };
    [
        rate,
        number(row.total),
        duration(row.last_seen),
        row.place.clone(),
        row.reason.clone(),
        source,
        who,
        row.session.clone().unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(reason: &str, rate: f64) -> Drop {
        Drop {
            place: "kernel".into(),
            source: "192.0.2.10".parse().unwrap(),
            interface: Some("eth0".into()),
            customer: Some("acme".into()),
            name: Some("acme-nas-1".into()),
            reason: reason.into(),
            session: Some("00000000000000ab".into()),
            rate,
            total: 1_234_567,
            last_seen: 0.4,
        }
    }

    #[test]
    fn a_row_says_who_why_and_how_much_and_the_reason_is_explained_once() {
        let stranger = Drop { customer: None, name: None, session: None, ..row("unregistered", 0.3) };
        let rows = [row("session_rate", 1500.0), row("session_rate", 12.0), stranger];
        let text = drops(&rows, 10, Style::Plain);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1],
            "     1,500  1,234,567   0 s  kernel  session_rate  192.0.2.10 on eth0  acme-nas-1 of acme  00000000000000ab"
        );
        assert!(lines[3].ends_with("a stranger") && lines[3].contains(" 0.3 "), "{text}");
        assert_eq!(text.matches("session_rate: ").count(), 1, "{text}");
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let rows = vec![row("client_rate", 1.0); 12];
        assert!(drops(&rows, 10, Style::Plain).contains("\nand 2 more\n"));
        assert!(!drops(&rows, 12, Style::Plain).contains("more\n"));
        assert_eq!(drops(&[], 10, Style::Plain), "Nothing has been dropped.\n");
    }
}
