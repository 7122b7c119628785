//! A thread that takes no signals for a while.
//!
//! The kernel's verifier stops at once with EAGAIN where a signal waits for its thread (`do_check` in
//! kernel/bpf/verifier.c); aya then asks again with the log, which takes seconds, and fails at the next signal.

#![allow(unsafe_code)]

use std::{io, marker::PhantomData, mem::MaybeUninit, ptr};

/// Until it is dropped, signals wait, or go to another thread of the process.
pub(crate) struct Quiet {
    before: libc::sigset_t,
    /// The mask is this thread's, so this stays in it.
    _of_this_thread: PhantomData<*const ()>,
}

impl Quiet {
    pub(crate) fn begin() -> io::Result<Quiet> {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: both point to room for a set; sigfillset fills its own in whole.
        let fault = unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr())
        };
        match fault {
            // SAFETY: it succeeded, so the former set has been written.
            0 => Ok(Quiet { before: unsafe { before.assume_init() }, _of_this_thread: PhantomData }),
            fault => Err(io::Error::from_raw_os_error(fault)),
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // SAFETY: the set is one that the kernel gave; nothing is written.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut()) };
    }
}
