//! Reading a line at its carrier.

use lineshift_connectors::{CallError, Called};
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{CarrierAction, LogTitle};
use lineshift_store::Result as StoreResult;

use super::{CarrierPage, CarrierRun};
use crate::boundary::Boundary;
use crate::outside::Flow;

impl CarrierPage<'_> {
    /// Reads a line; what cannot be read waits or fails.
    pub(super) async fn read(&self, line: &mut CarrierRun) -> StoreResult<()> {
        let asked_at = self.calling.now();
        let Called { result, exchange } = self.carrier.read_line(&line.line).await;
        let was_unknown = line.unknown_since();
        if was_unknown.is_some() {
            self.calling.pass(Boundary::ReadBack, Some(line.row)).await;
        }
        let error = result.as_ref().err().map(ToString::to_string);
        line.log_call(LogTitle::carrier_api(CarrierAction::ReadDevice, self.name()), &exchange, error);
        match result {
            Ok(Some(there)) => line.was_read(there, asked_at),
            Ok(None) => {
                let text = format!("{} has no line with the ICCID {}", self.name(), line.line.iccid);
                self.fail(line, Reason::new(Code::CarrierLineUnknown, text));
            }
            Err(error) => {
                let flow = self.after_failed(was_unknown, error).await?;
                self.apply(line, flow);
            }
        }
        Ok(())
    }

    async fn after_failed(&self, unknown_since: Option<chrono::DateTime<chrono::Utc>>, error: CallError) -> StoreResult<Flow> {
        match unknown_since {
            Some(since) => self.calling.after_failed_read_back(since, error).await,
            None => self.calling.after_failed_read(error).await,
        }
    }
}
