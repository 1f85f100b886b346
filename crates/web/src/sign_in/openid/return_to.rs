//! Where a browser goes once it is signed in: a place on this server, and never another one.

/// The longest that is kept: it has to fit into a cookie.
const LONGEST: usize = 1_000;

/// Whether that is a path of this server, with or without a query. Two slashes, or what browsers take for one, begin another host.
pub(crate) fn read(text: &str) -> Option<String> {
    let rest = text.strip_prefix('/')?;
    let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>^`{|}".contains(&byte));
    (is_plain && !rest.starts_with('/') && text.len() <= LONGEST).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_server_and_nothing_else() {
        for path in ["/", "/bulk-changes/12?tab=log#row-5", "/a//b", "/%2F%2Fevil.example", "/.//x", "/@evil.example", "/:80"] {
            assert_eq!(read(path).as_deref(), Some(path), "{path}");
            // As a browser reads it.
            let base = url::Url::parse("https://portal.example/api/v1/session/openid/callback").expect("an address");
            assert_eq!(base.join(path).expect("an address").host_str(), Some("portal.example"), "{path}");
        }
        let long = format!("/{}", "x".repeat(1_000));
        for other in [
            "",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/x\\..\\..\\evil",
            "///evil.example",
            "javascript:alert(1)",
            "evil.example",
            " /x",
            "/ /evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/x\r\nSet-Cookie: a=b",
            "/é",
            "/\u{2215}evil",
            "/x\"><script>",
            &long,
        ] {
            assert_eq!(read(other), None, "{other:?}");
        }
    }
}
