//! A tenant with at least one row in every table that tenants own.

use lineshift_domain::carrier::CarrierLine;
use lineshift_domain::codes::Code;
use lineshift_domain::ids::{
    BulkChangeId, CustomerRatePlanId, CustomerRatePoolId, DeviceChangeId, DeviceId, IntegrationAuthenticationId, PrincipalId,
    RevCustomerId, ServiceProviderId, SiteId, TenantId,
};
use lineshift_domain::places::PlacesAsked;
use lineshift_domain::reach::Reach;
use lineshift_domain::sync::{SyncPart, SyncParts, SyncPhase};
use lineshift_domain::terms::{IntegrationKind, LineIdentifier, PortalType, StepState};
use lineshift_store::access::AccessStore as _;
use lineshift_store::billing::{BillingStore as _, CallWindows, StepBatch, StepRecord};
use lineshift_store::bulk_changes::{BulkChangeStore as _, NewBulkChange, NewDeviceChange};
use lineshift_store::carriers::CarrierStore as _;
use lineshift_store::catalogue::{CatalogueStore as _, IntegrationAuthentication, ServiceProvider};
use lineshift_store::devices::{DeviceFilter, DeviceStore as _};
use lineshift_store::import::{ImportAssignment, ImportDevice, ImportQueueEntry, ImportStore as _};
use lineshift_store::plan_queue::{PlanQueueEntry, PlanQueueFilter, PlanQueueStore as _};
use lineshift_store::sync::{
    NewSyncRun, SyncBatch, SyncClaim, SyncPlace, SyncStore as _, SyncedCustomer, SyncedLine, SyncedPlan, UsedLine,
};
use lineshift_store::work::{CalledAccounts, PageClaim, RunnableChange, Settled, Waiting, WorkStore as _};
use lineshift_store_postgres::PostgresStore;
use lineshift_store_postgres::testing::TestDatabase;

use crate::orders::{QUERY, at, claim_of_key, iccid, number, refusal};
use crate::people::People;
use crate::things::{self, new_key};

/// How long pages and runs are held here.
pub(crate) const HELD: i64 = 1_000_000;

/// What a carrier has accepted, under the same id for every tenant.
pub(crate) const REQUEST: &str = "request";

/// A tenant with what its orders refer to, and its lines.
pub(crate) struct Reference {
    pub(crate) tenant: TenantId,
    /// Stands in every text of it.
    pub(crate) mark: &'static str,
    pub(crate) key: PrincipalId,
    pub(crate) people: People,
    pub(crate) account: IntegrationAuthenticationId,
    pub(crate) provider: ServiceProviderId,
    pub(crate) customer: RevCustomerId,
    pub(crate) site: SiteId,
    pub(crate) amop_site: SiteId,
    pub(crate) plan: CustomerRatePlanId,
    pub(crate) pool: CustomerRatePoolId,
    pub(crate) lines: Vec<DeviceId>,
}

/// A tenant and the ids of what it has. Filled alike, two tenants of one store have the same ids.
pub(crate) struct Filled {
    of: Reference,
    /// An open queue entry, due at 100.
    pub(crate) entry: PlanQueueEntry,
    /// A change with open pages, of which `page` is held.
    pub(crate) open: BulkChangeId,
    pub(crate) page: PageClaim,
    /// A held page whose rows call outside.
    pub(crate) calling: PageClaim,
    /// A held page that is to be completed.
    pub(crate) done: PageClaim,
    /// Not started; of the Mobility portal, its line named by number.
    pub(crate) unstarted: BulkChangeId,
    /// Rows still arrive, until 50.
    pub(crate) receiving: BulkChangeId,
    /// Ended, with rows in ERROR, one of them unsettled.
    pub(crate) failed: BulkChangeId,
    pub(crate) unsettled: DeviceChangeId,
    /// With a row that waits.
    pub(crate) waiting: BulkChangeId,
    pub(crate) sync: SyncClaim,
    /// Of a carrier, with lines whose usage it reads.
    pub(crate) carrier_sync: SyncClaim,
}

impl std::ops::Deref for Filled {
    type Target = Reference;

