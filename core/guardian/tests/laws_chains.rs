//! Laws of delegation: what holds for every chain, whatever its bots hold.

#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a failure here is a failed test"
)]

#[path = "fixture/bot.rs"]
mod bot;
#[path = "fixture/chain.rs"]
mod chain;
#[path = "fixture/question.rs"]
mod question;
#[path = "fixture/world.rs"]
mod world;

use monstrum_guardian::decision::{Call, Decision, Facts, Reason};
use monstrum_guardian::source::{BotSource, Budget, BudgetOf, Counted};
use monstrum_guardian::{Chain, Engine, MAX_LINKS, compile};
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use question::{cases, rank};
use serde_json::{Value, json};

/// A bot before it has a name: its grants, what may be handed on if that is written, whether it delegates, its budgets.
type Link = (Vec<Value>, Option<Vec<Value>>, bool, Vec<u64>);

fn link() -> impl Strategy<Value = Link> {
    // Wide ones among random ones, so that several bots often agree.
    let wide = vec![
        json!({"operations": ["issue.*"], "scope": {"repository": ["acme/*"]}}),
        json!({"operations": ["issue.read"], "scope": {"repository": ["**"], "state": ["open"]}}),
        json!({"operations": ["file.read"], "scope": {"repository": ["**"], "path": ["docs/**"]}}),
        json!({"operations": ["user.read"]}),
    ];
    let grants = move || {
        let random = proptest::collection::vec(world::grant_fields(), 0..3);
        (random, subsequence(wide.clone(), 1..=4)).prop_map(|(random, wide)| [random, wide].concat())
    };
    (
        grants(),
        proptest::option::weighted(0.4, grants()),
        proptest::bool::weighted(0.95),
        proptest::collection::vec(2_u64..4, 0..2),
    )
}

/// Bots that delegate to each other, the first one first.
fn sources() -> impl Strategy<Value = Vec<BotSource>> {
    proptest::collection::vec(link(), 1..5).prop_map(|links| built(&links))
}

fn built(links: &[Link]) -> Vec<BotSource> {
    let links = links.iter().enumerate();
    links
        .map(|(place, (grants, delegable, delegates, budgets))| {
            let next = format!("bot-{}", place + 1);
            let to: Vec<&str> = delegates.then_some(next.as_str()).into_iter().collect();
            let mut source = chain::bot(&format!("bot-{place}"), vec![chain::code(grants)], &to);
            if let Some(delegable) = delegable.as_ref().filter(|_| *delegates) {
                chain::delegable(&mut source, &next, delegable);
            }
            source.budgets = budgets.iter().map(|limit| budget(*limit)).collect();
            source
        })
        .collect()
}

fn budget(limit: u64) -> Budget {
    Budget {
        of: BudgetOf::Workspace,
        name: "calls".to_owned(),
        counts: Counted::Calls,
        limit,
        window_seconds: None,
    }
}

fn ask(chain: &Chain<'_>, facts: &Facts, (tool, arguments): &(&'static str, Value)) -> Decision {
    let arguments = arguments.to_string();
    chain.check(
        &Call {
            tool,
            arguments: &arguments,
        },
        facts,
    )
}

/// What a bot above may hand on, as a bot that holds just that.
fn alone(source: &BotSource, to: Option<&BotSource>) -> BotSource {
    let mut alone = source.clone();
    let delegation = to.and_then(|to| {
        source
            .delegations
            .iter()
            .find(|delegation| delegation.to == to.bot)
    });
    if let Some(written) = delegation.and_then(|delegation| delegation.delegable.clone()) {
        for binding in &mut alone.bindings {
            binding.grants = written.iter().flat_map(|item| item.grants.clone()).collect();
        }
    }
    alone.delegations.clear();
    alone
}

