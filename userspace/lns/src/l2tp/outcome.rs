//! What a probe found out.

use std::fmt;

/// An LNS's answer to a probe, as far as it matters to whoever gives it sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It opened a tunnel for us (and closed it again). Of a deep probe also: it knows our secret, and its tunnel carries a Hello.
    Up,
    /// It has no room: StopCCN with result 2 and error 4 (insufficient resources) or 7 (try another).
    Full,
    /// It is being shut down: StopCCN with result 6.
    Draining,
    /// It is alive and opens no tunnel for us: something is configured wrongly, here or there.
    Refused(Refusal),
    /// It is alive, but its answer to our challenge is wrong or missing, or it does not take ours: the tunnel password is not the
    /// same on both sides.
    WrongSecret,
    /// No complete answer came in time.
    Silent,
}

impl Outcome {
    /// What a StopCCN means that answers a probe (RFC 2661 §4.4.2): its result and error codes.
    pub const fn of_stop(refusal: Refusal) -> Outcome {
        match (refusal.result, refusal.error) {
            (2, 4 | 7) => Outcome::Full,
            (6, _) => Outcome::Draining,
            _ => Outcome::Refused(refusal),
        }
    }

    /// The name in metrics and status.
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Up => "up",
            Outcome::Full => "full",
            Outcome::Draining => "draining",
            Outcome::Refused(_) => "refused",
            Outcome::WrongSecret => "wrong_secret",
            Outcome::Silent => "silent",
        }
    }

    /// Whether somebody has to put something right, here or on the LNS, before tunnels can be opened.
    pub const fn is_misconfiguration(self) -> bool {
        matches!(self, Outcome::Refused(_) | Outcome::WrongSecret)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Up => f.write_str("opens tunnels"),
            Outcome::Full => f.write_str("says that it is full"),
            Outcome::Draining => f.write_str("says that it is being shut down"),
            Outcome::Refused(refusal) => write!(f, "refuses the probe's tunnel: {refusal}"),
            Outcome::WrongSecret => f.write_str("has another tunnel password than we have, or none"),
            Outcome::Silent => f.write_str("does not answer"),
        }
    }
}

/// The codes of a StopCCN (RFC 2661 §4.4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Refusal {
    /// Result; zero where the message has none.
    pub result: u16,
    /// Error, which says more where the result is 2; zero where the message has none.
    pub error: u16,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match (self.result, self.error) {
            (1, _) => "it closed the tunnel",
            (2, 1) => "it knows of no tunnel with us",
            (2, 2) => "it finds a length wrong",
            (2, 3) => "it finds a value out of range",
            (2, 4) => "insufficient resources",
            (2, 6) => "an error of its own, often that it does not know us",
            (2, 7) => "try another",
            (2, 8) => "it does not know an attribute",
            (2, _) => "an error",
            (3, _) => "it has a tunnel with us already",
            (4, _) => "we are not authorized",
            (5, _) => "it wants another version of the protocol",
            (6, _) => "it is being shut down",
            (7, _) => "it did not expect our message",
            _ => "it does not say why",
        };
        write!(f, "{meaning} (StopCCN result {}, error {})", self.result, self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_means_what_the_table_says() {
        let of = |result, error| Outcome::of_stop(Refusal { result, error }).name();
        let cases = [
            (2, 4, "full"),
            (2, 7, "full"),
            (6, 0, "draining"),
            (6, 7, "draining"),
            (4, 0, "refused"),
            (4, 4, "refused"),
            (2, 6, "refused"),
            (2, 0, "refused"),
            (1, 0, "refused"),
            (0, 0, "refused"),
        ];
        for (result, error, name) in cases {
            assert_eq!(of(result, error), name, "result {result} error {error}");
        }
    }
}
