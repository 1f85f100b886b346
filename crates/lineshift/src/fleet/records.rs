//! A generated fleet as the store takes it in.

use lineshift_domain::ids::{
    CustomerRatePlanId, CustomerRatePoolId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId,
};
use lineshift_store::catalogue::{CustomerRatePlan, CustomerRatePool, RevCustomer, ServiceProvider, Site};
use lineshift_store::import::{ImportAssignment, ImportDevice, ImportRevProduct, ImportRevService};
use rust_decimal::Decimal;

use super::catalogue::{
    BILLED_CUSTOMER, CUSTOMERS, FLEET_POOL, METERS, PHONE_POOL, PHONES, PLANS, POOLS, PROVIDERS, SITES, TELEMATICS_PLAN,
};
use super::random::mixed;
use super::{Line, Special};

impl Line {
    /// The line itself. `providers` are the ids of the carrier accounts in the order of the catalogue.
    pub(crate) fn device(&self, providers: &[ServiceProviderId]) -> ImportDevice {
        ImportDevice {
            service_provider_id: providers[self.provider],
            iccid: self.iccid.clone(),
            subscriber_number: self.number.clone(),
            imei: Some(self.imei.clone()),
            status: self.status.to_owned(),
            is_archived: self.special == Special::Archived,
            activated_at: Some(self.activated_at),
            carrier_rate_plan: Some(self.carrier_rate_plan.to_owned()),
            communication_plan: PROVIDERS[self.provider].communication_plan.map(str::to_owned),
            ip_address: None,
            carrier_device_id: None,
        }
    }

    /// What the tenant decided about it so far.
    pub(crate) fn assignment(&self) -> Option<ImportAssignment> {
        let assigned = self.assigned?;
        let pool = if self.provider == PHONES { PHONE_POOL } else { FLEET_POOL };
        Some(ImportAssignment {
            iccid: self.iccid.clone(),
            rev_customer_id: assigned.rev_customer_id.map(RevCustomerId),
            site_id: SiteId(assigned.site_id),
            customer_rate_plan_id: assigned.plan.map(CustomerRatePlanId),
            customer_rate_pool_id: assigned.plan.map(|_| CustomerRatePoolId(pool)),
            customer_data_allocation_mb: assigned.plan.and_then(default_mb),
            effective_date: Some(self.activated_at),
        })
    }

    /// What somebody else does to a line that is there to be changed while an order for it waits.
    pub(crate) fn moved(&self) -> Option<ImportAssignment> {
        let present = self.assignment().filter(|_| self.special == Special::Moved)?;
        let plan = Some(CustomerRatePlanId(TELEMATICS_PLAN));
        Some(ImportAssignment { customer_rate_plan_id: plan, ..present })
    }

    /// What Rev.io bills for it: the present customer, another one, or a former one no longer.
    pub(crate) fn rev_service(&self) -> Option<ImportRevService> {
        let chance = mixed(&[3, self.serial]);
        let billed =
            |customer| Some(self.service_of(customer, if chance.is_multiple_of(3) { "PENDING" } else { "ACTIVE" }, None));
        match self.special {
            Special::BilledToOther => billed(BILLED_CUSTOMER),
            Special::Ordinary if self.provider == PHONES && chance.is_multiple_of(2) => billed(300_102),
            Special::Ordinary if self.provider == METERS && chance.is_multiple_of(20) => {
                let disconnected = self.activated_at + chrono::TimeDelta::days(90);
                Some(self.service_of(300_104, "DISCONNECTED", Some(disconnected)))
            }
            _ => None,
        }
    }

    fn service_of(
        &self,
        customer: i64,
        status: &str,
        disconnected_date: Option<chrono::DateTime<chrono::Utc>>,
    ) -> ImportRevService {
        let serial = i64::try_from(self.serial).expect("a place in a fleet");
        ImportRevService {
            rev_customer_id: RevCustomerId(customer),
            rev_service_id: 70_000_000 + serial,
            iccid: Some(self.iccid.clone()),
            number: self.number.clone(),
            rev_service_type_id: Some(6),
            rev_provider_id: Some(42),
            activated_date: Some(self.activated_at),
            disconnected_date,
            has_package: false,
            products: vec![ImportRevProduct {
                rev_service_product_id: 80_000_000 + serial,
                rev_product_id: 5_011,
                rate: Some(Decimal::new(25, 1)),
                quantity: Some(Decimal::ONE),
                status: status.to_owned(),
                description: Some("Sensor 50 MB".to_owned()),
            }],
        }
    }
}

fn default_mb(plan: i64) -> Option<Decimal> {
    PLANS.iter().find(|known| known.id == plan)?.default_mb.map(Decimal::from)
}

/// Carrier accounts; their ids are made by the store.
pub(crate) fn providers() -> Vec<ServiceProvider> {
    let made = |provider: &super::catalogue::Provider| ServiceProvider {
        id: ServiceProviderId(0),
        name: provider.name.to_owned(),
        integration_kind: provider.kind,
        integration_authentication_id: None,
        write_enabled: true,
        is_active: true,
    };
    PROVIDERS.iter().map(made).collect()
}

/// Rev customers of that Rev.io account.
pub(crate) fn customers(billing: IntegrationAuthenticationId) -> Vec<RevCustomer> {
    let made = |(id, name, is_active): &(i64, &str, bool)| RevCustomer {
        id: RevCustomerId(*id),
        name: (*name).to_owned(),
        integration_authentication_id: billing,
        is_active: *is_active,
    };
    CUSTOMERS.iter().map(made).collect()
}

/// Sites.
pub(crate) fn sites() -> Vec<Site> {
    let made = |(id, name, customer, is_active): &(i64, &str, Option<i64>, bool)| Site {
        id: SiteId(*id),
        name: (*name).to_owned(),
        rev_customer_id: customer.map(RevCustomerId),
        is_active: *is_active,
    };
    SITES.iter().map(made).collect()
}

/// Customer rate plans.
pub(crate) fn plans() -> Vec<CustomerRatePlan> {
    let made = |plan: &super::catalogue::Plan| CustomerRatePlan {
        id: CustomerRatePlanId(plan.id),
        name: plan.name.to_owned(),
        monthly_price: Some(plan.monthly_price.parse().expect("the catalogue's prices are decimal numbers")),
        allocation_default_mb: plan.default_mb.map(Decimal::from),
        allocation_bound_mb: plan.bound_mb.map(Decimal::from),
        rev_product_id: plan.rev_product_id,
        is_active: plan.is_active,
    };
    PLANS.iter().map(made).collect()
}

/// Customer rate pools.
pub(crate) fn pools() -> Vec<CustomerRatePool> {
    let made = |(id, name, is_active): &(i64, &str, bool)| CustomerRatePool {
        id: CustomerRatePoolId(*id),
        name: (*name).to_owned(),
        is_active: *is_active,
    };
    POOLS.iter().map(made).collect()
}
