//! What a gateway adds to a turn besides its model and its tools, as it counts that itself.

use anyhow::{Context as _, Result, ensure};
use http::Request;

use super::samples::Row;
use crate::harness::{Scripted, Workspace, tunnel};

const GATEWAY: &str = "monstrum.dev/bot=triage,app.kubernetes.io/component=gateway";
const ADMIN_PORT: u16 = 9090;
const METRIC: &str = "monstrum_gateway_turn_own_seconds";

/// Turns that only ask the model, and turns with one tool call.
pub(super) async fn of_turns(workspace: &Workspace, turns: usize) -> Result<Vec<Row>> {
    let plain = format!("Own time ({})", workspace.name());
    let script = Scripted::default().says("Done.").when(&plain);
    let name = format!("{}-own", workspace.name());
    workspace.model().script(&name, &script).await?;
    let calling = workspace.script_a_look().await?;
    let mut rows = Vec::new();
    for (what, message) in [
        ("the gateway's own share of a turn without tools", plain),
        ("the gateway's own share of a turn with a tool call", calling),
    ] {
        let before = Counted::read(workspace).await?;
        super::times::converse(workspace, &message, turns).await?;
        let after = Counted::read(workspace).await?;
        rows.push(after.since(&before)?.row(what));
    }
    Ok(rows)
}

/// A histogram as it is exposed: how many were at most so long.
#[derive(Debug, Default)]
struct Counted {
    /// Upper bounds in seconds, ascending, each with the number of turns at or below.
    buckets: Vec<(f64, u64)>,
    turns: u64,
}

impl Counted {
    async fn read(workspace: &Workspace) -> Result<Self> {
        let request = Request::get("/metrics").body(String::new())?;
        let client = workspace.cluster().client();
        let response = tunnel::send(&client, workspace.name(), GATEWAY, ADMIN_PORT, request).await?;
        let mut counted = Self::default();
        for line in response.body().lines() {
            let Some((name, value)) = line.rsplit_once(' ') else {
                continue;
            };
            if name == format!("{METRIC}_count") {
                counted.turns = value.parse()?;
            } else if let Some(bound) = name
                .strip_prefix(&format!("{METRIC}_bucket{{le=\""))
                .and_then(|tail| tail.strip_suffix("\"}"))
            {
                let bound = if bound == "+Inf" {
                    f64::INFINITY
                } else {
                    bound.parse()?
                };
                counted.buckets.push((bound, value.parse()?));
            }
        }
        ensure!(!counted.buckets.is_empty(), "the gateway does not count {METRIC}");
        Ok(counted)
    }

    fn since(&self, before: &Self) -> Result<Self> {
        let buckets = self.buckets.iter().zip(&before.buckets);
        Ok(Self {
            buckets: buckets
                .map(|((bound, now), (_, then))| (*bound, now.saturating_sub(*then)))
                .collect(),
            turns: self
                .turns
                .checked_sub(before.turns)
                .context("the gateway was restarted meanwhile")?,
        })
    }

    /// The bucket that holds this part of all turns.
    fn bound(&self, percent: u64) -> String {
        let wanted = self.turns.saturating_mul(percent).div_ceil(100);
        let mut below = 0.0;
        for (bound, turns) in &self.buckets {
            if *turns >= wanted {
                return format!("{:.0}–{:.0} ms", below * 1e3, bound * 1e3);
            }
            below = *bound;
        }
        "–".to_owned()
    }

    fn row(&self, what: &str) -> Row {
        let turns = usize::try_from(self.turns).unwrap_or(usize::MAX);
        Row::of_texts(what, self.bound(50), self.bound(99), turns)
    }
}
