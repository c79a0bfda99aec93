//! What is printed.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::histogram::Histogram;
use super::rcode;
use super::run::Summary;

impl Summary {
    /// Answers a second.
    fn rate(&self) -> f64 {
        if self.secs > 0.0 { self.tally.received as f64 / self.secs } else { 0.0 }
    }

    /// The generator's own CPU for a query, in nanoseconds.
    fn own_nanos(&self) -> u64 {
        self.cpu_nanos / self.sent.max(1)
    }

    /// The rcodes that were seen, with how many of each.
    fn rcodes(&self) -> impl Iterator<Item = (String, u64)> {
        let all = self.tally.rcodes.iter().enumerate().filter(|(_, count)| **count > 0);
        all.map(|(code, count)| (rcode::name(code as u8), *count))
    }

    /// Name and microseconds of what is told of the latencies.
    fn latencies(latency: &Histogram) -> [(&'static str, f64); 7] {
        [
            ("mean", latency.mean() as u64),
            ("min", latency.min()),
            ("p50", latency.quantile(0.5)),
            ("p90", latency.quantile(0.9)),
            ("p99", latency.quantile(0.99)),
            ("p999", latency.quantile(0.999)),
            ("max", latency.max()),
        ]
        .map(|(name, nanos)| (name, nanos as f64 / 1000.0))
    }
}

/// One object on one line.
pub(crate) fn json(run: &Summary) -> String {
    let tally = &run.tally;
    let rcodes: Map<_, _> = run.rcodes().map(|(name, count)| (name, Value::from(count))).collect();
    let latencies = |of: &Histogram| -> Map<_, _> {
        let all = Summary::latencies(of).into_iter();
        all.map(|(name, us)| (name.to_owned(), Value::from(us))).collect()
    };
    let object = json!({
        "sent": run.sent,
        "received": tally.received,
        "lost": tally.lost,
        "wrong": tally.wrong,
        "truncated": tally.truncated,
        "late": tally.late,
        "duplicate": tally.duplicate,
        "stray": tally.stray,
        "renewed": run.renewed,
        "seconds": run.secs,
        "rate": run.rate(),
        "rcodes": rcodes,
        "latency_us": latencies(&tally.latency),
        "since_sent_us": latencies(&tally.since_sent),
        "behind_us": tally.behind as f64 / 1000.0,
        "own_cpu_ns": run.own_nanos(),
    });
    format!("{object}\n")
}

/// A few lines for people.
pub(crate) fn text(run: &Summary) -> String {
    let tally = &run.tally;
    let mut text = format!(
        "sent {}, received {}, lost {}, wrong {}, in {:.2} s: {:.0} answers a second\n",
        run.sent,
        tally.received,
        tally.lost,
        tally.wrong,
        run.secs,
        run.rate()
    );
    let rcodes: Vec<_> = run.rcodes().map(|(name, count)| format!("{name} {count}")).collect();
    let latencies = Summary::latencies(&tally.latency).map(|(name, us)| format!("{name} {us:.1}"));
    let _ = writeln!(text, "rcodes: {}", rcodes.join(", "));
    let _ = writeln!(text, "latency in µs: {}", latencies.join(", "));
    let odd = [
        ("truncated", tally.truncated),
        ("late", tally.late),
        ("duplicate", tally.duplicate),
        ("stray", tally.stray),
        ("connections opened again", run.renewed),
    ];
    for (what, count) in odd.into_iter().filter(|(_, count)| *count > 0) {
        let _ = writeln!(text, "{what}: {count}");
    }
    let _ = writeln!(
        text,
        "the generator: {} ns of CPU a query, late by {:.1} µs at worst",
        run.own_nanos(),
        tally.behind as f64 / 1000.0
    );
    text
}
