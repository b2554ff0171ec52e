//! The life of a process, from its flags to its end.

use std::error::Error;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Parser;
use prometheus_client::registry::Registry;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::TaskTracker;

use crate::admin::{self, Admin};
use crate::args::ServiceArgs;
use crate::listener::metrics::{self, Listener};
use crate::listener::{Entrance, Incoming, Limits};
use crate::readiness::Readiness;
use crate::shutdown::Shutdown;
use crate::telemetry;

/// The exit code for wrong flags (`EX_USAGE` of `sysexits.h`).
const EXIT_USAGE: u8 = 64;

/// A running process, for its parts.
#[derive(Debug, Clone, Default)]
pub struct Service {
    readiness: Readiness,
    shutdown: Shutdown,
    tasks: TaskTracker,
    registry: Arc<Mutex<Registry>>,
    failure: Arc<Mutex<Option<String>>>,
}

impl Service {
    /// Who keeps the process unready.
    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// The request to stop.
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Asks the process to stop, in good order.
    pub fn request_shutdown(&self, reason: &str) {
        tracing::info!(reason, "stopping");
        self.shutdown.request();
    }

    /// Ends the process with a failure, after its drain.
    pub fn fail(&self, reason: String) {
        tracing::error!(error = %reason, "fatal");
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(reason);
        self.shutdown.request();
    }

    /// Adds metrics.
    pub fn register<T>(&self, add: impl FnOnce(&mut Registry) -> T) -> T {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Starts a task without which the process is of no use: its error, or its panic, ends the process.
    pub fn spawn<F, E>(&self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Error + Send + 'static,
    {
        let service = self.clone();
        let work = tokio::spawn(task);
        self.tasks.spawn(async move {
            match work.await {
                Ok(Ok(())) => tracing::debug!(task = name, "task ended"),
                Ok(Err(error)) => service.fail(format!("{name}: {}", chain(&error))),
                Err(join) => service.fail(format!("{name}: {join}")),
            }
        });
    }

    /// Starts a task whose end means nothing to the others, such as one connection's.
    pub fn spawn_quiet<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let work = tokio::spawn(task);
        self.tasks.spawn(async move {
            if let Err(join) = work.await {
                tracing::error!(task = name, error = %join, "task failed");
            }
        });
    }

    async fn drain(&self, deadline: Duration) {
        self.tasks.close();
        if tokio::time::timeout(deadline, self.tasks.wait()).await.is_err() {
            tracing::warn!(
                tasks = self.tasks.len(),
                "the drain deadline passed; running work is cut off"
            );
        }
    }

    fn failed(&self) -> bool {
        self.failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }
}

/// Makes rustls use aws-lc-rs; harmless when done before.
pub fn install_crypto() {
    // Err means that a provider is installed already, and this tree holds only one.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
}

/// Runs a process: parses its flags, starts telemetry and the admin port, calls `start` (which returns once
/// everything runs), waits for a request to stop, and drains.
pub fn run<A, F, E>(name: &'static str, start: impl FnOnce(A, Service) -> F) -> ExitCode
where
    A: Parser + AsRef<ServiceArgs>,
    F: Future<Output = Result<(), E>>,
    E: Error,
{
    install_crypto();
    let args = match A::try_parse() {
        Ok(args) => args,
        Err(error) => {
            drop(error.print());
            return if error.use_stderr() {
                ExitCode::from(EXIT_USAGE)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let settings = args.as_ref().clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(usize::from(settings.worker_threads))
        .max_blocking_threads(8)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return refuse(name, &error.to_string()),
    };
    let code = runtime.block_on(live(name, &settings, |service| start(args, service)));
    runtime.shutdown_timeout(Duration::from_secs(1));
    code
}

async fn live<F, E>(name: &str, settings: &ServiceArgs, start: impl FnOnce(Service) -> F) -> ExitCode
where
    F: Future<Output = Result<(), E>>,
    E: Error,
{
    let log = match telemetry::start(&settings.log, settings.log_format) {
        Ok(handle) => handle,
        Err(error) => return refuse(name, &error),
    };
    let (address, limits) = (settings.admin_address, Limits::default());
    let incoming = match Incoming::bind_as(Listener::Admin, address, Entrance::Plain, limits) {
        Ok(incoming) => incoming,
        Err(error) => {
            return refuse(
                name,
                &format!("admin address {}: {error}", settings.admin_address),
            );
        }
    };
    let service = Service::default();
    service.register(metrics::register);
    let admin = Admin {
        readiness: service.readiness.clone(),
        registry: Arc::clone(&service.registry),
        shutdown: service.shutdown(),
        log: Some(log),
    };
    let admin = tokio::spawn(admin::serve(incoming, admin));
    if let Err(error) = stop_on_signals(&service) {
        return refuse(name, &format!("signals: {error}"));
    }
    let starting = service.readiness.block("starting");
    tokio::select! {
        started = start(service.clone()) => match started {
            Ok(()) => tracing::info!(process = name, version = env!("CARGO_PKG_VERSION"), "started"),
            Err(error) => service.fail(chain(&error)),
        },
        () = service.shutdown.requested() => {}
    }
    starting.release();
    service.shutdown.requested().await;
    service.drain(settings.drain()).await;
    admin.abort();
    if service.failed() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

fn stop_on_signals(service: &Service) -> Result<(), std::io::Error> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let asked = service.clone();
    let stopped = service.shutdown();
    service.spawn_quiet("signals", async move {
        tokio::select! {
            _ = terminate.recv() => asked.request_shutdown("SIGTERM"),
            _ = interrupt.recv() => asked.request_shutdown("SIGINT"),
            () = stopped.requested() => {}
        }
    });
    Ok(())
}

fn refuse(name: &str, reason: &str) -> ExitCode {
    // Telemetry may not be up yet, so this goes to standard error as it is.
    eprintln!("{name}: {reason}");
    ExitCode::FAILURE
}

/// An error with everything that caused it, in one line; printed once, at the edge.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        // Writing into a String cannot fail.
        let _ = write!(text, ": {next}");
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn an_error_is_told_with_its_causes() {
        assert_eq!(chain(&Outer(std::io::Error::other("inner"))), "outer: inner");
    }

    #[tokio::test]
    async fn a_fatal_tasks_error_stops_the_process() {
        let service = Service::default();
        service.spawn("worker", async { Err(Outer(std::io::Error::other("gone"))) });
        service.shutdown().requested().await;
        service.drain(Duration::from_secs(1)).await;
        assert!(service.failed());
    }

    #[tokio::test]
    async fn a_fatal_tasks_panic_stops_the_process() {
        let service = Service::default();
        service.spawn("worker", async {
            assert!(!service_is_broken(), "broken");
            Ok::<(), Outer>(())
        });
        service.shutdown().requested().await;
        service.drain(Duration::from_secs(1)).await;
        assert!(service.failed());
    }

    fn service_is_broken() -> bool {
        true
    }

    #[tokio::test]
    async fn a_drain_waits_for_running_work() {
        let service = Service::default();
        let (done, seen) = tokio::sync::oneshot::channel();
        service.spawn_quiet("connection", async move {
            tokio::task::yield_now().await;
            done.send(()).unwrap();
        });
        service.request_shutdown("test");
        service.drain(Duration::from_secs(5)).await;
        seen.await.unwrap();
        assert!(!service.failed());
    }
}
