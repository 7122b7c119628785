//! Everything there is to see, read once: what `/status` serves, `/metrics` renders and `sekisho status` prints.
//!
//! A [`Report`] is plain data. It names contracts, realms, servers and addresses as the documents do; subscribers and
//! secrets do not occur in it. Who asks for sessions gets [`Sessions`], which name subscribers, and are no part of it.

mod gate;
mod hosted;
mod latency;
mod live;
mod read;
mod read_hosted;
mod read_vpdn;
mod vpdn;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::{
    gate::{Gate, Interface},
    hosted::{Group, Hashes, HostedSessions, Registry, Unserved},
    latency::Histogram,
    live::{Backlog, Drop},
    read::{InKernel, access_networks, customers, totals},
    read_hosted::{hashes, hosted_sessions},
    read_vpdn::{all_lnss, session_table},
    vpdn::{Avoided, Journal, Lns, LnsProbe, Lnss, Session, SessionTable, Sessions, Vpdn},
};

/// What a node does and did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The process.
    pub node: Node,
    /// The gate in the kernel.
    pub gate: Gate,
    /// Sums over the workers.
    pub totals: Totals,
    /// Per second, over the last seconds.
    pub rates: Rates,
    /// How much waits, and what is shed for it.
    pub backlog: Backlog,
    /// Packets dropped in userspace by reason, in the order of the reasons; all of them, also zeros.
    pub dropped: Vec<Count>,
    /// Sessions of `vpdn` contracts.
    pub sessions: SessionTable,
    /// Accounting that ends here.
    pub journal: Journal,
    /// The registry, where the node has one.
    #[serde(default)]
    pub registry: Option<Registry>,
    /// Sessions of hosted accounts.
    #[serde(default)]
    pub hosted_sessions: HostedSessions,
    /// Where passwords are checked that are kept as argon2id.
    #[serde(default)]
    pub hashes: Hashes,
    /// The operator's access networks, by name.
    pub access_networks: Vec<Client>,
    /// By name.
    pub customers: Vec<Customer>,
}

/// The process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// `node.name`.
    pub name: String,
    /// Of the program.
    pub version: String,
    /// The document it runs by.
    pub config: PathBuf,
    /// Process number.
    pub pid: u32,
    /// Seconds since the start.
    pub uptime: f64,
    /// Workers.
    pub workers: usize,
    /// Service addresses with their ports, as the documents name them.
    pub listeners: Vec<String>,
    /// Whether Status-Server gets no answer, so that clients look for another node.
    pub draining: bool,
    /// Counts successful loads of the documents; 1 at start.
    pub version_of_routing: u64,
    /// The last attempt to reload, if there was one.
    pub reload: Option<Reload>,
    /// Attempts to reload that succeeded.
    pub reloads_succeeded: u64,
    /// Attempts to reload that were refused.
    pub reloads_refused: u64,
}

/// An attempt to reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reload {
    /// Whether it took effect.
    pub succeeded: bool,
    /// Seconds since 1970.
    pub at: u64,
}

/// A name and a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Of what.
    pub name: String,
    /// How many.
    pub count: u64,
}

impl Count {
    /// A count by its name.
    pub fn new(name: &str, count: u64) -> Count {
        Count { name: name.to_owned(), count }
    }
}

/// Replies by code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replies {
    /// Access-Accept.
    pub accept: u64,
    /// Access-Reject.
    pub reject: u64,
    /// Access-Challenge.
    pub challenge: u64,
    /// Accounting-Response.
    pub accounting: u64,
    /// Disconnect-ACK.
    pub disconnect_ack: u64,
    /// Disconnect-NAK.
    pub disconnect_nak: u64,
    /// CoA-ACK.
    pub coa_ack: u64,
    /// CoA-NAK.
    pub coa_nak: u64,
}

