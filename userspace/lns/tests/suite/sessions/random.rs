//! Whatever comes, in whatever order: the counts are those of a plain model, after every step.

use std::time::Duration;

use proptest::{collection::vec, option, prelude::*};
use sekisho_lns::{
    LnsId, SourceId,
    sessions::{Attach, Report, Who},
};

use crate::sessions::{
    model::{self, Model, Name, Said},
    world::*,
};

const LNSS: u8 = 3;
const DEVICES: u8 = 4;
const SESSIONS: u8 = 6;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Start,
    Interim,
    Stop,
}

#[derive(Clone, Debug)]
enum Step {
    /// So many seconds pass; sometimes the sweep comes by.
    Pass(u64, bool),
    Attach(u8, u8),
    Report(Kind, Sent),
    /// One of the reports so far again, as it was: a duplicate, or one that was late.
    Again(usize),
    /// A NAS's restart, so many seconds ago, said by this source.
    Restart(u32, u8, u64),
    LnsRestart(u8, u64),
}

/// A report as it is generated: its event so many seconds ago.
#[derive(Clone, Copy, Debug)]
struct Sent {
    said: Said,
    ago: u64,
}

fn report() -> impl Strategy<Value = Sent> {
    let identity = (0..2u32, 0..SESSIONS, option::weighted(0.9, 0..2u8));
    let place = (option::weighted(0.9, 0..DEVICES), option::weighted(0.8, 0..LNSS));
    let bearers = (option::weighted(0.3, 5..8u8), prop::bool::weighted(0.2));
    let times = (prop_oneof![4 => Just(0), 1 => 0..40u64], option::weighted(0.3, 0..200u32), any::<bool>());
    (identity, place, bearers, times).prop_map(|((source, session, nas), (device, lns), (bearer, last), times)| {
        let (ago, time, interims) = times;
        let name = Name { source, session };
        Sent { said: Said { name, nas, device, lns, bearer, last, event: 0, time, interims }, ago }
    })
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![3 => Just(Kind::Start), 2 => Just(Kind::Interim), 3 => Just(Kind::Stop)];
    prop_oneof![
        3 => (prop_oneof![3 => 0..5u64, 1 => 0..700u64], any::<bool>()).prop_map(|(time, sweep)| Step::Pass(time, sweep)),
        3 => (0..DEVICES, 0..LNSS).prop_map(|(device, lns)| Step::Attach(device, lns)),
        8 => (kind, report()).prop_map(|(kind, report)| Step::Report(kind, report)),
        2 => any::<usize>().prop_map(Step::Again),
        1 => (0..3u32, 0..2u8, 0..60u64).prop_map(|(source, nas, ago)| Step::Restart(source, nas, ago)),
        1 => (0..LNSS, 0..60u64).prop_map(|(lns, ago)| Step::LnsRestart(lns, ago)),
    ]
}

/// The table and the model of it.
struct Both {
    world: World,
    model: Model,
    said: Vec<(Kind, Said)>,
}

impl Both {
    fn new() -> Both {
        Both { world: World::new(), model: Model::default(), said: Vec::new() }
    }

    fn take(&mut self, step: &Step) {
        let wall = self.world.wall();
        match *step {
            Step::Pass(seconds, sweep) => {
                self.world.pass(seconds);
                self.model.now += seconds;
                if sweep {
                    self.world.sweep_after(1);
                    self.model.now += 1;
                    self.model.sweep();
                    // The model does at once what the sweep has two rounds for.
                    self.world.sweep_after(1);
                    self.model.now += 1;
                    self.model.sweep();
                }
            }
            Step::Attach(device, lns) => {
                let who = Who::Device(self.world.device(&device.to_string()));
                let attach = Attach { who, lns: LnsId(lns.into()), ..self.world.given("", A) };
                self.world.sessions.attach(self.world.now, &attach);
                self.model.attach(device, lns);
            }
            Step::Report(kind, report) => {
                let said = Said { event: wall - report.ago, ..report.said };
                self.said.push((kind, said));
                self.report(kind, said);
            }
            Step::Again(which) => {
                if let Some((kind, said)) = self.said.get(which % self.said.len().max(1)).copied() {
                    self.report(kind, said);
                }
            }
            Step::Restart(source, nas, ago) => {
                let key = self.world.key("nas", &nas.to_string());
                self.world.sessions.nas_restarted(SourceId(source), Some(key), wall - ago);
                self.model.nas_restarted(source, nas, wall - ago);
            }
            Step::LnsRestart(lns, ago) => {
                self.world.sessions.lns_restarted(LnsId(lns.into()), wall - ago);
                self.model.lns_restarted(lns, wall - ago);
            }
        }
    }

    fn report(&mut self, kind: Kind, said: Said) {
        let world = &self.world;
        let report = Report {
            source: SourceId(said.name.source),
            nas: said.nas.map(|nas| world.key("nas", &nas.to_string())),
            session: world.key("session", &said.name.session.to_string()),
            bearer: said.bearer,
            last: said.last,
            device: said.device.map(|device| world.device(&device.to_string())),
            lns: said.lns.map(|lns| LnsId(lns.into())),
            event: said.event,
            session_time: said.time,
            interim: said.interims.then_some(Duration::from_secs(model::INTERIM)),
            ..world.report("")
        };
        match kind {
            Kind::Start => {
                world.sessions.start(world.now, &report);
                self.model.start(said);
            }
            Kind::Interim => {
                world.sessions.interim(world.now, &report);
                self.model.interim(said);
            }
            Kind::Stop => {
                world.sessions.stop(world.now, &report);
                self.model.stop(said);
            }
        }
    }

    fn agree(&self) {
        assert_eq!(self.world.all(), self.model.count(None), "all");
        for lns in 0..LNSS {
            assert_eq!(self.world.on(LnsId(lns.into())), self.model.count(Some(lns)), "LNS {lns}");
        }
        self.world.agree();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn the_counts_are_the_models_after_every_step(steps in vec(step(), 1..80)) {
        let mut both = Both::new();
        for step in &steps {
            both.take(step);
            both.agree();
        }
        // When all is over, nothing is left.
        both.world.sweep_after(200_000);
        prop_assert_eq!(both.world.all(), (0, 0));
        let counts = both.world.sessions.counts();
        prop_assert_eq!((counts.sessions, counts.reservations, counts.memories, counts.ended), (0, 0, 0, 0));
        both.world.agree();
    }
}
