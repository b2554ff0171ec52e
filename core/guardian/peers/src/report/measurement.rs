//! What criterion wrote.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// One engine's mean time with so many policies.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// Permitted or denied.
    pub series: String,
    /// Which engine.
    pub engine: String,
    /// How many policies it held.
    pub policies: usize,
    /// In nanoseconds.
    pub mean: f64,
}

/// Everything in criterion's folder that is a measurement of this run's benchmark.
pub fn measurements(folder: &Path) -> std::io::Result<Vec<Measurement>> {
    let mut found = Vec::new();
    for series in ["permitted", "denied"] {
        for engine in fs::read_dir(folder.join(series))? {
            let engine = engine?.path();
            // Beside the engines lie criterion's own reports.
            let Ok(sizes) = fs::read_dir(&engine) else {
                continue;
            };
            for size in sizes {
                found.extend(measurement(&size?.path().join("new")));
            }
        }
    }
    Ok(found)
}

fn measurement(folder: &Path) -> Option<Measurement> {
    let read = |name: &str| -> Option<Value> {
        let text = fs::read_to_string(folder.join(name)).ok()?;
        serde_json::from_str(&text).ok()
    };
    let benchmark = read("benchmark.json")?;
    let text = |key: &str| benchmark.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Measurement {
        series: text("group_id")?,
        engine: text("function_id")?,
        policies: text("value_str")?.parse().ok()?,
        mean: read("estimates.json")?
            .pointer("/mean/point_estimate")?
            .as_f64()?,
    })
}
