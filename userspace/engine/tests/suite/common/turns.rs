//! A network that every reload makes another one.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use sekisho_engine::snapshot::*;
use sekisho_wire::{
    attr,
    attribute::attributes,
    build::RequestBuilder,
    code::Code,
    policy::{Policy, Rule, Value},
    secret::Secret,
    select::AttributeId,
};

use super::*;

pub const HOME_3: &str = "198.51.100.3:1812";
pub const ACCT_2: &str = "198.51.100.2:1813";
pub const OTHER_POOL: &str = "198.51.100.11:1813";
pub const THIRD_POOL: &str = "198.51.100.12:1813";
pub const BILLING: &str = "198.51.100.21:1813";
pub const NAS_2: &str = "192.0.2.11:40000";
pub const CLIENTS: [&str; 3] = [NAS, NAS_B, NAS_2];
/// An access network, by an address of its own and by one of its prefix.
pub const PGWS: [&str; 2] = ["203.0.113.5:3000", "100.64.7.9:3000"];
const MARK: &[u8] = b"put in by a policy";

/// The secret of all clients with this number.
pub fn client_secret(number: u32) -> Secret {
    Secret::new(format!("secret {number} of the clients")).unwrap()
}

/// The secret of the server at this address.
pub fn server_secret(at: SocketAddr) -> Secret {
    Secret::new(format!("the secret of {at}")).unwrap()
}

/// How a reload changes things, from one number.
#[derive(Clone, Copy)]
pub struct Turn(pub u32);

impl Turn {
    fn is(self, bit: u32) -> bool {
        self.0 >> bit & 1 == 1
    }

    /// Makes this turn's network of a plan's snapshot; `secrets` are the clients' now and before.
    pub fn apply(self, snapshot: &mut RoutingSnapshot, extras: &[Extra], secrets: (u32, Option<u32>)) {
        extras.iter().for_each(|extra| extra.join(snapshot, 0));
        dynauth::sender(snapshot, 9, dynauth::SENDER, 0);
        access_network(snapshot, 10, PGWS, Rates::NONE);
        snapshot.access_realms.suffixes = [(b"a.example"[..].into(), RealmId(0))].into();
        let [second, third, billing, nas] = [0, 1, 2, 3].map(|n| &extras[n]);
        if self.is(0) {
            snapshot.pools.push(acct_pool("second", 0, &[second]));
            snapshot.pools.push(acct_pool("third", 0, &[third, second]));
            customer(snapshot, 0).acct_pools = vec![PoolId(0), PoolId(1), PoolId(2)];
        }
        if self.is(1) {
            snapshot.pools[0].copies = vec![billing.id()];
        }
        snapshot.pools[0].strip = if self.is(2) { Strip::Realm } else { Strip::Nothing };
        snapshot.pools[0].when_down = if self.is(3) { Verdict::Reject } else { Verdict::Silence };
        if !self.is(4) {
            customer(snapshot, 0).nases = [(NasKey::Address(address(dynauth::NAS_AT).ip()), nas.id())].into();
        }
        if self.is(10) {
            let limits = Rates {
                client: BucketParams::per_second(100, 40),
                session: BucketParams::per_second(1, 2),
                new_session: BucketParams::per_second(60, 15),
            };
            snapshot.gate.sources.values_mut().for_each(|source| source.limits = limits);
        }
        for home in snapshot.homes.iter_mut().flatten() {
            let home = Arc::get_mut(home).unwrap();
            home.secret = server_secret(home.address);
            home.require_message_authenticator = Require::Auto;
            home.response_window = Duration::from_secs(if self.is(5) { 1 } else { 3 });
        }
        for client in snapshot.clients.iter_mut().flatten() {
            let client = Arc::get_mut(client).unwrap();
            client.secret = client_secret(secrets.0);
            client.previous_secret = secrets.1.map(client_secret);
            client.when_unanswered = if self.is(6) { Verdict::Reject } else { Verdict::Silence };
            client.realm_limit = if self.is(9) { BucketParams::per_second(5, 5) } else { BucketParams::NONE };
            client.reject_delay = if self.is(7) { Duration::from_secs(1) } else { Duration::ZERO };
            if self.is(8) && client.role == ClientRole::Terminal {
                let mark = Rule::Add(AttributeId::Plain(attr::CALLING_STATION_ID), Value::Literal(MARK.into()));
                client.request_policies = vec![Arc::new(Policy::new(vec![mark]))];
                let session = AttributeId::Plain(attr::SESSION_TIMEOUT);
                client.reply_policies = vec![Arc::new(Policy::new(vec![Rule::Remove(session, None)]))];
            }
        }
    }
}

/// An accounting record of a user and session that nobody else has.
pub fn record(id: u8, user: &str, realm: Option<&str>, status: u32, secret: &Secret) -> Vec<u8> {
    let mut builder = RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, [0; 16])
        .attribute(attr::ACCT_STATUS_TYPE, status.to_be_bytes())
        .attribute(attr::PROXY_STATE, "of a proxy")
        .attribute(attr::ACCT_SESSION_ID, user);
    if let Some(realm) = realm {
        builder = builder.attribute(attr::USER_NAME, format!("{user}@{realm}"));
    }
    builder.build(secret).unwrap()
}

/// What only one request has: its session's number, or its user's name without the realm.
pub fn marker(packet: &[u8]) -> Vec<u8> {
    let of = |number| attributes(packet).find(|it| it.number == number).map(|it| it.value.to_vec());
    let mut marker = of(attr::ACCT_SESSION_ID).or_else(|| of(attr::USER_NAME)).unwrap();
    marker.truncate(marker.iter().position(|octet| *octet == b'@').unwrap_or(marker.len()));
    marker
}
