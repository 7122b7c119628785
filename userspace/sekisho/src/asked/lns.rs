//! LNSs, and the tiers of a contract that wait for the operator's word.

use sekisho_lns::balance::Failback;

use super::{AskedError, customer};
use crate::{
    report::{self, Lnss},
    running::Running,
};

impl Running {
    /// The LNSs of all customers, or of one.
    ///
    /// # Errors
    ///
    /// [`AskedError::NoSuch`].
    pub fn lnss(&self, of: Option<&str>) -> Result<Lnss, AskedError> {
        let (now, snapshot) = (self.clock.now(), self.routing.load());
        let of = of.map(|name| customer(&snapshot, name)).transpose()?;
        Ok(Lnss { lns: report::all_lnss(&snapshot, &self.vpdn, of, now) })
    }

    /// Has the tiers of a contract used again that wait for the operator's word.
    ///
    /// # Errors
    ///
    /// [`AskedError::NoSuch`], [`AskedError::Unable`].
    pub fn fail_back(&self, name: &str) -> Result<(), AskedError> {
        let snapshot = self.routing.load();
        let contract = snapshot.vpdn.iter().flatten().find(|contract| contract.contract == name);
        let contract = contract.ok_or_else(|| AskedError::NoSuch("vpdn contract", name.to_owned()))?;
        let balance = &contract.balance;
        if !balance.tiers.iter().any(|tier| tier.failback() == Failback::Manual) {
            let words = format!("contract {name:?} waits for nobody: it has no failback = \"manual\"");
            return Err(AskedError::Unable(words));
        }
        balance.fail_back();
        tracing::info!(contract = name, "preferred LNSs may be used again, by command");
        Ok(())
    }
}
