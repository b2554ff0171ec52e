//! What a gateway is told when a request does not fit: the contract's codes, and texts that help.

use std::time::Duration;

use monstrum_service::Channel;
use monstrum_wire::ledger::ledger_client::LedgerClient;
use monstrum_wire::ledger::{
    AcquireSessionRequest, AcquireSessionResponse, AdvanceSessionRequest, AppendRequest, AuditRecord,
    Counter, FinishCallRequest, Message, ReserveRequest, SettleRequest, StartCallRequest, Step,
    TakeOnceRequest, UsageRow,
};
use tonic::{Code, Status};

use crate::installation::{Installation, acquire, calls, code, gateway, record};

fn start(session: &str, fence: u64) -> StartCallRequest {
    StartCallRequest {
        session: session.to_owned(),
        fence,
        call_id: "c1".to_owned(),
        tool: "t".to_owned(),
        record: record("call.started").into(),
        ..StartCallRequest::default()
    }
}

fn reserve(reservation: &str) -> ReserveRequest {
    ReserveRequest {
        reservation: reservation.to_owned(),
        counters: calls(1, 1),
        ttl_seconds: 60,
    }
}

#[tokio::test]
async fn each_refusal_has_its_code() {
    let installation = Installation::start().await;
    let mut ledger = installation.ledger(&gateway("triage"));
    let held = ledger
        .acquire_session(acquire("", "gateway-1"))
        .await
        .unwrap()
        .into_inner();
    let session = held.session.as_str();
    assert_eq!(
        code(ledger.acquire_session(acquire(session, "gateway-2")).await),
        Code::Aborted
    );
    assert_eq!(
        code(ledger.start_call(start(session, 99)).await),
        Code::FailedPrecondition
    );
    ledger.start_call(start(session, held.fence)).await.unwrap();
    assert_eq!(
        code(ledger.start_call(start(session, held.fence)).await),
        Code::AlreadyExists
    );
    let finish = FinishCallRequest {
        call_id: "c1".to_owned(),
        outcome: "error".to_owned(),
        record: record("x").into(),
        settlement: None,
    };
    ledger.finish_call(finish.clone()).await.unwrap();
    assert_eq!(code(ledger.finish_call(finish).await), Code::AlreadyExists);
    ledger.reserve(reserve("r1")).await.unwrap();
    ledger.reserve(reserve("r1")).await.unwrap();
    let exhausted = ledger.reserve(reserve("r2")).await.unwrap_err();
    assert_eq!(exhausted.code(), Code::ResourceExhausted);
    assert!(exhausted.message().contains("1 of 1"), "{}", exhausted.message());
    let settle = SettleRequest {
        reservation: "r1".to_owned(),
        counters: calls(1, 0),
    };
    ledger.settle(settle).await.unwrap();
    assert_eq!(
        code(ledger.reserve(reserve("r1")).await),
        Code::FailedPrecondition
    );
}

