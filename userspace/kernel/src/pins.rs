//! What stays while no process runs: maps and links, pinned on a bpffs.
//!
//! The directory holds `maps`, and for each interface a link whose name tells its index and its mode (a bpffs forbids dots in
//! names, which interfaces may have): `link-3-native`. New maps are pinned as `maps-new`, and take the old ones' place only
//! once the program that uses them is attached.

use std::{
    fs, io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use aya::{
    Ebpf,
    maps::MapData,
    programs::{
        Xdp,
        links::{FdLink, PinnedLink},
        xdp::{XdpLink, XdpLinkId},
    },
};
use rustix::{
    fs::{FlockOperation, Mode as FileMode, OFlags},
    io::Errno,
    net::{AddressFamily, SocketType, netdevice},
};
use sekisho_abi::LAYOUT_VERSION;
use tracing::{info, warn};

use crate::{Attached, GateError, layout::Sizes, memory::Shared, system};

/// `BPF_FS_MAGIC` of linux/magic.h.
const BPF_FS_MAGIC: u64 = 0xcafe_4a11;

const MAPS: &str = "maps";
const NEW_MAPS: &str = "maps-new";
const OLD_MAPS: &str = "maps-old";

/// A directory on a bpffs that is this process's, as long as it lives.
pub(crate) struct Pins {
    directory: PathBuf,
    /// Holds the lock.
    _lock: OwnedFd,
}

/// What [`crate::Gate::detach`] has removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detached {
    /// Interfaces that had the gate; one that is gone by its index.
    pub interfaces: Vec<String>,
    /// How many maps there were.
    pub maps: usize,
}

/// Why maps cannot be adopted.
pub(crate) enum Unfit {
    /// There are none.
    Missing,
    /// They are not what this version and these settings need.
    Other(String),
}

/// A pinned link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PinnedAt {
    pub(crate) ifindex: u32,
    pub(crate) attached: Attached,
    pub(crate) path: PathBuf,
}

impl Pins {
    /// Makes the directory if it is missing, and locks it.
    ///
    /// # Errors
    ///
    /// [`GateError::NoBpffs`], [`GateError::InUse`], [`GateError::Pins`].
    pub(crate) fn open(directory: &Path) -> Result<Pins, GateError> {
        let failed = |action, source: io::Error| pins_error(directory, action, source);
        if !is_bpffs(directory).map_err(|source| failed("looked at", source))? {
            return Err(GateError::NoBpffs { directory: directory.to_owned() });
        }
        fs::create_dir_all(directory).map_err(|source| failed("made", source))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let lock = rustix::fs::open(directory, flags, FileMode::empty());
        let lock = lock.map_err(|errno| failed("opened", errno.into()))?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(GateError::InUse { directory: directory.to_owned() }),
            Err(errno) => return Err(failed("locked", errno.into())),
        }
        let pins = Pins { directory: directory.to_owned(), _lock: lock };
        pins.recover().map_err(|source| failed("put in order", source))?;
        Ok(pins)
    }

    /// Where it is.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where the maps are pinned.
    pub(crate) fn maps(&self) -> PathBuf {
        self.directory.join(MAPS)
    }

    /// Whether the maps that are there can be used by this version, with these settings.
    pub(crate) fn fit(&self, sizes: Sizes) -> Result<(), Unfit> {
        let maps = self.maps();
        if !maps.exists() {
            return Err(Unfit::Missing);
        }
        let settings = maps.join("SETTINGS");
        let settings = MapData::from_pin(&settings).ok().and_then(|map| Shared::map(&map, "settings").ok());
        let version = settings.as_ref().and_then(|settings: &Shared<Settings>| settings.first());
        match version.map(|settings| settings.version.load(std::sync::atomic::Ordering::Acquire)) {
            Some(version) if version == u64::from(LAYOUT_VERSION) => {}
            Some(version) => {
                let why = format!("they have layout {version}, this version has {LAYOUT_VERSION}");
                return Err(Unfit::Other(why));
            }
            None => return Err(Unfit::Other("SETTINGS is not what it should be".to_owned())),
        }
        for map in sizes.maps() {
            let found = MapData::from_pin(maps.join(map.name)).and_then(|found| found.info());
            match found {
                Ok(found) if map.is(&found) => {}
                Ok(found) if found.max_entries() != map.entries => {
                    let (name, has, wanted) = (map.name, found.max_entries(), map.entries);
                    return Err(Unfit::Other(format!("{name} has room for {has} and should have for {wanted}")));
                }
                Ok(_) => return Err(Unfit::Other(format!("{} is of another kind", map.name))),
                Err(error) => return Err(Unfit::Other(format!("{} cannot be read ({error})", map.name))),
            }
        }
        Ok(())
    }

    /// Pins new maps beside the old ones.
    pub(crate) fn stage(&self, ebpf: &Ebpf, sizes: Sizes) -> Result<(), GateError> {
        let staged = self.directory.join(NEW_MAPS);
        let failed = |source| pins_error(&staged, "filled", source);
        clear(&staged).and_then(|_| fs::create_dir(&staged)).map_err(failed)?;
        for map in sizes.maps() {
            let found = ebpf.map(map.name).ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
            found.pin(staged.join(map.name)).map_err(|error| failed(io::Error::other(error)))?;
        }
        Ok(())
    }

    /// New maps take the place of old ones.
    pub(crate) fn commit(&self) -> Result<(), GateError> {
        self.swap().map_err(|source| pins_error(&self.directory, "changed", source))
    }

    fn swap(&self) -> io::Result<()> {
        let [maps, new, old] = [MAPS, NEW_MAPS, OLD_MAPS].map(|name| self.directory.join(name));
        if maps.exists() {
            fs::rename(&maps, &old)?;
        }
        fs::rename(&new, &maps)?;
        clear(&old).map(|_| ())
    }

    /// After a process that ended in between.
    fn recover(&self) -> io::Result<()> {
        let [maps, new, old] = [MAPS, NEW_MAPS, OLD_MAPS].map(|name| self.directory.join(name));
        if !maps.exists() && old.exists() {
            // The new ones were whole before the old ones were moved.
            fs::rename(if new.exists() { &new } else { &old }, &maps)?;
        }
        clear(&new)?;
        clear(&old)?;
        Ok(())
    }

    /// The links that are there.
    pub(crate) fn links(&self) -> Vec<PinnedAt> {
        links(&self.directory)
    }

    /// Puts the program in place of the one that a pinned link has. No packet finds none.
    ///
    /// # Errors
    ///
    /// What the kernel says: that the interface is gone, for one.
    pub(crate) fn replace(&self, program: &mut Xdp, pinned: &PinnedAt) -> io::Result<()> {
        let link = PinnedLink::from_pin(&pinned.path).map_err(io::Error::other)?;
        let link = XdpLink::try_from(FdLink::from(link)).map_err(io::Error::other)?;
        let id = program.attach_to_link(link).map_err(io::Error::other)?;
        // The pin holds it: this process need not.
        program.take_link(id).map(drop).map_err(io::Error::other)
    }

    /// Pins the link of a program that was just attached.
    pub(crate) fn pin(
        &self,
        program: &mut Xdp,
        id: XdpLinkId,
        ifindex: u32,
        attached: Attached,
    ) -> Result<(), GateError> {
        let path = self.directory.join(format!("link-{ifindex}-{attached}"));
        let failed = |error: io::Error| pins_error(&path, "made", error);
        let link = program.take_link(id).map_err(|error| failed(io::Error::other(error)))?;
        let link = FdLink::try_from(link).map_err(|error| failed(io::Error::other(error)))?;
        remove(&path).map_err(failed)?;
        link.pin(&path).map(drop).map_err(|error| failed(io::Error::other(error)))
    }

    /// Removes the maps.
    pub(crate) fn discard(&self) {
        if let Err(error) = clear(&self.maps()) {
            warn!(directory = %self.directory.display(), %error, "the gate's tables could not be removed");
        }
    }

    /// Detaches what a link attached.
    pub(crate) fn unpin(&self, pinned: &PinnedAt) {
        let interface = interface_name(pinned.ifindex);
        match take_down(&pinned.path) {
            Ok(()) => info!(interface, "the XDP gate is detached"),
            Err(error) => warn!(interface, %error, "the XDP gate could not be detached"),
        }
    }
}

