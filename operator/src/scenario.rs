//! A namespace with everything in it, for tests.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::core::PartialObjectMeta;
use kube::runtime::watcher::Event;
use monstrum_crds::kinds::PodSettings;
use monstrum_crds::object::{Kind, Object};
use monstrum_crds::placement::Placement;
use monstrum_service::authority::Authority;
use monstrum_wire::identity::{BotId, Identity, Serial};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::child::{Applier, Certificate, ChildKind};
use crate::compiler::{Compiler, Facts};
use crate::fake_api::FakeApi;
use crate::index::{Budget, Index, Key};
use crate::installation::Installation;
use crate::kinds::{Pods, Reconciler};
use crate::leadership::Leadership;
use crate::metrics::Metrics;
use crate::network::Dns;
use crate::policy::Hub;
use crate::status::StatusWriter;
use crate::trust::Trust;

pub(crate) const NAMESPACE: &str = "team-a";
const EPOCH: u64 = 7;
/// Of policies.
pub(crate) const LEASE: Duration = Duration::from_secs(8);

/// A namespace, an operator that leads, and an API server that both see.
pub(crate) struct Scenario {
    pub(crate) api: FakeApi,
    pub(crate) index: Arc<Index>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) facts: Arc<Facts>,
    pub(crate) reconciler: Reconciler,
    compiler: Compiler,
}

pub(crate) fn installation() -> Installation {
    Installation {
        namespace: "monstrum-system".to_owned(),
        trust_domain: "monstrum.local".to_owned(),
        gateway_image: "monstrum.dev/gateway:1".to_owned(),
        runner_image: "monstrum.dev/runner:1".to_owned(),
        pull_policy: "IfNotPresent".to_owned(),
        pods: PodSettings::default(),
        common_labels: std::collections::BTreeMap::new(),
        system_name: "monstrum".to_owned(),
        cluster_domain: "cluster.local".to_owned(),
        dns: Dns::default(),
        ip_family_policy: "PreferDualStack".to_owned(),
        operator_service: "monstrum-operator".to_owned(),
        ledger_service: "monstrum-ledger".to_owned(),
        metrics_namespace: None,
        certificate_lifetime: Duration::from_secs(86_400),
    }
}

/// Permits what the scenario's objects ask for.
fn placement() -> Placement {
    Placement {
        runtime_class_names: ["gvisor".to_owned()].into(),
        ..Placement::default()
    }
}

impl Scenario {
    /// Nothing but the shipped resource types.
    pub(crate) fn new() -> Self {
        Self::led_by(Leadership::held(EPOCH))
    }

    pub(crate) fn led_by(leadership: Leadership) -> Self {
        monstrum_service::install_crypto();
        let api = FakeApi::default();
        let index = Arc::new(Index::new(LEASE, placement(), Budget::default()));
        // Nothing is watched here: what is put into the index is current.
        let for_ever = Instant::now().checked_add(Duration::from_secs(86_400)).unwrap();
        index.currency.depend_on("Everything", None).prove(for_ever);
        index.dirt.mark(NAMESPACE, None);
        let metrics = Metrics::default();
        let (hub, _changes) = Hub::new(metrics.clone());
        hub.begin(EPOCH);
        let facts = Arc::new(Facts::default());
        let trust = Trust::new(Authority::generate("monstrum.local").unwrap());
        let installation = installation();
        let applier = Applier::new(
            api.client(),
            Arc::clone(&index.live),
            trust,
            leadership.clone(),
            installation.certificate_lifetime,
            metrics.clone(),
        );
        let reconciler = Reconciler {
            index: Arc::clone(&index),
            facts: Arc::clone(&facts),
            hub: Arc::clone(&hub),
            applier,
            status: StatusWriter::new(api.client(), "test", leadership, metrics.clone()),
            pods: Pods::new(api.client()),
            installation,
            metrics: metrics.clone(),
        };
        let compiler = Compiler::new(
            Arc::clone(&index),
            Arc::clone(&hub),
            Arc::clone(&facts),
            api.client(),
            metrics,
        );
        let scenario = Self {
            api,
            index,
            hub,
            facts,
            reconciler,
            compiler,
        };
        for text in [
            include_str!("../../charts/monstrum/resource-types/github.yaml"),
            include_str!("../../charts/monstrum/resource-types/shell.yaml"),
        ] {
            scenario.put(serde_saphyr::from_str(text).unwrap());
        }
        scenario
    }

