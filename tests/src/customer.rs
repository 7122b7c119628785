//! A customer's document, as a test writes it.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::network::{ACCT, AUTH};
use crate::service::Group;
use crate::vpdn::{Lns, Vpdn};

/// One customer's document.
#[derive(Clone, Debug)]
pub struct Customer {
    pub(crate) name: String,
    keys: Vec<String>,
    realms: Vec<String>,
    clients: Vec<String>,
    dynauth: Vec<String>,
    policies: Vec<String>,
    pools: Vec<Pool>,
    lnss: Vec<String>,
    vpdn: Vec<String>,
    tables: Vec<String>,
}

impl Customer {
    /// A customer without contracts yet, with the realm `NAME.example`.
    pub fn new(name: &str) -> Customer {
        let realms = vec![format!("suffix = \"{name}.example\"")];
        let [keys, clients, dynauth, policies, lnss, vpdn, tables] = [const { Vec::new() }; 7];
        Customer {
            name: name.to_owned(),
            keys,
            realms,
            clients,
            dynauth,
            policies,
            pools: Vec::new(),
            lnss,
            vpdn,
            tables,
        }
    }

    /// Adds a key of `[customer]`: `request_policy = "…"`.
    #[must_use]
    pub fn key(mut self, line: &str) -> Customer {
        self.keys.push(line.to_owned());
        self
    }

    /// Adds a realm: `suffix = "…"`, `prefix = "…"`, `apn = "…"`, `default = true`.
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

    /// The same under a secret of the test's choice.
    #[must_use]
    pub fn client_with_secret(mut self, contract: &str, address: IpAddr, secret: &str, more: &str) -> Customer {
        let text = format!("contract = \"{contract}\"\naddress = \"{address}\"\nsecret = \"{secret}\"\n{more}\n");
        self.clients.push(text);
        self
    }

    /// Adds a server that may send CoA and Disconnect.
    #[must_use]
    pub fn dynauth(mut self, name: &str, address: IpAddr, more: &str) -> Customer {
        let secret = dynauth_secret(name);
        let text = format!("name = \"{name}\"\naddress = \"{address}\"\nsecret = \"{secret}\"\n{more}\n");
        self.dynauth.push(text);
        self
    }

    /// Adds a `[[policy]]` of that name. `rules` are its further lines and its tables.
    #[must_use]
    pub fn policy(mut self, name: &str, rules: &str) -> Customer {
        self.policies.push(format!("name = \"{name}\"\n{rules}\n"));
        self
    }

    /// Adds a `proxy` contract for all realms, fail-over over these servers.
    #[must_use]
    pub fn proxy(self, servers: &[Server]) -> Customer {
        self.pool(Pool::new("fail-over", servers))
    }

    /// Adds a `proxy` contract.
    #[must_use]
    pub fn pool(mut self, pool: Pool) -> Customer {
        self.pools.push(pool);
        self
    }

    /// Adds LNSs.
    #[must_use]
    pub fn lnss(mut self, lnss: &[Lns]) -> Customer {
        self.lnss.extend(lnss.iter().map(|lns| lns.text().to_owned()));
        self
    }

    /// Adds a `vpdn` contract.
    #[must_use]
    pub fn vpdn(mut self, contract: &Vpdn) -> Customer {
        self.vpdn.push(contract.text());
        self
    }

    /// Adds a table as it is written, `[[mobile]]` and its keys.
    #[must_use]
    pub fn table(mut self, text: &str) -> Customer {
        self.tables.push(text.to_owned());
        self
    }

    /// Adds a `group` contract.
    #[must_use]
    pub fn group(self, contract: &Group) -> Customer {
        let text = contract.text();
        self.table(&text)
    }

