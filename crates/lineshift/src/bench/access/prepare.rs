//! Two tenants that are alike, a caller of the first with a key and a session, one who reaches one site of it, and people who sign in.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use lineshift_domain::ids::{PrincipalId, ServiceProviderId, SiteId, TenantId};
use lineshift_domain::limits::Limits;
use lineshift_domain::reach::Reach;
use lineshift_domain::reading::read_associate_customer;
use lineshift_domain::rights::Rights;
use lineshift_domain::scopes::Scopes;
use lineshift_domain::terms::{IntegrationKind, PortalType};
use lineshift_engine::{Caller, Clock as _, Engine, SystemClock};
use lineshift_store::Store;
use lineshift_store::access::NewApiKey;
use lineshift_store::catalogue::{ServiceProvider, Site};
use lineshift_store::devices::DeviceFilter;
use lineshift_store::import::ImportAssignment;
use lineshift_store::people::{Membership, NewSession, NewUser};
use lineshift_web::new_api_key_secret;
use lineshift_web::passwords::hash_password;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderValue};
use secrecy::SecretString;
use serde_json::json;

use crate::bench::engine_legs::stored;
use crate::bench::fleet;
use crate::bench::prepare::device;

/// Everybody's password.
pub(super) const PASSWORD: &str = "tall-window-sings-low";

/// Sites, and lines of each site, of the first tenant. The second has twice as many sites: ids that the first does not have, wherever ids
/// are counted by tenant.
const SITES: u64 = 10;
const LINES_OF_SITE: u64 = 20;

/// How long somebody stays signed in.
const SIGNED_IN: TimeDelta = TimeDelta::hours(12);

/// The address of one of those who sign in.
pub(super) fn email(nth: usize) -> String {
    format!("person-{nth}@bench.example")
}

/// Ids of a kind, and where they are asked for.
pub(super) struct Ids {
    pub(super) kind: &'static str,
    pub(super) path: &'static str,
    pub(super) ids: Vec<i64>,
}

/// Who asks, and for what.
pub(super) struct Prepared {
    pub(super) store: Arc<dyn Store>,
    /// What shows a caller of the first tenant who may do everything: a key, and a session.
    pub(super) key: HeaderMap,
    pub(super) session: HeaderMap,
    /// What shows one who reaches one site.
    pub(super) limited_key: HeaderMap,
    /// What is the second tenant's, and what the limited one does not reach.
    pub(super) foreign: Vec<Ids>,
    pub(super) beyond: Vec<Ids>,
    /// What a caller of the first tenant may well ask for.
    pub(super) own: Vec<String>,
}

/// A tenant, filled.
struct Filled {
    caller: Caller,
    key: HeaderMap,
    sites: Vec<i64>,
    devices: Vec<i64>,
    changes: Vec<i64>,
}

impl Prepared {
    /// Fills an empty store.
    pub(super) async fn new(store: Arc<dyn Store>, people: usize) -> Result<Self> {
        let now = SystemClock.now();
        let own = fill(&store, "Own", SITES).await?;
        let other = fill(&store, "Another", 2 * SITES).await?;
        let tenant = own.caller.tenant;
        let session = people_of(&store, tenant, people, now).await?;
        let first = SiteId(own.sites[0]);
        let reach: Reach = format!("site:{first}").parse().context("a reach")?;
        let (limited_key, limited) = make_key(&store, tenant, "limited", reach, now).await?;
        ensure!(limited != own.caller.principal, "two callers");
        let reached: BTreeSet<i64> = devices_of(&store, tenant, Some(first)).await?.into_iter().collect();
        let not_in = |ids: &[i64], own: &[i64]| ids.iter().filter(|id| !own.contains(id)).copied().collect::<Vec<_>>();
        let beyond: Vec<i64> = own.devices.iter().filter(|id| !reached.contains(id)).copied().collect();
        Ok(Self {
            foreign: kinds(
                not_in(&other.devices, &own.devices),
                not_in(&other.changes, &own.changes),
                not_in(&other.sites, &own.sites),
            ),
            beyond: kinds(beyond, own.changes.clone(), own.sites[1..].to_vec()),
            own: vec![
                "/api/v1/me".to_owned(),
                format!("/api/v1/devices/{}", own.devices[0]),
                format!("/api/v1/bulk-changes/{}", own.changes[0]),
                "/api/v1/sites?limit=10".to_owned(),
            ],
            key: own.key,
            session,
            limited_key,
            store,
        })
    }
}

fn kinds(devices: Vec<i64>, changes: Vec<i64>, sites: Vec<i64>) -> Vec<Ids> {
    vec![
        Ids { kind: "device", path: "/api/v1/devices", ids: devices },
        Ids { kind: "bulk change", path: "/api/v1/bulk-changes", ids: changes },
        Ids { kind: "site", path: "/api/v1/sites", ids: sites },
    ]
}

