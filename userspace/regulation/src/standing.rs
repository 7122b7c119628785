//! What is in force at an instant: what the data plane serves, and why it does not serve the rest.

use std::{collections::BTreeMap, fmt};

use jiff::{Timestamp, civil::Date};

use crate::{
    book::Book,
    contract::Contract,
    customer::CustomerBook,
    option::OptionLife,
    refusal::{Refusal, Rule},
    state::State,
    terms::{ContractTerms, Item, Kind, Terms, Verify},
};

/// What is in force at an instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// For each customer, the entry number of its document.
    pub documents: BTreeMap<String, u64>,
    /// The entry number of the operator's document.
    pub operator: Option<u64>,
    /// Each contract that was ever applied for.
    pub contracts: BTreeMap<String, Standing>,
}

/// How a contract stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Whose it is.
    pub customer: String,
    /// Where it is in its life.
    pub state: State,
    /// Whether the data plane serves it.
    pub served: bool,
    /// Why not: empty where it is served.
    pub why_not: Vec<Refusal>,
    /// The prerequisites that are not confirmed, by name: with any of them it is incomplete (Art. 5.7).
    pub missing: Vec<String>,
    /// It is a `vpdn` contract without the mobile contract that it asks for (Art. 5.3 to 5.5).
    pub ineligible: bool,
    /// Its load-balancing option, once a document in force has applied for it.
    pub option: Option<OptionStanding>,
    /// The LNSs of a `vpdn` contract that new sessions go to: all with the option, else one.
    pub lnss: Vec<String>,
    /// The number of accounts of a `group` contract.
    pub accounts: Option<u32>,
    /// What restricts it because of other services (Art. 14.1).
    pub restrictions: Vec<String>,
    /// Its last day, where that is known.
    pub last_day: Option<Date>,
}

/// How a load-balancing option stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionStanding {
    /// Whether sessions are shared by all LNSs.
    pub serving: bool,
    /// Where they are not: the only LNS that new sessions go to. Once the option has ended, the one that its notice named; before it starts,
    /// or where the document no longer has that one, the first of the document \[C\].
    pub survivor: Option<String>,
    /// Its last day, where that is known.
    pub last_day: Option<Date>,
}

impl Standing {
    /// A word for each thing that is to be seen at a glance beside the state: `incomplete`, `ineligible`.
    pub fn remarks(&self) -> impl Iterator<Item = &'static str> {
        let incomplete = (!self.missing.is_empty() && !self.state.is_over()).then_some("incomplete");
        incomplete.into_iter().chain(self.ineligible.then_some("ineligible"))
    }
}

/// Such as `serving`, or `cancelling, incomplete`.
impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> =
            [self.state.to_string()].into_iter().chain(self.remarks().map(str::to_owned)).collect();
        f.pad(&words.join(", "))
    }
}

impl Book {
    /// What the data plane is to serve at an instant, as everything recorded so far has it.
    pub fn in_force(&self, at: Timestamp) -> InForce {
        let day = self.day(at);
        let mut in_force = InForce { operator: self.operator_on(day), ..InForce::default() };
        for customer in self.customers() {
            let (document, contracts) = self.in_force_of(customer, day, at);
            in_force.documents.extend(document.map(|number| (customer.name.clone(), number)));
            in_force.contracts.extend(contracts.into_iter().map(|(name, standing)| (name.to_owned(), standing)));
        }
        in_force
    }

    /// One customer's part of it: the entry number of its document, and its contracts.
    pub(crate) fn in_force_of<'a>(
        &'a self,
        customer: &'a CustomerBook,
        day: Date,
        at: Timestamp,
    ) -> (Option<u64>, Vec<(&'a str, Standing)>) {
        let document = customer.document_on(day);
        let terms = document.map(|document| &*document.terms);
        let mut standings: Vec<(&Contract, Standing)> = self
            .contracts_of(&customer.name)
            .filter_map(|contract| Some((contract, standing(contract, terms, day, at)?)))
            .collect();
        let serves = |kind: fn(&Kind) -> bool| {
            standings.iter().any(|(contract, standing)| standing.served && contract.kind().is_some_and(kind))
        };
        let by_proxy = serves(|kind| matches!(kind, Kind::Proxy));
        let by_group = serves(|kind| matches!(kind, Kind::Group { .. }));
        for (contract, standing) in &mut standings {
            let verify = contract.terms_on(day).and_then(|terms| terms.kind.verify());
            let nobody = match verify {
                Some(Verify::Proxy) if !by_proxy => "proxy",
                Some(Verify::Group) if !by_group => "group",
                _ => continue,
            };
            if standing.state.is_served() {
                standing.refuse(verified_by_nobody(&contract.name, nobody));
            }
        }
        let named = standings.into_iter().map(|(contract, standing)| (&*contract.name, standing)).collect();
        (document.map(|document| document.number), named)
    }
}

impl Standing {
    fn refuse(&mut self, why: Refusal) {
        self.served = false;
        self.why_not.push(why);
    }
}

impl Kind {
    /// Who authenticates, of a `vpdn` contract.
    pub fn verify(&self) -> Option<Verify> {
        match self {
            Kind::Vpdn { verify, .. } => Some(*verify),
            _ => None,
        }
    }

