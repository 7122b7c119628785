//! A home server and a load that fit each other.

use std::net::SocketAddr;
use std::time::Duration;

use sekisho_bench::home::{Extras, Faults, Home, Running, Users};
use sekisho_bench::load::{End, Kind, Pace, Plan, Report};
use sekisho_bench::stop::Stop;
use sekisho_wire::secret::Secret;

pub const SECRET: &str = "shared by both of them";

/// A home server on `ip` that knows everybody by the password `wonderland`.
pub fn home(ip: &str, faults: Faults) -> Running {
    let any = SocketAddr::new(ip.parse().unwrap(), 0);
    let home = Home {
        authentication: Some(any),
        accounting: Some(any),
        secret: Secret::new(SECRET).unwrap(),
        users: ["*:wonderland".parse().unwrap()].into_iter().collect::<Users>(),
        extras: Extras::default(),
        faults,
        workers: 2,
    };
    home.start().unwrap()
}

/// 2000 requests, 64 outstanding.
pub fn plan(kind: Kind, target: SocketAddr) -> Plan {
    Plan {
        target,
        secret: Secret::new(SECRET).unwrap(),
        kind,
        realm: "acme.example".into(),
        accounts: None,
        users: 100,
        password: "wonderland".into(),
        pace: Pace::Window(64),
        end: End::Requests(2000),
        source: None,
        ports: None,
        timeout: Duration::from_millis(500),
        retries: 3,
        double: false,
        require_message_authenticator: true,
        seed: 1,
    }
}

pub fn run(plan: &Plan) -> Report {
    plan.run(&Stop::default()).unwrap()
}

/// Where `home` takes requests of this kind.
pub fn target(kind: Kind, home: &Running) -> SocketAddr {
    match kind {
        Kind::Acct => home.accounting.unwrap(),
        Kind::Pap | Kind::Chap | Kind::MsChapV2 => home.authentication.unwrap(),
    }
}
