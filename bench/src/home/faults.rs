//! What a home server does wrong on purpose.

use std::time::Duration;

/// Misbehaviour. The default has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// Every reply leaves that much later.
    pub delay: Duration,
    /// Every so-manieth right request stays unanswered: 1 is all, 2 every second. 0 is none.
    pub drop_every: u64,
    /// Before each reply goes a forged one: the opposite answer under a wrong Response Authenticator.
    pub forge: bool,
    /// Each reply is sent twice.
    pub duplicate: bool,
}

impl Faults {
    /// Whether right request number `number` (from 1) stays unanswered.
    pub fn withholds(&self, number: u64) -> bool {
        self.drop_every != 0 && number.is_multiple_of(self.drop_every)
    }
}

/// Makes a reply that claims the opposite, under an authenticator that is wrong.
pub(super) fn forge(reply: &mut [u8]) {
    use sekisho_wire::code::Code;
    if let Some(code) = reply.first_mut() {
        *code = match Code(*code) {
            Code::ACCESS_ACCEPT => Code::ACCESS_REJECT.0,
            Code::ACCESS_REJECT => Code::ACCESS_ACCEPT.0,
            Code(other) => other,
        };
    }
    if let Some(octet) = reply.get_mut(4) {
        *octet ^= 0xff;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_third_request_is_withheld() {
        let faults = Faults { drop_every: 3, ..Faults::default() };
        let withheld: Vec<u64> = (1..=9).filter(|number| faults.withholds(*number)).collect();
        assert_eq!(withheld, [3, 6, 9]);
        assert!(!Faults::default().withholds(1));
        assert!(Faults { drop_every: 1, ..Faults::default() }.withholds(1));
    }
}
