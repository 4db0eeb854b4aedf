//! The report: a table and its JSON.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::measure::{median, spread};

/// The unit of a figure.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    PerSecond,
    Millis,
    Micros,
    Megabytes,
    Pieces,
}

impl Unit {
    const fn as_str(self) -> &'static str {
        match self {
            Self::PerSecond => "/s",
            Self::Millis => " ms",
            Self::Micros => " µs",
            Self::Megabytes => " MB",
            Self::Pieces => "",
        }
    }
}

/// One row: Silta's figure beside a reference or a target.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    name: String,
    unit: Unit,
    silta_figures: Vec<f64>,
    reference: Option<(String, Vec<f64>)>,
    silta_median: f64,
    ratio: Option<f64>,
    spread: f64,
    target: Option<Target>,
    met: Option<bool>,
}

/// The target of the ratio, or of the figure itself where there is no reference.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
}

impl Row {
    /// A figure by itself.
    pub fn single(name: &str, unit: Unit, silta_figures: Vec<f64>) -> Self {
        Self {
            name: name.to_owned(),
            unit,
            silta_median: median(&silta_figures),
            spread: spread(&silta_figures),
            silta_figures,
            reference: None,
            ratio: None,
            target: None,
            met: None,
        }
    }

    /// A figure beside a reference, measured in alternating rounds; the ratio is of the medians.
    pub fn compared(
        name: &str,
        reference: &str,
        unit: Unit,
        silta_figures: Vec<f64>,
        reference_figures: Vec<f64>,
    ) -> Self {
        let ratio = median(&silta_figures) / median(&reference_figures);
        Self {
            ratio: Some(ratio),
            reference: Some((reference.to_owned(), reference_figures)),
            ..Self::single(name, unit, silta_figures)
        }
    }

    pub fn at_least(self, least: f64) -> Self {
        self.with_target(Target::AtLeast(least))
    }

    pub fn at_most(self, most: f64) -> Self {
        self.with_target(Target::AtMost(most))
    }

    fn with_target(mut self, target: Target) -> Self {
        let figure = self.ratio.unwrap_or(self.silta_median);
        self.met = Some(match target {
            Target::AtLeast(least) => figure >= least,
            Target::AtMost(most) => figure <= most,
        });
        self.target = Some(target);
        self
    }
}

/// Everything that was measured.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub machine: Map<String, Value>,
    rows: Vec<Row>,
    facts: Map<String, Value>,
}

impl Report {
    /// Adds a row and prints it at once.
    pub fn row(&mut self, row: Row) {
        println!("{row}");
        self.rows.push(row);
    }

    /// The median of a row of this run.
    pub fn median_of(&self, name: &str) -> Option<f64> {
        self.rows.iter().find(|row| row.name == name).map(|row| row.silta_median)
    }

    /// Adds a value to the JSON alone.
    pub fn fact(&mut self, name: &str, value: Value) {
        self.facts.insert(name.to_owned(), value);
    }
}

pub const HEADING: &str =
    "| what | Silta | reference | ratio | spread | target | met |\n|---|--:|--:|--:|--:|--:|---|";

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figure = |figure: f64| {
            let digits = if figure.abs() >= 100.0 { 0 } else { 2 };
            format!("{figure:.digits$}{}", self.unit.as_str())
        };
        let reference = self
            .reference
            .as_ref()
            .map_or(String::new(), |(name, figures)| format!("{} ({name})", figure(median(figures))));
        let ratio = self.ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let target = match self.target {
            Some(Target::AtLeast(least)) => format!("≥ {least}"),
            Some(Target::AtMost(most)) => format!("≤ {most}"),
            None => String::new(),
        };
        let met = self.met.map_or("", |met| if met { "yes" } else { "**no**" });
        write!(
            f,
            "| {} | {} | {reference} | {ratio} | {:.0} % | {target} | {met} |",
            self.name,
            figure(self.silta_median),
            self.spread * 100.0
        )
    }
}
