//! Lists of lines as people paste them: ICCIDs and numbers, one a line.

use lineshift_connectors::carrier::IccId;
use lineshift_domain::lines::{LineList, read_line};
use lineshift_domain::terms::LineIdentifier;

/// Every line of the text is one entry.
pub(crate) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let written: Vec<&str> = text.split('\n').collect();
    let list: LineList = written.iter().collect();
    assert_eq!(list.len(), written.len());
    assert!(list.iter().eq(written.iter().copied()), "entries stay as they were written");
    for entry in list.iter() {
        for identifier in [LineIdentifier::Iccid, LineIdentifier::Number] {
            let Ok(digits) = read_line(identifier, entry) else { continue };
            let shown = digits.to_string();
            assert_eq!(shown.len(), digits.len());
            assert_eq!(read_line(identifier, &shown), Ok(digits), "{entry:?}");
            let kept: String = entry.chars().filter(char::is_ascii_digit).collect();
            assert_eq!(kept, shown, "no digit comes or goes");
        }
        if let Ok(iccid) = entry.parse::<IccId>() {
            assert!(
                read_line(LineIdentifier::Iccid, iccid.as_str()).is_ok(),
                "what a carrier may name, an order may, too: {entry:?}"
            );
        }
    }
}
