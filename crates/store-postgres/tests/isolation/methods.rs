//! Every method of every store trait, for one tenant, where the database was told of another or of none.

use lineshift_domain::codes::Code;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::RevCustomerId;
use lineshift_domain::lines::read_line;
use lineshift_domain::reach::{Named, Reach};
use lineshift_domain::terms::{LineIdentifier, PortalType};
use lineshift_store::access::AccessStore;
use lineshift_store::audit::{AuditFilter, AuditStore};
use lineshift_store::bulk_changes::{BulkChangeFilter, BulkChangeStore, DeviceChangeFilter, Reopening};
use lineshift_store::catalogue::{CatalogueStore, References, Unnamed};
use lineshift_store::devices::{DeviceFilter, DeviceStore, LineEventFilter, LineFilter, LineOrder, LineValue};
use lineshift_store::figures::FigureStore;
use lineshift_store::import::{ImportRevService, ImportStore};
use lineshift_store::plan_queue::EntryFilter;
use lineshift_store_postgres::Options;
use lineshift_store_postgres::testing::TestDatabase;

use crate::filled::Filled;
use crate::orders::{KEY, QUERY, at, claim_of_key, iccid, orderer};
use crate::outside::{try_billing, try_carriers, try_secrets, try_synchronisation};
use crate::pages::{try_page, try_plan_queue, try_work};
use crate::people::try_people;
use crate::rows::{Rows, owned_tables};
use crate::selections::try_selections;
use crate::things;
use crate::traits::declared_methods;
use crate::tried::{Told, Tried, try_it};

/// Stands in what is written for a tenant whom the database was not told of.
pub(crate) const BY: &str = "Cirrus";

#[tokio::test]
async fn every_method_finds_what_is_there_when_the_database_is_told_of_the_tenant() {
    try_every_method(Told::TheTenant, false).await;
}

/// The first net alone: as a superuser, whom row level security lets pass, every statement keeps to the tenant that it names.
#[tokio::test]
async fn every_method_keeps_to_its_tenant_where_row_level_security_holds_nobody() {
    try_every_method(Told::TheTenant, true).await;
}

#[tokio::test]
async fn no_method_answers_or_changes_anything_of_a_tenant_when_the_database_is_told_of_another() {
    try_every_method(Told::Another, false).await;
}

#[tokio::test]
async fn no_method_answers_or_changes_anything_of_a_tenant_when_the_database_is_told_of_none() {
    try_every_method(Told::Nobody, false).await;
}

async fn try_every_method(told: Told, unheld: bool) {
    let database = TestDatabase::new().await;
    let store = database.store(Options::default()).await;
    let tenant = Filled::new(&store, &database, "Aurora").await;
    let other = Filled::new(&store, &database, "Borealis").await;
    assert_eq!((&tenant.entry.id, &tenant.lines), (&other.entry.id, &other.lines), "filled alike");
    let tables = owned_tables(&database).await;
    let filled = Rows::of(&tables, &[tenant.tenant]).read(&database).await;
    let empty: Vec<_> = tables.iter().filter(|table| !filled.iter().any(|row| row[0] == **table)).collect();
    assert_eq!(empty, Vec::<&String>::new(), "tables without a row, of which nothing would be shown");

    // A store of its own, whose connections never had a tenant.
    let options = Options { trust_role: unheld, ..Options::default() };
    let url = if unheld { database.superuser_url() } else { database.app_url() };
    let store = lineshift_store_postgres::connect(&url, options).await.expect("the store opens");
    let mut tried = Tried::new(&store, &database, &tables, (&tenant, &other), told).await;
    tried.mislead();
    try_catalogue(&mut tried, &tenant).await;
    try_catalogue_lists(&mut tried, &tenant).await;
    try_devices(&mut tried, &tenant).await;
    try_selections(&mut tried, &tenant).await;
    try_figures(&mut tried, &tenant).await;
    try_import(&mut tried, &tenant).await;
    try_plan_queue(&mut tried, &tenant).await;
    try_page(&mut tried, &tenant).await;
    try_carriers(&mut tried, &tenant).await;
    try_secrets(&mut tried, &tenant).await;
    try_billing(&mut tried, &tenant).await;
    try_synchronisation(&mut tried, &tenant).await;
    try_work(&mut tried, &tenant).await;
    try_submission(&mut tried, &tenant).await;
    try_bulk_changes(&mut tried, &tenant).await;
    try_people(&mut tried, &tenant).await;
    try_access(&mut tried, &tenant).await;
    try_audit(&mut tried, &tenant).await;
    assert_eq!(tried.wrong, Vec::<String>::new());
    // Hints are of processes, not of tenants: they hold ids and no rows, and nothing depends on them.
    tried.methods.insert("Signals::next".to_owned());
    assert_eq!(tried.methods, declared_methods(), "methods tried, methods declared");
}