    fn deref(&self) -> &Reference {
        &self.of
    }
}

impl Filled {
    pub(crate) async fn new(store: &PostgresStore, database: &TestDatabase, mark: &'static str) -> Self {
        let of = Reference::new(store, mark).await;
        let entry = of.bring_in(store).await;
        let (open, unstarted, receiving) = of.submit(store).await;
        let page = of.claim(store, open).await;
        of.pause(store, &page).await;
        let done = of.run_pages(store).await;
        let waiting = of.wait(store).await;
        let calling = of.call_outside(store).await;
        let (failed, unsettled) = of.fail(store).await;
        let sync = of.synchronise(store).await;
        let carrier_sync = of.synchronise_carrier(store).await;
        of.store_what_no_method_stores(database).await;
        Self { of, entry, open, page, calling, done, unstarted, receiving, failed, unsettled, waiting, sync, carrier_sync }
    }
}

impl Reference {
    async fn new(store: &PostgresStore, mark: &'static str) -> Self {
        let tenant = store.create_tenant(mark, chrono_tz::America::New_York, at(0)).await.expect("a tenant");
        let key = store.create_api_key(tenant, &new_key(mark), at(0)).await.expect("a key");
        let people = People::new(store, tenant, mark).await;
        let account =
            store.create_integration_authentication(tenant, &things::account(mark, 0), at(0)).await.expect("an account");
        store.set_account(tenant, account, &things::settings(mark), at(0)).await.expect("set");
        // No synchronisation of this one goes on.
        let second = things::account(&format!("{mark} second"), 0);
        let second = store.create_integration_authentication(tenant, &second, at(0)).await.expect("another account");
        store.set_account(tenant, second, &things::settings(mark), at(0)).await.expect("set");
        let provider = store.create_service_provider(tenant, &things::provider(mark, 0), at(0)).await.expect("a provider");
        let customer = things::customer(mark, 1_001, account);
        let customer = store.create_rev_customer(tenant, &customer, at(0)).await.expect("a customer");
        let site = store.create_site(tenant, &things::site(mark, 0, Some(customer)), at(0)).await.expect("a site");
        let amop_site = store.create_site(tenant, &things::site(mark, 0, None), at(0)).await.expect("an AMOP customer");
        let plan = store.create_customer_rate_plan(tenant, &things::plan(mark, 0), at(0)).await.expect("a plan");
        let pool = store.create_customer_rate_pool(tenant, &things::pool(mark, 0), at(0)).await.expect("a pool");
        store.upsert_carrier_rate_plans(tenant, provider, &[things::carrier_plan(mark, mark)]).await.expect("a carrier plan");
        store.set_callback_secret(tenant, provider, Some(mark.as_bytes())).await.expect("credentials of callbacks");
        let mut of =
            Self { tenant, mark, key, people, account, provider, customer, site, amop_site, plan, pool, lines: Vec::new() };
        let lines: Vec<ImportDevice> = (0..16).map(|nth| of.line(nth)).collect();
        store.import_devices(tenant, &lines, mark, at(0)).await.expect("lines");
        for line in lines {
            let listed =
                store.list_devices(tenant, &Reach::Everything, &DeviceFilter::Iccid(line.iccid), None, 1).await.expect("listed");
            of.lines.push(listed.items[0].id);
        }
        crate::selections::choose(store, &of).await;
        of
    }

    /// An assignment, what is billed for it, and a scheduled plan change; answers its entry.
    async fn bring_in(&self, store: &PostgresStore) -> PlanQueueEntry {
        let assigned = store.import_assignments(self.tenant, &[self.present(0)], self.mark, at(1)).await.expect("assigned");
        assert_eq!(assigned.refused, vec![]);
        store
            .usp_revservice_create_service(self.tenant, &[self.service(10, 0), self.service(30, 7), self.service(31, 8)], at(1))
            .await
            .expect("a service");
        store.usp_revservice_create_serviceproduct(self.tenant, &[self.product(10, 100)], at(1)).await.expect("a product");
        store.import_queue_entries(self.tenant, &[self.scheduled(1)], self.mark, at(2)).await.expect("an entry");
        store
            .list_queue_entries(self.tenant, &Reach::Everything, PlanQueueFilter::Open, None, 1)
            .await
            .expect("listed")
            .items
            .remove(0)
    }

