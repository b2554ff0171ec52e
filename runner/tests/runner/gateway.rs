//! A gateway's end of the link, over mutual TLS, and a runner process at the other.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use monstrum_service::authority::Authority;
use monstrum_service::{Pem, Tls, peer};
use monstrum_wire::identity::{BotId, Identity};
use monstrum_wire::runner::link_server::{Link, LinkServer};
use monstrum_wire::runner::{
    Cancel, Execute, Finished, FromRunner, GatewayList, GatewaysRequest, RunnerHello, ToRunner, finished,
    from_runner, to_runner,
};
use tempfile::TempDir;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_stream::wrappers::{ReceiverStream, WatchStream};
use tonic::{Request, Response, Status, Streaming};

use crate::support::runner;

pub(crate) fn authority() -> Authority {
    monstrum_service::install_crypto();
    Authority::generate("monstrum.local").unwrap()
}

pub(crate) fn bot() -> BotId {
    BotId {
        namespace: "team".to_owned(),
        name: "triage".to_owned(),
        uid: "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11".parse().unwrap(),
    }
}

/// One attached runner, as the gateway sees it.
pub(crate) struct Attached {
    pub(crate) identity: Identity,
    pub(crate) hello: RunnerHello,
    to_runner: mpsc::Sender<Result<ToRunner, Status>>,
    from_runner: mpsc::Receiver<FromRunner>,
    chunks: HashMap<String, Vec<u8>>,
    results: u32,
}

impl Attached {
    pub(crate) async fn execute(&self, execute: Execute) {
        self.send(to_runner::Message::Execute(execute)).await;
    }

    pub(crate) async fn cancel(&self, call_id: &str) {
        self.send(to_runner::Message::Cancel(Cancel {
            call_id: call_id.to_owned(),
        }))
        .await;
    }

    async fn send(&self, message: to_runner::Message) {
        self.to_runner
            .send(Ok(ToRunner {
                message: Some(message),
            }))
            .await
            .unwrap();
    }

    /// The next call that ended, with all of its output; nothing when the stream ended.
    pub(crate) async fn finished(&mut self) -> Option<(String, Result<Vec<u8>, i32>)> {
        loop {
            match self.from_runner.recv().await?.message? {
                from_runner::Message::Chunk(chunk) => {
                    self.chunks.entry(chunk.call_id).or_default().extend(chunk.data);
                }
                from_runner::Message::Finished(Finished {
                    call_id,
                    outcome: Some(outcome),
                }) => {
                    let mut bytes = self.chunks.remove(&call_id).unwrap_or_default();
                    return Some((
                        call_id,
                        match outcome {
                            finished::Outcome::Success(success) => {
                                bytes.extend(success.content);
                                Ok(bytes)
                            }
                            finished::Outcome::Failure(failure) => Err(failure.kind),
                        },
                    ));
                }
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// Waits for one call's output. Every call has a name of its own, as with a real gateway: the runner may not have
    /// forgotten the one before when the next arrives.
    pub(crate) async fn result(&mut self, execute: Execute) -> Result<String, i32> {
        self.results = self.results.wrapping_add(1);
        let call_id = format!("result-{}", self.results);
        self.execute(Execute { call_id, ..execute }).await;
        let (_, result) = self.finished().await.unwrap();
        result.map(|bytes| String::from_utf8(bytes).unwrap())
    }
}

/// A running gateway.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    attached: mpsc::Receiver<Attached>,
    /// What it says of all gateways.
    pub(crate) gateways: watch::Sender<Vec<SocketAddr>>,
    // Of its own, so that its end breaks every connection, as a pod's end does.
    runtime: Option<tokio::runtime::Runtime>,
}

impl Gateway {
    pub(crate) async fn start(authority: &Authority, address: &str) -> Self {
        Self::start_as(authority, address, &Identity::Gateway(bot())).await
    }

    /// With a certificate that names somebody, and the right host.
    pub(crate) async fn start_as(authority: &Authority, address: &str, identity: &Identity) -> Self {
        let pem = authority
            .issue(identity, &["127.0.0.1", "localhost"], DAY)
            .unwrap();
        let tls = Tls::from_pem(&pem, "monstrum.local").unwrap();
        let address: SocketAddr = address.parse().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (sender, attached) = mpsc::channel(8);
        let (listening, listens) = oneshot::channel();
        let gateways = watch::Sender::new(Vec::new());
        let told = gateways.clone();
        runtime.spawn(async move {
            let incoming = tls.listen(address).await.unwrap();
            told.send_replace(vec![incoming.local_addr()]);
            listening.send(incoming.local_addr()).unwrap();
            let service = Service {
                sender,
                gateways: told,
            };
            let server = tonic::transport::Server::builder().add_service(LinkServer::new(service));
            server.serve_with_incoming(incoming).await
        });
        Self {
            address: listens.await.unwrap(),
            attached,
            gateways,
            runtime: Some(runtime),
        }
    }

    pub(crate) async fn attached(&mut self) -> Attached {
        tokio::time::timeout(Duration::from_secs(20), self.attached.recv())
            .await
            .expect("in time")
            .unwrap()
    }

    /// Whether somebody attaches within this time.
    pub(crate) async fn attached_within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.attached.recv()).await.is_ok()
    }
}

