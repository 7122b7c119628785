//! The operator's own document in the registry: access networks that all nodes serve.

use super::{access::access_networks, surroundings::Surroundings};
use crate::{access::AccessNetwork, document::Placed, finding::Problem, schema, section::Section, value};

/// Reads the document: its access networks that are sound, and whether all are.
pub(crate) fn operator(top: &Section<'_>, around: &Surroundings<'_>) -> (Vec<Placed<AccessNetwork>>, bool) {
    let before = top.report.count();
    match top.table("operator", schema::OPERATOR) {
        Some(section) => {
            let remedy = "Name the operator, such as \"carrier\".";
            section.parsed("name", value::name).required(&section, "name", remedy);
            section.text("title");
        }
        None if !top.has("operator") => {
            let remedy = "Begin the document with [operator] and the operator's name.";
            top.fault("operator", Problem::new("is missing", remedy));
        }
        None => {}
    }
    let (networks, _) = access_networks(top, around);
    (networks, top.report.count() == before)
}
