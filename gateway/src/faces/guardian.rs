//! The Guardian, for runners (effects that only appear during execution) and for people.

use std::sync::Arc;
use std::time::Duration;

use monstrum_guardian::decision::{Call, Decision, Denial, Reservation, Verdict as Judged};
use monstrum_wire::guardian::guardian_server::{self, GuardianServer};
use monstrum_wire::guardian::{
    CheckEffectRequest, CheckRequest, CheckResponse, ListToolsRequest, ListToolsResponse, Verdict,
    VisibleTool,
};
use tonic::{Request, Response, Status};

use super::Door;
use crate::counters::{self, Spent};
use crate::gateway::Gateway;
use crate::ledger::LedgerError;
use crate::link::Effect;
use crate::policy::Enforced;
use crate::turn::records;
use crate::turn::verdict::{self, Obstacle, fail_closed};

const MAX_MESSAGE: usize = 1 << 20;
/// How long an effect's own reservation may wait to become use, which it does at once.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// `monstrum.guardian.v1.Guardian`.
#[derive(Debug, Clone)]
pub struct GuardianFace {
    gateway: Arc<Gateway>,
    door: Door,
}

impl GuardianFace {
    /// The tonic service.
    pub fn server(gateway: Arc<Gateway>, door: Door) -> GuardianServer<Self> {
        GuardianServer::new(Self { gateway, door }).max_decoding_message_size(MAX_MESSAGE)
    }

    /// People learn how a decision came about; a runner, whose sandbox may hold foreign code, only what it needs.
    async fn judged(&self, policy: &Enforced, request: &CheckRequest) -> Result<CheckResponse, Status> {
        let call = call(request);
        let facts = verdict::facts(&self.gateway, policy, &call, &[])
            .await
            .map_err(unavailable)?;
        Ok(match self.door {
            Door::Mutual => response(policy, policy.engine.check(&call, &facts)),
            Door::Local => {
                let decision = policy.engine.explain(&call, &facts);
                let trace_json = serde_json::to_string(&decision.trace).unwrap_or_default();
                CheckResponse {
                    trace_json,
                    ..response(policy, decision)
                }
            }
        })
    }

    /// Judges what a call does on its way. It is part of that call, and uses what that has reserved; of counters that did not count
    /// the call itself it uses one call more, as any other would.
    async fn judged_effect(
        &self,
        policy: &Enforced,
        (call_id, effect): (&str, &Effect),
        request: &CheckRequest,
    ) -> Result<CheckResponse, Status> {
        let call = call(request);
        let own = &*effect.reserved;
        let facts = verdict::facts(&self.gateway, policy, &call, own)
            .await
            .map_err(unavailable)?;
        let mut decision = policy.engine.check(&call, &facts);
        if let Judged::Allow(permit) = &decision.verdict {
            let id = format!("{call_id}.effect-{}", effect.number);
            if let Err(denial) = self.charge(&id, beyond(&permit.reserve, own)).await? {
                decision.verdict = Judged::Deny(denial);
            }
        }
        Ok(response(policy, decision))
    }

    async fn charge(&self, id: &str, beyond: Vec<Reservation>) -> Result<Result<(), Denial>, Status> {
        let Gateway { ledger, bot, .. } = &*self.gateway;
        match counters::reserve(ledger, bot, id, &beyond, SETTLED_WITHIN).await {
            Ok(()) => counters::settle(ledger, bot, id, &beyond, Spent::All).await,
            Err(error @ LedgerError::Exhausted(_)) => {
                return Ok(Err(fail_closed(&Obstacle::Ledger(&error))));
            }
            Err(error) => return Err(unavailable(error)),
        }
        Ok(Ok(()))
    }
}

fn call(request: &CheckRequest) -> Call<'_> {
    Call {
        tool: &request.tool,
        arguments: &request.arguments_json,
    }
}

fn unavailable(error: LedgerError) -> Status {
    Status::unavailable(error.to_string())
}

/// What is needed of counters of which nothing is reserved yet.
fn beyond(needed: &[Reservation], own: &[Reservation]) -> Vec<Reservation> {
    let is_new = |needed: &&Reservation| !own.iter().any(|own| own.key == needed.key);
    needed.iter().filter(is_new).cloned().collect()
}

#[tonic::async_trait]
impl guardian_server::Guardian for GuardianFace {
    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        let policy = self.gateway.policy.current();
        self.door.guardian(&self.gateway, &policy, &request)?;
        Ok(Response::new(self.judged(&policy, request.get_ref()).await?))
    }

    async fn check_effect(
        &self,
        request: Request<CheckEffectRequest>,
    ) -> Result<Response<CheckResponse>, Status> {
        let policy = self.gateway.policy.current();
        let runner = self.door.runner(&self.gateway, &request)?;
        let CheckEffectRequest {
            call_id,
            tool,
            arguments_json,
        } = request.into_inner();
        let effect = self.gateway.link.effect(&runner, &call_id).ok_or_else(|| {
            Status::failed_precondition("no such call runs, or too many of its effects were asked about")
        })?;
        let asked = CheckRequest { tool, arguments_json };
        let answer = self.judged_effect(&policy, (&call_id, &effect), &asked).await?;
        self.gateway
            .ledger
            .append(records::effect(&self.gateway, &call_id, &asked, &answer))
            .await
            .map_err(|error| Status::unavailable(format!("the decision can't be recorded: {error}")))?;
        Ok(Response::new(answer))
    }

    async fn list_tools(
        &self,
        request: Request<ListToolsRequest>,
    ) -> Result<Response<ListToolsResponse>, Status> {
        let policy = self.gateway.policy.current();
        self.door.guardian(&self.gateway, &policy, &request)?;
        Ok(Response::new(ListToolsResponse {
            policy_digest: policy.digest.clone(),
            tools: policy.engine.tools().into_iter().map(visible).collect(),
            summary: policy.engine.summary().unwrap_or_default(),
        }))
    }
}

fn response(policy: &Enforced, decision: Decision) -> CheckResponse {
    let digest = policy.digest.clone();
    let (verdict, permit) = match decision.verdict {
        Judged::Allow(permit) => (Verdict::Allow, permit),
        Judged::NeedsApproval(permit) => (Verdict::NeedsApproval, permit),
        Judged::Deny(denial) => {
            return CheckResponse {
                policy_digest: digest,
                verdict: Verdict::Deny.into(),
                reason: format!("{:?}", denial.reason),
                message: denial.message.into_owned(),
                ..CheckResponse::default()
            };
        }
    };
    CheckResponse {
        policy_digest: digest,
        verdict: verdict.into(),
        grant: permit.grant.into(),
        canonical_arguments_json: permit.arguments.to_string(),
        ..CheckResponse::default()
    }
}

fn visible(tool: monstrum_guardian::VisibleTool) -> VisibleTool {
    VisibleTool {
        name: tool.name,
        description: tool.description,
        parameters_json: tool.parameters.to_string(),
        binding: tool.binding,
        operation: tool.operation,
        risk: format!("{:?}", tool.risk),
    }
}
