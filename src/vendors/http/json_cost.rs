//! What a JSON text may take in memory once it is parsed, estimated while it arrives: a text of brackets takes a hundred times
//! its length, and must be refused before it is complete.

/// The most that one answer may take. A page of the widest list takes about a third of it.
const MAX_COST: usize = 48 << 20;

/// The deepest nesting. The vendors' answers have ten levels at most.
const MAX_DEPTH: usize = 64;

/// A map takes a whole node of its tree, be it for one entry.
const OBJECT_COST: usize = 640;

/// A list without elements.
const LIST_COST: usize = 64;

/// A further entry or element, with its key and its text.
const ENTRY_COST: usize = 160;

/// Reads a JSON text piece by piece. A web page is none and costs its length.
#[derive(Debug, Default)]
pub(super) struct JsonCost {
    cost: usize,
    depth: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Nothing but white space yet.
    #[default]
    Start,
    /// It is no JSON.
    Page,
    Outside,
    InText,
    /// Behind a backslash in a text.
    Escaped,
}

impl JsonCost {
    /// Takes the next piece; false once the text must not be parsed.
    pub(super) fn add(&mut self, piece: &[u8]) -> bool {
        self.cost += piece.len();
        for byte in piece {
            self.state = self.next(*byte);
        }
        self.cost <= MAX_COST && self.depth <= MAX_DEPTH
    }

    /// The bytes that it may take.
    pub(super) const fn bytes(&self) -> usize {
        self.cost
    }

    fn next(&mut self, byte: u8) -> State {
        match (self.state, byte) {
            (State::Page, _) | (State::Start, b'<') => State::Page,
            (State::Start, b' ' | b'\n' | b'\r' | b'\t' | 0xef | 0xbb | 0xbf) => State::Start,
            (State::InText, b'\\') => State::Escaped,
            (State::InText, b'"') => State::Outside,
            (State::Escaped | State::InText, _) | (State::Start | State::Outside, b'"') => State::InText,
            (State::Start | State::Outside, _) => {
                self.count(byte);
                State::Outside
            }
        }
    }

    /// Counts what stands outside of texts. The depth only rises above its limit: no bracket closes what was too deep.
    fn count(&mut self, byte: u8) {
        match byte {
            b'{' => self.open(OBJECT_COST),
            b'[' => self.open(LIST_COST),
            b'}' | b']' if self.depth <= MAX_DEPTH => self.depth = self.depth.saturating_sub(1),
            b',' => self.cost += ENTRY_COST,
            _ => {}
        }
    }

    fn open(&mut self, cost: usize) {
        self.cost += cost;
        if self.depth <= MAX_DEPTH {
            self.depth += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The length at which a text that repeats this is refused, of at most 8 MiB; `None` where it is not.
    fn refused_at(start: &str, repeated: &str) -> Option<usize> {
        let mut cost = JsonCost::default();
        let mut length = start.len();
        let piece = repeated.repeat(1000);
        if !cost.add(start.as_bytes()) {
            return Some(length);
        }
        while length < 8 << 20 {
            length += piece.len();
            if !cost.add(piece.as_bytes()) {
                return Some(length);
            }
        }
        None
    }

    #[test]
    fn text_of_brackets_is_refused_early() {
        for (start, repeated) in [
            ("[", "[],"),
            ("[", "{},"),
            ("[", "{\"a\":1},"),
            ("[", "[[[[[]]]]],"),
            ("{\"a\":", "{\"a\":"),
            ("", "["),
            ("[", "0,"),
            ("\u{feff} {\"data\":[", "null,"),
        ] {
            let at = refused_at(start, repeated).unwrap_or(usize::MAX);
            assert!(at <= 2 << 20, "{start}{repeated}: {at}");
        }
    }

    #[test]
    fn long_texts_and_pages_are_not_refused() {
        for (start, repeated) in [
            ("{\"name\":\"", "[{,\\\"\\\\]"),
            ("  <!doctype html>", "<td>[{,"),
            (
                "[",
                "{\"id\":1,\"name\":\"a product with a name and a description of some length, as in a shop, which says \
                   what it is for and for whom, in a few sentences of its own, with its colour, its measures and its weight, \
                   and how it is washed, dried and ironed, and where it was made, of what, and by whom, and when it is back\"},",
            ),
        ] {
            assert_eq!(refused_at(start, repeated), None, "{start}");
        }
    }

    /// The widest page there is: 250 products of ten variations with twenty fields each.
    #[test]
    fn page_of_the_widest_list_costs_a_part_of_the_limit() {
        let fields: Vec<_> = (0..20).map(|field| format!("\"field{field}\":\"value {field}\"")).collect();
        let item = format!("{{{}}}", fields.join(","));
        let product = format!("{{\"id\":1,\"variations\":[{}]}}", vec![item; 10].join(","));
        let page = format!("{{\"data\":[{}]}}", vec![product; 250].join(","));
        let mut cost = JsonCost::default();
        assert!(
            cost.add(page.as_bytes()) && cost.bytes() < MAX_COST / 2,
            "{} of {}",
            cost.bytes(),
            page.len()
        );
    }

    #[test]
    fn brackets_in_texts_count_as_their_length() {
        let mut cost = JsonCost::default();
        assert!(cost.add(b"{\"a\": \"[[{{,,\\\"") && cost.add(b"[[,,\"}"));
        assert_eq!((cost.bytes(), cost.depth), (OBJECT_COST + 21, 0));
    }
}
