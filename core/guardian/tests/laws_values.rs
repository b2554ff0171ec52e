//! Laws of canonical forms: hostile text has one form or none, and nothing makes the engine panic.

#[path = "fixture/bot.rs"]
mod bot;

use bot::{binding, check, desk, engine, forge, shell};
use monstrum_guardian::Engine;
use monstrum_guardian::decision::Verdict;
use monstrum_guardian::document::Document;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

/// Pieces that parsers of hosts, addresses, paths and commands treat specially.
const PIECES: [&str; 61] = [
    "%c0%ae",
    "%ef%bc%8e",
    "%E2%80%AE",
    "\u{ff05}",
    "-a",
    "a",
    "B",
    "example",
    ".com",
    ".",
    "..",
    "/",
    "//",
    "\\",
    ":",
    "@",
    "%",
    "%2e",
    "%2F",
    "%00",
    "?",
    "#",
    "[",
    "]",
    "127",
    "0x7f",
    "1",
    "0177",
    "2130706433",
    "::1",
    "::ffff:",
    "fe80",
    "http://",
    "https://",
    "HTTPS://",
    ":443",
    ":0",
    "*",
    "-",
    "--x",
    " ",
    "\t",
    "\n",
    "\0",
    "é",
    "ß",
    "\u{212a}",
    "\u{ff0e}",
    "\u{ff0f}",
    "\u{3002}",
    "\u{200b}",
    "\u{202e}",
    "\u{e0041}",
    "xn--",
    "'",
    "\"",
    "$",
    ";",
    "localhost",
    "~",
    "\u{1f600}",
];

fn hostile() -> impl Strategy<Value = String> {
    let pieces =
        proptest::collection::vec(select(PIECES.as_slice()), 0..8).prop_map(|pieces| pieces.concat());
    prop_oneof![3 => pieces, 1 => any::<String>()]
}

/// Grants as wide as the patterns of each kind can be.
fn wide() -> Engine {
    let url = [
        "http://**:*/**",
        "https://**:*/**",
        "http://[0.0.0.0/0]:*/**",
        "https://[::/0]:*/**",
    ];
    engine(vec![
        binding(
            "ops",
            &desk(),
            &[
                json!({"tools": ["ping"], "scope": {"host": ["**", "0.0.0.0/0", "::/0"]}}),
                json!({"tools": ["fetch"], "scope": {"url": url}}),
                json!({"tools": ["close"], "scope": {"ticket": ["(?s).*"]}}),
            ],
        ),
        binding(
            "code",
            &forge(),
            &[json!({"tools": ["read_file"], "scope": {"repository": ["**"], "path": ["**", "/**"]}})],
        ),
        binding(
            "box",
            &shell(),
            &[json!({"tools": ["run"], "scope": {"command": ["a ** --*"]}})],
        ),
    ])
}

fn arguments(tool: &str, text: &str) -> Value {
    match tool {
        "ping" => json!({"host": text}),
        "fetch" => json!({"url": text}),
        "close" => json!({"ticket": text}),
        "run" => json!({"command": format!("a {text}")}),
        _ => json!({"owner": "acme", "repo": "web", "path": text}),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn a_permitted_value_is_its_own_canonical_form(
        tool in select(vec!["ping", "fetch", "close", "run", "read_file"]), text in hostile()
    ) {
        let engine = ENGINE.with(Clone::clone);
        let decision = check(&engine, tool, &arguments(tool, &text).to_string());
        if let Verdict::Allow(permit) = &decision.verdict {
            let again = check(&engine, tool, &permit.arguments.to_string());
            prop_assert_eq!(&again.verdict, &decision.verdict);
            let executed = permit.arguments.to_string();
            for hidden in ["\u{200b}", "\u{202e}", "\u{e0041}"] {
                prop_assert!(tool == "close" || !executed.contains(hidden));
            }
        }
    }

    /// No spelling of a local name or special address passes the widest wildcards.
    #[test]
    fn wildcards_never_reach_inside(
        host in select(vec![
            "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]", "10.0.0.1", "192.168.0.1", "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "0.0.0.0", "0",
            "localhost", "LOCALHOST", "localhost.", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
            "metadata.google.internal", "printer.local", "kubernetes", "１２７.0.0.1", "127。0。0。1", "ⓛocalhost",
            "kubernetes.default", "Kubernetes.Default.", "ledger.monstrum-system", "ledger.prod", "10-1-2-3.default.pod", "db-0.db",
            "db-0.db.default.svc", "dev-1", "host.docker.internal", "-oproxycommand.example.org", "a.-b.com", "kubernetes。default",
        ]),
        scheme in select(vec!["http", "https", "HTTP"]), port in select(vec!["", ":80", ":8443"])
    ) {
        let engine = ENGINE.with(Clone::clone);
        let fetched = check(&engine, "fetch", &json!({"url": format!("{scheme}://{host}{port}/")}).to_string());
        prop_assert!(bot::reason(&fetched).is_some(), "{:?}", fetched);
        let pinged = check(&engine, "ping", &json!({"host": host}).to_string());
        prop_assert!(bot::reason(&pinged).is_some(), "{:?}", pinged);
    }

    #[test]
    fn any_text_is_answered(tool in any::<String>(), text in any::<String>()) {
        let engine = ENGINE.with(Clone::clone);
        for tool in [tool.as_str(), "ping"] {
            prop_assert!(bot::reason(&check(&engine, tool, &text)).is_some());
        }
        let _ = Document::from_bytes(text.as_bytes());
    }
}

thread_local! {
    static ENGINE: std::rc::Rc<Engine> = std::rc::Rc::new(wide());
}
