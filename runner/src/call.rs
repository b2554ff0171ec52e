//! One permitted call: what to do, with what, until when, and how it ended.

mod credential;
mod judge;
mod outcome;
mod output;

use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use monstrum_scrub::Scrubber;
use monstrum_wire::runner::Execute;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use credential::{Addressed, Credential};
pub use judge::Judge;
pub use outcome::{Facts, Failure, FailureKind, Outcome, Success};
pub use output::{Gone, Output};

/// How long a call may take when the gateway does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(1);
/// The longest that a gateway can ask for.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(1);
/// How much is kept of a result when the gateway does not say.
const DEFAULT_RESULT_BYTES: usize = 64 * 1024;
/// The most that a gateway can ask for.
const MOST_RESULT_BYTES: usize = 16 * 1024 * 1024;

/// The largest image: it goes in one message.
const MOST_IMAGE_BYTES: usize = 512 * 1024;

/// One permitted call.
#[derive(Debug)]
pub struct Call {
    /// The gateway's name for it.
    pub id: String,
    /// Which executor performs it.
    pub executor: String,
    /// The tool's own name.
    pub tool: String,
    /// The trace that the turn belongs to; empty when the gateway named none.
    pub trace: String,
    /// Canonical arguments.
    pub arguments: Value,
    /// Canonical values by dimension.
    pub canonical: Map<String, Value>,
    /// The leased credential.
    pub credential: Credential,
    /// Finds the credential in whatever comes back.
    pub scrubber: Scrubber,
    /// How much of a result is kept.
    pub max_result_bytes: usize,
    /// How large an image may be that is given back as one; 0 where none is wanted.
    pub max_image_bytes: usize,
    /// The tool's name as the bot knows it.
    asked_as: String,
    judge: Arc<dyn Judge>,
    config: String,
    execution: String,
    presentation: String,
    timeout: Duration,
    deadline: Instant,
    cancelled: CancellationToken,
}

impl Call {
    /// Takes a call over from the wire. The clock starts now; `cancelled` ends it early.
    pub fn new(execute: Execute, cancelled: CancellationToken) -> Result<Self, Failure> {
        let arguments: Map<String, Value> = json("arguments", &execute.arguments_json)?;
        let timeout = bounded_timeout(execute.timeout_ms);
        let credential = Credential::new(execute.credential, &execute.credential_hosts);
        Ok(Self {
            arguments: Value::Object(arguments),
            canonical: json("canonical values", &execute.canonical_json)?,
            scrubber: credential.scrubber(None),
            credential,
            max_result_bytes: bounded_result(execute.max_result_bytes),
            max_image_bytes: usize::try_from(execute.max_image_bytes)
                .unwrap_or(0)
                .min(MOST_IMAGE_BYTES),
            config: execute.config_json,
            execution: execute.execution_json,
            presentation: execute.presentation_json,
            trace: trace_id(&execute.traceparent).to_owned(),
            timeout,
            deadline: Instant::now().checked_add(timeout).unwrap_or_else(Instant::now),
            cancelled,
            judge: Arc::new(judge::Nobody),
            asked_as: execute.asked_as,
            id: execute.call_id,
            executor: execute.executor,
            tool: execute.tool,
        })
    }

    /// Has `judge` decide on what follows from this call; without one, nothing may.
    #[must_use]
    pub fn judged_by(mut self, judge: Arc<dyn Judge>) -> Self {
        self.judge = judge;
        self
    }

    /// The canonical form of further arguments of the same tool, if the bot may call it with them as well.
    pub async fn permitted(&self, arguments: Value) -> Result<Value, Failure> {
        if arguments == self.arguments {
            return Ok(arguments);
        }
        self.judge.judge(&self.id, &self.asked_as, &arguments).await
    }

    /// The resource's settings.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        json("the resource's config", &self.config)
    }

    /// The executor's instructions.
    pub fn execution<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        json("the tool's execution", &self.execution)
    }

    /// How the credential is presented, if it is.
    pub fn presentation<T: DeserializeOwned>(&self) -> Result<Option<T>, Failure> {
        json::<Option<T>>(
            "the credential's presentation",
            if self.presentation.is_empty() {
                "null"
            } else {
                &self.presentation
            },
        )
    }

    /// When the call must have ended.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Resolves when the call has to end before it is done.
    pub async fn stopped(&self) -> Failure {
        tokio::select! {
            () = self.cancelled.cancelled() => Failure::cancelled("the call was cancelled"),
            () = tokio::time::sleep_until(self.deadline) => Failure::timeout(format!(
                "the call did not end within {:?} and was stopped",
                self.timeout
            )),
        }
    }

    /// Runs `work` until it is done or the call has to end; then it is dropped.
    pub async fn within<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        tokio::select! {
            biased;
            failure = self.stopped() => Err(failure),
            done = work => done,
        }
    }
}

