//! Model usage.

use monstrum_wire::ledger::{SumUsageRequest, SumUsageResponse, UsageRow};

use crate::api::{Api, Refusal, field};
use crate::clock::Moment;
use crate::store::Store;
use crate::tenant::BotKey;

impl<S: Store> Api<S> {
    pub(crate) async fn usage(
        &self,
        bot: &BotKey,
        request: SumUsageRequest,
    ) -> Result<SumUsageResponse, Refusal> {
        let since = Moment::from_micros(request.since_micros);
        Ok(SumUsageResponse {
            rows: self.store.sum_usage(bot, since).await?,
        })
    }
}

/// A row that can be kept; whose session it is, the request says.
pub(crate) fn row(usage: UsageRow) -> Result<UsageRow, Refusal> {
    Ok(UsageRow {
        provider: field::name("usage.provider", usage.provider)?,
        model: field::name("usage.model", usage.model)?,
        session: String::new(),
        turn: field::label("usage.turn", usage.turn)?,
        input_tokens: count("usage.input_tokens", usage.input_tokens)?,
        cached_input_tokens: count("usage.cached_input_tokens", usage.cached_input_tokens)?,
        output_tokens: count("usage.output_tokens", usage.output_tokens)?,
        cost_micro_usd: count("usage.cost_micro_usd", usage.cost_micro_usd)?,
    })
}

/// What one request to a model can use: a million million, so that sums over millions of rows stay exact.
fn count(field: &'static str, value: u64) -> Result<u64, Refusal> {
    const MOST: u64 = 1_000_000_000_000;
    if value > MOST {
        return Err(field::refused(
            field,
            format!("is {value}, at most {MOST} may be"),
        ));
    }
    Ok(value)
}
