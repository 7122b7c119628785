//! `sekisho.toml`, but for its domains.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr},
    num::NonZeroUsize,
    path::{Component, Path, PathBuf},
    sync::Arc,
};

use super::{
    access::access_networks,
    dictionaries::dictionary,
    domain::{DomainDraft, domains},
    journal::journal,
    limits::limits,
    ports,
    registry::{hosted, registry},
    secret::{Directory, Vault},
    sessions::sessions,
    surroundings::Surroundings,
    upstream::{l2tp, upstream},
};
use crate::{
    access::AccessNetwork,
    document::{Placed, Site},
    finding::Problem,
    node::{Listener, LogLevel, Node, Password, Ports, Probe, Xdp, XdpMode},
    rates::Rates,
    registry::{CustomersFrom, Registry},
    schema,
    section::Section,
    value,
};

const LEVELS: [(&str, LogLevel); 5] = [
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];
const MODES: [(&str, XdpMode); 4] =
    [("auto", XdpMode::Auto), ("native", XdpMode::Native), ("generic", XdpMode::Generic), ("off", XdpMode::Off)];

/// What could be read of the node, with places.
pub(crate) struct NodeDraft {
    /// The whole; `None` where any part is faulty.
    pub(crate) node: Option<Node>,
    /// Where customers' documents come from; `None` where that is not known.
    pub(crate) customers: Option<Placed<CustomersFrom>>,
    /// `None` where any domain is faulty.
    pub(crate) domains: Option<Vec<DomainDraft>>,
    pub(crate) listeners: Vec<Placed<Listener>>,
    pub(crate) access_networks: Vec<Placed<AccessNetwork>>,
    pub(crate) xdp: Option<Site>,
}

struct General {
    name: Option<String>,
    /// Where the key is given; the outer `None` where it is faulty.
    customers: Option<Option<PathBuf>>,
    secrets: Option<Option<PathBuf>>,
    state: Option<PathBuf>,
    dictionaries: Option<PathBuf>,
    country_code: Option<String>,
    workers: Option<Option<NonZeroUsize>>,
    log: Option<LogLevel>,
}

/// Reads `sekisho.toml`. Paths in it are relative to `base`, the directory that it stands in. With it comes what the
/// customers' documents are read against.
pub(crate) fn node<'a>(
    top: &Section<'_>,
    base: &Path,
    env: &'a dyn Fn(&str) -> Option<String>,
) -> (NodeDraft, Surroundings<'a>) {
    let section = top.table("node", schema::NODE);
    let general = general(section.as_ref(), base);
    let domains = domains(top);
    let (listeners, all_sound) = listeners(top);
    let upstream = upstream(top.table("upstream", schema::UPSTREAM).as_ref(), &listeners);
    let l2tp = l2tp(top.table("l2tp", schema::L2TP).as_ref(), general.name.as_deref(), upstream.as_ref());
    let journal = journal(top.table("journal", schema::JOURNAL).as_ref(), base, general.state.as_ref());
    let sessions = sessions(top.table("sessions", schema::SESSIONS).as_ref());
    let xdp_section = top.table("xdp", schema::XDP);
    let xdp = xdp(xdp_section.as_ref(), domains.as_deref());
    let limits = limits(top.table("limits", schema::LIMITS).as_ref());
    let admin = admin(top.table("admin", schema::ADMIN).as_ref());
    let directory = || match &general.secrets {
        Some(Some(path)) => Directory::At(path.clone()),
        Some(None) => Directory::None,
        None => Directory::Unknown,
    };
    let probes = probes(top, &Vault::new(directory(), env));
    let registry_section = top.table("registry", schema::REGISTRY);
    let vault = Vault::new(directory(), env);
    let registry = registry_section.as_ref().map(|it| (it, registry(it, base, general.state.as_ref(), &vault)));
    let hosted_section = top.table("hosted", schema::HOSTED);
    let hosted = hosted(hosted_section.as_ref());
    if let (Some(section), None) = (&hosted_section, &registry) {
        let remedy = "Give [registry], where the accounts are, or take it out.";
        section.warn("", Problem::new("means nothing where customers' documents are files", remedy));
    }
    let customers = customers(top, section.as_ref(), base, general.customers, registry);
    let around = Surroundings {
        domains: domains.as_ref().map(|all| all.iter().map(DomainDraft::checked).collect()),
        vault: Vault::new(directory(), env),
        dictionary: dictionary(section.as_ref(), general.dictionaries.as_ref()),
        rates: limits.as_ref().map_or(Rates::DEFAULT, |limits| limits.rates),
    };
    let (access_networks, all_networks_sound) = access_networks(top, &around);
    let node = (|| {
        Some(Node {
            name: general.name.clone()?,
            customers: customers.as_ref()?.value.clone(),
            secrets: general.secrets.clone()?,
            state: general.state.clone()?,
            dictionary: Arc::clone(&around.dictionary),
            country_code: general.country_code.clone()?,
            workers: general.workers?,
            log: general.log?,
            domains: around.domains.clone()?,
            listeners: all_sound.then(|| listeners.iter().map(|placed| placed.value.clone()).collect())?,
            upstream: upstream?,
            xdp: xdp?,
            limits: limits?,
            journal: journal?,
            sessions: sessions?,
            l2tp: l2tp?,
            access_networks: all_networks_sound
                .then(|| access_networks.iter().map(|placed| placed.value.clone()).collect())?,
            admin: admin?,
            probes: probes?,
            hosted: hosted?,
        })
    })();
    let xdp = xdp_section.map(|section| section.site);
    (NodeDraft { node, customers, domains, listeners, access_networks, xdp }, around)
}

