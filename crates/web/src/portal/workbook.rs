//! Tables as XLSX: rows come page by page, are written on a thread that may wait, and go out as they are packed.
//!
//! A workbook holds no more than a page of rows in memory: its sheet grows in a file without a name in the directory for temporary
//! files, and is packed from there into the answer. Every cell is a text, so that ICCIDs keep all their digits.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures::Stream;
use lineshift_domain::ids::TenantId;
use lineshift_store::paging::Listed;
use rust_xlsxwriter::{Format, IgnoreError, Workbook, Worksheet, XlsxError};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::problem::ApiProblem;
use crate::shares::{Place, Shares};
use crate::table_file::{Table, broken_off};

/// The type of a workbook.
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Rows that a sheet holds below its header: the format allows no more.
pub(super) const MOST_ROWS: i64 = 1_048_575;

/// How many workbooks are written at once: each has a thread and a temporary file.
const MOST_AT_ONCE: usize = 4;

/// How many of them are one tenant's.
const MOST_OF_A_TENANT: usize = 2;

/// The width of a column, in characters: that of an ICCID.
const WIDTH: f64 = 22.0;

/// How long a chunk waits to be taken: whoever reads no faster gives their place to others.
const PATIENCE: Duration = Duration::from_secs(60);

/// Bytes that go out together.
const CHUNK: usize = 64 * 1024;

/// Chunks, and pages of rows, that wait at most.
const WAITING: usize = 4;

/// The workbooks that may still be begun.
#[derive(Clone)]
pub(crate) struct Workbooks(Shares<TenantId>);

impl Default for Workbooks {
    fn default() -> Self {
        Self(Shares::new(MOST_AT_ONCE, MOST_OF_A_TENANT))
    }
}

impl Workbooks {
    /// A place for one more, until it is dropped. Errors: 429.
    fn begin(&self, tenant: TenantId) -> Result<Place<TenantId>, ApiProblem> {
        self.0.try_take(&tenant).ok_or_else(|| {
            let message = format!(
                "{MOST_OF_A_TENANT} workbooks of your tenant, or {MOST_AT_ONCE} of all, are being written; try again in a moment, or \
                 take CSV"
            );
            ApiProblem::new(StatusCode::TOO_MANY_REQUESTS, message).retry_after(10)
        })
    }
}

/// Rows on their way to a sheet: pages of them, or why there are no more.
type Pages<const N: usize> = mpsc::Receiver<io::Result<Vec<[String; N]>>>;

/// Where pages of rows are put in.
type PagesIn<const N: usize> = mpsc::Sender<io::Result<Vec<[String; N]>>>;

/// All rows of a table, at most [`MOST_ROWS`], in a file of that name with a sheet of that one. Errors: 429, and those of the first page,
/// which is read before the answer begins, so that a store out of reach is an error and no broken file.
pub(super) async fn send<const N: usize, T: Table<N>>(
    table: T,
    (workbooks, tenant): (&Workbooks, TenantId),
    name: &str,
    sheet: String,
) -> Result<Response, ApiProblem> {
    let place = workbooks.begin(tenant)?;
    let first = table.page(None).await?;
    let headers =
        [(header::CONTENT_TYPE, XLSX.to_owned()), (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.xlsx\""))];
    let (pages_in, pages) = mpsc::channel(WAITING);
    tokio::spawn(feed(table, first, pages_in));
    Ok((headers, Body::from_stream(stream(sheet, T::COLUMNS, pages, place))).into_response())
}

/// Reads page after page, as long as somebody takes them.
async fn feed<const N: usize, T: Table<N>>(table: T, mut page: Listed<T::Row, T::After>, pages: PagesIn<N>) {
    loop {
        if pages.send(Ok(page.items.iter().map(T::cells).collect())).await.is_err() {
            return;
        }
        let Some(after) = page.next else { return };
        page = match table.page(Some(after)).await {
            Ok(page) => page,
            Err(error) => {
                // Whoever is gone needs not know.
                let _ = pages.send(Err(broken_off(&error))).await;
                return;
            }
        };
    }
}

/// The workbook, as it is packed. Whoever stops reading stops its writer.
fn stream<const N: usize>(
    name: String,
    columns: [&'static str; N],
    rows: Pages<N>,
    place: Place<TenantId>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let (chunks, packed) = mpsc::channel(WAITING);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut out = Chunks { packed: Vec::with_capacity(CHUNK), chunks, runtime };
        if let Err(error) = write(&name, columns, rows, &mut out).and_then(|()| out.end()) {
            tracing::warn!(%error, "a workbook broke off");
        }
        drop(place);
    });
    futures::stream::unfold(Some(packed), |packed| async move {
        let mut packed: mpsc::Receiver<Bytes> = packed?;
        match packed.recv().await {
            Some(end) if end.is_empty() => None,
            Some(chunk) => Some((Ok(chunk), Some(packed))),
            // The answer is broken off, too, so that nobody takes it for a whole file.
            None => Some((Err(io::Error::other("the workbook broke off")), None)),
        }
    })
}

