//! Carriers, billing and synchronisation.

use lineshift_domain::ids::SyncRunId;
use lineshift_domain::places::PlacesAsked;
use lineshift_domain::sync::{FindingKind, SyncPhase};
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::billing::UnsettledFilter;
use lineshift_store::billing::{BillingStore, CallWindows, Looked, Settlement, StepBatch};
use lineshift_store::carriers::{CalledBackLine, CarrierStore};
use lineshift_store::devices::DeviceStore;
use lineshift_store::secrets::{Resealed, SealedColumn, SealedRow, SecretStore};
use lineshift_store::sync::{SyncClaim, SyncPlace, SyncRun, SyncStore};

use crate::filled::{Filled, HELD, REQUEST};
use crate::methods::BY;
use crate::orders::{at, iccid};
use crate::things;
use crate::tried::{Told, Tried, try_it};

pub(crate) async fn try_carriers(tried: &mut Tried<'_>, of: &Filled) {
    let (tenant, provider) = (of.tenant, of.provider);
    let plans = [things::carrier_plan(BY, of.mark), things::carrier_plan(BY, BY)];
    try_it!(tried, CarrierStore.upsert_carrier_rate_plans(tenant, provider, &plans));
    try_it!(tried, CarrierStore.list_carrier_rate_plans(tenant, provider, None, 10));
    try_it!(tried, CarrierStore.get_callback_secret(tenant, provider));
    try_it!(tried, CarrierStore.set_callback_secret(tenant, provider, Some(BY.as_bytes())));
    let failed = CalledBackLine { iccid: iccid(9), failed: Some(BY.to_owned()) };
    for lines in [&[][..], &[failed]] {
        try_it!(tried, CarrierStore.note_callback(tenant, provider, REQUEST, lines, at(60)));
    }
}

pub(crate) async fn try_secrets(tried: &mut Tried<'_>, of: &Filled) {
    let tenant = of.tenant;
    for column in SealedColumn::ALL {
        try_it!(tried, SecretStore.list_sealed(tenant, *column, None, 10));
    }
    let (before, after) = (of.mark.as_bytes().to_vec(), BY.as_bytes().to_vec());
    let anew = Resealed { row: SealedRow::Account(of.account), before, after };
    try_it!(tried, SecretStore.replace_sealed(tenant, &[anew]));
    // Users are global, for the operator's own commands: what is sealed of them belongs to no tenant.
    tried.note("SecretStore::list_sealed_of_users", tried.store.list_sealed_of_users(None, 10).await).await;
    tried.note("SecretStore::replace_sealed_of_users", tried.store.replace_sealed_of_users(&[]).await).await;
}

pub(crate) async fn try_billing(tried: &mut Tried<'_>, of: &Filled) {
    let (tenant, account, now) = (of.tenant, of.account, at(60));
    try_it!(tried, BillingStore.get_account(tenant, account));
    try_it!(tried, BillingStore.record_refused_credentials(tenant, account, 2, BY, now));
    try_it!(tried, BillingStore.record_working_credentials(tenant, account));
    try_it!(tried, BillingStore.set_account(tenant, account, &things::settings(BY), now));
    let version = tried.store.get_account(tenant, account).await.map_or(1, |account| account.version);
    try_it!(tried, BillingStore.set_account_as_seen(tenant, account, version, &things::settings(BY), now));
    try_it!(tried, BillingStore.count_calls(tenant, account, at(31)));
    for (calls_a_minute, calls_a_day) in [(10, 100), (1, 1)] {
        let windows = CallWindows { calls_a_minute, calls_a_day };
        try_it!(tried, BillingStore.take_calls(tenant, account, 1, windows, at(31)));
    }
    for concurrency in [5, 1] {
        let asked = PlacesAsked { wanted: 1, kept: 0, concurrency, until: at(HELD) };
        try_it!(tried, BillingStore.lease_places(tenant, account, BY, asked, now));
    }
    try_it!(tried, BillingStore.return_places(tenant, account, of.mark));

    let row = of.calling.from_id;
    try_it!(tried, BillingStore.list_steps(tenant, row));
    try_it!(tried, BillingStore.list_steps_of(tenant, &[row, of.unsettled]));
    try_it!(tried, BillingStore.get_bulk_change_of(tenant, row));
    try_it!(tried, BillingStore.list_unsettled_steps(tenant, &UnsettledFilter::all(), None, 10));
    let batch = StepBatch { carrier_lines: vec![of.confirmed(row, 10)], ..of.batch(row, 13, 13) };
    try_it!(tried, BillingStore.record_steps(&of.calling, &batch, now));
    try_it!(tried, BillingStore.usp_revservice_create_service(tenant, &[of.service(10, 0), of.service(20, 1)], now));
    try_it!(tried, BillingStore.usp_revservice_create_serviceproduct(tenant, &[of.product(10, 100), of.product(10, 200)], now));
    for settlement in [Settlement::Stands(Some(9_000)), Settlement::Gone] {
        // A person settles a row once.
        if tried.told != Told::TheTenant || settlement == Settlement::Gone {
            try_it!(tried, BillingStore.settle_steps(tenant, of.unsettled, &settlement, Looked::default(), BY, now));
        }
    }
}

