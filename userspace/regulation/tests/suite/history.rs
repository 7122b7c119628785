//! The history and the book: what was admitted is what is replayed, and the next change is where something changes.

use std::{collections::BTreeSet, time::Instant};

use crate::common::*;
use jiff::{Span, Timestamp, ToSpan as _, civil::Date};
use proptest::prelude::*;

/// Something that somebody might try on a day: which verb, for which contract, and two numbers for its days.
type Try = (u8, u8, i8, u8);

const NAMES: [&str; 6] = ["nas-1", "nas-2", "acme-proxy", "acme-group", "acme-d", "acme-k"];

/// A document with some of six contracts.
fn document_of(names: &BTreeSet<&str>, accounts: u32, option: bool, until: Option<Date>) -> Terms {
    let mut contracts = vec![client("nas-1"), client("nas-2"), proxy("acme-proxy"), group("acme-group", accounts)];
    contracts.push(if option { shared("acme-d", Item::D) } else { vpdn("acme-d", Item::D) });
    contracts.push(vpdn("acme-k", Item::K));
    contracts.retain(|contract| names.contains(&*contract.contract));
    let mut terms = terms("acme", contracts);
    terms.mobile[0].until = until;
    terms
}

/// The newest document with one contract more or less, perhaps another number of accounts, and perhaps with the option.
fn next_document(desk: &Desk, which: u8, until: Option<Date>) -> Terms {
    let newest = &desk.book.customer("acme").unwrap().documents.last().unwrap().terms;
    let mut names: BTreeSet<&str> = newest.contracts.iter().map(|terms| &*terms.contract).collect();
    let name = NAMES[usize::from(which) % NAMES.len()];
    if !names.remove(name) {
        names.insert(name);
    }
    document_of(&names, if which & 64 == 0 { 10 } else { 20 }, which & 128 == 0, until)
}

fn events(desk: &Desk, (verb, which, near, far): Try) -> Vec<Event> {
    let name = NAMES[usize::from(which) % NAMES.len()];
    let day = |days: i64| desk.today().saturating_add(days.days());
    let (near, far) = (day(i64::from(near)), day(i64::from(far)));
    let one = match verb % 18 {
        0..3 => document(near.max(desk.today()), next_document(desk, which, (verb & 16 != 0).then_some(far))),
        3 | 4 => accepted(name, near.min(desk.today()), (which & 8 != 0).then_some(far)),
        5 => rejected(name, near),
        6 => withdrawn(name, near),
        7 | 8 => started(name, far),
        9 => {
            let accounts = if which & 64 == 0 { (20, 10) } else { (10, 20) };
            let newest = document(far, next_document(desk, which, None));
            return vec![newest, changed("acme-group", near, far, accounts)];
        }
        10 => suspended(name, far),
        11 => resumed(name, far),
        12 => cancelled(name, near, Some(far)),
        13 => option_started("acme-d", far),
        14 => option_cancelled("acme-d", near, None, Some("tokyo-2")),
        15 => ended(name, far),
        16 => return vec![cancelled("acme-proxy", near, Some(far)), cancelled("nas-1", near, Some(far))],
        _ => confirmed(name, ["realm", "terminal", "lns", "requesting-terminals"][usize::from(which) % 4], desk.now),
    };
    vec![one]
}

/// What comes of many tries, each a few days after the one before: most are refused, and change nothing.
fn tried(zone: &str, tries: &[(Try, u8)]) -> Desk {
    let mut desk = Desk::of(zone);
    let first = if tries.len().is_multiple_of(2) { "acme-proxy" } else { "acme-group" };
    desk.record(document(date(2027, 1, 1), document_of(&BTreeSet::from(["nas-1", first, "acme-d"]), 10, true, None)));
    for name in ["nas-1", first, "acme-d"] {
        desk.accept(name).confirm(name);
    }
    for (attempt, days) in tries {
        let entries = desk.next(events(&desk, *attempt));
        if let Ok(book) = desk.book.admit(&entries) {
            desk.book = book;
            desk.entries.extend(entries);
        }
        let later = desk.today().saturating_add(Span::new().days(i64::from(*days)));
        desk.on(later);
    }
    desk
}

