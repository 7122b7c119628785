//! radclient (Debian's `freeradius-utils`) as a NAS.

use std::net::SocketAddr;
use std::time::Duration;

use crate::namespace::Namespace;
use crate::network::Host;
use crate::process::{Finished, Program};

/// One run of radclient.
#[derive(Clone, Debug)]
pub struct Radclient {
    tries: u32,
    timeout: f64,
    copies: u32,
}

impl Default for Radclient {
    fn default() -> Radclient {
        Radclient { tries: 3, timeout: 3.0, copies: 1 }
    }
}

impl Radclient {
    /// Seconds for each try, and how many tries after the first.
    #[must_use]
    pub fn patience(mut self, timeout: f64, tries: u32) -> Radclient {
        (self.timeout, self.tries) = (timeout, tries);
        self
    }

    /// Sends the request so many times, as requests of their own.
    #[must_use]
    pub fn copies(mut self, copies: u32) -> Radclient {
        self.copies = copies;
        self
    }

    /// Logs in: `pairs` are attributes as radclient writes them, separated by commas or lines.
    pub fn login(&self, nas: &Host, server: SocketAddr, secret: &str, pairs: &str) -> Answer {
        self.run(&nas.namespace, server, "auth", secret, pairs)
    }

    /// Sends an accounting record.
    pub fn accounting(&self, nas: &Host, server: SocketAddr, secret: &str, pairs: &str) -> Answer {
        self.run(&nas.namespace, server, "acct", secret, pairs)
    }

    /// Sends a CoA-Request (`coa`), a Disconnect-Request (`disconnect`) or a Status-Server (`status`).
    pub fn send(&self, from: &Host, server: SocketAddr, command: &str, secret: &str, pairs: &str) -> Answer {
        self.run(&from.namespace, server, command, secret, pairs)
    }

    fn run(&self, namespace: &Namespace, server: SocketAddr, command: &str, secret: &str, pairs: &str) -> Answer {
        let limit = Duration::from_secs_f64(self.timeout * f64::from(self.tries) * f64::from(self.copies) + 20.0);
        let Radclient { tries, timeout, copies } = self;
        let program = Program::new("radclient")
            .args(["-x", "-r", &tries.to_string(), "-t", &timeout.to_string(), "-c", &copies.to_string()])
            .args([&server.to_string(), command, secret]);
        Answer(program.finish(namespace, pairs, limit))
    }
}

/// What radclient made of the answer.
#[derive(Debug)]
pub struct Answer(Finished);

impl Answer {
    /// The code's name: `Access-Accept`; `None` if no answer came, or none that verified.
    pub fn code(&self) -> Option<&str> {
        self.received().next().and_then(|(header, _)| header.split(' ').nth(1))
    }

    /// How many answers came.
    pub fn count(&self) -> usize {
        self.received().count()
    }

    /// Values of an attribute in all answers, in order, with the tag if it has one: `Tunnel-Password:1`.
    pub fn values(&self, attribute: &str) -> Vec<&str> {
        let start = format!("{attribute} = ");
        let pairs = self.received().flat_map(|(_, pairs)| pairs);
        pairs.filter_map(|pair| pair.strip_prefix(&start)).map(|value| value.trim_matches('"')).collect()
    }

    /// The name of the attribute that the first answer begins with.
    pub fn first_attribute(&self) -> Option<&str> {
        let (_, pairs) = self.received().next()?;
        pairs.first()?.split_once(" = ").map(|(name, _)| name)
    }

    /// Fails the test, with all of radclient's output, unless this code was answered.
    #[track_caller]
    pub fn expect(self, code: &str) -> Answer {
        assert_eq!(self.code(), Some(code), "{}", self.0.output);
        self
    }

    /// Fails the test unless nothing was answered.
    #[track_caller]
    pub fn expect_silence(&self) {
        assert_eq!(self.code(), None, "{}", self.0.output);
    }

    /// All that radclient printed.
    pub fn output(&self) -> &str {
        &self.0.output
    }

    /// Headers and attributes of the packets received.
    fn received(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        let lines: Vec<&str> = self.0.output.lines().collect();
        let starts: Vec<usize> = (0..lines.len()).filter(|i| lines[*i].starts_with("Received ")).collect();
        starts.into_iter().map(move |start| {
            let pairs = lines[start + 1..].iter().take_while(|line| line.starts_with('\t')).map(|line| line.trim());
            (lines[start], pairs.collect())
        })
    }
}
