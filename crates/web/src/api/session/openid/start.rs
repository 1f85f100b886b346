//! `GET /api/v1/session/openid/start`: the way to the provider.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use lineshift_domain::refusal::Problem;

use super::callback::unrecognised;
use super::{page, provider};
use crate::Web;
use crate::client_address::ClientAddress;
use crate::problem::ApiProblem;
use crate::query::Parameters;
use crate::sign_in::csrf;
use crate::sign_in::openid::flow::Flow;
use crate::sign_in::openid::return_to;

/// Begins to sign in at the OpenID provider
///
/// For browsers: sends them to the provider, which sends them back. What belongs to it they keep in a cookie for ten minutes.
#[utoipa::path(get, path = "/api/v1/session/openid/start", tag = crate::api::tag::SESSIONS, security(),
    params(("return_to" = Option<String>, Query, description = "Where to go in the end: a path of this server, such as `/`")),
    responses(
        (status = 303, description = "To the provider", headers(("Location" = String, description = "Its address"))),
        (status = 400, description = "The query cannot be read", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 403, description = "A page of another site leads here", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 404, description = "There is no provider", body = crate::views::ProblemView, content_type = "application/problem+json"),
        (status = 422, description = "`return_to` is no path of this server", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
        (status = 503, description = "The provider cannot be reached", body = crate::views::ProblemView,
            content_type = "application/problem+json"),
    ))]
pub(crate) async fn start_openid_sign_in(
    State(web): State<Web>,
    parameters: Result<Parameters, ApiProblem>,
    request: Request,
) -> Response {
    let as_page = page::is_wanted(request.headers());
    // Without its body, which nobody reads.
    match start(&web, parameters, request.map(drop)).await {
        Ok(response) => response,
        Err(problem) => page::answer(problem, as_page),
    }
}

async fn start(
    web: &Web,
    parameters: Result<Parameters, ApiProblem>,
    request: axum::http::Request<()>,
) -> Result<Response, ApiProblem> {
    let openid = provider(web)?;
    let secure = ClientAddress::of(request.extensions()).secure;
    csrf::check_origin(request.headers(), secure)?;
    let mut parameters = parameters?;
    let wanted = parameters.parsed("return_to", "a path of this server, such as /", return_to::read);
    parameters.finish()?;
    let now = web.engine.clock().now();
    let flow = Flow::new(wanted.unwrap_or_else(|| "/".to_owned()))?;
    let address = openid.begin(&flow, now).await.map_err(|error| unrecognised(&error))?;
    let cookie = flow.keep(&*web.seal, now, secure).map_err(|why| {
        tracing::error!(why, "a sign-in at the OpenID provider cannot be kept");
        ApiProblem::with_problem(StatusCode::SERVICE_UNAVAILABLE, Problem::new("", "no_key", why))
    })?;
    let location = HeaderValue::from_str(address.as_str()).map_err(|error| {
        tracing::error!(%error, "the provider's address cannot be sent");
        ApiProblem::internal()
    })?;
    Ok((StatusCode::SEE_OTHER, [cookie, (header::LOCATION, location)]).into_response())
}
