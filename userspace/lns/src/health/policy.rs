//! What turns probes and failures into a state.

use std::time::Duration;

/// How an LNS is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// So many good probes in a row bring an LNS up that was down; 1 at least.
    pub rise: u32,
    /// So many bad probes in a row take an LNS down; 1 at least.
    pub fall: u32,
    /// What a refusal, or a wrong secret, is.
    pub refused: RefusedIs,
    /// From one probe to the next. What an LNS says of itself (full, draining) holds for three of them.
    pub interval: Duration,
    /// So many soft failures of one source within a minute, and no success between, make the LNS avoided for that source; 16 at
    /// most. Zero: it is never avoided.
    pub soft_limit: u32,
}

impl Default for Policy {
    fn default() -> Policy {
        Policy { rise: 2, fall: 3, refused: RefusedIs::Up, interval: Duration::from_secs(20), soft_limit: 5 }
    }
}

impl Policy {
    /// How long an LNS's own word holds that it is full or draining, if no further probe comes.
    pub(super) fn word_holds(&self) -> Duration {
        self.interval.saturating_mul(3)
    }
}

/// What an LNS is that answers, and refuses the probe's tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RefusedIs {
    /// Alive: it may well take the tunnels of a LAC. Used, with an alarm.
    #[default]
    Up,
    /// Dead: it would refuse the LACs as well.
    Down,
}
