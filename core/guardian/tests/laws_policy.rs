//! Laws of policies: what holds for every bot, whatever its grants. `PROPTEST_CASES` says how long to look for a counterexample.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "test code: a failure here is a failed test"
)]

#[path = "fixture/bot.rs"]
mod bot;
#[path = "fixture/world.rs"]
mod world;

use monstrum_guardian::decision::{Call, CounterKey, Decision, Facts, Reason, Verdict};
use monstrum_guardian::document::Document;
use monstrum_guardian::source::{BindingSource, BotSource};
use monstrum_guardian::{Engine, compile};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

fn loaded(source: &BotSource) -> Engine {
    Engine::load(&compile(source).document).unwrap()
}

/// Every quota is known and has room.
fn facts(source: &BotSource) -> Facts {
    let grants = source
        .bindings
        .iter()
        .flat_map(|binding| binding.grants.iter().map(move |grant| (binding, grant)));
    let used = grants.flat_map(|(binding, grant)| {
        grant.quotas.iter().map(move |quota| {
            (
                CounterKey::Grant {
                    bot: bot::bot_name(),
                    binding: binding.name.clone(),
                    grant: grant.origin.clone(),
                    quota: quota.name.clone(),
                },
                1,
            )
        })
    });
    Facts {
        used: used.collect(),
        ..Facts::default()
    }
}

/// The name that a binding's tool has for the model, if it is visible.
fn name_of(engine: &Engine, binding: &str, tool: &str) -> Option<String> {
    let prefix = engine.binding(binding)?.prefix.as_ref();
    Some(prefix.map_or_else(|| tool.to_owned(), |prefix| format!("{prefix}__{tool}")))
}

fn decide(
    engine: &Engine,
    facts: &Facts,
    binding: &str,
    (tool, arguments): &(&str, Value),
) -> Option<Decision> {
    let name = name_of(engine, binding, tool)?;
    Some(engine.check(
        &Call {
            tool: &name,
            arguments: &arguments.to_string(),
        },
        facts,
    ))
}

/// Permitted at once or after approval; nothing for a call that is denied.
fn rank(decision: Option<&Decision>) -> u8 {
    match decision.map(|decision| &decision.verdict) {
        None | Some(Verdict::Deny(_)) => 0,
        Some(Verdict::NeedsApproval(_)) => 1,
        Some(Verdict::Allow(_)) => 2,
    }
}

/// The source with one thing less that it permits.
fn lessened(source: &BotSource, which: u8, place: Index, inner: Index) -> BotSource {
    let mut less = source.clone();
    let binding = place.index(less.bindings.len());
    let Some(grants) = less.bindings.get_mut(binding).map(|binding| &mut binding.grants) else {
        return less;
    };
    if which == 0 || grants.is_empty() {
        less.bindings.remove(binding);
        return less;
    }
    let grant = inner.index(grants.len());
    if which == 1 {
        grants.remove(grant);
        return less;
    }
    let grant = &mut grants[grant];
    if which == 2 && grant.operations.len() > 1 {
        grant.operations.remove(inner.index(grant.operations.len()));
    } else if let Some(patterns) = grant.scope.values_mut().max_by_key(|patterns| patterns.len()) {
        patterns.remove(inner.index(patterns.len()));
    }
    less
}

fn shuffled(source: &BotSource) -> BotSource {
    let mut other = source.clone();
    other.bindings.reverse();
    for binding in &mut other.bindings {
        binding.grants = binding.grants.iter().rev().map(world::rewritten).collect();
        let again = binding.grants.first().cloned();
        binding.grants.extend(again);
    }
    other
}

const BINDINGS: [&str; 2] = ["code", "spare"];

