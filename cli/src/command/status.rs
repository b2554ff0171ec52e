//! `status`: how bots stand, and what to do where they don't.

mod row;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use monstrum_wire::chat::{StatusRequest, StatusResponse};
use serde::Serialize;

use self::row::Standing;
use crate::cluster::{self, Cluster, ClusterArgs, ClusterError, Gateway, GatewayError};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files::title;
use crate::output::{Format, Screen, Table, paint, printable};

/// Show how bots stand, and what to do where one is not ready
///
/// Ready means that all gateways of the bot acknowledged its current policy. For a named bot its gateway is asked, too:
/// which policy it holds, for how long, and which runners are connected.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  monstrum status
  monstrum status triage -n team-a
  monstrum status --problems

The exit code is 1 when a bot is not ready, or, with --problems, when there is a problem.")]
pub(crate) struct StatusArgs {
    /// Only this bot
    #[arg(value_parser = crate::arguments::object_name)]
    bot: Option<String>,
    /// List every object of the namespace with a failing condition instead
    #[arg(long, conflicts_with = "bot")]
    problems: bool,
}

/// A condition that does not hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    object: String,
    condition: String,
    reason: String,
    message: String,
}

pub(super) async fn run(
    args: &StatusArgs,
    cluster: &ClusterArgs,
    screen: &mut Screen,
) -> Result<Exit, Failure> {
    let cluster = Cluster::connect(cluster).await?;
    if args.problems {
        return problems(&cluster, screen).await;
    }
    let mut standings: Vec<Standing> = Vec::new();
    for bot in cluster::fetch_bots(&cluster).await? {
        let standing = Standing::of(&bot);
        if args.bot.as_ref().is_none_or(|name| *name == standing.name) {
            standings.push(standing);
        }
    }
    if let Some(name) = &args.bot {
        let Some(standing) = standings.first_mut() else {
            let (kind, name, namespace) = ("Bot", name.clone(), cluster.namespace.clone());
            return Err(ClusterError::Missing {
                kind,
                name,
                namespace,
            }
            .into());
        };
        standing.note_gateway(gateway(&cluster, name).await);
    }
    show(&standings, args.bot.is_some(), &cluster.namespace, screen)?;
    Ok(if standings.iter().all(|standing| standing.ready == "True") {
        Exit::Success
    } else {
        Exit::Found
    })
}

async fn gateway(cluster: &Cluster, bot: &str) -> Result<StatusResponse, GatewayError> {
    let gateway = Gateway::connect(cluster, bot).await?;
    match gateway.chat().status(StatusRequest {}).await {
        Ok(response) => Ok(response.into_inner()),
        Err(status) => Err(gateway.refused(status).await),
    }
}

fn show(standings: &[Standing], one: bool, namespace: &str, screen: &mut Screen) -> std::io::Result<()> {
    match (screen.format(), standings) {
        (Format::Json | Format::Yaml, [standing]) if one => return screen.data(standing),
        (Format::Json | Format::Yaml, _) => return screen.data(&standings),
        (Format::Table, []) => return screen.line(&format!("There are no bots in namespace {namespace}.")),
        (Format::Table, _) => {}
    }
    let mut table = row::table();
    for standing in standings {
        standing.add(&mut table);
    }
    screen.table(&table)?;
    for standing in standings {
        for complaint in &standing.complaints {
            screen.line(&describe(complaint))?;
        }
        if let Some(gateway) = &standing.gateway {
            screen.line(&gateway.describe())?;
        }
    }
    Ok(())
}

fn describe(complaint: &Complaint) -> String {
    format!(
        "{} {}: {} ({}): {}",
        paint::with(paint::WARN, "!"),
        complaint.object,
        complaint.condition,
        complaint.reason,
        printable(&complaint.message)
    )
}

async fn problems(cluster: &Cluster, screen: &mut Screen) -> Result<Exit, Failure> {
    let objects = cluster::fetch(cluster).await?;
    let complaints: Vec<Complaint> = objects
        .iter()
        .flat_map(|object| complaints(&title(object), row::conditions(object), object.meta().generation))
        .collect();
    if screen.format() != Format::Table {
        screen.data(&complaints)?;
    } else if complaints.is_empty() {
        screen.line(&format!(
            "No object of namespace {} has a problem.",
            cluster.namespace
        ))?;
    } else {
        let mut table = Table::new(["OBJECT", "CONDITION", "REASON", "MESSAGE"]);
        for complaint in &complaints {
            table.row([
                complaint.object.as_str().into(),
                complaint.condition.as_str().into(),
                complaint.reason.as_str().into(),
                complaint.message.as_str().into(),
            ]);
        }
        screen.table(&table)?;
    }
    Ok(if complaints.is_empty() {
        Exit::Success
    } else {
        Exit::Found
    })
}

/// Every condition that is not true. `Ready` says nothing of its own where another one does.
fn complaints(object: &str, conditions: &[Condition], generation: Option<i64>) -> Vec<Complaint> {
    let failing: Vec<&Condition> = conditions
        .iter()
        .filter(|condition| condition.status != "True")
        .collect();
    let others = failing.iter().any(|condition| condition.type_ != "Ready");
    let mut complaints: Vec<Complaint> = failing
        .iter()
        .filter(|condition| condition.type_ != "Ready" || !others)
        .map(|condition| Complaint {
            object: object.to_owned(),
            condition: format!("{} is {}", condition.type_, condition.status),
            reason: condition.reason.clone(),
            message: condition.message.clone(),
        })
        .collect();
    let seen = conditions
        .iter()
        .filter_map(|condition| condition.observed_generation)
        .max();
    let unseen = match (generation, seen) {
        (Some(generation), Some(seen)) => seen < generation,
        (_, None) => true,
        (None, Some(_)) => false,
    };
    if unseen {
        complaints.push(Complaint {
            object: object.to_owned(),
            condition: "its newest change has not been looked at".to_owned(),
            reason: "Unobserved".to_owned(),
            message:
                "wait a moment; if this stays, look at the operator: kubectl get pods -n monstrum-system"
                    .to_owned(),
        });
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(type_: &str, status: &str, generation: i64) -> Condition {
        Condition {
            last_transition_time: serde_json::from_str("\"2026-01-01T00:00:00Z\"").unwrap(),
            message: "spec.model.provider: there is no ModelProvider".to_owned(),
            observed_generation: Some(generation),
            reason: "NotFound".to_owned(),
            status: status.to_owned(),
            type_: type_.to_owned(),
        }
    }

    #[test]
    fn ready_is_silent_where_another_condition_says_why() {
        let conditions = [
            condition("ResolvedRefs", "False", 1),
            condition("Ready", "False", 1),
        ];
        let complaints = complaints("Bot a/b", &conditions, Some(1));
        assert_eq!(complaints.len(), 1);
        assert_eq!(complaints[0].condition, "ResolvedRefs is False");
    }

    #[test]
    fn a_change_that_nobody_saw_is_told() {
        let conditions = [condition("Ready", "True", 1)];
        assert_eq!(complaints("Bot a/b", &conditions, Some(1)), []);
        assert_eq!(
            complaints("Bot a/b", &conditions, Some(2))[0].reason,
            "Unobserved"
        );
        assert_eq!(complaints("Bot a/b", &[], Some(1))[0].reason, "Unobserved");
    }
}
