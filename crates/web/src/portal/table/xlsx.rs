//! Workbooks. A small one may unpack to any size, so that it is unpacked once for its size alone before anything of it is kept.

use std::io::{Cursor, Read as _};

use calamine::{DataRef, Reader as _, Xlsx};
use zip::ZipArchive;

use super::{Sheet, Unreadable};

/// The most bytes that a workbook unpacks to: a sheet of a million rows with some columns.
const UNPACKED: u64 = 512 << 20;

/// The most of those that are no sheets, as all texts of a workbook are held at once.
const UNPACKED_TEXTS: u64 = 128 << 20;

/// The most files that a workbook consists of.
const FILES: usize = 1_000;

/// Whole numbers that a spreadsheet keeps exactly.
const EXACT: f64 = 1e15;

/// Reads every sheet.
pub(super) fn read(content: &[u8]) -> Result<Vec<Sheet>, Unreadable> {
    check_size(content)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(content)).map_err(|error| unreadable(&error))?;
    let mut sheets = Vec::new();
    for name in workbook.sheet_names() {
        // A sheet of a chart has no cells.
        let Ok(mut cells) = workbook.worksheet_cells_reader(&name) else { continue };
        let (mut sheet, mut row) = (Sheet::named(&name), None);
        while let Some(cell) = cells.next_cell().map_err(|error| unreadable(&error))? {
            let (at, column) = cell.get_position();
            let Some(text) = text_of(cell.get_value()) else { continue };
            if row != Some(at) {
                sheet.begin_row()?;
                row = Some(at);
            }
            sheet.take(column as usize, &text);
        }
        sheets.push(sheet);
    }
    Ok(sheets)
}

fn unreadable(error: &dyn std::error::Error) -> Unreadable {
    tracing::debug!(%error, "a workbook could not be read");
    Unreadable("The workbook cannot be read: save it once more as XLSX, or as CSV.".to_owned())
}

/// Unpacks everything without keeping it: what an archive says of its own size may be a lie.
fn check_size(content: &[u8]) -> Result<(), Unreadable> {
    let mut archive = ZipArchive::new(Cursor::new(content)).map_err(|error| unreadable(&error))?;
    let too_large =
        || Unreadable("The workbook is too large when it is unpacked: split it, or save the one sheet as CSV.".to_owned());
    if archive.len() > FILES {
        return Err(too_large());
    }
    let (mut left, mut left_for_texts) = (UNPACKED, UNPACKED_TEXTS);
    for place in 0..archive.len() {
        let file = archive.by_index(place).map_err(|error| unreadable(&error))?;
        let is_sheet = file.name().is_ok_and(|name| name.starts_with("xl/worksheets/"));
        let most = if is_sheet { left } else { left.min(left_for_texts) };
        let unpacked = std::io::copy(&mut file.take(most + 1), &mut std::io::sink()).map_err(|error| unreadable(&error))?;
        if unpacked > most {
            return Err(too_large());
        }
        left -= unpacked;
        if !is_sheet {
            left_for_texts -= unpacked;
        }
    }
    Ok(())
}

/// A cell as it is read. A number with more digits than a spreadsheet keeps is written as one that has lost them.
fn text_of(cell: &DataRef<'_>) -> Option<String> {
    match cell {
        DataRef::String(text) => Some(text.clone()),
        DataRef::SharedString(text) => Some((*text).to_owned()),
        DataRef::Int(number) => Some(number.to_string()),
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < EXACT => Some(format!("{number:.0}")),
        DataRef::Float(number) if number.abs() >= EXACT => Some(format!("{number:E}").replace('E', "E+")),
        DataRef::Float(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits_or_say_that_they_lost_them() {
        let text = |number: f64| text_of(&DataRef::Float(number)).expect("a text");
        assert_eq!(text(6_175_550_100.0), "6175550100");
        assert_eq!(text(89_012_602_101_234_567_890.0), "8.901260210123457E+19");
        assert_eq!(text(1.5), "1.5");
        assert_eq!(text_of(&DataRef::Bool(true)), None);
    }
}
