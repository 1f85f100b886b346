//! Lines, by ICCID.

use anyhow::Result;
use lineshift_domain::lines::Digits;
use lineshift_store::import::{ImportDevice, Imported};

use super::super::cells::Seen;
use super::super::header::{optional, required};
use super::super::{Cells, Column, Kind, References, Target};

/// See the module.
pub(super) struct Devices {
    references: References,
    iccids: Seen<Digits>,
}

impl Kind for Devices {
    type Row = ImportDevice;

    const COLUMNS: &'static [Column] = &[
        required("iccid"),
        required("provider"),
        required("status"),
        optional("number"),
        optional("imei"),
        optional("is_archived"),
        optional("activated_at"),
        optional("carrier_rate_plan"),
        optional("communication_plan"),
        optional("ip_address"),
        optional("carrier_device_id"),
    ];

    async fn begin(target: &Target<'_>) -> Result<Self> {
        Ok(Self { references: References::default().with_providers(target).await?, iccids: Seen::default() })
    }

    fn read(&mut self, cells: &mut Cells<'_, '_>) -> Option<Self::Row> {
        let iccid = cells.iccid("iccid");
        let provider = self.references.provider(cells, "provider");
        let status = cells.required("status", "the carrier's status of the line");
        let number = cells.subscriber_number("number");
        let imei = cells.text("imei");
        if imei.is_some_and(|imei| !(14..=16).contains(&imei.len()) || !imei.bytes().all(|byte| byte.is_ascii_digit())) {
            cells.report("imei", "14 to 16 digits");
        }
        let address = cells.text("ip_address");
        if address.is_some_and(|address| address.parse::<std::net::IpAddr>().is_err()) {
            cells.report("ip_address", "an IP address");
        }
        let is_archived = cells.flag("is_archived", false);
        let activated_at = cells.date("activated_at");
        let carrier_rate_plan = cells.owned("carrier_rate_plan");
        let communication_plan = cells.owned("communication_plan");
        let carrier_device_id = cells.owned("carrier_device_id");
        let iccid = iccid?;
        cells.only_once(&mut self.iccids, "iccid", iccid);
        Some(ImportDevice {
            service_provider_id: provider?,
            iccid: iccid.to_string(),
            subscriber_number: number.map(|number| number.to_string()),
            imei: imei.map(str::to_owned),
            status: status?.to_owned(),
            is_archived,
            activated_at,
            carrier_rate_plan,
            communication_plan,
            ip_address: address.map(str::to_owned),
            carrier_device_id,
        })
    }

    async fn store(target: &Target<'_>, rows: &[Self::Row]) -> Result<Imported> {
        Ok(target.store.import_devices(target.tenant.id, rows, target.by, target.now).await?)
    }
}
