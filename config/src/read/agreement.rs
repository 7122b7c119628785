//! What was agreed for a contract: `fees` and `prerequisites`.

use sekisho_regulation::terms::Fees;

use crate::{finding::Problem, schema, section::Section, terms::Agreement, value};

/// A thousand billion yen: more is a slip of the hand.
const MOST_YEN: u64 = 1_000_000_000_000;
/// The longest name of a prerequisite, in octets.
const NAME_LEN: usize = 128;

/// The keys `fees` and `prerequisites` of a contract.
pub(super) fn agreement(section: &Section<'_>) -> Option<Agreement> {
    let (fees, prerequisites) = (fees(section), prerequisites(section));
    Some(Agreement { fees: fees?, prerequisites: prerequisites? })
}

/// The table `fees`: yen, nothing where nothing is said.
pub(super) fn fees(section: &Section<'_>) -> Option<Fees> {
    let before = section.report.count();
    let Some(fees) = section.table("fees", schema::FEES) else {
        return (section.report.count() == before).then(Fees::default);
    };
    let yen = |key| fees.integer(key, 0..=MOST_YEN).or(0);
    let (initial, monthly, change) = (yen("initial"), yen("monthly"), yen("change"));
    let fees = Fees { initial: initial?, monthly: monthly?, change: change? };
    (section.report.count() == before).then_some(fees)
}

fn prerequisites(section: &Section<'_>) -> Option<Vec<String>> {
    const KEY: &str = "prerequisites";
    let names = section.list(KEY, |text| value::words(text, NAME_LEN)).or(Vec::new())?;
    let before = section.report.count();
    for (i, name) in names.iter().enumerate() {
        if names.iter().take(i).any(|other| other == name) {
            let problem = Problem::new(format!("{name:?} is in the list already"), "Take it out.");
            section.fault(&format!("{KEY}[{i}]"), problem);
        }
    }
    (section.report.count() == before).then_some(names)
}
