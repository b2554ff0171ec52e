//! `shell`: commands, in a sandbox of the resource's own.

mod config;
mod judgement;

use serde_json::Value;

pub use config::{Config, Limits, Network};

use crate::executor::{ExecutorContract, Placement, TypeParts};
use crate::reach::{Ports, Reach};
use crate::{Fault, read};

/// The dimension whose value is the command that is run.
pub const COMMAND: &str = "command";

/// The contract of `shell`.
#[derive(Debug)]
pub struct Shell;

impl ExecutorContract for Shell {
    fn name(&self) -> &'static str {
        "shell"
    }

    fn summary(&self) -> &'static str {
        "commands in a sandbox"
    }

    fn placements(&self) -> &'static [Placement] {
        &[Placement::Sandbox]
    }

    fn placement(&self, _settings: &Value) -> Placement {
        Placement::Sandbox
    }

    fn type_faults(&self, parts: &TypeParts<'_>) -> Vec<Fault> {
        judgement::of_type(parts.source)
    }

    fn config_faults(&self, settings: &Value) -> Vec<Fault> {
        read::<Config>(settings).map_or_else(|fault| vec![fault], |config| config.faults())
    }

    fn reach(&self, settings: &Value) -> Reach {
        let network = read::<Config>(settings).ok().and_then(|config| config.network);
        Reach {
            internet: network
                .filter(|network| !network.tcp_connect_ports.is_empty())
                .map(|network| Ports {
                    field: "network.tcpConnectPorts",
                    numbers: network.tcp_connect_ports,
                }),
            ..Reach::default()
        }
    }
}
