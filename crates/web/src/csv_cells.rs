//! Cells of a CSV that people open in a spreadsheet.

use std::borrow::Cow;

/// What spreadsheets take for the beginning of a formula, or pass over before one: the signs, also as wide as an ideograph, a tab, the
/// end of a line.
const BEGINNINGS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// A cell that no spreadsheet takes for a formula: what begins like one gets an apostrophe in front.
pub(crate) fn safe_cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(BEGINNINGS) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed_and_all_else_stays() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\u{ff1d}1+1", "\u{ff20}A1"] {
            assert_eq!(safe_cell(text), format!("'{text}"));
        }
        for text in ["", "89012602101234567890", "a=b", "the line's status is \"DEACTIVATED\", not active", "'x"] {
            assert_eq!(safe_cell(text), text);
        }
    }
}
