//! The other end of the toy platform.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

const PATIENCE: Duration = Duration::from_secs(30);

pub struct Server(TcpListener);

/// A channel that has dialled.
pub struct Dialled {
    input: Lines<BufReader<OwnedReadHalf>>,
    output: OwnedWriteHalf,
}

impl Server {
    pub async fn start() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// The next channel that dials and shows its token.
    pub async fn dialled(&self) -> Dialled {
        let accepted = tokio::time::timeout(PATIENCE, self.0.accept()).await;
        let (input, output) = accepted.expect("nobody dials").unwrap().0.into_split();
        let mut dialled = Dialled {
            input: BufReader::new(input).lines(),
            output,
        };
        assert_eq!(dialled.hear().await, json!({ "token": "open sesame" }));
        dialled
    }
}

impl Dialled {
    pub async fn say(&mut self, id: &str, user: &str, text: &str) {
        let said = json!({ "id": id, "room": "desk", "user": user, "text": text });
        self.output
            .write_all(format!("{said}\n").as_bytes())
            .await
            .unwrap();
    }

    pub async fn hear(&mut self) -> Value {
        let line = tokio::time::timeout(PATIENCE, self.input.next_line()).await;
        serde_json::from_str(&line.expect("nothing is said").unwrap().unwrap()).unwrap()
    }

    /// What is said until something holds this field, with that.
    pub async fn hear_until(&mut self, field: &str) -> Vec<Value> {
        let mut heard = Vec::new();
        loop {
            heard.push(self.hear().await);
            if heard.last().unwrap().get(field).is_some() {
                return heard;
            }
        }
    }
}