    /// The item (品目), of a `vpdn` contract.
    pub fn item(&self) -> Option<Item> {
        match self {
            Kind::Vpdn { item, .. } => Some(*item),
            _ => None,
        }
    }

    /// The LNSs, of a `vpdn` contract.
    pub fn lnss(&self) -> &[String] {
        match self {
            Kind::Vpdn { lnss, .. } => lnss,
            _ => &[],
        }
    }
}

/// How a contract stands by itself; `None` before it was applied for.
pub(crate) fn standing(contract: &Contract, document: Option<&Terms>, day: Date, at: Timestamp) -> Option<Standing> {
    let state = contract.state_on(day)?;
    let terms = contract.terms_on(day)?;
    let missing = contract.missing(day, at);
    let mut standing = Standing {
        customer: contract.customer.clone(),
        state,
        served: true,
        why_not: Vec::new(),
        missing: missing.iter().map(|missing| missing.name.clone()).collect(),
        ineligible: false,
        option: contract.option_on(day).map(|option| option_standing(contract, option, terms, state, day)),
        lnss: Vec::new(),
        accounts: contract.accounts_on(day),
        restrictions: document.map(|document| document.restrictions.clone()).unwrap_or_default(),
        last_day: contract.end.filter(|end| end.known <= day).map(|end| end.on),
    };
    standing.lnss = lnss(terms, standing.option.as_ref());
    if !state.is_served() {
        standing.refuse(by_state(contract, state));
        if state.is_over() {
            return Some(standing);
        }
    } else if contract.standing().is_some_and(|days| day < days.from) {
        let from = contract.terms.first()?.from;
        let message = format!("its document is in force from {from} on");
        let remedy = "wait for that day, or apply a document from an earlier day on";
        standing.refuse(Refusal::new(Rule::Life, "Art. 5.1", &contract.name, message, remedy));
    }
    for missing in &missing {
        standing.refuse(incomplete(&contract.name, &missing.name, missing.article, missing.what));
    }
    if let (Some(item), Some(document)) = (terms.kind.item(), document) {
        standing.ineligible = !document.is_eligible(item, day);
        if standing.ineligible {
            standing.refuse(not_eligible(&contract.name, item));
        }
        if document.private_gateway && item != Item::D {
            standing.refuse(crate::rules::gateway::refusal(&contract.name, item, "the customer uses it"));
        }
    }
    Some(standing)
}

fn option_standing(
    contract: &Contract,
    option: &OptionLife,
    terms: &ContractTerms,
    state: State,
    day: Date,
) -> OptionStanding {
    let last_day = contract.option_end(option).filter(|end| end.known <= day).map(|end| end.on);
    let over = contract.option_end(option).is_some_and(|end| end.on < day);
    let shared = option.billed().is_some_and(|billed| billed.contains(day)) || state == State::Testing;
    let serving = shared && !over;
    let named = option.survivor.as_ref().filter(|survivor| over && terms.kind.lnss().contains(survivor));
    let survivor = (!serving).then(|| named.or(terms.kind.lnss().first()).cloned()).flatten();
    OptionStanding { serving, survivor, last_day }
}

fn lnss(terms: &ContractTerms, option: Option<&OptionStanding>) -> Vec<String> {
    let lnss = terms.kind.lnss();
    match option {
        Some(option) if option.serving => lnss.to_vec(),
        Some(OptionStanding { survivor: Some(survivor), .. }) => vec![survivor.clone()],
        _ => lnss.iter().take(1).cloned().collect(),
    }
}

fn by_state(contract: &Contract, state: State) -> Refusal {
    let name = &contract.name;
    let (article, message) = match state {
        State::Applied => ("Art. 10", "it was applied for, and is not accepted".to_owned()),
        State::Accepted => ("Art. 3", "billing has not started, and it has no test window now".to_owned()),
        State::Suspended => ("general regulation", "it is suspended".to_owned()),
        State::Rejected => ("Art. 10", "its application was rejected".to_owned()),
        State::Withdrawn => ("Art. 10", "its application was withdrawn".to_owned()),
        State::Ended | State::EndedByOperator => {
            let last = contract.end.map(|end| format!(", its last day was {}", end.on)).unwrap_or_default();
            ("Art. 9", format!("it has {state}{last}"))
        }
        // These are served.
        State::Testing | State::Serving | State::Cancelling => ("Art. 3", format!("it is {state}")),
    };
    Refusal::new(Rule::Life, article, name, message, state.verbs())
}

fn incomplete(contract: &str, name: &str, article: &'static str, what: &str) -> Refusal {
    let message = format!("it is incomplete: {name} is not confirmed");
    Refusal::new(Rule::Prerequisites, article, contract, message, format!("confirm {name} once {what}"))
}

fn not_eligible(contract: &str, item: Item) -> Refusal {
    let message =
        format!("it is ineligible: no mobile contract of type {item} ({}) is in force", item.classes().join(", "));
    let remedy = "apply a document with such a mobile contract, or cancel this one";
    Refusal::new(Rule::Eligibility, item.article(), contract, message, remedy)
}

fn verified_by_nobody(contract: &str, kind: &str) -> Refusal {
    let message = format!("it verifies by {kind}, and no {kind} contract of its customer is served");
    let remedy = format!("see why no {kind} contract is served, or set another verify");
    Refusal::new(Rule::Verification, "Art. 1", contract, message, remedy)
}
