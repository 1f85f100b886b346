//! Devices: read, assigned, listed; their audit trail and usage.

use chrono::{DateTime, Utc};

use super::open_points::iso_8601;
use super::pages::List;
use super::wire::{AuditEntry, Device, EditDevice, Edited, Usage};
use super::{JasperAssignment, JasperAuditEntry, JasperClient, JasperDevice, JasperUsage, MOST_DAYS_OF_HISTORY};
use crate::address::push_encoded;
use crate::batch::all_pages;
use crate::carrier::IccId;
use crate::http::{Answer, Effect, Permit};
use crate::json::{self, body_of};
use crate::{Batch, Called};

impl JasperClient {
    pub(super) async fn device(&self, iccid: &IccId) -> Called<Option<JasperDevice>> {
        let read = |answer: &Answer| {
            let device = JasperDevice::from(json::read::<Device>(answer)?);
            same(iccid, &device.iccid).map(|()| device)
        };
        self.endpoint.read(&format!("/devices/{iccid}"), read).await.or_not_found()
    }

    pub(super) async fn put_device(&self, permit: Permit, iccid: &IccId, assignment: &JasperAssignment) -> Called<()> {
        let effective_date = assignment.effective_at.map(|moment| self.open_points.effective_date(moment));
        let body = body_of(&EditDevice::new(assignment, effective_date));
        let effect = Effect { method: "PUT", path: format!("/devices/{iccid}"), body };
        let read = |answer: &Answer| same(iccid, &json::read::<Edited>(answer)?.iccid);
        self.endpoint.send(permit, effect, read).await
    }

    pub(super) async fn devices_page(&self, modified_since: DateTime<Utc>, page: u32) -> Called<Batch<JasperDevice>> {
        let mut path = "/devices?modifiedSince=".to_owned();
        push_encoded(&iso_8601(modified_since), &mut path);
        self.page::<Device, _>(&List { path: &path, records: "devices", has_marked_pages: true }, page).await
    }

    pub(super) async fn audit_trail(&self, iccid: &IccId, days: u16) -> Called<Option<Vec<JasperAuditEntry>>> {
        let days = days.clamp(1, MOST_DAYS_OF_HISTORY);
        let path = format!("/devices/{iccid}/auditTrails?daysOfHistory={days}");
        let list = &List { path: &path, records: "deviceAuditTrails", has_marked_pages: false };
        all_pages(|_, pages| self.page::<AuditEntry, _>(list, pages + 1)).await.or_not_found()
    }

    pub(super) async fn usage(&self, iccid: &IccId) -> Called<Option<JasperUsage>> {
        let read = |answer: &Answer| {
            let usage = JasperUsage::from(json::read::<Usage>(answer)?);
            same(iccid, &usage.iccid).map(|()| usage)
        };
        self.endpoint.read(&format!("/devices/{iccid}/ctdUsages"), read).await.or_not_found()
    }
}

/// That an answer is about the device that was asked for.
fn same(asked: &IccId, answered: &IccId) -> Result<(), String> {
    if asked == answered { Ok(()) } else { Err(format!("asked for {asked}, it answers {answered}")) }
}
