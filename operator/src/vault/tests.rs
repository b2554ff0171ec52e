//! Somebody may write every object of ours in a namespace, and none of its Secrets: no secret goes where he says.

use monstrum_guardian::document::Document;
use monstrum_wire::identity::ChannelId;
use serde_json::{Value, json};

use super::{OpenError, Opener};
use crate::scenario::{CHANNEL_UID, NAMESPACE, Scenario, binding, bot, secret_path};

const THEIRS: &str = "https://attacker.test";

fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "monstrum.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn credential(name: &str, field: &str, secret: (&str, &str), hosts: &[&str]) -> Value {
    let reference = json!({"name": secret.0, "key": secret.1});
    let fields = json!([{"name": field, "secretKeyRef": reference}]);
    object(
        "Credential",
        name,
        json!({"method": {"static": {"fields": fields}}, "hosts": hosts}),
    )
}

fn github(name: &str, credential: &str, url: &str) -> Value {
    object(
        "Resource",
        name,
        json!({"type": "github", "config": {"baseUrl": url}, "credential": {"name": credential, "method": "token"}}),
    )
}

fn reader(name: &str, resource: &str) -> Value {
    let mut object = binding(
        name,
        resource,
        json!([{"operations": ["issue.read"], "scope": {"repository": ["a/b"]}}]),
    );
    object["spec"]["alias"] = json!(name);
    object
}

fn inbox() -> ChannelId {
    ChannelId {
        namespace: NAMESPACE.to_owned(),
        name: "inbox".to_owned(),
        uid: CHANNEL_UID.parse().unwrap(),
    }
}

/// Everything works, and there is a Secret that nobody gave to the bots.
async fn scenario() -> Scenario {
    let scenario = Scenario::full();
    scenario.put_secret("db", &[("password", "correct-horse")]);
    scenario.settle().await;
    assert!(scenario.hub.binding(&bot(), "reader").is_some());
    assert!(scenario.hub.provider(&bot(), "main").is_some());
    assert!(scenario.hub.channel(&inbox()).is_some());
    scenario
}

/// The bot's policy as its gateways get it.
fn policy(scenario: &Scenario) -> (Vec<String>, bool) {
    let current = scenario.enforce("gateway").current();
    let document = Document::from_bytes(&current.permissions).unwrap();
    let bindings = document.bindings.iter().map(|binding| binding.name.clone());
    (bindings.collect(), current.settings.model.is_some())
}

fn refused(scenario: &Scenario, kind: &str, name: &str, says: &[&str]) {
    let conditions = scenario.conditions(kind, name);
    for part in [&["ResolvedRefs False RefNotPermitted", "Ready False"], says].concat() {
        assert!(conditions.contains(part), "{part} is not in {conditions}");
    }
}

#[tokio::test]
async fn a_secret_that_does_not_agree_is_neither_sent_nor_read() {
    let scenario = scenario().await;
    scenario.put(credential(
        "mine",
        "token",
        ("db", "password"),
        &["attacker.test"],
    ));
    scenario.put(github("mine", "mine", THEIRS));
    scenario.put(reader("mine", "mine"));
    scenario.api.take_calls();
    scenario.settle().await;
    assert_eq!(scenario.hub.binding(&bot(), "mine"), None);
    assert_eq!(policy(&scenario).0, ["commands", "reader"]);
    let advice = "kubectl annotate secret db -n team-a 'monstrum.dev/used-by=credential/mine'";
    refused(&scenario, "Credential", "mine", &["credential/mine", advice]);
    refused_in_turn(&scenario, "Resource", "mine");
    let calls = scenario.api.take_calls();
    assert!(
        calls.iter().all(|call| call.path != secret_path("db")),
        "{calls:?}"
    );
}

fn refused_in_turn(scenario: &Scenario, kind: &str, name: &str) {
    let conditions = scenario.conditions(kind, name);
    assert!(
        conditions.contains("ResolvedRefs False RefInvalid"),
        "{conditions}"
    );
}

