//! Conversations.

use std::sync::Arc;

use monstrum_wire::chat::chat_server::{self, ChatServer};
use monstrum_wire::chat::{Failed, SendRequest, StatusRequest, StatusResponse, TurnEvent, turn_event};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::Door;
use crate::gateway::Gateway;
use crate::turn::{self, Events, Incoming, TraceContext};

/// Events that may wait for a slow reader; then its turn waits.
const MAX_EVENTS: usize = 64;
const MAX_MESSAGE: usize = 1 << 20;

/// `monstrum.chat.v1.Chat`.
#[derive(Debug, Clone)]
pub struct ChatFace {
    gateway: Arc<Gateway>,
    door: Door,
}

impl ChatFace {
    /// The tonic service.
    pub fn server(gateway: Arc<Gateway>, door: Door) -> ChatServer<Self> {
        ChatServer::new(Self { gateway, door }).max_decoding_message_size(MAX_MESSAGE)
    }
}

#[tonic::async_trait]
impl chat_server::Chat for ChatFace {
    type SendStream = ReceiverStream<Result<TurnEvent, Status>>;

    async fn send(&self, request: Request<SendRequest>) -> Result<Response<Self::SendStream>, Status> {
        let channel = self.door.channel(&self.gateway, &request)?;
        let parent = request
            .metadata()
            .get("traceparent")
            .and_then(|value| value.to_str().ok());
        let trace = TraceContext::from_parent(parent);
        let SendRequest {
            session,
            text,
            user,
            message_id,
            images,
        } = request.into_inner();
        let message = Incoming {
            session,
            text,
            user,
            channel,
            message_id,
            images: Vec::new(),
            trace,
        };
        let (sender, stream) = mpsc::channel(MAX_EVENTS);
        match message.showing(&images).and_then(Incoming::checked) {
            Ok(message) => {
                let turn = turn::run(Arc::clone(&self.gateway), message, Events::new(sender));
                self.gateway.service.spawn_quiet("turn", turn);
            }
            Err(failure) => {
                let failed = Failed {
                    code: failure.code().to_owned(),
                    message: failure.to_string(),
                };
                let event = TurnEvent {
                    event: Some(turn_event::Event::Failed(failed)),
                };
                // The receiver is still here and the channel empty.
                drop(sender.try_send(Ok(event)));
            }
        }
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn status(&self, request: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        self.door.channel(&self.gateway, &request)?;
        let gateway = &self.gateway;
        let left = gateway.policy.lease_left();
        Ok(Response::new(StatusResponse {
            bot: format!("{}/{}", gateway.bot.namespace, gateway.bot.name),
            policy_digest: gateway.policy.current().digest.clone(),
            lease_seconds_left: u32::try_from(left.as_secs()).unwrap_or(u32::MAX),
            connected_runners: gateway.link.connected(),
            running_turns: gateway.sessions.running(),
        }))
    }
}
