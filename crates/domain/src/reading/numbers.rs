//! Numbers of a body exactly as they were written: money must not pass through binary fractions.

use rust_decimal::Decimal;

/// The texts of the numbers in a JSON text, in order. The JSON must be well-formed as far as it is asked for, which
/// holds when it is asked once for each number that a parser met.
#[derive(Debug)]
pub(super) struct NumberTexts<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> NumberTexts<'a> {
    /// The numbers of that text.
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn skip_text(&mut self) {
        let bytes = self.text.as_bytes();
        self.at += 1;
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
    }
}

impl<'a> Iterator for NumberTexts<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at)? {
                b'"' => self.skip_text(),
                b'-' | b'0'..=b'9' => {
                    let start = self.at;
                    while matches!(bytes.get(self.at), Some(b'+' | b'-' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
                        self.at += 1;
                    }
                    return self.text.get(start..self.at);
                }
                _ => self.at += 1,
            }
        }
    }
}

/// The most digits that an amount may have, so that every reader of our answers, those with binary fractions
/// included, gets the same amount back.
pub(super) const MOST_DIGITS: u32 = 15;

/// Reads an amount: a JSON number of at most [`MOST_DIGITS`] significant digits, none of them further right than the
/// fifteenth decimal.
pub(super) fn read_amount(written: &str) -> Option<Decimal> {
    let exact = match written.contains(['e', 'E']) {
        true => Decimal::from_scientific(written).ok()?,
        false => Decimal::from_str_exact(written).ok()?,
    };
    let amount = exact.normalize();
    let in_range = amount.mantissa().unsigned_abs() < 10_u128.pow(MOST_DIGITS) && amount.scale() <= MOST_DIGITS;
    in_range.then_some(amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_written_and_texts_are_left_out() {
        let text = r#"{"a1":[-1.50, 2e+3,"3 \" 4", true],"5\\":0.10}"#;
        assert_eq!(NumberTexts::new(text).collect::<Vec<_>>(), ["-1.50", "2e+3", "0.10"]);
        assert_eq!(NumberTexts::new("\"\\").next(), None);
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        let read = |text: &str| read_amount(text).map(|amount| amount.to_string());
        assert_eq!(read("0.1").as_deref(), Some("0.1"));
        assert_eq!(read("12.500").as_deref(), Some("12.5"));
        assert_eq!(read("1e3").as_deref(), Some("1000"));
        assert_eq!(read("999999999999999").as_deref(), Some("999999999999999"));
        for too_much in ["1000000000000001", "100000000000000.00001", "0.1000000000000000055", "1e40", "1e-20", "1e999"] {
            assert_eq!(read(too_much), None, "{too_much}");
        }
    }
}
