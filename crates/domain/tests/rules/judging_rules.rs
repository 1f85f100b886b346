//! Each rule of B4.6 by example, and that the first one that fails decides.

use lineshift_domain::codes::{Code, ErrorKind};
use lineshift_domain::facts::{Hold, LineAssignment, LineFacts};
use lineshift_domain::ids::{
    BulkChangeId, CustomerRatePlanId, DeviceId, IntegrationAuthenticationId, RevCustomerId, ServiceProviderId, SiteId,
};
use lineshift_domain::judge::{ActiveStatuses, Judge, Reason, RequiredData, Verdict};
use lineshift_domain::lines::read_line;
use lineshift_domain::order::{PlanValues, Setting, StoredAssignment, StoredOrder, StoredPlan};
use lineshift_domain::terms::{IntegrationKind, LineIdentifier, OnPartialFailure, OnRevServiceFailure};
use proptest::prelude::*;
use rust_decimal::Decimal;

pub(crate) const PROVIDER: ServiceProviderId = ServiceProviderId(7);

pub(crate) fn statuses() -> ActiveStatuses {
    [(IntegrationKind::JASPER, "ACTIVATED".to_owned()), (IntegrationKind::POND, "In-Service".to_owned())].into_iter().collect()
}

/// An order that every rule binds: it assigns, creates a service, needs data, and sets an allocation of 500 MB.
pub(crate) fn order() -> StoredOrder {
    let values = PlanValues { allocation_mb: Setting::Set(Decimal::new(500, 0)), ..PlanValues::default() };
    StoredOrder::CustomerAssignment(StoredAssignment {
        rev_customer_id: Some(RevCustomerId(5)),
        site_id: SiteId(3),
        account_number: Some("5".to_owned()),
        integration_authentication_id: Some(IntegrationAuthenticationId(9)),
        effective_at: None,
        customer_rate_plan: Some(StoredPlan { values, effective_at: None, queued: false, replace_scheduled: false }),
        rev_service: None,
        carrier_rate_plan: None,
        on_rev_service_failure: OnRevServiceFailure::Skip,
        on_partial_failure: OnPartialFailure::Keep,
    })
}

/// A line that no rule refuses.
pub(crate) fn sound_line() -> LineFacts {
    LineFacts {
        device_id: DeviceId(1),
        service_provider_id: PROVIDER,
        status: "activated".into(),
        is_archived: false,
        has_subscriber_number: true,
        has_imei: true,
        version: 1,
        assignment: LineAssignment { plan_allocation_bound_mb: Some(Decimal::new(500, 0)), ..LineAssignment::default() },
        carrier_rate_plan: None,
        communication_plan: None,
        held_by: None,
        billed_to_customer: false,
        billed_to_other: false,
    }
}

fn strict<'a>(order: &'a StoredOrder, statuses: &'a ActiveStatuses) -> Judge<'a> {
    Judge::new(order, PROVIDER, IntegrationKind::JASPER, statuses)
        .creating_rev_service()
        .needing(RequiredData { subscriber_number: true, imei: true })
}

fn hold(outcome_unknown: bool) -> Option<Hold> {
    Some(Hold { bulk_change_id: BulkChangeId(77), outcome_unknown })
}

type Fault = fn(&mut LineFacts);

/// One fault for each rule from 3 on, in the order of the rules, with the code and kind that the table gives it.
const FAULTS: [(Fault, Code, ErrorKind); 10] = [
    (|line| line.service_provider_id = ServiceProviderId(8), Code::WrongServiceProvider, ErrorKind::Eligibility),
    (|line| line.is_archived = true, Code::DeviceArchived, ErrorKind::Eligibility),
    (|line| line.status = "In-Service".into(), Code::DeviceNotActive, ErrorKind::Eligibility),
    (|line| line.held_by = hold(false), Code::ChangeInProgress, ErrorKind::Conflict),
    (|line| line.held_by = hold(true), Code::OutcomeUnknown, ErrorKind::Conflict),
    (|line| line.billed_to_customer = true, Code::ServiceLineExists, ErrorKind::Conflict),
    (|line| line.billed_to_other = true, Code::ActiveServiceLine, ErrorKind::Conflict),
    (|line| line.has_subscriber_number = false, Code::MissingDeviceData, ErrorKind::Validation),
    (|line| line.has_imei = false, Code::MissingDeviceData, ErrorKind::Validation),
    (
        |line| line.assignment.plan_allocation_bound_mb = Some(Decimal::new(4999, 1)),
        Code::AllocationOverBound,
        ErrorKind::Validation,
    ),
];

