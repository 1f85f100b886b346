//! Workbooks. A small one may unpack to any size and say anything of itself, so that each of its parts is read once at most, in pieces, and
//! nothing of it is kept but what cells hold, as far as it is looked at.

use std::collections::{HashMap, HashSet};
use std::io::Cursor;

use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use super::budget::Budget;
use super::shared_texts::{Shared, SharedTexts};
use super::text::Text;
use super::xml::{Part, attribute};
use super::{Sheet, Unreadable};

/// The most bytes that the parts of a workbook unpack to: a sheet of a million rows with some columns.
const UNPACKED: u64 = 512 << 20;

/// The most files that a workbook consists of, and the most that one of them refers to.
const FILES: usize = 1_000;

/// What each file of an archive is listed with, at its end.
const FILE_IS_LISTED: &[u8; 4] = b"PK\x01\x02";

/// The most sheets.
const SHEETS: usize = 50;

/// Characters of a sheet's name: spreadsheets take 31.
const NAME: usize = 60;

/// Whole numbers that a spreadsheet keeps exactly.
const EXACT: f64 = 1e15;

/// Reads every sheet.
pub(super) fn read(content: &[u8], budget: &mut Budget) -> Result<Vec<Sheet>, Unreadable> {
    let mut package = Package::open(content)?;
    let book = package.workbook()?;
    let texts = match package.part(&book.texts)? {
        Some(mut part) => SharedTexts::read(&mut part, budget)?,
        None => SharedTexts::default(),
    };
    let mut sheets = Vec::with_capacity(book.sheets.len());
    for (name, path) in book.sheets {
        let mut part = package.part(&path)?.ok_or_else(|| incomplete("a sheet is missing"))?;
        let mut sheet = Sheet::named(&name);
        read_sheet(&mut part, &texts, &mut sheet, budget)?;
        sheets.push(sheet);
    }
    Ok(sheets)
}

/// Why a workbook cannot be read; what exactly is for the log alone.
pub(super) fn unreadable(error: &dyn std::error::Error) -> Unreadable {
    incomplete(&error.to_string())
}

fn incomplete(why: &str) -> Unreadable {
    tracing::debug!(why, "a workbook could not be read");
    Unreadable("The workbook cannot be read: save it once more as XLSX, or as CSV.".to_owned())
}

/// There is more than is read of any workbook.
pub(super) fn too_large() -> Unreadable {
    Unreadable("The workbook is too large when it is unpacked: split it, or save the one sheet as CSV.".to_owned())
}

/// The files of a workbook.
struct Package<'c> {
    archive: ZipArchive<Cursor<&'c [u8]>>,
    /// Where each path stands in the archive, in small letters: not everybody writes them as they refer to them.
    places: HashMap<String, usize>,
    /// Bytes that may still be unpacked.
    left: u64,
}

/// What a workbook consists of.
struct Workbook {
    /// Names and paths.
    sheets: Vec<(String, String)>,
    /// The path of the shared texts.
    texts: String,
}

/// Another part that one refers to.
struct Relation {
    kind: String,
    path: String,
}

impl<'c> Package<'c> {
    fn open(content: &'c [u8]) -> Result<Self, Unreadable> {
        // They are counted before anything is made of them: half a million fit into a file that may be sent.
        if content.windows(FILE_IS_LISTED.len()).filter(|bytes| bytes == FILE_IS_LISTED).count() > FILES {
            return Err(too_large());
        }
        let archive = ZipArchive::new(Cursor::new(content)).map_err(|error| unreadable(&error))?;
        let mut places = HashMap::with_capacity(archive.len());
        for name in archive.file_names() {
            let name = name.map_err(|error| unreadable(&error))?;
            let place = archive.index_for_name(&name).ok_or_else(|| incomplete("a file without a place"))?;
            places.insert(name.replace('\\', "/").to_lowercase(), place);
        }
        Ok(Self { archive, places, left: UNPACKED })
    }

