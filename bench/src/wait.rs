//! Waiting for datagrams on a few sockets.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// A set of sockets that are waited for together. One a thread, kept.
pub struct Waiter<'a>(Vec<PollFd<'a>>);

impl<'a> Waiter<'a> {
    /// Waits for `sockets`; they are known by their place from here on.
    pub fn new(sockets: impl Iterator<Item = BorrowedFd<'a>>) -> Self {
        Self(sockets.map(|socket| PollFd::from_borrowed_fd(socket, PollFlags::IN)).collect())
    }

    /// Adds a socket.
    pub fn push(&mut self, socket: BorrowedFd<'a>) {
        self.0.push(PollFd::from_borrowed_fd(socket, PollFlags::IN));
    }

    /// Waits until a datagram is there, `timeout` has passed, or a signal came.
    ///
    /// # Errors
    /// What poll(2) says, but for EINTR.
    pub fn wait(&mut self, timeout: Duration) -> io::Result<()> {
        let timeout = Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        match poll(&mut self.0, Some(&timeout)) {
            Ok(_) => Ok(()),
            Err(Errno::INTR) => {
                self.0.iter_mut().for_each(PollFd::clear_revents);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the last [`wait`](Self::wait) found something at the socket in this place.
    pub fn is_ready(&self, place: usize) -> bool {
        self.0.get(place).is_some_and(|fd| !fd.revents().is_empty())
    }
}
