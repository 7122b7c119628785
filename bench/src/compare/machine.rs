//! Where the figures come from, without saying whose machine it is.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A machine, as far as figures depend on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// As the processor calls itself.
    pub processor: String,
    /// Processors online.
    pub processors: usize,
    /// Whether it is a guest of a hypervisor.
    pub virtual_machine: bool,
    /// Instruction set.
    pub architecture: String,
    /// Kernel release.
    pub kernel: String,
    /// Distribution.
    pub system: String,
    /// Megabytes of memory.
    pub memory_mb: u64,
}

impl Machine {
    /// This machine.
    pub fn describe() -> Self {
        let processors = read("/proc/cpuinfo");
        Self {
            processor: field(&processors, "model name", ':').unwrap_or_else(|| "unknown".into()),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            virtual_machine: field(&processors, "flags", ':')
                .is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
            architecture: std::env::consts::ARCH.into(),
            kernel: read("/proc/sys/kernel/osrelease").trim().into(),
            system: field(&read("/etc/os-release"), "PRETTY_NAME", '=')
                .map_or_else(|| "unknown".into(), |name| name.trim_matches('"').to_owned()),
            memory_mb: field(&read("/proc/meminfo"), "MemTotal", ':')
                .and_then(|size| size.trim_end_matches(" kB").parse::<u64>().ok())
                .map_or(0, |kilobytes| kilobytes / 1024),
        }
    }

    /// What kind of machine it is, for a file's name: `vm-x86_64-2cpu`.
    pub fn kind(&self) -> String {
        let home = if self.virtual_machine { "vm" } else { "metal" };
        format!("{home}-{}-{}cpu", self.architecture, self.processors)
    }
}

/// Today's date in UTC, as `2026-11-22`.
pub fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    date(seconds / 86_400)
}

/// The Gregorian date of a day since 1970-01-01: counted in years that begin in March, so that the leap day is a year's
/// last, and in eras of 400 years, which all have 146,097 days.
fn date(day: u64) -> String {
    let day = day + 719_468; // since 0000-03-01
    let (era, day) = (day / 146_097, day % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, turn) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + turn)
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The value of the first line that begins with `name`.
fn field(text: &str, name: &str, separator: char) -> Option<String> {
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(separator)?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        for (day, expected) in [
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_779, "2026-11-22"),
            (20_819, "2027-01-01"),
            (21_243, "2028-02-29"),
        ] {
            assert_eq!(date(day), expected);
        }
    }

    #[test]
    fn a_machine_has_a_kind_and_no_name() {
        let machine = Machine::describe();
        assert!(machine.kind().ends_with("cpu"), "{}", machine.kind());
        assert!(!machine.kernel.is_empty());
        assert!(machine.memory_mb > 0);
    }
}
