//! Which lines an order names: `Devices` by ICCID or `Numbers` by subscriber number.

use super::codes;
use super::fields::Fields;
use super::json::Node;
use super::problems::Problems;
use crate::limits::Limits;
use crate::lines::LineList;
use crate::terms::{LineIdentifier, PortalType};

/// The names of these fields.
pub(super) const DEVICES: &[&str] = &["Devices", "Numbers"];

/// Lines and by what they are named. What each of them holds is judged later, line by line (B4.6).
pub(super) type NamedLines = (LineIdentifier, LineList);

/// Whether an object names lines at all.
pub(super) fn names_lines(fields: &Fields<'_>) -> bool {
    DEVICES.iter().any(|name| fields.asks(name))
}

/// Takes the lines, of which there must be some; none after a problem was reported.
pub(super) fn read_devices(
    fields: &mut Fields<'_>,
    portal: PortalType,
    limits: &Limits,
    problems: &mut Problems,
) -> Option<NamedLines> {
    match (fields.asks("Devices"), fields.asks("Numbers")) {
        (false, false) => {
            report_missing(fields, portal, problems);
            None
        }
        (true, true) => {
            let message = "Devices are given too; name the lines by ICCID in Devices or by number in Numbers, not both";
            fields.report("Numbers", codes::CONFLICTING_FIELDS, message, problems);
            None
        }
        (true, false) => read_list(fields, "Devices", LineIdentifier::Iccid, portal, limits, problems),
        (false, true) => read_list(fields, "Numbers", LineIdentifier::Number, portal, limits, problems),
    }
}

fn report_missing(fields: &Fields<'_>, portal: PortalType, problems: &mut Problems) {
    let (name, expected) = match portal {
        PortalType::M2M => ("Devices", "Devices, an array of ICCIDs"),
        PortalType::Lnp => ("Numbers", "Numbers, an array of subscriber numbers"),
        PortalType::Mobility => ("Devices", "Devices, an array of ICCIDs, or Numbers, an array of subscriber numbers"),
    };
    let found = if DEVICES.iter().any(|name| fields.is_given(name)) { "empty" } else { "missing" };
    fields.report(name, codes::MISSING_FIELD, format!("{found}; give {expected}"), problems);
}

fn read_list(
    fields: &mut Fields<'_>,
    name: &str,
    identifier: LineIdentifier,
    portal: PortalType,
    limits: &Limits,
    problems: &mut Problems,
) -> Option<NamedLines> {
    check_portal(fields, name, identifier, portal, problems);
    match fields.take(name)? {
        Node::Lines(lines) => {
            check_count(fields, name, lines.len(), limits, problems);
            Some((identifier, lines))
        }
        Node::List(list) => {
            let found = list.iter().enumerate().find(|(_, node)| !matches!(node, Node::Text(_)));
            if let Some((nth, node)) = found {
                fields.report_type(&format!("{name}[{nth}]"), node, "a text: put its digits in quotes", problems);
            }
            None
        }
        other => {
            fields.report_type(name, &other, "an array of texts", problems);
            None
        }
    }
}

/// Reports lines that are more than one bulk change may have.
pub(super) fn check_count(fields: &Fields<'_>, name: &str, count: usize, limits: &Limits, problems: &mut Problems) {
    let most = limits.devices_per_change;
    if count > most {
        let message = format!("found {count} devices, expected at most {most}; order in several bulk changes");
        fields.report(name, codes::TOO_MANY_DEVICES, message, problems);
    }
}

/// Reports a field by which lines of the portal are not known.
pub(super) fn check_portal(
    fields: &Fields<'_>,
    name: &str,
    identifier: LineIdentifier,
    portal: PortalType,
    problems: &mut Problems,
) {
    if portal.knows_lines_by(identifier) {
        return;
    }
    let (found, expected) = match identifier {
        LineIdentifier::Iccid => ("ICCID", "subscriber number: give Numbers"),
        LineIdentifier::Number => ("number", "ICCID: give Devices"),
    };
    let message = format!("{portal} lines are not known by {found} but by {expected}, or order through another portal");
    fields.report(name, codes::WRONG_PORTAL, message, problems);
}

/// Takes the one line that stands inside `AssociateCustomerRequest` as the former system wrote it; none where none stands there
/// or after a problem was reported.
pub(super) fn read_one_device(
    fields: &mut Fields<'_>,
    listed_too: bool,
    portal: PortalType,
    problems: &mut Problems,
) -> Option<NamedLines> {
    let iccid = fields.written("ICCID", "an ICCID", problems);
    let number = fields.written("Number", "a subscriber number", problems);
    let jasper_id = fields.written("JasperDeviceID", "the ICCID once more", problems);
    if jasper_id.is_some() && jasper_id != iccid {
        let message = "lines are not looked up by JasperDeviceID; leave it out, or give the same digits as in ICCID";
        fields.report("JasperDeviceID", codes::CONFLICTING_FIELDS, message, problems);
    }
    if iccid.is_some() && number.is_some() {
        let message = "ICCID is given too; name the line by one of them";
        fields.report("Number", codes::CONFLICTING_FIELDS, message, problems);
        return None;
    }
    let (name, identifier, text) = match (iccid, number) {
        (Some(iccid), _) => ("ICCID", LineIdentifier::Iccid, iccid),
        (None, Some(number)) => ("Number", LineIdentifier::Number, number),
        (None, None) => return None,
    };
    if listed_too {
        let message = format!("Devices or Numbers are given too; {name} is for an order of one device without them");
        fields.report(name, codes::CONFLICTING_FIELDS, message, problems);
        return None;
    }
    check_portal(fields, name, identifier, portal, problems);
    Some((identifier, [text].into_iter().collect()))
}
