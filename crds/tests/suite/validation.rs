//! What is wrong with an object: the field, the reason and the remedy.

use monstrum_crds::conditions::Reason;
use monstrum_crds::object::Kind::{self, *};
use monstrum_crds::validate;
use rstest::rstest;
use serde_json::{Value, json};

use crate::scene::Scene;

#[test]
fn nothing_is_wrong_with_the_scene() {
    let scene = Scene::new();
    for (kind, name) in [
        (ResourceType, "github"),
        (ResourceType, "shell"),
        (Workspace, "workspace"),
        (ModelProvider, "models"),
        (Credential, "model-key"),
        (Credential, "github-token"),
        (Resource, "acme"),
        (Resource, "bench"),
        (BotRole, "base"),
        (BotRole, "reader"),
        (Bot, "triage"),
        (Bot, "other"),
        (BotBinding, "triage-acme"),
        (BotBinding, "triage-bench"),
        (BotBinding, "other-acme"),
        (Channel, "inbox"),
    ] {
        assert_eq!(scene.faults(kind, name), [], "{kind} {name}");
    }
}

#[rstest]
// A resource type must make sense to the engine and to its executor.
#[case(ResourceType, "github", "/spec/tools/0/scope/0/dimension", json!("repo"), "spec.tools[0].scope[0]", "no dimension repo")]
#[case(ResourceType, "github", "/spec/tools/0/parameters/type", json!("array"), "spec.tools[0].parameters.type", "object")]
#[case(ResourceType, "github", "/spec/executor", json!("ssh"), "spec.executor", "only http and shell")]
#[case(ResourceType, "github", "/spec/config/schema/type", json!("string"), "spec.config.schema.type", "object")]
#[case(ResourceType, "github", "/spec/config/schema/properties/baseUrl/type", json!("text"), "spec.config.schema", "JSON Schema")]
#[case(ResourceType, "github", "/spec/config/schema/properties/x", json!({"$ref": "https://example.com/s"}), "spec.config.schema", "references within")]
#[case(ResourceType, "github", "/spec/config/schema/properties/baseUrl", json!(null), "spec.config.schema.properties", "baseUrl")]
#[case(ResourceType, "github", "/spec/credentials/0/presentation", json!({"bearer": {"field": "key"}}), "spec.credentials[0].presentation.bearer.field", "declare it")]
#[case(ResourceType, "github", "/spec/credentials/0/presentation", json!({"header": {"name": "Host", "field": "token"}}), "spec.credentials[0].presentation.header.name", "another header")]
#[case(ResourceType, "github", "/spec/tools/0/http/path", json!("/repos/{/owner}/{/repository}"), "spec.tools[0].http.path", "declare it")]
#[case(ResourceType, "github", "/spec/tools/0/http/path", json!("/repos/{/owner}/{/page}"), "spec.tools[0].http.path", "make the parameter required")]
#[case(ResourceType, "github", "/spec/tools/0/http/path", json!("/repos/{/owner}/../x"), "spec.tools[0].http.path", "write the path out")]
#[case(ResourceType, "github", "/spec/tools/0/http/path", json!("/repos/{owner}"), "spec.tools[0].http.path", "{/name}")]
#[case(ResourceType, "github", "/spec/tools/0/http/query/sort", json!("{/sort}"), "spec.tools[0].http.query.sort", "declare it")]
#[case(ResourceType, "github", "/spec/tools/0/http/headers/Authorization", json!("x"), "spec.tools[0].http.headers.Authorization", "credentials")]
#[case(ResourceType, "github", "/spec/tools/0/http/headers/transfer-encoding", json!("chunked"), "spec.tools[0].http.headers.transfer-encoding", "transport")]
#[case(ResourceType, "github", "/spec/tools/0/http/headers/x-a", json!("a\r\nhost: b"), "spec.tools[0].http.headers.x-a", "control character")]
#[case(ResourceType, "github", "/spec/tools/0/http/headers/a b", json!("c"), "spec.tools[0].http.headers.a b", "header name")]
#[case(ResourceType, "github", "/spec/tools/0/http/body", json!({"a": 1}), "spec.tools[0].http.body", "no body")]
#[case(ResourceType, "github", "/spec/tools/2/http/body/labels", json!(["{/label}"]), "spec.tools[2].http.body.labels[0]", "declare it")]
#[case(ResourceType, "github", "/spec/tools/2/http/body", json!({"{/title}": 1}), "spec.tools[2].http.body", "never filled in")]
#[case(ResourceType, "github", "/spec/tools/0/http/response/items", json!("$[*"), "spec.tools[0].http.response.items", "JSONPath")]
#[case(ResourceType, "github", "/spec/tools/0/http/response/fields/title", json!("title"), "spec.tools[0].http.response.fields.title", "JSONPath")]
#[case(ResourceType, "github", "/spec/tools/1/http/response/maxItems", json!(5), "spec.tools[1].http.response.maxItems", "needs items")]
#[case(ResourceType, "shell", "/spec/tools/0/scope", json!([]), "spec.tools[0].scope", "feeds the dimension")]
#[case(ResourceType, "shell", "/spec/tools/0/parameters/required", json!([]), "spec.tools[0].scope", "required string")]
#[case(ResourceType, "shell", "/spec/tools/0/parameters/properties/command", json!({"type": "array", "items": {"type": "string"}}), "spec.tools[0].scope", "required string")]
#[case(ResourceType, "shell", "/spec/dimensions/0/match", json!({"glob": {}}), "spec.dimensions", "match: {command: {}}")]
// The rest name each other.
#[case(Workspace, "workspace", "/spec/limits/maxTurnDuration", json!("25h"), "spec.limits.maxTurnDuration", "86400s")]
#[case(Workspace, "workspace", "/spec/budgets", json!([{"name": "b", "counts": "Calls", "limit": 1, "window": "99999d"}]), "spec.budgets[0].window", "length of time")]
#[case(Workspace, "workspace", "/spec/budgets", json!([{"name": "b", "counts": "Calls", "limit": -1}]), "spec.budgets[0].limit", "negative")]
#[case(Bot, "triage", "/spec/budgets", json!([{"name": "b", "counts": "Calls", "limit": 1, "window": "0s"}]), "spec.budgets[0].window", "length of time")]
#[case(Bot, "triage", "/spec/budgets", json!([{"name": "b", "counts": "Calls", "limit": 1}, {"name": "b", "counts": "Tokens", "limit": 1}]), "spec.budgets[1].name", "twice")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("https://me:pass@models.example.com"), "spec.baseUrl", "Credential")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("https://models.example.com/v1?key=1"), "spec.baseUrl", "query")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("https://models.example.com/v1#x"), "spec.baseUrl", "fragment")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("https://models.example.com/v1/chat/completions"), "spec.baseUrl", "write https://models.example.com/v1")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("https://models.example.com/v1/messages/"), "spec.baseUrl", "write https://models.example.com/v1")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("https://models.example.com/v1//"), "spec.baseUrl", "one slash")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("http://127.0.0.1:8080/v1"), "spec.baseUrl", "nobody may reach")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("http://127.1/v1"), "spec.baseUrl", "nobody may reach")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("http://2130706433/v1"), "spec.baseUrl", "nobody may reach")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("http://0x7f.0.0.1/v1"), "spec.baseUrl", "nobody may reach")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("http://[::ffff:127.0.0.1]/v1"), "spec.baseUrl", "nobody may reach")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("http://LOCALHOST./v1"), "spec.baseUrl", "the pod itself")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("http://169.254.169.254/v1"), "spec.baseUrl", "nobody may reach")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("http://168.63.129.16/v1"), "spec.baseUrl", "nobody may reach")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("http://[fd00:ec2::254]/v1"), "spec.baseUrl", "nobody may reach")]
#[case(ModelProvider, "models", "/spec/baseUrl", json!("http://[64:ff9b::a9fe:a9fe]/v1"), "spec.baseUrl", "nobody may reach")]
#[case(ModelProvider, "models", "/spec/allowedAddresses", json!(["10.0.0.0/8", "0.0.0.0/0"]), "spec.allowedAddresses[1]", "never")]
#[case(ModelProvider, "models", "/spec/allowedAddresses", json!(["100.64.0.0/10"]), "spec.allowedAddresses[0]", "never")]
#[case(ModelProvider, "models", "/spec/caCertificate", json!("secret"), "spec.caCertificate", "PEM")]
#[case(ModelProvider, "models", "/spec/proxy", json!({"url": "http://me:pass@proxy:3128"}), "spec.proxy.url", "Credential")]
#[case(ModelProvider, "models", "/spec/proxy", json!({"url": "http://127.0.0.1:3128"}), "spec.proxy.url", "nobody may reach")]
#[case(ModelProvider, "models", "/spec/proxy", json!({"url": "http://proxy:3128", "allowedAddresses": ["::/0"]}), "spec.proxy.allowedAddresses[0]", "never")]
#[case(Workspace, "workspace", "/spec/permittedAddresses", json!(["169.254.0.0/16"]), "spec.permittedAddresses[0]", "never")]
#[case(Channel, "inbox", "/spec/type/webhook/callbackUrl", json!("http://168.63.129.16/"), "spec.type.webhook.callbackUrl", "nobody may reach")]
#[case(Channel, "inbox", "/spec/type/webhook/proxy", json!({"url": "http://[::1]:3128"}), "spec.type.webhook.proxy.url", "nobody may reach")]
#[case(Resource, "acme", "/spec/config/baseUrl", json!("http://169.254.169.254/latest"), "spec.config.baseUrl", "nobody may reach")]
#[case(Resource, "acme", "/spec/config/baseUrl", json!("http://localhost:9090"), "spec.config.baseUrl", "the pod itself")]
#[case(ModelProvider, "models", "/spec/headers", json!([{"name": "AUTHORIZATION", "value": "x"}]), "spec.headers[0].name", "spec.credential")]
#[case(ModelProvider, "models", "/spec/headers", json!([{"name": "a", "value": ""}, {"name": "A", "value": ""}]), "spec.headers[1].name", "twice")]
#[case(ModelProvider, "models", "/spec/headers", json!([{"name": "X-Forwarded-Host", "value": "evil.test"}]), "spec.headers[0].name", "can't be set here")]
#[case(ModelProvider, "models", "/spec/authHeader", json!("content-length"), "spec.authHeader", "another header")]
#[case(ModelProvider, "models", "/spec/requestTimeout", json!("2h"), "spec.requestTimeout", "3600s")]
#[case(Resource, "acme", "/spec/config", json!({"baseURL": "x"}), "spec.config", "config.schema")]
#[case(Resource, "acme", "/spec/config/baseUrl", json!("ftp://x/"), "spec.config.baseUrl", "http and https")]
#[case(Resource, "acme", "/spec/config/baseUrl", json!(7), "spec.config.baseUrl", "string")]
#[case(Resource, "acme", "/spec/config/allowedAddresses/0", json!("0.0.0.0/0"), "spec.config.allowedAddresses[0]", "never")]
#[case(Resource, "acme", "/spec/config/allowedAddresses/0", json!("169.254.169.254"), "spec.config.allowedAddresses[0]", "never")]
#[case(Resource, "acme", "/spec/credential/method", json!("oauth"), "spec.credential.method", "use one of token")]
#[case(Resource, "acme", "/spec/runner", json!({"image": "a"}), "spec.runner", "remove the runner")]
#[case(Resource, "bench", "/spec/runner", json!(null), "spec.runner.image", "name the image")]
#[case(Resource, "bench", "/spec/runner/image", json!(null), "spec.runner.image", "name the image")]
#[case(Resource, "bench", "/spec/credential", json!({"name": "github-token", "method": "token"}), "spec.credential.method", "remove the credential")]
#[case(Resource, "bench", "/spec/config", json!({"network": {"tcpConnectPorts": [0]}}), "spec.config.network.tcpConnectPorts[0]", "config.schema")]
#[case(Bot, "other", "/spec/model/temperature", json!("2.5"), "spec.model.temperature", "from \"0\" to \"2\"")]
#[case(Bot, "other", "/spec/model/topP", json!("0.0"), "spec.model.topP", "above \"0\"")]
#[case(Bot, "other", "/spec/model/stop", json!([" "]), "spec.model.stop[0]", "white space")]
#[case(ModelProvider, "models", "/spec/request", json!({"extraBody": {"messages": []}}), "spec.request.extraBody.messages", "can't be added")]
#[case(ModelProvider, "models", "/spec/models/0/request", json!({"thinking": "Budget"}), "spec.models[0].request.thinking", "OpenAI")]
#[case(ResourceType, "github", "/spec/tools/0/parameters/properties/$filter", json!({"type": "string"}), "spec.tools[0].parameters.properties", "model providers")]
#[case(Bot, "other", "/spec/limits", json!({"callTimeout": "0s"}), "spec.limits.callTimeout", "from 1s")]
#[case(Bot, "other", "/spec/limits", json!({"callTimeout": "soon"}), "spec.limits.callTimeout", "90s")]
#[case(BotRole, "base", "/spec/grants/0/operations/0", json!("issue.delete"), "spec.grants[0].operations[0]", "issue.read")]
#[case(BotRole, "base", "/spec/grants/0/scope", json!({"repo": ["a/b"]}), "spec.grants[0].scope.repo", "repository")]
#[case(BotRole, "reader", "/spec/grants/1/quotas", json!([{"name": "q", "counts": "Calls", "limit": 1, "window": "0s"}]), "spec.grants[1].quotas[0].window", "length of time")]
#[case(BotBinding, "triage-acme", "/spec/grants/0/scope/repository", json!(["a/{b,c}"]), "spec.grants[0].scope.repository[0]", "")]
#[case(BotBinding, "triage-acme", "/spec/grants/0/quotas/0/limit", json!(-1), "spec.grants[0].quotas[0].limit", "negative")]
#[case(BotBinding, "triage-acme", "/spec/credential", json!({"name": "github-token", "method": "basic"}), "spec.credential.method", "use one of token")]
#[case(Channel, "inbox", "/spec/type/webhook/tolerance", json!("2h"), "spec.type.webhook.tolerance", "3600s")]
#[case(Channel, "inbox", "/spec/type/webhook/callbackUrl", json!("https://u@x/"), "spec.type.webhook.callbackUrl", "Credential")]
#[case(Channel, "inbox", "/spec/routes/0/webhook/match/0/equals", json!({"a": 1}), "spec.routes[0].webhook.match[0].equals", "a string, a number or a boolean")]
fn a_wrong_field_is_refused(
    #[case] kind: Kind,
    #[case] name: &str,
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] field: &str,
    #[case] part: &str,
) {
    let mut scene = Scene::new();
    scene.set(kind, name, pointer, value);
    let refusals = validate::refusals(&scene.object(kind, name), &scene.world());
    assert!(
        refusals
            .iter()
            .any(|fault| fault.field.starts_with(field) && fault.message.contains(part)),
        "{refusals:#?}"
    );
    assert!(refusals.iter().all(|fault| fault.reason == Reason::Invalid));
}