    /// Changes before work begins: open, not started, still arriving.
    async fn submit(&self, store: &PostgresStore) -> (BulkChangeId, BulkChangeId, BulkChangeId) {
        let (tenant, key) = (self.tenant, claim_of_key("first"));
        store.claim_idempotency_key(tenant, &key, at(60), at(-60), at(0)).await.expect("claimed");
        let new = self.change(self.plan_change(None), 3);
        let open = store.store_bulk_change(tenant, &new, self.rows(&[2, 3, 4]), Some(&key)).await.expect("stored").id;
        let (portal, identifier) = (PortalType::Mobility, LineIdentifier::Number);
        let new = NewBulkChange { process_changes: false, portal, identifier, ..self.change(self.plan_change(None), 1) };
        let row = NewDeviceChange { line: number(5), ..self.rows(&[5]).remove(0) };
        let unstarted = store.store_bulk_change(tenant, &new, vec![row], None).await.expect("stored").id;
        let new = self.change(self.plan_change(None), 2);
        let receiving = store.begin_receiving(tenant, &new, at(50), None).await.expect("begun");
        store.append_received(tenant, receiving, &new, 0, self.rows(&[6]), at(50)).await.expect("appended");
        (open, unstarted, receiving)
    }

    /// Begins with the rows of a page, and leaves them in hand.
    async fn pause(&self, store: &PostgresStore, held: &PageClaim) {
        let mut page = store.open_page(held, at(11)).await.expect("opened");
        page.list_open_lines(QUERY).await.expect("lines");
        page.pause().await.expect("paused");
    }

    /// A change whose rows are final, one of its pages completed; answers the other, held.
    async fn run_pages(&self, store: &PostgresStore) -> PageClaim {
        let new = self.change(self.assign(true), 2);
        let done = store.store_bulk_change(self.tenant, &new, self.rows(&[7, 8]), None).await.expect("stored").id;
        let mut pages = Vec::new();
        for _ in 0..2 {
            let held = self.claim(store, done).await;
            let mut page = store.open_page(&held, at(11)).await.expect("opened");
            page.list_open_lines(QUERY).await.expect("lines");
            page.usp_assign_customer_update_site(&self.assignment_write(true)).await.expect("assigned");
            page.finish(Some(self.mark)).await.expect("finished");
            pages.push(held.to_complete());
        }
        store.complete_page(&pages[0], at(12)).await.expect("completed");
        pages.remove(1)
    }

    /// A change with a row that waits for what a carrier has accepted.
    async fn wait(&self, store: &PostgresStore) -> BulkChangeId {
        let new = self.change(self.assign(false), 1);
        let id = store.store_bulk_change(self.tenant, &new, self.rows(&[9]), None).await.expect("stored").id;
        let held = self.claim(store, id).await;
        let accepted = StepRecord { external_id: Some(REQUEST.to_owned()), ..self.step(held.from_id, StepState::Waiting) };
        let batch = StepBatch { steps: vec![accepted], ..StepBatch::default() };
        store.record_steps(&held, &batch, at(11)).await.expect("recorded");
        let mut page = store.open_page(&held, at(11)).await.expect("opened");
        page.list_open_lines(QUERY).await.expect("lines");
        page.hold_open(&[self.waiting_row(held.from_id)]).await.expect("held");
        page.finish(None).await.expect("finished");
        id
    }

    pub(crate) fn waiting_row(&self, id: DeviceChangeId) -> Waiting {
        Waiting { id, code: Code::QuotaExhausted, text: format!("{} waits", self.mark), next_check_at: at(HELD) }
    }

