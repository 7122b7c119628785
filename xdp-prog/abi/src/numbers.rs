//! Numbers that stay the same over restarts, whatever else changes in the documents.

use crate::siphash::{self, SipHash};

/// No secret: these hashes only have to be the same everywhere and always.
const KEY: [u64; 2] = [0x73_656b_6973_686f, 1];

/// The number of a domain. Two names may have the same one; whoever gives numbers has to look.
pub fn domain(name: &str) -> u32 {
    siphash::octets(SipHash::new(KEY), 0, name.as_bytes()) as u32
}

/// Whose a client slot is: a contract of a customer, or an access network (without a customer). Never zero.
pub fn owner(customer: &str, contract: &str) -> u64 {
    let state = SipHash::new(KEY).word(customer.len() as u64);
    let both = [customer.as_bytes(), contract.as_bytes()].concat();
    crate::identity::nonzero(siphash::octets(state, 8, &both))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_do_not_change() {
        assert_eq!(domain("default"), domain("default"));
        assert_ne!(domain("default"), domain("other"));
        assert_ne!(owner("ab", "c"), owner("a", "bc"));
        assert_ne!(owner("", "acme"), owner("acme", ""));
    }
}
