//! Laws: the answer is compared with what the real matchers say of every short value.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::containment::{Containment, contains};
use crate::matching::{Canonical, Pattern};
use crate::source::{Match, Unit};

/// Every text of up to `length` pieces.
fn all_of(pieces: &[&str], length: usize, between: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut last = all.clone();
    for round in 0..length {
        last = last
            .iter()
            .flat_map(|text| {
                pieces.iter().map(move |piece| {
                    let between = if round == 0 { "" } else { between };
                    format!("{text}{between}{piece}")
                })
            })
            .collect();
        all.extend(last.iter().cloned());
    }
    all
}

/// Compares the answer with what the matchers say of every one of `values`; the shortest counter-example must be as short.
fn agrees(
    matching: &Match,
    ceiling: &[String],
    granted: &[String],
    values: &[String],
) -> Result<(), TestCaseError> {
    let json = |patterns: &[String]| patterns.iter().map(|pattern| json!(pattern)).collect::<Vec<_>>();
    let compiled = |patterns: &[String]| -> Option<Vec<Pattern>> {
        patterns
            .iter()
            .map(|pattern| Pattern::compile(matching, &json!(pattern)).ok())
            .collect()
    };
    let (Some(outer), Some(inner)) = (compiled(ceiling), compiled(granted)) else {
        return Ok(());
    };
    let beyond = |value: &Canonical| {
        inner.iter().any(|pattern| pattern.matches(value))
            && !outer.iter().any(|pattern| pattern.matches(value))
    };
    let size = |value: &Canonical| value.key().chars().count();
    let canonical = values
        .iter()
        .filter_map(|value| Canonical::read(matching, &json!(value)).ok());
    let smallest = canonical.filter(beyond).map(|value| size(&value)).min();
    match contains(matching, &json(ceiling), &json(granted)) {
        Containment::Contained => prop_assert_eq!(smallest, None, "{:?} {:?}", ceiling, granted),
        Containment::Exceeds { example } => {
            let example = Canonical::read(matching, &example).unwrap();
            prop_assert!(beyond(&example), "{:?} {:?} {:?}", ceiling, granted, example);
            if let Some(smallest) = smallest {
                prop_assert!(
                    size(&example) <= smallest,
                    "{:?} {:?} {:?}",
                    ceiling,
                    granted,
                    example
                );
            }
        }
        Containment::Undecided { why } => prop_assert!(false, "{:?} {:?}: {}", ceiling, granted, why),
    }
    Ok(())
}

fn list(pattern: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec(pattern, 1..4)
}

fn some(patterns: &[&str]) -> impl Strategy<Value = Vec<String>> + use<> {
    let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    subsequence(patterns, 1..5)
}

