//! The admin API from the other side: what `reload`, `status`, `drops`, `sessions`, `lns` and `probe` ask a running node.

use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::{
    asked::Query,
    report::{Drop, Lnss, Report, Sessions},
    vpdn::words::Verb,
};

/// Where the admin API is unless told otherwise.
pub const DEFAULT: &str = "http://127.0.0.1:9812";

/// A running node's admin API.
#[derive(Clone, Debug)]
pub struct Client {
    base: String,
    agent: ureq::Agent,
}

/// Why there is no answer from a node.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// Nobody there.
    #[error(
        "no node answers at {base}: {reason}\nStart it with `sekisho run`, or name its admin.address with --admin http://ADDRESS:PORT"
    )]
    Unreachable {
        /// The address asked.
        base: String,
        /// What the kernel or the HTTP client said.
        reason: String,
    },
    /// Somebody there, but not this program or another version of it.
    #[error("what answers at {base} is no sekisho of this version: {reason}")]
    Unintelligible {
        /// The address asked.
        base: String,
        /// What was not understood.
        reason: String,
    },
    /// A faulty document, a change that cannot be made live, or something that the node does not have: nothing has changed.
    #[error("{0}")]
    Refused(String),
}

impl Client {
    /// For the API at `base`, e.g. `http://127.0.0.1:9812`; the scheme may be left out.
    pub fn new(base: &str) -> Client {
        let base = base.trim_end_matches('/');
        let base = if base.contains("://") { base.to_owned() } else { format!("http://{base}") };
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(30)))
            .http_status_as_error(false)
            .proxy(None)
            .build();
        Client { base, agent: config.into() }
    }

    /// What the node does and did.
    ///
    /// # Errors
    ///
    /// [`AdminError::Unreachable`], [`AdminError::Unintelligible`].
    pub fn report(&self) -> Result<Report, AdminError> {
        let url = format!("{}/status", self.base);
        let (_, text) = self.finish(self.agent.get(&url).call())?;
        serde_json::from_str(&text).map_err(|error| self.unintelligible(&error))
    }

    /// What the node drops, the most at present first.
    ///
    /// # Errors
    ///
    /// [`AdminError::Unreachable`], [`AdminError::Unintelligible`].
    pub fn drops(&self) -> Result<Vec<Drop>, AdminError> {
        let url = format!("{}/drops", self.base);
        let (_, text) = self.finish(self.agent.get(&url).call())?;
        serde_json::from_str(&text).map_err(|error| self.unintelligible(&error))
    }

    /// Asks for a reload; gives the difference in words.
    ///
    /// # Errors
    ///
    /// Any [`AdminError`].
    pub fn reload(&self) -> Result<String, AdminError> {
        let url = format!("{}/reload", self.base);
        match self.finish(self.agent.post(&url).send_empty())? {
            (200, text) => Ok(text),
            (422, text) => Err(AdminError::Refused(text.trim_end().to_owned())),
            (status, _) => Err(self.unintelligible(&format!("HTTP status {status}"))),
        }
    }

    /// Has the node look at its registry at once.
    ///
    /// # Errors
    ///
    /// [`AdminError::Unreachable`], [`AdminError::Unintelligible`], [`AdminError::Refused`]: it has none.
    pub fn follow(&self) -> Result<String, AdminError> {
        self.command("follow")
    }

    /// Has the node drain, or be used as ever; gives what it says to that.
    ///
    /// # Errors
    ///
    /// [`AdminError::Unreachable`], [`AdminError::Unintelligible`].
    pub fn drain(&self, on: bool) -> Result<String, AdminError> {
        let url = format!("{}/drain", self.base);
        let answer = if on { self.agent.post(&url).send_empty() } else { self.agent.delete(&url).call() };
        match self.finish(answer)? {
            (200, text) => Ok(text),
            (status, _) => Err(self.unintelligible(&format!("HTTP status {status}"))),
        }
    }

    /// The sessions that are asked for.
    ///
    /// # Errors
    ///
    /// Any [`AdminError`].
    pub fn sessions(&self, query: &Query) -> Result<Sessions, AdminError> {
        let request = self.agent.get(format!("{}/sessions", self.base)).query_pairs(query.pairs());
        self.found(self.finish(request.call())?)
    }

    /// Has hosted accounts' sessions forgotten that are asked for; how many they were.
    ///
    /// # Errors
    ///
    /// Any [`AdminError`].
    pub fn forget_sessions(&self, query: &Query) -> Result<usize, AdminError> {
        let request = self.agent.delete(format!("{}/sessions", self.base)).query_pairs(query.pairs());
        self.found(self.finish(request.call())?)
    }

    /// The LNSs of all customers, or of one.
    ///
    /// # Errors
    ///
    /// Any [`AdminError`].
    pub fn lnss(&self, customer: Option<&str>) -> Result<Lnss, AdminError> {
        let pairs = customer.map(|customer| ("customer", customer));
        let request = self.agent.get(format!("{}/lns", self.base)).query_pairs(pairs);
        self.found(self.finish(request.call())?)
    }

    /// Says something of an LNS; gives what the node has to say to that, if anything.
    ///
    /// # Errors
    ///
    /// Any [`AdminError`].
    pub fn say_of_lns(&self, customer: &str, lns: &str, verb: Verb) -> Result<String, AdminError> {
        self.command(&format!("lns/{customer}/{lns}/{}", verb.name()))
    }

    /// Has the preferred tiers of a contract used again that wait for the operator's word.
    ///
    /// # Errors
    ///
    /// Any [`AdminError`].
    pub fn fail_back(&self, contract: &str) -> Result<String, AdminError> {
        self.command(&format!("vpdn/{contract}/failback"))
    }

    fn command(&self, path: &str) -> Result<String, AdminError> {
        let url = format!("{}/{path}", self.base);
        match self.finish(self.agent.post(&url).send_empty())? {
            (200 | 204, text) => Ok(text),
            answer => Err(self.refused(answer)),
        }
    }

    fn found<T: DeserializeOwned>(&self, answer: (u16, String)) -> Result<T, AdminError> {
        match answer {
            (200, text) => serde_json::from_str(&text).map_err(|error| self.unintelligible(&error)),
            answer => Err(self.refused(answer)),
        }
    }

    fn refused(&self, (status, text): (u16, String)) -> AdminError {
        match (status, text.trim_end()) {
            (400 | 404 | 409, text) if !text.is_empty() => AdminError::Refused(text.to_owned()),
            _ => self.unintelligible(&format!("HTTP status {status}")),
        }
    }

    fn finish(
        &self,
        answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<(u16, String), AdminError> {
        let unreachable =
            |error: ureq::Error| AdminError::Unreachable { base: self.base.clone(), reason: error.to_string() };
        let mut answer = answer.map_err(unreachable)?;
        let status = answer.status().as_u16();
        Ok((status, answer.body_mut().read_to_string().map_err(unreachable)?))
    }

    fn unintelligible(&self, reason: &dyn std::fmt::Display) -> AdminError {
        AdminError::Unintelligible { base: self.base.clone(), reason: reason.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_there_says_how_to_start() {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = Client::new(&closed.to_string()).report().unwrap_err();
        assert!(matches!(error, AdminError::Unreachable { .. }));
        assert!(error.to_string().contains("sekisho run"), "{error}");
    }
}
