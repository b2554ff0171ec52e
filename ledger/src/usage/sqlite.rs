//! Model usage, a row per request.

use monstrum_wire::ledger::UsageRow;
use rusqlite::{Connection, params};

use super::UsageStore;
use crate::clock::Moment;
use crate::sqlite::{SqliteStore, signed, unsigned};
use crate::store::StoreError;
use crate::tenant::BotKey;

impl UsageStore for SqliteStore {
    async fn sum_usage(&self, bot: &BotKey, since: Moment) -> Result<Vec<UsageRow>, StoreError> {
        let bot = bot.clone();
        self.look(move |connection| sums(connection, &bot, since)).await
    }
}

fn sums(connection: &Connection, bot: &BotKey, since: Moment) -> Result<Vec<UsageRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT provider, model, SUM(input_tokens), SUM(cached_input_tokens), SUM(output_tokens),
           SUM(cost_micro_usd)
         FROM usage WHERE bot = ?1 AND time_micros >= ?2
         GROUP BY provider, model ORDER BY provider, model",
    )?;
    let mut rows = statement.query(params![bot.as_str(), since.micros()])?;
    let mut sums = Vec::new();
    while let Some(row) = rows.next()? {
        sums.push(UsageRow {
            provider: row.get(0)?,
            model: row.get(1)?,
            input_tokens: unsigned(row.get(2)?, "token usage")?,
            cached_input_tokens: unsigned(row.get(3)?, "token usage")?,
            output_tokens: unsigned(row.get(4)?, "token usage")?,
            cost_micro_usd: unsigned(row.get(5)?, "a cost")?,
            ..UsageRow::default()
        });
    }
    Ok(sums)
}

/// Within the caller's transaction; the session is the bot's.
pub(crate) fn record(
    connection: &Connection,
    bot: &BotKey,
    now: Moment,
    session: &str,
    usage: UsageRow,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO usage
           (bot, time_micros, provider, model, session, turn, input_tokens, cached_input_tokens,
            output_tokens, cost_micro_usd)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            bot.as_str(),
            now.micros(),
            usage.provider,
            usage.model,
            session,
            usage.turn,
            signed(usage.input_tokens, "input_tokens")?,
            signed(usage.cached_input_tokens, "cached_input_tokens")?,
            signed(usage.output_tokens, "output_tokens")?,
            signed(usage.cost_micro_usd, "cost_micro_usd")?
        ])?;
    Ok(())
}
