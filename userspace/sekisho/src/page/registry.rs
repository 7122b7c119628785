//! The registry on the status page: which one, whether it is there, and what of it is not served.

use std::fmt::Write as _;

use super::{
    sessions::harmless,
    style::Style,
    words::{named, number},
};
use crate::report::{Group, Report};

/// So many contracts that are not served are told of.
const TOLD: usize = 8;

/// The registry at a glance. Writing to a String does not fail.
pub(super) fn at_a_glance(text: &mut String, report: &Report, style: Style) {
    let Some(of) = &report.registry else { return };
    let state = match (&of.lost, &of.mirror_of) {
        (None, _) => format!("{}, revision {}", of.location, number(of.revision)),
        (Some(why), mirror) => {
            let from = mirror.as_ref().map_or("memory".to_owned(), |at| format!("the mirror of {at}"));
            style.bad(&harmless(&format!("{} cannot be reached: served from {from} ({why})", of.location)))
        }
    };
    let _ = writeln!(text, "  registry   {state}");
    if let Some(next) = &of.next_change {
        let _ = writeln!(text, "             the next change by date is at {next}");
    }
    if of.accounts + of.accounts_waiting + of.accounts_unusable > 0 {
        let _ =
            write!(text, "  accounts   {}, in {} KiB", number(of.accounts), number(of.account_octets.div_ceil(1024)));
        if of.accounts_waiting > 0 {
            let _ = write!(text, ", {} wait for their contract", number(of.accounts_waiting));
        }
        if of.accounts_unusable > 0 {
            let words = format!("{} cannot be used: the log tells why", number(of.accounts_unusable));
            let _ = write!(text, ", {}", style.bad(&words));
        }
        text.push('\n');
    }
    let untracked = report.hosted_sessions.untracked;
    if untracked > 0 {
        let words =
            format!("{} sessions found no room, limits do not hold: raise hosted.max_sessions", number(untracked));
        let _ = writeln!(text, "             {}", style.bad(&words));
    }
    for one in of.unserved.iter().take(TOLD) {
        let why = one.why.first().map_or("", String::as_str);
        let words = format!("{} of {} is not served: {} {why}", one.contract, one.customer, one.state);
        let _ = writeln!(text, "             {}", style.doubtful(&harmless(words.trim_end())));
    }
    if of.unserved.len() > TOLD {
        let words =
            format!("and {} more: `sekisho get contracts` shows them", number((of.unserved.len() - TOLD) as u64));
        let _ = writeln!(text, "             {}", style.doubtful(&words));
    }
}

