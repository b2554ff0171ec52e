//! The Ledger and Audit services over memory, for one bot; it can be made unreachable.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use monstrum_wire::audit;
use monstrum_wire::ledger::audit_server::Audit;
use monstrum_wire::ledger::ledger_server::Ledger;
use monstrum_wire::ledger::*;
use tonic::{Request, Response, Status};

use crate::inbox::Inbox;

type Answer<T> = Result<Response<T>, Status>;

/// What the ledger keeps.
#[derive(Default)]
pub struct State {
    pub records: Vec<AuditRecord>,
    pub sessions: HashMap<String, Session>,
    pub calls: Vec<CallRow>,
    pub usage: Vec<UsageRow>,
    pub reservations: HashMap<String, Vec<Counter>>,
    pub settled: Vec<Counter>,
    pub inbox: Inbox,
    pub(super) once: HashSet<(String, String)>,
    held: HashSet<(String, String)>,
}

/// One session.
#[derive(Default, Clone)]
pub struct Session {
    pub channel: String,
    pub messages: Vec<Message>,
    pub holder: Option<String>,
    fence: u64,
    until: Option<Instant>,
}

/// One call.
#[derive(Clone)]
pub struct CallRow {
    pub session: String,
    pub call: UnfinishedCall,
    pub outcome: Option<String>,
}

/// The services.
#[derive(Clone, Default)]
pub struct MemoryLedger {
    pub state: Arc<Mutex<State>>,
    pub down: Arc<AtomicBool>,
    /// When this many further calls were started, the ledger goes down before the next answer; negative for never.
    pub down_at_start: Arc<AtomicI64>,
    pub refuse_finish: Arc<AtomicBool>,
    pub refuse_settlements: Arc<AtomicBool>,
    /// It can't tell what is used.
    pub blind: Arc<AtomicBool>,
    /// It tells that more is used than any limit holds.
    pub exhausted: Arc<AtomicBool>,
}

impl MemoryLedger {
    pub fn records(&self, kind: &str) -> Vec<AuditRecord> {
        self.state
            .lock()
            .unwrap()
            .records
            .iter()
            .filter(|record| record.kind == kind)
            .cloned()
            .collect()
    }

    pub fn outcomes(&self) -> Vec<Option<String>> {
        self.state
            .lock()
            .unwrap()
            .calls
            .iter()
            .map(|row| row.outcome.clone())
            .collect()
    }

    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Gives the session to another gateway.
    pub fn steal(&self, session: &str) {
        let mut state = self.state.lock().unwrap();
        let row = state.sessions.get_mut(session).unwrap();
        row.fence += 1;
        row.holder = Some("another".to_owned());
    }

    /// As if so much was said since that nothing of before is read any more.
    pub fn forget(&self, session: &str) {
        let mut state = self.state.lock().unwrap();
        state.sessions.get_mut(session).unwrap().messages.clear();
    }

    pub fn is_held(&self, session: &str) -> bool {
        self.state.lock().unwrap().sessions[session].holder.is_some()
    }

    /// Ends the hold of a session as its gateway's death would.
    pub fn expire(&self, session: &str) {
        self.state
            .lock()
            .unwrap()
            .sessions
            .get_mut(session)
            .unwrap()
            .until = Some(Instant::now());
    }

    fn up(&self) -> Result<std::sync::MutexGuard<'_, State>, Status> {
        if self.down.load(Ordering::SeqCst) {
            return Err(Status::unavailable("the ledger is down"));
        }
        Ok(self.state.lock().unwrap())
    }
}

fn add(state: &mut State, record: Option<AuditRecord>) -> (u64, String) {
    let mut record = record.unwrap();
    record.sequence = state.records.len() as u64 + 1;
    record.bot = "team-a/triage".to_owned();
    record.previous_hash = state
        .records
        .last()
        .map_or(audit::GENESIS.to_owned(), |last| last.hash.clone());
    record.hash = audit::hash(&record);
    let head = (record.sequence, record.hash.clone());
    state.records.push(record);
    head
}

