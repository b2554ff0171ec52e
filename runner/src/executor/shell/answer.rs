//! How a command's end is told.

use rustix::process::WaitStatus;
use serde_json::Value;

use crate::call::Facts;

/// What follows the output, and the facts. A command that ends with 0 needs no words.
pub(super) fn of(status: Option<WaitStatus>) -> (Vec<u8>, Facts) {
    let mut facts = Facts::new();
    let code = status.and_then(WaitStatus::exit_status);
    let signal = status.and_then(WaitStatus::terminating_signal);
    if let Some(code) = code {
        facts.insert("exitCode".to_owned(), Value::from(code));
    }
    if let Some(signal) = signal {
        facts.insert("signal".to_owned(), Value::from(signal));
    }
    let words = match (code, signal) {
        (Some(0), _) => String::new(),
        (Some(code), _) => format!("\n(exit code {code})"),
        (None, Some(signal)) => format!("\n(ended by signal {}{})", signal, name(signal)),
        (None, None) => "\n(how it ended is not known)".to_owned(),
    };
    (words.into_bytes(), facts)
}

/// The signals that the sandbox's limits send.
fn name(signal: i32) -> &'static str {
    match signal {
        libc::SIGKILL => ", killed",
        libc::SIGXCPU => ", too much processor time",
        libc::SIGXFSZ => ", a file became too large",
        libc::SIGSEGV => ", invalid memory access",
        libc::SIGABRT => ", aborted",
        libc::SIGSYS => ", a forbidden system call",
        _ => "",
    }
}
