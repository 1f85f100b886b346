//! How long a change will take that calls outside: shown at its start, from what its account allows.

use lineshift_connectors::http::AccountLimits;
use lineshift_domain::carrier::{Abilities, CarrierChange};
use lineshift_domain::ids::{IntegrationAuthenticationId, TenantId};
use lineshift_domain::order::{RevCharge, StoredOrder};
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::billing::{CallsMade, IntegrationAccount};
use lineshift_store::bulk_changes::BulkChangeView;

use crate::{Engine, Result};

/// What is still to be called for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Calls.
    pub calls: u64,
    /// Seconds that the account's limits make of them, with nobody else calling.
    pub seconds: u64,
    /// What the account takes in a minute.
    pub calls_a_minute: u32,
}

/// Seconds of a sliding minute, with its last bucket.
const MINUTE: u64 = 61;

/// Seconds of a sliding day, with its last bucket.
const DAY: u64 = 86_400 + 60;

/// Customer, provider, service type, and products or package.
const CATALOGUE_CALLS: u64 = 4;

/// The pages of one account that are under way when a window is full.
const CUT_PAGES: u64 = 3;

/// Lines that share a look-up when a page is large.
const LOOKED_UP_TOGETHER: u64 = 100;

/// The calls of an account for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountCalls {
    /// Which account.
    pub(crate) account: IntegrationAccount,
    /// How many calls, and how long they take.
    pub(crate) estimate: Estimate,
}

impl Engine {
    /// What is still to be called for a change, and how long that takes; none: nobody outside is called. Of two accounts the one that takes
    /// longer.
    pub async fn estimate(&self, tenant: TenantId, change: &BulkChangeView) -> Result<Option<Estimate>> {
        let lines = u64::try_from(change.counts.open).unwrap_or(0);
        let called = self.estimate_order(tenant, &change.order, lines).await?;
        // Of two that take equally long the later one, which is the carrier's.
        Ok(called.into_iter().map(|called| called.estimate).max_by_key(|estimate| estimate.seconds))
    }

    /// What an order calls for so many lines, stored or not: the billing account's calls, then the carrier's.
    pub(crate) async fn estimate_order(&self, tenant: TenantId, order: &StoredOrder, lines: u64) -> Result<Vec<AccountCalls>> {
        let mut called = Vec::new();
        if let Some(account) = order.billing_account() {
            let most = self.limits.page_lines;
            called.push(self.estimate_of(tenant, account, |_, limits| billing_calls(order, lines, limits, most)).await?);
        }
        if let Some(account) = order.carrier_account() {
            let calls = |kind, _| self.abilities(kind).map_or(0, |abilities| carrier_calls(order, abilities, lines));
            called.push(self.estimate_of(tenant, account, calls).await?);
        }
        Ok(called)
    }

    async fn estimate_of(
        &self,
        tenant: TenantId,
        account: IntegrationAuthenticationId,
        calls: impl FnOnce(IntegrationKind, AccountLimits) -> u64,
    ) -> Result<AccountCalls> {
        let account = self.store.get_account(tenant, account).await?;
        let limits = self.account_limits(&account);
        let made = self.store.count_calls(tenant, account.id, self.clock.now()).await?;
        let calls = calls(account.integration_kind, limits);
        let estimate = Estimate { calls, seconds: seconds_of(calls, made, limits), calls_a_minute: limits.calls_a_minute };
        Ok(AccountCalls { account, estimate })
    }
}

fn billing_calls(order: &StoredOrder, lines: u64, limits: AccountLimits, most: usize) -> u64 {
    let page_lines = page_lines(order, Some(limits), None, most);
    let pages = lines.div_ceil((page_lines as u64).clamp(1, LOOKED_UP_TOGETHER));
    let calls = lines * calls_a_line(order) + pages;
    if calls == 0 {
        return 0;
    }
    // The catalogue is looked at once; pages that a full window cuts in two look their lines up again.
    let calls = calls + CATALOGUE_CALLS;
    calls + calls / u64::from(limits.calls_a_minute) * CUT_PAGES
}

/// The billing calls of a line when all goes well: its service and each product; what a package brings is read back.
pub(crate) fn calls_a_line(order: &StoredOrder) -> u64 {
    match order.rev_service().map(|service| &service.charge) {
        Some(RevCharge::Products(products)) => 1 + products.len() as u64,
        Some(RevCharge::Package(_)) => 2,
        None => 0,
    }
}

/// Changing and reading calls of a line at its carrier when all goes well.
fn carrier_calls_a_line(order: &StoredOrder, abilities: &Abilities) -> (u64, u64) {
    let calls = match order.carrier_change() {
        None => None,
        Some(CarrierChange::RatePlan { .. }) => abilities.rate_plan.map(|plan| plan.calls),
        Some(CarrierChange::Status { .. }) => abilities.status.map(|status| status.calls),
    };
    calls.map_or((0, 0), |(changing, reading)| (u64::from(changing), u64::from(reading)))
}

/// The carrier's calls of so many lines: changing ones take as many lines as the carrier allows.
fn carrier_calls(order: &StoredOrder, abilities: &Abilities, lines: u64) -> u64 {
    let (changing, reading) = carrier_calls_a_line(order, abilities);
    lines.div_ceil(abilities.devices_a_call.max(1) as u64) * changing + lines * reading
}

