//! All of it together.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use monstrum_egress::EgressArgs;
use monstrum_gateway::args::ServeArgs;
use monstrum_gateway::serve;
use monstrum_guardian::source::Budget;
use monstrum_service::authority::Authority;
use monstrum_service::{Pem, Service, Tls, TlsArgs};
use monstrum_wire::chat::chat_client::ChatClient;
use monstrum_wire::chat::{SendRequest, StatusRequest, TurnEvent, turn_event};
use monstrum_wire::identity::{BotId, ChannelId, DEFAULT_RUNNER, Identity};
use monstrum_wire::ledger::audit_server::AuditServer;
use monstrum_wire::ledger::ledger_server::LedgerServer;
use monstrum_wire::policy::policy_server::PolicyServer;
use monstrum_wire::policy::vault_server::VaultServer;
use monstrum_wire::policy::{Ack, Dialect, Limits, Model as ModelSettings, Prices, Prompts, Settings};
use tonic::transport::{Channel, Server};

use crate::ledger::MemoryLedger;
use crate::model::Model;
use crate::operator::Operator;
use crate::policies::{Held, TOKEN, permissions};
use crate::runner::Runner;

pub const MODEL_KEY: &str = "sk-model-key-0123456789";

pub struct World {
    pub authority: Authority,
    pub operator: Operator,
    pub ledger: MemoryLedger,
    pub model: Model,
    pub runner: Runner,
    pub runner_task: tokio::task::JoinHandle<()>,
    pub service: Service,
    pub mutual: String,
    pub local: SocketAddr,
    pub model_address: SocketAddr,
    operator_url: String,
    pub ledger_url: String,
    /// The identities that the operator enrolled at the beginning.
    enrolled: HashMap<Identity, Tls>,
}

impl World {
    /// A gateway whose policy grants issues in `acme/*`, with a runner attached.
    pub async fn start() -> Self {
        let world = Self::bare().await;
        world.enforce(&[Held::default()]).await;
        world
    }

    /// The same without a policy.
    pub async fn bare() -> Self {
        monstrum_service::install_crypto();
        let authority = Authority::generate("monstrum.local").unwrap();
        let (operator, ledger, model) = (Operator::default(), MemoryLedger::default(), Model::default());
        ledger
            .down_at_start
            .store(-1, std::sync::atomic::Ordering::SeqCst);
        operator.secrets.lock().unwrap().extend([
            (
                "binding/github-0".to_owned(),
                vec![("token".to_owned(), TOKEN.to_owned())],
            ),
            (
                "binding/github-1".to_owned(),
                vec![("token".to_owned(), "other-token-value".to_owned())],
            ),
            (
                "provider/main".to_owned(),
                vec![("apiKey".to_owned(), MODEL_KEY.to_owned())],
            ),
        ]);
        let router = Server::builder()
            .add_service(PolicyServer::new(operator.clone()))
            .add_service(VaultServer::new(operator.clone()));
        let operator_url = listen(&tls(&authority, &Identity::Operator), router).await;
        let router = Server::builder()
            .add_service(LedgerServer::new(ledger.clone()))
            .add_service(AuditServer::new(ledger.clone()));
        let ledger_url = listen(&tls(&authority, &Identity::Ledger), router).await;
        let model_address = model.start().await;
        let enrolled: HashMap<_, _> = [own_runner(), own_channel()]
            .into_iter()
            .map(|identity| (identity.clone(), enrol(&authority, &operator, &identity)))
            .collect();
        let (service, mutual, local) = gateway(&authority, &operator_url, &ledger_url, "gateway-0").await;
        let runner = Runner::default();
        let runner_task = runner.start(enrolled[&own_runner()].clone(), mutual.clone());
        Self {
            authority,
            operator,
            ledger,
            model,
            runner,
            runner_task,
            service,
            mutual,
            local,
            model_address,
            operator_url,
            ledger_url,
            enrolled,
        }
    }

    /// A further replica of the same gateway: where it listens locally, and its process.
    pub async fn replica(&self) -> (Service, SocketAddr) {
        let (service, mutual, local) =
            gateway(&self.authority, &self.operator_url, &self.ledger_url, "gateway-1").await;
        self.runner.start(self.tls(&own_runner()), mutual);
        (service, local)
    }

    pub async fn enforce(&self, held: &[Held]) -> Ack {
        self.enforce_with(held, self.settings(), 60).await
    }

