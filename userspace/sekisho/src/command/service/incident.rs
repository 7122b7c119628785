//! `sekisho incident` and `sekisho claim`: what could not be used, and what is asked for it (Art. 12).

use clap::{Subcommand, ValueEnum};
use jiff::{Timestamp, civil::Date};
use sekisho_regulation::{
    Event,
    event::{Affected, Fault, Part, Source},
};

use super::{Exit, Recording, block_on, day};
use crate::registry::desk::{Desk, Proposal};

/// What is recorded of an incident.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Something is wholly unusable
    Open(Open),
    /// The customer reported it as well, or a draft is confirmed: the earlier instant counts
    Report(Report),
    /// It can be used again
    Close(Close),
}

#[derive(Debug, clap::Args)]
struct Open {
    /// A name for it, of its own
    #[arg(value_name = "INCIDENT")]
    incident: String,
    /// What is affected; give it several times for several
    #[arg(long = "contract", value_name = "CONTRACT", required = true)]
    contracts: Vec<String>,
    /// The load-balancing options of the contracts alone
    #[arg(long)]
    option: bool,
    /// Since when the operator knows, such as 2026-11-27T09:00:00+09:00 [default: now]
    #[arg(long, value_name = "TIME")]
    known: Option<Timestamp>,
    /// How it came to be known
    #[arg(long, value_enum, default_value = "operator")]
    source: SourceArg,
    #[command(flatten)]
    recording: Recording,
}

#[derive(Debug, clap::Args)]
struct Report {
    /// Which
    #[arg(value_name = "INCIDENT")]
    incident: String,
    /// When the operator knew by this [default: now]
    #[arg(long, value_name = "TIME")]
    known: Option<Timestamp>,
    /// How
    #[arg(long, value_enum, default_value = "customer")]
    source: SourceArg,
    #[command(flatten)]
    recording: Recording,
}

#[derive(Debug, clap::Args)]
struct Close {
    /// Which
    #[arg(value_name = "INCIDENT")]
    incident: String,
    /// Since when it can be used again [default: now]
    #[arg(long, value_name = "TIME")]
    ended: Option<Timestamp>,
    /// Whose fault it was: only the operator's is worth a credit
    #[arg(long, value_enum)]
    fault: FaultArg,
    #[command(flatten)]
    recording: Recording,
}

/// `sekisho claim`.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct Claim {
    /// For which incident
    #[arg(value_name = "INCIDENT")]
    incident: String,
    /// For which contracts
    #[arg(value_name = "CONTRACT", required = true)]
    contracts: Vec<String>,
    /// The day on which the claim arrived [default: today]
    #[arg(long, value_name = "DATE", value_parser = day)]
    arrived: Option<Date>,
    #[command(flatten)]
    recording: Recording,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SourceArg {
    /// Our own alert
    Alert,
    /// The customer's report
    Customer,
    /// The operator's staff
    Operator,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FaultArg {
    /// The operator's
    Operator,
    /// The customer's own servers, lines or settings
    Customer,
    /// A limit was reached (Art. 14.2)
    Limit,
    /// A prerequisite was missing (Art. 5.7)
    Prerequisite,
    /// Nobody's
    Other,
}

impl From<SourceArg> for Source {
    fn from(source: SourceArg) -> Source {
        match source {
            SourceArg::Alert => Source::Alert,
            SourceArg::Customer => Source::Customer,
            SourceArg::Operator => Source::Operator,
        }
    }
}

impl From<FaultArg> for Fault {
    fn from(fault: FaultArg) -> Fault {
        match fault {
            FaultArg::Operator => Fault::Operator,
            FaultArg::Customer => Fault::Customer,
            FaultArg::Limit => Fault::Limit,
            FaultArg::Prerequisite => Fault::Prerequisite,
            FaultArg::Other => Fault::Other,
        }
    }
}

pub(in crate::command) fn run(args: &Args) -> Exit {
    match &args.what {
        What::Open(open) => open.run(),
        What::Report(report) => record(&report.recording, |desk| {
            let known = report.known.unwrap_or(desk.now);
            let (incident, source) = (report.incident.clone(), report.source.into());
            let line = format!("{incident} was known at {known}");
            (vec![Event::IncidentReported { incident, known, source }], vec![line])
        }),
        What::Close(close) => record(&close.recording, |desk| {
            let ended = close.ended.unwrap_or(desk.now);
            let (incident, fault) = (close.incident.clone(), close.fault.into());
            let line = format!("{incident} ended at {ended}");
            (vec![Event::IncidentClosed { incident, ended, fault }], vec![line])
        }),
    }
}

impl Open {
    fn run(&self) -> Exit {
        record(&self.recording, |desk| {
            let known = self.known.unwrap_or(desk.now);
            let part = if self.option { Part::Option } else { Part::Basic };
            let affected = |contract: &String| Affected { contract: contract.clone(), part };
            let event = Event::IncidentOpened {
                incident: self.incident.clone(),
                affects: self.contracts.iter().map(affected).collect(),
                known,
                source: self.source.into(),
                draft: false,
            };
            (vec![event], vec![format!("{} is open, known at {known}", self.incident)])
        })
    }
}

impl Claim {
    pub(in crate::command) fn run(&self) -> Exit {
        record(&self.recording, |desk| {
            let arrived = self.arrived.unwrap_or_else(|| desk.today());
            let claimed = |contract: &String| Event::Claimed {
                incident: self.incident.clone(),
                contract: contract.clone(),
                arrived,
            };
            let line = |contract| format!("{} is claimed for {contract} as of {arrived}", self.incident);
            (self.contracts.iter().map(claimed).collect(), self.contracts.iter().map(line).collect())
        })
    }
}

fn record(recording: &Recording, what: impl Fn(&Desk) -> (Vec<Event>, Vec<String>)) -> Exit {
    block_on(async {
        let mut desk = Desk::open(&recording.place.config).await?;
        let (events, lines) = what(&desk);
        recording.finish(&mut desk, Proposal { events, ..Proposal::default() }, &lines).await?;
        Ok(Exit::Success)
    })
}
