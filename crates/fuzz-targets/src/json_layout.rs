//! The same JSON in another layout.

/// With blanks wherever there may be some. What is no JSON becomes something else that is none, or stays.
pub(crate) fn spread(json: &[u8]) -> Vec<u8> {
    let (mut spread, mut in_text, mut escaped) = (Vec::with_capacity(json.len() * 2), false, false);
    for &byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ => {}
        }
        let is_structure = !in_text && b"{}[]:,".contains(&byte);
        if is_structure {
            spread.extend_from_slice(b" \n");
        }
        spread.push(byte);
        if is_structure {
            spread.extend_from_slice(b"\t ");
        }
    }
    spread
}
