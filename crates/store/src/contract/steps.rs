//! What the steps of a page write, one procedure each: twice is once, and undone once.

use lineshift_domain::codes::Code;
use lineshift_domain::facts::Holds;
use lineshift_domain::ids::DeviceChangeId;
use lineshift_domain::judge::Reason;
use lineshift_domain::lines::read_line;
use lineshift_domain::log_text::LogText;
use lineshift_domain::order::{PlanValues, Setting, StoredAssignment, StoredOrder};
use lineshift_domain::terms::{DeviceChangeStatus, LineIdentifier, PlanQueueState};
use rust_decimal::Decimal;

use super::bulk_changes::{accepted, amop, change, finished, orderer, plan_change, stored};
use super::fixture::{Fixture, at, iccid, number};
use super::work::{QUERY, assignment_write, devices, log, opened, rows};
use crate::Store;
use crate::bulk_changes::{NewBulkChange, NewDeviceChange};
use crate::devices::DeviceView;
use crate::work::{PlanWrite, Settled};

fn plan_write<S>(fixture: &Fixture<'_, S>) -> PlanWrite {
    let values = PlanValues {
        plan: Setting::Set(fixture.bounded_plan),
        pool: Setting::Set(fixture.pool),
        allocation_mb: Setting::Set(Decimal::new(2_505, 1)),
    };
    PlanWrite { values, effective_at: None, replace_scheduled: false, log: log(LogText::ChangeCustomerRatePlan) }
}

/// Rev path: customer, site, account number, authentication, flags, date, history, version; twice is once.
pub async fn usp_assign_customer_update_site<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "rev path").await;
    let lines = fixture.lines(2).await;
    let order = StoredOrder::CustomerAssignment(StoredAssignment {
        rev_customer_id: Some(fixture.customer),
        site_id: fixture.site,
        account_number: Some("1001".to_owned()),
        integration_authentication_id: Some(fixture.authentication),
        effective_at: Some(at(-500)),
        ..amop(&fixture).assignment().expect("an assignment").clone()
    });
    let id = stored(&fixture, order.clone(), accepted(&lines)).await;
    let (mut page, _) = opened(&fixture, id, 10).await;
    let write = assignment_write(&order, LogText::AmopCustomerAssignment);
    assert_eq!(page.usp_assign_customer_update_site(&write).await.expect("assigned"), 2);
    assert_eq!(page.usp_assign_customer_update_site(&write).await.expect("assigned again"), 0);
    page.finish(None).await.expect("finished");
    for line in devices(&fixture, 2).await {
        assert_eq!((line.rev_customer_id, line.site_id), (Some(fixture.customer), Some(fixture.site)));
        assert_eq!(
            (line.account_number.as_deref(), line.integration_authentication_id),
            (Some("1001"), Some(fixture.authentication))
        );
        assert_eq!((line.is_active, line.version, line.effective_date), (true, 2, Some(at(-500))));
        assert_eq!((line.modified_by.as_str(), line.modified_at), ("orderer", at(10)));
        let history = fixture.history(line.id).await;
        assert_eq!(history.len(), 1);
        assert_eq!(
            (history[0].action.as_str(), history[0].changed_by.as_str(), history[0].at),
            ("assignment", "orderer", at(10))
        );
    }
}

/// AMOP path: the site alone; without a date the line's activation, at the start of its day in the tenant's zone.
pub async fn usp_devicebulkchange_assign_non_rev_customer<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "AMOP path").await;
    let lines = fixture.lines(2).await;
    // One was booked with the Rev customer before.
    fixture.assign(&[fixture.assignment(1)]).await;
    let order = amop(&fixture);
    let id = stored(&fixture, order.clone(), accepted(&lines)).await;
    let (mut page, _) = opened(&fixture, id, 10).await;
    let write = assignment_write(&order, LogText::AssignNonRevCustomer);
    assert_eq!(page.usp_devicebulkchange_assign_non_rev_customer(&write).await.expect("assigned"), 2);
    page.finish(None).await.expect("finished");
    let activated_on = lineshift_domain::dates::start_of_its_day(at(-86_400), chrono_tz::America::New_York);
    for line in devices(&fixture, 2).await {
        assert_eq!((line.rev_customer_id, line.site_id, line.is_active), (None, Some(fixture.amop_site), true));
        assert_eq!((line.account_number, line.integration_authentication_id), (None, None));
        assert_eq!(line.effective_date, Some(activated_on));
    }
    assert_eq!(devices(&fixture, 2).await[1].customer_rate_plan_id, Some(fixture.plan), "the plan is kept");
    let old = &fixture.history(lines[1]).await[0].old_value;
    assert!(old.contains("\"account_number\":\"1001\""), "{old}");
}

