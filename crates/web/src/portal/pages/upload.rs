//! Choosing lines by sending a table: the file, then which of its columns name lines.
//!
//! Between the two steps the cells with digits travel in the form itself, packed: nothing of the file is stored, nobody has to tidy up, and
//! the second step works however long it took and wherever it is answered. 100,000 ICCIDs are about 600 KB so.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};

use askama::Template;
use axum::extract::Path;
use axum::http::Uri;
use axum::response::Response;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::PortalType;

use super::paste::show_outcome;
use crate::portal::choosing::{Chosen, Reading};
use crate::portal::form::{FILE_BYTES, Form};
use crate::portal::page::{answer, thousands};
use crate::portal::reading::beside;
use crate::portal::refused::{PageRefused, with_body_of};
use crate::portal::send_again;
use crate::portal::table::{self, Column, Unreadable};
use crate::portal::viewer::{Frame, Place, Viewer, portal_of, segment};
use crate::problem::ApiProblem;
use crate::query::NoParameters;

const COLUMNS_ROUTE: &str = "/{portal}/selection/columns";

/// Columns that are offered; the likeliest ones.
const COLUMNS: usize = 8;

/// Bytes of all packed columns: what a form may be, with room for the rest of it.
const PACKED: usize = 30 << 20;

/// Bytes to which all columns together are unpacked at most: no more is kept of a file.
const UNPACKED: u64 = 64 << 20;

#[derive(Template)]
#[template(path = "upload.html")]
struct UploadPage {
    frame: Frame,
    chosen: Chosen,
    address: String,
    most: String,
    most_bytes: String,
    refused: Option<String>,
}

#[derive(Template)]
#[template(path = "columns.html")]
struct ColumnsPage {
    frame: Frame,
    chosen: Chosen,
    address: String,
    file: String,
    columns: Vec<ColumnRow>,
    /// Likely columns that are not offered, in words; empty: there are none.
    left_out: String,
}

/// A column among which to choose.
struct ColumnRow {
    place: usize,
    name: String,
    holds: String,
    examples: Vec<String>,
    is_suggested: bool,
    is_rounded: bool,
    packed: String,
}

/// `GET /{portal}/selection/upload`
pub(in crate::portal) async fn ask(viewer: Viewer, Path(portal): Path<String>, _: NoParameters) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    viewer.caller.require(portal.into(), Action::Create)?;
    ask_again(&viewer, portal, None).await
}

async fn ask_again(viewer: &Viewer, portal: PortalType, refused: Option<String>) -> Result<Response, PageRefused> {
    Ok(answer(&UploadPage {
        frame: viewer.frame("Lines from a file", Some(portal), Place::Lines)?,
        chosen: Chosen::of(viewer, portal).await?.ok_or_else(ApiProblem::not_found)?,
        address: format!("/{}/selection/upload", segment(portal)),
        most: thousands(viewer.web.engine.limits().devices_per_change as i64),
        most_bytes: format!("{} MiB", FILE_BYTES >> 20),
        refused,
    }))
}

/// `POST /{portal}/selection/upload`: the file. What its columns hold is shown, and nothing is chosen yet.
pub(in crate::portal) async fn take(viewer: Viewer, Path(portal): Path<String>, form: Form) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    viewer.caller.require(portal.into(), Action::Create)?;
    let Some(file) = form.file("file") else {
        return ask_again(&viewer, portal, Some("Choose a file first.".to_owned())).await;
    };
    let turn = match viewer.web.readings.take(viewer.caller.tenant).await {
        Ok(turn) => turn,
        Err(problem) => {
            let form = ask_again(&viewer, portal, Some(problem.detail())).await?;
            return Ok(with_body_of(problem, form));
        }
    };
    let read = beside((turn, form.turn()), move || rows(&file.content, portal)).await?;
    let (columns, left_out) = match read {
        Ok(columns) => columns,
        Err(Unreadable(message)) => {
            let message = format!("{}: {message}", file_name(&form));
            return ask_again(&viewer, portal, Some(message)).await;
        }
    };
    Ok(answer(&ColumnsPage {
        frame: viewer.frame("Columns of a file", Some(portal), Place::Lines)?,
        chosen: Chosen::of(&viewer, portal).await?.ok_or_else(ApiProblem::not_found)?,
        address: format!("/{}/selection/columns", segment(portal)),
        file: file_name(&form),
        columns,
        left_out: left_out_in_words(&left_out),
    }))
}

fn file_name(form: &Form) -> String {
    form.file("file").map(|file| file.name).unwrap_or_default()
}