    pub async fn enforce_with(&self, held: &[Held], settings: Settings, lease_seconds: u32) -> Ack {
        self.operator
            .publish(permissions(held, &[]), settings, lease_seconds)
            .await
    }

    /// What `Held` grants by default, within budgets.
    pub async fn enforce_within(&self, budgets: &[Budget]) {
        let permissions = permissions(&[Held::default()], budgets);
        let ack = self.operator.publish(permissions, self.settings(), 60).await;
        assert_eq!(ack.fault, "");
    }

    pub fn settings(&self) -> Settings {
        Settings {
            model: Some(ModelSettings {
                provider: "main".to_owned(),
                dialect: Dialect::Openai.into(),
                base_url: format!("http://{}/v1", self.model_address),
                allowed_addresses: vec!["127.0.0.0/8".to_owned()],
                id: "test-model".to_owned(),
                max_output_tokens: 1000,
                prices: Some(Prices {
                    input: 3_000_000,
                    cached_input: 300_000,
                    output: 15_000_000,
                    cache_write: 3_000_000,
                }),
                credential_version: "1".to_owned(),
                request_timeout_seconds: 10,
                ..ModelSettings::default()
            }),
            prompts: Some(Prompts {
                system: "You triage issues.".to_owned(),
            }),
            limits: Some(Limits {
                max_steps: 8,
                max_turn_seconds: 30,
                max_turn_tokens: 100_000,
                max_result_bytes: 2000,
                max_parallel_calls: 4,
                max_queued_messages: 1,
                call_timeout_seconds: 10,
            }),
            ..Settings::default()
        }
    }

    pub fn with_limits(&self, change: impl FnOnce(&mut Limits)) -> Settings {
        let mut settings = self.settings();
        change(settings.limits.as_mut().unwrap());
        settings
    }

    /// The certificate of one who is enrolled; for anybody else a new one that nobody knows.
    pub fn tls(&self, identity: &Identity) -> Tls {
        let known = self.enrolled.get(identity).cloned();
        known.unwrap_or_else(|| tls(&self.authority, identity))
    }

    /// A certificate that the gateway knows from now on, and no other of this identity.
    pub async fn enrol(&self, identity: &Identity) -> Tls {
        let tls = enrol(&self.authority, &self.operator, identity);
        self.enforce(&[Held::default()]).await;
        tls
    }

    /// Like [`World::enrol`], for a process of its own.
    pub async fn enrol_process(&self, identity: &Identity) -> Pem {
        let pem = self
            .authority
            .issue(identity, &[], Duration::from_secs(3600))
            .unwrap();
        self.operator.enrol(identity, &pem.serial().unwrap());
        self.enforce(&[Held::default()]).await;
        pem
    }

    pub fn connect(&self, tls: &Tls) -> monstrum_service::Channel {
        tls.channel(&self.mutual, &Identity::Gateway(bot())).unwrap()
    }

    /// Whether a runner is attached, as the gateway tells.
    pub async fn has_runner(&self) -> bool {
        let mut chat = ChatClient::new(self.local_channel());
        let status = chat.status(StatusRequest {}).await.unwrap().into_inner();
        !status.connected_runners.is_empty()
    }

    pub fn local_channel(&self) -> Channel {
        local_channel(self.local)
    }

    /// Sends one message of a new session and takes the whole turn.
    pub async fn say(&self, text: &str) -> Turn {
        self.send(request("", text)).await
    }

    pub async fn send(&self, request: SendRequest) -> Turn {
        Turn {
            events: collect(self.local, request).await,
        }
    }
}

pub fn request(session: &str, text: &str) -> SendRequest {
    SendRequest {
        session: session.to_owned(),
        text: text.to_owned(),
        user: "u1".to_owned(),
        message_id: String::new(),
        images: Vec::new(),
    }
}

pub fn local_channel(address: SocketAddr) -> Channel {
    Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect_lazy()
}

/// All events of one turn.
pub async fn collect(address: SocketAddr, request: SendRequest) -> Vec<TurnEvent> {
    let mut stream = ChatClient::new(local_channel(address))
        .send(request)
        .await
        .unwrap()
        .into_inner();
    let mut events = Vec::new();
    let reading = async {
        while let Ok(Some(event)) = stream.message().await {
            events.push(event);
        }
    };
    tokio::time::timeout(Duration::from_secs(60), reading)
        .await
        .expect("the turn hangs");
    events
}

/// What a turn said.
#[derive(Debug)]
pub struct Turn {
    pub events: Vec<TurnEvent>,
}