async fn try_figures(tried: &mut Tried<'_>, of: &Filled) {
    let tenant = of.tenant;
    let within = Reach::Named(Named { service_providers: [of.provider].into(), ..Named::default() });
    for reach in [Reach::Everything, within] {
        try_it!(tried, FigureStore.count_lines(tenant, &reach));
        try_it!(tried, FigureStore.count_due_entries(tenant, &reach, &EntryFilter::ALL));
    }
    try_it!(tried, FigureStore.count_bulk_changes(tenant, None, at(-60)));
    try_it!(tried, FigureStore.list_unfinished(tenant, PortalType::ALL, None, 10));
    try_it!(tried, FigureStore.list_failed(tenant, PortalType::ALL, None, at(-60), 10));
}

async fn try_access(tried: &mut Tried<'_>, of: &Filled) {
    let tenant = of.tenant;
    // Tenants are global: their names are read before any of them is chosen, and nothing that they own.
    // A new one is made together with roles of its own, for which the database must be told of it.
    try_it!(tried, AccessStore.create_tenant(BY, chrono_tz::UTC, at(0)));
    tried.note("AccessStore::get_tenant", tried.store.get_tenant(tenant).await).await;
    tried.note("AccessStore::list_tenants", tried.store.list_tenants().await).await;
    tried.note("AccessStore::check_ready", tried.store.check_ready().await).await;
    try_it!(tried, AccessStore.create_api_key(tenant, &things::new_key(BY), at(0)));
    try_it!(tried, AccessStore.find_api_key(tenant, of.key));
    try_it!(tried, AccessStore.list_api_keys(tenant));
    try_it!(tried, AccessStore.record_api_key_uses(tenant, &[(of.key, at(60))]));
    try_it!(tried, AccessStore.revoke_api_key(tenant, of.key, at(60)));
}

async fn try_audit(tried: &mut Tried<'_>, of: &Filled) {
    let tenant = of.tenant;
    let (entry, outcome) = (things::audit_entry(BY, of.key), things::audit_outcome());
    try_it!(tried, AuditStore.record_audit_entry(tenant, &entry));
    try_it!(tried, AuditStore.record_audit_outcome(tenant, &entry.key, &outcome));
    for (principal, target) in [(None, None), (Some(of.key), None), (None, Some("bulk-changes/1".to_owned()))] {
        let filter = AuditFilter { principal, target, ..AuditFilter::default() };
        try_it!(tried, AuditStore.list_audit(tenant, &filter, None, 10));
    }
}

