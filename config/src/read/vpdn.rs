//! `[[vpdn]]`: which realms are answered with a tunnel, and to which LNSs.

use std::{collections::HashMap, time::Duration};

use sekisho_wire::{attr, select::AttributeId};

use super::{
    access::TYPES,
    agreement::agreement,
    balancing::{Choice, load_balancing},
    contract, idle,
    proxy::framed_networks,
    realm::served,
    reply::{allow_reply, reply},
    surroundings::Surroundings,
};
use crate::{
    customer::{Realm, Selector},
    document::{Placed, Site},
    finding::Problem,
    schema,
    section::Section,
    value::{self, show_duration},
    vpdn::{Balancing, Counting, Lns, LnsTier, MAX_LNSS, Strategy, Verify, Vpdn},
};

const COUNTINGS: [(&str, Counting); 3] = [("lac", Counting::Lac), ("lns", Counting::Lns), ("none", Counting::None)];
/// Who says who may in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Realm,
    Proxy,
    Group,
}

const VERIFIES: [(&str, By); 3] = [("realm", By::Realm), ("proxy", By::Proxy), ("group", By::Group)];
/// The most sessions of a contract or a customer: as many as a node can follow.
pub(super) const MOST_SESSIONS: u32 = 16_777_216;
/// The longest Reply-Message.
const MESSAGE_LEN: usize = 253;

/// A `vpdn` contract with its places.
pub(crate) struct VpdnDraft {
    pub(crate) site: Site,
    pub(crate) vpdn: Vpdn,
    /// Where the option stands, if there is one.
    pub(crate) option: Option<Site>,
    /// Where each tier but the first stands.
    below: Vec<Site>,
}

impl VpdnDraft {
    /// The tiers, each with the place that says how it chooses.
    pub(crate) fn tiers(&self) -> impl Iterator<Item = (&Site, &LnsTier)> {
        // The first one's LNSs are the contract's own, and how they are chosen from the option says.
        let first = self.option.as_ref().unwrap_or(&self.site);
        std::iter::once(first).chain(&self.below).zip(&self.vpdn.tiers)
    }
}

/// Reads one contract. `realms` and `known` are `None` where the customer's realms and LNSs are not all known.
pub(super) fn vpdn(
    section: &Section<'_>,
    realms: Option<&[Placed<Realm>]>,
    known: Option<&[Placed<Lns>]>,
    around: &Surroundings<'_>,
) -> Option<VpdnDraft> {
    const SECOND: Duration = Duration::from_secs(1);
    let contract = contract(section);
    let remedy = "Say \"D\", \"K\" or \"I\": which access networks may ask for it.";
    let kind = section.choice("type", &TYPES).required(section, "type", remedy);
    let realms = found_from_outside(section, realms);
    let verify = verify(section, around);
    let accounting = section.choice("accounting", &COUNTINGS).or(Counting::Lac);
    let max_sessions = section.integer("max_sessions", 0..=MOST_SESSIONS).or(0);
    let interim = section.duration("interim_interval", 60 * SECOND..=86_400 * SECOND).optional();
    let message = section.parsed("full_message", |text| value::attribute_text(text, MESSAGE_LEN)).optional();
    let reply = reply(section, around);
    let agreement = agreement(section);
    if let (Some(Some(interim)), Some(reply)) = (interim, &reply) {
        asked_for_alike(section, interim, reply);
    }
    let Choosing { tiers, below, option, balancing } = choosing(section, known, around)?;
    let vpdn = Vpdn {
        contract: contract?,
        kind: kind?,
        realms: realms?,
        verify: verify?,
        tiers,
        balancing,
        accounting: accounting?,
        max_sessions: max_sessions?,
        interim_interval: interim?,
        full_message: message?,
        reply: reply?,
        agreement: agreement?,
    };
    Some(VpdnDraft { site: section.site.clone(), vpdn, option, below })
}

/// The realms that the contract serves: those that access networks can find.
fn found_from_outside(section: &Section<'_>, own: Option<&[Placed<Realm>]>) -> Option<Vec<Realm>> {
    let realms = served(section, own)?;
    let is_own = |realm: &Realm| matches!(realm.selector, Selector::Pattern | Selector::Default);
    let (own, exact): (Vec<Realm>, Vec<Realm>) = realms.into_iter().partition(is_own);
    let only_own = |realm: &&Realm| !exact.iter().any(|other| other.name == realm.name);
    let remedy = "Name realms with `suffix`, `prefix`, `nt_domain` or `apn`.";
    match own.iter().find(only_own) {
        Some(realm) if section.has("realms") => {
            let message =
                format!("\"{realm}\" is for the customer's own terminals, and no access network ever finds it");
            section.fault("realms", Problem::new(message, remedy));
            None
        }
        Some(_) if exact.is_empty() => {
            let message = "patterns and a default are all the customer has, and no access network ever finds those";
            section.fault("", Problem::new(message, "Add [[realm]] with a `suffix`, a `prefix` or an `apn`."));
            None
        }
        _ => Some(exact),
    }
}

