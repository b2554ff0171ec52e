//! Attacks as data: a policy, calls that it must deny with their reason, and the twins of them that it permits, so that
//! nothing passes by denying everything. The engine's tests and the gateway's run the same files.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code: a failure here is a failed test"
)]
#![allow(dead_code, unreachable_pub, reason = "each crate's tests use their own part")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use monstrum_guardian::decision::Reason;
use monstrum_guardian::source::{BindingSource, BotName, BotSource, Grant, Match, ResourceType, RunnerRef};
use monstrum_guardian::{Compilation, compile};
use serde::Deserialize;
use serde_json::{Value, json};

/// Calls `$each!` with the name of every row; each name is a file beside this one.
#[macro_export]
macro_rules! every_row {
    ($each:ident) => {
        $each! {
            row_01_tool_poisoning,
            row_05_server_side_request_forgery,
            row_07_path_traversal,
            row_08_pattern_bypass,
            row_09_option_injection,
            row_11_unicode_and_confusables,
            row_12_json_ambiguity,
            row_13_missing_mistyped_extra,
            row_16_echo_in_errors,
            row_17_unknown_usage,
            row_23_fields_into_templates,
            row_27_expression_escape,
            row_30_enumeration,
            row_31_resource_exhaustion
        }
    };
}

/// Where the rows' files are.
pub fn folder() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let workspace = own.ancestors().find(|folder| folder.join("Cargo.lock").exists());
    workspace.unwrap().join("core/guardian/tests/threats")
}

/// The scenes of one row.
pub fn scenes(row: &str) -> Vec<Scene> {
    let path = folder().join(row).with_extension("yaml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let value: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{row}: {error}"));
    let scenes: Vec<Scene> = serde_json::from_value(value).unwrap_or_else(|error| panic!("{row}: {error}"));
    for scene in &scenes {
        assert!(!scene.permits.is_empty(), "{row}, {}: no benign twin", scene.name);
        assert!(
            !scene.attacks.is_empty(),
            "{row}, {}: no attack, or one that is permitted",
            scene.name
        );
    }
    scenes
}

/// One policy with calls that it permits and calls that it denies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Scene {
    pub name: String,
    /// The kind of the only dimension, which the parameter `value` of the tool `act` feeds.
    #[serde(rename = "match")]
    matching: Option<Value>,
    /// The schema of `value`; text, if absent.
    parameter: Option<Value>,
    /// What the only grant says of the dimension.
    #[serde(default)]
    patterns: Vec<Value>,
    /// Instead of `match`: a whole type, …
    resource_type: Option<Value>,
    /// … and what is granted of it.
    #[serde(default)]
    grants: Vec<Value>,
    pub permits: BTreeMap<String, Case>,
    pub attacks: BTreeMap<Reason, BTreeMap<String, Case>>,
    /// Patterns that must not compile, each alone in place of `patterns`.
    #[serde(default)]
    pub refused_patterns: Vec<Value>,
}

/// One call.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Case {
    /// The tool's name as a bot would say it.
    #[serde(default = "act")]
    pub tool: String,
    /// The parameter `value`, …
    value: Option<Value>,
    /// … or all arguments, …
    arguments: Option<Value>,
    /// … or their exact text, …
    text: Option<String>,
    /// … or a text that is too long to be written down.
    repeated: Option<Repeated>,
    /// What is executed, where it is not what was said.
    pub canonical: Option<Value>,
    /// What the denial's message must not repeat.
    pub conceals: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Repeated {
    #[serde(default)]
    before: String,
    part: String,
    times: usize,
    #[serde(default)]
    after: String,
}

fn act() -> String {
    "act".to_owned()
}

