//! What an account takes of a server's memory.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Server;

/// A server's memory with few accounts and with many. Each is taken once the server has accepted a login, before any load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Which server.
    pub server: Server,
    /// How many accounts there were, few and many.
    pub accounts: (usize, usize),
    /// The process's resident memory with each, in octets.
    pub resident: (u64, u64),
    /// The difference for each account more, in octets. What the server needed for reading them and has not given back is in it.
    pub octets_per_account: f64,
}

impl Memory {
    /// From the number of accounts and the resident octets, twice.
    pub(super) fn between(server: Server, few: (usize, u64), many: (usize, u64)) -> Self {
        let more = many.0.saturating_sub(few.0).max(1);
        Self {
            server,
            accounts: (few.0, many.0),
            resident: (few.1, many.1),
            octets_per_account: (many.1 as f64 - few.1 as f64) / more as f64,
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |octets: u64| octets as f64 / f64::from(1 << 20);
        write!(
            f,
            "{}: {:.1} MiB with {} accounts, {:.1} MiB with {}: {:.0} octets an account",
            self.server,
            mib(self.resident.0),
            self.accounts.0,
            mib(self.resident.1),
            self.accounts.1,
            self.octets_per_account,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_counted_by_the_account() {
        let memory = Memory::between(Server::Sekisho, (10, 20 << 20), (100_000, (20 << 20) + 99_990 * 256));
        assert_eq!(memory.octets_per_account, 256.0);
        assert!(memory.to_string().contains("20.0 MiB with 10 accounts"), "{memory}");
        assert_eq!(Memory::between(Server::Sekisho, (10, 100), (10, 90)).octets_per_account, -10.0);
    }
}
