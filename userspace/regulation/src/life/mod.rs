//! The order of things: what may be recorded now, one function a verb. What must hold on every day is in `rules`.

mod cancel;
mod document;
mod incidents;
mod verbs;

use jiff::{Timestamp, civil::Date};

use crate::{
    book::Book,
    contract::Contract,
    event::{Entry, Event},
    refusal::{Refusal, Rule},
};

/// Nothing against it, or why not.
type Checked = Result<(), Refusal>;

/// The book before an entry, and the entry's instant.
struct Now<'a> {
    book: &'a Book,
    at: Timestamp,
    today: Date,
}

/// What speaks against recording `entry` next.
pub(crate) fn check(book: &Book, entry: &Entry) -> Vec<Refusal> {
    let now = Now { book, at: entry.at, today: book.day(entry.at) };
    let checked = match &entry.event {
        Event::Document { from, applied, terms } => return now.document(*from, *applied, terms),
        Event::Operator { from } => now.not_past(*from),
        Event::Accepted { contract, on, test_from } => now.accepted(contract, *on, *test_from),
        Event::Rejected { contract, on } => now.rejected(contract, *on),
        Event::Withdrawn { contract, on } => now.withdrawn(contract, *on),
        Event::Confirmed { contract, prerequisite, at } => now.confirmed(contract, prerequisite, *at),
        Event::Started { contract, part, on } => now.started(contract, *part, *on),
        Event::Changed { contract, on, from, accounts } => now.changed(contract, *on, *from, *accounts),
        Event::Suspended { contract, from } => now.suspended(contract, *from),
        Event::Resumed { contract, from } => now.resumed(contract, *from),
        Event::Cancelled { contract, part, arrived, requested, ground, survivor } => {
            let notice = cancel::Notice { arrived: *arrived, requested: *requested, ground: *ground };
            now.cancelled(contract, *part, notice, survivor.as_deref())
        }
        Event::Ended { contract, on, ground } => now.ended(contract, *on, *ground),
        Event::IncidentOpened { incident, affects, known, .. } => return now.opened(incident, affects, *known),
        Event::IncidentReported { incident, known, .. } => now.reported(incident, *known),
        Event::IncidentClosed { incident, ended, .. } => now.closed(incident, *ended),
        Event::Claimed { incident, contract, arrived } => now.claimed(incident, contract, *arrived),
        Event::MonthClosed { customer, month, .. } => now.month_closed(customer, *month),
        Event::Accounts { contract, .. } => now.accounts(contract),
    };
    checked.err().into_iter().collect()
}

/// The contracts, incidents and months that an entry is about: what follows on a refused entry for one of them is not looked at, since it
/// would be refused for want of the first.
pub(crate) fn subjects(event: &Event) -> Vec<String> {
    let contract = |contract: &String| vec![format!("contract {contract}")];
    let incident = |incident: &String| vec![format!("incident {incident}")];
    match event {
        Event::Document { terms, .. } => terms.contracts.iter().flat_map(|terms| contract(&terms.contract)).collect(),
        Event::Operator { .. } => Vec::new(),
        Event::Accepted { contract: name, .. }
        | Event::Rejected { contract: name, .. }
        | Event::Withdrawn { contract: name, .. }
        | Event::Confirmed { contract: name, .. }
        | Event::Started { contract: name, .. }
        | Event::Changed { contract: name, .. }
        | Event::Suspended { contract: name, .. }
        | Event::Resumed { contract: name, .. }
        | Event::Cancelled { contract: name, .. }
        | Event::Ended { contract: name, .. }
        | Event::Accounts { contract: name, .. } => contract(name),
        Event::IncidentOpened { incident: name, .. }
        | Event::IncidentReported { incident: name, .. }
        | Event::IncidentClosed { incident: name, .. }
        | Event::Claimed { incident: name, .. } => incident(name),
        Event::MonthClosed { customer, .. } => vec![format!("months of {customer}")],
    }
}

impl Now<'_> {
    /// A contract by name.
    fn contract(&self, name: &str) -> Result<&Contract, Refusal> {
        self.book.contract(name).ok_or_else(|| {
            let remedy = "see `sekisho get contracts` for the names, or apply a document that has it first";
            Refusal::new(Rule::Names, "Art. 4", name, "there is no such contract", remedy)
        })
    }

    /// That a contract is not in the state that a verb wants.
    fn wrong_state(&self, article: &'static str, contract: &Contract, verb: &str) -> Refusal {
        let Some(state) = contract.state_on(self.today) else {
            let message = format!("it cannot be {verb}: it is applied for from {} on", contract.applied);
            return Refusal::new(Rule::Life, article, &contract.name, message, "wait for that day");
        };
        let mut message = format!("it cannot be {verb}: it is {state}");
        if let Some(start) = contract.billing_start.filter(|start| *start > self.today) {
            message += &format!(", and billing starts on {start}");
        }
        if let Some(end) = contract.end {
            message += &format!(", and its last day is {}", end.on);
        }
        Refusal::new(Rule::Life, article, &contract.name, message, state.verbs())
    }

    /// A fact is of today or of a day before.
    fn not_future(&self, article: &'static str, contract: &str, what: &str, day: Date) -> Checked {
        if day <= self.today {
            return Ok(());
        }
        let message = format!("{what} on {day}, which is after today, {}", self.today);
        Err(Refusal::new(Rule::Life, article, contract, message, "record it when it has happened"))
    }

    /// Nothing comes before what it follows.
    fn not_before(
        &self,
        article: &'static str,
        contract: &str,
        what: &str,
        day: Date,
        follows: (&str, Date),
    ) -> Checked {
        let (before, earliest) = follows;
        if day >= earliest {
            return Ok(());
        }
        let message = format!("{what} on {day}, before {before} on {earliest}");
        Err(Refusal::new(Rule::Life, article, contract, message, format!("name {earliest} or a later day")))
    }

    /// A document is in force from today on, or from a later day.
    fn not_past(&self, from: Date) -> Checked {
        if from >= self.today {
            return Ok(());
        }
        let message = format!("a document from {from} on would change what has been: today is {}", self.today);
        Err(Refusal::general(Rule::Life, "Art. 7", message, "apply it from today or a later day on"))
    }
}
