//! Access networks, LNSs and `vpdn` contracts.

use sekisho_lns::{
    balance::{AllDown, Balance, Failback, Lns, Strategy, Tier, tier_seed},
    health::{Policy as HealthPolicy, Wanted},
};
use sekisho_wire::{
    policy::Policy,
    salted::decrypt,
    tunnel::{Medium, TunnelSet},
};

use super::*;

/// No limit at all.
pub const BOUNDLESS: Rates = Rates::NONE;
/// A gateway with an address of its own.
pub const PGW: &str = "203.0.113.5:3000";
/// Any of the network's other addresses.
pub const LAC: &str = "100.64.7.9:3000";
/// The number of the access network, which is of type K.
pub const CARRIER: u32 = 2;
/// The number of the contract of customer 0, for `a.example`.
pub const CONTRACT: u32 = 0;

/// An LNS of customer 0 in a contract.
#[derive(Clone)]
pub struct Place {
    pub name: &'static str,
    pub endpoint: &'static str,
    pub weight: u32,
    pub max_sessions: u32,
}

impl Place {
    pub fn new(name: &'static str, endpoint: &'static str) -> Place {
        Place { name, endpoint, weight: 1, max_sessions: 0 }
    }
}

/// Three that share evenly.
pub fn three() -> Vec<Place> {
    vec![Place::new("lns-1", "198.18.0.1"), Place::new("lns-2", "198.18.0.2"), Place::new("lns-3", "2001:db8::3")]
}

/// What LAC and LNS prove themselves with.
pub fn tunnel_password(lns: &str) -> String {
    format!("tunnel password of {lns}")
}

/// A plan with an access network, and a contract of customer 0 for `a.example` on these LNSs.
pub fn vpdn_plan(strategy: Strategy, places: Vec<Place>) -> Plan {
    let mut plan = Plan::default();
    let loads = Arc::clone(&plan.loads);
    plan.reshape(move |snapshot| {
        access_network(snapshot, CARRIER, [PGW, LAC], Rates::NONE);
        snapshot.access_realms.suffixes =
            [("a.example", 0), ("b.example", 1)].map(|(name, id)| (name.as_bytes().into(), RealmId(id))).into();
        let contract = contract(snapshot, &loads, strategy, &places);
        snapshot.vpdn = vec![Some(Arc::new(contract))];
        let realm = Arc::get_mut(snapshot.realms[0].as_mut().unwrap()).unwrap();
        realm.vpdn[AccessType::K.index()] = Some(ContractId(CONTRACT));
    });
    plan
}

fn contract(snapshot: &mut RoutingSnapshot, loads: &Loads, strategy: Strategy, places: &[Place]) -> Vpdn {
    let customer = CustomerId(0);
    let mut tunnels = Vec::new();
    let mut members = Vec::new();
    for (id, place) in (0..).map(LnsId).zip(places) {
        let state = Arc::clone(loads.lns(id));
        let lns = Arc::new(Lns::new(id, place.name, customer, place.weight, place.max_sessions, state));
        members.push(Arc::clone(&lns));
        snapshot.lns_by_endpoint.insert((customer, place.endpoint.as_bytes().into()), id);
        snapshot.lnss.push(Some(Arc::new(LnsPlan {
            lns,
            customer,
            endpoint: place.endpoint.into(),
            wanted: Wanted::Up,
            policy: HealthPolicy::default(),
            probe: None,
        })));
        tunnels.push((
            id,
            TunnelSet {
                medium: Medium::from(place.endpoint.parse::<IpAddr>().unwrap()),
                server_endpoint: place.endpoint.into(),
                client_endpoint: None,
                password: Some(Secret::new(tunnel_password(place.name)).unwrap()),
                private_group_id: None,
                assignment_id: format!("a-{}", place.name).into(),
                client_auth_id: Some("carrier".into()),
                server_auth_id: Some(place.name.into()),
            },
        ));
    }
    let balance = Balance {
        contract: ContractId(CONTRACT),
        customer,
        tiers: vec![Tier::new(strategy, tier_seed("a", "vpdn-a", 0), Failback::Now, members)],
        overflow: None,
        sticky: None,
        slow_start: Duration::ZERO,
        all_down: AllDown::FailOpen,
        alternatives: 8,
        max_sessions: 0,
        load: Arc::clone(loads.contract(ContractId(CONTRACT))),
        customer_max: 0,
        customer_load: Arc::clone(loads.customer(customer)),
    };
    Vpdn {
        id: ContractId(CONTRACT),
        contract: "vpdn-a".to_owned(),
        customer,
        kind: AccessType::K,
        verify: Verify::Realm,
        balance,
        key: Vec::new(),
        tunnels,
        reply: Policy::new(Vec::new()).attributes().unwrap(),
        accounting: Accountant::Lac,
        interim_interval: None,
        rebalance: None,
        full_message: None,
        stats: Arc::new(PerWorker::new(1)),
    }
}

