//! `customers/NAME.toml` as a whole; each kind of table has a file of its own.

use super::{
    client::client, dynauth::dynauth, policy::PolicyBook, proxy::proxy, realm::realm, surroundings::Surroundings,
};
use crate::{
    customer::{Client, Customer, DynAuth, Policies, Proxy, Realm, Server},
    document::{Placed, Site},
    finding::Problem,
    schema,
    section::Section,
    value,
};

/// What could be read of a customer, with places.
pub(crate) struct CustomerDraft {
    pub(crate) site: Site,
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) realms: Vec<Placed<Realm>>,
    pub(crate) clients: Vec<Placed<Client>>,
    pub(crate) proxies: Vec<ProxyDraft>,
    pub(crate) dynauth: Vec<Placed<DynAuth>>,
    pub(crate) policies: Policies,
    /// No fault was found in the document.
    pub(crate) sound: bool,
}

/// A `proxy` contract with the places of its servers, over all tiers, and of its copies, each in their order.
pub(crate) struct ProxyDraft {
    pub(crate) site: Site,
    pub(crate) proxy: Proxy,
    pub(crate) servers: Vec<Site>,
    pub(crate) copies: Vec<Site>,
}

impl ProxyDraft {
    /// The servers of all tiers with their places.
    pub(crate) fn servers(&self) -> impl Iterator<Item = (&Server, &Site)> {
        self.proxy.servers().zip(&self.servers)
    }

    /// The servers of all tiers and the copies, with their places.
    pub(crate) fn peers(&self) -> impl Iterator<Item = (&Server, &Site)> {
        self.servers().chain(self.proxy.copies.iter().zip(&self.copies))
    }
}

impl CustomerDraft {
    pub(crate) fn checked(self) -> Customer {
        Customer {
            name: self.name,
            title: self.title,
            realms: self.realms.into_iter().map(|placed| placed.value).collect(),
            clients: self.clients.into_iter().map(|placed| placed.value).collect(),
            proxies: self.proxies.into_iter().map(|draft| draft.proxy).collect(),
            dynauth: self.dynauth.into_iter().map(|placed| placed.value).collect(),
            policies: self.policies,
        }
    }
}

/// Reads one customer document.
pub(crate) fn customer(top: &Section<'_>, around: &Surroundings<'_>) -> CustomerDraft {
    let before = top.report.count();
    let section = top.table("customer", schema::CUSTOMER);
    if section.is_none() && !top.has("customer") {
        let remedy = "Begin the document with [customer] and the customer's name.";
        top.fault("customer", Problem::new("is missing", remedy));
    }
    let (mut name, mut title) = (None, None);
    if let Some(section) = &section {
        let remedy = "Name the customer, such as \"acme\".";
        name = section.parsed("name", value::customer_name).required(section, "name", remedy);
        title = section.text("title").optional().flatten().map(str::to_owned);
    }
    let realms_before = top.report.count();
    let realms: Vec<Placed<Realm>> = top
        .tables("realm", schema::REALM)
        .iter()
        .filter_map(|section| Some(Placed { value: realm(section)?, site: section.site.clone() }))
        .collect();
    let known = (top.report.count() == realms_before).then_some(realms.as_slice());
    let policies = PolicyBook::read(top, around);
    let chosen = section.as_ref().map_or(Some(Policies::default()), |section| policies.chosen(section));
    let clients = top
        .tables("client", schema::CLIENT)
        .iter()
        .filter_map(|section| {
            Some(Placed { value: client(section, known, &policies, around)?, site: section.site.clone() })
        })
        .collect();
    let proxies =
        top.tables("proxy", schema::PROXY).iter().filter_map(|section| proxy(section, known, around)).collect();
    let dynauth = top
        .tables("dynauth", schema::DYNAUTH)
        .iter()
        .filter_map(|section| Some(Placed { value: dynauth(section, around)?, site: section.site.clone() }))
        .collect();
    let sound = top.report.count() == before;
    if sound {
        policies.warn_of_idle(top.report);
    }
    CustomerDraft {
        site: section.map_or_else(|| top.site.clone(), |section| section.site),
        name: name.unwrap_or_default(),
        title,
        realms,
        clients,
        proxies,
        dynauth,
        policies: chosen.unwrap_or_default(),
        sound,
    }
}
