//! What an operator asks for: sessions by what is known of them (`sessions`), LNSs and a contract's failback (`lns`).

mod lns;
mod sessions;

use sekisho_engine::snapshot::{ContractId, CustomerId, GroupId, RoutingSnapshot};

/// Sessions that are shown unless told otherwise.
pub const LIMIT: usize = 100;
/// Sessions that are shown at most.
pub const LIMIT_MAX: usize = 100_000;

/// Which sessions are asked for: those that agree with everything that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Name of a customer.
    pub customer: Option<String>,
    /// Name of a `vpdn` or `group` contract.
    pub contract: Option<String>,
    /// Name of an LNS; where several customers have one of that name, with `customer`.
    pub lns: Option<String>,
    /// Name of an access network, or of a client that accounts for hosted accounts.
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

fn customer(snapshot: &RoutingSnapshot, name: &str) -> Result<CustomerId, AskedError> {
    let found = snapshot.customers.iter().flatten().find(|customer| customer.name == name);
    found.map(|customer| customer.id).ok_or_else(|| AskedError::NoSuch("customer", name.to_owned()))
}

/// A contract that has sessions.
#[derive(Clone, Copy)]
enum Contract {
    Vpdn(ContractId),
    Group(GroupId),
}

/// Names of contracts are unique in the node.
fn contract(snapshot: &RoutingSnapshot, name: &str) -> Result<Contract, AskedError> {
    let vpdn = snapshot.vpdn.iter().flatten().find(|contract| contract.contract == name);
    let group = snapshot.groups.iter().flatten().find(|contract| contract.contract == name);
    let found = vpdn.map(|it| Contract::Vpdn(it.id)).or_else(|| Some(Contract::Group(group?.id)));
    found.ok_or_else(|| AskedError::NoSuch("vpdn or group contract", name.to_owned()))
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