fn json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, Failure> {
    let text = if text.is_empty() { "{}" } else { text };
    serde_json::from_str(text).map_err(|error| Failure::invalid(format!("{what}: {error}")))
}

/// The second field of a W3C `traceparent`.
fn trace_id(traceparent: &str) -> &str {
    let id = traceparent.split('-').nth(1).unwrap_or_default();
    if id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        id
    } else {
        ""
    }
}

fn bounded_timeout(milliseconds: u32) -> Duration {
    match milliseconds {
        0 => DEFAULT_TIMEOUT,
        asked => Duration::from_millis(u64::from(asked)).min(LONGEST_TIMEOUT),
    }
}

fn bounded_result(bytes: u32) -> usize {
    match usize::try_from(bytes) {
        Ok(0) => DEFAULT_RESULT_BYTES,
        Ok(asked) => asked.min(MOST_RESULT_BYTES),
        Err(_) => MOST_RESULT_BYTES,
    }
}

/// An error of our own with everything that caused it, in one line. One that may quote what a call was given or got is
/// [`monstrum_scrub::Tainted`].
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        // Writing into a String can't fail.
        let _ = write!(text, ": {next}");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn execute() -> Execute {
        Execute {
            call_id: "c1".to_owned(),
            arguments_json: "{}".to_owned(),
            ..Execute::default()
        }
    }

    #[tokio::test]
    async fn bounds_hold_whatever_the_gateway_asks() {
        let asked = Execute {
            timeout_ms: u32::MAX,
            max_result_bytes: u32::MAX,
            max_image_bytes: u32::MAX,
            ..execute()
        };
        let call = Call::new(asked, CancellationToken::new()).unwrap();
        assert_eq!(call.timeout, LONGEST_TIMEOUT);
        assert_eq!(call.max_result_bytes, MOST_RESULT_BYTES);
        assert_eq!(call.max_image_bytes, MOST_IMAGE_BYTES);
        let unset = Call::new(execute(), CancellationToken::new()).unwrap();
        assert_eq!(
            (unset.timeout, unset.max_result_bytes),
            (DEFAULT_TIMEOUT, DEFAULT_RESULT_BYTES)
        );
    }

    #[tokio::test]
    async fn arguments_that_are_no_object_are_invalid() {
        for wrong in ["[]", "null", "{", "{} {}", "\"x\""] {
            let failure = Call::new(
                Execute {
                    arguments_json: wrong.to_owned(),
                    ..execute()
                },
                CancellationToken::new(),
            );
            assert_eq!(failure.unwrap_err().kind, FailureKind::Invalid, "{wrong}");
        }
    }

    #[tokio::test]
    async fn work_ends_at_the_deadline() {
        let call = Call::new(
            Execute {
                timeout_ms: 15,
                ..execute()
            },
            CancellationToken::new(),
        )
        .unwrap();
        let failure = call
            .within(std::future::pending::<Result<(), Failure>>())
            .await
            .unwrap_err();
        assert_eq!(failure.kind, FailureKind::Timeout);
        assert_eq!(
            failure.message,
            "the call did not end within 15ms and was stopped"
        );
    }

    #[test]
    fn a_trace_is_taken_over_if_it_is_one() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(trace_id(&format!("00-{id}-00f067aa0ba902b7-01")), id);
        assert_eq!(trace_id("00-nonsense\n-x"), "");
        assert_eq!(trace_id(""), "");
    }

    #[tokio::test]
    async fn work_ends_when_cancelled() {
        let token = CancellationToken::new();
        let call = Call::new(execute(), token.clone()).unwrap();
        token.cancel();
        // A call that is cancelled before it starts performs nothing, even if it could be done at once.
        let failure = call.within(std::future::ready(Ok(()))).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Cancelled);
    }
}
