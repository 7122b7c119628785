//! Many NASes in one thread: sends requests, retransmits, verifies replies, and reports.
//!
//! A [`Plan`] says what to do; [`Plan::run`] does it. The pieces: [`accounts`] are who logs in; [`pool`] holds requests signed
//! beforehand, so that the load costs little while it runs; [`slots`] knows which (port, id) is waiting for what, without sockets or clock;
//! [`pace`] says when another request is due; [`report`] is what comes out.
//!
//! A request is *completed* when a verified reply came, *lost* when its last retransmission stayed unanswered that
//! long. In the open loop latency counts from the time a request was due, not from when we got round to it, so that a stall
//! is not hidden by the load waiting with it.

pub mod accounts;
pub mod pace;
pub mod pool;
pub mod report;
mod run;
pub mod slots;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::ValueEnum;
use sekisho_wire::mschap::nt::NoNtHash;
use sekisho_wire::secret::Secret;

pub use accounts::Accounts;
pub use pace::Pace;
pub use report::Report;

use crate::stop::Stop;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Accounting records: Start, Interim-Update, Stop.
    Acct,
    /// Logins by PAP, with Message-Authenticator.
    Pap,
    /// Logins by CHAP with a challenge of its own, with Message-Authenticator.
    Chap,
    /// Logins by MS-CHAPv2, with Message-Authenticator.
    #[value(name = "mschapv2")]
    MsChapV2,
}

impl Kind {
    /// Whether somebody logs in.
    pub fn is_login(self) -> bool {
        self != Self::Acct
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Acct => "acct",
            Self::Pap => "pap",
            Self::Chap => "chap",
            Self::MsChapV2 => "mschapv2",
        })
    }
}

/// When no further request is begun. Those outstanding are seen to their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// After so many requests.
    Requests(u64),
    /// After that time.
    After(Duration),
}

/// A load.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server or proxy under load.
    pub target: SocketAddr,
    /// Shared with it.
    pub secret: Secret,
    /// What is asked for.
    pub kind: Kind,
    /// The realm that every User-Name ends with; empty: none. An account that has a realm keeps it.
    pub realm: String,
    /// Who logs in: all of them, in an order that depends on the seed. `None`: numbered users with one password.
    pub accounts: Option<Accounts>,
    /// How many different users, where there are no accounts.
    pub users: usize,
    /// Their password, the same for all.
    pub password: String,
    /// Closed or open loop.
    pub pace: Pace,
    /// When it ends.
    pub end: End,
    /// Our address; `None`: the loopback or unspecified address of the target's family.
    pub source: Option<IpAddr>,
    /// How many source ports, each with 256 ids. `None`: twice as many as the window needs, at least 4.
    pub ports: Option<usize>,
    /// Unanswered that long, a request is sent again, as it was.
    pub timeout: Duration,
    /// How often it is sent again at most.
    pub retries: u32,
    /// Every request is sent twice, back to back.
    pub double: bool,
    /// Replies to logins without Message-Authenticator are bad.
    pub require_message_authenticator: bool,
    /// Of the generator of authenticators, challenges, and the order of accounts.
    pub seed: u64,
}

/// Why a load could not run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A request cannot be built, e.g. because the password is too long.
    #[error("cannot build the requests: {0}")]
    Build(#[from] sekisho_wire::build::BuildError),
    /// A socket could not be opened or used.
    #[error("cannot use a socket: {0}")]
    Socket(#[from] std::io::Error),
    /// MS-CHAP has no proof of a password like that.
    #[error("no login by MS-CHAPv2 with the password of {name}: {error}")]
    Password {
        /// The User-Name.
        name: String,
        /// Why.
        error: NoNtHash,
    },
    /// Latencies cannot be counted; never with the bounds that are built in.
    #[error("cannot count latencies: {0}")]
    Histogram(#[from] hdrhistogram::CreationError),
}

impl Plan {
    /// Runs the load to its end, or until `stop`.
    ///
    /// # Errors
    /// When the requests cannot be built or a socket fails; never because of what the target does.
    pub fn run(&self, stop: &Stop) -> Result<Report, LoadError> {
        run::Run::new(self)?.finish(stop)
    }

    /// The number of source ports.
    fn port_count(&self) -> usize {
        self.ports.unwrap_or_else(|| self.pace.window().div_ceil(128).max(4)).clamp(1, MAX_PORTS)
    }

    fn source(&self) -> SocketAddr {
        let source = self.source.unwrap_or(match self.target.ip() {
            ip if ip.is_loopback() => ip,
            IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
        });
        SocketAddr::new(source, 0)
    }
}

/// More sockets than this are a different tool's business.
const MAX_PORTS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// A small load on nobody.
    pub(super) fn plan(kind: Kind) -> Plan {
        Plan {
            target: "127.0.0.1:1".parse().unwrap(),
            secret: Secret::new("a secret of the bench").unwrap(),
            kind,
            realm: "acme.example".into(),
            accounts: None,
            users: 100,
            password: "wonderland".into(),
            pace: Pace::Window(64),
            end: End::Requests(100),
            source: None,
            ports: None,
            timeout: Duration::from_secs(1),
            retries: 3,
            double: false,
            require_message_authenticator: true,
            seed: 1,
        }
    }

    #[test]
    fn there_are_ids_enough_for_the_window() {
        for (window, ports) in [(1, 4), (64, 4), (1024, 8), (16_384, 128)] {
            assert_eq!(Plan { pace: Pace::Window(window), ..plan(Kind::Acct) }.port_count(), ports);
        }
        assert_eq!(Plan { ports: Some(0), ..plan(Kind::Acct) }.port_count(), 1);
    }
}
