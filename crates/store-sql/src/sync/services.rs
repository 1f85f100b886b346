//! Services of a page: new, changed, gone.

use std::collections::HashMap;

use chrono::NaiveDate;
use lineshift_domain::ids::TenantId;
use lineshift_domain::sync::{FindingKind, FindingSubject};
use lineshift_store::Result;
use lineshift_store::billing::{Disconnected, RevServiceRow};
use lineshift_store::sync::GoneService;

use super::record::{Differences, Found, Page, last_of_each};
use crate::billing::services::disconnect;
use crate::json::json as to_json;
use crate::sql::sync as text;
use crate::value::Parameter;

/// What is stored of a service.
struct Stored {
    number: Option<String>,
    iccid: Option<String>,
    service_type: Option<i64>,
    provider: Option<i64>,
    activated: Option<NaiveDate>,
    disconnected: Option<NaiveDate>,
    has_package: bool,
    seen: bool,
    has_line: bool,
    /// Written by this system since the run began, or held by an open change.
    is_ours: bool,
}

/// Writes services that were read, and those that are gone.
pub(super) fn write(page: &mut Page<'_>, given: &[RevServiceRow], gone: &[GoneService]) -> Result<()> {
    let mut touched = read_services(page, given)?;
    touched.extend(gone_services(page, gone)?);
    if !touched.is_empty() {
        page.sql.execute(text::LINK_LINES, &[&page.tenant(), &to_json(&touched)?])?;
    }
    Ok(())
}

/// Answers the services that were written.
fn read_services(page: &mut Page<'_>, given: &[RevServiceRow]) -> Result<Vec<(i64, i64)>> {
    let given = last_of_each(given, |service| (service.rev_customer_id, service.rev_service_id));
    if given.is_empty() {
        return Ok(Vec::new());
    }
    let mut customers: Vec<i64> = given.iter().map(|service| service.rev_customer_id.0).collect();
    customers.dedup();
    let known = page.known_customers(&customers)?;
    let keys: Vec<(i64, i64)> = given.iter().map(|service| key(service)).collect();
    let stored = stored_services(page, &keys)?;
    let (mut written, mut seen) = (Vec::new(), Vec::new());
    for (place, service) in given.into_iter().enumerate() {
        match known.get(&service.rev_customer_id.0) {
            Some(true) => {}
            of_another => {
                let here = match of_another {
                    Some(_) => format!("customer {} belongs to another integration here", service.rev_customer_id),
                    None => format!("customer {} is not known here; synchronise customers", service.rev_customer_id),
                };
                page.find(FindingKind::LeftOut, about(service, Some(here)));
                continue;
            }
        }
        match stored.get(&place) {
            Some(stored) => {
                // Only a read of that very service may say that it is gone: until then it stays unseen.
                if !stored.is_ours && stored.disconnected.is_none() && service.disconnected_date.is_some() {
                    continue;
                }
                if compare(page, service, stored) {
                    written.push(service.clone());
                }
            }
            None => {
                page.count(Some(FindingKind::New));
                page.find(FindingKind::New, about(service, None));
                written.push(service.clone());
            }
        }
        seen.push(keys[place]);
    }
    page.sql.procedures().create_services(page.sql, TenantId(page.tenant()), &written, page.now)?;
    page.sql.execute(text::MARK_SERVICES, &[&page.tenant(), &to_json(&seen)?, &page.run()])?;
    Ok(written.iter().map(key).collect())
}

const fn key(service: &RevServiceRow) -> (i64, i64) {
    (service.rev_customer_id.0, service.rev_service_id.0)
}

