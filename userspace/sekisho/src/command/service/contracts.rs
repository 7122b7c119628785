//! A contract's life: one verb, one event.

use std::collections::BTreeSet;

use jiff::civil::Date;
use sekisho_regulation::{Event, State, event::Part, prerequisites};

use super::{Exit, Recording, block_on, day};
use crate::registry::{
    apply::{File, apply},
    desk::{Desk, DeskError, Proposal},
    edit,
};

/// Which contracts.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Which {
    /// The contracts
    #[arg(value_name = "CONTRACT")]
    contracts: Vec<String>,
    /// Those of this customer for which the verb fits
    #[arg(long, value_name = "NAME")]
    customer: Vec<String>,
}

impl Which {
    /// By name; of customers those that are in one of these states.
    fn find(&self, desk: &Desk, fits: impl Fn(State) -> bool) -> Result<Vec<String>, DeskError> {
        let mut names = self.contracts.clone();
        let today = desk.today();
        for customer in &self.customer {
            if desk.book.customer(customer).is_none() {
                return Err(DeskError::Words(format!(
                    "there is no customer {customer}. `sekisho get customers` shows them."
                )));
            }
            let contracts = desk.book.contracts_of(customer);
            names.extend(contracts.filter(|it| it.state_on(today).is_some_and(&fits)).map(|it| it.name.clone()));
        }
        if names.is_empty() {
            let words = match &self.customer[..] {
                [] => "Name a contract, or a customer with --customer.".to_owned(),
                of => format!(
                    "No contract of {} is in a state that this fits: `sekisho get contracts` shows them.",
                    of.join(", ")
                ),
            };
            return Err(DeskError::Words(words));
        }
        let mut seen = BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()));
        Ok(names)
    }
}

/// `sekisho accept`.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Accept {
    #[command(flatten)]
    which: Which,
    /// The day of acceptance [default: today]
    #[arg(long, value_name = "DATE", value_parser = day)]
    on: Option<Date>,
    /// Serve it for trying out from this day on, before billing starts
    #[arg(long, value_name = "DATE", value_parser = day)]
    test_from: Option<Date>,
    #[command(flatten)]
    recording: Recording,
}

impl Accept {
    pub(in crate::command) fn run(&self) -> Exit {
        let Accept { which, on, test_from, recording } = self;
        each(
            recording,
            which,
            |state| state == State::Applied,
            |desk, contract| {
                let on = on.unwrap_or_else(|| desk.today());
                let line = format!("{contract} is accepted as of {on}");
                Ok((vec![Event::Accepted { contract, on, test_from: *test_from }], line))
            },
        )
    }
}

/// `sekisho reject` and `withdraw`.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct TurnDown {
    #[command(flatten)]
    which: Which,
    /// The day [default: today]
    #[arg(long, value_name = "DATE", value_parser = day)]
    on: Option<Date>,
    #[command(flatten)]
    recording: Recording,
}

impl TurnDown {
    pub(in crate::command) fn reject(&self) -> Exit {
        let TurnDown { which, on, recording } = self;
        each(
            recording,
            which,
            |state| state == State::Applied,
            |desk, contract| {
                let on = on.unwrap_or_else(|| desk.today());
                let line = format!("{contract} is rejected as of {on}");
                Ok((vec![Event::Rejected { contract, on }], line))
            },
        )
    }

    pub(in crate::command) fn withdraw(&self) -> Exit {
        let TurnDown { which, on, recording } = self;
        let fits = |state| matches!(state, State::Applied | State::Accepted | State::Testing);
        each(recording, which, fits, |desk, contract| {
            let on = on.unwrap_or_else(|| desk.today());
            let line = format!("{contract} is withdrawn as of {on}");
            Ok((vec![Event::Withdrawn { contract, on }], line))
        })
    }
}

/// `sekisho confirm`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Prerequisites (Art. 5.6): realm, terminal, lns, requesting-terminals, proxy-destination, account-data, and those \
                  that the contract's document names. `sekisho get contracts` shows which are missing."
)]
pub(in crate::command) struct Confirm {
    #[command(flatten)]
    which: Which,
    /// The prerequisite that has been seen to be met; give it several times for several
    #[arg(short = 'p', long = "prerequisite", value_name = "NAME", required_unless_present = "all")]
    prerequisites: Vec<String>,
    /// All that are missing
    #[arg(long, conflicts_with = "prerequisites")]
    all: bool,
    /// The day on which that was seen, of contracts that are older than the registry [default: now]
    #[arg(long, value_name = "DATE", value_parser = day)]
    on: Option<Date>,
    #[command(flatten)]
    recording: Recording,
}

impl Confirm {
    pub(in crate::command) fn run(&self) -> Exit {
        let Confirm { which, prerequisites: named, all, on, recording } = self;
        each(
            recording,
            which,
            |state| !state.is_over(),
            |desk, contract| {
                let today = desk.today();
                let at = on.filter(|on| *on != today).map_or(desk.now, |on| desk.book.midnight(on));
                let missing = || {
                    let contract = desk.book.contract(&contract);
                    let terms = contract.and_then(|it| it.terms_on(today).map(prerequisites));
                    let confirmed = |name: &str| contract.is_some_and(|it| it.confirmed.contains_key(name));
                    terms.into_iter().flatten().map(|it| it.name).filter(move |name| !confirmed(name)).collect()
                };
                let names: Vec<String> = if *all { missing() } else { named.clone() };
                let line = match &names[..] {
                    [] => format!("{contract}: nothing is missing"),
                    names => format!("{contract}: {} confirmed", names.join(", ")),
                };
                let event = |prerequisite| Event::Confirmed { contract: contract.clone(), prerequisite, at };
                Ok((names.into_iter().map(event).collect(), line))
            },
        )
    }
}

