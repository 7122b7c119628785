//! Sessions: of `vpdn` contracts, and of hosted accounts.

use sekisho_engine::{
    hosted,
    snapshot::{ClientId, ClientRole, CustomerId, RoutingSnapshot, SourceId},
};
use sekisho_lns::{
    LnsId,
    sessions::{Filter, SessionView},
};
use sekisho_wire::number::canonical_number;

use super::{AskedError, Contract, LIMIT, Query, contract, customer};
use crate::{clock::wall_seconds, report, running::Running, vpdn::naming};

/// A [`Query`] as this node understands it.
struct Wanted<'a> {
    snapshot: &'a RoutingSnapshot,
    customer: Option<CustomerId>,
    contract: Option<Contract>,
    lns: Option<LnsId>,
    client: Option<ClientId>,
    number: Option<Vec<u8>>,
    user: Option<&'a str>,
}

impl<'a> Wanted<'a> {
    fn new(snapshot: &'a RoutingSnapshot, query: &'a Query) -> Result<Wanted<'a>, AskedError> {
        let customer = query.customer.as_deref().map(|name| customer(snapshot, name)).transpose()?;
        let mut digits = [0; 32];
        let mut canonical =
            |number: &[u8]| canonical_number(number, &snapshot.country_code, &mut digits).unwrap_or(number).to_vec();
        Ok(Wanted {
            snapshot,
            customer,
            contract: query.contract.as_deref().map(|name| contract(snapshot, name)).transpose()?,
            lns: query.lns.as_deref().map(|name| lns(snapshot, customer, name)).transpose()?,
            client: query.network.as_deref().map(|name| client(snapshot, name)).transpose()?,
            number: query.number.as_deref().map(|number| canonical(number.as_bytes())),
            user: query.user.as_deref(),
        })
    }

    /// What to look for among the sessions of `vpdn` contracts; `None`: there is nothing to look for.
    fn vpdn(&self, limit: usize) -> Option<Filter<'_>> {
        let contract = match self.contract {
            None => None,
            Some(Contract::Vpdn(contract)) => Some(contract),
            Some(Contract::Group(_)) => return None,
        };
        Some(Filter {
            customer: self.customer,
            contract,
            lns: self.lns,
            source: self.client.map(|client| SourceId(client.0)),
            number: self.number.as_deref(),
            user: self.user.map(str::as_bytes),
            limit,
        })
    }

    /// Whether sessions of hosted accounts can be meant.
    fn is_hosted(&self) -> bool {
        self.lns.is_none() && !matches!(self.contract, Some(Contract::Vpdn(_)))
    }

    /// Whether this one is.
    fn is_it(&self, view: &hosted::SessionView) -> bool {
        let group = self.snapshot.group(view.group);
        self.customer.is_none_or(|customer| group.is_some_and(|group| group.customer == customer))
            && self.contract.is_none_or(|it| matches!(it, Contract::Group(group) if group == view.group))
            && self.client.is_none_or(|client| client == view.client)
            && self.number.as_deref().is_none_or(|number| short(number, hosted::SessionView::NUMBER) == &*view.number)
            && self.user.is_none_or(|user| self.is_user(view, user))
    }

    /// Whether this is the account's full name, as far as it is kept.
    fn is_user(&self, view: &hosted::SessionView, user: &str) -> bool {
        let name = user.strip_suffix(realm(self.snapshot, view)).and_then(|name| name.strip_suffix('@'));
        name.is_some_and(|name| short(name.as_bytes(), hosted::SessionView::USER) == &*view.user)
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
        let wanted = Wanted::new(&snapshot, query)?;
        let limit = query.limit.unwrap_or(LIMIT);
        let (vpdn, hosted) = (&self.vpdn.sessions, &self.hosted.sessions);
        let found = wanted.vpdn(limit).map(|filter| vpdn.list(now, &filter)).unwrap_or_default();
        let mut sessions: Vec<_> = found.iter().map(|view| of_vpdn(&snapshot, view)).collect();
        if wanted.is_hosted() {
            let found = hosted.list(now, limit - sessions.len(), |view| wanted.is_it(view));
            sessions.extend(found.iter().map(|view| of_hosted(&snapshot, view)));
        }
        let counts = vpdn.counts();
        Ok(report::Sessions {
            tracked: counts.sessions as u64,
            reserved: counts.reservations as u64,
            untracked: counts.untracked,
            hosted: snapshot.groups.iter().flatten().map(|group| u64::from(group.sessions.now())).sum(),
            hosted_untracked: hosted.counts().untracked,
            shown: sessions.len(),
            sessions,
        })
    }

    /// Gives back the places of hosted accounts' sessions that agree with everything that is said, and says how many they were.
    /// Beside the runtime.
    ///
    /// # Errors
    ///
    /// [`AskedError`]: also where nothing is said, or sessions of `vpdn` contracts are meant.
    pub fn forget_sessions(&self, query: &Query) -> Result<usize, AskedError> {
        let (now, snapshot) = (self.clock.now(), self.routing.load());
        if (Query { limit: None, ..query.clone() }) == Query::default() {
            let words = "say which sessions: by customer, contract, network, number or user";
            return Err(AskedError::Nonsense(words.to_owned()));
        }
        if query.limit.is_some() {
            return Err(AskedError::Nonsense("limit is for what is shown: all that agree are forgotten".to_owned()));
        }
        let wanted = Wanted::new(&snapshot, query)?;
        if !wanted.is_hosted() {
            let words = "sessions of vpdn contracts end by their Stop, by the next login of their device, or in silence: those of hosted \
                         accounts can be forgotten";
            return Err(AskedError::Unable(words.to_owned()));
        }
        let forgotten = self.hosted.sessions.forget(now, |view| wanted.is_it(view));
        tracing::info!(forgotten, "sessions of hosted accounts are forgotten, by command");
        Ok(forgotten)
    }
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

