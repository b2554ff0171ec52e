//! What a channel counts.

use std::fmt;

use monstrum_service::Service;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// A closed set of outcomes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: String,
}

#[derive(Clone, Default)]
pub(crate) struct Metrics {
    requests: Family<Outcome, Counter>,
    answers: Family<Outcome, Counter>,
    messages: Family<Outcome, Counter>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    pub(crate) fn new(service: &Service) -> Self {
        let metrics = Self::default();
        let own = metrics.clone();
        service.register(|registry| {
            registry.register(
                "monstrum_channel_requests",
                "Requests by what came of them",
                own.requests,
            );
            registry.register(
                "monstrum_channel_answers",
                "Answers that were sent by themselves, by what came of them",
                own.answers,
            );
            registry.register(
                "monstrum_channel_messages",
                "Accepted messages that were taken up again, lost to another process, refused since, or given up",
                own.messages,
            );
        });
        metrics
    }

    pub(crate) fn request(&self, outcome: &str) {
        self.requests
            .get_or_create(&Outcome {
                outcome: outcome.to_owned(),
            })
            .inc();
    }

    pub(crate) fn answer(&self, outcome: &str) {
        self.answers
            .get_or_create(&Outcome {
                outcome: outcome.to_owned(),
            })
            .inc();
    }

    pub(crate) fn message(&self, outcome: &str) {
        self.messages
            .get_or_create(&Outcome {
                outcome: outcome.to_owned(),
            })
            .inc();
    }
}
