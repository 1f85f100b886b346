//! What is measured, by name (section 13), and the backlog that is read at each scrape.

use std::fmt::Write as _;
use std::time::Duration;

use lineshift_engine::{Engine, QuotaLeft};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// Device changes that became final, by `outcome` and `code`.
pub(crate) const DEVICE_CHANGES: &str = "lineshift_device_changes_total";
/// How long pages took.
pub(crate) const PAGE_SECONDS: &str = "lineshift_page_seconds";
/// How long steps took, by `step`.
pub(crate) const STEP_SECONDS: &str = "lineshift_step_seconds";
/// Outside calls, by `account` and `result`.
pub(crate) const OUTSIDE_CALLS: &str = "lineshift_outside_calls_total";
/// Pages ready or held.
pub(crate) const PAGES_WAITING: &str = "lineshift_pages_waiting";
/// Age of the oldest change with pages waiting.
pub(crate) const PAGES_OLDEST_SECONDS: &str = "lineshift_pages_oldest_seconds";
/// Age of the oldest message.
pub(crate) const OUTBOX_OLDEST_SECONDS: &str = "lineshift_outbox_oldest_seconds";
/// Plan queue entries that are due.
pub(crate) const PLAN_QUEUE_DUE: &str = "lineshift_plan_queue_due";
/// Readers of the store that are at work.
pub(crate) const STORE_READERS_IN_USE: &str = "lineshift_store_readers_in_use";
/// How far this process's clock is ahead of the database's.
pub(crate) const CLOCK_SKEW_SECONDS: &str = "lineshift_clock_skew_seconds";
/// How long statements took.
pub(crate) const STATEMENT_SECONDS: &str = "lineshift_statement_seconds";
/// Rows that wait for an outside answer or an account.
pub(crate) const ROWS_WAITING: &str = "lineshift_rows_waiting";
/// Steps that a person must settle.
pub(crate) const STUCK_STEPS: &str = "lineshift_stuck_steps";
/// Calls that an account's quota still allows, by `tenant`, `account` and `window`.
pub(crate) const QUOTA_LEFT: &str = "lineshift_quota_left";
/// Callbacks of carriers, by `result`.
pub(crate) const CALLBACKS: &str = "lineshift_callbacks_total";
/// Attempts to sign in, by `result`.
pub(crate) const SIGN_INS: &str = "lineshift_sign_ins_total";
/// How long requests took until their answer began, by `method`, `route` and `status`.
pub(crate) const HTTP_REQUEST_SECONDS: &str = "lineshift_http_request_seconds";

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Name, kind and meaning of everything measured.
const MEASURES: [(&str, Kind, &str); 17] = [
    (DEVICE_CHANGES, Kind::Counter, "Device changes that became final, by outcome and code."),
    (PAGE_SECONDS, Kind::Histogram, "How long pages took."),
    (STEP_SECONDS, Kind::Histogram, "How long steps took, by step."),
    (OUTSIDE_CALLS, Kind::Counter, "Outside calls, by account and result."),
    (PAGES_WAITING, Kind::Gauge, "Pages ready or held."),
    (PAGES_OLDEST_SECONDS, Kind::Gauge, "Age of the oldest bulk change with pages waiting."),
    (OUTBOX_OLDEST_SECONDS, Kind::Gauge, "Age of the oldest message."),
    (PLAN_QUEUE_DUE, Kind::Gauge, "Plan queue entries that are due."),
    (STORE_READERS_IN_USE, Kind::Gauge, "Readers of the store that are at work."),
    (CLOCK_SKEW_SECONDS, Kind::Gauge, "How far this process's clock is ahead of the database's; negative: behind."),
    (STATEMENT_SECONDS, Kind::Histogram, "How long statements took."),
    (ROWS_WAITING, Kind::Gauge, "Rows that wait for an outside answer or an account."),
    (STUCK_STEPS, Kind::Gauge, "Steps that a person must settle."),
    (QUOTA_LEFT, Kind::Gauge, "Calls that an account's quota still allows, by tenant, account and window."),
    (CALLBACKS, Kind::Counter, "Callbacks of carriers, by result."),
    (SIGN_INS, Kind::Counter, "Attempts to sign in, by result."),
    (HTTP_REQUEST_SECONDS, Kind::Histogram, "How long requests took until their answer began, by method, route and status."),
];