    /// A bot with a model, a GitHub resource, a shell, and a channel.
    pub(crate) fn full() -> Self {
        let scenario = Self::new();
        for object in objects() {
            scenario.put(object);
        }
        scenario.put_secret("model-key", &[("key", "sk-model")]);
        scenario.put_secret("github", &[("token", "ghp-secret"), ("other", "not asked for")]);
        scenario.put_secret("inbox", &[("secret", "whsec_MDEyMzQ1Njc4OWFiY2RlZg==")]);
        scenario
    }

    /// Puts one of our objects into the API server and the index.
    pub(crate) fn put(&self, mut object: Value) {
        let kind = object["kind"].as_str().unwrap().to_owned();
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let path = if kind == "ResourceType" {
            format!("/apis/monstrum.dev/v1alpha1/resourcetypes/{name}")
        } else {
            object["metadata"]["namespace"] = json!(NAMESPACE);
            format!(
                "/apis/monstrum.dev/v1alpha1/namespaces/{NAMESPACE}/{}s/{name}",
                kind.to_lowercase()
            )
        };
        if let Some(old) = self.api.get(&path) {
            object["metadata"]["uid"] = old["metadata"]["uid"].clone();
            let generation = old["metadata"]["generation"].as_i64().unwrap();
            object["metadata"]["generation"] = json!(generation.wrapping_add(1));
            object["status"] = old["status"].clone();
        }
        self.api.put(&path, object);
        self.see(self.api.get(&path).unwrap());
    }

    pub(crate) fn see(&self, object: Value) {
        match Object::read(object).unwrap() {
            Object::ResourceType(object) => {
                drop(self.index.resource_types.take_up(None, Event::Apply(*object)));
            }
            Object::Workspace(object) => drop(self.index.workspaces.take_up(None, Event::Apply(*object))),
            Object::ModelProvider(object) => drop(self.index.providers.take_up(None, Event::Apply(*object))),
            Object::Credential(object) => drop(self.index.credentials.take_up(None, Event::Apply(*object))),
            Object::Resource(object) => drop(self.index.resources.take_up(None, Event::Apply(*object))),
            Object::Bot(object) => drop(self.index.bots.take_up(None, Event::Apply(*object))),
            Object::BotRole(object) => drop(self.index.roles.take_up(None, Event::Apply(*object))),
            Object::BotBinding(object) => drop(self.index.bindings.take_up(None, Event::Apply(*object))),
            Object::Channel(object) => drop(self.index.channels.take_up(None, Event::Apply(*object))),
        }
    }

    /// Takes one of our objects away.
    pub(crate) fn take(&self, kind: Kind, name: &str) {
        let path = format!(
            "/apis/monstrum.dev/v1alpha1/namespaces/{NAMESPACE}/{}s/{name}",
            kind.as_str().to_lowercase()
        );
        self.api.remove(&path);
        let place = (NAMESPACE.to_owned(), name.to_owned());
        match kind {
            Kind::ResourceType => drop(self.index.resource_types.forget(&place)),
            Kind::Workspace => drop(self.index.workspaces.forget(&place)),
            Kind::ModelProvider => drop(self.index.providers.forget(&place)),
            Kind::Credential => drop(self.index.credentials.forget(&place)),
            Kind::Resource => drop(self.index.resources.forget(&place)),
            Kind::Bot => drop(self.index.bots.forget(&place)),
            Kind::BotRole => drop(self.index.roles.forget(&place)),
            Kind::BotBinding => drop(self.index.bindings.forget(&place)),
            Kind::Channel => drop(self.index.channels.forget(&place)),
        }
    }

    /// Writes a Secret whose owner agrees to how the scenario uses it; a new version each time.
    pub(crate) fn put_secret(&self, name: &str, values: &[(&str, &str)]) {
        self.put_secret_saying(name, values, &consent(name));
    }

