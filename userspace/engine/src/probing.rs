//! Asking a silent home server whether it lives: Status-Server (RFC 5997).
//!
//! Each probe has an identifier and a Request Authenticator of its own and is sent once: what is not answered in time counts as
//! unanswered, and the next one goes out when it is due (§4.1). Real requests are never used for asking (§2.1.1).

use sekisho_wire::{attr, buf::Buf, build::RequestBuilder, code::Code, scan::scan, verify::verify_reply};

use crate::{
    random::Random,
    snapshot::{HomeServer, Require, StatusCheck},
    time::Time,
};

/// What we call ourselves in probes: whoever reads the server's log should know what they are.
const NAS_IDENTIFIER: &str = "sekisho status check";

/// The probes toward one home server.
#[derive(Debug, Default)]
pub(crate) struct Prober {
    /// Identifier of the last one.
    id: u8,
    /// When the next one is due; `None` while the server needs none.
    due: Option<Time>,
    waiting: Option<Waiting>,
    /// Answered in a row.
    answers: u32,
    last_answer: Time,
}

/// A probe that may still be answered.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    authenticator: [u8; 16],
    until: Time,
}

impl Prober {
    /// The next probe, if it is due. The first follows within a tenth of the interval, so that servers which fell silent together
    /// are not asked together.
    pub(crate) fn look(
        &mut self,
        now: Time,
        home: &HomeServer,
        check: &StatusCheck,
        random: &mut Random,
    ) -> Option<Vec<u8>> {
        let due = *self.due.get_or_insert_with(|| now + random.up_to(check.interval / 10));
        if self.waiting.is_some_and(|waiting| now >= waiting.until || now >= due) {
            (self.waiting, self.answers) = (None, 0);
        }
        if now < due {
            return None;
        }
        self.due = Some(now + random.jittered(check.interval));
        self.id = self.id.wrapping_add(1);
        let authenticator = random.authenticator();
        let probe = RequestBuilder::new(Code::STATUS_SERVER, self.id, authenticator)
            .message_authenticator()
            .attribute(attr::NAS_IDENTIFIER, NAS_IDENTIFIER)
            .build(&home.secret)
            .ok()?;
        self.waiting = Some(Waiting { authenticator, until: now + check.timeout });
        home.state.probe_sent();
        Some(probe)
    }

    /// No probe is needed. Answers to earlier ones count no more.
    pub(crate) fn stop(&mut self) {
        (self.due, self.waiting, self.answers) = (None, None, 0);
    }

    /// Whether a datagram from the server is the answer to the probe that is waited for; then it is counted. Nothing else has any
    /// effect: not a late one, not a second one, and none that does not verify.
    pub(crate) fn is_answered_by(&mut self, now: Time, home: &HomeServer, datagram: &[u8], scratch: &mut Buf) -> bool {
        let Some(waiting) = self.waiting.filter(|waiting| now < waiting.until) else { return false };
        if scratch.load(datagram).is_err() {
            return false;
        }
        let Ok(layout) = scan(scratch.bytes()) else { return false };
        if layout.id != self.id || !layout.code.answers(Code::STATUS_SERVER) {
            return false;
        }
        let required = home.require_message_authenticator == Require::Yes;
        let proves = |secret| verify_reply(scratch, &layout, &waiting.authenticator, secret, required).is_ok();
        let by_previous = match &home.previous_secret {
            _ if proves(&home.secret) => false,
            Some(previous) if proves(previous) => true,
            _ => return false,
        };
        home.state.learned.proved(now, by_previous);
        home.state.probe_answered();
        self.waiting = None;
        self.answers += 1;
        self.last_answer = now;
        true
    }

    /// Probes answered in a row.
    pub(crate) fn answers(&self) -> u32 {
        self.answers
    }

    /// When the last answer came.
    pub(crate) fn last_answer(&self) -> Time {
        self.last_answer
    }
}
