//! Delegation: a call is permitted by every bot of the chain, or by none.

#![expect(
    clippy::indexing_slicing,
    reason = "test code: a failure here is a failed test"
)]

#[path = "fixture/bot.rs"]
mod bot;
#[path = "fixture/chain.rs"]
mod chain;

use std::sync::Arc;

use bot::{permit, reason};
use chain::{check, code, delegable, engines, named};
use monstrum_guardian::decision::{Call, CounterKey, Decision, Facts, Reason, Verdict};
use monstrum_guardian::source::{BotSource, Budget, BudgetOf, Counted, Delegation, DelegationSource};
use monstrum_guardian::{Chain, Engine, MAX_LINKS, compile};
use rstest::rstest;
use serde_json::{Value, json};

fn read(repositories: &[&str]) -> Value {
    json!({"operations": ["issue.read"], "scope": {"repository": repositories}})
}

fn web() -> Value {
    json!({"owner": "acme", "repo": "web"})
}

fn list(sources: &[BotSource]) -> Decision {
    check(&engines(sources), "list_issues", &web())
}

/// Three bots; the first two delegate to the next one.
fn three(grants: [&[Value]; 3]) -> [BotSource; 3] {
    let [root, middle, leaf] = grants.map(|grants| vec![code(grants)]);
    [
        chain::bot("root", root, &["middle"]),
        chain::bot("middle", middle, &["leaf"]),
        chain::bot("leaf", leaf, &[]),
    ]
}

#[rstest]
#[case::all_of_them(["acme/*", "acme/web", "**"], None)]
#[case::not_the_root(["acme/api", "acme/web", "**"], Some(Reason::NotDelegated))]
#[case::not_the_middle(["**", "acme/api", "**"], Some(Reason::NotDelegated))]
#[case::not_the_leaf(["**", "**", "acme/api"], Some(Reason::OutOfScope))]
fn a_chain_of_three_is_an_intersection(#[case] repositories: [&str; 3], #[case] expected: Option<Reason>) {
    let grants = repositories.map(|repository| [read(&[repository])]);
    let sources = three([&grants[0], &grants[1], &grants[2]]);
    assert_eq!(reason(&list(&sources)), expected);
}

/// The child is wider than its parent in another way: it may write.
#[test]
fn a_wider_child_gains_nothing() {
    let wide = [json!({"operations": ["issue.*"], "scope": {"repository": ["**"]}})];
    let sources = three([&[read(&["acme/*"])], &wide, &wide]);
    let loaded = engines(&sources);
    let create = json!({"owner": "acme", "repo": "web", "title": "x"});
    assert_eq!(
        reason(&check(&loaded, "create_issue", &create)),
        Some(Reason::NotDelegated)
    );
    assert_eq!(reason(&check(&loaded, "list_issues", &web())), None);
    let seen: Vec<_> = chain::chain(&loaded)
        .tools()
        .into_iter()
        .map(|tool| tool.name)
        .collect();
    assert_eq!(seen, ["list_issues"]);
}

/// Operations of one grant and scopes of another are not mixed in a bot above either.
#[test]
fn a_bot_above_covers_a_call_by_one_whole_grant() {
    let split = [
        read(&["acme/api"]),
        json!({"operations": ["issue.create"], "scope": {"repository": ["acme/web"]}}),
    ];
    let sources = three([&split, &[read(&["**"])], &[read(&["**"])]]);
    assert_eq!(reason(&list(&sources)), Some(Reason::NotDelegated));
}

#[test]
fn without_a_delegation_nothing_is_handed_on() {
    let mut sources = three([&[read(&["**"])], &[read(&["**"])], &[read(&["**"])]]);
    sources[1].delegations.clear();
    let decision = list(&sources);
    let Verdict::Deny(denial) = &decision.verdict else {
        panic!("{decision:?}")
    };
    assert_eq!(
        denial.message,
        "bot shop/middle does not delegate to bot shop/leaf"
    );
    assert!(chain::chain(&engines(&sources)).tools().is_empty());
    // A delegation to somebody else is none.
    sources[1] = chain::bot("middle", sources[1].bindings.clone(), &["stranger", "root"]);
    assert_eq!(reason(&list(&sources)), Some(Reason::NotDelegated));
}

