//! The file of `products.extra_file`: extra data of products by code, as CSV. It is right as a whole or not used at all.

use csv::StringRecord;

use super::section::Section;
use crate::domain::product::{ExtraData, ExtraRow};

/// The columns. Only the first must be there.
const COLUMNS: [&str; 7] =
    ["code", "hs_code", "country_of_origin", "customs_description", "kit", "buffer", "alias"];

/// What is wrong, each with its line in the file.
type Faults = Vec<(u64, String)>;

/// Reads the file that the section names, if any. Everything that is wrong is reported.
pub(super) fn read_extra(section: &mut Section<'_>) -> ExtraData {
    let (key, file) = ("extra_file", section.text("extra_file"));
    if file.is_empty() {
        return ExtraData::default();
    }
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) => {
            section.add_error(key, &format!("{file}: cannot be read: {}", error.kind()));
            return ExtraData::default();
        }
    };
    parse(&bytes).unwrap_or_else(|faults| {
        for (line, fault) in faults {
            section.add_error(key, &format!("{file}, line {line}: {fault}"));
        }
        ExtraData::default()
    })
}

/// Parses the file's text.
fn parse(bytes: &[u8]) -> Result<ExtraData, Faults> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        vec![(line as u64, "is not UTF-8: save the file as \"CSV UTF-8\"".to_owned())]
    })?;
    // A spreadsheet of a country with a decimal comma separates by semicolons.
    let header = text.lines().next().unwrap_or_default();
    let delimiter = if header.contains(';') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let columns = columns(records.next())?;
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    for record in records {
        let record = record.map_err(|error| vec![(line_of(error.position(), text), error.to_string())])?;
        let line = line_of(record.position(), text);
        if record.iter().all(str::is_empty) {
            continue; // spreadsheets leave such lines
        }
        match row(&record, &columns) {
            Ok(row) => rows.push(ExtraRow { line, ..row }),
            Err(fault) => faults.push((line, fault)),
        }
    }
    match ExtraData::new(&rows) {
        Ok(data) if faults.is_empty() => Ok(data),
        checked => {
            faults.extend(checked.err().unwrap_or_default());
            faults.sort();
            Err(faults)
        }
    }
}

/// The line at which a record begins. Its position is before the line breaks that are skipped to reach it.
fn line_of(position: Option<&csv::Position>, text: &str) -> u64 {
    let Some(position) = position else { return 1 };
    let rest = usize::try_from(position.byte()).ok().and_then(|at| text.get(at..)).unwrap_or_default();
    let skipped = rest.bytes().take_while(|byte| b"\r\n".contains(byte)).filter(|byte| *byte == b'\n');
    position.line() + skipped.count() as u64
}

/// The name of each column, from the first line.
fn columns(header: Option<csv::Result<StringRecord>>) -> Result<Vec<&'static str>, Faults> {
    let header = header.and_then(Result::ok).unwrap_or_default();
    let mut columns = Vec::new();
    let mut faults = Vec::new();
    for name in &header {
        match COLUMNS.into_iter().find(|known| known.eq_ignore_ascii_case(name)) {
            Some(known) if columns.contains(&known) => {
                faults.push((1, format!("the column {name:?} is there twice")));
            }
            Some(known) => columns.push(known),
            None => faults.push((1, format!("{name:?} is no column: there are {}", COLUMNS.join(", ")))),
        }
    }
    if faults.is_empty() && !columns.contains(&COLUMNS[0]) {
        faults.push((1, format!("the first line must name the columns: {}", COLUMNS.join(", "))));
    }
    if faults.is_empty() { Ok(columns) } else { Err(faults) }
}

