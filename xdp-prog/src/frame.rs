//! The frame as it came in: bounds-checked views, Ethernet, up to two VLAN tags.

use core::arch::asm;

use aya_ebpf::{
    bindings::xdp_md,
    helpers::generated::{bpf_xdp_adjust_tail, bpf_xdp_get_buff_len, bpf_xdp_load_bytes, bpf_xdp_store_bytes},
    programs::XdpContext,
};
use sekisho_abi::{IngressKey, Outcome, Reason};

const ETHERNET_LEN: usize = 14;
const VLAN_LEN: usize = 4;
const ETHERTYPE_VLAN: u16 = 0x8100;
const ETHERTYPE_QINQ: u16 = 0x88a8;
const VLAN_ID: u16 = 0x0fff;

/// A frame. Packet pointers stay valid as long as it lives, but for [`Frame::resize`] and [`Frame::store`]: the verifier refuses
/// whatever is read by an old one afterwards; [`Frame::again`] has new ones.
pub struct Frame {
    ctx: *mut xdp_md,
    start: usize,
    end: usize,
}

/// What stands in front of the network layer's header.
pub struct Link {
    /// What the network layer is.
    pub ethertype: u16,
    /// Where its header begins.
    pub offset: usize,
    /// Interface and VLAN tags.
    pub ingress: IngressKey,
}

impl Frame {
    /// The frame that the program was called for.
    #[inline(always)]
    pub fn new(ctx: &XdpContext) -> Frame {
        Frame { ctx: ctx.ctx, start: ctx.data(), end: ctx.data_end() }
    }

    /// A view of `N` octets at `offset`, in the linear part of the frame.
    #[inline(always)]
    pub fn view<const N: usize>(&self, offset: usize) -> Option<&[u8; N]> {
        let from = opaque(self.start + offset);
        if from + N > self.end {
            return None;
        }
        // SAFETY: the `N` octets at `offset` end within the packet, as just checked, and octets need no alignment.
        Some(unsafe { &*(from as *const [u8; N]) })
    }

    /// The eight octets at `offset` as a word, the first of them the lowest, in one load instead of eight.
    #[inline(always)]
    pub fn word(&self, offset: usize) -> Option<u64> {
        let octets = self.view::<8>(offset)?;
        // SAFETY: eight octets. eBPF has no alignment of its own; on a machine that has, the verifier would refuse the load.
        Some(u64::from_le(unsafe { *octets.as_ptr().cast() }))
    }

    /// As [`Frame::view`], to write to.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "the frame is the packet's address, not the packet")]
    pub fn view_mut<const N: usize>(&self, offset: usize) -> Option<&mut [u8; N]> {
        let from = opaque(self.start + offset);
        if from + N > self.end {
            return None;
        }
        // SAFETY: as for `view`; whoever writes has no other view of the same octets.
        Some(unsafe { &mut *(from as *mut [u8; N]) })
    }

    /// The frame with pointers to what it is now.
    #[inline(always)]
    pub fn again(&self) -> Frame {
        // SAFETY: the context is the one that the program was called with.
        let (start, end) = unsafe { ((*self.ctx).data as usize, (*self.ctx).data_end as usize) };
        Frame { ctx: self.ctx, start, end }
    }

    /// What lies behind the first `octets`.
    #[inline(always)]
    pub fn beyond(&self, octets: usize) -> Frame {
        Frame { ctx: self.ctx, start: opaque(self.start + octets), end: self.end }
    }

    /// Makes the frame so many octets long; `false`, and nothing has changed, where there is no room.
    #[inline(always)]
    pub fn resize(&self, octets: usize) -> bool {
        // Padding behind a short datagram is a part of the frame.
        let delta = octets as i64 - self.len() as i64;
        // SAFETY: the context is the one that the program was called with.
        unsafe { bpf_xdp_adjust_tail(self.ctx, delta as i32) == 0 }
    }

