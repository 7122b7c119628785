//! From what the kernel says to what the operator can do.

use std::{
    env, fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use aya::{EbpfError, maps::MapError, programs::ProgramError};
use rustix::{
    io::Errno,
    net::{AddressFamily, SocketType, netdevice},
    thread::{CapabilitySet, capabilities},
};

use crate::{Attached, GateError, features};

/// The kernel's index of an interface of this network namespace, as [`sekisho_abi::IngressKey`] has it.
///
/// # Errors
///
/// [`GateError::NoInterface`].
pub fn interface_index(interface: &str) -> Result<u32, GateError> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None);
    let index = socket.and_then(|socket| netdevice::name_to_index(socket, interface));
    index.map_err(|_| GateError::NoInterface { interface: interface.to_owned() })
}

/// What can be known before the kernel is asked to load anything.
pub(crate) fn preconditions() -> Result<(), GateError> {
    if let Ok(release) = fs::read_to_string("/proc/sys/kernel/osrelease") {
        let release = release.trim();
        let lacking = version(release).and_then(features::newest_missing);
        if let Some(feature) = lacking {
            return Err(GateError::KernelTooOld { found: release.to_owned(), feature });
        }
    }
    let Ok(sets) = capabilities(None) else { return Ok(()) };
    let has = |one| sets.effective.intersects(CapabilitySet::SYS_ADMIN | one);
    if !has(CapabilitySet::BPF) {
        return Err(GateError::Capability { missing: "CAP_BPF" });
    }
    if !sets.effective.contains(CapabilitySet::NET_ADMIN) {
        return Err(GateError::Capability { missing: "CAP_NET_ADMIN" });
    }
    // Without it the verifier forbids packet pointers to move by a variable, as behind VLAN tags they do.
    if !has(CapabilitySet::PERFMON) {
        return Err(GateError::Capability { missing: "CAP_PERFMON" });
    }
    Ok(())
}

/// Explains a failed load; the verifier's log goes to a file.
pub(crate) fn loading(error: EbpfError, log: Option<&Path>) -> GateError {
    match error {
        EbpfError::ProgramError(ProgramError::LoadError { io_error, verifier_log }) => {
            if io_error.kind() == ErrorKind::PermissionDenied && verifier_log.to_string().trim().is_empty() {
                return GateError::Refused { source: io_error };
            }
            refused_by_verifier(&verifier_log.to_string(), io_error, log)
        }
        EbpfError::MapError(MapError::CreateError { name, io_error }) => match errno(&io_error) {
            Some(Errno::PERM) => GateError::Refused { source: io_error },
            Some(Errno::NOMEM) => GateError::Memory { table: name.to_lowercase(), source: io_error },
            _ => GateError::Load { source: Box::new(EbpfError::MapError(MapError::CreateError { name, io_error })) },
        },
        other => GateError::Load { source: Box::new(other) },
    }
}

/// Explains a failed attachment.
pub(crate) fn attaching(interface: &str, way: Attached, error: ProgramError) -> GateError {
    let interface = interface.to_owned();
    let source = match error {
        ProgramError::SyscallError(error) => error.io_error,
        ProgramError::UnknownInterface { .. } => return GateError::NoInterface { interface },
        ProgramError::XdpError(aya::programs::xdp::XdpError::NetlinkError(error)) => {
            error.raw_os_error().map_or_else(|| io::Error::other(error), io::Error::from_raw_os_error)
        }
        other => io::Error::other(other),
    };
    match errno(&source) {
        Some(Errno::PERM) => GateError::Refused { source },
        Some(Errno::BUSY | Errno::EXIST) => GateError::Occupied { interface },
        Some(Errno::NODEV) => GateError::NoInterface { interface },
        _ if way == Attached::Native => GateError::NoNative { interface, source },
        _ => GateError::NoGeneric { interface, source },
    }
}

fn refused_by_verifier(text: &str, source: io::Error, path: Option<&Path>) -> GateError {
    let default = || env::temp_dir().join(format!("sekisho-verifier-{}.log", std::process::id()));
    let path: PathBuf = path.map_or_else(default, Path::to_owned);
    let saved = fs::write(&path, text).is_ok();
    const STATISTICS: [&str; 3] = ["processed ", "verification time ", "stack depth "];
    let is_statistics = |line: &str| STATISTICS.iter().any(|start| line.starts_with(start));
    let substance = |line: &&str| !line.trim().is_empty() && !is_statistics(line);
    let last_line = text.lines().rev().find(substance).unwrap_or("an empty log").to_owned();
    GateError::Verifier { log: saved.then_some(path), last_line, source }
}

fn errno(error: &io::Error) -> Option<Errno> {
    Errno::from_io_error(error)
}

/// Major and minor of a release such as `6.1.0-13-amd64`.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|character: char| !character.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_of_distributions_are_understood() {
        assert_eq!(version("6.1.0-13-amd64"), Some((6, 1)));
        assert_eq!(version("5.15.0"), Some((5, 15)));
        assert_eq!(version("6.18"), Some((6, 18)));
        assert_eq!(version("linux"), None);
    }

    #[test]
    fn a_missing_interface_is_named() {
        let error = interface_index("nonesuch0").unwrap_err().to_string();
        assert!(error.contains("nonesuch0"), "{error}");
    }

    #[test]
    fn the_verifiers_log_is_saved_and_its_last_line_of_substance_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("verifier.log");
        let log = "0: r1\ninvalid access to packet\nverification time 465 usec\nstack depth 56\nprocessed 12 insns (limit 1000000)\n\n";
        let error = refused_by_verifier(log, io::Error::other("EACCES"), Some(&path)).to_string();
        assert!(error.contains("invalid access to packet"), "{error}");
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        assert_eq!(fs::read_to_string(path).unwrap(), log);
    }

    #[test]
    fn a_log_that_cannot_be_saved_is_no_second_failure() {
        let error = refused_by_verifier("bad\n", io::Error::other("EACCES"), Some(Path::new("/proc/none/log")));
        assert!(error.to_string().contains("could not be saved"), "{error}");
    }
}
