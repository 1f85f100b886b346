//! Tables that people send: CSV and XLSX, and which of their columns name lines. What is kept of them are the cells with digits, so that a
//! file itself stands nowhere.

mod budget;
mod csv;
mod shared_texts;
mod text;
mod xlsx;
mod xml;

use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_domain::written::{Entry, looks_rounded, read_text};

use self::budget::{Budget, cut};

/// The most columns that are looked at.
const COLUMNS: usize = 300;

/// Characters of a cell: no identifier has more, with whatever separators.
const CELL: usize = 200;

/// Characters of a header that are shown.
const HEADER: usize = 60;

/// Fewer digits are no identifier, and none that was cut off.
const DIGITS: usize = 7;

/// Cells of a column that are shown.
const EXAMPLES: usize = 3;

/// Why a file cannot be used, for whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable(pub(super) String);

/// A column of a table.
#[derive(Debug, Default)]
pub(super) struct Column {
    /// The sheet; empty: the file has none.
    pub(super) sheet: String,
    /// Its letters, as spreadsheets call it.
    pub(super) letters: String,
    /// The cell at its head; empty: there is none.
    pub(super) header: String,
    /// The cells with digits, a line each.
    pub(super) text: String,
    pub(super) iccids: usize,
    pub(super) numbers: usize,
    /// Cells with digits that are neither, and those whose digits are lost.
    pub(super) unusable: usize,
    pub(super) examples: Vec<String>,
}

impl Column {
    /// Whether it may name lines.
    fn is_candidate(&self) -> bool {
        self.iccids + self.numbers > 0 || (self.unusable > 0 && self.promises(LineIdentifier::Iccid))
    }

    /// Whether it is called like identifiers of that kind.
    fn promises(&self, identifier: LineIdentifier) -> bool {
        let header = self.header.to_lowercase();
        let called = |words: &[&str]| words.iter().any(|word| header.contains(word));
        match identifier {
            LineIdentifier::Iccid => called(&["iccid", "icc id", "sim"]),
            LineIdentifier::Number => {
                called(&["msisdn", "mdn", "phone", "number", "subscriber", "mobile", "ctn"]) && !self.is_of_something_else()
            }
        }
    }

    /// Whether it is called like other long numbers.
    fn is_of_something_else(&self) -> bool {
        let header = self.header.to_lowercase();
        ["imei", "imsi", "eid", "account", "date", "order", "invoice", "serial"].iter().any(|word| header.contains(word))
    }

    /// How likely it is the one that is meant.
    fn likelihood(&self, portal: PortalType) -> (usize, usize) {
        let first = portal.first_identifier();
        let (of_first, of_other) = match first {
            LineIdentifier::Iccid => (self.iccids, self.numbers),
            LineIdentifier::Number => (self.numbers, self.iccids),
        };
        let promise = match (self.promises(first), of_first > 0, self.is_of_something_else()) {
            (true, true, _) => 5,
            (true, false, _) if self.unusable > 0 => 4,
            (_, true, false) => 3,
            (_, _, false) if of_other > 0 => 2,
            _ => 1,
        };
        (promise, of_first.max(of_other))
    }

    fn take(&mut self, cell: &str, budget: &mut Budget) -> Result<(), Unreadable> {
        let cell = cut(cell);
        if !holds_entry(cell) {
            return Ok(());
        }
        let cell = cell.replace(['\r', '\n'], " ");
        let cell = cell.trim();
        let mut found = false;
        read_text(cell, |entry| {
            found = true;
            match entry {
                // One that is rounded may be a good one all the same.
                Entry::Iccid(_) => self.iccids += 1,
                Entry::Number(_) => self.numbers += 1,
                Entry::Malformed(_) | Entry::LostDigits(_) => self.unusable += 1,
            }
        });
        if !found {
            return Ok(());
        }
        budget.keep(cell.len() + 1)?;
        self.text.push_str(cell);
        self.text.push('\n');
        if self.examples.len() < EXAMPLES && !self.examples.iter().any(|example| example == cell) {
            self.examples.push(cell.to_owned());
        }
        Ok(())
    }
}

/// Whether something in a cell is, or should be, an identifier.
fn holds_entry(cell: &str) -> bool {
    let has_digits = cell.bytes().filter(u8::is_ascii_digit).count() >= DIGITS;
    let (mut holds, mut is_lost) = (false, false);
    if has_digits || cell.contains(['e', 'E']) {
        read_text(cell, |entry| {
            holds = true;
            is_lost |= matches!(entry, Entry::LostDigits(_));
        });
    }
    if has_digits { holds } else { is_lost }
}

/// Whether every ICCID of a column looks rounded: then it is said before anything is chosen.
pub(super) fn is_rounded(column: &Column) -> bool {
    let (mut rounded, mut whole) = (0, 0);
    read_text(&column.text, |entry| match entry {
        Entry::Iccid(iccid) if looks_rounded(iccid) => rounded += 1,
        Entry::Iccid(_) => whole += 1,
        _ => {}
    });
    rounded > 0 && whole == 0
}