    pub(crate) fn text(&self) -> String {
        let mut text = format!("[customer]\nname = \"{}\"\n", self.name);
        for line in &self.keys {
            let _ = writeln!(text, "{line}");
        }
        let tables = [
            ("realm", &self.realms),
            ("client", &self.clients),
            ("dynauth", &self.dynauth),
            ("policy", &self.policies),
            ("lns", &self.lnss),
            ("vpdn", &self.vpdn),
        ];
        for (table, entries) in tables {
            for entry in entries {
                let _ = writeln!(text, "\n[[{table}]]\n{entry}");
            }
        }
        for (n, pool) in self.pools.iter().enumerate() {
            let _ = writeln!(text, "\n{}", pool.text(&format!("{}-proxy-{}", self.name, n + 1)));
        }
        for table in &self.tables {
            let _ = writeln!(text, "\n{table}");
        }
        text
    }
}

/// A `proxy` contract: servers, those to fall back to, and those that accounting is copied to.
#[derive(Clone, Debug)]
pub struct Pool {
    keys: String,
    servers: Vec<Server>,
    fallbacks: Vec<(String, Vec<Server>)>,
    copies: Vec<Server>,
}

impl Pool {
    /// A pool of a type: `fail-over`, `load-balance`, `client-balance`.
    pub fn new(kind: &str, servers: &[Server]) -> Pool {
        let keys = format!("type = \"{kind}\"\n");
        Pool { keys, servers: servers.to_vec(), fallbacks: Vec::new(), copies: Vec::new() }
    }

    /// A pool that chooses by an attribute.
    pub fn keyed(attribute: &str, servers: &[Server]) -> Pool {
        Pool::new("keyed-balance", servers).key(&format!("key = \"{attribute}\""))
    }

    /// Adds a key of `[[proxy]]`: `strip = "realm"`.
    #[must_use]
    pub fn key(mut self, line: &str) -> Pool {
        self.keys.push_str(line);
        self.keys.push('\n');
        self
    }

    /// Adds a tier below those that are there.
    #[must_use]
    pub fn fallback(mut self, kind: &str, servers: &[Server]) -> Pool {
        self.fallbacks.push((kind.to_owned(), servers.to_vec()));
        self
    }

    /// Adds a server that accounting is copied to.
    #[must_use]
    pub fn copy(mut self, server: Server) -> Pool {
        self.copies.push(server);
        self
    }

    fn text(&self, contract: &str) -> String {
        let mut text = format!("[[proxy]]\ncontract = \"{contract}\"\n{}", self.keys);
        for Server(server) in &self.servers {
            let _ = writeln!(text, "\n[[proxy.server]]\n{server}");
        }
        for (kind, servers) in &self.fallbacks {
            let _ = writeln!(text, "\n[[proxy.fallback]]\ntype = \"{kind}\"");
            for Server(server) in servers {
                let _ = writeln!(text, "\n[[proxy.fallback.server]]\n{server}");
            }
        }
        for Server(server) in &self.copies {
            let _ = writeln!(text, "\n[[proxy.copy]]\n{server}");
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
        Server::at(name, &address.to_string(), more)
    }

    /// The same by a host name.
    pub fn at(name: &str, host: &str, more: &str) -> Server {
        let ports = format!("auth = {AUTH}\naccounting = {ACCT}\n{more}");
        Server::with_secret(name, host, &home_secret(name), &ports)
    }

    /// A server that takes accounting only.
    pub fn for_accounting(name: &str, address: IpAddr, more: &str) -> Server {
        let ports = format!("accounting = {ACCT}\n{more}");
        Server::with_secret(name, &address.to_string(), &home_secret(name), &ports)
    }

    /// A server under a secret of the test's choice; `more` gives its ports as well.
    pub fn with_secret(name: &str, host: &str, secret: &str, more: &str) -> Server {
        Server(format!("name = \"{name}\"\naddress = \"{host}\"\nsecret = \"{secret}\"\n{more}\n"))
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

/// The secret of a dynamic-authorization client in these tests.
pub fn dynauth_secret(name: &str) -> String {
    format!("secret-of-dynamic-authorization-{name}")
}