/// As if the pod was killed: all connections break.
impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

pub(crate) const DAY: Duration = Duration::from_hours(24);

struct Service {
    sender: mpsc::Sender<Attached>,
    gateways: watch::Sender<Vec<SocketAddr>>,
}

#[tonic::async_trait]
impl Link for Service {
    type AttachStream = ReceiverStream<Result<ToRunner, Status>>;
    type GatewaysStream = BoxStream<'static, Result<GatewayList, Status>>;

    async fn gateways(&self, _: Request<GatewaysRequest>) -> Result<Response<Self::GatewaysStream>, Status> {
        let lists = WatchStream::new(self.gateways.subscribe()).map(|gateways| {
            Ok(GatewayList {
                addresses: gateways.iter().map(ToString::to_string).collect(),
            })
        });
        Ok(Response::new(Box::pin(lists)))
    }

    async fn attach(
        &self,
        request: Request<Streaming<FromRunner>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let identity = peer(&request)?.identity;
        let mut inbound = request.into_inner();
        let Some(FromRunner {
            message: Some(from_runner::Message::Hello(hello)),
        }) = inbound.message().await?
        else {
            return Err(Status::invalid_argument("hello comes first"));
        };
        let (to_runner, outbound) = mpsc::channel(64);
        let (forward, from_runner) = mpsc::channel(64);
        tokio::spawn(async move {
            while let Some(Ok(message)) = inbound.next().await {
                if forward.send(message).await.is_err() {
                    return;
                }
            }
        });
        let attached = Attached {
            identity,
            hello,
            to_runner,
            from_runner,
            chunks: HashMap::new(),
            results: 0,
        };
        self.sender
            .send(attached)
            .await
            .map_err(|_| Status::unavailable("closing"))?;
        Ok(Response::new(ReceiverStream::new(outbound)))
    }
}

/// A runner process, killed when dropped.
pub(crate) struct Runner {
    pub(crate) child: Child,
    pub(crate) admin: SocketAddr,
    tls: TempDir,
}

impl Runner {
    pub(crate) fn start(authority: &Authority, gateway: SocketAddr, more: &[&str]) -> Self {
        let identity = Identity::Runner {
            bot: bot(),
            runner: "default".to_owned(),
        };
        Self::with_certificate(&authority.issue(&identity, &[], DAY).unwrap(), gateway, more)
    }

    pub(crate) fn with_certificate(pem: &Pem, gateway: SocketAddr, more: &[&str]) -> Self {
        let tls = tempfile::tempdir().unwrap();
        write(tls.path(), pem);
        let admin = free_address();
        let child = Command::new(runner())
            .args(["serve", "--executors", "http,shell", "--replica", "runner-0"])
            .arg("--reach-loopback")
            .args(["--gateway", &format!("https://localhost:{}", gateway.port())])
            .args(["--admin-address", &admin.to_string()])
            .arg("--tls-dir")
            .arg(tls.path())
            .args(more)
            // Neither may steer anything.
            .env("HTTP_PROXY", "http://127.0.0.1:1")
            .env("http_proxy", "http://127.0.0.1:1")
            .env("LEAKED_SECRET", "environment-of-the-runner")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, admin, tls }
    }

    pub(crate) fn tls_dir(&self) -> &Path {
        self.tls.path()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub(crate) async fn ready(&self) -> bool {
        self.ask("/readyz")
            .await
            .is_ok_and(|response| response.status().is_success())
    }

    pub(crate) async fn metrics(&self) -> String {
        self.ask("/metrics").await.unwrap().text().await.unwrap()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the process's own port, whose address nobody else wrote"
    )]
    async fn ask(&self, path: &str) -> reqwest::Result<reqwest::Response> {
        reqwest::get(format!("http://{}{path}", self.admin)).await
    }

    /// Waits for the process's end.
    pub(crate) async fn ended(&mut self) -> std::process::ExitStatus {
        for _ in 0..2000 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the runner does not end");
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn write(folder: &Path, pem: &Pem) {
    for (name, content) in [
        ("tls.crt", &pem.certificate),
        ("tls.key", &pem.key),
        ("ca.crt", &pem.authority),
    ] {
        std::fs::write(folder.join(name), content).unwrap();
    }
}

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}
