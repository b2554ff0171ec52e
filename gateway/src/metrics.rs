//! What a gateway counts.

use std::fmt;
use std::time::Duration;

use monstrum_service::Service;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use crate::providers::conversation::Usage;

/// Seconds that a model may take.
const MODEL_SECONDS: [f64; 9] = [0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0];

/// Seconds that a turn may take besides its model and its tools.
const OWN_SECONDS: [f64; 12] = [
    0.001, 0.002, 0.003, 0.004, 0.006, 0.008, 0.012, 0.02, 0.05, 0.1, 0.5, 2.0,
];

/// A closed set of outcomes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: String,
}

/// A decision and its reason code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decision {
    verdict: String,
    reason: String,
}

/// How a call ended, and who ran it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Call {
    outcome: String,
    executor: String,
}

/// Which tokens.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tokens {
    kind: String,
}

/// What a gateway counts.
#[derive(Clone)]
pub struct Metrics {
    turns: Family<Outcome, Counter>,
    decisions: Family<Decision, Counter>,
    admissions: Family<Decision, Counter>,
    calls: Family<Call, Counter>,
    requests: Family<Outcome, Counter>,
    seconds: Histogram,
    own_seconds: Histogram,
    tokens: Family<Tokens, Counter>,
    enforced: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Registers everything.
    pub fn new(service: &Service) -> Self {
        let metrics = Self {
            turns: Family::default(),
            decisions: Family::default(),
            admissions: Family::default(),
            calls: Family::default(),
            requests: Family::default(),
            seconds: Histogram::new(MODEL_SECONDS),
            own_seconds: Histogram::new(OWN_SECONDS),
            tokens: Family::default(),
            enforced: Gauge::default(),
        };
        service.register(|registry| {
            let own = metrics.clone();
            registry.register("monstrum_gateway_turns", "Turns by how they ended", own.turns);
            registry.register(
                "monstrum_gateway_decisions",
                "Decisions on tool calls",
                own.decisions,
            );
            registry.register(
                "monstrum_gateway_model_admissions",
                "Decisions on questions to the model",
                own.admissions,
            );
            registry.register(
                "monstrum_gateway_calls",
                "Tool calls by how they ended",
                own.calls,
            );
            registry.register(
                "monstrum_gateway_model_requests",
                "Questions to the model",
                own.requests,
            );
            registry.register(
                "monstrum_gateway_model_seconds",
                "How long the model took",
                own.seconds,
            );
            registry.register(
                "monstrum_gateway_turn_own_seconds",
                "What turns took without the time in which a model or a tool was waited for",
                own.own_seconds,
            );
            registry.register("monstrum_gateway_tokens", "Tokens used", own.tokens);
            registry.register(
                "monstrum_gateway_policy_enforced",
                "1 while a policy holds",
                own.enforced,
            );
        });
        metrics
    }

    /// A turn ended.
    pub fn turn(&self, code: &str) {
        self.turns
            .get_or_create(&Outcome {
                outcome: code.to_owned(),
            })
            .inc();
    }

    /// What a turn took besides its model and its tools.
    pub fn own_time(&self, took: Duration) {
        self.own_seconds.observe(took.as_secs_f64());
    }

    /// A call was judged.
    pub fn decision(&self, verdict: &str, reason: &str) {
        judged(&self.decisions, verdict, reason);
    }

    /// It was judged whether the model may be asked.
    pub fn admission(&self, verdict: &str, reason: &str) {
        judged(&self.admissions, verdict, reason);
    }

    /// A call ended.
    pub fn call(&self, outcome: &str, executor: &str) {
        let labels = Call {
            outcome: outcome.to_owned(),
            executor: executor.to_owned(),
        };
        self.calls.get_or_create(&labels).inc();
    }

    /// The model answered, or did not.
    pub fn model(&self, outcome: &str, took: Duration) {
        self.requests
            .get_or_create(&Outcome {
                outcome: outcome.to_owned(),
            })
            .inc();
        self.seconds.observe(took.as_secs_f64());
    }

    /// Tokens were used.
    pub fn tokens(&self, usage: Usage) {
        let kinds = [
            ("input", usage.input.saturating_sub(usage.cached)),
            ("cached", usage.cached),
            ("output", usage.output),
        ];
        for (kind, amount) in kinds {
            self.tokens
                .get_or_create(&Tokens {
                    kind: kind.to_owned(),
                })
                .inc_by(amount);
        }
    }

    /// Whether a policy holds.
    pub fn policy(&self, holds: bool) {
        self.enforced.set(i64::from(holds));
    }
}

fn judged(decisions: &Family<Decision, Counter>, verdict: &str, reason: &str) {
    let labels = Decision {
        verdict: verdict.to_owned(),
        reason: reason.to_owned(),
    };
    decisions.get_or_create(&labels).inc();
}
