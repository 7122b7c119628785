//! What is known of one LNS while the process runs: shared by workers and control, kept over reloads.

use crate::{health::Health, load::Load};

/// One LNS's state; everything in it is atomic.
#[derive(Debug, Default)]
pub struct LnsState {
    /// Whether it may be given sessions, and why not.
    pub health: Health,
    /// How many sessions it has.
    pub load: Load,
}
