//! `session_identity`: which attribute tells the sessions of a source apart.

use sekisho_wire::{attr, select::AttributeId};

use super::surroundings::Surroundings;
use crate::{finding::Problem, section::Section};

/// The gate has room for so many.
const MOST: usize = 4;
/// 3GPP-IMSI: vendor and vendor type (TS 29.061 §16.4.7), the one vendor's attribute that the gate looks at.
const IMSI: AttributeId = AttributeId::Vendor(10_415, 1);
/// What stands for it among attribute types.
pub(super) const IMSI_TYPE: u8 = attr::VENDOR_SPECIFIC;

/// Attribute types by priority; [`IMSI_TYPE`] is 3GPP-IMSI.
pub(super) fn session_identity(section: &Section<'_>, around: &Surroundings<'_>, otherwise: &[u8]) -> Option<Vec<u8>> {
    const KEY: &str = "session_identity";
    let identity = section.list(KEY, |name| one(around, name)).or(otherwise.to_vec())?;
    let before = section.report.count();
    for (i, kind) in identity.iter().enumerate() {
        if identity.iter().take(i).any(|earlier| earlier == kind) {
            let problem = Problem::new("is in the list already", "Take it out: the first place counts.");
            section.fault(&format!("{KEY}[{i}]"), problem);
        }
    }
    let problem = match identity.len() {
        0 => Problem::new(
            "is an empty list, so no session would be told from another",
            "Leave it out for the default, or set `session_rate = 0` where sessions have no limit.",
        ),
        1..=MOST => return (section.report.count() == before).then_some(identity),
        n => Problem::new(format!("names {n} attributes"), format!("Name at most {MOST}, the best ones first.")),
    };
    section.fault(KEY, problem);
    None
}

fn one(around: &Surroundings<'_>, name: &str) -> Result<u8, Problem> {
    let refused = |why: &str, remedy: &str| Err(Problem::new(format!("{name} {why}"), remedy));
    match around.dictionary.look_up(name)?.id {
        // No policy changes it, but a session it names like nothing else.
        AttributeId::Plain(attr::ACCT_SESSION_ID) => Ok(attr::ACCT_SESSION_ID),
        AttributeId::Plain(attr::ACCT_STATUS_TYPE) => {
            refused("says what happens to a session, not which it is", "Name another.")
        }
        AttributeId::Plain(attr::VENDOR_SPECIFIC) => refused(
            "is the attribute of all vendors alike",
            "Say \"3GPP-IMSI\", the only vendor's attribute that the gate looks at.",
        ),
        AttributeId::Plain(kind) => around.key(name).map(|_| kind),
        IMSI => Ok(IMSI_TYPE),
        AttributeId::Vendor(..) | AttributeId::Extended(..) => refused(
            "lies within another attribute, where the gate does not look",
            "Name an attribute that stands by itself, such as \"Calling-Station-Id\", or \"3GPP-IMSI\".",
        ),
    }
}
