//! What can never be called, and what can never match, is told with its place.

use serde_json::Value;

use crate::run::monstrum;

/// A team around one resource type, with the place of each part that a test changes.
const TEAM: &str = "\
apiVersion: monstrum.dev/v1alpha1
kind: ResourceType
metadata: {name: mail}
spec:
  executor: http
  config: {schema: {type: object, properties: {baseUrl: {type: string}}}}
  dimensions:
    - {name: to, match: {glob: {}}}
    - {name: kind, match: {exact: {}}, whenUnset: Allow}
    - {name: size, match: {range: {}}, whenUnset: Allow}
    - {name: rule, match: {cel: {}}, whenUnset: Allow}
  tools:
    - name: send
      description: Send a message.
      operation: mail.send
      parameters:
        type: object
        required: [to]
        properties:
          to: {type: array, items: {type: string, maxLength: 254}}
          cc: {type: array, items: {type: string, maxLength: 254}}
          bcc: {type: array, items: {type: string, maxLength: 254}}
          kind: {type: string, maxLength: 32}
          size: {type: integer}
          files: {type: array, items: {type: object, properties: {id: {type: string}}}}
          text: {type: string, maxLength: 5000}
      scope:
        - {dimension: to, from: {pointer: /to}}
        - {dimension: to, from: {pointer: /cc}}
        - {dimension: to, from: {pointer: /bcc}}
        - {dimension: kind, from: {pointer: /kind}}
        - {dimension: size, from: {pointer: /size}}
      http: {method: POST, path: /send, body: {to: '{/to}', text: '{/text}'}}
---
apiVersion: monstrum.dev/v1alpha1
kind: ModelProvider
metadata: {name: model}
spec:
  dialect: OpenAI
  baseUrl: https://models.example.com/v1
  models: [{name: m, contextTokens: 128000, maxOutputTokens: 4096}]
---
apiVersion: monstrum.dev/v1alpha1
kind: Resource
metadata: {name: post}
spec: {type: mail, config: {baseUrl: 'https://mail.example.com'}}
---
apiVersion: monstrum.dev/v1alpha1
kind: Bot
metadata: {name: clerk}
spec: {model: {provider: model, name: m}}
---
apiVersion: monstrum.dev/v1alpha1
kind: BotBinding
metadata: {name: clerk}
spec:
  bot: clerk
  resource: post
  grants:
    - operations: [mail.send]
      scope:
        to: ['*@example.com']
        kind: [note]
        size: ['1..10']
";

/// The problems of the team with some text put in the place of another one: the line and the message of each.
fn problems(from: &str, to: &str) -> Vec<(String, String)> {
    assert_eq!(TEAM.matches(from).count(), 1, "{from}");
    let text = TEAM.replace(from, to);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.yaml");
    std::fs::write(&path, &text).unwrap();
    let ran = monstrum(&["validate", "-f", path.to_str().unwrap(), "-o", "json"]);
    let findings: Value = serde_json::from_str(&ran.out).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let problems = findings["problems"].as_array().unwrap().iter();
    problems
        .map(|problem| {
            let line = usize::try_from(problem["line"].as_u64().unwrap()).unwrap();
            let message = format!(
                "{}: {}",
                problem["field"].as_str().unwrap(),
                problem["message"].as_str().unwrap()
            );
            (lines[line.checked_sub(1).unwrap()].trim().to_owned(), message)
        })
        .collect()
}

