//! What is wrong with an object, and where.

use miette::{Diagnostic, LabeledSpan, SourceCode};
use serde::Serialize;

use crate::files::{Excerpt, InputError, Spot};

/// One thing that is wrong with an object.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{object}: {}{message}", prefix(field))]
pub(crate) struct Problem {
    /// `Bot team-a/triage`.
    pub(crate) object: String,
    /// Where in it.
    pub(crate) field: String,
    /// What is wrong and how to put it right.
    pub(crate) message: String,
    /// The closed word for the sort of wrong.
    pub(crate) reason: String,
    /// Where in a file, if it came from one.
    pub(crate) place: Option<Box<(Spot, Excerpt)>>,
}

fn prefix(field: &str) -> String {
    if field.is_empty() {
        String::new()
    } else {
        format!("{field}: ")
    }
}

/// A problem for programs.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Described<'a> {
    object: &'a str,
    field: &'a str,
    reason: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

impl Problem {
    /// A document that is no object; another error is given back.
    pub(crate) fn of_document(error: InputError) -> Result<Self, InputError> {
        match error {
            InputError::Content {
                message,
                spot,
                code,
                help,
            } => Ok(Self {
                object: spot.source.name.clone(),
                field: String::new(),
                message: if help.is_empty() {
                    message
                } else {
                    format!("{message}; {help}")
                },
                reason: "Malformed".to_owned(),
                place: Some(Box::new((*spot, *code))),
            }),
            other => Err(other),
        }
    }

    /// With its spot in a file.
    pub(crate) fn at(mut self, spot: Spot) -> Self {
        let code = spot.code();
        self.place = Some(Box::new((spot, code)));
        self
    }

    /// For programs.
    pub(crate) fn describe(&self) -> Described<'_> {
        let position = self.place.as_ref().map(|place| place.0.line_and_column());
        Described {
            object: &self.object,
            field: &self.field,
            reason: &self.reason,
            message: &self.message,
            file: self.place.as_ref().map(|place| place.0.source.name.as_str()),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
        }
    }

    /// What says the same as another problem is told once.
    pub(crate) fn key(&self) -> (String, String, String) {
        (self.object.clone(), self.field.clone(), self.message.clone())
    }
}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(&self.reason))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.place.as_ref().map(|place| &place.1 as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.place.as_ref()?;
        let label = if self.field.is_empty() {
            "here"
        } else {
            &self.field
        };
        Some(Box::new(std::iter::once(place.1.label(label))))
    }
}
