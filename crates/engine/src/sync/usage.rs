//! What lines used: one call a line, in what bulk changes leave of the account.

use lineshift_connectors::carrier::LineUsage;
use lineshift_domain::ids::DeviceId;
use lineshift_store::Result as StoreResult;
use lineshift_store::sync::{SyncBatch, SyncClaim, UsedLine};

use super::devices::{cut_by, line_ref, settle};
use super::lists::{Brought, Cut};
use crate::Engine;
use crate::accounts::OpenCarrier;

/// Lines asked for between two writes.
const ASK_AT_ONCE: usize = 50;

impl Engine {
    /// Asks what the next lines used, one after the other. Before each call it looks whether a bulk change wants the account, so that
    /// none waits for more than the one call that is under way.
    pub(super) async fn read_usage(&self, claim: &SyncClaim, account: &OpenCarrier) -> StoreResult<Result<Brought, Cut>> {
        let part = self.store.list_usage_lines(claim, ASK_AT_ONCE).await?;
        let (mut batch, mut settled, mut cut) = (SyncBatch::default(), 0, None);
        for line in &part.lines {
            let key = account.key;
            if self.store.is_account_wanted(key.tenant_id, key.integration_authentication_id, self.clock.now()).await? {
                cut = Some(Cut::Wanted);
                break;
            }
            match account.connector.read_usage(&line_ref(line)).await.result {
                Ok(usage) => batch.usage.extend(usage.map(|usage| used(line.id, usage))),
                Err(error) => {
                    cut = Some(cut_by(error));
                    break;
                }
            }
            settled += 1;
        }
        Ok(settle(claim, &part, settled, batch, cut))
    }
}

fn used(device_id: DeviceId, usage: LineUsage) -> UsedLine {
    let stored = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    UsedLine {
        device_id,
        data_bytes: stored(usage.data_bytes),
        sms_count: usage.sms_count.map(stored),
        voice_seconds: usage.voice_seconds.map(stored),
    }
}
