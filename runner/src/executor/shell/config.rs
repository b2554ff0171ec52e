//! What is made of the settings of a resource whose type is executed as commands.

use std::collections::BTreeMap;
use std::path::PathBuf;

use monstrum_contract::shell::Config;

use super::sandbox::{Limits, Spec};
use crate::call::Failure;

const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What `confine` has to do for `argv`, which never reaches `protected`.
pub(super) fn spec(config: Config, argv: Vec<String>, protected: &[PathBuf]) -> Result<Spec, Failure> {
    if let Some(fault) = config.faults().first() {
        let message = format!("the resource's config: {}: {}", fault.field, fault.message);
        return Err(Failure::invalid(message));
    }
    Ok(Spec {
        argv,
        environment: full_environment(&config),
        directory: config.working_directory,
        read_only: config.read_only_paths,
        read_write: config.read_write_paths,
        protected: protected.to_vec(),
        tcp_ports: config.network.map(|network| network.tcp_connect_ports),
        limits: Limits {
            cpu_seconds: config.limits.cpu_seconds,
            memory_bytes: config.limits.memory_bytes,
            file_bytes: config.limits.file_bytes,
            open_files: config.limits.open_files,
        },
        parent: rustix::process::getpid().as_raw_nonzero().get(),
    })
}

fn full_environment(config: &Config) -> BTreeMap<String, String> {
    let home = config.working_directory.to_string_lossy();
    let fixed = [
        ("PATH", SEARCH_PATH),
        ("HOME", &*home),
        ("LANG", "C.UTF-8"),
        ("TERM", "dumb"),
    ];
    let mut environment: BTreeMap<String, String> = fixed
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    environment.extend(config.environment.clone());
    environment
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn made(config: Value) -> Result<Spec, Failure> {
        let config = serde_json::from_value(config).unwrap();
        spec(config, vec!["true".to_owned()], &[])
    }

    #[test]
    fn the_environment_is_small_and_can_be_extended() {
        let spec = made(json!({ "environment": {"PATH": "/opt/bin", "A": "b"} })).unwrap();
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
        assert_eq!(made(json!({})).unwrap().tcp_ports, None);
        assert_eq!(
            made(json!({ "network": {"tcpConnectPorts": [443]} }))
                .unwrap()
                .tcp_ports,
            Some(vec![443])
        );
    }

    #[test]
    fn a_fault_of_the_settings_is_told_with_its_field() {
        let failure = made(json!({ "workingDirectory": "/home" })).unwrap_err();
        assert!(
            failure.message.contains("workingDirectory"),
            "{}",
            failure.message
        );
    }
}
