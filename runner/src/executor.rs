//! What a runner can execute, behind one trait. Each executor is a folder: `config` (what is made of the resource's settings), `effect`
//! (the call performed), `answer` (what comes back of it). What it has in common with the operator is its
//! [contract](monstrum_contract).

pub mod http;
pub mod shell;

use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsStr;
use std::process::ExitCode;

use futures::future::BoxFuture;
use monstrum_contract::{EXECUTORS, ExecutorContract, Placement};
use monstrum_scrub::End;

use crate::args::ServeArgs;
use crate::call::{Call, Failure, Outcome, Output, Success};

/// Performs calls of one kind.
pub trait Executor: Send + Sync {
    /// What was agreed on with the operator. Its name is the one in `Execute.executor`.
    fn contract(&self) -> &'static dyn ExecutorContract;

    /// Performs `call`. Has to end soon after [`Call::stopped`] resolves, leaving nothing behind; when it is dropped, too.
    fn execute<'a>(&'a self, call: &'a Call, output: &'a Output) -> BoxFuture<'a, Outcome>;
}

/// Why an executor can't be set up.
#[derive(Debug, thiserror::Error)]
#[error("the executor {name} can't be set up")]
pub struct SetupError {
    /// Which one.
    pub name: &'static str,
    /// Why.
    #[source]
    pub source: Box<dyn Error + Send + Sync>,
}

type Setup = fn(&ServeArgs) -> Result<Box<dyn Executor>, Box<dyn Error + Send + Sync>>;

/// Those that a runner can have. A new one is a folder here and a line in this list.
static KNOWN: [(&dyn ExecutorContract, Setup); 2] = [
    (&monstrum_contract::http::Http, http::set_up),
    (&monstrum_contract::shell::Shell, shell::set_up),
];

/// The end of a process that an executor started from this executable, to become something else.
pub(crate) fn taken_over(subcommand: &OsStr) -> Option<ExitCode> {
    (subcommand == shell::CONFINE).then(shell::confine)
}

/// The names of those that a runner can have.
pub(crate) fn known() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(contract, _)| contract.name())
}

/// The names of those that a bot's own runner has.
pub(crate) fn of_bots() -> Vec<String> {
    let placed = EXECUTORS.placed(Placement::Bot);
    placed.into_iter().map(str::to_owned).collect()
}

/// The executors of this runner.
#[derive(Default)]
pub struct Executors {
    by_name: BTreeMap<&'static str, Box<dyn Executor>>,
}

impl Executors {
    /// Those that the flags ask for.
    pub fn set_up(args: &ServeArgs) -> Result<Self, SetupError> {
        let mut executors = Self::default();
        for (contract, set_up) in KNOWN {
            let name = contract.name();
            if args.executors.iter().any(|asked| asked == name) {
                let executor = set_up(args).map_err(|source| SetupError { name, source })?;
                executors.by_name.insert(name, executor);
            }
        }
        Ok(executors)
    }

    /// Adds one.
    pub fn add(&mut self, executor: impl Executor + 'static) {
        self.by_name
            .insert(executor.contract().name(), Box::new(executor));
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