pub(crate) async fn try_synchronisation(tried: &mut Tried<'_>, of: &Filled) {
    let (tenant, held, id, now) = (of.tenant, &of.sync, of.sync.run.id, at(60));
    try_it!(tried, SyncStore.get_sync_run(tenant, id));
    try_it!(tried, SyncStore.list_sync_runs(tenant, None, 10));
    for kind in [None, Some(FindingKind::New)] {
        try_it!(tried, SyncStore.list_sync_findings(tenant, id, kind, None, 10));
    }
    try_it!(tried, SyncStore.list_accounts_to_sync(tenant, now, &[IntegrationKind::JASPER]));
    try_it!(tried, SyncStore.is_account_wanted(tenant, of.account, now));
    try_synchronised_carrier(tried, of).await;
    try_it!(tried, SyncStore.renew_sync_lease(held, at(HELD)));
    try_it!(tried, SyncStore.list_unseen_services(held, 10));
    try_it!(tried, SyncStore.list_unseen_products(held, at(30), 10));
    let place = SyncPlace::beginning(SyncPhase::ReportBilled);
    try_it!(tried, SyncStore.record_sync(held, &of.synced(8), place, now));
    let run = SyncRun { phase: SyncPhase::ReportBilled, ..held.run.clone() };
    let reporting = SyncClaim { run, ..held.clone() };
    try_it!(tried, SyncStore.record_sync_report(&reporting, now));
    let due = tried.store.list_due_sync_runs(10, at(HELD + 1)).await.expect("listed");
    let due: Vec<_> = due.into_iter().filter(|(of_tenant, _)| *of_tenant == tenant).collect();
    tried.judge_part("SyncStore::list_due_sync_runs", due).await;
    try_it!(tried, SyncStore.put_off_sync_run(held, at(70), 1, Some(BY)));
    if tried.told == Told::TheTenant {
        // It was given back: somebody takes it up again, and gives it up.
        let again = tried.store.claim_sync_run(tenant, id, at(HELD), at(71)).await.expect("claimed").expect("due");
        try_it!(tried, SyncStore.fail_sync_run(&again, BY, at(72)));
    } else {
        try_it!(tried, SyncStore.fail_sync_run(held, BY, now));
    }
    try_it!(tried, SyncStore.begin_sync_run(tenant, &of.sync_run(), at(80)));
    try_it!(tried, SyncStore.claim_sync_run(tenant, id, at(2 * HELD), at(HELD + 1)));
}

async fn try_synchronised_carrier(tried: &mut Tried<'_>, of: &Filled) {
    let (tenant, held) = (of.tenant, &of.carrier_sync);
    try_it!(tried, SyncStore.list_service_providers_of(tenant, held.run.integration_authentication_id));
    let before = SyncClaim { run: SyncRun { id: SyncRunId(i64::MAX), ..held.run.clone() }, ..held.clone() };
    try_it!(tried, SyncStore.list_unseen_lines(&before, 10));
    let provider = SyncRun { service_provider_id: Some(of.provider), ..held.run.clone() };
    try_it!(tried, SyncStore.list_usage_lines(&SyncClaim { run: provider, ..held.clone() }, 10));
    try_it!(tried, DeviceStore.find_device_usage(tenant, of.lines[0]));
    let place = SyncPlace::beginning(SyncPhase::Usage);
    try_it!(tried, SyncStore.record_sync(held, &of.synced_lines(96), place, at(60)));
}
