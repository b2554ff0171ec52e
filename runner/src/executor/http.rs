//! HTTP requests from declarative templates, filled from canonical arguments only.
//!
//! A call becomes a [`request`] without any I/O; the [`guard`] decides to which addresses its host may resolve; the
//! [`client`] connects to exactly these; the [`answer`] is bounded, extracted and told plainly.

mod answer;
mod client;
mod config;
mod effect;
mod extraction;
mod guard;
mod presentation;
mod rate;
mod redirect;
mod request;
mod template;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use hickory_resolver::TokioResolver;
use tokio::sync::Semaphore;

use crate::call::{Call, Outcome, Output};
use crate::executor::Executor;
use client::Clients;
use guard::Names;

/// How many answers are taken apart at the same time: a parsed answer is much larger than its text.
const PARSED_AT_ONCE: usize = 2;

/// The `http` executor.
pub struct Http {
    names: Names,
    clients: Clients,
    parsing: Semaphore,
}

impl Http {
    /// Resolves names as the pod's `/etc/resolv.conf` says.
    pub fn new() -> Self {
        Self::over(Names::system())
    }

    /// Resolves names with `resolver`.
    pub fn with_resolver(resolver: TokioResolver) -> Self {
        Self::over(Names::with(resolver))
    }

    fn over(names: Names) -> Self {
        Self {
            names,
            clients: Clients::default(),
            parsing: Semaphore::new(PARSED_AT_ONCE),
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Executor for Http {
    fn name(&self) -> &'static str {
        "http"
    }

    fn execute<'a>(&'a self, call: &'a Call, _output: &'a Output) -> BoxFuture<'a, Outcome> {
        call.within(effect::perform(self, call)).boxed()
    }
}
