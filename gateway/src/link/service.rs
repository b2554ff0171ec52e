//! The gRPC face that runners dial.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::BoxStream;
use monstrum_service::Peer;
use monstrum_wire::identity::Identity;
use monstrum_wire::runner::link_server::{self, LinkServer};
use monstrum_wire::runner::{FromRunner, GatewayList, GatewaysRequest, RunnerHello, from_runner};
use tokio::sync::mpsc;
use tokio_stream::wrappers::{ReceiverStream, WatchStream};
use tonic::{Request, Response, Status, Streaming};

use super::attached::{Attached, MAX_ORDERS, Order};
use super::{Crowded, Link};
use crate::gateway::Gateway;

/// How long a runner may take to introduce itself.
const HELLO: Duration = Duration::from_secs(10);
/// The largest message of a runner that is read; a result's own bound is far below.
const MAX_MESSAGE: usize = 20 << 20;

/// Lets this bot's runners in, and nobody else.
#[derive(Debug, Clone)]
pub struct LinkService {
    gateway: Arc<Gateway>,
}

impl LinkService {
    /// The tonic service.
    pub fn server(gateway: Arc<Gateway>) -> LinkServer<Self> {
        LinkServer::new(Self { gateway }).max_decoding_message_size(MAX_MESSAGE)
    }

    /// The runner's name, if it is a runner of this bot that lives.
    fn admit<T>(&self, request: &Request<T>) -> Result<(String, Peer), Status> {
        let peer = monstrum_service::peer(request)?;
        match self.gateway.roster.admit(request)? {
            Identity::Runner { bot, runner } if bot == self.gateway.bot => Ok((runner, peer)),
            Identity::Runner { .. }
            | Identity::Operator
            | Identity::Ledger
            | Identity::Gateway(_)
            | Identity::Channel(_) => Err(Status::permission_denied("only a runner of this bot may attach")),
        }
    }

    async fn serve(link: Link, attached: Arc<Attached>, mut messages: Streaming<FromRunner>) {
        loop {
            tokio::select! {
                biased;
                () = attached.gone() => break,
                message = messages.message() => match message {
                    Ok(Some(message)) => attached.hear(message).await,
                    Ok(None) | Err(_) => break,
                },
            }
        }
        link.remove(&attached);
        attached.detach();
        tracing::info!(runner = attached.runner(), "runner detached");
    }
}

#[tonic::async_trait]
impl link_server::Link for LinkService {
    type AttachStream = ReceiverStream<Order>;
    type GatewaysStream = BoxStream<'static, Result<GatewayList, Status>>;

    async fn attach(
        &self,
        request: Request<Streaming<FromRunner>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let (runner, peer) = self.admit(&request)?;
        let mut messages = request.into_inner();
        let hello = hello(&mut messages).await?;
        let replica = hello.replica.clone();
        let (program, ours) = (hello.program.clone(), env!("CARGO_PKG_VERSION"));
        if program != ours {
            tracing::warn!(%runner, %replica, %program, %ours, "a runner runs another version than this gateway");
        }
        let (orders, stream) = mpsc::channel(MAX_ORDERS);
        let attached = Arc::new(Attached::new(runner, peer, hello, orders));
        self.gateway
            .link
            .add(Arc::clone(&attached))
            .map_err(|Crowded| Status::resource_exhausted(Crowded.to_string()))?;
        tracing::info!(runner = attached.runner(), replica, "runner attached");
        self.gateway.service.spawn_quiet(
            "runner",
            Self::serve(self.gateway.link.clone(), attached, messages),
        );
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn gateways(
        &self,
        request: Request<GatewaysRequest>,
    ) -> Result<Response<Self::GatewaysStream>, Status> {
        self.admit(&request)?;
        let lists = WatchStream::new(self.gateway.peers.watch()).map(|peers| {
            Ok(GatewayList {
                addresses: peers.iter().map(ToString::to_string).collect(),
            })
        });
        let shutdown = self.gateway.service.shutdown();
        // Whoever follows this list turns to another gateway when this one stops.
        let lists = lists.take_until(async move { shutdown.requested().await });
        Ok(Response::new(Box::pin(lists)))
    }
}

async fn hello(messages: &mut Streaming<FromRunner>) -> Result<RunnerHello, Status> {
    let first = tokio::time::timeout(HELLO, messages.message()).await;
    let first = first.map_err(|_| Status::deadline_exceeded("no hello came"))??;
    match first.and_then(|first| first.message) {
        Some(from_runner::Message::Hello(hello)) => Ok(hello),
        Some(from_runner::Message::Chunk(_) | from_runner::Message::Finished(_)) | None => Err(
            Status::invalid_argument("the first message of a runner is its hello"),
        ),
    }
}
