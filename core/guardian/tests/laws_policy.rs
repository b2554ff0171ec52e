//! Laws of policies: what holds for every bot, whatever its grants. `PROPTEST_CASES` says how long to look for a counterexample.

#![expect(
    clippy::indexing_slicing,
    reason = "test code: a failure here is a failed test"
)]

#[path = "fixture/bot.rs"]
mod bot;
#[path = "fixture/question.rs"]
mod question;
#[path = "fixture/world.rs"]
mod world;

use monstrum_guardian::document::Document;
use monstrum_guardian::source::{BotName, BotSource};
use monstrum_guardian::{Engine, compile};
use proptest::prelude::*;
use proptest::sample::Index;
use question::{cases, decide, each, facts, loaded, rank};

/// What there is to take away from a policy. (An empty list of tools and a dimension that is not mentioned are no restriction,
/// so the last of a list is never taken.)
const LESS: u8 = 6;

/// The source with one thing less that it permits.
fn lessened(source: &BotSource, which: u8, place: Index, inner: Index) -> BotSource {
    let mut less = source.clone();
    let binding = place.index(less.bindings.len());
    if which == 0 || less.bindings[binding].grants.is_empty() {
        less.bindings.remove(binding);
        return less;
    }
    let binding = &mut less.bindings[binding];
    let grant = inner.index(binding.grants.len());
    match which {
        1 => {
            binding.grants.remove(grant);
        }
        2 => take_one(&mut binding.grants[grant].operations, inner),
        3 => take_one(&mut binding.grants[grant].tools, inner),
        4 => binding.grants[grant]
            .scope
            .values_mut()
            .for_each(|patterns| take_one(patterns, inner)),
        _ => {
            let mut resource_type = (*binding.resource_type).clone();
            take_one(&mut resource_type.tools, inner);
            let known = |grant: &_| {
                monstrum_guardian::validate_grants(&resource_type, std::slice::from_ref(grant)).is_empty()
            };
            binding.grants.retain(known);
            binding.resource_type = resource_type.into();
        }
    }
    less
}

fn take_one<T>(list: &mut Vec<T>, which: Index) {
    if list.len() > 1 {
        list.remove(which.index(list.len()));
    }
}

/// Everything in another order, some of it twice: the same meaning.
fn shuffled(source: &BotSource) -> BotSource {
    let mut other = source.clone();
    other.bindings.reverse();
    for binding in &mut other.bindings {
        let mut resource_type = (*binding.resource_type).clone();
        resource_type.tools.reverse();
        resource_type.dimensions.reverse();
        binding.resource_type = resource_type.into();
        binding.grants = binding.grants.iter().rev().map(world::rewritten).collect();
        let again = binding.grants.first().cloned();
        binding.grants.extend(again);
    }
    other
}

proptest! {
    #![proptest_config(cases(2_048))]

    #[test]
    fn order_never_matters_and_compiling_is_deterministic(source in world::bot_source()) {
        let compiled = compile(&source);
        prop_assert_eq!(&compiled, &compile(&source));
        let other = compile(&shuffled(&source));
        prop_assert_eq!(&compiled.faults, &other.faults);
        prop_assert_eq!(compiled.document.to_bytes(), other.document.to_bytes());
    }

    #[test]
    fn removing_never_permits_more(
        source in world::bot_source(), which in 0..LESS, place: Index, inner: Index, calls in world::calls()
    ) {
        // What is left may have a fault, which voids its binding.
        let less = compile(&lessened(&source, which, place, inner)).document;
        let (more, less) = (loaded(&source), Engine::load(&less).unwrap());
        let facts = facts(&source);
        for (binding, call) in each(&calls) {
            let before = decide(&more, &facts, binding, call);
            let after = decide(&less, &facts, binding, call);
            prop_assert!(rank(after.as_ref()) <= rank(before.as_ref()), "{binding} {call:?}");
        }
    }

    /// Bots share types and roles, so that a grant to one could reach another.
    #[test]
    fn a_grant_changes_no_other_binding_and_no_other_bot(
        source in world::bot_source(), added in world::grant_fields(), calls in world::calls()
    ) {
        let mut wider = source.clone();
        wider.bindings[0].grants.push(bot::grant("binding/code#added", added));
        let (before, after) = (loaded(&source), loaded(&wider));
        let mut other = source.clone();
        other.bot = BotName { namespace: "shop".to_owned(), name: "other".to_owned() };
        let mut untouched = before.document().clone();
        untouched.bot = other.bot.clone();
        prop_assert_eq!(compile(&other).document, untouched);
        let facts = facts(&wider);
        for call in &calls {
            let spare = |engine| decide(engine, &facts, "spare", call);
            prop_assert_eq!(spare(&before), spare(&after));
            let code = |engine| rank(decide(engine, &facts, "code", call).as_ref());
            prop_assert!(code(&before) <= code(&after), "a grant is added, never taken");
        }
    }
}

proptest! {
    #![proptest_config(cases(1_024))]

    /// What decides differently has another digest; what has the same digest decides alike.
    #[test]
    fn a_digest_is_a_meaning(
        source in world::bot_source(), which in 0..LESS, place: Index, inner: Index, calls in world::calls()
    ) {
        let left = compile(&source).document;
        let right = compile(&lessened(&source, which, place, inner)).document;
        prop_assert_eq!(left == right, left.digest() == right.digest());
        let decoded = Document::from_bytes(&left.to_bytes()).unwrap();
        prop_assert_eq!(&decoded, &left);
        prop_assert_eq!(decoded.digest(), left.digest());
        let [original, again, other] = [&left, &decoded, &right].map(|document| Engine::load(document).unwrap());
        let facts = facts(&source);
        for (binding, call) in each(&calls) {
            let decision = decide(&original, &facts, binding, call);
            prop_assert_eq!(&decision, &decide(&again, &facts, binding, call));
            if decision != decide(&other, &facts, binding, call) {
                prop_assert_ne!(left.digest(), right.digest());
            }
        }
    }
}