fn verify(section: &Section<'_>, around: &Surroundings<'_>) -> Option<Verify> {
    let by = section.choice("verify", &VERIFIES).or(By::Realm);
    let framed_networks = framed_networks(section);
    let allow_reply = allow_reply(section, around);
    let (by, framed_networks, allow_reply) = (by?, framed_networks?, allow_reply?);
    let verify = match by {
        By::Proxy => return Some(Verify::Proxy { framed_networks, allow_reply }),
        By::Realm => Verify::Realm,
        By::Group => Verify::Group,
    };
    let remedy = "Set `verify = \"proxy\"`, or take it out.";
    idle(section, &["framed_networks", "allow_reply"], "where no home server answers", remedy);
    Some(verify)
}

/// Warns of an interval that the contract itself has its LACs report in, and does not count by.
fn asked_for_alike(section: &Section<'_>, interim: Duration, reply: &[(AttributeId, Box<[u8]>)]) {
    const ID: AttributeId = AttributeId::Plain(attr::ACCT_INTERIM_INTERVAL);
    let values = reply.iter().filter(|(id, _)| *id == ID);
    let mut asked = values.filter_map(|(_, octets)| Some(u32::from_be_bytes(octets.as_ref().try_into().ok()?)));
    if let Some(seconds) = asked.find(|seconds| u64::from(*seconds) != interim.as_secs()) {
        let message =
            format!("{} is not what Acct-Interim-Interval of `reply` asks for: {seconds}s", show_duration(interim));
        section.warn("interim_interval", Problem::new(message, "Give both the same time."));
    }
}

/// The LNSs of a contract, and how they are chosen from.
struct Choosing {
    tiers: Vec<LnsTier>,
    below: Vec<Site>,
    option: Option<Site>,
    balancing: Option<Balancing>,
}

fn choosing(section: &Section<'_>, known: Option<&[Placed<Lns>]>, around: &Surroundings<'_>) -> Option<Choosing> {
    let before = section.report.count();
    let own = lns_names(section, "lns", known);
    let option = section.table("load_balancing", schema::LOAD_BALANCING);
    let choice = option.map(|section| load_balancing(&section, known, around));
    if section.report.count() != before {
        return None;
    }
    let own = own?;
    let Some(choice) = choice else {
        if own.len() > 1 {
            let message = format!(
                "names {} LNSs without the load-balancing option (負荷分散, Art. 8.2), and then a contract has exactly one",
                own.len()
            );
            let remedy = "Add [vpdn.load_balancing] where the customer has the option, else leave one LNS.";
            section.fault("lns", Problem::new(message, remedy));
            return None;
        }
        let tiers = vec![LnsTier { strategy: Strategy::RoundRobin, lns: own }];
        return Some(Choosing { tiers, below: Vec::new(), option: None, balancing: None });
    };
    let Choice { site, strategy, tiers: placed, balancing } = choice?;
    once_each(section, &own, &placed, &site, &balancing.overflow)?;
    let (mut tiers, mut below) = (vec![LnsTier { strategy, lns: own }], Vec::new());
    for Placed { site, value } in placed {
        tiers.push(value);
        below.push(site);
    }
    Some(Choosing { tiers, below, option: Some(site), balancing: Some(balancing) })
}

/// An LNS is in a contract once, and there are not too many.
fn once_each(
    section: &Section<'_>,
    own: &[String],
    tiers: &[Placed<LnsTier>],
    option: &Site,
    overflow: &[String],
) -> Option<()> {
    let lists = std::iter::once((&section.site, "lns", own))
        .chain(tiers.iter().map(|tier| (&tier.site, "lns", tier.value.lns.as_slice())))
        .chain(std::iter::once((option, "overflow", overflow)));
    let before = section.report.count();
    let mut first: HashMap<&str, String> = HashMap::new();
    for (site, key, names) in lists {
        for (i, name) in names.iter().enumerate() {
            let at = format!("{key}[{i}]");
            if let Some(other) = first.get(name.as_str()) {
                let message = format!("{name:?} is an LNS of this contract already, at {other}");
                let problem = Problem::new(message, "Take it out: an LNS stands in one tier, or in `overflow`.");
                section.report.fault(site.finding(&at, problem));
            } else {
                first.insert(name, site.place(&at));
            }
        }
    }
    if first.len() > MAX_LNSS {
        let message = format!("the contract has {} LNSs, and at most {MAX_LNSS} are chosen from", first.len());
        section.fault("lns", Problem::new(message, "Spread its realms over several contracts."));
    }
    (section.report.count() == before).then_some(())
}

/// A list of the customer's LNSs, at least one. `known` is `None` where they are not all known.
pub(super) fn lns_names(section: &Section<'_>, key: &str, known: Option<&[Placed<Lns>]>) -> Option<Vec<String>> {
    let remedy = "Name at least one [[lns]] of this customer.";
    let before = section.report.count();
    let names = section.list(key, value::name).required(section, key, remedy)?;
    if names.is_empty() {
        section.fault(key, Problem::new("is an empty list", remedy));
    }
    for (i, name) in names.iter().enumerate() {
        let Some(known) = known else { break };
        if !known.iter().any(|lns| lns.value.name == *name) {
            let all: Vec<String> = known.iter().map(|lns| format!("{:?}", lns.value.name)).collect();
            let remedy = match all.is_empty() {
                true => "Add it as [[lns]] first.".to_owned(),
                false => format!("Add it as [[lns]] first, or say one of: {}.", all.join(", ")),
            };
            section.fault(&format!("{key}[{i}]"), Problem::new(format!("{name:?} is no LNS of this customer"), remedy));
        }
    }
    (section.report.count() == before).then_some(names)
}
