//! Asking an LNS whether it lives, by L2TPv2 (RFC 2661), as much of it as that needs.
//!
//! A probe opens a tunnel and closes it again, without a session: nothing is left on the LNS, and what it says shows more than a
//! ping does. It proves the control plane only; whether sessions come up there, accounting says ([`crate::health`]).
//!
//! [`Prober`] probes all LNSs of a node, `exchange` is one probe, `remains` answers those who have missed its end, [`packet`] and
//! [`avp`] are the octets. Nothing here opens a socket or reads a clock.

pub mod avp;
mod exchange;
mod outcome;
pub mod packet;
mod prober;
mod random;
mod remains;
mod secret;
mod target;

pub use exchange::TEARDOWN;
pub use outcome::{Outcome, Refusal};
pub use prober::{Counts, IN_FLIGHT, Prober};
pub use secret::TunnelSecret;
pub use target::{INTERVAL, PORT, Probed, TIMEOUT, Target, Transmit};
