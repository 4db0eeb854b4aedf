//! A small chart as SVG inside the page; its label says the same in words.

use maud::{Markup, html};

use crate::{
    explain::{PageTexts, counted},
    store::views::throughput::Hour,
};

const WIDTH: usize = 480;
const HEIGHT: usize = 72;

/// The last day by hours: events as bars, beside them the tasks done with the dead ones in front.
pub(super) fn day(hours: &[Hour], words: &PageTexts) -> Markup {
    let max = hours.iter().map(|hour| hour.events.max(hour.done + hour.dead)).max().unwrap_or(0).max(1);
    let step = WIDTH / hours.len().max(1);
    let height =
        |count: i64| usize::try_from(count * 64 / max).unwrap_or_default().max(usize::from(count > 0) * 2);
    let sum = |column: fn(&Hour) -> i64| hours.iter().map(column).sum::<i64>();
    let events = counted(sum(|hour| hour.events), words.event_count);
    let done = counted(sum(|hour| hour.done), words.task_count);
    let dead = counted(sum(|hour| hour.dead), words.dead_count);
    let label = format!("{}: {events}, {done}, {dead}", words.last_day);
    html! {
        figure.chart {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(label) {
                @for (at, hour) in hours.iter().enumerate() {
                    @let (events, done, dead) = (height(hour.events), height(hour.done), height(hour.dead));
                    g {
                        title { (hour.starts_at.format("%H:00")) " – " (hour.events) " / " (hour.done) " / " (hour.dead) }
                        rect.events x=(at * step + 1) y=(HEIGHT - events) width=(step / 2 - 1) height=(events) {}
                        rect.done x=(at * step + step / 2) y=(HEIGHT - done) width=(step / 2 - 1) height=(done) {}
                        rect.dead x=(at * step + step / 2) y=(HEIGHT - dead) width=(step / 2 - 1) height=(dead) {}
                    }
                }
                line x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) {}
            }
            figcaption {
                span.key.events {} (events) " "
                span.key.done {} (done) " "
                span.key.dead {} (dead)
            }
        }
    }
}
