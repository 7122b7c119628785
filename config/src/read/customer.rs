//! `customers/NAME.toml` as a whole; each kind of table has a file of its own.

use sekisho_regulation::terms::Mobile;

use super::{
    client::client,
    dynauth::dynauth,
    group::group,
    lns::lns,
    mobile::mobile,
    policy::PolicyBook,
    proxy::proxy,
    realm::realm,
    surroundings::Surroundings,
    vpdn::{MOST_SESSIONS, VpdnDraft, vpdn},
};
use crate::{
    customer::{Client, Customer, DynAuth, Policies, Proxy, Realm, Server},
    document::{Placed, Site},
    finding::Problem,
    group::Group,
    schema::{self, Keys},
    section::Section,
    value,
    vpdn::Lns,
};

/// The longest restriction (Art. 14.1), in octets.
const RESTRICTION_LEN: usize = 1_000;

/// What could be read of a customer, with places.
pub(crate) struct CustomerDraft {
    pub(crate) site: Site,
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) mobile: Vec<Mobile>,
    pub(crate) private_gateway: bool,
    pub(crate) restrictions: Vec<String>,
    pub(crate) realms: Vec<Placed<Realm>>,
    pub(crate) clients: Vec<Placed<Client>>,
    pub(crate) proxies: Vec<ProxyDraft>,
    pub(crate) groups: Vec<Placed<Group>>,
    pub(crate) dynauth: Vec<Placed<DynAuth>>,
    pub(crate) policies: Policies,
    pub(crate) max_vpdn_sessions: u32,
    pub(crate) lnss: Vec<Placed<Lns>>,
    pub(crate) vpdn: Vec<VpdnDraft>,
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
            mobile: self.mobile,
            private_gateway: self.private_gateway,
            restrictions: self.restrictions,
            realms: self.realms.into_iter().map(|placed| placed.value).collect(),
            clients: self.clients.into_iter().map(|placed| placed.value).collect(),
            proxies: self.proxies.into_iter().map(|draft| draft.proxy).collect(),
            groups: self.groups.into_iter().map(|placed| placed.value).collect(),
            dynauth: self.dynauth.into_iter().map(|placed| placed.value).collect(),
            policies: self.policies,
            max_vpdn_sessions: self.max_vpdn_sessions,
            lnss: self.lnss.into_iter().map(|placed| placed.value).collect(),
            vpdn: self.vpdn.into_iter().map(|draft| draft.vpdn).collect(),
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
    let (mut name, mut title, mut most) = (None, None, 0);
    let (mut private_gateway, mut restrictions) = (false, Vec::new());
    if let Some(section) = &section {
        let remedy = "Name the customer, such as \"acme\".";
        name = section.parsed("name", value::customer_name).required(section, "name", remedy);
        title = section.text("title").optional().flatten().map(str::to_owned);
        most = section.integer("max_vpdn_sessions", 0..=MOST_SESSIONS).or(0).unwrap_or_default();
        private_gateway = section.boolean("private_gateway").or(false).unwrap_or_default();
        let sentence = |text: &str| value::words(text, RESTRICTION_LEN);
        restrictions = section.list("restrictions", sentence).or(Vec::new()).unwrap_or_default();
    }
    let mobile = top.tables("mobile", schema::MOBILE).iter().filter_map(mobile).collect();
    let realms_before = top.report.count();
    let realms = placed(top, "realm", schema::REALM, realm);
    let known = (top.report.count() == realms_before).then_some(realms.as_slice());
    let policies = PolicyBook::read(top, around);
    let chosen = section.as_ref().map_or(Some(Policies::default()), |section| policies.chosen(section));
    let clients = placed(top, "client", schema::CLIENT, |section| client(section, known, &policies, around));
    let proxies =
        top.tables("proxy", schema::PROXY).iter().filter_map(|section| proxy(section, known, around)).collect();
    let groups = placed(top, "group", schema::GROUP, |section| group(section, known, around));
    let dynauth = placed(top, "dynauth", schema::DYNAUTH, |section| dynauth(section, around));
    let lnss_before = top.report.count();
    let lnss = placed(top, "lns", schema::LNS, |section| lns(section, name.as_deref(), around));
    let known_lnss = (top.report.count() == lnss_before).then_some(lnss.as_slice());
    let vpdn = top
        .tables("vpdn", schema::VPDN)
        .iter()
        .filter_map(|section| vpdn(section, known, known_lnss, around))
        .collect();
    let sound = top.report.count() == before;
    if sound {
        policies.warn_of_idle(top.report);
    }
    CustomerDraft {
        site: section.map_or_else(|| top.site.clone(), |section| section.site),
        name: name.unwrap_or_default(),
        title,
        mobile,
        private_gateway,
        restrictions,
        realms,
        clients,
        proxies,
        groups,
        dynauth,
        policies: chosen.unwrap_or_default(),
        max_vpdn_sessions: most,
        lnss,
        vpdn,
        sound,
    }
}

/// The tables of one kind that are sound, with their places.
fn placed<T>(top: &Section<'_>, key: &str, keys: Keys, read: impl Fn(&Section<'_>) -> Option<T>) -> Vec<Placed<T>> {
    let sections = top.tables(key, keys);
    sections.iter().filter_map(|section| Some(Placed { value: read(section)?, site: section.site.clone() })).collect()
}
