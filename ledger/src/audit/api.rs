//! Appending to a bot's chain, and the `Audit` service that reads it.

use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use monstrum_service::{Peer, peer};
use monstrum_wire::ledger::audit_server::Audit;
use monstrum_wire::ledger::{
    AppendRequest, AppendResponse, AuditRecord, HeadRequest, HeadResponse, ReadRequest,
};
use tonic::{Request, Response, Status};

use super::Page;
use crate::api::{Api, Refusal, field};
use crate::metrics::Method;
use crate::store::Store;
use crate::tenant::{BotKey, Owner};

/// Records that are in memory at a time for one reader, however slow it is.
const PAGE: u32 = 32;

impl<S: Store> Api<S> {
    pub(crate) async fn append_record(
        &self,
        bot: &BotKey,
        request: AppendRequest,
    ) -> Result<AppendResponse, Refusal> {
        let record = record(field::present("record", request.record)?)?;
        let head = self.store.append(bot, self.clock.now(), record).await?;
        self.metrics.appended(1);
        Ok(AppendResponse {
            sequence: head.sequence,
            hash: head.hash,
        })
    }

    /// The records up to the head of this instant, page after page as the reader takes them.
    async fn records(&self, bot: BotKey, peer: Peer, request: ReadRequest) -> Result<Records, Refusal> {
        let session = Some(field::label("session", request.session)?).filter(|session| !session.is_empty());
        let to = self.store.head(&bot).await?.sequence;
        let left = if request.limit == 0 {
            u64::MAX
        } else {
            u64::from(request.limit)
        };
        let next = Cursor {
            page: Page {
                from: request.from_sequence,
                to,
                limit: PAGE,
                session,
            },
            left,
        };
        let api = self.clone();
        let pages = stream::try_unfold(next, move |cursor| {
            let (api, bot, peer) = (api.clone(), bot.clone(), peer.clone());
            async move {
                api.page(&bot, &peer, cursor)
                    .await
                    .map_err(|refusal| refusal.told(Method::Read))
            }
        });
        Ok(pages
            .map_ok(|page| stream::iter(page.into_iter().map(Ok)))
            .try_flatten()
            .boxed())
    }

    async fn page(
        &self,
        bot: &BotKey,
        peer: &Peer,
        mut cursor: Cursor,
    ) -> Result<Option<(Vec<AuditRecord>, Cursor)>, Refusal> {
        if cursor.left == 0 || cursor.page.from > cursor.page.to {
            return Ok(None);
        }
        if self.shutdown.is_requested() {
            // An error, so that nobody takes what came so far for the whole.
            return Err(Refusal::Stopping);
        }
        self.require_admitted(peer)?;
        cursor.page.limit = u32::try_from(cursor.left).unwrap_or(PAGE).min(PAGE);
        let _place = self.lanes.enter(Owner::from(bot).as_str()).await;
        let records = self.store.read(bot, &cursor.page).await?;
        let Some(last) = records.last() else {
            return Ok(None);
        };
        cursor.page.from = last.sequence.saturating_add(1);
        cursor.left = cursor
            .left
            .saturating_sub(u64::try_from(records.len()).unwrap_or(u64::MAX));
        Ok(Some((records, cursor)))
    }
}

/// A record that can be kept.
pub(crate) fn record(record: AuditRecord) -> Result<AuditRecord, Refusal> {
    if record.kind.is_empty() {
        return Err(field::refused("record.kind", "must not be empty"));
    }
    Ok(record)
}

/// Where a reader is.
struct Cursor {
    page: Page,
    left: u64,
}

type Records = BoxStream<'static, Result<AuditRecord, Status>>;

#[tonic::async_trait]
impl<S: Store> Audit for Api<S> {
    type ReadStream = Records;

    async fn read(&self, request: Request<ReadRequest>) -> Result<Response<Records>, Status> {
        let work = async {
            let bot = self.bot(&request).await?;
            let peer = peer(&request).map_err(Refusal::Nobody)?;
            self.records(bot.clone(), peer, request.into_inner()).await
        };
        self.measured(Method::Read, work).await
    }

    async fn head(&self, request: Request<HeadRequest>) -> Result<Response<HeadResponse>, Status> {
        let work = async {
            let bot = self.bot(&request).await?;
            let head = self.store.head(&bot).await?;
            Ok(HeadResponse {
                sequence: head.sequence,
                hash: head.hash,
            })
        };
        self.measured(Method::Head, work).await
    }
}
