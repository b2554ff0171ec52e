//! The `Ledger` service: each method names its caller first, then does its work.

use monstrum_wire::ledger::ledger_server::Ledger;
use monstrum_wire::ledger::{
    AcceptMessageRequest, AcceptMessageResponse, AcquireSessionRequest, AcquireSessionResponse,
    AdvanceSessionRequest, AdvanceSessionResponse, AppendRequest, AppendResponse, ClaimMessagesRequest,
    ClaimMessagesResponse, FinishCallRequest, FinishCallResponse, FinishMessageRequest,
    FinishMessageResponse, HoldOnceRequest, HoldOnceResponse, QuotaUseRequest, QuotaUseResponse,
    ReleaseSessionRequest, ReleaseSessionResponse, RenewMessageRequest, RenewMessageResponse,
    RenewSessionRequest, RenewSessionResponse, ReserveRequest, ReserveResponse, SettleOnceRequest,
    SettleOnceResponse, SettleRequest, SettleResponse, StartCallRequest, StartCallResponse, SumUsageRequest,
    SumUsageResponse, TakeOnceRequest, TakeOnceResponse, UnfinishedCallsRequest, UnfinishedCallsResponse,
};
use tonic::{Request, Response, Status};

use super::Api;
use crate::metrics::Method;
use crate::store::Store;

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl<S: Store> Ledger for Api<S> {
    async fn append(&self, request: Request<AppendRequest>) -> Answer<AppendResponse> {
        let work = async {
            let bot = self.bot(&request).await?;
            self.append_record(&bot, request.into_inner()).await
        };
        self.measured(Method::Append, work).await
    }

    async fn acquire_session(
        &self,
        request: Request<AcquireSessionRequest>,
    ) -> Answer<AcquireSessionResponse> {
        let work = async {
            let bot = self.bot(&request).await?;
            self.acquire(&bot, request.into_inner()).await
        };
        self.measured(Method::AcquireSession, work).await
    }

    async fn renew_session(&self, request: Request<RenewSessionRequest>) -> Answer<RenewSessionResponse> {
        let work = async {
            let bot = self.bot(&request).await?;
            self.renew(&bot, request.into_inner()).await
        };
        self.measured(Method::RenewSession, work).await
    }

    async fn release_session(
        &self,
        request: Request<ReleaseSessionRequest>,
    ) -> Answer<ReleaseSessionResponse> {
        let work = async {
            let bot = self.bot(&request).await?;
            self.release(&bot, request.into_inner()).await
        };
        self.measured(Method::ReleaseSession, work).await
    }

    async fn advance_session(
        &self,
        request: Request<AdvanceSessionRequest>,
    ) -> Answer<AdvanceSessionResponse> {
        let work = async {
            let bot = self.bot(&request).await?;
            self.advance(&bot, request.into_inner()).await
        };
        self.measured(Method::AdvanceSession, work).await
    }

    async fn start_call(&self, request: Request<StartCallRequest>) -> Answer<StartCallResponse> {
        let work = async {
            let bot = self.bot(&request).await?;
            self.begin_call(&bot, request.into_inner()).await
        };
        self.measured(Method::StartCall, work).await
    }

    async fn finish_call(&self, request: Request<FinishCallRequest>) -> Answer<FinishCallResponse> {
        let work = async {
            let bot = self.bot(&request).await?;
            self.end_call(&bot, request.into_inner()).await
        };
        self.measured(Method::FinishCall, work).await
    }

    async fn unfinished_calls(
        &self,
        request: Request<UnfinishedCallsRequest>,
    ) -> Answer<UnfinishedCallsResponse> {
        let work = async {
            let bot = self.bot(&request).await?;
            self.calls_unfinished(&bot, request.into_inner()).await
        };
        self.measured(Method::UnfinishedCalls, work).await
    }

    async fn sum_usage(&self, request: Request<SumUsageRequest>) -> Answer<SumUsageResponse> {
        let work = async {
            let bot = self.bot(&request).await?;
            self.usage(&bot, request.into_inner()).await
        };
        self.measured(Method::SumUsage, work).await
    }

    async fn take_once(&self, request: Request<TakeOnceRequest>) -> Answer<TakeOnceResponse> {
        let work = async {
            let owner = self.owner(&request).await?;
            self.take(&owner, request.into_inner()).await
        };
        self.measured(Method::TakeOnce, work).await
    }

    async fn hold_once(&self, request: Request<HoldOnceRequest>) -> Answer<HoldOnceResponse> {
        let work = async {
            let owner = self.owner(&request).await?;
            self.hold(&owner, request.into_inner()).await
        };
        self.measured(Method::HoldOnce, work).await
    }

    async fn settle_once(&self, request: Request<SettleOnceRequest>) -> Answer<SettleOnceResponse> {
        let work = async {
            let owner = self.owner(&request).await?;
            self.settle_hold(&owner, request.into_inner()).await
        };
        self.measured(Method::SettleOnce, work).await
    }

    async fn accept_message(&self, request: Request<AcceptMessageRequest>) -> Answer<AcceptMessageResponse> {
        let work = async {
            let owner = self.channel(&request).await?;
            self.accept(&owner, request.into_inner()).await
        };
        self.measured(Method::AcceptMessage, work).await
    }

    async fn claim_messages(&self, request: Request<ClaimMessagesRequest>) -> Answer<ClaimMessagesResponse> {
        let work = async {
            let owner = self.channel(&request).await?;
            self.claim(&owner, request.into_inner()).await
        };
        self.measured(Method::ClaimMessages, work).await
    }

    async fn renew_message(&self, request: Request<RenewMessageRequest>) -> Answer<RenewMessageResponse> {
        let work = async {
            let owner = self.channel(&request).await?;
            self.prolong(&owner, request.into_inner()).await
        };
        self.measured(Method::RenewMessage, work).await
    }

    async fn finish_message(&self, request: Request<FinishMessageRequest>) -> Answer<FinishMessageResponse> {
        let work = async {
            let owner = self.channel(&request).await?;
            self.finish(&owner, request.into_inner()).await
        };
        self.measured(Method::FinishMessage, work).await
    }

    async fn quota_use(&self, request: Request<QuotaUseRequest>) -> Answer<QuotaUseResponse> {
        let work = async {
            let spender = self.spender(&request).await?;
            self.counters(&spender, request.into_inner()).await
        };
        self.measured(Method::QuotaUse, work).await
    }

    async fn reserve(&self, request: Request<ReserveRequest>) -> Answer<ReserveResponse> {
        let work = async {
            let spender = self.spender(&request).await?;
            self.open_reservation(&spender, request.into_inner()).await
        };
        self.measured(Method::Reserve, work).await
    }

    async fn settle(&self, request: Request<SettleRequest>) -> Answer<SettleResponse> {
        let work = async {
            let bot = self.bot(&request).await?;
            self.settle_reservation(&bot, request.into_inner()).await
        };
        self.measured(Method::Settle, work).await
    }
}
