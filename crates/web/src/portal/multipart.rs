//! Forms with files (`multipart/form-data`, RFC 7578), as browsers send them: taken apart where they lie.

use std::sync::Arc;

use crate::problem::ApiProblem;

/// More fields than a form of ours has.
const PARTS: usize = 20;

/// A file that was sent.
#[derive(Clone)]
pub(super) struct SentFile {
    /// The field.
    pub(super) field: String,
    /// How its owner calls it.
    pub(super) name: String,
    pub(super) content: Arc<[u8]>,
}

/// The fields and the files of a form.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) fields: Vec<(String, String)>,
    pub(super) files: Vec<SentFile>,
}

/// The boundary that a content type names; none: it is of another type.
pub(super) fn boundary_of(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';').map(str::trim);
    if !parameters.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let (_, boundary) =
        parameters.filter_map(|each| each.split_once('=')).find(|(name, _)| name.eq_ignore_ascii_case("boundary"))?;
    let boundary = boundary.trim_matches('"');
    (1..=70).contains(&boundary.len()).then(|| boundary.to_owned())
}

/// Takes a form apart. Errors: 400.
pub(super) fn read(boundary: &str, body: &[u8]) -> Result<Parts, ApiProblem> {
    let unreadable = || ApiProblem::unreadable("", "wrong_form", "the form cannot be read; send it as a browser does");
    let delimiter = format!("--{boundary}");
    let mut parts = Parts::default();
    let mut rest = after(body, delimiter.as_bytes()).ok_or_else(unreadable)?;
    let closing = format!("\r\n{delimiter}");
    while !rest.starts_with(b"--") {
        let part = rest.strip_prefix(b"\r\n").ok_or_else(unreadable)?;
        let end = find(part, closing.as_bytes()).ok_or_else(unreadable)?;
        take(&part[..end], &mut parts).ok_or_else(unreadable)?;
        if parts.fields.len() + parts.files.len() > PARTS {
            return Err(unreadable());
        }
        rest = &part[end + closing.len()..];
    }
    Ok(parts)
}

/// One part: headers, an empty line, the content.
fn take(part: &[u8], parts: &mut Parts) -> Option<()> {
    let split = find(part, b"\r\n\r\n")?;
    let (head, content) = (std::str::from_utf8(&part[..split]).ok()?, &part[split + 4..]);
    let disposition = head
        .split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .find_map(|(name, value)| name.eq_ignore_ascii_case("content-disposition").then(|| value.trim()))?;
    let field = parameter(disposition, "name")?;
    match parameter(disposition, "filename") {
        // A field for files without one is sent with neither name nor content.
        Some(name) if name.is_empty() && content.is_empty() => {}
        Some(name) => parts.files.push(SentFile { field, name, content: content.into() }),
        None => parts.fields.push((field, std::str::from_utf8(content).ok()?.to_owned())),
    }
    Some(())
}

/// A quoted parameter. Browsers write quotes and line ends within as `%22`, `%0D` and `%0A`, so that the next quote ends it.
fn parameter(disposition: &str, name: &str) -> Option<String> {
    let wanted = format!(" {name}=\"");
    let start = disposition.find(&wanted)? + wanted.len();
    let value = disposition[start..].split('"').next()?;
    Some(value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
}

fn after<'b>(bytes: &'b [u8], sought: &[u8]) -> Option<&'b [u8]> {
    find(bytes, sought).map(|place| &bytes[place + sought.len()..])
}

/// The place of some bytes within others: each line end, or dash, is a candidate.
fn find(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    let (first, mut from) = (*sought.first()?, 0);
    loop {
        let place = from + bytes[from..].iter().position(|byte| *byte == first)?;
        if bytes[place..].starts_with(sought) {
            return Some(place);
        }
        from = place + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_files_are_taken_apart() {
        let boundary = boundary_of("multipart/form-data; boundary=\"--x9\"").expect("a boundary");
        let body = "----x9\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\nabc\r\n----x9\r\nContent-Disposition: form-data; \
            name=\"file\"; filename=\"a%22b.csv\"\r\nContent-Type: text/csv\r\n\r\n1\r\n--2\r\n\r\n----x9--\r\n";
        let parts = read(&boundary, body.as_bytes()).expect("a form");
        assert_eq!(parts.fields, [("csrf_token".to_owned(), "abc".to_owned())]);
        let file = &parts.files[0];
        assert_eq!((file.field.as_str(), file.name.as_str(), &*file.content), ("file", "a\"b.csv", &b"1\r\n--2\r\n"[..]));
    }

    #[test]
    fn what_breaks_off_is_no_form() {
        for body in ["", "--x", "--x\r\n", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb", "--x\r\n\r\n\r\n--x--"] {
            assert!(read("x", body.as_bytes()).is_err(), "{body:?}");
        }
        for other in ["application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary="] {
            assert_eq!(boundary_of(other), None, "{other}");
        }
    }
}
