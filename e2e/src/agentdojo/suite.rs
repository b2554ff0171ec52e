//! What a policy makes of one suite.

use std::collections::BTreeSet;

use anyhow::Result;
use monstrum_guardian::Engine;
use serde::Serialize;

use super::replay::{Answer, Answered, replay};
use super::trace::{Kind, Trace};

/// One suite under its policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Suite {
    /// The suite's name.
    pub(super) name: String,
    /// The digest of the policy.
    pub(super) policy: String,
    /// What users ask for. All of it should be permitted.
    pub(super) user_tasks: Vec<Task>,
    /// What attackers ask for. One denied call stops a task.
    pub(super) attacks: Vec<Task>,
    /// Attacks of ours that the policy is not expected to stop; they do not count as the benchmark's.
    pub(super) variants: Vec<Task>,
}

/// One task and what became of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Task {
    /// Its name in the suite.
    pub(super) id: String,
    /// Whether every call is permitted.
    pub(super) permitted: bool,
    /// Whether at least one call is denied.
    pub(super) blocked: bool,
    /// Whether a list of the tools that user tasks need would stop it.
    pub(super) blocked_by_tool_list: bool,
    /// Call by call.
    pub(super) calls: Vec<Answered>,
}

impl Suite {
    /// Replays the suite's traces.
    pub(super) fn replay(name: &str, engine: &Engine, traces: &[&Trace]) -> Result<Self> {
        let now = jiff::Timestamp::now();
        let users = traces.iter().filter(|trace| trace.kind == Kind::User);
        let needed: BTreeSet<&str> = users
            .flat_map(|trace| trace.calls.iter().map(|call| call.function.as_str()))
            .collect();
        let mut suite = Self {
            name: name.to_owned(),
            policy: engine.digest().to_owned(),
            user_tasks: Vec::new(),
            attacks: Vec::new(),
            variants: Vec::new(),
        };
        for trace in traces {
            let task = Task::new(trace, replay(engine, trace, now)?, &needed);
            match trace.kind {
                Kind::User => suite.user_tasks.push(task),
                Kind::Injection => suite.attacks.push(task),
                Kind::Variant => suite.variants.push(task),
            }
        }
        Ok(suite)
    }
}

impl Task {
    fn new(trace: &Trace, calls: Vec<Answered>, needed: &BTreeSet<&str>) -> Self {
        let permitted = |call: &Answered| matches!(call.answer, Answer::Permitted { .. });
        let denied = |call: &Answered| matches!(call.answer, Answer::Denied { .. });
        Self {
            id: trace.id.clone(),
            // A task without calls is neither a success nor a defence.
            permitted: !calls.is_empty() && calls.iter().all(permitted),
            blocked: calls.iter().any(denied),
            blocked_by_tool_list: calls.iter().any(|call| !needed.contains(call.tool.as_str())),
            calls,
        }
    }
}