impl Case {
    /// The arguments as the model would write them.
    pub fn text(&self) -> String {
        match (&self.value, &self.arguments, &self.text, &self.repeated) {
            (Some(value), None, None, None) => json!({"value": value}).to_string(),
            (None, Some(arguments), None, None) => arguments.to_string(),
            (None, None, Some(text), None) => text.clone(),
            (None, None, None, Some(long)) => {
                format!("{}{}{}", long.before, long.part.repeat(long.times), long.after)
            }
            _ => panic!("say one of value, arguments, text, repeated: {self:?}"),
        }
    }
}

impl Scene {
    /// The policy of the scene.
    pub fn compile(&self, bot: &BotName) -> Compilation {
        let compiled = self.compile_with(bot, &self.patterns);
        assert_eq!(compiled.faults, [], "{}", self.name);
        compiled
    }

    /// The same with a pattern that must not compile.
    pub fn compile_refused(&self, bot: &BotName, pattern: &Value) -> Compilation {
        let compiled = self.compile_with(bot, std::slice::from_ref(pattern));
        assert!(!compiled.faults.is_empty(), "{}: {pattern} compiles", self.name);
        compiled
    }

    fn compile_with(&self, bot: &BotName, patterns: &[Value]) -> Compilation {
        let resource_type = self.resource_type();
        let grants = if self.resource_type.is_some() {
            self.grants.clone()
        } else {
            vec![json!({"tools": ["act"], "scope": {"value": patterns}})]
        };
        let grant = |(place, mut fields): (usize, Value)| {
            fields["origin"] = json!(format!("binding/scene#{place}"));
            serde_json::from_value::<Grant>(fields).unwrap_or_else(|error| panic!("{}: {error}", self.name))
        };
        compile(&BotSource {
            bot: bot.clone(),
            budgets: Vec::new(),
            delegations: Vec::new(),
            bindings: vec![BindingSource {
                name: "scene".to_owned(),
                alias: None,
                resource: "scene".to_owned(),
                description: None,
                resource_type: Arc::new(resource_type),
                config: json!({}),
                credential: None,
                runner: RunnerRef::Bot,
                grants: grants.into_iter().enumerate().map(grant).collect(),
            }],
        })
    }

    /// Every tool of the type, granted or not.
    pub fn tools(&self) -> Vec<String> {
        let tools = self.resource_type().tools;
        tools.into_iter().map(|tool| tool.name).collect()
    }

    /// The texts of every pattern, none of which a denial may repeat.
    pub fn secrets(&self) -> Vec<String> {
        let scopes = self.grants.iter().filter_map(|grant| grant["scope"].as_object());
        let lists = scopes
            .flat_map(|scope| scope.values())
            .filter_map(Value::as_array);
        let patterns = lists.flatten().chain(&self.patterns).filter_map(Value::as_str);
        // A shorter one may be part of an ordinary word.
        patterns
            .filter(|text| text.len() > 3)
            .map(str::to_owned)
            .collect()
    }

    fn resource_type(&self) -> ResourceType {
        let value = match (&self.resource_type, &self.matching) {
            (Some(whole), None) => whole.clone(),
            (None, Some(matching)) => self.simple(matching),
            _ => panic!("{}: say match or resourceType", self.name),
        };
        serde_json::from_value(value).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// One dimension, a tool that is granted and the same one that is not.
    fn simple(&self, matching: &Value) -> Value {
        let value = self
            .parameter
            .clone()
            .unwrap_or_else(|| json!({"type": "string"}));
        let rule = serde_json::from_value::<Match>(matching.clone()).unwrap() == Match::Cel {};
        let fed = json!([{"dimension": "value", "from": {"pointer": "/value"}}]);
        let tool = |name: &str| {
            json!({
                "name": name, "description": "Acts", "operation": "thing.act",
                "parameters": {"type": "object", "required": ["value"], "properties": {"value": value}},
                "scope": if rule { json!([]) } else { fed.clone() },
            })
        };
        json!({
            "name": "thing", "executor": "http",
            "dimensions": [{"name": "value", "match": matching}],
            "tools": [tool("act"), tool("destroy")],
        })
    }
}
