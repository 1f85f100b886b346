//! The session's cookie. Under TLS its name says that it came from this host over TLS, and browsers keep to that (`__Host-`).

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::token::SessionToken;

/// Over TLS.
const OVER_TLS: &str = "__Host-lineshift";

/// Without: for a machine of one's own.
const WITHOUT_TLS: &str = "lineshift";

const fn name(secure: bool) -> &'static str {
    if secure { OVER_TLS } else { WITHOUT_TLS }
}

/// The session that a request shows; none if it shows none, or several: one of them was put there by somebody else.
pub(crate) fn shown(headers: &HeaderMap, secure: bool) -> Option<SessionToken> {
    let mut found = values(headers, name(secure));
    let first = found.next()?;
    if found.next().is_some() {
        return None;
    }
    SessionToken::parse(first)
}

/// The values of all cookies of that name.
pub(super) fn values<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(move |(given, _)| *given == name)
        .map(|(_, value)| value)
}

/// The header that gives a browser the session. It ends with the browser, or when the server says so.
pub(crate) fn set(token: &SessionToken, secure: bool) -> (HeaderName, HeaderValue) {
    header_of(&token.to_cookie(), "", secure)
}

/// The header that takes it away.
pub(crate) fn clear(secure: bool) -> (HeaderName, HeaderValue) {
    header_of("", "; Max-Age=0", secure)
}

fn header_of(value: &str, lifetime: &str, secure: bool) -> (HeaderName, HeaderValue) {
    let tls = if secure { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{lifetime}{tls}", name(secure));
    let mut value = HeaderValue::from_str(&text).expect("a cookie of ours holds digits, letters and - _ . only");
    value.set_sensitive(true);
    (header::SET_COOKIE, value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineshift_domain::ids::TenantId;

    fn headers(lines: &[&str]) -> HeaderMap {
        lines.iter().map(|line| (header::COOKIE, HeaderValue::from_str(line).expect("a header"))).collect()
    }

    #[test]
    fn it_says_what_browsers_must_keep_to() {
        let token = SessionToken::parse(&format!("1.{}", "A".repeat(43))).expect("a token");
        let value = |secure| set(&token, secure).1.to_str().expect("a text").to_owned();
        let text = format!("1.{}", "A".repeat(43));
        assert_eq!(value(true), format!("__Host-lineshift={text}; Path=/; HttpOnly; SameSite=Lax; Secure"));
        assert_eq!(value(false), format!("lineshift={text}; Path=/; HttpOnly; SameSite=Lax"));
        assert_eq!(clear(true).1, "__Host-lineshift=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Secure");
        assert!(clear(false).1.is_sensitive() && set(&token, true).1.is_sensitive(), "they stand in no log");
    }

    #[test]
    fn it_is_found_among_others_once() {
        let token = SessionToken::new(TenantId(3)).expect("randomness");
        let ours = format!("lineshift={}", token.to_cookie());
        assert_eq!(shown(&headers(&[&format!("a=b; {ours};c=d=e")]), false), Some(token.clone()));
        assert_eq!(shown(&headers(&["a=b", &ours]), false), Some(token.clone()));
        assert_eq!(shown(&headers(&[&ours, &ours]), false), None, "two of them");
        assert_eq!(shown(&headers(&[&format!("{ours}; lineshift=x")]), false), None);
        assert_eq!(shown(&headers(&["lineshift=x"]), false), None);
        assert_eq!(shown(&headers(&["x=lineshift", "lineshift"]), false), None);
    }

    #[test]
    fn each_way_has_a_cookie_of_its_own() {
        let token = SessionToken::new(TenantId(3)).expect("randomness").to_cookie();
        assert_eq!(
            shown(&headers(&[&format!("lineshift={token}")]), true),
            None,
            "one that came without TLS counts for nothing there"
        );
        assert_eq!(shown(&headers(&[&format!("__Host-lineshift={token}")]), false), None);
    }
}
