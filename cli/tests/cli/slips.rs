//! Slips that people make in their first files: each message says what to write instead.

use std::io::Write as _;

use rstest::rstest;

use crate::run::{Ran, monstrum};

const BINDING: &str = "apiVersion: monstrum.dev/v1alpha1\nkind: BotBinding\nmetadata: {name: a}\nspec:\n  bot: b\n  resource: r\n";

fn validated(text: &str, further: &[&str]) -> Ran {
    let mut file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let mut arguments = vec!["validate", "-o", "json", "-f", &path];
    arguments.extend(further);
    monstrum(&arguments)
}

#[rstest]
#[case::tab("spec:\n\tbot: b\n", "indent with spaces")]
#[case::escape("spec: [\"EU-\\d+\"]\n", "use single quotes")]
#[case::indentation("spec:\n   bot: b\n  resource: r\n", "indented alike")]
#[case::no_blank("spec:\n  bot:b\n  resource: r\n", "a blank follows each colon")]
#[case::template("metadata: {name: {{ .Values.bot }}}\n", "render it first")]
#[case::group(
    "apiVersion: monstrum.io/v1alpha1\nkind: Bot\nmetadata: {name: a}\n",
    "write monstrum.dev/v1alpha1"
)]
#[case::no_group(
    "apiVersion: v1alpha1\nkind: Bot\nmetadata: {name: a}\n",
    "write monstrum.dev/v1alpha1"
)]
#[case::window(
    "apiVersion: monstrum.dev/v1alpha1\nkind: Bot\nmetadata: {name: a}\nspec: {budgets: [{name: a, counts: Calls, limit: 1, window: month}]}\n",
    "a length of time such as 90s"
)]
#[case::host(
    "apiVersion: monstrum.dev/v1alpha1\nkind: Credential\nmetadata: {name: a}\nspec: {method: {static: {fields: []}}, hosts: ['https://a b']}\n",
    "a host such as api.example.com"
)]
fn a_slip_names_its_remedy(#[case] text: &str, #[case] remedy: &str) {
    let ran = validated(text, &[]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains(remedy), "{}", ran.out);
}

#[test]
fn a_template_is_told_from_a_slip_of_yaml() {
    let ran = validated(
        &format!("{BINDING}  grants: [{{operations: [{{{{ .Values.op }}}}]}}]\n"),
        &[],
    );
    assert!(ran.out.contains("helm template"), "{}", ran.out);
}

/// Kustomize gives a namespace to kinds that it does not know, and the API server takes it away.
#[test]
fn a_cluster_wide_object_may_say_a_namespace() {
    let types = std::fs::read_to_string(crate::run::data().join("types.yaml")).unwrap();
    let ran = validated(
        &types.replace("metadata:\n", "metadata:\n  namespace: team-a\n"),
        &[],
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn files_without_an_object_of_ours_are_not_called_right() {
    let mut file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
    file.write_all(b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
        .unwrap();
    let ran = monstrum(&["validate", "-f", file.path().to_str().unwrap()]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (0, "no object of monstrum.dev is in these files\n")
    );
}

#[test]
fn a_folder_without_policy_tests_does_not_pass() {
    let ran = monstrum(&["policy", "test", "team.yaml", "--min-coverage", "100"]);
    assert_eq!(ran.code, 66, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("no policy test is in team.yaml"), "{}", ran.err);
}
