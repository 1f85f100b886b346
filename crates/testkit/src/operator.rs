//! An operator to test with: one tenant with customers, sites, plans, pools and lines on a store of its own.

use std::str::FromStr as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use lineshift_domain::ids::{
    BulkChangeId, CustomerRatePlanId, CustomerRatePoolId, IntegrationAuthenticationId, PrincipalId, RevCustomerId,
    ServiceProviderId, SiteId, TenantId,
};
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, BodyForm, CustomerRatePlanOrder, Effect, Order, PlanValues, Setting};
use lineshift_domain::scopes::Scopes;
use lineshift_domain::terms::{IntegrationKind, LineIdentifier, PortalType};
use lineshift_engine::{Caller, Clock as _, Engine, Submission, Submitted, WorkerOptions};
use lineshift_store::Store;
use lineshift_store::access::NewApiKey;
use lineshift_store::bulk_changes::BulkChangeView;
use lineshift_store::catalogue::{
    CustomerRatePlan, CustomerRatePool, IntegrationAuthentication, RevCustomer, ServiceProvider, Site,
};
use lineshift_store::import::ImportDevice;
use lineshift_store_sqlite::Options;
use rust_decimal::Decimal;

use crate::clock::TestClock;
use crate::store::TestStore;

/// The moment at which tests begin.
pub const BEGINNING: &str = "2026-12-01T09:00:00Z";

/// An operator on a store of its own.
pub struct Operator {
    /// The engine.
    pub engine: Engine,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The same store, for checks and for what only one engine has.
    pub stored: TestStore,
    /// The clock.
    pub clock: Arc<TestClock>,
    /// Who orders: every permission.
    pub caller: Caller,
    /// A Jasper account.
    pub jasper: ServiceProviderId,
    /// A Telegence account.
    pub telegence: ServiceProviderId,
    /// A Rev customer.
    pub rev_customer: RevCustomerId,
    /// Its site.
    pub rev_site: SiteId,
    /// Its integration authentication.
    pub authentication: IntegrationAuthenticationId,
    /// An AMOP customer.
    pub amop_site: SiteId,
    /// A plan: default 500 MB, at most 1000 MB.
    pub plan: CustomerRatePlanId,
    /// Another plan: no default, no bound.
    pub other_plan: CustomerRatePlanId,
    /// A pool.
    pub pool: CustomerRatePoolId,
    /// Where an embedded store is; gone with this.
    pub directory: Arc<tempfile::TempDir>,
}

/// A well-formed ICCID by its number.
#[must_use]
pub fn iccid(number: u64) -> String {
    format!("8944500{number:012}7")
}

/// A well-formed subscriber number by its number.
#[must_use]
pub fn number(number: u64) -> String {
    format!("1555{number:07}")
}

impl Operator {
    /// An operator with `lines` lines at the Jasper account, ICCIDs from 1, numbers alike, all active.
    pub async fn with_lines(lines: u64) -> Self {
        Self::with(lines, Limits::default(), Options::default()).await
    }

    /// The same with limits and store options.
    pub async fn with(lines: u64, limits: Limits, options: Options) -> Self {
        Self::in_zone(chrono_tz::America::Chicago, lines, limits, options).await
    }

    /// The same on a clock of the test's.
    pub async fn on_clock(clock: Arc<TestClock>, lines: u64, limits: Limits, options: Options) -> Self {
        Self::started(clock, chrono_tz::America::Chicago, lines, limits, options).await
    }

    /// The same with days that begin elsewhere.
    pub async fn in_zone(zone: chrono_tz::Tz, lines: u64, limits: Limits, options: Options) -> Self {
        Self::started(Arc::new(TestClock::at(BEGINNING)), zone, lines, limits, options).await
    }

