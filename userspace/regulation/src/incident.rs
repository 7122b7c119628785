//! Incidents: what was unusable, since when the operator knew, and what may be claimed for it (Art. 12).

use std::{collections::BTreeMap, ops::RangeInclusive};

use jiff::{SignedDuration, Timestamp, civil::Date};

use crate::{
    book::Book,
    calendar::claim_deadline,
    choices::UNUSABLE_DAY,
    contract::Contract,
    event::{Affected, Fault, Part, Source},
};

/// Something that was wholly unusable, or may have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its name.
    pub name: String,
    /// What is affected.
    pub affects: Vec<Affected>,
    /// When the operator knew, and how, in the order recorded and never empty: the earliest counts.
    pub reports: Vec<(Timestamp, Source)>,
    /// Opened by an alert and confirmed by nobody: it counts for nothing.
    pub draft: bool,
    /// Since when it is over, and whose fault it was.
    pub closed: Option<(Timestamp, Fault)>,
    /// The day on which each contract's claim arrived.
    pub claims: BTreeMap<String, Date>,
}

impl Incident {
    /// When the operator knew: the earliest of our alert and all reports.
    pub fn known(&self) -> Option<Timestamp> {
        self.reports.iter().map(|(known, _)| *known).min()
    }

    /// Whether it can lead to a credit: no draft, over, and the operator's fault.
    pub fn counts(&self) -> bool {
        !self.draft && matches!(self.closed, Some((_, Fault::Operator)))
    }

    /// Whether it affects this part of a contract.
    pub fn affects(&self, contract: &str, part: Part) -> bool {
        self.affects.iter().any(|affected| affected.contract == contract && affected.part == part)
    }
}

/// What an incident means for one part of one contract, overlaps with its other incidents taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Which incident.
    pub incident: String,
    /// Counted from here: the instant the operator knew, or where the whole days of earlier incidents in the same time in a row end.
    pub began: Timestamp,
    /// Counted to here. Not before `began`.
    pub ended: Timestamp,
    /// The days on which a claim may arrive, where 24 hours in a row are complete.
    pub claimable: Option<RangeInclusive<Date>>,
    /// The day on which a claim arrived.
    pub claimed: Option<Date>,
}

impl Outage {
    /// How long it was wholly unusable, in whole seconds.
    pub fn seconds(&self) -> u64 {
        u64::try_from(self.ended.duration_since(self.began).as_secs()).unwrap_or(0)
    }
}

impl Book {
    /// What the incidents that count (see [`Incident::counts`]) mean for a part of a contract, in the order in which the operator knew.
    /// Only time in which the part is billed and the contract is served counts \[C\]: where that is interrupted, the incident is several outages.
    /// Empty where there is no such contract.
    ///
    /// Incidents that overlap or touch are one time in a row, of which no hour counts twice: each later one begins where the whole days of the
    /// earlier ones end \[C\]. So the numbers of days add up to those of the whole time.
    pub fn outages(&self, contract: &str, part: Part) -> Vec<Outage> {
        let Some(contract) = self.contract(contract) else { return Vec::new() };
        let mut counting: Vec<(Timestamp, Timestamp, &Incident)> =
            contract.incidents.iter().filter_map(|name| self.counting(name, contract, part)).flatten().collect();
        counting.sort_by(|one, other| (one.0, one.1, &one.2.name).cmp(&(other.0, other.1, &other.2.name)));
        let mut outages = Vec::with_capacity(counting.len());
        // What is not counted yet of the present time in a row.
        let mut run: Option<(Timestamp, Timestamp)> = None;
        for (known, over, incident) in counting {
            let (began, ended) = match run {
                Some((began, ended)) if known <= ended => (began, ended.max(over)),
                _ => (known, over),
            };
            let outage = self.outage(incident, contract, began, ended);
            let whole = (ended.duration_since(began).as_secs() / UNUSABLE_DAY).saturating_mul(UNUSABLE_DAY);
            run = Some((later(began, whole), ended));
            outages.push(outage);
        }
        outages
    }

    /// The times of an incident that count, each in a row.
    fn counting(
        &self,
        name: &str,
        contract: &Contract,
        part: Part,
    ) -> Option<impl Iterator<Item = (Timestamp, Timestamp, &Incident)>> {
        let incident =
            self.incident(name).filter(|incident| incident.counts() && incident.affects(&contract.name, part))?;
        let (ended, _) = incident.closed?;
        let known = incident.known()?;
        let billed = match part {
            Part::Basic => contract.billed(),
            // The option in whose life the incident falls.
            Part::Option => {
                let mut started = contract.options.iter().filter_map(|option| {
                    let billed = option.billed()?;
                    billed.overlap(&contract.billed()?)
                });
                started.rfind(|billed| self.midnight(billed.from) <= ended)
            }
        }?;
        let known = known.max(self.midnight(billed.from));
        let ended = billed.until.map_or(ended, |until| ended.min(self.end_of(until)));
        let times = self.served_within(contract, known, ended);
        Some(times.into_iter().map(move |(known, ended)| (known, ended, incident)))
    }

    fn outage(&self, incident: &Incident, contract: &Contract, began: Timestamp, ended: Timestamp) -> Outage {
        let complete = later(began, UNUSABLE_DAY);
        let claimable = (complete <= ended).then(|| {
            let possible = self.day(complete);
            possible..=claim_deadline(possible)
        });
        let claimed = incident.claims.get(&contract.name).copied();
        Outage { incident: incident.name.clone(), began, ended, claimable, claimed }
    }
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}
