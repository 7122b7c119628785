//! For tests and benches: frames to feed to the gate, and BPF test runs that feed them.
//!
//! A test run calls the loaded program for a frame without any interface having received it: exact, fast, and the only
//! way to VLAN tags where the kernel has no VLAN module. It needs root.

mod driver;
mod frame;
mod reader;
mod reference;
mod run;
mod state;

pub use driver::{Changes, Program};
pub use frame::{Frame, Layer};
pub use reader::Repeated;
pub use reference::{reference, reference_value};
pub use run::{Action, Ran};
