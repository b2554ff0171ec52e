//! The command: its program found, its words and environment ready before the sandbox closes.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Fault, Spec, kernel};

/// Everything that starting needs, without allocation left to do.
pub(super) struct Command {
    program: CString,
    name: String,
    argv: Vec<CString>,
    environment: Vec<CString>,
}

/// Searches the first word in the spec's `PATH`; with a slash in it, it is the path itself.
pub(super) fn find(spec: &Spec) -> Result<PathBuf, Fault> {
    let Some(first) = spec.argv.first().filter(|word| !word.is_empty()) else {
        return Err(Fault::command("the command is empty".to_owned()));
    };
    if first.contains('/') {
        return Ok(PathBuf::from(first));
    }
    let path = spec
        .environment
        .get("PATH")
        .map(String::as_str)
        .unwrap_or_default();
    let mut candidates = path
        .split(':')
        .filter(|folder| folder.starts_with('/'))
        .map(|folder| Path::new(folder).join(first));
    candidates
        .find(|candidate| is_executable(candidate))
        .ok_or_else(|| Fault::command(format!("{first}: command not found")))
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Changes to the working directory and makes the command ready.
pub(super) fn prepare(program: &Path, spec: &Spec) -> Result<Command, Fault> {
    let directory = spec.directory.display();
    std::env::set_current_dir(&spec.directory)
        .map_err(|error| Fault::config(format!("workingDirectory {directory}: {error}")))?;
    let word = |word: &String| {
        CString::new(word.as_str())
            .map_err(|_| Fault::command("a word of the command holds a NUL character".to_owned()))
    };
    let variable = |(name, value): (&String, &String)| {
        CString::new(format!("{name}={value}"))
            .map_err(|_| Fault::config(format!("environment: {name:?} holds a NUL character")))
    };
    Ok(Command {
        program: CString::new(program.as_os_str().as_bytes())
            .map_err(|_| Fault::command("the command holds a NUL character".to_owned()))?,
        name: program.display().to_string(),
        argv: spec.argv.iter().map(word).collect::<Result<_, _>>()?,
        environment: spec.environment.iter().map(variable).collect::<Result<_, _>>()?,
    })
}

impl Command {
    /// Becomes the command; returns only if that fails.
    pub(super) fn execute(self) -> Fault {
        let error = kernel::execute(&self.program, &self.argv, &self.environment);
        Fault::command(format!("{}: {error}", self.name))
    }
}
