//! `sekisho get`: what the registry knows.

use clap::Subcommand;
use jiff::civil::Date;
use serde::Serialize;

use super::{Exit, Place, accounts::List, block_on, day};
use crate::{
    command::show,
    page::service as page,
    registry::{
        desk::{Desk, DeskError},
        view::{Contracts, Customers, HistoryLine, Incidents},
    },
};

/// What to show.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Customers, with what they hold
    Customers(Query),
    /// Contracts, each with its state, and why it is not served
    Contracts(Query),
    /// Hosted accounts of a contract, without their passwords
    Accounts(List),
    /// What was recorded: who, when, what, why
    History(History),
    /// Incidents, and the credit that they are worth
    Incidents(Incident),
}

#[derive(Debug, clap::Args)]
struct Query {
    #[command(flatten)]
    place: Place,
    /// Of this customer
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// As things will be, or were, when this day begins [default: now]
    #[arg(long, value_name = "DATE", value_parser = day)]
    at: Option<Date>,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Incident {
    #[command(flatten)]
    place: Place,
    /// Those that affect contracts of this customer
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct History {
    #[command(flatten)]
    place: Place,
    /// Of this customer
    #[arg(long, value_name = "NAME")]
    customer: Option<String>,
    /// Of this contract
    #[arg(long, value_name = "NAME")]
    contract: Option<String>,
    /// After the entry of this number
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    after: u64,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

pub(in crate::command) fn run(args: &Args) -> Exit {
    block_on(async {
        match &args.what {
            What::Customers(query) => {
                let desk = Desk::open(&query.place.config).await?;
                let found = Customers::of(&desk.book, query.customer.as_deref(), query.instant(&desk));
                Ok(shown(&desk, query.customer.as_deref(), &found, query.json, page::customers)?)
            }
            What::Contracts(query) => {
                let desk = Desk::open(&query.place.config).await?;
                let found = Contracts::of(&desk.book, query.customer.as_deref(), query.instant(&desk));
                Ok(shown(&desk, query.customer.as_deref(), &found, query.json, page::contracts)?)
            }
            What::Incidents(query) => {
                let desk = Desk::open(&query.place.config).await?;
                let found = Incidents::of(&desk.book, query.customer.as_deref());
                Ok(shown(&desk, query.customer.as_deref(), &found, query.json, page::incidents)?)
            }
            What::Accounts(list) => list.run().await,
            What::History(query) => {
                let desk = Desk::open(&query.place.config).await?;
                known(&desk, query.customer.as_deref())?;
                let contract = query.contract.as_deref();
                if let Some(name) = contract.filter(|name| desk.book.contract(name).is_none()) {
                    return Err(DeskError::Words(format!(
                        "there is no contract {name}. `sekisho get contracts` shows them."
                    )));
                }
                let entries = desk.registry.history(query.after).await?;
                let lines = entries.iter().map(|entry| HistoryLine::of(entry, &desk.book));
                let found: Vec<HistoryLine> = lines
                    .filter(|line| contract.is_none_or(|name| line.contracts.iter().any(|it| it == name)))
                    .filter_map(|line| match &query.customer {
                        Some(customer) => line.only(customer, &desk.book),
                        None => Some(line),
                    })
                    .collect();
                Ok(show(&found, query.json, |found, style| page::history(found, style)))
            }
        }
    })
}

impl Query {
    fn instant(&self, desk: &Desk) -> jiff::Timestamp {
        self.at.map_or(desk.now, |day| desk.book.midnight(day))
    }
}

/// Shows what was found; a customer that there is not is a mistake, and no empty list.
fn shown<T: Serialize>(
    desk: &Desk,
    customer: Option<&str>,
    found: &T,
    json: bool,
    page: fn(&T, crate::page::Style) -> String,
) -> Result<Exit, DeskError> {
    known(desk, customer)?;
    Ok(show(found, json, page))
}

fn known(desk: &Desk, customer: Option<&str>) -> Result<(), DeskError> {
    match customer.filter(|name| desk.book.customer(name).is_none()) {
        Some(name) => {
            Err(DeskError::Words(format!("there is no customer {name}. `sekisho get customers` shows them.")))
        }
        None => Ok(()),
    }
}
