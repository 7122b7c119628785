//! Once everything has grown, appending and committing allocate nothing.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not tests to clippy")]

#[path = "suite/common/mod.rs"]
#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "shared with the suite")]
mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    time::Duration,
};

use common::*;
use sekisho_journal::{Directory, Journal, Kind, Options};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches a thread-local integer only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Appends so many batches of sixty-four, and says how often something was allocated.
fn batches(journal: &mut Journal, count: u32, note: &mut Note) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    for _ in 0..count {
        for _ in 0..64 {
            note.number += 1;
            note.received += SECOND / 64;
            journal.append(note.received, note.identity(), &note.record()).unwrap();
        }
        journal.commit().unwrap();
    }
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn after_warm_up_a_record_allocates_nothing() {
    let at = tempfile::tempdir().unwrap();
    let options = Options { reserve: 0, remember: Duration::from_secs(100), ..Options::default() };
    let (mut journal, _) = Journal::open(Directory::new(at.path()), options, NOW).unwrap();
    let mut note = Note::new(0, Kind::Ended, NOW, 300);
    batches(&mut journal, 300, &mut note);
    assert_eq!(batches(&mut journal, 100, &mut note), 0);
}
