//! One figure: the gate and its floor in turn.

use std::fmt;
use std::os::fd::AsFd;

use sekisho_abi::Outcome;
use sekisho_kernel::Gate;
use sekisho_kernel::testing::{Changes, Program};
use serde::{Deserialize, Serialize};

use super::GateBenchError;
use crate::compare::table::median;

/// The loopback interface, which every namespace has.
pub const LO: u32 = 1;

/// One frame, over and over.
const REPEATED: &str = "repeated";
/// Another frame each time, or the same made anew.
pub const DRIVEN: &str = "driven";

/// How thoroughly a figure is taken.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How often.
    pub rounds: usize,
    /// Runs in each round.
    pub repeat: u32,
}

/// What a packet costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// What becomes of it.
    pub name: String,
    /// Which keys.
    pub keys: String,
    /// "repeated" or "driven".
    pub method: String,
    /// Nanoseconds above the floor, the median of the rounds.
    pub above_ns: f64,
    /// The least of the rounds above the least floor.
    pub least_ns: f64,
    /// The floor's median.
    pub floor_ns: f64,
    /// Of all packets, those that ended as they should.
    pub as_expected: f64,
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, keys, method, above_ns, least_ns, floor_ns, .. } = self;
        write!(f, "{name:<46} {keys:<12} {method:<8} {above_ns:6.0} ns (least {least_ns:.0}, floor {floor_ns:.0})")
    }
}

/// A packet to measure.
pub struct Packet<'p> {
    /// What becomes of it.
    pub name: &'p str,
    /// Which keys.
    pub keys: &'p str,
    /// The frame.
    pub frame: &'p [u8],
    /// Where it ends.
    pub outcome: Outcome,
}

/// One frame repeated.
///
/// # Errors
/// What the kernel says; [`GateBenchError::Other`].
pub fn repeated(gate: &Gate, effort: Effort, packet: &Packet<'_>) -> Result<Figure, GateBenchError> {
    let floor = Program::empty()?;
    figure(gate, effort, packet, REPEATED, &floor, &|| {
        Ok(gate.run_repeatedly(LO, packet.frame, effort.repeat)?.duration.as_nanos() as f64)
    })
}

/// The frame as a driver changes it.
///
/// # Errors
/// As [`repeated`].
pub fn driven(
    gate: &Gate,
    effort: Effort,
    packet: &Packet<'_>,
    changes: &Changes<'_>,
) -> Result<Figure, GateBenchError> {
    let empty = Program::empty()?;
    let floor = Program::driver(empty.as_fd(), changes)?;
    let driver = Program::driver(gate.descriptor()?, changes)?;
    figure(gate, effort, packet, DRIVEN, &floor, &|| {
        Ok(driver.run(LO, packet.frame, effort.repeat)?.duration.as_nanos() as f64)
    })
}

fn figure(
    gate: &Gate,
    effort: Effort,
    packet: &Packet<'_>,
    method: &str,
    floor: &Program,
    run: &dyn Fn() -> Result<f64, GateBenchError>,
) -> Result<Figure, GateBenchError> {
    let below = || floor.run(LO, packet.frame, effort.repeat).map(|ran| ran.duration.as_nanos() as f64);
    // Not counted: caches and branch predictors learn.
    run()?;
    below()?;
    let before = gate.counters()?;
    let rounds = (0..effort.rounds).map(|_| Ok((below()?, run()?)));
    let rounds = rounds.collect::<Result<Vec<(f64, f64)>, GateBenchError>>()?;
    let after = gate.counters()?;
    let seen = after.get(Outcome::Seen) - before.get(Outcome::Seen);
    let part = (after.get(packet.outcome) - before.get(packet.outcome)) as f64 / seen.max(1) as f64;
    if part < 0.999 {
        return Err(GateBenchError::Other { what: format!("{} ({})", packet.name, packet.keys), part });
    }
    let least = |figures: &mut dyn Iterator<Item = f64>| figures.fold(f64::INFINITY, f64::min);
    Ok(Figure {
        name: packet.name.into(),
        keys: packet.keys.into(),
        method: method.into(),
        above_ns: median(rounds.iter().map(|(floor, ran)| ran - floor).collect()),
        least_ns: least(&mut rounds.iter().map(|(_, ran)| *ran)) - least(&mut rounds.iter().map(|(floor, _)| *floor)),
        floor_ns: median(rounds.iter().map(|(floor, _)| *floor).collect()),
        as_expected: part,
    })
}