fn refused(verdict: Verdict) -> Reason {
    match verdict {
        Verdict::Refused(reason) => reason,
        other => panic!("{other:?}, but the line should be refused"),
    }
}

#[test]
fn rule_1_refuses_what_is_no_identifier() {
    for (identifier, written, code) in [
        (LineIdentifier::Iccid, "8901260210123456", Code::InvalidIccid),
        (LineIdentifier::Number, "555000111", Code::InvalidNumber),
    ] {
        assert_eq!(read_line(identifier, written), Err(code));
        assert_eq!(code.kind(), ErrorKind::Validation);
    }
}

#[test]
fn each_rule_refuses_with_its_code_and_kind() {
    let (order, statuses) = (order(), statuses());
    let judge = strict(&order, &statuses);
    assert_eq!(judge.judge(&sound_line()), Verdict::Accepted);
    for (break_rule, code, kind) in FAULTS {
        let mut line = sound_line();
        break_rule(&mut line);
        let reason = refused(judge.judge(&line));
        assert_eq!((reason.code, reason.kind()), (code, kind));
        assert!(!reason.text.is_empty());
    }
}

#[test]
fn rules_that_an_order_does_not_ask_for_do_not_bind() {
    let statuses = statuses();
    let assignment = order();
    let judge = Judge::new(&assignment, PROVIDER, IntegrationKind::JASPER, &statuses);
    let bare = LineFacts { billed_to_customer: true, has_imei: false, has_subscriber_number: false, ..sound_line() };
    assert_eq!(judge.judge(&bare), Verdict::Accepted, "rules 7 and 9 without CreateRevService");
    let with_service = LineFacts { billed_to_other: true, ..sound_line() };
    assert_eq!(refused(judge.judge(&with_service)).code, Code::ActiveServiceLine, "rule 8 binds without it");

    let plan = StoredOrder::CustomerRatePlanChange(StoredPlan {
        values: PlanValues { plan: Setting::Set(CustomerRatePlanId(2)), ..PlanValues::default() },
        effective_at: None,
        queued: false,
        replace_scheduled: false,
    });
    let judge = Judge::new(&plan, PROVIDER, IntegrationKind::JASPER, &statuses);
    assert_eq!(judge.judge(&with_service), Verdict::Accepted, "rule 8 is for assignments");
}

#[test]
fn the_bound_of_the_lines_plan_binds_only_without_a_plan_in_the_order() {
    let statuses = statuses();
    let judged = |plan: Setting<CustomerRatePlanId>, megabytes: i64, bound: Option<i64>| {
        let allocation_mb = if megabytes == 0 { Setting::Clear } else { Setting::Set(Decimal::new(megabytes, 0)) };
        let values = PlanValues { plan, allocation_mb, ..PlanValues::default() };
        let order = StoredOrder::CustomerRatePlanChange(StoredPlan {
            values,
            effective_at: None,
            queued: false,
            replace_scheduled: false,
        });
        let mut line = sound_line();
        line.assignment.allocation_mb = Some(Decimal::ONE);
        line.assignment.plan_allocation_bound_mb = bound.map(|bound| Decimal::new(bound, 0));
        Judge::new(&order, PROVIDER, IntegrationKind::JASPER, &statuses).judge(&line)
    };
    assert_eq!(refused(judged(Setting::Keep, 501, Some(500))).code, Code::AllocationOverBound);
    assert_eq!(judged(Setting::Keep, 500, Some(500)), Verdict::Accepted);
    assert_eq!(judged(Setting::Keep, 501, None), Verdict::Accepted);
    assert_eq!(judged(Setting::Keep, 0, Some(500)), Verdict::Accepted);
    assert_eq!(judged(Setting::Set(CustomerRatePlanId(2)), 501, Some(500)), Verdict::Accepted);
    assert_eq!(judged(Setting::Clear, 501, Some(500)), Verdict::Accepted);
}

