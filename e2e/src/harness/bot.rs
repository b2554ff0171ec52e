//! The objects of a bot that a test governs: a variation of the demo's.

use anyhow::Result;

use super::workspace::Workspace;

/// The token that the tests' GitHub accepts and that no model may see.
pub const TOKEN: &str = "ghp_e2e9Qz+V/7rT=x1";

/// The key that the tests' model accepts.
pub const MODEL_KEY: &str = "sk-e2e-5b8d0c77";

/// A bot `triage` bound to a GitHub account `work`, and what it may do there.
#[derive(Debug, Clone)]
pub struct BotSetup {
    /// `OpenAI` or `Anthropic`.
    pub dialect: &'static str,
    /// The grants of the binding, as YAML flow.
    pub grants: String,
    /// Further fields of the Bot's spec, as YAML lines indented by two.
    pub bot: String,
}

impl BotSetup {
    /// It may read issues and write comments in `acme/*`.
    pub fn triage() -> Self {
        Self {
            dialect: "OpenAI",
            grants: "[{operations: [issue.read, comment.write], scope: {repository: ['acme/*']}}]".to_owned(),
            bot: String::new(),
        }
    }

    /// The same with other grants.
    #[must_use]
    pub fn grants(mut self, grants: &str) -> Self {
        grants.clone_into(&mut self.grants);
        self
    }

    /// The same with another model dialect.
    #[must_use]
    pub fn dialect(mut self, dialect: &'static str) -> Self {
        self.dialect = dialect;
        self
    }

    /// The same with further fields in the Bot's spec.
    #[must_use]
    pub fn bot(mut self, fields: &str) -> Self {
        fields.clone_into(&mut self.bot);
        self
    }

    /// Applies everything and waits until the bot is ready.
    pub async fn install(&self, workspace: &Workspace) -> Result<()> {
        workspace.apply(&self.yaml()).await?;
        workspace.bot_ready("triage").await
    }

    /// All objects.
    pub fn yaml(&self) -> String {
        [
            secrets(),
            self.provider(),
            resource(),
            self.bot_yaml(),
            self.binding("work", &self.grants),
        ]
        .join("\n---\n")
    }

    fn provider(&self) -> String {
        format!(
            "
apiVersion: monstrum.dev/v1alpha1
kind: ModelProvider
metadata: {{name: scripted}}
spec:
  dialect: {}
  baseUrl: http://model.monstrum-fixtures.svc:8080/v1
  credential: model
  models: [{{name: scripted-1, maxOutputTokens: 1024, prices: {{input: '2.50', cachedInput: '1.25', output: '10.00'}}}}]",
            self.dialect
        )
    }

    fn bot_yaml(&self) -> String {
        format!(
            "
apiVersion: monstrum.dev/v1alpha1
kind: Bot
metadata: {{name: triage}}
spec:
  model: {{provider: scripted, name: scripted-1}}
{}",
            self.bot
        )
    }

    /// A binding of the bot to a resource.
    pub fn binding(&self, resource: &str, grants: &str) -> String {
        format!(
            "
apiVersion: monstrum.dev/v1alpha1
kind: BotBinding
metadata: {{name: triage-{resource}}}
spec: {{bot: triage, resource: {resource}, grants: {grants}}}"
        )
    }
}

fn secrets() -> String {
    format!(
        "
apiVersion: v1
kind: Secret
metadata:
  name: keys
  annotations:
    monstrum.dev/used-by: credential/model, credential/github
    monstrum.dev/hosts: http://*.monstrum-fixtures.svc:8080
stringData: {{model: '{MODEL_KEY}', github: '{TOKEN}'}}
---
apiVersion: monstrum.dev/v1alpha1
kind: Credential
metadata: {{name: model}}
spec:
  method: {{static: {{fields: [{{name: apiKey, secretKeyRef: {{name: keys, key: model}}}}]}}}}
  hosts: ['http://model.monstrum-fixtures.svc:8080']
---
apiVersion: monstrum.dev/v1alpha1
kind: Credential
metadata: {{name: github}}
spec:
  method: {{static: {{fields: [{{name: token, secretKeyRef: {{name: keys, key: github}}}}]}}}}
  hosts: ['http://github.monstrum-fixtures.svc:8080']"
    )
}

fn resource() -> String {
    "
apiVersion: monstrum.dev/v1alpha1
kind: Resource
metadata: {name: work}
spec:
  type: github
  config: {baseUrl: 'http://github.monstrum-fixtures.svc:8080', allowedAddresses: [198.19.0.0/16, 10.0.0.0/8]}
  credential: {name: github, method: token}"
        .to_owned()
}

/// A sandbox for commands, and what the bot may run there.
pub fn shell(commands: &str) -> String {
    format!(
        "
apiVersion: monstrum.dev/v1alpha1
kind: Resource
metadata: {{name: toolbox}}
spec:
  type: shell
  config: {{workingDirectory: /workspace}}
  runner: {{image: 'monstrum.dev/sandbox:dev'}}
---
apiVersion: monstrum.dev/v1alpha1
kind: BotBinding
metadata: {{name: triage-toolbox}}
spec: {{bot: triage, resource: toolbox, grants: [{{operations: [command.execute], scope: {{command: {commands}}}}}]}}"
    )
}