async fn try_catalogue(tried: &mut Tried<'_>, of: &Filled) {
    let (tenant, now) = (of.tenant, at(60));
    try_it!(tried, CatalogueStore.create_integration_authentication(tenant, &things::account(BY, 0), now));
    try_it!(tried, CatalogueStore.get_integration_authentication(tenant, of.account));
    try_it!(tried, CatalogueStore.update_integration_authentication(tenant, &things::account("Cumulus", of.account.0), now));
    try_it!(tried, CatalogueStore.create_service_provider(tenant, &things::provider(BY, 0), now));
    try_it!(tried, CatalogueStore.get_service_provider(tenant, of.provider));
    try_it!(tried, CatalogueStore.update_service_provider(tenant, &things::provider("Cumulus", of.provider.0), now));
    try_it!(tried, CatalogueStore.create_rev_customer(tenant, &things::customer(BY, 2_002, of.account), now));
    try_it!(tried, CatalogueStore.get_rev_customer(tenant, of.customer));
    try_it!(tried, CatalogueStore.update_rev_customer(tenant, &things::customer(BY, of.customer.0, of.account), now));
    try_it!(tried, CatalogueStore.create_site(tenant, &things::site(BY, 0, Some(of.customer)), now));
    try_it!(tried, CatalogueStore.get_site(tenant, of.site));
    try_it!(tried, CatalogueStore.update_site(tenant, &things::site(BY, of.site.0, Some(of.customer)), now));
    try_it!(tried, CatalogueStore.create_customer_rate_plan(tenant, &things::plan(BY, 0), now));
    try_it!(tried, CatalogueStore.get_customer_rate_plan(tenant, of.plan));
    try_it!(tried, CatalogueStore.update_customer_rate_plan(tenant, &things::plan(BY, of.plan.0), now));
    try_it!(tried, CatalogueStore.create_customer_rate_pool(tenant, &things::pool(BY, 0), now));
    try_it!(tried, CatalogueStore.get_customer_rate_pool(tenant, of.pool));
    try_it!(tried, CatalogueStore.update_customer_rate_pool(tenant, &things::pool(BY, of.pool.0), now));
}

async fn try_catalogue_lists(tried: &mut Tried<'_>, of: &Filled) {
    let tenant = of.tenant;
    try_it!(tried, CatalogueStore.list_integration_authentications(tenant, &Reach::Everything, None, 10));
    try_it!(tried, CatalogueStore.list_service_providers(tenant, &Reach::Everything, None, 10));
    try_it!(tried, CatalogueStore.list_rev_customers(tenant, &Reach::Everything, None, 10));
    try_it!(tried, CatalogueStore.list_sites(tenant, &Reach::Everything, None, 10));
    try_it!(tried, CatalogueStore.list_customer_rate_plans(tenant, &Reach::Everything, None, 10));
    try_it!(tried, CatalogueStore.list_customer_rate_pools(tenant, &Reach::Everything, None, 10));
    // Global.
    tried.note("CatalogueStore::active_statuses", tried.store.active_statuses().await).await;
    let references = References {
        service_provider_id: Some(of.provider),
        rev_customer_id: Some(of.customer),
        site_id: None,
        plan: Some(of.plan),
        pool: Some(of.pool),
        carrier_rate_plan: Some(of.mark.to_owned()),
    };
    let unnamed = Unnamed { sites: [of.site].into(), rev_customers: [of.customer].into(), ..Unnamed::default() };
    try_it!(tried, CatalogueStore.find_names(tenant, &unnamed));
    try_it!(tried, CatalogueStore.find_customers(tenant, &Reach::Everything, of.mark, 10));
    try_it!(tried, CatalogueStore.list_sites_of_customer(tenant, &Reach::Everything, of.customer, None, 10));
    try_it!(tried, CatalogueStore.find_referenced(tenant, &references));
    try_it!(tried, CatalogueStore.find_referenced(tenant, &References { site_id: Some(of.site), ..references.clone() }));
}

