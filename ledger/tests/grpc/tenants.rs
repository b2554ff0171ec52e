//! A bot with another bot's ids in its hands: it reaches nothing, changes nothing, and learns nothing.

use monstrum_service::Channel;
use monstrum_wire::audit::Verifier;
use monstrum_wire::identity::Identity;
use monstrum_wire::ledger::ledger_client::LedgerClient;
use monstrum_wire::ledger::{
    AdvanceSessionRequest, AppendRequest, AuditRecord, FinishCallRequest, HeadRequest, Message,
    QuotaUseRequest, ReadRequest, ReleaseSessionRequest, RenewSessionRequest, ReserveRequest, SettleRequest,
    StartCallRequest, Step, SumUsageRequest, UnfinishedCallsRequest, UsageRow,
};
use tonic::Code;

use crate::installation::{Installation, UID, acquire, calls, code, gateway, namesake, record};

/// A bot in the middle of a turn.
struct Victim {
    identity: Identity,
    ledger: LedgerClient<Channel>,
    session: String,
    fence: u64,
}

const CALL: &str = "call-1";
const RESERVATION: &str = "reservation-1";

fn message(text: &str) -> Message {
    Message {
        role: "user".to_owned(),
        content_json: format!("{text:?}"),
        ..Message::default()
    }
}

/// A step that says something and used something.
fn step(session: &str, fence: u64, text: &str) -> AdvanceSessionRequest {
    let usage = UsageRow {
        provider: "openai".to_owned(),
        model: "m".to_owned(),
        input_tokens: 7,
        ..UsageRow::default()
    };
    AdvanceSessionRequest {
        session: session.to_owned(),
        fence,
        step: Some(Step {
            messages: vec![message(text)],
            usage: vec![usage],
            ..Step::default()
        }),
    }
}

impl Victim {
    async fn at_work(installation: &Installation) -> Self {
        let identity = gateway("victim");
        let mut ledger = installation.ledger(&identity);
        let held = ledger
            .acquire_session(acquire("", "gateway-1"))
            .await
            .unwrap()
            .into_inner();
        let (session, fence) = (held.session, held.fence);
        ledger
            .advance_session(step(&session, fence, "the victim's secret"))
            .await
            .unwrap();
        ledger.start_call(start(&session, fence, CALL)).await.unwrap();
        ledger.reserve(reserve(RESERVATION, 5)).await.unwrap();
        Self {
            identity,
            ledger,
            session,
            fence,
        }
    }

    /// Everything is as it was, and the turn goes on.
    async fn assert_untouched(mut self, installation: &Installation) {
        let unfinished = self
            .ledger
            .unfinished_calls(unfinished(&self.session))
            .await
            .unwrap()
            .into_inner();
        assert_eq!(unfinished.calls.len(), 1);
        let sums = self
            .ledger
            .sum_usage(SumUsageRequest::default())
            .await
            .unwrap()
            .into_inner();
        assert_eq!(sums.rows[0].input_tokens, 7);
        let used = self
            .ledger
            .quota_use(QuotaUseRequest {
                counters: calls(0, 0),
            })
            .await
            .unwrap()
            .into_inner();
        assert_eq!(used.counters[0].amount, 5);
        self.ledger
            .advance_session(step(&self.session, self.fence, "and on"))
            .await
            .unwrap();
        self.ledger.finish_call(finish(CALL)).await.unwrap();
        self.ledger
            .settle(SettleRequest {
                reservation: RESERVATION.to_owned(),
                counters: calls(1, 0),
            })
            .await
            .unwrap();
        let found = self.ledger.acquire_session(acquire(&self.session, "gateway-1"));
        let found = found.await.unwrap().into_inner();
        let next = self.fence.checked_add(1);
        assert_eq!((Some(found.fence), found.messages.len()), (next, 2));
        let mut verifier = Verifier::default();
        for record in installation.chain(&self.identity).await {
            assert_eq!(record.bot, format!("team-a/victim/{UID}"));
            verifier.push(&record).unwrap();
        }
        assert_eq!(verifier.head().0, 2);
    }
}

