//! A recorded call on a runner, until it ends, its time is over, its permission is taken back, or the turn stops.

use std::time::Duration;

use monstrum_scrub::{End, Tainted};
use monstrum_wire::runner::FailureKind;
use serde_json::Value;
use tokio::time::Instant;

use super::Wanted;
use super::preparation::Prepared;
use crate::link::{Ending, FromCall, Heard, Running};
use crate::policy::Changes;
use crate::turn::context::Context;
use crate::turn::output::{Clean, Output};
use crate::turn::verdict;

/// How long a call waits for its runner to dial in.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a runner gets beyond a call's own time limit before the call counts as lost.
const GRACE: Duration = Duration::from_secs(5);
/// How long a cancelled call may take to say how it ended.
const WIND_UP: Duration = Duration::from_secs(3);

const LOST: &str = "The runner went away while the call ran. It is not known whether the call took effect.";
const SILENT: &str =
    "The runner did not say how the call ended. It is not known whether the call took effect.";

/// How a call ended.
pub(super) struct Ended {
    pub(super) outcome: &'static str,
    pub(super) reason: String,
    pub(super) facts: Value,
    pub(super) clean: Clean,
    /// Whether a runner was given the call.
    pub(super) sent: bool,
}

/// Why a running call was cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancelled {
    Revoked,
    Stopped,
    Runaway,
}

pub(super) async fn perform(
    context: &Context,
    wanted: Wanted<'_>,
    prepared: &Prepared,
    changes: &mut Changes,
) -> Ended {
    let reaching = context
        .gateway
        .link
        .reach(&prepared.runner, prepared.executor(), PATIENCE);
    let reached = tokio::select! {
        reached = reaching => reached,
        () = context.stop.requested() => return not_sent("Stopped", "The call was not made: the turn ended."),
    };
    let attached = match reached {
        Ok(attached) => attached,
        Err(error) => {
            let sentence = format!("The call was not made: {error}. Try again later.");
            return not_sent("NoRunner", &sentence);
        }
    };
    // The policy may have changed while the call was recorded and its runner awaited.
    if !in_force(context, wanted, prepared).await {
        return not_sent("Revoked", verdict::REFUSED);
    }
    match attached
        .start(prepared.execute.clone(), &prepared.permit.reserve)
        .await
    {
        Ok(running) => {
            let _wait = context.clock.wait();
            listen(context, wanted, prepared, changes, running).await
        }
        Err(error) => not_sent(
            "NoRunner",
            &format!("The call was not made: {error}. Try again later."),
        ),
    }
}

async fn in_force(context: &Context, wanted: Wanted<'_>, prepared: &Prepared) -> bool {
    let policy = context.gateway.policy.current();
    if policy.digest == prepared.digest {
        return true;
    }
    let call = (wanted.tool(), wanted.raw_arguments);
    verdict::still_holds(context, &policy, call, &prepared.permit).await && same_credential(&policy, prepared)
}

/// A rotated or deleted credential must not be used any more, though the grant still stands.
fn same_credential(policy: &crate::policy::Enforced, prepared: &Prepared) -> bool {
    let binding = policy.engine.binding(&prepared.permit.binding);
    let version = binding
        .and_then(|binding| binding.credential.as_ref())
        .map(|credential| &credential.version);
    version == prepared.credential_version.as_ref()
}

async fn listen(
    context: &Context,
    wanted: Wanted<'_>,
    prepared: &Prepared,
    changes: &mut Changes,
    mut running: Running,
) -> Ended {
    let mut output = Output::new(&prepared.scrubber, context.limits.max_result_bytes);
    let mut until = after(prepared.timeout.saturating_add(GRACE));
    let mut cancelled = None;
    loop {
        let cancel = tokio::select! {
            heard = running.next() => match heard {
                Heard::Said(FromCall::Chunk(bytes)) => {
                    if output.push(&bytes) { None } else { Some(Cancelled::Runaway) }
                }
                Heard::Said(FromCall::Finished(ending)) => {
                    return finished(prepared, output, ending, cancelled);
                }
                Heard::Lost => return unknown(output, "RunnerLost", LOST),
            },
            () = changes.next(), if cancelled.is_none() => {
                (!in_force(context, wanted, prepared).await).then_some(Cancelled::Revoked)
            }
            () = context.stop.requested(), if cancelled.is_none() => Some(Cancelled::Stopped),
            () = tokio::time::sleep_until(until) => {
                running.cancel();
                return unknown(output, "Timeout", SILENT);
            }
        };
        if let Some(cancel) = cancel.filter(|_| cancelled.is_none()) {
            running.cancel();
            cancelled = Some(cancel);
            until = until.min(after(WIND_UP));
        }
    }
}