/// The chain with one thing less that one of its bots holds, may hand on, or delegates at all.
fn lessened(sources: &[BotSource], which: u8, link: Index, inner: Index) -> Vec<BotSource> {
    let mut less = sources.to_vec();
    let place = link.index(less.len());
    let source = &mut less[place];
    if which == 0 {
        source.delegations.clear();
        return less;
    }
    let written = source
        .delegations
        .iter_mut()
        .filter_map(|delegation| delegation.delegable.as_mut());
    let mut written: Vec<_> = written.flatten().map(|item| &mut item.grants).collect();
    let grants = match written.first_mut() {
        Some(grants) if which % 2 == 1 => &mut **grants,
        _ => &mut source.bindings[0].grants,
    };
    if grants.is_empty() {
        return less;
    }
    let number = inner.index(grants.len());
    if which < 3 {
        grants.remove(number);
    } else if let Some(patterns) = grants[number]
        .scope
        .values_mut()
        .max_by_key(|patterns| patterns.len())
        && patterns.len() > 1
    {
        patterns.remove(inner.index(patterns.len()));
    }
    less
}

fn shuffled(source: &BotSource) -> BotSource {
    let mut other = source.clone();
    other.budgets.reverse();
    other.delegations.reverse();
    let written = other
        .delegations
        .iter_mut()
        .filter_map(|delegation| delegation.delegable.as_mut());
    for item in written.flatten() {
        item.grants = item.grants.iter().rev().map(world::rewritten).collect();
        let again = item.grants.first().cloned();
        item.grants.extend(again);
    }
    other
}

/// Else the laws would be about nothing.
#[test]
fn chains_of_several_bots_permit_often_enough_and_not_always() {
    let mut runner = TestRunner::deterministic();
    let (mut permitted, mut denied) = (0_u32, 0_u32);
    for _ in 0..300 {
        let world = (sources(), world::calls()).new_tree(&mut runner).unwrap();
        let (sources, calls) = world.current();
        if sources.len() < 2 {
            continue;
        }
        let engines = chain::engines(&sources);
        let facts = chain::facts(&engines);
        for call in &calls {
            let leaf = rank(&ask(&Chain::new(vec![&engines[engines.len() - 1]]), &facts, call));
            match (leaf, rank(&ask(&chain::chain(&engines), &facts, call))) {
                (0, _) => {}
                (_, 0) => denied += 1,
                _ => permitted += 1,
            }
        }
    }
    assert!(
        permitted > 20 && denied > 20,
        "{permitted} permitted, {denied} denied by bots above"
    );
}

