//! Budgets over the wire: a gateway reserves on its own bot's counters and on those of its own namespace, and on no others.

use monstrum_wire::identity::{BotId, Identity};
use monstrum_wire::ledger::{Counter, CounterOf, QuotaUseRequest, ReserveRequest, SettleRequest};
use tokio::task::JoinSet;
use tonic::Code;

use crate::installation::{Installation, UID, code, gateway};

fn budget(of: CounterOf, amount: u64, limit: u64) -> Counter {
    Counter {
        of: of.into(),
        quota: "money".to_owned(),
        window_seconds: 3600,
        amount,
        limit,
        ..Counter::default()
    }
}

fn reserve(id: &str, counter: Counter) -> ReserveRequest {
    ReserveRequest {
        reservation: id.to_owned(),
        counters: vec![counter],
        ttl_seconds: 60,
    }
}

async fn used(installation: &Installation, identity: &Identity, of: CounterOf) -> u64 {
    let counters = vec![budget(of, 0, 0)];
    let mut ledger = installation.ledger(identity);
    let used = ledger.quota_use(QuotaUseRequest { counters }).await.unwrap();
    used.into_inner().counters[0].amount
}

fn elsewhere(namespace: &str) -> Identity {
    Identity::Gateway(BotId {
        namespace: namespace.to_owned(),
        name: "triage".to_owned(),
        uid: UID.parse().unwrap(),
    })
}

#[tokio::test]
async fn sixty_four_requests_of_eight_gateways_never_overspend_their_workspaces_budget() {
    let installation = Installation::start().await;
    let mut attempts = JoinSet::new();
    for n in 0..64 {
        let mut ledger = installation.ledger(&gateway(&format!("bot-{}", n % 8)));
        let request = reserve(&format!("r{n}"), budget(CounterOf::Workspace, 30, 100));
        attempts.spawn(async move { ledger.reserve(request).await.map(drop) });
    }
    let answers = attempts.join_all().await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 3);
    for refused in answers.into_iter().filter_map(Result::err) {
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(
            refused.message().contains("the workspace's budget \"money\""),
            "{}",
            refused.message()
        );
    }
    assert_eq!(
        used(&installation, &gateway("bot-0"), CounterOf::Workspace).await,
        90
    );
}

#[tokio::test]
async fn nobody_reaches_another_bots_budget_or_another_workspaces() {
    let installation = Installation::start().await;
    let victim = gateway("victim");
    for of in [CounterOf::Workspace, CounterOf::Bot] {
        let request = reserve(&format!("{of:?}"), budget(of, 10, 10));
        installation.ledger(&victim).reserve(request).await.unwrap();
    }
    let neighbour = gateway("neighbour");
    assert_eq!(used(&installation, &neighbour, CounterOf::Bot).await, 0);
    assert_eq!(used(&installation, &neighbour, CounterOf::Workspace).await, 10);
    // What the neighbour may use as well it can't give back.
    let settle = SettleRequest {
        reservation: "Workspace".to_owned(),
        counters: vec![budget(CounterOf::Workspace, 0, 0)],
    };
    let settled = installation.ledger(&neighbour).settle(settle).await;
    assert_eq!(code(settled), Code::NotFound);
    for namespace in ["team-b", "team", "team-a.victim"] {
        let stranger = elsewhere(namespace);
        for of in [CounterOf::Workspace, CounterOf::Bot] {
            assert_eq!(used(&installation, &stranger, of).await, 0, "{namespace}");
            let request = reserve("r", budget(of, 10, 10));
            let _ = installation.ledger(&stranger).reserve(request).await;
        }
    }
    assert_eq!(used(&installation, &victim, CounterOf::Workspace).await, 10);
    assert_eq!(used(&installation, &victim, CounterOf::Bot).await, 10);
}

#[tokio::test]
async fn a_counter_says_whose_it_is_in_one_way_only() {
    let installation = Installation::start().await;
    let mut ledger = installation.ledger(&gateway("triage"));
    let attempts = [
        Counter {
            of: CounterOf::Unspecified.into(),
            ..budget(CounterOf::Bot, 1, 1)
        },
        Counter {
            of: 99,
            ..budget(CounterOf::Bot, 1, 1)
        },
        budget(CounterOf::Grant, 1, 1),
        Counter {
            binding: "team-b/triage".to_owned(),
            ..budget(CounterOf::Bot, 1, 1)
        },
        Counter {
            grant: "g".to_owned(),
            ..budget(CounterOf::Workspace, 1, 1)
        },
    ];
    for counter in attempts {
        assert_eq!(
            code(ledger.reserve(reserve("r", counter.clone())).await),
            Code::InvalidArgument,
            "{counter:?}"
        );
    }
}
