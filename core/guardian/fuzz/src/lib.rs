//! What the fuzz targets have in common: a policy of one dimension, made from a pattern that is fuzzed too, and a question to it.
//!
//! An input is the pattern on the first line and the value behind it, so that corpora are texts that people can read and write.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use monstrum_guardian::decision::{Call, Facts, Permit, Verdict};
use monstrum_guardian::source::{BindingSource, BotName, BotSource, RunnerRef};
use monstrum_guardian::{Engine, compile};
use serde_json::{Value, json};

/// A pattern and a value.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is granted.
    pub pattern: &'a str,
    /// What is asked for.
    pub value: &'a str,
}

impl<'a> Question<'a> {
    /// The first line is the pattern.
    pub fn read(data: &'a [u8]) -> Option<Self> {
        let (pattern, value) = std::str::from_utf8(data).ok()?.split_once('\n')?;
        Some(Self { pattern, value })
    }

    /// The same value under a grant that is as wide as it can be.
    pub fn widely(&self, matching: &Value, pattern: &'static str) -> Option<String> {
        let known = format!("{matching} {pattern}");
        WIDEST.with_borrow_mut(|engines| {
            let engine = engines.entry(known).or_insert_with(|| {
                policy(matching, &json!(pattern)).unwrap_or_else(|| panic!("{pattern} has a fault"))
            });
            canonical(&settled(engine, &json!(self.value))?)
        })
    }

    /// The permit, if the value is text that the pattern permits.
    pub fn permit(&self, matching: &Value) -> Option<Permit> {
        permit(matching, &json!(self.pattern), &json!(self.value))
    }

    /// The canonical form of a permitted value, as it is executed.
    pub fn permitted(&self, matching: &Value) -> Option<String> {
        canonical(&self.permit(matching)?)
    }
}

thread_local! {
    /// Engines of patterns that are not fuzzed: made once.
    static WIDEST: RefCell<HashMap<String, Engine>> = RefCell::default();
}

/// The canonical form of a permitted text, which is what is executed.
fn canonical(permit: &Permit) -> Option<String> {
    let canonical = permit.canonical.get("value")?.first()?.as_str()?.to_owned();
    let executed = permit.arguments.get("value").and_then(Value::as_str);
    assert_eq!(
        executed,
        Some(canonical.as_str()),
        "what is judged is not what is executed"
    );
    Some(canonical)
}

/// Whether a grant of the pattern permits the value, in the same canonical form when it is written out and asked for again.
pub fn permit(matching: &Value, pattern: &Value, value: &Value) -> Option<Permit> {
    settled(&policy(matching, pattern)?, value)
}

fn settled(engine: &Engine, value: &Value) -> Option<Permit> {
    let permit = ask(engine, &json!({"value": value}).to_string())?;
    let again = ask(engine, &permit.arguments.to_string());
    assert_eq!(
        again.as_ref(),
        Some(&permit),
        "the canonical form is not canonical"
    );
    Some(permit)
}

/// The engine of a bot that is granted the pattern of the only dimension of the tool `act`; none where the pattern has a fault.
pub fn policy(matching: &Value, pattern: &Value) -> Option<Engine> {
    let scope = if matching.get("cel").is_some() {
        json!([])
    } else {
        json!([{"dimension": "value", "from": {"pointer": "/value"}}])
    };
    let resource_type = json!({
        "name": "fuzz", "executor": "web",
        "dimensions": [{"name": "value", "match": matching}],
        "tools": [{
            "name": "act", "description": "", "operation": "x.act", "scope": scope,
            "parameters": {"type": "object", "properties": {"value": {}}}
        }]
    });
    compiled(resource_type, json!({"value": [pattern]}))
}