impl Replies {
    /// With their labels, in the order of metrics.
    pub const fn by_code(&self) -> [(&'static str, u64); 8] {
        [
            ("accept", self.accept),
            ("reject", self.reject),
            ("challenge", self.challenge),
            ("accounting", self.accounting),
            ("disconnect_ack", self.disconnect_ack),
            ("disconnect_nak", self.disconnect_nak),
            ("coa_ack", self.coa_ack),
            ("coa_nak", self.coa_nak),
        ]
    }

    /// Those to logins and accounting.
    pub fn to_terminals(&self) -> [(&'static str, u64); 4] {
        let [accept, reject, challenge, accounting, ..] = self.by_code();
        [accept, reject, challenge, accounting]
    }

    /// Those to CoA and Disconnect.
    pub fn to_dynauth(&self) -> [(&'static str, u64); 4] {
        let [.., disconnect_ack, disconnect_nak, coa_ack, coa_nak] = self.by_code();
        [disconnect_ack, disconnect_nak, coa_ack, coa_nak]
    }

    /// All together.
    pub fn sum(&self) -> u64 {
        self.by_code().iter().map(|(_, count)| count).sum()
    }
}

/// Replies of home servers that became a Reject; [`sekisho_engine::stats::Withheld`] says why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the same names as in the engine's Withheld, which documents them")]
pub struct Withheld {
    pub service_type: u64,
    pub framed_address: u64,
    pub challenges: u64,
    pub kept_octets: u64,
    /// Too long for an access network, with what has to be added.
    pub unusable: u64,
}

impl Withheld {
    /// With their labels, in the order of metrics.
    pub const fn by_reason(&self) -> [(&'static str, u64); 5] {
        [
            ("service_type", self.service_type),
            ("framed_address", self.framed_address),
            ("challenges", self.challenges),
            ("kept_octets", self.kept_octets),
            ("unusable", self.unusable),
        ]
    }

    /// All together.
    pub const fn sum(&self) -> u64 {
        self.service_type + self.framed_address + self.challenges + self.kept_octets + self.unusable
    }
}

/// Sums over the workers; [`sekisho_engine::stats::WorkerStats`] says what each of them counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the same names as in WorkerStats, which documents them")]
pub struct Totals {
    pub requests_received: u64,
    pub replies_received: u64,
    pub access: u64,
    pub accounting: u64,
    pub status: u64,
    pub disconnect: u64,
    pub coa: u64,
    pub replies: Replies,
    pub forwarded: u64,
    pub retransmitted: u64,
    pub failed_over: u64,
    pub repeated: u64,
    pub superseded: u64,
    pub fanned_out: u64,
    pub expired: u64,
    pub rejected_unanswered: u64,
    pub rejected_down: u64,
    pub rejected_limited: u64,
    pub rejected_full: u64,
    pub keepalives: u64,
    pub identities_differ: u64,
    pub withheld: Withheld,
    pub delayed: u64,
    pub undelayed: u64,
    pub undecryptable: u64,
    pub hidden: u64,
    pub loops: u64,
    pub in_flight: u64,
    pub remembered: u64,
    pub ports: u64,
}

/// Per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rates {
    /// Over so many seconds; 0 in the first second.
    pub over: f64,
    /// Requests verified.
    pub requests: f64,
    /// Replies sent to clients.
    pub replies: f64,
    /// Packets dropped, in the kernel and in userspace.
    pub dropped: f64,
}

/// A customer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Customer {
    /// Name.
    pub name: String,
    /// Requests verified.
    pub requests: u64,
    /// Replies sent.
    pub replies: Replies,
    /// Packets of registered clients dropped.
    pub dropped: u64,
    /// Requests that could not be routed: for no realm, or none that the customer may use.
    pub unroutable: u64,
    /// `client` contracts that are served, and dynamic-authorization clients.
    pub clients: Vec<Client>,
    /// Realms.
    pub realms: Vec<Realm>,
    /// Home servers, and the terminals that take dynamic authorization.
    pub servers: Vec<Server>,
    /// Home servers that are asked nothing, since their names have no address.
    pub unresolved: Vec<Unresolved>,
    /// `group` contracts.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// `vpdn` contracts.
    pub vpdn: Vec<Vpdn>,
    /// LNSs.
    pub lns: Vec<Lns>,
}

/// A `client` contract, a dynamic-authorization client, or an access network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Client {
    /// Name of the contract.
    pub contract: String,
    /// The terminal's address; of an access network the first.
    pub address: std::net::IpAddr,
    /// Whether it is a dynamic-authorization client.
    pub dynauth: bool,
    /// What is known of how it proves itself.
    pub proof: Proof,
    /// Its packets in the gate by where they ended: `passed`, `replied`, or the reason that they were dropped for. No zeros.
    pub kernel: Vec<Count>,
}

/// How a client or server proves itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Proof {
    /// Where `require_message_authenticator` is `auto`: whether it has been learned that it sends one.
    pub message_authenticator: Option<bool>,
    /// Whether the secret before the present one is still accepted.
    pub previous_secret: bool,
    /// Seconds since that was last used; `None`: not since this process has known it.
    pub previous_secret_used: Option<f64>,
}