/// `POST /{portal}/selection/columns`: the lines of the columns that were ticked.
pub(in crate::portal) async fn choose(
    viewer: Viewer,
    Path(portal): Path<String>,
    uri: Uri,
    form: Form,
) -> Result<Response, PageRefused> {
    let portal = portal_of(&portal)?;
    viewer.caller.require(portal.into(), Action::Create)?;
    // Each column once, however often a form names it.
    let ticked: BTreeSet<&str> = form.all("column").take(COLUMNS).collect();
    let packed = ticked.into_iter().filter_map(|place| form.text(&format!("cells_{place}"))).map(str::to_owned);
    let packed: Vec<String> = packed.collect();
    if packed.is_empty() {
        return ask_again(&viewer, portal, Some("No column was ticked: send the file again and tick one.".to_owned())).await;
    }
    let turn = match viewer.web.readings.take(viewer.caller.tenant).await {
        Ok(turn) => turn,
        Err(problem) => return Err(send_again::later(&viewer, (COLUMNS_ROUTE, &uri), &form, problem)),
    };
    let read = move || {
        let (mut reading, mut left) = (Reading::default(), UNPACKED);
        packed.iter().try_for_each(|column| unpacked(column, &mut left).map(|text| reading.read(&text))).map(|()| reading)
    };
    // The turn ends with the reading: while lines are chosen others' files are read.
    let reading = beside((turn, form.turn()), read).await?;
    let reading = reading.ok_or_else(|| {
        ApiProblem::unreadable("column", "wrong_form", "the columns of this form cannot be read; send the file again")
    })?;
    let outcome = reading.choose(&viewer, portal).await?;
    let again = (format!("/{}/selection/upload", segment(portal)), "Send another file");
    show_outcome(&viewer, portal, outcome, again).await
}

/// The columns of a file among which to choose, the likeliest of them suggested; and what others are called that hold identifiers, too.
fn rows(content: &[u8], portal: PortalType) -> Result<(Vec<ColumnRow>, Vec<String>), Unreadable> {
    let mut columns = table::read(content, portal)?;
    let left_out = columns.split_off(columns.len().min(COLUMNS)).iter().map(name_of).collect();
    let mut left = PACKED;
    let mut rows = Vec::new();
    for (place, column) in columns.into_iter().enumerate() {
        let packed = packed(&column.text);
        left = left.checked_sub(packed.len()).ok_or_else(|| {
            Unreadable("Its columns hold too much: split it, or leave the columns out that name no lines.".to_owned())
        })?;
        rows.push(ColumnRow {
            place,
            name: name_of(&column),
            holds: in_words(&column),
            is_suggested: place == 0,
            is_rounded: table::is_rounded(&column),
            examples: column.examples,
            packed,
        });
    }
    Ok((rows, left_out))
}

fn left_out_in_words(names: &[String]) -> String {
    let (shown, more) = names.split_at(names.len().min(COLUMNS));
    match more.len() {
        0 => shown.join("; "),
        more => format!("{}; and {more} more", shown.join("; ")),
    }
}

fn name_of(column: &Column) -> String {
    let header = if column.header.is_empty() { "without a header" } else { &column.header };
    let sheet = if column.sheet.is_empty() { String::new() } else { format!(" of sheet {}", column.sheet) };
    format!("Column {}{sheet}: {header}", column.letters)
}

fn in_words(column: &Column) -> String {
    let counted = [(column.iccids, "ICCIDs"), (column.numbers, "numbers"), (column.unusable, "of no use")];
    let counted = counted.into_iter().filter(|(count, _)| *count > 0);
    let words: Vec<String> = counted.map(|(count, what)| format!("{} {what}", thousands(count as i64))).collect();
    words.join(", ")
}

fn packed(text: &str) -> String {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    BASE64_STANDARD.encode(written.expect("a list in memory takes every byte"))
}

/// The text of a column, and as many bytes less are left. None: it was not packed here, or unpacks to more than is left.
fn unpacked(packed: &str, left: &mut u64) -> Option<String> {
    let bytes = BASE64_STANDARD.decode(packed).ok()?;
    let mut text = String::new();
    let read = DeflateDecoder::new(bytes.as_slice()).take(*left + 1).read_to_string(&mut text).ok()?;
    *left = left.checked_sub(read as u64)?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_packed_and_unpacked() {
        let text: String = (0..10_000).map(|nth| format!("890126021012{:08}\n", nth * 7919 % 100_000_000)).collect();
        let packed = packed(&text);
        assert!(packed.len() * 2 < text.len(), "{} of {}", packed.len(), text.len());
        let mut left = text.len() as u64;
        assert_eq!(unpacked(&packed, &mut left).as_deref(), Some(&*text));
        assert_eq!((left, unpacked(&packed, &mut left)), (0, None), "all columns together are bounded");
        for wrong in ["", "!", "AAAA", "eJw="] {
            assert!(unpacked(wrong, &mut 100).is_none_or(|text| text.is_empty()), "{wrong}");
        }
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        let zeros = vec![b'0'; 1 << 20];
        for _ in 0..=(UNPACKED >> 20) {
            encoder.write_all(&zeros).expect("packed");
        }
        let bomb = BASE64_STANDARD.encode(encoder.finish().expect("packed"));
        assert_eq!(unpacked(&bomb, &mut { UNPACKED }), None);
    }
}
