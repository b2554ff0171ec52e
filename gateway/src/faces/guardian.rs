//! The Guardian, for runners (effects that only appear during execution) and for people.

use std::sync::Arc;

use monstrum_guardian::decision::{Call, Decision};
use monstrum_wire::guardian::guardian_server::{self, GuardianServer};
use monstrum_wire::guardian::{
    CheckEffectRequest, CheckRequest, CheckResponse, ListToolsRequest, ListToolsResponse, Verdict,
    VisibleTool,
};
use tonic::{Request, Response, Status};

use super::Door;
use crate::gateway::Gateway;
use crate::policy::Enforced;
use crate::turn::{records, verdict};

const MAX_MESSAGE: usize = 1 << 20;

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
        let call = Call {
            tool: &request.tool,
            arguments: &request.arguments_json,
        };
        let facts = verdict::facts(&self.gateway, policy, &call, &[])
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
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
        if !self.gateway.link.has_effect(&runner, &call_id) {
            return Err(Status::failed_precondition(
                "no such call runs, or too many of its effects were asked about",
            ));
        }
        let asked = CheckRequest { tool, arguments_json };
        let answer = self.judged(&policy, &asked).await?;
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
    use monstrum_guardian::decision::Verdict as Judged;
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
