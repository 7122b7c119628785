//! The steps of opening a gate.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering::AcqRel},
};

use sekisho_abi::{cached::MAX_REPLY, gate::GateTable, settings::ANSWERS};
use tracing::{info, warn};

use crate::{
    Attached, Attachment, GateError, GateOptions, Mode, Publisher, attach,
    kernel::{Kernel, Origin},
    layout::Sizes,
    pins::{self, Pins, Unfit},
    publisher, system,
};

/// Octets of the headers that a reply needs besides its own: IPv6 and UDP.
const HEADERS: usize = 48;

/// Locks the directory for pins, or tells why there is none.
pub(crate) fn pins(options: &GateOptions) -> Result<Result<Pins, String>, GateError> {
    let Some(directory) = &options.pins else { return Ok(Err("it is not to stay".to_owned())) };
    match Pins::open(directory) {
        Ok(pins) => Ok(Ok(pins)),
        Err(error @ GateError::InUse { .. }) => Err(error),
        Err(error) if options.mode == Mode::Auto => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

/// A gate that is off leaves nothing that goes on judging.
pub(crate) fn leave(options: &GateOptions) -> Result<(), GateError> {
    let Some(directory) = options.pins.as_deref().filter(|directory| is_there(directory)) else { return Ok(()) };
    let pins = Pins::open(directory)?;
    let detached = pins::detach(directory)?;
    drop(pins);
    if !detached.interfaces.is_empty() {
        warn!(interfaces = ?detached.interfaces, "the XDP gate that an earlier process left is detached, since it is to be off");
    }
    Ok(())
}

/// Who may not look there has not been there either.
fn is_there(directory: &Path) -> bool {
    directory.try_exists().unwrap_or(false)
}

/// The program, with the tables that were left for it or new ones, and this table in them; whether they were left.
pub(crate) fn load(options: &GateOptions, table: &GateTable, pins: Option<&Pins>) -> Result<(Kernel, bool), GateError> {
    if let Some(pins) = pins {
        match adopt(options, table, pins) {
            Ok(kernel) => return Ok((kernel, true)),
            Err(Adoption::Unfit(Unfit::Missing)) => {}
            Err(Adoption::Unfit(Unfit::Other(reason))) => {
                warn!(reason, "the tables that an earlier process left are made anew, and all buckets begin anew");
            }
            Err(Adoption::Failed(error)) => return Err(error),
        }
    }
    let mut kernel = Kernel::load(options, pins.map_or(Origin::New, Origin::Staged))?;
    kernel.add(table)?;
    Ok((kernel, false))
}

enum Adoption {
    Unfit(Unfit),
    Failed(GateError),
}

fn adopt(options: &GateOptions, table: &GateTable, pins: &Pins) -> Result<Kernel, Adoption> {
    pins.fit(Sizes::of(options)).map_err(Adoption::Unfit)?;
    let mut kernel = Kernel::load(options, Origin::Left(&pins.maps())).map_err(Adoption::Failed)?;
    match kernel.add(table) {
        Ok(_) => {}
        Err(error @ GateError::TableFull { .. }) => {
            let reason = format!("old and new entries do not fit together: {error}");
            return Err(Adoption::Unfit(Unfit::Other(reason)));
        }
        Err(error) => return Err(Adoption::Failed(error)),
    }
    // Who published them is gone: nobody relays those in flight, and secrets may have changed.
    publisher::flush(&kernel.maps.settings);
    publisher::repair(&kernel.maps.replies);
    info!(directory = %pins.directory().display(), "the tables that an earlier process left are taken over");
    Ok(kernel)
}

/// Attaches the program to all interfaces: in place of an earlier one where there is one.
pub(crate) fn attach(
    kernel: &mut Kernel,
    options: &GateOptions,
    pins: Option<&Pins>,
    adopted: bool,
) -> Result<Vec<Attachment>, GateError> {
    let mut interfaces: Vec<&str> = Vec::with_capacity(options.interfaces.len());
    for interface in &options.interfaces {
        if !interfaces.contains(&interface.as_str()) {
            interfaces.push(interface);
        }
    }
    let mut attached: Vec<Option<Attachment>> = Vec::with_capacity(interfaces.len());
    for interface in &interfaces {
        attached.push(match pins {
            Some(pins) => attach::adopt(kernel.program()?, interface, options.mode, pins)?,
            None => None,
        });
    }
    if let (Some(pins), false) = (pins, adopted) {
        pins.commit()?;
    }
    let before = pins.map(Pins::links).unwrap_or_default();
    for (interface, attached) in interfaces.iter().zip(&mut attached) {
        if attached.is_none() {
            let attachment = attach::attach(kernel.program()?, interface, options.mode, pins);
            *attached = Some(attachment.inspect_err(|_| undo(pins, &before))?);
        }
    }
    let attached: Vec<Attachment> = attached.into_iter().flatten().collect();
    if let Some(pins) = pins {
        attach::release(pins, &attached);
    }
    Ok(attached)
}

/// Detaches what was not attached before. Maps that no program uses go too.
fn undo(pins: Option<&Pins>, before: &[pins::PinnedAt]) {
    let Some(pins) = pins else { return };
    pins.links().iter().filter(|link| !before.contains(link)).for_each(|link| pins.unpin(link));
    if before.is_empty() {
        pins.discard();
    }
}

/// The publisher, where the kernel is to answer.
pub(crate) fn publisher(kernel: &Kernel, options: &GateOptions, attached: &[Attachment]) -> Option<Publisher> {
    let settings = kernel.maps.settings.first()?;
    let is_native = attached.iter().all(|attachment| attachment.attached == Attached::Native);
    let wants = options.max_replies != 0 && (is_native || options.injects_clock());
    let veth = attached.iter().find(|one| options.spare_veth && system::is_veth(&one.interface));
    if let (true, Some(veth)) = (wants, veth) {
        info!(
            interface = veth.interface,
            "repetitions are left to userspace: a veth may never deliver what the gate answers; where its other end has an \
             XDP program, set xdp.replies_on_veth"
        );
    }
    if !wants || veth.is_some() {
        settings.flags.fetch_and(!ANSWERS, AcqRel);
        return None;
    }
    let mtus = attached.iter().map(|attachment| system::mtu(&attachment.interface));
    let smallest = mtus.map(|mtu| mtu.unwrap_or(0)).min();
    let max_reply = smallest.map_or(MAX_REPLY, |mtu| mtu.saturating_sub(HEADERS));
    settings.flags.fetch_or(ANSWERS, AcqRel);
    let (settings, tags) = (Arc::clone(&kernel.maps.settings), Arc::clone(&kernel.maps.reply_tags));
    let slots = Arc::clone(&kernel.maps.replies);
    Some(Publisher::new(settings, tags, slots, max_reply, options.injects_clock()))
}
