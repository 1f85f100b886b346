//! The texts that the cells of a workbook share: each is looked at once, and kept as far as it is looked at.

use quick_xml::events::Event;

use super::budget::Budget;
use super::text::Text;
use super::xml::Part;
use super::{HEADER, Unreadable, holds_entry};

/// The most bytes of texts that name no lines. Headers are among them, and stand first: spreadsheets write texts in the order of their cells.
const WORDS: usize = 1 << 20;

/// The texts by their places.
pub(super) struct SharedTexts {
    all: String,
    /// Where each of them ends, and what it is.
    ends: Vec<(u32, Kind)>,
    /// Bytes that are left for texts that name no lines.
    left_for_words: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Entry,
    Words,
    LeftOut,
}

/// A text that cells share.
pub(super) enum Shared<'t> {
    /// It may name lines.
    Entry(&'t str),
    /// It names none, but may be a header.
    Words(&'t str),
    /// It names none either, and stands behind more of those than are kept.
    LeftOut,
}

impl Default for SharedTexts {
    fn default() -> Self {
        Self { all: String::new(), ends: Vec::new(), left_for_words: WORDS }
    }
}

impl SharedTexts {
    /// Reads a part of shared texts.
    pub(super) fn read(part: &mut Part<'_>, budget: &mut Budget) -> Result<Self, Unreadable> {
        let (mut texts, mut text) = (Self::default(), Text::default());
        while let Some(event) = part.next()? {
            match event {
                Event::Start(element) if element.local_name().as_ref() == "si" => text.begin(),
                Event::End(element) if element.local_name().as_ref() == "si" => texts.push(text.written(), budget)?,
                event => text.take(&event, "t"),
            }
        }
        Ok(texts)
    }

    fn push(&mut self, text: &str, budget: &mut Budget) -> Result<(), Unreadable> {
        budget.cell()?;
        let (kept, kind) = if holds_entry(text) {
            budget.keep(text.len())?;
            (text, Kind::Entry)
        } else {
            // They are not spent of what identifiers may take: most columns of a workbook name no lines.
            let words = text.char_indices().nth(HEADER).map_or(text, |(end, _)| &text[..end]);
            match self.left_for_words.checked_sub(words.len()) {
                Some(left) => {
                    self.left_for_words = left;
                    (words, Kind::Words)
                }
                None => ("", Kind::LeftOut),
            }
        };
        self.all.push_str(kept);
        // What is kept altogether is far below.
        let end = u32::try_from(self.all.len()).map_err(|_| super::xlsx::too_large())?;
        self.ends.push((end, kind));
        Ok(())
    }

    /// The text of a place. None: there is none.
    pub(super) fn get(&self, place: usize) -> Option<Shared<'_>> {
        let (end, kind) = *self.ends.get(place)?;
        let begin = place.checked_sub(1).map_or(0, |before| self.ends[before].0);
        let text = &self.all[begin as usize..end as usize];
        Some(match kind {
            Kind::Entry => Shared::Entry(text),
            Kind::Words => Shared::Words(text),
            Kind::LeftOut => Shared::LeftOut,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use lineshift_domain::terms::PortalType;

    use super::super::xlsx::tests::workbook;
    use super::*;
    use crate::portal::table::{self, xlsx};

    /// Rows of an ICCID and four texts of 50 characters, all different, and a text that stands behind them.
    fn with_notes(rows: usize, headers: &str, last: &str) -> Vec<u8> {
        let (mut cells, mut texts) = (headers.to_owned(), "<si><t>ICCID</t></si><si><t>Site</t></si>".to_owned());
        for row in 0..rows {
            write!(texts, "<si><t>8901260210123{row:07}</t></si>").expect("written");
            cells.push_str("<row>");
            for column in 0..5 {
                write!(cells, "<c t=\"s\"><v>{}</v></c>", 2 + row * 5 + column).expect("written");
            }
            cells.push_str("</row>");
            for column in 0..4 {
                write!(texts, "<si><t>{:x<50}</t></si>", format!("note {row} {column} ")).expect("written");
            }
        }
        workbook(&cells, &format!("{texts}<si><t>{last}</t></si>"))
    }

    #[test]
    fn texts_that_name_no_lines_take_no_room_from_those_that_do() {
        let rows = 6_000;
        let shared = |place: usize| format!("<c t=\"s\"><v>{place}</v></c>");
        let headers = format!("<row>{}{}</row>", shared(0), shared(1));
        let content = with_notes(rows, &headers, "");
        let mut budget = Budget::of(rows + 1, 100_000, rows * 41 + 9);
        let sheets = xlsx::read(&content, &mut budget).expect("notes of more than a MiB are not counted");
        assert_eq!((&*sheets[0].columns[0].header, sheets[0].columns[0].iccids), ("ICCID", rows));

        let headers = format!("<row>{}</row><row>{}</row>", shared(2 + rows * 5), shared(1));
        let found = table::read(&with_notes(rows, &headers, "ICCID of the SIM card"), PortalType::M2M).expect("columns");
        assert_eq!((&*found[0].header, found[0].iccids), ("", rows), "a header that was left out is none, and no other is");
    }
}