/// It may become right when another model is chosen.
#[rstest]
#[case::seed(json!({"seed": 7}), Some("spec.model.seed"))]
#[case::warm(json!({"temperature": "1.5"}), Some("spec.model.temperature"))]
#[case::warm_and_thinking(json!({"temperature": "0.5", "reasoningEffort": "Low"}), Some("spec.model.temperature"))]
#[case::called_and_thinking(json!({"toolChoice": "Required", "reasoningEffort": "Low"}), Some("spec.model.toolChoice"))]
#[case::called(json!({"toolChoice": "Required", "reasoningEffort": "None", "temperature": "1"}), None)]
#[case::usual(json!({"topP": "0.9", "stop": ["END"], "parallelToolCalls": false, "reasoningEffort": "High"}), None)]
fn what_the_models_api_has_no_word_for_is_told(#[case] wanted: Value, #[case] field: Option<&str>) {
    let mut scene = Scene::new();
    scene.set(Bot, "other", "/spec/model", wanted);
    assert_eq!(scene.faults(Bot, "other"), []);
    scene.set(ModelProvider, "models", "/spec/dialect", json!("Anthropic"));
    let faults = scene.faults(Bot, "other");
    let fields: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, field.as_slice());
    assert!(faults.iter().all(|fault| fault.reason == Reason::RefInvalid));
}

