//! The measurements as Markdown.

use std::fmt::Write as _;

use super::{Measurement, microseconds};
use crate::POLICIES;
use crate::peer::{ENGINES, VARIANTS};

/// A table for the calls that are permitted and one for those that are not.
pub fn tables(measurements: &[Measurement]) -> String {
    let mut page = String::new();
    for series in ["permitted", "denied"] {
        let sizes: Vec<_> = POLICIES.iter().map(|policies| format!(" {policies} |")).collect();
        let dashes = " --- |".repeat(POLICIES.len());
        let _ = write!(
            page,
            "| {series}, by policies |{}\n| --- |{dashes}\n",
            sizes.concat()
        );
        for engine in ENGINES.into_iter().chain(VARIANTS) {
            let cells: Vec<_> = POLICIES
                .iter()
                .map(|policies| format!(" {} |", cell(measurements, series, engine, *policies)))
                .collect();
            let _ = writeln!(page, "| {engine} |{}", cells.concat());
        }
        page.push('\n');
    }
    page
}

fn cell(measurements: &[Measurement], series: &str, engine: &str, policies: usize) -> String {
    measurements
        .iter()
        .find(|known| known.series == series && known.engine == engine && known.policies == policies)
        .map_or_else(|| "not measured".to_owned(), |known| microseconds(known.mean))
}