/// Upper bounds in seconds: statements take microseconds, pages seconds.
const BUCKETS: [f64; 14] = [0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// How often samples are folded into their buckets: between two scrapes they would pile up.
const UPKEEP: Duration = Duration::from_secs(5);

/// Installs the process's recorder and keeps it small; call it once, within the runtime. Errors: one is installed already.
pub fn install_metrics() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new().set_buckets(&BUCKETS)?.install_recorder()?;
    let upkeep = handle.clone();
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(UPKEEP);
        loop {
            interval.tick().await;
            upkeep.run_upkeep();
        }
    });
    Ok(handle)
}

/// Describes everything measured, and lets what has no labels stand at zero from the start.
pub(crate) fn describe() {
    for (name, kind, help) in MEASURES {
        match kind {
            Kind::Counter => describe_counter!(name, help),
            Kind::Gauge => describe_gauge!(name, help),
            Kind::Histogram => describe_histogram!(name, Unit::Seconds, help),
        }
    }
    for name in [
        PAGES_WAITING,
        PAGES_OLDEST_SECONDS,
        OUTBOX_OLDEST_SECONDS,
        PLAN_QUEUE_DUE,
        STORE_READERS_IN_USE,
        ROWS_WAITING,
        STUCK_STEPS,
    ] {
        gauge!(name).increment(0.0);
    }
    for name in [PAGE_SECONDS, STATEMENT_SECONDS] {
        drop(histogram!(name));
    }
    counter!(DEVICE_CHANGES, "outcome" => "PROCESSED", "code" => "").increment(0);
}

/// Reads the backlog from the store.
pub(crate) async fn refresh(engine: &Engine) {
    match engine.store().measure(engine.clock().now()).await {
        Ok(backlog) => {
            set(PAGES_WAITING, backlog.pages_waiting);
            set(PAGES_OLDEST_SECONDS, backlog.oldest_page_seconds);
            set(OUTBOX_OLDEST_SECONDS, backlog.oldest_message_seconds);
            set(PLAN_QUEUE_DUE, backlog.entries_due);
            set(ROWS_WAITING, backlog.rows_waiting);
            set(STUCK_STEPS, backlog.stuck_steps);
        }
        // The other measures are wanted all the more then.
        Err(error) => tracing::warn!(%error, "the backlog could not be measured"),
    }
    match engine.quotas_left().await {
        Ok(quotas) => quotas.iter().for_each(show_quota),
        Err(error) => tracing::warn!(%error, "what accounts still allow could not be measured"),
    }
}

/// Two tenants may call their accounts the same.
#[expect(clippy::cast_precision_loss, reason = "calls a day are far below 2^52")]
fn show_quota(quota: &QuotaLeft) {
    let tenant = quota.key.tenant_id.to_string();
    for (window, left) in [("minute", quota.in_minute), ("day", quota.in_day)] {
        gauge!(QUOTA_LEFT, "tenant" => tenant.clone(), "account" => quota.name.clone(), "window" => window).set(left as f64);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts and ages are far below 2^52")]
fn set(name: &'static str, value: i64) {
    gauge!(name).set(value as f64);
}

/// Everything as text; what nobody has measured yet stands there with its name and meaning.
pub(crate) fn render(handle: &PrometheusHandle) -> String {
    handle.run_upkeep();
    let mut text = handle.render();
    for (name, kind, help) in MEASURES {
        if !text.contains(&format!("# TYPE {name} ")) {
            let kind = match kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            // Writing to a String cannot fail.
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_stands_there_from_the_start() {
        let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS).expect("buckets").build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, describe);
        let text = render(&handle);
        for (name, _, help) in MEASURES {
            assert!(text.contains(&format!("# HELP {name} {help}\n")), "{name} has no help:\n{text}");
            assert_eq!(text.matches(&format!("# TYPE {name} ")).count(), 1, "{name} has one type:\n{text}");
        }
        assert!(text.contains("lineshift_pages_waiting 0\n"), "{text}");
        assert!(text.contains("lineshift_page_seconds_count 0\n"), "{text}");
    }
}
