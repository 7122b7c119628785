//! How the realm of an access network's request is found, and which requests have none: keys of `[[access_network]]`.

use sekisho_wire::nai::CanonicalRealm;
use toml::de::DeValue;

use super::idle;
use crate::{
    access::{Keepalive, LookupMode, RealmLookup, RealmPlace},
    finding::Problem,
    section::Section,
    value,
};

const PLACES: [(&str, RealmPlace); 3] =
    [("suffix", RealmPlace::Suffix), ("prefix", RealmPlace::Prefix), ("apn", RealmPlace::Apn)];
const MODES: [(&str, LookupMode); 3] =
    [("user", LookupMode::User), ("domain", LookupMode::Domain), ("dnis", LookupMode::Dnis)];
const ANSWERS: [(&str, bool); 2] = [("reject", false), ("accept", true)];
/// The longest User-Name.
const NAME_LEN: usize = 253;

/// Where realms are looked for. That those named exist is checked in `rules`.
pub(super) fn lookup(section: &Section<'_>) -> Option<RealmLookup> {
    let places = places(section);
    let mode = section.choice("lookup", &MODES).or(LookupMode::User);
    let default_realm = section.parsed("default_realm", value::realm).optional();
    let default_realms = default_realms(section);
    let outer_suffix = section.parsed("outer_suffix", value::realm).optional();
    Some(RealmLookup {
        mode: mode?,
        places: places?,
        outer_suffix: outer_suffix?,
        default_realms: default_realms?,
        default_realm: default_realm?,
    })
}

fn places(section: &Section<'_>) -> Option<Vec<RealmPlace>> {
    const KEY: &str = "realms_by";
    let places = section.list(KEY, |text| value::choice(text, &PLACES)).or(vec![RealmPlace::Suffix])?;
    let before = section.report.count();
    if places.is_empty() {
        let remedy = "Name at least one of \"suffix\", \"prefix\" and \"apn\", or leave the key out for \"suffix\".";
        section.fault(KEY, Problem::new("is an empty list", remedy));
    }
    for (i, place) in places.iter().enumerate() {
        if places.iter().take(i).any(|earlier| earlier == place) {
            let message = format!("{:?} is in the list already", place.name());
            section.fault(&format!("{KEY}[{i}]"), Problem::new(message, "Take it out: the first place counts."));
        }
    }
    (section.report.count() == before).then_some(places)
}

/// The table `default_realms`: APN = realm.
fn default_realms(section: &Section<'_>) -> Option<Vec<(CanonicalRealm, CanonicalRealm)>> {
    const KEY: &str = "default_realms";
    let before = section.report.count();
    let mut realms: Vec<(CanonicalRealm, CanonicalRealm)> = Vec::new();
    for (apn, given) in section.pairs(KEY) {
        let at = format!("{KEY}.{apn}");
        let DeValue::String(realm) = given else {
            section.fault(&at, Problem::new("is no realm", "Write the realm in double quotes."));
            continue;
        };
        match (value::realm(apn), value::realm(realm)) {
            (Ok(apn), Ok(_)) if realms.iter().any(|(other, _)| *other == apn) => {
                let message = format!("\"{apn}\" is in the table already, written in another way");
                section.fault(&at, Problem::new(message, "Keep one of them."));
            }
            (Ok(apn), Ok(realm)) => realms.push((apn, realm)),
            (apn, realm) => {
                for problem in [apn.err(), realm.err()].into_iter().flatten() {
                    section.fault(&at, problem);
                }
            }
        }
    }
    (section.report.count() == before).then_some(realms)
}

/// The names that only ask whether we are there.
pub(super) fn keepalive(section: &Section<'_>) -> Option<Keepalive> {
    const KEY: &str = "probe_users";
    let before = section.report.count();
    let users = section.list(KEY, |text| match text.len() {
        1..=NAME_LEN => Ok(text.to_owned()),
        n => Err(Problem::new(format!("has {n} octets"), format!("A User-Name has 1 to {NAME_LEN}."))),
    });
    let users = users.or(Vec::new());
    let accept = section.choice("probe_answer", &ANSWERS).or(false);
    let (users, accept) = (users?, accept?);
    for (i, user) in users.iter().enumerate() {
        if users.iter().take(i).any(|earlier| earlier == user) {
            let problem = Problem::new(format!("{user:?} is in the list already"), "Take it out.");
            section.fault(&format!("{KEY}[{i}]"), problem);
        }
    }
    if users.is_empty() {
        idle(section, &["probe_answer"], "without `probe_users`", "Name the users in `probe_users`, or take it out.");
    }
    (section.report.count() == before).then_some(Keepalive { users, accept })
}
