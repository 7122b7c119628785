//! The book as commands show it: plain values, the same as a page and as JSON.

use jiff::{Timestamp, civil::Date};
use sekisho_registry::account;
use sekisho_regulation::{
    Book, Entry, Event, Standing,
    event::{Fault, Part},
};
use serde::Serialize;

/// Customers, by name.
#[derive(Debug, Serialize)]
pub struct Customers {
    /// Each.
    pub customers: Vec<Customer>,
}

/// A customer.
#[derive(Debug, Serialize)]
pub struct Customer {
    /// Its name.
    pub name: String,
    /// As people write it.
    pub title: Option<String>,
    /// Contracts that are not over.
    pub contracts: usize,
    /// Those that are served.
    pub served: usize,
    /// Its realms.
    pub realms: Vec<String>,
}

/// Contracts, by customer and name.
#[derive(Debug, Serialize)]
pub struct Contracts {
    /// Each.
    pub contracts: Vec<Contract>,
}

/// A contract.
#[derive(Debug, Serialize)]
pub struct Contract {
    /// Whose.
    pub customer: String,
    /// Its name.
    pub contract: String,
    /// Its kind, as people say it: `vpdn D`.
    pub kind: String,
    /// Where it is in its life.
    pub state: String,
    /// Whether the data plane serves it.
    pub served: bool,
    /// Since when it is billed.
    pub since: Option<Date>,
    /// Its last day.
    pub until: Option<Date>,
    /// Its load-balancing option.
    pub option: Option<String>,
    /// The number of accounts of a `group` contract.
    pub accounts: Option<u32>,
    /// Why it is not served, a line each.
    pub why_not: Vec<String>,
    /// What restricts it (Art. 14.1).
    pub restrictions: Vec<String>,
}

/// Hosted accounts of a contract, without their passwords.
#[derive(Debug, Serialize)]
pub struct Accounts {
    /// How many there are.
    pub count: usize,
    /// How many the contract may have.
    pub most: u32,
    /// The first of them, by realm and user.
    pub accounts: Vec<Account>,
}

/// A hosted account.
#[derive(Debug, Serialize)]
pub struct Account {
    /// Its realm.
    pub realm: String,
    /// The part of User-Name without it.
    pub user: String,
    /// How its password is kept.
    pub password: String,
    /// Whether it may log in.
    pub enabled: bool,
    /// Until when.
    pub expires: Option<Timestamp>,
    /// Sessions at a time; `None`: as the contract says.
    pub simultaneous: Option<u16>,
    /// The numbers that it is bound to.
    pub calling: Vec<String>,
    /// Attributes of its Accepts, by name.
    pub reply: Vec<String>,
    /// What is to be remembered.
    pub note: String,
}

impl Accounts {
    /// The first `limit` of a contract's.
    pub fn of(accounts: &[account::Account], limit: usize, most: u32) -> Accounts {
        let one = |it: &account::Account| Account {
            realm: it.realm.clone(),
            user: it.user.clone(),
            password: match it.secret {
                account::Secret::Recoverable(_) => "recoverable",
                account::Secret::Argon2id(_) => "argon2id",
            }
            .to_owned(),
            enabled: it.enabled,
            expires: it.expires,
            simultaneous: it.simultaneous,
            calling: it.calling.clone(),
            reply: it.reply.iter().map(|(name, _)| name.clone()).collect(),
            note: it.note.clone(),
        };
        Accounts { count: accounts.len(), most, accounts: accounts.iter().take(limit).map(one).collect() }
    }
}

/// Incidents, in the order recorded.
#[derive(Debug, Serialize)]
pub struct Incidents {
    /// Each.
    pub incidents: Vec<Incident>,
}

/// An incident.
#[derive(Debug, Serialize)]
pub struct Incident {
    /// Its name.
    pub incident: String,
    /// What is affected.
    pub affects: Vec<String>,
    /// Since when the operator knows.
    pub known: Option<Timestamp>,
    /// Since when it is over.
    pub ended: Option<Timestamp>,
    /// Open, a draft, or whose fault it was.
    pub state: String,
    /// What for it can be claimed, a line for each contract.
    pub credit: Vec<String>,
}

/// One entry of the history.
#[derive(Debug, Serialize)]
pub struct HistoryLine {
    /// Its number.
    pub number: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
    /// What, in words.
    pub what: String,
    /// Whom it is about.
    pub customers: Vec<String>,
    /// What it is about.
    pub contracts: Vec<String>,
}

