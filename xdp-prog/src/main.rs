//! The XDP gate: decides about a frame before the kernel's network stack spends anything on it.
//!
//! A frame that is RADIUS on one of our service addresses must come from a registered source, by an ingress, to a
//! service address and to a port that this source may use; it must be sound to the last attribute header, and within what its
//! client and its session may send. What is not is dropped here, with a reason. What repeats a request that userspace has published
//! is dropped or answered here. Everything that is not ours passes untouched, everything odd goes up to userspace, which can
//! do the whole job alone. No MD5, and no secrets.
//!
//! Where to start: `gate` is the decision, stage by stage; `scratch` says why stages leave what they find in memory. `frame`, `ip` and
//! `odd` find the datagram, `attributes` walks the packet, `limits` charges buckets, `published` and `reply` answer, `counters`
//! counts and tells, `maps` is the memory shared with userspace. What a source may do, how keys are found, buckets and sessions
//! stand in `sekisho-abi`, where userspace calls the very same functions.
//!
//! The crate builds for the host too, as a program that only says what it is, so that the workspace builds whole. The
//! real build is in the build script of `sekisho-kernel`.

#![cfg_attr(target_arch = "bpf", no_std, no_main)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

#[cfg(target_arch = "bpf")]
mod address;
#[cfg(target_arch = "bpf")]
mod attributes;
#[cfg(target_arch = "bpf")]
mod cell;
#[cfg(target_arch = "bpf")]
mod clock;
#[cfg(target_arch = "bpf")]
mod counters;
#[cfg(target_arch = "bpf")]
mod frame;
#[cfg(target_arch = "bpf")]
mod gate;
#[cfg(target_arch = "bpf")]
mod headers;
#[cfg(target_arch = "bpf")]
mod ip;
#[cfg(target_arch = "bpf")]
mod limits;
#[cfg(target_arch = "bpf")]
mod maps;
#[cfg(target_arch = "bpf")]
mod odd;
#[cfg(target_arch = "bpf")]
mod published;
#[cfg(target_arch = "bpf")]
mod reply;
#[cfg(target_arch = "bpf")]
mod scratch;

#[cfg(target_arch = "bpf")]
mod entry {
    use aya_ebpf::{bindings::xdp_action, macros::xdp, programs::XdpContext};
    use sekisho_abi::Outcome;

    use crate::{
        counters,
        frame::Frame,
        gate::{self, Case},
        maps,
    };

    /// Runs once for each frame; multi-buffer frames (`frags`) included.
    #[xdp(frags)]
    pub fn sekisho(ctx: XdpContext) -> u32 {
        let (Some(settings), Some(scratch)) = (maps::settings(), maps::scratch()) else {
            // Both have one element.
            return xdp_action::XDP_PASS;
        };
        scratch.count(Outcome::Seen.slot());
        scratch.begin();
        let frame = Frame::new(&ctx);
        let outcome = gate::decide(&Case { frame: &frame, settings, scratch });
        counters::finish(outcome, scratch);
        gate::action(outcome)
    }

    /// Nothing here can panic, and the verifier would refuse the loop if it could be reached.
    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        loop {}
    }

    /// The project's license. Helpers that the kernel reserves to GPL-compatible programs are not used.
    #[unsafe(no_mangle)]
    #[unsafe(link_section = "license")]
    static LICENSE: [u8; 18] = *b"Apache-2.0 OR MIT\0";
}

#[cfg(not(target_arch = "bpf"))]
fn main() {
    println!("sekisho-xdp is an XDP program: the build of sekisho-kernel compiles it for bpfel-unknown-none.");
}
