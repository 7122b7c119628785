//! Where a contract is in its life.

use std::fmt;

/// Where a contract is in its life on a day. Whether it is *served* is another matter: see [`crate::Standing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Applied for (申込), and not decided on.
    Applied,
    /// Accepted (承諾); neither tried out nor billed yet.
    Accepted,
    /// Tried out before billing starts.
    Testing,
    /// Billed and served.
    Serving,
    /// As serving, with its last day recorded.
    Cancelling,
    /// Not served for a while, and billed on.
    Suspended,
    /// Over, by the customer's right.
    Ended,
    /// Over, by the operator's right.
    EndedByOperator,
    /// Never accepted.
    Rejected,
    /// Taken back before billing started.
    Withdrawn,
}

impl State {
    /// Whether it is a state that its customer is served in, where nothing else keeps from it.
    pub fn is_served(self) -> bool {
        matches!(self, State::Testing | State::Serving | State::Cancelling)
    }

    /// Whether nothing comes after it.
    pub fn is_over(self) -> bool {
        matches!(self, State::Ended | State::EndedByOperator | State::Rejected | State::Withdrawn)
    }

    /// The verbs that fit, for whoever tried another.
    pub fn verbs(self) -> &'static str {
        match self {
            State::Applied => "accept, reject or withdraw it",
            State::Accepted | State::Testing => "start or withdraw it",
            State::Serving => "change, suspend or cancel it",
            State::Cancelling => "let it end on its last day, or suspend it",
            State::Suspended => "resume or cancel it",
            State::Ended | State::EndedByOperator | State::Rejected | State::Withdrawn => {
                "apply for a new contract under a new name"
            }
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            State::Applied => "applied",
            State::Accepted => "accepted",
            State::Testing => "testing",
            State::Serving => "serving",
            State::Cancelling => "cancelling",
            State::Suspended => "suspended",
            State::Ended => "ended",
            State::EndedByOperator => "ended by the operator",
            State::Rejected => "rejected",
            State::Withdrawn => "withdrawn",
        })
    }
}
