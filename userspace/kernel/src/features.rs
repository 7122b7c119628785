//! What the gate needs of the kernel, and since when Linux has it.

/// Something that the gate needs of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// What it is.
    pub name: &'static str,
    /// What the gate does with it.
    pub purpose: &'static str,
    /// The first Linux that has it: major and minor.
    pub since: (u32, u32),
}

/// All that the gate needs, the oldest first.
pub const FEATURES: &[Feature] = &[
    feature("LPM tries", "prefixes of access networks", (4, 11)),
    feature("bpf_xdp_adjust_tail", "replies that are shorter than their request", (4, 18)),
    feature("read-only globals", "the sizes of the tables, known to the verifier", (5, 2)),
    feature("bounded loops", "looking through the sets of a table", (5, 3)),
    feature("arrays that userspace maps (BPF_F_MMAPABLE)", "tables as shared memory", (5, 5)),
    feature("bpf_jiffies64", "how often drops are sampled", (5, 6)),
    feature("BPF_LINK_UPDATE", "another program without an open moment", (5, 7)),
    feature("CAP_BPF", "running without CAP_SYS_ADMIN", (5, 8)),
    feature("growing frames with bpf_xdp_adjust_tail", "replies that are longer than their request", (5, 8)),
    feature("ring buffers", "sampled drops", (5, 8)),
    feature("XDP links", "a gate that stays while no process runs", (5, 9)),
    feature("BPF_LINK_DETACH", "`sekisho xdp detach` while a process runs", (5, 9)),
    feature("64-bit compare-and-exchange", "buckets that lose no update", (5, 12)),
    feature(
        "bpf_xdp_load_bytes, bpf_xdp_store_bytes, bpf_xdp_get_buff_len",
        "frames of several buffers, and replies",
        (5, 18),
    ),
];

const fn feature(name: &'static str, purpose: &'static str, since: (u32, u32)) -> Feature {
    Feature { name, purpose, since }
}

/// Of what a kernel lacks, what came last: a kernel that has this has everything.
pub(crate) fn newest_missing(kernel: (u32, u32)) -> Option<&'static Feature> {
    FEATURES.iter().rev().find(|feature| feature.since > kernel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_in_order_and_the_last_one_decides() {
        assert!(FEATURES.is_sorted_by_key(|feature| feature.since));
        assert_eq!(newest_missing((5, 18)), None);
        assert_eq!(newest_missing((6, 1)), None);
        assert_eq!(newest_missing((5, 17)).map(|feature| feature.since), Some((5, 18)));
        assert_eq!(newest_missing((4, 19)).map(|feature| feature.since), Some((5, 18)));
    }

    #[test]
    fn an_old_kernel_is_told_what_it_lacks() {
        let feature = newest_missing((5, 10)).unwrap();
        let error = crate::GateError::KernelTooOld { found: "5.10.0-8-amd64".to_owned(), feature }.to_string();
        assert!(error.contains("5.10.0-8-amd64") && error.contains("5.18"), "{error}");
        assert!(error.contains("bpf_xdp_load_bytes"), "{error}");
    }
}
