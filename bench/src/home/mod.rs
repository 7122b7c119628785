//! A small home server: checks, answers, and misbehaves when asked to.
//!
//! [`Home::start`] binds the sockets and starts the threads, in this process; [`Running::stop`] ends them and says what
//! was seen. Each worker has its own authentication and accounting socket in a group, so a source port always meets the
//! same worker, which is what lets retransmissions be counted without sharing. What is answered is decided by
//! [`answer`], how it is spoiled by [`faults`], and what is counted is in [`stats`].

pub mod answer;
pub mod faults;
mod outbox;
mod sightings;
pub mod stats;
pub mod users;
mod worker;

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use sekisho_udp::{Options, bind_group};
use sekisho_wire::secret::Secret;

pub use answer::Extras;
pub use faults::Faults;
pub use stats::Stats;
pub use users::Users;

use crate::stop::Stop;
use answer::Port;
use stats::Counters;
use worker::Worker;

/// What a home server is.
#[derive(Debug)]
pub struct Home {
    /// Where Access-Requests come in; port 0 lets the kernel choose.
    pub authentication: Option<SocketAddr>,
    /// Where Accounting-Requests come in.
    pub accounting: Option<SocketAddr>,
    /// Shared with every client, whatever its address.
    pub secret: Secret,
    /// Who may log in.
    pub users: Users,
    /// What an Accept carries beside the usual.
    pub extras: Extras,
    /// What it does wrong.
    pub faults: Faults,
    /// Threads, at least one.
    pub workers: usize,
}

impl Home {
    /// Binds the sockets and begins to answer.
    ///
    /// # Errors
    /// When an address cannot be bound or a thread not started.
    pub fn start(self) -> io::Result<Running> {
        let workers = self.workers.max(1);
        let authentication = Group::bind(self.authentication, workers)?;
        let accounting = Group::bind(self.accounting, workers)?;
        let addresses = (authentication.address, accounting.address);
        let home = Arc::new(self);
        let stop = Stop::default();
        let mut running = Running {
            authentication: addresses.0,
            accounting: addresses.1,
            stop: stop.clone(),
            counters: Vec::new(),
            threads: Vec::new(),
        };
        for sockets in authentication.sockets.into_iter().zip(accounting.sockets) {
            let counters = Arc::new(Counters::default());
            let ports = [(Port::Authentication, sockets.0), (Port::Accounting, sockets.1)];
            let sockets = ports.into_iter().filter_map(|(port, socket)| Some((port, socket?))).collect();
            let mut worker = Worker::new(Arc::clone(&home), sockets, Arc::clone(&counters), stop.clone());
            running.counters.push(counters);
            running.threads.push(thread::Builder::new().name("home".into()).spawn(move || worker.run())?);
        }
        Ok(running)
    }
}

/// A home server at work. Dropped, it stops.
#[derive(Debug)]
pub struct Running {
    /// Where Access-Requests come in.
    pub authentication: Option<SocketAddr>,
    /// Where Accounting-Requests come in.
    pub accounting: Option<SocketAddr>,
    stop: Stop,
    counters: Vec<Arc<Counters>>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Running {
    /// What was seen so far, all workers together.
    pub fn stats(&self) -> Stats {
        self.counters.iter().map(|counters| counters.read()).sum()
    }

    /// Whether a worker has given up, which only a failing socket makes it do.
    pub fn has_failed(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// Ends the threads and tells what was seen.
    ///
    /// # Errors
    /// When a socket failed meanwhile.
    pub fn stop(mut self) -> io::Result<Stats> {
        self.stop.set();
        for thread in std::mem::take(&mut self.threads) {
            thread.join().map_err(|_| io::Error::other("a worker of the home server ended abnormally"))??;
        }
        Ok(self.stats())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.set();
    }
}

/// One socket a worker, or none for each where there is no such service.
struct Group {
    address: Option<SocketAddr>,
    sockets: Vec<Option<UdpSocket>>,
}

impl Group {
    fn bind(address: Option<SocketAddr>, workers: usize) -> io::Result<Self> {
        let Some(address) = address else {
            return Ok(Self { address: None, sockets: (0..workers).map(|_| None).collect() });
        };
        let options = Options {
            receive_buffer: Some(RECEIVE_BUFFER),
            send_buffer: Some(RECEIVE_BUFFER),
            packet_info: false,
            ..Options::default()
        };
        let sockets = bind_group(address, workers, &options)?;
        let address = sockets.first().map(UdpSocket::local_addr).transpose()?;
        Ok(Self { address, sockets: sockets.into_iter().map(Some).collect() })
    }
}

/// Room for the burst that a load with 16,384 requests outstanding begins with: 1280 octets each in the kernel's count.
const RECEIVE_BUFFER: usize = 32 << 20;