const HOSTS: [&str; 30] = [
    "dev-*",
    "dev-1*",
    "dev-*.a.com",
    "d*",
    "kube*",
    "kubernetes",
    "*.prod",
    "**.default",
    "**",
    "*",
    "*.a.com",
    "**.a.com",
    "a.com",
    "b.a.com",
    "*.com",
    "a.*",
    "*.internal",
    "*.a.internal",
    "x.internal",
    "localhost",
    "*.*",
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/9",
    "10.128.0.0/9",
    "8.0.0.0/6",
    "10.0.0.1",
    "::/0",
    "fd00::/8",
    "::1",
];
const HOST_VALUES: [&str; 34] = [
    "dev-1",
    "dev-12",
    "dev-a",
    "d1",
    "dev-1.a.com",
    "dev-1.default",
    "kube-1",
    "kubernetes",
    "kubernetes.default",
    "ledger.prod",
    "a.com",
    "b.a.com",
    "c.b.a.com",
    "a.b",
    "x.y.z",
    "internal",
    "x.internal",
    "b.a.internal",
    "localhost",
    "a.1x",
    "10.0.0.0",
    "10.0.0.1",
    "10.128.0.0",
    "10.200.1.1",
    "9.9.9.9",
    "8.0.0.0",
    "11.255.255.255",
    "127.0.0.1",
    "::1",
    "::",
    "fd00::1",
    "2606::1",
    "::ffff:10.0.0.1",
    "255.255.255.255",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn globs_are_exact(
        ceiling in list("[ab/]{0,2}(\\*{1,2}[ab/]{0,2}){0,2}"), granted in list("[ab/]{0,2}(\\*{1,2}[ab/]{0,2}){0,2}"),
        separator in select(vec![None, Some('/')])
    ) {
        agrees(&Match::Glob { separator }, &ceiling, &granted, &all_of(&["a", "b", "c", "/"], 5, ""))?;
    }

    #[test]
    fn paths_are_exact(
        ceiling in list("/?[ab.]{0,2}(/?\\*{1,2}[ab.]{0,2}){0,2}"), granted in list("/?[ab.]{0,2}(/?\\*{1,2}[ab.]{0,2}){0,2}")
    ) {
        agrees(&Match::Path {}, &ceiling, &granted, &all_of(&["a", "b", ".", "/"], 5, ""))?;
    }

    #[test]
    fn regexes_are_exact(
        ceiling in list("([abc.]|\\[ab\\]|\\(a\\|b\\)|\\(a\\|bc\\)|\\^|\\$)[*+?]?(([abc]|\\(ab\\))[*+?]?){0,3}"),
        granted in list("([abc.]|\\[ab\\]|\\(a\\|b\\)|\\(a\\|bc\\)|\\^|\\$)[*+?]?(([abc]|\\(ab\\))[*+?]?){0,3}")
    ) {
        agrees(&Match::Regex {}, &ceiling, &granted, &all_of(&["a", "b", "c", "d"], 5, ""))?;
    }

    #[test]
    fn commands_are_exact(
        ceiling in list("p( (x|\\*|\\*\\*|-l|--t|--t=\\*|--\\*|--|-|''|y)){0,3}"),
        granted in list("p( (x|\\*|\\*\\*|-l|--t|--t=\\*|--\\*|--|-|''|y)){0,3}")
    ) {
        let words = ["a", "x", "-l", "--t", "--t=a", "--t=x", "--a", "--", "-", "''"];
        let values: Vec<String> = all_of(&words, 3, " ").iter().map(|words| format!("p {words}")).collect();
        agrees(&Match::Command {}, &ceiling, &granted, &values)?;
    }

    #[test]
    fn hosts_are_exact(ceiling in some(&HOSTS), granted in some(&HOSTS)) {
        let values: Vec<String> = HOST_VALUES.iter().map(ToString::to_string).collect();
        hosts_agree(&Match::Host {}, &ceiling, &granted, &values)?;
    }

    #[test]
    fn urls_are_exact(
        ceiling in list(url_pattern()), granted in list(url_pattern())
    ) {
        let hosts = HOST_VALUES.iter().map(|host| if host.contains(':') { format!("[{host}]") } else { (*host).to_owned() });
        let values: Vec<String> = hosts
            .flat_map(|host| ["http", "https"].map(|scheme| format!("{scheme}://{host}")))
            .flat_map(|start| ["", ":80", ":443", ":8443"].map(|port| format!("{start}{port}")))
            .flat_map(|start| ["/", "/a", "/a/", "/a/b", "/c"].map(|path| format!("{start}{path}")))
            .collect();
        hosts_agree(&Match::Url {}, &ceiling, &granted, &values)?;
    }

    #[test]
    fn ranges_are_exact(
        ceiling in list("([0-6])?\\.\\.[3-9]|[0-9]\\.\\.|[0-9]"), granted in list("([0-6])?\\.\\.[3-9]|[0-9]\\.\\.|[0-9]")
    ) {
        let values: Vec<Value> = (-4..44).map(|quarter| json!(f64::from(quarter) / 4.0)).collect();
        let matching = Match::Range { unit: Unit::Number };
        let json = |patterns: &[String]| patterns.iter().map(|pattern| json!(pattern)).collect::<Vec<_>>();
        let matches = |patterns: &[String], value: &Value| {
            let value = Canonical::read(&matching, value).unwrap();
            patterns.iter().any(|pattern| Pattern::compile(&matching, &json!(pattern)).is_ok_and(|pattern| pattern.matches(&value)))
        };
        let usable = |pattern: &String| Pattern::compile(&matching, &json!(pattern)).is_ok();
        if !ceiling.iter().chain(&granted).all(usable) {
            return Ok(());
        }
        let beyond = |value: &Value| matches(&granted, value) && !matches(&ceiling, value);
        match contains(&matching, &json(&ceiling), &json(&granted)) {
            Containment::Contained => prop_assert!(!values.iter().any(beyond)),
            Containment::Exceeds { example } => prop_assert!(beyond(&example), "{:?} {:?} {}", ceiling, granted, example),
            Containment::Undecided { why } => prop_assert!(false, "{}", why),
        }
    }
}

fn url_pattern() -> impl Strategy<Value = String> {
    let host = select(HOSTS.to_vec()).prop_map(|host| {
        if host.contains(['/', ':']) {
            format!("[{host}]")
        } else {
            host.to_owned()
        }
    });
    let (port, path) = (
        select(vec!["", ":*", ":443", ":80"]),
        select(vec!["/", "/**", "/a", "/a/**", "/*"]),
    );
    (select(vec!["http", "https"]), host, port, path)
        .prop_map(|(scheme, host, port, path)| format!("{scheme}://{host}{port}{path}"))
}

/// [`agrees`], without a look at how short the example is: addresses are compared by bits.
fn hosts_agree(
    matching: &Match,
    ceiling: &[String],
    granted: &[String],
    values: &[String],
) -> Result<(), TestCaseError> {
    let json = |patterns: &[String]| patterns.iter().map(|pattern| json!(pattern)).collect::<Vec<_>>();
    let compiled = |patterns: &[String]| -> Vec<Pattern> {
        patterns
            .iter()
            .map(|pattern| Pattern::compile(matching, &json!(pattern)).unwrap())
            .collect()
    };
    let (outer, inner) = (compiled(ceiling), compiled(granted));
    let beyond = |value: &Canonical| {
        inner.iter().any(|pattern| pattern.matches(value))
            && !outer.iter().any(|pattern| pattern.matches(value))
    };
    let found = values
        .iter()
        .find(|value| Canonical::read(matching, &json!(value)).is_ok_and(|value| beyond(&value)));
    match contains(matching, &json(ceiling), &json(granted)) {
        Containment::Contained => prop_assert_eq!(found, None, "{:?} {:?}", ceiling, granted),
        Containment::Exceeds { example } => {
            prop_assert!(
                Canonical::read(matching, &example).is_ok_and(|value| beyond(&value)),
                "{}",
                example
            );
        }
        Containment::Undecided { why } => prop_assert!(false, "{:?} {:?}: {}", ceiling, granted, why),
    }
    Ok(())
}
