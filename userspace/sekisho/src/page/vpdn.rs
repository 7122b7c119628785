//! VPDN on the status page: LNSs, sessions and the journal at a glance, and a customer's contracts and LNSs.

use std::fmt::Write as _;

use sekisho_lns::health::State;

use super::{
    lns::{painted, remarks, sessions, severity},
    style::Style,
    unwell_in_words,
    words::{duration, named, number},
};
use crate::report::{Count, Customer, Journal, Lns, Report, Vpdn};

/// Appends how LNSs, sessions and the journal are, where there are any.
pub(super) fn at_a_glance(text: &mut String, report: &Report, style: Style) {
    lnss(text, &report.customers, style);
    table(text, report, style);
    journal(text, &report.journal, style);
}

/// Appends a customer's contracts, and its LNSs, those first that are not well.
pub(super) fn write(text: &mut String, customer: &Customer, style: Style) {
    for one in &customer.vpdn {
        contract(text, one, style);
    }
    let mut lnss: Vec<&Lns> = customer.lns.iter().collect();
    lnss.sort_by_key(|lns| severity(lns));
    for one in lnss {
        lns(text, one, style);
    }
}

fn lnss(text: &mut String, customers: &[Customer], style: Style) {
    let mut all: Vec<&Lns> = customers.iter().flat_map(|customer| &customer.lns).collect();
    if all.is_empty() {
        return;
    }
    all.sort_by_key(|lns| severity(lns));
    let count = |state: State| all.iter().filter(|lns| lns.state == state.name()).count() as u64;
    let counts = State::ALL.map(|state| (state.name(), count(state)));
    let unwell = all.iter().filter(|lns| !matches!(lns.state.as_str(), "up" | "unknown"));
    let unwell = unwell.map(|lns| format!("{} of {} is {}", lns.name, lns.customer, lns.state)).collect();
    let _ = writeln!(text, "  lns        {}{}", named(&counts), unwell_in_words(unwell, style));
}

fn table(text: &mut String, report: &Report, style: Style) {
    let sessions = &report.sessions;
    let has_contracts = report.customers.iter().any(|customer| !customer.vpdn.is_empty());
    if has_contracts || sessions.tracked + sessions.reserved > 0 {
        let saved = match sessions.saved {
            Some(ago) => format!("saved {} ago", duration(ago)),
            None => "not saved yet".to_owned(),
        };
        let (tracked, reserved) = (number(sessions.tracked), number(sessions.reserved));
        let _ = writeln!(text, "  sessions   {tracked}, and {reserved} reserved; {saved}");
    }
    let trouble = [("untracked", sessions.untracked), ("unreserved", sessions.unreserved)];
    if trouble.iter().any(|(_, count)| *count > 0) {
        let words = format!("no room for all, limits do not hold: {}; raise sessions.max_tracked", named(&trouble));
        let _ = writeln!(text, "             {}", style.bad(&words));
    }
    if sessions.unsaved {
        let words = "cannot be saved, and are forgotten at a restart: the log says why";
        let _ = writeln!(text, "             {}", style.bad(words));
    }
}

fn journal(text: &mut String, journal: &Journal, style: Style) {
    if journal.failing {
        let words = "takes nothing: accounting is not acknowledged, logins go on; the log says why";
        let _ = writeln!(text, "  journal    {}", style.bad(words));
    }
    if journal.segments == 0 && !journal.failing {
        return;
    }
    let counts = [
        ("written", journal.written),
        ("known already", journal.known),
        ("refused", journal.refused),
        ("waiting for home servers", journal.waiting),
    ];
    let head = if journal.failing { "           " } else { "  journal  " };
    let (segments, mebibytes) = (number(journal.segments), number(journal.octets.div_ceil(1 << 20)));
    let place = journal.directory.display();
    let _ = writeln!(text, "{head}  records: {}; {segments} segments, {mebibytes} MiB in {place}", named(&counts));
    if journal.untold > 0 {
        let words = format!("{} records are here that their home server has not acknowledged", number(journal.untold));
        let _ = writeln!(text, "             {}", style.bad(&words));
    }
    if journal.unrecorded > 0 {
        let words = format!("{} Accounting-Requests got no answer: not recorded in time", number(journal.unrecorded));
        let _ = writeln!(text, "             {}", style.bad(&words));
    }
}