    async fn started(clock: Arc<TestClock>, zone: chrono_tz::Tz, lines: u64, limits: Limits, options: Options) -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        let stored = TestStore::new(directory.path(), options).await;
        Self::begun(clock, zone, lines, limits, stored, directory).await
    }

    /// The same in that store, in which nothing is yet.
    pub async fn in_store(clock: Arc<TestClock>, lines: u64, limits: Limits, stored: TestStore) -> Self {
        let directory = Arc::new(tempfile::tempdir().expect("a temporary directory"));
        Self::begun(clock, chrono_tz::America::Chicago, lines, limits, stored, directory).await
    }

    async fn begun(
        clock: Arc<TestClock>,
        zone: chrono_tz::Tz,
        lines: u64,
        limits: Limits,
        stored: TestStore,
        directory: Arc<tempfile::TempDir>,
    ) -> Self {
        let engine = Engine::new(stored.store(), Arc::clone(&clock) as Arc<dyn lineshift_engine::Clock>, limits);
        let operator = Self::create(engine, stored, clock, directory, "Altaworx", zone, RevCustomerId(4711)).await;
        operator.add_lines(operator.jasper, 1..=lines).await;
        operator
    }

    /// Another tenant in the same store, on the same engine and clock; its lines have the same ICCIDs and numbers.
    pub async fn beside(&self, name: &str, lines: u64) -> Self {
        let (engine, stored) = (self.engine.clone(), self.stored.clone());
        let (clock, directory) = (Arc::clone(&self.clock), Arc::clone(&self.directory));
        let customer = RevCustomerId(self.rev_customer.0 + 1);
        let other = Self::create(engine, stored, clock, directory, name, chrono_tz::America::Chicago, customer).await;
        other.add_lines(other.jasper, 1..=lines).await;
        other
    }

    async fn create(
        engine: Engine,
        stored: TestStore,
        clock: Arc<TestClock>,
        directory: Arc<tempfile::TempDir>,
        name: &str,
        zone: chrono_tz::Tz,
        rev_customer: RevCustomerId,
    ) -> Self {
        let now = clock.now();
        let store = stored.store();
        let tenant = store.create_tenant(name, zone, now).await.expect("a new tenant");
        stored.keep_ids_apart(tenant).await;
        let key = NewApiKey::unlimited("operator", [7; 32], Scopes::all());
        let principal = store.create_api_key(tenant, &key, now).await.expect("a new key");
        let authentication = IntegrationAuthentication {
            id: IntegrationAuthenticationId(0),
            name: "Rev.io".to_owned(),
            integration_kind: IntegrationKind::REV_IO,
            is_active: true,
        };
        let authentication = store.create_integration_authentication(tenant, &authentication, now).await.expect("authentication");
        let provider = |name: &str, integration_kind| ServiceProvider {
            id: ServiceProviderId(0),
            name: name.to_owned(),
            integration_kind,
            integration_authentication_id: None,
            write_enabled: true,
            is_active: true,
        };
        let jasper =
            store.create_service_provider(tenant, &provider("Jasper", IntegrationKind::JASPER), now).await.expect("provider");
        let telegence = store
            .create_service_provider(tenant, &provider("Telegence", IntegrationKind::TELEGENCE), now)
            .await
            .expect("provider");
        let customer = RevCustomer {
            id: rev_customer,
            name: "Fleet Rentals".to_owned(),
            integration_authentication_id: authentication,
            is_active: true,
        };
        store.create_rev_customer(tenant, &customer, now).await.expect("customer");
        let site = |name: &str, rev_customer_id| Site { id: SiteId(0), name: name.to_owned(), rev_customer_id, is_active: true };
        let rev_site = store.create_site(tenant, &site("Depot", Some(rev_customer)), now).await.expect("site");
        let amop_site = store.create_site(tenant, &site("Corner Shop", None), now).await.expect("site");
        let plan = |name: &str, default: Option<i64>, bound: Option<i64>| CustomerRatePlan {
            id: CustomerRatePlanId(0),
            name: name.to_owned(),
            monthly_price: Decimal::from_str("9.90").ok(),
            allocation_default_mb: default.map(Decimal::from),
            allocation_bound_mb: bound.map(Decimal::from),
            rev_product_id: None,
            is_active: true,
        };
        let first = store.create_customer_rate_plan(tenant, &plan("Half", Some(500), Some(1_000)), now).await.expect("plan");
        let second = store.create_customer_rate_plan(tenant, &plan("Open", None, None), now).await.expect("plan");
        let pool = CustomerRatePool { id: CustomerRatePoolId(0), name: "Shared".to_owned(), is_active: true };
        let pool = store.create_customer_rate_pool(tenant, &pool, now).await.expect("pool");
        let caller = Caller { tenant, principal, name: "operator".to_owned(), rights: lineshift_domain::rights::Rights::all() };
        Self {
            engine,
            store,
            stored,
            clock,
            caller,
            jasper,
            telegence,
            rev_customer,
            rev_site,
            authentication,
            amop_site,
            plan: first,
            other_plan: second,
            pool,
            directory,
        }
    }

    /// The tenant.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.caller.tenant
    }

    /// Adds active lines to a carrier account.
    pub async fn add_lines(&self, provider: ServiceProviderId, numbers: std::ops::RangeInclusive<u64>) {
        let status = if provider == self.jasper { "ACTIVATED" } else { "A" };
        let lines: Vec<ImportDevice> = numbers.map(|line| self.line(provider, line, status)).collect();
        self.import(&lines).await;
    }

    /// A line to import.
    #[must_use]
    pub fn line(&self, provider: ServiceProviderId, line: u64, status: &str) -> ImportDevice {
        ImportDevice {
            service_provider_id: provider,
            iccid: iccid(line),
            subscriber_number: Some(number(line)),
            imei: None,
            status: status.to_owned(),
            is_archived: false,
            activated_at: "2025-03-15T18:30:00Z".parse::<DateTime<Utc>>().ok(),
            carrier_rate_plan: None,
            communication_plan: None,
            ip_address: None,
            carrier_device_id: None,
        }
    }

    /// Imports lines, new or changed.
    pub async fn import(&self, lines: &[ImportDevice]) {
        for chunk in lines.chunks(lineshift_store::import::IMPORT_ROWS) {
            let done =
                self.store.import_devices(self.tenant(), chunk, "test", self.clock.now()).await.expect("lines are imported");
            assert!(done.refused.is_empty(), "{:?}", done.refused);
        }
    }

    /// An order for lines of the Jasper account.
    pub fn order<S: AsRef<str>>(&self, lines: impl IntoIterator<Item = S>, effect: Effect) -> Order {
        let form = match effect {
            Effect::CustomerAssignment(_) => BodyForm::AssociateCustomer,
            _ => BodyForm::BulkChange,
        };
        Order {
            form,
            portal: PortalType::M2M,
            service_provider_id: self.jasper,
            identifier: LineIdentifier::Iccid,
            lines: lines.into_iter().collect(),
            process_changes: true,
            name: None,
            reason: None,
            effect,
        }
    }

    /// To the AMOP customer.
    #[must_use]
    pub fn amop_assignment(&self) -> Effect {
        Effect::CustomerAssignment(AssignmentOrder { site_id: Some(self.amop_site), ..AssignmentOrder::default() })
    }

    /// To the Rev customer.
    #[must_use]
    pub fn rev_assignment(&self) -> AssignmentOrder {
        AssignmentOrder { rev_customer_id: Some(self.rev_customer), ..AssignmentOrder::default() }
    }

    /// To a plan, with its default allocation.
    #[must_use]
    pub fn plan_change(&self, plan: CustomerRatePlanId) -> Effect {
        Effect::CustomerRatePlanChange(self.plan_order(plan))
    }

    /// To a plan, with its default allocation.
    #[must_use]
    pub fn plan_order(&self, plan: CustomerRatePlanId) -> CustomerRatePlanOrder {
        CustomerRatePlanOrder {
            values: PlanValues { plan: Setting::Set(plan), ..PlanValues::default() },
            effective_date: None,
            replace_scheduled: false,
        }
    }

    /// Submits an order.
    pub async fn submit(&self, order: Order) -> Submitted {
        match self.engine.submit(&self.caller, order, None).await.expect("the order is accepted") {
            Submission::Stored(submitted) => submitted,
            Submission::Repeated(answer) => panic!("no idempotency key was given, yet {answer}"),
        }
    }

    /// Submits an order and runs all there is to run.
    pub async fn run(&self, order: Order) -> BulkChangeView {
        let submitted = self.submit(order).await;
        self.run_until_idle().await;
        self.change(submitted.id).await
    }

    /// Runs pages and due entries until nothing is left to do now.
    pub async fn run_until_idle(&self) {
        let options = WorkerOptions { owner: "test".to_owned() };
        self.engine.run_pages_until_idle(&options).await.expect("pages run");
        self.engine.run_due_entries().await.expect("due entries run");
    }

    /// A bulk change as it stands; its counts are checked against its rows. Whoever works on it meanwhile may change both between the two
    /// looks: then it is looked at again.
    pub async fn change(&self, id: BulkChangeId) -> BulkChangeView {
        let look =
            async || self.store.get_bulk_change(self.tenant(), self.caller.principal, id).await.expect("the change is there");
        let mut change = look().await;
        loop {
            let counted = self.store.recount(self.tenant(), id).await.expect("rows are counted");
            let after = look().await;
            if after.counts == change.counts {
                assert_eq!(change.counts, counted, "the counts of bulk change {id} are not those of its rows");
                return change;
            }
            change = after;
        }
    }

    /// A key of the same tenant with other scopes.
    pub async fn key(&self, name: &str, scopes: &str) -> Caller {
        let scopes = Scopes::from_str(scopes).expect("a test writes scopes");
        let key = NewApiKey::unlimited(name, [9; 32], scopes.clone());
        let principal: PrincipalId = self.store.create_api_key(self.tenant(), &key, self.clock.now()).await.expect("a new key");
        Caller {
            tenant: self.tenant(),
            principal,
            name: name.to_owned(),
            rights: lineshift_domain::rights::Rights::unlimited(scopes),
        }
    }
}
