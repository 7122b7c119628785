//! What the gate charges a source to: a contract's buckets, and what tells its sessions apart.

use sekisho_abi::{BucketParams, Identity, Limits, Source, numbers};
use sekisho_config::{AccessNetwork, Client, DynAuth, Rate, Rates};
use sekisho_engine::snapshot::ClientId;

/// The contract that stands behind a source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Charged {
    /// The contract's number, where the engine knows a client by the source.
    pub(crate) id: u32,
    /// Whose buckets they are; the same after every restart.
    pub(crate) owner: u64,
    pub(crate) limits: Limits,
    pub(crate) identity: Identity,
}

impl Charged {
    pub(crate) fn terminal(customer: &str, id: ClientId, from: &Client) -> Charged {
        let owner = numbers::owner(customer, &from.contract);
        Charged { id: id.0, owner, limits: limits(from.rates), identity: identity(&from.session_identity) }
    }

    /// What it asks for is of other clients' sessions, so there are none of its own. The engine knows it by another table.
    pub(crate) fn sender(customer: &str, from: &DynAuth) -> Charged {
        let owner = numbers::owner(customer, &from.name);
        let limits = Limits { client: bucket(from.rate), ..Limits::NONE };
        Charged { id: Source::NO_ID, owner, limits, identity: Identity::NONE }
    }

    /// An LNS that sends accounting of its own sessions.
    pub(crate) fn lns(customer: &str, name: &str, id: ClientId, rate: Rate) -> Charged {
        let limits = Limits { client: bucket(rate), ..Limits::NONE };
        Charged { id: id.0, owner: numbers::owner(customer, name), limits, identity: Identity::NONE }
    }

    /// All addresses of a network are charged to the same buckets.
    pub(crate) fn network(id: ClientId, from: &AccessNetwork) -> Charged {
        let owner = numbers::owner("", &from.name);
        Charged { id: id.0, owner, limits: limits(from.rates), identity: identity(&from.session_identity) }
    }
}

fn limits(from: Rates) -> Limits {
    Limits { client: bucket(from.client), session: bucket(from.session), new_session: bucket(from.new_session) }
}

/// The parameters of a bucket.
pub(crate) const fn bucket(from: Rate) -> BucketParams {
    BucketParams::per_second(from.per_second, from.burst)
}

fn identity(from: &[u8]) -> Identity {
    let mut identity = Identity::NONE;
    for (place, kind) in identity.0.iter_mut().zip(from) {
        *place = *kind;
    }
    identity
}