/// Plan, pool and allocation now; null keeps, 0 clears.
pub async fn usp_devicebulkchange_customerrateplanchange_updatedevices<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "plan now").await;
    let lines = fixture.lines(2).await;
    let id = stored(&fixture, plan_change(&fixture), accepted(&lines)).await;
    let (mut page, _) = opened(&fixture, id, 10).await;
    let write = plan_write(&fixture);
    let changed = page.usp_devicebulkchange_customerrateplanchange_updatedevices(&write).await;
    assert_eq!(changed.expect("changed"), 2);
    let again = page.usp_devicebulkchange_customerrateplanchange_updatedevices(&write).await;
    assert_eq!(again.expect("changed again"), 0);
    page.finish(None).await.expect("finished");
    let has = |line: &DeviceView| (line.customer_rate_plan_id, line.customer_rate_pool_id, line.customer_data_allocation_mb);
    let allocation = Some(Decimal::new(2_505, 1));
    for line in devices(&fixture, 2).await {
        assert_eq!((has(&line), line.version), ((Some(fixture.bounded_plan), Some(fixture.pool), allocation), 2));
    }

    let mut rows = accepted(&lines);
    rows.iter_mut().for_each(|row| row.device = row.device.map(|(line, _)| (line, 2)));
    let second = stored(&fixture, plan_change(&fixture), rows).await;
    let (mut page, _) = opened(&fixture, second, 20).await;
    let values = PlanValues { plan: Setting::Keep, pool: Setting::Clear, allocation_mb: Setting::Clear };
    let write = PlanWrite { values, ..plan_write(&fixture) };
    page.usp_devicebulkchange_customerrateplanchange_updatedevices(&write).await.expect("changed");
    page.finish(None).await.expect("finished");
    assert_eq!(has(&devices(&fixture, 1).await[0]), (Some(fixture.bounded_plan), None, None));
    let history = fixture.history(lines[0]).await;
    assert_eq!(history.len(), 2);
    assert_eq!(history[0].old_value, history[1].new_value);
}

/// The same by number; a line that has another number by now is left alone and said to have.
pub async fn usp_devicebulkchange_customerrateplanchange_updatedevicebynumber<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "plan by number").await;
    let (tenant, lines) = (fixture.tenant, fixture.lines(3).await);
    let new = NewBulkChange { identifier: LineIdentifier::Number, ..change(&fixture, plan_change(&fixture), 3) };
    let mut rows = accepted(&lines);
    rows.iter_mut().enumerate().for_each(|(nth, row)| row.line = number(nth));
    let id = store.store_bulk_change(tenant, &new, rows, None).await.expect("stored").id;
    // Line 1 takes the number of line 2, and line 0 keeps its own.
    let moved = crate::import::ImportDevice { subscriber_number: Some(number(2)), ..fixture.line(1) };
    store.import_devices(tenant, &[moved], "contract", at(6)).await.expect("moved");
    let (mut page, found) = opened(&fixture, id, 10).await;
    let said: Vec<_> = found.iter().map(|line| (line.number_unchanged, line.lines_with_number)).collect();
    assert_eq!(said, [(true, 1), (false, 0), (true, 2)]);
    page.settle(&[Settled::Refused(found[1].id, Reason::new(Code::ModifiedMeanwhile, "moved"))]).await.expect("settled");
    let changed = page.usp_devicebulkchange_customerrateplanchange_updatedevicebynumber(&plan_write(&fixture)).await;
    assert_eq!(changed.expect("changed"), 2);
    page.finish(None).await.expect("finished");
    let plans: Vec<_> = devices(&fixture, 3).await.iter().map(|line| line.customer_rate_plan_id).collect();
    assert_eq!(plans, [Some(fixture.bounded_plan), None, Some(fixture.bounded_plan)]);
}

