//! What only SQLite has: its settings, its file, and how it fails.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use monstrum_wire::audit::Verifier;
use monstrum_wire::identity::BotId;
use monstrum_wire::ledger::AuditRecord;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::audit::{AuditStore as _, Page};
use crate::clock::Moment;
use crate::tenant::BotKey;

const NOW: Moment = Moment::from_micros(1_800_000_000_000_000);

async fn open(folder: &Path) -> (SqliteStore, JoinHandle<Result<(), StoreError>>) {
    let (store, writer) = SqliteStore::open(folder, Arc::new(|_, _| ())).await.unwrap();
    (store, tokio::spawn(writer.run()))
}

const UID: &str = "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11";

fn bot() -> BotKey {
    BotKey::from(&BotId {
        namespace: "team-a".to_owned(),
        name: "triage".to_owned(),
        uid: UID.parse().unwrap(),
    })
}

fn entry(bytes: usize) -> AuditRecord {
    AuditRecord {
        kind: "decision".to_owned(),
        detail_json: format!("\"{}\"", "x".repeat(bytes)),
        ..AuditRecord::default()
    }
}

async fn chain(store: &SqliteStore) -> Vec<AuditRecord> {
    let page = Page {
        from: 0,
        to: u64::MAX,
        limit: u32::MAX,
        session: None,
    };
    store.read(&bot(), &page).await.unwrap()
}

fn verify(records: &[AuditRecord]) -> Verifier {
    let mut verifier = Verifier::default();
    for record in records {
        verifier.push(record).unwrap();
    }
    verifier
}

/// Does something to the closed file that the ledger itself would not.
fn tamper(folder: &TempDir, statement: &str) {
    let connection = common(&folder.path().join(FILE), READER_CACHE_KIB).unwrap();
    let open = "DROP TRIGGER audit_record_is_never_changed; DROP TRIGGER audit_record_is_never_deleted;";
    connection.execute_batch(open).unwrap();
    connection.execute_batch(statement).unwrap();
}

/// A closed file with a chain of five.
async fn five() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (store, writer) = open(folder.path()).await;
    for _ in 0..5 {
        store.append(&bot(), NOW, entry(10)).await.unwrap();
    }
    drop(store);
    writer.await.unwrap().unwrap();
    folder
}

#[tokio::test]
async fn an_answered_write_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _writer) = open(folder.path()).await;
    let (synchronous, journal): (i64, String) = store
        .write(|connection| {
            let synchronous = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
            let journal = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
            Ok((synchronous, journal))
        })
        .await
        .unwrap();
    assert_eq!((synchronous, journal.as_str()), (2, "wal"), "2 is FULL");
}

#[tokio::test]
async fn the_files_are_for_our_user_only() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _writer) = open(folder.path()).await;
    store.append(&bot(), NOW, entry(10)).await.unwrap();
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(
            file.metadata().unwrap().permissions().mode() & 0o777,
            0o600,
            "{file:?}"
        );
        names.push(file.file_name());
    }
    assert!(names.len() >= 2, "the database and its log: {names:?}");
}

#[tokio::test]
async fn readers_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _writer) = open(folder.path()).await;
    let deleting = store.look(|connection| Ok(connection.execute("DELETE FROM audit_head", ())?));
    let StoreError::Database(error) = deleting.await.unwrap_err() else {
        panic!("a reader wrote");
    };
    assert!(error.to_string().contains("readonly"), "{error}");
}

#[tokio::test]
async fn our_own_code_cannot_change_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _writer) = open(folder.path()).await;
    store.append(&bot(), NOW, entry(10)).await.unwrap();
    for statement in [
        "UPDATE audit_record SET verdict = 'allow'",
        "DELETE FROM audit_record",
    ] {
        let result = store
            .write(move |connection| Ok(connection.execute(statement, ())?))
            .await;
        assert!(matches!(result, Err(StoreError::Database(_))), "{statement}");
    }
    assert_eq!(verify(&chain(&store).await).head().0, 1);
}

#[tokio::test]
async fn a_full_disk_loses_nothing_that_was_answered_and_answers_nothing_that_was_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _writer) = open(folder.path()).await;
    limit_pages(&store, "PRAGMA max_page_count = 120").await;
    let mut answered = 0;
    let refused = loop {
        let triage = bot();
        let group = (0..8).map(|_| store.append(&triage, NOW, entry(8000)));
        let results = futures::future::join_all(group).await;
        answered += results.iter().filter(|result| result.is_ok()).count();
        if let Some(error) = results.into_iter().find_map(Result::err) {
            break error;
        }
    };
    assert!(refused.is_failure(), "{refused}");
    assert_eq!(chain(&store).await.len(), answered);
    limit_pages(&store, "PRAGMA max_page_count = 100000").await;
    store.append(&bot(), NOW, entry(8000)).await.unwrap();
    let head = store.head(&bot()).await.unwrap();
    verify(&chain(&store).await)
        .finish(head.sequence, &head.hash)
        .unwrap();
}

