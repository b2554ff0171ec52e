//! HTTP requests from declarative templates, filled from canonical arguments only.
//!
//! A call becomes a [`request`] without any I/O; [`monstrum_egress`] decides to which addresses its host may resolve and connects to
//! exactly these; a [`redirect`] is a new call, which the Guardian is asked about; the [`answer`] is bounded, extracted and told
//! plainly.

mod answer;
mod config;
mod effect;
mod extraction;
mod presentation;
mod rate;
mod redirect;
mod request;
mod template;

use std::error::Error;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use hickory_resolver::TokioResolver;
use monstrum_contract::ExecutorContract;
use monstrum_egress::Egress;
use tokio::sync::Semaphore;

use crate::args::ServeArgs;
use crate::call::{Call, Outcome, Output};
use crate::executor::Executor;

/// How many answers are taken apart at the same time: a parsed answer is much larger than its text.
const PARSED_AT_ONCE: usize = 2;

/// The `http` executor.
pub struct Http {
    egress: Egress,
    parsing: Semaphore,
}

impl Http {
    /// Resolves names as the pod's `/etc/resolv.conf` says.
    pub fn new() -> Self {
        Self::over(Egress::new())
    }

    /// Resolves names with `resolver`.
    pub fn with_resolver(resolver: TokioResolver) -> Self {
        Self::over(Egress::with_resolver(resolver))
    }

    /// Reaches loopback addresses where they are named: for a runner that shares its machine with its targets, never in a pod.
    #[must_use]
    pub fn on_this_machine(mut self) -> Self {
        self.egress = self.egress.on_this_machine();
        self
    }

    /// Goes out by `egress`.
    pub fn over(egress: Egress) -> Self {
        Self {
            egress,
            parsing: Semaphore::new(PARSED_AT_ONCE),
        }
    }
}

/// With the way out that the flags say.
#[expect(clippy::unnecessary_wraps, reason = "not every executor can always be set up")]
pub(super) fn set_up(args: &ServeArgs) -> Result<Box<dyn Executor>, Box<dyn Error + Send + Sync>> {
    Ok(Box::new(Http::over(args.egress.egress())))
}

impl Default for Http {
    fn default() -> Self {
        Self::new()
    }
}

impl Executor for Http {
    fn contract(&self) -> &'static dyn ExecutorContract {
        &monstrum_contract::http::Http
    }

    fn execute<'a>(&'a self, call: &'a Call, _output: &'a Output) -> BoxFuture<'a, Outcome> {
        call.within(effect::perform(self, call)).boxed()
    }
}
