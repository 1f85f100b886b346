//! Reference data.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use lineshift_domain::ids::{
    CustomerRatePlanId, CustomerRatePoolId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId, TenantId,
};
use lineshift_domain::judge::ActiveStatuses;
use lineshift_domain::reach::{Named, Reach};
use lineshift_store::catalogue::{
    CatalogueStore, CustomerRatePlan, CustomerRatePool, FoundCustomers, IntegrationAuthentication, Names, Referenced, References,
    RevCustomer, ServiceProvider, Site, Unnamed,
};
use lineshift_store::paging::Listed;
use lineshift_store::sql::catalogue as text;
use lineshift_store::{Result, StoreError};

use crate::engine::Sql;
use crate::engine::{Engine, Scope, SqlStore};
use crate::json::json;
use crate::reach::Lists;
use crate::row::{Row, decimal_text, micros, page_limit};
use crate::sql::names as naming;
use crate::sql::reach as tuned;
use crate::statement::Statement;
use crate::value::{OwnedValue, Parameter};
use crate::{carriers, customers};

/// One kind of reference data: its statements, and how it is bound and read.
trait Kind: Clone + Send + 'static {
    /// How messages call it.
    const WHAT: &'static str;
    /// The counter of its ids; none: the id comes with the thing.
    const COUNTER: Option<&'static str>;
    /// Create, get, update, list.
    const STATEMENTS: [&'static str; 4];
    /// Whether its row says when it was changed, so that an update binds now.
    const HAS_MODIFIED_AT: bool = true;
    /// Its id.
    fn id(&self) -> i64;
    /// Its fields in the order of the columns.
    fn fields(&self) -> Vec<OwnedValue>;
    /// How those within reach are listed, and what the statement takes beside tenant and page; none: all of them are within reach.
    fn reached(_named: &Named) -> Option<(Statement, Vec<String>)> {
        None
    }
    /// Reads the columns of the get.
    fn read(row: &Row<'_>) -> Result<Self>;
}

impl<E: Engine> SqlStore<E> {
    async fn create<K: Kind>(&self, tenant: TenantId, thing: &K, now: DateTime<Utc>) -> Result<i64> {
        let thing = thing.clone();
        self.engine
            .write(tenant, move |sql| {
                let id = K::COUNTER.map_or_else(|| Ok(thing.id()), |counter| sql.reserve_ids(tenant, counter, 1))?;
                execute(sql, K::STATEMENTS[0], tenant, id, thing.fields(), Some(now))?;
                Ok(id)
            })
            .await
    }

    async fn get<K: Kind>(&self, tenant: TenantId, id: i64) -> Result<K> {
        let found = self.engine.read(tenant, move |sql| find::<K>(sql, tenant, Some(id))).await?;
        found.ok_or_else(|| StoreError::not_found(K::WHAT, id))
    }

    async fn update<K: Kind>(&self, tenant: TenantId, thing: &K, now: DateTime<Utc>) -> Result<()> {
        let thing = thing.clone();
        self.engine
            .write(tenant, move |sql| {
                let now = K::HAS_MODIFIED_AT.then_some(now);
                match execute(sql, K::STATEMENTS[2], tenant, thing.id(), thing.fields(), now)? {
                    0 => Err(StoreError::not_found(K::WHAT, thing.id())),
                    _ => Ok(()),
                }
            })
            .await
    }

    async fn list<K: Kind, I: Clone>(
        &self,
        tenant: TenantId,
        reach: &Reach,
        after: Option<i64>,
        limit: usize,
        id: impl Fn(i64) -> I,
    ) -> Result<Listed<K, I>> {
        let (limit, surplus) = page_limit(limit);
        let after = after.unwrap_or(i64::MIN);
        let limited = match reach {
            Reach::Everything => None,
            Reach::Named(named) => K::reached(named),
        };
        let items = self
            .engine
            .read(tenant, move |sql| match &limited {
                None => sql.query(K::STATEMENTS[3], &[&tenant.0, &after, &surplus], K::read),
                Some((statement, lists)) => {
                    let mut given: Vec<&dyn Parameter> = vec![&tenant.0, &after, &surplus];
                    given.extend(lists.iter().map(|list| list as &dyn Parameter));
                    sql.query(*statement, &given, K::read)
                }
            })
            .await?;
        Ok(Listed::from_surplus(items, limit, |thing| id(thing.id())))
    }
}

fn find<K: Kind>(sql: &Sql<'_>, tenant: TenantId, id: Option<i64>) -> Result<Option<K>> {
    let Some(id) = id else { return Ok(None) };
    sql.find(K::STATEMENTS[1], &[&tenant.0, &id], K::read)
}

/// Binds tenant, id, the fields and, where the statement names it, now.
fn execute(
    sql: &Sql<'_>,
    statement: &'static str,
    tenant: TenantId,
    id: i64,
    fields: Vec<OwnedValue>,
    now: Option<DateTime<Utc>>,
) -> Result<usize> {
    let mut values = vec![OwnedValue::Integer(tenant.0), OwnedValue::Integer(id)];
    values.extend(fields);
    values.extend(now.map(|now| OwnedValue::Integer(micros(now))));
    let parameters: Vec<&dyn Parameter> = values.iter().map(|value| value as &dyn Parameter).collect();
    sql.execute(statement, &parameters)
}

/// Implements the trait: for each kind create, get, update and list, all alike.
macro_rules! implement {
    ($($thing:ident, $id:ident, $create:ident, $get:ident, $update:ident, $list:ident;)*) => {
        #[async_trait]
        impl<E: Engine> CatalogueStore for SqlStore<E> {
            $(
                async fn $create(&self, tenant: TenantId, thing: &$thing, now: DateTime<Utc>) -> Result<$id> {
                    self.create(tenant, thing, now).await.map($id)
                }
                async fn $get(&self, tenant: TenantId, id: $id) -> Result<$thing> {
                    self.get(tenant, id.0).await
                }
                async fn $update(&self, tenant: TenantId, thing: &$thing, now: DateTime<Utc>) -> Result<()> {
                    self.update(tenant, thing, now).await
                }
                async fn $list(
                    &self,
                    tenant: TenantId,
                    reach: &Reach,
                    after: Option<$id>,
                    limit: usize,
                ) -> Result<Listed<$thing, $id>> {
                    self.list(tenant, reach, after.map(|id| id.0), limit, $id).await
                }
            )*

            async fn active_statuses(&self) -> Result<ActiveStatuses> {
                let rows = |sql: &Sql<'_>| sql.query(text::ACTIVE_STATUSES, &[], |row| Ok((row.term(0)?, row.get(1)?)));
                Ok(self.engine.read(Scope::Across, rows).await?.into_iter().collect())
            }

            async fn find_referenced(&self, tenant: TenantId, references: &References) -> Result<Referenced> {
                let references = references.clone();
                self.engine.read(tenant, move |sql| find_referenced(sql, tenant, &references)).await
            }
            async fn find_names(&self, tenant: TenantId, unnamed: &Unnamed) -> Result<Names> {
                let lists = [
                    json(&unnamed.rev_customers)?,
                    json(&unnamed.sites)?,
                    json(&unnamed.service_providers)?,
                    json(&unnamed.customer_rate_plans)?,
                    json(&unnamed.customer_rate_pools)?,
                ];
                let found = self.engine.read(tenant, move |sql| find_names(sql, tenant, &lists)).await?;
                Ok(sorted(found))
            }
            async fn find_customers(&self, tenant: TenantId, reach: &Reach, text: &str, limit: usize) -> Result<FoundCustomers> {
                customers::find(self, tenant, reach, text, limit).await
            }
            async fn list_sites_of_customer(
                &self,
                tenant: TenantId,
                reach: &Reach,
                customer: RevCustomerId,
                after: Option<SiteId>,
                limit: usize,
            ) -> Result<Listed<Site, SiteId>> {
                let ((limit, surplus), after) = (page_limit(limit), after.map_or(i64::MIN, |id| id.0));
                let found = self
                    .engine
                    .read(tenant, move |sql| {
                        sql.query(text::LIST_SITES_OF_CUSTOMER, &[&tenant.0, &customer.0, &after, &surplus], Site::read)
                    })
                    .await?;
                let mut listed = Listed::from_surplus(found, limit, |site| site.id);
                listed.items.retain(|site| reach.reaches_site(site.id, site.rev_customer_id));
                Ok(listed)
            }
        }
    };
}

implement! {
    IntegrationAuthentication, IntegrationAuthenticationId, create_integration_authentication, get_integration_authentication,
        update_integration_authentication, list_integration_authentications;
    ServiceProvider, ServiceProviderId, create_service_provider, get_service_provider, update_service_provider,
        list_service_providers;
    RevCustomer, RevCustomerId, create_rev_customer, get_rev_customer, update_rev_customer, list_rev_customers;
    Site, SiteId, create_site, get_site, update_site, list_sites;
    CustomerRatePlan, CustomerRatePlanId, create_customer_rate_plan, get_customer_rate_plan, update_customer_rate_plan,
        list_customer_rate_plans;
    CustomerRatePool, CustomerRatePoolId, create_customer_rate_pool, get_customer_rate_pool, update_customer_rate_pool,
        list_customer_rate_pools;
}

/// Which list, the id, the name.
fn find_names(sql: &Sql<'_>, tenant: TenantId, lists: &[String; 5]) -> Result<Vec<(i64, i64, String)>> {
    let mut given: Vec<&dyn Parameter> = vec![&tenant.0];
    given.extend(lists.iter().map(|list| list as &dyn Parameter));
    sql.query(naming::FIND_NAMES, &given, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

/// Gives each list its names.
fn sorted(found: Vec<(i64, i64, String)>) -> Names {
    let mut names = Names::default();
    for (list, id, name) in found {
        match list {
            0 => drop(names.rev_customers.insert(RevCustomerId(id), name)),
            1 => drop(names.sites.insert(SiteId(id), name)),
            2 => drop(names.service_providers.insert(ServiceProviderId(id), name)),
            3 => drop(names.customer_rate_plans.insert(CustomerRatePlanId(id), name)),
            _ => drop(names.customer_rate_pools.insert(CustomerRatePoolId(id), name)),
        }
    }
    names
}

fn find_referenced(sql: &Sql<'_>, tenant: TenantId, references: &References) -> Result<Referenced> {
    let site = match (references.site_id, references.rev_customer_id) {
        (Some(site), _) => find(sql, tenant, Some(site.0))?,
        (None, Some(customer)) => sql.find(text::FIRST_ACTIVE_SITE, &[&tenant.0, &customer.0], Site::read)?,
        (None, None) => None,
    };
    Ok(Referenced {
        service_provider: find(sql, tenant, references.service_provider_id.map(|id| id.0))?,
        rev_customer: find(sql, tenant, references.rev_customer_id.map(|id| id.0))?,
        site,
        plan: find(sql, tenant, references.plan.map(|id| id.0))?,
        pool: find(sql, tenant, references.pool.map(|id| id.0))?,
        carrier_rate_plan: carriers::find_plan(sql, tenant, references)?,
    })
}

impl Kind for IntegrationAuthentication {
    const WHAT: &'static str = "integration authentication";
    const COUNTER: Option<&'static str> = Some("integration_authentication");
    const HAS_MODIFIED_AT: bool = false;
    const STATEMENTS: [&'static str; 4] = [
        text::CREATE_INTEGRATION_AUTHENTICATION,
        text::GET_INTEGRATION_AUTHENTICATION,
        text::UPDATE_INTEGRATION_AUTHENTICATION,
        text::LIST_INTEGRATION_AUTHENTICATIONS,
    ];
    fn id(&self) -> i64 {
        self.id.0
    }
    fn fields(&self) -> Vec<OwnedValue> {
        vec![self.name.clone().into(), self.integration_kind.as_str().to_owned().into(), self.is_active.into()]
    }
    fn read(row: &Row<'_>) -> Result<Self> {
        let id = IntegrationAuthenticationId(row.get(0)?);
        Ok(Self { id, name: row.get(1)?, integration_kind: row.term(2)?, is_active: row.get(3)? })
    }
}

impl Kind for ServiceProvider {
    const WHAT: &'static str = "service provider";
    const COUNTER: Option<&'static str> = Some("service_provider");
    const STATEMENTS: [&'static str; 4] =
        [text::CREATE_SERVICE_PROVIDER, text::GET_SERVICE_PROVIDER, text::UPDATE_SERVICE_PROVIDER, text::LIST_SERVICE_PROVIDERS];
    fn id(&self) -> i64 {
        self.id.0
    }
    fn fields(&self) -> Vec<OwnedValue> {
        let kind = self.integration_kind.as_str().to_owned();
        let authentication = self.integration_authentication_id.map(|id| id.0);
        vec![self.name.clone().into(), kind.into(), authentication.into(), self.write_enabled.into(), self.is_active.into()]
    }
    fn reached(named: &Named) -> Option<(Statement, Vec<String>)> {
        let all = named.service_providers.is_empty() && named.names_assignments();
        (!all).then(|| (tuned::LIST_SERVICE_PROVIDERS, vec![Lists::of(named).providers]))
    }
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: ServiceProviderId(row.get(0)?),
            name: row.get(1)?,
            integration_kind: row.term(2)?,
            integration_authentication_id: row.get::<Option<i64>>(3)?.map(IntegrationAuthenticationId),
            write_enabled: row.get(4)?,
            is_active: row.get(5)?,
        })
    }
}

impl Kind for RevCustomer {
    const WHAT: &'static str = "customer";
    const COUNTER: Option<&'static str> = None;
    const STATEMENTS: [&'static str; 4] =
        [text::CREATE_REV_CUSTOMER, text::GET_REV_CUSTOMER, text::UPDATE_REV_CUSTOMER, text::LIST_REV_CUSTOMERS];
    fn id(&self) -> i64 {
        self.id.0
    }
    fn fields(&self) -> Vec<OwnedValue> {
        vec![self.name.clone().into(), self.integration_authentication_id.0.into(), self.is_active.into()]
    }
    fn reached(named: &Named) -> Option<(Statement, Vec<String>)> {
        let all = !named.names_assignments() && !named.service_providers.is_empty();
        (!all).then(|| (tuned::LIST_CUSTOMERS, vec![Lists::of(named).customers]))
    }
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: RevCustomerId(row.get(0)?),
            name: row.get(1)?,
            integration_authentication_id: IntegrationAuthenticationId(row.get(2)?),
            is_active: row.get(3)?,
        })
    }
}

