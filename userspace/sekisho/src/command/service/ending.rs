//! A contract's end: by the customer's notice, or by the operator's right.

use clap::ValueEnum;
use jiff::civil::Date;
use sekisho_regulation::{
    Event, State, choices,
    event::{Ground, Part},
};

use super::{
    Exit, Recording,
    contracts::{Which, each},
    day,
};

/// By what right.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum GroundArg {
    /// The customer's notice (Art. 9, 8.4)
    Notice,
    /// General regulation Art. 28(2): no settlement is owed
    #[value(name = "28-2")]
    General28_2,
    /// General regulation Art. 28(3): no settlement is owed
    #[value(name = "28-3")]
    General28_3,
}

impl From<GroundArg> for Ground {
    fn from(ground: GroundArg) -> Ground {
        match ground {
            GroundArg::Notice => Ground::Notice,
            GroundArg::General28_2 => Ground::General28_2,
            GroundArg::General28_3 => Ground::General28_3,
        }
    }
}

/// By what right the operator ends what nobody has given notice for, or ends it before that.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RightArg {
    /// Its own: what is left of the minimum term is settled (Art. 11)
    Operator,
    /// General regulation Art. 28(2): no settlement is owed
    #[value(name = "28-2")]
    General28_2,
    /// General regulation Art. 28(3): no settlement is owed
    #[value(name = "28-3")]
    General28_3,
}

impl From<RightArg> for Ground {
    fn from(right: RightArg) -> Ground {
        match right {
            RightArg::Operator => Ground::Operator,
            RightArg::General28_2 => Ground::General28_2,
            RightArg::General28_3 => Ground::General28_3,
        }
    }
}

/// `sekisho cancel`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It ends 30 days after the day on which the notice arrived, or on the day that the notice names if that is later \
                  (Art. 8.4, 9), and is served to the end of that day."
)]
pub(in crate::command) struct Cancel {
    #[command(flatten)]
    which: Which,
    /// The day on which the notice arrived
    #[arg(long, value_name = "DATE", value_parser = day)]
    arrived: Date,
    /// The day that the notice names
    #[arg(long, value_name = "DATE", value_parser = day)]
    requested: Option<Date>,
    /// By what right
    #[arg(long, value_enum, default_value = "notice")]
    ground: GroundArg,
    /// The load-balancing option alone
    #[arg(long, requires = "survivor")]
    option: bool,
    /// The LNS that remains when the option ends
    #[arg(long, value_name = "LNS", requires = "option")]
    survivor: Option<String>,
    #[command(flatten)]
    recording: Recording,
}

impl Cancel {
    pub(in crate::command) fn run(&self) -> Exit {
        let fits = |state| matches!(state, State::Serving | State::Suspended);
        each(&self.recording, &self.which, fits, |_, contract| {
            let part = if self.option { Part::Option } else { Part::Basic };
            let what = if self.option { format!("the option of {contract}") } else { contract.clone() };
            let last = choices::last_day(self.ground.into(), self.arrived, self.requested);
            let event = Event::Cancelled {
                contract,
                part,
                arrived: self.arrived,
                requested: self.requested,
                ground: self.ground.into(),
                survivor: self.survivor.clone(),
            };
            Ok((vec![event], format!("{what} is cancelled: its last day is {last}")))
        })
    }
}

/// `sekisho end`.
#[derive(Debug, clap::Args)]
pub(in crate::command) struct End {
    #[command(flatten)]
    which: Which,
    /// Its last day
    #[arg(long, value_name = "DATE", value_parser = day)]
    on: Date,
    /// By what right
    #[arg(long, value_enum, default_value = "operator")]
    ground: RightArg,
    #[command(flatten)]
    recording: Recording,
}

impl End {
    pub(in crate::command) fn run(&self) -> Exit {
        let ground = Ground::from(self.ground);
        each(
            &self.recording,
            &self.which,
            |state| !state.is_over(),
            |_, contract| {
                let line = format!("{contract} is ended by {ground}: its last day is {}", self.on);
                Ok((vec![Event::Ended { contract, on: self.on, ground }], line))
            },
        )
    }
}
