//! The resource types that come with the chart are read, judged and compiled as a user's would be.

use std::sync::Arc;

use monstrum_crds::contract::Contract;
use monstrum_crds::kinds::ResourceType;
use monstrum_crds::object::Object;
use serde_json::Value;

fn shipped(name: &str) -> ResourceType {
    let path = format!(
        "{}/../charts/monstrum/resource-types/{name}.yaml",
        env!("CARGO_MANIFEST_DIR")
    );
    let value: Value = serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    match Object::read(value).unwrap() {
        Object::ResourceType(object) => *object,
        other => panic!("{name} is a {}", other.kind()),
    }
}

fn contract(name: &str) -> Contract {
    Contract::new(Arc::new(shipped(name)))
}

#[test]
fn github_and_shell_have_no_faults() {
    for name in ["github", "shell"] {
        assert_eq!(contract(name).faults, [], "{name}");
    }
}

#[test]
fn the_engine_takes_them() {
    for name in ["github", "shell"] {
        assert_eq!(
            monstrum_guardian::validate_resource_type(&contract(name).source),
            [],
            "{name}"
        );
    }
}

#[test]
fn every_github_tool_is_bound_to_a_repository() {
    for tool in &shipped("github").spec.tools {
        assert!(
            tool.scope.iter().any(|feed| feed.dimension == "repository"),
            "{}",
            tool.name
        );
        assert!(
            tool.http
                .as_ref()
                .unwrap()
                .path
                .starts_with("/repos/{/owner}/{/repo}/"),
            "{}",
            tool.name
        );
    }
}

#[test]
fn reading_operations_only_read() {
    for tool in &shipped("github").spec.tools {
        let method = serde_json::to_value(tool.http.as_ref().unwrap().method).unwrap();
        let reads = matches!(tool.operation.rsplit('.').next(), Some("read" | "list"));
        assert_eq!(reads, method == "GET", "{}", tool.name);
    }
}

#[test]
fn github_is_at_its_public_address_unless_a_resource_says_otherwise() {
    let contract = contract("github");
    assert_eq!(contract.settings(None)["baseUrl"], "https://api.github.com");
    let own = serde_json::json!({ "baseUrl": "https://github.example.com/api/v3" });
    assert_eq!(contract.settings(Some(&own)), own);
    assert_eq!(contract.config_faults(&own), []);
    assert_eq!(
        contract
            .config_faults(&serde_json::json!({ "baseurl": "x" }))
            .len(),
        1
    );
}

#[test]
fn parameters_are_closed_and_described() {
    for name in ["github", "shell"] {
        for tool in &shipped(name).spec.tools {
            assert_eq!(tool.parameters["additionalProperties"], false, "{}", tool.name);
            for (parameter, schema) in tool.parameters["properties"].as_object().unwrap() {
                assert!(schema["description"].is_string(), "{}: {parameter}", tool.name);
            }
        }
    }
}
