//! `customers/NAME.toml`, but for its home servers.

use std::time::Duration;

use super::{secret::Vault, server::servers, way};
use crate::{
    customer::{
        Client, Customer, DynAuth, Policies, PoolType, Proxy, Realm, Require, Selector, Server, Strip, Tier, Unanswered,
    },
    document::{Placed, Site},
    finding::Problem,
    node::Domain,
    schema,
    section::Section,
    value::{self, AddressFault},
};

const POOLS: [(&str, PoolType); 2] = [("fail-over", PoolType::FailOver), ("client-balance", PoolType::ClientBalance)];
const SELECTORS: [(&str, Selector); 3] =
    [("suffix", Selector::Suffix), ("prefix", Selector::Prefix), ("apn", Selector::Apn)];

/// What customer documents are read against.
pub(crate) struct Surroundings<'a> {
    /// `None` where the node's domains are not known.
    pub(crate) domains: Option<Vec<Domain>>,
    pub(crate) vault: Vault<'a>,
}

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
    let clients = top
        .tables("client", schema::CLIENT)
        .iter()
        .filter_map(|section| Some(Placed { value: client(section, around)?, site: section.site.clone() }))
        .collect();
    let proxies =
        top.tables("proxy", schema::PROXY).iter().filter_map(|section| proxy(section, known, around)).collect();
    CustomerDraft {
        site: section.map_or_else(|| top.site.clone(), |section| section.site),
        name: name.unwrap_or_default(),
        title,
        realms,
        clients,
        proxies,
        dynauth: Vec::new(),
        policies: Policies::default(),
        sound: top.report.count() == before,
    }
}

fn realm(section: &Section<'_>) -> Option<Realm> {
    let mut given = SELECTORS.into_iter().filter(|(key, _)| section.has(key));
    let (first, second) = (given.next(), given.next());
    let Some((key, selector)) = first else {
        section.fault("", Problem::new("has no name", "Give one of `suffix`, `prefix` and `apn`."));
        return None;
    };
    if let Some((second, _)) = second {
        let message = format!("stands beside `{key}`, and a realm has one selector");
        section.fault(second, Problem::new(message, "Make a [[realm]] of each."));
        return None;
    }
    let name = section.parsed(key, value::realm).optional()??;
    Some(Realm { selector, name, pattern: None })
}

fn client(section: &Section<'_>, around: &Surroundings<'_>) -> Option<Client> {
    let contract = contract(section);
    let address = section.parsed("address", |text| {
        value::unicast(text).map_err(|fault| match fault {
            AddressFault::Network => Problem::new(
                format!(
                    "{text:?} is a network; a client contract is one terminal with one address (service regulation, Art. 5.2)"
                ),
                "Give one address, and a contract of its own for each further terminal.",
            ),
            other => other.problem(text),
        })
    });
    let address = address.required(section, "address", "Give the terminal's address, such as \"192.0.2.1\".");
    let way = way(section, around.domains.as_deref());
    let secret = around.vault.secret(section);
    let require = message_authenticator(section);
    let limit = section.boolean("limit_proxy_state").or(true);
    let delay = section.duration("reject_delay", Duration::ZERO..=Duration::from_secs(5)).or(Duration::from_secs(1));
    let answer =
        section.duration("answer_within", Duration::from_secs(1)..=Duration::from_secs(60)).or(Duration::from_secs(10));
    if let (Some(delay), Some(answer)) = (delay, answer)
        && delay >= answer
    {
        let message = format!(
            "{} is as long as the terminal waits ({}), so it would never see a Reject",
            value::show_duration(delay),
            value::show_duration(answer),
        );
        section.fault("reject_delay", Problem::new(message, "Make it shorter than `answer_within`."));
    }
    if let (Some(Require::No), Some(false)) = (require, limit) {
        let message = "the client is open to forged answers (CVE-2024-3596): neither guard is on";
        let remedy = "Set `require_message_authenticator = \"yes\"` where the terminal can, else leave this key true.";
        section.warn("limit_proxy_state", Problem::new(message, remedy));
    }
    let (domain, ingresses) = way?;
    Some(Client {
        contract: contract?,
        address: address?,
        domain,
        ingresses,
        secret: secret?,
        previous_secret: None,
        require_message_authenticator: require?,
        limit_proxy_state: limit?,
        reject_delay: delay?,
        answer_within: answer?,
        when_unanswered: Unanswered::Reject,
        check_nas: false,
        nas_addresses: Vec::new(),
        nas_identifiers: Vec::new(),
        operator_name: None,
        default_realm: None,
        bare_domain: false,
        outer_suffix: None,
        administrative: false,
        dynauth: None,
        policies: Policies::default(),
    })
}

