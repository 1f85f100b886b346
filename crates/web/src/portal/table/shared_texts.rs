//! The texts that the cells of a workbook share: each is looked at once, and kept as far as it is looked at.

use quick_xml::events::Event;

use super::budget::Budget;
use super::text::Text;
use super::xml::Part;
use super::{HEADER, Unreadable, holds_entry};

/// The texts by their places.
#[derive(Default)]
pub(super) struct SharedTexts {
    all: String,
    /// Where each of them ends, and whether it may name lines.
    ends: Vec<(u32, bool)>,
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
        let names_lines = holds_entry(text);
        // One that names no line may be a header.
        let end = if names_lines { None } else { text.char_indices().nth(HEADER) };
        let kept = end.map_or(text, |(end, _)| &text[..end]);
        budget.keep(kept.len())?;
        self.all.push_str(kept);
        // What is kept altogether is far below.
        let end = u32::try_from(self.all.len()).map_err(|_| super::xlsx::too_large())?;
        self.ends.push((end, names_lines));
        Ok(())
    }

    /// The text of a place, and whether it may name lines. None: there is none.
    pub(super) fn get(&self, place: usize) -> Option<(&str, bool)> {
        let (end, names_lines) = *self.ends.get(place)?;
        let begin = place.checked_sub(1).map_or(0, |before| self.ends[before].0);
        Some((&self.all[begin as usize..end as usize], names_lines))
    }
}
