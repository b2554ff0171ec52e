//! How the values of a dimension are made canonical and compared with patterns: one file for each kind of match.
//!
//! A value is made canonical once. The check looks at the canonical form, and so does the executor.

mod cel;
pub(crate) mod command;
mod exact;
mod glob;
pub(crate) mod host;
mod path;
pub(crate) mod range;
mod reach;
mod regex;
mod scalar;
pub(crate) mod text;
pub(crate) mod url;

use std::borrow::Cow;

use serde_json::Value;
use smallvec::SmallVec;

pub(crate) use cel::{Moment, Rule};
pub use exact::exact_pattern;
pub(crate) use glob::{Glob, LastSegment};

use crate::source::Match;

/// Why a value has no canonical form. Fits after "the value of … ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotCanonical(pub(crate) Cow<'static, str>);

impl From<&'static str> for NotCanonical {
    fn from(text: &'static str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

/// Why a pattern cannot be used: what is wrong and what to write instead.
pub(crate) type PatternFault = String;

/// A value in the one form that is judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Canonical {
    /// Of `Exact` and `Enum`; of any kind once it has been written as JSON.
    Scalar(Value),
    /// Of `Glob` and `Regex`: as it is given.
    Text(String),
    /// Of `Path`.
    Path(String),
    /// Of `Host`.
    Host(host::Host),
    /// Of `Url`.
    Url(Box<url::Address>),
    /// Of `Command`.
    Words(command::Argv),
    /// Of `Range`, in its base unit.
    Number(f64),
}

/// What a call feeds to one dimension: mostly one value.
pub(crate) type Values = SmallVec<[Canonical; 1]>;

impl Canonical {
    /// Reads a value that a call feeds to a dimension of this kind.
    pub(crate) fn read(matching: &Match, value: &Value) -> Result<Self, NotCanonical> {
        match matching {
            Match::Exact {} => scalar::read(value).map(Self::Scalar),
            Match::Enum { values } => scalar::read_one_of(value, values).map(Self::Scalar),
            Match::Glob { separator } => glob::read(text::of(value)?, *separator).map(Self::Text),
            Match::Path {} => path::read(text::of(value)?).map(Self::Path),
            Match::Host {} => host::Host::read(text::of(value)?).map(Self::Host),
            Match::Url {} => url::Address::read(text::of(value)?).map(|url| Self::Url(Box::new(url))),
            Match::Command {} => command::read(text::of(value)?).map(Self::Words),
            Match::Range { unit } => range::read(value, *unit).map(Self::Number),
            Match::Regex {} => regex::read(text::of(value)?).map(Self::Text),
            Match::Cel {} => Err("belongs to a Cel dimension, which takes no value".into()),
        }
    }

    /// The form for records and executors.
    pub(crate) fn to_value(&self) -> Value {
        match self {
            Self::Scalar(value) => value.clone(),
            Self::Text(text) | Self::Path(text) => Value::String(text.clone()),
            Self::Host(host) => Value::String(host.text.clone()),
            Self::Url(url) => Value::String(url.text.clone()),
            Self::Words(argv) => argv.words().map(|word| Value::String(word.to_owned())).collect(),
            Self::Number(number) => range::number(*number),
        }
    }

    /// What takes the argument's place when the executor may only see the canonical form.
    /// A command keeps its text, for the canonical form is its list of words; a scalar, a text and a number are what they were.
    pub(crate) fn replacement(&self) -> Option<&str> {
        match self {
            Self::Path(text) => Some(text),
            Self::Host(host) => Some(&host.text),
            Self::Url(url) => Some(&url.text),
            Self::Scalar(_) | Self::Text(_) | Self::Words(_) | Self::Number(_) => None,
        }
    }

    /// What an [`Anchor`] is compared with.
    pub(crate) fn key(&self) -> Cow<'_, str> {
        match self {
            Self::Scalar(value) => Cow::Owned(value.to_string()),
            Self::Text(text) | Self::Path(text) => Cow::Borrowed(text),
            Self::Host(host) => Cow::Borrowed(&host.text),
            Self::Url(url) => Cow::Borrowed(&url.host.text),
            Self::Words(argv) => Cow::Borrowed(argv.text()),
            Self::Number(_) => Cow::Borrowed(""),
        }
    }
}

/// A part of the key that every matching value has, so that a thousand patterns need not be tried one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// The whole key.
    Whole(String),
    /// How the key begins.
    Prefix(String),
    /// How the key ends.
    Suffix(String),
    /// Nothing is known.
    Anywhere,
}

/// A compiled pattern. Patterns of `Cel` are rules over the whole call instead: see [`Rule`].
#[derive(Debug)]
pub(crate) enum Pattern {
    /// Of `Exact` and `Enum`.
    Literal(Value),
    /// Of `Glob`.
    Glob(Glob),
    /// Of `Path`.
    Path(path::PathPattern),
    /// Of `Host`.
    Host(host::HostPattern),
    /// Of `Url`.
    Url(Box<url::UrlPattern>),
    /// Of `Command`.
    Command(command::ArgvPattern),
    /// Of `Range`.
    Range(range::Interval),
    /// Of `Regex`.
    Regex(Box<regex::AnchoredRegex>),
}

