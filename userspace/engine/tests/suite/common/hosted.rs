//! Hosted accounts: a contract of customer 0 for `a.example`, one of customer 1 for `b.example`, and their accounts.

use sekisho_engine::{
    hosted::{Account, GroupSessions, Hosted, Secret as Kept, Sessions as Table, Settings as Bounds},
    stats::GroupStats,
};
use zeroize::Zeroizing;

use super::*;

/// The password that [`pap`] shows.
pub const PASSWORD: &str = "opensesame";
/// The contracts.
pub const OF_A: GroupId = GroupId(0);
/// The contract of customer 1.
pub const OF_B: GroupId = GroupId(1);

/// Without accounts and sessions.
pub fn no_accounts(bounds: Bounds) -> Hosted {
    Hosted::new([3; 32], Table::new(bounds, [3; 32]))
}

/// A contract with everything allowed and nothing limited.
pub fn group(id: GroupId, customer: u32) -> Group {
    Group {
        id,
        contract: format!("group-{}", ["a", "b"][id.0 as usize]),
        customer: CustomerId(customer),
        realms: vec![RealmId(customer)],
        protocols: Protocols::ALL,
        form: PasswordForm::Recoverable,
        simultaneous: 0,
        max_sessions: 0,
        calling: Calling::Any,
        reply: Box::default(),
        lockout: Lockout { failures: 0, client_failures: 0, ..Lockout::default() },
        sessions: Arc::default(),
        stats: Arc::new(PerWorker::new(2)),
    }
}

/// A plan where both realms are answered here; `shape` has the last word on customer 0's contract.
pub fn group_plan(shape: impl Fn(&mut Group) + 'static) -> Plan {
    let mut plan = Plan::default();
    let state: [(Arc<GroupSessions>, Arc<PerWorker<GroupStats>>); 2] =
        std::array::from_fn(|_| (Arc::default(), Arc::new(PerWorker::new(2))));
    plan.reshape(move |snapshot| {
        for (id, owner) in [(OF_A, 0), (OF_B, 1)] {
            let mut group = group(id, owner);
            let (sessions, stats) = &state[id.index()];
            (group.sessions, group.stats) = (Arc::clone(sessions), Arc::clone(stats));
            if id == OF_A {
                shape(&mut group);
            }
            snapshot.groups.push(Some(Arc::new(group)));
            let realm = Arc::get_mut(snapshot.realms[owner as usize].as_mut().unwrap()).unwrap();
            realm.service = Some(RealmService::Group(id));
        }
        customer(snapshot, 0).acct_pools = Vec::new();
        snapshot.pools = Vec::new();
    });
    plan
}

/// A world with the accounts `alice` and `bob` in customer 0's realm, and `alice` with another password in customer 1's.
pub fn group_world(shape: impl Fn(&mut Group) + 'static) -> World {
    world_of(group_plan(shape))
}

/// The same with this plan.
pub fn world_of(plan: Plan) -> World {
    let world = World::with(plan, Limits::default());
    world.put("alice", &account());
    world.put("bob", &account());
    let other = Account { group: OF_B, secret: recoverable("another"), ..account() };
    world.settings.hosted.accounts.put(RealmId(1), b"alice", &other).unwrap();
    world
}

/// An account of customer 0's.
pub fn account() -> Account {
    Account {
        group: OF_A,
        secret: recoverable(PASSWORD),
        enabled: true,
        expires: None,
        simultaneous: None,
        calling: Vec::new(),
        reply: Box::default(),
    }
}

pub fn recoverable(password: &str) -> Kept {
    Kept::Recoverable(Zeroizing::new(password.as_bytes().into()))
}

/// A login from a number.
pub fn login(id: u8, user: &str, password: &str, number: &str) -> Vec<u8> {
    let mut builder = RequestBuilder::new(Code::ACCESS_REQUEST, id, [id; 16])
        .attribute(attr::USER_NAME, user)
        .user_password(password.as_bytes(), &nas_secret());
    if !number.is_empty() {
        builder = builder.attribute(attr::CALLING_STATION_ID, number);
    }
    builder.message_authenticator().build(&nas_secret()).unwrap()
}

/// A record of a session of Acct-Status-Type `status`, from a number.
pub fn session(id: u8, status: u32, session: &str, user: &str, number: &str) -> Vec<u8> {
    let mut builder = RequestBuilder::new(Code::ACCOUNTING_REQUEST, id, [0; 16])
        .attribute(attr::ACCT_STATUS_TYPE, status.to_be_bytes())
        .attribute(attr::ACCT_SESSION_ID, session);
    if !user.is_empty() {
        builder = builder.attribute(attr::USER_NAME, user);
    }
    if !number.is_empty() {
        builder = builder.attribute(attr::CALLING_STATION_ID, number);
    }
    builder.build(&nas_secret()).unwrap()
}

impl World {
    /// With this in the place of what there was of accounts and their sessions.
    pub fn replace_hosted(&mut self, hosted: Hosted) {
        self.settings.hosted = Arc::new(hosted);
        self.engine = Engine::new(self.settings.clone(), Arc::clone(&self.snapshot), Arc::clone(&self.stats));
        self.open_ports();
    }

    /// Has an account of customer 0's from now on.
    pub fn put(&self, user: &str, account: &Account) {
        self.settings.hosted.accounts.put(RealmId(0), user.as_bytes(), account).unwrap();
    }

    /// A login's answer: at once if it is an Accept or a Challenge, after `reject_delay` if it is a Reject.
    pub fn log_in(&mut self, request: &[u8]) -> Sent {
        self.log_in_at(NAS, request)
    }

    /// The same from another client.
    pub fn log_in_at(&mut self, peer: &str, request: &[u8]) -> Sent {
        let (action, sent) = self.receive(Socket::Service(AUTH), address(peer), request);
        let answer = match sent {
            Some(sent) => {
                assert_ne!(sent.bytes[0], Code::ACCESS_REJECT.0, "a Reject is delayed");
                sent
            }
            None => {
                assert_eq!(action, Action::Hold);
                assert_eq!(self.pass(Duration::from_millis(980)), [], "not before reject_delay");
                let mut back = self.pass(Duration::from_millis(60));
                assert_eq!(back.len(), 1, "one answer");
                let (_, sent) = back.remove(0);
                assert_eq!(sent.bytes[0], Code::ACCESS_REJECT.0);
                sent
            }
        };
        verified_at_nas(&answer, request);
        answer
    }

    /// Whether a login gets in.
    pub fn is_let_in(&mut self, request: &[u8]) -> bool {
        self.log_in(request).bytes[0] == Code::ACCESS_ACCEPT.0
    }

    /// A record of the first NAS, which is kept and answered.
    pub fn report(&mut self, record: &[u8]) -> Sent {
        self.report_at(NAS, record)
    }

    /// The same of another NAS.
    pub fn report_at(&mut self, peer: &str, record: &[u8]) -> Sent {
        let (action, sent) = self.receive(Socket::Service(ACCT), address(peer), record);
        assert_eq!((action, sent), (Action::Hold, None), "not before it is recorded");
        let mut answers = self.keep_records(true);
        assert_eq!(answers.len(), 1, "one answer");
        answers.remove(0)
    }

    /// What customer 0's logins got.
    pub fn group_stats(&self) -> &GroupStats {
        self.snapshot.group(OF_A).unwrap().stats.worker(0)
    }
}
