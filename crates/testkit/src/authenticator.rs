//! An authenticator that people carry with them.

use aws_lc_rs::hmac;

/// What it shows at a moment, given in seconds since 1970, as RFC 6238 has it: made here once more, so that two understandings must agree.
///
/// # Panics
/// When the secret is not written in base 32.
#[must_use]
pub fn shown(secret: &str, unix: i64) -> String {
    let bits: String =
        secret.chars().map(|c| format!("{:05b}", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(c).expect("base32"))).collect();
    let key: Vec<u8> = (0..bits.len() / 8).map(|at| u8::from_str_radix(&bits[8 * at..8 * at + 8], 2).expect("bits")).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let tag = hmac::sign(&key, &(unix as u64 / 30).to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let number = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().expect("four bytes")) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}