fn stored_services(page: &Page<'_>, keys: &[(i64, i64)]) -> Result<HashMap<usize, Stored>> {
    let run = page.run();
    let day = |at: Option<chrono::DateTime<chrono::Utc>>| at.map(|at| at.date_naive());
    let stored = page.sql.query(text::FIND_SERVICES, &[&page.tenant(), &to_json(keys)?, &page.began()], |row| {
        let stored = Stored {
            number: row.get(1)?,
            iccid: row.get(2)?,
            service_type: row.get(3)?,
            provider: row.get(4)?,
            activated: day(row.maybe_time(5)?),
            disconnected: day(row.maybe_time(6)?),
            has_package: row.get(7)?,
            seen: row.get::<Option<i64>>(8)? == Some(run),
            has_line: row.get(9)?,
            is_ours: row.get::<bool>(10)? || row.get::<bool>(11)?,
        };
        Ok((row.place(0)?, stored))
    })?;
    Ok(stored.into_iter().collect())
}

/// Whether the service is to be written: it differs, or its line was not known and may be by now. One that the run has seen is not.
fn compare(page: &mut Page<'_>, service: &RevServiceRow, stored: &Stored) -> bool {
    if stored.seen {
        return false;
    }
    let mut differences = Differences::default();
    if !stored.is_ours {
        differences.known("number", stored.number.as_ref(), service.number.as_ref());
        differences.known("ICCID", stored.iccid.as_ref(), service.iccid.as_ref());
        differences.known("service type", stored.service_type.as_ref(), service.rev_service_type_id.as_ref());
        differences.known("provider", stored.provider.as_ref(), service.rev_provider_id.as_ref());
        differences.known("activated", stored.activated.as_ref(), service.activated_date.as_ref());
        differences.exactly("disconnected", stored.disconnected.as_ref(), service.disconnected_date.as_ref());
        differences.exactly("package", Some(&stored.has_package), Some(&service.has_package));
    }
    let shown = differences.shown();
    let differs = shown.is_some();
    page.count(differs.then_some(FindingKind::Changed));
    if let Some((here, there)) = shown {
        page.find(FindingKind::Changed, Found { there: Some(there), ..about(service, Some(here)) });
    }
    differs || (!stored.has_line && !stored.is_ours)
}

fn about(service: &RevServiceRow, here: Option<String>) -> Found {
    let id = service.rev_service_id.0;
    let number = service.number.as_deref().unwrap_or("none");
    let state = match (service.disconnected_date, service.activated_date) {
        (Some(day), _) => format!("disconnected {day}"),
        (None, Some(day)) => format!("connected since {day}"),
        (None, None) => "connected".to_owned(),
    };
    Found {
        subject: FindingSubject::Service,
        subject_id: id,
        customer: Some(service.rev_customer_id.0),
        service: Some(id),
        device: None,
        line: service.iccid.clone().or_else(|| service.number.clone()),
        here,
        there: Some(format!("number {number}, {state}")),
    }
}

/// Disconnects services here with all that is charged on them; answers those that still were connected.
fn gone_services(page: &mut Page<'_>, gone: &[GoneService]) -> Result<Vec<(i64, i64)>> {
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let keys: Vec<(i64, i64)> = gone.iter().map(|one| (one.rev_customer_id.0, one.rev_service_id.0)).collect();
    let parameters: [&dyn Parameter; 3] = [&page.tenant(), &to_json(&keys)?, &page.began()];
    let places = page.sql.query(text::FIND_STILL_CONNECTED, &parameters, |row| row.place(0))?;
    let mut disconnected = Vec::with_capacity(places.len());
    for place in &places {
        let GoneService { rev_customer_id, rev_service_id, on, there } = &gone[*place];
        disconnected.push(Disconnected { rev_customer_id: *rev_customer_id, rev_service_id: *rev_service_id, on: *on, by: None });
        page.counts.gone += 1;
        let found = Found {
            subject: FindingSubject::Service,
            subject_id: rev_service_id.0,
            customer: Some(rev_customer_id.0),
            service: Some(rev_service_id.0),
            device: None,
            line: None,
            here: Some("connected".to_owned()),
            there: Some(there.clone()),
        };
        page.find(FindingKind::Gone, found);
    }
    disconnect(page.sql, TenantId(page.tenant()), &disconnected, page.now)?;
    Ok(places.into_iter().map(|place| keys[place]).collect())
}
