//! xl2tpd as an LNS, with a configuration written for one test; the system's own is not touched.
//!
//! Its control plane alone: no session is ever put through, so that neither L2TP nor PPP has to be in the kernel. It speaks IPv4
//! only.

use std::path::Path;

use rustix::process::Signal;

use crate::network::Host;
use crate::process::{Process, Program};
use crate::wait::eventually;

/// A running xl2tpd on port 1701 of a host.
#[derive(Debug)]
pub struct Xl2tpd {
    process: Process,
    _directory: tempfile::TempDir,
}

/// Who may build a tunnel to it, and how.
#[derive(Clone, Debug)]
pub struct Welcome {
    lac: &'static str,
    secret: Option<String>,
}

impl Welcome {
    /// Everybody.
    pub fn everybody() -> Welcome {
        Welcome { lac: "0.0.0.0-255.255.255.255", secret: None }
    }

    /// Nobody whom these tests know.
    pub fn nobody() -> Welcome {
        Welcome { lac: "192.0.2.1-192.0.2.2", secret: None }
    }

    /// Whoever knows this secret: it challenges.
    pub fn with_secret(secret: &str) -> Welcome {
        Welcome { secret: Some(secret.to_owned()), ..Welcome::everybody() }
    }
}

impl Xl2tpd {
    /// Starts it and waits until it listens.
    pub fn start(host: &Host, welcome: &Welcome) -> Xl2tpd {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let at = |name: &str| directory.path().join(name);
        let [configuration, secrets, pid, control] = ["conf", "secrets", "pid", "control"].map(at);
        std::fs::write(&configuration, text(&host.name, &secrets, welcome)).expect("a configuration");
        std::fs::write(&secrets, format!("* * {}\n", welcome.secret.as_deref().unwrap_or("none"))).expect("secrets");
        let files = [("-c", &configuration), ("-s", &secrets), ("-p", &pid), ("-C", &control)];
        let program = files
            .into_iter()
            .fold(Program::new("xl2tpd").arg("-D"), |program, (option, path)| program.arg(option).arg(path));
        let mut process = program.start(&host.namespace);
        process.prints("Listening on IP address");
        Xl2tpd { process, _directory: directory }
    }

    /// How many tunnels it has open now, as it says when it is asked (SIGUSR1).
    pub fn tunnels(&self) -> usize {
        const SAID: &str = "Number of tunnels open: ";
        let reports = || self.process.log().matches(SAID).count();
        let before = reports();
        self.process.signal(Signal::USR1);
        eventually("xl2tpd reports", || (reports() > before).then_some(()));
        let log = self.process.log();
        let last = log.rsplit(SAID).next().unwrap_or_default();
        let digits: String = last.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_else(|_| panic!("no number: {last}"))
    }

    /// How many tunnels were asked for, granted or not.
    pub fn asked(&self) -> usize {
        self.process.log().matches("Start-Control-Connection-Request(1)").count()
    }

    /// How many tunnels were set up to their end, by whoever has answered its challenge.
    pub fn connected(&self) -> usize {
        self.process.log().matches("Connection established to").count()
    }

    /// The process: to stop or freeze it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

fn text(host: &str, secrets: &Path, Welcome { lac, secret }: &Welcome) -> String {
    // Without `access control` a section of the name `default` takes everybody.
    let challenge = if secret.is_some() { "yes" } else { "no" };
    format!(
        "[global]\nforce userspace = yes\naccess control = yes\nauth file = {}\ndebug tunnel = yes\ndebug state = yes\n\n\
         [lns {host}]\nlac = {lac}\nassign ip = no\nlocal ip = 192.0.2.1\nrequire authentication = no\nlength bit = yes\n\
         hostname = {host}\nchallenge = {challenge}\n",
        secrets.display()
    )
}
