//! The table over a restart of the process.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use sekisho_lns::{
    LnsId, Loads, SourceId, Time,
    framed::RestoreError,
    sessions::{Attach, Effect, Filter, Handle, Kind, Naming, Report, Restored, Sessions, Settings},
};

use crate::sessions::world::*;

/// Names by number, for each kind.
#[derive(Default)]
struct Book(BTreeMap<(Kind, u32), String>);

impl Book {
    /// Every number of the tests, shifted by so many.
    fn shifted(by: u32) -> Book {
        let kinds = [Kind::Source, Kind::Customer, Kind::Contract, Kind::Lns];
        let entries = kinds.into_iter().flat_map(|kind| (0..4).map(move |n| ((kind, n + by), format!("{kind:?} {n}"))));
        Book(entries.collect())
    }

    fn without(mut self, kind: Kind, number: u32) -> Book {
        self.0.remove(&(kind, number));
        self
    }
}

impl Naming for Book {
    fn name(&self, kind: Kind, number: u32) -> Option<String> {
        self.0.get(&(kind, number)).cloned()
    }

    fn number(&self, kind: Kind, name: &str) -> Option<u32> {
        let mut entries = self.0.iter();
        entries.find(|((of, _), known)| *of == kind && *known == name).map(|((_, number), _)| *number)
    }
}

fn settings() -> Settings {
    Settings { max_sessions: 10_000, max_reservations: 10_000, customer_share: 100, ..Settings::default() }
}

fn written(world: &World) -> Vec<u8> {
    let mut file = Vec::new();
    let written = world.sessions.write_to(world.now, world.wall(), &Book::shifted(0), &mut file).unwrap();
    assert_eq!(written.octets, file.len() as u64);
    file
}

/// The world in another process, which began a second ago, after so many seconds.
fn restored(file: &[u8], after: u64, wall: u64, book: &Book) -> Result<(World, Restored), RestoreError> {
    let (loads, now) = (Arc::new(Loads::new()), Time::from_millis(1_000));
    let (sessions, restored) = Sessions::restore(settings(), loads.clone(), file, now, wall + after, book)?;
    Ok((World { loads, sessions, now }, restored))
}

/// One of everything: a session, a reservation, an end, a memory.
fn world() -> World {
    let mut world = World::new();
    let (sticky, interim) = (Some(Duration::from_secs(3_600)), Some(Duration::from_secs(600)));
    let framed_ip = Some("10.0.0.5".parse().unwrap());
    let handle = Some(Handle { nas: "2001:db8::7".parse().unwrap(), id: b"0000002a" });
    let report = Report { sticky, interim, framed_ip, handle, bearer: Some(5), ..world.report("session") };
    world.sessions.start(world.now, &report);
    world.sessions.start(world.now, &Report { sticky, lns: Some(B), ..world.report("ended") });
    world.pass(100);
    world.stop("ended");
    world.sessions.attach(world.now, &Attach { sticky, ..world.given("reserved", C) });
    world.pass(20);
    world
}

#[test]
fn everything_is_there_again_under_its_new_numbers() {
    let before = world();
    let file = written(&before);
    let (mut after, restored) = restored(&file, 30, before.wall(), &Book::shifted(2)).unwrap();
    let whole = Restored { sessions: 1, reservations: 1, memories: 2, ..Restored::default() };
    assert_eq!(restored, whole);
    let lns = |old: LnsId| LnsId(old.0 + 2);
    assert_eq!((after.on(lns(A)), after.on(lns(C)), after.on(A)), ((1, 0), (0, 1), (0, 0)));
    assert_eq!(after.sessions.check(), []);
    let view = &after.sessions.list(after.now, &Filter { lns: Some(lns(A)), ..Filter::default() })[0];
    let was = &before.sessions.list(before.now, &Filter { lns: Some(A), ..Filter::default() })[0];
    assert_eq!(view.silent, was.silent + Duration::from_secs(30));
    assert_eq!(view.expires_in, was.expires_in - Duration::from_secs(30));
    assert_eq!((view.session, view.framed_ip, view.bearers), (was.session, was.framed_ip, was.bearers));
    assert_eq!(view.handle, Some(("2001:db8::7".parse().unwrap(), b"0000002a"[..].into())));
    assert_eq!((&view.user, &view.number, view.started), (&was.user, &was.number, was.started));
    assert_eq!(view.source, SourceId(PGW.0 + 2));
    // What has happened goes on.
    let source = SourceId(PGW.0 + 2);
    let report = |world: &World, session: &str| Report { source, lns: Some(lns(A)), ..world.report(session) };
    let known = after.sessions.remembered(after.now, after.device("ended"));
    assert_eq!((known.last, known.holds), (Some(lns(B)), false));
    let late = Report { event: WALL, ..report(&after, "ended") };
    assert_eq!(after.sessions.start(after.now, &late).effect, Effect::Late);
    let started = Report { lns: None, event: before.wall() + 31, ..report(&after, "reserved") };
    assert_eq!(after.sessions.start(after.now, &started).lns, Some(lns(C)));
    after.sweep_after(1);
    let stop = Report { event: before.wall() + 40, bearer: Some(5), ..report(&after, "session") };
    assert_eq!(after.sessions.stop(after.now, &stop).effect, Effect::Ended);
    assert_eq!(after.sessions.check(), []);
}

