//! Orders: `POST /{portal}/AssociateCustomer` and `POST /{portal}/BulkChange` (section 4).

use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::Order;
use lineshift_domain::reading::{read_associate_customer, read_bulk_change};
use lineshift_domain::refusal::Refusal;
use lineshift_domain::scopes::Action;
use lineshift_domain::terms::PortalType;
use lineshift_engine::{Caller, Submission};
use lineshift_store::bulk_changes::IdempotencyClaim;
use sha2::{Digest as _, Sha256};

use super::carried_through;
use crate::Web;
use crate::audit::AuditNote;
use crate::body::{read_body, require_json};
use crate::problem::ApiProblem;
use crate::query::NoParameters;
use crate::turns::Turn;
use crate::views::{AssociateCustomerRequest, BulkChangeRequest, SubmittedView};

/// The request header under which a repeated order is recognised (B4.5).
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The response header that says `true` where the answer is that of an earlier request.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The portal in an address; other words are no address at all.
pub(crate) struct Portal(pub(crate) PortalType);

impl<S: Send + Sync> FromRequestParts<S> for Portal {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        let Path(name) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| ApiProblem::not_found())?;
        let portal = PortalType::ALL.iter().find(|portal| portal.as_str() == name);
        portal.copied().map(Self).ok_or_else(ApiProblem::not_found)
    }
}

