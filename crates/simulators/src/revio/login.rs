//! Who calls.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::options::RevioLogin;
use crate::chassis::NotLetIn;
use crate::wire::SimulatedRequest;

/// Lets a call in, or says why not.
pub(super) fn let_in(login: &RevioLogin, request: &SimulatedRequest) -> Result<(), NotLetIn> {
    let header = |name: &str| request.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str());
    let authorization = header("authorization").ok_or(NotLetIn::Malformed("header authorization: is missing"))?;
    let encoded = authorization.strip_prefix("Basic ").ok_or(NotLetIn::Malformed("header authorization: Basic is expected"))?;
    let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.ok_or(NotLetIn::Malformed("header authorization: is no base64 of text"))?;
    if decoded != format!("{}@{}:{}", login.user, login.client_code, login.password) {
        return Err(NotLetIn::Wrong("header authorization: user, client code or password is wrong"));
    }
    match (login.subscription_key.as_deref(), header("ocp-apim-subscription-key")) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(NotLetIn::Malformed("header ocp-apim-subscription-key: is missing")),
        (None, Some(_)) => Err(NotLetIn::Malformed("header ocp-apim-subscription-key: this account has none")),
        (Some(key), Some(sent)) if key == sent => Ok(()),
        (Some(_), Some(_)) => Err(NotLetIn::Wrong("header ocp-apim-subscription-key: is wrong")),
    }
}
