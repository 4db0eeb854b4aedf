//! Bars over time as small multiples on one scale. Labels are text beside the drawing, so they never scale, and a table
//! behind it says the same.

use maud::{Markup, html};

use super::user::User;
use crate::explain::{number_text, overview_texts};

/// The height of a plot, in pixels.
const HEIGHT: i64 = 64;

/// A stretch of time, and what each series counts in it.
pub(super) struct Bucket<const N: usize> {
    /// Its time, as tooltips and the table say it.
    pub(super) label: String,
    /// Its mark below the axis.
    pub(super) tick: Option<Tick>,
    /// One number for each series.
    pub(super) counts: [i64; N],
}

/// A mark below the axis.
pub(super) struct Tick {
    /// Its time, shorter than the bucket's.
    pub(super) label: String,
    /// True where phones have space for it too.
    pub(super) is_major: bool,
}

/// A chart: the names of its series, and its buckets, the oldest first. The last one is not over yet.
pub(super) struct Chart<'a, const N: usize> {
    /// What it shows.
    pub(super) title: &'a str,
    /// The series.
    pub(super) series: [&'a str; N],
    /// What the first column of the table is.
    pub(super) time: &'a str,
    /// The buckets.
    pub(super) buckets: Vec<Bucket<N>>,
}

impl<const N: usize> Chart<'_, N> {
    /// The drawing and its table.
    pub(super) fn render(&self, user: &User) -> Markup {
        html! {
            figure role="group" aria-label=(self.title) {
                div.chart {
                    @for (at, name) in self.series.iter().enumerate() { (self.multiple(user, at, name)) }
                    (self.ticks(overview_texts(user.language).now))
                }
            }
            details { summary { (overview_texts(user.language).show_as_table) } (self.table(user)) }
        }
    }

    /// An even number that no count exceeds: the top of the axis.
    fn top(&self) -> i64 {
        let max = self.buckets.iter().flat_map(|bucket| bucket.counts).max().unwrap_or(0).max(2);
        let step = [2, 4, 10, 20, 40, 100, 200, 400, 1000, 2000, 4000, 10_000, 100_000];
        let step = step.into_iter().find(|step| max <= step * 5).unwrap_or(1_000_000);
        (max + step - 1) / step * step
    }

    fn multiple(&self, user: &User, series: usize, name: &str) -> Markup {
        let top = self.top();
        let sum: i64 = self.buckets.iter().map(|bucket| bucket.counts[series]).sum();
        let labels = [top, top / 2, 0].map(|number| number_text(number, user.language));
        html! {
            dl { dt.soft { (name) } dd { b { (number_text(sum, user.language)) } } }
            div.axis aria-hidden="true" { @for label in labels { span { (label) } } }
            svg.plot.c2 aria-hidden="true" {
                @for y in ["0.5", "32", "63.5"] { line x1="0" x2="100%" y1=(y) y2=(y) {} }
                @for (at, bucket) in self.buckets.iter().enumerate() { (self.bar(user, at, bucket, bucket.counts[series], top)) }
            }
        }
    }

    fn bar(&self, user: &User, at: usize, bucket: &Bucket<N>, count: i64, top: i64) -> Markup {
        let (step, x) = (share(1, self.buckets.len()), share(at, self.buckets.len()));
        // Something is never drawn as nothing.
        let height = (count * HEIGHT / top).max(i64::from(count > 0) * 2);
        let is_current = at + 1 == self.buckets.len();
        html! {
            @if count > 0 {
                rect.now[is_current] x=(percent(x + step / 10)) y=(HEIGHT - height) width=(percent(step * 8 / 10)) height=(height) rx="1.5" {
                    title { (bucket.label) " – " (number_text(count, user.language)) }
                }
            }
        }
    }

    /// The marks below their bars; the last bar is now.
    fn ticks(&self, now: &str) -> Markup {
        let last = self.buckets.len().saturating_sub(1);
        let center = |at| percent(share(2 * at + 1, 2 * self.buckets.len()));
        html! {
            svg.ticks aria-hidden="true" {
                @for (at, bucket) in self.buckets.iter().enumerate() {
                    @if let Some(tick) = &bucket.tick {
                        text.minor[!tick.is_major] x=(center(at)) y="12" { (tick.label) }
                    }
                }
                text x=(center(last)) y="12" { (now) }
            }
        }
    }

    fn table(&self, user: &User) -> Markup {
        html! {
            div.scroll role="region" aria-label=(self.title) tabindex="0" { table {
                thead { tr {
                    th scope="col" { (self.time) }
                    @for name in self.series { th.num scope="col" { (name) } }
                } }
                tbody { @for bucket in &self.buckets { tr {
                    th scope="row" { (bucket.label) }
                    @for count in bucket.counts { td.num { (number_text(count, user.language)) } }
                } } }
            } }
        }
    }
}

/// A part of a whole in ten-thousandths: no rounding of floats in what a browser draws.
pub(super) const fn share(part: usize, of: usize) -> usize {
    match (part * 10_000).checked_div(of) {
        Some(share) => share,
        None => 0,
    }
}

/// Ten-thousandths as a percentage, as SVG takes it.
pub(super) fn percent(share: usize) -> String {
    format!("{}.{:02}%", share / 100, share % 100)
}
