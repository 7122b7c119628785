//! `[[mobile]]`: the customer's contracts for mobile service, which decide on what it may have (Art. 5.3 to 5.5).

use sekisho_regulation::terms::Mobile;

use super::access::TYPES;
use crate::{access::ItemType, finding::Problem, section::Section, terms::item, value};

/// What decides within a type.
const CLASSES: [&str; 3] = ["class", "plan", "network_class"];

/// Reads one contract for mobile service.
pub(super) fn mobile(section: &Section<'_>) -> Option<Mobile> {
    let remedy = "Say \"D\", \"K\" or \"I\": the type of the mobile service.";
    let kind = section.choice("type", &TYPES).required(section, "type", remedy);
    let class = kind.and_then(|kind| class(section, kind));
    let (from, until) = (section.date("from").optional(), section.date("until").optional());
    let (from, until) = (from?, until?);
    if let (Some(from), Some(until)) = (from, until)
        && until < from
    {
        let message = format!("{until} lies before {from}, its first day");
        section.fault("until", Problem::new(message, "Give the last day of the contract."));
        return None;
    }
    Some(Mobile { item: item(kind?), class: class?, from, until })
}

/// The one key that a type has.
fn class(section: &Section<'_>, kind: ItemType) -> Option<String> {
    let [class, plan, network_class] = CLASSES;
    let (key, remedy) = match kind {
        ItemType::D => (class, "Give its class, such as \"I\" (Art. 5.3)."),
        ItemType::K => (plan, "Give its plan, such as \"flat\", \"flat-l\" or \"packet-share-l\" (Art. 5.4)."),
        ItemType::I => (network_class, "Give its network class, such as \"III\" (Art. 5.5)."),
    };
    for other in CLASSES.into_iter().filter(|other| *other != key && section.has(other)) {
        let message = format!("means nothing with `type = {:?}`", kind.name());
        section.fault(other, Problem::new(message, format!("Say `{key}` in its place.")));
    }
    section.parsed(key, value::name).required(section, key, remedy)
}
