//! Counts are exact and samples are not: what was counted is shared out among what was sampled.

use sekisho_abi::Reason;

use super::Sample;

/// Drops by [`Reason`].
pub type Counts = [u64; Reason::COUNT];

/// What of one place's counters has been shared out.
#[derive(Debug)]
pub struct Shares {
    settled: Counts,
}

impl Shares {
    /// What was counted before is nobody's.
    pub fn new(counted: Counts) -> Shares {
        Shares { settled: counted }
    }

    /// Shares out what has been counted since the last time: for each reason equally among its samples. What no sample stands for
    /// waits for one.
    ///
    /// `counted` is read after the samples.
    pub fn settle(&mut self, samples: &[Sample], counted: Counts, mut add: impl FnMut(&Sample, u64)) {
        for ((reason, settled), counted) in Reason::ALL.iter().zip(&mut self.settled).zip(counted) {
            let of_reason = || samples.iter().filter(|sample| sample.reason == *reason);
            let mut left = of_reason().count() as u64;
            if left == 0 {
                continue;
            }
            // Tables that were made anew count from zero.
            let mut count = counted.checked_sub(*settled).unwrap_or(counted);
            *settled = counted;
            for sample in of_reason() {
                let share = count.div_ceil(left);
                (count, left) = (count - share, left.saturating_sub(1).max(1));
                if share > 0 {
                    add(sample, share);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn sample(last: u8, reason: Reason) -> Sample {
        Sample { source: IpAddr::from([192, 0, 2, last]), domain: 7, ifindex: 3, reason, session: 0 }
    }

    fn settle(shares: &mut Shares, samples: &[Sample], counted: Counts) -> Vec<(IpAddr, Reason, u64)> {
        let mut added = Vec::new();
        shares.settle(samples, counted, |sample, count| added.push((sample.source, sample.reason, count)));
        added
    }

    #[test]
    fn sums_by_reason_are_what_was_counted() {
        let mut counted = [0; Reason::COUNT];
        counted[Reason::Unregistered as usize] = 1_000_000;
        let mut shares = Shares::new(counted);
        counted[Reason::Unregistered as usize] += 20;
        counted[Reason::ClientRate as usize] += 7;
        let samples = [sample(1, Reason::Unregistered), sample(2, Reason::ClientRate), sample(3, Reason::ClientRate)];
        let [one, two, three] = [1, 2, 3].map(|last| IpAddr::from([192, 0, 2, last]));
        let expected = [(one, Reason::Unregistered, 20), (two, Reason::ClientRate, 4), (three, Reason::ClientRate, 3)];
        assert_eq!(settle(&mut shares, &samples, counted), expected);
        assert_eq!(settle(&mut shares, &samples, counted), [], "nothing has been counted since");
    }

    #[test]
    fn what_no_sample_stands_for_waits_for_one() {
        let mut shares = Shares::new([0; Reason::COUNT]);
        let mut counted = [0; Reason::COUNT];
        counted[Reason::TooShort as usize] = 5;
        assert_eq!(settle(&mut shares, &[], counted), []);
        counted[Reason::TooShort as usize] = 6;
        let late = sample(1, Reason::TooShort);
        assert_eq!(settle(&mut shares, &[late], counted), [(late.source, Reason::TooShort, 6)]);
    }

    #[test]
    fn a_count_that_begins_anew_is_no_flood() {
        let mut shares = Shares::new([9; Reason::COUNT]);
        let mut counted = [0; Reason::COUNT];
        counted[Reason::TooShort as usize] = 2;
        let one = sample(1, Reason::TooShort);
        assert_eq!(settle(&mut shares, &[one], counted), [(one.source, Reason::TooShort, 2)]);
    }
}
