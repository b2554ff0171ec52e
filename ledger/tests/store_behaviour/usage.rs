//! Model usage.

use monstrum_ledger::session::Advance;
use monstrum_ledger::store::Store;
use monstrum_ledger::usage::UsageStore as _;
use monstrum_wire::ledger::UsageRow;

use crate::database::{Database, at, bot, held};

/// What a bot's model used, as a step of one of its sessions says it.
async fn used<S: Store>(store: &S, name: &str, seconds: u64, rows: &[(&str, u64)]) {
    let hold = held(store, &bot(name), "s").await;
    let usage = rows.iter().map(|(model, tokens)| UsageRow {
        provider: "openai".to_owned(),
        model: (*model).to_owned(),
        turn: "t1".to_owned(),
        input_tokens: *tokens,
        cached_input_tokens: tokens / 2,
        output_tokens: 1,
        cost_micro_usd: tokens * 3,
        ..UsageRow::default()
    });
    let step = Advance {
        usage: usage.collect(),
        release: true,
        ..Advance::default()
    };
    store.advance(&bot(name), at(seconds), hold, step).await.unwrap();
}

pub(crate) async fn usage_is_summed_per_provider_and_model(mut database: impl Database) {
    let store = database.open().await;
    used(&store, "triage", 1, &[("small", 10), ("large", 100)]).await;
    used(&store, "triage", 1, &[("small", 20)]).await;
    used(&store, "scribe", 1, &[("small", 7777)]).await;
    let sums = store.sum_usage(&bot("triage"), at(0)).await.unwrap();
    let sums: Vec<_> = sums
        .iter()
        .map(|s| {
            (
                s.model.as_str(),
                s.input_tokens,
                s.cached_input_tokens,
                s.output_tokens,
                s.cost_micro_usd,
            )
        })
        .collect();
    assert_eq!(sums, [("large", 100, 50, 1, 300), ("small", 30, 15, 2, 90)]);
}

pub(crate) async fn usage_counts_since_an_instant(mut database: impl Database) {
    let store = database.open().await;
    for seconds in [1, 2, 3] {
        used(&store, "triage", seconds, &[("small", 1)]).await;
    }
    let sums = store.sum_usage(&bot("triage"), at(2)).await.unwrap();
    assert_eq!(sums[0].input_tokens, 2);
    assert!(store.sum_usage(&bot("triage"), at(4)).await.unwrap().is_empty());
}
