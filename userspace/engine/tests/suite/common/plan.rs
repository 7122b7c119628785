//! What a snapshot is made from.

use super::*;

/// What a snapshot is made from.
#[derive(Clone)]
pub struct Plan {
    pub version: u64,
    pub clients: Vec<Option<(&'static str, u32, Vec<u8>)>>,
    pub auth: Vec<&'static str>,
    pub acct: Vec<&'static str>,
    pub kind: PoolKind,
    /// Tiers below the first, each with the servers (of `auth` and `acct`) that are in it.
    pub lower_tiers: Vec<(PoolKind, Vec<&'static str>)>,
    /// Servers' weights; 1 where nothing is said.
    pub weights: HashMap<&'static str, u32>,
    pub workers: usize,
    pub answer_within: Duration,
    pub reject_delay: Duration,
    /// The address of client 0 is another customer's client too, in another domain: that of the second client.
    pub overlapping: bool,
    /// Customer 0 has another contract, with servers for authentication only.
    pub auth_only: bool,
    pub max_outstanding: u32,
    pub response_timeouts: u32,
    pub status_check: Option<StatusCheck>,
    /// What the operator wants of a home server, by its address; up where nothing is said.
    pub services: HashMap<&'static str, HomeService>,
    /// Secrets that home servers had before.
    pub previous_home_secret: Option<Secret>,
    /// Changed by a reload, it gives all home servers other names, and so other numbers.
    pub names: u32,
    /// Names and addresses by number, never given again.
    pub book: Vec<(u32, &'static str)>,
    /// By number, as long as the process lives.
    pub home_stats: Vec<Arc<PerWorker<HomeStats>>>,
    pub states: HashMap<String, Arc<HomeState>>,
    /// How many sessions LNSs, contracts and customers have.
    pub loads: Arc<Loads>,
    /// Where requests that are being repeated are published.
    pub kernel: Option<Arc<Kernel>>,
    /// The last word on every snapshot.
    pub shape: Shape,
}

impl Default for Plan {
    fn default() -> Plan {
        let secret = b"the secret of the NAS".to_vec();
        Plan {
            version: 1,
            clients: vec![Some((NAS, 0, secret.clone())), Some((NAS_B, 1, secret))],
            auth: vec![HOME_1, HOME_2],
            acct: vec![ACCT_1],
            kind: PoolKind::FailOver,
            lower_tiers: Vec::new(),
            weights: HashMap::new(),
            workers: 1,
            answer_within: Duration::from_secs(10),
            reject_delay: Duration::from_secs(1),
            overlapping: false,
            auth_only: false,
            max_outstanding: 65_536,
            response_timeouts: 1,
            status_check: None,
            services: HashMap::new(),
            previous_home_secret: None,
            names: 0,
            book: Vec::new(),
            home_stats: Vec::new(),
            states: HashMap::new(),
            loads: Arc::default(),
            kernel: None,
            shape: Arc::new(|_| {}),
        }
    }
}

impl Plan {
    /// The plan of most tests, but for what `shape` changes in its snapshots.
    pub fn shaped(shape: impl Fn(&mut RoutingSnapshot) + 'static) -> Plan {
        Plan { shape: Arc::new(shape), ..Plan::default() }
    }

    /// Changes snapshots further, from the next reload on.
    pub fn reshape(&mut self, shape: impl Fn(&mut RoutingSnapshot) + 'static) {
        let before = Arc::clone(&self.shape);
        self.shape = Plan::shaped(move |snapshot| {
            before(snapshot);
            shape(snapshot);
        })
        .shape;
    }

    /// A terminal as this plan has them.
    pub fn client(&self, number: u32, at: &str, customer: u32) -> Client {
        Client {
            id: ClientId(number),
            contract: format!("client-{number}"),
            role: ClientRole::Terminal,
            customer: CustomerId(customer),
            address: address(at).ip(),
            secret: nas_secret(),
            previous_secret: None,
            require_message_authenticator: Require::No,
            limit_proxy_state: true,
            reject_delay: self.reject_delay,
            answer_within: self.answer_within,
            when_unanswered: Verdict::Silence,
            nas: NasIdentity::default(),
            default_realm: None,
            bare_domain: false,
            outer_suffix: None,
            administrative: false,
            request_policies: Vec::new(),
            reply_policies: Vec::new(),
            realm_limit: BucketParams::NONE,
            access: None,
            state: Arc::default(),
        }
    }

    /// Customer 0 has `a.example` with a proxy; customer 1 has `b.example`, which nobody serves.
    pub fn compile(&mut self) -> Arc<RoutingSnapshot> {
        let mut gate = GateTable::default();
        let mut snapshot =
            RoutingSnapshot { version: self.version, country_code: "81".to_owned(), ..RoutingSnapshot::default() };
        gate.ingresses.insert(IngressKey::untagged(IFINDEX), Ingress { domain: 0, index: 0 });
        if self.overlapping {
            let key = SourceKey { domain: 1, address: address_bytes(address(NAS).ip()) };
            gate.ingresses.insert(IngressKey::untagged(ELSEWHERE), Ingress { domain: 1, index: 1 });
            gate.sources.insert(key, Source::unlimited(Roles::CLIENT, 1));
        }
        let mut register = |ip: IpAddr, roles: Roles, id: u32| {
            let key = SourceKey { domain: 0, address: address_bytes(ip) };
            let entry = gate.sources.entry(key).or_insert(Source::unlimited(roles, id));
            entry.roles = entry.roles.with(roles);
        };
        for (index, client) in self.clients.iter().enumerate() {
            snapshot.clients.push(client.as_ref().map(|(peer, customer, secret)| {
                register(address(peer).ip(), Roles::CLIENT, index as u32);
                Arc::new(Client { secret: Secret::new(secret).unwrap(), ..self.client(index as u32, peer, *customer) })
            }));
        }
        for (id, name) in ["a", "b"].into_iter().enumerate() {
            let realm = format!("{name}.example");
            snapshot.realms.push(Some(Arc::new(Realm {
                id: RealmId(id as u32),
                name: realm.clone(),
                customer: CustomerId(id as u32),
                service: (id == 0).then_some(RealmService::Proxy(PoolId(0))),
                vpdn: [None; AccessType::COUNT],
                stats: Arc::new(PerWorker::new(self.workers)),
            })));
            snapshot.customers.push(Some(Arc::new(Customer {
                id: CustomerId(id as u32),
                name: name.to_owned(),
                suffixes: Lookup::from([(realm.into_bytes().into(), RealmId(id as u32))]),
                prefixes: Lookup::new(),
                nt_domains: Lookup::new(),
                apns: Lookup::new(),
                patterns: Vec::new(),
                default_realm: None,
                nases: Lookup::new(),
                acct_pools: if id == 0 { vec![PoolId(0)] } else { Vec::new() },
                stats: Arc::new(PerWorker::new(self.workers)),
            })));
        }
        let homes =
            self.auth.iter().map(|at| (at, HomeKind::Auth)).chain(self.acct.iter().map(|at| (at, HomeKind::Acct)));
        let tier = |(seed, kind): (u64, PoolKind)| Tier { kind, seed, auth: Vec::new(), acct: Vec::new() };
        let kinds = std::iter::once(self.kind).chain(self.lower_tiers.iter().map(|(kind, _)| *kind));
        let mut tiers: Vec<Tier> = (1..).zip(kinds).map(tier).collect();
        for (index, (at, kind)) in homes.enumerate() {
            let known = self.book.iter().position(|known| *known == (self.names, *at));
            let number = known.unwrap_or_else(|| {
                self.book.push((self.names, *at));
                self.home_stats.push(Arc::new(PerWorker::new(self.workers)));
                self.book.len() - 1
            });
            let id = HomeId(number as u32);
            register(address(at).ip(), Roles::HOME_SERVER, Source::NO_ID);
            let weight = self.weights.get(at).copied().unwrap_or(1);
            let member = Member::new(id, &format!("home-{at}"), weight);
            let depth = self.lower_tiers.iter().position(|(_, servers)| servers.contains(at)).map_or(0, |it| it + 1);
            let tier = &mut tiers[depth];
            match kind {
                HomeKind::Auth => tier.auth.push(member),
                _ => tier.acct.push(member),
            }
            snapshot.home_by_address.insert(address(at), id);
            let state = self.states.entry((*at).to_owned()).or_default();
            let home = Some(Arc::new(HomeServer {
                id,
                name: format!("home-{at}"),
                customer: CustomerId(0),
                kind,
                address: address(at),
                secret: home_secret(index),
                previous_secret: self.previous_home_secret.clone(),
                require_message_authenticator: Require::No,
                response_window: Duration::from_secs(3),
                response_timeouts: self.response_timeouts,
                zombie_period: Duration::from_secs(20),
                revive_interval: Duration::from_secs(60),
                status_check: self.status_check,
                max_outstanding: self.max_outstanding,
                service: self.services.get(at).copied().unwrap_or(HomeService::Up),
                state: Arc::clone(state),
                stats: Arc::clone(&self.home_stats[number]),
            }));
            if snapshot.homes.len() <= number {
                snapshot.homes.resize(number + 1, None);
            }
            snapshot.homes[number] = home;
        }
        let pool = |contract: &str, tiers: Vec<Tier>| Pool {
            contract: contract.to_owned(),
            customer: CustomerId(0),
            tiers,
            copies: Vec::new(),
            strip: Strip::Nothing,
            when_down: Verdict::Silence,
            framed_networks: Vec::new(),
            auth_awaited: false,
            acct_awaited: false,
        };
        if self.auth_only {
            let only = Tier { kind: self.kind, seed: 1, auth: tiers[0].auth.clone(), acct: Vec::new() };
            snapshot.pools = vec![pool("proxy-a", tiers), pool("auth-only", vec![only])];
        } else {
            snapshot.pools = vec![pool("proxy-a", tiers)];
        }
        snapshot.gate = gate;
        (self.shape)(&mut snapshot);
        Arc::new(snapshot)
    }
}

/// Adds an access network with this number: the first address, and the 65,536 around the other one.
pub fn access_network(snapshot: &mut RoutingSnapshot, number: u32, [at, around]: [&str; 2], limits: Rates) {
    let mut client = Plan::default().client(number, at, CustomerId::NOBODY.0);
    client.role = ClientRole::AccessNetwork(AccessType::K);
    client.reject_delay = Duration::from_millis(500);
    client.when_unanswered = Verdict::Reject;
    let places = [RealmPlace::Suffix].into_iter().collect();
    client.access = Some(Box::new(Access { places, max_alternatives: 8, ..Access::of_an_lns() }));
    if snapshot.clients.len() <= number as usize {
        snapshot.clients.resize(number as usize + 1, None);
    }
    snapshot.clients[number as usize] = Some(Arc::new(client));
    let source = Source::unlimited(Roles::ACCESS_NETWORK, number);
    let source = Source { limits, identity: Identity::ACCESS_NETWORK, ..source };
    let address_of = |at| address_bytes(address(at).ip());
    snapshot.gate.sources.insert(SourceKey { domain: 0, address: address_of(at) }, source);
    assert!(snapshot.gate.prefixes.insert(Prefix::new(0, address_of(around), 16), source));
}

/// A client of a snapshot that is not in use yet.
pub fn client(snapshot: &mut RoutingSnapshot, index: usize) -> &mut Client {
    Arc::get_mut(snapshot.clients[index].as_mut().unwrap()).unwrap()
}

/// A customer of a snapshot that is not in use yet.
pub fn customer(snapshot: &mut RoutingSnapshot, index: usize) -> &mut Customer {
    Arc::get_mut(snapshot.customers[index].as_mut().unwrap()).unwrap()
}

/// A home server of a snapshot that is not in use yet.
pub fn home(snapshot: &mut RoutingSnapshot, index: usize) -> &mut HomeServer {
    Arc::get_mut(snapshot.homes[index].as_mut().unwrap()).unwrap()
}

/// Gives a customer another realm, and a number for it.
pub fn realm(snapshot: &mut RoutingSnapshot, customer: u32, name: &str, service: Option<RealmService>) -> RealmId {
    let id = RealmId(snapshot.realms.len() as u32);
    let stats = Arc::new(PerWorker::new(1));
    let vpdn = [None; AccessType::COUNT];
    let realm = Realm { id, name: name.to_owned(), customer: CustomerId(customer), service, vpdn, stats };
    snapshot.realms.push(Some(Arc::new(realm)));
    id
}
