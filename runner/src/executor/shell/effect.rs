//! One command performed: started, its output streamed, ended in any case.

use std::io;

use monstrum_contract::shell::{COMMAND, Config};
use monstrum_scrub::Tainted;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::time::{Duration, timeout};

use super::Shell;
use super::started::Started;
use super::{answer, config, tasks};
use crate::call::{Call, Facts, Failure, Gone, Outcome, Output, Success};

/// How much is read at once.
const READ_BYTES: usize = 32 * 1024;
/// How long output that was written may take to be read after the command's end.
const REST: Duration = Duration::from_secs(1);

/// Performs `call`.
pub(super) async fn perform(shell: &Shell, call: &Call, output: &Output) -> Outcome {
    let settings: Config = call.config()?;
    let most_tasks = settings.limits.processes;
    let spec = config::spec(settings, argv(call)?, &shell.protected)?;
    let mut started = Started::new(&shell.runner)?;
    if let Err(failure) = call.within(started.confine(&spec)).await {
        started.group.end().await;
        return Err(failure);
    }
    let ended = watch(call, &mut started, output, most_tasks).await;
    let Started {
        group,
        output: mut pipe,
        ..
    } = started;
    let status = group.end().await;
    // All writers are dead, so the rest is there already.
    let rest = timeout(REST, pass_on(&mut pipe, output)).await;
    if let Ok(Err(Stop::Failed(failure))) = rest {
        return Err(failure);
    }
    let (content, facts) = answer::of(status);
    let (bytes, truncated) = output.kept();
    let facts = with_bytes(facts, bytes);
    match ended {
        Ok(()) => Ok(Success {
            content,
            truncated,
            facts,
            media_type: String::new(),
        }),
        Err(failure) => Err(failure.with_facts(facts)),
    }
}

/// The judged words, exactly; a call that feeds anything but one command is not executable.
fn argv(call: &Call) -> Result<Vec<String>, Failure> {
    let wrong = || Failure::invalid("the tool must feed exactly one command to the dimension \"command\"");
    let Some([Value::Array(words)]) = call
        .canonical
        .get(COMMAND)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
    else {
        return Err(wrong());
    };
    words
        .iter()
        .map(|word| word.as_str().map(str::to_owned).ok_or_else(wrong))
        .collect()
}

/// Streams output until the command ends or has to end.
async fn watch(call: &Call, started: &mut Started, output: &Output, most_tasks: u64) -> Result<(), Failure> {
    let number = started.group.number();
    let reading = async {
        match pass_on(&mut started.output, output).await {
            Ok(()) => std::future::pending().await,
            Err(Stop::Gone) => Failure::cancelled("the gateway is gone"),
            Err(Stop::Failed(failure)) => failure,
        }
    };
    tokio::select! {
        ended = started.group.leader_ended() => {
            ended.map_err(|error| Failure::internal(format!("the command can't be waited for: {error}")))
        }
        failure = call.stopped() => Err(failure),
        failure = reading => Err(failure),
        () = tasks::exceeded(number, most_tasks) => Err(Failure::refused(format!(
            "the command was stopped: it had more than {most_tasks} processes and threads"
        ))),
    }
}

enum Stop {
    Gone,
    Failed(Failure),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Failed(Failure::internal(format!(
            "the command's output can't be read: {error}"
        )))
    }
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

/// Reads output and passes it on; what is too much is read and dropped, so that the command can go on.
async fn pass_on(pipe: &mut Receiver, output: &Output) -> Result<(), Stop> {
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let read = pipe.read(&mut buffer).await?;
        let Some(data) = buffer.get(..read).filter(|data| !data.is_empty()) else {
            return Ok(());
        };
        output.send(&Tainted::from(data)).await?;
    }
}

fn with_bytes(mut facts: Facts, bytes: usize) -> Facts {
    facts.insert("bytes".to_owned(), Value::from(bytes));
    facts
}
