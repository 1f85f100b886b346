//! Requests that another site makes a browser send: the browser adds the cookie, so more is asked for than that.

use axum::http::{HeaderMap, HeaderName, Method, Uri, header};
use lineshift_domain::refusal::{Refusal, RefusalClass};

use super::token::SessionToken;
use crate::problem::ApiProblem;

/// The header that shows the session's token against forged requests.
pub(crate) const CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request with a cookie that may have been made by another site. Those that change nothing are let through: browsers show
/// their answers to nobody else. Errors: 403.
pub(crate) fn check(method: &Method, headers: &HeaderMap, secure: bool, token: &SessionToken) -> Result<(), ApiProblem> {
    if [Method::GET, Method::HEAD].contains(method) {
        return Ok(());
    }
    check_origin(headers, secure)?;
    check_token(headers.get(&CSRF_TOKEN).map(|given| given.to_str().unwrap_or_default()), token)
}

/// Refuses what does not show the session's token. Errors: 403.
pub(crate) fn check_token(given: Option<&str>, token: &SessionToken) -> Result<(), ApiProblem> {
    match given {
        None => Err(forbidden(
            "csrf_token_missing",
            "a request that changes something needs the header X-CSRF-Token, with csrf_token of GET /api/v1/session",
        )),
        Some(given) if token.is_csrf(given) => Ok(()),
        Some(_) => {
            Err(forbidden("csrf_token_wrong", "X-CSRF-Token is not that of this session; take csrf_token of GET /api/v1/session"))
        }
    }
}

/// Refuses what a browser says another site made it send. Errors: 403.
pub(crate) fn check_origin(headers: &HeaderMap, secure: bool) -> Result<(), ApiProblem> {
    let is_cross = headers.get_all(SEC_FETCH_SITE).iter().any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site"));
    let mut origins = headers.get_all(header::ORIGIN).iter();
    if is_cross || !origins.all(|origin| origin.to_str().is_ok_and(|origin| is_own(origin, headers, secure))) {
        return Err(forbidden("cross_site_request", "the request comes from a page of another site; use a page of this server"));
    }
    Ok(())
}

/// Whether an origin is the one that the request was sent to. Without TLS it may be `https`, too: a proxy that is not known may speak it.
fn is_own(origin: &str, headers: &HeaderMap, secure: bool) -> bool {
    let Ok(origin) = origin.parse::<Uri>() else { return false };
    let Some(scheme) = origin.scheme_str().filter(|scheme| *scheme == "https" || (*scheme == "http" && !secure)) else {
        return false;
    };
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let bare = |authority: &str| authority.strip_suffix(default_port).unwrap_or(authority).to_ascii_lowercase();
    let own = origin.authority().map(|authority| bare(authority.as_str()));
    !host.is_empty() && own.is_some_and(|own| own == bare(host))
}

fn forbidden(code: &str, message: &str) -> ApiProblem {
    Refusal::one(RefusalClass::Forbidden, "", code, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use lineshift_domain::ids::TenantId;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let value = |text: &str| HeaderValue::from_str(text).expect("a value");
        pairs.iter().map(|(name, text)| (HeaderName::from_static(name), value(text))).collect()
    }

    fn code(checked: Result<(), ApiProblem>) -> String {
        checked.err().map_or_else(String::new, |problem| problem.view().errors[0].code.clone())
    }

    #[test]
    fn only_pages_of_this_server_may_change_something() {
        let own =
            |origin: &str, host: &str, secure| check_origin(&headers(&[("origin", origin), ("host", host)]), secure).is_ok();
        assert!(own("https://portal.example", "portal.example", true));
        assert!(own("https://Portal.example:443", "portal.EXAMPLE", true));
        assert!(own("https://portal.example", "portal.example:443", true));
        assert!(own("http://127.0.0.1:8080", "127.0.0.1:8080", false));
        assert!(own("https://portal.example", "portal.example", false), "behind a proxy that is not known");
        assert!(own("http://[::1]:8080", "[::1]:8080", false));
        for other in [
            "https://evil.example",
            "https://portal.example.evil.example",
            "https://evil.portal.example",
            "https://portal.example:8443",
            "http://portal.example",
            "null",
            "",
            "portal.example",
            "https://",
            "ftp://portal.example",
            "https://portal.example@evil.example",
        ] {
            assert!(!own(other, "portal.example", true), "{other}");
        }
        assert!(!own("http://127.0.0.1:8081", "127.0.0.1:8080", false));
        assert!(check_origin(&headers(&[("host", "a")]), true).is_ok(), "programs send none");
        assert!(check_origin(&headers(&[("origin", "https://a")]), true).is_err(), "without a host nothing is one's own");
        for (site, taken) in
            [("same-origin", true), ("none", true), ("same-site", true), ("cross-site", false), ("Cross-Site", false)]
        {
            assert_eq!(check_origin(&headers(&[("sec-fetch-site", site)]), true).is_ok(), taken, "{site}");
        }
    }

    #[test]
    fn what_changes_something_needs_the_token() {
        let token = SessionToken::new(TenantId(1)).expect("randomness");
        let other = SessionToken::new(TenantId(1)).expect("randomness");
        let with = |method: Method, given: Option<&str>| {
            let given = given.map(|given| vec![("x-csrf-token", given)]).unwrap_or_default();
            code(check(&method, &headers(&given), true, &token))
        };
        assert_eq!((with(Method::GET, None), with(Method::HEAD, None)), (String::new(), String::new()));
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
            assert_eq!(with(method.clone(), None), "csrf_token_missing", "{method}");
            assert_eq!(with(method.clone(), Some(&other.csrf())), "csrf_token_wrong", "{method}");
            assert_eq!(with(method.clone(), Some("")), "csrf_token_wrong", "{method}");
            assert_eq!(with(method, Some(&token.csrf())), "");
        }
        let foreign = headers(&[("x-csrf-token", &token.csrf()), ("origin", "https://evil.example"), ("host", "portal.example")]);
        assert_eq!(code(check(&Method::POST, &foreign, true, &token)), "cross_site_request");
    }
}
