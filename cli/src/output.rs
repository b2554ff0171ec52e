//! How things are written: formats, colours, tables, reports.

mod colour;
mod format;
mod page;
mod printable;
mod report;
mod screen;
mod table;
mod tree;
mod words;

pub(crate) use colour::{ColorWhen, colour, paint};
pub(crate) use format::Format;
pub(crate) use page::Page;
pub(crate) use printable::printable;
pub(crate) use report::{render, report};
pub(crate) use screen::Screen;
pub(crate) use table::{Cell, Table};
pub(crate) use tree::Tree;
pub(crate) use words::{closest, listed};
