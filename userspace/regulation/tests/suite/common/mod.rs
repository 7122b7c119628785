//! A desk at which the operator records things, with a clock that can be set.
pub use jiff::civil::date;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
pub use sekisho_regulation::{
    Book, Entry, Event, Rule, Standing, State,
    event::{Affected, Fault, Ground, Part, Source},
    prerequisites,
    terms::{ContractTerms, Fees, Item, Kind, Mobile, OptionTerms, Terms, Verify},
};

pub struct Desk {
    pub book: Book,
    pub now: Timestamp,
    pub entries: Vec<Entry>,
}

impl Desk {
    /// In Tokyo, at ten o'clock on 1 January 2027.
    pub fn new() -> Desk {
        Desk::of("Asia/Tokyo")
    }

    pub fn of(zone: &str) -> Desk {
        let book = Book::new(TimeZone::get(zone).unwrap());
        let mut desk = Desk { book, now: Timestamp::UNIX_EPOCH, entries: Vec::new() };
        desk.on(date(2027, 1, 1));
        desk
    }

    /// It is ten o'clock local time on `day`.
    pub fn on(&mut self, day: Date) -> &mut Desk {
        self.now = self.local(day, 10, 0);
        self
    }

    pub fn local(&self, day: Date, hour: i8, minute: i8) -> Timestamp {
        self.book.zone().to_timestamp(day.at(hour, minute, 0, 0)).unwrap()
    }

    pub fn today(&self) -> Date {
        self.book.day(self.now)
    }

    pub fn next(&self, events: Vec<Event>) -> Vec<Entry> {
        let first = self.book.last() + 1;
        let entry = |(number, event)| Entry { number, at: self.now, who: "clerk".into(), why: "a test".into(), event };
        (first..).zip(events).map(entry).collect()
    }

    /// Recorded together.
    #[track_caller]
    pub fn all(&mut self, events: Vec<Event>) -> &mut Desk {
        let entries = self.next(events);
        self.book = self.book.admit(&entries).unwrap_or_else(|refusals| panic!("{refusals}"));
        self.entries.extend(entries);
        self
    }

    #[track_caller]
    pub fn record(&mut self, event: Event) -> &mut Desk {
        self.all(vec![event])
    }

    /// Refused: the first reason's rule and article, and all lines.
    #[track_caller]
    pub fn refused(&self, events: Vec<Event>) -> (Rule, &'static str, String) {
        let Err(refusals) = self.book.admit(&self.next(events)) else { panic!("it was admitted") };
        for refusal in &refusals.0 {
            let line = refusal.to_string();
            assert!(!line.contains('\n') && line.contains(refusal.article) && line.contains(&refusal.remedy), "{line}");
            assert!(refusal.contract.as_ref().is_none_or(|contract| line.contains(contract)), "{line}");
        }
        (refusals.0[0].rule, refusals.0[0].article, refusals.to_string())
    }

    /// Accepted, every prerequisite confirmed, and billed from today on.
    #[track_caller]
    pub fn serve(&mut self, contract: &str) -> &mut Desk {
        self.accept(contract).confirm(contract);
        let today = self.today();
        self.record(started(contract, today))
    }

    #[track_caller]
    pub fn accept(&mut self, contract: &str) -> &mut Desk {
        let today = self.today();
        self.record(accepted(contract, today, None))
    }

    #[track_caller]
    pub fn confirm(&mut self, contract: &str) -> &mut Desk {
        let now = self.now;
        let terms = self.book.contract(contract).unwrap().terms.last().unwrap().terms.clone();
        for asked in prerequisites(&terms) {
            self.record(confirmed(contract, &asked.name, now));
        }
        self
    }

    /// At noon of a day.
    #[track_caller]
    pub fn standing(&self, contract: &str, day: Date) -> Standing {
        self.at(contract, self.local(day, 12, 0))
    }

    #[track_caller]
    pub fn at(&self, contract: &str, at: Timestamp) -> Standing {
        self.book.in_force(at).contracts.remove(contract).expect("a contract")
    }

    pub fn served(&self, contract: &str, day: Date) -> bool {
        self.standing(contract, day).served
    }

    pub fn last_day(&self, contract: &str) -> Option<Date> {
        self.book.contract(contract).unwrap().last_day()
    }
}

/// A customer with one client and one proxy, both served since 1 January 2027.
pub fn with_proxy() -> Desk {
    let mut desk = Desk::new();
    let terms = terms("acme", vec![client("acme-nas"), proxy("acme-proxy")]);
    desk.record(document(date(2027, 1, 1), terms)).serve("acme-nas").serve("acme-proxy");
    desk
}

pub fn terms(customer: &str, contracts: Vec<ContractTerms>) -> Terms {
    let mobile = |item, class: &str| Mobile { item, class: class.into(), from: None, until: None };
    let mobile = vec![mobile(Item::D, "I"), mobile(Item::K, "flat"), mobile(Item::I, "III")];
    Terms { customer: customer.into(), mobile, contracts, ..Terms::default() }
}

