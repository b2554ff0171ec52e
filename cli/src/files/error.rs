//! What is wrong with a file, with the spot in its text.

use std::io;
use std::sync::Arc;

use miette::LabeledSpan;

use super::excerpt::Excerpt;
use super::node::Place;
use super::source::Source;

/// A spot in a file.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    /// Which file.
    pub(crate) source: Arc<Source>,
    /// Where in it.
    pub(crate) place: Place,
}

impl Spot {
    /// The file's name, line and column, from 1: `bot.yaml:3:7`.
    pub(crate) fn position(&self) -> String {
        let (line, column) = self.line_and_column();
        format!("{}:{line}:{column}", self.source.name)
    }

    /// From 1; columns are characters.
    pub(crate) fn line_and_column(&self) -> (usize, usize) {
        let before = self
            .source
            .text
            .get(..self.place.offset)
            .unwrap_or(&self.source.text);
        let line = before.matches('\n').count().saturating_add(1);
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            .saturating_add(1);
        (line, column)
    }

    /// For a report.
    pub(crate) fn code(&self) -> Excerpt {
        Excerpt::of(self)
    }
}

/// Why files are not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    /// It cannot be read.
    #[error("{path} cannot be read")]
    Read {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is nothing in it.
    #[error("no YAML or JSON file with objects is in {paths}")]
    Empty {
        /// Where.
        paths: String,
    },
    /// There is no test in it: nothing passes that was not tried.
    #[error("no policy test is in {paths}")]
    NoTests {
        /// Where.
        paths: String,
    },
    /// It is not YAML, or not what was expected in this place.
    #[error("{message}")]
    Content {
        /// What is wrong.
        message: String,
        /// Where.
        spot: Box<Spot>,
        /// The text, for the report.
        code: Box<Excerpt>,
        /// What to do.
        help: String,
    },
}

impl InputError {
    /// Something wrong at a spot.
    pub(crate) fn content(message: impl Into<String>, spot: Spot, help: impl Into<String>) -> Self {
        let code = Box::new(spot.code());
        Self::Content {
            message: message.into(),
            spot: Box::new(spot),
            code,
            help: help.into(),
        }
    }
}

impl miette::Diagnostic for InputError {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        match self {
            Self::Read { .. } => None,
            Self::Empty { .. } => Some(Box::new(
                "name files, folders that hold *.yaml, *.yml or *.json, or - for the standard input",
            )),
            Self::NoTests { .. } => Some(Box::new(
                "a test file has a list `tests`; `monstrum policy test --help` shows one",
            )),
            Self::Content { help, .. } => (!help.is_empty()).then(|| Box::new(help) as Box<_>),
        }
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        match self {
            Self::Content { code, .. } => Some(code.as_ref()),
            Self::Read { .. } | Self::Empty { .. } | Self::NoTests { .. } => None,
        }
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        match self {
            Self::Content { code, .. } => Some(Box::new(std::iter::once(code.label("here")))),
            Self::Read { .. } | Self::Empty { .. } | Self::NoTests { .. } => None,
        }
    }
}
