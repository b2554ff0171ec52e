//! Whoever decides on an effect that only appears while a call runs.

use std::fmt::Debug;

use futures::FutureExt as _;
use futures::future::{BoxFuture, ready};
use serde_json::Value;

use super::Failure;

/// Decides on a call that follows from the one that runs.
pub trait Judge: Debug + Send + Sync {
    /// The call's canonical arguments, if the bot may make it. `running` is the id of the call that it follows from, `tool` the name
    /// that the bot knows.
    fn judge<'a>(
        &'a self,
        running: &'a str,
        tool: &'a str,
        arguments: &'a Value,
    ) -> BoxFuture<'a, Result<Value, Failure>>;
}

/// Permits nothing.
#[derive(Debug)]
pub(super) struct Nobody;

impl Judge for Nobody {
    fn judge<'a>(&'a self, _: &'a str, _: &'a str, _: &'a Value) -> BoxFuture<'a, Result<Value, Failure>> {
        ready(Err(Failure::refused(
            "nobody can be asked whether it is permitted",
        )))
        .boxed()
    }
}
