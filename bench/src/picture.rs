//! Charts of series, as SVG.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::{coord::ranged1d::ValueFormatter, prelude::*};

/// A series of points.
pub struct Line {
    name: &'static str,
    points: Vec<(f64, f64)>,
    color: RGBColor,
    dashed: bool,
}

/// Two colours that people with red-green blindness can tell apart.
const FIRST: RGBColor = RGBColor(0, 95, 175);
const SECOND: RGBColor = RGBColor(200, 105, 0);

impl Line {
    pub const fn first(name: &'static str, points: Vec<(f64, f64)>) -> Self {
        Self { name, points, color: FIRST, dashed: false }
    }

    pub const fn second(name: &'static str, points: Vec<(f64, f64)>) -> Self {
        Self { name, points, color: SECOND, dashed: false }
    }

    pub fn dashed(mut self) -> Self {
        self.dashed = true;
        self
    }
}

/// A line chart.
pub struct Picture {
    pub file: &'static str,
    pub title: &'static str,
    pub x: &'static str,
    pub y: &'static str,
    pub log_y: bool,
    pub lines: Vec<Line>,
}

impl Picture {
    pub fn draw(&self, directory: &Path) -> Result<()> {
        std::fs::create_dir_all(directory)?;
        let path = directory.join(format!("{}.svg", self.file));
        let root = SVGBackend::new(&path, (760, 420)).into_drawing_area();
        let context = |error: &dyn std::fmt::Display| anyhow!("cannot draw {}: {error}", path.display());
        root.fill(&WHITE).map_err(|error| context(&error))?;
        let points = || self.lines.iter().flat_map(|line| line.points.iter().copied());
        let widest = points().map(|(x, _)| x).fold(0.0, f64::max) * 1.03;
        let highest = points().map(|(_, y)| y).fold(0.0, f64::max);
        let lowest = points().map(|(_, y)| y).filter(|y| *y > 0.0).fold(f64::MAX, f64::min);
        let mut chart = ChartBuilder::on(&root);
        chart.caption(self.title, ("sans-serif", 18)).margin(14).x_label_area_size(42).y_label_area_size(64);
        if self.log_y {
            let chart = chart.build_cartesian_2d(0.0..widest, (lowest * 0.7..highest * 1.5).log_scale());
            self.draw_lines(chart.map_err(|error| context(&error))?).map_err(|error| context(&error))?;
        } else {
            let chart = chart.build_cartesian_2d(0.0..widest, 0.0..highest * 1.1);
            self.draw_lines(chart.map_err(|error| context(&error))?).map_err(|error| context(&error))?;
        }
        root.present().map_err(|error| context(&error))
    }

    fn draw_lines<'a, Y>(
        &self,
        mut chart: ChartContext<'a, SVGBackend<'a>, Cartesian2d<plotters::coord::types::RangedCoordf64, Y>>,
    ) -> Result<(), Box<dyn std::error::Error + 'a>>
    where
        Y: Ranged<ValueType = f64> + ValueFormatter<f64>,
    {
        chart.configure_mesh().x_desc(self.x).y_desc(self.y).light_line_style(WHITE).draw()?;
        for line in &self.lines {
            let style = line.color.stroke_width(2);
            let color = line.color;
            let drawn = if line.dashed {
                chart.draw_series(DashedLineSeries::new(line.points.iter().copied(), 6, 4, style))?
            } else {
                chart.draw_series(LineSeries::new(line.points.iter().copied(), style))?
            };
            let dashed = line.dashed;
            drawn.label(line.name).legend(move |(x, y)| {
                let to = if dashed { x + 9 } else { x + 18 };
                PathElement::new(vec![(x, y), (to, y)], color.stroke_width(2))
            });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerRight)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        Ok(())
    }
}
