//! A word of memory that other CPUs and userspace change.

use core::{arch::asm, cell::UnsafeCell};

use sekisho_abi::gcra::Cell;

/// A 64-bit word in a map.
#[repr(transparent)]
pub struct Word(UnsafeCell<u64>);

// SAFETY: it is only read and written by single instructions.
unsafe impl Sync for Word {}

impl Word {
    /// Its value now.
    #[inline(always)]
    pub fn read(&self) -> u64 {
        // SAFETY: the pointer comes from a reference; volatile, since others write it.
        unsafe { core::ptr::read_volatile(self.0.get()) }
    }

    /// Adds one.
    #[inline(always)]
    pub fn increment(&self) {
        // SAFETY: as above; BPF's atomic add (BPF_ATOMIC | BPF_ADD) on an aligned word.
        unsafe { asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) self.0.get(), in(reg) 1_u64) };
    }
}

impl Cell for Word {
    #[inline(always)]
    fn load(&self) -> u64 {
        self.read()
    }

    #[inline(always)]
    fn compare_exchange(&self, old: u64, new: u64) -> bool {
        let found: u64;
        // `core` has no compare-and-swap for this target; the instruction (Linux 5.12) takes and leaves the old value in r0.
        // SAFETY: as above.
        unsafe {
            asm!("r0 = cmpxchg_64({0} + 0, r0, {1})", in(reg) self.0.get(), in(reg) new, inlateout("r0") old => found);
        }
        found == old
    }

    #[inline(always)]
    fn opaque(number: u64) -> u64 {
        crate::frame::opaque(number as usize) as u64
    }
}
