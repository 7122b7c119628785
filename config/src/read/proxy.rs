//! `[[proxy]]`: which realms a contract serves, and by which servers.

use super::{
    agreement::agreement,
    contract,
    customer::ProxyDraft,
    realm::served,
    server::{copies, servers},
    surroundings::{Surroundings, unanswered},
};
use crate::{
    access::Network,
    customer::{PoolType, Proxy, Realm, Server, Strip, Tier},
    document::{Placed, Site},
    finding::Problem,
    schema,
    section::Section,
    value,
};

/// The servers of a contract, of all its tiers: an attempt remembers which were tried as bits of one word.
const MAX_SERVERS: usize = 64;

const STRIPS: [(&str, Strip); 3] = [("no", Strip::Nothing), ("outer", Strip::Outer), ("realm", Strip::Realm)];

/// Words for how a server is chosen; what `keyed-balance` goes by stands under `key`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    FailOver,
    LoadBalance,
    ClientBalance,
    KeyedBalance,
}

const KINDS: [(&str, Kind); 4] = [
    ("fail-over", Kind::FailOver),
    ("load-balance", Kind::LoadBalance),
    ("client-balance", Kind::ClientBalance),
    ("keyed-balance", Kind::KeyedBalance),
];

/// Reads one contract. `realms` is `None` where the customer's are not all known.
pub(super) fn proxy(
    section: &Section<'_>,
    realms: Option<&[Placed<Realm>]>,
    around: &Surroundings<'_>,
) -> Option<ProxyDraft> {
    let contract = contract(section);
    let served = served(section, realms);
    let strip = section.choice("strip", &STRIPS).or(Strip::Nothing);
    let when_down = unanswered(section, "when_down");
    let framed_networks = framed_networks(section);
    let agreement = agreement(section);
    let mut sites = Vec::new();
    let mut tiers = vec![tier(section, around, &mut sites)];
    let fallbacks = section.tables("fallback", schema::FALLBACK);
    tiers.extend(fallbacks.iter().map(|section| tier(section, around, &mut sites)));
    if sites.len() > MAX_SERVERS {
        let message = format!("the contract has {} servers, and at most {MAX_SERVERS} are chosen from", sites.len());
        section.fault("server", Problem::new(message, "Spread them over several contracts."));
    }
    let (copies, copy_sites) = unzip(copies(section, around));
    let proxy = Proxy {
        contract: contract?,
        realms: served?,
        tiers: tiers.into_iter().collect::<Option<_>>()?,
        copies,
        strip: strip?,
        when_down: when_down?,
        framed_networks: framed_networks?.into_iter().map(|it| (it.address, it.length)).collect(),
        agreement: agreement?,
    };
    Some(ProxyDraft { site: section.site.clone(), proxy, servers: sites, copies: copy_sites })
}

/// What an Accept may give as an address.
pub(super) fn framed_networks(section: &Section<'_>) -> Option<Vec<Network>> {
    section.list("framed_networks", value::network).or(Vec::new())
}

/// Servers that are chosen from alike, from the contract's own table or one of `fallback`.
fn tier(section: &Section<'_>, around: &Surroundings<'_>, sites: &mut Vec<Site>) -> Option<Tier> {
    let pool = pool(section, around);
    let (servers, places) = unzip(servers(section, around));
    sites.extend(places);
    Some(Tier { pool: pool?, servers })
}

fn unzip(placed: Vec<Placed<Server>>) -> (Vec<Server>, Vec<Site>) {
    placed.into_iter().map(|placed| (placed.value, placed.site)).unzip()
}

fn pool(section: &Section<'_>, around: &Surroundings<'_>) -> Option<PoolType> {
    let kind = section.choice("type", &KINDS).or(Kind::FailOver);
    let key = section.parsed("key", |name| around.key(name)).optional();
    match (kind?, key?) {
        (Kind::KeyedBalance, Some(key)) => Some(PoolType::KeyedBalance(key)),
        (Kind::KeyedBalance, None) => {
            let remedy = "Name the attribute that the choice goes by, such as \"Calling-Station-Id\".";
            section.fault("key", Problem::new("is missing", remedy));
            None
        }
        (_, Some(_)) => {
            let problem = Problem::new("means nothing here", "Set `type = \"keyed-balance\"`, or take it out.");
            section.fault("key", problem);
            None
        }
        (Kind::FailOver, None) => Some(PoolType::FailOver),
        (Kind::LoadBalance, None) => Some(PoolType::LoadBalance),
        (Kind::ClientBalance, None) => Some(PoolType::ClientBalance),
    }
}
