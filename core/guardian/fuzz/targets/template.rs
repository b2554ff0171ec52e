//! Templates: a part never becomes more than its part.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use monstrum_guardian::Engine;
use monstrum_guardian_fuzz::{ask, compiled};
use serde_json::{Value, json};

fn parts() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let dimension = |name: &str, kind: Value| json!({"name": name, "match": kind});
        let feed = |name: &str, template: &str| json!({"dimension": name, "from": {"template": template}});
        let resource_type = json!({
            "name": "parts", "executor": "web",
            "dimensions": [
                dimension("repository", json!({"glob": {"separator": "/"}})), dimension("page", json!({"url": {}})),
                dimension("server", json!({"host": {}})), dimension("file", json!({"path": {}}))
            ],
            "tools": [{
                "name": "act", "description": "", "operation": "x.act",
                "parameters": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
                "scope": [
                    feed("repository", "{/a}/{/b}"), feed("page", "https://{/a}.acme.com/v1/{/b}"),
                    feed("server", "{/a}.acme.com"), feed("file", "docs/{/a}/{/b}")
                ]
            }]
        });
        let scope = json!({"repository": ["**"], "page": ["https://**:*/**"], "server": ["**"], "file": ["**"]});
        compiled(resource_type, scope).unwrap_or_else(|| panic!("the policy has a fault"))
    })
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (a, b) = text.split_once('\n').unwrap_or((text, "b"));
    let Some(permit) = ask(parts(), &json!({"a": a, "b": b}).to_string()) else {
        return;
    };
    let value = |name: &str| {
        let values = permit.canonical.get(name).unwrap_or_default();
        let first = values.first().and_then(serde_json::Value::as_str);
        first.unwrap_or_default().to_owned()
    };
    assert_eq!(value("repository").split('/').count(), 2);
    let page = value("page");
    let inside = page
        .strip_prefix("https://")
        .and_then(|rest| rest.split_once(".acme.com/v1/"));
    assert!(inside.is_some_and(
        |(before, after)| !before.contains(['/', ':', '@', '.']) && !after.contains(['/', '?', '#'])
    ));
    assert!(value("server").ends_with(".acme.com") && value("server").split('.').count() == 3);
    assert!(value("file").starts_with("docs/") && value("file").split('/').count() == 3);
});