type Settings = sekisho_abi::settings::Settings<std::sync::atomic::AtomicU64>;

/// Removes links, maps and the directory.
///
/// # Errors
///
/// [`GateError::NothingPinned`], [`GateError::Pins`].
pub(crate) fn detach(directory: &Path) -> Result<Detached, GateError> {
    if !directory.exists() {
        return Err(GateError::NothingPinned { directory: directory.to_owned() });
    }
    let failed = |source| pins_error(directory, "removed", source);
    let mut detached = Detached::default();
    for PinnedAt { ifindex, path, .. } in links(directory) {
        take_down(&path).map_err(failed)?;
        detached.interfaces.push(interface_name(ifindex));
    }
    for name in [MAPS, NEW_MAPS, OLD_MAPS] {
        detached.maps += clear(&directory.join(name)).map_err(failed)?;
    }
    fs::remove_dir(directory).map_err(failed)?;
    Ok(detached)
}

/// Detaches a link at once, whoever else holds it, and removes its pin. Without its pin alone it would be detached later.
fn take_down(link: &Path) -> io::Result<()> {
    match system::detach_link(link) {
        Ok(()) => {}
        // Its interface is gone, so it is attached to nothing.
        Err(error) if Errno::from_io_error(&error) == Some(Errno::NOLINK) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    remove(link)
}

fn links(directory: &Path) -> Vec<PinnedAt> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut links: Vec<PinnedAt> = entries.flatten().filter_map(|entry| link(&entry.path())).collect();
    links.sort_by_key(|link| link.ifindex);
    links
}

fn link(path: &Path) -> Option<PinnedAt> {
    let (ifindex, way) = path.file_name()?.to_str()?.strip_prefix("link-")?.split_once('-')?;
    let attached = match way {
        "native" => Attached::Native,
        "generic" => Attached::Generic,
        _ => return None,
    };
    Some(PinnedAt { ifindex: ifindex.parse().ok()?, attached, path: path.to_owned() })
}

/// Whether the directory is on a bpffs, or would be once it is made.
fn is_bpffs(directory: &Path) -> io::Result<bool> {
    let mut existing = directory;
    while !existing.try_exists()? {
        existing = existing.parent().ok_or(io::ErrorKind::NotFound)?;
    }
    Ok(rustix::fs::statfs(existing)?.f_type as u64 == BPF_FS_MAGIC)
}

/// Removes a directory of pins, if it is there; how many there were.
fn clear(directory: &Path) -> io::Result<usize> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut removed = 0;
    for entry in entries {
        fs::remove_file(entry?.path())?;
        removed += 1;
    }
    fs::remove_dir(directory)?;
    Ok(removed)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn interface_name(ifindex: u32) -> String {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None);
    let name = socket.and_then(|socket| netdevice::index_to_name(socket, ifindex));
    name.unwrap_or_else(|_| format!("interface {ifindex}, which is gone"))
}

fn pins_error(path: &Path, action: &'static str, source: io::Error) -> GateError {
    GateError::Pins { path: path.to_owned(), action, source }
}
