//! Access networks, LNSs and `vpdn` contracts, as a test writes them.

use std::fmt::Write as _;

/// An access network of the operator's: LAC, PGW or GGSN of a mobile carrier.
#[derive(Clone, Debug)]
pub struct AccessNetwork(String);

impl AccessNetwork {
    /// One of an item type (`D`, `K`, `I`) that sends from these addresses and networks.
    pub fn new(name: &str, kind: &str, addresses: &[String]) -> AccessNetwork {
        let secret = network_secret(name);
        AccessNetwork(format!(
            "[[access_network]]\nname = \"{name}\"\ntype = \"{kind}\"\naddresses = {addresses:?}\nsecret = \"{secret}\"\n"
        ))
    }

    /// Adds a key: `tunnel_sets = "single"`.
    #[must_use]
    pub fn key(mut self, line: &str) -> AccessNetwork {
        let _ = writeln!(self.0, "{line}");
        self
    }

    /// As it stands in a document.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// An LNS of a customer's.
#[derive(Clone, Debug)]
pub struct Lns(String);

impl Lns {
    /// One at an address, or by a name. `more` are further lines, such as `weight = 2`.
    pub fn new(name: &str, address: &str, more: &str) -> Lns {
        let password = tunnel_password(name);
        Lns::open(name, address, &format!("tunnel_password = \"{password}\"\n{more}"))
    }

    /// The same without a tunnel password.
    pub fn open(name: &str, address: &str, more: &str) -> Lns {
        Lns(format!("name = \"{name}\"\naddress = \"{address}\"\n{more}\n"))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// A `vpdn` contract.
#[derive(Clone, Debug)]
pub struct Vpdn {
    keys: String,
    reply: String,
    balancing: Option<String>,
    tiers: String,
}

impl Vpdn {
    /// A contract for access networks of an item type, with these LNSs. Several need [`balancing`](Self::balancing).
    pub fn new(contract: &str, kind: &str, lns: &[&str]) -> Vpdn {
        let keys = format!("contract = \"{contract}\"\ntype = \"{kind}\"\nlns = {lns:?}\n");
        let [reply, tiers] = [const { String::new() }; 2];
        Vpdn { keys, reply, balancing: None, tiers }
    }

    /// Adds a key of `[[vpdn]]`: `max_sessions = 10`.
    #[must_use]
    pub fn key(mut self, line: &str) -> Vpdn {
        let _ = writeln!(self.keys, "{line}");
        self
    }

    /// Adds an attribute to its Accepts: `"Session-Timeout" = 86400`.
    #[must_use]
    pub fn reply(mut self, line: &str) -> Vpdn {
        let _ = writeln!(self.reply, "{line}");
        self
    }

    /// Takes the load-balancing option, with these keys: `strategy = "hash"`.
    #[must_use]
    pub fn balancing(mut self, lines: &str) -> Vpdn {
        let _ = writeln!(self.balancing.get_or_insert_default(), "{lines}");
        self
    }

    /// Adds LNSs for when none of those above can be used.
    #[must_use]
    pub fn tier(mut self, lns: &[&str]) -> Vpdn {
        let _ = writeln!(self.tiers, "\n[[vpdn.load_balancing.tier]]\nlns = {lns:?}");
        self
    }

    pub(crate) fn text(&self) -> String {
        let Vpdn { keys, reply, balancing, tiers } = self;
        let mut text = keys.clone();
        if !reply.is_empty() {
            let _ = writeln!(text, "\n[vpdn.reply]\n{reply}");
        }
        if let Some(balancing) = balancing {
            let _ = writeln!(text, "\n[vpdn.load_balancing]\n{balancing}{tiers}");
        }
        text
    }
}

/// The secret of an access network in these tests.
pub fn network_secret(name: &str) -> String {
    format!("secret-of-access-network-{name}")
}

/// The password that LAC and LNS share in these tests.
pub fn tunnel_password(lns: &str) -> String {
    format!("tunnel-password-of-{lns}")
}

/// The secret that an LNS signs accounting with in these tests.
pub fn lns_secret(lns: &str) -> String {
    format!("secret-of-the-accounting-of-{lns}")
}