/// A sheet while it is read, row by row.
#[derive(Default)]
struct Sheet {
    name: String,
    rows: usize,
    columns: Vec<Column>,
}

impl Sheet {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// The next row that holds something. Errors: there are too many.
    fn begin_row(&mut self, budget: &mut Budget) -> Result<(), Unreadable> {
        self.rows += 1;
        budget.row()
    }

    /// Whether the next cell stands in the first row that holds something; or would, as it begins a new one.
    fn is_at_header(&self, begins_row: bool) -> bool {
        self.rows + usize::from(begins_row) == 1
    }

    fn take(&mut self, column: usize, cell: &str, budget: &mut Budget) -> Result<(), Unreadable> {
        if column >= COLUMNS || cell.trim().is_empty() {
            return Ok(());
        }
        while self.columns.len() <= column {
            let letters = letters(self.columns.len());
            self.columns.push(Column { sheet: self.name.clone(), letters, ..Column::default() });
        }
        let is_header = self.is_at_header(false) && !cell.bytes().any(|byte| byte.is_ascii_digit());
        if !is_header {
            return self.columns[column].take(cell, budget);
        }
        let header = cell.trim().trim_start_matches('\u{feff}');
        self.columns[column].header = header.chars().take(HEADER).collect();
        budget.keep(self.columns[column].header.len())
    }
}

/// The letters of a column: A, B, ..., Z, AA, AB.
fn letters(mut place: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(b'A' + u8::try_from(place % 26).expect("below 26"));
        match (place / 26).checked_sub(1) {
            Some(next) => place = next,
            None => break,
        }
    }
    letters.reverse();
    String::from_utf8(letters).expect("letters")
}

/// The columns of a file that may name lines, the likeliest first.
pub(super) fn read(content: &[u8], portal: PortalType) -> Result<Vec<Column>, Unreadable> {
    let mut budget = Budget::default();
    let sheets = if content.starts_with(b"PK\x03\x04") {
        xlsx::read(content, &mut budget)?
    } else if content.starts_with(&[0xd0, 0xcf, 0x11, 0xe0]) {
        return Err(Unreadable("This is a workbook of the old form (XLS): save it as XLSX or CSV.".to_owned()));
    } else {
        vec![csv::read(content, &mut budget)?]
    };
    let mut columns: Vec<Column> = sheets.into_iter().flat_map(|sheet| sheet.columns).filter(Column::is_candidate).collect();
    columns.sort_by_key(|column| std::cmp::Reverse(column.likelihood(portal)));
    if columns.is_empty() {
        let message = "No column of this file holds ICCIDs (18 to 22 digits) or numbers (10 to 15 digits).";
        return Err(Unreadable(message.to_owned()));
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(text: &str) -> Vec<(String, String, usize, usize, usize)> {
        let columns = read(text.as_bytes(), PortalType::M2M).expect("columns");
        columns
            .into_iter()
            .map(|column| (column.letters, column.header, column.iccids, column.numbers, column.unusable))
            .collect()
    }

    fn column(letters: &str, header: &str, counts: [usize; 3]) -> (String, String, usize, usize, usize) {
        (letters.to_owned(), header.to_owned(), counts[0], counts[1], counts[2])
    }

    #[test]
    fn the_likeliest_column_comes_first() {
        let text = "\u{feff}Account;IMEI;SIM card;Phone\n1;490154203237518;89012602101234567890;+1 617 555 0100\n\
            2;490154203237519;8901 2602 1012 3456 7891;8.9E+19\n";
        assert_eq!(
            columns(text),
            [column("C", "SIM card", [2, 0, 0]), column("D", "Phone", [0, 1, 1]), column("B", "IMEI", [0, 2, 0])]
        );
    }

    #[test]
    fn a_table_may_have_no_header_and_any_separator() {
        for text in ["89012602101234567890\n89012602101234567891", "x\t89012602101234567890\ny\t89012602101234567891\n"] {
            let found = columns(text);
            assert_eq!((found.len(), found[0].2, found[0].1.as_str()), (1, 2, ""), "{text:?}");
        }
        let latin = b"Standort,ICCID\nM\xfcnchen,89012602101234567890\n";
        assert_eq!(read(latin, PortalType::M2M).expect("columns")[0].header, "ICCID");
    }

    #[test]
    fn what_is_no_table_is_said() {
        for (content, says) in [
            (&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], "old form"),
            (b"PK\x03\x04 broken", "cannot be read"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\0\0", "neither"),
            (b"name,age\nann,7\n", "No column"),
            (b"", "No column"),
        ] {
            let Unreadable(message) = read(content, PortalType::M2M).expect_err("no table");
            assert!(message.contains(says), "{message}");
        }
    }

    #[test]
    fn columns_have_letters() {
        assert_eq!([0, 25, 26, 51, 52, 701, 702].map(letters), ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }
}
