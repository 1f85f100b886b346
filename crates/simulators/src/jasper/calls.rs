//! What each call does once it fits the description: rules, and the ledger.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Jasper;
use super::ledger::{Device, FieldChange, Status};
use crate::chassis;
use crate::chassis::answers::{Failure, Success};

/// The most days ahead of an effective date.
const MOST_DAYS_AHEAD: i64 = 180;

/// The page size when the request names none, and at most.
const PAGE_SIZE: usize = 50;

/// How many days back an audit trail goes when the request does not say.
const DAYS_OF_HISTORY: usize = 30;

type Work<'w> = chassis::Work<'w, Jasper>;

/// Does what the call asks for.
pub(super) fn perform(work: &mut Work<'_>) -> Result<Success, Failure> {
    work.ledger.settle(work.now);
    match work.call.operation.name.as_str() {
        "GET /devices/{iccid}" => device(work).map(|device| Success::of(device.json())),
        "PUT /devices/{iccid}" => change(work),
        "GET /devices" => list(work),
        "GET /devices/{iccid}/auditTrails" => audit_trail(work),
        "GET /devices/{iccid}/ctdUsages" => device(work).map(|device| Success::of(device.usage_json())),
        "GET /rateplans" => rate_plans(work),
        name => Err(Failure::new(405, format!("{name} is not available"))),
    }
}

fn device<'l>(work: &'l Work<'_>) -> Result<&'l Device, Failure> {
    let iccid = work.call.in_path("iccid");
    work.ledger.devices.get(iccid).ok_or_else(|| Failure::new(404, "Resource not found - Invalid ICCID.").coded("20000001"))
}

/// `PUT /devices/{iccid}`: all of it, or nothing.
fn change(work: &mut Work<'_>) -> Result<Success, Failure> {
    let device = device(work)?;
    let iccid = device.iccid.clone();
    let changes = changes(work, device)?;
    let from = effective_from(work)?;
    let user = work.options.login.user.clone();
    work.ledger.assign(&iccid, changes, from, work.now, &user);
    Ok(Success::of(json!({ "iccid": iccid })))
}

/// What the body assigns, if each of it may be.
fn changes(work: &Work<'_>, device: &Device) -> Result<Vec<FieldChange>, Failure> {
    let ledger = &work.ledger;
    let text = |name: &str| work.call.body[name].as_str().map(str::to_owned);
    let mut changes = Vec::new();
    if let Some(text) = text("status") {
        let status = Status::find(&text).ok_or_else(|| Failure::new(400, "Invalid status.").coded("10000005"))?;
        device.status.may_become(status).map_err(|code| Failure::new(400, "Invalid status change.").coded(code))?;
        changes.push(FieldChange::Status(status));
    }
    if let Some(name) = text("ratePlan") {
        known(ledger.rate_plans.contains(&name), "rate plan", "10000013")?;
        changes.push(FieldChange::RatePlan(name));
    }
    if let Some(name) = text("communicationPlan") {
        known(ledger.communication_plans.contains(&name), "communication plan", "10000014")?;
        changes.push(FieldChange::CommunicationPlan(name));
    }
    if let Some(name) = text("customer") {
        known(ledger.customers.contains(&name), "customer", "10000015")?;
        changes.push(FieldChange::Customer(name));
    }
    changes.extend(text("deviceID").map(FieldChange::DeviceId));
    changes.extend(text("overageLimitOverride").map(FieldChange::OverageLimitOverride));
    changes.extend(text("ipv4Address").map(FieldChange::FixedIpAddress));
    Ok(changes)
}

fn known(is_known: bool, what: &str, code: &'static str) -> Result<(), Failure> {
    if is_known { Ok(()) } else { Err(Failure::new(400, format!("Invalid {what}.")).coded(code)) }
}

/// From when the change holds; what lies in the past is now.
fn effective_from(work: &Work<'_>) -> Result<DateTime<Utc>, Failure> {
    let from = work.call.body["effectiveDate"].as_str().and_then(moment).unwrap_or(work.now);
    if from > work.now + TimeDelta::days(MOST_DAYS_AHEAD) {
        return Err(Failure::new(400, "effectiveDate: is more than 180 days ahead").coded("10000012"));
    }
    Ok(from.max(work.now))
}

/// `GET /devices`
fn list(work: &Work<'_>) -> Result<Success, Failure> {
    let since = work.call.query.text("modifiedSince").and_then(moment);
    let changed = work.ledger.devices.values().filter(|device| since.is_none_or(|since| device.date_updated >= since));
    Ok(page(work, "devices", changed.map(Device::listed_json)))
}

/// `GET /devices/{iccid}/auditTrails`, the latest first.
fn audit_trail(work: &Work<'_>) -> Result<Success, Failure> {
    let device = device(work)?;
    let days = work.call.query.number("daysOfHistory").unwrap_or(DAYS_OF_HISTORY);
    let since = work.now - TimeDelta::days(i64::try_from(days).unwrap_or(0));
    let trail = work.ledger.audit.iter().rev();
    let trail = trail.filter(|entry| entry.iccid == device.iccid && entry.effective_date >= since);
    Ok(page(work, "deviceAuditTrails", trail.map(super::AuditEntry::json)))
}

/// `GET /rateplans`
fn rate_plans(work: &Work<'_>) -> Result<Success, Failure> {
    if !work.options.is_admin {
        return Err(Failure::new(403, "The role has no access to this API.").coded("10000030"));
    }
    Ok(page(work, "ratePlans", work.ledger.rate_plans.iter().map(|name| json!({ "name": name }))))
}

fn page(work: &Work<'_>, name: &str, records: impl Iterator<Item = Value>) -> Success {
    let number = work.call.query.number("pageNumber").unwrap_or(1);
    let size = work.call.query.number("pageSize").unwrap_or(PAGE_SIZE);
    let mut rest = records.skip((number - 1).saturating_mul(size));
    let records: Vec<Value> = rest.by_ref().take(size).collect();
    Success::of(json!({ "pageNumber": number, name: records, "lastPage": rest.next().is_none() }))
}

/// A moment of a request: ISO 8601 with its zone, or a day in UTC such as `2026-12-01Z`.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let whole = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    let day = || NaiveDate::parse_from_str(text.strip_suffix('Z')?, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    whole.map(|moment| moment.with_timezone(&Utc)).ok().or_else(|| day().map(|day| day.and_utc()))
}
