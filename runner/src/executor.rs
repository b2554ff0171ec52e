//! What a runner can execute, behind one trait. Each executor is a folder: `config` (the resource's settings), `effect`
//! (the call performed), `answer` (what comes back of it).

pub mod http;
pub mod shell;

use std::collections::BTreeMap;

use futures::future::BoxFuture;
use monstrum_scrub::End;

use crate::call::{Call, Failure, Outcome, Output, Success};

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

    /// Performs `call` with the executor that it names. Nothing that comes out holds the call's credential: an executor
    /// scrubs what it cuts before, and here once more everything passes.
    pub async fn execute(&self, call: &Call, output: &Output) -> Outcome {
        let Some(executor) = self.by_name.get(call.executor.as_str()) else {
            return Err(Failure::invalid(format!(
                "this runner has no executor {:?}",
                call.executor
            )));
        };
        match executor.execute(call, output).await {
            Ok(success) => Ok(performed(call, output, success)),
            Err(failure) => {
                // Gone means that nobody is left to be told.
                let _ = output.pass_on(&output.rest(End::Cut)).await;
                Err(Failure {
                    message: call.scrubber.text(&failure.message),
                    facts: call.scrubber.fields(failure.facts),
                    ..failure
                })
            }
        }
    }
}

fn performed(call: &Call, output: &Output, success: Success) -> Success {
    let end = if success.truncated { End::Cut } else { End::Whole };
    let mut content = output.rest(end);
    content.extend(call.scrubber.bytes(&success.content));
    Success {
        content,
        truncated: success.truncated || output.kept().1,
        facts: call.scrubber.fields(success.facts),
        media_type: success.media_type,
    }
}
