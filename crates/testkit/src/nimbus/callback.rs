//! What Nimbus says when it calls back: who it is, which request it was, and what became of each line.

use lineshift_connectors::carrier::{Callback, CallbackLine, CallbackRefused, CallbackRequest, IccId, is_same_secret};
use lineshift_connectors::http::Masker;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

/// `{"user","password","requestId","results":[{"iccid","failed"}]}`; `failed` is null where it worked. `expected` is
/// `{"user","password"}`.
pub(super) fn read_callback(request: &CallbackRequest<'_>) -> Result<Callback, CallbackRefused> {
    let refused = |text: &str| CallbackRefused::Unreadable(text.to_owned());
    let expected: Value = serde_json::from_str(request.expected.expose_secret())
        .map_err(|_| refused("the credentials that a callback must carry cannot be read"))?;
    let body: Value = serde_json::from_slice(request.body).map_err(|_| refused("the callback is no JSON"))?;
    for name in ["user", "password"] {
        let (Some(carried), Some(expected)) = (body[name].as_str(), expected[name].as_str()) else {
            return Err(CallbackRefused::WrongCredentials);
        };
        if !is_same_secret(carried, expected) {
            return Err(CallbackRefused::WrongCredentials);
        }
    }
    let masker = Masker::new([&SecretString::from(expected["password"].as_str().unwrap_or_default())]);
    let line = |result: &Value| {
        let iccid = result["iccid"].as_str().filter(|iccid| iccid.parse::<IccId>().is_ok())?;
        let failed = result["failed"].as_str().map(|reason| masker.mask(reason));
        Some(CallbackLine { iccid: iccid.to_owned(), failed })
    };
    let request_id = body["requestId"].as_str().ok_or_else(|| refused("the callback names no request"))?;
    let results = body["results"].as_array().ok_or_else(|| refused("the callback has no results"))?;
    let lines = results.iter().map(line).collect::<Option<_>>().ok_or_else(|| refused("a result names no line"))?;
    Ok(Callback { request_id: request_id.to_owned(), lines })
}
