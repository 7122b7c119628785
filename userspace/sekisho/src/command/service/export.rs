//! `sekisho export`: a document in force.

use jiff::civil::Date;

use super::{Exit, Place, block_on, day, say};
use crate::registry::{
    desk::{Desk, DeskError},
    edit,
};

/// Which document.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without --secrets each secret is left out, and the document says so in its place: it cannot be applied then."
)]
pub(in crate::command) struct Args {
    /// The customer
    #[arg(value_name = "CUSTOMER", required_unless_present = "operator")]
    customer: Option<String>,
    /// The operator's own document
    #[arg(long, conflicts_with = "customer")]
    operator: bool,
    /// As of the beginning of this day [default: now]
    #[arg(long, value_name = "DATE", value_parser = day)]
    at: Option<Date>,
    /// With its secrets
    #[arg(long)]
    secrets: bool,
    #[command(flatten)]
    place: Place,
}

pub(in crate::command) fn run(args: &Args) -> Exit {
    block_on(async {
        let mut desk = Desk::open(&args.place.config).await?;
        let at = args.at.map_or(desk.now, |day| desk.book.midnight(day));
        let papers = desk.papers_at(at).await?;
        let of = args.customer.as_deref();
        let Some(text) = papers.text(of) else {
            let whose = of.map_or("the operator".to_owned(), |name| format!("customer {name}"));
            return Err(DeskError::Words(format!(
                "no document of {whose} is in force then. `sekisho get customers` shows them."
            )));
        };
        if args.secrets {
            say(text);
        } else {
            say(&edit::without_secrets(text).map_err(DeskError::Words)?);
        }
        Ok(Exit::Success)
    })
}
