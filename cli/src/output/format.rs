//! The formats of an answer.

/// What an answer is written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// One JSON value, or JSON lines for what comes bit by bit.
    Json,
    /// One YAML document, or a document each for what comes bit by bit.
    Yaml,
}
