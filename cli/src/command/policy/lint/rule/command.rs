//! Command patterns that permit more than they seem to.

use monstrum_guardian::source::Match;
use serde_json::Value;

use super::Subject;
use crate::command::policy::lint::finding::{Finding, Level};

/// Programs whose arguments are programs: a star among them permits any of those.
const WRAPPERS: [&str; 27] = [
    "ash", "awk", "bash", "busybox", "chroot", "dash", "env", "find", "fish", "ksh", "nice", "node", "nohup",
    "perl", "php", "python", "python3", "ruby", "sh", "ssh", "sudo", "tar", "time", "timeout", "watch",
    "xargs", "zsh",
];

/// Options that swallow values, and programs that run other programs.
pub(super) fn findings(subject: Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for dimension in subject
        .binding
        .resource_type
        .dimensions
        .iter()
        .filter(|dimension| dimension.matching == Match::Command {})
    {
        let patterns = subject
            .grant
            .scope
            .get(&dimension.name)
            .map(Vec::as_slice)
            .unwrap_or_default();
        for (place, pattern) in patterns.iter().enumerate() {
            let Value::String(pattern) = pattern else { continue };
            let field = format!(".scope.{}[{place}]", dimension.name);
            let words: Vec<&str> = pattern.split_whitespace().collect();
            if words.contains(&"--*") {
                let message =
                    format!("{pattern:?} permits every option of the program; name those that are needed");
                findings.push(subject.says(Level::Warning, "any-option", field.clone(), message));
            }
            if let Some(option) = swallowing(&words) {
                let message = format!(
                    "{pattern:?}: {option} may take the word after it as its value, so that a later word is not where it seems; write --name=VALUE"
                );
                findings.push(subject.says(Level::Note, "option-value", field.clone(), message));
            }
            let program = words
                .first()
                .and_then(|program| program.rsplit('/').next())
                .unwrap_or_default();
            if WRAPPERS.contains(&program) && words.iter().skip(1).any(|word| word.contains('*')) {
                let message =
                    format!("{pattern:?}: {program} runs what its arguments name, and those are open");
                findings.push(subject.says(Level::Warning, "wrapper-program", field, message));
            }
        }
    }
    findings
}

/// A short option directly before an open word.
fn swallowing<'a>(words: &[&'a str]) -> Option<&'a str> {
    words.windows(2).find_map(|pair| match pair {
        [option, value] if option.starts_with('-') && !option.starts_with("--") && value.contains('*') => {
            Some(*option)
        }
        _ => None,
    })
}