#[test]
fn a_circle_is_refused() {
    let grant = [read(&["**"])];
    let sources = [
        chain::bot("a", vec![code(&grant)], &["b"]),
        chain::bot("b", vec![code(&grant)], &["a"]),
    ];
    let loaded = engines(&sources);
    let [a, b] = [&loaded[0], &loaded[1]];
    let call = Call {
        tool: "list_issues",
        arguments: &web().to_string(),
    };
    for circle in [vec![a, b, a], vec![a, a], vec![b, a, b, a]] {
        let circle = Chain::new(circle);
        assert_eq!(
            reason(&circle.check(&call, &Facts::default())),
            Some(Reason::NotDelegated)
        );
        assert!(circle.tools().is_empty());
    }
    assert_eq!(
        reason(&Chain::new(vec![a, b]).check(&call, &Facts::default())),
        None
    );
}

#[test]
fn depth_is_bounded() {
    let names: Vec<String> = (0..=MAX_LINKS).map(|n| format!("bot-{n}")).collect();
    let sources: Vec<_> = names
        .iter()
        .zip(names.iter().skip(1).map(Some).chain([None]))
        .map(|(name, next)| {
            let to: Vec<&str> = next.map(String::as_str).into_iter().collect();
            chain::bot(name, vec![code(&[read(&["acme/*"])])], &to)
        })
        .collect();
    assert_eq!(reason(&list(&sources[..MAX_LINKS])), None);
    assert_eq!(reason(&list(&sources)), Some(Reason::NotDelegated));
    assert!(chain::chain(&engines(&sources)).tools().is_empty());
}

#[test]
fn an_empty_chain_and_a_bot_without_policy_deny() {
    let call = Call {
        tool: "list_issues",
        arguments: "{}",
    };
    let none = Chain::new(Vec::new());
    assert_eq!(
        reason(&none.check(&call, &Facts::default())),
        Some(Reason::NoPolicy)
    );
    assert!(none.tools().is_empty());
    let loaded = engines(&three([&[read(&["**"])], &[read(&["**"])], &[read(&["**"])]]));
    for place in 0..3 {
        let empty = Engine::empty(loaded[place].bot().clone());
        let mut links: Vec<&Engine> = loaded.iter().collect();
        links[place] = &empty;
        let broken = Chain::new(links);
        assert_eq!(
            reason(&broken.check(&call, &Facts::default())),
            Some(Reason::NoPolicy)
        );
        assert!(broken.tools().is_empty());
    }
}

/// A coordinator that holds nothing itself may hand on what an administrator wrote for it, and only that.
#[test]
fn a_delegable_set_counts_instead_of_the_bots_own_grants() {
    let mut root = chain::bot("root", Vec::new(), &["leaf"]);
    let leaf = chain::bot("leaf", vec![code(&[read(&["**"])])], &[]);
    assert_eq!(
        reason(&list(&[root.clone(), leaf.clone()])),
        Some(Reason::NotDelegated)
    );
    delegable(&mut root, "leaf", &[read(&["acme/*"])]);
    let sources = [root.clone(), leaf.clone()];
    assert_eq!(reason(&list(&sources)), None);
    let other = json!({"owner": "initech", "repo": "web"});
    assert_eq!(
        reason(&check(&engines(&sources), "list_issues", &other)),
        Some(Reason::NotDelegated)
    );
    // Empty is not absent: nothing may be handed on, whatever the bot holds.
    root.bindings = vec![code(&[read(&["**"])])];
    root.delegations[0].delegable = Some(Vec::new());
    assert_eq!(
        reason(&list(&[root.clone(), leaf.clone()])),
        Some(Reason::NotDelegated)
    );
    // It is for one bot only.
    root.delegations[0].to = named("other");
    delegable(&mut root, "other", &[read(&["**"])]);
    assert_eq!(reason(&list(&[root, leaf])), Some(Reason::NotDelegated));
}

/// Wider than the bot's own grants is what an administrator wrote; it gives the bot itself nothing.
#[test]
fn a_delegable_set_gives_its_own_bot_nothing() {
    let mut root = chain::bot("root", vec![code(&[read(&["acme/api"])])], &["leaf"]);
    delegable(&mut root, "leaf", &[read(&["acme/web"])]);
    let leaf = chain::bot("leaf", vec![code(&[read(&["**"])])], &[]);
    assert_eq!(reason(&list(&[root.clone(), leaf])), None);
    assert_eq!(reason(&list(&[root])), Some(Reason::OutOfScope));
}

