//! What a packet costs in the kernel, before anything else sees it: BPF test runs of the gate as it is loaded.
//!
//! Every figure is nanoseconds above a floor that is measured in turn with it. Where one frame is repeated the floor is a program
//! that drops at once. Where the frame changes ([`keys`]), or must be made anew because the gate has turned it into a reply,
//! a small driver does that and goes on into the gate by a tail call; the floor is the same driver going on into the program
//! that drops at once. Both ways measure the same packet once, so that it shows whether they agree. `world` is what the
//! gate knows; [`userspace`] is what sekisho needs for a retransmit without the gate, and [`table`] sets one against the other.
//!
//! A test run is not a driver's receive path: what a network card's queue, its memory and other work on the processor cost is not
//! in it. The frame is in the cache; tables are, as far as they fit.

pub mod keys;
pub mod measure;
pub mod table;
pub mod userspace;
mod world;

use std::io;
use std::path::PathBuf;

use sekisho_kernel::GateError;
use serde::{Deserialize, Serialize};

pub use measure::Figure;
pub use userspace::Repetitions;

use crate::compare::CompareError;
use crate::compare::machine::{self, Machine};
use crate::stop::Stop;
use measure::Effort;

/// What is measured, and how thoroughly.
#[derive(Clone, Debug)]
pub struct GateBench {
    /// How often each figure is measured, the floor in turn with it.
    pub rounds: usize,
    /// Runs in each round.
    pub repeat: u32,
    /// Sources where there are many.
    pub many: u32,
    /// The sekisho program, if retransmits are to be measured in userspace too.
    pub sekisho: Option<PathBuf>,
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum GateBenchError {
    /// The gate could not be opened or run.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// A program could not be loaded or run.
    #[error("BPF test runs need root: {0}")]
    Program(#[from] io::Error),
    /// The gate did something else than what is measured.
    #[error("{what}: {part:.3} of the packets ended as they should")]
    Other {
        /// The figure.
        what: String,
        /// How many did, from 0 to 1.
        part: f64,
    },
    /// The gate answers nothing.
    #[error("the gate has no publisher")]
    NoPublisher,
    /// sekisho or the home server did not work.
    #[error(transparent)]
    Userspace(#[from] CompareError),
    /// We were asked to stop.
    #[error("stopped before the end")]
    Stopped,
}

/// Everything that was found out, as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// The day, UTC.
    pub date: String,
    /// Where.
    pub machine: Machine,
    /// How the figures were taken, in words.
    pub method: String,
    /// Rounds, and runs in each.
    pub effort: (usize, u32),
    /// Instructions that the verifier walked through, of a budget of a million.
    pub verified_instructions: u32,
    /// The figures.
    pub figures: Vec<Figure>,
    /// A retransmit in userspace, if that was measured.
    pub userspace: Option<Repetitions>,
    /// A retransmit answered in the kernel, as a part of what userspace needs for it.
    pub retransmit_ratio: Option<f64>,
    /// A registered packet over 4,096 active keys, as a multiple of one key repeated.
    pub active_keys_ratio: Option<f64>,
}

const METHOD: &str = "BPF_PROG_TEST_RUN of the loaded gate on one processor. `above_ns` is the median over the rounds of the gate's mean less the \
floor's in the same round, `least_ns` the least of the one less the least of the other. \"repeated\": one frame, the floor is an \
empty program. \"driven\": before each run a driver writes the next key (source address and session identity) into the frame, and \
the whole frame anew where the gate changes it, then tail-calls the gate; the floor is the same driver calling the empty program. \
Growing a frame back that a reply has shortened is on the gate's account. Limits (client, session, new sessions) are charged and \
never reached, published requests are looked up, identity is Acct-Session-Id, every source has a contract of its own. \
`userspace`: sekisho with the gate off, processor time of the process (user and system, /proc) for each repeated request that it \
answers from its own cache, over loopback.";

impl GateBench {
    /// Measures everything; `progress` gets a line for each figure.
    ///
    /// # Errors
    /// Without root; where the gate does something else than what is measured; where sekisho does not answer.
    pub fn run(&self, stop: &Stop, progress: &mut dyn FnMut(&str)) -> Result<Results, GateBenchError> {
        let effort = Effort { rounds: self.rounds.max(1), repeat: self.repeat.max(1) };
        let mut figures = Vec::new();
        let mut keep = |figure: Figure| {
            progress(&figure.to_string());
            figures.push(figure);
            if stop.is_set() { Err(GateBenchError::Stopped) } else { Ok(()) }
        };
        let verified_instructions = world::small(effort, &mut keep)?;
        world::prefixes(effort, &mut keep)?;
        world::many(effort, self.many, &mut keep)?;
        let userspace = match &self.sekisho {
            Some(sekisho) => Some(userspace::measure(sekisho, self.rounds, stop)?),
            None => None,
        };
        // The same way, for one floor.
        let above = |name: &str, keys: &str| {
            let is_it =
                |figure: &&Figure| figure.name == name && figure.keys == keys && figure.method == measure::DRIVEN;
            figures.iter().find(is_it).map(|figure| figure.above_ns)
        };
        let part = |one: Option<f64>, of: Option<f64>| Some(one? / of.filter(|of| *of > 0.0)?);
        let in_userspace = userspace.as_ref().map(|repetitions| repetitions.cpu_us * 1e3);
        Ok(Results {
            date: machine::today(),
            machine: Machine::describe(),
            method: METHOD.into(),
            effort: (effort.rounds, effort.repeat),
            verified_instructions,
            retransmit_ratio: part(above(world::ANSWERED, keys::ONE), in_userspace),
            active_keys_ratio: part(above(world::PASSED, keys::ZIPF), above(world::PASSED, keys::ONE)),
            figures,
            userspace,
        })
    }
}
