//! Policies to enforce, compiled from sources as the operator does it.

use std::collections::BTreeMap;
use std::sync::Arc;

use monstrum_guardian::compile;
use monstrum_guardian::source::*;
use serde_json::{Value, json};

pub const TOKEN: &str = "ghp_S3cr3tTokenValue/+42";

fn tool(name: &str, operation: &str, idempotent: bool, extra: &Value, required: &[&str]) -> Tool {
    let mut properties = json!({ "owner": { "type": "string" }, "repo": { "type": "string" } });
    properties
        .as_object_mut()
        .unwrap()
        .extend(extra.as_object().unwrap().clone());
    let required: Vec<&str> = ["owner", "repo"].iter().chain(required).copied().collect();
    Tool {
        name: name.to_owned(),
        description: format!("Does {operation}."),
        operation: operation.to_owned(),
        parameters: json!({ "type": "object", "properties": properties, "required": required }),
        scope: vec![Feed {
            dimension: "repository".to_owned(),
            from: FeedFrom::Template("{/owner}/{/repo}".to_owned()),
        }],
        risk: Risk::Low,
        idempotent,
        execution: json!({ "method": "GET", "path": "/x" }),
    }
}

fn github() -> ResourceType {
    ResourceType {
        name: "github".to_owned(),
        executor: "http".to_owned(),
        dimensions: vec![Dimension {
            name: "repository".to_owned(),
            matching: Match::Glob { separator: Some('/') },
            when_unset: WhenUnset::Deny,
            description: String::new(),
        }],
        tools: vec![
            tool(
                "list_issues",
                "issue.read",
                true,
                &json!({ "state": { "type": "string" } }),
                &[],
            ),
            tool(
                "create_issue",
                "issue.write",
                false,
                &json!({ "title": { "type": "string" } }),
                &["title"],
            ),
            tool("delete_repository", "repo.delete", false, &json!({}), &[]),
        ],
    }
}

/// What one binding grants.
#[derive(Clone)]
pub struct Held {
    pub operations: Vec<&'static str>,
    pub repositories: Vec<&'static str>,
    pub credential_version: Option<&'static str>,
    pub quotas: Vec<Quota>,
    pub approval: Vec<ApprovalRule>,
    pub runner: RunnerRef,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            operations: vec!["issue.*"],
            repositories: vec!["acme/*"],
            credential_version: Some("1"),
            quotas: Vec::new(),
            approval: Vec::new(),
            runner: RunnerRef::Bot,
        }
    }
}

pub fn permissions(held: &[Held], budgets: &[Budget]) -> Vec<u8> {
    let binding = |(index, held): (usize, &Held)| BindingSource {
        name: format!("github-{index}"),
        alias: None,
        resource: format!("hub-{index}"),
        description: None,
        resource_type: Arc::new(github()),
        config: json!({ "baseUrl": "http://github.test" }),
        credential: held.credential_version.map(|version| CredentialRef {
            name: "token".to_owned(),
            method: "token".to_owned(),
            version: version.to_owned(),
            presentation: json!({ "bearer": { "field": "token" } }),
        }),
        runner: held.runner.clone(),
        grants: vec![Grant {
            origin: format!("binding/github-{index}#0"),
            operations: held
                .operations
                .iter()
                .map(|&operation| operation.to_owned())
                .collect(),
            scope: BTreeMap::from([(
                "repository".to_owned(),
                held.repositories
                    .iter()
                    .map(|&repository| json!(repository))
                    .collect(),
            )]),
            quotas: held.quotas.clone(),
            approval: held.approval.clone(),
            ..Grant::default()
        }],
    };
    let source = BotSource {
        bot: BotName {
            namespace: "team-a".to_owned(),
            name: "triage".to_owned(),
        },
        bindings: held.iter().enumerate().map(binding).collect(),
        budgets: budgets.to_vec(),
        delegations: Vec::new(),
    };
    let compilation = compile(&source);
    assert_eq!(compilation.faults, []);
    compilation.document.to_bytes()
}
