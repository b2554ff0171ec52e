//! The tests' servers, from the test's side.

use anyhow::{Result, ensure};
use http::Request;
use kube::Client;
use serde_json::json;

use super::cluster::FIXTURES;
use super::tunnel;
pub use crate::fixtures::model::script::{Call, Fault, Script, Step};
pub use crate::fixtures::recording::Recorded;

/// One of the tests' servers.
#[derive(Clone)]
pub struct Fixture {
    client: Client,
    name: &'static str,
}

impl Fixture {
    /// The scripted model.
    pub fn model(client: Client) -> Self {
        Self {
            client,
            name: "model",
        }
    }

    /// The GitHub-shaped API.
    pub fn github(client: Client) -> Self {
        Self {
            client,
            name: "github",
        }
    }

    /// Where callbacks arrive.
    pub fn inbox(client: Client) -> Self {
        Self {
            client,
            name: "inbox",
        }
    }

    /// The requests whose text has `part` in it.
    pub async fn recorded(&self, part: &str) -> Result<Vec<Recorded>> {
        let part = percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC);
        let request = Request::get(format!("/recorded?contains={part}")).body(String::new())?;
        let response = self.send(request).await?;
        Ok(serde_json::from_str(response.body())?)
    }

    /// Leaves a script with the model.
    pub async fn script(&self, name: &str, script: &Script) -> Result<()> {
        let request = Request::put(format!("/scripts/{name}"))
            .header("content-type", "application/json")
            .body(serde_json::to_string(script)?)?;
        let response = self.send(request).await?;
        ensure!(
            response.status().is_success(),
            "the script was refused: {}",
            response.body()
        );
        Ok(())
    }

    async fn send(&self, request: Request<String>) -> Result<http::Response<String>> {
        tunnel::send(
            &self.client,
            FIXTURES,
            &format!("app={}", self.name),
            8080,
            request,
        )
        .await
    }
}

/// Writes scripts.
#[derive(Debug, Clone, Default)]
pub struct Scripted {
    steps: Vec<Step>,
}

impl Scripted {
    /// The model calls these tools, all in one answer.
    #[must_use]
    pub fn calls(mut self, calls: &[(&str, serde_json::Value)]) -> Self {
        let calls = calls.iter().map(|(name, arguments)| Call {
            name: (*name).to_owned(),
            arguments: arguments.clone(),
        });
        self.steps.push(Step {
            calls: calls.collect(),
            ..Step::default()
        });
        self
    }

    /// The model calls one tool, with arguments exactly as written.
    #[must_use]
    pub fn raw_call(self, name: &str, arguments: &str) -> Self {
        self.calls(&[(name, json!(arguments))])
    }

    /// The model says something, and the turn is over. `{results}` stands for what its tools returned.
    #[must_use]
    pub fn says(mut self, text: &str) -> Self {
        self.steps.push(Step {
            text: text.to_owned(),
            ..Step::default()
        });
        self
    }

    /// A step of the test's own.
    #[must_use]
    pub fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// The script for a message.
    pub fn when(self, message: &str) -> Script {
        Script {
            when: message.to_owned(),
            steps: self.steps,
        }
    }
}
