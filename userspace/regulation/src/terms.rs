//! What customers' documents say of contracts, as far as the regulation asks. No secret is among it, so that it stands in the history as it is.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// One customer's document (契約者), in force from a day on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The customer's name, unique in the registry.
    pub customer: String,
    /// Its name as people write it.
    pub title: Option<String>,
    /// Its contracts for mobile service, which decide on eligibility (Art. 5.3 to 5.5).
    #[serde(default)]
    pub mobile: Vec<Mobile>,
    /// It uses the large-scale private gateway (大規模プライベートゲートウェイ), which bars items K and I (Art. 14.3, 14.4).
    #[serde(default)]
    pub private_gateway: bool,
    /// Restrictions that follow from its use of other services (Art. 14.1), in the operator's words.
    #[serde(default)]
    pub restrictions: Vec<String>,
    /// Its contracts, in the document's order.
    pub contracts: Vec<ContractTerms>,
}

/// One contract (Art. 4: of one kind).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContractTerms {
    /// Its name, unique in the registry.
    pub contract: String,
    /// What it is for.
    pub kind: Kind,
    /// The realms that it serves, as the document's types show them (`acme.example`, `prefix:acme`); none for a `client`.
    #[serde(default)]
    pub realms: Vec<String>,
    /// What was agreed to be paid (Art. 10, annex 1).
    #[serde(default)]
    pub fees: Fees,
    /// The load-balancing option (負荷分散オプション, Art. 8.2), of a `vpdn` contract.
    #[serde(default)]
    pub option: Option<OptionTerms>,
    /// Prerequisites that the operator designates beyond those of its kind (Art. 5.6(7)), by name.
    #[serde(default)]
    pub prerequisites: Vec<String>,
}

/// The load-balancing option of a contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptionTerms {
    /// Agreed for it, apart from its contract's.
    #[serde(default)]
    pub fees: Fees,
}

/// The kinds (種類) of Art. 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A terminal, by one address (クライアント).
    Client,
    /// Requests go to the customer's servers (プロキシ).
    Proxy,
    /// Requests are answered from the operator's account database (グループ).
    Group {
        /// The number of accounts (Art. 7(1)): a hard limit.
        accounts: u32,
    },
    /// An access network's requests get the customer's LNSs (VPDN).
    Vpdn {
        /// Whose requests (品目, Art. 2).
        item: Item,
        /// Who says whether a subscriber may.
        verify: Verify,
        /// The customer's LNSs that it leads to, by name.
        lnss: Vec<String>,
    },
}

/// Such as `client`, or `vpdn D`.
impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Client => f.pad("client"),
            Kind::Proxy => f.pad("proxy"),
            Kind::Group { .. } => f.pad("group"),
            Kind::Vpdn { item, .. } => f.pad(&format!("vpdn {item}")),
        }
    }
}

/// The items (品目) of Art. 2, which are also the types of mobile service and of access networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Item {
    /// タイプ D.
    D,
    /// タイプ K.
    K,
    /// タイプ I.
    I,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Item::D => "D",
            Item::K => "K",
            Item::I => "I",
        })
    }
}

/// Who authenticates the subscribers of a `vpdn` contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verify {
    /// The LNS; the realm alone decides here.
    Realm,
    /// The customer's `proxy` contract, first.
    Proxy,
    /// The customer's `group` contract, first.
    Group,
}

/// A customer's contract for mobile service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mobile {
    /// Its type.
    pub item: Item,
    /// What decides within the type: the class of D (`I`), the plan of K (`flat`, `flat-l`, `packet-share-l`), the network class of I
    /// (`III`).
    pub class: String,
    /// Its first day; `None`: before all that is recorded here.
    #[serde(default)]
    pub from: Option<Date>,
    /// Its last day; `None`: it has not ended.
    #[serde(default)]
    pub until: Option<Date>,
}

/// Yen, agreed per contract and, separately, per option (annex 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fees {
    /// 初期費用, owed on acceptance.
    #[serde(default)]
    pub initial: u64,
    /// 月額費用, owed from the billing start date.
    #[serde(default)]
    pub monthly: u64,
    /// 一時費用, owed for each accepted change.
    #[serde(default)]
    pub change: u64,
}
