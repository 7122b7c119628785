//! What was decided where the regulation is silent: one name each, with the place in the code that acts on it.

use jiff::civil::Date;

use crate::{calendar, event::Ground};

/// A decision of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// By which it can be referred to.
    pub name: &'static str,
    /// The article that is silent.
    pub article: &'static str,
    /// What was decided, in a sentence.
    pub what: &'static str,
}

/// All of them but those about money.
pub const CHOICES: &[Choice] = &[
    Choice {
        name: "several-contracts-of-a-kind",
        article: "Art. 4",
        what: "Several applications of one kind are several contracts.",
    },
    Choice {
        name: "a-name-is-for-ever",
        article: "Art. 4",
        what: "A contract's name is never used again, not by its own customer either: a new application has a new name.",
    },
    Choice {
        name: "application-counts",
        article: "Art. 5.1",
        what: "A client counts from the first day of the document that applies for it; a rejected or withdrawn one until the day before.",
    },
    Choice {
        name: "a-client-may-remain",
        article: "Art. 5.1",
        what: "A client may remain when its last proxy or group ends; it cannot be applied for where there is none.",
    },
    Choice {
        name: "no-client-for-verify",
        article: "Art. 5.1",
        what: "A proxy or group needs no client on days on which a vpdn of its customer verifies by it.",
    },
    Choice {
        name: "verify-needs-its-contract",
        article: "Art. 1",
        what: "A vpdn that verifies by proxy or group needs a contract of that kind, and is not served while none is.",
    },
    Choice {
        name: "mobile-contract-listed",
        article: "Art. 5.3 to 5.5",
        what: "A mobile contract that has ended stays in the document with its last day; its vpdn is ineligible from the day after.",
    },
    Choice {
        name: "a-realm-at-a-time",
        article: "Art. 5.6(1)",
        what: "A realm is of one customer at a time: another may have it from the day after its last contract there has ended.",
    },
    Choice {
        name: "incomplete-is-billed",
        article: "Art. 5.7",
        what: "A contract without all prerequisites is not served, in its test window neither, and is billed.",
    },
    Choice {
        name: "suspended-and-ineligible-are-billed",
        article: "Art. 10",
        what: "A contract is billed on while it is suspended, and while its mobile contract is missing.",
    },
    Choice {
        name: "use-counts-for-art-6",
        article: "Art. 6",
        what: "An application occupies the days from its test window, or else from its billing start date, to its last; before these are known \
               it stands only beside contracts of the other kind whose last day is recorded.",
    },
    Choice {
        name: "verify-counts-for-art-6",
        article: "Art. 6",
        what: "A vpdn contract counts as the kind that it verifies by.",
    },
    Choice {
        name: "accounts-by-accepted-changes",
        article: "Art. 7",
        what: "Once a contract is accepted, its number of accounts changes by an accepted change only; a document that says another is refused.",
    },
    Choice {
        name: "one-lns-without-the-option",
        article: "Art. 8.2",
        what: "Without the option a vpdn contract has exactly one LNS; before the option starts, the first of the list serves.",
    },
    Choice {
        name: "option-accepted-with-its-contract",
        article: "Art. 8.2, 10",
        what: "An option is accepted with its contract, or on the first day of the document that adds it; one not started is withdrawn by \
               leaving it out, and one that has ended is applied for anew after a document without it.",
    },
    Choice {
        name: "option-in-the-test-window",
        article: "Art. 8.2",
        what: "While its contract is tried out, so is the option.",
    },
    Choice {
        name: "no-shift-for-holidays",
        article: "Art. 8.4, 9",
        what: "The 30 days of a notice end on the day they end on, holiday or not.",
    },
    Choice {
        name: "general-ground-ends-as-named",
        article: "Art. 9",
        what: "A cancellation by general regulation 28(2) or 28(3) takes effect on the day it names, not before its arrival; else on that day.",
    },
    Choice {
        name: "last-document-wins",
        article: "Art. 7",
        what: "From its first day on, a document takes the place of all recorded before it, scheduled ones included.",
    },
    Choice {
        name: "claimable-after-24-hours",
        article: "Art. 12",
        what: "A credit can be claimed from the local day on which 24 hours in a row were complete.",
    },
    Choice {
        name: "no-credit-while-not-served",
        article: "Art. 5.7, 12",
        what: "Time in which a contract is incomplete, ineligible or suspended is no time of an incident: what is before it and what is after it \
               are not in a row.",
    },
    Choice {
        name: "overlapping-incidents",
        article: "Art. 12",
        what: "Incidents of one contract that overlap are one time in a row; each counts what the earlier ones left over of whole days.",
    },
];

/// The last day of what is cancelled by a notice that arrived on `arrived` and names `requested`: by Art. 8.4 and 9, and where the ground is the
/// general regulation, which asks for no 30 days, as the notice says \[C\].
pub fn last_day(ground: Ground, arrived: Date, requested: Option<Date>) -> Date {
    match ground {
        Ground::Notice | Ground::Operator => calendar::cancellation_end(arrived, requested),
        Ground::General28_2 | Ground::General28_3 => requested.map_or(arrived, |requested| requested.max(arrived)),
    }
}

/// So long must something be unusable in a row for a credit (Art. 12), and so long is each day of it. Seconds.
pub const UNUSABLE_DAY: i64 = 86_400;