/// The contract of a snapshot that is not in use yet.
pub fn vpdn(snapshot: &mut RoutingSnapshot) -> &mut Vpdn {
    Arc::get_mut(snapshot.vpdn[CONTRACT as usize].as_mut().unwrap()).unwrap()
}

/// What is special about the access network of a snapshot that is not in use yet.
pub fn access(snapshot: &mut RoutingSnapshot) -> &mut Access {
    client(snapshot, CARRIER as usize).access.as_mut().unwrap()
}

/// A device's login: `n` makes its number, its identifier and its authenticator.
pub fn dial(n: u32, user: &str) -> RequestBuilder {
    let mut authenticator = [0; 16];
    authenticator[..4].copy_from_slice(&n.to_be_bytes());
    RequestBuilder::new(Code::ACCESS_REQUEST, n as u8, authenticator)
        .attribute(attr::USER_NAME, user)
        .attribute(attr::CALLING_STATION_ID, number(n))
        .message_authenticator()
}

/// The number of a device.
pub fn number(n: u32) -> String {
    format!("8190{n:08}")
}

/// A device's accounting record.
pub fn report(n: u32, status: u32, user: &str) -> RequestBuilder {
    RequestBuilder::new(Code::ACCOUNTING_REQUEST, n as u8, [0; 16])
        .attribute(attr::ACCT_STATUS_TYPE, status.to_be_bytes())
        .attribute(attr::ACCT_SESSION_ID, format!("session-{n}"))
        .attribute(attr::NAS_IDENTIFIER, "pgw-1")
        .attribute(attr::USER_NAME, user)
        .attribute(attr::CALLING_STATION_ID, number(n))
}

/// One tunnel of an Accept, as a LAC has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tunnel {
    pub tag: u8,
    pub preference: u32,
    pub endpoint: String,
    pub password: String,
    pub salt: u16,
}

/// The tunnels of an Accept, by preference.
pub fn tunnels(accept: &Sent, request: &[u8]) -> Vec<Tunnel> {
    assert_eq!(accept.bytes[0], Code::ACCESS_ACCEPT.0, "{accept:?}");
    let attrs = verified_at_nas(accept, request);
    let authenticator = request[4..20].try_into().unwrap();
    let of = |number: u8, tag: u8| {
        let mut found = attrs.iter().filter(move |(kind, value)| *kind == number && value[0] == tag);
        let value = found.next().map(|(_, value)| value[1..].to_vec());
        assert!(found.next().is_none(), "one {number} of each tag");
        value.unwrap_or_else(|| panic!("no {number} with tag {tag}: {attrs:?}"))
    };
    let tags = attrs.iter().filter(|(kind, _)| *kind == attr::TUNNEL_TYPE).map(|(_, value)| value[0]);
    let mut all: Vec<Tunnel> = tags
        .map(|tag| {
            assert_eq!(of(attr::TUNNEL_TYPE, tag), [0, 0, 3]);
            let preference = of(attr::TUNNEL_PREFERENCE, tag);
            let mut password = of(attr::TUNNEL_PASSWORD, tag);
            let salt = u16::from_be_bytes([password[0], password[1]]);
            Tunnel {
                tag,
                preference: u32::from_be_bytes([0, preference[0], preference[1], preference[2]]),
                endpoint: String::from_utf8(of(attr::TUNNEL_SERVER_ENDPOINT, tag)).unwrap(),
                password: String::from_utf8(decrypt(&mut password, &nas_secret(), &authenticator).unwrap().into())
                    .unwrap(),
                salt,
            }
        })
        .collect();
    all.sort_by_key(|tunnel| tunnel.preference);
    all
}

impl World {
    /// Sends a login of the access network's, and gives what comes back at once.
    pub fn dial(&mut self, request: &[u8]) -> Option<Sent> {
        self.receive(Socket::Service(AUTH), address(PGW), request).1
    }

    /// Sends an accounting record of the access network's.
    pub fn account(&mut self, request: &[u8]) -> (Action, Option<Sent>) {
        self.receive(Socket::Service(ACCT), address(PGW), request)
    }

    /// Keeps, or does not, what the engine wants recorded, and gives the answers.
    pub fn keep_records(&mut self, keep: bool) -> Vec<Sent> {
        let mut tokens = Vec::new();
        while let Some(token) = self.engine.poll_record(|record| record.token) {
            tokens.push(token);
        }
        for token in tokens {
            self.engine.handle_recorded(self.now, token, keep);
        }
        let sent = self.pass(Duration::from_millis(10)).into_iter().map(|(_, sent)| sent);
        sent.filter(Sent::to_client).collect()
    }
}
