//! From the tables of a document to checked types with their places. What concerns more than one table of one kind is
//! checked in `rules`.

mod access;
mod agreement;
mod answers;
mod balancing;
mod client;
pub(crate) mod customer;
mod dictionaries;
pub(crate) mod domain;
mod dynauth;
mod group;
mod identity;
mod journal;
mod limits;
mod lns;
mod lookup;
mod mobile;
pub(crate) mod node;
pub(crate) mod operator;
mod policy;
mod proxy;
mod rates;
mod realm;
mod registry;
pub(crate) mod reply;
pub(crate) mod secret;
mod server;
mod sessions;
pub(crate) mod surroundings;
mod upstream;
pub(crate) mod vpdn;

use std::{sync::Arc, time::Duration};

use toml::de::DeTable;

use crate::{
    customer::Require,
    document::Document,
    finding::{Problem, Report},
    node::{Domain, Ports},
    schema::Keys,
    section::Section,
    value,
};

/// So many syntax faults of a document are told: a file that is no TOML at all has one in every line.
const MAX_SYNTAX_FAULTS: usize = 10;
/// What the parser takes a word without quotes for.
const WORDS: [&str; 3] = ["invalid boolean", "invalid float", "string values must be quoted"];

/// Parses a document and gives its top to `read`.
pub(crate) fn document<T>(
    document: &Arc<Document>,
    keys: Keys,
    report: &Report,
    read: impl FnOnce(Section<'_>) -> T,
) -> Option<T> {
    tables(document, report, |table| read(Section::document(document, table, keys, report)))
}

/// Parses a document and gives what stands in it to `read`, whatever its keys. Syntax faults are reported; then the rest is
/// not looked at, since a document that is broken in one place says little about another.
pub(crate) fn tables<T>(document: &Document, report: &Report, read: impl FnOnce(&DeTable<'_>) -> T) -> Option<T> {
    let (table, errors) = DeTable::parse_recoverable(document.text());
    let more = errors.len().saturating_sub(MAX_SYNTAX_FAULTS);
    for (index, error) in errors.iter().take(MAX_SYNTAX_FAULTS).enumerate() {
        let octet = error.span().map_or(0, |span| span.start);
        let message = format!("not TOML: {}", error.message());
        let mut remedy = match error.message() {
            // A bare word begins like one of these.
            message if WORDS.iter().any(|word| message.contains(word)) => "Write text in double quotes.".to_owned(),
            _ => "See https://toml.io for how TOML is written.".to_owned(),
        };
        if more > 0 && index + 1 == MAX_SYNTAX_FAULTS {
            remedy += &format!(" There are {more} more like these below.");
        }
        report.fault(document.finding(octet, "", Problem::new(message, remedy)));
    }
    errors.is_empty().then(|| read(table.get_ref()))
}

/// The ports `auth` and `accounting` of a section. `default` stands where both are absent.
fn ports(section: &Section<'_>, default: Option<Ports>) -> Option<Ports> {
    let auth = section.port("auth").optional();
    let accounting = section.port("accounting").optional();
    match (auth?, accounting?) {
        (Some(auth), Some(accounting)) if auth == accounting => {
            let message = format!("{accounting} is the port for authentication already");
            section.fault("accounting", Problem::new(message, "Give each its own; 1812 and 1813 are the usual ones."));
            None
        }
        (Some(auth), Some(accounting)) => Some(Ports::Both { auth, accounting }),
        (Some(auth), None) => Some(Ports::Auth(auth)),
        (None, Some(accounting)) => Some(Ports::Accounting(accounting)),
        (None, None) => {
            if default.is_none() {
                section.fault("auth", Problem::new("is missing, and so are the other ports", "Give at least one."));
            }
            default
        }
    }
}

/// The keys `domain` and `ingress` of a section: the name of its domain, and of the ingresses.
///
/// `domains` is `None` where they could not be read: then nothing is known, and nothing is reported.
fn way(section: &Section<'_>, domains: Option<&[Domain]>) -> Option<(String, Vec<String>)> {
    let named = section.text("domain").optional();
    let chosen = section.list("ingress", |text| Ok(text.to_owned())).optional();
    let (named, chosen) = (named?, chosen?);
    let Some(domains) = domains else { return Some((named.unwrap_or_default().to_owned(), Vec::new())) };
    let names = || domains.iter().map(|domain| format!("{:?}", domain.name)).collect::<Vec<_>>().join(", ");
    let domain = match (named, domains) {
        (Some(name), _) => domains.iter().find(|domain| domain.name == name).or_else(|| {
            let problem =
                Problem::new(format!("{name:?} is no domain of this node"), format!("Say one of: {}.", names()));
            section.fault("domain", problem);
            None
        }),
        (None, [only]) => Some(only),
        (None, _) => {
            let remedy = format!("This node has several; say one of: {}.", names());
            section.fault("domain", Problem::new("is missing", remedy));
            None
        }
    }?;
    let all = || domain.ingresses.iter().map(|ingress| ingress.name.clone()).collect::<Vec<_>>();
    let Some(chosen) = chosen else { return Some((domain.name.clone(), all())) };
    let before = section.report.count();
    if chosen.is_empty() {
        let remedy = "Name at least one, or leave the key out: then every ingress of the domain will do.";
        section.fault("ingress", Problem::new("is an empty list", remedy));
    }
    for (i, name) in chosen.iter().enumerate() {
        if !domain.ingresses.iter().any(|ingress| ingress.name == *name) {
            let message = format!("{name:?} is no ingress of domain {:?}", domain.name);
            let remedy = format!("Say one of: {}.", all().join(", "));
            section.fault(&format!("ingress[{i}]"), Problem::new(message, remedy));
        }
    }
    (section.report.count() == before).then(|| (domain.name.clone(), chosen))
}

/// Warns of keys that are given where nothing goes by them.
fn idle(section: &Section<'_>, keys: &[&str], why: &str, remedy: &str) {
    for key in keys.iter().filter(|key| section.has(key)) {
        section.warn(key, Problem::new(format!("means nothing {why}"), remedy));
    }
}

fn contract(section: &Section<'_>) -> Option<String> {
    let remedy = "Name the contract; messages, logs and metrics show it.";
    section.parsed("contract", value::name).required(section, "contract", remedy)
}

/// `require_message_authenticator`.
fn message_authenticator(section: &Section<'_>) -> Option<Require> {
    let words = [("yes", Require::Yes), ("no", Require::No), ("auto", Require::Auto)];
    section.choice("require_message_authenticator", &words).or(Require::Auto)
}

/// Warns of a client that anybody on the way can forge answers for.
fn open_to_forgery(section: &Section<'_>, require: Option<Require>, limit_proxy_state: Option<bool>) {
    let why = match (require, limit_proxy_state) {
        (Some(Require::No), Some(false)) => "neither guard is on",
        (Some(Require::Auto), Some(false)) => "neither guard is on until it has sent a Message-Authenticator",
        _ => return,
    };
    let message = format!("the client is open to forged answers (CVE-2024-3596): {why}");
    let remedy = "Set `require_message_authenticator = \"yes\"` where the terminal can, else leave this key true.";
    section.warn("limit_proxy_state", Problem::new(message, remedy));
}

/// A Reject leaves while somebody waits for it.
fn patience(section: &Section<'_>, reject_delay: Option<Duration>, answer_within: Option<Duration>) {
    let (Some(delay), Some(answer)) = (reject_delay, answer_within) else { return };
    if delay >= answer {
        let message = format!(
            "{} is as long as the terminal waits ({}), so it would never see a Reject",
            value::show_duration(delay),
            value::show_duration(answer),
        );
        section.fault("reject_delay", Problem::new(message, "Make it shorter than `answer_within`."));
    }
}
