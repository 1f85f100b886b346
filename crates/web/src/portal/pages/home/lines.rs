//! How many lines are whose, on which plan, and in which status: bars beside the figures, so that the table is the chart.

use lineshift_domain::ids::{CustomerRatePlanId, RevCustomerId, SiteId};
use lineshift_store::catalogue::Unnamed;
use lineshift_store::figures::LineCustomer;

use crate::portal::figures::Counted;
use crate::portal::page::{When, thousands};
use crate::portal::viewer::{Viewer, segment};
use crate::problem::ApiProblem;

/// How many bars a chart has beside that of all the rest.
const BARS: usize = 10;

/// The charts.
pub(super) struct LineCharts {
    pub(super) total: String,
    /// As of when they were counted.
    pub(super) at: When,
    pub(super) charts: Vec<Chart>,
}

/// One chart.
pub(super) struct Chart {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What its rows are.
    pub(super) of: &'static str,
    pub(super) bars: Vec<Bar>,
}

/// A bar.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) count: String,
    /// Of a thousand that the longest bar has.
    pub(super) share: i64,
    /// Where these lines are listed.
    pub(super) address: Option<String>,
}

/// Draws what was counted; the names of what is shown are asked for at once.
pub(super) async fn line_charts(viewer: &Viewer, counted: &Counted) -> Result<LineCharts, ApiProblem> {
    let (customers, other_customers) = largest(&counted.lines.by_customer);
    let (plans, other_plans) = largest(&counted.lines.by_plan);
    let (statuses, other_statuses) = largest(&counted.lines.by_status);
    let unnamed = Unnamed {
        rev_customers: customers.iter().filter_map(|(customer, _)| rev(*customer)).collect(),
        sites: customers.iter().filter_map(|(customer, _)| amop(*customer)).collect(),
        customer_rate_plans: plans.iter().map(|(plan, _)| *plan).collect(),
        ..Unnamed::default()
    };
    let names = viewer.web.engine.store().find_names(viewer.caller.tenant, &unnamed).await?;
    let portal = viewer.portals().next().map_or("m2m", segment);
    let listed = |by: &str, id: i64| Some(format!("/{portal}/lines?{by}={id}"));
    let customer_bar = |customer: &LineCustomer| match customer {
        LineCustomer::Rev(id) => {
            (names.rev_customers.get(id).cloned().unwrap_or_else(|| id.to_string()), listed("rev_customer_id", id.0))
        }
        LineCustomer::Amop(id) => (names.sites.get(id).cloned().unwrap_or_else(|| id.to_string()), listed("site_id", id.0)),
    };
    let plan_bar = |id: &CustomerRatePlanId| {
        let name = names.customer_rate_plans.get(id).cloned().unwrap_or_else(|| id.to_string());
        (name, listed("customer_rate_plan_id", id.0))
    };
    let total = counted.lines.total;
    let without = |with: i64| total - with;
    let of_customers = customers.iter().map(|(_, lines)| lines).sum::<i64>() + other_customers;
    let on_plans = plans.iter().map(|(_, lines)| lines).sum::<i64>() + other_plans;
    Ok(LineCharts {
        total: thousands(total),
        at: viewer.when(counted.at),
        charts: vec![
            chart(
                "by-customer",
                "Lines by customer",
                "Customer",
                &customers,
                customer_bar,
                [("others", other_customers), ("no customer", without(of_customers))],
            ),
            chart(
                "by-plan",
                "Lines by customer rate plan",
                "Customer rate plan",
                &plans,
                plan_bar,
                [("others", other_plans), ("no plan", without(on_plans))],
            ),
            chart(
                "by-status",
                "Lines by status",
                "Status",
                &statuses,
                |status: &String| (status.clone(), Some(in_status(portal, status))),
                [("others", other_statuses), ("", 0)],
            ),
        ],
    })
}

/// The address of the lines in a status.
fn in_status(portal: &str, status: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("status", status).finish();
    format!("/{portal}/lines?{query}")
}

const fn rev(customer: LineCustomer) -> Option<RevCustomerId> {
    match customer {
        LineCustomer::Rev(id) => Some(id),
        LineCustomer::Amop(_) => None,
    }
}

const fn amop(customer: LineCustomer) -> Option<SiteId> {
    match customer {
        LineCustomer::Amop(id) => Some(id),
        LineCustomer::Rev(_) => None,
    }
}

/// The largest, and how many the rest have together.
fn largest<T: Clone + Ord>(counted: &[(T, i64)]) -> (Vec<(T, i64)>, i64) {
    let mut sorted: Vec<&(T, i64)> = counted.iter().collect();
    sorted.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let rest = sorted.iter().skip(BARS).map(|(_, lines)| lines).sum();
    (sorted.into_iter().take(BARS).cloned().collect(), rest)
}

fn chart<T>(
    id: &'static str,
    title: &'static str,
    of: &'static str,
    counted: &[(T, i64)],
    bar: impl Fn(&T) -> (String, Option<String>),
    rest: [(&str, i64); 2],
) -> Chart {
    let rest = rest.into_iter().filter(|(_, lines)| *lines > 0);
    let longest = counted.iter().map(|(_, lines)| *lines).chain(rest.clone().map(|(_, lines)| lines)).max().unwrap_or(1).max(1);
    let drawn = |name: String, lines: i64, address| Bar { name, count: thousands(lines), share: lines * 1000 / longest, address };
    let named = counted.iter().map(|(thing, lines)| {
        let (name, address) = bar(thing);
        drawn(name, *lines, address)
    });
    Chart { id, title, of, bars: named.chain(rest.map(|(name, lines)| drawn(name.to_owned(), lines, None))).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_stand_for_themselves_and_the_rest_together() {
        let counted: Vec<(i64, i64)> = (1..=13).map(|id| (id, id * 10)).collect();
        let (shown, rest) = largest(&counted);
        assert_eq!((shown.len(), shown[0], rest), (BARS, (13, 130), 10 + 20 + 30));
        let drawn = chart("x", "X", "x", &shown, |id| (id.to_string(), None), [("others", rest), ("none", 0)]);
        assert_eq!(drawn.bars.len(), BARS + 1);
        assert_eq!((drawn.bars[0].share, drawn.bars[BARS].name.as_str()), (1000, "others"));
    }
}
