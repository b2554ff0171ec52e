//! Whoever is gone gets nothing: not over a new connection, not over an open one, not with a certificate of an earlier issue.

use std::time::Duration;

use monstrum_ledger::enrolment;
use monstrum_service::{Channel, Roster};
use monstrum_wire::identity::Identity;
use monstrum_wire::ledger::audit_client::AuditClient;
use monstrum_wire::ledger::ledger_client::LedgerClient;
use monstrum_wire::ledger::{AppendRequest, ClaimMessagesRequest, ReadRequest};
use tonic::{Code, Status};

use crate::callers::{acceptance, codes, codes_of_messages, ticket};
use crate::installation::{Installation, LATER_UID, UID, channel, code, gateway, namesake, record};

fn append() -> AppendRequest {
    AppendRequest {
        record: record("decision").into(),
    }
}

/// Tries with the certificate of an open connection.
async fn append_over(channel: Channel) -> Result<(), Status> {
    LedgerClient::new(channel).append(append()).await.map(drop)
}

#[tokio::test]
async fn a_dismissed_bots_certificate_gets_nothing_on_any_method() {
    let installation = Installation::start().await;
    let (before, later) = (gateway("triage"), namesake("triage"));
    let copied = installation.channel_of(&installation.authority, &before);
    append_over(copied.clone()).await.unwrap();
    installation.dismiss(&before);
    installation.ledger(&later).append(append()).await.unwrap();
    let mut ledger = LedgerClient::new(copied.clone());
    assert_eq!(code(ledger.append(append()).await), Code::PermissionDenied);
    assert_eq!(
        code(ledger.take_once(ticket("webhook")).await),
        Code::PermissionDenied
    );
    let read = AuditClient::new(copied).read(ReadRequest::default()).await;
    assert_eq!(read.unwrap_err().code(), Code::PermissionDenied);
    assert_eq!(installation.chain(&later).await.len(), 1);
}

#[tokio::test]
async fn a_dismissed_channels_certificate_gets_nothing_and_its_namesake_nothing_of_it() {
    let installation = Installation::start().await;
    let (before, later) = (channel("team-a", UID), channel("team-a", LATER_UID));
    let copied = installation.channel_of(&installation.authority, &before);
    let mut ledger = LedgerClient::new(copied);
    assert!(
        ledger
            .accept_message(acceptance("hello"))
            .await
            .unwrap()
            .into_inner()
            .fresh
    );
    installation.dismiss(&before);
    assert_eq!(
        code(ledger.accept_message(acceptance("x")).await),
        Code::PermissionDenied
    );
    assert_eq!(
        code(ledger.take_once(ticket("webhook")).await),
        Code::PermissionDenied
    );
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let claim = ClaimMessagesRequest {
        scope: "webhook".to_owned(),
        lease_seconds: 30,
        limit: 10,
    };
    assert_eq!(
        code(ledger.claim_messages(claim.clone()).await),
        Code::PermissionDenied
    );
    let mut ledger = installation.ledger(&later);
    assert_eq!(
        ledger.claim_messages(claim).await.unwrap().into_inner().messages,
        []
    );
    assert!(
        ledger
            .accept_message(acceptance("new"))
            .await
            .unwrap()
            .into_inner()
            .fresh,
        "an id that the one before took is free"
    );
}

#[tokio::test]
async fn only_the_certificates_issued_last_are_good() {
    let installation = Installation::start().await;
    let bot = gateway("triage");
    let copied = installation.channel_of(&installation.authority, &bot);
    append_over(copied.clone()).await.unwrap();
    installation.withdraw_certificates(&bot);
    let renewed = installation.channel_of(&installation.authority, &bot);
    append_over(renewed).await.unwrap();
    let refused = append_over(copied).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn without_the_operators_word_nobody_is_answered() {
    let installation = Installation::start().await;
    let bot = gateway("triage");
    let connection = installation.channel_of(&installation.authority, &bot);
    append_over(connection.clone()).await.unwrap();
    installation.roster.prolong(Duration::ZERO);
    let refused = append_over(connection.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let mut audit = AuditClient::new(connection.clone());
    let read = audit.read(ReadRequest::default()).await;
    assert_eq!(read.unwrap_err().code(), Code::Unavailable);
    installation.roster.prolong(Duration::from_mins(1));
    append_over(connection).await.unwrap();
}

#[tokio::test]
async fn whoever_may_not_call_at_all_is_told_so_first() {
    let installation = Installation::start().await;
    installation.roster.prolong(Duration::ZERO);
    for identity in [Identity::Operator, Identity::Ledger] {
        let codes = codes(&installation, &identity).await;
        assert!(
            codes.iter().all(|code| *code == Code::PermissionDenied),
            "{codes:?}"
        );
        let codes = codes_of_messages(&installation, &identity).await;
        assert!(
            codes.iter().all(|code| *code == Code::PermissionDenied),
            "{codes:?}"
        );
    }
}

#[tokio::test]
async fn an_open_connection_ends_with_its_object_and_nobody_elses_does() {
    let installation = Installation::start().await;
    let (gone, stays) = (gateway("gone"), gateway("stays"));
    let mut open = installation.ledger(&gone);
    open.append(append()).await.unwrap();
    installation.ledger(&stays).append(append()).await.unwrap();
    let before = installation.connections.count();
    let dismissals = enrolment::dismiss(installation.roster.clone(), installation.connections.clone());
    let dismissing = tokio::spawn(dismissals);
    installation.dismiss(&gone);
    let ended = tokio::time::timeout(Duration::from_secs(1), async {
        while installation.connections.count() >= before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    ended.await.unwrap();
    installation.ledger(&stays).append(append()).await.unwrap();
    dismissing.abort();
}

#[tokio::test]
async fn a_reading_under_way_ends_with_its_reader() {
    let installation = Installation::start().await;
    let bot = gateway("triage");
    let connection = installation.channel_of(&installation.authority, &bot);
    let mut ledger = LedgerClient::new(connection.clone());
    let detail = format!("{{\"x\":\"{}\"}}", "y".repeat(15_000));
    for _ in 0..200 {
        let record = monstrum_wire::ledger::AuditRecord {
            detail_json: detail.clone(),
            ..record("decision")
        };
        ledger
            .append(AppendRequest { record: Some(record) })
            .await
            .unwrap();
    }
    let mut records = AuditClient::new(connection)
        .read(ReadRequest::default())
        .await
        .unwrap()
        .into_inner();
    records.message().await.unwrap().unwrap();
    installation.dismiss(&bot);
    let ended = loop {
        match records.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("all records were given out"),
            Err(status) => break status,
        }
    };
    assert_eq!(ended.code(), Code::PermissionDenied);
}

#[test]
fn nobody_is_on_a_new_roster() {
    assert!(!Roster::default().holds());
}
