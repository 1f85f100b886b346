//! Trying again what failed for a passing reason (B5.5).

use std::time::Duration;

use lineshift_store::Result;

/// Runs something up to `attempts` times, as long as it fails for a transient reason, with a growing pause between.
pub(crate) async fn retry<T, F: Future<Output = Result<T>>>(attempts: u32, mut call: impl FnMut() -> F) -> Result<T> {
    let mut attempt = 1;
    loop {
        match call().await {
            Err(error) if error.is_transient() && attempt < attempts => {
                tracing::warn!(%error, attempt, "the store is busy; trying again");
                tokio::time::sleep(pause(attempt)).await;
                attempt += 1;
            }
            answer => return answer,
        }
    }
}

/// 50 ms doubled with each attempt, of which up to half is taken off by chance, so that those who wait do not meet again.
fn pause(attempt: u32) -> Duration {
    let full = 50_u64 << attempt.min(6);
    let mut chance = [0_u8; 1];
    // Without a source of chance the full pause is as good.
    let taken_off = getrandom::fill(&mut chance).map_or(0, |()| full / 2 * u64::from(chance[0]) / 255);
    Duration::from_millis(full - taken_off)
}