    /// A part; none: there is no such file.
    fn part(&mut self, path: &str) -> Result<Option<Part<'_>>, Unreadable> {
        let Some(place) = self.places.get(&path.to_lowercase()) else { return Ok(None) };
        let file = self.archive.by_index(*place).map_err(|error| unreadable(&error))?;
        Ok(Some(Part::new(file, &mut self.left)))
    }

    /// What a part refers to, by id.
    fn relations(&mut self, path: &str) -> Result<HashMap<String, Relation>, Unreadable> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let of_part = resolved(folder, &format!("_rels/{name}.rels"));
        let mut part = self.part(&of_part)?.ok_or_else(|| incomplete("it is not said where its parts are"))?;
        let mut relations = HashMap::new();
        while let Some(event) = part.next()? {
            let Event::Start(element) = event else { continue };
            if element.local_name().as_ref() != "Relationship" {
                continue;
            }
            let [id, kind, target] = ["Id", "Type", "Target"].map(|name| attribute(&element, name).unwrap_or_default());
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            relations.insert(id, Relation { kind, path: resolved(folder, &target) });
            if relations.len() > FILES {
                return Err(too_large());
            }
        }
        Ok(relations)
    }

    fn workbook(&mut self) -> Result<Workbook, Unreadable> {
        let of_package = self.relations("")?;
        let book = of_package.into_values().find(|relation| relation.kind == "officeDocument");
        let path = book.ok_or_else(|| incomplete("it names no workbook"))?.path;
        let relations = self.relations(&path)?;
        let texts = relations.values().find(|relation| relation.kind == "sharedStrings");
        let texts = texts.map(|relation| relation.path.clone()).unwrap_or_default();
        let mut part = self.part(&path)?.ok_or_else(|| incomplete("its workbook is missing"))?;
        let mut listed = Listed::default();
        while let Some(event) = part.next()? {
            if let Event::Start(element) = event
                && element.local_name().as_ref() == "sheet"
            {
                listed.take(&element, &relations)?;
            }
        }
        Ok(Workbook { sheets: listed.sheets, texts })
    }
}

/// The sheets that a workbook lists: each name and each part once.
#[derive(Default)]
struct Listed {
    sheets: Vec<(String, String)>,
    seen: HashSet<String>,
}

impl Listed {
    fn take(&mut self, element: &BytesStart<'_>, relations: &HashMap<String, Relation>) -> Result<(), Unreadable> {
        let id = attribute(element, "id").unwrap_or_default();
        let relation = relations.get(&id).ok_or_else(|| incomplete("it lists a sheet that is nowhere"))?;
        // A sheet of a chart has no cells.
        if relation.kind != "worksheet" {
            return Ok(());
        }
        let name: String = attribute(element, "name").unwrap_or_default().chars().take(NAME).collect();
        if self.sheets.len() == SHEETS {
            return Err(Unreadable(format!(
                "The workbook has more than {SHEETS} sheets: leave those out that name no lines, or save the one sheet as CSV."
            )));
        }
        let is_new = self.seen.insert(format!("name {}", name.to_lowercase()));
        if !is_new || !self.seen.insert(format!("part {}", relation.path.to_lowercase())) {
            return Err(Unreadable(format!(
                "The workbook lists the sheet {name} more than once: save it once more as XLSX, or the one sheet as CSV."
            )));
        }
        self.sheets.push((name, relation.path.clone()));
        Ok(())
    }
}

/// A path that is written in a folder, as one of the archive.
fn resolved(folder: &str, target: &str) -> String {
    let mut path: Vec<&str> = if target.starts_with('/') { Vec::new() } else { folder.split('/').collect() };
    for step in target.split('/') {
        match step {
            ".." => drop(path.pop()),
            "" | "." => {}
            step => path.push(step),
        }
    }
    path.retain(|step| !step.is_empty());
    path.join("/")
}

/// Where in a sheet its reader is.
#[derive(Default)]
struct At {
    column: usize,
    /// Whether something was found in this row.
    is_begun: bool,
}

impl At {
    fn begin_row(&mut self, sheet: &mut Sheet, budget: &mut Budget) -> Result<(), Unreadable> {
        if std::mem::replace(&mut self.is_begun, true) {
            return Ok(());
        }
        sheet.begin_row(budget)
    }
}

