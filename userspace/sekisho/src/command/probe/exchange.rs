//! Sending the request, repeating it, and waiting for the answer that verifies.

use std::{
    io,
    time::{Duration, Instant},
};

use sekisho_wire::{buf::Buf, code::Code, scan::scan, verify::verify_reply};

use super::{request::Request, target::Target};

/// Time after which the same octets are sent again (RFC 5080 §2.2.1: IRT).
const REPEAT: Duration = Duration::from_secs(2);

/// What came of it.
pub(super) enum Outcome {
    /// A verified answer.
    Answer(Answer),
    /// None in time.
    Silence {
        /// How long we waited.
        waited: Duration,
        /// Why what came did not count, if anything came.
        ignored: Option<String>,
    },
}

/// A verified answer.
pub(super) struct Answer {
    /// Its code.
    pub(super) code: Code,
    /// Its octets.
    pub(super) packet: Vec<u8>,
    /// From the first sending to its arrival.
    pub(super) after: Duration,
    /// How often the request was sent.
    pub(super) sent: u32,
}

impl Answer {
    /// Whether it is what one hopes for.
    pub(super) fn accepts(&self) -> bool {
        matches!(self.code, Code::ACCESS_ACCEPT | Code::ACCOUNTING_RESPONSE)
    }
}

/// Sends until an answer verifies or `patience` is at its end.
pub(super) fn exchange(request: &Request, target: &Target, patience: Duration) -> io::Result<Outcome> {
    let begin = Instant::now();
    let (mut sent, mut ignored) = (0, None);
    let mut buf = Buf::new();
    while let Some(left) = patience.checked_sub(begin.elapsed()).filter(|left| !left.is_zero()) {
        if begin.elapsed() >= REPEAT * sent {
            if let Err(error) = target.socket.send(&request.packet) {
                // An ICMP error of the packet before: nobody listens there.
                ignored = Some(format!("{error}: is the node running?"));
                std::thread::sleep(left.min(REPEAT));
            }
            sent += 1;
        }
        let wait = (REPEAT * sent).saturating_sub(begin.elapsed()).min(left);
        target.socket.set_read_timeout(Some(wait.max(Duration::from_millis(1))))?;
        match target.socket.recv(buf.receive_space()) {
            Ok(len) => {
                buf.set_received(len);
                match judge(&mut buf, request, target) {
                    Ok(code) => {
                        let packet = buf.bytes().to_vec();
                        return Ok(Outcome::Answer(Answer { code, packet, after: begin.elapsed(), sent }));
                    }
                    Err(reason) => ignored = Some(reason),
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                ignored = Some(format!("nobody listens on {}: is the node running?", target.server));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(Outcome::Silence { waited: begin.elapsed(), ignored })
}

fn judge(buf: &mut Buf, request: &Request, target: &Target) -> Result<Code, String> {
    let layout = scan(buf.bytes()).map_err(|error| format!("what came is not RADIUS: {error}"))?;
    buf.trim(usize::from(layout.length));
    let asked = request.packet.first().copied().unwrap_or_default();
    if Some(&layout.id) != request.packet.get(1) || !layout.code.answers(Code(asked)) {
        return Err(format!("a {} came that answers something else", layout.code.name()));
    }
    let signed = Code(asked) == Code::ACCESS_REQUEST;
    verify_reply(buf, &layout, &request.authenticator, &target.secret, signed).map_err(|error| {
        format!("a {} came that does not verify ({error}): the secrets differ, or somebody forges", layout.code.name())
    })?;
    Ok(layout.code)
}
