//! Why there is no statement, or why a month stays open.

use jiff::civil::Date;
use thiserror::Error;

use super::line::{month_name, part_name};
use crate::event::Part;

/// What keeps a statement from being made, or a month from being closed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MoneyError {
    /// A month is named by its first day.
    #[error("{0}: a month is named by its first day: give {first}", first = .0.first_of_month())]
    NotAMonth(Date),
    /// No fee has ever been agreed for something that is billed (annex 1).
    #[error("{contract} ({part}): no fees were ever agreed for it (annex 1): apply a document that states them", part = part_name(*.part))]
    NoFees {
        /// Which contract.
        contract: String,
        /// The contract, or its option.
        part: Part,
    },
    /// The caller has given fees in another order than that of their days.
    #[error("{contract} ({part}): its fees of {day} stand behind later ones: sort them by their first day", part = part_name(*.part))]
    FeesOutOfOrder {
        /// Which contract.
        contract: String,
        /// The contract, or its option.
        part: Part,
        /// The first day that is out of order.
        day: Date,
    },
    /// More yen than 63 bits hold.
    #[error("{of}: an amount of more than 9,223,372,036,854,775,807 yen: look for a fee that was mistyped")]
    TooLarge {
        /// The contract, or the customer whose sum it is.
        of: String,
    },
    /// A closed month's statement was written by another version of this program.
    #[error(
        "{customer}, {month}: its frozen statement has format {found}, and this program reads {known}: use the program that wrote it",
        month = month_name(*.month)
    )]
    Format {
        /// Whose.
        customer: String,
        /// The closed month.
        month: Date,
        /// What the statement says.
        found: u32,
        /// What is known here.
        known: u32,
    },
    /// The history closes a month with a statement that is not that month's, or not this customer's.
    #[error(
        "{customer}, {month}: it was closed with a statement of {found_customer} for {found_month}: the history is damaged, restore it",
        month = month_name(*.month), found_month = month_name(*.found_month)
    )]
    ForeignStatement {
        /// Whose month.
        customer: String,
        /// Which month.
        month: Date,
        /// Whose statement it was closed with.
        found_customer: String,
        /// For which month.
        found_month: Date,
    },
    /// The history closes one month twice.
    #[error("{customer}, {month}: it was closed twice: the history is damaged, restore it", month = month_name(*.month))]
    ClosedTwice {
        /// Whose.
        customer: String,
        /// Which month.
        month: Date,
    },
    /// The month is closed, by itself or because a later one is.
    #[error(
        "{customer}, {month}: closed already, as everything up to {through} is: what is recorded now stands in a later month",
        month = month_name(*.month), through = month_name(*.through)
    )]
    AlreadyClosed {
        /// Whose.
        customer: String,
        /// Which month.
        month: Date,
        /// The last month that was closed.
        through: Date,
    },
    /// Its last day is not over.
    #[error("{customer}, {month}: not over before the end of {last}: close it after that day", month = month_name(*.month))]
    NotOver {
        /// Whose.
        customer: String,
        /// Which month.
        month: Date,
        /// Its last day.
        last: Date,
    },
    /// A month before it has lines, and is open.
    #[error(
        "{customer}, {month}: {earlier} has lines and is still open: close that month first",
        month = month_name(*.month), earlier = month_name(*.earlier)
    )]
    EarlierOpen {
        /// Whose.
        customer: String,
        /// Which month.
        month: Date,
        /// The first open month that has lines.
        earlier: Date,
    },
    /// A table could not be written into memory.
    #[error("{customer}: its statement is no CSV: {reason}: ask for it as text or JSON, and report this")]
    Table {
        /// Whose statement.
        customer: String,
        /// What the writer said.
        reason: String,
    },
}
