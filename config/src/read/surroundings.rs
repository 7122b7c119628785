//! What customers' tables are read against, and what several of them have in common.

use std::sync::Arc;

use sekisho_wire::{policy::is_protected, select::AttributeId};

use super::secret::Vault;
use crate::{
    customer::Unanswered, dictionary::Dictionary, finding::Problem, node::Domain, rates::Rates, section::Section,
};

/// What customer documents and access networks are read against.
pub(crate) struct Surroundings<'a> {
    /// `None` where the node's domains are not known.
    pub(crate) domains: Option<Vec<Domain>>,
    pub(crate) vault: Vault<'a>,
    pub(crate) dictionary: Arc<Dictionary>,
    /// How much a client may send that says nothing else.
    pub(crate) rates: Rates,
}

impl Surroundings<'_> {
    /// The attribute of this name, by which servers are chosen: its value has to say something of the subscriber, time after
    /// time.
    pub(super) fn key(&self, name: &str) -> Result<AttributeId, Problem> {
        let attribute = self.dictionary.look_up(name)?;
        if attribute.encrypt.is_some() || is_protected(attribute.id) {
            let message = format!("{name} is hidden, or is another one in each request");
            return Err(Problem::new(message, "Name what stays with a subscriber, such as \"Calling-Station-Id\"."));
        }
        Ok(attribute.id)
    }
}

const UNANSWERED: [(&str, Unanswered); 2] = [("reject", Unanswered::Reject), ("silence", Unanswered::Silence)];

/// What a request gets that nobody answers: a Reject, unless the document says otherwise.
pub(super) fn unanswered(section: &Section<'_>, key: &str) -> Option<Unanswered> {
    section.choice(key, &UNANSWERED).or(Unanswered::Reject)
}