/// One entry a row, found when due; those it replaces are canceled from its date on.
pub async fn a_page_schedules_its_lines<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "a page schedules").await;
    let tenant = fixture.tenant;
    let lines = fixture.lines(2).await;
    fixture.assign(&[fixture.assignment(0), fixture.assignment(1)]).await;
    let before = fixture.schedule(&[fixture.entry(0, 400), fixture.entry(0, 600), fixture.entry(1, 600)]).await;
    let mut rows = accepted(&lines[..1]);
    rows[0].device = Some((lines[0], 2));
    let id = stored(&fixture, plan_change(&fixture), rows).await;
    let (mut page, found) = opened(&fixture, id, 10).await;
    let write = PlanWrite { effective_at: Some(at(500)), replace_scheduled: true, ..plan_write(&fixture) };
    assert_eq!(page.schedule_customer_rate_plan(&write).await.expect("scheduled"), 1);
    page.finish(Some("scheduled for later")).await.expect("finished");

    let entry = store.get_queue_entry(tenant, found[0].id).await.expect("the entry");
    assert_eq!((entry.bulk_change_id, entry.device_id, entry.values), (id, lines[0], write.values));
    assert_eq!((entry.effective_date, entry.state), (at(500), PlanQueueState::Open));
    assert_eq!((entry.rev_customer_id, entry.site_id), (Some(fixture.customer), Some(fixture.site)));
    let open: Vec<_> = fixture.open_entries().await.iter().map(|entry| (entry.device_id, entry.effective_date)).collect();
    assert_eq!(open, [(lines[0], at(400)), (lines[0], at(500)), (lines[1], at(600))]);
    let later = before.iter().find(|entry| (entry.device_id, entry.effective_date) == (lines[0], at(600)));
    let replaced = store.get_queue_entry(tenant, later.expect("it was scheduled").id).await.expect("the entry");
    let replaced_by = format!("replaced by bulk change {id}");
    assert_eq!((replaced.state, replaced.status_details), (PlanQueueState::Canceled, Some(replaced_by)));
    assert!(store.list_tenants_with_due_entries(at(400)).await.expect("tenants").contains(&tenant));
}

/// Also when others fell due between the order and its page, so that nothing else says when to look.
pub async fn what_a_page_schedules_is_found_when_due<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "found when due").await;
    let (tenant, lines) = (fixture.tenant, fixture.lines(1).await);
    let id = stored(&fixture, plan_change(&fixture), accepted(&lines)).await;
    assert_eq!(fixture.run_due(8, &[]).await, None);
    let (mut page, _) = opened(&fixture, id, 10).await;
    let write = PlanWrite { effective_at: Some(at(9)), ..plan_write(&fixture) };
    page.schedule_customer_rate_plan(&write).await.expect("scheduled");
    page.finish(None).await.expect("finished");
    assert!(store.list_tenants_with_due_entries(at(10)).await.expect("tenants").contains(&tenant));
    assert_eq!(fixture.run_due(10, &[]).await.map(|done| done.applied), Some(1));
    assert_eq!(devices(&fixture, 1).await[0].customer_rate_plan_id, Some(fixture.bounded_plan));
}