/// A home server without an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unresolved {
    /// Name of the server.
    pub server: String,
    /// The name that it is to be found by.
    pub host: String,
    /// What is the matter with that.
    pub why: String,
}

/// A realm.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Realm {
    /// Name.
    pub name: String,
    /// Name of the contract that serves it.
    pub contract: Option<String>,
    /// Whether that is a `group` contract: it is answered here.
    #[serde(default)]
    pub hosted: bool,
    /// Names of the `vpdn` contracts that serve it for access networks.
    pub vpdn: Vec<String>,
    /// Names of the servers of that contract.
    pub servers: Vec<String>,
    /// Requests routed to it.
    pub requests: u64,
    /// Replies sent.
    pub replies: Replies,
    /// Requests without an answer.
    pub expired: u64,
    /// From arrival to reply.
    pub latency: Histogram,
}

/// One port of a home server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// Name.
    pub name: String,
    /// `auth`, `acct` or `dynauth`.
    pub kind: String,
    /// Address and port.
    pub address: String,
    /// `alive`, `zombie`, `dead`, `draining` or `down`.
    pub state: String,
    /// Seconds in that state.
    pub since: f64,
    /// Seconds since the last verified reply, if there was one.
    pub last_reply: Option<f64>,
    /// Requests sent for the first time.
    pub requests: u64,
    /// Copies sent again.
    pub retransmitted: u64,
    /// Verified replies.
    pub replies: Replies,
    /// Requests not answered within `response_window`.
    pub timeouts: u64,
    /// Replies that did not verify, or lacked the Message-Authenticator that it has sent before.
    pub forged: u64,
    /// Replies that no request waited for.
    pub unmatched: u64,
    /// Requests outstanding now.
    pub outstanding: u64,
    /// Verified replies that became a Reject because of what was in them.
    pub withheld: u64,
    /// Copies of accounting sent to it; also among the requests.
    pub copies: u64,
    /// Copies that it was not sent, since it could take none.
    pub copies_skipped: u64,
    /// Status-Server sent to it.
    pub probes_sent: u64,
    /// Those that it answered in time.
    pub probes_answered: u64,
    /// What is known of how it proves itself.
    pub proof: Proof,
    /// From sending to the verified reply.
    pub latency: Histogram,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What this version has beside what the one before had: the object that it stands in, and its name.
    const NEW: [(&str, &str); 4] =
        [("", "registry"), ("", "hashes"), ("/customers/0", "groups"), ("/customers/0/realms/0", "hosted")];

    fn report() -> Report {
        let realm = Realm { name: "acme.example".into(), hosted: true, ..Realm::default() };
        let group = Group { contract: "acme-group".into(), ..Group::default() };
        let customer =
            Customer { name: "acme".into(), realms: vec![realm], groups: vec![group], ..Customer::default() };
        let hashes = Hashes { checked: 1, ..Hashes::default() };
        Report { customers: vec![customer], registry: Some(Registry::default()), hashes, ..Report::default() }
    }

    #[test]
    fn a_report_of_a_node_that_knows_no_registry_is_read_by_this_client() {
        let mut older = serde_json::to_value(report()).unwrap();
        for (object, name) in NEW {
            let found = older.pointer_mut(object).and_then(Value::as_object_mut).and_then(|it| it.remove(name));
            assert!(found.is_some(), "{object}/{name}");
        }
        let read: Report = serde_json::from_value(older).unwrap();
        assert_eq!((&read.registry, read.hashes.checked), (&None, 0));
        let customer = &read.customers[0];
        assert!(customer.groups.is_empty() && !customer.realms[0].hosted, "{customer:?}");
    }

    #[test]
    fn a_report_of_a_node_that_says_more_is_read_all_the_same() {
        let mut newer = serde_json::to_value(report()).unwrap();
        for (object, _) in NEW {
            newer.pointer_mut(object).unwrap()["later"] = json!({ "anything": [1] });
        }
        newer["registry"]["later"] = json!(1);
        newer["customers"][0]["groups"][0]["later"] = json!(1);
        assert_eq!(serde_json::from_value::<Report>(newer).unwrap(), report());
    }
}
