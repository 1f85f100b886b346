//! ICCIDs, subscriber numbers and IMEIs of the right form.

/// The check digit that ends a number (ITU-T E.118 for ICCIDs, 3GPP TS 23.003 for IMEIs): Luhn's.
pub(super) fn check_digit(digits: &str) -> char {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0');
            if place % 2 == 0 { value * 2 / 10 + value * 2 % 10 } else { value }
        })
        .sum();
    char::from_digit((10 - sum % 10) % 10, 10).expect("a remainder of ten is one digit")
}

/// 89, country, issuer (together the prefix), a serial of that many digits, and the check digit.
pub(super) fn iccid(prefix: &str, serial: u64, digits: usize) -> String {
    let mut iccid = format!("{prefix}{serial:0digits$}");
    iccid.push(check_digit(&iccid));
    iccid
}

/// A number in the North American plan, of the area codes 500, 521 to 529 that belong to no place.
pub(super) fn subscriber_number(serial: u64) -> String {
    const AREAS: [u32; 10] = [500, 521, 522, 523, 524, 525, 526, 527, 528, 529];
    const EACH: u64 = 8_000_000;
    let area = usize::try_from(serial / EACH % 10).expect("less than ten");
    format!("1{}{}", AREAS[area], 2_000_000 + serial % EACH)
}

/// A type allocation code, a serial number and the check digit.
pub(super) fn imei(serial: u64) -> String {
    let mut imei = format!("{:08}{:06}", 35_890_100 + serial / 1_000_000 % 100, serial % 1_000_000);
    imei.push(check_digit(&imei));
    imei
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_known_numbers() {
        // The examples of the standards' texts and of everybody's first Luhn test.
        for (digits, expected) in [("7992739871", '3'), ("49015420323751", '8'), ("0", '0')] {
            assert_eq!(check_digit(digits), expected, "{digits}");
        }
    }
}
