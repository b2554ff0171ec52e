//! Tables in the manner of `kubectl get`.

use anstyle::Style;
use comfy_table::{Attribute, Color, ContentArrangement, presets};

use super::{paint, printable};

/// A table without lines, its columns three spaces apart.
pub(crate) struct Table {
    inner: comfy_table::Table,
}

/// One field of a table.
pub(crate) struct Cell {
    text: String,
    style: Option<Style>,
}

impl Cell {
    /// In a colour of [`paint`].
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style: Some(style),
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            style: None,
        }
    }
}

impl Table {
    /// An empty table with these column names.
    pub(crate) fn new<const N: usize>(header: [&str; N]) -> Self {
        let mut inner = comfy_table::Table::new();
        inner
            .load_style(presets::NOTHING)
            .set_header(header)
            .enforce_styling();
        if inner.is_tty() {
            inner.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            inner.set_content_arrangement(ContentArrangement::Disabled);
        }
        for column in inner.column_iter_mut() {
            column.set_padding((0, 3));
        }
        Self { inner }
    }

    /// Adds a row. Text of others is made harmless here.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.inner.add_row(cells.map(|cell| {
            let text = if cell.text.is_empty() {
                "-".to_owned()
            } else {
                printable(&cell.text).into_owned()
            };
            match cell.style {
                Some(style) => coloured(comfy_table::Cell::new(text), style),
                None => comfy_table::Cell::new(text),
            }
        }));
    }

    /// The table as text, without trailing spaces.
    pub(crate) fn render(&self) -> String {
        let lines: Vec<String> = self
            .inner
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect();
        lines.join("\n")
    }
}

fn coloured(cell: comfy_table::Cell, style: Style) -> comfy_table::Cell {
    match style {
        paint::GOOD => cell.fg(Color::DarkGreen),
        paint::BAD => cell.fg(Color::DarkRed),
        paint::WARN => cell.fg(Color::DarkYellow),
        paint::DIM => cell.add_attribute(Attribute::Dim),
        _ => cell.add_attribute(Attribute::Bold),
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_line_up_and_empty_fields_show() {
        let mut table = Table::new(["NAME", "READY"]);
        table.row(["triage".into(), "True".into()]);
        table.row(["a".into(), "".into()]);
        assert_eq!(table.render(), "NAME     READY\ntriage   True\na        -");
    }
}
