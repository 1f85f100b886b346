//! The text of a cell, put together of what stands between its tags.

use std::borrow::Cow;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

use super::CELL;
use super::budget::cut;

/// A text while it is read. No more of it is kept than is looked at.
#[derive(Default)]
pub(super) struct Text {
    text: String,
    is_inside: bool,
    /// How a text is pronounced is no part of it.
    is_phonetic: bool,
}

impl Text {
    /// The next one.
    pub(super) fn begin(&mut self) {
        self.text.clear();
        (self.is_inside, self.is_phonetic) = (false, false);
    }

    /// What stands within elements of that name belongs to it.
    pub(super) fn take(&mut self, event: &Event<'_>, element: &str) {
        match event {
            Event::Start(start) if start.local_name().as_ref() == "rPh" => self.is_phonetic = true,
            Event::End(end) if end.local_name().as_ref() == "rPh" => self.is_phonetic = false,
            Event::Start(start) if start.local_name().as_ref() == element => self.is_inside = !self.is_phonetic,
            Event::End(end) if end.local_name().as_ref() == element => self.is_inside = false,
            Event::Text(text) if self.is_inside => self.push(text),
            Event::CData(text) if self.is_inside => self.push(text),
            Event::GeneralRef(reference) if self.is_inside => match reference.resolve_char_ref() {
                Ok(Some(character)) => self.push(character.encode_utf8(&mut [0; 4])),
                _ => self.push(resolve_predefined_entity(reference).unwrap_or(" ")),
            },
            _ => {}
        }
    }

    fn push(&mut self, more: &str) {
        // A character has four bytes at most: so there are always as many characters as are looked at.
        if self.text.len() < CELL * 4 {
            self.text.push_str(cut(more));
        }
    }

    /// The text as far as it is looked at, with blanks where a workbook writes characters by their numbers (`_x000D_`).
    pub(super) fn written(&mut self) -> &str {
        let end = cut(&self.text).len();
        self.text.truncate(end);
        if let Cow::Owned(text) = without_escapes(&self.text) {
            self.text = text;
        }
        &self.text
    }
}

fn without_escapes(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    let mut from = 0;
    while let Some(place) = text[from..].find("_x").map(|place| from + place) {
        let bytes = text.as_bytes();
        let is_escape =
            bytes.get(place + 2..place + 7).is_some_and(|rest| rest[4] == b'_' && rest[..4].iter().all(u8::is_ascii_hexdigit));
        if is_escape {
            text.to_mut().replace_range(place..place + 7, " ");
        }
        from = place + 1;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_by_their_numbers_are_blanks() {
        assert_eq!(without_escapes("89012602101234567890_x000D_\n1_x00"), "89012602101234567890 \n1_x00");
        assert_eq!(without_escapes("_x_x0041__xyz__"), "_x _xyz__");
        assert!(matches!(without_escapes("plain"), Cow::Borrowed("plain")));
    }
}
