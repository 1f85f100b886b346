//! Reading request bodies: their type, their size, and how many large ones are held at once.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use futures::StreamExt as _;
use lineshift_domain::ids::TenantId;

use crate::problem::ApiProblem;
use crate::standing::ThrownOut;
use crate::turns::{Turn, Turns};

/// The most bytes of a body that is no order.
pub(crate) const SMALL_BODY: usize = 1 << 20;

/// The most lines that are judged without a turn: about as many as stand in a small body.
const SMALL_LINES: i64 = 40_000;

/// Bodies longer than [`SMALL_BODY`] that are read and judged at once; each may take several times its size in memory.
const LARGE_AT_ONCE: usize = 4;

/// How many of them are one tenant's at most: bodies that drip hold their turns for minutes, and others are to have some, too.
const LARGE_OF_A_TENANT: usize = 2;

/// How long a client may pause within a body.
const PAUSE: Duration = Duration::from_secs(30);

/// How long a whole body may take: one that drips would hold its turn for ever.
const WHOLE: Duration = Duration::from_secs(600);

/// How long the rest of a refused body is read and thrown away: a client that is still sending would otherwise see a
/// broken connection instead of the answer.
const DRAIN: Duration = Duration::from_secs(5);

/// Turns for large bodies.
#[derive(Clone)]
pub(crate) struct LargeBodies {
    pub(crate) turns: Turns,
    /// The most lines that need none.
    pub(crate) small_lines: i64,
}

impl Default for LargeBodies {
    fn default() -> Self {
        Self { turns: Turns::at("large requests", LARGE_AT_ONCE, LARGE_OF_A_TENANT), small_lines: SMALL_LINES }
    }
}

impl LargeBodies {
    /// Waits for a turn if the body may be large; the turn ends when the answer is dropped. Errors: 429.
    pub(crate) async fn turn(&self, tenant: TenantId, headers: &HeaderMap) -> Result<Option<Turn>, ApiProblem> {
        if declared_length(headers).is_some_and(|length| length <= SMALL_BODY as u64) {
            return Ok(None);
        }
        self.turns.take(tenant).await.map(Some)
    }

    /// The same for an order of so many lines that no body names. Errors: 429.
    pub(crate) async fn turn_of_lines(&self, tenant: TenantId, lines: i64) -> Result<Option<Turn>, ApiProblem> {
        if lines <= self.small_lines {
            return Ok(None);
        }
        self.turns.take(tenant).await.map(Some)
    }
}

/// Refuses a body that is not declared as JSON in UTF-8. Errors: 415.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), ApiProblem> {
    let written = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("unreadable"));
    let mut parts = written.unwrap_or_default().split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_json = ["application/json", "application/merge-patch+json"].iter().any(|json| essence.eq_ignore_ascii_case(json));
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    });
    if is_json && is_utf8 {
        return Ok(());
    }
    let found = written.map_or_else(|| "none".to_owned(), |written| format!("{written:?}"));
    let detail = format!("the content type is {found}; send application/json in UTF-8");
    Err(ApiProblem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

/// Refuses a compressed body: nothing here is inflated, so that what was sent is all that is ever held. Errors: 415.
fn require_plain(headers: &HeaderMap) -> Result<(), ApiProblem> {
    let codings = headers.get_all(header::CONTENT_ENCODING).iter().map(|value| value.to_str().unwrap_or("unreadable"));
    let mut codings = codings.flat_map(|line| line.split(',')).map(str::trim);
    match codings.find(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("identity")) {
        None => Ok(()),
        Some(coding) => {
            let detail = format!("the content encoding is {coding:?}; send the body as it is, without compression");
            let problem = ApiProblem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail);
            Err(problem.with_header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity")))
        }
    }
}

/// Reads a body of at most `most` bytes, whether its length is declared or not. Errors: 415, 413, 408, 400.
pub(crate) async fn read_body(headers: &HeaderMap, body: Body, most: usize) -> Result<Vec<u8>, ApiProblem> {
    if let Err(problem) = require_plain(headers) {
        drain(&mut body.into_data_stream(), most).await;
        return Err(problem);
    }
    match tokio::time::timeout(WHOLE, read_whole(headers, body, most)).await {
        Ok(read) => read,
        Err(_) => Err(too_slow(format!("the body took longer than {} seconds; send it faster", WHOLE.as_secs()))),
    }
}

/// Reads a body of at most `kept` bytes within some time; none: it was longer, or took longer. Of a longer one the rest is passed over, up to
/// `most` bytes in all: whoever is still sending sees no answer.
pub(crate) async fn read_short(body: Body, kept: usize, most: usize, patience: Duration) -> Option<Vec<u8>> {
    let reading = async {
        let (mut stream, mut bytes, mut passed) = (body.into_data_stream(), Vec::new(), 0);
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.ok()?;
            passed += chunk.len();
            if passed > most {
                return None;
            }
            if passed <= kept {
                bytes.extend_from_slice(&chunk);
            } else {
                bytes = Vec::new();
            }
        }
        (passed <= kept).then_some(bytes)
    };
    tokio::time::timeout(patience, reading).await.ok().flatten()
}

