//! Configurations in a temporary directory, and what `load` says about them.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use sekisho_config::{Customer, Faults, Node, Text, Texts, Warning, load, load_documents};

/// A node with one domain and a listener of each family.
pub const NODE: &str = r#"
[node]
secrets = "secrets"
[[domain]]
name = "default"
[[domain.ingress]]
interface = "eth0"
[[domain.ingress]]
interface = "eth1"
[[listener]]
address = "198.51.100.1"
auth = 1812
accounting = 1813
[[listener]]
address = "2001:db8::1"
auth = 1812
"#;

/// A customer that is served.
pub const ACME: &str = r#"
[customer]
name = "acme"
[[realm]]
suffix = "acme.example"
[[client]]
contract = "acme-nas"
address = "192.0.2.1"
secret = "secret of acme's terminal"
[[proxy]]
contract = "acme-proxy"
[[proxy.server]]
name = "home"
address = "192.0.2.100"
secret = "secret of acme's server"
"#;

/// An access network of type D.
pub const NETWORK: &str = r#"
[[access_network]]
name = "carrier-d"
type = "D"
addresses = ["203.0.113.1"]
secret = "secret of the carrier"
"#;

/// A customer with a contract for VPDN, and nothing else.
pub const TUNNEL: &str = r#"
[customer]
name = "acme"
[[realm]]
suffix = "acme.example"
[[lns]]
name = "tokyo"
address = "192.0.2.11"
[[vpdn]]
contract = "acme-vpdn"
type = "D"
lns = ["tokyo"]
"#;

/// A customer with the load-balancing option.
pub const BALANCED: &str = r#"
[customer]
name = "acme"
[[realm]]
suffix = "acme.example"
[[lns]]
name = "tokyo"
address = "192.0.2.11"
[[lns]]
name = "osaka"
address = "192.0.2.12"
[[lns]]
name = "nagoya"
address = "192.0.2.13"
[[vpdn]]
contract = "acme-vpdn"
type = "D"
lns = ["tokyo", "osaka"]
[vpdn.load_balancing]
strategy = "round-robin"
[[vpdn.load_balancing.tier]]
lns = ["nagoya"]
"#;

/// A customer with hosted accounts.
pub const HOSTED: &str = r#"
[customer]
name = "acme"
[[realm]]
suffix = "acme.example"
[[client]]
contract = "acme-nas"
address = "192.0.2.1"
secret = "secret of acme's terminal"
[[group]]
contract = "acme-group"
accounts = 500
"#;

/// The operator's document, with an access network of type K.
pub const OPERATOR: &str = r#"
[operator]
name = "carrier"
[[access_network]]
name = "carrier-k"
type = "K"
addresses = ["203.0.113.9"]
secret = "secret of the other network"
"#;

/// The node with the access network.
pub fn carriers() -> String {
    format!("{NODE}{NETWORK}")
}

/// The same customer in other words, so that both can be served together.
pub fn other() -> String {
    ACME.replace("acme", "other").replace("192.0.2.1\"", "192.0.2.2\"").replace("192.0.2.100", "192.0.2.200")
}

/// A text with one passage changed, which has to be there once.
pub fn with(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from:?} in {text}");
    text.replace(from, to)
}

/// Documents in a directory of their own.
pub struct Documents {
    directory: tempfile::TempDir,
}

/// The node's document, and the customers' with their names.
pub fn documents(node: &str, customers: &[(&str, &str)]) -> Documents {
    let directory = tempfile::tempdir().unwrap();
    let documents = Documents { directory };
    documents.file("sekisho.toml", node, 0o640);
    fs::create_dir(documents.path().join("customers")).unwrap();
    fs::create_dir(documents.path().join("secrets")).unwrap();
    for (name, text) in customers {
        documents.file(&format!("customers/{name}.toml"), text, 0o640);
    }
    documents
}

impl Documents {
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Adds a file.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>, mode: u32) {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// One environment variable is set: `ACME_SECRET`.
    pub fn load(&self) -> Result<(Node, Vec<Customer>, Vec<Warning>), Faults> {
        load(self.path(), &|name| (name == "ACME_SECRET").then(|| "from the environment".to_owned()))
    }

    /// The faults as an operator sees them, a line each, with paths from the directory on.
    pub fn faults(&self) -> Vec<String> {
        let faults = self.load().expect_err("a fault");
        faults.faults.iter().map(|fault| self.line(fault)).collect()
    }

    /// The warnings, in the same way.
    pub fn warnings(&self) -> Vec<String> {
        let (_, _, warnings) = self.load().unwrap_or_else(|faults| panic!("{faults}"));
        warnings.iter().map(|warning| self.line(warning)).collect()
    }

    fn line(&self, finding: &sekisho_config::Finding) -> String {
        finding.to_string().replace(&format!("{}/", self.path().display()), "")
    }
}

