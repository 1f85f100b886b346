//! What holds for every refusal, whoever gives it.

/// The most bytes that an answer to a refused request may have: a hundred problems with room for each.
pub(crate) const MOST_BYTES: usize = 128 << 10;

/// The most problems that are listed, with the one that counts the others.
const MOST_PROBLEMS: usize = 101;

/// One problem: where, which, what is said.
pub(crate) struct Said<'a> {
    pub(crate) field: &'a str,
    pub(crate) code: &'a str,
    pub(crate) message: &'a str,
}

/// Each problem says what it is, those of `places` say where, and all together are short.
pub(crate) fn check<'a>(problems: impl Iterator<Item = Said<'a>>, has_places: bool) {
    let (mut count, mut bytes) = (0, 0);
    for Said { field, code, message } in problems {
        count += 1;
        bytes += field.len() + code.len() + message.len();
        assert!(!code.is_empty() && !message.is_empty(), "a problem says what it is");
        // What concerns several fields, or all, has no single place.
        let about_all = ["more_problems", "missing_field", "conflicting_fields"].contains(&code);
        assert!(!has_places || about_all || !field.is_empty(), "{code} has no place: {message}");
    }
    assert!((1..=MOST_PROBLEMS).contains(&count), "{count} problems");
    assert!(bytes <= MOST_BYTES, "{bytes} bytes of problems");
}
