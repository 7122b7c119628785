//! `[vpdn.load_balancing]`: the option with which several LNSs share a contract's sessions (負荷分散, Art. 8.2).

use std::time::Duration;

use sekisho_wire::{attr, select::AttributeId};

use super::{agreement::fees, idle, surroundings::Surroundings, vpdn::lns_names};
use crate::{
    document::{Placed, Site},
    finding::Problem,
    schema,
    section::Section,
    vpdn::{AllDown, Balancing, Failback, Lns, LnsTier, Strategy},
};

const STRATEGIES: [(&str, Strategy); 3] =
    [("round-robin", Strategy::RoundRobin), ("least-sessions", Strategy::LeastSessions), ("hash", Strategy::Hash)];
const ALL_DOWN: [(&str, AllDown); 2] = [("fail-open", AllDown::FailOpen), ("reject", AllDown::Reject)];
const REBALANCE: [(&str, bool); 2] = [("never", false), ("paced", true)];
/// The most attributes that a device is told by.
const MOST_KEYS: usize = 4;
/// 3GPP-IMSI: vendor and vendor type (TS 29.061 §16.4.7).
const IMSI: AttributeId = AttributeId::Vendor(10_415, 1);

/// When a tier is used again; how long "delayed" is stands under `failback_delay`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Now,
    Manual,
    Delayed,
}

const FAILBACKS: [(&str, When); 3] = [("now", When::Now), ("manual", When::Manual), ("delayed", When::Delayed)];

/// The option as it stands in a contract.
pub(super) struct Choice {
    pub(super) site: Site,
    /// How the contract's own LNSs are chosen from.
    pub(super) strategy: Strategy,
    /// Those below them, with their places.
    pub(super) tiers: Vec<Placed<LnsTier>>,
    pub(super) balancing: Balancing,
}

/// Reads the option. `known` is `None` where the customer's LNSs are not all known.
pub(super) fn load_balancing(
    section: &Section<'_>,
    known: Option<&[Placed<Lns>]>,
    around: &Surroundings<'_>,
) -> Option<Choice> {
    const SECOND: Duration = Duration::from_secs(1);
    const HOUR: Duration = Duration::from_secs(3_600);
    let strategy = strategy(section);
    let key = key(section, around);
    let sticky = section.duration("sticky", 60 * SECOND..=168 * HOUR).optional();
    let slow_start = section.duration("slow_start", Duration::ZERO..=HOUR).or(60 * SECOND);
    let all_down = section.choice("all_down", &ALL_DOWN).or(AllDown::FailOpen);
    let alternatives = section.integer("alternatives", 1..=8u8).or(8);
    let failback = failback(section);
    let overflow = if section.has("overflow") { lns_names(section, "overflow", known) } else { Some(Vec::new()) };
    let rebalance = rebalance(section);
    let fees = fees(section);
    let before = section.report.count();
    let sections = section.tables("tier", schema::LNS_TIER);
    let tiers: Vec<Placed<LnsTier>> = sections
        .iter()
        .filter_map(|section| Some(Placed { value: tier(section, known)?, site: section.site.clone() }))
        .collect();
    let sound = section.report.count() == before;
    let (strategy, failback) = (strategy?, failback?);
    if sound && tiers.is_empty() && failback != Failback::Now {
        let remedy = "Take it out, or add [[vpdn.load_balancing.tier]].";
        idle(section, &["failback"], "with one tier: there is none to come back from", remedy);
    }
    if sound && strategy != Strategy::Hash && !tiers.iter().any(|tier| tier.value.strategy == Strategy::Hash) {
        let remedy = "Take it out, or set `strategy = \"hash\"`.";
        idle(section, &["key"], "where no tier has the strategy \"hash\"", remedy);
    }
    let balancing = Balancing {
        key: key?,
        sticky: sticky?,
        slow_start: slow_start?,
        all_down: all_down?,
        alternatives: alternatives?,
        failback,
        overflow: overflow?,
        rebalance: rebalance?,
        fees: fees?,
    };
    sound.then(|| Choice { site: section.site.clone(), strategy, tiers, balancing })
}

fn tier(section: &Section<'_>, known: Option<&[Placed<Lns>]>) -> Option<LnsTier> {
    let (lns, strategy) = (lns_names(section, "lns", known), strategy(section));
    Some(LnsTier { lns: lns?, strategy: strategy? })
}

fn strategy(section: &Section<'_>) -> Option<Strategy> {
    section.choice("strategy", &STRATEGIES).or(Strategy::RoundRobin)
}

/// What tells devices apart, the best first.
fn key(section: &Section<'_>, around: &Surroundings<'_>) -> Option<Vec<AttributeId>> {
    const KEY: &str = "key";
    let otherwise = vec![AttributeId::Plain(attr::CALLING_STATION_ID), IMSI];
    let key = section.list(KEY, |name| around.key(name)).or(otherwise)?;
    let before = section.report.count();
    for (i, id) in key.iter().enumerate() {
        if key.iter().take(i).any(|earlier| earlier == id) {
            let problem = Problem::new("is in the list already", "Take it out: the first place counts.");
            section.fault(&format!("{KEY}[{i}]"), problem);
        }
    }
    let problem = match key.as_slice() {
        [] => Problem::new(
            "is an empty list, so no device would be told from another",
            "Leave it out for the default, or name what stays with a device.",
        ),
        [AttributeId::Plain(attr::USER_NAME)] => Problem::new(
            "is User-Name alone, which a whole fleet of devices may share: all would get one LNS",
            "Put what each device has to itself before it: [\"Calling-Station-Id\", \"User-Name\"].",
        ),
        list if list.len() > MOST_KEYS => Problem::new(
            format!("names {} attributes", list.len()),
            format!("Name at most {MOST_KEYS}, the best ones first."),
        ),
        _ => return (section.report.count() == before).then_some(key),
    };
    section.fault(KEY, problem);
    None
}

fn failback(section: &Section<'_>) -> Option<Failback> {
    const SECOND: Duration = Duration::from_secs(1);
    let when = section.choice("failback", &FAILBACKS).or(When::Now);
    let delay = section.duration("failback_delay", SECOND..=86_400 * SECOND).or(300 * SECOND);
    let when = when?;
    if when != When::Delayed {
        let remedy = "Set `failback = \"delayed\"`, or take it out.";
        idle(section, &["failback_delay"], "without `failback = \"delayed\"`", remedy);
    }
    Some(match when {
        When::Now => Failback::Now,
        When::Manual => Failback::Manual,
        When::Delayed => Failback::Delayed(delay?),
    })
}

fn rebalance(section: &Section<'_>) -> Option<Option<u32>> {
    let paced = section.choice("rebalance", &REBALANCE).or(false);
    let rate = section.integer("rebalance_rate", 1..=600u32).or(10);
    let (paced, rate) = (paced?, rate?);
    if !paced {
        let remedy = "Set `rebalance = \"paced\"`, or take it out.";
        idle(section, &["rebalance_rate"], "without `rebalance = \"paced\"`", remedy);
    }
    Some(paced.then_some(rate))
}
