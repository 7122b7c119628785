//! The states of an LNS, and one word that says all of it that choosing asks for.

use crate::time::Time;

/// Whether an LNS gets sessions from one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Usable {
        /// When it came back into service, for a slow start. `None`: it has been in service, or is not known to have been out of
        /// it, since the beginning, and gets its full share at once.
        since: Option<Time>,
    },
    /// Not from this source: its sessions have failed there (see [`super::SoftFailure`]).
    Avoided,
    /// It says that it has no room.
    Full,
    /// It goes out of service: what it has stays, nothing new begins.
    Draining,
    /// Dead, or out of service.
    Down,
}

/// The state of an LNS, for all sources.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// No probe has been answered, or none is sent: used as if it were up.
    #[default]
    Unknown = 0,
    /// Used.
    Up = 1,
    /// Used: it is alive, but refuses our probes. Something is configured wrongly.
    Refusing = 2,
    /// It says that it has no room.
    Full = 3,
    /// It says that it is being shut down, or the operator or the customer's document says so.
    Draining = 4,
    /// Its probes fail, or the operator or the customer's document has taken it out of service.
    Down = 5,
}

impl State {
    /// Every state.
    pub const ALL: [State; 6] = [State::Unknown, State::Up, State::Refusing, State::Full, State::Draining, State::Down];

    /// The name in metrics and status.
    pub const fn name(self) -> &'static str {
        match self {
            State::Unknown => "unknown",
            State::Up => "up",
            State::Refusing => "refusing",
            State::Full => "full",
            State::Draining => "draining",
            State::Down => "down",
        }
    }

    /// Whether an LNS comes back into service, almost empty, when it leaves this state.
    pub(super) const fn is_out(self) -> bool {
        matches!(self, State::Draining | State::Down)
    }
}

/// What the operator or a document wants of an LNS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Wanted {
    /// In service, as far as it is alive.
    #[default]
    Up = 0,
    /// No new sessions.
    Draining = 1,
    /// Out of service.
    Down = 2,
}

impl Wanted {
    /// The name in documents and status.
    pub const fn name(self) -> &'static str {
        match self {
            Wanted::Up => "up",
            Wanted::Draining => "draining",
            Wanted::Down => "down",
        }
    }
}

/// State, what is wanted, and since when it is in service, in one atomic's 64 bits. All zero is the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

const STATE: u64 = 0b111;
const WANTED_SHIFT: u32 = 3;
const WANTED: u64 = 0b11 << WANTED_SHIFT;

impl Word {
    /// The time loses its last 32 nanoseconds.
    pub(super) fn new(state: State, wanted: Wanted, since: Option<Time>) -> Word {
        let since = since.map_or(0, |since| since.0 & !(STATE | WANTED));
        Word(since | (wanted as u64) << WANTED_SHIFT | state as u64)
    }

    #[inline]
    pub(super) fn state(self) -> State {
        match self.0 & STATE {
            1 => State::Up,
            2 => State::Refusing,
            3 => State::Full,
            4 => State::Draining,
            5 => State::Down,
            _ => State::Unknown,
        }
    }

    #[inline]
    pub(super) fn wanted(self) -> Wanted {
        match (self.0 & WANTED) >> WANTED_SHIFT {
            1 => Wanted::Draining,
            2 => Wanted::Down,
            _ => Wanted::Up,
        }
    }

    #[inline]
    pub(super) fn since(self) -> Option<Time> {
        let since = self.0 & !(STATE | WANTED);
        (since != 0).then_some(Time(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_gives_back_what_it_was_made_of() {
        for state in State::ALL {
            for wanted in [Wanted::Up, Wanted::Draining, Wanted::Down] {
                for since in [None, Some(Time::from_millis(1)), Some(Time::from_millis(1 << 40))] {
                    let word = Word::new(state, wanted, since);
                    assert_eq!((word.state(), word.wanted(), word.since()), (state, wanted, since));
                }
            }
        }
        assert_eq!(Word::default(), Word::new(State::Unknown, Wanted::Up, None));
    }
}
