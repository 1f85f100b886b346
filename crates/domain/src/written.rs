//! Identifiers of lines in any text: what people copy out of tables, mails and tickets. Whatever stands around them, every well-formed ICCID
//! and number is found, and none is made up.
//!
//! Digits that stand together are taken as they are: 18 to 22 are an ICCID, 10 to 15 a number (rule 1 of B4.6). Short groups of digits with
//! single separators between them, such as `8901 2602 1012 3456 7890` or `(617) 555-0100`, are taken together. What is too long or too short
//! for either, but too long for an everyday number, is told as malformed; everything else are words.

use crate::lines::{Digits, read_line};
use crate::terms::LineIdentifier;

/// Fewer digits than these, by themselves, are an everyday number: an amount, a year, an account.
const EVERYDAY: usize = 7;

/// Digits that a spreadsheet keeps of a number.
const KEPT_BY_SPREADSHEETS: usize = 15;

/// Something in a text that is, or should be, an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry<'t> {
    /// 18 to 22 digits.
    Iccid(Digits),
    /// 10 to 15 digits.
    Number(Digits),
    /// Digits, but not as many as either has.
    Malformed(&'t str),
    /// Scientific notation, such as `8.90126E+19`: a spreadsheet has replaced the last digits.
    LostDigits(&'t str),
}

/// Whether an ICCID looks as if a spreadsheet had taken it for a number: all digits after the fifteenth are zeros. There are ICCIDs that are
/// so; that one is known is the better sign.
#[must_use]
pub fn looks_rounded(iccid: Digits) -> bool {
    let written = iccid.to_string();
    written.len() >= 18 && written[KEPT_BY_SPREADSHEETS..].bytes().all(|digit| digit == b'0')
}

/// Finds every entry of a text, in its order.
pub fn read_text<'t>(text: &'t str, mut found: impl FnMut(Entry<'t>)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(begin) = next_digit(bytes, at) {
        let token = Token::at(text, begin);
        at = token.end;
        if let Some(entry) = token.entry {
            found(entry);
        }
    }
}

fn next_digit(bytes: &[u8], from: usize) -> Option<usize> {
    bytes[from..].iter().position(u8::is_ascii_digit).map(|place| from + place)
}

/// What begins at a digit.
struct Token<'t> {
    /// Where to go on.
    end: usize,
    entry: Option<Entry<'t>>,
}

impl<'t> Token<'t> {
    fn at(text: &'t str, begin: usize) -> Self {
        let bytes = text.as_bytes();
        if let Some(end) = scientific_end(bytes, begin) {
            return Self { end, entry: Some(Entry::LostDigits(&text[begin..end])) };
        }
        let end = digits_end(bytes, begin);
        let count = end - begin;
        if count < 10 {
            match grouped(text, begin, end) {
                Groups::Whole(end, entry) => return Self { end, entry: Some(entry) },
                Groups::List(end) => {
                    return Self { end, entry: Some(Entry::Malformed(&text[begin..end.min(begin + SHOWN)])) };
                }
                Groups::Apart => {}
            }
        }
        // Cards are sometimes written with an F that fills them up to twenty places.
        let padded = count == 19 && bytes.get(end).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'f'));
        let after = if padded { end + 1 } else { end };
        let is_apart = !touches_word(text, begin, after);
        let entry = match is_apart.then(|| whole(&text[begin..end])).flatten() {
            Some(entry) => Some(entry),
            None if count >= EVERYDAY => Some(Entry::Malformed(word_around(text, begin, after))),
            None => None,
        };
        Self { end: after, entry }
    }
}

/// An identifier of exactly these digits, whatever separates them.
fn whole(digits: &str) -> Option<Entry<'_>> {
    if let Ok(iccid) = read_line(LineIdentifier::Iccid, digits) {
        return Some(Entry::Iccid(iccid));
    }
    read_line(LineIdentifier::Number, digits).ok().map(Entry::Number)
}

fn digits_end(bytes: &[u8], begin: usize) -> usize {
    bytes[begin..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |count| begin + count)
}

