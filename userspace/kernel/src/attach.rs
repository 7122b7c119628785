//! To the interfaces, in the way that was asked for.

use aya::programs::{Xdp, xdp::XdpMode};
use tracing::debug;

use crate::{Attached, Attachment, GateError, Mode, diagnostics};

/// Attaches the program to an interface. What became of it is the caller's to tell, by [`Attachment::reason`].
///
/// # Errors
///
/// Where the way was demanded and does not work. [`Mode::Auto`] fails for nothing but a missing interface.
pub(crate) fn attach(program: &mut Xdp, interface: &str, mode: Mode) -> Result<Attachment, GateError> {
    let mut reason: Option<String> = None;
    for way in ways(mode) {
        match try_way(program, interface, *way) {
            Ok(()) => {
                debug!(interface, mode = %way, reason, "the XDP gate is attached");
                return Ok(Attachment { interface: interface.to_owned(), attached: *way, reason });
            }
            Err(error @ GateError::NoInterface { .. }) => return Err(error),
            Err(error) if mode != Mode::Auto => return Err(error),
            Err(error) => {
                let earlier = reason.map(|reason| reason + "; ").unwrap_or_default();
                reason = Some(earlier + &error.brief());
            }
        }
    }
    Ok(off(interface, reason))
}

/// An interface without a gate.
pub(crate) fn off(interface: &str, reason: Option<String>) -> Attachment {
    debug!(interface, reason, "there is no XDP gate");
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
