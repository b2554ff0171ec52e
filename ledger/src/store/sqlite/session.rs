//! Sessions as rows whose fence counts the holds.

use std::time::Duration;

use monstrum_wire::ledger::Message;
use sqlx::SqliteConnection;

use super::{SqliteStore, signed, unsigned};
use crate::clock::Moment;
use crate::store::{Claim, Held, Hold, SessionStore, StoreError, Tail};
use crate::tenant::BotKey;

impl SessionStore for SqliteStore {
    async fn acquire(&self, bot: &BotKey, now: Moment, claim: Claim) -> Result<Hold, StoreError> {
        let bot = bot.clone();
        self.write(move |connection| Box::pin(async move { acquire(connection, &bot, now, claim).await }))
            .await
    }

    async fn renew(&self, bot: &BotKey, now: Moment, held: Held, lease: Duration) -> Result<(), StoreError> {
        let bot = bot.clone();
        self.write(move |connection| {
            Box::pin(async move {
                require_fence(connection, &bot, &held).await?;
                sqlx::query("UPDATE session SET expires_micros = ?3 WHERE bot = ?1 AND session = ?2")
                    .bind(bot.as_str())
                    .bind(&held.session)
                    .bind(now.after(lease).micros())
                    .execute(connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    async fn release(&self, bot: &BotKey, held: Held) -> Result<(), StoreError> {
        let bot = bot.clone();
        self.write(move |connection| Box::pin(async move { release(connection, &bot, &held).await }))
            .await
    }

    async fn append_messages(
        &self,
        bot: &BotKey,
        now: Moment,
        held: Held,
        messages: Vec<Message>,
    ) -> Result<u64, StoreError> {
        let bot = bot.clone();
        self.write(move |connection| {
            Box::pin(async move { append_messages(connection, &bot, now, &held, messages).await })
        })
        .await
    }

    async fn load_messages(
        &self,
        bot: &BotKey,
        session: &str,
        tail: Tail,
    ) -> Result<Vec<Message>, StoreError> {
        let mut connection = self.readers.acquire().await?;
        require_known(&mut connection, bot, session).await?;
        load_messages(&mut connection, bot, session, tail).await
    }
}

/// A session's row, as far as holds are concerned.
#[derive(sqlx::FromRow)]
struct Lease {
    channel: String,
    fence: i64,
    holder: Option<String>,
    expires_micros: i64,
    last_position: i64,
}

impl Lease {
    fn lives(&self, now: Moment) -> bool {
        self.holder.is_some() && self.expires_micros > now.micros()
    }
}

async fn find(connection: &mut SqliteConnection, bot: &BotKey, session: &str) -> Result<Lease, StoreError> {
    sqlx::query_as(
        "SELECT channel, fence, holder, expires_micros, last_position FROM session WHERE bot = ?1 AND session = ?2",
    )
    .bind(bot.as_str())
    .bind(session)
    .fetch_optional(connection)
    .await?
    .ok_or_else(|| StoreError::UnknownSession(session.to_owned()))
}

pub(super) async fn require_known(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    session: &str,
) -> Result<(), StoreError> {
    find(connection, bot, session).await.map(drop)
}

/// The hold is the session's present one, whether or not its lease ran out.
async fn require_fence(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    held: &Held,
) -> Result<Lease, StoreError> {
    let lease = find(connection, bot, &held.session).await?;
    if lease.holder.is_none() || u64::try_from(lease.fence) != Ok(held.fence) {
        return Err(not_held(held));
    }
    Ok(lease)
}

/// The hold is the session's present one and its lease lives.
pub(super) async fn require_hold(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    held: &Held,
    now: Moment,
) -> Result<u64, StoreError> {
    let lease = require_fence(connection, bot, held).await?;
    if !lease.lives(now) {
        return Err(not_held(held));
    }
    unsigned(lease.last_position, "the position of a message")
}

fn not_held(held: &Held) -> StoreError {
    StoreError::NotHeld {
        session: held.session.clone(),
        fence: held.fence,
    }
}

async fn acquire(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    now: Moment,
    claim: Claim,
) -> Result<Hold, StoreError> {
    create(connection, bot, now, &claim).await?;
    let lease = find(connection, bot, &claim.session).await?;
    if lease.channel != claim.channel {
        return Err(StoreError::ForeignChannel {
            session: claim.session,
        });
    }
    if lease.lives(now) && lease.holder.as_deref() != Some(claim.holder.as_str()) {
        return Err(StoreError::SessionHeld {
            session: claim.session,
        });
    }
    let fence = lease.fence.saturating_add(1);
    sqlx::query(
        "UPDATE session SET fence = ?3, holder = ?4, expires_micros = ?5 WHERE bot = ?1 AND session = ?2",
    )
    .bind(bot.as_str())
    .bind(&claim.session)
    .bind(fence)
    .bind(&claim.holder)
    .bind(now.after(claim.lease).micros())
    .execute(connection)
    .await?;
    Ok(Hold {
        fence: unsigned(fence, "the fence of a session")?,
        abandoned_by: lease.holder,
    })
}

/// Makes the session if there is none.
async fn create(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    now: Moment,
    claim: &Claim,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO session (bot, session, user, channel, created_micros, fence, expires_micros, last_position)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0) ON CONFLICT DO NOTHING",
    )
    .bind(bot.as_str())
    .bind(&claim.session)
    .bind(&claim.user)
    .bind(&claim.channel)
    .bind(now.micros())
    .execute(connection)
    .await?;
    Ok(())
}

async fn release(connection: &mut SqliteConnection, bot: &BotKey, held: &Held) -> Result<(), StoreError> {
    let lease = find(connection, bot, &held.session).await?;
    if u64::try_from(lease.fence) != Ok(held.fence) {
        return Err(not_held(held));
    }
    sqlx::query("UPDATE session SET holder = NULL, expires_micros = 0 WHERE bot = ?1 AND session = ?2")
        .bind(bot.as_str())
        .bind(&held.session)
        .execute(connection)
        .await?;
    Ok(())
}

async fn append_messages(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    now: Moment,
    held: &Held,
    messages: Vec<Message>,
) -> Result<u64, StoreError> {
    let mut last = require_hold(connection, bot, held, now).await?;
    for message in messages {
        last = last.saturating_add(1);
        sqlx::query(
            "INSERT INTO message (bot, session, position, role, content_json, turn, time_micros)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(bot.as_str())
        .bind(&held.session)
        .bind(signed(last, "the position of a message")?)
        .bind(message.role)
        .bind(message.content_json)
        .bind(message.turn)
        .bind(now.micros())
        .execute(&mut *connection)
        .await?;
    }
    sqlx::query("UPDATE session SET last_position = ?3 WHERE bot = ?1 AND session = ?2")
        .bind(bot.as_str())
        .bind(&held.session)
        .bind(signed(last, "the position of a message")?)
        .execute(connection)
        .await?;
    Ok(last)
}

type MessageRow = (i64, String, String, String, i64);

/// Reads from the newest backwards until a bound is met.
async fn load_messages(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    session: &str,
    tail: Tail,
) -> Result<Vec<Message>, StoreError> {
    use futures::TryStreamExt as _;
    let mut rows = sqlx::query_as::<_, MessageRow>(
        "SELECT position, role, content_json, turn, time_micros FROM message
         WHERE bot = ?1 AND session = ?2 ORDER BY position DESC LIMIT ?3",
    )
    .bind(bot.as_str())
    .bind(session)
    .bind(tail.messages)
    .fetch(connection);
    let mut messages = Vec::new();
    let mut bytes = 0_usize;
    while let Some((position, role, content_json, turn, time_micros)) = rows.try_next().await? {
        bytes = bytes.saturating_add(content_json.len());
        if bytes > tail.bytes && !messages.is_empty() {
            break;
        }
        let position = unsigned(position, "the position of a message")?;
        messages.push(Message {
            position,
            role,
            content_json,
            turn,
            time_micros,
        });
    }
    messages.reverse();
    Ok(messages)
}