/// Reads a line. An empty cell is not said; one that cannot be read is a fault.
fn row(record: &StringRecord, columns: &[&str]) -> Result<ExtraRow, String> {
    if record.len() != columns.len() {
        return Err(format!("has {} cells, the first line has {}", record.len(), columns.len()));
    }
    let cell = |name: &str| {
        let at = columns.iter().position(|column| *column == name)?;
        record.get(at).filter(|text| !text.is_empty())
    };
    let owned = |name: &str| cell(name).map(ToOwned::to_owned);
    let parts = |name: &str| cell(name).into_iter().flat_map(|text| text.split('|')).map(str::trim);
    let buffer = cell("buffer")
        .map(|text| text.parse().map_err(|_| format!("buffer is {text:?}, not a whole number of pieces")));
    Ok(ExtraRow {
        code: owned("code").unwrap_or_default(),
        // Digits in groups, as customs print them.
        hs_code: cell("hs_code").map(|text| text.replace(['.', ' ', '\u{a0}'], "")),
        country_of_origin: cell("country_of_origin").map(str::to_uppercase),
        customs_description: owned("customs_description"),
        kit: parts("kit").map(component).collect::<Result<_, _>>()?,
        buffer: buffer.transpose()?,
        aliases: parts("alias").map(ToOwned::to_owned).collect(),
        line: 0,
    })
}

/// A component of a kit, as `CUP*2`.
fn component(text: &str) -> Result<(String, i64), String> {
    let (code, pieces) = text.rsplit_once('*').ok_or_else(|| pieces_missing(text))?;
    let pieces = pieces.trim().parse().map_err(|_| pieces_missing(text))?;
    Ok((code.trim().to_owned(), pieces))
}

fn pieces_missing(text: &str) -> String {
    format!("the component {text:?} must be a code and its pieces, as CUP*2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_read_in_both_kinds_of_csv() {
        let comma = "code,hs_code,country_of_origin,customs_description,kit,buffer,alias\r\n\
                     CUP,6912 00 23,fi,\"Cup, blue\",,3,MUKI | muki-2\r\nSET,,,,CUP*2 | POT*1,,\r\n";
        let semicolon = "\u{feff}Code;HS_code;country_of_origin;customs_description;kit;buffer;alias\n\
                         CUP;6912.00.23;FI;Cup, blue;;3;MUKI|muki-2\nSET;;;;CUP*2|POT * 1;;\n";
        let data = parse(comma.as_bytes()).expect("right");
        assert_eq!(parse(semicolon.as_bytes()), Ok(data.clone()));
        let cup = data.row("muki").expect("an alias");
        assert_eq!(
            (cup.hs_code.as_deref(), cup.country_of_origin.as_deref(), cup.buffer, cup.line),
            (Some("69120023"), Some("FI"), Some(3), 2)
        );
        assert_eq!(cup.customs_description.as_deref(), Some("Cup, blue"));
        let set = data.row("set").expect("a row");
        assert_eq!(set.kit, [("CUP".to_owned(), 2), ("POT".to_owned(), 1)]);
        assert_eq!(parse(b"code\n"), Ok(ExtraData::default()));
    }

    #[test]
    fn all_faults_are_listed_with_their_lines() {
        let text = "code,kit,buffer,hs_code\nCUP,POT,,\nPOT,,few,\nLID,,\nBOX,,,12\n\n,,,\nPAN,,x,\n";
        let faults = parse(text.as_bytes()).expect_err("wrong");
        let lines: Vec<_> = faults.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 8], "{faults:?}");
        for (text, fault) in [
            ("", "the first line must name the columns"),
            ("hs_code\n", "the first line must name the columns"),
            ("code,colour\n", "\"colour\" is no column"),
            ("code,CODE\n", "is there twice"),
        ] {
            let faults = parse(text.as_bytes()).expect_err(text);
            assert!(faults[0].0 == 1 && faults[0].1.contains(fault), "{text:?}: {faults:?}");
        }
        let faults = parse(b"code\nCUP\n\xe4\n").expect_err("Latin-1");
        assert_eq!(faults[0].0, 3);
    }
}
