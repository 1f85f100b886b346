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
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    #[test]
    fn numbers_keep_their_digits_or_say_that_they_lost_them() {
        let text = |number: f64| text_of(&DataRef::Float(number)).expect("a text");
        assert_eq!(text(6_175_550_100.0), "6175550100");
        assert_eq!(text(89_012_602_101_234_567_890.0), "8.901260210123457E+19");
        assert_eq!(text(1.5), "1.5");
        assert_eq!(text_of(&DataRef::Bool(true)), None);
    }

    const TYPES: &str = "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>";
    const RELATIONS: &str = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">";
    const KIND: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const MAIN: &str = "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"";

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in files {
            archive.start_file(*name, SimpleFileOptions::default()).expect("a file");
            archive.write_all(content).expect("written");
        }
        archive.finish().expect("packed").into_inner()
    }

    /// A workbook of one sheet with those rows.
    fn workbook(rows: &str) -> Vec<u8> {
        let book = format!(
            "<workbook {MAIN} xmlns:r=\"{KIND}\"><sheets><sheet name=\"Lines\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
        );
        let to_book = format!(
            "{RELATIONS}<Relationship Id=\"rId1\" Type=\"{KIND}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        );
        let to_sheet = format!(
            "{RELATIONS}<Relationship Id=\"rId1\" Type=\"{KIND}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
        );
        let sheet = format!("<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>");
        packed(&[
            ("[Content_Types].xml", TYPES.as_bytes()),
            ("_rels/.rels", to_book.as_bytes()),
            ("xl/workbook.xml", book.as_bytes()),
            ("xl/_rels/workbook.xml.rels", to_sheet.as_bytes()),
            ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ])
    }

    #[test]
    fn texts_keep_their_digits_and_numbers_say_that_they_are_lost() {
        let content = workbook(
            "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>Phone</t></is></c><c r=\"C1\" t=\"inlineStr\"><is><t>ICCID</t></is></c></row>\
             <row r=\"3\"><c r=\"A3\"><v>6175550100</v></c><c r=\"C3\" t=\"inlineStr\"><is><t>89012602101234567890</t></is></c></row>\
             <row r=\"4\"><c r=\"C4\"><v>8.9012602101234563E+19</v></c></row>",
        );
        let columns = super::super::read(&content, lineshift_domain::terms::PortalType::M2M).expect("columns");
        let shown = columns.iter().map(|column| (&*column.letters, &*column.header, &*column.sheet, &*column.text));
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [("C", "ICCID", "Lines", "89012602101234567890\n8.901260210123457E+19\n"), ("A", "Phone", "Lines", "6175550100\n")]
        );
        assert_eq!((columns[0].iccids, columns[0].unusable, columns[1].numbers), (1, 1, 1));
    }

    #[test]
    fn a_small_file_that_unpacks_to_a_huge_one_is_refused() {
        let texts = vec![b' '; usize::try_from(UNPACKED_TEXTS).expect("it fits") + 1];
        let bomb = packed(&[("xl/sharedStrings.xml", &texts)]);
        assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
        let Unreadable(message) = read(&bomb).err().expect("refused");
        assert!(message.contains("too large"), "{message}");
        let many: Vec<String> = (0..=FILES).map(|nth| format!("{nth}.xml")).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert!(check_size(&packed(&many)).is_err());
    }
}
