//! Customers, contracts, incidents and the history: what `sekisho get` shows.

use std::fmt::Write as _;

use super::{
    WIDTH,
    sessions::harmless,
    style::Style,
    table::{Table, wrapped},
};
use crate::registry::view::{Accounts, Contracts, Customers, HistoryLine, Incidents};

/// How far what belongs to a row is indented.
const INDENT: &str = "    ";

/// Customers, a row each. Writing to a String does not fail.
pub fn customers(found: &Customers, style: Style) -> String {
    if found.customers.is_empty() {
        return "There is no customer yet: `sekisho apply -f FILE` brings one.\n".to_owned();
    }
    let mut table = Table::new(["CUSTOMER", "CONTRACTS", "SERVED", "REALMS", "TITLE"], 1..3).within(WIDTH);
    for one in &found.customers {
        table.add([
            one.name.clone(),
            one.contracts.to_string(),
            one.served.to_string(),
            one.realms.join(", "),
            harmless(one.title.as_deref().unwrap_or_default()),
        ]);
    }
    let (head, lines) = table.lines(style);
    format!("{head}\n{}\n", lines.join("\n"))
}

/// Contracts, a row each, and under it why it is not served.
pub fn contracts(found: &Contracts, style: Style) -> String {
    if found.contracts.is_empty() {
        return "There is no contract yet: `sekisho apply -f FILE` applies for those of a document.\n".to_owned();
    }
    let head = ["CUSTOMER", "CONTRACT", "KIND", "STATE", "SERVED", "SINCE", "UNTIL", "OPTION", "ACCOUNTS"];
    let mut table = Table::new(head, 8..9).within(WIDTH);
    for one in &found.contracts {
        table.add([
            one.customer.clone(),
            one.contract.clone(),
            one.kind.clone(),
            one.state.clone(),
            if one.served { "yes" } else { "no" }.to_owned(),
            one.since.map(|day| day.to_string()).unwrap_or_default(),
            one.until.map(|day| day.to_string()).unwrap_or_default(),
            one.option.clone().unwrap_or_default(),
            one.accounts.map(|accounts| accounts.to_string()).unwrap_or_default(),
        ]);
    }
    let (head, lines) = table.lines(style);
    let mut text = format!("{head}\n");
    for (line, one) in lines.iter().zip(&found.contracts) {
        let _ = writeln!(text, "{line}");
        for why in &one.why_not {
            for part in wrapped(&harmless(why), WIDTH - INDENT.len()) {
                let _ = writeln!(text, "{INDENT}{}", style.doubtful(&part));
            }
        }
        for restriction in &one.restrictions {
            for part in wrapped(&harmless(&format!("restricted (Art. 14.1): {restriction}")), WIDTH - INDENT.len()) {
                let _ = writeln!(text, "{INDENT}{part}");
            }
        }
    }
    text
}

/// Accounts, a row each.
pub fn accounts(found: &Accounts, style: Style) -> String {
    let mut text = String::new();
    if !found.accounts.is_empty() {
        let head = ["USER", "REALM", "PASSWORD", "MAY", "SESSIONS", "EXPIRES", "NUMBERS", "REPLY", "NOTE"];
        let mut table = Table::new(head, 4..5).within(WIDTH);
        for one in &found.accounts {
            table.add([
                harmless(&one.user),
                one.realm.clone(),
                one.password.clone(),
                if one.enabled { "yes" } else { "no" }.to_owned(),
                one.simultaneous.map(|count| count.to_string()).unwrap_or_default(),
                one.expires.map(|at| at.to_string()).unwrap_or_default(),
                harmless(&one.calling.join(", ")),
                harmless(&one.reply.join(", ")),
                harmless(&one.note),
            ]);
        }
        let (head, lines) = table.lines(style);
        let _ = writeln!(text, "{head}\n{}", lines.join("\n"));
    }
    let more = if found.accounts.len() < found.count { ": --limit shows more" } else { "" };
    let _ = writeln!(
        text,
        "{} shown of {} accounts; the contract is for {}{more}",
        found.accounts.len(),
        found.count,
        found.most
    );
    text
}

/// Incidents, a row each, and under it what they are worth.
pub fn incidents(found: &Incidents, style: Style) -> String {
    if found.incidents.is_empty() {
        return "There is no incident.\n".to_owned();
    }
    let mut table = Table::new(["INCIDENT", "STATE", "KNOWN", "ENDED", "AFFECTS"], 0..0).within(WIDTH);
    for one in &found.incidents {
        table.add([
            harmless(&one.incident),
            one.state.clone(),
            one.known.map(|at| at.to_string()).unwrap_or_default(),
            one.ended.map(|at| at.to_string()).unwrap_or_default(),
            harmless(&one.affects.join(", ")),
        ]);
    }
    let (head, lines) = table.lines(style);
    let mut text = format!("{head}\n");
    for (line, one) in lines.iter().zip(&found.incidents) {
        let _ = writeln!(text, "{line}");
        for credit in &one.credit {
            let _ = writeln!(text, "{INDENT}{}", harmless(credit));
        }
    }
    text
}

