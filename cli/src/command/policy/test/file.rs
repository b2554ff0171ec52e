//! A test file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::case::Case;
use super::coverage::Coverage;
use super::outcome::{Mismatch, Outcome};
use crate::failure::Failure;
use crate::files::{self, InputError, Manifest, Node, Place, Source, Spot};
use crate::policy::{self, Compiled, Input};

/// Objects of a test file that say no namespace are in this one.
const NAMESPACE: &str = "default";

/// The file but for objects and tests, which are read one by one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Header {
    #[serde(default)]
    files: Vec<PathBuf>,
    #[serde(default, rename = "objects")]
    _objects: Vec<IgnoredAny>,
    #[serde(default)]
    bot: Option<String>,
    #[serde(default)]
    now: Option<Timestamp>,
    #[serde(rename = "tests")]
    _tests: Vec<IgnoredAny>,
}

/// One document of a test file, read and compiled.
#[derive(Debug)]
pub(super) struct TestFile {
    source: Arc<Source>,
    bot: Option<String>,
    now: Timestamp,
    compiled: Compiled,
    cases: Vec<(Case, Place)>,
}

impl TestFile {
    /// Reads a file; each of its documents is a test file of its own. Files of objects that lie in between are left alone.
    pub(super) fn read(source: &Arc<Source>) -> Result<Vec<Self>, Failure> {
        let nodes = files::parse(&source.name, &source.text)?;
        let tests = nodes.iter().filter(|node| node.get("apiVersion").is_none());
        tests.map(|node| Self::document(source, node)).collect()
    }

    fn document(source: &Arc<Source>, node: &Node) -> Result<Self, Failure> {
        let header: Header = typed(source, node)?;
        let mut input = Input::default();
        let beside = Path::new(&source.name).parent().unwrap_or_else(|| Path::new(""));
        let paths: Vec<PathBuf> = header.files.iter().map(|path| beside.join(path)).collect();
        if !paths.is_empty() {
            input = policy::read(&paths, NAMESPACE)?;
        }
        for object in node.get("objects").map(Node::items).unwrap_or_default() {
            input
                .manifests
                .extend(Manifest::within(source, object.clone(), NAMESPACE)?);
        }
        let mut cases = Vec::new();
        for node in node.get("tests").map(Node::items).unwrap_or_default() {
            cases.push((case(source, node)?, node.place));
        }
        Ok(Self {
            source: Arc::clone(source),
            bot: header.bot,
            now: header.now.unwrap_or_else(Timestamp::now),
            compiled: policy::from_input(&input)?,
            cases,
        })
    }

    /// Runs every test.
    pub(super) fn run(&self) -> (Vec<Outcome>, Coverage) {
        let mut coverage = Coverage::of(&self.compiled);
        let mut outcomes = Vec::new();
        if !self.compiled.problems.is_empty() {
            outcomes.push(self.unfit());
        }
        outcomes.extend(
            self.cases
                .iter()
                .map(|(case, place)| self.outcome(case, *place, &mut coverage)),
        );
        (outcomes, coverage)
    }

    /// Objects with problems take their grants away, so that a test may pass for the wrong reason.
    fn unfit(&self) -> Outcome {
        let problems = self.compiled.problems.iter();
        let mismatches = problems
            .map(|problem| Mismatch::new("objects", "no problem".to_owned(), problem.to_string()))
            .collect();
        Outcome {
            name: "the objects are valid".to_owned(),
            line: 1,
            mismatches,
            trace: String::new(),
        }
    }

    fn outcome(&self, case: &Case, place: Place, coverage: &mut Coverage) -> Outcome {
        let line = Spot {
            source: Arc::clone(&self.source),
            place,
        }
        .line_and_column()
        .0;
        let name = case.name.clone();
        let policy = match self.policy_of(case) {
            Ok(policy) => policy,
            Err(failure) => {
                let mismatches = vec![Mismatch::new("bot", "a bot of the objects".to_owned(), failure)];
                return Outcome {
                    name,
                    line,
                    mismatches,
                    trace: String::new(),
                };
            }
        };
        let decision = case.decide(policy, self.now);
        if let Some(decision) = &decision {
            coverage.count(policy, decision);
        }
        let mismatches = case.judge(policy, decision.as_ref());
        let trace = match (&decision, &case.tool) {
            (Some(decision), Some(tool)) if !mismatches.is_empty() => {
                crate::command::explain::told(policy, tool, &case.arguments(), decision)
            }
            _ => String::new(),
        };
        Outcome {
            name,
            line,
            mismatches,
            trace,
        }
    }

    fn policy_of(&self, case: &Case) -> Result<&policy::BotPolicy, String> {
        match (
            case.bot.as_ref().or(self.bot.as_ref()),
            self.compiled.bots.as_slice(),
        ) {
            (Some(name), _) => self.compiled.bot(name).map_err(|failure| failure.to_string()),
            (None, [only]) => Ok(only),
            (None, bots) => Err(format!(
                "the objects have {} bots; say which with bot:",
                bots.len()
            )),
        }
    }
}

fn case(source: &Arc<Source>, node: &Node) -> Result<Case, InputError> {
    let case: Case = typed(source, node)?;
    match case.fault() {
        None => Ok(case),
        Some((field, message)) => {
            let place = node.get(field).map_or(node.place, |field| field.place);
            Err(InputError::content(
                message,
                Spot {
                    source: Arc::clone(source),
                    place,
                },
                HELP,
            ))
        }
    }
}

const HELP: &str = "`monstrum policy test --help` shows what a test file looks like";

fn typed<T: DeserializeOwned>(source: &Arc<Source>, node: &Node) -> Result<T, InputError> {
    files::read(node).map_err(|misfit| {
        let place = misfit.place.unwrap_or(node.place);
        InputError::content(
            misfit.message,
            Spot {
                source: Arc::clone(source),
                place,
            },
            HELP,
        )
    })
}