impl Customers {
    /// All, or one, as of an instant.
    pub fn of(book: &Book, customer: Option<&str>, at: Timestamp) -> Customers {
        let (in_force, day) = (book.in_force(at), book.day(at));
        let customers = book.customers().filter(|it| customer.is_none_or(|name| name == it.name)).map(|it| {
            let standings = || in_force.contracts.values().filter(|standing| standing.customer == it.name);
            let document = it.document_on(day);
            let mut realms: Vec<String> = document
                .iter()
                .flat_map(|document| &document.terms.contracts)
                .flat_map(|contract| contract.realms.iter().cloned())
                .collect();
            realms.sort();
            realms.dedup();
            Customer {
                name: it.name.clone(),
                title: document.and_then(|document| document.terms.title.clone()),
                contracts: standings().filter(|standing| !standing.state.is_over()).count(),
                served: standings().filter(|standing| standing.served).count(),
                realms,
            }
        });
        Customers { customers: customers.collect() }
    }
}

impl Contracts {
    /// All, or a customer's, as of an instant.
    pub fn of(book: &Book, customer: Option<&str>, at: Timestamp) -> Contracts {
        let in_force = book.in_force(at);
        let mut contracts: Vec<Contract> = in_force
            .contracts
            .iter()
            .filter(|(_, standing)| customer.is_none_or(|name| name == standing.customer))
            .map(|(name, standing)| contract(book, name, standing, at))
            .collect();
        contracts.sort_by(|a, b| (&a.customer, &a.contract).cmp(&(&b.customer, &b.contract)));
        Contracts { contracts }
    }
}

fn contract(book: &Book, name: &str, standing: &Standing, at: Timestamp) -> Contract {
    let found = book.contract(name);
    let option = standing.option.as_ref().map(|option| match (&option.serving, &option.survivor, option.last_day) {
        (true, _, Some(last)) => format!("until {last}"),
        (true, _, None) => "serving".to_owned(),
        (false, Some(lns), _) => format!("not serving: {lns} alone"),
        (false, None, _) => "not serving".to_owned(),
    });
    Contract {
        customer: standing.customer.clone(),
        contract: name.to_owned(),
        kind: found.and_then(|it| it.terms_on(book.day(at)).map(|terms| terms.kind.to_string())).unwrap_or_default(),
        state: standing.to_string(),
        served: standing.served,
        since: found.and_then(|it| it.billing_start),
        until: standing.last_day,
        option,
        accounts: standing.accounts,
        why_not: standing.why_not.iter().map(ToString::to_string).collect(),
        restrictions: standing.restrictions.clone(),
    }
}

impl HistoryLine {
    /// An entry in words.
    pub fn of(entry: &Entry, book: &Book) -> HistoryLine {
        let (what, mut contracts, customer) = words(&entry.event);
        if let Event::IncidentReported { incident, .. } | Event::IncidentClosed { incident, .. } = &entry.event {
            let affects = book.incident(incident).into_iter().flat_map(|it| &it.affects);
            contracts.extend(affects.map(|it| it.contract.clone()));
        }
        let mut customers: Vec<String> = customer.into_iter().collect();
        for contract in &contracts {
            customers.extend(book.contract(contract).map(|it| it.customer.clone()));
        }
        customers.sort();
        customers.dedup();
        HistoryLine {
            number: entry.number,
            at: entry.at,
            who: entry.who.clone(),
            why: entry.why.clone(),
            what,
            customers,
            contracts,
        }
    }
}

impl HistoryLine {
    /// What of it is a customer's: whoever asks for one does not learn of another that the same entry is about.
    pub fn only(mut self, customer: &str, book: &Book) -> Option<HistoryLine> {
        if !self.customers.iter().any(|it| it == customer) {
            return None;
        }
        self.customers.retain(|it| it == customer);
        self.contracts.retain(|it| book.contract(it).is_some_and(|contract| contract.customer == customer));
        Some(self)
    }
}

