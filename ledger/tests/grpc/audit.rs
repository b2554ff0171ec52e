//! Reading the audit.

use monstrum_wire::audit::Verifier;
use monstrum_wire::identity::Identity;
use monstrum_wire::ledger::{AppendRequest, AuditRecord, HeadRequest, ReadRequest};
use tonic::Code;

use crate::installation::{Installation, gateway};

async fn write(installation: &Installation, identity: &Identity, count: u64) {
    let mut ledger = installation.ledger(identity);
    for number in 1..=count {
        let record = AuditRecord {
            kind: "decision".to_owned(),
            session: if number % 3 == 0 { "third" } else { "other" }.to_owned(),
            arguments_json: "{}".to_owned(),
            ..AuditRecord::default()
        };
        let written = ledger
            .append(AppendRequest { record: Some(record) })
            .await
            .unwrap()
            .into_inner();
        assert_eq!(written.sequence, number);
    }
}

async fn sequences(installation: &Installation, identity: &Identity, request: ReadRequest) -> Vec<u64> {
    let mut stream = installation
        .audit(identity)
        .read(request)
        .await
        .unwrap()
        .into_inner();
    let mut found = Vec::new();
    while let Some(record) = stream.message().await.unwrap() {
        found.push(record.sequence);
    }
    found
}

#[tokio::test]
async fn a_chain_of_many_pages_is_read_whole_and_verifies() {
    let installation = Installation::start().await;
    let identity = gateway("triage");
    write(&installation, &identity, 150).await;
    let mut verifier = Verifier::default();
    for record in installation.chain(&identity).await {
        verifier.push(&record).unwrap();
    }
    let head = installation
        .audit(&identity)
        .head(HeadRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(head.sequence, 150);
    verifier.finish(head.sequence, &head.hash).unwrap();
}

#[tokio::test]
async fn a_reading_begins_ends_and_filters_as_asked() {
    let installation = Installation::start().await;
    let identity = gateway("triage");
    write(&installation, &identity, 70).await;
    let read = |from_sequence, limit, session: &str| ReadRequest {
        from_sequence,
        limit,
        session: session.to_owned(),
    };
    assert_eq!(
        sequences(&installation, &identity, read(69, 0, "")).await,
        [69, 70]
    );
    assert_eq!(sequences(&installation, &identity, read(71, 0, "")).await, [0; 0]);
    assert_eq!(
        sequences(&installation, &identity, read(u64::MAX, 0, "")).await,
        [0; 0]
    );
    let many = sequences(&installation, &identity, read(2, 40, "")).await;
    assert_eq!(many, (2..=41).collect::<Vec<_>>());
    assert_eq!(
        sequences(&installation, &identity, read(0, 2, "third")).await,
        [3, 6]
    );
    assert_eq!(
        sequences(&installation, &identity, read(0, 0, "third"))
            .await
            .len(),
        23
    );
}

#[tokio::test]
async fn a_reading_that_the_end_of_the_process_cuts_off_is_an_error() {
    let installation = Installation::start().await;
    let identity = gateway("triage");
    let mut ledger = installation.ledger(&identity);
    for _ in 0..400 {
        let record = AuditRecord {
            kind: "decision".to_owned(),
            detail_json: format!("\"{}\"", "x".repeat(16_000)),
            ..AuditRecord::default()
        };
        ledger
            .append(AppendRequest { record: Some(record) })
            .await
            .unwrap();
    }
    let mut stream = installation
        .audit(&identity)
        .read(ReadRequest::default())
        .await
        .unwrap()
        .into_inner();
    stream.message().await.unwrap().unwrap();
    installation.service.request_shutdown("test");
    let cut = loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("what came so far looks like the whole"),
            Err(status) => break status,
        }
    };
    assert_eq!(cut.code(), Code::Unavailable);
}
