//! Where objects may send things, and where a credential may go.

use monstrum_crds::conditions::Reason;
use monstrum_crds::consent::Consent;
use monstrum_crds::object::Kind;
use monstrum_crds::validate::{self, Fault};
use monstrum_crds::{convert, world::World};
use rstest::rstest;
use serde_json::{Value, json};

use crate::scene::Scene;

const KEY: (Kind, &str) = (Kind::Credential, "model-key");
const TOKEN: (Kind, &str) = (Kind::Credential, "github-token");
const PROVIDER: (Kind, &str) = (Kind::ModelProvider, "models");
const RESOURCE: (Kind, &str) = (Kind::Resource, "acme");

fn told(faults: &[Fault]) -> Vec<(&str, Reason)> {
    faults
        .iter()
        .map(|fault| (fault.field.as_str(), fault.reason))
        .collect()
}

#[test]
fn the_scene_is_right() {
    let scene = Scene::new();
    for (kind, name) in [KEY, TOKEN, PROVIDER, RESOURCE] {
        assert_eq!(scene.faults(kind, name), [], "{kind} {name}");
    }
}

#[rstest]
#[case::other_host("/spec/config/baseUrl", json!("http://evil.demo.svc:8080"))]
#[case::other_port("/spec/config/baseUrl", json!("http://github.demo.svc:8081"))]
#[case::other_scheme("/spec/config/baseUrl", json!("https://github.demo.svc:8080"))]
#[case::address("/spec/config/baseUrl", json!("http://10.0.0.1:8080"))]
#[case::suffix("/spec/config/baseUrl", json!("http://github.demo.svc.evil.test:8080"))]
#[case::default("/spec/config/baseUrl", json!("https://api.github.com"))]
fn an_address_must_be_among_the_hosts_of_the_credential(#[case] pointer: &str, #[case] value: Value) {
    let mut scene = Scene::new();
    scene.set(RESOURCE.0, RESOURCE.1, pointer, value);
    let faults = scene.faults(RESOURCE.0, RESOURCE.1);
    assert_eq!(told(&faults), [("spec.credential.name", Reason::RefNotPermitted)]);
    for part in ["github-token", "spec.hosts", "spec.config.baseUrl"] {
        assert!(faults[0].message.contains(part), "{}", faults[0].message);
    }
    let conversion = convert::bot("triage", &scene.world()).unwrap();
    assert!(
        conversion
            .source
            .bindings
            .iter()
            .all(|binding| binding.resource != "acme")
    );
}

#[rstest]
#[case::resource(
    RESOURCE,
    "/spec/config/proxy",
    TOKEN,
    "spec.credential.name",
    "spec.config.proxy.url"
)]
#[case::provider(PROVIDER, "/spec/proxy", KEY, "spec.credential", "spec.proxy.url")]
fn a_proxy_must_be_among_the_hosts_of_the_credential(
    #[case] (kind, name): (Kind, &str),
    #[case] pointer: &str,
    #[case] credential: (Kind, &str),
    #[case] field: &str,
    #[case] place: &str,
) {
    let mut scene = Scene::new();
    scene.set(
        kind,
        name,
        pointer,
        json!({"url": "http://proxy.example.com:3128"}),
    );
    let faults = scene.faults(kind, name);
    assert_eq!(told(&faults), [(field, Reason::RefNotPermitted)]);
    assert!(faults[0].message.contains(place), "{}", faults[0].message);
    let hosts = [
        "http://github.demo.svc:8080",
        "models.example.com",
        "http://proxy.example.com:3128",
    ];
    scene.set(credential.0, credential.1, "/spec/hosts", json!(hosts));
    assert_eq!(scene.faults(kind, name), []);
}

#[test]
fn a_default_address_counts_as_one_that_is_written() {
    let mut scene = Scene::new();
    scene.set(RESOURCE.0, RESOURCE.1, "/spec/config", json!({}));
    let faults = scene.faults(RESOURCE.0, RESOURCE.1);
    assert!(
        faults[0].message.contains("https://api.github.com"),
        "{}",
        faults[0].message
    );
}

#[rstest]
#[case::moved(PROVIDER, "/spec/baseUrl", json!("https://evil.test/v1"))]
#[case::plain(PROVIDER, "/spec/baseUrl", json!("http://models.example.com/v1"))]
#[case::no_hosts(KEY, "/spec/hosts", json!([]))]
#[case::other_hosts(KEY, "/spec/hosts", json!(["other.example.com"]))]
fn a_provider_is_not_used_where_its_key_may_not_go(
    #[case] of: (Kind, &str),
    #[case] pointer: &str,
    #[case] value: Value,
) {
    let mut scene = Scene::new();
    scene.set(of.0, of.1, pointer, value);
    let faults = scene.faults(PROVIDER.0, PROVIDER.1);
    assert_eq!(told(&faults), [("spec.credential", Reason::RefNotPermitted)]);
    assert!(convert::bot("triage", &scene.world()).unwrap().resolved.is_none());
}

#[rstest]
#[case::path(json!(["api.example.com/v1"]))]
#[case::scheme(json!(["ftp://api.example.com"]))]
#[case::one_of_two(json!(["models.example.com", "https://"]))]
fn hosts_that_are_none_are_pointed_at(#[case] hosts: Value) {
    let mut scene = Scene::new();
    let last = hosts.as_array().unwrap().len() - 1;
    scene.set(KEY.0, KEY.1, "/spec/hosts", hosts);
    let faults = scene.faults(KEY.0, KEY.1);
    assert_eq!(
        told(&faults),
        [(format!("spec.hosts[{last}]").as_str(), Reason::Invalid)]
    );
}

