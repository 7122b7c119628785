//! A network that every reload makes another one.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use sekisho_engine::snapshot::*;
use sekisho_wire::{
    attr,
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
