//! The documents that answers and alerts link to, served by the service itself: what each code means, and what to do about
//! each alert. They are the repository's own, so nobody has to sign in for them.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

use axum::http::HeaderMap;
use maud::{Markup, PreEscaped, html};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html::push_html};

use super::{language::language_of, page::document_page};
use crate::explain::capitalised;

static PROBLEMS: LazyLock<String> = LazyLock::new(|| render(include_str!("../../../docs/problems.md")));
static RUNBOOK: LazyLock<String> = LazyLock::new(|| render(include_str!("../../../docs/runbook.md")));

/// What each problem and reason code means.
pub(super) async fn problems(headers: HeaderMap) -> Markup {
    document(&headers, "Problem and reason codes", &PROBLEMS)
}

/// What to do about each symptom and each alert.
pub(super) async fn runbook(headers: HeaderMap) -> Markup {
    document(&headers, "Runbook", &RUNBOOK)
}

fn document(headers: &HeaderMap, title: &str, body: &str) -> Markup {
    document_page(language_of(headers), title, &html! { article { (PreEscaped(body)) } })
}

/// A document as HTML. Headings have the ids that GitHub gives them, tables and commands can be scrolled by keyboard, each cell
/// names its column for narrow screens, and a link to a document that is not served is its text alone.
fn render(text: &str) -> String {
    let events: Vec<_> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let (mut html, mut tables, mut listings, mut is_kept) = (String::new(), 0, 0, Vec::new());
    let (mut served, mut slugs) = (Vec::with_capacity(events.len()), HashMap::new());
    let mut cells = Cells::default();
    for (at, event) in events.iter().enumerate() {
        match event {
            Event::Start(Tag::Heading { level, classes, attrs, .. }) => {
                let id = Some(CowStr::from(unique(slug(&text_of(&events[at..])), &mut slugs)));
                let (level, classes, attrs) = (*level, classes.clone(), attrs.clone());
                served.push(Event::Start(Tag::Heading { level, id, classes, attrs }));
            }
            Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
                let target = served_target(dest_url);
                is_kept.push(target.is_some());
                if let Some(target) = target {
                    let (title, id) = (title.clone(), id.clone());
                    let dest_url = CowStr::from(target.into_owned());
                    served.push(Event::Start(Tag::Link { link_type: *link_type, dest_url, title, id }));
                }
            }
            Event::End(TagEnd::Link) if is_kept.pop() == Some(false) => {}
            Event::Start(Tag::Table(_)) => {
                tables += 1;
                let region = format!(
                    "<div class=\"scroll\" role=\"region\" aria-label=\"Table {tables}\" tabindex=\"0\">"
                );
                served.extend([Event::Html(region.into()), event.clone()]);
            }
            Event::Start(Tag::CodeBlock(_)) => {
                listings += 1;
                let region =
                    format!("<pre role=\"region\" aria-label=\"Commands {listings}\" tabindex=\"0\"><code>");
                served.push(Event::Html(region.into()));
            }
            Event::End(TagEnd::CodeBlock) => served.push(Event::Html("</code></pre>\n".into())),
            Event::Start(Tag::TableHead | Tag::TableRow | Tag::TableCell) | Event::End(TagEnd::TableCell) => {
                served.push(cells.labelled(event, &events[at..]));
            }
            Event::End(TagEnd::Table) => served.extend([event.clone(), Event::Html("</div>".into())]),
            other => served.push(other.clone()),
        }
    }
    push_html(&mut html, served.into_iter());
    html
}

/// The columns of a table, and where in it we are.
#[derive(Default)]
struct Cells {
    labels: Vec<String>,
    is_in_head: bool,
    column: usize,
}

