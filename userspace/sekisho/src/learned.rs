//! What `auto` has learned, kept over restarts: who sends Message-Authenticators of its own accord.
//!
//! A file of names in the directory `node.state`: contracts of clients, access networks, and customers with their servers. Without it a
//! restart would give a forger the time until the next genuine packet (CVE-2024-3596). It holds no secret, yet only its
//! owner may read it.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sekisho_config::customer;
use sekisho_engine::{
    health::Learned,
    snapshot::{ClientRole, HomeKind, Require, RoutingSnapshot},
};
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};

use crate::{documents::Documents, running::Running, state};

/// Its name below `node.state`.
const FILE: &str = "learned.json";
/// What has been learned is looked for so often.
const EVERY: Duration = Duration::from_secs(3);

/// Clients and home servers that have sent a Message-Authenticator which EAP did not demand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// `client` contracts, with their customers; access networks, which are nobody's, with an empty name.
    clients: BTreeSet<Name>,
    /// Home servers, with their customers.
    servers: BTreeSet<Name>,
}

/// A customer, and what of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    customer: String,
    name: String,
}

impl Name {
    fn new(customer: &str, name: &str) -> Name {
        Name { customer: customer.to_owned(), name: name.to_owned() }
    }
}

impl Known {
    /// Teaches a routing's objects what is known of them, before it is in force.
    pub fn teach(&self, snapshot: &RoutingSnapshot) {
        each(snapshot, |is_server, name, require, learned| {
            let known = if is_server { &self.servers } else { &self.clients };
            if require == Require::Auto && known.contains(&name) {
                learned.set_message_authenticator(true);
            }
        });
    }

    /// Adds what the objects of the routing in force have learned. Those that are no longer `auto` forget, and so does
    /// this.
    fn learn(&mut self, snapshot: &RoutingSnapshot, documents: &Documents) {
        let automatic = Known::automatic(documents);
        self.clients.retain(|name| automatic.clients.contains(name));
        self.servers.retain(|name| automatic.servers.contains(name));
        each(snapshot, |is_server, name, require, learned| {
            let known = if is_server { &mut self.servers } else { &mut self.clients };
            if require != Require::Auto {
                learned.set_message_authenticator(false);
            } else if learned.message_authenticator() {
                known.insert(name);
            }
        });
    }

    /// All that may be learned of: also what is not served today, or has no address.
    fn automatic(documents: &Documents) -> Known {
        let mut all = Known::default();
        let networks = documents.node.access_networks.iter();
        let networks = networks.filter(|it| it.require_message_authenticator == customer::Require::Auto);
        all.clients.extend(networks.map(|network| Name::new("", &network.name)));
        for customer in &documents.customers {
            let clients =
                customer.clients.iter().filter(|it| it.require_message_authenticator == customer::Require::Auto);
            all.clients.extend(clients.map(|client| Name::new(&customer.name, &client.contract)));
            let servers = customer.proxies.iter().flat_map(sekisho_config::Proxy::servers);
            let servers = servers.filter(|it| it.require_message_authenticator == customer::Require::Auto);
            all.servers.extend(servers.map(|server| Name::new(&customer.name, &server.name)));
        }
        all
    }

    /// Reads it; what has never been written is empty.
    ///
    /// # Errors
    ///
    /// What the kernel says, or why the file is none of ours.
    fn read(directory: &Path) -> io::Result<Known> {
        match fs::read(directory.join(FILE)) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Known::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes it in the place of the old one.
    ///
    /// # Errors
    ///
    /// What the kernel says.
    fn write(&self, directory: &Path) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        state::replace(directory, FILE, |file| file.write_all(&text))
    }
}

/// Every object of a routing that learns: whether it is a server, its name, its policy, what it has learned.
fn each(snapshot: &RoutingSnapshot, mut then: impl FnMut(bool, Name, Require, &Learned)) {
    let owner = |id| snapshot.customer_name(id);
    for client in snapshot.clients.iter().flatten().filter(|client| client.role != ClientRole::DynAuth) {
        let name = Name::new(owner(client.customer), &client.contract);
        then(false, name, client.require_message_authenticator, &client.state.learned);
    }
    for home in snapshot.homes.iter().flatten().filter(|home| home.kind == HomeKind::Auth) {
        let name = Name::new(owner(home.customer), &home.name);
        then(true, name, home.require_message_authenticator, &home.state.learned);
    }
}

/// Those whose secrets have changed have not used the former ones.
pub fn forget_secrets(old: &RoutingSnapshot, new: &RoutingSnapshot) {
    for client in new.clients.iter().flatten() {
        let before = old.client(client.id).map(|before| (&before.secret, &before.previous_secret));
        if before.is_some_and(|before| before != (&client.secret, &client.previous_secret)) {
            client.state.learned.forget_secrets();
        }
    }
    for home in new.homes.iter().flatten() {
        let before = old.home(home.id).map(|before| (&before.secret, &before.previous_secret));
        if before.is_some_and(|before| before != (&home.secret, &home.previous_secret)) {
            home.state.learned.forget_secrets();
        }
    }
}

/// What is known, and the file that it is kept in.
#[derive(Debug)]
pub struct Keeper {
    directory: PathBuf,
    known: Known,
    /// What the file has.
    written: Known,
    /// It could not be written, and the operator has been told so.
    failed: bool,
}

impl Keeper {
    /// With what an earlier run has left in `directory`.
    pub fn open(directory: &Path) -> Keeper {
        let known = Known::read(directory).unwrap_or_else(|error| {
            let file = directory.join(FILE);
            tracing::warn!(
                file = %file.display(), %error,
                "what was learned of Message-Authenticators cannot be read: it is learned anew. Let sekisho's user read the file"
            );
            Known::default()
        });
        Keeper { directory: directory.to_owned(), written: known.clone(), known, failed: false }
    }

    /// What is known.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Learns from the routing in force, and writes where something has changed.
    pub fn learn(&mut self, snapshot: &RoutingSnapshot, documents: &Documents) {
        self.known.learn(snapshot, documents);
        if self.known == self.written {
            return;
        }
        match self.known.write(&self.directory) {
            Ok(()) => (self.written, self.failed) = (self.known.clone(), false),
            Err(error) if !self.failed => {
                self.failed = true;
                tracing::warn!(
                    directory = %self.directory.display(), %error,
                    "what is learned of Message-Authenticators will be forgotten at the end: \
                     let sekisho's user write to the directory, or name another as node.state"
                );
            }
            // The operator knows.
            Err(_) => {}
        }
    }
}

/// Keeps what is learned until the task is dropped.
pub async fn watch(running: Arc<Running>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        running.keep_learned().await;
    }
}
