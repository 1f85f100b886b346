//! Dates in the tenant's zone (B6.4 to B6.6): over a change of the clocks and back, and where midnight does not exist.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::{AssignmentOrder, CustomerRatePlanOrder, Effect, EffectiveDate};
use lineshift_engine::Clock as _;
use lineshift_store_sqlite::Options;
use lineshift_testkit::operator::{Operator, iccid};

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().expect("a moment")
}

fn day(text: &str) -> EffectiveDate {
    EffectiveDate::Day(text.parse::<NaiveDate>().expect("a day"))
}

fn local(text: &str) -> EffectiveDate {
    EffectiveDate::Local(text.parse::<NaiveDateTime>().expect("a local time"))
}

async fn operator_in(zone: Tz, lines: u64) -> Operator {
    Operator::in_zone(zone, lines, Limits::default(), Options::default()).await
}

/// Schedules line 1 for that date, and sees that it is applied at that moment, neither before nor twice: the clock goes
/// over the moment, back, and over it again.
async fn falls_due(zone: Tz, date: EffectiveDate, expected: &str, shown: &str) {
    let operator = operator_in(zone, 1).await;
    let order = CustomerRatePlanOrder { effective_date: Some(date), ..operator.plan_order(operator.plan) };
    let change = operator.run(operator.order([iccid(1)], Effect::CustomerRatePlanChange(order))).await;
    let details = operator.rows(change.id).await[0].status_details.clone();
    assert_eq!(details, Some(format!("scheduled for {shown}")));
    assert_eq!(operator.open_entries().await[0].effective_date, moment(expected), "{date:?} in {zone}");

    let before = (moment(expected) - TimeDelta::seconds(1)).to_rfc3339();
    operator.clock.set(&before);
    operator.run_until_idle().await;
    assert_eq!(operator.device(1).await.customer_rate_plan_id, None, "{date:?} in {zone}: a second early");
    for (at, applied) in [(expected, 1), (before.as_str(), 0), (expected, 0)] {
        operator.clock.set(at);
        let done = operator.engine.run_due_entries().await.expect("due");
        assert_eq!((done.applied, done.failed), (applied, 0), "{date:?} in {zone} at {at}");
    }
    assert_eq!(operator.device(1).await.customer_rate_plan_id, Some(operator.plan));
    assert_eq!(operator.history(1).await.len(), 1);
}

#[tokio::test]
async fn days_around_the_change_to_summer_time_and_back_begin_at_local_midnight() {
    let chicago = chrono_tz::America::Chicago;
    for (date, expected, shown) in [
        ("2027-03-13", "2027-03-13T06:00:00Z", "2027-03-13T00:00:00-06:00"),
        ("2027-03-14", "2027-03-14T06:00:00Z", "2027-03-14T00:00:00-06:00"),
        ("2027-03-15", "2027-03-15T05:00:00Z", "2027-03-15T00:00:00-05:00"),
        ("2027-11-07", "2027-11-07T05:00:00Z", "2027-11-07T00:00:00-05:00"),
        ("2027-11-08", "2027-11-08T06:00:00Z", "2027-11-08T00:00:00-06:00"),
    ] {
        falls_due(chicago, day(date), expected, shown).await;
    }
}

#[tokio::test]
async fn hours_that_do_not_exist_or_exist_twice_have_one_meaning() {
    let chicago = chrono_tz::America::Chicago;
    // 02:30 is skipped: the first moment after the gap. 01:30 comes twice: the first of the two.
    falls_due(chicago, local("2027-03-14T02:30:00"), "2027-03-14T08:00:00Z", "2027-03-14T03:00:00-05:00").await;
    falls_due(chicago, local("2027-11-07T01:30:00"), "2027-11-07T06:30:00Z", "2027-11-07T01:30:00-05:00").await;
    falls_due(
        chicago,
        EffectiveDate::Instant(moment("2027-11-07T07:30:00Z")),
        "2027-11-07T07:30:00Z",
        "2027-11-07T01:30:00-06:00",
    )
    .await;
}

#[tokio::test]
async fn a_day_without_midnight_begins_with_its_first_moment() {
    let (santiago, beirut) = (chrono_tz::America::Santiago, chrono_tz::Asia::Beirut);
    falls_due(santiago, day("2027-09-05"), "2027-09-05T04:00:00Z", "2027-09-05T01:00:00-03:00").await;
    falls_due(beirut, day("2027-03-28"), "2027-03-27T22:00:00Z", "2027-03-28T01:00:00+03:00").await;
}