/// What happened, the contracts that it is about, and a customer that it is about as a whole.
fn words(event: &Event) -> (String, Vec<String>, Option<String>) {
    let one = |contract: &String| vec![contract.clone()];
    let of = |part: &Part| if *part == Part::Option { "the option of " } else { "" };
    match event {
        Event::Document { from, terms, .. } => {
            let contracts = terms.contracts.iter().map(|it| it.contract.clone()).collect();
            (format!("document of {}, from {from}", terms.customer), contracts, Some(terms.customer.clone()))
        }
        Event::Operator { from } => (format!("the operator's document, from {from}"), vec![], None),
        Event::Accepted { contract, on, test_from } => {
            let test = test_from.map_or(String::new(), |day| format!(", tried out from {day}"));
            (format!("{contract} accepted on {on}{test}"), one(contract), None)
        }
        Event::Rejected { contract, on } => (format!("{contract} rejected on {on}"), one(contract), None),
        Event::Withdrawn { contract, on } => (format!("{contract} withdrawn on {on}"), one(contract), None),
        Event::Confirmed { contract, prerequisite, .. } => {
            (format!("{contract}: {prerequisite} confirmed"), one(contract), None)
        }
        Event::Started { contract, part, on } => {
            (format!("{}{contract} started on {on}", of(part)), one(contract), None)
        }
        Event::Changed { contract, from, accounts: (before, after), .. } => {
            (format!("{contract}: {after} accounts from {from}, {before} before"), one(contract), None)
        }
        Event::Suspended { contract, from } => (format!("{contract} suspended from {from}"), one(contract), None),
        Event::Resumed { contract, from } => (format!("{contract} resumed from {from}"), one(contract), None),
        Event::Cancelled { contract, part, arrived, requested, survivor, .. } => {
            let requested = requested.map_or(String::new(), |day| format!(", to end on {day}"));
            let survivor = survivor.as_ref().map_or(String::new(), |lns| format!(", {lns} remains"));
            let what = format!("{}{contract} cancelled by a notice of {arrived}{requested}{survivor}", of(part));
            (what, one(contract), None)
        }
        Event::Ended { contract, on, ground } => (format!("{contract} ended by {ground} on {on}"), one(contract), None),
        Event::IncidentOpened { incident, affects, known, draft, .. } => {
            let draft = if *draft { " (a draft)" } else { "" };
            let contracts = affects.iter().map(|it| it.contract.clone()).collect();
            (format!("incident {incident}{draft}, known at {known}"), contracts, None)
        }
        Event::IncidentReported { incident, known, .. } => {
            (format!("incident {incident} reported, known at {known}"), vec![], None)
        }
        Event::IncidentClosed { incident, ended, .. } => {
            (format!("incident {incident} ended at {ended}"), vec![], None)
        }
        Event::Claimed { incident, contract, arrived } => {
            (format!("{incident} claimed for {contract} on {arrived}"), one(contract), None)
        }
        Event::MonthClosed { customer, month, .. } => {
            (format!("{} of {customer} closed", month.strftime("%Y-%m")), vec![], Some(customer.clone()))
        }
        Event::Accounts { contract, what } => (format!("{contract}: {what}"), one(contract), None),
    }
}

impl Incidents {
    /// All, or those that affect a customer's contracts.
    pub fn of(book: &Book, customer: Option<&str>) -> Incidents {
        let is_asked = |incident: &sekisho_regulation::Incident| {
            let mut contracts = incident.affects.iter().filter_map(|it| book.contract(&it.contract));
            customer.is_none_or(|name| contracts.any(|contract| contract.customer == name))
        };
        let incidents = book.incidents().filter(|incident| is_asked(incident)).map(|incident| Incident {
            incident: incident.name.clone(),
            // Whoever asks for one customer does not learn of another.
            affects: incident
                .affects
                .iter()
                .filter(|it| {
                    let of = book.contract(&it.contract).map(|contract| contract.customer.as_str());
                    customer.is_none_or(|name| of == Some(name))
                })
                .map(|it| format!("{}{}", if it.part == Part::Option { "option of " } else { "" }, it.contract))
                .collect(),
            known: incident.known(),
            ended: incident.closed.map(|(ended, _)| ended),
            state: match (incident.draft, incident.closed) {
                (true, _) => "draft".to_owned(),
                (false, None) => "open".to_owned(),
                (false, Some((_, fault))) => format!("closed: {}", fault_of(fault)),
            },
            credit: credit(book, incident, customer),
        });
        Incidents { incidents: incidents.collect() }
    }
}

const fn fault_of(fault: Fault) -> &'static str {
    match fault {
        Fault::Operator => "the operator's fault",
        Fault::Customer => "the customer's own",
        Fault::Limit => "a limit",
        Fault::Prerequisite => "a prerequisite was missing",
        Fault::Other => "nobody's fault",
    }
}

/// What can be claimed, or has been, for each contract.
fn credit(book: &Book, incident: &sekisho_regulation::Incident, customer: Option<&str>) -> Vec<String> {
    let mut lines = Vec::new();
    for affected in &incident.affects {
        let of = book.contract(&affected.contract).map(|contract| contract.customer.as_str());
        if customer.is_some_and(|name| of != Some(name)) {
            continue;
        }
        let outages = book.outages(&affected.contract, affected.part);
        for outage in outages.iter().filter(|outage| outage.incident == incident.name) {
            let days = outage.seconds() / 86_400;
            let words = match (&outage.claimable, outage.claimed) {
                (_, Some(day)) => format!("{days} days, claimed on {day}"),
                (Some(range), None) => format!("{days} days, to be claimed from {} to {}", range.start(), range.end()),
                (None, None) => "less than 24 hours in a row: no credit (Art. 12)".to_owned(),
            };
            lines.push(format!("{}: {words}", affected.contract));
        }
    }
    lines
}
