//! What a customer has to do before it can be served (Art. 5.6).

use crate::terms::{ContractTerms, Kind};

/// One thing to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prerequisite {
    /// Its name, as it is confirmed: `realm`, `terminal`, `lns`, `requesting-terminals`, `proxy-destination`, `account-data`, or the
    /// operator's own.
    pub name: String,
    /// Where it is written.
    pub article: &'static str,
    /// What it is, in words.
    pub what: &'static str,
}

/// What Art. 5.6 asks for a contract, in the article's order: what its kind needs, then what the operator designated for it.
pub fn prerequisites(contract: &ContractTerms) -> Vec<Prerequisite> {
    let of_its_kind: &[Named] = match contract.kind {
        Kind::Client => &[TERMINAL],
        Kind::Proxy => &[REALM, PROXY_DESTINATION],
        Kind::Group { .. } => &[REALM, ACCOUNT_DATA],
        Kind::Vpdn { .. } => &[REALM, LNS, REQUESTING_TERMINALS],
    };
    let named = |&(name, article, what): &Named| Prerequisite { name: name.to_owned(), article, what };
    let designated = contract.prerequisites.iter().map(|name| Prerequisite {
        name: name.clone(),
        article: "Art. 5.6(7)",
        what: "what the operator designated",
    });
    of_its_kind.iter().map(named).chain(designated).collect()
}

type Named = (&'static str, &'static str, &'static str);
const REALM: Named = ("realm", "Art. 5.6(1)", "the realm is designated");
const TERMINAL: Named = ("terminal", "Art. 5.6(2)", "the terminal is set up");
const LNS: Named = ("lns", "Art. 5.6(3)", "the LNS is set up");
const REQUESTING_TERMINALS: Named = ("requesting-terminals", "Art. 5.6(4)", "the requesting terminals are set up");
const PROXY_DESTINATION: Named = ("proxy-destination", "Art. 5.6(5)", "the proxy destination is set up");
const ACCOUNT_DATA: Named = ("account-data", "Art. 5.6(6)", "the account data is supplied");
