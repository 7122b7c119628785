//! What customers' tables are read against, and what several of them have in common.

use std::sync::Arc;

use sekisho_wire::select::AttributeId;

use super::secret::Vault;
use crate::{customer::Unanswered, dictionary::Dictionary, finding::Problem, node::Domain, section::Section};

/// What customer documents are read against.
pub(crate) struct Surroundings<'a> {
    /// `None` where the node's domains are not known.
    pub(crate) domains: Option<Vec<Domain>>,
    pub(crate) vault: Vault<'a>,
    pub(crate) dictionary: Arc<Dictionary>,
}

impl Surroundings<'_> {
    /// The attribute of this name.
    pub(super) fn attribute(&self, name: &str) -> Result<AttributeId, Problem> {
        self.dictionary.look_up(name).map(|attribute| attribute.id)
    }
}

const UNANSWERED: [(&str, Unanswered); 2] = [("reject", Unanswered::Reject), ("silence", Unanswered::Silence)];

/// What a request gets that nobody answers: a Reject, unless the document says otherwise.
pub(super) fn unanswered(section: &Section<'_>, key: &str) -> Option<Unanswered> {
    section.choice(key, &UNANSWERED).or(Unanswered::Reject)
}
