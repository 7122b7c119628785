//! `[[realm]]`: what a customer designated, and where in a request it is looked for; and `realms` of contracts that serve it.

use regex::bytes::RegexBuilder;
use sekisho_wire::nai::CanonicalRealm;

use crate::{
    customer::{Pattern, Realm, Selector},
    document::Placed,
    finding::Problem,
    section::Section,
    value,
};

const SELECTORS: [(&str, Selector); 6] = [
    ("suffix", Selector::Suffix),
    ("prefix", Selector::Prefix),
    ("nt_domain", Selector::NtDomain),
    ("apn", Selector::Apn),
    ("pattern", Selector::Pattern),
    ("default", Selector::Default),
];
/// What one compiled pattern may take: far more than any sensible one.
const MAX_PATTERN: usize = 1 << 20;

/// Reads one realm.
pub(super) fn realm(section: &Section<'_>) -> Option<Realm> {
    let mut given = SELECTORS.into_iter().filter(|(key, _)| section.has(key));
    let (first, second) = (given.next(), given.next());
    let Some((key, selector)) = first else {
        let remedy = "Give one of `suffix`, `prefix`, `nt_domain`, `apn`, `pattern` and `default`.";
        section.fault("", Problem::new("says nothing of where it is found", remedy));
        return None;
    };
    if let Some((second, _)) = second {
        let message = format!("stands beside `{key}`, and a realm has one selector");
        section.fault(second, Problem::new(message, "Make a [[realm]] of each."));
        return None;
    }
    let called = section.parsed("name", value::realm).optional()?;
    match selector {
        Selector::Pattern => {
            let pattern = section.parsed(key, |text| pattern(section, text)).optional()??;
            let name = match called {
                Some(name) => name,
                None => {
                    let remedy = "Give the pattern a name; `realms`, messages and metrics call it so.";
                    section.fault("name", Problem::new("is missing", remedy));
                    return None;
                }
            };
            Some(Realm { selector, name, pattern: Some(pattern) })
        }
        Selector::Default => {
            if !section.boolean(key).optional()?? {
                let remedy = "Write `default = true`, or take the whole [[realm]] out.";
                section.fault(key, Problem::new("is false, which makes it no realm at all", remedy));
                return None;
            }
            let name = called.or_else(|| CanonicalRealm::new("default").ok())?;
            Some(Realm { selector, name, pattern: None })
        }
        _ => {
            if called.is_some() {
                let message = format!("stands beside `{key}`, which names the realm already");
                section.fault("name", Problem::new(message, "Take it out: it is for `pattern` and `default`."));
                return None;
            }
            let name = section.parsed(key, value::realm).optional()??;
            Some(Realm { selector, name, pattern: None })
        }
    }
}

/// The realms that a contract serves. `own` is `None` where the customer's realms are not all known.
pub(super) fn served(section: &Section<'_>, own: Option<&[Placed<Realm>]>) -> Option<Vec<Realm>> {
    let named = section.list("realms", value::realm);
    let all = named.is_absent();
    let named = named.or(Vec::new())?;
    let Some(own) = own else { return Some(Vec::new()) };
    let realms = || own.iter().map(|placed| &placed.value);
    if all {
        if own.is_empty() {
            let message = "the customer has no realm that this contract could serve";
            section.fault("", Problem::new(message, "Add [[realm]] with what the customer designated (Art. 5.6)."));
            return None;
        }
        return Some(realms().cloned().collect());
    }
    if named.is_empty() {
        let remedy = "Name at least one, or leave the key out: then the contract serves every realm of the customer.";
        section.fault("realms", Problem::new("is an empty list", remedy));
    }
    let mut served: Vec<Realm> = Vec::new();
    for (i, name) in named.iter().enumerate() {
        let at = format!("realms[{i}]");
        let known = served.len();
        if served.iter().any(|realm| realm.name == *name) {
            section.fault(&at, Problem::new(format!("\"{name}\" is in the list already"), "Take it out."));
            continue;
        }
        served.extend(realms().filter(|realm| realm.name == *name).cloned());
        if served.len() == known {
            let names: Vec<String> = realms().map(|realm| format!("\"{}\"", realm.name)).collect();
            let remedy = match names.is_empty() {
                true => "Add it as [[realm]] first.".to_owned(),
                false => format!("Add it as [[realm]] first, or say one of: {}.", names.join(", ")),
            };
            section.fault(&at, Problem::new(format!("\"{name}\" is no realm of this customer"), remedy));
        }
    }
    Some(served)
}

fn pattern(section: &Section<'_>, text: &str) -> Result<Pattern, Problem> {
    if !text.is_ascii() {
        let remedy = "Write the A-label, such as xn--1lqs71d: it is what a realm is compared by.";
        return Err(Problem::new("holds a letter that no canonical realm has", remedy));
    }
    // A canonical realm is lower case and ASCII: a pattern matches however it is written, and without Unicode's tables.
    let builder = RegexBuilder::new(text).size_limit(MAX_PATTERN).case_insensitive(true).unicode(false).build();
    let compiled = builder.map_err(|error| {
        // The library draws the place over several lines; the last says what is wrong.
        let error = error.to_string();
        let why =
            error.lines().last().unwrap_or_default().trim_start_matches("error: ").trim_end_matches('.').to_owned();
        let remedy = "See https://docs.rs/regex for how patterns are written.";
        Problem::new(format!("is no regular expression: {why}"), remedy)
    })?;
    if !is_anchored(text) {
        let message = "also matches realms that only contain what it describes, since it is not anchored";
        let remedy = "Begin it with ^ and end it with $: '^([a-z0-9-]+\\.)*acme\\.example$'.";
        section.warn("pattern", Problem::new(message, remedy));
    }
    Ok(Pattern(compiled))
}

/// Whether a pattern says what is at both ends of a realm: `^…$` without an alternative beside it.
fn is_anchored(pattern: &str) -> bool {
    let Some(within) = pattern.strip_prefix('^').and_then(|pattern| pattern.strip_suffix('$')) else { return false };
    let (mut groups, mut class, mut escaped) = (0_usize, false, false);
    for c in within.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            _ if class => {}
            '(' => groups += 1,
            ')' => groups = groups.saturating_sub(1),
            '|' if groups == 0 => return false,
            _ => {}
        }
    }
    // What is left is the backslash of `\$`, which is no end but a letter.
    !escaped
}