#[test]
fn the_same_name_for_another_thing_covers_nothing() {
    let leaf = chain::bot("leaf", vec![code(&[read(&["**"])])], &[]);
    let mut renamed = (*bot::forge()).clone();
    renamed.name = "other".to_owned();
    let mut loosened = (*bot::forge()).clone();
    loosened.dimensions[0].matching = serde_json::from_value(json!({"glob": {}})).unwrap();
    let mut rerouted = (*bot::forge()).clone();
    rerouted.tools[0].operation = "issue.create".to_owned();
    rerouted.tools[1].operation = "issue.read".to_owned();
    for other in [renamed, loosened, rerouted] {
        let binding = bot::binding("code", &Arc::new(other), &[read(&["**"])]);
        let root = chain::bot("root", vec![binding], &["leaf"]);
        let sources = [root, leaf.clone()];
        assert_eq!(reason(&list(&sources)), Some(Reason::NotDelegated));
        assert!(chain::chain(&engines(&sources)).tools().is_empty());
    }
    // The same type of another resource is another thing too.
    let elsewhere = bot::binding("elsewhere", &bot::forge(), &[read(&["**"])]);
    let root = chain::bot("root", vec![elsewhere], &["leaf"]);
    assert_eq!(reason(&list(&[root, leaf])), Some(Reason::NotDelegated));
}

#[test]
fn bots_of_two_namespaces_hand_nothing_on() {
    let mut root = chain::bot("root", vec![code(&[read(&["**"])])], &["leaf"]);
    let mut leaf = chain::bot("leaf", vec![code(&[read(&["**"])])], &[]);
    leaf.bot.namespace = "other".to_owned();
    root.delegations[0].to = leaf.bot.clone();
    assert_eq!(reason(&list(&[root, leaf])), Some(Reason::NotDelegated));
}

/// The bot above may call the resource by another name.
#[test]
fn prefixes_do_not_matter_above() {
    let mut binding = code(&[read(&["**"])]);
    binding.alias = Some("Mine".to_owned());
    let root = chain::bot("root", vec![binding], &["leaf"]);
    let leaf = chain::bot("leaf", vec![code(&[read(&["**"])])], &[]);
    assert_eq!(reason(&list(&[root, leaf])), None);
}

#[test]
fn validity_and_approval_above_count() {
    let mut over = read(&["**"]);
    over["validity"] = json!({"notAfter": "1960-01-01T00:00:00Z"});
    let sources = three([&[over], &[read(&["**"])], &[read(&["**"])]]);
    assert_eq!(reason(&list(&sources)), Some(Reason::NotValidNow));
    let mut asking = read(&["**"]);
    asking["approval"] = json!([{}]);
    for place in 0..3 {
        let mut grants = [read(&["**"]), read(&["**"]), read(&["**"])];
        grants[place] = asking.clone();
        let [root, middle, leaf] = grants.each_ref().map(std::slice::from_ref);
        let decision = list(&three([root, middle, leaf]));
        assert!(
            matches!(decision.verdict, Verdict::NeedsApproval(_)),
            "{place}: {decision:?}"
        );
    }
}

fn with_quota(limit: u64) -> Value {
    let mut grant = read(&["**"]);
    grant["quotas"] = json!([{"name": "calls", "counts": "Calls", "limit": limit, "windowSeconds": 60}]);
    grant
}

fn budget(of: BudgetOf, limit: u64) -> Budget {
    Budget {
        of,
        name: "calls".to_owned(),
        counts: Counted::Calls,
        limit,
        window_seconds: Some(60),
    }
}

