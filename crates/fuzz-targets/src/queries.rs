//! Queries of addresses, with their cursors.

use lineshift_web::reading::{read_cursor, read_query};

/// The bytes are a query; as a text they are a cursor, too.
pub(crate) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let written = read_cursor(&text);
    assert!(written.len() <= 1, "several lists take {text:?}");
    for word in written {
        assert_eq!(read_cursor(&word), [word.as_str()], "a cursor is read as it was written");
    }
    // What is no address at all does not reach the reading of it.
    let Ok(address) = format!("/api/v1/devices?{text}").parse() else { return };
    if let Err(problem) = read_query(&address) {
        crate::records::check(&problem);
    }
}