proptest! {
    #[test]
    fn order_never_matters_and_compiling_is_deterministic(source in world::bot_source()) {
        let compiled = compile(&source);
        prop_assert_eq!(&compiled, &compile(&source));
        let other = compile(&shuffled(&source));
        prop_assert_eq!(compiled.document.to_bytes(), other.document.to_bytes());
        prop_assert_eq!(compiled.document.digest(), other.document.digest());
    }

    #[test]
    fn removing_never_permits_more(
        source in world::bot_source(), which in 0_u8..4, place: Index, inner: Index, calls in world::calls()
    ) {
        prop_assert!(compile(&source).faults.is_empty());
        let (more, less) = (loaded(&source), loaded(&lessened(&source, which, place, inner)));
        let facts = facts(&source);
        for (binding, call) in BINDINGS.iter().flat_map(|binding| calls.iter().map(move |call| (binding, call))) {
            let before = decide(&more, &facts, binding, call);
            let after = decide(&less, &facts, binding, call);
            prop_assert!(rank(after.as_ref()) <= rank(before.as_ref()), "{binding} {call:?}");
        }
    }

    #[test]
    fn a_grant_changes_no_other_binding_and_no_other_bot(
        source in world::bot_source(), added in world::grant_fields(), calls in world::calls()
    ) {
        prop_assert!(compile(&source).faults.is_empty());
        let other_bot = compile(&source).document.to_bytes();
        let mut wider: BotSource = source.clone();
        let binding: &mut BindingSource = &mut wider.bindings[0];
        binding.grants.push(bot::grant("binding/code#added", added));
        prop_assert!(compile(&wider).faults.is_empty());
        prop_assert_eq!(compile(&source).document.to_bytes(), other_bot);
        let (before, after) = (loaded(&source), loaded(&wider));
        let facts = facts(&wider);
        for call in &calls {
            let spare = |engine| decide(engine, &facts, "spare", call);
            prop_assert_eq!(spare(&before), spare(&after));
            let code = |engine| rank(decide(engine, &facts, "code", call).as_ref());
            prop_assert!(code(&before) <= code(&after), "a grant is added, never taken");
        }
    }

    #[test]
    fn what_is_callable_is_visible_and_what_is_unknown_is_denied(source in world::bot_source(), calls in world::calls()) {
        let engine = loaded(&source);
        let visible: Vec<_> = engine.tools().into_iter().map(|tool| tool.name).collect();
        for (tool, arguments) in &calls {
            for name in [(*tool).to_owned(), format!("code__{tool}"), format!("spare__{tool}")] {
                let decision = engine.check(&Call { tool: &name, arguments: &arguments.to_string() }, &facts(&source));
                if visible.contains(&name) {
                    prop_assert_ne!(bot::reason(&decision), Some(Reason::UnknownTool));
                } else {
                    prop_assert_eq!(bot::reason(&decision), Some(Reason::UnknownTool));
                }
            }
        }
    }

    /// The quick way with its indexes and the slow way that looks at each grant agree.
    #[test]
    fn check_and_explain_agree(source in world::bot_source(), calls in world::calls()) {
        let engine = loaded(&source);
        for facts in [facts(&source), Facts::default()] {
            for (tool, arguments) in &calls {
                let arguments = arguments.to_string();
                for name in BINDINGS.iter().filter_map(|binding| name_of(&engine, binding, tool)) {
                    let call = Call { tool: &name, arguments: &arguments };
                    let (quick, slow) = (engine.check(&call, &facts), engine.explain(&call, &facts));
                    prop_assert_eq!(&quick.verdict, &slow.verdict);
                    let by_grants = slow.trace.grants.iter().any(|grant| grant.permits);
                    prop_assert_eq!(by_grants, rank(Some(&quick)) > 0, "{:?}", slow);
                }
            }
        }
    }

    #[test]
    fn what_is_executed_is_what_was_checked(source in world::bot_source(), calls in world::calls()) {
        let engine = loaded(&source);
        let facts = facts(&source);
        for (binding, call) in BINDINGS.iter().flat_map(|binding| calls.iter().map(move |call| (binding, call))) {
            let Some(decision) = decide(&engine, &facts, binding, call) else { continue };
            if let Verdict::Allow(permit) | Verdict::NeedsApproval(permit) = &decision.verdict {
                let again = decide(&engine, &facts, binding, &(call.0, permit.arguments.clone()));
                prop_assert_eq!(again.map(|again| again.verdict), Some(decision.verdict.clone()));
            }
        }
    }

    #[test]
    fn what_is_permitted_fits_the_narrowed_schema(source in world::bot_source(), calls in world::calls()) {
        let engine = loaded(&source);
        let facts = facts(&source);
        for (binding, call) in BINDINGS.iter().flat_map(|binding| calls.iter().map(move |call| (binding, call))) {
            let Some(decision) = decide(&engine, &facts, binding, call) else { continue };
            if let Verdict::Allow(permit) | Verdict::NeedsApproval(permit) = &decision.verdict {
                let name = name_of(&engine, binding, call.0).unwrap();
                let tool = engine.tools().into_iter().find(|tool| tool.name == name).unwrap();
                prop_assert!(jsonschema::is_valid(&tool.parameters, &permit.arguments), "{:?} {:?}", tool, permit);
            }
        }
    }

    #[test]
    fn a_digest_is_a_meaning(left in world::bot_source(), right in world::bot_source(), calls in world::calls()) {
        let (a, b) = (compile(&left).document, compile(&right).document);
        prop_assert_eq!(a == b, a.digest() == b.digest());
        let decoded = Document::from_bytes(&a.to_bytes()).unwrap();
        prop_assert_eq!(&decoded, &a);
        let (original, again) = (Engine::load(&a).unwrap(), Engine::load(&decoded).unwrap());
        for call in &calls {
            for binding in BINDINGS {
                prop_assert_eq!(
                    decide(&original, &Facts::default(), binding, call),
                    decide(&again, &Facts::default(), binding, call)
                );
            }
        }
    }
}
