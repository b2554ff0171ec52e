//! Making calls.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use monstrum_guardian::destination;
use monstrum_runner::call::{Call, Failure, Judge, Output, Success};
use monstrum_runner::executor::Executors;
use monstrum_runner::executor::http::Http;
use monstrum_runner::executor::shell::Shell;
use monstrum_wire::runner::from_runner::Message;
use monstrum_wire::runner::{CredentialField, Execute, FromRunner};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The secret that no test may ever see come out.
pub(crate) const SECRET: &str = "s3cr3t-t0k3n-v4lue";

/// The runner's executable.
pub(crate) fn runner() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_monstrum-runner"))
}

/// An `http` call.
pub(crate) fn http_call(config: Value, execution: Value, arguments: Value) -> Execute {
    Execute {
        call_id: "call-1".to_owned(),
        executor: "http".to_owned(),
        tool: "probe".to_owned(),
        asked_as: "Upstream__probe".to_owned(),
        arguments_json: arguments.to_string(),
        canonical_json: "{}".to_owned(),
        config_json: config.to_string(),
        execution_json: execution.to_string(),
        timeout_ms: 10_000,
        max_result_bytes: 64 * 1024,
        ..Execute::default()
    }
}

/// Where the call's resource is.
fn home(call: &Execute) -> Vec<String> {
    let config: Value = serde_json::from_str(&call.config_json).unwrap();
    let urls = ["/baseUrl", "/proxy/url"].map(|pointer| config.pointer(pointer).and_then(Value::as_str));
    urls.into_iter()
        .flatten()
        .filter_map(|url| destination::origin(&url.parse().ok()?))
        .collect()
}

/// The same call with a bearer token that may go where the call's resource is.
pub(crate) fn with_token(call: Execute) -> Execute {
    Execute {
        presentation_json: json!({"bearer": {"field": "token"}}).to_string(),
        credential: vec![CredentialField {
            name: "token".to_owned(),
            value: SECRET.into(),
        }],
        credential_hosts: home(&call),
        ..call
    }
}

/// A `shell` call.
pub(crate) fn shell_call(config: Value, argv: &[&str]) -> Execute {
    Execute {
        executor: "shell".to_owned(),
        canonical_json: json!({ "command": [argv] }).to_string(),
        ..http_call(config, json!({}), json!({}))
    }
}

/// How a call ended, and all of its output.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) outcome: Result<Success, Failure>,
    pub(crate) text: String,
}

impl Ended {
    /// Chunks and content of a success.
    pub(crate) fn success(&self) -> &str {
        assert!(self.outcome.is_ok(), "{self:?}");
        &self.text
    }

    pub(crate) fn failure(&self) -> &Failure {
        self.outcome.as_ref().expect_err(&self.text)
    }

    pub(crate) fn truncated(&self) -> bool {
        self.outcome.as_ref().is_ok_and(|success| success.truncated)
    }

    /// The type of the image that the result is; empty when it is text.
    pub(crate) fn media_type(&self) -> &str {
        self.outcome.as_ref().map_or("", |success| &success.media_type)
    }

    /// What was given back without chunks.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.outcome.as_ref().map_or(&[], |success| &success.content)
    }

    pub(crate) fn fact(&self, name: &str) -> Value {
        let facts = match &self.outcome {
            Ok(success) => &success.facts,
            Err(failure) => &failure.facts,
        };
        facts.get(name).cloned().unwrap_or_default()
    }
}

/// Permits every further call, but none for a `forbidden` place.
#[derive(Debug)]
struct Grants;

impl Judge for Grants {
    fn judge<'a>(
        &'a self,
        _: &'a str,
        tool: &'a str,
        arguments: &'a Value,
    ) -> BoxFuture<'a, Result<Value, Failure>> {
        assert_eq!(tool, "Upstream__probe");
        ready(if arguments["place"] == "forbidden" {
            Err(Failure::refused("no grant permits it"))
        } else {
            Ok(arguments.clone())
        })
        .boxed()
    }
}

/// Executes with the system's resolver.
pub(crate) async fn http(execute: Execute) -> Ended {
    perform(Http::new().on_this_machine(), execute, CancellationToken::new()).await
}

/// Executes with the real `confine`, protecting `protected`.
pub(crate) async fn shell_protecting(protected: &[PathBuf], execute: Execute) -> Ended {
    shell_until(protected, execute, CancellationToken::new()).await
}

pub(crate) async fn shell(execute: Execute) -> Ended {
    shell_protecting(&[], execute).await
}

pub(crate) async fn shell_until(
    protected: &[PathBuf],
    execute: Execute,
    cancelled: CancellationToken,
) -> Ended {
    perform(
        Shell::with_runner(runner(), protected).unwrap(),
        execute,
        cancelled,
    )
    .await
}

pub(crate) async fn perform(
    executor: impl monstrum_runner::executor::Executor + 'static,
    execute: Execute,
    cancelled: CancellationToken,
) -> Ended {
    monstrum_service::install_crypto();
    let mut executors = Executors::default();
    executors.add(executor);
    let call = match Call::new(execute, cancelled) {
        Ok(call) => call.judged_by(Arc::new(Grants)),
        Err(failure) => {
            return Ended {
                outcome: Err(failure),
                text: String::new(),
            };
        }
    };
    let (sender, mut receiver) = mpsc::channel(8);
    let collected = tokio::spawn(async move {
        let mut bytes = Vec::new();
        while let Some(FromRunner {
            message: Some(Message::Chunk(chunk)),
        }) = receiver.recv().await
        {
            bytes.extend(chunk.data);
        }
        bytes
    });
    let output = Output::new(&call, sender);
    let outcome = executors.execute(&call, &output).await;
    drop(output);
    let mut bytes = collected.await.unwrap();
    if let Ok(success) = &outcome {
        bytes.extend(&success.content);
    }
    Ended {
        outcome,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// Waits until `condition` holds.
pub(crate) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..1000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

/// Whether a process runs that has `marker` among its words.
pub(crate) fn runs(marker: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
        let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        words
            .split(|byte| *byte == 0)
            .any(|word| word == marker.as_bytes())
    })
}