async fn read_whole(headers: &HeaderMap, body: Body, most: usize) -> Result<Vec<u8>, ApiProblem> {
    let mut stream = body.into_data_stream();
    let declared = declared_length(headers);
    if declared.is_some_and(|length| length > most as u64) {
        drain(&mut stream, most).await;
        return Err(ApiProblem::too_large(most));
    }
    let capacity = declared.and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut bytes = Vec::with_capacity(capacity);
    while let Some(chunk) = next_chunk(&mut stream).await? {
        if bytes.len() + chunk.len() > most {
            drop(bytes);
            drain(&mut stream, most).await;
            return Err(ApiProblem::too_large(most));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn next_chunk(stream: &mut BodyDataStream) -> Result<Option<axum::body::Bytes>, ApiProblem> {
    match tokio::time::timeout(PAUSE, stream.next()).await {
        Ok(None) => Ok(None),
        Ok(Some(Ok(chunk))) => Ok(Some(chunk)),
        Ok(Some(Err(error))) => {
            if let Some(problem) = ThrownOut::of(&error) {
                return Err(problem);
            }
            tracing::debug!(%error, "a body was cut off");
            Err(ApiProblem::unreadable("", "body_cut_off", "the body ended before its end; send it again"))
        }
        Err(_) => Err(too_slow(format!("no byte of the body came for {} seconds; send it again", PAUSE.as_secs()))),
    }
}

fn too_slow(detail: String) -> ApiProblem {
    ApiProblem::new(StatusCode::REQUEST_TIMEOUT, detail)
}

async fn drain(stream: &mut BodyDataStream, most: usize) {
    let mut left = most.saturating_mul(2);
    let reading = async {
        while let Some(Ok(chunk)) = stream.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                return;
            }
        }
    };
    drop(tokio::time::timeout(DRAIN, reading).await);
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(content_type: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))])
    }

    #[test]
    fn json_in_utf8_is_taken_and_nothing_else() {
        for good in ["application/json", "Application/JSON; charset=UTF-8", "application/merge-patch+json; charset=\"utf-8\""] {
            assert!(require_json(&typed(good)).is_ok(), "{good}");
        }
        for bad in ["", "text/json", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "application/jsonp"]
        {
            assert!(require_json(&typed(bad)).is_err(), "{bad}");
        }
        let problem = require_json(&HeaderMap::new()).expect_err("no type");
        assert_eq!(problem.view().detail, "the content type is none; send application/json in UTF-8");
    }

    #[tokio::test]
    async fn a_body_without_length_is_limited_too() {
        let chunks = |count: usize| {
            let chunks =
                futures::stream::iter((0..count).map(|_| Ok::<_, std::io::Error>(axum::body::Bytes::from_static(b"0123456789"))));
            Body::from_stream(chunks)
        };
        assert_eq!(read_body(&HeaderMap::new(), chunks(10), 100).await.expect("as long as allowed").len(), 100);
        let problem = read_body(&HeaderMap::new(), chunks(11), 100).await.expect_err("one chunk too many");
        assert_eq!(problem.view().status, 413);
        assert!(problem.view().detail.contains("100 bytes"), "{}", problem.view().detail);
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_body_that_nobody_may_send_little_is_kept_and_not_for_long() {
        let chunks = |count: usize| {
            let chunk = |_| Ok::<_, std::io::Error>(axum::body::Bytes::from_static(b"0123456789"));
            Body::from_stream(futures::stream::iter((0..count).map(chunk)))
        };
        let short = |body| read_short(body, 100, 1_000, Duration::from_secs(10));
        assert_eq!(short(chunks(10)).await.map(|bytes| bytes.len()), Some(100));
        assert_eq!(short(chunks(11)).await, None);
        assert_eq!(short(chunks(1_000)).await, None, "it does not read for ever");
        let stopped = Body::from_stream(futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>());
        assert_eq!(short(stopped).await, None);
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_unreadable() {
        let chunks = futures::stream::iter([Ok(axum::body::Bytes::from_static(b"{")), Err(std::io::Error::other("reset"))]);
        let problem = read_body(&HeaderMap::new(), Body::from_stream(chunks), 100).await.expect_err("cut off");
        assert_eq!(problem.view().status, 400);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_or_drips_is_given_up() {
        let stopped = Body::from_stream(futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>());
        let problem = read_body(&HeaderMap::new(), stopped, 100).await.expect_err("stopped");
        assert_eq!((problem.view().status, problem.view().detail.contains("30 seconds")), (408, true));
        let dripping = futures::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(29)).await;
            Some((Ok::<_, std::io::Error>(axum::body::Bytes::from_static(b" ")), ()))
        });
        let problem = read_body(&HeaderMap::new(), Body::from_stream(dripping), 100).await.expect_err("drips");
        assert_eq!((problem.view().status, problem.view().detail.contains("600 seconds")), (408, true));
    }

    #[tokio::test(start_paused = true)]
    async fn small_bodies_and_few_lines_need_no_turn() {
        let turns = LargeBodies::default();
        let long = HeaderMap::new();
        let _held = [turns.turn(TenantId(1), &long).await, turns.turn_of_lines(TenantId(1), SMALL_LINES + 1).await];
        let refused = turns.turn(TenantId(1), &long).await.err().expect("both are taken");
        assert_eq!(refused.view().status, 429);
        let short = HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from_static("1000"))]);
        assert!(turns.turn(TenantId(1), &short).await.is_ok_and(|turn| turn.is_none()));
        assert!(turns.turn_of_lines(TenantId(1), SMALL_LINES).await.is_ok_and(|turn| turn.is_none()));
    }
}