/// The engine of a bot that is granted the tool `act` in this scope; none where the policy has a fault. A policy without fault loads.
pub fn compiled(resource_type: Value, scope: Value) -> Option<Engine> {
    let grant = json!({"origin": "binding/fuzz#0", "tools": ["act"], "scope": scope});
    let compilation = compile(&BotSource {
        bot: BotName {
            namespace: "fuzz".to_owned(),
            name: "fuzz".to_owned(),
        },
        budgets: Vec::new(),
        delegations: Vec::new(),
        bindings: vec![BindingSource {
            name: "fuzz".to_owned(),
            alias: None,
            resource: "fuzz".to_owned(),
            description: None,
            resource_type: Arc::new(serde_json::from_value(resource_type).ok()?),
            config: json!({}),
            credential: None,
            runner: RunnerRef::Bot,
            grants: vec![serde_json::from_value(grant).ok()?],
        }],
    });
    let engine = Engine::load(&compilation.document);
    let engine = engine.unwrap_or_else(|error| panic!("a compiled policy does not load: {error}"));
    compilation.faults.is_empty().then_some(engine)
}

/// What the engine permits, if it does.
pub fn ask(engine: &Engine, arguments: &str) -> Option<Permit> {
    let call = Call {
        tool: "act",
        arguments,
    };
    match engine.check(&call, &Facts::default()).verdict {
        Verdict::Allow(permit) => Some(*permit),
        Verdict::NeedsApproval(_) | Verdict::Deny(_) => None,
    }
}

/// A tool that takes any value.
pub fn anything() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let resource_type = json!({
            "name": "fuzz", "executor": "web", "dimensions": [],
            "tools": [{
                "name": "act", "description": "", "operation": "x.act",
                "parameters": {"type": "object", "properties": {"value": {}, "a": {}, "b": {}}}
            }]
        });
        compiled(resource_type, json!({})).unwrap_or_else(|| panic!("the policy has a fault"))
    })
}

/// JSON where it is JSON, else text.
pub fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// Whether a text holds characters that people do not see; a few of each sort.
pub fn hidden(text: &str) -> bool {
    text.chars().any(|c| {
        c.is_control()
            || [
                '\u{200b}',
                '\u{202e}',
                '\u{2066}',
                '\u{feff}',
                '\u{ad}',
                '\u{e0041}',
                '\u{2028}',
            ]
            .contains(&c)
    })
}

/// What a pattern begins with, before anything that is special.
pub fn literal_start(pattern: &str) -> String {
    let end = pattern.find(['*', '\\']).unwrap_or(pattern.len());
    let start = pattern.get(..end).unwrap_or_default();
    // `a/**` also stands for nothing at all in some places; the last separator may go with it.
    start.trim_end_matches('/').to_owned()
}

/// The pattern's only host, where it is an ordinary name.
pub fn literal_host(pattern: &str) -> Option<String> {
    let name = pattern.strip_suffix('.').unwrap_or(pattern);
    let ordinary = |c: char| c.is_ascii_lowercase() || matches!(c, '-' | '.');
    let plain = !name.is_empty() && name.chars().all(ordinary) && !name.contains("xn--");
    plain.then(|| name.to_owned())
}

/// Panics for a host that a wildcard must not reach.
pub fn assert_public(host: &str) {
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => assert!(
            !(v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                || v4.octets()[0] == 0
                || (v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64)),
            "{host}"
        ),
        Ok(IpAddr::V6(v6)) => assert!(
            v6.segments()[0] & 0xe000 == 0x2000
                && v6.segments()[0] != 0x2002
                && v6.to_ipv4_mapped().is_none(),
            "{host}"
        ),
        Err(_) => {
            let last = host.rsplit('.').next().unwrap_or_default();
            assert!(
                host.contains('.') && !["localhost", "local", "internal", "svc"].contains(&last),
                "{host}"
            );
            // What resolvers take for a number makes the whole an address.
            let digits = last.strip_prefix("0x").unwrap_or(last);
            let number = digits.chars().all(|c| c.is_ascii_digit())
                || (digits.len() < last.len() && digits.chars().all(|c| c.is_ascii_hexdigit()));
            assert!(!last.is_empty() && !number, "{host} could be an address");
        }
    }
}
