//! What the runner counts.

use std::time::Duration;

use monstrum_contract::{EXECUTORS, ExecutorContract};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::call::{FailureKind, Outcome};

/// The runner's metrics.
#[derive(Debug, Clone)]
pub struct Metrics {
    attached: Gauge,
    attachments: Counter,
    running: Gauge,
    calls: Family<CallLabels, Counter>,
    seconds: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    executor: String,
    outcome: OutcomeLabel,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
enum OutcomeLabel {
    Success,
    Unreachable,
    Upstream,
    RateLimited,
    Timeout,
    Cancelled,
    Refused,
    Invalid,
    Internal,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            attached: Gauge::default(),
            attachments: Counter::default(),
            running: Gauge::default(),
            calls: Family::default(),
            seconds: Histogram::new(exponential_buckets(0.002, 3.0, 10)),
        }
    }
}

impl Metrics {
    /// Adds the metrics to `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let all = registry.sub_registry_with_prefix("monstrum_runner");
        all.register(
            "attached",
            "Gateways that the runner is attached to",
            metrics.attached.clone(),
        );
        all.register(
            "attachments",
            "Times the runner attached to a gateway",
            metrics.attachments.clone(),
        );
        all.register("calls_running", "Calls that run now", metrics.running.clone());
        all.register(
            "calls",
            "Finished calls by executor and outcome",
            metrics.calls.clone(),
        );
        all.register(
            "call_duration_seconds",
            "How long calls took",
            metrics.seconds.clone(),
        );
        metrics
    }

    pub(crate) fn attached(&self) {
        self.attachments.inc();
        self.attached.inc();
    }

    pub(crate) fn detached(&self) {
        self.attached.dec();
    }

    pub(crate) fn started(&self) -> Running {
        self.running.inc();
        Running {
            running: self.running.clone(),
        }
    }

    pub(crate) fn finished(&self, executor: &str, outcome: &Outcome, took: Duration) {
        self.calls
            .get_or_create(&CallLabels {
                executor: executor_label(executor),
                outcome: label(outcome),
            })
            .inc();
        self.seconds.observe(took.as_secs_f64());
    }
}

/// One of a closed set, so that a gateway can't make series at will; written as the other labels are.
fn executor_label(name: &str) -> String {
    let known = EXECUTORS.get(name).map_or("unknown", ExecutorContract::name);
    known
        .chars()
        .enumerate()
        .map(|(place, letter)| {
            if place == 0 {
                letter.to_ascii_uppercase()
            } else {
                letter
            }
        })
        .collect()
}

fn label(outcome: &Outcome) -> OutcomeLabel {
    match outcome {
        Ok(_) => OutcomeLabel::Success,
        Err(failure) => match failure.kind {
            FailureKind::Unreachable => OutcomeLabel::Unreachable,
            FailureKind::Upstream => OutcomeLabel::Upstream,
            FailureKind::RateLimited => OutcomeLabel::RateLimited,
            FailureKind::Timeout => OutcomeLabel::Timeout,
            FailureKind::Cancelled => OutcomeLabel::Cancelled,
            FailureKind::Refused => OutcomeLabel::Refused,
            FailureKind::Invalid => OutcomeLabel::Invalid,
            FailureKind::Internal => OutcomeLabel::Internal,
        },
    }
}

/// Counts a call as running until it is dropped, however the call ends.
#[derive(Debug)]
pub(crate) struct Running {
    running: Gauge,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.running.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Failure;

    #[test]
    fn names_and_labels_are_as_documented() {
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        metrics.attached();
        let running = metrics.started();
        metrics.finished("http", &Err(Failure::refused("no")), Duration::from_millis(5));
        metrics.finished("no-such", &Err(Failure::invalid("no")), Duration::from_millis(5));
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert!(text.contains("monstrum_runner_attached 1\n"), "{text}");
        assert!(text.contains("monstrum_runner_calls_running 1\n"), "{text}");
        assert!(
            text.contains("monstrum_runner_calls_total{executor=\"Http\",outcome=\"Refused\"} 1\n"),
            "{text}"
        );
        assert!(
            text.contains("monstrum_runner_calls_total{executor=\"Unknown\",outcome=\"Invalid\"} 1\n"),
            "{text}"
        );
        drop(running);
        assert_eq!(metrics.running.get(), 0);
    }
}
