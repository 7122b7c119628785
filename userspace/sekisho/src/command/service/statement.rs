//! `sekisho statement`: what a customer owes for a month.

use clap::ValueEnum;
use jiff::civil::Date;
use sekisho_regulation::{Event, money};

use super::{Exit, Recording, block_on, month, say};
use crate::registry::desk::{Desk, DeskError, Proposal};

/// Which statement.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A closed month never changes: what becomes known of it later stands in the next open month, as a correction."
)]
pub(in crate::command) struct Args {
    /// Whose
    #[arg(value_name = "CUSTOMER")]
    customer: String,
    /// Which month
    #[arg(long, value_name = "YYYY-MM", value_parser = month)]
    month: Date,
    /// How it looks
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Close the month: its statement is what it is now, for ever
    #[arg(long)]
    close: bool,
    #[command(flatten)]
    recording: Recording,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
}

pub(in crate::command) fn run(args: &Args) -> Exit {
    block_on(async {
        args.recording.only_for("--close", args.close)?;
        let mut desk = Desk::open(&args.recording.place.config).await?;
        let Some(account) = desk.book.account(&args.customer) else {
            let words = format!("there is no customer {}. `sekisho get customers` shows them.", args.customer);
            return Err(DeskError::Words(words));
        };
        let refused = |error: money::MoneyError| DeskError::Words(error.to_string());
        let statement = if args.close {
            money::close(&account, args.month, desk.today()).map_err(refused)?
        } else {
            money::statement(&account, args.month).map_err(refused)?
        };
        say(&match args.format {
            Format::Text => statement.to_string(),
            Format::Json => {
                serde_json::to_string_pretty(&statement).map_err(|error| DeskError::Words(error.to_string()))? + "\n"
            }
            Format::Csv => statement.to_csv().map_err(refused)?,
        });
        if args.close {
            let event = Event::MonthClosed { customer: args.customer.clone(), month: args.month, statement };
            let proposal = Proposal { events: vec![event], ..Proposal::default() };
            match args.recording.dry_run {
                true => desk.rehearse(proposal, &args.recording.author()).await?,
                false => desk.record(proposal, &args.recording.author()).await?,
            }
            let what = if args.recording.dry_run { "could be closed" } else { "is closed" };
            eprintln!("{} of {} {what}", args.month.strftime("%Y-%m"), args.customer);
        }
        Ok(Exit::Success)
    })
}