#[rstest]
#[case(Workspace, "workspace", "/spec/model/provider", json!("gone"), "spec.model.provider", Reason::NotFound)]
#[case(Workspace, "workspace", "/spec/model/name", json!("gone"), "spec.model.name", Reason::NotFound)]
#[case(ModelProvider, "models", "/spec/credential", json!("gone"), "spec.credential", Reason::NotFound)]
#[case(ModelProvider, "models", "/spec/credential", json!("github-token"), "spec.credential", Reason::RefInvalid)]
#[case(Credential, "model-key", "/spec/method/static/fields/0/secretKeyRef/key", json!("gone"), "spec.method.static.fields[0].secretKeyRef", Reason::SecretNotFound)]
#[case(Resource, "acme", "/spec/type", json!("gone"), "spec.type", Reason::NotFound)]
#[case(Resource, "acme", "/spec/credential/name", json!("gone"), "spec.credential.name", Reason::NotFound)]
#[case(Resource, "acme", "/spec/credential/name", json!("model-key"), "spec.credential.name", Reason::RefInvalid)]
#[case(Bot, "triage", "/spec/roles/0", json!("gone"), "spec.roles[0]", Reason::NotFound)]
#[case(Bot, "triage", "/spec/model", json!({"provider": "gone"}), "spec.model.provider", Reason::NotFound)]
#[case(Bot, "triage", "/spec/model", json!({"name": "gone"}), "spec.model.name", Reason::NotFound)]
#[case(BotRole, "base", "/spec/parent", json!("gone"), "spec.parent", Reason::NotFound)]
#[case(BotRole, "base", "/spec/grants/0/resourceType", json!("gone"), "spec.grants[0].resourceType", Reason::NotFound)]
#[case(BotBinding, "triage-acme", "/spec/bot", json!("gone"), "spec.bot", Reason::NotFound)]
#[case(BotBinding, "triage-acme", "/spec/resource", json!("gone"), "spec.resource", Reason::NotFound)]
#[case(BotBinding, "triage-acme", "/spec/credential", json!({"name": "gone", "method": "token"}), "spec.credential.name", Reason::NotFound)]
#[case(Channel, "inbox", "/spec/routes/1/bot", json!("gone"), "spec.routes[1].bot", Reason::NotFound)]
fn a_name_that_nothing_has_may_come_later(
    #[case] kind: Kind,
    #[case] name: &str,
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] field: &str,
    #[case] reason: Reason,
) {
    let mut scene = Scene::new();
    let changed = {
        scene.set(kind, name, pointer, value);
        scene.object(kind, name)
    };
    let mut world = scene.world();
    // The one key of a Secret that the case about Secrets names is not there.
    world
        .secret_versions
        .remove(&("keys".to_owned(), "gone".to_owned()));
    let faults = validate::validate(&changed, &world);
    assert!(
        faults
            .iter()
            .any(|fault| fault.field == field && fault.reason == reason),
        "{faults:#?}"
    );
    assert_eq!(validate::refusals(&changed, &world), []);
}