/// The end of `8.90126E+19`: digits, a point or comma with more of them, and an exponent.
fn scientific_end(bytes: &[u8], begin: usize) -> Option<usize> {
    let mut at = digits_end(bytes, begin);
    if bytes.get(at).is_some_and(|byte| b".,".contains(byte)) && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
        at = digits_end(bytes, at + 1);
    }
    if !bytes.get(at).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'e')) {
        return None;
    }
    let mut exponent = at + 1;
    if bytes.get(exponent) == Some(&b'+') {
        exponent += 1;
    }
    let end = digits_end(bytes, exponent);
    // An E within a hexadecimal word is none.
    let is_exponent = (1..=2).contains(&(end - exponent)) && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric);
    is_exponent.then_some(end)
}

/// What groups of digits with single separators between them come to.
enum Groups<'t> {
    /// An identifier together, up to there.
    Whole(usize, Entry<'t>),
    /// More digits than any identifier has, up to there: a list of something else. No part of it is taken for an identifier.
    List(usize),
    /// Nothing together.
    Apart,
}

/// Short groups with single separators between them. Groups of which one touches a letter, a colon or a decimal sign belong to something
/// else.
fn grouped(text: &str, begin: usize, first_end: usize) -> Groups<'_> {
    let bytes = text.as_bytes();
    let mut end = first_end;
    let belongs_elsewhere = |begin: usize, end: usize| {
        let before = begin.checked_sub(1).map(|place| bytes[place]);
        let is_strange = |byte: u8| byte.is_ascii_alphabetic() || b":%$@#_=&?".contains(&byte);
        before.is_some_and(|byte| byte.is_ascii_alphabetic() || b":$_".contains(&byte) && end - begin <= 2)
            || bytes.get(end).copied().is_some_and(is_strange)
    };
    if belongs_elsewhere(begin, first_end) {
        return Groups::Apart;
    }
    let mut digits = first_end - begin;
    while let Some(next) = group_after(bytes, end) {
        // Numbers with hyphens or dots in them, and blanks between one and the next.
        if end > first_end
            && digits <= 22
            && bytes[end] == b' '
            && !bytes[begin..end].contains(&b' ')
            && let Some(entry) = whole(&text[begin..end])
        {
            return Groups::Whole(end, entry);
        }
        let next_end = digits_end(bytes, next);
        if next_end - next >= 10 || belongs_elsewhere(next, next_end) {
            break;
        }
        digits += next_end - next;
        end = next_end;
    }
    if digits > 22 {
        return Groups::List(end);
    }
    // Only what the groups are altogether counts: a part of them would be made up.
    if end == first_end {
        Groups::Apart
    } else {
        whole(&text[begin..end]).map_or(Groups::Apart, |entry| Groups::Whole(end, entry))
    }
}

/// The beginning of the group of digits after one that ends there: a blank, hyphen, dot or slash between them, with or without brackets.
fn group_after(bytes: &[u8], end: usize) -> Option<usize> {
    let between = bytes[end..].iter().position(u8::is_ascii_digit)?;
    let is_separator = matches!(&bytes[end..end + between], b" " | b"-" | b"." | b"/" | b") " | b")" | b" (" | b" - ");
    is_separator.then_some(end + between)
}

/// Whether a letter stands right beside these bytes, so that they are part of a word.
fn touches_word(text: &str, begin: usize, end: usize) -> bool {
    let before = text[..begin].chars().next_back();
    let after = text[end..].chars().next();
    before.is_some_and(is_of_word) || after.is_some_and(is_of_word)
}

