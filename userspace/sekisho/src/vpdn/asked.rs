//! What an operator asks for: sessions by what is known of them, LNSs, a contract's failback.

use sekisho_engine::snapshot::{ClientRole, CustomerId, RoutingSnapshot, SourceId};
use sekisho_lns::{
    ContractId, LnsId,
    balance::Failback,
    sessions::{Filter, SessionView},
};
use sekisho_wire::number::canonical_number;

use super::naming;
use crate::{
    clock::wall_seconds,
    report::{self, Lnss},
    running::Running,
};

/// Sessions that are shown unless told otherwise.
pub const LIMIT: usize = 100;
/// Sessions that are shown at most.
pub const LIMIT_MAX: usize = 100_000;

/// Which sessions are asked for: those that agree with everything that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Name of a customer.
    pub customer: Option<String>,
    /// Name of a `vpdn` contract.
    pub contract: Option<String>,
    /// Name of an LNS; where several customers have one of that name, with `customer`.
    pub lns: Option<String>,
    /// Name of an access network.
    pub network: Option<String>,
    /// A number, in any form, or what else is in its place.
    pub number: Option<String>,
    /// A User-Name, to the octet.
    pub user: Option<String>,
    /// So many at most; [`LIMIT`] where nothing is said.
    pub limit: Option<usize>,
}

/// Why there is no answer; written for whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskedError {
    /// The question makes no sense.
    #[error("{0}")]
    Nonsense(String),
    /// No document has that.
    #[error("there is no {0} {1:?}")]
    NoSuch(&'static str, String),
    /// What there is cannot do that.
    #[error("{0}")]
    Unable(String),
}

impl Query {
    /// From the names and values behind the `?`; an empty value says nothing.
    ///
    /// # Errors
    ///
    /// [`AskedError::Nonsense`].
    pub fn new(pairs: Vec<(String, String)>) -> Result<Query, AskedError> {
        let mut query = Query::default();
        for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            let place = match name.as_str() {
                "customer" => &mut query.customer,
                "contract" => &mut query.contract,
                "lns" => &mut query.lns,
                "network" => &mut query.network,
                "number" => &mut query.number,
                "user" => &mut query.user,
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
                    let nonsense = || AskedError::Nonsense(format!("limit is a number from 1 to {LIMIT_MAX}"));
                    query.limit = Some(limit.ok_or_else(nonsense)?);
                    continue;
                }
                _ => {
                    let known = "customer, contract, lns, network, number, user, limit";
                    return Err(AskedError::Nonsense(format!("{name:?} is none of {known}")));
                }
            };
            *place = Some(value);
        }
        Ok(query)
    }

    /// The same, as names and values.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let Query { customer, contract, lns, network, number, user, limit } = self.clone();
        let texts = [
            ("customer", customer),
            ("contract", contract),
            ("lns", lns),
            ("network", network),
            ("number", number),
            ("user", user),
            ("limit", limit.map(|limit| limit.to_string())),
        ];
        texts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

