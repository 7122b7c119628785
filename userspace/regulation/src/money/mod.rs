//! What is owed: fees, settlement, credit, by contract and by option (Art. 10 to 13, annexes 1 to 3). Yen, whole.
//!
//! An [`Account`] is what has been recorded of one customer, as far as money asks. [`statement`] makes of it what the customer owes for one
//! month, line by line, each with its article. [`close`] says whether a month may be closed, and with which statement; once that is
//! recorded the month never changes, and what is recorded of it later stands as corrections in the next open month.
//!
//! Where to start: [`Statement`], then `ledger`, which makes every line that there is, then `corrections`. What the regulation leaves open
//! is in [`CHOICES`], one constant each, and printed below the statement on which it acts.
//!
//! ```
//! use jiff::civil::date;
//! use sekisho_regulation::{event::Part, money::{Account, Billed, MoneyError, close, statement}, terms::Fees};
//!
//! let start = date(2026, 11, 16);
//! let contract = Billed {
//!     contract: "acme-proxy-1".to_owned(),
//!     kind: "proxy".to_owned(),
//!     part: Part::Basic,
//!     fees: vec![(start, Fees { initial: 5_000, monthly: 10_000, change: 3_000 })],
//!     accepted: Some(start),
//!     billing_start: Some(start),
//!     end: None,
//!     changes: Vec::new(),
//!     credits: Vec::new(),
//! };
//! let account = Account { customer: "acme".to_owned(), parts: vec![contract], ..Account::default() };
//!
//! let november = statement(&account, date(2026, 11, 1))?;
//! assert_eq!((november.subtotal, november.total), (10_000, 11_000));
//! assert!(matches!(close(&account, november.month, date(2026, 11, 30)), Err(MoneyError::NotOver { .. })));
//! # Ok::<(), MoneyError>(())
//! ```

mod account;
mod cell;
mod charges;
mod choices;
mod closing;
mod corrections;
mod credit;
mod error;
mod ledger;
mod line;
mod settlement;
mod statement;
mod table;
mod text;

pub use account::{Account, Billed, Closed, CreditClaim};
pub use choices::{
    CHOICES, CREDIT_BOUND, CREDIT_FEE, CREDIT_MONTH, Choice, NOTHING_OWED, PARTIAL_MONTHS, SETTLEMENT_DAYS,
    SETTLEMENT_GROUNDS, STILL_BILLED, TAX_ON_SUBTOTAL,
};
pub use closing::{close, next_to_close};
pub use credit::{CREDIT_SHARE, SECONDS_A_DAY, credit};
pub use error::MoneyError;
pub use line::{Corrects, Days, Line, What};
pub use settlement::owes_settlement;
pub use statement::{FORMAT, REGULATION, Statement, TAX_PERCENT, Tax, statement};
