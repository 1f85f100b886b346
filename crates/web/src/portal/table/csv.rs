//! CSV, whatever separates its cells and however its letters are written.

use std::borrow::Cow;

use super::budget::Budget;
use super::{Sheet, Unreadable};

/// What may separate cells.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Lines by which the separator is told.
const LOOKED_AT: usize = 30;

/// Reads the only sheet that such a file has.
pub(super) fn read(content: &[u8], budget: &mut Budget) -> Result<Sheet, Unreadable> {
    let text = decoded(content)?;
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator_of(&text)).flexible(true).has_headers(false).from_reader(text.as_bytes());
    let (mut sheet, mut row) = (Sheet::default(), csv::StringRecord::new());
    // A text is read to its end whatever stands in it: a quote that nobody closes takes the rest into one cell.
    while reader.read_record(&mut row).map_err(|error| Unreadable(format!("The file cannot be read as CSV: {error}.")))? {
        sheet.begin_row(budget)?;
        for (place, cell) in row.iter().enumerate() {
            budget.cell()?;
            sheet.take(place, cell, budget)?;
        }
    }
    Ok(sheet)
}

/// UTF-8, UTF-16 with its mark, else Latin-1.
fn decoded(content: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    if let Some(bytes) = content.strip_prefix(&[0xff, 0xfe]) {
        return Ok(wide(bytes, u16::from_le_bytes));
    }
    if let Some(bytes) = content.strip_prefix(&[0xfe, 0xff]) {
        return Ok(wide(bytes, u16::from_be_bytes));
    }
    if content.contains(&0) {
        return Err(Unreadable("This is neither CSV nor a workbook (XLSX).".to_owned()));
    }
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    Ok(match std::str::from_utf8(content) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(content.iter().map(|byte| char::from(*byte)).collect()),
    })
}

/// What stands most often in the first lines outside of quotes.
fn separator_of(text: &str) -> u8 {
    let mut counts = [0_usize; SEPARATORS.len()];
    for line in text.lines().take(LOOKED_AT) {
        let mut is_quoted = false;
        for byte in line.bytes() {
            is_quoted ^= byte == b'"';
            if let Some(place) = SEPARATORS.iter().position(|separator| *separator == byte && !is_quoted) {
                counts[place] += 1;
            }
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    counts.iter().position(|count| *count == most).map_or(b',', |place| SEPARATORS[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_told_by_the_first_lines() {
        for (text, separator) in [("a,b\n1,2", b','), ("a;\"b,c,d\"\n1;2", b';'), ("a\tb", b'\t'), ("a|b|c", b'|'), ("a", b',')] {
            assert_eq!(separator_of(text), separator, "{text}");
        }
    }

    #[test]
    fn letters_are_read_however_they_are_written() {
        assert_eq!(decoded(b"\xef\xbb\xbfa\xc3\xa4").expect("UTF-8"), "a\u{e4}");
        assert_eq!(decoded(b"a\xe4").expect("Latin-1"), "a\u{e4}");
        assert_eq!(decoded(b"\xff\xfea\0\xe4\0").expect("UTF-16"), "a\u{e4}");
        assert!(decoded(b"a\0b").is_err());
    }
}
