//! Choosing a home server.
//!
//! Health comes first: a server that is alive, of whatever tier, before a zombie, and that before a dead one; among equals the
//! earlier tier; within a tier as its kind says. A dead server is tried where nothing better is left: its answer revives it, and
//! `may_take` bounds what that costs. A draining server gets only what continues a conversation that it holds; a server that is
//! down gets nothing.

use std::net::IpAddr;

use sekisho_abi::address_bytes;
use sekisho_lns::rendezvous::cost;
use sekisho_wire::{attr, number::canonical_number, select::AttributeId};

use crate::{
    health::Health,
    snapshot::{HomeId, HomeKind, HomeServer, HomeService, Member, Pool, PoolKind, RoutingSnapshot, Tier},
};

/// 3GPP-IMSI (3GPP TS 29.061 §16.4.7).
const IMSI: AttributeId = AttributeId::Vendor(10415, 1);
const CALLING_STATION_ID: AttributeId = AttributeId::Plain(attr::CALLING_STATION_ID);
/// Places that one word of `tried` has bits for.
const PLACES: u32 = u64::BITS;

/// What a choice goes by, beside the pool.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The request, well-formed: the client's, or our copy of it.
    pub packet: &'a [u8],
    /// The client's address.
    pub client: IpAddr,
    /// The server that holds the conversation which the request continues.
    pub held: Option<HomeId>,
}

/// A chosen server and its place in the pool's list.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'s> {
    /// The server.
    pub home: &'s HomeServer,
    /// Bit of its place.
    pub bit: u64,
    /// It was chosen because it holds the conversation.
    pub held: bool,
}

/// The best server of a pool that was not tried (bits of their places) and that `may_take` another request.
///
/// The server that holds the request's conversation goes before all, as long as it is neither dead nor down: no other could
/// answer. `None` if it may not take the request now: the client will ask again.
pub fn choose<'s>(
    snapshot: &'s RoutingSnapshot,
    pool: &Pool,
    kind: HomeKind,
    tried: u64,
    asked: &Asked<'_>,
    mut may_take: impl FnMut(&HomeServer, Health) -> bool,
) -> Option<Choice<'s>> {
    if let Some((choice, health)) = asked.held.and_then(|held| holder(snapshot, pool, kind, tried, held)) {
        return may_take(choice.home, health).then_some(choice);
    }
    let client = address_bytes(asked.client);
    let mut number = [0; 32];
    let mut best: Option<(Standing, Choice<'s>)> = None;
    let mut places = 0..PLACES;
    for (depth, tier) in pool.tiers.iter().enumerate() {
        let members = tier.members(kind);
        let by = By::of(snapshot, tier, members, asked, &client, &mut number);
        for (member, place) in members.iter().zip(&mut places) {
            let bit = 1 << place;
            let Some(home) = snapshot.home(member.home).filter(|_| tried & bit == 0) else { continue };
            let health = home.health();
            let worse = |best: &Standing| (health as u8, depth) > (best.health as u8, best.depth);
            let out = matches!(health, Health::Draining | Health::Down);
            if out || best.as_ref().is_some_and(|(best, _)| worse(best)) {
                continue;
            }
            let rank = by.rank(tier, place, member, home);
            let standing = Standing { health, depth, rank };
            if best.as_ref().is_none_or(|(best, _)| standing.is_before(best)) && may_take(home, health) {
                best = Some((standing, Choice { home, bit, held: false }));
                if matches!(by, By::Place) && health == Health::Alive {
                    break;
                }
            }
        }
        if best.as_ref().is_some_and(|(best, _)| best.health == Health::Alive) {
            break;
        }
    }
    best.map(|(_, choice)| choice)
}

/// The server that holds a conversation, where it can still be asked.
fn holder<'s>(
    snapshot: &'s RoutingSnapshot,
    pool: &Pool,
    kind: HomeKind,
    tried: u64,
    held: HomeId,
) -> Option<(Choice<'s>, Health)> {
    let (_, place) = pool.members(kind).zip(0..PLACES).find(|((_, member), _)| member.home == held)?;
    let bit = 1 << place;
    let home = snapshot.home(held).filter(|_| tried & bit == 0)?;
    let health = home.health();
    (!matches!(health, Health::Dead | Health::Down)).then_some((Choice { home, bit, held: true }, health))
}

