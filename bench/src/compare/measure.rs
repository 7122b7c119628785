//! One measurement: start a proxy, warm it up, load it, read the clocks.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use sekisho_wire::secret::Secret;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::peers::{Programs, Proxy, Site};
use super::{Child, CompareError, Comparison};
use crate::load::{End, Kind, Pace, Plan, Report};
use crate::ports;
use crate::process::cpu_time;
use crate::stop::Stop;

/// What one proxy did under one load, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Which proxy.
    pub proxy: Proxy,
    /// `acct` or `pap`.
    pub kind: String,
    /// Requests outstanding.
    pub window: usize,
    /// From 1.
    pub round: usize,
    /// The proxy's processor time, user and system, for each completed transaction, in microseconds.
    pub cpu_us: f64,
    /// The home server's.
    pub home_cpu_us: f64,
    /// What became of the requests.
    pub report: Report,
}

impl fmt::Display for Measurement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "round {} {:<4} window {:<5} {:<11} {:7.2} µs {:8.0}/s",
            self.round, self.kind, self.window, self.proxy, self.cpu_us, self.report.rate
        )?;
        let Report { retransmitted, lost, bad, .. } = self.report;
        if retransmitted + lost + bad > 0 {
            write!(f, "  {retransmitted} retransmitted, {lost} lost, {bad} bad")?;
        }
        Ok(())
    }
}

/// The home server, and what all measurements have in common.
pub(crate) struct Bench<'c> {
    comparison: &'c Comparison,
    programs: &'c Programs,
    home: Child,
    secret: Secret,
    /// Everything but the proxy's own ports and directory.
    site: Site,
    directory: TempDir,
}

/// A proxy that runs, and ends when this is dropped.
pub(crate) struct Started {
    child: Child,
    /// A load for it.
    pub(crate) plan: Plan,
    _directory: TempDir,
}

const SECRET: &str = "measured-with-this-secret";
const PASSWORD: &str = "wonderland";

/// How long a proxy may take to answer its first request.
const READY: Duration = Duration::from_secs(10);

impl<'c> Bench<'c> {
    pub(crate) fn start(comparison: &'c Comparison, programs: &'c Programs) -> Result<Self, CompareError> {
        let told = |error: io::Error| CompareError::Start { what: "starting the home server".into(), error };
        let secret = Secret::new(SECRET).map_err(|error| told(io::Error::other(error)))?;
        let directory = tempfile::Builder::new().prefix("sekisho-compare").tempdir().map_err(told)?;
        let site = Site::new(directory.path()).map_err(told)?;
        let program = programs.home.as_deref().ok_or_else(|| told(io::ErrorKind::NotFound.into()))?;
        let mut command = Command::new(program);
        command
            .args(["--quiet", "--secret", SECRET, "--user", &format!("*:{PASSWORD}")])
            .args(["--listen-auth", &format!("127.0.0.1:{}", site.home_authentication)])
            .args(["--listen-acct", &format!("127.0.0.1:{}", site.home_accounting)]);
        let home = Child::start(&mut command, &directory.path().join("home.log")).map_err(told)?;
        Ok(Self { comparison, programs, home, secret, site, directory })
    }

    pub(super) fn measure(
        &self,
        proxy: Proxy,
        kind: Kind,
        window: usize,
        round: usize,
        stop: &Stop,
    ) -> Result<Measurement, CompareError> {
        let told = |error: io::Error| CompareError::Start { what: format!("measuring {proxy}"), error };
        let Started { child, plan, .. } = &self.started(proxy, kind, window, stop)?;
        Plan { end: End::After(self.comparison.warm_up), seed: 1, ..plan.clone() }.run(stop)?;

        let clocks = || Ok((cpu_time(child.pid())?, self.home_cpu()?));
        let before = clocks().map_err(told)?;
        let report = Plan { seed: 2, ..plan.clone() }.run(stop)?;
        let after = clocks().map_err(told)?;
        let each = |time: Duration| time.as_secs_f64() * 1e6 / report.completed.max(1) as f64;
        Ok(Measurement {
            proxy,
            kind: kind.to_string(),
            window,
            round,
            cpu_us: each(after.0.saturating_sub(before.0)),
            home_cpu_us: each(after.1.saturating_sub(before.1)),
            report,
        })
    }

    /// A proxy of its own, that has answered a request, and the load for it.
    pub(crate) fn started(
        &self,
        proxy: Proxy,
        kind: Kind,
        window: usize,
        stop: &Stop,
    ) -> Result<Started, CompareError> {
        let told = |error: io::Error| CompareError::Start { what: format!("measuring {proxy}"), error };
        let directory = tempfile::tempdir_in(self.directory.path()).map_err(told)?;
        let ports = Site::new(directory.path()).map_err(told)?;
        let site = Site {
            home_authentication: self.site.home_authentication,
            home_accounting: self.site.home_accounting,
            ..ports
        };
        let mut child = self.programs.start(proxy, &site)?;
        let port = match kind {
            Kind::Acct => site.accounting,
            Kind::Pap | Kind::Chap | Kind::MsChapV2 => site.authentication,
        };
        let plan = self.plan(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), kind, window);
        await_ready(proxy, &mut child, &plan, stop)?;
        Ok(Started { child, plan, _directory: directory })
    }

    /// The home server's processor time.
    pub(crate) fn home_cpu(&self) -> io::Result<Duration> {
        cpu_time(self.home.pid())
    }

    fn plan(&self, target: SocketAddr, kind: Kind, window: usize) -> Plan {
        Plan {
            target,
            secret: self.secret.clone(),
            kind,
            realm: self.site.realm.clone(),
            accounts: None,
            users: 1000,
            password: PASSWORD.into(),
            pace: Pace::Window(window),
            end: End::After(self.comparison.time),
            source: None,
            ports: None,
            timeout: self.comparison.timeout,
            retries: self.comparison.retries,
            double: false,
            require_message_authenticator: false,
            seed: 0,
        }
    }
}

impl Started {
    /// The proxy's processor time.
    pub(crate) fn cpu(&self) -> io::Result<Duration> {
        cpu_time(self.child.pid())
    }
}

/// Asks until an answer comes.
fn await_ready(proxy: Proxy, child: &mut Child, plan: &Plan, stop: &Stop) -> Result<(), CompareError> {
    let once = Plan {
        pace: Pace::Window(1),
        end: End::Requests(1),
        timeout: Duration::from_millis(100),
        retries: 0,
        ..plan.clone()
    };
    let begun = Instant::now();
    while begun.elapsed() < READY && !child.is_gone() && !stop.is_set() {
        if once.run(stop)?.completed == 1 {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    if stop.is_set() {
        return Err(CompareError::Stopped);
    }
    Err(CompareError::NotReady { proxy: proxy.to_string(), seconds: READY.as_secs(), said: child.said() })
}

impl Site {
    /// Free ports, and nothing in the directory yet.
    fn new(directory: &Path) -> io::Result<Self> {
        let [authentication, accounting, home_authentication, home_accounting, admin] = ports::free()?;
        Ok(Self {
            authentication,
            accounting,
            home_authentication,
            home_accounting,
            admin,
            secret: SECRET.into(),
            realm: "bench.example".into(),
            directory: directory.to_owned(),
        })
    }
}