proptest! {
    #![proptest_config(cases(1_024))]

    #[test]
    fn a_child_never_exceeds_itself_or_any_bot_above(sources in sources(), calls in world::calls()) {
        let engines = chain::engines(&sources);
        let singles: Vec<Engine> = sources
            .iter()
            .enumerate()
            .map(|(place, source)| chain::load(&alone(source, sources.get(place + 1))))
            .collect();
        let facts = chain::facts(&engines);
        let mut known = facts.clone();
        known.used.extend(singles.iter().flat_map(Engine::counters).map(|counter| (counter.key, 1)));
        for call in &calls {
            let together = rank(&ask(&chain::chain(&engines), &facts, call));
            for single in &singles {
                let own = rank(&ask(&Chain::new(vec![single]), &known, call));
                prop_assert!(together <= own, "{call:?} {}", single.bot().name);
            }
        }
    }

    #[test]
    fn removing_anything_from_any_link_never_permits_more(
        sources in sources(), which in 0_u8..6, link: Index, inner: Index, calls in world::calls()
    ) {
        let (more, less) = (chain::engines(&sources), chain::engines(&lessened(&sources, which, link, inner)));
        let facts = chain::facts(&more);
        for call in &calls {
            let before = rank(&ask(&chain::chain(&more), &facts, call));
            let after = rank(&ask(&chain::chain(&less), &facts, call));
            prop_assert!(after <= before, "{call:?}");
        }
    }

    #[test]
    fn another_link_never_permits_more(sources in sources(), place: Index, calls in world::calls()) {
        let engines = chain::engines(&sources);
        let facts = chain::facts(&engines);
        // A shorter chain: some of the first bots are not asked.
        let shorter = Chain::new(engines.iter().skip(place.index(engines.len())).collect());
        for call in &calls {
            let long = rank(&ask(&chain::chain(&engines), &facts, call));
            prop_assert!(long <= rank(&ask(&shorter, &facts, call)), "{call:?}");
        }
    }

    #[test]
    fn the_order_of_sources_never_matters(sources in sources()) {
        for source in &sources {
            let (one, other) = (compile(source), compile(&shuffled(source)));
            prop_assert_eq!(one.document.to_bytes(), other.document.to_bytes());
        }
    }

    #[test]
    fn what_a_chain_may_call_it_sees(sources in sources(), calls in world::calls()) {
        let engines = chain::engines(&sources);
        let (chained, facts) = (chain::chain(&engines), chain::facts(&engines));
        let seen: Vec<String> = chained.tools().into_iter().map(|tool| tool.name).collect();
        let leaf: Vec<String> = engines.last().unwrap().tools().into_iter().map(|tool| tool.name).collect();
        prop_assert!(seen.iter().all(|tool| leaf.contains(tool)));
        for call in &calls {
            if rank(&ask(&chained, &facts, call)) > 0 {
                prop_assert!(seen.iter().any(|tool| tool == call.0), "{call:?} is not in {seen:?}");
            }
        }
    }

    #[test]
    fn circles_and_chains_too_long_are_always_denied(
        sources in sources(), from: Index, to: Index, calls in world::calls()
    ) {
        let engines = chain::engines(&sources);
        let facts = chain::facts(&engines);
        let mut circle: Vec<&Engine> = engines.iter().collect();
        circle.insert(to.index(engines.len() + 1), &engines[from.index(engines.len())]);
        let long: Vec<Engine> = (0..=MAX_LINKS)
            .map(|place| {
                let mut source = sources[0].clone();
                source.bot = chain::named(&format!("bot-{place}"));
                source.delegations = chain::bot("x", Vec::new(), &[&format!("bot-{}", place + 1)]).delegations;
                chain::load(&source)
            })
            .collect();
        for refused in [Chain::new(circle), chain::chain(&long)] {
            prop_assert!(refused.tools().is_empty());
            for call in &calls {
                let decision = ask(&refused, &facts, call);
                prop_assert_eq!(bot::reason(&decision), Some(Reason::NotDelegated));
            }
        }
    }

    #[test]
    fn a_chain_explains_what_it_decides(sources in sources(), calls in world::calls()) {
        let engines = chain::engines(&sources);
        for facts in [chain::facts(&engines), Facts::default()] {
            for (tool, arguments) in &calls {
                let text = arguments.to_string();
                let call = Call { tool, arguments: &text };
                let (quick, slow) = (chain::chain(&engines).check(&call, &facts), chain::chain(&engines).explain(&call, &facts));
                prop_assert_eq!(&quick.verdict, &slow.verdict);
                if rank(&quick) > 0 {
                    prop_assert_eq!(quick.trace.links.len(), engines.len() - 1);
                    prop_assert!(quick.trace.links.iter().all(|link| link.stopped_by.is_none()));
                }
            }
        }
    }

    /// Use that grows, or that nobody knows, never permits more.
    #[test]
    fn more_use_never_permits_more(sources in sources(), which: Index, calls in world::calls()) {
        let engines = chain::engines(&sources);
        let facts = chain::facts(&engines);
        let (mut more, mut unknown) = (facts.clone(), facts.clone());
        if let Some(key) = facts.used.keys().nth(which.index(facts.used.len().max(1))) {
            more.used.insert(key.clone(), 9);
            unknown.used.remove(key);
        }
        for call in &calls {
            let before = rank(&ask(&chain::chain(&engines), &facts, call));
            for facts in [&more, &unknown] {
                prop_assert!(rank(&ask(&chain::chain(&engines), facts, call)) <= before);
            }
        }
    }
}
