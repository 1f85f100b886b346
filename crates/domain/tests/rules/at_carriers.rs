//! The rules of orders that a carrier carries out: its own statuses, what it must know of a line, and what stands already.

use chrono::TimeDelta;
use lineshift_domain::carrier::{Abilities, Answers, CarrierStatus, RatePlanAbility, StatedLimits, StatusAbility};
use lineshift_domain::codes::Code;
use lineshift_domain::facts::LineFacts;
use lineshift_domain::ids::IntegrationAuthenticationId;
use lineshift_domain::judge::{Judge, RequiredData, Verdict};
use lineshift_domain::order::{StoredAssignment, StoredCarrierRatePlan, StoredOrder, StoredStatus};
use lineshift_domain::terms::IntegrationKind;

use crate::judging_rules::{PROVIDER, order, sound_line, statuses};

static STATUSES: [CarrierStatus; 2] = [
    CarrierStatus { name: "ACTIVATED", is_active: true, reached_from: &["READY", "OUT"] },
    CarrierStatus { name: "OUT", is_active: false, reached_from: &["ACTIVATED"] },
];

/// A carrier that must know the number for a plan, and the hardware, too, for a status.
static CARRIER: Abilities = Abilities {
    kind: IntegrationKind::JASPER,
    name: "Carrier",
    devices_a_call: 1,
    answers: Answers::Later { calls_back: false, look_every: TimeDelta::seconds(1), deadline: TimeDelta::seconds(2) },
    most_days_ahead: Some(10),
    rate_plan: Some(RatePlanAbility {
        takes_comm_plan: true,
        reversible: true,
        calls: (1, 0),
        needs: RequiredData { subscriber_number: true, imei: false },
    }),
    status: Some(StatusAbility {
        statuses: &STATUSES,
        takes_reason_code: false,
        calls: (1, 1),
        needs: RequiredData { subscriber_number: true, imei: true },
    }),
    limits: StatedLimits { concurrency: 1, calls_a_second: None, calls_a_minute: None, calls_a_day: None },
};

fn to_status(status: &str) -> StoredOrder {
    StoredOrder::StatusUpdate(StoredStatus {
        target_status: status.to_owned(),
        reason_code: None,
        integration_authentication_id: IntegrationAuthenticationId(1),
    })
}

fn to_plan(plan: &str, in_days: Option<i64>) -> StoredOrder {
    StoredOrder::CarrierRatePlanChange(StoredCarrierRatePlan {
        carrier_rate_plan: Some(plan.to_owned()),
        comm_plan: None,
        effective_at: in_days.map(|days| chrono::DateTime::UNIX_EPOCH + TimeDelta::days(days)),
        integration_authentication_id: IntegrationAuthenticationId(1),
    })
}

fn judged(order: &StoredOrder, change: impl FnOnce(&mut LineFacts)) -> Verdict {
    let (mut line, statuses) = (sound_line(), statuses());
    line.carrier_rate_plan = Some("Small".into());
    change(&mut line);
    Judge::new(order, PROVIDER, IntegrationKind::JASPER, &statuses).at_carrier(&CARRIER).judge(&line)
}

fn refused(order: &StoredOrder, change: impl FnOnce(&mut LineFacts)) -> (Code, String) {
    match judged(order, change) {
        Verdict::Refused(reason) => (reason.code, reason.text),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_line_is_moved_only_from_where_its_carrier_lets_it() {
    assert_eq!(judged(&to_status("OUT"), |_| {}), Verdict::Accepted);
    assert_eq!(judged(&to_status("ACTIVATED"), |line| line.status = "READY".into()), Verdict::Accepted, "no active status");
    let (code, text) = refused(&to_status("OUT"), |line| line.status = "READY".into());
    assert_eq!(code, Code::StatusNotReachable);
    assert_eq!(text, "the line's status is \"READY\"; Carrier moves lines to OUT from ACTIVATED only");
    // Rules before it decide first.
    assert_eq!(
        refused(&to_status("OUT"), |line| (line.is_archived, line.status) = (true, "READY".into())).0,
        Code::DeviceArchived
    );
}

#[test]
fn a_line_that_stands_so_is_left_alone_unless_it_is_for_later() {
    assert_eq!(judged(&to_status("activated"), |_| {}), Verdict::AlreadySo);
    assert_eq!(judged(&to_plan("Small", None), |_| {}), Verdict::AlreadySo);
    assert_eq!(judged(&to_plan("Large", None), |_| {}), Verdict::Accepted);
    assert_eq!(judged(&to_plan("Small", Some(3)), |_| {}), Verdict::Accepted, "another may be in force by then");
}

#[test]
fn what_the_carrier_must_know_of_a_line_is_there() {
    let (code, text) = refused(&to_plan("Large", None), |line| line.has_subscriber_number = false);
    assert_eq!((code, text.contains("no subscriber number")), (Code::MissingDeviceData, true), "{text}");
    assert_eq!(judged(&to_plan("Large", None), |line| line.has_imei = false), Verdict::Accepted, "a plan needs none");
    let (code, text) = refused(&to_status("OUT"), |line| line.has_imei = false);
    assert_eq!((code, text.contains("no IMEI")), (Code::MissingDeviceData, true), "{text}");
}

#[test]
fn a_plan_is_for_lines_in_use() {
    assert_eq!(refused(&to_plan("Large", None), |line| line.status = "OUT".into()).0, Code::DeviceNotActive);
}

#[test]
fn an_order_names_the_carrier_plan_that_has_to_be_active_when_it_is_run() {
    assert_eq!(to_plan("Large", None).carrier_rate_plan(), Some("Large"));
    assert_eq!(to_plan("Large", Some(3)).carrier_rate_plan(), Some("Large"), "it is passed on at once");
    assert_eq!(to_status("OUT").carrier_rate_plan(), None);
    let StoredOrder::CarrierRatePlanChange(plan) = to_plan("Large", None) else { panic!("a plan change") };
    let comm_plan = StoredCarrierRatePlan { carrier_rate_plan: None, comm_plan: Some("LTE".into()), ..plan.clone() };
    assert_eq!(
        StoredOrder::CarrierRatePlanChange(comm_plan).carrier_rate_plan(),
        None,
        "communication plans are in no catalogue"
    );
    let StoredOrder::CustomerAssignment(assignment) = order() else { panic!("an assignment") };
    let with = |carrier_rate_plan| StoredOrder::CustomerAssignment(StoredAssignment { carrier_rate_plan, ..assignment.clone() });
    assert_eq!((with(Some(plan)).carrier_rate_plan(), with(None).carrier_rate_plan()), (Some("Large"), None));
}
