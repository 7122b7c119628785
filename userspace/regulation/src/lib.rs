//! The service regulation as code: what becomes of contracts, and what the regulation allows.
//!
//! The history is the truth ([`event`]): every [`Entry`] says who did what, when, and why. A [`Book`] is everything that follows from it.
//! Nothing here reads a clock, a file or a database: days, instants and the time zone are arguments, so that tests travel in time.
//!
//! # Where to start
//!
//! - [`terms`] is what a customer's document says, [`event`] what is recorded of it and of everything else.
//! - [`Book::replay`] takes what was recorded as it is. [`Book::admit`] asks every rule first, and refuses all or nothing; a [`Refusal`]
//!   names the rule, the article, the contract, and what would make it acceptable.
//! - [`Book::in_force`] says what the data plane serves at an instant, and [`Book::next_change`] when that changes next: at a local
//!   midnight, mostly.
//! - `life` has the order in which things may happen, one function a verb; `rules` what must hold on every day, the future included. A rule that
//!   looks at days refuses only what makes it worse: what was once recorded never bars what comes later.
//! - [`choices`] lists what was decided where the regulation is silent.
//! - [`calendar`] counts days, [`money`] yen.
//!
//! ```
//! use jiff::{civil::date, tz::TimeZone};
//! use sekisho_regulation::{Book, Entry, Event, terms::{Kind, Terms, ContractTerms}};
//!
//! let book = Book::new(TimeZone::get("Asia/Tokyo")?);
//! let proxy = ContractTerms {
//!     contract: "acme-proxy".into(),
//!     kind: Kind::Proxy,
//!     realms: vec!["acme.example".into()],
//!     fees: Default::default(),
//!     option: None,
//!     prerequisites: vec![],
//! };
//! let terms = Terms { customer: "acme".into(), contracts: vec![proxy], ..Terms::default() };
//! let entry = Entry {
//!     number: 1,
//!     at: "2027-01-04T01:00:00Z".parse()?,
//!     who: "clerk".into(),
//!     why: "form 12".into(),
//!     event: Event::Document { from: date(2027, 1, 4), applied: None, terms },
//! };
//! // A proxy without a client is not serviceable.
//! let refusals = book.admit(&[entry]).unwrap_err();
//! assert_eq!(refusals.0[0].article, "Art. 5.1");
//! # Ok::<(), jiff::Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod book;
pub mod calendar;
pub mod choices;
pub mod contract;
pub mod customer;
pub mod event;
pub mod incident;
mod life;
pub mod money;
pub mod option;
pub mod period;
pub mod prerequisites;
pub mod refusal;
mod rules;
pub mod standing;
pub mod state;
pub mod terms;

pub use book::Book;
pub use contract::Contract;
pub use customer::CustomerBook;
pub use event::{Entry, Event};
pub use incident::{Incident, Outage};
pub use option::OptionLife;
pub use period::Period;
pub use prerequisites::{Prerequisite, prerequisites};
pub use refusal::{Refusal, Refusals, Rule};
pub use standing::{InForce, OptionStanding, Standing};
pub use state::State;
