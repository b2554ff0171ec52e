//! Calls before and after their effect.

use monstrum_wire::ledger::{
    CallReservation, FinishCallRequest, FinishCallResponse, StartCallRequest, StartCallResponse,
    UnfinishedCallsRequest, UnfinishedCallsResponse,
};

use super::{CallEnd, CallStart, Outcome, Reserve};
use crate::api::{Api, Refusal, field};
use crate::store::Store;
use crate::tenant::{BotKey, Spender};
use crate::{quota, session};

/// Unfinished calls in one answer; a turn's parallel calls are far fewer.
const MOST: u32 = 1000;

impl<S: Store> Api<S> {
    pub(crate) async fn begin_call(
        &self,
        spender: &Spender,
        request: StartCallRequest,
    ) -> Result<StartCallResponse, Refusal> {
        let start = CallStart {
            lease: session::lease(request.session, request.fence)?,
            call: field::name("call_id", request.call_id)?,
            turn: field::label("turn", request.turn)?,
            tool: field::name("tool", request.tool)?,
            idempotent: request.idempotent,
            record: field::present("record", request.record)?,
            reserve: request.reservation.map(reserve).transpose()?,
        };
        let sequence = self.store.start_call(spender, self.clock.now(), start).await?;
        self.metrics.appended(1);
        Ok(StartCallResponse { sequence })
    }

    pub(crate) async fn end_call(
        &self,
        bot: &BotKey,
        request: FinishCallRequest,
    ) -> Result<FinishCallResponse, Refusal> {
        let end = CallEnd {
            call: field::name("call_id", request.call_id)?,
            outcome: Outcome::parse(&request.outcome)
                .ok_or_else(|| field::refused("outcome", "must be one of ok, error, unknown"))?,
            record: field::present("record", request.record)?,
            uses: request
                .settlement
                .map(|settlement| quota::uses(settlement.counters))
                .transpose()?,
        };
        let sequence = self.store.finish_call(bot, self.clock.now(), end).await?;
        self.metrics.appended(1);
        Ok(FinishCallResponse { sequence })
    }

    pub(crate) async fn calls_unfinished(
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

fn reserve(asked: CallReservation) -> Result<Reserve, Refusal> {
    Ok(Reserve {
        charges: quota::charges(asked.counters)?,
        keep: quota::keep(asked.ttl_seconds)?,
    })
}