/// The old values, where the new ones still stand, once.
pub async fn steps_are_reverted_once<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "reverted").await;
    let lines = fixture.lines(2).await;
    fixture.assign(&[fixture.assignment(0)]).await;
    let before = devices(&fixture, 2).await;
    let order = amop(&fixture);
    let id = stored(&fixture, order.clone(), accepted(&lines)).await;
    let (mut page, found) = opened(&fixture, id, 10).await;
    let rows: Vec<DeviceChangeId> = found.iter().map(|line| line.id).collect();
    page.usp_devicebulkchange_assign_non_rev_customer(&assignment_write(&order, LogText::AssignNonRevCustomer))
        .await
        .expect("assigned");
    page.usp_devicebulkchange_customerrateplanchange_updatedevices(&plan_write(&fixture)).await.expect("changed");
    assert_eq!(page.revert_customer_rate_plan(&rows[..1]).await.expect("reverted"), 1);
    assert_eq!(page.revert_customer_rate_plan(&rows).await.expect("reverted"), 1);
    assert_eq!(page.revert_assignment(&rows).await.expect("reverted"), 2);
    assert_eq!(page.revert_assignment(&rows).await.expect("asked again"), 0);
    assert_eq!(page.revert_customer_rate_plan(&rows).await.expect("asked again"), 0);
    page.finish(None).await.expect("finished");
    for (before, after) in before.into_iter().zip(devices(&fixture, 2).await) {
        assert_eq!(after.version, before.version + 4, "each write and each undo raised it");
        let (version, modified_by, modified_at) = (after.version, after.modified_by.clone(), after.modified_at);
        assert_eq!(after, DeviceView { version, modified_by, modified_at, ..before });
    }
}

/// Rows that named no line are looked up, noted, and then like all others.
pub async fn named_lines_are_looked_up_and_noted<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "named").await;
    let tenant = fixture.tenant;
    let unknown = |nth: usize| NewDeviceChange {
        request_position: u32::try_from(nth).expect("a few"),
        line: iccid(nth),
        device: None,
        refused: Some(Reason::new(Code::DeviceNotFound, "unknown")),
    };
    let id = stored(&fixture, plan_change(&fixture), vec![unknown(0), unknown(1)]).await;
    finished(&fixture, id, 10).await;
    let lines = fixture.lines(1).await;
    let reopening = crate::bulk_changes::Reopening {
        codes: Vec::new(),
        holds: Holds::CUSTOMER_AND_PLAN,
        attempt: 2,
        begins: true,
        by: orderer(),
        until: at(60),
        now: at(20),
    };
    assert_eq!(store.reopen_page(tenant, id, 0, &reopening).await.expect("opened"), 2);
    store.finish_reopening(tenant, id).await.expect("finished");
    let (mut page, found) = opened(&fixture, id, 20).await;
    assert!(found.iter().all(|line| line.facts.is_none() && line.judged_version.is_none()));
    assert_eq!(found.iter().filter_map(|line| line.named.clone()).collect::<Vec<_>>(), [iccid(0), iccid(1)]);
    let named: Vec<_> =
        (0..2).map(|nth| (found[nth].id, read_line(LineIdentifier::Iccid, &iccid(nth)).expect("well-formed"))).collect();
    let known = page.look_up_named(&named, QUERY).await.expect("looked up");
    assert_eq!(known.iter().map(|(row, facts)| (*row, facts.device_id)).collect::<Vec<_>>(), [(found[0].id, lines[0])]);
    assert_eq!(known[0].1.held_by, None, "what this change holds itself does not count");
    page.record_judged(&[(found[0].id, lines[0], known[0].1.version)]).await.expect("noted");
    page.settle(&[Settled::Refused(found[1].id, Reason::new(Code::DeviceNotFound, "still unknown"))]).await.expect("settled");
    let changed = page.usp_devicebulkchange_customerrateplanchange_updatedevices(&plan_write(&fixture)).await;
    assert_eq!(changed.expect("changed"), 1);
    page.finish(None).await.expect("finished");
    let ended: Vec<_> = rows(&fixture, id).await.into_iter().map(|row| (row.device_id, row.status, row.attempt)).collect();
    assert_eq!(ended, [(Some(lines[0]), DeviceChangeStatus::Processed, 2), (None, DeviceChangeStatus::Error, 2)]);
}