/// Who accounts: an access network, or a client.
fn client(snapshot: &RoutingSnapshot, name: &str) -> Result<ClientId, AskedError> {
    let accounts = |role| matches!(role, ClientRole::AccessNetwork(_) | ClientRole::Terminal);
    let mut clients = snapshot.clients.iter().flatten().filter(|it| accounts(it.role));
    let found = clients.find(|client| client.contract == name);
    found.map(|client| client.id).ok_or_else(|| AskedError::NoSuch("access network or client", name.to_owned()))
}

fn realm<'s>(snapshot: &'s RoutingSnapshot, view: &hosted::SessionView) -> &'s str {
    snapshot.realm(view.realm).map_or("", |realm| realm.name.as_str())
}

fn short(octets: &[u8], length: usize) -> &[u8] {
    octets.get(..length).unwrap_or(octets)
}

fn of_vpdn(snapshot: &RoutingSnapshot, view: &SessionView) -> report::Session {
    let is_active = view.session.is_some();
    let silent = view.silent.as_secs();
    report::Session {
        customer: snapshot.customer_name(view.customer).to_owned(),
        contract: snapshot.vpdn(view.contract).map(|contract| contract.contract.clone()).unwrap_or_default(),
        hosted: false,
        lns: view.lns.and_then(|lns| snapshot.lns(lns)).map(|plan| plan.lns.name.clone()),
        network: naming::source(snapshot, view.access).unwrap_or_default(),
        user: String::from_utf8_lossy(&view.user).into_owned(),
        number: String::from_utf8_lossy(&view.number).into_owned(),
        framed_ip: view.framed_ip,
        state: if is_active { "active" } else { "reserved" }.to_owned(),
        age_seconds: if is_active { since(view.started) } else { silent },
        last_heard_seconds: Some(silent),
        expires_seconds: view.expires_in.as_secs(),
        bearers: view.bearers.count_ones(),
    }
}

fn of_hosted(snapshot: &RoutingSnapshot, view: &hosted::SessionView) -> report::Session {
    let group = snapshot.group(view.group);
    report::Session {
        customer: group.map(|group| snapshot.customer_name(group.customer).to_owned()).unwrap_or_default(),
        contract: group.map(|group| group.contract.clone()).unwrap_or_default(),
        hosted: true,
        lns: None,
        network: snapshot.client(view.client).map(|client| client.contract.clone()).unwrap_or_default(),
        user: format!("{}@{}", String::from_utf8_lossy(&view.user), realm(snapshot, view)),
        number: String::from_utf8_lossy(&view.number).into_owned(),
        framed_ip: None,
        state: if view.is_reserved { "reserved" } else { "active" }.to_owned(),
        age_seconds: since(view.since),
        last_heard_seconds: None,
        expires_seconds: view.expires_in.as_secs(),
        bearers: 0,
    }
}

fn since(unix: u64) -> u64 {
    wall_seconds().saturating_sub(unix)
}
