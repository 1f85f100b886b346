//! Jasper as every carrier is asked.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::carrier::{Abilities, CarrierChange, CarrierLine};
use secrecy::SecretString;

use super::abilities::ABILITIES;
use super::{JasperAssignment, JasperClient, JasperCredentials, JasperDevice, JasperStatus};
use crate::carrier::setting::{Believed, Setting};
use crate::carrier::{
    Carrier, CarrierKind, Known, LineAct, LineRef, LineUsage, ListedLine, ListedPlan, Next, Sent, SentAll, paced, refused_here,
};
use crate::http::{Account, Permit};
use crate::{Batch, Called, Exchange};

/// Cisco IoT Control Center. One PUT sets what is asked; a status is believed once the device shows it (B9.2).
#[derive(Debug, Clone, Copy)]
pub struct Jasper;

impl CarrierKind for Jasper {
    fn abilities(&self) -> &'static Abilities {
        &ABILITIES
    }

    fn next(&self, asked: &CarrierChange, known: &Known<'_>) -> Next {
        let (what, believed) = match asked {
            CarrierChange::RatePlan { .. } => ("set rate plan", Believed::WhenAnswered),
            CarrierChange::Status { .. } => ("set status", Believed::WhenShown),
        };
        Setting { carrier: ABILITIES.name, what, believed }.next(asked, known)
    }

    fn connect(&self, account: Account, base_address: &str, credentials: &SecretString) -> Result<Arc<dyn Carrier>, String> {
        let credentials = JasperCredentials::from_json(credentials).map_err(|error| error.to_string())?;
        Ok(Arc::new(JasperClient::new(paced(account, &ABILITIES), base_address, credentials)))
    }

    fn check_credentials(&self, credentials: &SecretString) -> Result<(), String> {
        JasperCredentials::from_json(credentials).map(drop).map_err(|error| error.to_string())
    }
}

#[async_trait]
impl Carrier for JasperClient {
    fn account(&self) -> &Account {
        Self::account(self)
    }

    async fn test_connection(&self) -> Called<()> {
        Self::test_connection(self).await
    }

    async fn read_line(&self, line: &LineRef) -> Called<Option<CarrierLine>> {
        let Ok(iccid) = line.iccid.parse() else { return Called { result: Ok(None), exchange: Exchange::default() } };
        self.find_device(&iccid).await.map(|device| device.map(CarrierLine::from))
    }

    async fn send(&self, permit: Permit, asked: &CarrierChange, acts: &[LineAct<'_>]) -> SentAll {
        let &[LineAct { line, .. }] = acts else { return refused_here("Jasper takes one device a call", acts.len()) };
        let Ok(iccid) = line.iccid.parse() else { return refused_here("Jasper knows lines by ICCIDs of digits", 1) };
        let Some(assignment) = assignment(asked) else { return refused_here("that is nothing that Jasper assigns", 1) };
        SentAll::same(self.assign(permit, &iccid, &assignment).await, 1, |()| Sent::Done { external_id: None })
    }

    async fn list_lines(&self, changed_since: Option<DateTime<Utc>>, page: u32) -> Called<Batch<ListedLine>> {
        let called = self.list_devices(changed_since.unwrap_or(DateTime::UNIX_EPOCH), page).await;
        called.map(|Batch { records, has_more }| {
            let listed = |device: JasperDevice| ListedLine { iccid: device.iccid.to_string(), line: device.into() };
            Batch { records: records.into_iter().map(listed).collect(), has_more }
        })
    }

    fn lists_changes_only(&self) -> bool {
        true
    }

    async fn list_rate_plans(&self) -> Called<Option<Vec<ListedPlan>>> {
        let called = Self::list_rate_plans(self).await;
        called.map(|plans| Some(plans.into_iter().map(|plan| ListedPlan { code: plan.name.clone(), name: plan.name }).collect()))
    }

    async fn read_usage(&self, line: &LineRef) -> Called<Option<LineUsage>> {
        let Ok(iccid) = line.iccid.parse() else { return Called { result: Ok(None), exchange: Exchange::default() } };
        let called = self.find_usage(&iccid).await;
        called.map(|usage| {
            usage.map(|usage| LineUsage {
                data_bytes: usage.data_bytes,
                sms_count: usage.sms_count,
                voice_seconds: usage.voice_seconds,
            })
        })
    }

    fn tells_usage(&self) -> bool {
        true
    }
}

impl From<JasperDevice> for CarrierLine {
    fn from(device: JasperDevice) -> Self {
        Self {
            status: Some(device.status),
            rate_plan: device.rate_plan,
            comm_plan: device.communication_plan,
            subscriber_number: device.msisdn,
            imei: device.imei,
            activated_at: device.activated_at,
            ip_address: device.fixed_ip_address,
            carrier_device_id: device.device_id,
            packages: Vec::new(),
        }
    }
}

/// What of it Jasper assigns; none: nothing, or a status that it does not know.
fn assignment(asked: &CarrierChange) -> Option<JasperAssignment> {
    match asked {
        CarrierChange::Status { status, .. } => JasperStatus::find(status).map(JasperAssignment::to_status),
        CarrierChange::RatePlan { rate_plan, comm_plan, effective_at } => {
            let assignment = match (rate_plan, comm_plan) {
                (Some(rate_plan), Some(comm_plan)) => {
                    JasperAssignment::to_rate_plan(rate_plan).with_communication_plan(comm_plan)
                }
                (Some(rate_plan), None) => JasperAssignment::to_rate_plan(rate_plan),
                (None, Some(comm_plan)) => JasperAssignment::to_communication_plan(comm_plan),
                (None, None) => return None,
            };
            Some(effective_at.map_or(assignment.clone(), |moment| assignment.effective_at(moment)))
        }
    }
}