async fn limit_pages(store: &SqliteStore, pragma: &'static str) {
    store
        .write(move |connection| Ok(connection.execute_batch(pragma)?))
        .await
        .unwrap();
}

/// A store, and how many jobs each of its commits held.
async fn observed(folder: &Path) -> (SqliteStore, Arc<Mutex<Vec<usize>>>) {
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&sizes);
    let observer: CommitObserver = Arc::new(move |size, _| seen.lock().unwrap().push(size));
    let (store, writer) = SqliteStore::open(folder, observer).await.unwrap();
    tokio::spawn(writer.run());
    (store, sizes)
}

/// What `others` come to, all handed in while a first job holds the writer up.
async fn behind_another<T>(store: &SqliteStore, others: impl Future<Output = T>) -> T {
    let (busy, begun) = tokio::sync::oneshot::channel();
    let (end, wait) = std::sync::mpsc::channel();
    let held_up = store.write(move |_| {
        busy.send(()).unwrap();
        wait.recv().unwrap();
        Ok(())
    });
    let others = async {
        begun.await.unwrap();
        let release = async {
            tokio::task::yield_now().await;
            end.send(()).unwrap();
        };
        tokio::join!(others, release).0
    };
    let (held_up, answers) = tokio::join!(held_up, others);
    held_up.unwrap();
    answers
}

/// Writes something, then fails.
fn half(connection: &Connection) -> Result<(), StoreError> {
    connection.execute("INSERT INTO taken VALUES ('half', 's', 'i', 1)", ())?;
    connection.execute("INSERT INTO nowhere VALUES (1)", ())?;
    Ok(())
}

async fn halves(store: &SqliteStore) -> i64 {
    store
        .look(|connection| Ok(connection.query_row("SELECT COUNT(*) FROM taken", (), |row| row.get(0))?))
        .await
        .unwrap()
}

#[tokio::test]
async fn a_failed_job_does_not_take_its_group_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, sizes) = observed(folder.path()).await;
    let triage = bot();
    let group = async {
        tokio::join!(
            store.append(&triage, NOW, entry(1)),
            store.write(half),
            store.append(&triage, NOW, entry(1))
        )
    };
    let (first, failed, second) = behind_another(&store, group).await;
    assert_eq!(*sizes.lock().unwrap(), [1, 3]);
    assert!(matches!(failed, Err(StoreError::Database(_))));
    assert_eq!((first.unwrap().sequence, second.unwrap().sequence), (1, 2));
    assert_eq!(halves(&store).await, 0);
}

#[tokio::test]
async fn a_failed_job_without_a_group_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, sizes) = observed(folder.path()).await;
    let failed = store.write(half).await;
    assert!(matches!(failed, Err(StoreError::Database(_))));
    assert_eq!(store.append(&bot(), NOW, entry(1)).await.unwrap().sequence, 1);
    assert_eq!(*sizes.lock().unwrap(), [1, 1], "the connection is still of use");
    assert_eq!(halves(&store).await, 0);
}

#[tokio::test]
async fn jobs_that_wait_share_the_next_commit() {
    let folder = tempfile::tempdir().unwrap();
    let (store, sizes) = observed(folder.path()).await;
    let triage = bot();
    let appends = futures::future::join_all((0..9).map(|_| store.append(&triage, NOW, entry(1))));
    let appended = behind_another(&store, appends).await;
    assert!(appended.iter().all(Result::is_ok));
    assert_eq!(*sizes.lock().unwrap(), [1, 9]);
}

#[tokio::test]
async fn reads_that_panic_take_no_reader_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _writer) = open(folder.path()).await;
    for _ in 0..3 {
        let panicked = store
            .look(|_| -> Result<(), StoreError> { panic!("a read that panics") })
            .await;
        assert!(matches!(panicked, Err(StoreError::Unread)));
    }
    assert_eq!(halves(&store).await, 0);
}

#[tokio::test]
async fn a_requester_that_goes_away_leaves_no_half() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _writer) = open(folder.path()).await;
    for _ in 0..20 {
        let triage = bot();
        let append = store.append(&triage, NOW, entry(9));
        drop(tokio::time::timeout(Duration::from_micros(200), append).await);
    }
    store.append(&bot(), NOW, entry(9)).await.unwrap();
    let head = store.head(&bot()).await.unwrap();
    verify(&chain(&store).await)
        .finish(head.sequence, &head.hash)
        .unwrap();
}