/// The history, a row for each entry.
pub fn history(found: &[HistoryLine], style: Style) -> String {
    if found.is_empty() {
        return "Nothing has been recorded of that.\n".to_owned();
    }
    let mut table = Table::new(["NO", "AT", "WHO", "WHAT", "WHY"], 0..1).within(WIDTH);
    for line in found {
        let at = line.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        table.add([line.number.to_string(), at, harmless(&line.who), harmless(&line.what), harmless(&line.why)]);
    }
    let (head, lines) = table.lines(style);
    format!("{head}\n{}\n", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::view::{Account, Contract, Customer, Incident};

    /// What a document, a command line or an import may bring.
    const HOSTILE: &str = "\u{1b}[2J\u{202e}evil\r\nfuji  served";

    fn contract() -> Contract {
        Contract {
            customer: "acme".into(),
            contract: "acme-vpdn".into(),
            kind: "vpdn D".into(),
            state: "serving".into(),
            served: false,
            since: Some(jiff::civil::date(2026, 11, 1)),
            until: None,
            option: None,
            accounts: None,
            why_not: vec![
                "prerequisites, Art. 5.6(3), contract acme-vpdn: it is incomplete: lns is not confirmed".into(),
            ],
            restrictions: vec![],
        }
    }

    /// Nothing that a terminal obeys, and no line that was not ours to begin.
    fn assert_harmless(text: &str) {
        assert!(text.contains("evil"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("fuji")), "{text}");
    }

    #[test]
    fn why_a_contract_is_not_served_stands_below_it_and_what_is_long_is_wrapped() {
        let restriction = "no service abroad, ".repeat(12);
        let one = Contract { restrictions: vec![restriction.trim_end().to_owned()], ..contract() };
        let text = contracts(&Contracts { contracts: vec![one] }, Style::Plain);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("acme") && lines[1].contains("2026-11-01"), "{text}");
        assert_eq!(
            lines[2],
            "    prerequisites, Art. 5.6(3), contract acme-vpdn: it is incomplete: lns is not confirmed"
        );
        assert!(lines[3].starts_with("    restricted (Art. 14.1): no service abroad"), "{text}");
        assert!(lines.len() > 4 && lines.iter().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn where_there_is_nothing_the_page_says_what_brings_something() {
        let none = (Customers { customers: vec![] }, Contracts { contracts: vec![] }, Incidents { incidents: vec![] });
        assert!(customers(&none.0, Style::Plain).contains("`sekisho apply -f FILE`"));
        assert!(contracts(&none.1, Style::Plain).contains("`sekisho apply -f FILE`"));
        assert_eq!(incidents(&none.2, Style::Plain), "There is no incident.\n");
        assert_eq!(history(&[], Style::Plain), "Nothing has been recorded of that.\n");
        let none = Accounts { count: 0, most: 100, accounts: vec![] };
        assert_eq!(accounts(&none, Style::Plain), "0 shown of 0 accounts; the contract is for 100\n");
    }

    #[test]
    fn no_text_that_somebody_chose_commands_a_terminal_or_begins_a_line() {
        let customer = Customer {
            name: "acme".into(),
            title: Some(HOSTILE.into()),
            contracts: 1,
            served: 0,
            realms: vec!["acme.example".into()],
        };
        assert_harmless(&customers(&Customers { customers: vec![customer] }, Style::Plain));
        let one = Contract { why_not: vec![HOSTILE.into()], restrictions: vec![HOSTILE.into()], ..contract() };
        assert_harmless(&contracts(&Contracts { contracts: vec![one] }, Style::Plain));
        let account = Account {
            realm: "acme.example".into(),
            user: HOSTILE.into(),
            password: "recoverable".into(),
            enabled: true,
            expires: None,
            simultaneous: None,
            calling: vec![HOSTILE.into()],
            reply: vec![HOSTILE.into()],
            note: HOSTILE.into(),
        };
        assert_harmless(&accounts(&Accounts { count: 1, most: 1, accounts: vec![account] }, Style::Plain));
        let incident = Incident {
            incident: HOSTILE.into(),
            affects: vec![HOSTILE.into()],
            known: None,
            ended: None,
            state: "open".into(),
            credit: vec![HOSTILE.into()],
        };
        assert_harmless(&incidents(&Incidents { incidents: vec![incident] }, Style::Plain));
        let line = HistoryLine {
            number: 1,
            at: jiff::Timestamp::UNIX_EPOCH,
            who: HOSTILE.into(),
            why: HOSTILE.into(),
            what: HOSTILE.into(),
            customers: vec![],
            contracts: vec![],
        };
        assert_harmless(&history(&[line], Style::Plain));
    }
}