fn known<'a>(state: &'a mut State, session: &str) -> Result<&'a mut Session, Status> {
    let row = state.sessions.get_mut(session);
    row.ok_or_else(|| Status::not_found("unknown session"))
}

fn held<'a>(state: &'a mut State, session: &str, fence: u64) -> Result<&'a mut Session, Status> {
    let row = known(state, session)?;
    if row.fence != fence || row.holder.is_none() || row.until.is_none_or(|until| until < Instant::now()) {
        return Err(Status::failed_precondition("not held"));
    }
    Ok(row)
}

fn write(state: &mut State, session: &str, fence: u64, step: Step) -> Result<u64, Status> {
    held(state, session, fence)?;
    if let Some(once) = step.once
        && !state.once.insert((once.scope, once.id))
    {
        return Err(Status::already_exists("taken before"));
    }
    for record in step.records {
        add(state, Some(record));
    }
    state.usage.extend(step.usage);
    let row = held(state, session, fence)?;
    for mut message in step.messages {
        message.position = row.messages.len() as u64 + 1;
        row.messages.push(message);
    }
    if step.release {
        row.holder = None;
    }
    Ok(row.messages.len() as u64)
}

#[tonic::async_trait]
impl Ledger for MemoryLedger {
    async fn append(&self, request: Request<AppendRequest>) -> Answer<AppendResponse> {
        let mut state = self.up()?;
        let (sequence, hash) = add(&mut state, request.into_inner().record);
        Ok(Response::new(AppendResponse { sequence, hash }))
    }

    async fn acquire_session(
        &self,
        request: Request<AcquireSessionRequest>,
    ) -> Answer<AcquireSessionResponse> {
        let mut state = self.up()?;
        let request = request.into_inner();
        let row = state
            .sessions
            .entry(request.session.clone())
            .or_insert_with(|| Session {
                channel: request.channel.clone(),
                ..Session::default()
            });
        if row.channel != request.channel {
            return Err(Status::permission_denied(
                "the session belongs to another channel",
            ));
        }
        let lives = row.holder.is_some() && row.until.is_some_and(|until| until > Instant::now());
        if lives && row.holder.as_deref() != Some(&request.holder) {
            return Err(Status::aborted("held"));
        }
        let abandoned_by = row.holder.replace(request.holder).unwrap_or_default();
        row.fence += 1;
        row.until = Some(Instant::now() + Duration::from_secs(u64::from(request.ttl_seconds)));
        let skip = row.messages.len().saturating_sub(request.tail as usize);
        let (fence, messages) = (row.fence, row.messages[skip..].to_vec());
        let open_call = |row: &CallRow| row.session == request.session && row.outcome.is_none();
        let in_order = abandoned_by.is_empty() && !state.calls.iter().any(open_call);
        let opening = request.opening.filter(|_| in_order);
        let outcome = opening.map(|opening| write(&mut state, &request.session, fence, opening));
        Ok(Response::new(AcquireSessionResponse {
            session: request.session,
            fence,
            abandoned_by,
            messages,
            opened: matches!(outcome, Some(Ok(_))),
            taken: matches!(outcome, Some(Err(_))),
        }))
    }

    async fn renew_session(&self, request: Request<RenewSessionRequest>) -> Answer<RenewSessionResponse> {
        let mut state = self.up()?;
        let request = request.into_inner();
        let row = known(&mut state, &request.session)?;
        if row.fence != request.fence {
            return Err(Status::failed_precondition("not held"));
        }
        row.until = Some(Instant::now() + Duration::from_secs(u64::from(request.ttl_seconds)));
        Ok(Response::new(RenewSessionResponse {}))
    }

    async fn release_session(
        &self,
        request: Request<ReleaseSessionRequest>,
    ) -> Answer<ReleaseSessionResponse> {
        let mut state = self.up()?;
        let request = request.into_inner();
        let row = known(&mut state, &request.session)?;
        if row.fence == request.fence {
            row.holder = None;
        }
        Ok(Response::new(ReleaseSessionResponse {}))
    }