#[tokio::test]
async fn tampering_with_the_file_shows() {
    for (statement, shows) in [
        (
            "UPDATE audit_record SET verdict = 'allow' WHERE sequence = 3",
            "record 3 was edited",
        ),
        (
            "DELETE FROM audit_record WHERE sequence = 3",
            "record 3 was expected, record 4 came",
        ),
        (
            "UPDATE audit_record SET sequence = 15 - sequence WHERE sequence IN (2, 3);
             UPDATE audit_record SET sequence = sequence - 10 WHERE sequence > 10",
            "was edited",
        ),
        (
            "DELETE FROM audit_record WHERE sequence > 3",
            "the chain ends at record 3, its head is record 5",
        ),
    ] {
        let folder = five().await;
        tamper(&folder, statement);
        let (store, _writer) = open(folder.path()).await;
        let head = store.head(&bot()).await.unwrap();
        let mut verifier = Verifier::default();
        let records = chain(&store).await;
        let pushed = records.iter().try_for_each(|record| verifier.push(record));
        let broken = pushed
            .and_then(|()| verifier.finish(head.sequence, &head.hash))
            .unwrap_err();
        assert!(broken.to_string().contains(shows), "{statement}: {broken}");
    }
}

#[tokio::test]
async fn a_newer_versions_database_is_refused() {
    let folder = five().await;
    let connection = common(&folder.path().join(FILE), READER_CACHE_KIB).unwrap();
    connection.pragma_update(None, "user_version", 999).unwrap();
    drop(connection);
    let refused = SqliteStore::open(folder.path(), Arc::new(|_, _| ()))
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::Migration(_)), "{refused}");
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join(FILE),
        "not a database, and long enough to be looked at".repeat(99),
    )
    .unwrap();
    assert!(
        SqliteStore::open(folder.path(), Arc::new(|_, _| ()))
            .await
            .is_err()
    );
    let missing = SqliteStore::open(&folder.path().join("nowhere"), Arc::new(|_, _| ()))
        .await
        .unwrap_err();
    assert!(matches!(missing, StoreError::File { .. }), "{missing}");
}

#[tokio::test]
async fn a_backup_during_writes_is_one_instant_and_opens() {
    let folder = five().await;
    let (store, _writer) = open(folder.path()).await;
    let target = folder.path().join("copy.db");
    let writes = async {
        for _ in 0..50 {
            store.append(&bot(), NOW, entry(500)).await.unwrap();
        }
    };
    let (backup, ()) = tokio::join!(back_up(folder.path(), &target), writes);
    let backup = backup.unwrap();
    assert_eq!(backup.bots, 1);
    assert!((5..=55).contains(&backup.audit_records), "{backup:?}");
    assert_eq!(backup.bytes, std::fs::metadata(&target).unwrap().len());
    let restored = tempfile::tempdir().unwrap();
    std::fs::copy(&target, restored.path().join(FILE)).unwrap();
    let (copy, _copied) = open(restored.path()).await;
    let head = copy.head(&bot()).await.unwrap();
    assert_eq!(i64::try_from(head.sequence).unwrap(), backup.audit_records);
    verify(&chain(&copy).await)
        .finish(head.sequence, &head.hash)
        .unwrap();
    copy.append(&bot(), NOW, entry(1)).await.unwrap();
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_leaves_nothing_behind() {
    let folder = five().await;
    let target = folder.path().join("copy.db");
    std::fs::write(&target, "precious").unwrap();
    assert!(matches!(
        back_up(folder.path(), &target).await,
        Err(BackupError::Exists(_))
    ));
    assert_eq!(std::fs::read(&target).unwrap(), b"precious");
    let empty = tempfile::tempdir().unwrap();
    let missing = back_up(empty.path(), &empty.path().join("copy.db")).await;
    assert!(matches!(missing, Err(BackupError::Missing(_))));
    let nowhere = back_up(folder.path(), &folder.path().join("nowhere/copy.db")).await;
    assert!(matches!(nowhere, Err(BackupError::File { .. })));
    std::fs::write(folder.path().join(FILE), "no database".repeat(1000)).unwrap();
    let broken = back_up(folder.path(), &folder.path().join("other.db")).await;
    assert!(matches!(broken, Err(BackupError::Copy(..))), "{broken:?}");
    let left: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    assert!(
        left.iter()
            .all(|name| !name.to_string_lossy().contains("partial")),
        "{left:?}"
    );
}