/// The session in another gateway's hands, as soon as the first one's lease of a second is over.
async fn once_lapsed(ledger: &mut LedgerClient<Channel>, session: &str) -> AcquireSessionResponse {
    for _ in 0..100 {
        match ledger.acquire_session(acquire(session, "gateway-2")).await {
            Ok(held) => return held.into_inner(),
            Err(status) => assert_eq!(status.code(), Code::Aborted),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the lease never ends");
}

#[tokio::test]
async fn a_session_goes_from_hand_to_hand_with_its_messages() {
    let installation = Installation::start().await;
    let mut ledger = installation.ledger(&gateway("triage"));
    let request = AcquireSessionRequest {
        ttl_seconds: 1,
        ..acquire("", "gateway-1")
    };
    let first = ledger.acquire_session(request).await.unwrap().into_inner();
    let messages = vec![
        Message {
            role: "user".to_owned(),
            content_json: "\"hi\"".to_owned(),
            ..Message::default()
        },
        Message {
            role: "assistant".to_owned(),
            content_json: "\"hello\"".to_owned(),
            ..Message::default()
        },
    ];
    let step = AdvanceSessionRequest {
        session: first.session.clone(),
        fence: first.fence,
        step: Some(Step {
            messages,
            ..Step::default()
        }),
    };
    assert_eq!(
        ledger
            .advance_session(step.clone())
            .await
            .unwrap()
            .into_inner()
            .last_position,
        2
    );
    let second = once_lapsed(&mut ledger, &first.session).await;
    assert_eq!(second.abandoned_by, "gateway-1");
    assert_eq!(code(ledger.advance_session(step).await), Code::FailedPrecondition);
    let roles: Vec<_> = second
        .messages
        .iter()
        .map(|message| (message.position, message.role.as_str()))
        .collect();
    assert_eq!(roles, [(1, "user"), (2, "assistant")]);
}

/// A step of a session that nobody holds.
fn advance(step: Step) -> AdvanceSessionRequest {
    AdvanceSessionRequest {
        session: "s".to_owned(),
        fence: 1,
        step: Some(step),
    }
}

/// Refused, with a text that names the field.
fn names(status: Result<tonic::Response<impl std::fmt::Debug>, Status>, field: &str) {
    let status = status.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    assert!(status.message().starts_with(field), "{}", status.message());
}

#[tokio::test]
async fn a_session_out_of_bounds_is_refused_by_its_field() {
    let installation = Installation::start().await;
    let mut ledger = installation.ledger(&gateway("triage"));
    names(ledger.acquire_session(acquire("s", "")).await, "holder");
    names(
        ledger.acquire_session(acquire(&"s".repeat(999), "g")).await,
        "session",
    );
    names(ledger.acquire_session(acquire("a\u{0}b", "g")).await, "session");
    let forever = AcquireSessionRequest {
        ttl_seconds: u32::MAX,
        ..acquire("", "g")
    };
    names(ledger.acquire_session(forever).await, "ttl_seconds");
    for (role, content, field) in [
        ("system", "\"x\"".to_owned(), "messages.role"),
        ("user", String::new(), "messages.content_json"),
        ("user", "x".repeat(600 * 1024), "messages.content_json"),
    ] {
        let messages = vec![Message {
            role: role.to_owned(),
            content_json: content,
            ..Message::default()
        }];
        let request = advance(Step {
            messages,
            ..Step::default()
        });
        names(ledger.advance_session(request).await, field);
    }
}

#[tokio::test]
async fn a_record_or_call_out_of_bounds_is_refused_by_its_field() {
    let installation = Installation::start().await;
    let mut ledger = installation.ledger(&gateway("triage"));
    names(ledger.append(AppendRequest { record: None }).await, "record");
    for (records, field) in [
        (vec![record("")], "record.kind"),
        (vec![record("x"); 17], "records"),
    ] {
        let request = advance(Step {
            records,
            ..Step::default()
        });
        names(ledger.advance_session(request).await, field);
    }
    names(
        ledger
            .append(AppendRequest {
                record: record("").into(),
            })
            .await,
        "record.kind",
    );
    let unnamed = StartCallRequest {
        call_id: String::new(),
        ..start("s", 1)
    };
    names(ledger.start_call(unnamed).await, "call_id");
    let unrecorded = StartCallRequest {
        record: None,
        ..start("s", 1)
    };
    names(ledger.start_call(unrecorded).await, "record");
    let maybe = FinishCallRequest {
        call_id: "c".to_owned(),
        outcome: "maybe".to_owned(),
        record: record("x").into(),
        settlement: None,
    };
    names(ledger.finish_call(maybe).await, "outcome");
}

#[tokio::test]
async fn use_out_of_bounds_is_refused_by_its_field() {
    let installation = Installation::start().await;
    let mut ledger = installation.ledger(&gateway("triage"));
    let usage = UsageRow {
        provider: "p".to_owned(),
        model: "m".to_owned(),
        cost_micro_usd: u64::MAX,
        ..UsageRow::default()
    };
    let request = advance(Step {
        usage: vec![usage],
        ..Step::default()
    });
    names(ledger.advance_session(request).await, "usage.cost_micro_usd");
    let never = TakeOnceRequest {
        scope: "s".to_owned(),
        id: "i".to_owned(),
        keep_seconds: 0,
    };
    names(ledger.take_once(never.clone()).await, "keep_seconds");
    let request = advance(Step {
        once: Some(never),
        ..Step::default()
    });
    names(ledger.advance_session(request).await, "keep_seconds");
    let counters = vec![Counter {
        window_seconds: u64::MAX,
        ..calls(1, 1).remove(0)
    }];
    names(
        ledger
            .reserve(ReserveRequest {
                counters,
                ..reserve("r")
            })
            .await,
        "counters.window_seconds",
    );
    let counters = calls(u64::MAX, u64::MAX);
    names(
        ledger
            .reserve(ReserveRequest {
                counters,
                ..reserve("r")
            })
            .await,
        "counters.amount",
    );
}

#[tokio::test]
async fn a_request_over_the_bound_is_refused_and_a_big_record_under_it_is_kept() {
    let installation = Installation::start().await;
    let identity = gateway("triage");
    let mut ledger = installation.ledger(&identity);
    let sized = |bytes: usize| AppendRequest {
        record: Some(AuditRecord {
            kind: "decision".to_owned(),
            arguments_json: format!("\"{}\"", "x".repeat(bytes)),
            ..AuditRecord::default()
        }),
    };
    assert_eq!(code(ledger.append(sized(1024 * 1024)).await), Code::OutOfRange);
    ledger.append(sized(1000 * 1024)).await.unwrap();
    let kept = installation.chain(&identity).await.remove(0);
    assert!(kept.arguments_json.len() <= 16 * 1024);
    assert!(kept.arguments_json.contains("\"truncated\":true"));
}

#[tokio::test]
async fn sixty_four_gateway_requests_at_once_spend_a_budget_of_one_once() {
    let installation = Installation::start().await;
    let ledger = installation.ledger(&gateway("triage"));
    let mut attempts = tokio::task::JoinSet::new();
    for n in 0..64 {
        let mut ledger = ledger.clone();
        attempts.spawn(async move { ledger.reserve(reserve(&format!("r{n}"))).await.map(drop) });
    }
    let answers = attempts.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(
        answers
            .iter()
            .filter_map(|answer| answer.as_ref().err())
            .all(|s| s.code() == Code::ResourceExhausted)
    );
}
