//! A bot's visible tools.

use std::collections::BTreeMap;

use monstrum_guardian::VisibleTool;
use monstrum_wire::guardian::ListToolsResponse;
use serde::Serialize;
use serde_json::Value;

use crate::output::{Cell, Table, paint};
use crate::policy::{BotPolicy, Problem, granting};

/// What a bot sees. The names are API.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    pub(super) bot: String,
    /// Where the policy came from: `objects` or `gateway`.
    pub(super) policy_from: &'static str,
    /// Of the permissions alone, when they were compiled here: the policy's own digest covers its settings, too.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) permissions_digest: String,
    /// Of the policy that the gateway enforces, when it was asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) policy_digest: String,
    pub(super) tools: Vec<Row>,
    /// Which prefix belongs to which resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
}

/// One tool.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) binding: String,
    pub(super) operation: String,
    pub(super) risk: String,
    /// The origins of the grants that make it visible; empty where only the gateway was asked.
    pub(super) granted_by: Vec<String>,
    /// The parameters whose schema the grants narrow.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) narrowed: BTreeMap<String, Value>,
    pub(super) description: String,
    pub(super) parameters: Value,
}

impl Listing {
    /// From this process's engine.
    pub(super) fn compiled(policy: &BotPolicy, problems: &[Problem]) -> Self {
        let mut granting = granting(&policy.document);
        let tools = policy.engine.tools().into_iter().map(|tool| {
            let granted_by = granting.remove(&tool.name).unwrap_or_default();
            let declared = policy.tool(&tool.name).map(|(_, tool)| &tool.parameters);
            let narrowed = narrowed(declared, &tool.parameters);
            Row::of(tool, granted_by, narrowed)
        });
        Self {
            bot: policy.title(),
            policy_from: "objects",
            permissions_digest: policy.engine.digest().to_owned(),
            policy_digest: String::new(),
            tools: tools.collect(),
            summary: policy.engine.summary(),
            warnings: problems
                .iter()
                .map(ToString::to_string)
                .chain(policy.suspension())
                .collect(),
        }
    }

    /// From a gateway.
    pub(super) fn enforced(bot: String, response: ListToolsResponse) -> Self {
        let tools = response.tools.into_iter().map(|tool| Row {
            parameters: serde_json::from_str(&tool.parameters_json).unwrap_or_default(),
            name: tool.name,
            binding: tool.binding,
            operation: tool.operation,
            risk: tool.risk,
            granted_by: Vec::new(),
            narrowed: BTreeMap::new(),
            description: tool.description,
        });
        Self {
            bot,
            policy_from: "gateway",
            permissions_digest: String::new(),
            policy_digest: response.policy_digest,
            tools: tools.collect(),
            summary: (!response.summary.is_empty()).then_some(response.summary),
            warnings: Vec::new(),
        }
    }

    /// The policy in words.
    pub(super) fn policy(&self) -> String {
        let digest = |digest: &str| {
            if digest.is_empty() {
                "none".to_owned()
            } else {
                digest.to_owned()
            }
        };
        if self.policy_from == "gateway" {
            return format!(
                "policy {} (as its gateway enforces it)",
                digest(&self.policy_digest)
            );
        }
        format!(
            "permissions {} (as compiled from the objects)",
            digest(&self.permissions_digest)
        )
    }

    /// For people.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(["TOOL", "BINDING", "OPERATION", "RISK", "GRANTED BY", "NARROWED"]);
        for tool in &self.tools {
            let narrowed: Vec<String> = tool
                .narrowed
                .iter()
                .map(|(name, schema)| format!("{name}: {}", brief(schema)))
                .collect();
            table.row([
                Cell::styled(&tool.name, paint::STRONG),
                tool.binding.as_str().into(),
                tool.operation.as_str().into(),
                risk(&tool.risk),
                tool.granted_by.join("\n").into(),
                narrowed.join("\n").into(),
            ]);
        }
        table
    }
}

impl Row {
    fn of(tool: VisibleTool, granted_by: Vec<String>, narrowed: BTreeMap<String, Value>) -> Self {
        Self {
            name: tool.name,
            binding: tool.binding,
            operation: tool.operation,
            risk: format!("{:?}", tool.risk),
            granted_by,
            narrowed,
            description: tool.description,
            parameters: tool.parameters,
        }
    }
}

fn risk(risk: &str) -> Cell {
    match risk {
        "High" => Cell::styled(risk, paint::BAD),
        "Medium" => Cell::styled(risk, paint::WARN),
        _ => risk.into(),
    }
}

/// The parameters that a model sees with another schema than the type declares. That all of them are closed is no narrowing.
fn narrowed(declared: Option<&Value>, seen: &Value) -> BTreeMap<String, Value> {
    let properties = |schema: &Value| {
        schema
            .get("properties")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let declared = declared.map(properties).unwrap_or_default();
    let changed = |name: &str, schema: &Value| {
        declared
            .get(name)
            .is_none_or(|before| LIMITS.iter().any(|limit| before.get(limit) != schema.get(limit)))
    };
    properties(seen)
        .into_iter()
        .filter(|(name, schema)| changed(name, schema))
        .collect()
}

/// The words of a schema that grants narrow with.
const LIMITS: [&str; 5] = ["enum", "const", "pattern", "minimum", "maximum"];

fn brief(schema: &Value) -> String {
    let said = LIMITS
        .iter()
        .filter_map(|limit| match (*limit, schema.get(limit)?) {
            ("enum", Value::Array(values)) => Some(
                values
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(" | "),
            ),
            ("const", value) => Some(value.to_string()),
            (limit, value) => Some(format!("{limit} {value}")),
        });
    let said: Vec<String> = said.collect();
    if said.is_empty() {
        "narrowed".to_owned()
    } else {
        said.join(", ")
    }
}