#[tokio::test]
async fn which_keys_a_secret_has_is_told_only_to_whom_it_agrees() {
    let scenario = scenario().await;
    let mut told = Vec::new();
    for key in ["password", "nothing"] {
        scenario.put(credential("mine", "token", ("db", key), &[]));
        scenario.settle().await;
        told.push(scenario.conditions("Credential", "mine"));
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
async fn agreeing_to_one_credential_is_not_agreeing_to_another() {
    let scenario = scenario().await;
    scenario.put(credential(
        "mine",
        "token",
        ("github", "token"),
        &["http://github.tools.svc:8080"],
    ));
    scenario.put(github("mine", "mine", "http://github.tools.svc:8080"));
    scenario.put(reader("mine", "mine"));
    scenario.settle().await;
    assert_eq!(scenario.hub.binding(&bot(), "mine"), None);
    refused(
        &scenario,
        "Credential",
        "mine",
        &["credential/mine is not named in monstrum.dev/used-by"],
    );
}

#[tokio::test]
async fn a_credential_can_not_give_itself_hosts() {
    let scenario = scenario().await;
    let hosts = ["http://github.tools.svc:8080", "attacker.test"];
    scenario.put(credential("github", "token", ("github", "token"), &hosts));
    scenario.settle().await;
    assert_eq!(scenario.hub.binding(&bot(), "reader"), None);
    refused(
        &scenario,
        "Credential",
        "github",
        &["more than monstrum.dev/hosts says: https://attacker.test"],
    );
}

#[tokio::test]
async fn an_address_that_is_changed_loses_the_credential() {
    for url in [
        THEIRS,
        "http://github.tools.svc:8081",
        "http://github.tools.svc.attacker.test:8080",
        "https://github.tools.svc:8080",
    ] {
        let scenario = scenario().await;
        scenario.put(github("github", "github", url));
        scenario.settle().await;
        assert_eq!(scenario.hub.binding(&bot(), "reader"), None, "{url}");
        assert_eq!(policy(&scenario).0, ["commands"], "{url}");
        refused(
            &scenario,
            "Resource",
            "github",
            &["spec.hosts", "spec.config.baseUrl"],
        );
    }
}

#[tokio::test]
async fn a_binding_can_not_take_a_credential_elsewhere() {
    let scenario = scenario().await;
    let mut open = github("mine", "github", THEIRS);
    open["spec"].as_object_mut().unwrap().remove("credential");
    scenario.put(open);
    let mut bound = reader("mine", "mine");
    bound["spec"]["credential"] = json!({"name": "github", "method": "token"});
    scenario.put(bound);
    scenario.settle().await;
    assert_eq!(scenario.hub.binding(&bot(), "mine"), None);
    refused(&scenario, "BotBinding", "mine", &["attacker.test"]);
}

#[tokio::test]
async fn a_credential_without_hosts_goes_nowhere() {
    let scenario = scenario().await;
    scenario.put(credential("github", "token", ("github", "token"), &[]));
    scenario.put(credential("model-key", "apiKey", ("model-key", "key"), &[]));
    scenario.settle().await;
    assert_eq!(scenario.hub.binding(&bot(), "reader"), None);
    assert_eq!(scenario.hub.provider(&bot(), "main"), None);
    refused(&scenario, "Resource", "github", &["goes nowhere"]);
    refused(&scenario, "ModelProvider", "main", &["goes nowhere"]);
}

#[tokio::test]
async fn a_model_provider_gets_no_key_that_may_not_go_to_it() {
    let provider = |name: &str, credential: &str| {
        json!({"apiVersion": "monstrum.dev/v1alpha1", "kind": "ModelProvider", "metadata": {"name": name},
               "spec": {"dialect": "OpenAI", "baseUrl": THEIRS, "credential": credential, "models": [{"name": "m-1"}]}})
    };
    // Another provider with the same credential; the same provider at another address; a credential of one's own.
    for (name, key) in [("mine", "model-key"), ("main", "model-key"), ("mine", "mine")] {
        let scenario = scenario().await;
        scenario.put(credential(
            "mine",
            "apiKey",
            ("db", "password"),
            &["attacker.test"],
        ));
        scenario.put(provider(name, key));
        scenario.put(object(
            "Bot",
            "triage",
            json!({"model": {"provider": name, "name": "m-1"}}),
        ));
        scenario.settle().await;
        assert_eq!(scenario.hub.provider(&bot(), name), None, "{name} {key}");
        assert!(!policy(&scenario).1, "{name} {key}");
        assert!(
            !scenario
                .conditions("ModelProvider", name)
                .contains("ResolvedRefs True"),
            "{name} {key}"
        );
    }
}

#[tokio::test]
async fn a_channel_signs_only_with_a_secret_that_agrees_and_only_for_its_hosts() {
    let channel = |secret: (&str, &str), url: &str| {
        let secret = json!({"name": secret.0, "key": secret.1});
        object(
            "Channel",
            "inbox",
            json!({"type": {"webhook": {"secret": secret, "mode": "Callback", "callbackUrl": url}},
                   "routes": [{"name": "all", "bot": "triage"}]}),
        )
    };
    let theirs = format!("{THEIRS}/answers");
    for (secret, url) in [
        (("db", "password"), theirs.as_str()),
        (("inbox", "secret"), theirs.as_str()),
        (("github", "token"), "https://chat.example.com/"),
    ] {
        let scenario = scenario().await;
        scenario.put(channel(secret, url));
        scenario.settle().await;
        assert_eq!(scenario.hub.channel(&inbox()), None, "{secret:?}");
        let deployment = "/apis/apps/v1/namespaces/team-a/deployments/inbox-channel";
        assert!(scenario.api.get(deployment).is_none(), "{secret:?}");
        refused(&scenario, "Channel", "inbox", &["kubectl annotate"]);
    }
}

#[tokio::test]
async fn agreement_that_is_taken_back_ends_the_use_and_given_again_begins_it() {
    let scenario = scenario().await;
    let before = scenario.hub.binding(&bot(), "reader").unwrap();
    scenario.put_secret_saying("github", &[("token", "ghp-secret")], &json!({}));
    // Before any policy follows, nothing is opened any more.
    let opener = Opener::new(scenario.api.client());
    let refused = opener.open(NAMESPACE, &before).await.err().unwrap();
    assert!(matches!(refused, OpenError::Refused { .. }), "{refused}");
    scenario.compile().await;
    assert_eq!(scenario.hub.binding(&bot(), "reader"), None);
    assert_eq!(policy(&scenario).0, ["commands"]);
    scenario.put_secret("github", &[("token", "ghp-secret")]);
    scenario.compile().await;
    let after = scenario.hub.binding(&bot(), "reader").unwrap();
    assert_ne!(before.version, after.version);
    assert!(opener.open(NAMESPACE, &after).await.is_ok());
}

#[tokio::test]
async fn what_is_leased_says_where_it_may_go_and_another_list_is_another_version() {
    let scenario = scenario().await;
    let hosts = "http://github.tools.svc:8080, https://github.example.com";
    scenario.put_secret_saying(
        "github",
        &[("token", "ghp-secret")],
        &json!({"monstrum.dev/used-by": "credential/github", "monstrum.dev/hosts": hosts}),
    );
    scenario.compile().await;
    let before = scenario.hub.binding(&bot(), "reader").unwrap();
    assert_eq!(before.hosts, ["http://github.tools.svc:8080"]);
    let both = ["http://github.tools.svc:8080", "github.example.com"];
    scenario.put(credential("github", "token", ("github", "token"), &both));
    scenario.compile().await;
    let after = scenario.hub.binding(&bot(), "reader").unwrap();
    assert_eq!(after.hosts, both);
    assert_ne!(before.version, after.version);
}

#[tokio::test]
async fn a_workspace_bounds_where_anything_goes() {
    let scenario = scenario().await;
    let workspace = |hosts: Value| {
        object(
            "Workspace",
            "workspace",
            json!({"model": {"provider": "main", "name": "m-1"}, "permittedHosts": hosts}),
        )
    };
    scenario.put(workspace(json!(["models.example.com"])));
    scenario.settle().await;
    assert_eq!(policy(&scenario), (vec!["commands".to_owned()], true));
    for (kind, name, field) in [
        ("Resource", "github", "spec.config.baseUrl"),
        ("Channel", "inbox", "spec.type.webhook.callbackUrl"),
        ("Credential", "github", "spec.hosts"),
    ] {
        let conditions = scenario.conditions(kind, name);
        let expected = format!("Accepted False NotPermitted {field}");
        assert!(conditions.contains(&expected), "{conditions}");
    }
    assert_eq!(scenario.hub.channel(&inbox()), None);
    scenario.put(workspace(json!([])));
    scenario.settle().await;
    assert!(!policy(&scenario).1);
    scenario.put(workspace(json!(["*.example.com", "http://*.tools.svc:8080"])));
    scenario.settle().await;
    assert_eq!(
        policy(&scenario),
        (vec!["commands".to_owned(), "reader".to_owned()], true)
    );
}
