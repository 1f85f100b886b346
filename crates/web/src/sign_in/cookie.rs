//! The cookies. Under TLS a name says that it came from this host over TLS, and browsers keep to that (`__Host-`).

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use chrono::TimeDelta;

use super::token::SessionToken;

/// One of ours.
pub(crate) struct Cookie {
    /// Its name over TLS.
    over_tls: &'static str,
    /// Its name without: for a machine of one's own.
    without_tls: &'static str,
}

impl Cookie {
    /// The session.
    const SESSION: Self = Self { over_tls: "__Host-lineshift", without_tls: "lineshift" };

    /// A sign-in at a provider that was begun.
    pub(crate) const SIGN_IN_BEGUN: Self = Self { over_tls: "__Host-lineshift-begun", without_tls: "lineshift-begun" };

    /// Somebody whom a provider vouched for, while a one-time password is asked for.
    pub(crate) const SIGN_IN_RECOGNISED: Self =
        Self { over_tls: "__Host-lineshift-recognised", without_tls: "lineshift-recognised" };

    const fn name(&self, secure: bool) -> &'static str {
        if secure { self.over_tls } else { self.without_tls }
    }

    /// The value that a request shows; none if it shows none, or several: one of them was put there by somebody else.
    pub(crate) fn shown<'h>(&self, headers: &'h HeaderMap, secure: bool) -> Option<&'h str> {
        let mut found = values(headers, self.name(secure));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }

    /// The header that gives it to a browser; without a time it ends with the browser.
    pub(crate) fn set(&self, value: &str, lasts: Option<TimeDelta>, secure: bool) -> (HeaderName, HeaderValue) {
        let lasts = lasts.map(|lasts| format!("; Max-Age={}", lasts.num_seconds())).unwrap_or_default();
        let tls = if secure { "; Secure" } else { "" };
        let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{lasts}{tls}", self.name(secure));
        let mut value = HeaderValue::from_str(&text).expect("a cookie of ours holds digits, letters and - _ . only");
        value.set_sensitive(true);
        (header::SET_COOKIE, value)
    }

    /// The header that takes it away.
    pub(crate) fn clear(&self, secure: bool) -> (HeaderName, HeaderValue) {
        self.set("", Some(TimeDelta::zero()), secure)
    }
}

/// The session that a request shows; none if it shows none, or several.
pub(crate) fn shown(headers: &HeaderMap, secure: bool) -> Option<SessionToken> {
    SessionToken::parse(Cookie::SESSION.shown(headers, secure)?)
}

/// The values of all cookies of that name.
fn values<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h str> {
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
    Cookie::SESSION.set(&token.to_cookie(), None, secure)
}

/// The header that takes it away.
pub(crate) fn clear(secure: bool) -> (HeaderName, HeaderValue) {
    Cookie::SESSION.clear(secure)
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
    fn those_of_a_sign_in_under_way_end_by_themselves() {
        let (_, value) = Cookie::SIGN_IN_BEGUN.set("x", Some(TimeDelta::minutes(10)), true);
        assert_eq!(value, "__Host-lineshift-begun=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure");
        let shown = |lines: &[&str], secure| Cookie::SIGN_IN_BEGUN.shown(&headers(lines), secure).map(str::to_owned);
        assert_eq!(shown(&["__Host-lineshift-begun=x"], true).as_deref(), Some("x"));
        assert_eq!(shown(&["lineshift-begun=x"], true), None, "one that came without TLS counts for nothing there");
        assert_eq!(shown(&["lineshift-begun=x; lineshift-begun=y"], false), None);
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
