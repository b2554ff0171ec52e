//! A runner that does what the test says, over a real link.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use monstrum_service::Tls;
use monstrum_wire::identity::Identity;
use monstrum_wire::runner::link_client::LinkClient;
use monstrum_wire::runner::*;
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::world::bot;

/// What the runner does with one call.
#[derive(Clone)]
pub enum Act {
    /// Answers with these pieces, the last as the result's content.
    Answer(Vec<Vec<u8>>),
    /// Answers with an image.
    Image(Vec<u8>),
    Fail(FailureKind, String),
    /// Succeeds with these facts.
    Told(String),
    /// Ends the stream without an answer.
    Die,
    /// Ends the stream behind this piece.
    DieAfter(Vec<u8>),
    /// Never answers unless it is cancelled.
    Hang,
    /// Answers once the gate opens.
    Wait(Arc<Notify>, Vec<u8>),
}

pub fn says(text: &str) -> Act {
    Act::Answer(vec![text.as_bytes().to_vec()])
}

#[derive(Clone, Default)]
pub struct Runner {
    pub executed: Arc<Mutex<Vec<Execute>>>,
    pub cancelled: Arc<Mutex<Vec<String>>>,
    acts: Arc<Mutex<std::collections::VecDeque<Act>>>,
}

impl Runner {
    pub fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.acts.lock().unwrap().extend(acts);
    }

    pub fn executed(&self) -> Vec<Execute> {
        self.executed.lock().unwrap().clone()
    }

    /// Attaches and serves until the stream ends, again and again.
    pub fn start(&self, tls: Tls, gateway: String) -> tokio::task::JoinHandle<()> {
        let runner = self.clone();
        tokio::spawn(async move {
            loop {
                if let Err(status) = runner.serve(&tls, &gateway).await {
                    assert_ne!(status.code(), tonic::Code::InvalidArgument, "{status}");
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
    }

    pub async fn serve(&self, tls: &Tls, gateway: &str) -> Result<(), tonic::Status> {
        let (sender, receiver) = mpsc::channel(16);
        let hello = RunnerHello {
            executors: vec!["http".to_owned()],
            replica: "runner-0".to_owned(),
            program: env!("CARGO_PKG_VERSION").to_owned(),
        };
        sender
            .send(FromRunner {
                message: Some(from_runner::Message::Hello(hello)),
            })
            .await
            .unwrap();
        let mut client = LinkClient::new(tls.channel(gateway, &Identity::Gateway(bot())).unwrap());
        let mut orders = client.attach(ReceiverStream::new(receiver)).await?.into_inner();
        let die = Arc::new(Notify::new());
        loop {
            let order = tokio::select! {
                order = orders.message() => order?,
                () = die.notified() => return Ok(()),
            };
            match order.and_then(|order| order.message) {
                None => return Ok(()),
                Some(to_runner::Message::Execute(execute)) => {
                    let runner = self.clone();
                    let (sender, die) = (sender.clone(), die.clone());
                    tokio::spawn(async move { runner.act(execute, sender, die).await });
                }
                Some(to_runner::Message::Cancel(cancel)) => {
                    self.cancelled.lock().unwrap().push(cancel.call_id.clone());
                    let failure = Failure {
                        kind: FailureKind::Cancelled.into(),
                        message: "cancelled".to_owned(),
                        ..Failure::default()
                    };
                    let outcome = Some(finished::Outcome::Failure(failure));
                    let finished = Finished {
                        call_id: cancel.call_id,
                        outcome,
                    };
                    drop(
                        sender
                            .send(FromRunner {
                                message: Some(from_runner::Message::Finished(finished)),
                            })
                            .await,
                    );
                }
            }
        }
    }

    async fn act(&self, execute: Execute, sender: mpsc::Sender<FromRunner>, die: Arc<Notify>) {
        self.executed.lock().unwrap().push(execute.clone());
        let act = self
            .acts
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or_else(|| says("done"));
        let call_id = execute.call_id;
        let (pieces, outcome) = match act {
            Act::Hang => return,
            Act::Die => return die.notify_one(),
            Act::DieAfter(data) => {
                let chunk = OutputChunk { call_id, data };
                let message = Some(from_runner::Message::Chunk(chunk));
                drop(sender.send(FromRunner { message }).await);
                // The piece is on its way before the stream ends.
                tokio::time::sleep(Duration::from_millis(100)).await;
                return die.notify_one();
            }
            Act::Fail(kind, message) => {
                let failure = Failure {
                    kind: kind.into(),
                    message,
                    facts_json: "{}".to_owned(),
                    ..Failure::default()
                };
                (Vec::new(), finished::Outcome::Failure(failure))
            }
            Act::Told(facts_json) => {
                let success = Success {
                    facts_json,
                    ..Success::default()
                };
                (Vec::new(), finished::Outcome::Success(success))
            }
            Act::Image(content) => {
                let shown = Success {
                    content,
                    media_type: "image/png".to_owned(),
                    ..Success::default()
                };
                (Vec::new(), finished::Outcome::Success(shown))
            }
            Act::Wait(gate, content) => {
                gate.notified().await;
                (Vec::new(), success(content))
            }
            Act::Answer(mut pieces) => {
                let content = pieces.pop().unwrap_or_default();
                (pieces, success(content))
            }
        };
        for data in pieces {
            let chunk = OutputChunk {
                call_id: call_id.clone(),
                data,
            };
            drop(
                sender
                    .send(FromRunner {
                        message: Some(from_runner::Message::Chunk(chunk)),
                    })
                    .await,
            );
        }
        let finished = Finished {
            call_id,
            outcome: Some(outcome),
        };
        drop(
            sender
                .send(FromRunner {
                    message: Some(from_runner::Message::Finished(finished)),
                })
                .await,
        );
    }
}

fn success(content: Vec<u8>) -> finished::Outcome {
    finished::Outcome::Success(Success {
        content,
        truncated: false,
        facts_json: "{\"status\":200}".to_owned(),
        media_type: String::new(),
    })
}