fn read_sheet(part: &mut Part<'_>, texts: &SharedTexts, sheet: &mut Sheet, budget: &mut Budget) -> Result<(), Unreadable> {
    let (mut at, mut kind, mut text) = (At::default(), String::new(), Text::default());
    while let Some(event) = part.next()? {
        match event {
            // The number that a row says it has is of no use: it may be any.
            Event::Start(element) if element.local_name().as_ref() == "row" => at = At::default(),
            Event::Start(element) if element.local_name().as_ref() == "c" => {
                budget.cell()?;
                at.column = attribute(&element, "r").and_then(|cell| column_of(&cell)).unwrap_or(at.column);
                kind = attribute(&element, "t").unwrap_or_default();
                text.begin();
            }
            Event::End(element) if element.local_name().as_ref() == "c" => {
                take_cell(&kind, text.written(), texts, sheet, &mut at, budget)?;
                at.column += 1;
            }
            Event::End(element) if element.local_name().as_ref() == "sheetData" => return Ok(()),
            event => text.take(&event, if kind == "inlineStr" { "t" } else { "v" }),
        }
    }
    Err(incomplete("a sheet breaks off"))
}

fn take_cell(
    kind: &str,
    written: &str,
    texts: &SharedTexts,
    sheet: &mut Sheet,
    at: &mut At,
    budget: &mut Budget,
) -> Result<(), Unreadable> {
    let number;
    let text = match kind {
        "s" => match written.trim().parse().ok().and_then(|place| texts.get(place)) {
            Some(Shared::Entry(text)) => text,
            // Of those that name no lines headers alone are of use.
            Some(Shared::Words(text)) if sheet.is_at_header(!at.is_begun) => text,
            // Else the next row would be taken for the headers.
            Some(Shared::LeftOut) if sheet.is_at_header(!at.is_begun) => return at.begin_row(sheet, budget),
            _ => return Ok(()),
        },
        "inlineStr" | "str" => written,
        "" | "n" => {
            number = number_of(written);
            &number
        }
        _ => return Ok(()),
    };
    if text.trim().is_empty() {
        return Ok(());
    }
    at.begin_row(sheet, budget)?;
    sheet.take(at.column, text, budget)
}

/// A number as it is read; empty: it is no identifier. One with more digits than a spreadsheet keeps is written as one that has lost them. What
/// is no whole number is an amount, or a date.
fn number_of(written: &str) -> String {
    match written.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number.abs() >= EXACT => format!("{number:E}").replace('E', "E+"),
        Ok(number) if number.is_finite() && number.fract() == 0.0 => format!("{number:.0}"),
        _ => String::new(),
    }
}

