//! Things that orders refer to, named by a mark.

use lineshift_domain::ids::{
    CustomerRatePlanId, CustomerRatePoolId, IntegrationAuthenticationId, PrincipalId, RevCustomerId, ServiceProviderId, SiteId,
};
use lineshift_domain::reach::Reach;
use lineshift_domain::scopes::Scopes;
use lineshift_domain::terms::{AuditActor, AuditResult, IntegrationKind};
use lineshift_store::access::NewApiKey;
use lineshift_store::audit::{AuditKey, AuditOutcome, NewAuditEntry};
use lineshift_store::billing::AccountSettings;
use lineshift_store::catalogue::{
    CarrierRatePlan, CustomerRatePlan, CustomerRatePool, IntegrationAuthentication, RevCustomer, ServiceProvider, Site,
};

use crate::orders::at;

pub(crate) fn new_key(mark: &str) -> NewApiKey {
    NewApiKey {
        name: format!("{mark} key"),
        secret_hash: [1; 32],
        scopes: Scopes::all(),
        reach: Reach::Everything,
        expires_at: None,
    }
}

pub(crate) fn account(mark: &str, id: i64) -> IntegrationAuthentication {
    let (id, integration_kind) = (IntegrationAuthenticationId(id), IntegrationKind::REV_IO);
    IntegrationAuthentication { id, name: format!("{mark} account"), integration_kind, is_active: true }
}

pub(crate) fn settings(mark: &str) -> AccountSettings {
    AccountSettings {
        base_address: format!("https://{mark}.localhost"),
        secret_encrypted: Some(mark.as_bytes().to_vec()),
        is_local: true,
        write_enabled: true,
        concurrency: Some(8),
        calls_a_minute: None,
        calls_a_day: None,
    }
}

pub(crate) fn provider(mark: &str, id: i64) -> ServiceProvider {
    ServiceProvider {
        id: ServiceProviderId(id),
        name: format!("{mark} provider"),
        integration_kind: IntegrationKind::JASPER,
        integration_authentication_id: None,
        write_enabled: true,
        is_active: true,
    }
}

pub(crate) fn carrier_plan(mark: &str, code: &str) -> CarrierRatePlan {
    CarrierRatePlan { code: code.to_owned(), name: format!("{mark} carrier plan"), is_active: true }
}

pub(crate) fn customer(mark: &str, id: i64, account: IntegrationAuthenticationId) -> RevCustomer {
    let (id, name) = (RevCustomerId(id), format!("{mark} customer"));
    RevCustomer { id, name, integration_authentication_id: account, is_active: true }
}

pub(crate) fn site(mark: &str, id: i64, rev_customer_id: Option<RevCustomerId>) -> Site {
    Site { id: SiteId(id), name: format!("{mark} site"), rev_customer_id, is_active: true }
}

pub(crate) fn plan(mark: &str, id: i64) -> CustomerRatePlan {
    CustomerRatePlan {
        id: CustomerRatePlanId(id),
        name: format!("{mark} plan"),
        monthly_price: None,
        allocation_default_mb: None,
        allocation_bound_mb: None,
        rev_product_id: None,
        is_active: true,
    }
}

pub(crate) fn pool(mark: &str, id: i64) -> CustomerRatePool {
    CustomerRatePool { id: CustomerRatePoolId(id), name: format!("{mark} pool"), is_active: true }
}

/// What somebody asked for, on what the tenants have alike.
pub(crate) fn audit_entry(who: &str, principal: PrincipalId) -> NewAuditEntry {
    NewAuditEntry {
        key: AuditKey { at: at(60), request_id: "0000000000000001".to_owned() },
        actor: AuditActor::Key,
        principal: Some(principal),
        who: who.to_owned(),
        address: None,
        agent: None,
        action: "POST /api/v1/bulk-changes/{id}/start".to_owned(),
        target: Some("bulk-changes/1".to_owned()),
    }
}

/// What came of it.
pub(crate) fn audit_outcome() -> AuditOutcome {
    AuditOutcome {
        finished_at: at(61),
        result: AuditResult::Done,
        status: Some(200),
        devices: Some(1),
        made: None,
        problem_codes: Vec::new(),
        body_hash: None,
        note: None,
    }
}
