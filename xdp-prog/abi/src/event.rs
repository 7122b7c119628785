//! A sampled drop, as the kernel's ring carries it.

use crate::AddressBytes;

/// One drop, and how many it stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct DropEvent {
    /// Source address.
    pub source: AddressBytes,
    /// Keyed hash of the session's identity; zero where it has none or was not looked at.
    pub session: u64,
    /// Drops on this processor for this reason since the event before, this one included.
    pub weight: u64,
    /// Domain of the source address; zero where the ingress has none.
    pub domain: u32,
    /// The [`crate::Reason`], by its number.
    pub reason: u32,
    /// The slot of its contract; [`crate::client::NOBODY`] where it has none.
    pub client: u32,
    /// Kernel index of the interface.
    pub ifindex: u32,
    /// Our port; zero where that was not reached.
    pub port: u32,
    /// RADIUS code; zero where that was not reached.
    pub code: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_have_no_padding() {
        assert_eq!(size_of::<DropEvent>(), 16 + 2 * 8 + 6 * 4);
    }
}