    /// Writes a Secret with these annotations.
    pub(crate) fn put_secret_saying(&self, name: &str, values: &[(&str, &str)], annotations: &Value) {
        use k8s_openapi::ByteString;
        let path = secret_path(name);
        let data: Value = values
            .iter()
            .map(|(key, value)| ((*key).to_owned(), json!(ByteString(value.as_bytes().to_vec()))))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let metadata = json!({"name": name, "namespace": NAMESPACE, "annotations": annotations});
        self.api.put(
            &path,
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}),
        );
        let metadata = serde_json::from_value(self.api.get(&path).unwrap()["metadata"].clone()).unwrap();
        let secret = PartialObjectMeta::<Secret> {
            metadata,
            ..PartialObjectMeta::default()
        };
        self.index.live.secrets().take_up(None, Event::Apply(secret));
    }

    pub(crate) fn take_secret(&self, name: &str) {
        self.api.remove(&secret_path(name));
        self.index
            .live
            .secrets()
            .forget(&(NAMESPACE.to_owned(), name.to_owned()));
    }

    /// A certificate of this serial number was issued last for an identity, and is in a Secret of its object.
    pub(crate) fn certify(&self, identity: &Identity, serial: &Serial) {
        let Some(namespace) = identity.namespace() else {
            return self.hub.rosters().set_ledger(vec![Certificate {
                serial: serial.clone(),
                until: None,
            }]);
        };
        let owner = match identity {
            Identity::Channel(channel) => channel.uid,
            Identity::Gateway(bot) | Identity::Runner { bot, .. } => bot.uid,
            Identity::Operator | Identity::Ledger => return,
        };
        let mut secret = PartialObjectMeta::<Secret>::default();
        secret.metadata.name = Some(identity.to_string().replace('/', "."));
        secret.metadata.namespace = Some(namespace.to_owned());
        secret.metadata.owner_references = Some(vec![OwnerReference {
            uid: owner.to_string(),
            ..OwnerReference::default()
        }]);
        secret.metadata.annotations = Some(std::collections::BTreeMap::from([
            ("monstrum.dev/identity".to_owned(), identity.to_string()),
            ("monstrum.dev/serial".to_owned(), serial.to_string()),
        ]));
        self.index.live.secrets().take_up(None, Event::Apply(secret));
        self.compiler.enrol(&self.index.world(namespace), Instant::now());
    }

    /// The bot is deleted, and another one made under its name.
    pub(crate) fn replace_bot(&self) -> BotId {
        self.take(Kind::Bot, "triage");
        self.put(with_uid(object("Bot", "triage", json!({})), LATER_UID));
        BotId {
            uid: LATER_UID.parse().unwrap(),
            ..bot()
        }
    }

    /// One pass of the compiler.
    pub(crate) async fn compile(&self) {
        self.index.dirt.take_all();
        self.compiler.compile_namespace(NAMESPACE, Instant::now()).await;
        self.index.dirt.done(NAMESPACE);
    }

    /// Compiles, and reconciles every object once.
    pub(crate) async fn settle(&self) {
        self.compile().await;
        for kind in Kind::ALL {
            for (namespace, name) in self.index.places(kind) {
                self.reconcile(&Key {
                    kind,
                    namespace,
                    name,
                })
                .await;
            }
        }
    }

    pub(crate) async fn reconcile(&self, key: &Key) {
        if let Err(error) = self.reconciler.reconcile(key).await {
            panic!("{key:?}: {error}: {:?}", std::error::Error::source(&error));
        }
    }

    /// Has the index see our objects and Secrets as the API server holds them.
    pub(crate) fn see_children(&self) {
        let paths = self.api.paths();
        let of = |plural: &str| {
            let part = format!("/namespaces/{NAMESPACE}/{plural}/");
            let objects = paths.iter().filter(move |path| path.contains(&part));
            objects.filter_map(|path| self.api.get(path)).collect::<Vec<_>>()
        };
        for kind in ChildKind::ALL {
            let children = self.index.live.children(kind);
            children.take_up(None, Event::Init);
            let ours = of(&kind.api().plural).into_iter().filter(|object| {
                object["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "monstrum-operator"
            });
            for object in ours {
                children.take_up(None, Event::InitApply(serde_json::from_value(object).unwrap()));
            }
            children.take_up(None, Event::InitDone);
        }
        let secrets = self.index.live.secrets();
        secrets.take_up(None, Event::Init);
        for object in of("secrets") {
            let secret = PartialObjectMeta::<Secret> {
                metadata: serde_json::from_value(object["metadata"].clone()).unwrap(),
                ..PartialObjectMeta::default()
            };
            secrets.take_up(None, Event::InitApply(secret));
        }
        secrets.take_up(None, Event::InitDone);
    }

    /// Lets every Deployment roll out, as kubelets and controllers do.
    pub(crate) fn roll_out(&self) {
        let deployments = self.index.live.children(ChildKind::Deployment);
        for live in deployments.of(NAMESPACE) {
            let mut live = live.as_ref().clone();
            let replicas = live.data["spec"]["replicas"].clone();
            live.data["status"] = json!({
                "observedGeneration": live.metadata.generation, "replicas": replicas,
                "updatedReplicas": replicas, "readyReplicas": replicas,
            });
            deployments.take_up(None, Event::Apply(live));
        }
    }

    /// A gateway connects and enforces what it is sent.
    pub(crate) fn enforce(&self, replica: &str) -> crate::policy::Session {
        let mut session = self.hub.subscribe(&bot(), replica).unwrap();
        let current = session.current();
        session.acknowledge(monstrum_wire::policy::Ack {
            version: Some(current.version),
            digest: current.digest.clone(),
            fault: String::new(),
        });
        session
    }

    /// `Ready` and the other conditions of an object, one a line.
    pub(crate) fn conditions(&self, kind: &str, name: &str) -> String {
        let place = if kind == "ResourceType" {
            String::new()
        } else {
            format!("namespaces/{NAMESPACE}/")
        };
        let path = format!(
            "/apis/monstrum.dev/v1alpha1/{place}{}s/{name}",
            kind.to_lowercase()
        );
        let object = self.api.get(&path).unwrap();
        let conditions = object["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let text = |condition: &Value, key: &str| condition[key].as_str().unwrap_or_default().to_owned();
        let lines = conditions.iter().map(|condition| {
            let line = ["type", "status", "reason", "message"].map(|key| text(condition, key));
            line.join(" ").trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Of the bot.
pub(crate) const BOT_UID: &str = "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11";
/// Of the channel.
pub(crate) const CHANNEL_UID: &str = "0d5d4c2a-6f31-4a8e-8c52-3f0f5b7f9e10";
/// Of what comes later under a name.
pub(crate) const LATER_UID: &str = "c0b1f6d2-33a5-4c0e-9a61-5d2b0a4be0a7";

pub(crate) fn bot() -> BotId {
    BotId {
        namespace: NAMESPACE.to_owned(),
        name: "triage".to_owned(),
        uid: BOT_UID.parse().unwrap(),
    }
}

/// What the owners of the scenario's Secrets agree to; those of others agree to nothing.
pub(crate) fn consent(secret: &str) -> Value {
    let (user, hosts) = match secret {
        "model-key" => ("credential/model-key", "models.example.com"),
        "github" => ("credential/github", "http://github.tools.svc:8080"),
        "inbox" => ("channel/inbox", "chat.example.com"),
        _ => return json!({}),
    };
    json!({"monstrum.dev/used-by": user, "monstrum.dev/hosts": hosts})
}

fn with_uid(mut object: Value, uid: &str) -> Value {
    object["metadata"]["uid"] = json!(uid);
    object
}

pub(crate) fn secret_path(name: &str) -> String {
    format!("/api/v1/namespaces/{NAMESPACE}/secrets/{name}")
}

fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "monstrum.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// The objects of [`Scenario::full`].
pub(crate) fn objects() -> Vec<Value> {
    let credential = |name: &str, field: &str, key: &str, host: &str| {
        let reference = json!({"name": name, "key": key});
        object(
            "Credential",
            name,
            json!({"method": {"static": {"fields": [{"name": field, "secretKeyRef": reference}]}}, "hosts": [host]}),
        )
    };
    vec![
        object(
            "Workspace",
            "workspace",
            json!({"model": {"provider": "main", "name": "m-1"}}),
        ),
        credential("model-key", "apiKey", "key", "models.example.com"),
        object(
            "ModelProvider",
            "main",
            json!({"dialect": "OpenAI", "baseUrl": "https://models.example.com/v1", "credential": "model-key", "models": [{"name": "m-1"}]}),
        ),
        credential("github", "token", "token", "http://github.tools.svc:8080"),
        object(
            "Resource",
            "github",
            json!({"type": "github", "config": {"baseUrl": "http://github.tools.svc:8080", "allowedAddresses": ["10.0.0.0/8"]},
                   "credential": {"name": "github", "method": "token"}}),
        ),
        object(
            "Resource",
            "workshop",
            json!({"type": "shell", "runner": {"image": "debian:12", "pod": {"runtimeClassName": "gvisor",
                   "containers": {"sandbox": {"resources": {"requests": {"cpu": "0.5"}}}}}}}),
        ),
        with_uid(object("Bot", "triage", json!({"displayName": "Triage"})), BOT_UID),
        binding(
            "reader",
            "github",
            json!([{"operations": ["issue.read"], "scope": {"repository": ["acme/web"]}}]),
        ),
        binding(
            "commands",
            "workshop",
            json!([{"operations": ["command.execute"], "scope": {"command": ["git status"]}}]),
        ),
        with_uid(
            object(
                "Channel",
                "inbox",
                json!({"type": {"webhook": {"secret": {"name": "inbox", "key": "secret"}, "mode": "Callback",
                        "callbackUrl": "https://chat.example.com/answers"}},
                       "routes": [{"name": "all", "bot": "triage"}], "talkers": {"everyone": true}, "replicas": 2}),
            ),
            CHANNEL_UID,
        ),
    ]
}

/// A binding of the bot.
pub(crate) fn binding(name: &str, resource: &str, grants: Value) -> Value {
    object(
        "BotBinding",
        name,
        json!({"bot": "triage", "resource": resource, "grants": grants}),
    )
}