/// Where a server stands among the others.
#[derive(Clone, Copy, Debug)]
struct Standing {
    health: Health,
    depth: usize,
    rank: (u64, u64),
}

impl Standing {
    fn is_before(&self, other: &Standing) -> bool {
        (self.health as u8, self.depth, self.rank) < (other.health as u8, other.depth, other.rank)
    }
}

/// What the servers of a tier are compared by.
#[derive(Clone, Copy, Debug)]
enum By<'k> {
    /// Their order.
    Place,
    /// Requests outstanding by weight; where they are equal, by chance in proportion to weight: the key is the request's
    /// authenticator.
    Load([&'k [u8]; 2]),
    /// Rendezvous.
    Key([&'k [u8]; 2]),
}

impl<'k> By<'k> {
    fn of(
        snapshot: &RoutingSnapshot,
        tier: &Tier,
        members: &[Member],
        asked: &Asked<'k>,
        client: &'k [u8],
        number: &'k mut [u8; 32],
    ) -> By<'k> {
        let find = |wanted: AttributeId| wanted.find(asked.packet).filter(|value| !value.is_empty());
        match tier.kind {
            PoolKind::FailOver => By::Place,
            _ if members.len() < 2 => By::Place,
            PoolKind::ClientBalance => By::Key([client, &[]]),
            // RFC 6613 §2.6.6: one EAP conversation, one server, also where the State is not known any more.
            PoolKind::LoadBalance if AttributeId::Plain(attr::EAP_MESSAGE).find(asked.packet).is_some() => {
                match (find(CALLING_STATION_ID), find(AttributeId::Plain(attr::USER_NAME))) {
                    (None, None) => By::Key([client, &[]]),
                    (station, user) => By::Key([station.unwrap_or_default(), user.unwrap_or_default()]),
                }
            }
            PoolKind::LoadBalance => By::Load([asked.packet.get(4..20).unwrap_or_default(), &[]]),
            PoolKind::KeyedBalance(wanted) => match find(wanted) {
                None => By::Key([client, &[]]),
                Some(value) if matches!(wanted, CALLING_STATION_ID | IMSI) => {
                    By::Key([canonical_number(value, &snapshot.country_code, number).unwrap_or(value), &[]])
                }
                Some(value) => By::Key([value, &[]]),
            },
        }
    }

    /// Smaller is better.
    fn rank(&self, tier: &Tier, place: u32, member: &Member, home: &HomeServer) -> (u64, u64) {
        // The order of floating-point numbers that are not negative is that of their bits.
        let cost = |key| cost(tier.seed, member.hash, member.weight, key).to_bits();
        match *self {
            By::Place => (u64::from(place), 0),
            By::Key(key) => (cost(key), 0),
            By::Load(key) => {
                let outstanding = home.stats.sum(|stats| &stats.outstanding);
                ((outstanding << 16) / u64::from(member.weight.max(1)), cost(key))
            }
        }
    }
}

impl HomeServer {
    /// What is to be reckoned with: what the operator wants, from the moment that it is in force, and else what the control engine
    /// has found.
    pub(crate) fn health(&self) -> Health {
        match self.service {
            HomeService::Down => Health::Down,
            HomeService::Draining => Health::Draining,
            HomeService::Up => self.state.health(),
        }
    }
}

impl Pool {
    /// Whether it has servers for accounting.
    pub fn takes_accounting(&self) -> bool {
        self.tiers.iter().any(|tier| !tier.acct.is_empty())
    }

    /// Whether it has servers of this kind whose names have no address yet.
    pub(crate) fn awaits(&self, kind: HomeKind) -> bool {
        match kind {
            HomeKind::Auth => self.auth_awaited,
            HomeKind::Acct => self.acct_awaited,
            HomeKind::DynAuth => false,
        }
    }

    /// The servers of one kind with their tiers, in order of preference.
    pub(crate) fn members(&self, kind: HomeKind) -> impl Iterator<Item = (&Tier, &Member)> {
        self.tiers.iter().flat_map(move |tier| tier.members(kind).iter().map(move |member| (tier, member)))
    }
}

impl Tier {
    fn members(&self, kind: HomeKind) -> &[Member] {
        match kind {
            HomeKind::Auth => &self.auth,
            HomeKind::Acct => &self.acct,
            HomeKind::DynAuth => &[],
        }
    }
}