#[test]
fn a_line_that_was_changed_since_it_was_judged_is_refused() {
    let (order, statuses) = (order(), statuses());
    let judge = strict(&order, &statuses);
    assert_eq!(judge.judge_again(&sound_line(), 1), Verdict::Accepted);
    assert_eq!(refused(judge.judge_again(&sound_line(), 0)).code, Code::ModifiedMeanwhile);
    let archived = LineFacts { is_archived: true, ..sound_line() };
    assert_eq!(refused(judge.judge_again(&archived, 0)).code, Code::DeviceArchived, "the rules come first");
}

#[test]
fn a_line_stands_as_asked_only_if_nothing_differs() {
    let (order, statuses) = (order(), statuses());
    let judge = Judge::new(&order, PROVIDER, IntegrationKind::JASPER, &statuses);
    let mut same = sound_line();
    same.assignment = LineAssignment {
        rev_customer_id: Some(RevCustomerId(5)),
        site_id: Some(SiteId(3)),
        integration_authentication_id: Some(IntegrationAuthenticationId(9)),
        is_active: true,
        plan: Some(CustomerRatePlanId(1)),
        pool: None,
        allocation_mb: Some(Decimal::new(500, 0)),
        plan_allocation_bound_mb: None,
    };
    assert_eq!(judge.judge(&same), Verdict::AlreadySo);
    let differences: [fn(&mut LineAssignment); 6] = [
        |line| line.rev_customer_id = None,
        |line| line.site_id = Some(SiteId(4)),
        |line| line.site_id = None,
        |line| line.integration_authentication_id = Some(IntegrationAuthenticationId(8)),
        |line| line.is_active = false,
        |line| line.allocation_mb = None,
    ];
    for differ in differences {
        let mut line = same.clone();
        differ(&mut line.assignment);
        assert_eq!(judge.judge(&line), Verdict::Accepted, "{:?}", line.assignment);
    }
}

#[test]
fn a_due_entry_is_judged_by_rules_3_to_5_and_its_customer() {
    let (order, statuses) = (order(), statuses());
    let judge = strict(&order, &statuses);
    for (nth, (break_rule, code, _)) in FAULTS.into_iter().enumerate() {
        let mut line = sound_line();
        break_rule(&mut line);
        let verdict = judge.judge_due(&line, true);
        if nth < 3 || code == Code::AllocationOverBound {
            assert_eq!(refused(verdict).code, code);
        } else {
            assert_eq!(verdict, Verdict::Accepted, "{code} does not bind an entry that fell due");
        }
    }
    assert_eq!(refused(judge.judge_due(&sound_line(), false)).code, Code::ModifiedMeanwhile);
}

proptest! {
    #![proptest_config(crate::cases(256))]

    #[test]
    fn the_first_rule_that_fails_decides(broken in any::<[bool; FAULTS.len()]>()) {
        let (order, statuses) = (order(), statuses());
        let mut line = sound_line();
        let mut first = None;
        for ((break_rule, code, _), _) in FAULTS.into_iter().zip(broken).filter(|(_, broken)| *broken) {
            // Both faults of rule 6 are one field: what is set last counts.
            let both_of_rule_6 = code == Code::OutcomeUnknown && first == Some(Code::ChangeInProgress);
            first = if both_of_rule_6 { Some(code) } else { first.or(Some(code)) };
            break_rule(&mut line);
        }
        let verdict = strict(&order, &statuses).judge(&line);
        match first {
            None => prop_assert_eq!(verdict, Verdict::Accepted),
            Some(code) => prop_assert_eq!(refused(verdict).code, code),
        }
    }
}
