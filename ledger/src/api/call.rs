//! Calls before and after their effect.

use monstrum_wire::ledger::{
    FinishCallRequest, FinishCallResponse, StartCallRequest, StartCallResponse, UnfinishedCallsRequest,
    UnfinishedCallsResponse,
};

use super::session::held;
use super::{Api, Refusal, field};
use crate::store::{Outcome, Start, Store};
use crate::tenant::BotKey;

/// Unfinished calls in one answer; a turn's parallel calls are far fewer.
const MOST: u32 = 1000;

impl<S: Store> Api<S> {
    pub(super) async fn begin_call(
        &self,
        bot: &BotKey,
        request: StartCallRequest,
    ) -> Result<StartCallResponse, Refusal> {
        let start = Start {
            held: held(request.session, request.fence)?,
            call: field::name("call_id", request.call_id)?,
            turn: field::label("turn", request.turn)?,
            tool: field::name("tool", request.tool)?,
            idempotent: request.idempotent,
            record: field::present("record", request.record)?,
        };
        let sequence = self.store.start_call(bot, self.clock.now(), start).await?;
        self.metrics.appended(1);
        Ok(StartCallResponse { sequence })
    }

    pub(super) async fn end_call(
        &self,
        bot: &BotKey,
        request: FinishCallRequest,
    ) -> Result<FinishCallResponse, Refusal> {
        let call = field::name("call_id", request.call_id)?;
        let outcome = Outcome::parse(&request.outcome)
            .ok_or_else(|| field::refused("outcome", "must be one of ok, error, unknown"))?;
        let record = field::present("record", request.record)?;
        let sequence = self
            .store
            .finish_call(bot, self.clock.now(), &call, outcome, record)
            .await?;
        self.metrics.appended(1);
        Ok(FinishCallResponse { sequence })
    }

    pub(super) async fn calls_unfinished(
        &self,
        bot: &BotKey,
        request: UnfinishedCallsRequest,
    ) -> Result<UnfinishedCallsResponse, Refusal> {
        let session = field::name("session", request.session)?;
        Ok(UnfinishedCallsResponse {
            calls: self.store.unfinished_calls(bot, &session, MOST).await?,
        })
    }
}
