//! What came of tests.

use serde::{Serialize, Serializer};

use super::coverage::Coverage;

/// What came of all files. The names are API.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Report {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) files: Vec<Suite>,
    pub(super) coverage: Coverage,
}

/// What came of one file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Suite {
    pub(super) file: String,
    pub(super) tests: Vec<Outcome>,
}

/// What came of one test.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) line: usize,
    /// Empty when it passed.
    pub(super) mismatches: Vec<Mismatch>,
    /// How the decision came about, as text with colours for people; empty when it passed.
    #[serde(skip_serializing_if = "String::is_empty", serialize_with = "without_colours")]
    pub(super) trace: String,
}

/// Something that is not as expected.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Mismatch {
    pub(super) what: &'static str,
    pub(super) expected: String,
    pub(super) found: String,
}

/// Programs are told without escape sequences, whatever is shown to people.
fn without_colours<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&anstream::adapter::strip_str(text))
}

impl Mismatch {
    pub(super) fn new(what: &'static str, expected: String, found: String) -> Self {
        Self {
            what,
            expected,
            found,
        }
    }
}

impl Outcome {
    pub(super) fn passed(&self) -> bool {
        self.mismatches.is_empty()
    }
}

impl Report {
    /// Takes in what came of a file, or of one document of it.
    pub(super) fn add(&mut self, file: &str, tests: Vec<Outcome>, coverage: Coverage) {
        let passed = tests.iter().filter(|test| test.passed()).count();
        self.passed = self.passed.saturating_add(passed);
        self.failed = self.failed.saturating_add(tests.len().saturating_sub(passed));
        self.files.push(Suite {
            file: file.to_owned(),
            tests,
        });
        self.coverage.join(coverage);
    }
}