fn contract(name: &str, kind: Kind, realms: &[&str]) -> ContractTerms {
    ContractTerms {
        contract: name.into(),
        kind,
        realms: realms.iter().map(|&realm| realm.into()).collect(),
        fees: Fees { initial: 10_000, monthly: 30_000, change: 1_000 },
        option: None,
        prerequisites: Vec::new(),
    }
}

pub fn client(name: &str) -> ContractTerms {
    contract(name, Kind::Client, &[])
}

pub fn proxy(name: &str) -> ContractTerms {
    contract(name, Kind::Proxy, &["acme.example"])
}

pub fn group(name: &str, accounts: u32) -> ContractTerms {
    contract(name, Kind::Group { accounts }, &["acme.example"])
}

pub fn vpdn(name: &str, item: Item) -> ContractTerms {
    verified(name, item, Verify::Realm)
}

pub fn verified(name: &str, item: Item, verify: Verify) -> ContractTerms {
    contract(name, Kind::Vpdn { item, verify, lnss: vec!["tokyo-1".into()] }, &["acme.example"])
}

/// With the option and two LNSs.
pub fn shared(name: &str, item: Item) -> ContractTerms {
    let lnss = vec!["tokyo-1".into(), "tokyo-2".into()];
    let mut terms = contract(name, Kind::Vpdn { item, verify: Verify::Realm, lnss }, &["acme.example"]);
    terms.option = Some(OptionTerms { fees: Fees { monthly: 5_000, ..Fees::default() } });
    terms
}

pub fn realm(mut contract: ContractTerms, realm: &str) -> ContractTerms {
    contract.realms = vec![realm.into()];
    contract
}

pub fn document(from: Date, terms: Terms) -> Event {
    Event::Document { from, applied: None, terms }
}

pub fn accepted(contract: &str, on: Date, test_from: Option<Date>) -> Event {
    Event::Accepted { contract: contract.into(), on, test_from }
}

pub fn rejected(contract: &str, on: Date) -> Event {
    Event::Rejected { contract: contract.into(), on }
}

pub fn withdrawn(contract: &str, on: Date) -> Event {
    Event::Withdrawn { contract: contract.into(), on }
}

pub fn confirmed(contract: &str, prerequisite: &str, at: Timestamp) -> Event {
    Event::Confirmed { contract: contract.into(), prerequisite: prerequisite.into(), at }
}

pub fn started(contract: &str, on: Date) -> Event {
    Event::Started { contract: contract.into(), part: Part::Basic, on }
}

pub fn option_started(contract: &str, on: Date) -> Event {
    Event::Started { contract: contract.into(), part: Part::Option, on }
}

pub fn changed(contract: &str, on: Date, from: Date, accounts: (u32, u32)) -> Event {
    Event::Changed { contract: contract.into(), on, from, accounts }
}

pub fn suspended(contract: &str, from: Date) -> Event {
    Event::Suspended { contract: contract.into(), from }
}

pub fn resumed(contract: &str, from: Date) -> Event {
    Event::Resumed { contract: contract.into(), from }
}

pub fn cancelled(contract: &str, arrived: Date, requested: Option<Date>) -> Event {
    by(contract, arrived, requested, Ground::Notice)
}

pub fn by(contract: &str, arrived: Date, requested: Option<Date>, ground: Ground) -> Event {
    let part = Part::Basic;
    Event::Cancelled { contract: contract.into(), part, arrived, requested, ground, survivor: None }
}

pub fn option_cancelled(contract: &str, arrived: Date, requested: Option<Date>, survivor: Option<&str>) -> Event {
    let (part, ground) = (Part::Option, Ground::Notice);
    Event::Cancelled { contract: contract.into(), part, arrived, requested, ground, survivor: survivor.map(Into::into) }
}

pub fn ended(contract: &str, on: Date) -> Event {
    Event::Ended { contract: contract.into(), on, ground: Ground::Operator }
}

pub fn affected(contract: &str, part: Part) -> Affected {
    Affected { contract: contract.into(), part }
}

pub fn opened(incident: &str, contract: &str, known: Timestamp, draft: bool) -> Event {
    let source = if draft { Source::Alert } else { Source::Customer };
    let affects = vec![affected(contract, Part::Basic)];
    Event::IncidentOpened { incident: incident.into(), affects, known, source, draft }
}

pub fn reported(incident: &str, known: Timestamp, source: Source) -> Event {
    Event::IncidentReported { incident: incident.into(), known, source }
}

pub fn closed(incident: &str, ended: Timestamp, fault: Fault) -> Event {
    Event::IncidentClosed { incident: incident.into(), ended, fault }
}

pub fn claimed(incident: &str, contract: &str, arrived: Date) -> Event {
    Event::Claimed { incident: incident.into(), contract: contract.into(), arrived }
}