impl Kind for Site {
    const WHAT: &'static str = "site";
    const COUNTER: Option<&'static str> = Some("site");
    const STATEMENTS: [&'static str; 4] = [text::CREATE_SITE, text::GET_SITE, text::UPDATE_SITE, text::LIST_SITES];
    fn id(&self) -> i64 {
        self.id.0
    }
    fn fields(&self) -> Vec<OwnedValue> {
        vec![self.name.clone().into(), self.rev_customer_id.map(|id| id.0).into(), self.is_active.into()]
    }
    fn reached(named: &Named) -> Option<(Statement, Vec<String>)> {
        let all = !named.names_assignments() && !named.service_providers.is_empty();
        let lists = Lists::of(named);
        (!all).then(|| (tuned::LIST_SITES, vec![lists.customers, lists.sites]))
    }
    fn read(row: &Row<'_>) -> Result<Self> {
        let rev_customer_id = row.get::<Option<i64>>(2)?.map(RevCustomerId);
        Ok(Self { id: SiteId(row.get(0)?), name: row.get(1)?, rev_customer_id, is_active: row.get(3)? })
    }
}

impl Kind for CustomerRatePlan {
    const WHAT: &'static str = "customer rate plan";
    const COUNTER: Option<&'static str> = Some("customer_rate_plan");
    const STATEMENTS: [&'static str; 4] = [
        text::CREATE_CUSTOMER_RATE_PLAN,
        text::GET_CUSTOMER_RATE_PLAN,
        text::UPDATE_CUSTOMER_RATE_PLAN,
        text::LIST_CUSTOMER_RATE_PLANS,
    ];
    fn id(&self) -> i64 {
        self.id.0
    }
    fn fields(&self) -> Vec<OwnedValue> {
        vec![
            self.name.clone().into(),
            self.monthly_price.map(decimal_text).into(),
            self.allocation_default_mb.map(decimal_text).into(),
            self.allocation_bound_mb.map(decimal_text).into(),
            self.rev_product_id.into(),
            self.is_active.into(),
        ]
    }
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: CustomerRatePlanId(row.get(0)?),
            name: row.get(1)?,
            monthly_price: row.maybe_decimal(2)?,
            allocation_default_mb: row.maybe_decimal(3)?,
            allocation_bound_mb: row.maybe_decimal(4)?,
            rev_product_id: row.get(5)?,
            is_active: row.get(6)?,
        })
    }
}

impl Kind for CustomerRatePool {
    const WHAT: &'static str = "customer rate pool";
    const COUNTER: Option<&'static str> = Some("customer_rate_pool");
    const STATEMENTS: [&'static str; 4] = [
        text::CREATE_CUSTOMER_RATE_POOL,
        text::GET_CUSTOMER_RATE_POOL,
        text::UPDATE_CUSTOMER_RATE_POOL,
        text::LIST_CUSTOMER_RATE_POOLS,
    ];
    fn id(&self) -> i64 {
        self.id.0
    }
    fn fields(&self) -> Vec<OwnedValue> {
        vec![self.name.clone().into(), self.is_active.into()]
    }
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self { id: CustomerRatePoolId(row.get(0)?), name: row.get(1)?, is_active: row.get(2)? })
    }
}
