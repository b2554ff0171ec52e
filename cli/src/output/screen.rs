//! Where answers go.

use std::io::{self, Write};

use anstream::AutoStream;
use serde::Serialize;

use super::{Format, Table};

/// The standard output, and the format that the user asked for.
pub(crate) struct Screen {
    out: Box<dyn Write + Send>,
    format: Format,
}

impl Screen {
    /// The process's standard output. Colours are removed where none are wanted.
    pub(crate) fn stdout(format: Format) -> Self {
        Self {
            out: Box::new(AutoStream::auto(io::stdout())),
            format,
        }
    }

    /// What the user asked for.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Writes text as it is.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    /// Writes text and ends the line.
    pub(crate) fn line(&mut self, text: &str) -> io::Result<()> {
        self.text(text)?;
        self.text("\n")
    }

    /// Writes a table.
    pub(crate) fn table(&mut self, table: &Table) -> io::Result<()> {
        self.line(&table.render())
    }

    /// Writes a whole answer as JSON or YAML.
    pub(crate) fn data<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        match self.format {
            Format::Yaml => self.text(&yaml(value)?),
            Format::Json | Format::Table => {
                let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
                self.line(&text)
            }
        }
    }

    /// Writes one of several values: a JSON line, or a YAML document.
    pub(crate) fn item<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        match self.format {
            Format::Yaml => {
                self.text("---\n")?;
                self.text(&yaml(value)?)
            }
            Format::Json | Format::Table => {
                let text = serde_json::to_string(value).map_err(io::Error::other)?;
                self.line(&text)
            }
        }?;
        self.flush()
    }

    /// Makes everything visible that was written.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// By way of JSON, so that both formats always say the same.
fn yaml<T: Serialize>(value: &T) -> io::Result<String> {
    let value = serde_json::to_value(value).map_err(io::Error::other)?;
    let mut text = serde_saphyr::to_string(&value).map_err(io::Error::other)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}