/// The node's document is refused with exactly one fault, which says this.
#[track_caller]
pub fn node_refused(from: &str, to: &str, says: &[&str]) {
    refused(&documents(&with(NODE, from, to), &[("acme", ACME)]), says);
}

/// The customer's document is refused with exactly one fault, which says this.
#[track_caller]
pub fn customer_refused(from: &str, to: &str, says: &[&str]) {
    refused(&documents(NODE, &[("acme", &with(ACME, from, to))]), says);
}

/// With the access network, the customer's document is refused with exactly one fault, which says this.
#[track_caller]
pub fn tunnel_refused(customer: &str, says: &[&str]) {
    refused(&documents(&carriers(), &[("acme", customer)]), says);
}

/// With the access network, the customer's document is taken.
#[track_caller]
pub fn tunnel_taken(customer: &str) -> Customer {
    taken(&documents(&carriers(), &[("acme", customer)])).1.remove(0)
}

/// With the access network, the customer's document is taken with exactly one warning, which says this; with none where
/// there is nothing to say.
#[track_caller]
pub fn tunnel_warned(customer: &str, says: &[&str]) {
    let warnings = documents(&carriers(), &[("acme", customer)]).warnings();
    assert_eq!(warnings.len(), usize::from(!says.is_empty()), "{warnings:#?}");
    for part in says {
        assert!(warnings[0].contains(part), "{part:?} is not in {}", warnings[0]);
    }
}

/// There is exactly one fault, which says this.
#[track_caller]
pub fn refused(documents: &Documents, says: &[&str]) {
    let faults = documents.faults();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    for part in says {
        assert!(faults[0].contains(part), "{part:?} is not in {}", faults[0]);
    }
}

/// The node's document is taken, with the one customer.
#[track_caller]
pub fn node_taken(from: &str, to: &str) -> Node {
    taken(&documents(&with(NODE, from, to), &[("acme", ACME)])).0
}

/// The customer's document is taken.
#[track_caller]
pub fn customer_taken(from: &str, to: &str) -> Customer {
    taken(&documents(NODE, &[("acme", &with(ACME, from, to))])).1.remove(0)
}

/// There is no fault.
#[track_caller]
pub fn taken(documents: &Documents) -> (Node, Vec<Customer>) {
    let (node, customers, _) = documents.load().unwrap_or_else(|faults| panic!("{faults}"));
    (node, customers)
}

/// What the registry of a node holds, and what is said about it.
pub struct Held {
    node: Documents,
    texts: Texts,
}

/// A node with a registry that holds customers' documents.
pub fn held(node: &str, customers: &[(&str, &str)]) -> Held {
    let customers = customers.iter().map(|(name, text)| Text::new(*name, *text)).collect();
    Held { node: documents(&format!("{node}[registry]\n"), &[]), texts: Texts { customers, ..Texts::default() } }
}

impl Held {
    /// The same with the operator's document.
    pub fn and_operator(mut self, text: &str) -> Held {
        self.texts.operator = Some(Text::new("operator (entry 1)", text));
        self
    }

    /// The node, for files beside its document.
    pub fn node(&self) -> &Documents {
        &self.node
    }

    pub fn load(&self) -> Result<(Node, Vec<Customer>, Vec<Warning>), Faults> {
        load_documents(self.node.path(), &self.texts, &|name| {
            (name == "ACME_SECRET").then(|| "from the environment".to_owned())
        })
    }

    #[track_caller]
    pub fn taken(&self) -> (Node, Vec<Customer>) {
        let (node, customers, _) = self.load().unwrap_or_else(|faults| panic!("{faults}"));
        (node, customers)
    }

    /// The faults as an operator sees them, a line each.
    #[track_caller]
    pub fn faults(&self) -> Vec<String> {
        let faults = self.load().expect_err("a fault");
        faults.faults.iter().map(|fault| self.node.line(fault)).collect()
    }

    /// The warnings, in the same way.
    #[track_caller]
    pub fn warnings(&self) -> Vec<String> {
        let (_, _, warnings) = self.load().unwrap_or_else(|faults| panic!("{faults}"));
        warnings.iter().map(|warning| self.node.line(warning)).collect()
    }

    /// There is exactly one fault, which says this.
    #[track_caller]
    pub fn refused(&self, says: &[&str]) {
        let faults = self.faults();
        assert_eq!(faults.len(), 1, "{faults:#?}");
        for part in says {
            assert!(faults[0].contains(part), "{part:?} is not in {}", faults[0]);
        }
    }
}

/// In the registry of a node with the access network the customer's document is refused with exactly one fault, which says
/// this.
#[track_caller]
pub fn held_refused(customer: &str, says: &[&str]) {
    held(&carriers(), &[("acme (entry 12)", customer)]).refused(says);
}

/// There the customer's document is taken.
#[track_caller]
pub fn held_taken(customer: &str) -> Customer {
    held(&carriers(), &[("acme (entry 12)", customer)]).taken().1.remove(0)
}