    async fn advance_session(
        &self,
        request: Request<AdvanceSessionRequest>,
    ) -> Answer<AdvanceSessionResponse> {
        let mut state = self.up()?;
        let request = request.into_inner();
        let step = request.step.unwrap();
        let last_position = write(&mut state, &request.session, request.fence, step)?;
        Ok(Response::new(AdvanceSessionResponse { last_position }))
    }

    async fn start_call(&self, request: Request<StartCallRequest>) -> Answer<StartCallResponse> {
        if self.down_at_start.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.set_down(true);
        }
        let mut state = self.up()?;
        let request = request.into_inner();
        held(&mut state, &request.session, request.fence)?;
        if state.calls.iter().any(|row| row.call.call_id == request.call_id) {
            return Err(Status::already_exists("started before"));
        }
        if let Some(reservation) = request.reservation {
            reserve(&mut state, request.call_id.clone(), reservation.counters)?;
        }
        let mut record = request.record.unwrap();
        record.call_id.clone_from(&request.call_id);
        record.kind = "call.started".to_owned();
        let (sequence, _) = add(&mut state, Some(record));
        let call = UnfinishedCall {
            call_id: request.call_id,
            turn: request.turn,
            tool: request.tool,
            idempotent: request.idempotent,
            started_micros: 1,
        };
        state.calls.push(CallRow {
            session: request.session,
            call,
            outcome: None,
        });
        Ok(Response::new(StartCallResponse { sequence }))
    }

    async fn finish_call(&self, request: Request<FinishCallRequest>) -> Answer<FinishCallResponse> {
        if self.refuse_finish.load(Ordering::SeqCst) {
            return Err(Status::unavailable("the ledger is down"));
        }
        let mut state = self.up()?;
        let request = request.into_inner();
        let row = state
            .calls
            .iter_mut()
            .find(|row| row.call.call_id == request.call_id);
        let row = row.ok_or_else(|| Status::not_found("unknown call"))?;
        if row.outcome.is_some() {
            return Err(Status::already_exists("finished before"));
        }
        row.outcome = Some(request.outcome);
        let settled = !self.refuse_settlements.load(Ordering::SeqCst);
        if let Some(settlement) = request.settlement.filter(|_| settled) {
            state.reservations.remove(&request.call_id);
            state.settled.extend(settlement.counters);
        }
        let (sequence, _) = add(&mut state, request.record);
        Ok(Response::new(FinishCallResponse { sequence }))
    }

    async fn unfinished_calls(
        &self,
        request: Request<UnfinishedCallsRequest>,
    ) -> Answer<UnfinishedCallsResponse> {
        let state = self.up()?;
        let session = request.into_inner().session;
        let open = state
            .calls
            .iter()
            .filter(|row| row.session == session && row.outcome.is_none());
        Ok(Response::new(UnfinishedCallsResponse {
            calls: open.map(|row| row.call.clone()).collect(),
        }))
    }

    async fn sum_usage(&self, _: Request<SumUsageRequest>) -> Answer<SumUsageResponse> {
        Ok(Response::new(SumUsageResponse {
            rows: self.up()?.usage.clone(),
        }))
    }

    async fn take_once(&self, request: Request<TakeOnceRequest>) -> Answer<TakeOnceResponse> {
        let request = request.into_inner();
        let fresh = self.up()?.once.insert((request.scope, request.id));
        Ok(Response::new(TakeOnceResponse { fresh }))
    }

    async fn hold_once(&self, request: Request<HoldOnceRequest>) -> Answer<HoldOnceResponse> {
        let request = request.into_inner();
        let mut state = self.up()?;
        let id = (request.scope, request.id);
        let known = if state.once.contains(&id) {
            OnceState::Taken
        } else if state.held.insert(id) && !request.renew {
            OnceState::Fresh
        } else {
            OnceState::Held
        };
        Ok(Response::new(HoldOnceResponse { state: known.into() }))
    }

    async fn settle_once(&self, request: Request<SettleOnceRequest>) -> Answer<SettleOnceResponse> {
        let request = request.into_inner();
        let mut state = self.up()?;
        let id = (request.scope, request.id);
        state.held.remove(&id);
        if request.keep_seconds > 0 {
            state.once.insert(id);
        }
        Ok(Response::new(SettleOnceResponse {}))
    }

    async fn accept_message(&self, request: Request<AcceptMessageRequest>) -> Answer<AcceptMessageResponse> {
        let request = request.into_inner();
        let mut state = self.up()?;
        let fresh = state.once.insert((request.scope.clone(), request.id.clone()));
        if fresh {
            state.inbox.accept(request);
        }
        Ok(Response::new(AcceptMessageResponse { fresh }))
    }

    async fn claim_messages(&self, request: Request<ClaimMessagesRequest>) -> Answer<ClaimMessagesResponse> {
        let messages = self.up()?.inbox.claim(&request.into_inner());
        Ok(Response::new(ClaimMessagesResponse { messages }))
    }

    async fn renew_message(&self, request: Request<RenewMessageRequest>) -> Answer<RenewMessageResponse> {
        self.up()?.inbox.renew(&request.into_inner())?;
        Ok(Response::new(RenewMessageResponse {}))
    }

    async fn finish_message(&self, request: Request<FinishMessageRequest>) -> Answer<FinishMessageResponse> {
        self.up()?.inbox.finish(&request.into_inner())?;
        Ok(Response::new(FinishMessageResponse {}))
    }

    async fn quota_use(&self, request: Request<QuotaUseRequest>) -> Answer<QuotaUseResponse> {
        if self.blind.load(Ordering::SeqCst) {
            return Err(Status::unavailable("the ledger is down"));
        }
        let state = self.up()?;
        let mut counters = request.into_inner().counters;
        for counter in &mut counters {
            counter.amount = used(&state, counter);
            if self.exhausted.load(Ordering::SeqCst) {
                counter.amount = u64::MAX;
            }
        }
        Ok(Response::new(QuotaUseResponse { counters }))
    }

    async fn reserve(&self, request: Request<ReserveRequest>) -> Answer<ReserveResponse> {
        let mut state = self.up()?;
        let request = request.into_inner();
        reserve(&mut state, request.reservation, request.counters)?;
        Ok(Response::new(ReserveResponse {}))
    }

    async fn settle(&self, request: Request<SettleRequest>) -> Answer<SettleResponse> {
        if self.refuse_settlements.load(Ordering::SeqCst) {
            return Err(Status::unavailable("the ledger is down"));
        }
        let mut state = self.up()?;
        let request = request.into_inner();
        state.reservations.remove(&request.reservation);
        state.settled.extend(request.counters);
        Ok(Response::new(SettleResponse {}))
    }
}

