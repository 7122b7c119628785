//! Configurations in a temporary directory, compiled as the program does.

use std::{fs, net::IpAddr, path::Path, sync::LazyLock};

use sekisho_config::{Customer, Node};
use sekisho_engine::snapshot::{HomeKind, HomeServer};
use sekisho_lns::Loads;
use sekisho_service::{CompileErrors, Compiled, Context, IdBook, RoutingSnapshot, compile};

/// What a process counts by; it stays over reloads.
static LOADS: LazyLock<Loads> = LazyLock::new(Loads::new);

/// The examples that a new operator starts from.
pub fn examples() -> (Node, Vec<Customer>) {
    load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/examples"))
}

/// A configuration from its documents: the node's, and each customer's with its name.
pub fn documents(node: &str, customers: &[(&str, &str)]) -> (Node, Vec<Customer>) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("sekisho.toml"), node).unwrap();
    fs::create_dir(directory.path().join("customers")).unwrap();
    for (name, text) in customers {
        fs::write(directory.path().join("customers").join(format!("{name}.toml")), text).unwrap();
    }
    load(directory.path())
}

fn load(path: &Path) -> (Node, Vec<Customer>) {
    let (node, customers, _) = sekisho_config::load(path, &|_| None).unwrap_or_else(|faults| panic!("{faults}"));
    (node, customers)
}

/// `lo` is interface 1, `ethN` is N + 10, `ethN.M` is 100 N + M; there is no other.
pub fn index(interface: &str) -> Option<u32> {
    let numbered = interface.strip_prefix("eth");
    match (interface, numbered.and_then(|n| n.split_once('.'))) {
        ("lo", _) => Some(1),
        (_, Some((n, vlan))) => Some(100 * n.parse::<u32>().ok()? + vlan.parse::<u32>().ok()?),
        _ => Some(10 + numbered?.parse::<u32>().ok()?),
    }
}

/// Compiles at the start, where no name has an address.
pub fn first(documents: &(Node, Vec<Customer>)) -> Result<Compiled, CompileErrors> {
    first_where(documents, &|_| None)
}

/// Compiles at the start, where names have these addresses.
pub fn first_where(
    (node, customers): &(Node, Vec<Customer>),
    resolve: &dyn Fn(&str) -> Option<IpAddr>,
) -> Result<Compiled, CompileErrors> {
    let book = IdBook::default();
    let context = Context { previous: None, book: &book, loads: &LOADS, workers: 2, interface_index: &index, resolve };
    compile(node, customers, &context)
}

/// Compiles over what is in use, where no name has an address.
pub fn reload(before: &Compiled, documents: &(Node, Vec<Customer>)) -> Result<Compiled, CompileErrors> {
    reload_where(before, documents, &|_| None)
}

/// Compiles over what is in use, where names have these addresses.
pub fn reload_where(
    before: &Compiled,
    (node, customers): &(Node, Vec<Customer>),
    resolve: &dyn Fn(&str) -> Option<IpAddr>,
) -> Result<Compiled, CompileErrors> {
    let context = Context {
        previous: Some(&before.snapshot),
        book: &before.book,
        loads: &LOADS,
        workers: 2,
        interface_index: &index,
        resolve,
    };
    compile(node, customers, &context)
}

/// The customer with this name.
pub fn owner<'s>(snapshot: &'s RoutingSnapshot, name: &str) -> &'s sekisho_engine::snapshot::Customer {
    snapshot.customers.iter().flatten().find(|customer| customer.name == name).unwrap()
}

/// The client with this contract.
pub fn client<'s>(snapshot: &'s RoutingSnapshot, contract: &str) -> &'s sekisho_engine::snapshot::Client {
    snapshot.clients.iter().flatten().find(|client| client.contract == contract).unwrap()
}

/// The home server's port with this name and kind.
pub fn home<'s>(snapshot: &'s RoutingSnapshot, name: &str, kind: HomeKind) -> &'s HomeServer {
    snapshot.homes.iter().flatten().find(|home| home.name == name && home.kind == kind).unwrap()
}

/// The contract of a client's number.
pub fn contract(snapshot: &RoutingSnapshot, id: u32) -> &str {
    snapshot.clients.get(id as usize).unwrap().as_ref().unwrap().contract.as_str()
}

/// Two domains with overlapping addresses behind two VLANs, and one without a tag.
pub const NODE: &str = r#"
[[domain]]
name = "north"
[[domain.ingress]]
interface = "eth0"
vlan = 100
[[domain.ingress]]
interface = "eth1"
[[domain]]
name = "south"
[[domain.ingress]]
interface = "eth0"
vlan = 200
[[listener]]
address = "198.51.100.1"
auth = 1812
accounting = 1813
[[listener]]
address = "198.51.100.2"
accounting = 1813
dedicated = true
"#;

/// A customer of that node with a terminal at 10.0.0.1 and a server of its own.
pub fn customer(name: &str, domain: &str, server: &str) -> String {
    format!(
        r#"
[customer]
name = "{name}"
[[realm]]
suffix = "{name}.example"
[[realm]]
prefix = "{name}"
[[client]]
contract = "{name}-nas"
address = "10.0.0.1"
domain = "{domain}"
secret = "secret of {name}'s terminal"
[[proxy]]
contract = "{name}-proxy"
realms = ["{name}.example"]
[[proxy.server]]
name = "home"
address = "{server}"
domain = "{domain}"
secret = "secret of {name}'s server"
"#
    )
}
