//! Home servers' names: looked up at the start, at each reload, and again and again while the node is up.
//!
//! A name without an address holds nobody up: its server is left out of the routing until it has one. A name that loses
//! its address keeps the last good one, for a resolver that is out of order says nothing about the server.

use std::{
    collections::{BTreeSet, HashMap},
    future::Future,
    io,
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

use sekisho_config::{Customer, Node, customer::Host};
use sekisho_service::Unresolved;
use tokio::{
    sync::{Semaphore, mpsc},
    time::{Instant, sleep, timeout_at},
};

use crate::running::Running;

/// The start and a reload wait that long for all names together.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// Names are looked up again after this time,
const AGAIN: Duration = Duration::from_secs(30);
/// and after this while some server has no address.
const AGAIN_SOON: Duration = Duration::from_secs(5);
/// A later round waits that long: longer than a resolver tries its servers.
const ROUND: Duration = Duration::from_secs(25);
/// Look-ups at a time. Each holds a thread for as long as the resolver takes, so there must be an end of them.
static LOOKUPS: Semaphore = Semaphore::const_new(32);

/// Addresses by name: the last good ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(HashMap<String, IpAddr>);

impl Names {
    /// The address of a name.
    pub fn address(&self, name: &str) -> Option<IpAddr> {
        self.0.get(name).copied()
    }

    /// Looks up the names of these customers' servers and waits `patience` for all of them together. What is not named
    /// any more is forgotten.
    pub async fn refresh(&mut self, node: &Node, customers: &[Customer], patience: Duration) {
        let wanted = wanted(customers);
        let found = look_up(&wanted, patience, by_the_host).await;
        self.0.retain(|name, _| wanted.contains(name));
        self.take(found, &|address| node.upstream_for(address).is_some());
    }

    /// Takes what was found: an address that a name still has stays, so that a name with several does not wander.
    fn take(&mut self, found: Vec<(String, Vec<IpAddr>)>, usable: &dyn Fn(IpAddr) -> bool) {
        for (name, addresses) in found {
            let stays = self.0.get(&name).is_some_and(|address| addresses.contains(address) && usable(*address));
            let first = || addresses.iter().find(|address| usable(**address)).or(addresses.first());
            if let (false, Some(address)) = (stays, first()) {
                self.0.insert(name, *address);
            }
        }
    }

    /// Takes over what a round found, as far as these customers' servers are still called so.
    pub fn update(&mut self, found: &Names, customers: &[Customer]) {
        let wanted = wanted(customers);
        self.0.extend(found.0.iter().filter(|(name, _)| wanted.contains(*name)).map(|(name, at)| (name.clone(), *at)));
    }

    /// Which servers' names have another address than before, a line each.
    pub fn changes(&self, before: &Names, customers: &[Customer]) -> Vec<String> {
        let mut lines = Vec::new();
        for (customer, server, name) in named(customers) {
            match (before.address(name), self.address(name)) {
                (None, Some(new)) => lines.push(format!("{customer}: ~ server {server} ({name}) is at {new}")),
                (Some(old), Some(new)) if old != new => {
                    lines.push(format!("{customer}: ~ server {server} ({name}) is at {new}, no longer at {old}"));
                }
                _ => {}
            }
        }
        lines
    }
}

/// Looks names up until the task is dropped, and puts in force what has changed.
pub async fn watch(running: Arc<Running>) {
    loop {
        sleep(if running.unresolved.load().is_empty() { AGAIN } else { AGAIN_SOON }).await;
        let (documents, mut names) = {
            let current = running.current.lock().await;
            (Arc::clone(&current.documents), current.names.clone())
        };
        names.refresh(&documents.node, &documents.customers, ROUND).await;
        running.rename(names).await;
    }
}

/// Tells of servers that have no address and had one, or were not there.
pub fn tell(unresolved: &[Unresolved], before: &[Unresolved]) {
    for new in unresolved.iter().filter(|new| !before.contains(new)) {
        let Unresolved { customer, server, host, why } = new;
        tracing::warn!(customer, server, host, "the server's name {why}: nothing is sent to it until that changes");
    }
}

/// Customer, server and name of each server that has one.
fn named(customers: &[Customer]) -> impl Iterator<Item = (&str, &str, &str)> {
    customers.iter().flat_map(|customer| {
        let servers = customer.proxies.iter().flat_map(|proxy| proxy.servers().chain(&proxy.copies));
        servers.filter_map(|server| match &server.address {
            Host::Name(name) => Some((customer.name.as_str(), server.name.as_str(), name.as_str())),
            Host::Address(_) => None,
        })
    })
}

fn wanted(customers: &[Customer]) -> BTreeSet<String> {
    named(customers).map(|(_, _, name)| name.to_owned()).collect()
}

/// By the host's own resolver: its files and its DNS servers.
async fn by_the_host(name: String) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|found| found.ip()).collect())
}

