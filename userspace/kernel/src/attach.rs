//! To the interfaces, in the way that was asked for.

use aya::programs::{
    Xdp,
    xdp::{XdpLinkId, XdpMode},
};
use tracing::{debug, warn};

use crate::{
    Attached, Attachment, GateError, Mode, diagnostics,
    pins::{PinnedAt, Pins},
};

/// What is told of a gate that an earlier process could not, or would not, attach natively.
const LEFT_GENERIC: &str =
    "an earlier process attached it in generic mode; to try native again, stop this one and run `sekisho xdp detach`";

/// Attaches the program to an interface. What became of it is the caller's to tell, by [`Attachment::reason`].
///
/// # Errors
///
/// Where the way was demanded and does not work. [`Mode::Auto`] fails for nothing but a missing interface.
pub(crate) fn attach(
    program: &mut Xdp,
    interface: &str,
    mode: Mode,
    pins: Option<&Pins>,
) -> Result<Attachment, GateError> {
    let mut reason: Option<String> = None;
    for way in ways(mode) {
        match try_way(program, interface, *way, pins) {
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

/// Puts the program in place of the one that an earlier process left on an interface; `None` where there is none, or
/// where it has to be attached anew.
///
/// # Errors
///
/// [`GateError::NoInterface`].
pub(crate) fn adopt(
    program: &mut Xdp,
    interface: &str,
    mode: Mode,
    pins: &Pins,
) -> Result<Option<Attachment>, GateError> {
    let index = diagnostics::interface_index(interface)?;
    let Some(pinned) = pins.links().into_iter().find(|link| link.ifindex == index) else { return Ok(None) };
    if !ways(mode).contains(&pinned.attached) {
        warn!(interface, found = %pinned.attached, asked = %mode, "the XDP gate is attached anew, in another mode: for a moment there is none");
        pins.unpin(&pinned);
        return Ok(None);
    }
    if let Err(error) = pins.replace(program, &pinned) {
        warn!(interface, %error, "the XDP gate that was there cannot be replaced, so it is attached anew");
        pins.unpin(&pinned);
        return Ok(None);
    }
    let attached = pinned.attached;
    debug!(interface, mode = %attached, "the XDP gate is adopted");
    let reason = (mode == Mode::Auto && attached == Attached::Generic).then(|| LEFT_GENERIC.to_owned());
    Ok(Some(Attachment { interface: interface.to_owned(), attached, reason }))
}

/// Detaches the interfaces that are no longer named.
pub(crate) fn release(pins: &Pins, attached: &[Attachment]) {
    let named = attached.iter().filter(|attachment| attachment.attached != Attached::Off);
    let named: Vec<u32> = named.filter_map(|named| diagnostics::interface_index(&named.interface).ok()).collect();
    let gone = pins.links().into_iter().filter(|link: &PinnedAt| !named.contains(&link.ifindex));
    gone.for_each(|link| pins.unpin(&link));
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

fn try_way(program: &mut Xdp, interface: &str, way: Attached, pins: Option<&Pins>) -> Result<(), GateError> {
    let mode = match way {
        Attached::Native => XdpMode::Driver,
        Attached::Generic => XdpMode::Skb,
        Attached::Off => return Ok(()),
    };
    let attached = program.attach(interface, mode);
    let id: XdpLinkId = attached.map_err(|error| diagnostics::attaching(interface, way, error))?;
    match pins {
        Some(pins) => pins.pin(program, id, diagnostics::interface_index(interface)?, way),
        None => Ok(()),
    }
}
