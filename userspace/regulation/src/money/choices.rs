//! What the regulation leaves open about money, and how it is done here (`[C]`): each printed below the statements on which it acts.

pub use crate::choices::Choice;

/// Art. 10 says from when on a monthly fee is owed, and not what a part of a month costs.
pub const PARTIAL_MONTHS: Choice = Choice {
    name: "partial-months",
    article: "Art. 10",
    what: "A part of a month costs the monthly fee × its days ÷ the days of that month, rounded down; where the fee changes within a month, \
           each run of days on one fee is a line of its own. The billing start date and the last day are billed.",
};
/// Art. 5.7 and 14 free the operator from liability, and say nothing of the fee.
pub const STILL_BILLED: Choice = Choice {
    name: "still-billed",
    article: "Art. 10",
    what: "A contract that is suspended, or incomplete (Art. 5.7), is billed as if it were served.",
};
/// Nobody wants a list of zeros.
pub const NOTHING_OWED: Choice =
    Choice { name: "nothing-owed", article: "Art. 10", what: "What costs nothing is no line of a statement." };
/// Annex 2 says that the rest of the term is paid, and not what a day of it costs.
pub const SETTLEMENT_DAYS: Choice = Choice {
    name: "settlement-days",
    article: "Art. 11, annex 2",
    what: "Each day of the rest of the minimum term costs its own month's share of the monthly fee in force on the last day, rounded down \
           month by month.",
};
/// Art. 11.1 excepts two grounds, and Art. 11.2 names none. Neither says who must have ended the contract.
pub const SETTLEMENT_GROUNDS: Choice = Choice {
    name: "settlement-grounds",
    article: "Art. 11",
    what: "General regulation Art. 28(2) and 28(3) free the option as well as the contract. A contract that the operator ended owes \
           settlement, since Art. 11.1 does not ask who ended it.",
};
/// Annex 3 names the monthly fee, and not that of which day.
pub const CREDIT_FEE: Choice = Choice {
    name: "credit-fee",
    article: "Art. 12, annex 3",
    what: "A credit is counted with the monthly fee in force on the day on which the unusable time began.",
};
/// Annex 3 counts months of 30 days: 31 days would give back more than was to be paid.
pub const CREDIT_BOUND: Choice = Choice {
    name: "credit-bound",
    article: "Art. 12, annex 3",
    what: "A fee can be reduced to nothing and no further: the credits of a contract or option are never more than the monthly fees of the \
           calendar months in which it was unusable.",
};
/// Art. 12 says that the customer must claim, and not which bill is reduced.
pub const CREDIT_MONTH: Choice = Choice {
    name: "credit-month",
    article: "Art. 12",
    what: "A credit stands in the month in which its claim arrived.",
};
/// The regulation does not speak of consumption tax.
pub const TAX_ON_SUBTOTAL: Choice = Choice {
    name: "tax-on-subtotal",
    article: "Art. 10",
    what: "Amounts are agreed without consumption tax. It is counted once on the subtotal, all lines alike, settlement and corrections \
           among them, and its fraction is dropped.",
};

/// All of them, in the order of their articles.
pub const CHOICES: [Choice; 9] = [
    PARTIAL_MONTHS,
    STILL_BILLED,
    NOTHING_OWED,
    TAX_ON_SUBTOTAL,
    SETTLEMENT_DAYS,
    SETTLEMENT_GROUNDS,
    CREDIT_FEE,
    CREDIT_BOUND,
    CREDIT_MONTH,
];
