//! What is put into an address.

/// Appends a value so that it stands for itself in a path or a query: all but letters, digits and `-_.~` is encoded.
pub(crate) fn push_encoded(value: &str, address: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => address.push(char::from(byte)),
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
}
