//! Numbers of what LNSs belong to. They stay the same over reloads of one process, and are names in what is kept on disk.

/// Numbers that are types of their own: each a `u32`, and an index.
#[macro_export]
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index into a vector.
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )+};
}

ids! {
    /// An LNS: a customer's, shared by all its contracts that use it.
    LnsId;
    /// A `vpdn` contract.
    ContractId;
    /// A customer.
    CustomerId;
    /// A verified source of requests: an access network, or an LNS that accounts.
    SourceId;
}

impl CustomerId {
    /// Nobody's: of an access network, which is the operator's and serves all customers. No customer has this number.
    pub const NOBODY: CustomerId = CustomerId(u32::MAX);
}