/// The column of a cell that is called `AB12`, counted from 0. None: it is not called so.
fn column_of(cell: &str) -> Option<usize> {
    let letters = cell.bytes().take_while(u8::is_ascii_alphabetic).take(4);
    let column = letters.fold(0, |column, letter| column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
    column.checked_sub(1)
}

#[cfg(test)]
pub(super) mod tests {
    use std::fmt::Write as _;
    use std::io::Write as _;

    use lineshift_domain::terms::PortalType;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::super::Column;
    use super::*;

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

    /// A workbook that lists sheets by name and by the number of their part; each part has the same rows.
    fn book(sheets: &[(&str, usize)], rows: &str, texts: &str) -> Vec<u8> {
        let mut book = format!("<workbook {MAIN} xmlns:r=\"{KIND}\"><sheets>");
        for (nth, (name, part)) in sheets.iter().enumerate() {
            write!(book, "<sheet name=\"{name}\" sheetId=\"{nth}\" r:id=\"rId{part}\"/>").expect("written");
        }
        book.push_str("</sheets></workbook>");
        let parts: HashSet<usize> = sheets.iter().map(|(_, part)| *part).collect();
        let mut to_sheets = RELATIONS.to_owned();
        for part in &parts {
            write!(to_sheets, "<Relationship Id=\"rId{part}\" Type=\"{KIND}/worksheet\" Target=\"worksheets/sheet{part}.xml\"/>")
                .expect("written");
        }
        let texts_are =
            format!("<Relationship Id=\"t\" Type=\"{KIND}/sharedStrings\" Target=\"/xl/sharedStrings.xml\"/></Relationships>");
        to_sheets.push_str(&texts_are);
        let to_book = format!(
            "{RELATIONS}<Relationship Id=\"rId1\" Type=\"{KIND}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        );
        let sheet = format!("<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>");
        let names: Vec<String> = parts.iter().map(|part| format!("xl/worksheets/Sheet{part}.xml")).collect();
        let mut files = vec![
            ("[Content_Types].xml", TYPES.as_bytes()),
            ("_rels/.rels", to_book.as_bytes()),
            ("xl/workbook.xml", book.as_bytes()),
            ("xl/_rels/workbook.xml.rels", to_sheets.as_bytes()),
            ("xl/sharedStrings.xml", texts.as_bytes()),
        ];
        files.extend(names.iter().map(|name| (name.as_str(), sheet.as_bytes())));
        packed(&files)
    }

    /// A workbook of one sheet.
    pub(in crate::portal::table) fn workbook(rows: &str, texts: &str) -> Vec<u8> {
        book(&[("Lines", 1)], rows, &format!("<sst {MAIN} uniqueCount=\"999999999999999\">{texts}</sst>"))
    }

    /// Rows of cells that all have the text of that place.
    fn sharing(rows: usize, place: usize) -> String {
        (1..=rows).map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\" t=\"s\"><v>{place}</v></c></row>")).collect()
    }

    fn columns(content: &[u8]) -> Vec<Column> {
        super::super::read(content, PortalType::M2M).expect("columns")
    }

    fn refused(content: &[u8], mut budget: Budget) -> String {
        let Unreadable(message) = read(content, &mut budget).err().expect("refused");
        message
    }

    #[test]
    fn numbers_keep_their_digits_or_say_that_they_lost_them() {
        for (written, read) in [
            ("6175550100", "6175550100"),
            ("6.1755501E9", "6175550100"),
            ("89012602101234567890", "8.901260210123457E+19"),
            ("1.5", ""),
            ("46000.123456789", ""),
            ("NaN", ""),
            ("x", ""),
        ] {
            assert_eq!(number_of(written), read, "{written}");
        }
        assert_eq!(["A1", "z9", "AA10", "XFD1", "12"].map(column_of), [Some(0), Some(25), Some(26), Some(16_383), None]);
    }

    #[test]
    fn texts_keep_their_digits_and_numbers_say_that_they_are_lost() {
        let content = workbook(
            "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>Phone</t></is></c><c r=\"C1\" t=\"s\"><v>0</v></c></row>\
             <row r=\"3\"><c r=\"A3\"><v>6175550100</v></c><c/><c t=\"inlineStr\"><is><t>89012602101234567890</t></is></c></row>\
             <row r=\"4\"><c r=\"A4\" t=\"s\"><v>0</v></c><c r=\"C4\"><f>1+1</f><v>8.9012602101234563E+19</v></c></row>\
             <row><c t=\"s\"><v>1</v></c><c t=\"str\"><v>n/a</v></c><c t=\"s\"><v>2</v></c><c t=\"s\"><v>77</v></c></row>",
            "<si><t>IC&amp;CID</t></si><si><t>&#54;17555<![CDATA[0101]]></t></si>\
             <si><r><t>8901260210</t></r><r><t>1234567891_x000D_</t></r><rPh><t>1</t></rPh></si>",
        );
        let columns = columns(&content);
        let shown = columns.iter().map(|column| (&*column.letters, &*column.header, &*column.sheet, &*column.text));
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                ("C", "IC&CID", "Lines", "89012602101234567890\n8.901260210123457E+19\n89012602101234567891\n"),
                ("A", "Phone", "Lines", "6175550100\n6175550101\n")
            ]
        );
        assert_eq!((columns[0].iccids, columns[0].unusable, columns[1].numbers), (2, 1, 2));
    }

    #[test]
    fn every_sheet_is_read_once_and_there_are_not_too_many() {
        let names: Vec<String> = (1..=SHEETS + 1).map(|nth| format!("S{nth}")).collect();
        let listed = |part: fn(usize) -> usize| -> Vec<(&str, usize)> {
            names.iter().enumerate().map(|(nth, name)| (name.as_str(), part(nth + 1))).collect()
        };
        let rows = sharing(1, 0);
        let texts = format!("<sst {MAIN}><si><t>89012602101234567890</t></si></sst>");
        let each = listed(|nth| nth);
        assert_eq!(columns(&book(&each[..SHEETS], &rows, &texts)).len(), SHEETS);
        let message = refused(&book(&each, &rows, &texts), Budget::default());
        assert!(message.contains("more than 50 sheets"), "{message}");
        let message = refused(&book(&listed(|_| 1)[..2], &rows, &texts), Budget::default());
        assert!(message.contains("lists the sheet S2 more than once"), "{message}");
        let message = refused(&book(&[("Lines", 1), ("LINES", 2)], &rows, &texts), Budget::default());
        assert!(message.contains("lists the sheet LINES more than once"), "{message}");
    }

    #[test]
    fn a_text_that_many_cells_share_is_cut_and_counts_each_time_it_is_kept() {
        let long = format!("<si><t>89012602101234567890{}</t></si>", " and so on".repeat(100_000));
        let content = workbook(&sharing(100, 0), &long);
        let found = columns(&content);
        assert_eq!((found[0].iccids, found[0].text.len()), (100, 100 * (super::super::CELL + 1)));
        let message = refused(&content, Budget::of(100, 1_000, 50 * super::super::CELL));
        assert!(message.contains("MiB of texts"), "{message}");
        let words = workbook(&sharing(100, 0), &format!("<si><t>{}</t></si>", "words ".repeat(1_000)));
        assert!(read(&words, &mut Budget::of(100, 101, 200)).is_ok(), "what names no line is not kept");
    }

    #[test]
    fn rows_and_cells_are_counted_over_all_sheets() {
        let texts = format!("<sst {MAIN}><si><t>89012602101234567890</t></si></sst>");
        let content = book(&[("One", 1), ("Two", 2)], &sharing(10, 0), &texts);
        assert!(read(&content, &mut Budget::of(20, 21, 1_000)).is_ok());
        let message = refused(&content, Budget::of(19, 21, 1_000));
        assert!(message.contains("1100000 rows in all of its sheets"), "{message}");
        let message = refused(&content, Budget::of(20, 20, 1_000));
        assert!(message.contains("20000000 cells"), "{message}");
        let empty = workbook(&format!("<row>{}</row>", "<c/>".repeat(11)), "");
        assert!(refused(&empty, Budget::of(10, 10, 10)).contains("cells"));
    }

    #[test]
    fn a_row_may_say_of_itself_that_it_has_any_number() {
        let iccid = "<c t=\"inlineStr\"><is><t>89012602101234567890</t></is></c>";
        let last = format!("<row r=\"{}\"><c t=\"inlineStr\"><is><t>ICCID</t></is></c></row>", u64::MAX);
        let found = columns(&workbook(&format!("{last}<row>{iccid}</row><row r=\"-1\">{iccid}</row>"), ""));
        assert_eq!((&*found[0].header, found[0].iccids), ("ICCID", 2));
    }

    #[test]
    fn a_small_file_that_unpacks_to_a_huge_one_is_refused() {
        let spaces = " ".repeat(2 << 20);
        for content in [workbook("", &spaces), workbook("", &format!("<si><t>{spaces}</t></si>")), workbook(&spaces, "")] {
            assert!(content.len() < 1 << 16, "{} bytes", content.len());
            assert!(refused(&content, Budget::default()).contains("too large"));
        }
        let deep = workbook(&"<row>".repeat(1_000_000), "");
        assert!(refused(&deep, Budget::default()).contains("too large"));
        let many: Vec<String> = (0..=FILES).map(|nth| format!("{nth}.xml")).collect();
        let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert!(refused(&packed(&many), Budget::default()).contains("too large"));
        let mut left = 100_u64;
        let part = format!("<a>{}</a>", "<b/>".repeat(5_000));
        let mut part = Part::new(part.as_bytes(), &mut left);
        let ended = std::iter::from_fn(|| part.next().map(|event| event.map(drop)).transpose()).find(Result::is_err);
        assert!(ended.is_some(), "no more is unpacked than is left");
    }

    #[test]
    fn what_is_no_workbook_is_said() {
        let texts = format!("<sst {MAIN}></sst>");
        let broken = book(&[("Lines", 1)], "<row><!-- ", &texts);
        for content in [packed(&[]), packed(&[("_rels/.rels", b"<a/>")]), packed(&[("_rels/.rels", b"\xff<")]), broken] {
            let message = refused(&content, Budget::default());
            assert!(message.contains("cannot be read"), "{message}");
        }
    }
}
