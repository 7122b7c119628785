//! Latency buckets, summed over the workers.

use sekisho_engine::stats::{LATENCY_BOUNDS_US, Latency};
use serde::{Deserialize, Serialize};

/// Counts and nanoseconds by bucket: those of [`LATENCY_BOUNDS_US`], and an open one last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    counts: Vec<u64>,
    nanoseconds: Vec<u64>,
}

impl Histogram {
    /// The sum over the workers.
    pub fn sum<'a>(workers: impl Iterator<Item = &'a Latency>) -> Histogram {
        const BUCKETS: usize = LATENCY_BOUNDS_US.len() + 1;
        let mut histogram = Histogram { counts: vec![0; BUCKETS], nanoseconds: vec![0; BUCKETS] };
        for latency in workers {
            let sums = histogram.counts.iter_mut().zip(&mut histogram.nanoseconds);
            for ((counts, times), (count, nanoseconds)) in sums.zip(latency.read()) {
                *counts += count;
                *times += nanoseconds;
            }
        }
        histogram
    }

    /// All answers.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The time of all answers together.
    pub fn seconds(&self) -> f64 {
        self.nanoseconds.iter().sum::<u64>() as f64 / 1e9
    }

    /// Upper bound in seconds and cumulative count of each closed bucket, as Prometheus has them.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let mut sum = 0;
        LATENCY_BOUNDS_US.iter().zip(&self.counts).map(move |(bound, count)| {
            sum += count;
            (*bound as f64 / 1e6, sum)
        })
    }

    /// Milliseconds within which the share `q` of the answers came, as near as the buckets tell: the mean of the answers in the
    /// bucket that it lies in, which is exact where they took the same time. `None` without answers.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = q * self.count() as f64;
        let mut reached = 0_u64;
        let (count, nanoseconds) = self.counts.iter().zip(&self.nanoseconds).find(|(count, _)| {
            reached += **count;
            **count > 0 && reached as f64 >= rank
        })?;
        Some(*nanoseconds as f64 / *count as f64 / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_in_the_bucket_of_their_rank() {
        let latency = Latency::default();
        for _ in 0..99 {
            latency.record(700_000);
        }
        latency.record(40_000_000);
        let histogram = Histogram::sum([&latency].into_iter());
        let median = histogram.quantile(0.5).unwrap();
        assert!((0.5..=1.0).contains(&median), "{median}");
        let worst = histogram.quantile(0.999).unwrap();
        assert!((25.0..=50.0).contains(&worst), "{worst}");
        assert_eq!(Histogram::default().quantile(0.5), None);
    }

    #[test]
    fn what_took_one_time_has_that_time_as_every_quantile() {
        for millis in [0_u64, 1, 1_001, 6_000, 42_000] {
            let latency = Latency::default();
            latency.record(millis * 1_000_000);
            let histogram = Histogram::sum([&latency].into_iter());
            for q in [0.0, 0.5, 0.99, 1.0] {
                assert_eq!(histogram.quantile(q), Some(millis as f64));
            }
        }
    }

    #[test]
    fn sum_and_count_are_exact() {
        let (one, two) = (Latency::default(), Latency::default());
        one.record(1_500_000);
        two.record(20_000_000_000);
        let histogram = Histogram::sum([&one, &two].into_iter());
        assert_eq!(histogram.count(), 2);
        assert_eq!(histogram.seconds(), 20.0015);
        assert_eq!(histogram.cumulative().last(), Some((10.0, 1)));
    }
}
