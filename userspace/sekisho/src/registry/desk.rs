//! The operator's desk: the registry as a command finds it, and what the command wants of it.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
};

use jiff::{Timestamp, civil::Date};
use sekisho_config::{Customer, Faults, Node, Warning};
use sekisho_registry::{AccountEdit, Change, NewEntry, Registry, RegistryError};
use sekisho_regulation::{Book, Entry, Event, InForce, Refusals};
use zeroize::Zeroizing;

use super::{
    feed::FeedError,
    papers::{Papers, called},
    place::Place,
};
use crate::documents::Documents;

/// Why a command did nothing. Nothing has been recorded then.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The node's document, or one that is applied, is faulty; or those that are in force then do not fit together.
    #[error("{0}")]
    Faults(#[from] Faults),
    /// The registry cannot be opened.
    #[error("{0}")]
    Open(#[from] FeedError),
    /// The registry does not answer, or does not take it.
    #[error("{0}")]
    Registry(#[from] RegistryError),
    /// A rule of the service stands against it.
    #[error("{0}")]
    Refused(#[from] Refusals),
    /// In other words.
    #[error("{0}")]
    Words(String),
}

/// Who does it, and why: it stands in the history.
#[derive(Clone, Debug)]
pub struct Author {
    /// Who.
    pub who: String,
    /// Why.
    pub why: String,
}

impl Author {
    /// As the command line says; else whoever is logged in.
    pub fn of(who: Option<&str>, why: Option<&str>) -> Author {
        let user = || ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| env::var(name).ok());
        let who = who.map(str::to_owned).or_else(user).unwrap_or_else(|| "root".to_owned());
        Author { who, why: why.unwrap_or_default().to_owned() }
    }
}

/// The registry, and all that has been recorded in it.
pub struct Desk {
    /// The node's document.
    pub path: PathBuf,
    /// The node.
    pub node: Node,
    /// The registry.
    pub registry: Registry,
    /// What has been recorded.
    pub book: Book,
    /// Up to here.
    pub seen: u64,
    /// The present, for everything that the command does.
    pub now: Timestamp,
    texts: BTreeMap<u64, Zeroizing<String>>,
}

impl Proposal {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.accounts.is_empty()
    }
}

/// What a command wants to have recorded.
#[derive(Default)]
pub struct Proposal {
    /// In this order.
    pub events: Vec<Event>,
    /// Documents by their event's place in `events`, with their customer's name; the operator's has none.
    pub documents: Vec<(usize, Option<String>, Zeroizing<String>)>,
    /// Accounts.
    pub accounts: Vec<AccountEdit>,
    /// How many accounts a contract may have.
    pub account_limits: BTreeMap<String, u32>,
}

impl Desk {
    /// Opens the registry of the node that `path` describes.
    ///
    /// # Errors
    ///
    /// [`DeskError::Faults`], [`DeskError::Open`], [`DeskError::Registry`].
    pub async fn open(path: &Path) -> Result<Desk, DeskError> {
        let documents = Documents::node(path)?;
        let place = Place::of(&documents.node)?;
        place.check().map_err(FeedError::from)?;
        let registry = place.open().await?;
        let mut desk = Desk {
            path: documents.path,
            node: documents.node,
            registry,
            book: place.book(),
            seen: 0,
            now: Timestamp::now(),
            texts: BTreeMap::new(),
        };
        desk.read().await?;
        Ok(desk)
    }

    /// Reads what has been recorded since.
    async fn read(&mut self) -> Result<(), DeskError> {
        for entry in self.registry.history(self.seen).await? {
            self.seen = entry.number;
            self.book.replay(&entry);
        }
        Ok(())
    }

    /// The operator's day.
    pub fn today(&self) -> Date {
        self.book.day(self.now)
    }

    /// The text of a document, by its entry's number.
    pub async fn text(&mut self, number: u64) -> Result<Zeroizing<String>, DeskError> {
        if let Some(text) = self.texts.get(&number) {
            return Ok(text.clone());
        }
        let text = self.registry.document(number).await?;
        self.texts.insert(number, text.clone());
        Ok(text)
    }

    /// The documents in force at an instant, by what has been recorded.
    pub async fn papers_at(&mut self, at: Timestamp) -> Result<Papers, DeskError> {
        let in_force = self.book.in_force(at);
        let mut papers = Papers::default();
        for (of, number) in numbers(&in_force) {
            let text = self.text(number).await?;
            papers.set(of, &called(of, number), text);
        }
        Ok(papers)
    }

    /// Reads documents as a node would.
    pub fn load(&self, papers: &Papers) -> Result<(Node, Vec<Customer>, Vec<Warning>), DeskError> {
        Ok(sekisho_config::load_documents(&self.path, &papers.texts(), &|name| env::var(name).ok())?)
    }

    /// Whether the rules of the service allow it: what the book would be then.
    ///
    /// # Errors
    ///
    /// Every rule that does not.
    pub fn admit(&self, events: &[Event], author: &Author) -> Result<Book, Refusals> {
        let entries: Vec<Entry> = (self.seen + 1..)
            .zip(events)
            .map(|(number, event)| Entry {
                number,
                at: self.now,
                who: author.who.clone(),
                why: author.why.clone(),
                event: event.clone(),
            })
            .collect();
        self.book.admit(&entries)
    }

    /// Records a proposal that the rules allow.
    ///
    /// # Errors
    ///
    /// [`DeskError::Refused`], [`DeskError::Registry`]: nothing has been recorded then.
    pub async fn record(&mut self, proposal: Proposal, author: &Author) -> Result<(), DeskError> {
        self.admit(&proposal.events, author)?;
        let recorded = self.registry.record(self.seen, self.change(proposal, author)).await;
        recorded.map_err(|error| self.dated(error))?;
        self.read().await
    }

    /// Whether [`Desk::record`] would record it. Nothing is.
    ///
    /// # Errors
    ///
    /// As [`Desk::record`].
    pub async fn rehearse(&self, proposal: Proposal, author: &Author) -> Result<(), DeskError> {
        self.admit(&proposal.events, author)?;
        let rehearsed = self.registry.rehearse(self.seen, self.change(proposal, author)).await;
        rehearsed.map_err(|error| self.dated(error))
    }

    /// Too many accounts for a number that is agreed for a later day: which day that is.
    fn dated(&self, error: RegistryError) -> DeskError {
        if let RegistryError::TooMany { contract, limit, .. } = &error
            && let Some(found) = self.book.contract(contract)
            && let Some((day, fewest)) = found.fewest_accounts_from(self.today())
            && (day > self.today() && fewest == *limit)
        {
            return DeskError::Words(format!("as of {day}: {error}"));
        }
        error.into()
    }

    fn change(&self, proposal: Proposal, author: &Author) -> Change {
        let entry = |event| NewEntry { at: self.now, who: author.who.clone(), why: author.why.clone(), event };
        Change {
            entries: proposal.events.into_iter().map(entry).collect(),
            documents: proposal.documents,
            accounts: proposal.accounts,
            account_limits: proposal.account_limits,
        }
    }
}

/// The documents in force, by whose they are, with their entries' numbers.
pub fn numbers(in_force: &InForce) -> impl Iterator<Item = (Option<&str>, u64)> {
    let customers = in_force.documents.iter().map(|(customer, number)| (Some(customer.as_str()), *number));
    customers.chain(in_force.operator.map(|number| (None, number)))
}
