//! What pages are made of beside HTML. It is in the binary, and its address changes with it, so that browsers may keep it for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use super::refused::PageRefused;
use crate::problem::ApiProblem;

/// One file.
struct Asset {
    address: String,
    kind: &'static str,
    content: &'static [u8],
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, content: &'static [u8]) -> Self {
        let digest: [u8; 32] = Sha256::digest(content).into();
        let mark: String = digest[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { address: format!("/assets/{stem}-{mark}.{ending}"), kind, content }
    }
}

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("portal", "css", "text/css; charset=utf-8", include_bytes!("../../assets/portal.css")));
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    // One file for browsers: what the second calls stands in the first.
    let script = concat!(include_str!("../../assets/follow.js"), include_str!("../../assets/portal.js"));
    Asset::new("portal", "js", "text/javascript; charset=utf-8", script.as_bytes())
});
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_bytes!("../../assets/icon.svg")));

/// The address of the style sheet.
pub(super) fn style() -> &'static str {
    &STYLE.address
}

/// The address of the script.
pub(super) fn script() -> &'static str {
    &SCRIPT.address
}

/// The address of the icon.
pub(super) fn icon() -> &'static str {
    &ICON.address
}

/// `GET /assets/{name}`
pub(super) async fn show(Path(name): Path<String>) -> Result<Response, PageRefused> {
    let wanted = [&STYLE, &SCRIPT, &ICON].into_iter().find(|asset| asset.address.strip_prefix("/assets/") == Some(&name));
    let asset = wanted.ok_or_else(ApiProblem::not_found)?;
    let headers = [(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.content).into_response())
}
