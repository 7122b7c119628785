//! Incidents, claims, and the closing of months.

use std::collections::BTreeSet;

use jiff::{Timestamp, civil::Date};

use super::{Checked, Now};
use crate::{
    event::{Affected, Fault, Part},
    incident::Incident,
    refusal::{Refusal, Rule},
};

const ARTICLE: &str = "Art. 12";

impl Now<'_> {
    pub(super) fn opened(&self, name: &str, affects: &[Affected], known: Timestamp) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        if self.book.incident(name).is_some() {
            refusals.push(refuse(format!("there is an incident {name} already"), "give it a name of its own"));
        }
        refusals.extend(self.not_to_come(name, "it was known", known).err());
        if affects.is_empty() {
            refusals.push(refuse(format!("incident {name} affects nothing"), "name the contracts that it affects"));
        }
        let mut seen = BTreeSet::new();
        for affected in affects {
            match self.contract(&affected.contract) {
                Err(unknown) => refusals.push(unknown),
                Ok(_) if !seen.insert((&affected.contract, affected.part)) => {
                    refusals.push(about(&affected.contract, format!("incident {name} names it twice"), "name it once"));
                }
                Ok(contract) if affected.part == Part::Option && contract.options.is_empty() => {
                    let message = format!("incident {name} affects its option, and it has none");
                    refusals.push(about(&affected.contract, message, "name the contract itself"));
                }
                Ok(_) => {}
            }
        }
        refusals
    }

    pub(super) fn reported(&self, name: &str, known: Timestamp) -> Checked {
        let incident = self.incident(name)?;
        self.not_to_come(name, "it was known", known)?;
        match incident.closed {
            Some((ended, _)) if known >= ended => {
                let message = format!("incident {name} was over at {ended}, before it was known at {known}");
                Err(refuse(message, "name an earlier instant, or open another incident"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn closed(&self, name: &str, ended: Timestamp) -> Checked {
        let incident = self.incident(name)?;
        if let Some((ended, _)) = incident.closed {
            return Err(refuse(format!("incident {name} is closed: it was over at {ended}"), "leave it at that"));
        }
        self.not_to_come(name, "it was over", ended)?;
        match incident.known() {
            Some(known) if ended < known => {
                let message = format!("incident {name} was known at {known}, and over at {ended}, before that");
                Err(refuse(message, "name an instant that is not before it was known"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn claimed(&self, name: &str, contract: &str, arrived: Date) -> Checked {
        let incident = self.incident(name)?;
        self.contract(contract)?;
        let refuse = |message: String, remedy: &str| Err(about(contract, message, remedy));
        if !incident.affects.iter().any(|affected| affected.contract == contract) {
            return refuse(format!("incident {name} does not affect it"), "name a contract that it affects");
        }
        if let Some(claimed) = incident.claims.get(contract) {
            return refuse(format!("the credit for incident {name} was claimed on {claimed}"), "leave it at that");
        }
        self.not_future(ARTICLE, contract, "its claim arrived", arrived)?;
        if incident.draft {
            return refuse(format!("incident {name} is a draft, which nobody has confirmed"), "report it first");
        }
        match incident.closed {
            None => {
                let remedy = "close it first: what counts is the day on which the claim arrived";
                return refuse(format!("incident {name} is not closed"), remedy);
            }
            Some((_, fault)) if fault != Fault::Operator => {
                let whose = match fault {
                    Fault::Customer => "the customer's own servers, lines or settings were at fault",
                    Fault::Limit => "a limit was reached, which is no outage (Art. 14.2)",
                    Fault::Prerequisite => "a prerequisite was missing (Art. 5.7)",
                    Fault::Other | Fault::Operator => "the operator was not at fault",
                };
                return refuse(format!("in incident {name} {whose}"), "claim for the operator's faults only");
            }
            Some(_) => {}
        }
        self.claim_in_time(name, contract, arrived)
    }

    /// 24 hours in a row, and a claim on one of the days on which it is possible for one of the contract's parts.
    fn claim_in_time(&self, incident: &str, contract: &str, arrived: Date) -> Checked {
        let parts = [Part::Basic, Part::Option].into_iter().flat_map(|part| self.book.outages(contract, part));
        let outages: Vec<_> = parts.filter(|outage| outage.incident == incident).collect();
        let days: Vec<_> = outages.iter().filter_map(|outage| outage.claimable.clone()).collect();
        if days.iter().any(|days| days.contains(&arrived)) {
            return Ok(());
        }
        let Some(days) = days.first() else {
            let seconds = outages.iter().map(|outage| outage.seconds()).max().unwrap_or(0);
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            let message = format!("incident {incident} made it unusable for {hours} h {minutes} min that count");
            return Err(about(contract, message, "claim for 24 hours in a row or more"));
        };
        let (first, last) = (days.start(), days.end());
        let message =
            format!("its claim for incident {incident} arrived on {arrived}, and could from {first} to {last}");
        Err(about(contract, message, "name the day on which it arrived; after the last one the right is lost"))
    }

    pub(super) fn month_closed(&self, name: &str, month: Date) -> Checked {
        let refuse = |message: String, remedy: &str| Err(Refusal::general(Rule::Month, "Art. 10", message, remedy));
        let Some(customer) = self.book.customer(name) else {
            return refuse(format!("there is no customer {name}"), "see `sekisho get customers` for the names");
        };
        if month.day() != 1 {
            return refuse(format!("{month} is no first day of a month"), "name a month by its first day");
        }
        if month.last_of_month() >= self.today {
            return refuse(
                format!("the month of {month} is not over: today is {}", self.today),
                "close it when its last day is over",
            );
        }
        match customer.closed.last_key_value() {
            Some((last, _)) if *last >= month => {
                refuse(format!("the month of {last} is closed, which never changes"), "close a later month")
            }
            _ => Ok(()),
        }
    }

    fn incident(&self, name: &str) -> Result<&Incident, Refusal> {
        self.book.incident(name).ok_or_else(|| {
            refuse(format!("there is no incident {name}"), "see `sekisho get history` for the names, or open it first")
        })
    }

    fn not_to_come(&self, incident: &str, what: &str, at: Timestamp) -> Checked {
        if at <= self.at {
            return Ok(());
        }
        let message = format!("of incident {incident} is said that {what} at {at}, which is to come");
        Err(refuse(message, "record it when it has happened"))
    }
}

fn refuse(message: String, remedy: &str) -> Refusal {
    Refusal::general(Rule::Credit, ARTICLE, message, remedy)
}

fn about(contract: &str, message: String, remedy: &str) -> Refusal {
    Refusal::new(Rule::Credit, ARTICLE, contract, message, remedy)
}
