//! Ids that are taken once.

use std::time::Duration;

use monstrum_wire::ledger::{
    HoldOnceRequest, HoldOnceResponse, OnceState, SettleOnceRequest, SettleOnceResponse, TakeOnceRequest,
    TakeOnceResponse,
};

use super::{Holding, Ticket};
use crate::api::{Api, Refusal, field};
use crate::store::Store;
use crate::tenant::Owner;

const LONGEST: Duration = Duration::from_hours(30 * 24);

impl<S: Store> Api<S> {
    pub(crate) async fn take(
        &self,
        owner: &Owner,
        request: TakeOnceRequest,
    ) -> Result<TakeOnceResponse, Refusal> {
        let ticket = asked(request)?;
        Ok(TakeOnceResponse {
            fresh: self.store.take_once(owner, self.clock.now(), ticket).await?,
        })
    }

    pub(crate) async fn hold(
        &self,
        owner: &Owner,
        request: HoldOnceRequest,
    ) -> Result<HoldOnceResponse, Refusal> {
        let ticket = ticket(request.scope, request.id, request.hold_seconds)?;
        let held = self
            .store
            .hold_once(owner, self.clock.now(), ticket, request.renew)
            .await?;
        let state = match held {
            Holding::Fresh => OnceState::Fresh,
            Holding::Held => OnceState::Held,
            Holding::Taken => OnceState::Taken,
        };
        Ok(HoldOnceResponse { state: state.into() })
    }

    pub(crate) async fn settle_hold(
        &self,
        owner: &Owner,
        request: SettleOnceRequest,
    ) -> Result<SettleOnceResponse, Refusal> {
        let free = request.keep_seconds == 0;
        let ticket = ticket(request.scope, request.id, request.keep_seconds.max(1))?;
        self.store
            .settle_once(owner, self.clock.now(), ticket, free)
            .await?;
        Ok(SettleOnceResponse {})
    }
}

pub(crate) fn asked(request: TakeOnceRequest) -> Result<Ticket, Refusal> {
    ticket(request.scope, request.id, request.keep_seconds)
}

pub(crate) fn ticket(scope: String, id: String, keep_seconds: u32) -> Result<Ticket, Refusal> {
    Ok(Ticket {
        scope: field::path("scope", scope)?,
        id: field::name("id", id)?,
        keep: field::seconds("keep_seconds", keep_seconds, LONGEST)?,
    })
}
