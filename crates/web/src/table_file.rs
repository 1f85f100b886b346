//! Tables that are sent as a file, read and written page by page, so that memory holds a page of them however long they are.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _, stream};
use lineshift_engine::EngineError;
use lineshift_store::paging::Listed;

use crate::problem::ApiProblem;

/// The type of a CSV.
pub(crate) const CSV: &str = "text/csv; charset=utf-8; header=present";

/// Rows that are read page by page.
pub(crate) trait Rows: Send + Sync + 'static {
    /// One of them.
    type Row: Send + Sync;
    /// After which of them a page begins.
    type After: Send;

    /// The rows after that one, as many as a page holds.
    fn page(
        &self,
        after: Option<Self::After>,
    ) -> impl Future<Output = Result<Listed<Self::Row, Self::After>, EngineError>> + Send;
}

/// Rows that stand in columns.
pub(crate) trait Table<const N: usize>: Rows {
    /// The heads of the columns. Programs read them by name: never rename one.
    const COLUMNS: [&'static str; N];

    /// A row under them; texts from outside are no formulas.
    fn cells(row: &Self::Row) -> [String; N];
}

/// The text of some rows. Errors: none in memory.
type Written<R> = fn(&R, Vec<<R as Rows>::Row>) -> io::Result<Vec<u8>>;

/// How rows are written into a file.
pub(crate) struct Format<R: Rows> {
    /// Its type.
    pub(crate) content_type: &'static str,
    /// Its name.
    pub(crate) file: String,
    /// What stands before the first row.
    pub(crate) beginning: Vec<u8>,
    /// The text of some rows.
    pub(crate) written: Written<R>,
}

/// The rows of a table after that one, to the last, as CSV (RFC 4180), in a file of that name. Errors: as of [`send`].
pub(crate) async fn send_csv<const N: usize, T: Table<N>>(
    table: T,
    after: Option<T::After>,
    name: &str,
) -> Result<Response, ApiProblem> {
    let format = Format {
        content_type: CSV,
        file: format!("{name}.csv"),
        beginning: in_csv([T::COLUMNS]).map_err(|_| ApiProblem::internal())?,
        written: |_, rows| in_csv(rows.iter().map(T::cells)),
    };
    send(table, after, format).await
}

/// The rows after that one, to the last. Errors: those of the first page, which is read before the answer begins, so that a store out of
/// reach is an error and no empty file.
pub(crate) async fn send<R: Rows>(rows: R, after: Option<R::After>, format: Format<R>) -> Result<Response, ApiProblem> {
    let first = rows.page(after).await?;
    let headers = [
        (header::CONTENT_TYPE, format.content_type.to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", format.file)),
    ];
    Ok((headers, Body::from_stream(texts(rows, first, format))).into_response())
}

fn texts<R: Rows>(rows: R, first: Listed<R::Row, R::After>, format: Format<R>) -> impl Stream<Item = io::Result<Bytes>> {
    let Format { beginning, written, .. } = format;
    let Listed { items, next } = first;
    let beginning = written(&rows, items).map(|text| Bytes::from([beginning, text].concat()));
    let rest = stream::try_unfold((rows, next), move |(rows, after)| async move {
        let Some(after) = after else { return Ok(None) };
        let page = rows.page(Some(after)).await.map_err(|error| broken_off(&error))?;
        let text = written(&rows, page.items)?;
        Ok(Some((Bytes::from(text), (rows, page.next))))
    });
    stream::once(std::future::ready(beginning)).chain(rest)
}

/// Why a file ends before its last row: whoever reads it sees that it is not whole.
pub(crate) fn broken_off(error: &EngineError) -> io::Error {
    tracing::error!(%error, "a download broke off");
    io::Error::other("the download broke off")
}

/// Rows as CSV. Errors: none in memory.
pub(crate) fn in_csv<R>(rows: impl IntoIterator<Item = R>) -> io::Result<Vec<u8>>
where
    R: IntoIterator,
    R::Item: AsRef<[u8]>,
{
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use axum::body::to_bytes;
    use lineshift_store::StoreError;

    /// As many rows as are given, two a page; the page after that row is not to be had.
    pub(crate) struct Numbers(pub(crate) i64, pub(crate) Option<i64>);

    impl Rows for Numbers {
        type Row = i64;
        type After = i64;

        async fn page(&self, after: Option<i64>) -> Result<Listed<i64, i64>, EngineError> {
            if after == self.1 {
                return Err(StoreError::internal("the store is gone").into());
            }
            let from = after.unwrap_or(0) + 1;
            Ok(Listed::from_surplus((from..=self.0.min(from + 2)).collect(), 2, |number| *number))
        }
    }

    impl Table<2> for Numbers {
        const COLUMNS: [&'static str; 2] = ["number", "text"];

        fn cells(row: &i64) -> [String; 2] {
            [row.to_string(), format!("no. \"{row}\"")]
        }
    }

    #[tokio::test]
    async fn a_table_is_sent_whole_or_broken_off() {
        let answer = send_csv(Numbers(3, Some(9)), None, "numbers").await.expect("an answer");
        assert_eq!(answer.headers()[header::CONTENT_DISPOSITION], "attachment; filename=\"numbers.csv\"");
        let text = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        assert_eq!(text, "number,text\r\n1,\"no. \"\"1\"\"\"\r\n2,\"no. \"\"2\"\"\"\r\n3,\"no. \"\"3\"\"\"\r\n");

        let none = send_csv(Numbers(0, Some(9)), None, "numbers").await.expect("an answer");
        assert_eq!(to_bytes(none.into_body(), usize::MAX).await.expect("a body"), "number,text\r\n");
        let broken = send_csv(Numbers(3, Some(2)), None, "numbers").await.expect("its first page is there");
        assert!(to_bytes(broken.into_body(), usize::MAX).await.is_err(), "nobody takes it for a whole file");
        assert!(send_csv(Numbers(3, None), None, "numbers").await.is_err(), "an error, and no empty file");
    }
}