impl Cells {
    /// The event of a table; a cell of its body says which column it is of. `rest` begins with the event.
    fn labelled<'a>(&mut self, event: &Event<'a>, rest: &[Event<'a>]) -> Event<'a> {
        match event {
            Event::Start(Tag::TableHead) => *self = Self { is_in_head: true, ..Self::default() },
            Event::Start(Tag::TableRow) => (self.is_in_head, self.column) = (false, 0),
            Event::Start(Tag::TableCell) if self.is_in_head => {
                self.labels.push(capitalised(&text_of(rest)));
            }
            Event::Start(Tag::TableCell) => {
                let label = self.labels.get(self.column).map(String::as_str).unwrap_or_default();
                self.column += 1;
                let cell = html! { (PreEscaped("<td data-l=\"")) (label) (PreEscaped("\">")) };
                return Event::Html(cell.into_string().into());
            }
            Event::End(TagEnd::TableCell) if !self.is_in_head => return Event::Html("</td>".into()),
            _ => {}
        }
        event.clone()
    }
}

/// The text up to the end of the heading or cell that begins here.
fn text_of(events: &[Event<'_>]) -> String {
    let is_end = |event: &Event<'_>| matches!(event, Event::End(TagEnd::Heading(_) | TagEnd::TableCell));
    let heading = events.iter().take_while(|event| !is_end(event));
    heading
        .filter_map(|event| match event {
            Event::Text(text) | Event::Code(text) => Some(text.as_ref()),
            _ => None,
        })
        .collect()
}

/// The id of a heading, as GitHub makes it.
fn slug(heading: &str) -> String {
    let kept = heading.chars().filter(|it| it.is_alphanumeric() || [' ', '-', '_'].contains(it));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The same with a number where an earlier heading has it, as GitHub does.
fn unique(slug: String, taken: &mut HashMap<String, usize>) -> String {
    let earlier = taken.entry(slug.clone()).or_default();
    *earlier += 1;
    if *earlier == 1 { slug } else { format!("{slug}-{}", *earlier - 1) }
}

/// Where a link of a document leads here; `None` where nothing of it is served.
fn served_target(target: &str) -> Option<Cow<'_, str>> {
    for (file, path) in [("problems.md", "/problems"), ("runbook.md", "/runbook")] {
        if let Some(anchor) = target.strip_prefix(file) {
            return Some(format!("{path}{anchor}").into());
        }
    }
    (target.starts_with('#') || target.starts_with("https://")).then_some(target.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_have_ids_and_links_lead_to_what_is_served() {
        let html =
            render("# The `two` words\n[a](problems.md#busy) [b](../src/lib.rs) [c](#x) [d](https://x.fi)");
        assert!(html.contains("<h1 id=\"the-two-words\">"), "{html}");
        assert!(html.contains("<a href=\"/problems#busy\">a</a> b <a href=\"#x\">c</a>"), "{html}");
        assert!(html.contains("<a href=\"https://x.fi\">d</a>"), "{html}");
        let twice = render("# One\n# One\n");
        assert!(twice.contains("<h1 id=\"one\">") && twice.contains("<h1 id=\"one-1\">"), "{twice}");
        let commands = render("```sh\na < b\n```\n");
        assert!(
            commands.starts_with("<pre role=\"region\" aria-label=\"Commands 1\" tabindex=\"0\"><code>"),
            "{commands}"
        );
        assert!(commands.contains("a &lt; b\n</code></pre>"), "{commands}");
        let table = render("| a \"b\" | `c` |\n|---|---|\n| 1 | 2 |\n| 3 | |\n");
        assert!(
            table.starts_with("<div class=\"scroll\" role=\"region\"") && table.contains("</table>"),
            "{table}"
        );
        for cell in
            ["<th>a ", "<td data-l=\"A &quot;b&quot;\">1</td>", "<td data-l=\"C\">2</td>", "\">3</td>"]
        {
            assert!(table.contains(cell), "{cell}: {table}");
        }
        assert_eq!((table.matches("<td").count(), table.matches("</td>").count()), (4, 4), "{table}");
    }
}
