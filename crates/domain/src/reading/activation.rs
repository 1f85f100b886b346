//! `NewServiceActivation` (B9.3).

use super::assignment::{IN_ACTIVATION, read_assignment};
use super::changes::read_customer_rate_plan;
use super::codes;
use super::devices::{NamedLines, check_count, check_portal};
use super::fields::{Fields, Known};
use super::forms::LONGEST_TEXT;
use super::json::Node;
use super::problems::Problems;
use crate::limits::Limits;
use crate::lines::LineList;
use crate::order::{ActivationLine, ActivationOrder};
use crate::terms::{LineIdentifier, PortalType};

const ACTIVATION: Known = &[&[
    "BillingAccount",
    "Lines",
    "RatePlanCode",
    "OfferingCodes",
    "FirstName",
    "LastName",
    "CustomerRatePlanUpdate",
    "StaticIp",
    "AssociateCustomerRequest",
]];
const LINE: Known = &[&["ICCID", "IMEI", "ServiceZipCode"]];

/// Reads `NewServiceActivation` and the lines that it names; none where absent.
pub(super) fn read_activation(
    fields: &mut Fields<'_>,
    portal: PortalType,
    limits: &Limits,
    problems: &mut Problems,
) -> Option<(ActivationOrder, NamedLines)> {
    let mut inside = fields.object("NewServiceActivation", ACTIVATION, problems)?;
    let lines = read_lines(&mut inside, portal, limits, problems);
    let iccids: LineList = lines.iter().map(|line| line.iccid.as_str()).collect();
    let order = ActivationOrder {
        billing_account: inside.required_text("BillingAccount", "the billing account at the carrier", problems),
        lines,
        rate_plan_code: inside.required_text("RatePlanCode", "the carrier's rate plan code", problems),
        offering_codes: read_offering_codes(&mut inside, problems),
        first_name: inside.required_text("FirstName", "the subscriber's first name", problems),
        last_name: inside.required_text("LastName", "the subscriber's last name", problems),
        customer_rate_plan: read_customer_rate_plan(&mut inside, problems),
        static_ip: inside.text("StaticIp", LONGEST_TEXT, problems),
        assignment: inside
            .object("AssociateCustomerRequest", IN_ACTIVATION, problems)
            .map(|mut fields| read_assignment(&mut fields, problems)),
    };
    Some((order, (LineIdentifier::Iccid, iccids)))
}

fn read_lines(fields: &mut Fields<'_>, portal: PortalType, limits: &Limits, problems: &mut Problems) -> Vec<ActivationLine> {
    if !fields.asks("Lines") {
        fields.report("Lines", codes::MISSING_FIELD, "missing or empty; give an array of lines to activate", problems);
    }
    check_portal(fields, "Lines", LineIdentifier::Iccid, portal, problems);
    let mut lines = Vec::new();
    fields.each_object("Lines", LINE, problems, |mut line, problems| {
        lines.push(ActivationLine {
            iccid: line.required_text("ICCID", "the SIM card's ICCID", problems),
            imei: line.required_text("IMEI", "the hardware's IMEI", problems),
            service_zip_code: line.required_text("ServiceZipCode", "the zip code where the line is used", problems),
        });
    });
    check_count(fields, "Lines", lines.len(), limits, problems);
    lines
}

/// The carrier's codes; none of them where absent.
fn read_offering_codes(fields: &mut Fields<'_>, problems: &mut Problems) -> Vec<String> {
    match fields.take("OfferingCodes") {
        None => Vec::new(),
        Some(Node::Lines(texts)) => {
            let found: Vec<String> = texts.iter().map(str::to_owned).collect();
            if let Some(nth) = found.iter().position(|code| code.trim().is_empty() || code.chars().count() > LONGEST_TEXT) {
                let message = format!("expected a code of 1 to {LONGEST_TEXT} characters");
                fields.report(&format!("OfferingCodes[{nth}]"), codes::WRONG_FORM, message, problems);
            }
            found
        }
        Some(other) => {
            fields.report_type("OfferingCodes", &other, "an array of texts", problems);
            Vec::new()
        }
    }
}
