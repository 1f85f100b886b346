//! What pages show: a change of the whole fleet that has been run, many small ones, scheduled changes, a selection, and somebody who may
//! do everything.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use lineshift_domain::ids::{TenantId, UserId};
use lineshift_domain::limits::Limits;
use lineshift_domain::reach::Reach;
use lineshift_domain::scopes::Scopes;
use lineshift_engine::{Caller, Clock as _, Engine, SystemClock};
use lineshift_store::Store;
use lineshift_store::devices::DeviceFilter;
use lineshift_store::people::{Membership, NewUser};
use lineshift_web::passwords::hash_password;
use reqwest::StatusCode;
use secrecy::SecretString;

use super::Sizes;
use super::browser::Browser;
use super::pages::today;
use crate::bench::engine_legs::{read_order, stored, worker};
use crate::bench::fleet::{self, Kind, NEW_PLAN, OTHER_PLAN, PRESENT_SITES, SMALL_CHANGES, Size};

/// Who looks.
pub(super) const EMAIL: &str = "viewer@bench.example";
pub(super) const PASSWORD: &str = "tall-window-sings-low";

/// Where the tenant is.
pub(super) const ZONE: Tz = chrono_tz::America::Chicago;

/// Days on which scheduled changes fall due.
const DAYS: u64 = 10;

/// What there is to look at.
pub(super) struct Prepared {
    pub(super) tenant: TenantId,
    /// Who has chosen lines.
    pub(super) user: UserId,
    pub(super) provider: i64,
    /// Lines of the fleet.
    pub(super) lines: u64,
    /// A line that was changed, and the change of the whole fleet.
    pub(super) line: i64,
    pub(super) change: i64,
    pub(super) change_lines: u64,
    /// A day on which scheduled changes fall due.
    pub(super) due: NaiveDate,
    /// The ICCIDs of the selection, and the plan that is previewed for them.
    pub(super) chosen: Vec<String>,
    pub(super) preview_plan: i64,
    /// As many things as stand on home by their names.
    pub(super) named: u64,
}

impl Prepared {
    /// Fills a store that holds the fleet.
    pub(super) async fn new(store: Arc<dyn Store>, sizes: Sizes) -> Result<Self> {
        let tenant = store.list_tenants().await?.first().context("the fleet has a tenant")?.id;
        let user = person(&store, tenant).await?;
        let key = store.list_api_keys(tenant).await?.into_iter().next().context("the tenant has a key")?;
        let orders = Orders {
            engine: Engine::new(Arc::clone(&store), Arc::new(SystemClock), Limits::default()),
            caller: Caller::of_key(&key),
        };
        let whole = Size { lines: sizes.size.fleet, ..sizes.size };
        let body = fleet::body(Kind::PlanChange, 1, OTHER_PLAN, &whole.requested());
        let change = orders.order(&body).await?;
        orders.run().await?;
        for nth in 0..SMALL_CHANGES.min(sizes.size.lines) {
            let from = sizes.size.fleet + nth * fleet::SMALL_CHANGE_LINES;
            let iccids: Vec<String> = (from..from + fleet::SMALL_CHANGE_LINES).map(fleet::iccid).collect();
            orders.order(&fleet::body(Kind::PlanChange, 1, NEW_PLAN, &iccids)).await?;
        }
        orders.run().await?;
        let due = orders.schedule(sizes.size).await?;
        let chosen: Vec<String> = sizes.size.requested().into_iter().take(usize::try_from(sizes.chosen)?).collect();
        let of_line = DeviceFilter::Iccid(chosen.last().context("lines are chosen")?.clone());
        let found = store.list_devices(tenant, &Reach::Everything, &of_line, None, 1).await?;
        Ok(Self {
            tenant,
            user,
            provider: 1,
            lines: sizes.size.fleet,
            line: found.items.first().context("the line is there")?.id.0,
            change,
            change_lines: whole.lines,
            due,
            chosen,
            preview_plan: NEW_PLAN,
            named: PRESENT_SITES.min(10),
        })
    }

    /// Chooses the lines as people do who have them in a list.
    pub(super) async fn choose(&self, browser: &Browser) -> Result<()> {
        let pasted = self.chosen.join("\n");
        let answer = browser.send_form("/m2m/selection/paste", &[("text", &pasted)]).await?;
        ensure!(answer.status == StatusCode::OK, "choosing lines answered {}", answer.status);
        Ok(())
    }
}

/// Somebody who may do everything.
async fn person(store: &Arc<dyn Store>, tenant: TenantId) -> Result<UserId> {
    let now = SystemClock.now();
    let hash = tokio::task::spawn_blocking(|| hash_password(&SecretString::from(PASSWORD))).await??;
    let user = NewUser { email: EMAIL.to_owned(), display_name: "Viewer".to_owned(), password_hash: Some(hash) };
    let user = store.create_user(&user, now).await?;
    let role = store.create_role(tenant, "Everything", &Scopes::all()).await?;
    let membership = Membership { roles: vec![role], reach: Reach::Everything, is_active: true };
    store.add_member(tenant, user, &membership, now).await?;
    Ok(user)
}

/// Orders, and runs what was ordered.
struct Orders {
    engine: Engine,
    caller: Caller,
}

impl Orders {
    async fn order(&self, body: &str) -> Result<i64> {
        let order = read_order(Kind::PlanChange, body.as_bytes(), self.engine.limits())?;
        Ok(stored(self.engine.submit(&self.caller, order, None).await?)?.id.0)
    }

    async fn run(&self) -> Result<()> {
        ensure!(self.engine.run_pages_until_idle(&worker()).await? > 0, "there was something to run");
        Ok(())
    }

    /// Schedules another plan for the lines of an order, on several days of a month; answers the first.
    async fn schedule(&self, size: Size) -> Result<NaiveDate> {
        // The days of the chart on home and those of the month both have some.
        let first = today() + TimeDelta::days(3);
        let iccids = size.requested();
        let part = iccids.len().div_ceil(usize::try_from(DAYS)?);
        for (day, iccids) in first.iter_days().zip(iccids.chunks(part)) {
            let body = fleet::body(Kind::PlanChange, 1, NEW_PLAN, iccids);
            let dated = format!("\"CustomerRatePlanId\":{NEW_PLAN},\"EffectiveDate\":\"{day}\"");
            self.order(&body.replacen(&format!("\"CustomerRatePlanId\":{NEW_PLAN}"), &dated, 1)).await?;
        }
        self.run().await?;
        Ok(first)
    }
}
