//! What is recorded, once and for ever: the history is the truth, and everything else is made of it.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::terms::Terms;

/// One line of the history: who, when, what, why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the history, from 1, without gaps.
    pub number: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// Who did it.
    pub who: String,
    /// Why, in words.
    pub why: String,
    /// What.
    pub event: Event,
}

/// What happened. Days are the operator's local days; a thing that begins on a day begins at its local midnight, and one that ends on a
/// day ends at the midnight after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A customer's document was applied. A contract that stands in it for the first time has thereby been applied for (申込).
    Document {
        /// It is in force from this day on.
        from: Date,
        /// The day on which the applications in it arrived, where that is not the day of the entry: of contracts that are older than the
        /// registry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        applied: Option<Date>,
        /// What it says.
        terms: Terms,
    },
    /// The operator's own document, of access networks, was applied.
    Operator {
        /// It is in force from this day on.
        from: Date,
    },
    /// The application was accepted (承諾): the initial fee is owed (Art. 10).
    Accepted {
        /// Which.
        contract: String,
        /// The day of acceptance.
        on: Date,
        /// Served for trying out from this day on until billing starts; `None`: not before that.
        test_from: Option<Date>,
    },
    /// The application was not accepted.
    Rejected {
        /// Which.
        contract: String,
        /// When.
        on: Date,
    },
    /// The customer took the application back before billing started.
    Withdrawn {
        /// Which.
        contract: String,
        /// When.
        on: Date,
    },
    /// A prerequisite of Art. 5.6 was seen to be met.
    Confirmed {
        /// Which.
        contract: String,
        /// Its name, such as `terminal`.
        prerequisite: String,
        /// When.
        at: Timestamp,
    },
    /// Billing starts (課金開始日): the minimum term begins, and the contract serves.
    Started {
        /// Which.
        contract: String,
        /// The contract, or its option.
        part: Part,
        /// The billing start date.
        on: Date,
    },
    /// A change of the contract's content was accepted (Art. 7): one fee.
    Changed {
        /// Which.
        contract: String,
        /// The day of acceptance.
        on: Date,
        /// In force from this day on.
        from: Date,
        /// The number of accounts before and after (Art. 7(1)).
        accounts: (u32, u32),
    },
    /// Not served from a day on, and billed on.
    Suspended {
        /// Which.
        contract: String,
        /// From this day on.
        from: Date,
    },
    /// Served again.
    Resumed {
        /// Which.
        contract: String,
        /// From this day on.
        from: Date,
    },
    /// A notice of cancellation arrived (Art. 8.4, 9).
    Cancelled {
        /// Which.
        contract: String,
        /// The contract, or its option.
        part: Part,
        /// The day on which the notice arrived: a fact, not the day of the command.
        arrived: Date,
        /// The day that the notice names.
        requested: Option<Date>,
        /// By what right.
        ground: Ground,
        /// With the option: the LNS that remains.
        survivor: Option<String>,
    },
    /// The operator ended it.
    Ended {
        /// Which.
        contract: String,
        /// Its last day.
        on: Date,
        /// By what right.
        ground: Ground,
    },
    /// Something is wholly unusable, or may be (Art. 12).
    IncidentOpened {
        /// Its name, unique.
        incident: String,
        /// What is affected.
        affects: Vec<Affected>,
        /// When the operator knew: our alert or the customer's report.
        known: Timestamp,
        /// How it came to be known.
        source: Source,
        /// A draft has been opened by an alert, and counts for nothing before somebody has confirmed it.
        draft: bool,
    },
    /// The customer reported it as well, or a draft was confirmed: the earlier instant counts.
    IncidentReported {
        /// Which.
        incident: String,
        /// When the operator knew by this.
        known: Timestamp,
        /// How.
        source: Source,
    },
    /// It is over.
    IncidentClosed {
        /// Which.
        incident: String,
        /// Since when it can be used again.
        ended: Timestamp,
        /// Whose fault it was.
        fault: Fault,
    },
    /// The customer asks for its credit (Art. 12).
    Claimed {
        /// Which incident.
        incident: String,
        /// For which contract.
        contract: String,
        /// The day on which the claim arrived.
        arrived: Date,
    },
    /// A month was closed for a customer: its statement never changes.
    MonthClosed {
        /// Whose.
        customer: String,
        /// The month's first day.
        month: Date,
        /// The statement as it was made, for ever.
        statement: crate::money::Statement,
    },
    /// Accounts were changed.
    Accounts {
        /// Of which `group` contract.
        contract: String,
        /// What was done, in words, with how many: `imported 100,000 from accounts.csv`.
        what: String,
    },
}

/// A contract itself, or its load-balancing option: each has its own start, term, fees and end (Art. 8.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// 基本サービス.
    Basic,
    /// オプションサービス.
    Option,
}

/// By what right a contract or option ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ground {
    /// The customer's notice, Art. 9 or 8.4.
    Notice,
    /// General regulation Art. 28(2): no settlement is owed (Art. 11).
    General28_2,
    /// General regulation Art. 28(3): no settlement is owed (Art. 11).
    General28_3,
    /// The operator's own right.
    Operator,
}

/// As in `ended by the operator`.
impl fmt::Display for Ground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Ground::Notice => "a notice",
            Ground::General28_2 => "general regulation 28(2)",
            Ground::General28_3 => "general regulation 28(3)",
            Ground::Operator => "the operator",
        })
    }
}

/// What an incident makes wholly unusable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// Which contract.
    pub contract: String,
    /// The contract, or its option.
    pub part: Part,
}

/// How the operator came to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Our own alert.
    Alert,
    /// The customer's report.
    Customer,
    /// The operator's staff.
    Operator,
}

/// Whose fault an incident was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The operator's: credit may be due (Art. 12).
    Operator,
    /// The customer's own servers, lines or settings.
    Customer,
    /// A limit was reached, which is no outage (Art. 14.2).
    Limit,
    /// A prerequisite was missing (Art. 5.7).
    Prerequisite,
    /// Nobody's.
    Other,
}
