//! VPDN: what a LAC, an LNS, a NAS and an operator see of it.

mod alive;
mod avoided;
mod counting;
mod drained;
mod forms;
mod full;
mod journal_kills;
mod kept;
mod land;
mod lns_accounts;
mod looked_up;
mod moved;
mod proxied;
mod realm_storm;
mod served;
mod shares;
