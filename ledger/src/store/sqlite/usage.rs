//! Model usage, a row per request.

use monstrum_wire::ledger::UsageRow;
use sqlx::SqliteConnection;

use super::session::require_known;
use super::{SqliteStore, signed, unsigned};
use crate::clock::Moment;
use crate::store::{StoreError, UsageStore};
use crate::tenant::BotKey;

impl UsageStore for SqliteStore {
    async fn record_usage(&self, bot: &BotKey, now: Moment, usage: UsageRow) -> Result<(), StoreError> {
        let bot = bot.clone();
        self.write(move |connection| Box::pin(async move { record(connection, &bot, now, usage).await }))
            .await
    }

    async fn sum_usage(&self, bot: &BotKey, since: Moment) -> Result<Vec<UsageRow>, StoreError> {
        let rows: Vec<(String, String, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT provider, model, SUM(input_tokens), SUM(cached_input_tokens), SUM(output_tokens),
               SUM(cost_micro_usd)
             FROM usage WHERE bot = ?1 AND time_micros >= ?2
             GROUP BY provider, model ORDER BY provider, model",
        )
        .bind(bot.as_str())
        .bind(since.micros())
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(provider, model, input, cached, output, cost)| {
                Ok(UsageRow {
                    provider,
                    model,
                    session: String::new(),
                    turn: String::new(),
                    input_tokens: unsigned(input, "token usage")?,
                    cached_input_tokens: unsigned(cached, "token usage")?,
                    output_tokens: unsigned(output, "token usage")?,
                    cost_micro_usd: unsigned(cost, "a cost")?,
                })
            })
            .collect()
    }
}

async fn record(
    connection: &mut SqliteConnection,
    bot: &BotKey,
    now: Moment,
    usage: UsageRow,
) -> Result<(), StoreError> {
    if !usage.session.is_empty() {
        require_known(connection, bot, &usage.session).await?;
    }
    sqlx::query(
        "INSERT INTO usage (bot, time_micros, provider, model, session, turn, input_tokens, cached_input_tokens,
           output_tokens, cost_micro_usd)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )
    .bind(bot.as_str())
    .bind(now.micros())
    .bind(usage.provider)
    .bind(usage.model)
    .bind(usage.session)
    .bind(usage.turn)
    .bind(signed(usage.input_tokens, "input_tokens")?)
    .bind(signed(usage.cached_input_tokens, "cached_input_tokens")?)
    .bind(signed(usage.output_tokens, "output_tokens")?)
    .bind(signed(usage.cost_micro_usd, "cost_micro_usd")?)
    .execute(connection)
    .await?;
    Ok(())
}