fn finished(
    prepared: &Prepared,
    mut output: Output,
    ending: Option<Ending>,
    cancelled: Option<Cancelled>,
) -> Ended {
    match ending {
        Some(Ending::Success {
            content,
            truncated,
            is_image,
            facts,
        }) => {
            let clean = if is_image {
                Clean::image(&content, &prepared.scrubber)
            } else {
                output.push(&content);
                if truncated {
                    output.cut();
                }
                output.finish(End::Whole)
            };
            Ended {
                outcome: "ok",
                reason: String::new(),
                facts: told(prepared, &facts),
                clean,
                sent: true,
            }
        }
        Some(Ending::Failure {
            kind,
            message,
            retry_after_seconds,
            facts,
        }) => {
            let message = message.text(&prepared.scrubber);
            let sentence = sentence(kind, &message, retry_after_seconds);
            Ended {
                facts: told(prepared, &facts),
                ..failed(output, kind, sentence, cancelled)
            }
        }
        None => unknown(output, "Protocol", SILENT),
    }
}

/// What an executor said of a call, for its record.
fn told(prepared: &Prepared, facts: &Tainted) -> Value {
    facts.json(None, &prepared.scrubber).unwrap_or(Value::Null)
}

fn failed(output: Output, kind: FailureKind, sentence: String, cancelled: Option<Cancelled>) -> Ended {
    let (reason, sentence) = match (kind, cancelled) {
        (FailureKind::Cancelled, Some(Cancelled::Revoked)) => {
            ("Revoked".to_owned(), verdict::REFUSED.to_owned())
        }
        (FailureKind::Cancelled, Some(Cancelled::Stopped)) => (
            "Stopped".to_owned(),
            "The call was stopped, because the turn ended.".to_owned(),
        ),
        (FailureKind::Cancelled, Some(Cancelled::Runaway)) => (
            "TooLarge".to_owned(),
            "The call was stopped: its result is far too large.".to_owned(),
        ),
        _ => (word(kind).to_owned(), sentence),
    };
    Ended {
        outcome: "error",
        reason,
        facts: Value::Null,
        clean: ended_early(output, &sentence),
        sent: true,
    }
}

/// What came before the end, and the sentence that tells it.
fn ended_early(output: Output, sentence: &str) -> Clean {
    let mut clean = output.finish(End::Cut);
    if !clean.content.is_empty() {
        clean.content.push('\n');
    }
    clean.content.push_str(sentence);
    clean
}

fn sentence(kind: FailureKind, message: &str, retry_after_seconds: u32) -> String {
    match (kind, retry_after_seconds) {
        (FailureKind::RateLimited, seconds) if seconds > 0 => {
            format!("The call failed: {message}. It may be tried again in {seconds} seconds.")
        }
        _ => format!("The call failed: {message}."),
    }
}

fn word(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Unspecified | FailureKind::Internal => "Internal",
        FailureKind::Unreachable => "Unreachable",
        FailureKind::Upstream => "Upstream",
        FailureKind::RateLimited => "RateLimited",
        FailureKind::Timeout => "Timeout",
        FailureKind::Cancelled => "Cancelled",
        FailureKind::Refused => "Refused",
        FailureKind::Invalid => "Invalid",
    }
}

fn not_sent(reason: &str, sentence: &str) -> Ended {
    let clean = Clean {
        content: sentence.to_owned(),
        ..Clean::default()
    };
    Ended {
        outcome: "error",
        reason: reason.to_owned(),
        facts: Value::Null,
        clean,
        sent: false,
    }
}

fn unknown(output: Output, reason: &str, sentence: &str) -> Ended {
    Ended {
        outcome: "unknown",
        reason: reason.to_owned(),
        facts: Value::Null,
        clean: ended_early(output, sentence),
        sent: true,
    }
}

fn after(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or(now)
}
