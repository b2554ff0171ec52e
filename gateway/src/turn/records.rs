//! What is written to the audit chain of a turn.

use monstrum_guardian::decision::{Denial, Estimate, Permit, Reason};
use monstrum_scrub::Scrubber;
use monstrum_wire::guardian::{CheckRequest, CheckResponse, Verdict};
use monstrum_wire::ledger::AuditRecord;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::bounds::Tally;
use super::context::Context;
use super::message::Incoming;
use crate::gateway::Gateway;

/// What is longer is cut and carries its digest.
const MAX_TEXT: usize = 16 << 10;
/// Of a tool's name.
const MAX_NAME: usize = 256;

/// How a call ended, for its record.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CallEnd {
    /// `ok`, `error` or `unknown`.
    pub(super) outcome: &'static str,
    /// A closed code when it did not work.
    pub(super) reason: String,
    /// What the executor said of it.
    pub(super) facts: Value,
    /// How many bytes of result were kept.
    pub(super) bytes: usize,
    /// Whether there were more.
    pub(super) truncated: bool,
}

fn base(context: &Context, kind: &str) -> AuditRecord {
    let (session, turn, user) = (&context.held.session, &context.turn, &context.user);
    of(&context.gateway, kind, (session, turn, user, context.trace.id()))
}

fn of(gateway: &Gateway, kind: &str, (session, turn, user, trace): (&str, &str, &str, &str)) -> AuditRecord {
    AuditRecord {
        kind: kind.to_owned(),
        session: session.to_owned(),
        turn: turn.to_owned(),
        user: user.to_owned(),
        policy_digest: gateway.policy.current().digest.clone(),
        trace_id: trace.to_owned(),
        ..AuditRecord::default()
    }
}

/// The beginning of a turn that `message` starts; written together with the message.
pub(super) fn turn_started(gateway: &Gateway, turn: &str, message: &Incoming) -> AuditRecord {
    let detail = json!({
        "channel": message.channel,
        "messageId": message.message_id,
        "textBytes": message.text.len(),
        "textSha256": digest(&message.text),
    });
    let names = (
        message.session.as_str(),
        turn,
        message.user.as_str(),
        message.trace.id(),
    );
    AuditRecord {
        detail_json: detail.to_string(),
        ..of(gateway, "turn.started", names)
    }
}

pub(super) fn turn_finished(context: &Context, stop: &str, tally: &Tally) -> AuditRecord {
    let usage = tally.usage();
    let detail = json!({
        "stop": stop,
        "inputTokens": usage.input_tokens,
        "cachedInputTokens": usage.cached_input_tokens,
        "outputTokens": usage.output_tokens,
        "costMicroUsd": usage.cost_micro_usd,
        "modelRequests": usage.model_requests,
    });
    AuditRecord {
        reason: stop.to_owned(),
        detail_json: detail.to_string(),
        ..base(context, "turn.finished")
    }
}

/// A denial, with the call as the model wrote it: there is no canonical form of it.
pub(super) fn denied(
    context: &Context,
    digest: &str,
    call: (&str, &str),
    arguments: &str,
    denial: &Denial,
) -> AuditRecord {
    let (call_id, tool) = call;
    AuditRecord {
        call_id: call_id.to_owned(),
        tool: short(tool),
        verdict: "deny".to_owned(),
        reason: format!("{:?}", denial.reason),
        policy_digest: digest.to_owned(),
        detail_json: json!({ "message": denial.message, "rawArguments": bounded(arguments) }).to_string(),
        ..base(context, "decision")
    }
}

/// A question to the model that was not sent.
pub(super) fn not_asked(
    context: &Context,
    digest: &str,
    model: &str,
    estimate: &Estimate,
    denial: &Denial,
) -> AuditRecord {
    let detail = json!({
        "message": denial.message,
        "model": model,
        "tokens": estimate.tokens,
        "costMicroUsd": estimate.micro_usd,
    });
    AuditRecord {
        verdict: "deny".to_owned(),
        reason: format!("{:?}", denial.reason),
        policy_digest: digest.to_owned(),
        detail_json: detail.to_string(),
        ..base(context, "decision")
    }
}

