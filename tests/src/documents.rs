//! The documents that a test gives to sekisho.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::network::{ACCT, AUTH, DYNAUTH, Host, PROXY_V4, PROXY_V6};

use crate::vpdn::AccessNetwork;

pub use crate::customer::{Customer, Pool, Server, client_secret, dynauth_secret, home_secret};

/// The rates of `[limits]`: 0 is no limit.
const RATES: [&str; 3] = ["client_rate", "session_rate", "new_session_rate"];

/// `sekisho.toml` and the customers, in a directory that lives as long as this and whoever runs with them.
#[derive(Debug)]
pub struct Documents {
    directory: Arc<tempfile::TempDir>,
    xdp: String,
    pinned: Option<PathBuf>,
    limits: BTreeMap<String, String>,
    ingresses: Vec<String>,
    workers: usize,
    dynauth: bool,
    node: String,
    sessions: String,
    more: String,
    customers: Vec<Customer>,
}

impl Documents {
    /// For a proxy whose links go to these hosts, with native XDP.
    pub fn new(hosts: &[&Host]) -> Documents {
        let ingresses = hosts.iter().map(|host| host.name.clone()).collect();
        let directory = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        let [node, sessions, more] = [const { String::new() }; 3];
        let limits = RATES.map(|rate| (rate.to_owned(), "0".to_owned())).into();
        let (xdp, pinned, customers) = ("mode = \"native\"\n".to_owned(), None, Vec::new());
        Documents {
            directory,
            xdp,
            pinned,
            limits,
            ingresses,
            workers: 2,
            dynauth: false,
            node,
            sessions,
            more,
            customers,
        }
    }

    /// Sets `xdp.mode`.
    #[must_use]
    pub fn xdp(mut self, mode: &str) -> Documents {
        self.xdp = format!("mode = \"{mode}\"\n");
        self
    }

    /// Adds a key of `[xdp]`: `max_replies = 0`.
    #[must_use]
    pub fn xdp_key(mut self, line: &str) -> Documents {
        self.xdp.push_str(line);
        self.xdp.push('\n');
        self
    }

    /// Lets the gate stay while no process runs, pinned below a directory on a BPF file system
    /// ([`crate::namespace::Namespace::mount_bpffs`]).
    #[must_use]
    pub fn persist(mut self, directory: &Path) -> Documents {
        self.pinned = Some(directory.to_owned());
        self
    }

    /// Sets a key of `[limits]`. Without this nobody's rate is limited, unlike in a node that an operator runs.
    #[must_use]
    pub fn limit(mut self, key: &str, value: impl ToString) -> Documents {
        self.set_limit(key, value);
        self
    }

    /// The same for documents that are in use.
    pub fn set_limit(&mut self, key: &str, value: impl ToString) {
        self.limits.insert(key.to_owned(), value.to_string());
    }

    /// Leaves `[limits]` to its defaults.
    #[must_use]
    pub fn default_limits(mut self) -> Documents {
        self.limits.clear();
        self
    }

    /// Sets how many workers there are: with one, it has all that comes.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Documents {
        self.workers = workers;
        self
    }

    /// Lets the listeners take CoA and Disconnect.
    #[must_use]
    pub fn dynauth(mut self) -> Documents {
        self.dynauth = true;
        self
    }

    /// Adds a key of `[node]`: `country_code = "49"`.
    #[must_use]
    pub fn node_key(mut self, line: &str) -> Documents {
        self.node.push_str(line);
        self.node.push('\n');
        self
    }

    /// Adds an access network.
    #[must_use]
    pub fn access_network(self, network: &AccessNetwork) -> Documents {
        self.with(network.text())
    }

    /// Adds keys of `[sessions]`: `short = "0s"`.
    #[must_use]
    pub fn sessions(mut self, lines: &str) -> Documents {
        self.sessions.push_str(lines);
        self.sessions.push('\n');
        self
    }

    /// Adds text to `sekisho.toml`, tables that are not there otherwise: `[journal]`, `[[probe]]`.
    #[must_use]
    pub fn with(mut self, text: &str) -> Documents {
        self.more.push_str(text);
        self.more.push('\n');
        self
    }

    /// Adds a customer.
    #[must_use]
    pub fn customer(mut self, customer: Customer) -> Documents {
        self.customers.push(customer);
        self
    }

    /// Puts a customer in place of the one of that name, or adds it; what is written changes with [`write`](Self::write).
    pub fn replace(&mut self, customer: Customer) {
        self.customers.retain(|it| it.name != customer.name);
        self.customers.push(customer);
    }

    /// Writes everything and gives the path of `sekisho.toml`.
    pub fn write(&self) -> PathBuf {
        let customers = self.directory.path().join("customers");
        std::fs::create_dir_all(&customers).expect("a directory");
        for customer in &self.customers {
            self.write_customer(&customer.name, &customer.text());
        }
        let path = self.directory.path().join("sekisho.toml");
        std::fs::write(&path, self.node()).expect("sekisho.toml");
        path
    }

    /// Writes a document as it is given beside `sekisho.toml`, for `sekisho apply -f`.
    pub fn write_beside(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.path().join(name);
        std::fs::write(&path, text).expect("a file beside sekisho.toml");
        path
    }

    /// Writes a customer's document as it is given, faults and all.
    pub fn write_customer(&self, name: &str, text: &str) {
        let path = self.directory.path().join("customers").join(format!("{name}.toml"));
        std::fs::write(path, text).expect("a customer's document");
    }

    /// Lets their directory stay for as long as what this gives.
    pub(crate) fn keep(&self) -> Arc<tempfile::TempDir> {
        Arc::clone(&self.directory)
    }

    /// Where they are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn node(&self) -> String {
        // Every host's end of its link has an XDP program, so the gate's answers arrive; a document that names the key decides.
        let replies = if self.xdp.contains("replies_on_veth") { "" } else { "replies_on_veth = true" };
        let Documents { xdp, limits, workers, sessions, more, node, .. } = self;
        let mut text = format!(
            "[node]\nname = \"test\"\nworkers = {workers}\nlog = \"debug\"\n{node}\n[[domain]]\nname = \"default\"\n"
        );
        for ingress in &self.ingresses {
            let _ = writeln!(text, "[[domain.ingress]]\ninterface = \"{ingress}\"");
        }
        let dynauth = if self.dynauth { format!("\ndynauth = {DYNAUTH}") } else { String::new() };
        for address in [PROXY_V4, PROXY_V6] {
            let _ =
                writeln!(text, "\n[[listener]]\naddress = \"{address}\"\nauth = {AUTH}\naccounting = {ACCT}{dynauth}");
        }
        let pinned = match &self.pinned {
            Some(directory) => format!("persist = true\ndirectory = \"{}\"", directory.display()),
            None => "persist = false".to_owned(),
        };
        let _ = writeln!(text, "\n[xdp]\n{xdp}{replies}\n{pinned}\n\n[limits]");
        for (key, value) in limits {
            let _ = writeln!(text, "{key} = {value}");
        }
        let _ = writeln!(text, "\n[admin]\naddress = \"127.0.0.1:9812\"\n\n[sessions]\n{sessions}\n{more}");
        text
    }
}
