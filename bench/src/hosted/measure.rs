//! One measurement: start a server, see that it tells right passwords from wrong ones, warm it up, load it, read the clock.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use sekisho_wire::code::Code;
use sekisho_wire::secret::Secret;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::prepare::{REALM, SECRET, Site};
use super::server::Programs;
use super::{HostedBench, HostedError, Server};
use crate::compare::child::Child;
use crate::load::accounts::Account;
use crate::load::{Accounts, End, Kind, Pace, Plan, Report};
use crate::process::{cpu_time, resident_octets};
use crate::stop::Stop;

/// What one server did under one load, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Which server.
    pub server: Server,
    /// `pap`, `chap` or `mschapv2`.
    pub kind: String,
    /// Logins outstanding.
    pub window: usize,
    /// From 1.
    pub round: usize,
    /// The server's processor time, user and system, for each accepted login, in microseconds.
    pub cpu_us: f64,
    /// What became of the logins.
    pub report: Report,
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "round {} {:<8} window {:<5} {:<17} {:7.2} µs {:8.0}/s",
            self.round, self.kind, self.window, self.server, self.cpu_us, self.report.rate
        )?;
        let Report { retransmitted, lost, .. } = self.report;
        if retransmitted + lost > 0 {
            write!(f, "  {retransmitted} retransmitted, {lost} lost")?;
        }
        Ok(())
    }
}

/// A server with its accounts, to be started as often as it is measured.
pub(super) struct Bench<'b> {
    bench: &'b HostedBench,
    programs: &'b Programs,
    server: Server,
    accounts: Accounts,
    secret: Secret,
    site: Site,
    _directory: TempDir,
}

/// How long a server may take to read its accounts and accept the first login.
const READY: Duration = Duration::from_secs(60);
/// How long a server may hold a rejection back.
const REJECTED: Duration = Duration::from_secs(5);
/// A server's memory is at rest when it has not changed for so long...
const REST: Duration = Duration::from_millis(500);
/// ... and is taken as it is after that time.
const RESTLESS: Duration = Duration::from_secs(10);

impl<'b> Bench<'b> {
    /// Prepares a server.
    pub(super) fn prepare(
        bench: &'b HostedBench,
        programs: &'b Programs,
        server: Server,
        accounts: &Accounts,
    ) -> Result<Self, HostedError> {
        let told = |error: io::Error| HostedError::Start { what: format!("preparing {server}"), error };
        let secret = Secret::new(SECRET).map_err(|error| told(io::Error::other(error)))?;
        let directory = tempfile::Builder::new().prefix("sekisho-hosted").tempdir().map_err(told)?;
        let site = Site::prepare(programs, server, accounts, &bench.kinds, directory.path())?;
        let accounts = accounts.clone();
        Ok(Self { bench, programs, server, accounts, secret, site, _directory: directory })
    }

    pub(super) fn measure(
        &self,
        kind: Kind,
        window: usize,
        round: usize,
        stop: &Stop,
    ) -> Result<Measurement, HostedError> {
        let told = |error: io::Error| HostedError::Start { what: format!("measuring {}", self.server), error };
        let child = self.started(kind, stop)?;
        self.try_a_wrong_password(kind, stop)?;
        let plan = self.plan(kind, window);
        Plan { end: End::After(self.bench.warm_up), seed: 1, ..plan.clone() }.run(stop)?;

        let before = cpu_time(child.pid()).map_err(told)?;
        let report = plan.run(stop)?;
        let used = cpu_time(child.pid()).map_err(told)?.saturating_sub(before);
        if stop.is_set() {
            return Err(HostedError::Stopped);
        }
        self.see_that_all_were_accepted(kind, &report)?;
        let cpu_us = used.as_secs_f64() * 1e6 / report.completed.max(1) as f64;
        Ok(Measurement { server: self.server, kind: kind.to_string(), window, round, cpu_us, report })
    }

    /// The memory that the server has, in octets, once it has read its accounts and accepted a login.
    pub(super) fn resident(&self, stop: &Stop) -> Result<u64, HostedError> {
        let told = |error: io::Error| HostedError::Start { what: format!("measuring {}", self.server), error };
        let child = self.started(Kind::Pap, stop)?;
        let begun = Instant::now();
        let mut resident = resident_octets(child.pid()).map_err(told)?;
        loop {
            thread::sleep(REST);
            let now = resident_octets(child.pid()).map_err(told)?;
            if now == resident || begun.elapsed() > RESTLESS {
                return Ok(now);
            }
            resident = now;
        }
    }

    /// Starts the server, and asks until it accepts a login.
    fn started(&self, kind: Kind, stop: &Stop) -> Result<Child, HostedError> {
        let mut child = self.site.start(self.programs, self.server)?;
        let once = Plan { timeout: Duration::from_millis(100), ..self.once(kind) };
        let begun = Instant::now();
        while begun.elapsed() < READY && !child.is_gone() && !stop.is_set() {
            if once.run(stop)?.replied(Code::ACCESS_ACCEPT) == 1 {
                return Ok(child);
            }
            thread::sleep(Duration::from_millis(50));
        }
        if stop.is_set() {
            return Err(HostedError::Stopped);
        }
        Err(HostedError::NotReady { server: self.server, seconds: begun.elapsed().as_secs(), said: child.said() })
    }

    fn try_a_wrong_password(&self, kind: Kind, stop: &Stop) -> Result<(), HostedError> {
        let wrong =
            self.accounts.iter().take(1).map(|account| Account { password: "not it".into(), ..account.clone() });
        let report = Plan { accounts: Some(wrong.collect()), timeout: REJECTED, ..self.once(kind) }.run(stop)?;
        if report.replied(Code::ACCESS_REJECT) == 1 || stop.is_set() {
            return Ok(());
        }
        let reply = report.replies.keys().next().map_or("silence", String::as_str).to_owned();
        Err(HostedError::NotRejected { server: self.server, kind, reply })
    }

    fn see_that_all_were_accepted(&self, kind: Kind, report: &Report) -> Result<(), HostedError> {
        let count = report.completed - report.replied(Code::ACCESS_ACCEPT) + report.bad;
        if count == 0 && report.completed > 0 {
            return Ok(());
        }
        let replies = report.replies.iter().map(|(code, count)| format!("{count} {code}"));
        let replies = replies.chain([format!("{} that did not verify", report.bad)]).collect::<Vec<_>>().join(", ");
        Err(HostedError::NotAccepted { server: self.server, kind, count, completed: report.completed, replies })
    }

    /// A single login, from one port: while a server starts, none of ours takes one that it is to have.
    fn once(&self, kind: Kind) -> Plan {
        Plan { end: End::Requests(1), retries: 0, ports: Some(1), ..self.plan(kind, 1) }
    }

    fn plan(&self, kind: Kind, window: usize) -> Plan {
        Plan {
            target: SocketAddr::from((Ipv4Addr::LOCALHOST, self.site.authentication)),
            secret: self.secret.clone(),
            kind,
            realm: REALM.into(),
            accounts: Some(self.accounts.clone()),
            users: 0,
            password: String::new(),
            pace: Pace::Window(window),
            end: End::After(self.bench.time),
            source: None,
            ports: self.bench.ports,
            timeout: self.bench.timeout,
            retries: self.bench.retries,
            double: false,
            require_message_authenticator: false,
            seed: 2,
        }
    }
}