fn start(session: &str, fence: u64, call: &str) -> StartCallRequest {
    StartCallRequest {
        session: session.to_owned(),
        fence,
        call_id: call.to_owned(),
        turn: "t1".to_owned(),
        tool: "github__list_issues".to_owned(),
        idempotent: false,
        record: record("call.started").into(),
        reservation: None,
    }
}

fn finish(call: &str) -> FinishCallRequest {
    FinishCallRequest {
        call_id: call.to_owned(),
        outcome: "ok".to_owned(),
        record: record("call.finished").into(),
        settlement: None,
    }
}

fn unfinished(session: &str) -> UnfinishedCallsRequest {
    UnfinishedCallsRequest {
        session: session.to_owned(),
    }
}

fn reserve(reservation: &str, amount: u64) -> ReserveRequest {
    ReserveRequest {
        reservation: reservation.to_owned(),
        counters: calls(amount, 5),
        ttl_seconds: 60,
    }
}

/// Every method that takes an id, with ids that are a bot's own or not: the codes of its answers.
async fn try_everything(
    ledger: &mut LedgerClient<Channel>,
    session: &str,
    fence: u64,
) -> Vec<(Code, String)> {
    let owned = session.to_owned();
    let renew = RenewSessionRequest {
        session: owned.clone(),
        fence,
        ttl_seconds: 60,
    };
    let release = ReleaseSessionRequest {
        session: owned,
        fence,
    };
    let settle = SettleRequest {
        reservation: RESERVATION.to_owned(),
        counters: calls(0, 0),
    };
    let answers = [
        ledger.unfinished_calls(unfinished(session)).await.map(drop),
        ledger.advance_session(step(session, fence, "x")).await.map(drop),
        ledger.renew_session(renew).await.map(drop),
        ledger.release_session(release).await.map(drop),
        ledger.start_call(start(session, fence, "call-2")).await.map(drop),
        ledger.finish_call(finish(CALL)).await.map(drop),
        ledger.settle(settle).await.map(drop),
    ];
    let told = answers.map(|answer| {
        answer.map_or_else(
            |s| (s.code(), s.message().to_owned()),
            |()| (Code::Ok, String::new()),
        )
    });
    told.into_iter()
        .map(|(code, text)| (code, text.replace(session, "<session>")))
        .collect()
}

#[tokio::test]
async fn another_bots_ids_are_unknown_on_every_method() {
    let installation = Installation::start().await;
    let victim = Victim::at_work(&installation).await;
    let mut attacker = installation.ledger(&gateway("attacker"));
    let foreign = try_everything(&mut attacker, &victim.session, victim.fence).await;
    assert!(
        foreign.iter().all(|(code, _)| *code == Code::NotFound),
        "{foreign:?}"
    );
    let invented = try_everything(
        &mut attacker,
        "00000000-0000-4000-8000-000000000000",
        victim.fence,
    )
    .await;
    assert_eq!(
        foreign, invented,
        "what is another bot's and what never was are told alike"
    );
    victim.assert_untouched(&installation).await;
}