async fn try_devices(tried: &mut Tried<'_>, of: &Filled) {
    let tenant = of.tenant;
    for filter in [
        DeviceFilter::All,
        DeviceFilter::Iccid(iccid(0)),
        DeviceFilter::Number(crate::orders::number(0)),
        DeviceFilter::ServiceProvider(of.provider),
        DeviceFilter::Site(of.site),
        DeviceFilter::CustomerRatePlan(of.plan),
    ] {
        try_it!(tried, DeviceStore.list_devices(tenant, &Reach::Everything, &filter, None, 10));
    }
    let filter = LineFilter { status: Some("ACTIVATED".to_owned()), ..LineFilter::default() };
    for order in [LineOrder::OldestFirst, LineOrder::NewestFirst] {
        try_it!(tried, DeviceStore.find_lines(tenant, &Reach::Everything, &filter, order, None, 10));
    }
    try_it!(tried, DeviceStore.count_sought(tenant, &Reach::Everything, &filter, 10));
    let begins = LineFilter { iccid_prefix: Some(iccid(0)[..6].to_owned()), ..LineFilter::default() };
    let at_site = LineFilter { site_id: Some(of.site), ..begins.clone() };
    let within = Reach::Named(Named { service_providers: [of.provider].into(), ..Named::default() });
    for (reach, filter) in [(Reach::Everything, &begins), (Reach::Everything, &at_site), (within, &begins)] {
        try_it!(tried, DeviceStore.find_lines(tenant, &reach, filter, LineOrder::OldestFirst, None, 10));
        try_it!(tried, DeviceStore.count_sought(tenant, &reach, filter, 10));
    }
    for of in [LineValue::Status, LineValue::CarrierRatePlan] {
        try_it!(tried, DeviceStore.list_line_values(tenant, of, 10));
    }
    try_it!(tried, DeviceStore.get_device(tenant, of.lines[0]));
    try_it!(tried, DeviceStore.list_line_services(tenant, of.lines[0]));
    try_it!(tried, DeviceStore.list_device_history(tenant, &Reach::Everything, of.lines[7], None, 10));
    let events = LineEventFilter { portals: PortalType::ALL.to_vec(), ordered_by: None };
    try_it!(tried, DeviceStore.list_line_events(tenant, &Reach::Everything, &events, of.entry.device_id, None, 10));
    for (identifier, line) in [(LineIdentifier::Iccid, iccid(0)), (LineIdentifier::Number, crate::orders::number(0))] {
        let lines = [read_line(identifier, &line).expect("well-formed")];
        try_it!(tried, DeviceStore.look_up_lines(tenant, identifier, &lines, QUERY));
    }
    try_it!(tried, DeviceStore.count_open_entries(tenant, &Reach::Everything, &of.lines, None));
    try_it!(tried, DeviceStore.sum_up_charges(tenant, &Reach::Everything, &of.lines));
}

async fn try_import(tried: &mut Tried<'_>, of: &Filled) {
    let (tenant, now) = (of.tenant, at(60));
    try_it!(tried, ImportStore.import_devices(tenant, &[of.line(0), of.line(90)], BY, now));
    let customers = [things::customer(BY, of.customer.0, of.account), things::customer(BY, 3_003, of.account)];
    try_it!(tried, ImportStore.import_customers(tenant, &customers, now));
    try_it!(tried, ImportStore.import_sites(tenant, &[things::site(BY, of.site.0, None), things::site(BY, 900, None)], now));
    try_it!(tried, ImportStore.import_plans(tenant, &[things::plan(BY, of.plan.0), things::plan(BY, 900)], now));
    try_it!(tried, ImportStore.import_pools(tenant, &[things::pool(BY, of.pool.0), things::pool(BY, 900)], now));
    try_it!(tried, ImportStore.import_assignments(tenant, &[of.present(0), of.present(15)], BY, now));
    let service = ImportRevService {
        rev_customer_id: RevCustomerId(of.customer.0),
        rev_service_id: 10,
        iccid: Some(iccid(0)),
        number: None,
        rev_service_type_id: None,
        rev_provider_id: None,
        activated_date: None,
        disconnected_date: Some(now),
        has_package: false,
        products: vec![],
    };
    let services = [service.clone(), ImportRevService { rev_service_id: 99, disconnected_date: None, ..service }];
    try_it!(tried, ImportStore.import_rev_services(tenant, &services, now));
    try_it!(tried, ImportStore.import_queue_entries(tenant, &[of.scheduled(1), of.scheduled(14)], BY, now));
}