/// The assignment's date, by what the order said and when the line was activated.
async fn assigned(zone: Tz, date: Option<EffectiveDate>, activated_at: Option<&str>) -> Option<DateTime<Utc>> {
    let operator = operator_in(zone, 0).await;
    let mut line = operator.line(operator.jasper, 1, "ACTIVATED");
    line.activated_at = activated_at.map(moment);
    operator.import(&[line]).await;
    let order = AssignmentOrder { effective_date: date, ..operator.rev_assignment() };
    let change = operator.run(operator.order([iccid(1)], Effect::CustomerAssignment(order))).await;
    assert_eq!(operator.outcomes(change.id).await, ["PROCESSED"]);
    operator.device(1).await.effective_date
}

#[tokio::test]
async fn without_a_date_a_line_is_dated_by_its_activation_in_the_tenants_zone() {
    let (chicago, santiago) = (chrono_tz::America::Chicago, chrono_tz::America::Santiago);
    let beirut = chrono_tz::Asia::Beirut;
    for (zone, activated, expected) in [
        (chicago, "2025-03-09T05:59:59Z", "2025-03-08T06:00:00Z"),
        (chicago, "2025-03-09T06:00:00Z", "2025-03-09T06:00:00Z"),
        (chicago, "2025-03-10T04:59:59Z", "2025-03-09T06:00:00Z"),
        (chicago, "2025-03-10T05:00:00Z", "2025-03-10T05:00:00Z"),
        (chicago, "2025-11-03T05:59:59Z", "2025-11-02T05:00:00Z"),
        (chicago, "2025-11-03T06:00:00Z", "2025-11-03T06:00:00Z"),
        // Days without midnight.
        (santiago, "2025-09-07T12:00:00Z", "2025-09-07T04:00:00Z"),
        (beirut, "2025-03-30T12:00:00Z", "2025-03-29T22:00:00Z"),
    ] {
        assert_eq!(assigned(zone, None, Some(activated)).await, Some(moment(expected)), "{activated} in {zone}");
    }
    let beginning = moment(lineshift_testkit::operator::BEGINNING);
    assert_eq!(assigned(chicago, None, None).await, Some(beginning), "now, if it has none");
}

#[tokio::test]
async fn a_given_date_dates_every_line_past_or_ahead() {
    let chicago = chrono_tz::America::Chicago;
    for (date, expected) in [
        (day("2026-11-01"), "2026-11-01T05:00:00Z"),
        (day("2026-11-02"), "2026-11-02T06:00:00Z"),
        (day("2027-03-15"), "2027-03-15T05:00:00Z"),
        (EffectiveDate::Instant(moment("2026-11-01T07:30:00Z")), "2026-11-01T07:30:00Z"),
    ] {
        assert_eq!(assigned(chicago, Some(date), Some("2025-01-01T00:00:00Z")).await, Some(moment(expected)), "{date:?}");
    }
}

#[tokio::test]
async fn a_plan_change_of_a_past_date_is_applied_now() {
    let operator = Operator::with_lines(1).await;
    let order = CustomerRatePlanOrder { effective_date: Some(day("2026-11-01")), ..operator.plan_order(operator.plan) };
    let change = operator.run(operator.order([iccid(1)], Effect::CustomerRatePlanChange(order))).await;
    assert_eq!(operator.outcomes(change.id).await, ["PROCESSED"]);
    assert_eq!(operator.device(1).await.customer_rate_plan_id, Some(operator.plan));
    assert_eq!(operator.open_entries().await, []);
    let history = operator.shown_cross_provider_history().await;
    assert!(history.contains(" 2026-11-01T05:00:00Z to now: "), "dated as given: {history}");
}

#[tokio::test]
async fn a_date_of_this_moment_is_now() {
    let operator = Operator::with_lines(1).await;
    let date = Some(EffectiveDate::Instant(operator.clock.now()));
    let order = CustomerRatePlanOrder { effective_date: date, ..operator.plan_order(operator.plan) };
    operator.run(operator.order([iccid(1)], Effect::CustomerRatePlanChange(order))).await;
    assert_eq!(operator.device(1).await.customer_rate_plan_id, Some(operator.plan));
}
