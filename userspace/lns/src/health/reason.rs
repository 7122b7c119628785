//! Why an LNS has its state, in words that an operator acts on.

use std::fmt;

use super::{State, Wanted};
use crate::l2tp::Outcome;

/// Why an LNS has its state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// Nothing is known of it yet.
    #[default]
    Untested,
    /// Its probes.
    Probed {
        /// The outcome of the last, or of the one that took it down.
        outcome: Outcome,
        /// So many in a row had that outcome.
        in_a_row: u32,
    },
    /// It said that it was full or being shut down, and no probe has come since then to say whether it still is.
    Expired,
    /// It is not probed, or not any more.
    NotProbed,
    /// The customer's document says so.
    Document(Wanted),
    /// The operator has said so, by command.
    Operator(Wanted),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Reason::Untested => f.write_str("no probe has been answered yet: it is used as if it were up"),
            Reason::Probed { outcome, in_a_row: 0 | 1 } => write!(f, "it {outcome}{}", remedy(outcome)),
            Reason::Probed { outcome, in_a_row } => {
                write!(f, "it {outcome}, {in_a_row} probes in a row{}", remedy(outcome))
            }
            Reason::Expired => f.write_str("what it said of itself is too old: it is used as if it were up"),
            Reason::NotProbed => f.write_str("it is not probed: it is used as if it were up"),
            Reason::Document(wanted) => write!(f, "its state in the customer's document is {}", wanted.name()),
            Reason::Operator(wanted) => write!(f, "set {} by command, until that is taken back", wanted.name()),
        }
    }
}

/// What to do about it.
fn remedy(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Refused(_) => ": let it accept tunnels from this node's address and host name",
        Outcome::WrongSecret => ": give both sides the same tunnel password",
        _ => "",
    }
}

/// An LNS's state has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// What it was.
    pub from: State,
    /// What it is.
    pub to: State,
    /// Why.
    pub reason: Reason,
}
