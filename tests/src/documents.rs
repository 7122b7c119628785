//! The documents that a test gives to sekisho.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::network::{ACCT, AUTH, DYNAUTH, Host, PROXY_V4, PROXY_V6};

pub use crate::customer::{Customer, Pool, Server, client_secret, dynauth_secret, home_secret};

/// `sekisho.toml` and the customers, in a directory that lives as long as this.
#[derive(Debug)]
pub struct Documents {
    directory: tempfile::TempDir,
    xdp: String,
    ingresses: Vec<String>,
    dynauth: bool,
    node: String,
    more: String,
    customers: Vec<Customer>,
}

impl Documents {
    /// For a proxy whose links go to these hosts, with native XDP.
    pub fn new(hosts: &[&Host]) -> Documents {
        let ingresses = hosts.iter().map(|host| host.name.clone()).collect();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let [node, more] = [const { String::new() }; 2];
        Documents { directory, xdp: "native".to_owned(), ingresses, dynauth: false, node, more, customers: Vec::new() }
    }

    /// Sets `xdp.mode`.
    #[must_use]
    pub fn xdp(mut self, mode: &str) -> Documents {
        mode.clone_into(&mut self.xdp);
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

    /// Adds text to `sekisho.toml`, tables that are not there otherwise: `[limits]`, `[[probe]]`.
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

    /// Writes a customer's document as it is given, faults and all.
    pub fn write_customer(&self, name: &str, text: &str) {
        let path = self.directory.path().join("customers").join(format!("{name}.toml"));
        std::fs::write(path, text).expect("a customer's document");
    }

    /// Where they are.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn node(&self) -> String {
        let Documents { xdp, more, node, .. } = self;
        let mut text =
            format!("[node]\nname = \"test\"\nworkers = 2\nlog = \"debug\"\n{node}\n[[domain]]\nname = \"default\"\n");
        for ingress in &self.ingresses {
            let _ = writeln!(text, "[[domain.ingress]]\ninterface = \"{ingress}\"");
        }
        let dynauth = if self.dynauth { format!("\ndynauth = {DYNAUTH}") } else { String::new() };
        for address in [PROXY_V4, PROXY_V6] {
            let _ =
                writeln!(text, "\n[[listener]]\naddress = \"{address}\"\nauth = {AUTH}\naccounting = {ACCT}{dynauth}");
        }
        let _ = writeln!(text, "\n[xdp]\nmode = \"{xdp}\"\n\n[admin]\naddress = \"127.0.0.1:9812\"\n\n{more}");
        text
    }
}