fn saying(scene: &Scene, annotations: Value) -> World {
    let mut world = scene.world();
    let annotations = serde_json::from_value(annotations).unwrap();
    world
        .consents
        .insert("keys".to_owned(), Consent::of(Some(&annotations)));
    world
}

#[rstest]
#[case::nothing(json!({}))]
#[case::another(json!({"monstrum.dev/used-by": "credential/other", "monstrum.dev/hosts": "models.example.com"}))]
#[case::fewer_hosts(json!({"monstrum.dev/used-by": "credential/model-key", "monstrum.dev/hosts": "other.example.com"}))]
#[case::another_key(json!({"monstrum.dev/used-by": "credential/model-key", "monstrum.dev/hosts": "**.example.com", "monstrum.dev/keys": "github"}))]
fn a_secret_must_agree(#[case] annotations: Value) {
    let scene = Scene::new();
    let world = saying(&scene, annotations);
    let credential = scene.object(KEY.0, KEY.1);
    let faults = validate::validate(&credential, &world);
    let field = "spec.method.static.fields[0].secretKeyRef";
    assert_eq!(told(&faults), [(field, Reason::RefNotPermitted)]);
    assert!(
        faults[0].message.contains("kubectl annotate secret keys -n team"),
        "{}",
        faults[0].message
    );
    // What is named may come later, and so may an agreement: it is no reason to refuse the object.
    assert_eq!(validate::refusals(&credential, &world), []);
    assert!(convert::bot("triage", &world).unwrap().resolved.is_none());
}

#[test]
fn a_channel_needs_an_agreement_of_its_own() {
    let mut scene = Scene::new();
    let agreed = |hosts: &str| json!({"monstrum.dev/used-by": "channel/inbox", "monstrum.dev/hosts": hosts});
    let resolved = |world: &World| {
        convert::channel::convert("inbox", world)
            .unwrap()
            .resolved
            .is_some()
    };
    assert!(resolved(&saying(&scene, agreed(""))));
    assert!(!resolved(&saying(
        &scene,
        json!({"monstrum.dev/used-by": "credential/inbox"})
    )));
    scene.set(
        Kind::Channel,
        "inbox",
        "/spec/type/webhook/mode",
        json!("Callback"),
    );
    scene.set(
        Kind::Channel,
        "inbox",
        "/spec/type/webhook/callbackUrl",
        json!("https://chat.example.com/x"),
    );
    assert!(!resolved(&saying(&scene, agreed(""))));
    assert!(!resolved(&saying(&scene, agreed("chat.example.com:8443"))));
    assert!(resolved(&saying(&scene, agreed("chat.example.com"))));
    let proxy = json!({"url": "http://proxy.example.com:3128"});
    scene.set(Kind::Channel, "inbox", "/spec/type/webhook/proxy", proxy);
    assert!(!resolved(&saying(&scene, agreed("chat.example.com"))));
    let both = "chat.example.com http://proxy.example.com:3128";
    assert!(resolved(&saying(&scene, agreed(both))));
}

#[rstest]
#[case::resource(RESOURCE, "spec.config.baseUrl")]
#[case::provider(PROVIDER, "spec.baseUrl")]
#[case::credential(TOKEN, "spec.hosts")]
fn what_goes_beyond_the_workspace_is_refused(#[case] (kind, name): (Kind, &str), #[case] field: &str) {
    let mut scene = Scene::new();
    scene.set(
        Kind::Workspace,
        "workspace",
        "/spec/permittedHosts",
        json!(["other.example.com"]),
    );
    let faults = validate::refusals(&scene.object(kind, name), &scene.world());
    assert!(
        told(&faults).contains(&(field, Reason::NotPermitted)),
        "{faults:#?}"
    );
    let within = json!(["*.example.com", "http://github.*.svc:8080"]);
    scene.set(Kind::Workspace, "workspace", "/spec/permittedHosts", within);
    assert_eq!(scene.faults(kind, name), []);
    // A ceiling that can't be read permits nothing.
    let mut world = scene.world();
    world.is_workspace_unreadable = true;
    assert!(!validate::refusals(&scene.object(kind, name), &world).is_empty());
}

#[test]
fn a_sandbox_with_connections_is_beyond_any_list_of_hosts() {
    let mut scene = Scene::new();
    scene.set(
        Kind::Resource,
        "bench",
        "/spec/config",
        json!({"network": {"tcpConnectPorts": [443]}}),
    );
    assert_eq!(scene.faults(Kind::Resource, "bench"), []);
    scene.set(
        Kind::Workspace,
        "workspace",
        "/spec/permittedHosts",
        json!(["**:*", "http://**:*", "0.0.0.0/0"]),
    );
    let faults = scene.faults(Kind::Resource, "bench");
    assert_eq!(
        told(&faults),
        [("spec.config.network.tcpConnectPorts", Reason::NotPermitted)]
    );
}

#[test]
fn a_faulty_ceiling_is_told_and_permits_nothing() {
    let mut scene = Scene::new();
    scene.set(
        Kind::Workspace,
        "workspace",
        "/spec/permittedHosts",
        json!(["models.example.com", "a/b"]),
    );
    let faults = scene.faults(Kind::Workspace, "workspace");
    assert!(
        told(&faults).contains(&("spec.permittedHosts[1]", Reason::Invalid)),
        "{faults:#?}"
    );
    assert!(!scene.faults(PROVIDER.0, PROVIDER.1).is_empty());
}

#[test]
fn what_runs_foreign_code_is_handed_no_credential() {
    let mut scene = Scene::new();
    let methods = json!([{"method": "token", "fields": [{"name": "token"}]}]);
    scene.set(Kind::ResourceType, "shell", "/spec/credentials", methods);
    let faults = scene.faults(Kind::ResourceType, "shell");
    assert_eq!(told(&faults), [("spec.credentials", Reason::Invalid)]);
}
