//! Reading `/metrics`.

/// All samples of one scrape.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Vec<Sample>);

#[derive(Clone, Debug)]
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl Metrics {
    /// Reads the Prometheus text format.
    pub fn parse(text: &str) -> Metrics {
        Metrics(text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(sample).collect())
    }

    /// The sum of the samples of a family that have these labels; 0 where there is none.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        self.of(name, labels).map(|sample| sample.value).sum::<f64>() as u64
    }

    /// Whether the family has a sample with these labels.
    pub fn has(&self, name: &str, labels: &[(&str, &str)]) -> bool {
        self.of(name, labels).next().is_some()
    }

    /// Packets dropped for `reason` at `place`: `kernel` or `userspace`.
    pub fn dropped(&self, place: &str, reason: &str) -> u64 {
        self.sum("sekisho_dropped_total", &[("where", place), ("reason", reason)])
    }

    /// Every reason that packets were dropped for, with place and count, for a test that fails.
    pub fn drops(&self) -> String {
        let drops = self.of("sekisho_dropped_total", &[]).filter(|sample| sample.value > 0.0);
        drops.map(|sample| format!("{:?} {}", sample.labels, sample.value)).collect::<Vec<_>>().join(", ")
    }

    /// Packets that the gate counted under `outcome`.
    pub fn gate(&self, outcome: &str) -> u64 {
        self.sum("sekisho_gate_packets_total", &[("outcome", outcome)])
    }

    /// Datagrams that reached the service sockets.
    pub fn received(&self) -> u64 {
        self.sum("sekisho_datagrams_total", &[("socket", "service")])
    }

    /// Whether the gate's books balance: every packet seen stands once more under what became of it, and never twice. A
    /// scrape that reads while a packet passes may find them open for a moment.
    pub fn balances(&self) -> bool {
        let parts = ["not_ours", "passed", "redirected", "replied"].map(|outcome| self.gate(outcome));
        let dropped = self.sum("sekisho_dropped_total", &[("where", "kernel")]);
        self.gate("seen") == parts.iter().sum::<u64>() + dropped && self.gate("dropped") == dropped
    }

    fn of<'a>(&'a self, name: &'a str, labels: &'a [(&str, &str)]) -> impl Iterator<Item = &'a Sample> {
        self.0.iter().filter(move |sample| {
            let has = |(key, value): &(&str, &str)| sample.labels.iter().any(|(k, v)| k == key && v == value);
            sample.name == name && labels.iter().all(has)
        })
    }
}

fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
    let (name, labels) = series.split_once('{').unwrap_or((series, ""));
    let labels = labels.trim_end_matches('}').split("\",").filter(|label| !label.is_empty());
    let labels = labels.map(|label| {
        let (key, value) = label.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
        (key.to_owned(), value.trim_end_matches('"').to_owned())
    });
    Sample { name: name.to_owned(), labels: labels.collect(), value: value.parse().expect("a number") }
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn samples_are_found_by_name_and_labels_and_summed() {
        let text = "# HELP a b\n# TYPE a counter\na{x=\"1\",y=\"2\"} 3\na{x=\"1\",y=\"4\"} 5\nb 7\n";
        let metrics = Metrics::parse(text);
        assert_eq!(metrics.sum("a", &[("x", "1")]), 8);
        assert_eq!(metrics.sum("a", &[("y", "4"), ("x", "1")]), 5);
        assert_eq!(metrics.sum("b", &[]), 7);
        assert!(!metrics.has("a", &[("x", "2")]));
    }
}