    /// Writes the first `length` of `octets` at `offset`.
    #[inline(always)]
    pub fn store<const N: usize>(&self, offset: usize, octets: &[u8; N], length: usize) -> bool {
        let beyond_first = opaque(length.wrapping_sub(1));
        if beyond_first >= N {
            return false;
        }
        let length = beyond_first as u32 + 1;
        // SAFETY: `octets` has as many as are asked for; the helper checks the offset.
        unsafe { bpf_xdp_store_bytes(self.ctx, offset as u32, octets.as_ptr().cast_mut().cast(), length) == 0 }
    }

    /// A view of a header of `N` octets at `offset`.
    ///
    /// Where the frame is shorter, it is truncated; where only its linear part is, it goes up.
    #[inline(always)]
    pub fn header<const N: usize>(&self, offset: usize) -> Result<&[u8; N], Outcome> {
        match self.view(offset) {
            Some(header) => Ok(header),
            None if self.len() < offset + N => Err(Outcome::Dropped(Reason::FrameTruncated)),
            None => Err(Outcome::Passed),
        }
    }

    /// A copy of `N` octets at an offset that the packet itself gives. Slower than [`Frame::header`].
    #[inline(always)]
    pub fn load<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        let mut octets = [0; N];
        // SAFETY: `octets` has room for the `N` octets that the helper writes; the helper checks the offset.
        let failed = unsafe { bpf_xdp_load_bytes(self.ctx, offset as u32, octets.as_mut_ptr().cast(), N as u32) };
        if failed == 0 { Some(octets) } else { None }
    }

    /// As [`Frame::load`], and quick where the octets are in the linear part of the frame.
    #[inline(always)]
    pub fn load_near<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        match self.view(offset) {
            Some(octets) => Some(*octets),
            None => self.load(offset),
        }
    }

    /// Octets of the whole frame, of which the linear part may be only the beginning.
    #[inline(always)]
    pub fn len(&self) -> usize {
        // SAFETY: the context is the one that the program was called with.
        (unsafe { bpf_xdp_get_buff_len(self.ctx) }) as usize
    }

    /// Whether the frame has at least so many octets.
    #[inline(always)]
    pub fn reaches(&self, octets: usize) -> bool {
        self.start + octets <= self.end || octets <= self.len()
    }

    /// Ethernet and up to two VLAN tags. A third tag is an ethertype like any other.
    #[inline(always)]
    pub fn link(&self) -> Result<Link, Outcome> {
        let ethernet = self.header::<ETHERNET_LEN>(0)?;
        // SAFETY: the context is the one that the program was called with.
        let ifindex = unsafe { (*self.ctx).ingress_ifindex };
        let mut link = Link {
            ethertype: u16::from_be_bytes([ethernet[12], ethernet[13]]),
            offset: ETHERNET_LEN,
            ingress: IngressKey::untagged(ifindex),
        };
        if is_tag(link.ethertype) {
            let tag = self.header::<VLAN_LEN>(ETHERNET_LEN)?;
            link.ingress.outer_vlan = u16::from_be_bytes([tag[0], tag[1]]) & VLAN_ID;
            link.ethertype = u16::from_be_bytes([tag[2], tag[3]]);
            link.offset = ETHERNET_LEN + VLAN_LEN;
            if is_tag(link.ethertype) {
                let tag = self.header::<VLAN_LEN>(ETHERNET_LEN + VLAN_LEN)?;
                link.ingress.inner_vlan = u16::from_be_bytes([tag[0], tag[1]]) & VLAN_ID;
                link.ethertype = u16::from_be_bytes([tag[2], tag[3]]);
                link.offset = ETHERNET_LEN + 2 * VLAN_LEN;
            }
        }
        Ok(link)
    }
}

/// A number that the compiler knows nothing about, so that it compares the very register that is used afterwards: what it
/// derives one from the other, the verifier does not follow.
#[inline(always)]
pub fn opaque(mut number: usize) -> usize {
    // SAFETY: moves a register to itself.
    unsafe { asm!("{0} = {0}", inout(reg) number, options(pure, nomem, nostack, preserves_flags)) };
    number
}

#[inline(always)]
fn is_tag(ethertype: u16) -> bool {
    ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_QINQ
}