/// The calls of about two seconds, in lines (B5.2): the account that takes longer decides. Where a carrier takes many lines a call, a page
/// fills at least one: else each call would take the few lines that can be read back meanwhile, and there would be as many more of them.
pub(crate) fn page_lines(
    order: &StoredOrder,
    billing: Option<AccountLimits>,
    carrier: Option<(AccountLimits, &Abilities)>,
    most: usize,
) -> usize {
    let billed = match (calls_a_line(order), billing) {
        (0, _) | (_, None) => most,
        (calls, Some(limits)) => usize::try_from(2 * calls_a_second(limits) / calls).unwrap_or(most),
    };
    let moved = match carrier {
        None => most,
        Some((limits, abilities)) => {
            let together = abilities.devices_a_call.max(1) as u64;
            let (changing, reading) = carrier_calls_a_line(order, abilities);
            let lines = 2 * calls_a_second(limits) * together / (changing + reading * together).max(1);
            let whole_calls = lines.max(together) / together * together;
            usize::try_from(whole_calls).unwrap_or(most)
        }
    };
    billed.min(moved).clamp(1, most)
}

/// What the account takes over a longer time.
fn calls_a_second(limits: AccountLimits) -> u64 {
    burst_a_second(limits).min(u64::from(limits.calls_a_minute) / 60).max(1)
}

/// What its places take while its windows have room, when an answer takes 50 ms.
fn burst_a_second(limits: AccountLimits) -> u64 {
    (limits.concurrency as u64).saturating_mul(20).max(1)
}

/// A window that is used up opens again when the burst that filled it leaves it: so calls come in bursts, a window apart.
fn seconds_of(calls: u64, made: CallsMade, limits: AccountLimits) -> u64 {
    let windows = |a_window: u32, made: i64| {
        let a_window = u64::from(a_window.max(1));
        let made = u64::try_from(made).unwrap_or(0).min(a_window);
        ((made + calls).saturating_sub(1) / a_window, (made + calls).saturating_sub(1) % a_window + 1)
    };
    if calls == 0 {
        return 0;
    }
    let (days, _) = windows(limits.calls_a_day, made.in_day);
    let (minutes, rest) = windows(limits.calls_a_minute, made.in_minute);
    let by_minutes = minutes * MINUTE + rest.min(calls) / burst_a_second(limits);
    (days * DAY).max(by_minutes).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lineshift_domain::carrier::{Answers, RatePlanAbility, StatedLimits};
    use lineshift_domain::judge::RequiredData;
    use lineshift_domain::order::StoredCarrierRatePlan;

    use super::*;

    fn limits(concurrency: usize, calls_a_minute: u32, calls_a_day: u32) -> AccountLimits {
        AccountLimits {
            concurrency,
            calls_a_minute,
            calls_a_day,
            connect_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(30),
            attempts: 5,
            patience: Duration::from_secs(15),
            place_lease: Duration::from_secs(30),
        }
    }

    fn able(devices_a_call: usize, calls: (u32, u32)) -> Abilities {
        Abilities {
            kind: IntegrationKind::JASPER,
            name: "a carrier",
            devices_a_call,
            answers: Answers::AtOnce,
            most_days_ahead: None,
            rate_plan: Some(RatePlanAbility { takes_comm_plan: false, reversible: true, calls, needs: RequiredData::NOTHING }),
            status: None,
            limits: StatedLimits { concurrency: 4, calls_a_second: None, calls_a_minute: None, calls_a_day: None },
        }
    }

    #[test]
    fn a_page_fills_whole_calls_where_a_carrier_takes_many_lines_a_call() {
        let order = StoredOrder::CarrierRatePlanChange(StoredCarrierRatePlan {
            carrier_rate_plan: Some("Fleet 500".to_owned()),
            comm_plan: None,
            effective_at: None,
            integration_authentication_id: IntegrationAuthenticationId(1),
        });
        let page = |calls_a_minute, abilities: &Abilities| {
            page_lines(&order, None, Some((limits(4, calls_a_minute, 1_000_000), abilities)), 5_000)
        };
        assert_eq!(page(120, &able(1, (1, 1))), 2, "two seconds of two calls a second");
        assert_eq!(page(120, &able(50, (1, 1))), 50, "one call, and fifty lines read back");
        assert_eq!(page(120, &able(50, (1, 0))), 200, "four calls, and nothing to read back");
        assert_eq!(page(4_200, &able(50, (1, 1))), 100, "no call that is not full");
    }

    const NONE: CallsMade = CallsMade { in_minute: 0, in_day: 0 };

    #[test]
    fn what_fits_into_a_window_takes_only_as_long_as_its_calls() {
        assert_eq!(seconds_of(0, NONE, limits(32, 500, 150_000)), 0);
        assert_eq!(seconds_of(500, NONE, limits(32, 500, 150_000)), 1);
        assert_eq!(seconds_of(6_400, NONE, limits(32, 60_000, 1_000_000)), 10);
    }

    #[test]
    fn every_further_window_is_waited_for() {
        assert_eq!(seconds_of(501, NONE, limits(32, 500, 150_000)), 61);
        assert_eq!(seconds_of(4_250, NONE, limits(32, 500, 150_000)), 8 * 61);
        assert_eq!(seconds_of(500, CallsMade { in_minute: 500, in_day: 500 }, limits(32, 500, 150_000)), 61);
        assert_eq!(seconds_of(400_000, NONE, limits(32, 500, 150_000)), 2 * DAY);
    }
}
