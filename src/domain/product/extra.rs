//! What neither vendor's API says of a product and the merchant adds by code: customs data, kits, buffers, and other codes
//! of the shop for the same product. Values here override the connection's general settings for that code.

use std::collections::BTreeMap;

use super::{CodeKey, code_fault, is_same_code};

/// The longest customs description that the warehouse takes (docs/contract.md §2.5).
const MAX_DESCRIPTION: usize = 50;

/// The extra data of one code, a line of the merchant's file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtraRow {
    /// The code, which the warehouse knows too.
    pub code: String,
    /// The commodity code for customs, eight digits.
    pub hs_code: Option<String>,
    /// Two capitals.
    pub country_of_origin: Option<String>,
    /// What it is, for customs.
    pub customs_description: Option<String>,
    /// Codes that are packed for this one, each with its pieces.
    pub kit: Vec<(String, i64)>,
    /// Pieces that are never shown for sale.
    pub buffer: Option<i64>,
    /// Other codes of the shop that mean this product at the warehouse.
    pub aliases: Vec<String>,
    /// Its line in the file, from 1.
    pub line: u64,
}

impl ExtraRow {
    /// What is wrong with the row by itself.
    pub fn faults(&self) -> Vec<String> {
        let Self { code, hs_code, country_of_origin, customs_description, kit, buffer, aliases, .. } = self;
        let mut faults = Vec::new();
        let mut check = |is_fine: bool, fault: String| {
            if !is_fine {
                faults.push(fault);
            }
        };
        for code in std::iter::once(code).chain(aliases).chain(kit.iter().map(|(code, _)| code)) {
            check(code_fault(code).is_none(), format!("{code:?} cannot be a product code"));
        }
        let is_digits = |text: &String| text.len() == 8 && text.bytes().all(|it| it.is_ascii_digit());
        check(hs_code.as_ref().is_none_or(is_digits), "hs_code must have eight digits, as 69120023".into());
        let is_country = |text: &String| text.len() == 2 && text.bytes().all(|it| it.is_ascii_uppercase());
        check(
            country_of_origin.as_ref().is_none_or(is_country),
            "country_of_origin must be two letters, as FI".into(),
        );
        let is_short = |text: &String| text.chars().count() <= MAX_DESCRIPTION;
        check(
            customs_description.as_ref().is_none_or(is_short),
            format!("customs_description must have at most {MAX_DESCRIPTION} characters"),
        );
        let are_pieces = kit.iter().all(|(_, pieces)| (1..=1000).contains(pieces));
        check(are_pieces, "a kit has 1 to 1000 pieces of each component".into());
        check(
            buffer.is_none_or(|pieces| (0..=1_000_000).contains(&pieces)),
            "buffer must be a whole number of pieces, from 0 to 1000000".into(),
        );
        faults
    }
}

/// The extra data of a connection's products, by code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtraData {
    rows: BTreeMap<CodeKey, ExtraRow>,
    /// The row's code of each alias.
    aliases: BTreeMap<CodeKey, String>,
}

impl ExtraData {
    /// Takes the rows of a file that is right as a whole; else lists everything that is wrong, each with its line.
    pub fn new(rows: &[ExtraRow]) -> Result<Self, Vec<(u64, String)>> {
        let mut data = Self::default();
        let mut faults = Vec::new();
        for row in rows {
            faults.extend(row.faults().into_iter().map(|fault| (row.line, fault)));
            if let Some(earlier) = data.rows.insert(CodeKey::of(&row.code), row.clone()) {
                faults.push((row.line, format!("{:?} is on line {} already", row.code, earlier.line)));
            }
        }
        for row in rows {
            faults.extend(data.add_aliases(row));
        }
        for row in rows {
            let parts =
                row.kit.iter().filter(|(code, _)| data.row(code).is_some_and(|it| !it.kit.is_empty()));
            faults
                .extend(parts.map(|(code, _)| (row.line, format!("the component {code:?} is a kit itself"))));
        }
        faults.sort();
        if faults.is_empty() { Ok(data) } else { Err(faults) }
    }

    fn add_aliases(&mut self, row: &ExtraRow) -> Vec<(u64, String)> {
        let mut faults = Vec::new();
        // Another spelling of the code itself is the same code anyway.
        for alias in row.aliases.iter().filter(|alias| !is_same_code(alias, &row.code)) {
            if let Some(other) = self.rows.get(&CodeKey::of(alias)) {
                faults.push((row.line, format!("the alias {alias:?} is the code on line {}", other.line)));
            }
            if let Some(other) = self.aliases.insert(CodeKey::of(alias), row.code.clone())
                && !is_same_code(&other, &row.code)
            {
                faults.push((row.line, format!("the alias {alias:?} also means {other:?}")));
            }
        }
        faults
    }

    /// Every row, by code.
    pub fn rows(&self) -> impl Iterator<Item = &ExtraRow> {
        self.rows.values()
    }

    /// The row of a code or of one of its aliases.
    pub fn row(&self, code: &str) -> Option<&ExtraRow> {
        self.rows.get(&CodeKey::of(self.code_at_warehouse(code)))
    }

    /// The code that the warehouse knows the product of this code under.
    pub fn code_at_warehouse<'a>(&'a self, code: &'a str) -> &'a str {
        self.aliases.get(&CodeKey::of(code)).map_or(code, String::as_str)
    }

    /// The other codes of the shop for this code of the warehouse.
    pub fn aliases_of(&self, code: &str) -> &[String] {
        self.rows.get(&CodeKey::of(code)).map_or(&[], |row| row.aliases.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: u64, code: &str) -> ExtraRow {
        ExtraRow { code: code.into(), line, ..ExtraRow::default() }
    }

    #[test]
    fn rows_are_found_by_code_and_alias_in_any_spelling() {
        let cup = ExtraRow { aliases: vec!["MUKI".into(), "cup ".into()], ..row(2, "CUP") };
        let data = ExtraData::new(&[cup.clone(), row(3, "POT")]).expect("right");
        for code in ["CUP", "cup", "muki"] {
            assert_eq!(data.row(code), Some(&cup), "{code}");
        }
        assert_eq!((data.code_at_warehouse("Mu Ki"), data.code_at_warehouse("pot")), ("CUP", "pot"));
        assert_eq!(data.row("OTHER"), None);
    }

    #[test]
    fn everything_that_is_wrong_is_listed_with_its_line() {
        let rows = [
            ExtraRow { hs_code: Some("6912".into()), country_of_origin: Some("fin".into()), ..row(2, "CUP") },
            ExtraRow { customs_description: Some("x".repeat(51)), buffer: Some(-1), ..row(3, "..") },
            row(4, "cup "),
            ExtraRow { aliases: vec!["POT".into()], ..row(5, "LID") },
            ExtraRow { kit: vec![("SET".into(), 0)], ..row(6, "POT") },
            ExtraRow { kit: vec![("LID".into(), 1)], aliases: vec!["X".into()], ..row(7, "SET") },
            ExtraRow { aliases: vec!["x".into()], ..row(8, "BOX") },
        ];
        let faults = ExtraData::new(&rows).expect_err("wrong");
        let lines: Vec<_> = faults.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 2, 3, 3, 3, 4, 5, 6, 6, 8], "{faults:?}");
        assert!(faults[5].1.contains("on line 2 already"), "{faults:?}");
    }
}
