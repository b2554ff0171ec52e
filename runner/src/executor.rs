//! What a runner can execute, behind one trait. Each executor is a folder: `config` (the resource's settings), `effect`
//! (the call performed), `answer` (what comes back of it).

pub mod http;
pub mod shell;

use std::collections::BTreeMap;

use futures::future::BoxFuture;

use crate::call::{Call, Failure, Outcome, Output};

/// Performs calls of one kind.
pub trait Executor: Send + Sync {
    /// The kind's name, as it is in `Execute.executor`.
    fn name(&self) -> &'static str;

    /// Performs `call`. Has to end soon after [`Call::stopped`] resolves, leaving nothing behind; when it is dropped, too.
    fn execute<'a>(&'a self, call: &'a Call, output: &'a Output) -> BoxFuture<'a, Outcome>;
}

/// The executors of this runner.
#[derive(Default)]
pub struct Executors {
    by_name: BTreeMap<&'static str, Box<dyn Executor>>,
}

impl Executors {
    /// Adds one.
    pub fn add(&mut self, executor: impl Executor + 'static) {
        self.by_name.insert(executor.name(), Box::new(executor));
    }

    /// Their names, for the gateway.
    pub fn names(&self) -> Vec<String> {
        self.by_name.keys().map(|&name| name.to_owned()).collect()
    }

    /// Performs `call` with the executor that it names. A failure's message holds none of the call's secrets.
    pub async fn execute(&self, call: &Call, output: &Output) -> Outcome {
        let Some(executor) = self.by_name.get(call.executor.as_str()) else {
            return Err(Failure::invalid(format!(
                "this runner has no executor {:?}",
                call.executor
            )));
        };
        executor.execute(call, output).await.map_err(|failure| Failure {
            message: call.credential.mask(failure.message),
            ..failure
        })
    }
}
