//! The Go program.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use serde_json::Value;

/// What clients make of each text; nothing where they refuse it.
pub(super) fn read(texts: &[String]) -> Vec<Option<Vec<Value>>> {
    let mut child = Command::new(program())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let texts = serde_json::to_vec(texts).unwrap();
    let writer = std::thread::spawn(move || input.write_all(&texts).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let answers: Vec<Option<Vec<Value>>> = serde_json::from_slice(&output.stdout).unwrap();
    let floats = |values: Vec<Value>| values.into_iter().map(floats).collect();
    answers.into_iter().map(|answer| answer.map(floats)).collect()
}

/// Whole numbers beyond 64 bits with a sign are floats there.
fn floats(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_u64() && !number.is_i64() => {
            number.as_f64().map_or(Value::Null, Value::from)
        }
        Value::Array(items) => items.into_iter().map(floats).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, floats(value)))
            .collect(),
        other => other,
    }
}

/// Builds the program, unless it was built of these sources before.
fn program() -> PathBuf {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let mut hasher = DefaultHasher::new();
    for name in ["main.go", "go.mod", "go.sum"] {
        fs::read(sources.join(name)).unwrap().hash(&mut hasher);
    }
    let folder = cache().join("clients").join(format!("{:016x}", hasher.finish()));
    let program = folder.join("clients");
    if !program.exists() {
        fs::create_dir_all(&folder).unwrap();
        // Whole or not at all, whatever interrupts it.
        let partial = folder.join(format!(
            ".clients.{}.{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        let built = Command::new("go")
            .args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-o"])
            .arg(&partial)
            .arg(".")
            .current_dir(&sources)
            .envs([("CGO_ENABLED", "0"), ("GOFLAGS", ""), ("GOWORK", "off")])
            .status()
            .expect("Go 1.26 or newer is needed, as for the tests' cluster");
        assert!(built.success(), "the compiler's message is above");
        fs::rename(partial, &program).unwrap();
    }
    program
}

fn cache() -> PathBuf {
    let own = env::var_os("MONSTRUM_CACHE").map(PathBuf::from);
    let users = || env::var_os("XDG_CACHE_HOME").map(|cache| PathBuf::from(cache).join("monstrum"));
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/monstrum"));
    own.or_else(users).or_else(home).unwrap_or_else(env::temp_dir)
}
