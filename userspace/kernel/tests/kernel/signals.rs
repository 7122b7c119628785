//! Signals that arrive while the kernel's verifier is at work: it gives up at once for any that its thread would take.

use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use sekisho_kernel::{Gate, GateOptions, Mode};

use crate::world::{opened, table};

static TAKEN: AtomicU32 = AtomicU32::new(0);

extern "C" fn taken(_: libc::c_int) {
    TAKEN.fetch_add(1, Relaxed);
}

#[test]
fn signals_neither_fail_nor_hold_up_the_load_and_are_taken_after_it() {
    // SAFETY: the handler adds to an atomic, nothing else.
    unsafe { libc::signal(libc::SIGUSR2, taken as extern "C" fn(libc::c_int) as libc::sighandler_t) };
    let options = GateOptions { mode: Mode::Generic, max_sources: 1000, ..GateOptions::default() };
    let load = || {
        let began = Instant::now();
        let gate = opened(Gate::open(&options, &table()));
        (gate, began.elapsed())
    };
    let (gate, undisturbed) = load();
    drop(gate);

    // SAFETY: it takes nothing.
    let loading = unsafe { libc::pthread_self() };
    let (sent, disturbed) = thread::scope(|scope| {
        let sending = scope.spawn(|| {
            let pause = undisturbed / 40;
            let signals = 20;
            for _ in 0..signals {
                thread::sleep(pause);
                // SAFETY: that thread waits for this one.
                assert_eq!(unsafe { libc::pthread_kill(loading, libc::SIGUSR2) }, 0);
            }
            signals
        });
        let (_gate, disturbed) = load();
        (sending.join().unwrap(), disturbed)
    });
    // Asked again with its log, the verifier takes 25 times as long.
    let most = undisturbed * 10 + Duration::from_millis(200);
    assert!(disturbed < most, "{disturbed:?} with {sent} signals, {undisturbed:?} without");
    assert!((1..=sent).contains(&TAKEN.load(Relaxed)), "none is lost, though several that wait are taken as one");
}
