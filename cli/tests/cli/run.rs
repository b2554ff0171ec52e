//! How the tests run the binary.

use std::path::PathBuf;
use std::process::Command;

/// What came of a run.
pub(crate) struct Ran {
    /// The exit code.
    pub(crate) code: i32,
    /// The standard output.
    pub(crate) out: String,
    /// The standard error.
    pub(crate) err: String,
}

/// The folder with the test's files.
pub(crate) fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cli/data")
}

/// Runs the binary in the test's folder, without a cluster.
pub(crate) fn monstrum(arguments: &[&str]) -> Ran {
    monstrum_as(env!("CARGO_BIN_EXE_monstrum"), arguments)
}

/// The same under another name.
pub(crate) fn monstrum_as(program: &str, arguments: &[&str]) -> Ran {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(data())
        .env_clear()
        .env("HOME", "/nonexistent")
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `policy diff` of these files against those.
pub(crate) fn diff_of(new: &[&str], old: &[&str]) -> Ran {
    let new = new.iter().flat_map(|file| ["-f", *file]);
    let old = old.iter().flat_map(|file| ["--against", *file]);
    let arguments: Vec<&str> = ["policy", "diff"].into_iter().chain(new).chain(old).collect();
    monstrum(&arguments)
}
