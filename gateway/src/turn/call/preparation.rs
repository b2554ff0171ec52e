//! From a permit to an order for a runner: nothing in it comes from anywhere but the canonical value and the policy.

use std::time::Duration;

use monstrum_guardian::decision::{Denial, Permit};
use monstrum_guardian::document::Binding;
use monstrum_guardian::source::{RunnerRef, Tool};
use monstrum_scrub::Scrubber;
use monstrum_wire::identity::{DEFAULT_RUNNER, SANDBOX_PREFIX};
use monstrum_wire::runner::Execute;
use serde_json::Value;
use tokio::time::Instant;

use crate::policy::Enforced;
use crate::providers::conversation::Image;
use crate::turn::context::Context;
use crate::turn::verdict::{Obstacle, fail_closed};
use crate::vault::Subject;

/// A call that is ready to be sent.
#[derive(Debug)]
pub(in crate::turn) struct Prepared {
    pub(super) permit: Permit,
    pub(super) execute: Execute,
    pub(super) runner: String,
    pub(super) idempotent: bool,
    pub(super) timeout: Duration,
    /// The policy that permitted it.
    pub(super) digest: String,
    /// The version of the credential that it carries.
    pub(super) credential_version: Option<String>,
    /// Knows the call's own credential and all others that are held.
    pub(super) scrubber: Scrubber,
}

impl Prepared {
    pub(super) fn executor(&self) -> &str {
        &self.execute.executor
    }
}

/// Fetches what the call needs; `asked_as` is the tool's name as the bot knows it. A credential that can't be had denies it.
pub(super) async fn prepare(
    context: &Context,
    policy: &Enforced,
    permit: Permit,
    call_id: &str,
    asked_as: &str,
) -> Result<Prepared, Denial> {
    let (binding, tool) = find(policy, &permit).ok_or_else(|| {
        fail_closed(&Obstacle::Inconsistent(
            "the permit names a binding or tool that it does not hold",
        ))
    })?;
    let vault = &context.gateway.vault;
    let secret = match &binding.credential {
        None => None,
        Some(reference) => Some(
            vault
                .open(Subject::Binding(binding.name.clone()), &reference.version)
                .await
                .map_err(|error| fail_closed(&Obstacle::Vault(&error)))?,
        ),
    };
    let presentation = binding
        .credential
        .as_ref()
        .map_or(&Value::Null, |reference| &reference.presentation);
    let limits = context.limits;
    let left = context.deadline.saturating_duration_since(Instant::now());
    let timeout = Duration::from_secs(u64::from(limits.call_timeout_seconds)).min(left);
    let execute = Execute {
        call_id: call_id.to_owned(),
        executor: binding.executor.clone(),
        tool: tool.name.clone(),
        arguments_json: permit.arguments.to_string(),
        canonical_json: serde_json::json!(permit.canonical).to_string(),
        config_json: text(&binding.config),
        execution_json: text(&tool.execution),
        presentation_json: text(presentation),
        credential: secret
            .as_ref()
            .map(|secret| secret.for_call())
            .unwrap_or_default(),
        credential_hosts: secret.as_ref().map(|secret| secret.hosts()).unwrap_or_default(),
        timeout_ms: u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX).max(1),
        max_result_bytes: limits.max_result_bytes,
        traceparent: context.trace.traceparent(),
        max_image_bytes: max_image_bytes(policy),
        asked_as: asked_as.to_owned(),
    };
    Ok(Prepared {
        execute,
        runner: runner_name(&binding.runner),
        idempotent: tool.idempotent,
        timeout,
        digest: policy.digest.clone(),
        credential_version: binding
            .credential
            .as_ref()
            .map(|reference| reference.version.clone()),
        scrubber: match &secret {
            Some(secret) => vault.scrubber_with(secret),
            None => vault.scrubber(),
        },
        permit,
    })
}

/// Images are wanted by a model that takes them.
fn max_image_bytes(policy: &Enforced) -> u32 {
    let sees = policy.settings.model.as_ref().is_some_and(|model| model.images);
    if sees { Image::MAX_BYTES } else { 0 }
}

fn find<'a>(policy: &'a Enforced, permit: &Permit) -> Option<(&'a Binding, &'a Tool)> {
    let binding = policy.engine.binding(&permit.binding)?;
    let tool = binding.tools.iter().find(|tool| tool.name == permit.tool)?;
    Some((binding, tool))
}

fn runner_name(runner: &RunnerRef) -> String {
    match runner {
        RunnerRef::Bot => DEFAULT_RUNNER.to_owned(),
        RunnerRef::Resource(resource) => format!("{SANDBOX_PREFIX}{resource}"),
    }
}

fn text(value: &Value) -> String {
    if value.is_null() {
        String::new()
    } else {
        value.to_string()
    }
}
