//! The gate in the kernel, as it is seen.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Count;

/// The gate in the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// What was asked for: `auto`, `native`, `generic` or `off`.
    pub requested: String,
    /// What became of it, by interface.
    pub interfaces: Vec<Interface>,
    /// The directory that it is pinned in: it stays while no process runs.
    pub pinned: Option<PathBuf>,
    /// Why it goes with the process.
    pub goes: Option<String>,
    /// Whether it absorbs and answers repetitions itself.
    pub answers: bool,
    /// Requests published to it: `in_flight`, with their `reply`, and those `withdrawn`. Empty where it answers none.
    pub published: Vec<Count>,
    /// Octets of each of its tables. Empty without a gate.
    pub memory: Vec<Count>,
    /// Packets by where they ended: `seen`, `not_ours`, `passed`, `redirected`, `replied`. Empty without a gate.
    pub packets: Vec<Count>,
    /// Packets dropped in the kernel by reason; all of them, also zeros. Empty without a gate.
    pub dropped: Vec<Count>,
    /// Packets of registered sources without a contract by where they ended: home servers' replies. No zeros.
    pub nobody: Vec<Count>,
}

/// An interface and the gate's mode on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Name.
    pub name: String,
    /// `native`, `generic` or `off`.
    pub mode: String,
    /// Why `auto` chose no better mode.
    pub reason: Option<String>,
}

impl Interface {
    /// `native on eth0`, `generic on lo (lo has no native XDP)`, `off on eth0: userspace judges every packet`.
    pub fn in_words(&self) -> String {
        let off = if self.mode == "off" { ": userspace judges every packet" } else { "" };
        let reason = self.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        format!("{} on {}{off}{reason}", self.mode, self.name)
    }
}

impl Gate {
    /// Whether it stays, what it answers, what it takes: `pinned in /sys/fs/bpf/sekisho/tokyo: stays while no node runs; answers
    /// repetitions; 31 MiB`.
    /// `None` where it is off.
    pub fn in_words(&self) -> Option<String> {
        let stays = match (&self.pinned, &self.goes) {
            (Some(directory), _) => format!("pinned in {}: stays while no node runs", directory.display()),
            (None, Some(reason)) => format!("goes with the node: {reason}"),
            (None, None) => return None,
        };
        let answers = if self.answers { "answers repetitions" } else { "leaves repetitions to userspace" };
        let octets: u64 = self.memory.iter().map(|table| table.count).sum();
        Some(format!("{stays}; {answers}; {} MiB", octets.div_ceil(1 << 20)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_it_stays_and_what_it_takes_is_told_in_a_line() {
        assert_eq!(Gate::default().in_words(), None, "it is off");
        let memory = vec![Count::new("SESSIONS", 1 << 20), Count::new("CLIENTS", 1)];
        let gate = Gate { goes: Some("no bpffs".into()), memory, ..Gate::default() };
        let words = "goes with the node: no bpffs; leaves repetitions to userspace; 2 MiB";
        assert_eq!(gate.in_words().as_deref(), Some(words));
        let gate = Gate { goes: None, pinned: Some("/sys/fs/bpf/sekisho/tokyo".into()), answers: true, ..gate };
        let words = "pinned in /sys/fs/bpf/sekisho/tokyo: stays while no node runs; answers repetitions; 2 MiB";
        assert_eq!(gate.in_words().as_deref(), Some(words));
    }
}
