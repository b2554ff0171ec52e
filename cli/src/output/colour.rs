//! Colours, and when there are any.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ColorWhen {
    /// On a terminal, unless the environment says no.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Settles for the whole process when colours are written.
pub(crate) fn colour(when: ColorWhen) {
    match when {
        ColorWhen::Auto => anstream::ColorChoice::Auto,
        ColorWhen::Always => anstream::ColorChoice::Always,
        ColorWhen::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}

/// The few colours of this program, named for what they mean. Whoever writes them removes them where none are wanted.
pub(crate) mod paint {
    use super::{AnsiColor, Display, Style};

    /// Permitted, ready, passed.
    pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
    /// Refused, broken, failed.
    pub(crate) const BAD: Style = AnsiColor::Red.on_default();
    /// Wants a look.
    pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
    /// Beside the point.
    pub(crate) const DIM: Style = Style::new().dimmed();
    /// The point.
    pub(crate) const STRONG: Style = Style::new().bold();

    /// `text` in a style.
    pub(crate) fn with(style: Style, text: impl Display) -> String {
        format!("{style}{text}{style:#}")
    }
}
