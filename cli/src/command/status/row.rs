//! How one bot stands.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt as _;
use monstrum_crds::kinds::Bot;
use monstrum_crds::object::Object;
use monstrum_wire::chat::StatusResponse;
use serde::Serialize;

use super::{Complaint, complaints};
use crate::cluster::GatewayError;
use crate::files::title;
use crate::output::{Cell, Table, paint, printable};

/// How a bot stands. The names are API.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Standing {
    pub(super) namespace: String,
    pub(super) name: String,
    /// `True`, `False` or `Unknown`.
    pub(super) ready: String,
    pub(super) reason: String,
    pub(super) model: String,
    pub(super) tools: Option<i32>,
    pub(super) policy_digest: String,
    pub(super) enforced_digest: String,
    pub(super) suspended: bool,
    pub(super) complaints: Vec<Complaint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gateway: Option<GatewayStanding>,
}

/// What a gateway says of itself.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum GatewayStanding {
    /// It answered.
    #[serde(rename_all = "camelCase")]
    Answered {
        policy_digest: String,
        lease_seconds_left: u32,
        connected_runners: Vec<String>,
        running_turns: u32,
    },
    /// It could not be asked.
    Unreachable {
        /// Why not.
        why: String,
    },
}

impl Standing {
    /// From the object's status.
    pub(super) fn of(bot: &Bot) -> Self {
        let status = bot.status.clone().unwrap_or_default();
        let ready = status
            .conditions
            .iter()
            .find(|condition| condition.type_ == "Ready");
        let object = Object::Bot(Box::new(bot.clone()));
        Self {
            namespace: bot.namespace().unwrap_or_default(),
            name: bot.name_any(),
            ready: ready.map_or_else(|| "Unknown".to_owned(), |condition| condition.status.clone()),
            reason: ready
                .map(|condition| condition.reason.clone())
                .unwrap_or_default(),
            model: status.model.unwrap_or_default(),
            tools: status.tools,
            policy_digest: status.policy_digest.unwrap_or_default(),
            enforced_digest: status.enforced_digest.unwrap_or_default(),
            suspended: bot.spec.suspend,
            complaints: complaints(&title(&object), &status.conditions, bot.metadata.generation),
            gateway: None,
        }
    }

    /// With what the gateway says.
    pub(super) fn note_gateway(&mut self, answer: Result<StatusResponse, GatewayError>) {
        self.gateway = Some(match answer {
            Ok(status) => GatewayStanding::Answered {
                policy_digest: status.policy_digest,
                lease_seconds_left: status.lease_seconds_left,
                connected_runners: status.connected_runners,
                running_turns: status.running_turns,
            },
            Err(error) => GatewayStanding::Unreachable {
                why: error.to_string(),
            },
        });
    }

    /// As a row.
    pub(super) fn add(&self, table: &mut Table) {
        table.row([
            self.name.as_str().into(),
            self.ready(),
            self.reason.as_str().into(),
            self.model.as_str().into(),
            self.tools
                .map(|tools| tools.to_string())
                .unwrap_or_default()
                .into(),
            short(&self.policy_digest).into(),
            self.enforced(),
        ]);
    }

    fn ready(&self) -> Cell {
        let style = match self.ready.as_str() {
            "True" => paint::GOOD,
            "False" => paint::BAD,
            _ => paint::WARN,
        };
        Cell::styled(&self.ready, style)
    }

    fn enforced(&self) -> Cell {
        if self.enforced_digest.is_empty() {
            return "".into();
        }
        let style = if self.enforced_digest == self.policy_digest {
            paint::GOOD
        } else {
            paint::WARN
        };
        Cell::styled(short(&self.enforced_digest), style)
    }
}

impl GatewayStanding {
    /// In words.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Unreachable { why } => {
                format!("{} gateway: {}", paint::with(paint::WARN, "!"), printable(why))
            }
            Self::Answered { policy_digest, .. } if policy_digest.is_empty() => {
                format!(
                    "{} gateway: it holds no policy, everything is denied",
                    paint::with(paint::BAD, "!")
                )
            }
            Self::Answered {
                policy_digest,
                lease_seconds_left,
                connected_runners,
                running_turns,
            } => {
                let runners = if connected_runners.is_empty() {
                    "none".to_owned()
                } else {
                    connected_runners.join(", ")
                };
                format!(
                    "gateway: policy {}, lease {lease_seconds_left}s; runners connected: {}; turns running: {running_turns}",
                    short(policy_digest),
                    printable(&runners)
                )
            }
        }
    }
}

/// The table of bots.
pub(super) fn table() -> Table {
    Table::new(["BOT", "READY", "REASON", "MODEL", "TOOLS", "POLICY", "ENFORCED"])
}

/// Enough of a digest to tell two apart.
fn short(digest: &str) -> String {
    digest
        .strip_prefix("sha256:")
        .unwrap_or(digest)
        .chars()
        .take(12)
        .collect()
}

/// The conditions of any object.
pub(super) fn conditions(object: &Object) -> &[Condition] {
    let conditions = match object {
        Object::Bot(object) => object.status.as_ref().map(|status| &status.conditions),
        Object::ResourceType(object) => object.status.as_ref().map(|status| &status.conditions),
        Object::Workspace(object) => object.status.as_ref().map(|status| &status.conditions),
        Object::ModelProvider(object) => object.status.as_ref().map(|status| &status.conditions),
        Object::Credential(object) => object.status.as_ref().map(|status| &status.conditions),
        Object::Resource(object) => object.status.as_ref().map(|status| &status.conditions),
        Object::BotRole(object) => object.status.as_ref().map(|status| &status.conditions),
        Object::BotBinding(object) => object.status.as_ref().map(|status| &status.conditions),
        Object::Channel(object) => object.status.as_ref().map(|status| &status.conditions),
    };
    conditions.map(Vec::as_slice).unwrap_or_default()
}
