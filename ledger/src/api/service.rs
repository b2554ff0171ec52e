//! The `Ledger` service: each method names its caller first, then does its work.

use monstrum_wire::ledger as wire;
use monstrum_wire::ledger::ledger_server::Ledger;
use tonic::{Request, Response, Status};

use super::Api;
use crate::metrics::Method;
use crate::store::Store;

/// The methods, each with who may call it ([`Api::bot`], [`Api::spender`], [`Api::owner`], [`Api::channel`]) and what does
/// its work.
macro_rules! ledger {
    ($($method:ident($request:ident) -> $response:ident as $label:ident: $caller:ident, $work:ident;)*) => {
        #[tonic::async_trait]
        impl<S: Store> Ledger for Api<S> {
            $(async fn $method(
                &self,
                request: Request<wire::$request>,
            ) -> Result<Response<wire::$response>, Status> {
                let work = async {
                    let caller = self.$caller(&request).await?;
                    self.$work(&caller, request.into_inner()).await
                };
                self.measured(Method::$label, work).await
            })*
        }
    };
}

ledger! {
    append(AppendRequest) -> AppendResponse as Append: bot, append_record;
    acquire_session(AcquireSessionRequest) -> AcquireSessionResponse as AcquireSession: bot, acquire;
    renew_session(RenewSessionRequest) -> RenewSessionResponse as RenewSession: bot, renew;
    release_session(ReleaseSessionRequest) -> ReleaseSessionResponse as ReleaseSession: bot, release;
    advance_session(AdvanceSessionRequest) -> AdvanceSessionResponse as AdvanceSession: bot, advance;
    start_call(StartCallRequest) -> StartCallResponse as StartCall: spender, begin_call;
    finish_call(FinishCallRequest) -> FinishCallResponse as FinishCall: bot, end_call;
    unfinished_calls(UnfinishedCallsRequest) -> UnfinishedCallsResponse as UnfinishedCalls: bot, calls_unfinished;
    sum_usage(SumUsageRequest) -> SumUsageResponse as SumUsage: bot, usage;
    take_once(TakeOnceRequest) -> TakeOnceResponse as TakeOnce: owner, take;
    hold_once(HoldOnceRequest) -> HoldOnceResponse as HoldOnce: owner, hold;
    settle_once(SettleOnceRequest) -> SettleOnceResponse as SettleOnce: owner, settle_hold;
    accept_message(AcceptMessageRequest) -> AcceptMessageResponse as AcceptMessage: channel, accept;
    claim_messages(ClaimMessagesRequest) -> ClaimMessagesResponse as ClaimMessages: channel, claim;
    renew_message(RenewMessageRequest) -> RenewMessageResponse as RenewMessage: channel, prolong;
    finish_message(FinishMessageRequest) -> FinishMessageResponse as FinishMessage: channel, finish;
    quota_use(QuotaUseRequest) -> QuotaUseResponse as QuotaUse: spender, counters;
    reserve(ReserveRequest) -> ReserveResponse as Reserve: spender, open_reservation;
    settle(SettleRequest) -> SettleResponse as Settle: bot, settle_reservation;
}
