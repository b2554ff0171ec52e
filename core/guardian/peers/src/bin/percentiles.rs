//! Prints the percentiles of a single check of Guardian as a part of a Markdown page.

use hdrhistogram::Histogram;
use monstrum_guardian_peers::latency;
use monstrum_guardian_peers::report::microseconds;

fn main() {
    println!("| single check, permitted | p50 | p99 | p99.9 |\n| --- | --- | --- | --- |");
    for policies in [1, 100, 1_000] {
        print_row(&format!("{policies} grants"), &latency::of_guardian(policies));
    }
    print_row("nothing, for comparison: the clock alone", &latency::of_nothing());
}

fn print_row(name: &str, times: &Histogram<u64>) {
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds for people")]
    let at = |quantile: f64| microseconds(times.value_at_quantile(quantile) as f64);
    println!("| {name} | {} | {} | {} |", at(0.5), at(0.99), at(0.999));
}
