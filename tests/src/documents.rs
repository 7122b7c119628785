//! The documents that a test gives to sekisho.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use crate::network::{ACCT, AUTH, Host, PROXY_V4, PROXY_V6};

/// `sekisho.toml` and the customers, in a directory that lives as long as this.
#[derive(Debug)]
pub struct Documents {
    directory: tempfile::TempDir,
    xdp: String,
    ingresses: Vec<String>,
    more: String,
    customers: Vec<Customer>,
}

/// One customer's document.
#[derive(Clone, Debug)]
pub struct Customer {
    name: String,
    realms: Vec<String>,
    clients: Vec<String>,
    proxies: Vec<String>,
}

impl Documents {
    /// For a proxy whose links go to these hosts, with native XDP.
    pub fn new(hosts: &[&Host]) -> Documents {
        let ingresses = hosts.iter().map(|host| host.name.clone()).collect();
        let directory = tempfile::tempdir().expect("a temporary directory");
        Documents { directory, xdp: "native".to_owned(), ingresses, more: String::new(), customers: Vec::new() }
    }

    /// Sets `xdp.mode`.
    #[must_use]
    pub fn xdp(mut self, mode: &str) -> Documents {
        mode.clone_into(&mut self.xdp);
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
        let Documents { xdp, more, .. } = self;
        let mut text =
            String::from("[node]\nname = \"test\"\nworkers = 2\nlog = \"debug\"\n\n[[domain]]\nname = \"default\"\n");
        for ingress in &self.ingresses {
            let _ = writeln!(text, "[[domain.ingress]]\ninterface = \"{ingress}\"");
        }
        for address in [PROXY_V4, PROXY_V6] {
            let _ = writeln!(text, "\n[[listener]]\naddress = \"{address}\"\nauth = {AUTH}\naccounting = {ACCT}");
        }
        let _ = writeln!(text, "\n[xdp]\nmode = \"{xdp}\"\n\n[admin]\naddress = \"127.0.0.1:9812\"\n\n{more}");
        text
    }
}

impl Customer {
    /// A customer without contracts yet, with the realm `NAME.example`.
    pub fn new(name: &str) -> Customer {
        let realms = vec![format!("suffix = \"{name}.example\"")];
        Customer { name: name.to_owned(), realms, clients: Vec::new(), proxies: Vec::new() }
    }

    /// Adds a realm: `suffix = "…"`, `prefix = "…"` or `apn = "…"`.
    #[must_use]
    pub fn realm(mut self, selector: &str) -> Customer {
        self.realms.push(selector.to_owned());
        self
    }

    /// Adds a `client` contract for an address. `more` are further lines, such as `ingress = ["nas"]`.
    #[must_use]
    pub fn client(mut self, contract: &str, address: IpAddr, more: &str) -> Customer {
        let secret = client_secret(contract);
        let text = format!("contract = \"{contract}\"\naddress = \"{address}\"\nsecret = \"{secret}\"\n{more}\n");
        self.clients.push(text);
        self
    }

    /// Adds a `proxy` contract for all realms, fail-over over these servers.
    #[must_use]
    pub fn proxy(mut self, servers: &[Server]) -> Customer {
        let contract = format!("{}-proxy-{}", self.name, self.proxies.len() + 1);
        let servers: String = servers.iter().map(|server| format!("\n[[proxy.server]]\n{}", server.0)).collect();
        self.proxies.push(format!("contract = \"{contract}\"\ntype = \"fail-over\"\n{servers}"));
        self
    }

    fn text(&self) -> String {
        let mut text = format!("[customer]\nname = \"{}\"\n", self.name);
        let tables = [("realm", &self.realms), ("client", &self.clients), ("proxy", &self.proxies)];
        for (table, entries) in tables {
            for entry in entries {
                let _ = writeln!(text, "\n[[{table}]]\n{entry}");
            }
        }
        text
    }
}

/// A home server in a `proxy` contract.
#[derive(Clone, Debug)]
pub struct Server(String);

impl Server {
    /// A server on 1812 and 1813 of an address. `more` are further lines, such as `response_window = "500ms"`.
    pub fn new(name: &str, address: IpAddr, more: &str) -> Server {
        let secret = home_secret(name);
        Server(format!(
            "name = \"{name}\"\naddress = \"{address}\"\nauth = {AUTH}\naccounting = {ACCT}\nsecret = \"{secret}\"\n{more}\n"
        ))
    }
}

/// The secret of a `client` contract in these tests.
pub fn client_secret(contract: &str) -> String {
    format!("secret-of-client-{contract}")
}

/// The secret of a home server in these tests.
pub fn home_secret(name: &str) -> String {
    format!("secret-of-home-server-{name}")
}
