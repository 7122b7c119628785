//! An alert opens a draft incident by itself (Art. 12): what Prometheus's Alertmanager tells of (its webhook, version 4) is noted with the
//! instant since which the operator knows. A draft counts for nothing until somebody has looked (`sekisho incident report`).

use jiff::Timestamp;
use sekisho_registry::{Change, NewEntry, RegistryError};
use sekisho_regulation::{
    Book, Event,
    event::{Affected, Part, Source},
};
use serde::Deserialize;

use super::follow::Follower;

/// What Alertmanager sends.
#[derive(Debug, Deserialize)]
pub struct Notification {
    /// One or more alerts.
    #[serde(default)]
    pub alerts: Vec<Alert>,
}

/// An alert, as far as it matters.
#[derive(Debug, Deserialize)]
pub struct Alert {
    /// `firing` or `resolved`.
    pub status: String,
    /// What it is about: `contract`, or `customer` for all that it is served.
    #[serde(default)]
    pub labels: Labels,
    /// Since when.
    #[serde(rename = "startsAt")]
    pub since: Timestamp,
}

/// The labels that matter.
#[derive(Debug, Default, Deserialize)]
pub struct Labels {
    /// The alert's name.
    #[serde(default)]
    pub alertname: String,
    /// A contract.
    pub contract: Option<String>,
    /// A customer.
    pub customer: Option<String>,
}

/// Another writer may be faster, so many times.
const TRIES: usize = 4;

/// Opens a draft for each alert that fires about a contract or a customer, and is not known yet. How many.
///
/// # Errors
///
/// The registry cannot be written; in words.
pub async fn note(follower: &Follower, notification: &Notification) -> Result<usize, String> {
    for _ in 0..TRIES {
        // Read ahead by a clone: what is new in it is news to the node as well, which still has to hear of it.
        let mut ahead = follower.feed.lock().await.clone();
        ahead.connect().await.map_err(|error| error.to_string())?;
        let registry = ahead.registry().ok_or("the registry has not been reached yet")?;
        let (book, seen) = (ahead.book(), ahead.seen());
        let now = Timestamp::now();
        let events: Vec<Event> = notification.alerts.iter().filter_map(|alert| draft(book, alert, now)).collect();
        if events.is_empty() {
            return Ok(0);
        }
        let opened = events.len();
        let entry = |event| NewEntry { at: now, who: "alertmanager".to_owned(), why: "an alert".to_owned(), event };
        let change = Change { entries: events.into_iter().map(entry).collect(), ..Change::default() };
        match registry.record(seen, change).await {
            Ok(_) => {
                follower.nudge();
                return Ok(opened);
            }
            Err(RegistryError::Moved { .. }) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Err("others write to the registry all the time: send it again".to_owned())
}

/// The draft that an alert is; `None`: it is about nobody's contract, over, or known.
fn draft(book: &Book, alert: &Alert, now: Timestamp) -> Option<Event> {
    let Alert { status, labels, since } = alert;
    if status != "firing" {
        return None;
    }
    let known = (*since).min(now);
    let contracts: Vec<String> = match (&labels.contract, &labels.customer) {
        (Some(contract), _) => book.contract(contract).map(|it| it.name.clone()).into_iter().collect(),
        (None, Some(customer)) => {
            let in_force = book.in_force(now);
            let served = in_force.contracts.iter().filter(|(_, it)| it.served && it.customer == *customer);
            served.map(|(name, _)| name.clone()).collect()
        }
        (None, None) => Vec::new(),
    };
    let about = labels.contract.as_ref().or(labels.customer.as_ref())?;
    let incident = format!("{}-{about}-{}", labels.alertname, known.strftime("%Y%m%dT%H%M%SZ"));
    if contracts.is_empty() || book.incident(&incident).is_some() {
        return None;
    }
    let affects = contracts.into_iter().map(|contract| Affected { contract, part: Part::Basic }).collect();
    Some(Event::IncidentOpened { incident, affects, known, source: Source::Alert, draft: true })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_alertmanager_sends_is_understood_and_what_it_adds_is_let_be() {
        let text = r#"{"version":"4","status":"firing","receiver":"sekisho","alerts":[{"status":"firing","labels":{"alertname":
            "SekishoLnsAllDown","customer":"fuji","contract":"fuji-vpdn","severity":"page"},"annotations":{},
            "startsAt":"2026-11-27T09:00:00.123+09:00","endsAt":"0001-01-01T00:00:00Z","fingerprint":"abc"}]}"#;
        let notification: Notification = serde_json::from_str(text).unwrap();
        assert_eq!(notification.alerts[0].labels.contract.as_deref(), Some("fuji-vpdn"));
        assert_eq!(notification.alerts[0].since, "2026-11-27T00:00:00.123Z".parse().unwrap());
        let book = Book::new(jiff::tz::TimeZone::UTC);
        assert_eq!(draft(&book, &notification.alerts[0], Timestamp::now()), None, "nobody's contract");
    }
}