    /// A held page whose row was called for, and what its account's calls are counted by.
    async fn call_outside(&self, store: &PostgresStore) -> PageClaim {
        let (tenant, accounts) = (self.tenant, CalledAccounts { billing: Some(self.account), carrier: Some(self.account) });
        let calling = NewBulkChange { accounts, ..self.change(self.assign(true), 1) };
        let id = store.store_bulk_change(tenant, &calling, self.rows(&[10]), None).await.expect("stored").id;
        let held = self.claim(store, id).await;
        self.pause(store, &held).await;
        store.record_steps(&held, &self.batch(held.from_id, 11, 10), at(20)).await.expect("recorded");
        let windows = CallWindows { calls_a_minute: 10, calls_a_day: 100 };
        store.take_calls(tenant, self.account, 1, windows, at(30)).await.expect("taken");
        let asked = PlacesAsked { wanted: 1, kept: 0, concurrency: 5, until: at(HELD) };
        store.lease_places(tenant, self.account, self.mark, asked, at(30)).await.expect("leased");
        held
    }

    /// A change that ended in ERROR; of its first row nobody knows what was done.
    async fn fail(&self, store: &PostgresStore) -> (BulkChangeId, DeviceChangeId) {
        let (tenant, accounts) = (self.tenant, CalledAccounts { billing: Some(self.account), carrier: None });
        let failing = NewBulkChange { accounts, page_lines: 2, ..self.change(self.assign(true), 2) };
        let id = store.store_bulk_change(tenant, &failing, self.rows(&[11, 12]), None).await.expect("stored").id;
        let held = self.claim(store, id).await;
        let unsettled = held.from_id;
        self.pause(store, &held).await;
        store.record_steps(&held, &self.batch(held.from_id, 12, 11), at(20)).await.expect("recorded");
        let mut page = store.open_page(&held, at(21)).await.expect("opened");
        page.list_open_lines(QUERY).await.expect("lines");
        let settled = [Settled::Unsettled(held.from_id, refusal()), Settled::Refused(held.to_id, refusal())];
        page.settle(&settled).await.expect("settled");
        page.finish(None).await.expect("finished");
        store.complete_page(&held.to_complete(), at(22)).await.expect("completed");
        let change = RunnableChange { tenant_id: tenant, bulk_change_id: id };
        store.complete_bulk_change(change, at(23)).await.expect("completed").expect("it has ended");
        (id, unsettled)
    }

    /// A run in hand with a finding.
    async fn synchronise(&self, store: &PostgresStore) -> SyncClaim {
        let run = store.begin_sync_run(self.tenant, &self.sync_run(), at(40)).await.expect("begun");
        let held = store.claim_sync_run(self.tenant, run.id, at(HELD), at(41)).await.expect("claimed").expect("due");
        let next = SyncPlace::beginning(SyncPhase::UnseenServices);
        store.record_sync(&held, &self.synced(7), next, at(42)).await.expect("recorded")
    }

    pub(crate) fn sync_run(&self) -> NewSyncRun {
        NewSyncRun {
            integration_authentication_id: self.account,
            service_provider_id: None,
            what: SyncParts::BILLING,
            full: true,
            usage_lines: Vec::new(),
            ordered_by: self.mark.to_owned(),
        }
    }

    /// A run of a carrier in hand, after a page of lines, plans and usage.
    async fn synchronise_carrier(&self, store: &PostgresStore) -> SyncClaim {
        let tenant = self.tenant;
        let account = IntegrationAuthentication {
            integration_kind: IntegrationKind::JASPER,
            ..things::account(&format!("{} carrier", self.mark), 0)
        };
        let account = store.create_integration_authentication(tenant, &account, at(0)).await.expect("an account");
        let caller = ServiceProvider {
            integration_authentication_id: Some(account),
            ..things::provider(&format!("{} calling", self.mark), 0)
        };
        let caller = store.create_service_provider(tenant, &caller, at(0)).await.expect("a provider");
        let run = NewSyncRun {
            integration_authentication_id: account,
            service_provider_id: Some(caller),
            what: SyncParts::CARRIER.and(SyncPart::Usage),
            usage_lines: self.lines.clone(),
            ..self.sync_run()
        };
        let run = store.begin_sync_run(tenant, &run, at(40)).await.expect("begun");
        let held = store.claim_sync_run(tenant, run.id, at(HELD), at(41)).await.expect("claimed").expect("due");
        let next = SyncPlace::beginning(SyncPhase::UnseenDevices);
        store.record_sync(&held, &self.synced_lines(95), next, at(42)).await.expect("recorded")
    }