fn proxy(section: &Section<'_>, realms: Option<&[Placed<Realm>]>, around: &Surroundings<'_>) -> Option<ProxyDraft> {
    let contract = contract(section);
    let pool = section.choice("type", &POOLS).or(PoolType::FailOver);
    let served = served(section, realms);
    let servers = servers(section, around);
    let (values, sites) = servers.into_iter().map(|placed| (placed.value, placed.site)).unzip();
    let proxy = Proxy {
        contract: contract?,
        realms: served?,
        tiers: vec![Tier { pool: pool?, servers: values }],
        copies: Vec::new(),
        strip: Strip::Nothing,
        when_down: Unanswered::Reject,
        framed_networks: Vec::new(),
    };
    Some(ProxyDraft { site: section.site.clone(), proxy, servers: sites, copies: Vec::new() })
}

/// The realms that a proxy contract serves. `own` is `None` where the customer's realms are not all known.
fn served(section: &Section<'_>, own: Option<&[Placed<Realm>]>) -> Option<Vec<Realm>> {
    let named = section.list("realms", value::realm);
    let all = named.is_absent();
    let named = named.or(Vec::new())?;
    let Some(own) = own else { return Some(Vec::new()) };
    let realms = || own.iter().map(|placed| &placed.value);
    if all {
        if own.is_empty() {
            let message = "the customer has no realm that this contract could serve";
            section.fault("", Problem::new(message, "Add [[realm]] with what the customer designated (Art. 5.6)."));
            return None;
        }
        return Some(realms().cloned().collect());
    }
    if named.is_empty() {
        let remedy = "Name at least one, or leave the key out: then the contract serves every realm of the customer.";
        section.fault("realms", Problem::new("is an empty list", remedy));
    }
    let mut served: Vec<Realm> = Vec::new();
    for (i, name) in named.iter().enumerate() {
        let at = format!("realms[{i}]");
        let known = served.len();
        if served.iter().any(|realm| realm.name == *name) {
            section.fault(&at, Problem::new(format!("\"{name}\" is in the list already"), "Take it out."));
            continue;
        }
        served.extend(realms().filter(|realm| realm.name == *name).cloned());
        if served.len() == known {
            let names: Vec<String> = realms().map(|realm| format!("\"{}\"", realm.name)).collect();
            let remedy = match names.is_empty() {
                true => "Add it as [[realm]] first.".to_owned(),
                false => format!("Add it as [[realm]] first, or say one of: {}.", names.join(", ")),
            };
            section.fault(&at, Problem::new(format!("\"{name}\" is no realm of this customer"), remedy));
        }
    }
    Some(served)
}

fn contract(section: &Section<'_>) -> Option<String> {
    let remedy = "Name the contract; messages, logs and metrics show it.";
    section.parsed("contract", value::name).required(section, "contract", remedy)
}

/// `require_message_authenticator`.
pub(super) fn message_authenticator(section: &Section<'_>) -> Option<Require> {
    let words = [("yes", Require::Yes), ("no", Require::No), ("auto", Require::Auto)];
    section.choice("require_message_authenticator", &words).or(Require::Auto)
}