fn is_of_word(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

/// So many letters of a word are shown on each side: a text without a blank costs no more for each group of digits in it.
const SHOWN: usize = 64;

/// The word of which these bytes are part, as it is shown to whoever wrote it.
fn word_around(text: &str, begin: usize, end: usize) -> &str {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let from = text[..begin].char_indices().rev().take(SHOWN).take_while(|(_, character)| is_part(*character)).last();
    let to = text[end..].char_indices().take(SHOWN).take_while(|(_, character)| is_part(*character)).last();
    &text[from.map_or(begin, |(place, _)| place)..to.map_or(end, |(place, letter)| end + place + letter.len_utf8())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_word_without_end_is_shown_as_far_as_it_helps() {
        let text = "a1234567".repeat(3_000);
        let found = read(&text);
        assert_eq!(found.len(), 3_000);
        assert!(found.iter().all(|entry| entry.len() <= "malformed ".len() + 7 + 2 * SHOWN), "{:?}", found[1_500]);
    }

    fn read(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read_text(text, |entry| {
            found.push(match entry {
                Entry::Iccid(digits) => format!("iccid {digits}"),
                Entry::Number(digits) => format!("number {digits}"),
                Entry::Malformed(text) => format!("malformed {text}"),
                Entry::LostDigits(text) => format!("lost {text}"),
            });
        });
        found
    }

    #[test]
    fn identifiers_are_found_in_any_text() {
        let text = "ICCID,Number\r\n\"89012602101234567890\";'8901260210123456789F'\tsim:89012602101234567891, Ann (617) 555-0100 and \
            +16175550101/16175550102; 8901 2602 1012 3456 7892\n8901-2602-1012-3456-7893|617.555.0104";
        assert_eq!(
            read(text),
            [
                "iccid 89012602101234567890",
                "iccid 8901260210123456789",
                "iccid 89012602101234567891",
                "number 6175550100",
                "number 16175550101",
                "number 16175550102",
                "iccid 89012602101234567892",
                "iccid 89012602101234567893",
                "number 6175550104",
            ]
        );
    }

    #[test]
    fn what_no_identifier_is_stays_words() {
        for words in [
            "",
            "on 2026-11-22 at 14:05:33",
            "2026-11-22 14:05",
            "$1,250.00 for 12 lines",
            "10.0.0.1",
            "#4812, page 3 of 12",
            "1 2 3 4",
        ] {
            assert_eq!(read(words), Vec::<String>::new(), "{words:?}");
        }
    }

    #[test]
    fn numbers_in_groups_may_stand_in_one_row() {
        assert_eq!(
            read("617-555-0100 617-555-0101 617.555.0102 (617) 555-0103"),
            ["number 6175550100", "number 6175550101", "number 6175550102", "number 6175550103"]
        );
    }

    #[test]
    fn a_list_of_groups_is_no_identifier_and_told_once() {
        let list = "12 34 ".repeat(100_000);
        assert_eq!(read(&list), [format!("malformed {}", &list[..SHOWN])], "nor is any part of it");
        assert_eq!(read("12 34 56 78 90 12 34 56 78 90 12 34, 6175550100").len(), 2);
    }

    #[test]
    fn malformed_and_lost_digits_are_told() {
        assert_eq!(
            read("8.90126E+19 8,90126e19; 89012602101234567 x89012602101234567890 89012602101234567890123 1.6E10"),
            [
                "lost 8.90126E+19",
                "lost 8,90126e19",
                "malformed 89012602101234567",
                "malformed x89012602101234567890",
                "malformed 89012602101234567890123",
                "lost 1.6E10",
            ]
        );
        let rounded = |text: &str| looks_rounded(read_line(LineIdentifier::Iccid, text).expect("an ICCID"));
        assert!(rounded("89012602101234500000") && rounded("890126021012345000") && !rounded("89012602101234500001"));
    }

    proptest! {
        /// Each identifier is found, in order, whatever stands between them.
        #[test]
        fn every_identifier_is_found(
            list in prop::collection::vec(("([0-9]{18,22}|[0-9]{10,15})", "[ ,;\t\"'|]{0,2}[,;\n\t|][ \"']{0,2}[a-zäß ]{0,8}[,;\n\t|]"), 0..20)
        ) {
            let text: String = list.iter().map(|(digits, between)| format!("{digits}{between}")).collect();
            let expected: Vec<String> = list
                .iter()
                .map(|(digits, _)| format!("{} {digits}", if digits.len() >= 18 { "iccid" } else { "number" }))
                .collect();
            prop_assert_eq!(read(&text), expected);
        }

        /// Whatever the text, what is found stands in it: its digits, in their order, one identifier after the other.
        #[test]
        fn no_digit_is_made_up(text in "[0-9 .,;:()+\\-/Eex\"'\n\täF]{0,200}") {
            let digits_of = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
            let mut rest = digits_of(&text);
            for found in read(&text) {
                let digits = digits_of(&found);
                let place = rest.find(&digits);
                prop_assert!(place.is_some(), "{} in {:?}", found, text);
                rest.drain(..place.unwrap_or_default() + digits.len());
            }
        }

        /// No text makes it stumble.
        #[test]
        fn any_text_is_read(text in any::<String>()) {
            read(&text);
        }
    }
}