async fn try_submission(tried: &mut Tried<'_>, of: &Filled) {
    let tenant = of.tenant;
    for key in ["first", "another"] {
        try_it!(tried, BulkChangeStore.claim_idempotency_key(tenant, &claim_of_key(key), at(60), at(-60), at(0)));
    }
    try_it!(tried, BulkChangeStore.release_idempotency_key(tenant, &claim_of_key("another")));
    let one = of.change(of.plan_change(None), 1);
    try_it!(tried, BulkChangeStore.store_bulk_change(tenant, &one, of.rows(&[13]), None));
    let two = of.change(of.plan_change(None), 2);
    try_it!(tried, BulkChangeStore.begin_receiving(tenant, &two, at(50), None));
    try_it!(tried, BulkChangeStore.renew_receiving(tenant, of.receiving, at(50)));
    try_it!(tried, BulkChangeStore.append_received(tenant, of.receiving, &two, 1, of.rows(&[14]), at(50)));
    try_it!(tried, BulkChangeStore.finish_receiving(tenant, of.receiving, &two, None, at(20)));
    try_it!(tried, BulkChangeStore.drop_receiving(tenant, of.receiving));
    try_it!(tried, BulkChangeStore.drop_abandoned(tenant, at(60), 10));
}

async fn try_bulk_changes(tried: &mut Tried<'_>, of: &Filled) {
    let (tenant, now, by) = (of.tenant, at(60), orderer(BY));
    try_it!(tried, BulkChangeStore.list_bulk_changes(tenant, KEY, None, 10));
    try_it!(tried, BulkChangeStore.list_bulk_changes_of(tenant, KEY, None, 10));
    let of_mobility = BulkChangeFilter { portal: PortalType::Mobility, status: None, created_by: None, ordered_by: None };
    try_it!(tried, BulkChangeStore.list_bulk_changes_by(tenant, KEY, &of_mobility, None, 10));
    let own = BulkChangeFilter { ordered_by: Some(KEY), ..of_mobility };
    try_it!(tried, BulkChangeStore.list_bulk_changes_by(tenant, KEY, &own, None, 10));
    try_it!(tried, BulkChangeStore.get_bulk_change(tenant, KEY, of.open));
    let of_code = DeviceChangeFilter { status: None, code: Some(Code::DeviceArchived) };
    for filter in [DeviceChangeFilter::default(), of_code] {
        try_it!(tried, BulkChangeStore.list_device_changes(tenant, of.failed, filter, None, 10));
    }
    try_it!(tried, BulkChangeStore.find_device_changes(tenant, of.entry.bulk_change_id, &[of.entry.id]));
    try_it!(tried, BulkChangeStore.find_rows_beyond(tenant, &Reach::nothing(), &[of.entry.id]));
    try_it!(tried, BulkChangeStore.count_errors(tenant, of.failed));
    try_it!(tried, BulkChangeStore.count_waiting(tenant, of.waiting));
    try_it!(tried, BulkChangeStore.count_scheduled(tenant, of.entry.bulk_change_id));
    try_it!(tried, BulkChangeStore.recount(tenant, of.failed));
    try_it!(tried, BulkChangeStore.list_log(tenant, of.failed, None, None, 10));
    try_it!(tried, BulkChangeStore.start_bulk_change(tenant, of.unstarted, &by, now));
    try_it!(tried, BulkChangeStore.cancel_bulk_change(tenant, of.open, &by, &Reach::Everything, now));
    let holds = Holds::CUSTOMER_AND_PLAN;
    let reopening = Reopening { codes: vec![], holds, attempt: 2, begins: true, by, until: at(90), now };
    try_it!(tried, BulkChangeStore.reopen_page(tenant, of.failed, 0, &reopening));
    try_it!(tried, BulkChangeStore.finish_reopening(tenant, of.failed));
    try_it!(tried, BulkChangeStore.count_pages(tenant, of.open));
}
