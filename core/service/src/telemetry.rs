//! Logs, and the handle that changes their level while the process runs.

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::args::LogFormat;

/// Changes what is logged.
pub(crate) type LogHandle = reload::Handle<EnvFilter, Registry>;

/// Starts logging to standard error.
pub(crate) fn start(directives: &str, format: LogFormat) -> Result<LogHandle, String> {
    let filter = EnvFilter::try_new(directives).map_err(|error| format!("--log {directives:?}: {error}"))?;
    let (filter, handle) = reload::Layer::new(filter);
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let started = match format {
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
        LogFormat::Text => registry.with(lines).try_init(),
    };
    started.map_err(|error| format!("logging was started before: {error}"))?;
    Ok(handle)
}