/// Hands lines to a customer
///
/// Answers 202 with the number of lines accepted and refused; each refused line has its row in ERROR with the reason.
/// A request that is refused as a whole stores nothing. With `Idempotency-Key`, the same request gets the same answer for
/// 24 hours, marked `Idempotency-Replayed: true`.
#[utoipa::path(post, path = "/{portal}/AssociateCustomer", tag = super::tag::ORDERS,
    params(
        ("portal" = String, Path, description = "M2M (by ICCID), Mobility (by either) or LNP (by number)", example = "M2M"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body = AssociateCustomerRequest,
    responses(
        (status = 202, description = "Stored; it runs unless `ProcessChanges` is false", body = SubmittedView,
            headers(("Location" = String, description = "`/api/v1/bulk-changes/{id}`"),
                ("Idempotency-Replayed" = String, description = "`true` where this is an earlier request's answer"))),
        (status = 409, description = "The same `Idempotency-Key` is still running", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 429, description = "Too many large requests at once", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn associate_customer(
    State(web): State<Web>,
    caller: Caller,
    Portal(portal): Portal,
    _: NoParameters,
    request: Request,
) -> Result<Response, ApiProblem> {
    submit(web, caller, portal, read_associate_customer, request).await
}

/// Changes many lines at once
///
/// One body for every type of change; exactly the part that goes with `ChangeType` is given. Answers as
/// `AssociateCustomer`.
#[utoipa::path(post, path = "/{portal}/BulkChange", tag = super::tag::ORDERS,
    params(
        ("portal" = String, Path, description = "M2M (by ICCID), Mobility (by either) or LNP (by number)", example = "M2M"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(content = BulkChangeRequest, examples(
        ("Customer rate plan" = (value = json!({
            "ServiceProviderId": 1, "ChangeType": 4, "Devices": ["89012602101234567890"],
            "CustomerRatePlanUpdate": {"CustomerRatePlanId": 3, "EffectiveDate": "2026-12-01"}}))),
        ("Carrier rate plan" = (value = json!({
            "ServiceProviderId": 1, "ChangeType": 7, "Devices": ["89012602101234567890"],
            "CarrierRatePlanUpdate": {"CarrierRatePlan": "Tracker", "CommPlan": "Europe"}}))),
        ("Status" = (value = json!({
            "ServiceProviderId": 1, "ChangeType": 2, "Devices": ["89012602101234567890"],
            "StatusUpdate": {"TargetStatus": "DEACTIVATED"}}))),
        ("Customer with a carrier rate plan" = (value = json!({
            "ServiceProviderId": 1, "ChangeType": 1, "Devices": ["89012602101234567890"],
            "AssociateCustomerRequest": {"RevCustomerId": "", "SiteId": 7, "AddCarrierRatePlan": true, "CarrierRatePlan": "Tracker"}}))),
    )),
    responses(
        (status = 202, description = "Stored; it runs unless `ProcessChanges` is false", body = SubmittedView,
            headers(("Location" = String, description = "`/api/v1/bulk-changes/{id}`"),
                ("Idempotency-Replayed" = String, description = "`true` where this is an earlier request's answer"))),
        (status = 409, description = "The same `Idempotency-Key` is still running", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 429, description = "Too many large requests at once", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn bulk_change(
    State(web): State<Web>,
    caller: Caller,
    Portal(portal): Portal,
    _: NoParameters,
    request: Request,
) -> Result<Response, ApiProblem> {
    submit(web, caller, portal, read_bulk_change, request).await
}

/// How a body is read into an order.
pub(super) type ReadOrder = fn(&[u8], PortalType, &Limits) -> Result<Order, Refusal>;

/// An order that was read, what its request is known by, and its turn among large ones.
pub(super) struct ReadRequest {
    pub(super) order: Order,
    pub(super) hash: [u8; 32],
    pub(super) turn: Option<Turn>,
}

async fn submit(web: Web, caller: Caller, portal: PortalType, read: ReadOrder, request: Request) -> Result<Response, ApiProblem> {
    let key = idempotency_key(request.headers())?;
    let ReadRequest { order, hash, turn } = read_order(&web, &caller, portal, read, request).await?;
    let claim = key.map(|key| IdempotencyClaim { caller: caller.principal, key, body_hash: hash });
    let submission = carried_through(async move {
        let submission = web.engine.submit(&caller, order, claim).await;
        drop(turn);
        submission
    })
    .await?;
    answer(submission)
}

/// Checks rights and type, and reads the body beside the threads that serve others. Errors: 403, 408, 413, 415, 429, 422.
pub(super) async fn read_order(
    web: &Web,
    caller: &Caller,
    portal: PortalType,
    read: ReadOrder,
    request: Request,
) -> Result<ReadRequest, ApiProblem> {
    caller.require(portal.into(), Action::Create)?;
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    let limits = *web.engine.limits();
    let turn = web.large_bodies.turn(caller.tenant, &parts.headers).await?;
    let body = read_body(&parts.headers, body, limits.body_bytes).await?;
    let path = parts.uri.path().to_owned();
    let reading = tokio::task::spawn_blocking(move || {
        let order = read(&body, portal, &limits)?;
        Ok::<_, Refusal>((order, request_hash(&parts.method, &path, &body)))
    });
    let (order, hash) = reading.await.map_err(|error| {
        tracing::error!(%error, "reading an order was cut off");
        ApiProblem::internal()
    })??;
    Ok(ReadRequest { order, hash, turn })
}

/// What a request is known by: SHA-256 over its method, path and body.
fn request_hash(method: &Method, path: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [method.as_str().as_bytes(), path.as_bytes()] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(body);
    hash.finalize().into()
}

/// The key in the header, if there is one. Errors: 400.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiProblem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let bytes = value.as_bytes();
    let is_visible = bytes.iter().all(u8::is_ascii_graphic);
    if values.next().is_some() || !(1..=255).contains(&bytes.len()) || !is_visible {
        let message = "give Idempotency-Key once, with 1 to 255 visible ASCII characters";
        return Err(ApiProblem::unreadable("Idempotency-Key", "invalid_idempotency_key", message));
    }
    Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
}

fn answer(submission: Submission) -> Result<Response, ApiProblem> {
    let (body, repeated) = match submission {
        Submission::Stored(submitted) => (submitted.answer(), false),
        Submission::Repeated(answer) => (answer, true),
    };
    let submitted: SubmittedView = serde_json::from_str(&body).map_err(|error| {
        tracing::error!(%error, "a stored answer cannot be read");
        ApiProblem::internal()
    })?;
    let location = format!("/api/v1/bulk-changes/{}", submitted.bulk_change_id);
    let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::LOCATION, location)];
    let note = AuditNote { devices: submitted.accepted + submitted.rejected };
    let mut response = (StatusCode::ACCEPTED, note, headers, body).into_response();
    if repeated {
        response.headers_mut().insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(value: &[u8]) -> Result<Option<String>, ApiProblem> {
        idempotency_key(&HeaderMap::from_iter([(IDEMPOTENCY_KEY, HeaderValue::from_bytes(value).expect("a header"))]))
    }

    #[test]
    fn an_idempotency_key_is_visible_ascii() {
        assert_eq!(idempotency_key(&HeaderMap::new()).expect("none"), None);
        assert_eq!(key_of(b"order-4711~!").expect("a key").as_deref(), Some("order-4711~!"));
        assert_eq!(key_of(&[b'a'; 255]).expect("a key").map(|key| key.len()), Some(255));
        for bad in [&b""[..], b"a b", "é".as_bytes(), &[b'a'; 256]] {
            assert_eq!(key_of(bad).expect_err("no key").view().status, 400, "{bad:?}");
        }
        let twice = [(IDEMPOTENCY_KEY, HeaderValue::from_static("a")), (IDEMPOTENCY_KEY, HeaderValue::from_static("b"))];
        let mut headers = HeaderMap::new();
        for (name, value) in twice {
            headers.append(name, value);
        }
        assert!(idempotency_key(&headers).is_err());
    }

    #[test]
    fn a_request_is_known_by_method_path_and_body() {
        let base = request_hash(&Method::POST, "/M2M/BulkChange", b"{}");
        assert_eq!(base, request_hash(&Method::POST, "/M2M/BulkChange", b"{}"));
        assert_ne!(base, request_hash(&Method::POST, "/LNP/BulkChange", b"{}"));
        assert_ne!(base, request_hash(&Method::POST, "/M2M/BulkChange", b"{ }"));
        assert_ne!(base, request_hash(&Method::POST, "/M2M/BulkChange{", b"}"));
    }

    #[test]
    fn a_repeated_answer_is_marked_and_located() {
        let body = r#"{"Success":true,"BulkChangeId":12,"Accepted":1,"Rejected":0,"Duplicates":0}"#;
        let response = answer(Submission::Repeated(body.to_owned())).expect("an answer");
        assert_eq!(response.status(), 202);
        assert_eq!(response.headers()[header::LOCATION], "/api/v1/bulk-changes/12");
        assert_eq!(response.headers()[IDEMPOTENCY_REPLAYED], "true");
    }
}
