//! `echo` in the runner. This is all of a new executor's folder in `runner/src/executor`.

mod effect;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use monstrum_contract::ExecutorContract;
use monstrum_runner::call::{Call, Outcome, Output};
use monstrum_runner::executor::Executor;

/// The `echo` executor.
#[derive(Debug)]
pub(crate) struct Echo;

impl Executor for Echo {
    fn contract(&self) -> &'static dyn ExecutorContract {
        &crate::contract::Echo
    }

    fn execute<'a>(&'a self, call: &'a Call, _output: &'a Output) -> BoxFuture<'a, Outcome> {
        call.within(async { effect::perform(call) }).boxed()
    }
}
