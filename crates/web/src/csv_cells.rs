//! Cells of a CSV that people open in a spreadsheet.

use std::borrow::Cow;

/// A cell that no spreadsheet takes for a formula: what begins with `=`, `+`, `-`, `@`, a tab or a carriage return gets an
/// apostrophe in front.
pub(crate) fn safe_cell(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_disarmed_and_all_else_stays() {
        for text in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(safe_cell(text), format!("'{text}"));
        }
        for text in ["", "89012602101234567890", "a=b", "the line's status is \"DEACTIVATED\", not active", "'x"] {
            assert_eq!(safe_cell(text), text);
        }
    }
}