/// Where customers' documents come from: a directory, unless there is a registry. `directory` is `None` where it is faulty.
fn customers(
    top: &Section<'_>,
    section: Option<&Section<'_>>,
    base: &Path,
    directory: Option<Option<PathBuf>>,
    registry: Option<(&Section<'_>, Option<Registry>)>,
) -> Option<Placed<CustomersFrom>> {
    let site = || section.map_or_else(|| top.site.clone(), |section| section.site.clone());
    match (directory?, registry) {
        (None, Some((section, registry))) => {
            Some(Placed { value: CustomersFrom::Registry(registry?), site: section.site.clone() })
        }
        (Some(_), Some((registry, _))) => {
            let message =
                format!("stands beside [registry], at {}, and documents come from one place", registry.site.place(""));
            let remedy = "Take it out, after `sekisho apply -f` of each document; or take [registry] out.";
            top.report.fault(site().finding("customers", Problem::new(message, remedy)));
            None
        }
        (directory, None) if !top.has("registry") => {
            let directory = directory.unwrap_or_else(|| base.join("customers"));
            Some(Placed { value: CustomersFrom::Directory(directory), site: site() })
        }
        // What stands under `registry` is no table, which has been told.
        (_, None) => None,
    }
}

fn general(section: Option<&Section<'_>>, base: &Path) -> General {
    let path = |text: &str| value::path(base, text);
    let Some(section) = section else {
        return General {
            name: Some("sekisho".into()),
            customers: Some(None),
            secrets: Some(None),
            state: Some(base.join("state")),
            dictionaries: None,
            country_code: Some("81".into()),
            workers: Some(None),
            log: Some(LogLevel::Info),
        };
    };
    let state = section.parsed("state", path).or(base.join("state"));
    if state.as_deref().is_some_and(Path::is_file) {
        let remedy = "Name a directory; it is made when it is needed.";
        section.warn("state", Problem::new("is a file, so nothing can be kept there", remedy));
    }
    General {
        name: section.parsed("name", value::name).or("sekisho".into()),
        customers: section.parsed("customers", path).optional(),
        secrets: section.parsed("secrets", path).optional(),
        state,
        dictionaries: section.parsed("dictionaries", path).optional().flatten(),
        country_code: section.parsed("country_code", country_code).or("81".into()),
        workers: section.integer("workers", 0..=64usize).or(0).map(NonZeroUsize::new),
        log: section.choice("log", &LEVELS).or(LogLevel::Info),
    }
}

fn country_code(text: &str) -> Result<String, Problem> {
    let sound =
        (1..=3).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_digit()) && !text.starts_with('0');
    match sound {
        true => Ok(text.to_owned()),
        false => {
            Err(Problem::new(format!("{text:?} is no country code"), "Give its digits, such as \"81\" for Japan."))
        }
    }
}

/// The listeners that are sound, and whether all are.
fn listeners(top: &Section<'_>) -> (Vec<Placed<Listener>>, bool) {
    let before = top.report.count();
    let sections = top.tables("listener", schema::LISTENER);
    if sections.is_empty() && top.report.count() == before {
        let remedy = "Add [[listener]] with an address and the ports `auth` and `accounting`.";
        top.fault("listener", Problem::new("is missing", remedy));
    }
    let listeners = sections
        .iter()
        .filter_map(|section| Some(Placed { value: listener(section)?, site: section.site.clone() }))
        .collect();
    (listeners, top.report.count() == before)
}