impl Turn {
    fn find<T>(&self, pick: impl Fn(&turn_event::Event) -> Option<T>) -> Vec<T> {
        self.events
            .iter()
            .filter_map(|event| event.event.as_ref())
            .filter_map(pick)
            .collect()
    }

    pub fn session(&self) -> String {
        let started = self.find(|event| match event {
            turn_event::Event::Started(started) => Some(started.session.clone()),
            _ => None,
        });
        started
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("not started: {:?}", self.events))
    }

    pub fn text(&self) -> String {
        self.find(|event| match event {
            turn_event::Event::Text(delta) => Some(delta.text.clone()),
            _ => None,
        })
        .concat()
    }

    pub fn done(&self) -> monstrum_wire::chat::Done {
        let done = self.find(|event| match event {
            turn_event::Event::Done(done) => Some(done.clone()),
            _ => None,
        });
        done.into_iter()
            .next()
            .unwrap_or_else(|| panic!("not done: {:?}", self.events))
    }

    pub fn failed(&self) -> monstrum_wire::chat::Failed {
        let failed = self.find(|event| match event {
            turn_event::Event::Failed(failed) => Some(failed.clone()),
            _ => None,
        });
        failed
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("not failed: {:?}", self.events))
    }

    pub fn decisions(&self) -> Vec<monstrum_wire::chat::CallDecision> {
        self.find(|event| match event {
            turn_event::Event::Decision(decision) => Some(decision.clone()),
            _ => None,
        })
    }

    pub fn results(&self) -> Vec<monstrum_wire::chat::ToolResult> {
        self.find(|event| match event {
            turn_event::Event::Result(result) => Some(result.clone()),
            _ => None,
        })
    }
}

pub const UID: &str = "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11";
/// Of objects that came under the names of others.
pub const LATER_UID: &str = "c0b1f6d2-33a5-4c0e-9a61-5d2b0a4be0a7";

pub fn bot() -> BotId {
    BotId {
        namespace: "team-a".to_owned(),
        name: "triage".to_owned(),
        uid: UID.parse().unwrap(),
    }
}

pub fn own_runner() -> Identity {
    Identity::Runner {
        bot: bot(),
        runner: DEFAULT_RUNNER.to_owned(),
    }
}

/// The channel that has a route to the bot.
pub fn own_channel() -> Identity {
    channel_of(UID)
}

pub fn channel_of(uid: &str) -> Identity {
    Identity::Channel(ChannelId {
        namespace: "team-a".to_owned(),
        name: "inbox".to_owned(),
        uid: uid.parse().unwrap(),
    })
}

fn enrol(authority: &Authority, operator: &Operator, identity: &Identity) -> Tls {
    let pem = authority.issue(identity, &[], Duration::from_secs(3600)).unwrap();
    operator.enrol(identity, &pem.serial().unwrap());
    Tls::from_pem(&pem, "monstrum.local").unwrap()
}

pub fn tls(authority: &Authority, identity: &Identity) -> Tls {
    let pem = authority
        .issue(identity, &["localhost", "127.0.0.1"], Duration::from_secs(3600))
        .unwrap();
    Tls::from_pem(&pem, "monstrum.local").unwrap()
}

pub async fn listen(tls: &Tls, router: tonic::transport::server::Router) -> String {
    let incoming = tls.listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let url = format!("https://localhost:{}", incoming.local_addr().port());
    tokio::spawn(router.serve_with_incoming(incoming));
    url
}

async fn gateway(
    authority: &Authority,
    operator: &str,
    ledger: &str,
    replica: &str,
) -> (Service, String, SocketAddr) {
    let service = Service::default();
    let args = ServeArgs {
        tls: TlsArgs {
            tls_dir: "/nowhere".into(),
            trust_domain: "monstrum.local".to_owned(),
        },
        replica: replica.to_owned(),
        operator: operator.to_owned(),
        ledger: ledger.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        address: None,
        gateways: None,
        local_listen: "127.0.0.1:0".parse().unwrap(),
        egress: EgressArgs { reach_loopback: true },
    };
    let tls = tls(authority, &Identity::Gateway(bot()));
    let addresses = serve::start(args, Duration::from_secs(10), tls, service.clone())
        .await
        .unwrap();
    (
        service,
        format!("https://localhost:{}", addresses.mutual.port()),
        addresses.local,
    )
}

/// Waits until something is so.
pub async fn until(so: impl Fn() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .expect("it never became so");
}
