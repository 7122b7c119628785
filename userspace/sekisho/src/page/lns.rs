//! LNSs: a row for each, and below it what is the matter with it; those that are not well first.

use std::fmt::Write as _;

use super::{
    WIDTH,
    style::Style,
    table::{Table, wrapped},
    words::{duration, number},
};
use crate::report::{Lns, Lnss};

/// The LNSs. Writing to a String does not fail.
pub fn lnss(found: &Lnss, style: Style) -> String {
    if found.lns.is_empty() {
        return "There are no LNSs.\n".to_owned();
    }
    let mut lnss: Vec<&Lns> = found.lns.iter().collect();
    lnss.sort_by_key(|lns| severity(lns));
    let head = ["CUSTOMER", "LNS", "ENDPOINT", "STATE", "FOR", "SESSIONS", "MAX", "CHOSEN", "STARTED", "CONTRACTS"];
    let mut table = Table::new(head, 5..9).within(WIDTH);
    lnss.iter().for_each(|lns| table.add(cells(lns)));
    let (head, lines) = table.lines(style);
    let mut text = head + "\n";
    for (lns, line) in lnss.iter().zip(lines) {
        let _ = writeln!(text, "{}", painted(&lns.state, &line, style));
        if let Some(remarks) = remarks(lns) {
            for line in wrapped(&remarks, WIDTH - 4) {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
    text
}

/// How much an LNS needs an eye; the less, the more.
pub(super) fn severity(lns: &Lns) -> u8 {
    match lns.state.as_str() {
        "down" => 0,
        "refusing" => 1,
        "full" => 2,
        "draining" => 3,
        _ if !lns.avoided_for.is_empty() || lns.is_misconfigured() => 4,
        "unknown" => 5,
        _ => 6,
    }
}

/// Text in the colour of a state.
pub(super) fn painted(state: &str, text: &str, style: Style) -> String {
    match state {
        "down" => style.bad(text),
        "refusing" | "full" | "draining" => style.doubtful(text),
        _ => text.to_owned(),
    }
}

/// `1,000+3`: sessions, and Accepts whose Start has not come yet.
pub(super) fn sessions(active: u32, pending: u32) -> String {
    match pending {
        0 => number(active.into()),
        pending => format!("{}+{}", number(active.into()), number(pending.into())),
    }
}

/// What is the matter with an LNS; `None`: nothing.
pub(super) fn remarks(lns: &Lns) -> Option<String> {
    let mut remarks = Vec::new();
    if lns.state != "up" {
        remarks.push(lns.reason.clone());
    }
    if lns.is_misconfigured() && lns.state != "refusing" {
        remarks.push("its last answer tells of something that is configured wrongly".to_owned());
    }
    let avoided: Vec<String> = lns
        .avoided_for
        .iter()
        .map(|it| match it.seconds {
            seconds if seconds > 0.0 => format!("{} for {}", it.network, duration(seconds)),
            _ => format!("{} but for a few", it.network),
        })
        .collect();
    if !avoided.is_empty() {
        remarks.push(format!("sessions fail: not given to {}", avoided.join(", ")));
    }
    if lns.failed_over_from > 0 {
        remarks.push(format!("{} sessions that were given to it started on another", number(lns.failed_over_from)));
    }
    if lns.estimated {
        remarks.push("the number of sessions is an estimate: some have no Interims".to_owned());
    }
    (!remarks.is_empty()).then(|| remarks.join("; "))
}

fn cells(lns: &Lns) -> [String; 10] {
    [
        lns.customer.clone(),
        lns.name.clone(),
        lns.endpoint.clone(),
        lns.state.clone(),
        duration(lns.since_seconds),
        sessions(lns.active, lns.pending),
        if lns.max_sessions > 0 { number(lns.max_sessions.into()) } else { "-".to_owned() },
        number(lns.chosen),
        number(lns.started),
        lns.contracts.join(", "),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Avoided;

    fn lns(name: &str, state: &str, reason: &str) -> Lns {
        Lns {
            customer: "acme".into(),
            name: name.into(),
            endpoint: "192.0.2.11".into(),
            state: state.into(),
            reason: reason.into(),
            active: 1_000,
            pending: 3,
            max_sessions: 2_000,
            contracts: vec!["acme-vpdn-d".into(), "acme-vpdn-k".into()],
            ..Lns::default()
        }
    }

    #[test]
    fn those_that_are_not_well_stand_first_and_say_why() {
        let avoided = vec![Avoided { network: "carrier-d".into(), seconds: 25.0 }];
        let lnss_of = vec![
            lns("tokyo-1", "up", "it opens tunnels"),
            Lns { avoided_for: avoided, ..lns("tokyo-2", "up", "it opens tunnels") },
            lns("osaka-1", "down", "it does not answer, 3 probes in a row"),
        ];
        let text = lnss(&Lnss { lns: lnss_of }, Style::Plain);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].contains("osaka-1") && lines[1].contains("1,000+3  2,000"), "{text}");
        assert_eq!(lines[2], "    it does not answer, 3 probes in a row");
        assert!(lines[3].contains("tokyo-2") && lines[4].contains("not given to carrier-d for 25 s"), "{text}");
        assert!(lines[5].contains("tokyo-1") && lines.len() == 6, "{text}");
        assert_eq!(lnss(&Lnss::default(), Style::Plain), "There are no LNSs.\n");
    }

    #[test]
    fn no_line_is_longer_than_a_terminal() {
        let reason = "it refuses the probe's tunnel: we are not authorized (StopCCN result 4, error 0): let it accept tunnels \
                      from this node's address and host name";
        let mut one = lns("a-name-that-is-quite-long-for-an-lns", "refusing", reason);
        one.contracts = (1..20).map(|number| format!("acme-vpdn-{number}")).collect();
        one.endpoint = "2001:db8:1234:5678:9abc:def0:1234:5678".into();
        let text = lnss(&Lnss { lns: vec![one] }, Style::Plain);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(text.contains("host name"), "{text}");
    }
}
