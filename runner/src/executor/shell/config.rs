//! The settings of a resource whose type is executed as commands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::sandbox::{Limits, Spec};
use crate::call::Failure;

const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A resource's `config`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct Config {
    /// Where commands run.
    working_directory: PathBuf,
    /// What commands find in their environment, besides `PATH`, `HOME`, `LANG` and `TERM`, which can be set here, too.
    environment: BTreeMap<String, String>,
    /// What commands can read and execute. What does not exist is left out.
    read_only_paths: Vec<PathBuf>,
    /// What commands can read and write, but not execute unless it is in both lists.
    read_write_paths: Vec<PathBuf>,
    /// Without it there is no network.
    network: Option<Network>,
    /// What a command may use up.
    pub(super) limits: ConfiguredLimits,
}

/// Which network there is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
struct Network {
    /// TCP ports that commands can connect to. There is no UDP, so names come from `/etc/hosts`, or from port 53 with
    /// `RES_OPTIONS: use-vc` in the environment.
    tcp_connect_ports: Vec<u16>,
}

/// What a command may use up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(super) struct ConfiguredLimits {
    cpu_seconds: u64,
    memory_bytes: u64,
    /// Processes and threads of the whole command together.
    pub(super) processes: u64,
    file_bytes: u64,
    open_files: u64,
}

impl Default for Config {
    fn default() -> Self {
        let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect();
        Self {
            working_directory: PathBuf::from("/workspace"),
            environment: BTreeMap::new(),
            read_only_paths: paths(&["/usr", "/bin", "/sbin", "/lib", "/lib64", "/etc"]),
            read_write_paths: paths(&["/workspace", "/tmp"]),
            network: None,
            limits: ConfiguredLimits::default(),
        }
    }
}

impl Default for ConfiguredLimits {
    fn default() -> Self {
        Self {
            cpu_seconds: 60,
            memory_bytes: 4 * 1024 * 1024 * 1024,
            processes: 256,
            file_bytes: 256 * 1024 * 1024,
            open_files: 256,
        }
    }
}

impl Config {
    /// What `confine` has to do for `argv`, which never reaches `protected`.
    pub(super) fn spec(self, argv: Vec<String>, protected: &[PathBuf]) -> Result<Spec, Failure> {
        self.check()?;
        let environment = self.full_environment();
        Ok(Spec {
            argv,
            environment,
            directory: self.working_directory,
            read_only: self.read_only_paths,
            read_write: self.read_write_paths,
            protected: protected.to_vec(),
            tcp_ports: self.network.map(|network| network.tcp_connect_ports),
            limits: Limits {
                cpu_seconds: self.limits.cpu_seconds,
                memory_bytes: self.limits.memory_bytes,
                file_bytes: self.limits.file_bytes,
                open_files: self.limits.open_files,
            },
            parent: rustix::process::getpid().as_raw_nonzero().get(),
        })
    }

    fn check(&self) -> Result<(), Failure> {
        let wrong = |what: String| Err(Failure::invalid(format!("the resource's config: {what}")));
        let paths = self
            .read_only_paths
            .iter()
            .chain(&self.read_write_paths)
            .chain([&self.working_directory]);
        for path in paths {
            if !is_plain(path) {
                return wrong(format!(
                    "{} must be an absolute path without '..'",
                    path.display()
                ));
            }
        }
        for (name, value) in &self.environment {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                return wrong(format!("environment: {name:?} can't be set"));
            }
        }
        let mut granted = self.read_only_paths.iter().chain(&self.read_write_paths);
        if !granted.any(|path| self.working_directory.starts_with(path)) {
            return wrong(
                "workingDirectory must be beneath one of readOnlyPaths or readWritePaths".to_owned(),
            );
        }
        Ok(())
    }

    fn full_environment(&self) -> BTreeMap<String, String> {
        let home = self.working_directory.to_string_lossy().into_owned();
        let fixed = [
            ("PATH", SEARCH_PATH),
            ("HOME", &home),
            ("LANG", "C.UTF-8"),
            ("TERM", "dumb"),
        ];
        let mut environment: BTreeMap<String, String> = fixed
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        environment.extend(self.environment.clone());
        environment
    }
}

fn is_plain(path: &Path) -> bool {
    use std::path::Component::{Normal, RootDir};
    path.is_absolute()
        && path
            .components()
            .all(|component| matches!(component, RootDir | Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::{Value, json};

    fn spec(config: Value) -> Result<Spec, Failure> {
        serde_json::from_value::<Config>(config)
            .unwrap()
            .spec(vec!["true".to_owned()], &[])
    }

    #[test]
    fn the_environment_is_small_and_can_be_extended() {
        let spec = spec(json!({ "environment": {"PATH": "/opt/bin", "A": "b"} })).unwrap();
        let environment: Vec<_> = spec.environment.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(
            environment,
            [
                "A=b",
                "HOME=/workspace",
                "LANG=C.UTF-8",
                "PATH=/opt/bin",
                "TERM=dumb"
            ]
        );
    }

    #[test]
    fn no_network_unless_it_is_named() {
        assert_eq!(spec(json!({})).unwrap().tcp_ports, None);
        assert_eq!(
            spec(json!({ "network": {"tcpConnectPorts": [443]} }))
                .unwrap()
                .tcp_ports,
            Some(vec![443])
        );
    }

    #[rstest]
    #[case::relative(json!({ "readWritePaths": ["workspace"] }), "workspace")]
    #[case::dots(json!({ "readOnlyPaths": ["/usr/../etc"] }), "/usr/../etc")]
    #[case::equals(json!({ "environment": {"A=B": "c"} }), "A=B")]
    #[case::nul(json!({ "environment": {"A": "c\0d"} }), "\"A\"")]
    #[case::outside(json!({ "workingDirectory": "/home" }), "workingDirectory")]
    #[case::sibling(json!({ "workingDirectory": "/workspace2" }), "workingDirectory")]
    fn faults_name_the_field(#[case] config: Value, #[case] named: &str) {
        let failure = spec(config).unwrap_err();
        assert!(failure.message.contains(named), "{}", failure.message);
    }

    #[test]
    fn a_typo_is_not_ignored() {
        assert!(serde_json::from_value::<Config>(json!({ "readonlyPaths": [] })).is_err());
        assert!(serde_json::from_value::<Config>(json!({ "limits": {"cpu": 1} })).is_err());
    }
}