fn reserve(state: &mut State, reservation: String, counters: Vec<Counter>) -> Result<(), Status> {
    if counters
        .iter()
        .any(|counter| used(state, counter) + counter.amount > counter.limit)
    {
        return Err(Status::resource_exhausted("a counter has no room"));
    }
    state.reservations.insert(reservation, counters);
    Ok(())
}

fn used(state: &State, counter: &Counter) -> u64 {
    let same = |other: &&Counter| {
        (other.of, &other.binding, &other.quota) == (counter.of, &counter.binding, &counter.quota)
    };
    let reserved = state.reservations.values().flatten();
    state
        .settled
        .iter()
        .chain(reserved)
        .filter(same)
        .map(|other| other.amount)
        .sum()
}

#[tonic::async_trait]
impl Audit for MemoryLedger {
    type ReadStream = futures::stream::BoxStream<'static, Result<AuditRecord, Status>>;

    async fn read(&self, request: Request<ReadRequest>) -> Answer<Self::ReadStream> {
        let from = request.into_inner().from_sequence;
        let records: Vec<_> = self
            .up()?
            .records
            .iter()
            .filter(|record| record.sequence >= from)
            .cloned()
            .map(Ok)
            .collect();
        Ok(Response::new(Box::pin(futures::stream::iter(records))))
    }

    async fn head(&self, _: Request<HeadRequest>) -> Answer<HeadResponse> {
        let state = self.up()?;
        let last = state.records.last();
        Ok(Response::new(HeadResponse {
            sequence: last.map_or(0, |last| last.sequence),
            hash: last.map_or(audit::GENESIS.to_owned(), |last| last.hash.clone()),
        }))
    }
}
