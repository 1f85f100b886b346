//! `POST /{portal}/ValidateBulkChange`: what an order would do, line by line, stored nowhere (B4.1).

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use futures::stream;
use lineshift_domain::judge::Verdict;
use lineshift_domain::lines::LineList;
use lineshift_domain::reading::read_bulk_change;
use lineshift_engine::{Caller, ValidatedLine, Validation};
use serde::Serialize;

use super::submit::{Portal, ReadRequest, read_order};
use crate::Web;
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::views::{BulkChangeRequest, ValidationView};

/// Lines written at a time.
const LINES_A_CHUNK: usize = 1_000;

/// Says what `BulkChange` would do
///
/// Takes the same body, judges every line as `BulkChange` would, and stores nothing. A request that `BulkChange` would
/// refuse as a whole is refused alike.
#[utoipa::path(post, path = "/{portal}/ValidateBulkChange", tag = super::tag::ORDERS,
    params(("portal" = String, Path, description = "M2M (by ICCID), Mobility (by either) or LNP (by number)", example = "M2M")),
    request_body = BulkChangeRequest,
    responses(
        (status = 200, description = "What would happen with each line", body = ValidationView),
        (status = 429, description = "Too many large requests at once", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn validate_bulk_change(
    State(web): State<Web>,
    caller: Caller,
    Portal(portal): Portal,
    _: NoParameters,
    request: Request,
) -> Result<Response, ApiProblem> {
    let ReadRequest { order, turn, .. } = read_order(&web, &caller, portal, read_bulk_change, request).await?;
    let lines = order.lines.clone();
    let validation = web.engine.validate(&caller, order).await?;
    // The turn lasts until the answer is written: lines and verdicts are as large as the request.
    Ok(streamed(validation, lines, turn))
}

fn streamed(validation: Validation, lines: LineList, turn: impl Send + 'static) -> Response {
    let Validation { accepted, rejected, duplicates, lines: judged } = validation;
    let head = format!(r#"{{"Success":true,"Accepted":{accepted},"Rejected":{rejected},"Duplicates":{duplicates},"Devices":["#);
    let starts = (0..judged.len()).step_by(LINES_A_CHUNK);
    let chunks = starts.map(move |start| {
        let _held = &turn;
        let end = (start + LINES_A_CHUNK).min(judged.len());
        chunk(&judged[start..end], &lines, start == 0)
    });
    let parts = std::iter::once(Ok(Bytes::from(head))).chain(chunks).chain(std::iter::once(Ok(Bytes::from_static(b"]}"))));
    ([(header::CONTENT_TYPE, "application/json")], Body::from_stream(stream::iter(parts))).into_response()
}

/// One line as it is written; borrowed, so that a million of them allocate nothing.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WrittenLine<'a> {
    position: u32,
    line: &'a str,
    verdict: &'static str,
    error_kind: Option<&'static str>,
    code: Option<&'static str>,
    message: Option<&'a str>,
}

fn chunk(judged: &[ValidatedLine], lines: &LineList, first: bool) -> Result<Bytes, serde_json::Error> {
    let mut written = Vec::with_capacity(judged.len() * 96);
    for (nth, line) in judged.iter().enumerate() {
        if nth > 0 || !first {
            written.push(b',');
        }
        let (verdict, reason) = match &line.verdict {
            Verdict::Accepted => ("accepted", None),
            Verdict::AlreadySo => ("already_so", None),
            Verdict::Refused(reason) => ("rejected", Some(reason)),
        };
        let line = WrittenLine {
            position: line.request_position,
            line: lines.get(line.request_position as usize).unwrap_or_default(),
            verdict,
            error_kind: reason.map(|reason| reason.kind().as_str()),
            code: reason.map(|reason| reason.code.as_str()),
            message: reason.map(|reason| reason.text.as_str()),
        };
        serde_json::to_writer(&mut written, &line)?;
    }
    Ok(written.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use lineshift_domain::codes::Code;
    use lineshift_domain::judge::Reason;

    async fn written(judged: Vec<ValidatedLine>, lines: LineList) -> String {
        let validation = Validation { accepted: 2, rejected: 1, duplicates: 0, lines: judged };
        let body = to_bytes(streamed(validation, lines, ()).into_body(), usize::MAX).await.expect("a body");
        String::from_utf8(body.into()).expect("UTF-8")
    }

    #[tokio::test]
    async fn each_line_is_written_with_its_verdict() {
        let lines: LineList = ["890\"1", "8902", "8903"].into_iter().collect();
        let judged = [Verdict::Accepted, Verdict::AlreadySo, Verdict::Refused(Reason::new(Code::DeviceNotFound, "not there"))];
        let judged = (0..).zip(judged).map(|(request_position, verdict)| ValidatedLine { request_position, verdict }).collect();
        let body = written(judged, lines).await;
        insta::assert_snapshot!(body.replace("},{", "},\n{"), @r#"
        {"Success":true,"Accepted":2,"Rejected":1,"Duplicates":0,"Devices":[{"Position":0,"Line":"890\"1","Verdict":"accepted","ErrorKind":null,"Code":null,"Message":null},
        {"Position":1,"Line":"8902","Verdict":"already_so","ErrorKind":null,"Code":null,"Message":null},
        {"Position":2,"Line":"8903","Verdict":"rejected","ErrorKind":"ELIGIBILITY","Code":"device_not_found","Message":"not there"}]}
        "#);
        let read: ValidationView = serde_json::from_str(&body).expect("the view reads what is written");
        assert_eq!(read.devices.len(), 3);
    }

    #[tokio::test]
    async fn chunks_make_one_list() {
        let count = LINES_A_CHUNK * 2 + 1;
        let lines: LineList = (0..count).map(|nth| nth.to_string()).collect();
        let judged = (0..count as u32).map(|request_position| ValidatedLine { request_position, verdict: Verdict::Accepted });
        let read: ValidationView = serde_json::from_str(&written(judged.collect(), lines).await).expect("JSON");
        assert_eq!(read.devices.len(), count);
        assert_eq!(read.devices[count - 1].line, (count - 1).to_string());
        let none: ValidationView = serde_json::from_str(&written(Vec::new(), LineList::default()).await).expect("JSON");
        assert!(none.devices.is_empty());
    }
}