#[test]
fn the_team_is_right_to_begin_with() {
    assert_eq!(problems("name: send", "name: send"), []);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_dead_part_is_one_problem_at_its_place() {
    // What stands in the team, what a test writes there, the line that is pointed at, and what is said of it.
    let cases = [
        (
            "size: {type: integer}",
            "size: {type: string}",
            "pointer: /size",
            "Range compares a number",
        ),
        (
            "kind: {type: string, maxLength: 32}",
            "kind: {type: object}",
            "pointer: /kind",
            "Exact compares a string",
        ),
        (
            "{pointer: /kind}",
            "{pointer: /files}",
            "pointer: /files",
            "a list, each item an object",
        ),
        (
            "{pointer: /kind}",
            "{pointer: '/files/*/id'}",
            "/files/*/id",
            "leads into the list /files",
        ),
        (
            "{pointer: /kind}",
            "{template: '{/kind}-{/size}'}",
            "template:",
            "puts strings together",
        ),
        (
            "{pointer: /kind}",
            "{pointer: /knd}",
            "/knd",
            "leads to no parameter",
        ),
        (
            "required: [to]",
            "required: [to, subject]",
            "required:",
            "subject is required and not declared",
        ),
        (
            "text: {type: string, maxLength: 5000}",
            "text: {type: string, maxLenght: 5000}",
            "maxLenght",
            "write maxLength",
        ),
        (
            "text: {type: string, maxLength: 5000}",
            "text: {type: strnig}",
            "strnig",
            "this is no type",
        ),
        (
            "text: {type: string, maxLength: 5000}",
            "text: {type: string, enum: []}",
            "enum",
            "no value is listed",
        ),
        (
            "text: {type: string, maxLength: 5000}",
            "text: {type: string, minLength: 2, maxLength: 1}",
            "minLength",
            "nothing fits",
        ),
        (
            "kind: [note]",
            "kind: [no]",
            "kind: [no]",
            "put the word in quotes",
        ),
        ("kind: [note]", "kind: [5]", "kind: [5]", "put it in quotes"),
        (
            "kind: [note]",
            "kind: [017]",
            "kind: [017]",
            "write 0o17 or \"017\"",
        ),
        ("to: ['*@example.com']", "to: [no]", "to: [no]", "no"),
        ("size: ['1..10']", "size: ['10..1']", "size: ['10..1']", "10"),
        (
            "operations: [mail.send]",
            "operations: [mail.sent]",
            "mail.sent",
            "no operation of mail",
        ),
        ("http: {method", "htp: {method", "htp:", "did you mean http?"),
        (
            "metadata: {name: model}",
            "metadata: {name: model, lables: {}}",
            "lables",
            "did you mean labels?",
        ),
    ];
    for (from, to, line, message) in cases {
        let found = problems(from, to);
        assert_eq!(found.len(), 1, "{to}: {found:#?}");
        assert!(found[0].1.contains(message), "{to}: {found:#?}");
        assert!(
            found[0].0.contains(line) || line == "Resource",
            "{to}: {found:#?}"
        );
    }
}

#[test]
fn a_parameter_that_nothing_judges_is_linted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.yaml");
    let lint = |text: &str| {
        std::fs::write(&path, text).unwrap();
        let ran = monstrum(&["policy", "lint", "-f", path.to_str().unwrap(), "-o", "json"]);
        let findings: Value = serde_json::from_str(&ran.out).unwrap();
        let findings = findings.as_array().unwrap().clone();
        let unfed = findings.into_iter().filter(|finding| {
            ["unfed-parameter", "ignored-keyword"].contains(&finding["rule"].as_str().unwrap())
        });
        unfed
            .map(|finding| {
                (
                    finding["level"].as_str().unwrap().to_owned(),
                    finding["message"].as_str().unwrap().to_owned(),
                )
            })
            .collect::<Vec<_>>()
    };
    let styled = TEAM.replace("size: {type: integer}", "size: {type: integer, style: form}");
    let found = lint(&styled);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].1.contains("restrict nothing: properties.size.style;"),
        "{found:?}"
    );

    let found = lint(TEAM);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, "note");
    assert!(found[0].1.contains("files, text of send"), "{found:?}");

    let found = lint(&TEAM.replace("        - {dimension: to, from: {pointer: /bcc}}\n", ""));
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[0].0, "warning");
    assert!(found[0].1.contains("bcc of send feeds no dimension"), "{found:?}");

    // What an expression reads is judged by it.
    let found = lint(&TEAM.replace(
        "        kind: [note]",
        "        kind: [note]\n        rule: [\"call.arguments.text == 'a'\"]",
    ));
    assert!(found[0].1.contains("restrict files of send"), "{found:?}");
}

/// A grant for values that the parameter can't have, and one that is over, are told by `lint`.
#[test]
fn a_grant_that_no_listed_value_meets_is_linted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("team.yaml");
    let lint = |edits: &[(&str, &str)]| {
        let mut text = TEAM.to_owned();
        for (from, to) in edits {
            assert_eq!(text.matches(from).count(), 1, "{from}");
            text = text.replace(from, to);
        }
        std::fs::write(&path, text).unwrap();
        let ran = monstrum(&["policy", "lint", "-f", path.to_str().unwrap()]);
        (ran.code, ran.out)
    };
    let listed = (
        "kind: {type: string, maxLength: 32}",
        "kind: {type: string, enum: [draft, letter]}",
    );
    let (code, out) = lint(&[listed]);
    assert_eq!(code, 1, "{out}");
    assert!(
        out.contains("its scope has no kind that the parameter /kind can have"),
        "{out}"
    );
    let (code, out) = lint(&[listed, ("kind: [note]", "kind: [note, letter]")]);
    assert_eq!(code, 0, "{out}");
    let (code, out) = lint(&[(
        "        size: ['1..10']",
        "        size: ['1..10']\n      validity: {notAfter: '2020-01-01T00:00:00Z'}",
    )]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("note expired-grant"), "{out}");
}
