//! From what criterion wrote to a table and a plot.

mod measurement;
mod page;
mod plot;
mod table;

pub use measurement::{Measurement, measurements};
pub use page::replaced;
pub use plot::plot;
pub use table::tables;

/// Nanoseconds as people read them: three digits, in the unit that fits.
pub fn microseconds(nanoseconds: f64) -> String {
    let (value, unit) = if nanoseconds < 1_000.0 {
        (nanoseconds, "ns")
    } else if nanoseconds < 1_000_000.0 {
        (nanoseconds / 1_000.0, "µs")
    } else {
        (nanoseconds / 1_000_000.0, "ms")
    };
    if value < 9.995 && unit != "ns" {
        format!("{value:.2} {unit}")
    } else if value < 99.95 && unit != "ns" {
        format!("{value:.1} {unit}")
    } else {
        format!("{value:.0} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::microseconds;

    #[test]
    fn times_are_readable() {
        assert_eq!(microseconds(25.4), "25 ns");
        assert_eq!(microseconds(1_234.0), "1.23 µs");
        assert_eq!(microseconds(45_678.0), "45.7 µs");
        assert_eq!(microseconds(2_500_000.0), "2.50 ms");
        assert_eq!(microseconds(456_789.0), "457 µs");
    }
}
