//! What is said about answers that are no success.

use anyhow::{Error, anyhow};
use lineshift_web::views::ProblemView;
use reqwest::{Response, StatusCode};

use crate::exit::Refused;

/// Nobody answered.
pub(super) fn unreachable(base: &str, error: reqwest::Error) -> Error {
    let what = if error.is_connect() {
        format!("no server answers at {base}; start one with `lineshift serve`, or name another with --url")
    } else if error.is_builder() {
        format!("{base} is no address that can be called; name one with --url")
    } else {
        format!("the call to {base} broke off; give the same --idempotency-key again to learn what became of an order")
    };
    // Addresses may hold what should not be shown twice; the cause says enough.
    Error::new(error.without_url()).context(what)
}

/// The server refused or failed.
pub(super) async fn failure(response: Response) -> Error {
    let status = response.status();
    let request_id = response.headers().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
    let body = response.bytes().await.unwrap_or_default();
    let text = match serde_json::from_slice::<ProblemView>(&body) {
        Ok(problem) => shown(&problem),
        Err(_) => format!("the server answered {status}, but not as Lineshift does; is it another program's address?"),
    };
    match status {
        StatusCode::UNAUTHORIZED => {
            Refused("the server does not know this key; check LINESHIFT_API_KEY or --key".to_owned()).into()
        }
        // Too much at once is no refusal: the same call may work later.
        status if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => Refused(text).into(),
        _ => {
            let id = request_id.map(|id| format!(" (request {id} in the server's log)")).unwrap_or_default();
            anyhow!("{text}{id}")
        }
    }
}

fn shown(problem: &ProblemView) -> String {
    if problem.errors.is_empty() {
        return problem.detail.clone();
    }
    let line = |error: &lineshift_web::views::FieldProblemView| {
        let field = if error.field.is_empty() { String::new() } else { format!("{}: ", error.field) };
        format!("\n  {field}{} ({})", error.message, error.code)
    };
    format!("{}:{}", problem.title, problem.errors.iter().map(line).collect::<String>())
}
