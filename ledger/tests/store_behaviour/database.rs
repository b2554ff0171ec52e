//! Databases to run the behaviours on, and what the behaviours share.

use std::sync::Arc;
use std::time::Duration;

use monstrum_ledger::clock::Moment;
use monstrum_ledger::quota::{Charge, CounterKey, CounterOf};
use monstrum_ledger::session::{Claim, SessionLease, Tail};
use monstrum_ledger::sqlite::SqliteStore;
use monstrum_ledger::store::{Store, StoreError};
use monstrum_ledger::tenant::{BotKey, Owner, Spender};
use monstrum_wire::identity::{BotId, ChannelId};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// A database that survives the processes that open it.
pub(crate) trait Database {
    /// Its store.
    type Store: Store;

    /// Opens it, as a new process would.
    async fn open(&mut self) -> Self::Store;

    /// Kills the process that has it open: nothing is closed in good order.
    async fn crash(&mut self);
}

/// An SQLite file in a folder of its own.
pub(crate) struct Sqlite {
    folder: TempDir,
    writer: Option<JoinHandle<Result<(), StoreError>>>,
}

impl Sqlite {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            writer: None,
        }
    }
}

impl Database for Sqlite {
    type Store = SqliteStore;

    async fn open(&mut self) -> SqliteStore {
        let (store, writer) = SqliteStore::open(self.folder.path(), Arc::new(|_, _| ()))
            .await
            .unwrap();
        self.writer = Some(tokio::spawn(writer.run()));
        store
    }

    async fn crash(&mut self) {
        let writer = self.writer.take().unwrap();
        writer.abort();
        assert!(writer.await.unwrap_err().is_cancelled());
    }
}

pub(crate) const UID: &str = "6a0f1c1e-8f0b-4c53-9d53-0d6f3a7b2c11";
pub(crate) const OTHER_UID: &str = "c0b1f6d2-33a5-4c0e-9a61-5d2b0a4be0a7";

pub(crate) fn channel(namespace: &str, name: &str) -> Owner {
    Owner::from(&ChannelId {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        uid: UID.parse().unwrap(),
    })
}

/// A bot as it uses counters: each namespace has one Workspace.
pub(crate) fn spender(bot: &BotKey) -> Spender {
    let (namespace, _) = bot.as_str().split_once('/').unwrap();
    Spender {
        bot: bot.clone(),
        workspace: Some(Owner::workspace(namespace, UID.parse().unwrap())),
    }
}

pub(crate) fn bot(name: &str) -> BotKey {
    bot_of(UID, name)
}

/// The bot of this UID.
pub(crate) fn bot_of(uid: &str, name: &str) -> BotKey {
    BotKey::from(&BotId {
        namespace: "team-a".to_owned(),
        name: name.to_owned(),
        uid: uid.parse().unwrap(),
    })
}

/// So many seconds after an arbitrary beginning, which is also the beginning of every window's bucket.
pub(crate) fn at(seconds: u64) -> Moment {
    const BEGINNING: i64 = 1_800_000_000_000_000;
    assert_eq!(BEGINNING % 86_400_000_000, 28_800_000_000);
    Moment::from_micros(BEGINNING).after(seconds_of(seconds))
}

pub(crate) fn seconds_of(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn claim(session: &str, holder: &str) -> Claim {
    Claim {
        session: session.to_owned(),
        holder: holder.to_owned(),
        lease: seconds_of(30),
        user: "u1".to_owned(),
        channel: "inbox".to_owned(),
        tail: Tail {
            messages: 1000,
            bytes: 1_000_000,
        },
        opening: None,
    }
}

/// A session that is held by `gateway-1` from the beginning for thirty seconds.
pub(crate) async fn held<S: Store>(store: &S, bot: &BotKey, session: &str) -> SessionLease {
    let hold = store
        .acquire(bot, at(0), claim(session, "gateway-1"))
        .await
        .unwrap();
    SessionLease {
        session: session.to_owned(),
        fence: hold.fence,
    }
}

pub(crate) fn counter(quota: &str, window_seconds: u64) -> CounterKey {
    CounterKey {
        of: CounterOf::Grant {
            binding: "github".to_owned(),
            grant: "binding/github#0".to_owned(),
        },
        quota: quota.to_owned(),
        window_seconds,
    }
}

pub(crate) fn charge(quota: &str, window_seconds: u64, amount: u64, limit: u64) -> Charge {
    Charge {
        key: counter(quota, window_seconds),
        amount,
        limit,
    }
}

/// What a counter stands at.
pub(crate) async fn used<S: Store>(store: &S, bot: &BotKey, now: Moment, key: CounterKey) -> u64 {
    store.quota_use(&spender(bot), now, vec![key]).await.unwrap()[0].amount
}
