//! What userspace tells the kernel's program beside its tables: one element of shared memory.

/// The settings. Every word may change at any time, but for the version and the seed, which are written once.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Settings<C> {
    /// [`crate::LAYOUT_VERSION`] of whoever made the tables.
    pub version: C,
    /// Key of all hashes: from the operating system's generator, made with the tables and living in them, so that a restart
    /// finds the buckets of its sessions again.
    pub seed: [C; 2],
    /// [`HAS_PREFIXES`], [`ANSWERS`].
    pub flags: C,
    /// What is shed, see [`crate::shed`].
    pub shed: C,
    /// Goes up to make the kernel forget all published requests.
    pub epoch: C,
    /// The time, in nanoseconds, for tests that tell it themselves.
    pub clock: C,
    /// Goes up with every change of the table of services: what a processor remembers of it then counts no more.
    pub services: C,
}

/// There are prefixes among the sources: an address without an entry of its own is looked for there.
pub const HAS_PREFIXES: u64 = 1;
/// Published requests are looked up.
pub const ANSWERS: u64 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_have_no_padding() {
        assert_eq!(size_of::<Settings<u64>>(), 64);
    }
}