/// A permitted call, written before it has any effect.
pub(super) fn started(
    context: &Context,
    digest: &str,
    tool: &str,
    permit: &Permit,
    scrubber: &Scrubber,
) -> AuditRecord {
    let arguments = kept(scrubber.json(permit.arguments.clone()).to_string());
    let detail = json!({
        "binding": permit.binding,
        "operation": permit.operation,
        "canonical": scrubber.json(json!(permit.canonical)),
    });
    AuditRecord {
        tool: tool.to_owned(),
        verdict: "allow".to_owned(),
        grant: permit.grant.to_string(),
        policy_digest: digest.to_owned(),
        arguments_json: arguments,
        detail_json: detail.to_string(),
        ..base(context, "call.started")
    }
}

/// The decision on an effect that only appeared while a call ran.
pub(crate) fn effect(
    gateway: &Gateway,
    call_id: &str,
    asked: &CheckRequest,
    answer: &CheckResponse,
) -> AuditRecord {
    let scrubber = gateway.vault.scrubber();
    // A call's id begins with its turn's.
    let turn = call_id.split('.').next().unwrap_or_default();
    let record = AuditRecord {
        call_id: call_id.to_owned(),
        tool: short(&asked.tool),
        grant: answer.grant.clone(),
        policy_digest: answer.policy_digest.clone(),
        ..of(gateway, "decision", ("", turn, "", ""))
    };
    let canonical = serde_json::from_str(&answer.canonical_arguments_json);
    if let (Verdict::Allow, Ok(arguments)) = (answer.verdict(), canonical) {
        return AuditRecord {
            verdict: "allow".to_owned(),
            arguments_json: kept(scrubber.json(arguments).to_string()),
            detail_json: json!({ "effect": true }).to_string(),
            ..record
        };
    }
    let reason = match answer.verdict() {
        // Nobody can be asked in the middle of a call.
        Verdict::NeedsApproval => format!("{:?}", Reason::ApprovalRequired),
        Verdict::Unspecified | Verdict::Allow | Verdict::Deny => answer.reason.clone(),
    };
    let raw = scrubber.text(&asked.arguments_json);
    let message = scrubber.text(&answer.message);
    let detail = json!({ "effect": true, "message": message, "rawArguments": bounded(&raw) });
    AuditRecord {
        verdict: "deny".to_owned(),
        reason,
        detail_json: detail.to_string(),
        ..record
    }
}

pub(super) fn finished(context: &Context, call_id: &str, tool: &str, end: &CallEnd) -> AuditRecord {
    let detail = json!({
        "outcome": end.outcome,
        "resultBytes": end.bytes,
        "truncated": end.truncated,
        "facts": end.facts,
    });
    AuditRecord {
        call_id: call_id.to_owned(),
        tool: tool.to_owned(),
        reason: end.reason.clone(),
        detail_json: detail.to_string(),
        ..base(context, "call.finished")
    }
}

/// A name, of which a model may have made up any length.
fn short(name: &str) -> String {
    let end = name.floor_char_boundary(MAX_NAME);
    name.get(..end).unwrap_or_default().to_owned()
}

/// Arguments, which are JSON; what is too long becomes its beginning, length and digest.
fn kept(arguments: String) -> String {
    if arguments.len() > MAX_TEXT {
        bounded(&arguments).to_string()
    } else {
        arguments
    }
}

/// Text as JSON; what is too long becomes its beginning, length and digest.
fn bounded(text: &str) -> Value {
    if text.len() <= MAX_TEXT {
        return json!(text);
    }
    let end = text.floor_char_boundary(MAX_TEXT / 4);
    json!({
        "beginning": text.get(..end).unwrap_or_default(),
        "bytes": text.len(),
        "sha256": digest(text),
    })
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_its_digest() {
        let text = "ü".repeat(MAX_TEXT);
        let cut = bounded(&text);
        assert_eq!(cut["sha256"], digest(&text));
        assert_eq!(cut["bytes"], text.len());
        assert!(cut.to_string().len() < MAX_TEXT);
        assert_eq!(bounded("short"), "short");
    }
}