impl Running {
    /// Sessions and reservations. It looks through the whole table: beside the runtime.
    ///
    /// # Errors
    ///
    /// [`AskedError`].
    pub fn sessions(&self, query: &Query) -> Result<report::Sessions, AskedError> {
        let (now, snapshot) = (self.clock.now(), self.routing.load());
        let customer = query.customer.as_deref().map(|name| customer(&snapshot, name)).transpose()?;
        let contract = query.contract.as_deref().map(|name| contract(&snapshot, name)).transpose()?;
        let lns = query.lns.as_deref().map(|name| lns(&snapshot, customer, name)).transpose()?;
        let source = query.network.as_deref().map(|name| network(&snapshot, name)).transpose()?;
        let mut digits = [0; 32];
        let number = query.number.as_deref().map(str::as_bytes);
        let number =
            number.map(|number| canonical_number(number, &snapshot.country_code, &mut digits).unwrap_or(number));
        let user = query.user.as_deref().map(str::as_bytes);
        let limit = query.limit.unwrap_or(LIMIT);
        let sessions = &self.vpdn.sessions;
        let found = sessions.list(now, &Filter { customer, contract, lns, source, number, user, limit });
        let counts = sessions.counts();
        Ok(report::Sessions {
            tracked: counts.sessions as u64,
            reserved: counts.reservations as u64,
            untracked: counts.untracked,
            shown: found.len(),
            sessions: found.iter().map(|view| session(&snapshot, view)).collect(),
        })
    }

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
        let contract = snapshot.vpdn(contract(&snapshot, name)?);
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

fn customer(snapshot: &RoutingSnapshot, name: &str) -> Result<CustomerId, AskedError> {
    let found = snapshot.customers.iter().flatten().find(|customer| customer.name == name);
    found.map(|customer| customer.id).ok_or_else(|| AskedError::NoSuch("customer", name.to_owned()))
}

/// Names of contracts are unique in the node.
fn contract(snapshot: &RoutingSnapshot, name: &str) -> Result<ContractId, AskedError> {
    let found = snapshot.vpdn.iter().flatten().find(|contract| contract.contract == name);
    found.map(|contract| contract.id).ok_or_else(|| AskedError::NoSuch("vpdn contract", name.to_owned()))
}

fn lns(snapshot: &RoutingSnapshot, customer: Option<CustomerId>, name: &str) -> Result<LnsId, AskedError> {
    let plans = snapshot.lnss.iter().flatten().filter(|plan| plan.lns.name == name);
    let mut plans = plans.filter(|plan| customer.is_none_or(|customer| plan.customer == customer));
    match (plans.next(), plans.next()) {
        (Some(plan), None) => Ok(plan.lns.id),
        (None, _) => Err(AskedError::NoSuch("LNS", name.to_owned())),
        (Some(_), Some(_)) => {
            Err(AskedError::Nonsense(format!("several customers have an LNS {name:?}: say which customer's")))
        }
    }
}

fn network(snapshot: &RoutingSnapshot, name: &str) -> Result<SourceId, AskedError> {
    let mut networks = snapshot.clients.iter().flatten().filter(|it| matches!(it.role, ClientRole::AccessNetwork(_)));
    let found = networks.find(|client| client.contract == name);
    found.map(|client| client.source()).ok_or_else(|| AskedError::NoSuch("access network", name.to_owned()))
}

fn session(snapshot: &RoutingSnapshot, view: &SessionView) -> report::Session {
    let is_active = view.session.is_some();
    let silent = view.silent.as_secs();
    let started = |unix: u64| wall_seconds().saturating_sub(unix);
    report::Session {
        customer: naming::customer(snapshot, view.customer),
        contract: snapshot.vpdn(view.contract).map(|contract| contract.contract.clone()).unwrap_or_default(),
        lns: view.lns.and_then(|lns| snapshot.lns(lns)).map(|plan| plan.lns.name.clone()),
        network: naming::source(snapshot, view.access).unwrap_or_default(),
        user: String::from_utf8_lossy(&view.user).into_owned(),
        number: String::from_utf8_lossy(&view.number).into_owned(),
        framed_ip: view.framed_ip,
        state: if is_active { "active" } else { "reserved" }.to_owned(),
        age_seconds: if is_active { started(view.started) } else { silent },
        last_heard_seconds: silent,
        expires_seconds: view.expires_in.as_secs(),
        bearers: view.bearers.count_ones(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Result<Query, AskedError> {
        Query::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_question_is_the_same_on_both_sides() {
        let asked = query(&[("customer", "acme"), ("number", "090-1234-5678"), ("limit", "7")]).unwrap();
        assert_eq!((asked.customer.as_deref(), asked.limit), (Some("acme"), Some(7)));
        let pairs: Vec<(String, String)> =
            asked.pairs().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(Query::new(pairs), Ok(asked));
        assert_eq!(query(&[("customer", "")]), Ok(Query::default()), "an empty value says nothing");
    }

    #[test]
    fn what_is_not_understood_is_refused_in_words() {
        let error = query(&[("colour", "blue")]).unwrap_err().to_string();
        assert!(error.contains("colour") && error.contains("customer, contract"), "{error}");
        for limit in ["0", "many", "100001", "-1"] {
            assert!(query(&[("limit", limit)]).unwrap_err().to_string().contains("1 to 100000"), "{limit}");
        }
    }
}