impl Pattern {
    /// Compiles a pattern as it is written in a grant.
    pub(crate) fn compile(matching: &Match, pattern: &Value) -> Result<Self, PatternFault> {
        match matching {
            Match::Exact {} => scalar::literal(pattern).map(Self::Literal),
            Match::Enum { values } => scalar::literal_of(pattern, values).map(Self::Literal),
            Match::Glob { separator } => Glob::of_text(text::pattern(pattern)?, *separator).map(Self::Glob),
            Match::Path {} => path::PathPattern::compile(text::pattern(pattern)?).map(Self::Path),
            Match::Host {} => host::HostPattern::compile(text::pattern(pattern)?).map(Self::Host),
            Match::Url {} => {
                url::UrlPattern::compile(text::pattern(pattern)?).map(|url| Self::Url(Box::new(url)))
            }
            Match::Command {} => command::ArgvPattern::compile(text::pattern(pattern)?).map(Self::Command),
            Match::Range { unit } => range::Interval::compile(pattern, *unit).map(Self::Range),
            Match::Regex {} => regex::AnchoredRegex::compile(text::pattern(pattern)?)
                .map(|regex| Self::Regex(Box::new(regex))),
            Match::Cel {} => Err("a Cel dimension has rules, not patterns".to_owned()),
        }
    }

    /// Whether the value is one that the pattern describes. A value of another kind never is.
    pub(crate) fn matches(&self, value: &Canonical) -> bool {
        match (self, value) {
            (Self::Literal(literal), Canonical::Scalar(value)) => literal == value,
            (Self::Glob(glob), Canonical::Text(text)) => glob.matches(text),
            (Self::Path(pattern), Canonical::Path(path)) => pattern.matches(path),
            (Self::Host(pattern), Canonical::Host(host)) => pattern.matches(host),
            (Self::Url(pattern), Canonical::Url(url)) => pattern.matches(url),
            (Self::Command(pattern), Canonical::Words(argv)) => pattern.matches(argv),
            (Self::Range(interval), Canonical::Number(number)) => interval.contains(*number),
            (Self::Regex(regex), Canonical::Text(text)) => regex.matches(text),
            (
                Self::Literal(_)
                | Self::Glob(_)
                | Self::Path(_)
                | Self::Host(_)
                | Self::Url(_)
                | Self::Command(_)
                | Self::Range(_)
                | Self::Regex(_),
                _,
            ) => false,
        }
    }

    /// Whether it is seen at once that it matches everything that the other one matches.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Glob(wide), Self::Glob(narrow)) => wide.covers(narrow),
            (Self::Path(wide), Self::Path(narrow)) => {
                wide.is_absolute() == narrow.is_absolute() && wide.glob().covers(narrow.glob())
            }
            (Self::Host(wide), Self::Host(narrow)) => wide.covers(narrow),
            (Self::Url(wide), Self::Url(narrow)) => wide.covers(narrow),
            (Self::Command(wide), Self::Command(narrow)) => wide.covers(narrow),
            (Self::Regex(wide), Self::Regex(narrow)) => wide.source() == narrow.source(),
            (
                Self::Literal(_)
                | Self::Glob(_)
                | Self::Path(_)
                | Self::Host(_)
                | Self::Url(_)
                | Self::Command(_)
                | Self::Range(_)
                | Self::Regex(_),
                _,
            ) => false,
        }
    }

    /// Whether a value may match both, as far as is seen at once; of hosts and URLs. True where nothing is seen.
    pub(crate) fn may_meet(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Host(one), Self::Host(other)) => one.may_meet(other),
            (Self::Url(one), Self::Url(other)) => one.may_meet(other),
            _ => true,
        }
    }

    /// What every matching value's key has in common.
    pub(crate) fn anchor(&self) -> Anchor {
        match self {
            Self::Literal(value) => Anchor::Whole(value.to_string()),
            Self::Glob(glob) => glob.anchor(),
            Self::Path(pattern) => pattern.glob().anchor(),
            Self::Host(pattern) => pattern.anchor(),
            Self::Url(pattern) => pattern.host.anchor(),
            Self::Command(pattern) => pattern.anchor(),
            Self::Range(_) | Self::Regex(_) => Anchor::Anywhere,
        }
    }

    /// The only value that matches, if there is only one.
    pub(crate) fn only_value(&self) -> Option<Value> {
        let text = match self {
            Self::Literal(value) => return Some(value.clone()),
            Self::Glob(glob) => glob.only_text()?,
            Self::Path(pattern) => pattern.glob().only_text()?,
            Self::Host(pattern) => pattern.only_text()?,
            Self::Url(_) | Self::Command(_) | Self::Range(_) | Self::Regex(_) => return None,
        };
        Some(Value::String(text.to_owned()))
    }

    /// A regular expression (in the dialect of JSON Schema) that matches the same values, where there is one.
    pub(crate) fn schema_pattern(&self) -> Option<String> {
        match self {
            Self::Glob(glob) => Some(glob.to_regex()),
            Self::Literal(_)
            | Self::Path(_)
            | Self::Host(_)
            | Self::Url(_)
            | Self::Command(_)
            | Self::Range(_)
            | Self::Regex(_) => None,
        }
    }
}
