//! The Policy and Vault services over a policy that the test sets.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use monstrum_wire::identity::{Identity, Serial};
use monstrum_wire::policy::policy_server::Policy;
use monstrum_wire::policy::vault_server::Vault;
use monstrum_wire::policy::*;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

/// Names and values.
pub type Fields = Vec<(String, String)>;

#[derive(Clone)]
pub struct Operator {
    current: Arc<watch::Sender<Option<Snapshot>>>,
    /// Who may call the gateway.
    pub members: Arc<watch::Sender<Vec<Member>>>,
    pub acks: Arc<watch::Sender<Vec<Ack>>>,
    pub secrets: Arc<Mutex<HashMap<String, Fields>>>,
    pub leases: Arc<Mutex<Vec<String>>>,
    pub renews: Arc<AtomicBool>,
    pub vault_down: Arc<AtomicBool>,
    /// Where every credential may go.
    pub hosts: Arc<Mutex<Vec<String>>>,
    sequence: Arc<Mutex<u64>>,
}

impl Default for Operator {
    fn default() -> Self {
        Self {
            current: Arc::new(watch::Sender::new(None)),
            members: Arc::new(watch::Sender::new(Vec::new())),
            acks: Arc::new(watch::Sender::new(Vec::new())),
            secrets: Arc::default(),
            leases: Arc::default(),
            renews: Arc::new(AtomicBool::new(true)),
            vault_down: Arc::default(),
            hosts: Arc::new(Mutex::new(vec!["http://127.0.0.1:*".to_owned()])),
            sequence: Arc::default(),
        }
    }
}

impl Operator {
    /// The object of this identity lives, and is known by this certificate.
    pub fn enrol(&self, identity: &Identity, serial: &Serial) {
        let certificate = Certificate {
            serial: serial.to_string(),
            good_seconds: 0,
        };
        let member = Member {
            identity: identity.to_string(),
            certificates: vec![certificate],
            workspace: String::new(),
        };
        self.dismiss(identity);
        self.members.send_modify(|members| members.push(member));
    }

    /// The object of this identity is gone.
    pub fn dismiss(&self, identity: &Identity) {
        let path = identity.to_string();
        self.members
            .send_modify(|members| members.retain(|member| member.identity != path));
    }

    /// Publishes a policy and waits until the gateway acknowledged it.
    pub async fn publish(&self, permissions: Vec<u8>, settings: Settings, lease_seconds: u32) -> Ack {
        let version = {
            let mut sequence = self.sequence.lock().unwrap();
            *sequence += 1;
            Version {
                epoch: 1,
                sequence: *sequence,
            }
        };
        let digest = monstrum_wire::snapshot::digest(&permissions, &settings);
        let snapshot = Snapshot {
            version: Some(version),
            digest,
            permissions,
            settings: Some(settings),
            lease_seconds,
        };
        self.current.send_replace(Some(snapshot));
        let mut acks = self.acks.subscribe();
        let acks = acks.wait_for(|acks| acks.iter().any(|ack| ack.version == Some(version)));
        let acks = tokio::time::timeout(Duration::from_secs(10), acks)
            .await
            .expect("no ack")
            .unwrap();
        acks.iter()
            .find(|ack| ack.version == Some(version))
            .unwrap()
            .clone()
    }
}

#[tonic::async_trait]
impl Policy for Operator {
    type SubscribeStream = ReceiverStream<Result<SubscribeResponse, Status>>;

    async fn subscribe(
        &self,
        request: Request<Streaming<SubscribeRequest>>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        assert!(matches!(
            monstrum_service::peer(&request)?.identity,
            Identity::Gateway(_)
        ));
        if !self.renews.load(Ordering::SeqCst) {
            return Err(Status::unavailable("not the leader"));
        }
        let (sender, stream) = mpsc::channel(16);
        let operator = self.clone();
        let mut requests = request.into_inner();
        tokio::spawn(async move {
            while let Ok(Some(request)) = requests.message().await {
                if let Some(subscribe_request::Message::Ack(ack)) = request.message {
                    operator.acks.send_modify(|acks| acks.push(ack));
                }
            }
        });
        let operator = self.clone();
        tokio::spawn(async move {
            let (mut current, mut members) = (operator.current.subscribe(), operator.members.subscribe());
            current.mark_changed();
            members.mark_changed();
            loop {
                let message = tokio::select! {
                    biased;
                    _ = members.changed() => {
                        let members = members.borrow_and_update().clone();
                        subscribe_response::Message::Roster(Roster { namespace: "team-a".to_owned(), members })
                    }
                    _ = current.changed() => {
                        let Some(snapshot) = current.borrow_and_update().clone() else { continue };
                        subscribe_response::Message::Snapshot(snapshot)
                    }
                    () = tokio::time::sleep(Duration::from_millis(200)) => {
                        let Some(held) = current.borrow().clone() else { continue };
                        if !operator.renews.load(Ordering::SeqCst) {
                            continue;
                        }
                        subscribe_response::Message::Renewal(Renewal {
                            version: held.version,
                            digest: held.digest,
                            lease_seconds: held.lease_seconds,
                        })
                    }
                };
                if sender
                    .send(Ok(SubscribeResponse {
                        message: Some(message),
                    }))
                    .await
                    .is_err()
                {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

#[tonic::async_trait]
impl Vault for Operator {
    async fn lease(&self, request: Request<LeaseRequest>) -> Result<Response<LeaseResponse>, Status> {
        if self.vault_down.load(Ordering::SeqCst) {
            return Err(Status::unavailable("the vault is down"));
        }
        assert!(matches!(
            monstrum_service::peer(&request)?.identity,
            Identity::Gateway(_)
        ));
        let request = request.into_inner();
        let subject = match request.subject.unwrap() {
            lease_request::Subject::Binding(name) => format!("binding/{name}"),
            lease_request::Subject::Provider(name) => format!("provider/{name}"),
            lease_request::Subject::Channel(name) => format!("channel/{name}"),
        };
        self.leases.lock().unwrap().push(subject.clone());
        let secrets = self.secrets.lock().unwrap();
        let fields = secrets
            .get(&subject)
            .ok_or_else(|| Status::not_found("no such credential"))?;
        let fields = fields
            .iter()
            .map(|(name, value)| SecretField {
                name: name.clone(),
                value: value.clone().into_bytes(),
            })
            .collect();
        Ok(Response::new(LeaseResponse {
            fields,
            version: request.version,
            ttl_seconds: 60,
            hosts: self.hosts.lock().unwrap().clone(),
        }))
    }
}
