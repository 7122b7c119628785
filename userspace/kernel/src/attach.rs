//! To the interfaces, in the way that was asked for.

use aya::programs::{Xdp, xdp::XdpMode};
use tracing::{info, warn};

use crate::{Attached, Attachment, GateError, Mode, diagnostics};

/// Attaches the program to an interface.
///
/// # Errors
///
/// Where the way was demanded and does not work. [`Mode::Auto`] fails for nothing but a missing interface.
pub(crate) fn attach(program: &mut Xdp, interface: &str, mode: Mode) -> Result<Attachment, GateError> {
    let mut reason: Option<String> = None;
    for way in ways(mode) {
        match try_way(program, interface, *way) {
            Ok(()) => {
                match &reason {
                    Some(reason) => warn!(interface, mode = %way, reason, "the XDP gate is attached in a slower mode"),
                    None => info!(interface, mode = %way, "the XDP gate is attached"),
                }
                return Ok(Attachment { interface: interface.to_owned(), attached: *way, reason });
            }
            Err(error @ GateError::NoInterface { .. }) => return Err(error),
            Err(error) if mode != Mode::Auto => return Err(error),
            Err(error) => {
                let earlier = reason.map(|reason| reason + "; ").unwrap_or_default();
                reason = Some(format!("{earlier}{error}"));
            }
        }
    }
    Ok(off(interface, reason))
}

/// An interface without a gate.
pub(crate) fn off(interface: &str, reason: Option<String>) -> Attachment {
    if let Some(reason) = &reason {
        warn!(interface, reason, "there is no XDP gate, userspace does the whole job");
    }
    Attachment { interface: interface.to_owned(), attached: Attached::Off, reason }
}

fn ways(mode: Mode) -> &'static [Attached] {
    match mode {
        Mode::Auto => &[Attached::Native, Attached::Generic],
        Mode::Native => &[Attached::Native],
        Mode::Generic => &[Attached::Generic],
        Mode::Off => &[],
    }
}

fn try_way(program: &mut Xdp, interface: &str, way: Attached) -> Result<(), GateError> {
    let mode = match way {
        Attached::Native => XdpMode::Driver,
        Attached::Generic => XdpMode::Skb,
        Attached::Off => return Ok(()),
    };
    let attached = program.attach(interface, mode);
    attached.map(|_| ()).map_err(|error| diagnostics::attaching(interface, way, error))
}
