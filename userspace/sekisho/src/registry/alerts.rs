//! An alert opens a draft incident by itself (Art. 12): what Prometheus's Alertmanager tells of (its webhook, version 4) is noted with the
//! instant since which the operator knows. A draft counts for nothing until somebody has looked (`sekisho incident report`).

use jiff::Timestamp;
use sekisho_registry::{Change, NewEntry, RegistryError};
use sekisho_regulation::{
    Book, Entry, Event,
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
        let entries = drafts(ahead.book(), &notification.alerts, Timestamp::now());
        if entries.is_empty() {
            return Ok(0);
        }
        let opened = entries.len();
        match registry.record(ahead.seen(), Change { entries, ..Change::default() }).await {
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

/// What alerts are to the history, one after the other: those that the rules take.
fn drafts(book: &Book, alerts: &[Alert], now: Timestamp) -> Vec<NewEntry> {
    let (mut book, mut entries) = (book.clone(), Vec::new());
    for alert in alerts {
        let Some(event) = draft(&book, alert, now) else { continue };
        let (who, why) = ("alertmanager".to_owned(), "an alert".to_owned());
        let entry = Entry { number: book.last() + 1, at: now, who, why, event };
        match book.admit(std::slice::from_ref(&entry)) {
            Ok(after) => book = after,
            Err(refusals) => {
                tracing::warn!(%refusals, "an alert opens no draft");
                continue;
            }
        }
        let Entry { at, who, why, event, .. } = entry;
        entries.push(NewEntry { at, who, why, event });
    }
    entries
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

    /// An alert about `proxy` of acme, which has been served since this day, and its client.
    fn alert(labels: &str) -> Alert {
        let text = format!(
            r#"{{"status":"firing","labels":{{"alertname":"Down",{labels}}},"startsAt":"2027-01-05T03:00:00Z"}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    fn book() -> Book {
        use sekisho_regulation::{
            prerequisites,
            terms::{ContractTerms, Kind, Terms},
        };
        let contract = |name: &str, kind| ContractTerms {
            contract: name.into(),
            kind,
            realms: Vec::new(),
            fees: Default::default(),
            option: None,
            prerequisites: Vec::new(),
        };
        let contracts = vec![contract("nas", Kind::Client), contract("proxy", Kind::Proxy)];
        let day = jiff::civil::date(2027, 1, 4);
        let at: Timestamp = "2027-01-04T01:00:00Z".parse().unwrap();
        let terms = Terms { customer: "acme".into(), contracts: contracts.clone(), ..Terms::default() };
        let mut events = vec![Event::Document { from: day, applied: None, terms }];
        for terms in &contracts {
            let contract = || terms.contract.clone();
            events.push(Event::Accepted { contract: contract(), on: day, test_from: None });
            for it in prerequisites(terms) {
                events.push(Event::Confirmed { contract: contract(), prerequisite: it.name, at });
            }
            events.push(Event::Started { contract: contract(), part: Part::Basic, on: day });
        }
        let entry = |(number, event)| Entry { number, at, who: "clerk".into(), why: String::new(), event };
        let entries: Vec<Entry> = (1..).zip(events).map(entry).collect();
        Book::new(jiff::tz::TimeZone::UTC).admit(&entries).unwrap_or_else(|refusals| panic!("{refusals}"))
    }

    #[test]
    fn an_alert_opens_one_draft_however_often_it_is_told() {
        let now: Timestamp = "2027-01-05T03:05:00Z".parse().unwrap();
        let again = || alert(r#""contract":"proxy""#);
        let entries =
            drafts(&book(), &[again(), again(), alert(r#""severity":"page""#), alert(r#""contract":"no""#)], now);
        let [NewEntry { event: Event::IncidentOpened { affects, known, source, draft, .. }, .. }] = &entries[..] else {
            panic!("{} entries", entries.len())
        };
        assert_eq!((affects[0].contract.as_str(), *source, *draft), ("proxy", Source::Alert, true));
        assert_eq!(known.to_string(), "2027-01-05T03:00:00Z", "the operator has known since then");
    }

    #[test]
    fn an_alert_about_a_customer_is_about_all_that_it_is_served_and_one_that_is_over_about_nothing() {
        let now: Timestamp = "2027-01-05T03:05:00Z".parse().unwrap();
        let entries = drafts(&book(), &[alert(r#""customer":"acme""#)], now);
        let Event::IncidentOpened { affects, .. } = &entries[0].event else { panic!() };
        assert_eq!(affects.iter().map(|it| it.contract.as_str()).collect::<Vec<_>>(), ["nas", "proxy"]);
        let over = Alert { status: "resolved".to_owned(), ..alert(r#""contract":"proxy""#) };
        assert!(drafts(&book(), &[over], now).is_empty());
    }
}
