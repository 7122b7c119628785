//! The authenticators of packets that leave: written last, over everything else; for many packets side by side.

use crate::md5::batch::{Message, PIECES, digest_all};
use crate::secret::Secret;
use crate::sign;

/// Digested at once; what their messages take is kept on the stack.
const CHUNK: usize = 32;

/// What a rewritten packet still lacks. Until it is sealed it must not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an unsealed packet must not be sent"]
pub struct Seal {
    /// A Message-Authenticator, whose place is the first attribute's.
    pub(crate) message_authenticator: bool,
    /// After that the authenticator field: a Response Authenticator, or an Accounting-Request's.
    pub(crate) authenticator: bool,
}

impl Seal {
    /// Whatever a seal writes stands within this many octets from the packet's first: header and Message-Authenticator.
    pub const REACH: usize = sign::FIRST_MESSAGE_AUTHENTICATOR.end;

    /// Seals one packet with the secret of its receiver.
    pub fn apply(self, packet: &mut [u8], secret: &Secret) {
        if self.message_authenticator {
            sign::write_message_authenticator(packet, secret);
        }
        if self.authenticator {
            sign::write_authenticator(packet, secret);
        }
    }
}

/// A packet to seal.
#[derive(Debug)]
pub struct Job<'a> {
    /// The packet, complete but for its seal.
    pub packet: &'a mut [u8],
    /// Shared with its receiver.
    pub secret: &'a Secret,
    /// What it lacks.
    pub seal: Seal,
}

/// Seals many packets, as [`Seal::apply`] does each.
pub fn seal_all(jobs: &mut [Job<'_>]) {
    for jobs in jobs.chunks_mut(CHUNK) {
        for job in jobs.iter_mut().filter(|job| job.seal.message_authenticator) {
            sign::clear_message_authenticator(job.packet);
        }
        // The Response Authenticator covers the Message-Authenticator: first these, then those.
        digest(
            jobs,
            |seal| seal.message_authenticator,
            |job| job.secret.keyed([job.packet, &[], &[], &[], &[]]),
            sign::set_message_authenticator,
        );
        digest(
            jobs,
            |seal| seal.authenticator,
            |job| Message::new([job.packet, job.secret.octets(), &[], &[], &[]]),
            sign::set_authenticator,
        );
    }
}

fn digest(
    jobs: &mut [Job<'_>],
    lacks: impl Fn(&Seal) -> bool,
    message: impl for<'a> Fn(&'a Job<'_>) -> Message<'a>,
    set: impl Fn(&mut [u8], &[u8; 16]),
) {
    let mut digests = [[0; 16]; CHUNK];
    let mut messages = [Message::new([&[]; PIECES]); CHUNK];
    let mut count = 0;
    for (job, slot) in jobs.iter().filter(|job| lacks(&job.seal)).zip(&mut messages) {
        *slot = message(job);
        count += 1;
    }
    digest_all(messages.get(..count).unwrap_or_default(), &mut digests);
    for (job, digest) in jobs.iter_mut().filter(|job| lacks(&job.seal)).zip(&digests) {
        set(job.packet, digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_packets_are_sealed_as_each_would_be_alone() {
        let secrets = [Secret::new("one").unwrap(), Secret::new([7; 100]).unwrap()];
        for count in [0, 1, 2, 31, 32, 33, 100] {
            let mut together: Vec<Vec<u8>> = (0..count).map(|i| vec![i as u8; 40 + 13 * i]).collect();
            let mut alone = together.clone();
            let seal =
                |i: usize| Seal { message_authenticator: !i.is_multiple_of(3), authenticator: i.is_multiple_of(2) };
            let packets = together.iter_mut().enumerate();
            let mut jobs: Vec<_> =
                packets.map(|(i, packet)| Job { packet, secret: &secrets[i % 2], seal: seal(i) }).collect();
            seal_all(&mut jobs);
            for (i, packet) in alone.iter_mut().enumerate() {
                seal(i).apply(packet, &secrets[i % 2]);
            }
            assert_eq!(together, alone);
        }
    }
}