#[test]
fn what_ran_out_while_nobody_was_there_is_gone() {
    let before = world();
    let file = written(&before);
    let (after, restored) = restored(&file, 1_680, before.wall(), &Book::shifted(0)).unwrap();
    assert_eq!((restored.sessions, restored.reservations, restored.memories, restored.expired), (0, 0, 2, 3));
    assert_eq!((after.all(), after.sessions.check()), ((0, 0), vec![]));
    // A clock that was set back has let no time pass.
    let (after, _) = self::restored(&file, 0, 0, &Book::shifted(0)).unwrap();
    assert_eq!(after.all(), (1, 1));
}

#[test]
fn what_has_no_number_any_more_is_dropped_and_counted() {
    let before = world();
    let file = written(&before);
    let of = |book: Book| restored(&file, 0, before.wall(), &book).unwrap();
    let (world, counts) = of(Book::shifted(0).without(Kind::Contract, 0));
    assert_eq!((counts.sessions, counts.reservations, counts.dropped), (0, 0, 2));
    assert_eq!(world.sessions.check(), []);
    let (world, counts) = of(Book::shifted(0).without(Kind::Source, 0));
    assert_eq!((counts.sessions, counts.reservations, counts.dropped), (0, 0, 3));
    assert_eq!(world.sessions.check(), []);
    let (world, counts) = of(Book::shifted(0).without(Kind::Lns, 0));
    assert_eq!((counts.sessions, counts.without_lns, world.all()), (1, 1, (1, 1)));
    assert_eq!(world.sessions.check(), []);
    let (world, counts) = of(Book::shifted(0).without(Kind::Lns, 1));
    assert_eq!((counts.memories, counts.dropped), (1, 1), "a memory of an LNS that is gone is none");
    assert_eq!(world.sessions.check(), []);
}

#[test]
fn a_link_to_a_session_that_is_gone_does_not_hold_a_place_for_ever() {
    let before = world();
    let file = written(&before);
    let book = Book::shifted(0).without(Kind::Customer, 0);
    let (mut after, _) = restored(&file, 0, before.wall(), &book).unwrap();
    after.sweep_after(1);
    let known = after.sessions.remembered(after.now, after.device("session"));
    assert_eq!((known.holds, known.last), (false, Some(A)));
    after.agree();
}

#[test]
fn a_restart_that_the_sweep_has_not_carried_out_is_carried_out_in_the_file() {
    let before = world();
    before.sessions.nas_restarted(PGW, Some(before.key("nas", "nas-1")), before.wall());
    let (_, counts) = restored(&written(&before), 0, before.wall(), &Book::shifted(0)).unwrap();
    assert_eq!(counts.sessions, 0);
}

#[test]
fn a_damaged_file_restores_nothing() {
    let before = world();
    let file = written(&before);
    for place in 0..file.len() {
        for flip in [1, 0x80] {
            let mut damaged = file.clone();
            damaged[place] ^= flip;
            let loads = Arc::new(Loads::new());
            let now = Time(0);
            let result = Sessions::restore(settings(), loads.clone(), &*damaged, now, before.wall(), &Book::shifted(0));
            assert!(result.is_err(), "octet {place} of {}", file.len());
            assert_eq!(loads.contract(CONTRACT).total(), 0);
        }
    }
}

#[test]
fn a_file_that_was_not_written_to_its_end_restores_nothing_and_says_so() {
    let before = world();
    let file = written(&before);
    for length in 0..file.len() {
        let error = restored(&file[..length], 0, before.wall(), &Book::shifted(0)).err().unwrap();
        assert!(matches!(error, RestoreError::Truncated), "{length}: {error}");
    }
    let longer = [&file[..], b"x"].concat();
    let error = restored(&longer, 0, before.wall(), &Book::shifted(0)).err().unwrap();
    assert_eq!(error.to_string(), "it is damaged: something follows its end");
    let error = restored(b"{\"not\": \"ours at all\"}", 0, before.wall(), &Book::shifted(0)).err().unwrap();
    assert_eq!(error.to_string(), "it is not a file of sessions");
    let mut newer = file.clone();
    newer[16] = 9;
    let error = restored(&newer, 0, before.wall(), &Book::shifted(0)).err().unwrap();
    assert!(error.to_string().contains("version 9"), "{error}");
}

#[test]
fn a_smaller_table_takes_what_it_can() {
    let before = World::new();
    (0..50).for_each(|n| _ = before.start(&n.to_string()));
    let settings = Settings { max_sessions: 20, ..settings() };
    let file = written(&before);
    let loads = Arc::new(Loads::new());
    let (sessions, counts) =
        Sessions::restore(settings, loads.clone(), &*file, Time(0), before.wall(), &Book::shifted(0)).unwrap();
    assert_eq!((counts.sessions, counts.no_room, loads.contract(CONTRACT).active()), (20, 30, 20));
    assert_eq!(sessions.check(), []);
}

#[test]
fn the_same_identity_from_two_sources_stays_two_sessions() {
    let mut before = World::new();
    for source in [PGW, OTHER_PGW] {
        for session in ["going on", "ended"] {
            before.sessions.start(before.now, &Report { source, device: None, ..before.report(session) });
        }
    }
    before.pass(10);
    for source in [PGW, OTHER_PGW] {
        before.sessions.stop(before.now, &Report { source, device: None, ..before.report("ended") });
    }
    let (after, counts) = restored(&written(&before), 0, before.wall(), &Book::shifted(0)).unwrap();
    assert_eq!((counts.sessions, after.all(), after.sessions.counts().ended), (2, (2, 0), 2));
    after.agree();
}

#[test]
fn keys_hold_over_the_restart() {
    let before = world();
    let (after, _) = restored(&written(&before), 0, before.wall(), &Book::shifted(0)).unwrap();
    assert_eq!(before.key("device", "x"), after.key("device", "x"));
}
