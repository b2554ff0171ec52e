//! Model usage.

use monstrum_ledger::store::{StoreError, UsageStore as _};
use monstrum_wire::ledger::UsageRow;

use crate::database::{Database, at, bot, held};

fn row(model: &str, tokens: u64) -> UsageRow {
    UsageRow {
        provider: "openai".to_owned(),
        model: model.to_owned(),
        session: String::new(),
        turn: "t1".to_owned(),
        input_tokens: tokens,
        cached_input_tokens: tokens / 2,
        output_tokens: 1,
        cost_micro_usd: tokens * 3,
    }
}

pub(crate) async fn usage_is_summed_per_provider_and_model(mut database: impl Database) {
    let store = database.open().await;
    for (model, tokens) in [("small", 10), ("large", 100), ("small", 20)] {
        store
            .record_usage(&bot("triage"), at(1), row(model, tokens))
            .await
            .unwrap();
    }
    store
        .record_usage(&bot("scribe"), at(1), row("small", 7777))
        .await
        .unwrap();
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
        store
            .record_usage(&bot("triage"), at(seconds), row("small", 1))
            .await
            .unwrap();
    }
    let sums = store.sum_usage(&bot("triage"), at(2)).await.unwrap();
    assert_eq!(sums[0].input_tokens, 2);
    assert!(store.sum_usage(&bot("triage"), at(4)).await.unwrap().is_empty());
}

pub(crate) async fn usage_of_another_bots_session_is_refused(mut database: impl Database) {
    let store = database.open().await;
    held(&store, &bot("triage"), "s").await;
    let named = UsageRow {
        session: "s".to_owned(),
        ..row("small", 1)
    };
    store
        .record_usage(&bot("triage"), at(1), named.clone())
        .await
        .unwrap();
    let refused = store.record_usage(&bot("scribe"), at(1), named).await;
    assert!(matches!(refused, Err(StoreError::UnknownSession(_))));
    assert!(store.sum_usage(&bot("scribe"), at(0)).await.unwrap().is_empty());
}
