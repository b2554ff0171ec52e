//! Laws of calls: what is visible, what is unknown, what is executed. `PROPTEST_CASES` says how long to look for a counterexample.

#[path = "fixture/bot.rs"]
mod bot;
#[path = "fixture/question.rs"]
mod question;
#[path = "fixture/world.rs"]
mod world;

use monstrum_guardian::decision::{Call, Facts, Reason, Verdict};
use monstrum_guardian::{Engine, compile};
use proptest::prelude::*;
use proptest::sample::select;
use question::{BINDINGS, cases, decide, each, facts, loaded, name_of, rank};
use serde_json::json;

proptest! {
    #![proptest_config(cases(2_048))]

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

    /// A parameter that no one declared denies, whatever else is said; a dimension that no one declared voids its binding.
    #[test]
    fn unknown_parameters_and_dimensions_deny(
        source in world::bot_source(), calls in world::calls(),
        name in select(vec!["admin", "Owner", "owner ", "", "__proto__", "ow\u{200b}ner"]), value in select(vec![json!(null), json!("acme")])
    ) {
        let engine = loaded(&source);
        let facts = facts(&source);
        for (binding, (tool, arguments)) in each(&calls) {
            let mut spoiled = arguments.clone();
            spoiled[name] = value.clone();
            let decision = decide(&engine, &facts, binding, &(tool, spoiled));
            prop_assert_eq!(rank(decision.as_ref()), 0);
        }
        let mut unknown = source.clone();
        unknown.bindings[0].grants.push(bot::grant("binding/code#x", json!({"tools": ["*"], "scope": {name: ["**"]}})));
        let compilation = compile(&unknown);
        prop_assert!(!compilation.faults.is_empty());
        let engine = Engine::load(&compilation.document).unwrap();
        prop_assert!(engine.binding("code").is_none());
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

    /// Arguments that were permitted, written out again, are the same call; and they fit the schema that the model was shown.
    #[test]
    fn what_is_executed_is_what_was_checked(source in world::bot_source(), calls in world::calls()) {
        let engine = loaded(&source);
        let facts = facts(&source);
        for (binding, call) in each(&calls) {
            let Some(decision) = decide(&engine, &facts, binding, call) else { continue };
            if let Verdict::Allow(permit) | Verdict::NeedsApproval(permit) = &decision.verdict {
                let again = decide(&engine, &facts, binding, &(call.0, permit.arguments.clone()));
                prop_assert_eq!(again.map(|again| again.verdict), Some(decision.verdict.clone()));
                let name = name_of(&engine, binding, call.0).unwrap();
                let tool = engine.tools().into_iter().find(|tool| tool.name == name).unwrap();
                prop_assert!(jsonschema::is_valid(&tool.parameters, &permit.arguments), "{:?} {:?}", tool, permit);
            }
        }
    }
}
