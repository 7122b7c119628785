//! The frame as it came in: bounds-checked views, Ethernet, up to two VLAN tags.

use aya_ebpf::{
    bindings::xdp_md,
    helpers::generated::{bpf_xdp_get_buff_len, bpf_xdp_load_bytes},
    programs::XdpContext,
};
use sekisho_abi::{IngressKey, Outcome, Reason};

const ETHERNET_LEN: usize = 14;
const VLAN_LEN: usize = 4;
const ETHERTYPE_VLAN: u16 = 0x8100;
const ETHERTYPE_QINQ: u16 = 0x88a8;
const VLAN_ID: u16 = 0x0fff;

/// A frame. Packet pointers stay valid as long as it lives: nothing here resizes the packet.
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
    fn view<const N: usize>(&self, offset: usize) -> Option<&[u8; N]> {
        if self.start + offset + N > self.end {
            return None;
        }
        // SAFETY: the `N` octets at `offset` end within the packet, as just checked, and octets need no alignment.
        Some(unsafe { &*((self.start + offset) as *const [u8; N]) })
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

#[inline(always)]
fn is_tag(ethertype: u16) -> bool {
    ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_QINQ
}
