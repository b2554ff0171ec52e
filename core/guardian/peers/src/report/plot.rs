//! The five engines as lines over the number of policies, both axes logarithmic.

use std::error::Error;

use plotters::prelude::*;

use super::{Measurement, microseconds};
use crate::peer::ENGINES;

const SIZE: (u32, u32) = (860, 480);
/// Readable on light and on dark ground alike.
const COLOURS: [RGBColor; 5] = [
    RGBColor(0x1f, 0x9d, 0x6b),
    RGBColor(0xd5, 0x5e, 0x3a),
    RGBColor(0x4a, 0x86, 0xd8),
    RGBColor(0xb0, 0x7a, 0x1e),
    RGBColor(0xa8, 0x62, 0xc4),
];
/// Plotters writes colours into each element; in an SVG, a style sheet takes precedence.
const STYLE: &str = "<style>text{font-family:system-ui,sans-serif;fill:#333}[stroke=\"#808080\"]{stroke:#999}\
[stroke=\"#C0C0C0\"]{stroke:#ccc;stroke-opacity:.6}@media (prefers-color-scheme:dark){text{fill:#ddd}\
[stroke=\"#C0C0C0\"]{stroke:#555}}</style>";
const AXIS: RGBColor = RGBColor(0x80, 0x80, 0x80);
const GRID: RGBColor = RGBColor(0xc0, 0xc0, 0xc0);

/// The plot as SVG, of the calls that are permitted.
pub fn plot(measurements: &[Measurement]) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    draw(
        measurements,
        &SVGBackend::with_string(&mut svg, SIZE).into_drawing_area(),
    )
    .map_err(|error| error.to_string())?;
    let head = svg
        .find('>')
        .and_then(|_| svg.find("<svg"))
        .ok_or("no SVG was drawn")?;
    let body = svg[head..]
        .find('>')
        .map(|end| head + end + 1)
        .ok_or("no SVG was drawn")?;
    svg.insert_str(body, STYLE);
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw(measurements: &[Measurement], area: &Area<'_>) -> Result<(), Box<dyn Error>> {
    let times = |engine: &str| {
        let mut points: Vec<_> = measurements
            .iter()
            .filter(|known| known.series == "permitted" && known.engine == engine)
            .map(|known| (known.policies as f64, known.mean))
            .collect();
        points.sort_by(|left, right| left.0.total_cmp(&right.0));
        points
    };
    let mut chart = ChartBuilder::on(area)
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d((0.9..1_100.0).log_scale(), (100.0..10_000_000.0).log_scale())?;
    chart
        .configure_mesh()
        .axis_style(AXIS)
        .bold_line_style(GRID)
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|policies| format!("{policies:.0}"))
        .y_label_formatter(&|time| microseconds(*time))
        .x_desc("policies, the last one permits")
        .y_desc("JSON text to decision, mean")
        .label_style(("sans-serif", 14))
        .draw()?;
    for (engine, colour) in ENGINES.iter().zip(COLOURS) {
        let points = times(engine);
        let width = if *engine == "guardian" { 3 } else { 2 };
        chart
            .draw_series(LineSeries::new(points.clone(), colour.stroke_width(width)))?
            .label(*engine)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 22, y)], colour.stroke_width(width)));
        chart.draw_series(
            points
                .into_iter()
                .map(|point| Circle::new(point, 4, colour.filled())),
        )?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .margin(14)
        .label_font(("sans-serif", 14))
        .draw()?;
    area.present()?;
    Ok(())
}
