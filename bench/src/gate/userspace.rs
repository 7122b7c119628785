//! A retransmit without the gate: what sekisho needs to answer it from its own cache.
//!
//! Logins are asked once, and answered. Then the same datagrams are sent again and again, from the same port: every one of them
//! is a retransmit that is answered already, and nothing else happens meanwhile.

use std::collections::HashMap;
use std::io;
use std::net::UdpSocket;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::compare::measure::{Bench, Started};
use crate::compare::peers::Programs;
use crate::compare::table::median;
use crate::compare::{CompareError, Comparison, Proxy};
use crate::load::Kind;
use crate::load::pool::Pool;
use crate::stop::Stop;

/// Requests that are repeated, all of them outstanding at once.
const WINDOW: u8 = 64;
/// How long each round takes: well within the time that a reply is kept.
const TIME: Duration = Duration::from_secs(2);
/// Unanswered that long, a repetition is lost.
const PATIENCE: Duration = Duration::from_millis(200);
/// A login's reply is shorter than this.
const LONGEST: usize = 4096;

/// What repetitions cost in userspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repetitions {
    /// sekisho's processor time for each answered repetition, in microseconds: the median of the rounds.
    pub cpu_us: f64,
    /// Each round's.
    pub rounds_us: Vec<f64>,
    /// The home server's, to show that it was not asked.
    pub home_cpu_us: f64,
    /// Repetitions that got the first reply again, octet for octet.
    pub answered: u64,
    /// Those that got none.
    pub lost: u64,
    /// Those that got another.
    pub different: u64,
}

/// Measures a sekisho of its own, with the gate off, in rounds.
///
/// # Errors
/// When a program cannot be started, or does not answer.
pub fn measure(sekisho: &Path, rounds: usize, stop: &Stop) -> Result<Repetitions, CompareError> {
    let comparison = comparison(sekisho);
    let programs = Programs::find(Some(sekisho), None);
    if !programs.has(Proxy::Sekisho) {
        return Err(CompareError::Nothing);
    }
    let bench = Bench::start(&comparison, &programs)?;
    let mut all =
        Repetitions { cpu_us: 0.0, rounds_us: Vec::new(), home_cpu_us: 0.0, answered: 0, lost: 0, different: 0 };
    let mut home = Duration::ZERO;
    for round in 0..rounds.max(1) {
        let started = bench.started(Proxy::Sekisho, Kind::Pap, usize::from(WINDOW), stop)?;
        let told = |error: io::Error| CompareError::Start { what: "repeating requests".into(), error };
        let asked = Asked::once(&started, round as u64).map_err(told)?;
        let before = (started.cpu().map_err(told)?, bench.home_cpu().map_err(told)?);
        let counts = asked.again(stop).map_err(told)?;
        let after = (started.cpu().map_err(told)?, bench.home_cpu().map_err(told)?);
        if stop.is_set() {
            return Err(CompareError::Stopped);
        }
        all.rounds_us.push(each(after.0.saturating_sub(before.0), counts.answered));
        home += after.1.saturating_sub(before.1);
        all.answered += counts.answered;
        all.lost += counts.lost;
        all.different += counts.different;
    }
    all.cpu_us = median(all.rounds_us.clone());
    all.home_cpu_us = each(home, all.answered);
    Ok(all)
}

fn each(time: Duration, of: u64) -> f64 {
    time.as_secs_f64() * 1e6 / of.max(1) as f64
}

/// What a proxy is started with; of it only the timeout matters, until it answers for the first time.
fn comparison(sekisho: &Path) -> Comparison {
    Comparison {
        proxies: vec![Proxy::Sekisho],
        kinds: vec![Kind::Pap],
        windows: vec![usize::from(WINDOW)],
        rounds: 1,
        time: TIME,
        warm_up: Duration::ZERO,
        timeout: Duration::from_secs(1),
        retries: 3,
        sekisho: Some(sekisho.to_owned()),
        former: None,
    }
}

/// Requests that were answered once.
struct Asked {
    socket: UdpSocket,
    pool: Pool,
    replies: HashMap<u8, Vec<u8>>,
}

#[derive(Default)]
struct Counts {
    answered: u64,
    lost: u64,
    different: u64,
}

impl Asked {
    fn once(started: &Started, seed: u64) -> io::Result<Asked> {
        let mut plan = started.plan.clone();
        plan.seed = 100 + seed;
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        socket.connect(plan.target)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let pool = Pool::new(&plan).map_err(io::Error::other)?;
        let mut asked = Asked { socket, pool, replies: HashMap::new() };
        asked.send()?;
        let mut buffer = [0; LONGEST];
        while asked.replies.len() < usize::from(WINDOW) {
            let length = asked.socket.recv(&mut buffer)?;
            if let Some([_, id, rest @ ..]) = buffer.get(..length) {
                asked.replies.insert(*id, rest.to_vec());
            }
        }
        Ok(asked)
    }

    /// All of them.
    fn send(&self) -> io::Result<()> {
        for request in (0..WINDOW).filter_map(|id| self.pool.request(id, 0)) {
            self.socket.send(request.octets())?;
        }
        Ok(())
    }

    /// Repeats them until the round is over.
    fn again(&self, stop: &Stop) -> io::Result<Counts> {
        let mut counts = Counts::default();
        let mut buffer = [0; LONGEST];
        let begun = Instant::now();
        while begun.elapsed() < TIME && !stop.is_set() {
            self.send()?;
            for missing in (1..=WINDOW).rev() {
                match self.socket.recv(&mut buffer) {
                    Ok(length) => match buffer.get(..length) {
                        Some([_, id, rest @ ..]) if self.replies.get(id).is_some_and(|reply| reply == rest) => {
                            counts.answered += 1;
                        }
                        _ => counts.different += 1,
                    },
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        counts.lost += u64::from(missing);
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(counts)
    }
}
