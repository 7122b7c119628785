//! `[[group]]`: which realms are answered from the operator's account database (グループ).

use super::{
    agreement::agreement, contract, realm::served, reply::group_reply, surroundings::Surroundings, vpdn::MOST_SESSIONS,
};
use crate::{
    customer::{Realm, Selector},
    document::Placed,
    finding::Problem,
    group::{Group, Passwords, Protocol},
    section::Section,
    value,
};

const PASSWORDS: [(&str, Passwords); 2] = [("recoverable", Passwords::Recoverable), ("argon2id", Passwords::Argon2id)];
/// The most accounts of a contract.
const MOST_ACCOUNTS: u32 = 10_000_000;

/// Reads one contract. `realms` is `None` where the customer's are not all known.
pub(super) fn group(
    section: &Section<'_>,
    realms: Option<&[Placed<Realm>]>,
    around: &Surroundings<'_>,
) -> Option<Group> {
    let contract = contract(section);
    let realms = served(section, realms);
    for realm in realms.iter().flatten().filter(|realm| matches!(realm.selector, Selector::Pattern | Selector::Default))
    {
        let message = format!("\"{realm}\" stands for many names, and accounts belong to one each");
        let remedy = "Name the other realms of the customer; a terminal's `default_realm` takes users without one to one of them.";
        section.fault("realms", Problem::new(message, remedy));
    }
    let remedy = "Give the number of accounts that was agreed (アカウント数, Art. 7(1)).";
    let accounts = section.integer("accounts", 1..=MOST_ACCOUNTS).required(section, "accounts", remedy);
    let passwords = section.choice("passwords", &PASSWORDS).or(Passwords::Recoverable);
    let protocols = protocols(section, passwords);
    let simultaneous = section.integer("simultaneous", 0..=u16::MAX).or(0);
    let max_sessions = section.integer("max_sessions", 0..=MOST_SESSIONS).or(0);
    let reply = group_reply(section, around);
    let agreement = agreement(section);
    Some(Group {
        contract: contract?,
        realms: realms?,
        accounts: accounts?,
        passwords: passwords?,
        protocols: protocols?,
        simultaneous: simultaneous?,
        max_sessions: max_sessions?,
        reply: reply?,
        agreement: agreement?,
    })
}

/// The ways of logging in, all that fit where none is named. `passwords` is `None` where it is not known what fits.
fn protocols(section: &Section<'_>, passwords: Option<Passwords>) -> Option<Vec<Protocol>> {
    const KEY: &str = "protocols";
    let words = Protocol::ALL.map(|protocol| (protocol.name(), protocol));
    let given = section.list(KEY, |text| value::choice(text, &words)).optional()?;
    let passwords = passwords?;
    let Some(given) = given else {
        return Some(Protocol::ALL.into_iter().filter(|protocol| protocol.works_with(passwords)).collect());
    };
    let before = section.report.count();
    if given.is_empty() {
        let remedy = "Name at least one, or leave the key out for all that fit.";
        section.fault(KEY, Problem::new("is an empty list, so nobody could log in", remedy));
    }
    for (i, protocol) in given.iter().enumerate() {
        let (at, name) = (format!("{KEY}[{i}]"), protocol.name());
        if given.iter().take(i).any(|other| other == protocol) {
            section.fault(&at, Problem::new(format!("{name:?} is in the list already"), "Take it out."));
        } else if !protocol.works_with(passwords) {
            let message = format!(
                "{name:?} needs the password itself, which nobody gets back from `passwords = {:?}`",
                passwords.name()
            );
            let remedy = "Leave \"pap\" alone, or set `passwords = \"recoverable\"`.";
            section.fault(&at, Problem::new(message, remedy));
        }
    }
    let mut sorted = given;
    sorted.sort_unstable();
    (section.report.count() == before).then_some(sorted)
}