    /// A page of a carrier: a line that a list showed, a plan, and what a line used.
    pub(crate) fn synced_lines(&self, nth: usize) -> SyncBatch {
        let line = CarrierLine { status: Some(format!("{} new", self.mark)), ..CarrierLine::default() };
        let plan = SyncedPlan { code: format!("{} {nth}", self.mark), name: self.mark.to_owned() };
        let used = UsedLine { device_id: self.lines[0], data_bytes: 1, sms_count: None, voice_seconds: None };
        SyncBatch {
            lines: vec![SyncedLine { iccid: iccid(nth), line }],
            lines_read_at: Some(at(HELD)),
            carrier_plans: Some(vec![plan]),
            usage: vec![used],
            ..SyncBatch::default()
        }
    }

    /// A customer that a list showed.
    pub(crate) fn synced(&self, id: i64) -> SyncBatch {
        let customer =
            SyncedCustomer { id: RevCustomerId(id), name: format!("{} new", self.mark), is_closed: false, updated_at: None };
        SyncBatch { customers: vec![customer], ..SyncBatch::default() }
    }

    /// The audit log and activations, which later parts of the product write.
    async fn store_what_no_method_stores(&self, database: &TestDatabase) {
        let (t, mark, provider) = (self.tenant.0, self.mark, self.provider.0);
        let sql = format!(
            "INSERT INTO audit_entry (tenant_id, month, request_id, at, actor, who, action)
                 SELECT {t}, month, '1', 0, 'key', '{mark}', 'read' FROM unnest(ARRAY[202612, 190001]) AS month;
             INSERT INTO audit_outcome (tenant_id, month, request_id, at, finished_at, result, made)
                 SELECT {t}, month, '1', 0, 0, 'done', '{mark}' FROM unnest(ARRAY[202612, 190001]) AS month;
             INSERT INTO telegence_new_service_activation_staging (tenant_id, id, service_provider_id, billing_account, iccid)
                 VALUES ({t}, 1, {provider}, '{mark}', '1')"
        );
        database.execute(&sql).await.expect("stored");
    }

    pub(crate) async fn claim(&self, store: &PostgresStore, id: BulkChangeId) -> PageClaim {
        let change = RunnableChange { tenant_id: self.tenant, bulk_change_id: id };
        store.claim_page(change, self.mark, at(HELD), at(10)).await.expect("a claim").expect("a page")
    }

    /// A line to bring in.
    pub(crate) fn line(&self, nth: usize) -> ImportDevice {
        ImportDevice {
            service_provider_id: self.provider,
            iccid: iccid(nth),
            subscriber_number: Some(number(nth)),
            imei: Some(format!("{} imei", self.mark)),
            status: "ACTIVATED".to_owned(),
            is_archived: false,
            activated_at: Some(at(-86_400)),
            carrier_rate_plan: Some(format!("{} carrier plan", self.mark)),
            communication_plan: None,
            ip_address: None,
            carrier_device_id: None,
        }
    }

    /// An assignment to bring in.
    pub(crate) fn present(&self, nth: usize) -> ImportAssignment {
        ImportAssignment {
            iccid: iccid(nth),
            rev_customer_id: Some(self.customer),
            site_id: self.site,
            customer_rate_plan_id: Some(self.plan),
            customer_rate_pool_id: Some(self.pool),
            customer_data_allocation_mb: None,
            effective_date: None,
        }
    }

    /// A queue entry to bring in, due at 100.
    pub(crate) fn scheduled(&self, nth: usize) -> ImportQueueEntry {
        ImportQueueEntry {
            iccid: iccid(nth),
            customer_rate_plan_id: Some(self.plan.0),
            customer_rate_pool_id: None,
            customer_data_allocation_mb: None,
            effective_date: at(100),
            portal: PortalType::M2M,
        }
    }
}
