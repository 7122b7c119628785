//! Latency buckets, summed over the workers.

use sekisho_engine::stats::{LATENCY_BOUNDS_US, Latency};
use serde::{Deserialize, Serialize};

/// Counts and nanoseconds by bucket: those of [`LATENCY_BOUNDS_US`], and an open one last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    counts: Vec<u64>,
    nanoseconds: u64,
}

impl Histogram {
    /// The sum over the workers.
    pub fn sum<'a>(workers: impl Iterator<Item = &'a Latency>) -> Histogram {
        let mut histogram = Histogram { counts: vec![0; LATENCY_BOUNDS_US.len() + 1], nanoseconds: 0 };
        for latency in workers {
            for (sum, (count, nanoseconds)) in histogram.counts.iter_mut().zip(latency.read()) {
                *sum += count;
                histogram.nanoseconds += nanoseconds;
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
        self.nanoseconds as f64 / 1e9
    }

    /// Upper bound in seconds and cumulative count of each closed bucket, as Prometheus has them.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let mut sum = 0;
        LATENCY_BOUNDS_US.iter().zip(&self.counts).map(move |(bound, count)| {
            sum += count;
            (*bound as f64 / 1e6, sum)
        })
    }

    /// Milliseconds within which the share `q` of the answers came, interpolated in the bucket; `None` without answers.
    /// Where it lies in the open bucket, that bucket's lower bound.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let total = self.count();
        if total == 0 {
            return None;
        }
        let rank = q * total as f64;
        let (mut below, mut lower) = (0_u64, 0_u64);
        for (bound, count) in LATENCY_BOUNDS_US.iter().zip(&self.counts) {
            let reached = below + count;
            if *count > 0 && reached as f64 >= rank {
                let part = ((rank - below as f64) / *count as f64).clamp(0.0, 1.0);
                return Some((lower as f64 + part * (bound - lower) as f64) / 1000.0);
            }
            (below, lower) = (reached, *bound);
        }
        Some(lower as f64 / 1000.0)
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
