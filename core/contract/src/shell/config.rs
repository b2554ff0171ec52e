//! The settings of a resource whose type is executed as commands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Fault;

/// A resource's `config`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Config {
    /// Where commands run.
    pub working_directory: PathBuf,
    /// What commands find in their environment, besides `PATH`, `HOME`, `LANG` and `TERM`, which can be set here, too.
    pub environment: BTreeMap<String, String>,
    /// What commands can read and execute. What does not exist is left out.
    pub read_only_paths: Vec<PathBuf>,
    /// What commands can read and write, but not execute unless it is in both lists.
    pub read_write_paths: Vec<PathBuf>,
    /// Without it there is no network.
    pub network: Option<Network>,
    /// What a command may use up.
    pub limits: Limits,
}

/// Which network there is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Network {
    /// TCP ports that commands can connect to. There is no UDP, so names come from `/etc/hosts`, or from port 53 with
    /// `RES_OPTIONS: use-vc` in the environment.
    pub tcp_connect_ports: Vec<u16>,
}

/// What a command may use up.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Limits {
    /// Processor time of each process.
    pub cpu_seconds: u64,
    /// Address space of each process.
    pub memory_bytes: u64,
    /// Processes and threads of the whole command together.
    pub processes: u64,
    /// The largest file that it writes.
    pub file_bytes: u64,
    /// Open files of each process.
    pub open_files: u64,
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
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
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
    /// What is wrong with it.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults: Vec<_> = self.path_faults().collect();
        for (name, value) in &self.environment {
            if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                let message = format!("{name:?} can't be set");
                faults.push(Fault::new(format!("environment.{name}"), message));
            }
        }
        let mut granted = self.read_only_paths.iter().chain(&self.read_write_paths);
        if !granted.any(|path| self.working_directory.starts_with(path)) {
            faults.push(Fault::new(
                "workingDirectory",
                "must be beneath one of readOnlyPaths or readWritePaths",
            ));
        }
        let ports = self.network.iter().flat_map(|network| &network.tcp_connect_ports);
        let zeros = ports.enumerate().filter(|(_, port)| **port == 0);
        faults.extend(zeros.map(|(index, _)| {
            Fault::new(
                format!("network.tcpConnectPorts[{index}]"),
                "must be a port from 1 to 65535",
            )
        }));
        faults.extend(self.limits.faults());
        faults
    }

    fn path_faults(&self) -> impl Iterator<Item = Fault> {
        let listed = |field: &'static str, paths: &[PathBuf]| {
            let paths = paths.iter().enumerate();
            paths
                .map(|(index, path)| (format!("{field}[{index}]"), path.clone()))
                .collect::<Vec<_>>()
        };
        listed("readOnlyPaths", &self.read_only_paths)
            .into_iter()
            .chain(listed("readWritePaths", &self.read_write_paths))
            .chain([("workingDirectory".to_owned(), self.working_directory.clone())])
            .filter(|(_, path)| !is_plain(path))
            .map(|(field, path)| {
                let message = format!("{} must be an absolute path without '..'", path.display());
                Fault::new(field, message)
            })
    }
}

impl Limits {
    /// Below these no program starts.
    fn faults(&self) -> impl Iterator<Item = Fault> {
        [
            ("cpuSeconds", self.cpu_seconds, 1),
            ("memoryBytes", self.memory_bytes, 1024 * 1024),
            ("processes", self.processes, 1),
            ("openFiles", self.open_files, 3),
        ]
        .into_iter()
        .filter(|(_, limit, least)| limit < least)
        .map(|(name, _, least)| Fault::new(format!("limits.{name}"), format!("must be at least {least}")))
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

    #[rstest]
    #[case::relative(json!({ "readWritePaths": ["workspace"] }), "workspace")]
    #[case::dots(json!({ "readOnlyPaths": ["/usr/../etc"] }), "/usr/../etc")]
    #[case::equals(json!({ "environment": {"A=B": "c"} }), "A=B")]
    #[case::nul(json!({ "environment": {"A": "c\0d"} }), "\"A\"")]
    #[case::outside(json!({ "workingDirectory": "/home" }), "workingDirectory")]
    #[case::sibling(json!({ "workingDirectory": "/workspace2" }), "workingDirectory")]
    #[case::no_files(json!({ "limits": {"openFiles": 2} }), "limits.openFiles")]
    #[case::no_port(json!({ "network": {"tcpConnectPorts": [80, 0]} }), "tcpConnectPorts[1]")]
    fn faults_name_the_field(#[case] config: Value, #[case] named: &str) {
        let faults = serde_json::from_value::<Config>(config).unwrap().faults();
        let told = faults
            .first()
            .map(|fault| format!("{}: {}", fault.field, fault.message));
        assert!(told.is_some_and(|told| told.contains(named)), "{faults:?}");
    }

    #[test]
    fn nothing_is_wrong_with_the_defaults() {
        assert_eq!(Config::default().faults(), []);
    }

    #[test]
    fn a_typo_is_not_ignored() {
        assert!(serde_json::from_value::<Config>(json!({ "readonlyPaths": [] })).is_err());
        assert!(serde_json::from_value::<Config>(json!({ "limits": {"cpu": 1} })).is_err());
    }
}
