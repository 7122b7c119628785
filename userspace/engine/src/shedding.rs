//! When accounting goes that can be spared (`sekisho_abi::shed`), by how full the workers' tables and receive queues are.

use std::time::Duration;

use sekisho_abi::shed::{CALM, INTERIMS, STARTS};

use crate::time::Time;

/// From here on Interim-Updates go.
const HIGH: Load = Load(192);
/// From here on Starts go too.
const HIGHER: Load = Load(224);
/// Below this it is quiet.
const LOW: Load = Load(128);
/// Quiet for so long, one kind fewer goes.
const QUIET: Duration = Duration::from_secs(1);

/// How full something is: 0 for empty, 256 for full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Load(pub u16);

impl Load {
    /// `used` of `room`. Where there is no room, it is full.
    pub fn of(used: u64, room: u64) -> Load {
        Load((u128::from(used.min(room)) * 256).checked_div(u128::from(room)).unwrap_or(256) as u16)
    }
}

/// Decides what is shed. One for all workers: whichever is worst off decides.
///
/// Up it goes at once, by as many steps as the load asks for; down by one step whenever it has been quiet for a second, so that it does
/// not swing with every burst.
#[derive(Debug, Default)]
pub struct Shedding {
    level: u64,
    /// Since when it has been quiet, or had its last step down.
    quiet: Option<Time>,
}

impl Shedding {
    /// What is to be shed from now on. `fullest` is the fullest of all tables and queues.
    pub fn look(&mut self, now: Time, fullest: Load) -> u64 {
        let wanted = match fullest {
            load if load >= HIGHER => STARTS,
            load if load >= HIGH => INTERIMS,
            _ => CALM,
        };
        self.level = self.level.max(wanted);
        if fullest >= LOW {
            self.quiet = None;
            return self.level;
        }
        let quiet = *self.quiet.get_or_insert(now);
        if now >= quiet + QUIET {
            self.level = self.level.saturating_sub(1);
            self.quiet = Some(now);
        }
        self.level
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Time {
        Time::from_millis(ms)
    }

    #[test]
    fn load_is_a_share_of_the_room() {
        let loads = [(0, 8), (1, 512), (6, 8), (7, 8), (8, 8), (9, 8), (0, 0), (u64::MAX, u64::MAX)];
        assert_eq!(loads.map(|(used, room)| Load::of(used, room).0), [0, 0, 192, 224, 256, 256, 256, 256]);
    }

    #[test]
    fn it_goes_up_at_once() {
        let mut shedding = Shedding::default();
        assert_eq!(shedding.look(at(0), Load(191)), CALM);
        assert_eq!(shedding.look(at(0), Load(192)), INTERIMS);
        assert_eq!(shedding.look(at(0), Load(224)), STARTS);
        assert_eq!(Shedding::default().look(at(0), Load(256)), STARTS, "by two steps, too");
    }

    #[test]
    fn it_goes_down_by_a_step_a_second_and_only_when_it_is_quiet() {
        let mut shedding = Shedding::default();
        shedding.look(at(0), Load(256));
        assert_eq!(shedding.look(at(60_000), Load(128)), STARTS, "half full is not quiet");
        assert_eq!(shedding.look(at(60_100), Load(127)), STARTS);
        assert_eq!(shedding.look(at(61_099), Load(0)), STARTS);
        assert_eq!(shedding.look(at(61_100), Load(0)), INTERIMS);
        assert_eq!(shedding.look(at(62_099), Load(0)), INTERIMS);
        assert_eq!(shedding.look(at(62_100), Load(0)), CALM);
        assert_eq!(shedding.look(at(99_000), Load(0)), CALM);
    }

    #[test]
    fn a_burst_in_between_begins_the_second_anew() {
        let mut shedding = Shedding::default();
        shedding.look(at(0), Load(200));
        shedding.look(at(100), Load(0));
        shedding.look(at(900), Load(150));
        assert_eq!(shedding.look(at(1_200), Load(0)), INTERIMS);
        assert_eq!(shedding.look(at(2_200), Load(0)), CALM);
    }
}