/// Each bot's own counters, and what they share once, under the smallest limit.
#[test]
fn everything_that_is_counted_above_is_reserved_once() {
    let grants = [[with_quota(5)], [with_quota(6)], [with_quota(7)]];
    let mut sources = three([&grants[0], &grants[1], &grants[2]]);
    for (source, limit) in sources.iter_mut().zip([30, 10, 20]) {
        source.budgets = vec![budget(BudgetOf::Workspace, limit), budget(BudgetOf::Bot, limit)];
    }
    let decision = list(&sources);
    let reserve = &permit(&decision).reserve;
    let bots = |pick: fn(&CounterKey) -> Option<&str>| {
        let mut bots: Vec<_> = reserve
            .iter()
            .filter_map(|item| Some((pick(&item.key)?, item.limit)))
            .collect();
        bots.sort_unstable();
        bots
    };
    let quotas = bots(|key| match key {
        CounterKey::Grant { bot, .. } => Some(&bot.name),
        _ => None,
    });
    assert_eq!(quotas, [("leaf", 7), ("middle", 6), ("root", 5)]);
    let own = bots(|key| match key {
        CounterKey::Bot { bot, .. } => Some(&bot.name),
        _ => None,
    });
    assert_eq!(own, [("leaf", 20), ("middle", 10), ("root", 30)]);
    let shared = bots(|key| match key {
        CounterKey::Workspace { namespace, .. } => Some(namespace),
        _ => None,
    });
    assert_eq!(shared, [("shop", 10)]);
    assert!(reserve.iter().all(|item| item.amount == 1));
}

#[test]
fn a_counter_above_that_is_used_up_or_unknown_denies() {
    let mut root = chain::bot("root", Vec::new(), &["leaf"]);
    delegable(&mut root, "leaf", &[with_quota(5)]);
    root.budgets = vec![budget(BudgetOf::Bot, 5)];
    let leaf = chain::bot("leaf", vec![code(&[read(&["**"])])], &[]);
    let loaded = engines(&[root, leaf]);
    let chained = chain::chain(&loaded);
    let call = Call {
        tool: "list_issues",
        arguments: &web().to_string(),
    };
    let known = chain::facts(&loaded);
    assert_eq!(known.used.len(), 2);
    assert_eq!(chained.counters_of_calls("list_issues").len(), 2);
    assert_eq!(reason(&chained.check(&call, &known)), None);
    for key in known.used.keys() {
        let mut facts = known.clone();
        facts.used.insert(key.clone(), 5);
        let decision = chained.check(&call, &facts);
        assert_eq!(reason(&decision), Some(Reason::QuotaExceeded));
        facts.used.remove(key);
        assert_eq!(reason(&chained.check(&call, &facts)), Some(Reason::QuotaExceeded));
    }
}

#[test]
fn a_trace_says_which_link_stopped_the_call() {
    let sources = three([&[read(&["**"])], &[read(&["acme/api"])], &[read(&["**"])]]);
    let loaded = engines(&sources);
    let call = Call {
        tool: "list_issues",
        arguments: &web().to_string(),
    };
    let decision = chain::chain(&loaded).explain(&call, &Facts::default());
    insta::assert_json_snapshot!(decision);
}

#[test]
fn a_chain_of_one_is_the_bot_itself() {
    let loaded = engines(&[chain::bot("leaf", vec![code(&[with_quota(5)])], &[])]);
    let call = Call {
        tool: "list_issues",
        arguments: &web().to_string(),
    };
    let facts = chain::facts(&loaded);
    assert_eq!(
        chain::chain(&loaded).check(&call, &facts),
        loaded[0].check(&call, &facts)
    );
    assert_eq!(chain::chain(&loaded).tools(), loaded[0].tools());
}

#[test]
fn what_is_wrong_with_a_delegation_is_left_out() {
    let mut root = chain::bot("root", Vec::new(), &["root", "twice", "twice", "leaf"]);
    delegable(&mut root, "leaf", &[json!({"operations": ["issue.delete"]})]);
    let compilation = compile(&root);
    let fields: Vec<_> = compilation
        .bot_faults
        .iter()
        .map(|fault| fault.field.as_str())
        .collect();
    assert_eq!(
        fields,
        [
            "delegations[0].to",
            "delegations[1].to",
            "delegations[2].to",
            "delegations[3].delegable[0].grants[0].operations[0]"
        ]
    );
    assert_eq!(
        compilation.document.delegations,
        [Delegation {
            to: named("leaf"),
            delegable: Some(Vec::new())
        }]
    );
    let twice = DelegationSource {
        delegable: root.delegations[3]
            .delegable
            .as_ref()
            .map(|set| [set.clone(), set.clone()].concat()),
        ..root.delegations[3].clone()
    };
    root.delegations = vec![twice];
    assert_eq!(compile(&root).document.delegations[0].delegable, Some(Vec::new()));
}