#[tokio::test]
async fn taking_another_bots_ids_for_oneself_takes_nothing() {
    let installation = Installation::start().await;
    let victim = Victim::at_work(&installation).await;
    let mut attacker = installation.ledger(&gateway("attacker"));
    let held = attacker
        .acquire_session(acquire(&victim.session, "gateway-1"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!((held.fence, held.abandoned_by.as_str()), (1, ""));
    assert!(held.messages.is_empty());
    attacker
        .start_call(start(&victim.session, held.fence, CALL))
        .await
        .unwrap();
    attacker.finish_call(finish(CALL)).await.unwrap();
    attacker.reserve(reserve(RESERVATION, 5)).await.unwrap();
    attacker
        .settle(SettleRequest {
            reservation: RESERVATION.to_owned(),
            counters: calls(0, 0),
        })
        .await
        .unwrap();
    victim.assert_untouched(&installation).await;
}

#[tokio::test]
async fn a_bot_reads_only_its_own_use_and_audit() {
    let installation = Installation::start().await;
    let victim = Victim::at_work(&installation).await;
    let attacker = gateway("attacker");
    let mut ledger = installation.ledger(&attacker);
    let used = ledger
        .quota_use(QuotaUseRequest {
            counters: calls(0, 0),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(used.counters[0].amount, 0);
    assert!(
        ledger
            .sum_usage(SumUsageRequest::default())
            .await
            .unwrap()
            .into_inner()
            .rows
            .is_empty()
    );
    let mut audit = installation.audit(&attacker);
    assert_eq!(audit.head(HeadRequest {}).await.unwrap().into_inner().sequence, 0);
    for session in ["", victim.session.as_str()] {
        let request = ReadRequest {
            session: session.to_owned(),
            ..ReadRequest::default()
        };
        let mut stream = audit.read(request).await.unwrap().into_inner();
        assert_eq!(stream.message().await.unwrap(), None);
    }
    victim.assert_untouched(&installation).await;
}

#[tokio::test]
async fn a_record_that_names_another_bot_lands_in_the_callers_chain() {
    let installation = Installation::start().await;
    let victim = Victim::at_work(&installation).await;
    let attacker = gateway("attacker");
    let forged = AuditRecord {
        bot: format!("team-a/victim/{UID}"),
        sequence: 2,
        session: victim.session.clone(),
        kind: "decision".to_owned(),
        ..AuditRecord::default()
    };
    installation
        .ledger(&attacker)
        .append(AppendRequest { record: Some(forged) })
        .await
        .unwrap();
    let own = installation.chain(&attacker).await;
    assert_eq!(
        (own.len(), own[0].bot.clone(), own[0].sequence),
        (1, format!("team-a/attacker/{UID}"), 1)
    );
    victim.assert_untouched(&installation).await;
}

#[tokio::test]
async fn a_bot_of_the_same_name_in_another_namespace_is_another_bot() {
    let installation = Installation::start().await;
    let victim = Victim::at_work(&installation).await;
    let mut stranger = monstrum_wire::identity::BotId {
        namespace: "team-b".to_owned(),
        name: "victim".to_owned(),
        uid: UID.parse().unwrap(),
    };
    for namespace in ["team-b", "team", "team-a.victim"] {
        stranger.namespace = namespace.to_owned();
        let mut ledger = installation.ledger(&Identity::Gateway(stranger.clone()));
        assert_eq!(
            code(
                ledger
                    .advance_session(step(&victim.session, victim.fence, "x"))
                    .await
            ),
            Code::NotFound
        );
    }
    victim.assert_untouched(&installation).await;
}

#[tokio::test]
async fn a_bot_that_comes_later_under_the_same_name_is_another_bot() {
    let installation = Installation::start().await;
    let victim = Victim::at_work(&installation).await;
    let later = namesake("victim");
    let mut ledger = installation.ledger(&later);
    let foreign = try_everything(&mut ledger, &victim.session, victim.fence).await;
    assert!(
        foreign.iter().all(|(code, _)| *code == Code::NotFound),
        "{foreign:?}"
    );
    let counters = calls(0, 0);
    let used = ledger
        .quota_use(QuotaUseRequest { counters })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(used.counters[0].amount, 0);
    let sums = ledger
        .sum_usage(SumUsageRequest::default())
        .await
        .unwrap()
        .into_inner();
    assert_eq!(sums.rows, []);
    assert_eq!(installation.chain(&later).await, []);
    let own = ledger
        .acquire_session(acquire(&victim.session, "gateway-1"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (own.fence, own.abandoned_by.as_str(), own.messages.len()),
        (1, "", 0)
    );
    ledger
        .append(AppendRequest {
            record: record("decision").into(),
        })
        .await
        .unwrap();
    let chain = installation.chain(&later).await;
    assert_eq!((chain.len(), chain[0].sequence), (1, 1), "a chain of its own");
    victim.assert_untouched(&installation).await;
}
