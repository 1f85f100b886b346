//! A SIM card's number.

/// The ICCID of a SIM card: 18 to 22 digits (B4.6, rule 1), so that it stands for itself in an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IccId(String);

/// It is not 18 to 22 digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an ICCID is 18 to 22 digits")]
pub struct NoIccId;

impl IccId {
    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for IccId {
    type Err = NoIccId;

    fn from_str(text: &str) -> Result<Self, NoIccId> {
        let is_iccid = (18..=22).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_iccid { Ok(Self(text.to_owned())) } else { Err(NoIccId) }
    }
}

impl std::fmt::Display for IccId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_nothing_else() {
        for right in ["890126031421465612", "89012603142146561234", "8901260314214656123456"] {
            assert_eq!(right.parse::<IccId>().map(|iccid| iccid.to_string()).as_deref(), Ok(right));
        }
        for wrong in [
            "",
            "..",
            "89012603142146561",
            "89012603142146561234567",
            "8901260314214656123F",
            " 89012603142146561234",
            "８９０１２６",
        ] {
            assert_eq!(wrong.parse::<IccId>(), Err(NoIccId), "{wrong}");
        }
    }
}