#[test]
fn a_type_that_the_workspace_does_not_permit_is_refused() {
    let mut scene = Scene::new();
    scene.set(
        Workspace,
        "workspace",
        "/spec/permittedResourceTypes",
        json!(["shell"]),
    );
    let faults = scene.faults(Resource, "acme");
    assert_eq!(
        (faults[0].field.as_str(), faults[0].reason),
        ("spec.type", Reason::NotPermitted)
    );
    assert!(
        faults[0].message.contains("permittedResourceTypes"),
        "{}",
        faults[0]
    );
    assert_eq!(scene.faults(Resource, "bench"), []);
}

#[test]
fn a_circle_of_roles_names_its_members() {
    let mut scene = Scene::new();
    scene.set(BotRole, "base", "/spec/parent", json!("reader"));
    let faults = scene.faults(BotRole, "reader");
    assert_eq!(
        (faults[0].field.as_str(), faults[0].reason),
        ("spec.parent", Reason::Cycle)
    );
    assert!(
        faults[0].message.contains("reader → base → reader"),
        "{}",
        faults[0]
    );
}

#[test]
fn nine_roles_in_a_line_are_too_many() {
    let mut scene = Scene::new();
    let role = |name: &str, parent: Option<String>| {
        let parent = parent.map_or(json!({}), |parent| json!({ "parent": parent }));
        json!({ "apiVersion": "monstrum.dev/v1alpha1", "kind": "BotRole", "metadata": { "name": name }, "spec": parent })
    };
    for depth in 1..=9 {
        let parent = (depth > 1).then(|| format!("r{}", depth - 1));
        scene.add(role(&format!("r{depth}"), parent));
    }
    assert_eq!(scene.faults(BotRole, "r8"), []);
    assert!(scene.faults(BotRole, "r9")[0].message.contains("more than 8"));
}

#[test]
fn a_bad_config_value_is_not_repeated() {
    let mut scene = Scene::new();
    scene.set(Resource, "acme", "/spec/config/caCertificate", json!(["hunter2"]));
    let faults = scene.faults(Resource, "acme");
    assert!(
        !faults.is_empty() && faults.iter().all(|fault| !fault.message.contains("hunter2")),
        "{faults:#?}"
    );
}
