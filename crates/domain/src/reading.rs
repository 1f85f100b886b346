//! Reading a request body into an order (B4.1 to B4.4): all problems at once, or an order of the right form.
//!
//! Nothing is looked up here: whether a customer exists, whether a date lies too far off and what a line qualifies
//! for is decided later. What is read is everything that B4.2, B4.3 and B9.3 name; whether it can be carried out is
//! decided later too.
//!
//! Fields are the former system's, in PascalCase, matched without regard to case. `null` counts as absent, and so does an empty
//! text where a text is optional. A field that asks for nothing (`false`, an empty text) may stand without its option.

mod activation;
mod assignment;
mod bulk;
mod changes;
pub mod codes;
mod devices;
mod envelope;
mod fields;
mod forms;
mod json;
mod moment;
mod nearest;
mod numbers;
mod problems;
mod rev_service;

pub use nearest::nearest;

use crate::limits::Limits;
use crate::order::{EffectiveDate, Order};
use crate::refusal::Refusal;
use crate::terms::PortalType;

/// Reads the body of `POST /{portal}/AssociateCustomer` (B4.2).
///
/// # Errors
/// Class `Unreadable` if the body is no JSON object, `TooLarge` if it is longer than `limits.body_bytes`,
/// else `Rule` with every problem found (the first hundred).
pub fn read_associate_customer(body: &[u8], portal: PortalType, limits: &Limits) -> Result<Order, Refusal> {
    assignment::read_body(body, portal, limits)
}

/// Reads the body of `POST /{portal}/BulkChange` and of `POST /{portal}/ValidateBulkChange` (B4.3, B9.3).
///
/// `Name` and `Reason` may stand beside `ChangeType` for every type, inside `AssociateCustomerRequest`, or in both
/// places with the same text; the same holds for `ServiceProviderId` and `ProcessChanges`.
///
/// An order of one device may leave out `Devices` and `Numbers` and give `ICCID` or `Number` inside
/// `AssociateCustomerRequest`. `JasperDeviceID` is accepted there beside `ICCID` if it holds the same digits (Cisco
/// knows a line by its ICCID) and refused otherwise: Lineshift does not look lines up by it.
///
/// # Errors
/// As [`read_associate_customer`].
pub fn read_bulk_change(body: &[u8], portal: PortalType, limits: &Limits) -> Result<Order, Refusal> {
    bulk::read_body(body, portal, limits)
}

/// Reads a date (B6.6): `2026-12-01`, `2026-12-01T08:00`, `2026-12-01T08:00:00.123`, with `Z`, `+02:00`, `+0200`
/// or `+02` behind the time, or without. None if it is not ISO 8601 or names no moment of the calendar.
#[must_use]
pub fn read_effective_date(text: &str) -> Option<EffectiveDate> {
    moment::read_effective_date(text)
}