fn listener(section: &Section<'_>) -> Option<Listener> {
    let own = |text: &str| match value::unicast(text) {
        Err(_) if matches!(text, "0.0.0.0" | "::") => {
            let remedy = "Name each address that RADIUS is taken at in a [[listener]] of its own.";
            Err(Problem::new(format!("{text:?} means every address, and the gate knows ours one by one"), remedy))
        }
        outcome => outcome.map_err(|fault| fault.problem(text)),
    };
    let address = section.parsed("address", own).required(section, "address", "Give one of this host's addresses.");
    let ports = ports(section, section.has("dynauth").then_some(Ports::Neither));
    let dynauth = section.port("dynauth").optional();
    if let (Some(ports), Some(Some(dynauth))) = (ports, dynauth)
        && let Some((key, _)) = ports.each().find(|(_, port)| *port == dynauth)
    {
        let problem =
            Problem::new(format!("{dynauth} is the port of `{key}` already"), "Give it its own; 3799 is usual.");
        section.fault("dynauth", problem);
    }
    let device = section.parsed("device", value::interface).optional();
    let dedicated = section.boolean("dedicated").or(false);
    Some(Listener { address: address?, ports: ports?, dynauth: dynauth?, device: device?, dedicated: dedicated? })
}

fn xdp(section: Option<&Section<'_>>, domains: Option<&[DomainDraft]>) -> Option<Xdp> {
    let every = || {
        let ingresses = domains.into_iter().flatten().flat_map(|domain| &domain.ingresses);
        let names: BTreeSet<String> = ingresses.map(|ingress| ingress.value.interface.clone()).collect();
        names.into_iter().collect::<Vec<_>>()
    };
    let (max_sources, max_replies, directory) = (65_536, 8_192, PathBuf::from("/sys/fs/bpf/sekisho"));
    let Some(section) = section else {
        let interfaces = every();
        let (mode, replies_on_veth, persist) = (XdpMode::Auto, false, true);
        return Some(Xdp { mode, interfaces, max_sources, max_replies, replies_on_veth, persist, directory });
    };
    let mode = section.choice("mode", &MODES).or(XdpMode::Auto);
    let interfaces = section.list("interfaces", value::interface).or(every());
    if section.has("interfaces") && interfaces.as_ref().is_some_and(Vec::is_empty) {
        let remedy = "Name at least one, or leave the key out for all, or set `mode = \"off\"`.";
        section.fault("interfaces", Problem::new("is an empty list", remedy));
    }
    let max_sources = section.integer("max_sources", 64..=1_048_576u32).or(max_sources);
    let max_replies = section.integer("max_replies", 0..=262_144u32).or(max_replies);
    let replies_on_veth = section.boolean("replies_on_veth").or(false);
    let persist = section.boolean("persist").or(true);
    let directory = section.parsed("directory", pinned).or(directory);
    Some(Xdp {
        mode: mode?,
        interfaces: interfaces?,
        max_sources: max_sources?,
        max_replies: max_replies?,
        replies_on_veth: replies_on_veth?,
        persist: persist?,
        directory: directory?,
    })
}

/// Where the kernel's objects are pinned: a directory that is made when it is needed, and taken away again.
fn pinned(text: &str) -> Result<PathBuf, Problem> {
    let path = Path::new(text);
    let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if !path.is_absolute() || !plain || path.parent().is_none() {
        let remedy = "Give an absolute path in a BPF file system, such as \"/sys/fs/bpf/sekisho\".";
        return Err(Problem::new(format!("{text:?} cannot be a directory for pinned objects"), remedy));
    }
    Ok(path.to_owned())
}

fn admin(section: Option<&Section<'_>>) -> Option<SocketAddr> {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, 9812));
    let Some(section) = section else { return Some(default) };
    let address = section.parsed("address", value::socket_address).or(default)?;
    if !address.ip().is_loopback() {
        let message = format!("\"{address}\" can be reached from outside, and the admin API asks nobody who they are");
        let remedy = "Take a loopback address, or let a firewall decide who may connect.";
        section.warn("address", Problem::new(message, remedy));
    }
    Some(address)
}

/// Every probe; `None` where any is faulty.
fn probes(top: &Section<'_>, vault: &Vault<'_>) -> Option<Vec<Probe>> {
    let sections = top.tables("probe", schema::PROBE);
    let mut users = BTreeSet::new();
    let mut probes = Vec::new();
    let before = top.report.count();
    for section in &sections {
        let user = section.parsed("user", |text| match text.len() {
            1..=253 => Ok(text.to_owned()),
            n => Err(Problem::new(format!("has {n} octets"), "A User-Name has 1 to 253.")),
        });
        let user = user.required(section, "user", "Give a User-Name, such as \"alice@acme.example\".");
        let password = vault.password(section).map(Password::new);
        let (Some(user), Some(password)) = (user, password) else { continue };
        if !users.insert(user.clone()) {
            section.fault("user", Problem::new(format!("{user:?} has a probe already"), "Keep one of them."));
        }
        probes.push(Probe { user, password });
    }
    (top.report.count() == before).then_some(probes)
}
