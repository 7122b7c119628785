//! Sessions: a row for each.

use std::fmt::Write as _;

use super::{
    WIDTH,
    style::Style,
    table::Table,
    words::{briefly, number},
};
use crate::report::{Session, Sessions};

/// The sessions that were found, where `limit` were asked for at most. Writing to a String does not fail.
pub fn sessions(found: &Sessions, limit: usize, style: Style) -> String {
    let mut text = String::new();
    if found.sessions.is_empty() {
        text.push_str("No session agrees with that.\n");
    } else {
        let head =
            ["CUSTOMER", "CONTRACT", "LNS", "NETWORK", "NUMBER", "ADDRESS", "STATE", "AGE", "HEARD", "ENDS", "USER"];
        let mut table = Table::new(head, 7..10).within(WIDTH);
        found.sessions.iter().for_each(|session| table.add(cells(session)));
        let (head, lines) = table.lines(style);
        text.push_str(&format!("{head}\n{}\n", lines.join("\n")));
    }
    let more = if found.shown >= limit { ": there may be more, --limit shows them" } else { "" };
    let _ = writeln!(
        text,
        "{} shown of {} sessions and {} reservations of LNSs, and {} of hosted accounts{more}",
        number(found.shown as u64),
        number(found.tracked),
        number(found.reserved),
        number(found.hosted)
    );
    for (count, key) in [(found.untracked, "sessions.max_tracked"), (found.hosted_untracked, "hosted.max_sessions")] {
        if count > 0 {
            let words = format!("{} sessions found no room: raise {key}, and start anew", number(count));
            let _ = writeln!(text, "{}", style.bad(&words));
        }
    }
    text
}

fn cells(session: &Session) -> [String; 11] {
    [
        session.customer.clone(),
        session.contract.clone(),
        session.lns.clone().unwrap_or_else(|| if session.hosted { "-" } else { "?" }.to_owned()),
        session.network.clone(),
        harmless(&session.number),
        session.framed_ip.map(|address| address.to_string()).unwrap_or_default(),
        session.state.clone(),
        briefly(session.age_seconds),
        session.last_heard_seconds.map(briefly).unwrap_or_default(),
        briefly(session.expires_seconds),
        harmless(&session.user),
    ]
}

/// What a packet said, without what a terminal would obey or turn round.
pub(super) fn harmless(text: &str) -> String {
    let is_harmful = |c: char| {
        c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_harmful(c) { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(user: &str) -> Session {
        Session {
            customer: "acme".into(),
            contract: "acme-vpdn-d".into(),
            hosted: false,
            lns: Some("tokyo-1".into()),
            network: "carrier-d".into(),
            user: user.into(),
            number: "819012345678".into(),
            framed_ip: Some("192.0.2.200".parse().unwrap()),
            state: "active".into(),
            age_seconds: 75,
            last_heard_seconds: Some(12),
            expires_seconds: 900,
            bearers: 0,
        }
    }

    #[test]
    fn a_row_says_who_is_where_and_for_how_long() {
        let sessions_of = vec![session("alice@acme.example")];
        let found = Sessions {
            tracked: 12_345,
            reserved: 6,
            hosted: 7,
            shown: 1,
            sessions: sessions_of,
            ..Sessions::default()
        };
        let text = sessions(&found, 1, Style::Plain);
        for words in
            ["tokyo-1  carrier-d  819012345678  192.0.2.200  active  75 s   12 s  15 min", "alice@acme.example\n"]
        {
            assert!(text.contains(words), "no {words:?} in {text}");
        }
        let last = "1 shown of 12,345 sessions and 6 reservations of LNSs, and 7 of hosted accounts: there may be more, --limit shows them\n";
        assert!(text.ends_with(last), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn a_hosted_accounts_session_has_no_lns_and_what_found_no_room_is_said_with_the_key_to_raise() {
        let session = Session {
            contract: "acme-group".into(),
            hosted: true,
            lns: None,
            network: "acme-tokyo".into(),
            framed_ip: None,
            last_heard_seconds: None,
            ..session("alice@acme.example")
        };
        let found = Sessions { hosted_untracked: 3, shown: 1, sessions: vec![session], ..Sessions::default() };
        let text = sessions(&found, 100, Style::Plain);
        assert!(text.contains("acme-group  -    acme-tokyo"), "{text}");
        assert!(text.ends_with("3 sessions found no room: raise hosted.max_sessions, and start anew\n"), "{text}");
        assert!(!text.contains("sessions.max_tracked"), "{text}");
    }

    #[test]
    fn what_a_packet_says_commands_no_terminal() {
        let found = Sessions { shown: 1, sessions: vec![session("\x1b[2Jalice\u{202e}\r\n")], ..Sessions::default() };
        let text = sessions(&found, 100, Style::Plain);
        assert!(!text.contains(['\x1b', '\r', '\u{202e}']) && text.contains("\u{fffd}[2Jalice"), "{text}");
    }
}