/// A tenant with so many sites, lines of each, and a bulk change for each.
async fn fill(store: &Arc<dyn Store>, name: &str, sites: u64) -> Result<Filled> {
    let now = SystemClock.now();
    let tenant = store.create_tenant(name, chrono_tz::UTC, now).await?;
    let (key, principal) = make_key(store, tenant, name, Reach::Everything, now).await?;
    let provider = ServiceProvider {
        id: ServiceProviderId(0),
        name: "Control Center".to_owned(),
        integration_kind: IntegrationKind::JASPER,
        integration_authentication_id: None,
        write_enabled: true,
        is_active: true,
    };
    let provider = store.create_service_provider(tenant, &provider, now).await?;
    let rights = Rights::unlimited(Scopes::all());
    let caller = Caller { tenant, principal, name: name.to_owned(), rights };
    let engine = Engine::new(Arc::clone(store), Arc::new(SystemClock), Limits::default());
    let (mut ids, mut changes) = (Vec::new(), Vec::new());
    for nth in 0..sites {
        let site = Site { id: SiteId(0), name: format!("Site {nth}"), rev_customer_id: None, is_active: true };
        let site = store.create_site(tenant, &site, now).await?;
        let places = nth * LINES_OF_SITE..(nth + 1) * LINES_OF_SITE;
        let lines: Vec<_> = places.clone().map(|place| device(provider, place)).collect();
        store.import_devices(tenant, &lines, "bench", now).await?;
        let assigned: Vec<_> = places.clone().map(|place| assigned_to(site, place)).collect();
        store.import_assignments(tenant, &assigned, "bench", now).await?;
        let other = SiteId(ids.first().copied().unwrap_or(site.0));
        let iccids: Vec<String> = places.map(fleet::iccid).collect();
        let body = json!({"ServiceProviderId": provider.0, "Devices": iccids, "SiteId": other.0});
        let order = read_associate_customer(&serde_json::to_vec(&body)?, PortalType::M2M, engine.limits())
            .context("reading the order")?;
        changes.push(stored(engine.submit(&caller, order, None).await?)?.id.0);
        ids.push(site.0);
    }
    Ok(Filled { devices: devices_of(store, tenant, None).await?, caller, key, sites: ids, changes })
}

fn assigned_to(site: SiteId, place: u64) -> ImportAssignment {
    ImportAssignment {
        iccid: fleet::iccid(place),
        rev_customer_id: None,
        site_id: site,
        customer_rate_plan_id: None,
        customer_rate_pool_id: None,
        customer_data_allocation_mb: None,
        effective_date: None,
    }
}

async fn devices_of(store: &Arc<dyn Store>, tenant: TenantId, site: Option<SiteId>) -> Result<Vec<i64>> {
    let filter = site.map_or(DeviceFilter::All, DeviceFilter::Site);
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let listed = store.list_devices(tenant, &Reach::Everything, &filter, after, 1_000).await?;
        ids.extend(listed.items.iter().map(|device| device.id.0));
        after = listed.next;
        if after.is_none() {
            return Ok(ids);
        }
    }
}

async fn make_key(
    store: &Arc<dyn Store>,
    tenant: TenantId,
    name: &str,
    reach: Reach,
    now: DateTime<Utc>,
) -> Result<(HeaderMap, PrincipalId)> {
    let secret = new_api_key_secret().context("randomness")?;
    // What is of the module Admin, nobody who is limited may do.
    let scopes = if reach == Reach::Everything { Scopes::all() } else { "m2m:view".parse().context("scopes")? };
    let key = NewApiKey { reach, ..NewApiKey::unlimited(name, secret.hash(), scopes) };
    let id = store.create_api_key(tenant, &key, now).await?;
    let shown = format!("Bearer {}", secret.format(tenant, id));
    Ok(([(AUTHORIZATION, HeaderValue::from_str(&shown)?)].into_iter().collect(), id))
}

/// People with every role; the first is signed in, which is what is answered.
async fn people_of(store: &Arc<dyn Store>, tenant: TenantId, people: usize, now: DateTime<Utc>) -> Result<HeaderMap> {
    let hash = tokio::task::spawn_blocking(|| hash_password(&SecretString::from(PASSWORD))).await??;
    let roles: Vec<_> = store.list_roles(tenant).await?.iter().map(|role| role.id).collect();
    let membership = Membership { roles, reach: Reach::Everything, is_active: true };
    let mut first = None;
    for nth in 0..people {
        let user = NewUser { email: email(nth), display_name: format!("Person {nth}"), password_hash: Some(hash.clone()) };
        let user = store.create_user(&user, now).await?;
        let member = store.add_member(tenant, user, &membership, now).await?;
        first.get_or_insert(member);
    }
    // A session's token is made, hashed and written as the secret of a key is.
    let secret = new_api_key_secret().context("randomness")?;
    let member = first.context("there is somebody")?;
    let (address, agent) = (String::new(), String::new());
    let session = NewSession { token_hash: secret.hash(), member, ends_at: now + SIGNED_IN, address, agent };
    store.begin_session(tenant, &session, now).await?;
    let token = secret.format(tenant, member);
    let token = token.strip_prefix(&format!("ls_{tenant}_{member}_")).context("the secret stands last")?;
    let cookie = format!("lineshift={tenant}.{token}");
    Ok([(COOKIE, HeaderValue::from_str(&cookie)?)].into_iter().collect())
}