/// A customer's `group` contract.
pub(super) fn group(text: &mut String, of: &Group) {
    let sessions = match of.max_sessions {
        0 => number(u64::from(of.sessions)),
        most => format!("{} of {}", number(u64::from(of.sessions)), number(u64::from(most))),
    };
    let rejected: Vec<(&str, u64)> = of.rejected.iter().map(|it| (it.name.as_str(), it.count)).collect();
    let total: u64 = rejected.iter().map(|(_, count)| count).sum();
    let _ = write!(
        text,
        "  group   {} {}: {} accepts, {} rejects, {sessions} sessions",
        of.contract,
        of.passwords,
        number(of.accepts),
        number(total)
    );
    if total > 0 {
        let _ = write!(text, " ({})", named(&rejected));
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        page::page,
        report::{Count, Customer, HostedSessions, Registry, Unserved},
    };

    fn registry() -> Registry {
        Registry {
            location: "/var/lib/sekisho/registry.db".into(),
            up: true,
            revision: 1_234,
            accounts: 100_000,
            account_octets: 20_000_000,
            ..Registry::default()
        }
    }

    fn shown(registry: Registry) -> String {
        page(&Report { registry: Some(registry), ..Report::default() }, Style::Plain)
    }

    fn unserved(index: usize) -> Unserved {
        Unserved {
            customer: "acme".into(),
            contract: format!("acme-vpdn-{index}"),
            state: "serving".into(),
            why: vec!["it is incomplete: lns is not confirmed".into(), "a second reason".into()],
        }
    }

    #[test]
    fn a_registry_that_is_there_is_one_line_with_its_revision_and_one_with_its_accounts() {
        let text = shown(registry());
        assert!(text.contains("  registry   /var/lib/sekisho/registry.db, revision 1,234\n"), "{text}");
        assert!(text.contains("  accounts   100,000, in 19,532 KiB\n"), "{text}");
        let text = shown(Registry { accounts: 0, next_change: Some("2026-11-30T15:00:00Z".into()), ..registry() });
        assert!(!text.contains("  accounts   "), "{text}");
        assert!(text.contains("the next change by date is at 2026-11-30T15:00:00Z\n"), "{text}");
        assert!(!page(&Report::default(), Style::Plain).contains("registry"), "a node without one");
    }

    #[test]
    fn one_that_is_lost_says_what_is_served_from_instead_and_what_is_the_matter() {
        let lost = Registry { up: false, lost: Some("the disk is gone".into()), ..registry() };
        let text = shown(lost.clone());
        let words = "registry.db cannot be reached: served from memory (the disk is gone)\n";
        assert!(text.contains(words), "{text}");
        let text = shown(Registry { mirror_of: Some("2026-11-27T13:00:00Z".into()), ..lost });
        let words =
            "registry.db cannot be reached: served from the mirror of 2026-11-27T13:00:00Z (the disk is gone)\n";
        assert!(text.contains(words), "{text}");
    }

    #[test]
    fn accounts_that_wait_or_cannot_be_used_are_told_apart() {
        let text = shown(Registry { accounts_waiting: 12, accounts_unusable: 1, ..registry() });
        let words = "12 wait for their contract, 1 cannot be used: the log tells why\n";
        assert!(text.contains(words), "{text}");
    }

    #[test]
    fn sessions_that_found_no_room_are_told_with_what_to_raise() {
        let sessions = HostedSessions { untracked: 1_234, ..HostedSessions::default() };
        let report = Report { registry: Some(registry()), hosted_sessions: sessions, ..Report::default() };
        let words = "1,234 sessions found no room, limits do not hold: raise hosted.max_sessions\n";
        assert!(page(&report, Style::Plain).contains(words));
        assert!(!shown(registry()).contains("no room"));
    }

    #[test]
    fn contracts_that_are_not_served_are_named_with_a_reason_and_so_many_only() {
        let text = shown(Registry { unserved: vec![unserved(1)], ..registry() });
        let words = "acme-vpdn-1 of acme is not served: serving it is incomplete: lns is not confirmed\n";
        assert!(text.contains(words) && !text.contains("a second reason"), "{text}");
        let text = shown(Registry { unserved: (0..20).map(unserved).collect(), ..registry() });
        assert_eq!(text.matches("is not served").count(), TOLD, "{text}");
        assert!(text.contains("and 12 more: `sekisho get contracts` shows them\n"), "{text}");
    }

    #[test]
    fn what_a_document_says_commands_no_terminal() {
        let why = vec!["\u{1b}[2Jgone\nfuji  9 requests".to_owned()];
        let lost = Some("\u{1b}[2J\u{202e}gone".to_owned());
        let text = shown(Registry { lost, unserved: vec![Unserved { why, ..unserved(1) }], ..registry() });
        assert!(text.contains("gone") && !text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("fuji")), "{text}");
    }

    #[test]
    fn a_group_contract_shows_what_became_of_its_logins() {
        let group = Group {
            contract: "acme-group".into(),
            passwords: "recoverable".into(),
            sessions: 1_000,
            max_sessions: 2_000,
            accepts: 5_000,
            rejected: vec![Count::new("password", 2), Count::new("locked", 0), Count::new("calling", 1)],
            ..Group::default()
        };
        let customer = |group| Customer { name: "acme".into(), groups: vec![group], ..Customer::default() };
        let text = page(&Report { customers: vec![customer(group.clone())], ..Report::default() }, Style::Plain);
        let words = "  group   acme-group recoverable: 5,000 accepts, 3 rejects, 1,000 of 2,000 sessions (password 2, calling 1)\n";
        assert!(text.contains(words), "{text}");
        let quiet = Group { max_sessions: 0, rejected: vec![], ..group };
        let text = page(&Report { customers: vec![customer(quiet)], ..Report::default() }, Style::Plain);
        assert!(text.contains("5,000 accepts, 0 rejects, 1,000 sessions\n"), "{text}");
    }
}