/// What was found in time, in the order in which it came.
async fn look_up<F>(
    names: &BTreeSet<String>,
    patience: Duration,
    look: impl Fn(String) -> F + Clone + Send + 'static,
) -> Vec<(String, Vec<IpAddr>)>
where
    F: Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static,
{
    let deadline = Instant::now() + patience;
    let (answers, mut inbox) = mpsc::unbounded_channel();
    for name in names {
        let (name, answers, look) = (name.clone(), answers.clone(), look.clone());
        // It outlives our patience: a permit is given back when the resolver is done, not before.
        tokio::spawn(async move {
            let Ok(_permit) = LOOKUPS.acquire().await else { return };
            if answers.is_closed() {
                return;
            }
            match look(name.clone()).await {
                // Nobody waits for it any more: the next round asks again.
                Ok(addresses) => drop(answers.send((name, addresses))),
                Err(error) => tracing::debug!(name, %error, "a name is not resolved"),
            }
        });
    }
    drop(answers);
    let mut found = Vec::new();
    while let Ok(Some(answer)) = timeout_at(deadline, inbox.recv()).await {
        found.push(answer);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn names(texts: &[&str]) -> BTreeSet<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_name_that_is_not_answered_holds_nobody_up() {
        let began = Instant::now();
        let wanted = names(&["dead.example", "good.example", "gone.example"]);
        let found = look_up(&wanted, PATIENCE, |name| async move {
            match name.as_str() {
                "good.example" => Ok(vec![address("192.0.2.1")]),
                "gone.example" => Err(io::Error::other("no such name")),
                _ => std::future::pending().await,
            }
        });
        assert_eq!(found.await, [("good.example".to_owned(), vec![address("192.0.2.1")])]);
        assert_eq!(began.elapsed(), PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_when_all_have_answered() {
        let began = Instant::now();
        let wanted = names(&["good.example"]);
        let found = look_up(&wanted, PATIENCE, |_| async { Ok(vec![address("192.0.2.1")]) });
        assert_eq!(found.await.len(), 1);
        assert!(began.elapsed() < PATIENCE);
    }

    #[test]
    fn a_name_keeps_its_address_while_it_has_it_and_when_it_has_none() {
        let (one, two, six) = (address("192.0.2.1"), address("192.0.2.2"), address("2001:db8::1"));
        let mut names = Names::default();
        let ipv4 = |address: IpAddr| address.is_ipv4();
        let found = |addresses: &[IpAddr]| vec![("home.example".to_owned(), addresses.to_vec())];
        names.take(found(&[six, one, two]), &ipv4);
        assert_eq!(names.address("home.example"), Some(one), "the first that can be reached");
        names.take(found(&[two, one]), &ipv4);
        assert_eq!(names.address("home.example"), Some(one), "whatever order they come in");
        names.take(found(&[]), &ipv4);
        names.take(Vec::new(), &ipv4);
        assert_eq!(names.address("home.example"), Some(one), "a name that is lost");
        names.take(found(&[two]), &ipv4);
        assert_eq!(names.address("home.example"), Some(two));
        names.take(found(&[six]), &ipv4);
        assert_eq!(names.address("home.example"), Some(six), "so that the operator is told of it");
    }
}
