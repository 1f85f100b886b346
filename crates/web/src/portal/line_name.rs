//! How pages call a line.

use lineshift_domain::terms::LineIdentifier;

/// By what lines are known there, a portal or an order; by the other where it has none of that.
pub(super) fn line_name(by: LineIdentifier, iccid: Option<&str>, number: Option<&str>) -> String {
    let name = match by {
        LineIdentifier::Iccid => iccid.or(number),
        LineIdentifier::Number => number.or(iccid),
    };
    name.unwrap_or_default().to_owned()
}
