//! A map's memory, seen from here: what the kernel's program reads and writes.

#![allow(unsafe_code)]

use std::{ops::Deref, os::fd::AsFd, ptr, ptr::NonNull, slice, sync::atomic::AtomicU64};

use aya::maps::{MapData, MapType};
use rustix::mm::{MapFlags, ProtFlags};
use sekisho_abi::{client, settings::Settings, table::Tags};

use crate::{GateError, layout::SHARED};

/// All elements of a shared array map. Unmapped when it is dropped; the map itself lives on as long as anybody has it.
pub(crate) struct Shared<T: Words> {
    memory: NonNull<T>,
    elements: usize,
}

/// Types that a shared map's memory may be seen as.
///
/// # Safety
///
/// `repr(C)`, and made of [`AtomicU64`] alone, so that any octets are a value and others may write them at any time.
pub(crate) unsafe trait Words: Sync + Send {}

// SAFETY: these are `repr(C)`, and all their fields are `AtomicU64` or arrays of them.
unsafe impl<const N: usize> Words for [AtomicU64; N] {}
// SAFETY: as above.
unsafe impl Words for Tags<AtomicU64> {}
// SAFETY: as above.
unsafe impl Words for client::Slot<AtomicU64> {}
// SAFETY: as above.
unsafe impl Words for Settings<AtomicU64> {}

// SAFETY: it is memory of atomics, which stays where it is until the last owner drops it.
unsafe impl<T: Words> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Words> Sync for Shared<T> {}

impl<T: Words> Shared<T> {
    /// Maps an array map whose elements are of this type.
    ///
    /// # Errors
    ///
    /// [`GateError::Shared`].
    pub(crate) fn map(map: &MapData, table: &'static str) -> Result<Shared<T>, GateError> {
        let failed = |source| GateError::Shared { table, source };
        let info = map.info().map_err(|source| GateError::Table { table, action: "read", source })?;
        let is_array = matches!(info.map_type(), Ok(MapType::Array));
        let is_right = is_array && info.map_flags() & SHARED != 0 && info.value_size() as usize == size_of::<T>();
        let elements = info.max_entries() as usize;
        // An element's size is a multiple of eight octets, as the kernel rounds it up to.
        if !is_right || !size_of::<T>().is_multiple_of(8) || elements == 0 {
            return Err(failed(std::io::Error::other("it has another layout than the one this version knows")));
        }
        let octets = elements * size_of::<T>();
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses the place; the map has at least as many octets, which stay there until they are unmapped.
        let memory =
            unsafe { rustix::mm::mmap(ptr::null_mut(), octets, protection, MapFlags::SHARED, map.fd().as_fd(), 0) };
        let memory = memory.map_err(|errno| failed(errno.into()))?;
        let memory = NonNull::new(memory.cast()).ok_or_else(|| failed(std::io::Error::other("mapped nowhere")))?;
        Ok(Shared { memory, elements })
    }
}

impl<T: Words> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: so many elements are mapped, on a page's boundary, for as long as this lives, and any octets are a value.
        unsafe { slice::from_raw_parts(self.memory.as_ptr(), self.elements) }
    }
}

impl<T: Words> Drop for Shared<T> {
    fn drop(&mut self) {
        let octets = self.elements * size_of::<T>();
        // SAFETY: mapped in `map`, and no reference outlives this. Where it fails the memory stays mapped, no more.
        let _ = unsafe { rustix::mm::munmap(self.memory.as_ptr().cast(), octets) };
    }
}
