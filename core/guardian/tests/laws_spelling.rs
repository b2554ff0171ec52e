//! Laws of texts: however a model spells its arguments, the same value is judged and executed. `PROPTEST_CASES` says how long to look for a
//! counterexample.

#[path = "fixture/bot.rs"]
mod bot;
#[path = "fixture/question.rs"]
mod question;

use std::fmt::Write as _;

use bot::{binding, check, engine, parse};
use monstrum_guardian::Engine;
use proptest::prelude::*;
use proptest::sample::select;
use question::cases;
use serde_json::{Map, Value, json};

/// A tool that takes anything.
fn anything() -> Engine {
    let resource_type = parse(json!({
        "name": "any", "executor": "http", "dimensions": [],
        "tools": [{
            "name": "act", "description": "", "operation": "x.act",
            "parameters": {"type": "object", "properties": {"value": {}}}
        }]
    }));
    engine(vec![binding("any", &resource_type, &[json!({"tools": ["act"]})])])
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        (-100_i64..100).prop_map(Value::from),
        (-1e9_f64..1e9).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-zA-Z\"\\\\/\u{1}\u{e9}\u{1f600} ]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-c\"é]{0,3}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// The value in another spelling, by a stream of choices.
fn spell(value: &Value, choices: &mut impl Iterator<Item = u8>, out: &mut String) {
    let space = |choice: u8| {
        ["", " ", "\n", "\t\r "]
            .get(usize::from(choice) % 4)
            .copied()
            .unwrap_or_default()
    };
    let mut next = || choices.next().unwrap_or_default();
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            if next().is_multiple_of(2) {
                fields.reverse();
            }
            out.push('{');
            for (place, (key, field)) in fields.into_iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                out.push_str(space(choices.next().unwrap_or_default()));
                spell_text(key, choices, out);
                out.push(':');
                spell(field, choices, out);
            }
            out.push_str(space(choices.next().unwrap_or_default()));
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place > 0 { "," } else { "" });
                out.push_str(space(choices.next().unwrap_or_default()));
                spell(item, choices, out);
            }
            out.push(']');
        }
        Value::String(text) => spell_text(text, choices, out),
        Value::Number(number) if number.is_i64() => {
            let form = match next() % 4 {
                0 => format!("{number}.0"),
                1 => format!("{number}e0"),
                2 if number.as_i64() != Some(0) => format!("{number}0E-1"),
                _ => number.to_string(),
            };
            out.push_str(&form);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
}

fn spell_text(text: &str, choices: &mut impl Iterator<Item = u8>, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        let escaped = choices.next().unwrap_or_default().is_multiple_of(3);
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            _ if escaped || c.is_control() => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            '/' => out.push_str("\\/"),
            _ => out.push(c),
        }
    }
    out.push('"');
}

proptest! {
    #![proptest_config(cases(4_096))]

    #[test]
    fn spelling_never_matters(value in json_value(), choices in proptest::collection::vec(any::<u8>(), 64)) {
        let engine = ENGINE.with(Clone::clone);
        let arguments = json!({"value": value});
        let mut spelled = String::new();
        spell(&arguments, &mut choices.into_iter().cycle(), &mut spelled);
        let plain = check(&engine, "act", &arguments.to_string());
        let permit = bot::permit(&plain);
        prop_assert_eq!(&check(&engine, "act", &spelled).verdict, &plain.verdict, "{}", spelled);
        let again = check(&engine, "act", &permit.arguments.to_string());
        prop_assert_eq!(&again.verdict, &plain.verdict);
        // Nothing was lost: other readers of what is executed see what the model said.
        let said = serde_json::from_str::<Value>(&permit.arguments.to_string()).ok();
        prop_assert_eq!(said.as_ref(), Some(&permit.arguments));
    }

    /// A repeated key denies, at any depth and in any spelling.
    #[test]
    fn a_key_twice_is_always_denied(
        value in json_value(), key in select(vec!["a", "é", "\""]), depth in 0_usize..5,
        choices in proptest::collection::vec(any::<u8>(), 16)
    ) {
        let engine = ENGINE.with(Clone::clone);
        let mut choices = choices.into_iter().cycle();
        let mut inner = String::from("{");
        for place in 0..2 {
            inner.push_str(if place > 0 { "," } else { "" });
            spell_text(key, &mut choices, &mut inner);
            inner.push(':');
            spell(&value, &mut choices, &mut inner);
        }
        let text = format!("{{\"value\":{}{inner}}}{}}}", "[".repeat(depth), "]".repeat(depth));
        let decision = check(&engine, "act", &text);
        prop_assert_eq!(bot::reason(&decision), Some(monstrum_guardian::decision::Reason::MalformedArguments), "{}", text);
    }
}

thread_local! {
    static ENGINE: std::rc::Rc<Engine> = std::rc::Rc::new(anything());
}
