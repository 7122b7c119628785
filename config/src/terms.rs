//! What was agreed for a contract, and what a customer's document says to the service regulation.

use sekisho_regulation::terms::{ContractTerms, Fees, Item, Kind, OptionTerms, Terms, Verify as VerifyTerms};

use crate::{
    access::ItemType,
    customer::{Customer, Realm, Selector},
    vpdn::{Verify, Vpdn},
};

/// What operator and customer agreed for one contract, beside what is served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Yen (Art. 10, annex 1).
    pub fees: Fees,
    /// Prerequisites that the operator designates beyond those of the kind (Art. 5.6(7)), by name; each once.
    pub prerequisites: Vec<String>,
}

impl Customer {
    /// Its document as the history keeps it: what the regulation goes by, and no secret. Contracts come by kind, `client`
    /// first, and within a kind in the document's order; realms are written as they show themselves.
    pub fn terms(&self) -> Terms {
        let clients = self.clients.iter().map(|it| contract(&it.contract, Kind::Client, &[], &it.agreement));
        let proxies = self.proxies.iter().map(|it| contract(&it.contract, Kind::Proxy, &it.realms, &it.agreement));
        let groups = self.groups.iter().map(|it| {
            let kind = Kind::Group { accounts: it.accounts };
            contract(&it.contract, kind, &it.realms, &it.agreement)
        });
        Terms {
            customer: self.name.clone(),
            title: self.title.clone(),
            mobile: self.mobile.clone(),
            private_gateway: self.private_gateway,
            restrictions: self.restrictions.clone(),
            contracts: clients.chain(proxies).chain(groups).chain(self.vpdn.iter().map(vpdn)).collect(),
        }
    }
}

fn vpdn(from: &Vpdn) -> ContractTerms {
    let kind = Kind::Vpdn {
        item: item(from.kind),
        verify: match from.verify {
            Verify::Realm => VerifyTerms::Realm,
            Verify::Proxy { .. } => VerifyTerms::Proxy,
            Verify::Group => VerifyTerms::Group,
        },
        lnss: from.lnss().map(str::to_owned).collect(),
    };
    let option = from.balancing.as_ref().map(|option| OptionTerms { fees: option.fees });
    ContractTerms { option, ..contract(&from.contract, kind, &from.realms, &from.agreement) }
}

fn contract(name: &str, kind: Kind, realms: &[Realm], agreement: &Agreement) -> ContractTerms {
    ContractTerms {
        contract: name.to_owned(),
        kind,
        realms: realms.iter().filter(|realm| is_designated(realm)).map(Realm::to_string).collect(),
        fees: agreement.fees,
        option: None,
        prerequisites: agreement.prerequisites.clone(),
    }
}

/// A name that no other customer can have as well (Art. 5.6(1)). A pattern or a default is found among its own customer's only, under a name
/// that others may have given, too.
const fn is_designated(realm: &Realm) -> bool {
    !matches!(realm.selector, Selector::Pattern | Selector::Default)
}

/// The regulation's item (品目, Art. 2) of a type.
pub(crate) const fn item(kind: ItemType) -> Item {
    match kind {
        ItemType::D => Item::D,
        ItemType::K => Item::K,
        ItemType::I => Item::I,
    }
}