fn contract(text: &mut String, contract: &Vpdn, style: Style) {
    let most = most(contract.max_sessions);
    let sessions = sessions(contract.active, contract.pending);
    let _ = write!(
        text,
        "  vpdn    {} {}: {sessions} sessions{most}, accepts: {}",
        contract.contract,
        contract.kind,
        named(&pairs(&contract.accepts))
    );
    if contract.refused.iter().any(|found| found.count > 0) {
        let _ = write!(text, ", {}", style.bad(&format!("refused: {}", named(&pairs(&contract.refused)))));
    }
    if contract.in_service == 0 {
        let _ = write!(text, ", {}", style.bad("none of its LNSs is in service"));
    }
    text.push('\n');
    if contract.waits_for_failback {
        let words = format!("its preferred LNSs wait for `sekisho lns failback {}`", contract.contract);
        let _ = writeln!(text, "          {}", style.doubtful(&words));
    }
}

fn lns(text: &mut String, lns: &Lns, style: Style) {
    let state = painted(&lns.state, &format!("{} for {}", lns.state, duration(lns.since_seconds)), style);
    let most = most(lns.max_sessions);
    let sessions = sessions(lns.active, lns.pending);
    let (chosen, started) = (number(lns.chosen), number(lns.started));
    let _ = writeln!(
        text,
        "  lns     {} {} {state}: {sessions} sessions{most}, chosen {chosen}, started {started}",
        lns.name, lns.endpoint
    );
    // Many are not to be probed, and nothing is the matter with them.
    let is_plain = lns.state == "unknown" && lns.probes.is_empty() && lns.avoided_for.is_empty();
    if let Some(remarks) = remarks(lns).filter(|_| !is_plain) {
        let _ = writeln!(text, "          {}", painted(&lns.state, &remarks, style));
    }
}

/// ` of 2,000`, where there is a limit.
fn most(max: u32) -> String {
    if max > 0 { format!(" of {}", number(max.into())) } else { String::new() }
}

fn pairs(counts: &[Count]) -> Vec<(&str, u64)> {
    counts.iter().map(|found| (found.name.as_str(), found.count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::page;

    fn report() -> Report {
        let down = Lns {
            customer: "acme".into(),
            name: "tokyo-2".into(),
            endpoint: "192.0.2.12".into(),
            state: "down".into(),
            reason: "it does not answer, 3 probes in a row".into(),
            since_seconds: 75.0,
            active: 7,
            max_sessions: 2_000,
            ..Lns::default()
        };
        let up = Lns { name: "tokyo-1".into(), state: "up".into(), reason: "it opens tunnels".into(), ..down.clone() };
        let contract = Vpdn {
            contract: "acme-vpdn-d".into(),
            kind: "D".into(),
            active: 14,
            pending: 2,
            accepts: vec![Count::new("strategy", 16), Count::new("sticky", 0)],
            refused: vec![Count::new("contract_full", 3)],
            in_service: 1,
            waits_for_failback: true,
            ..Vpdn::default()
        };
        let customer =
            Customer { name: "acme".into(), vpdn: vec![contract], lns: vec![up, down], ..Customer::default() };
        Report { customers: vec![customer], ..Report::default() }
    }

    #[test]
    fn contracts_and_lnss_are_seen_and_what_is_not_well_first() {
        let text = page(&report(), Style::Plain);
        for words in [
            "  lns        up 1, down 1: tokyo-2 of acme is down\n",
            "  vpdn    acme-vpdn-d D: 14+2 sessions, accepts: strategy 16, refused: contract_full 3\n",
            "wait for `sekisho lns failback acme-vpdn-d`\n",
            "  lns     tokyo-2 192.0.2.12 down for 1 min 15 s: 7 sessions of 2,000, chosen 0, started 0\n",
            "          it does not answer, 3 probes in a row\n",
        ] {
            assert!(text.contains(words), "no {words:?} in\n{text}");
        }
        assert!(text.find("lns     tokyo-2") < text.find("lns     tokyo-1"), "{text}");
        assert!(!text.contains("it opens tunnels") && !text.contains("journal"), "{text}");
    }

    #[test]
    fn a_journal_that_takes_nothing_and_a_full_table_are_seen_at_the_top() {
        let mut report = report();
        report.journal =
            Journal { failing: true, segments: 2, written: 9, unrecorded: 4, untold: 7, ..Journal::default() };
        report.sessions.untracked = 5;
        report.sessions.unsaved = true;
        let text = page(&report, Style::Plain);
        for words in [
            "  journal    takes nothing: accounting is not acknowledged",
            "records: written 9; 2 segments",
            "4 Accounting-Requests got no answer",
            "7 records are here that their home server has not acknowledged",
            "untracked 5; raise sessions.max_tracked",
            "forgotten at a restart",
        ] {
            assert!(text.contains(words), "no {words:?} in\n{text}");
        }
    }

    #[test]
    fn a_node_without_vpdn_says_nothing_of_it() {
        let text = page(&Report::default(), Style::Plain);
        for word in ["lns", "sessions", "journal"] {
            assert!(!text.contains(word), "{text}");
        }
    }
}