fn write<const N: usize>(name: &str, columns: [&'static str; N], mut rows: Pages<N>, out: &mut Chunks) -> io::Result<()> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet_with_constant_memory().map_err(other)?;
    sheet.set_name(name).map_err(other)?;
    write_header(sheet, &columns).map_err(other)?;
    let mut next = 1;
    while let Some(page) = rows.blocking_recv() {
        if out.chunks.is_closed() {
            return Err(io::Error::other("nobody reads it any more"));
        }
        for row in page? {
            write_row(sheet, next, &row).map_err(other)?;
            next += 1;
        }
    }
    let last_column = u16::try_from(N.saturating_sub(1)).unwrap_or(u16::MAX);
    // Digits are meant as texts here: without this, each would have a warning in its corner.
    sheet.ignore_error_range(0, 0, next - 1, last_column, IgnoreError::NumberStoredAsText).map_err(other)?;
    workbook.save_to_writer(&mut *out).map_err(other)
}

fn write_header(sheet: &mut Worksheet, columns: &[&str]) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    for (column, name) in (0..).zip(columns) {
        sheet.set_column_width(column, WIDTH)?;
        sheet.write_string_with_format(0, column, *name, &bold)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

fn write_row(sheet: &mut Worksheet, row: u32, cells: &[String]) -> Result<(), XlsxError> {
    for (column, cell) in (0..).zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        sheet.write_string(row, column, cell)?;
    }
    Ok(())
}

fn other(error: XlsxError) -> io::Error {
    io::Error::other(error)
}

/// Hands bytes on in chunks; an empty one says that it was the last.
struct Chunks {
    packed: Vec<u8>,
    chunks: mpsc::Sender<Bytes>,
    runtime: Handle,
}

impl Chunks {
    fn end(&mut self) -> io::Result<()> {
        self.flush()?;
        self.send(Bytes::new())
    }

    fn send(&self, chunk: Bytes) -> io::Result<()> {
        match self.runtime.block_on(tokio::time::timeout(PATIENCE, self.chunks.send(chunk))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::Error::other("nobody reads it any more")),
            Err(_) => Err(io::Error::other("whoever reads it takes nothing any more")),
        }
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.packed.extend_from_slice(bytes);
        if self.packed.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.packed.is_empty() {
            return Ok(());
        }
        let chunk = Bytes::from(std::mem::replace(&mut self.packed, Vec::with_capacity(CHUNK)));
        self.send(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table_file::tests::Numbers;
    use axum::body::to_bytes;
    use futures::StreamExt as _;

    async fn read(rows: Vec<io::Result<Vec<[String; 2]>>>) -> Vec<io::Result<Bytes>> {
        let place = Workbooks::default().begin(TenantId(1)).expect("a place");
        let (pages_in, pages) = mpsc::channel(WAITING);
        let stream = stream("Lines".to_owned(), ["iccid", "status"], pages, place);
        let feed = async move {
            for page in rows {
                pages_in.send(page).await.expect("a reader");
            }
        };
        futures::join!(feed, stream.collect::<Vec<_>>()).1
    }

    fn sheet_of(workbook: &[u8]) -> String {
        let mut archive = zip::ZipArchive::new(io::Cursor::new(workbook)).expect("a workbook");
        let mut sheet = String::new();
        io::Read::read_to_string(&mut archive.by_name("xl/worksheets/sheet1.xml").expect("a sheet"), &mut sheet).expect("a text");
        sheet
    }

    #[tokio::test]
    async fn a_workbook_is_whole_or_broken_off() {
        let row = |nth: usize| [format!("8901260000000{nth:07}"), "=1+1".to_owned()];
        let page = |from: usize| Ok((from..from + 1_000).map(row).collect());
        let whole = read(vec![page(0), page(1_000), page(2_000)]).await;
        let bytes: Vec<u8> = whole.into_iter().flat_map(|chunk| chunk.expect("a chunk").to_vec()).collect();
        let sheet = sheet_of(&bytes);
        assert_eq!(sheet.matches("<row ").count(), 3_001);
        assert!(sheet.contains("<t>89012600000000002999</t>") && !sheet.contains("<f>"), "texts are texts");

        let broken = read(vec![page(0), Err(io::Error::other("the store is gone"))]).await;
        assert!(broken.last().expect("something").is_err(), "nobody takes it for a whole file");
    }

    #[tokio::test]
    async fn a_table_fills_a_workbook_page_by_page() {
        let workbooks = Workbooks::default();
        let sent = async |table| send(table, (&workbooks, TenantId(1)), "numbers", "Numbers".to_owned()).await;
        let answer = sent(Numbers(5, Some(9))).await.expect("an answer");
        assert_eq!(answer.headers()[header::CONTENT_DISPOSITION], "attachment; filename=\"numbers.xlsx\"");
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        assert_eq!(sheet_of(&bytes).matches("<row ").count(), 1 + 5, "three pages");
        let broken = sent(Numbers(5, Some(4))).await.expect("its first page is there");
        assert!(to_bytes(broken.into_body(), usize::MAX).await.is_err(), "nobody takes it for a whole file");
        for _ in 0..=MOST_OF_A_TENANT {
            let refused = sent(Numbers(5, None)).await.err().map(|problem| problem.status());
            assert_eq!(refused, Some(StatusCode::INTERNAL_SERVER_ERROR), "an error that takes no place");
        }
    }

    #[tokio::test]
    async fn nobody_takes_every_place() {
        let workbooks = Workbooks::default();
        let own: Vec<_> = (0..MOST_OF_A_TENANT).map(|_| workbooks.begin(TenantId(1)).expect("a place")).collect();
        assert_eq!(workbooks.begin(TenantId(1)).err().map(|refused| refused.status()), Some(StatusCode::TOO_MANY_REQUESTS));
        let other = workbooks.begin(TenantId(2)).expect("a place of another");
        drop((own, other));
        assert!(workbooks.begin(TenantId(1)).is_ok());
    }
}
