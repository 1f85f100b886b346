//! Reading a line at its carrier.

use chrono::{DateTime, Utc};
use lineshift_connectors::{CallError, Called};
use lineshift_domain::codes::Code;
use lineshift_domain::judge::Reason;
use lineshift_domain::log_text::{CarrierAction, LogTitle};
use lineshift_domain::read_back::ReadBack;
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
                let flow = match (was_unknown, line.done_at()) {
                    (Some(since), _) => self.calling.after_failed_read_back(since, error).await?,
                    (None, Some(done_at)) => self.after_done(done_at, error).await?,
                    (None, None) => self.calling.after_failed_read(error).await?,
                };
                self.apply(line, flow);
            }
        }
        Ok(())
    }

    /// A line of which something was done at its carrier and that cannot be read now is not left there half-way: it is read again, for as
    /// long as what is unknown would be (B7.3).
    async fn after_done(&self, done_at: DateTime<Utc>, error: CallError) -> StoreResult<Flow> {
        let is_passing = matches!(error, CallError::Unavailable(_) | CallError::Ambiguous(_));
        match self.policy().after_no_answer(done_at, self.calling.now()) {
            ReadBack::AgainAt(until) if is_passing => {
                let text = format!("{} took it, and how the line stands there cannot be read now: {error}", self.name());
                Ok(self.calling.wait(Code::CarrierUnavailable, text, until))
            }
            _ => self.calling.after_failed_read(error).await,
        }
    }
}
