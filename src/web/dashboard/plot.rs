//! Small plots as SVG inside the page; each says in words what it shows, for those who hear it.

use maud::{Markup, html};

use super::words::Words;
use crate::store::views::attention::Hour;

const WIDTH: usize = 480;
const HEIGHT: usize = 72;

/// A day by hours: events as bars, and tasks that died on top of them.
pub(super) fn day(hours: &[Hour], words: &Words) -> Markup {
    let most = hours.iter().map(|hour| hour.events.max(hour.done + hour.dead)).max().unwrap_or(0).max(1);
    let step = WIDTH / hours.len().max(1);
    let height =
        |count: i64| usize::try_from(count * 64 / most).unwrap_or_default().max(usize::from(count > 0) * 2);
    let sum = |of: fn(&Hour) -> i64| hours.iter().map(of).sum::<i64>();
    let label = format!(
        "{}: {} {}, {} {}, {} {}",
        words.last_day,
        sum(|it| it.events),
        words.events_low,
        sum(|it| it.done),
        words.tasks_low,
        sum(|it| it.dead),
        words.dead_low
    );
    html! {
        figure.plot {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(label) {
                @for (at, hour) in hours.iter().enumerate() {
                    @let (events, done, dead) = (height(hour.events), height(hour.done), height(hour.dead));
                    g {
                        title { (hour.starts_at.format("%H:00")) " – " (hour.events) " / " (hour.done) " / " (hour.dead) }
                        rect.ev x=(at * step + 1) y=(HEIGHT - events) width=(step / 2 - 1) height=(events) {}
                        rect.ok x=(at * step + step / 2) y=(HEIGHT - done) width=(step / 2 - 1) height=(done) {}
                        rect.bad x=(at * step + step / 2) y=(HEIGHT - dead) width=(step / 2 - 1) height=(dead) {}
                    }
                }
                line x1="0" y1=(HEIGHT) x2=(WIDTH) y2=(HEIGHT) {}
            }
            figcaption {
                span.key.ev {} (sum(|it| it.events)) " " (words.events_low) " "
                span.key.ok {} (sum(|it| it.done)) " " (words.tasks_low) " "
                span.key.bad {} (sum(|it| it.dead)) " " (words.dead_low)
            }
        }
    }
}