fn tries() -> impl Strategy<Value = Vec<(Try, u8)>> {
    let attempt = (any::<u8>(), any::<u8>(), -5i8..5, 0u8..60);
    proptest::collection::vec((attempt, 0u8..4), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_admitted_one_by_one_is_what_is_replayed(tries in tries()) {
        let desk = tried("Asia/Tokyo", &tries);
        let mut replayed = Book::new(desk.book.zone().clone());
        desk.entries.iter().for_each(|entry| replayed.replay(entry));
        prop_assert_eq!(replayed.last(), desk.book.last());
        prop_assert!(replayed.contracts().eq(desk.book.contracts()));
        prop_assert!(replayed.customers().eq(desk.book.customers()));
        for days in [0, 10, 40, 100] {
            let at = desk.local(date(2027, 1, 1).saturating_add(days.days()), 12, 0);
            prop_assert_eq!(replayed.in_force(at), desk.book.in_force(at));
        }
        // And one command may record all that several have recorded.
        let empty = Book::new(desk.book.zone().clone());
        let again = empty.admit(&desk.entries).map(|book| book.in_force(desk.now));
        if let Ok(again) = again {
            prop_assert_eq!(again, desk.book.in_force(desk.now));
        }
    }

    #[test]
    fn the_next_change_is_exactly_where_what_is_in_force_changes(tries in tries(), zone in 0usize..3) {
        let desk = tried(["Asia/Tokyo", "Europe/Berlin", "America/Santiago"][zone], &tries);
        let book = &desk.book;
        let end = book.midnight(date(2028, 1, 1));
        let mut at = book.midnight(date(2026, 12, 30));
        let mut day = date(2026, 12, 31);
        let mut in_force = book.in_force(at);
        while let Some(next) = book.next_change(at) {
            prop_assert!(next > at);
            // Nothing changes on the midnights between, nor in the instant before.
            while book.midnight(day) < next && day < date(2028, 1, 1) {
                prop_assert_eq!(&book.in_force(book.midnight(day)), &in_force);
                day = day.tomorrow().unwrap();
            }
            let just_before = Timestamp::from_nanosecond(next.as_nanosecond() - 1).unwrap();
            prop_assert_eq!(&book.in_force(just_before), &in_force);
            let changed = book.in_force(next);
            prop_assert_ne!(&changed, &in_force);
            (at, in_force) = (next, changed);
            if at > end {
                break;
            }
        }
        prop_assert_eq!(book.in_force(end.max(at)), in_force);
    }

    #[test]
    fn no_day_has_what_the_regulation_forbids(tries in tries()) {
        let desk = tried("Asia/Tokyo", &tries);
        for days in 0..200 {
            let day = date(2027, 1, 1).saturating_add(days.days());
            let in_force = desk.book.in_force(desk.local(day, 12, 0));
            let served = |name: &str| in_force.contracts.get(name).is_some_and(|standing| standing.served);
            prop_assert!(!(served("acme-proxy") && served("acme-group")), "{day}: Art. 6");
            for standing in in_force.contracts.values() {
                prop_assert_eq!(standing.served, standing.why_not.is_empty());
                prop_assert!(!standing.served || standing.state.is_served());
            }
            // Art. 5.1: whatever of proxy and group stands has a client that stands.
            let stands = |name: &str| desk.book.contract(name).is_some_and(|contract| contract.standing().is_some_and(|days| days.contains(day)));
            if stands("acme-proxy") || stands("acme-group") {
                prop_assert!(stands("nas-1") || stands("nas-2"), "{day}: Art. 5.1");
            }
        }
    }
}

#[test]
fn a_hundred_thousand_entries_are_replayed_in_a_moment() {
    let mut desk = Desk::new();
    desk.record(document(date(2027, 1, 1), terms("acme", vec![client("acme-nas"), group("acme-group", 1)])));
    desk.serve("acme-nas").serve("acme-group");
    let first = desk.book.last() + 1;
    let terms = terms("acme", vec![client("acme-nas"), group("acme-group", 1)]);
    let today = desk.today();
    let entries: Vec<Entry> = (0..100_000u32)
        .map(|place| {
            let event = match place % 4 {
                0 => changed(
                    "acme-group",
                    today,
                    today.saturating_add((i64::from(place) / 100).days()),
                    (place, place + 1),
                ),
                1 => document(today.saturating_add((i64::from(place) / 100).days()), terms.clone()),
                2 => suspended("acme-nas", today.saturating_add((i64::from(place) / 100).days())),
                _ => resumed("acme-nas", today.saturating_add((i64::from(place) / 100 + 1).days())),
            };
            Entry { number: first + u64::from(place), at: desk.now, who: "clerk".into(), why: String::new(), event }
        })
        .collect();
    let begun = Instant::now();
    let mut book = desk.book.clone();
    entries.iter().for_each(|entry| book.replay(entry));
    // A debug build on a busy machine: what is quadratic would take minutes.
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    let begun = Instant::now();
    book.in_force(desk.now);
    book.next_change(desk.now);
    desk.book = book;
    desk.book.admit(&desk.next(vec![cancelled("acme-group", today, None)])).unwrap();
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}

#[test]
fn ten_thousand_contracts_are_admitted_in_one_document_in_a_moment() {
    let mut desk = Desk::new();
    let mut contracts: Vec<_> = (0..10_000).map(|place| client(&format!("nas-{place}"))).collect();
    contracts.push(proxy("acme-proxy"));
    let begun = Instant::now();
    desk.record(document(date(2027, 1, 1), terms("acme", contracts.clone())));
    desk.all(contracts.iter().map(|terms| accepted(&terms.contract, date(2027, 1, 1), None)).collect());
    desk.all(contracts.iter().map(|terms| started(&terms.contract, date(2027, 1, 2))).collect());
    let next = desk.book.next_change(desk.now);
    assert_eq!(next, Some(desk.local(date(2027, 1, 2), 0, 0)));
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn a_history_survives_being_written_and_read() {
    let mut desk = with_proxy();
    desk.record(cancelled("acme-proxy", date(2027, 1, 1), None));
    let written: Vec<String> = desk.entries.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
    let mut book = Book::new(desk.book.zone().clone());
    written.iter().for_each(|line| book.replay(&serde_json::from_str(line).unwrap()));
    assert!(book.contracts().eq(desk.book.contracts()));
}

#[test]
fn every_choice_has_a_name_of_its_own() {
    let choices = sekisho_regulation::choices::CHOICES;
    let names: BTreeSet<_> = choices.iter().map(|choice| choice.name).collect();
    assert_eq!(names.len(), choices.len());
    assert!(choices.iter().all(|choice| choice.article.starts_with("Art. ") && choice.what.ends_with('.')));
}
