//! What the operator accepts, a runner carries out: nothing becomes Ready of which every call would fail.

use monstrum_crds::object::Kind::{self, *};
use monstrum_crds::validate;
use rstest::rstest;
use serde_json::{Value, json};

use crate::scene::Scene;

#[rstest]
// Headers that the transport or a credential owns.
#[case("/spec/tools/0/http/headers/Accept-Encoding", json!("gzip"), "spec.tools[0].http.headers.Accept-Encoding")]
#[case("/spec/tools/0/http/headers/X-Forwarded-For", json!("10.0.0.1"), "spec.tools[0].http.headers.X-Forwarded-For")]
#[case("/spec/credentials/0/presentation", json!({"header": {"name": "Content-Type", "field": "token"}}), "spec.credentials[0].presentation.header.name")]
#[case("/spec/credentials/0/presentation", json!({"header": {"name": "accept-encoding", "field": "token"}}), "spec.credentials[0].presentation.header.name")]
#[case("/spec/credentials/0/presentation", json!({"header": {"name": "te", "field": "token"}}), "spec.credentials[0].presentation.header.name")]
// One place for a template's value and a credential's.
#[case("/spec/credentials/0/presentation", json!({"header": {"name": "Accept", "field": "token"}}), "spec.credentials[0].presentation.header.name")]
#[case("/spec/credentials/0/presentation", json!({"query": {"name": "state", "field": "token"}}), "spec.credentials[0].presentation.query.name")]
// Templates that a request can't be made of.
#[case("/spec/tools/0/http/path", json!("/repos/%2e%2e/{/owner}"), "spec.tools[0].http.path")]
#[case("/spec/tools/0/http/path", json!("/repos/%2E/{/owner}"), "spec.tools[0].http.path")]
#[case("/spec/tools/0/http/path", json!("/ü/{/owner}"), "spec.tools[0].http.path")]
#[case("/spec/tools/0/http/path", json!("/a\\b/{/owner}"), "spec.tools[0].http.path")]
#[case("/spec/tools/0/http/path", json!("/a\"b/{/owner}"), "spec.tools[0].http.path")]
#[case("/spec/tools/0/http/path", json!("/a?x=1"), "spec.tools[0].http.path")]
#[case("/spec/tools/0/http/path", json!("repos/{/owner}"), "spec.tools[0].http.path")]
#[case("/spec/tools/0/http/headers/x-a", json!("ü"), "spec.tools[0].http.headers.x-a")]
#[case("/spec/tools/0/http/response/maxItems", json!(-1), "spec.tools[0].http.response.maxItems")]
#[case("/spec/tools/0/http/response/maxItems", json!(0), "spec.tools[0].http.response.maxItems")]
fn a_type_that_no_runner_can_use_is_refused(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] field: &str,
) {
    let mut scene = Scene::new();
    scene.set(ResourceType, "github", pointer, value);
    refused(&scene, ResourceType, "github", field);
}

#[rstest]
#[case::unknown(ResourceType, "github", "acme", "timeout", json!(5), "spec.config.timeout")]
#[case::kind(ResourceType, "github", "acme", "followRedirects", json!("yes"), "spec.config.followRedirects")]
#[case::nested(ResourceType, "github", "acme", "proxy", json!({"url": "http://proxy.example.com:3128", "noProxy": []}), "spec.config.proxy.noProxy")]
#[case::certificate(ResourceType, "github", "acme", "caCertificate", json!(["-----BEGIN CERTIFICATE-----"]), "spec.config.caCertificate")]
#[case::unknown(ResourceType, "shell", "bench", "timeout", json!(5), "spec.config.timeout")]
#[case::dots(ResourceType, "shell", "bench", "readOnlyPaths", json!(["/usr/../etc"]), "spec.config.readOnlyPaths[0]")]
#[case::relative(ResourceType, "shell", "bench", "readWritePaths", json!(["/tmp", "workspace"]), "spec.config.readWritePaths[1]")]
#[case::outside(ResourceType, "shell", "bench", "workingDirectory", json!("/home"), "spec.config.workingDirectory")]
#[case::sibling(ResourceType, "shell", "bench", "workingDirectory", json!("/workspace2"), "spec.config.workingDirectory")]
#[case::variable(ResourceType, "shell", "bench", "environment", json!({"A=B": "c"}), "spec.config.environment.A=B")]
#[case::nul(ResourceType, "shell", "bench", "environment", json!({"A": "c\u{0}d"}), "spec.config.environment.A")]
#[case::port(ResourceType, "shell", "bench", "network", json!({"tcpConnectPorts": [443, 65536]}), "spec.config.network.tcpConnectPorts[1]")]
#[case::no_port(ResourceType, "shell", "bench", "network", json!({"tcpConnectPorts": [0]}), "spec.config.network.tcpConnectPorts[0]")]
#[case::no_processes(ResourceType, "shell", "bench", "limits", json!({"processes": 0}), "spec.config.limits.processes")]
#[case::no_time(ResourceType, "shell", "bench", "limits", json!({"cpuSeconds": 0}), "spec.config.limits.cpuSeconds")]
#[case::negative(ResourceType, "shell", "bench", "limits", json!({"memoryBytes": -1}), "spec.config.limits.memoryBytes")]
fn settings_that_no_runner_can_use_are_refused(
    #[case] kind: Kind,
    #[case] of: &str,
    #[case] name: &str,
    #[case] setting: &str,
    #[case] value: Value,
    #[case] field: &str,
) {
    let mut scene = Scene::new();
    // A schema that says nothing of it: the executor knows what it takes.
    let open =
        json!({"type": "object", "properties": {"baseUrl": {"type": "string"}, "allowedAddresses": {}}});
    scene.set(kind, of, "/spec/config/schema", open);
    if scene.is_absent(Resource, name, "/spec/config") {
        scene.set(Resource, name, "/spec/config", json!({}));
    }
    scene.set(Resource, name, &format!("/spec/config/{setting}"), value);
    assert_eq!(scene.faults(kind, of), []);
    refused(&scene, Resource, name, field);
}

fn refused(scene: &Scene, kind: Kind, name: &str, field: &str) {
    let refusals = validate::refusals(&scene.object(kind, name), &scene.world());
    assert!(refusals.iter().any(|fault| fault.field == field), "{refusals:#?}");
}