/// `sekisho start`.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Start {
    #[command(flatten)]
    which: Which,
    /// The billing start date [default: today]
    #[arg(long, value_name = "DATE", value_parser = day)]
    on: Option<Date>,
    /// The contract's load-balancing option alone, which has a start of its own (Art. 8.3)
    #[arg(long)]
    option: bool,
    #[command(flatten)]
    recording: Recording,
}

impl Start {
    pub(in crate::command) fn run(&self) -> Exit {
        let Start { which, on, option, recording } = self;
        let fits = |state| match *option {
            true => state == State::Serving,
            false => matches!(state, State::Accepted | State::Testing),
        };
        each(recording, which, fits, |desk, contract| {
            let on = on.unwrap_or_else(|| desk.today());
            let started = |part| Event::Started { contract: contract.clone(), part, on };
            if *option {
                return Ok((vec![started(Part::Option)], format!("the option of {contract} starts on {on}")));
            }
            let has_option =
                desk.book.contract(&contract).and_then(|it| it.terms_on(on)).is_some_and(|it| it.option.is_some());
            let mut events = vec![started(Part::Basic)];
            events.extend(has_option.then(|| started(Part::Option)));
            let with = if has_option { ", with its load-balancing option" } else { "" };
            Ok((events, format!("{contract} starts on {on}{with}")))
        })
    }
}

/// `sekisho change`.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Change {
    /// The `group` contract
    #[arg(value_name = "CONTRACT")]
    contract: String,
    /// The number of accounts (Art. 7(1))
    #[arg(long, value_name = "NUMBER")]
    accounts: u32,
    /// In force from this day on [default: today]
    #[arg(long, value_name = "DATE", value_parser = day)]
    at: Option<Date>,
    #[command(flatten)]
    recording: Recording,
}

impl Change {
    /// The document is what says how many there are: it is changed, and applied.
    pub(in crate::command) fn run(&self) -> Exit {
        block_on(async {
            let mut desk = Desk::open(&self.recording.place.config).await?;
            let from = self.at.unwrap_or_else(|| desk.today());
            let unknown = || {
                DeskError::Words(format!("there is no contract {}. `sekisho get contracts` shows them.", self.contract))
            };
            let customer = desk.book.contract(&self.contract).ok_or_else(unknown)?.customer.clone();
            let papers = desk.papers_at(desk.book.midnight(from).max(desk.now)).await?;
            let text = papers.text(Some(&customer)).ok_or_else(unknown)?;
            let text = edit::accounts(text, &self.contract, self.accounts).map_err(DeskError::Words)?;
            let file = File { name: papers.name(Some(&customer)).unwrap_or_default().to_owned(), text };
            let applied = apply(&mut desk, &[file], (from, None), &self.recording.author()).await?;
            self.recording.finish(&mut desk, applied.proposal, &applied.lines).await?;
            Ok(Exit::Success)
        })
    }
}

/// `sekisho suspend` and `resume`.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Pause {
    #[command(flatten)]
    which: Which,
    /// From this day on [default: today]
    #[arg(long, value_name = "DATE", value_parser = day)]
    from: Option<Date>,
    #[command(flatten)]
    recording: Recording,
}

impl Pause {
    pub(in crate::command) fn suspend(&self) -> Exit {
        let Pause { which, from, recording } = self;
        each(
            recording,
            which,
            |state| matches!(state, State::Serving | State::Cancelling),
            |desk, contract| {
                let from = from.unwrap_or_else(|| desk.today());
                let line = format!("{contract} is suspended from {from} on; it is billed on");
                Ok((vec![Event::Suspended { contract, from }], line))
            },
        )
    }

    pub(in crate::command) fn resume(&self) -> Exit {
        let Pause { which, from, recording } = self;
        each(
            recording,
            which,
            |state| state == State::Suspended,
            |desk, contract| {
                let from = from.unwrap_or_else(|| desk.today());
                let line = format!("{contract} is served again from {from} on");
                Ok((vec![Event::Resumed { contract, from }], line))
            },
        )
    }
}

/// One verb for all of the contracts, all or none.
pub(super) fn each(
    recording: &Recording,
    which: &Which,
    fits: impl Fn(State) -> bool,
    verb: impl Fn(&Desk, String) -> Result<(Vec<Event>, String), DeskError>,
) -> Exit {
    block_on(async {
        let mut desk = Desk::open(&recording.place.config).await?;
        let (mut proposal, mut lines) = (Proposal::default(), Vec::new());
        for contract in which.find(&desk, fits)? {
            let (events, line) = verb(&desk, contract)?;
            proposal.events.extend(events);
            lines.push(line);
        }
        recording.finish(&mut desk, proposal, &lines).await?;
        Ok(Exit::Success)
    })
}
