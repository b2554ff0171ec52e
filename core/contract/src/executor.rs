//! What is said of an executor, and the list of them.

use std::fmt::Debug;

use monstrum_guardian::source::ResourceType;
use serde_json::Value;

use crate::reach::Reach;
use crate::{Fault, Presentation, http, shell};

/// The executors of this version. A new one is a file here, a line in this list, and a folder in the runner.
pub static EXECUTORS: Executors = Executors::new(&[&http::Http, &shell::Shell]);

/// Names of executors that later versions will have. They are words of the API already, and nothing carries them out.
pub const RESERVED: [&str; 7] = ["mcp", "ssh", "web", "browser", "docker", "bot", "agent"];

/// Where a call is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// By the bot's own runner, which runs no foreign code.
    Bot,
    /// In a sandbox of the resource's own, which runs programs of the user's image and is handed no credential.
    Sandbox,
    /// By the gateway itself, without a runner.
    Gateway,
}

/// What is agreed on about one executor.
pub trait ExecutorContract: Debug + Send + Sync {
    /// Its name in a resource type, in a runner's flags, in records and metrics.
    fn name(&self) -> &'static str;

    /// What it is, in a few words.
    fn summary(&self) -> &'static str;

    /// Everywhere that its calls may be carried out.
    fn placements(&self) -> &'static [Placement];

    /// Where the calls of an instance with these settings are carried out; one of [`Self::placements`].
    fn placement(&self, settings: &Value) -> Placement;

    /// What stands under the executor's name in each tool, in a few words; nothing where a tool has no such part.
    fn tool_part(&self) -> Option<&'static str> {
        None
    }

    /// Whether every credential method has to say how a credential is shown.
    fn presents_credentials(&self) -> bool {
        false
    }

    /// What is wrong with a resource type; fields are relative to its `spec`.
    fn type_faults(&self, parts: &TypeParts<'_>) -> Vec<Fault>;

    /// What is wrong with the settings of an instance; fields are relative to its `spec.config`.
    fn config_faults(&self, settings: &Value) -> Vec<Fault>;

    /// What an instance with these settings reaches on the network: nothing where they can't be read.
    fn reach(&self, settings: &Value) -> Reach;
}

/// What an executor judges of a resource type.
#[derive(Debug, Clone)]
pub struct TypeParts<'a> {
    /// Dimensions and tools. A tool's `execution` is the executor's part of it.
    pub source: &'a ResourceType,
    /// The JSON Schema of the settings, if there are settings.
    pub settings: Option<&'a Value>,
    /// The credential methods.
    pub credentials: Vec<CredentialMethod<'a>>,
}

/// A way to authenticate, as an executor judges it.
#[derive(Debug, Clone)]
pub struct CredentialMethod<'a> {
    /// Its name.
    pub method: &'a str,
    /// The fields that every credential of it has.
    pub fields: Vec<&'a str>,
    /// How it is shown.
    pub presentation: Option<&'a Presentation>,
}

/// A list of executors.
#[derive(Debug)]
pub struct Executors(&'static [&'static dyn ExecutorContract]);

impl Executors {
    /// Of these.
    pub const fn new(executors: &'static [&'static dyn ExecutorContract]) -> Self {
        Self(executors)
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &'static dyn ExecutorContract> {
        self.0.iter().copied()
    }

    /// The one of this name.
    pub fn get(&self, name: &str) -> Option<&'static dyn ExecutorContract> {
        self.all().find(|executor| executor.name() == name)
    }

    /// Their names.
    pub fn names(&self) -> Vec<&'static str> {
        self.all().map(ExecutorContract::name).collect()
    }

    /// The names of those whose calls may be carried out there.
    pub fn placed(&self, placement: Placement) -> Vec<&'static str> {
        self.all()
            .filter(|executor| executor.placements().contains(&placement))
            .map(ExecutorContract::name)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_name_is_there_once() {
        let mut names = [EXECUTORS.names(), RESERVED.to_vec()].concat();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn an_instance_is_placed_where_its_executor_may_be() {
        for executor in EXECUTORS.all() {
            assert!(executor.placements().contains(&executor.placement(&json!({}))));
        }
        assert_eq!(EXECUTORS.placed(Placement::Bot), ["http"]);
        assert_eq!(EXECUTORS.placed(Placement::Sandbox), ["shell"]);
    }

    #[test]
    fn settings_that_can_not_be_read_reach_nothing() {
        for executor in EXECUTORS.all() {
            for wrong in [json!(null), json!({ "no such setting": 1 })] {
                assert_eq!(executor.reach(&wrong), Reach::default());
                assert!(!executor.config_faults(&wrong).is_empty());
            }
        }
    }
}
