//! Counting: once `Seen`, once where the packet ended, once for its contract; and telling of some drops.

use aya_ebpf::helpers::generated::bpf_jiffies64;
use sekisho_abi::{ClientCounter, Outcome, Reason, event::DropEvent};

use crate::{
    maps,
    scratch::{NONE, REASONS, Scratch},
};

/// Counts the end of a packet.
#[inline(always)]
pub fn finish(outcome: Outcome, scratch: &Scratch) {
    scratch.count(outcome.slot());
    if scratch.client.get() != NONE
        && let Some(counter) = ClientCounter::of(outcome)
        && let Some(client) = maps::client(scratch.slot())
    {
        client.counters[counter as usize & (ClientCounter::COUNT - 1)].increment();
    }
    if let Outcome::Dropped(reason) = outcome {
        tell(reason, scratch);
    }
}

/// Tells userspace of a drop: for each reason of one in each of the kernel's ticks (1 to 10 ms) at most, and how many there were.
#[inline(always)]
fn tell(reason: Reason, scratch: &Scratch) {
    let [untold, told] = &scratch.drops[reason as usize & (REASONS - 1)];
    untold.set(untold.get() + 1);
    // SAFETY: a helper without arguments; the kernel replaces the call by a load.
    let tick = unsafe { bpf_jiffies64() };
    if tick == told.get() {
        return;
    }
    told.set(tick);
    // Where the ring is full, because nobody reads it, a later one stands for these too.
    if let Some(mut entry) = maps::DROPS.reserve::<DropEvent>(0) {
        entry.write(DropEvent {
            source: scratch.headers.source().octets(),
            session: scratch.session.get(),
            weight: untold.get(),
            domain: scratch.domain.get() as u32,
            reason: reason as u32,
            client: scratch.slot(),
            ifindex: scratch.headers.ingress() as u32,
            port: scratch.port.get() as u32,
            code: scratch.code() as u32,
        });
        entry.submit(0);
        untold.set(0);
    }
}
