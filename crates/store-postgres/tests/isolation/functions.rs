//! Every function that takes a tenant, called for one tenant where the database was told of another or of none.

use lineshift_store_postgres::testing::ProductSession;

use crate::orders::{iccid, number};
use crate::plain::TwoTenants;

/// Functions that write nothing even where they may, and those whose rows are others than the ones there are here.
const WRITE_NOTHING: &[&str] = &["lineshift_check_claim", "lineshift_check_rows"];

/// A function: its name as it is called, and the arguments that it must be given.
struct Function {
    name: String,
    arguments: Vec<(String, String)>,
}

/// How many rows this transaction has written so far.
const WRITTEN: &str = "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_xact_user_tables";

#[tokio::test]
async fn no_function_changes_anything_of_a_tenant_when_the_database_is_told_of_another_or_of_none() {
    let two = TwoTenants::new().await;
    let functions = functions(&two).await;
    assert!(functions.len() > 20, "{}", functions.len());
    let mut wrong = Vec::new();
    let [own, unset, others] = [two.database.product(), two.database.product(), two.database.product()];
    for function in &functions {
        let call = call(&two, function).await;
        let control = written(&own, &format!("SET LOCAL app.tenant_id = '{}'", two.tenant.tenant.0), &call, "ROLLBACK").await;
        let writes = !WRITE_NOTHING.contains(&function.name.as_str());
        if !control.as_ref().is_ok_and(|written| (*written != 0) == writes) {
            wrong.push(format!("told of the tenant, {call} wrote {control:?}"));
        }
        let other = format!("SET LOCAL app.tenant_id = '{}'", two.other.tenant.0);
        for (session, set) in
            [(&unset, "SET LOCAL lock_timeout = 0"), (&others, other.as_str()), (&others, "SET LOCAL app.tenant_id = ''")]
        {
            // An error is as good as nothing: the transaction is undone.
            if let Ok(count) = written(session, set, &call, "COMMIT").await
                && count != 0
            {
                wrong.push(format!("{set}; {call} wrote {count}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(two.changes().await, Vec::<String>::new());
}

/// How many rows a call writes in a transaction of its own.
async fn written(session: &ProductSession, set: &str, call: &str, end: &str) -> Result<i64, String> {
    let answer = session.send(&format!("BEGIN; {set}; {WRITTEN}; {call}; {WRITTEN}; {end}")).await;
    if answer.is_err() {
        session.send("ROLLBACK").await.expect("undone");
    }
    // What the session wrote before is counted until the server has collected it.
    let rows = answer.map_err(|error| format!("{error:?}"))?;
    let count = |row: Option<&Vec<String>>| row.and_then(|row| row[0].parse::<i64>().ok()).expect("a count");
    Ok(count(rows.last()) - count(rows.iter().find(|row| row[0].parse::<i64>().is_ok())))
}

async fn functions(two: &TwoTenants) -> Vec<Function> {
    let sql = "SELECT p.oid, p.proname, a.name, format_type(p.proargtypes[a.place::integer - 1], NULL)
        FROM pg_proc p CROSS JOIN unnest(p.proargnames) WITH ORDINALITY AS a (name, place)
        WHERE p.pronamespace = 'public'::regnamespace AND 'p_tenant_id' = ANY (p.proargnames)
          AND a.place <= p.pronargs - p.pronargdefaults
        ORDER BY p.oid, a.place";
    let mut functions: Vec<(String, Function)> = Vec::new();
    for row in two.database.look(sql).await {
        let [oid, name, argument, kind] = row.try_into().expect("four columns");
        if functions.last().is_none_or(|(last, _)| *last != oid) {
            functions.push((oid, Function { name, arguments: Vec::new() }));
        }
        functions.last_mut().expect("one was pushed").1.arguments.push((argument, kind));
    }
    functions.into_iter().map(|(_, function)| function).collect()
}

/// The function called for the first tenant, each argument by its name.
async fn call(two: &TwoTenants, function: &Function) -> String {
    let mut given = Vec::new();
    for (argument, kind) in &function.arguments {
        let value = value(two, &function.name, argument).await;
        let value = if kind.ends_with("[]") { format!("{{{value}}}") } else { value };
        given.push(format!("{argument} => '{value}'::{kind}"));
    }
    format!("SELECT {}({})", function.name, given.join(", "))
}

/// An argument by which the function finds something to do for the first tenant.
async fn value(two: &TwoTenants, function: &str, argument: &str) -> String {
    let of = &two.tenant;
    // History and links are written for rows that are done.
    let ended = ["usp_updatecrossproviderdevicehistory", "usp_update_device_rev_service_links"].contains(&function);
    let mobility = function == "usp_devicebulkchange_revservice_updatemobilitychange";
    let by_number = function.starts_with("usp_devicebulkchange_customerrateplanchange_updatedevicebynumbe");
    match argument {
        "p_tenant_id" => of.tenant.0.to_string(),
        "p_bulk_change_id" if ended => of.done.bulk_change_id.0.to_string(),
        "p_bulk_change_id" if by_number => of.unstarted.0.to_string(),
        "p_bulk_change_id" => of.open.0.to_string(),
        "p_change_id" if mobility => {
            let sql = format!(
                "SELECT first_device_change_id FROM device_bulk_change WHERE tenant_id = {} AND id = {}",
                of.tenant, of.unstarted
            );
            two.database.look(&sql).await[0][0].clone()
        }
        "p_from_id" | "p_to_id" | "p_change_id" | "p_device_change_id" => of.page.from_id.0.to_string(),
        "p_epoch" => of.page.epoch.to_string(),
        "p_portal_type" => "0".to_owned(),
        "p_rev_customer_id" => of.customer.0.to_string(),
        "p_site_id" => of.amop_site.0.to_string(),
        "p_integration_authentication_id" => of.account.0.to_string(),
        "p_customer_rate_plan_id" => of.plan.0.to_string(),
        "p_customer_rate_pool_id" => of.pool.0.to_string(),
        "p_customer_data_allocation_mb" => "5".to_owned(),
        "p_at" | "p_effective_date" => "2026-11-20 00:00Z".to_owned(),
        "p_activated_date" => "2026-12-01".to_owned(),
        "p_by_number" | "p_replace_scheduled" => "false".to_owned(),
        "p_need_to_mark_processed" | "p_api_call_result" => "true".to_owned(),
        "p_subscriber_number" => number(5),
        "p_number" => number(13),
        "p_iccid" => iccid(13),
        "p_device_id" => of.lines[13].0.to_string(),
        "p_rev_service_id" if function == "usp_revservice_create_service" => "77".to_owned(),
        "p_rev_service_id" => "10".to_owned(),
        "p_rev_service_product_id" => "777".to_owned(),
        "p_rev_service_type_id" | "p_rev_provider_id" | "p_rev_product_id" | "p_package_id" | "p_rate" | "p_count" => {
            "1".to_owned()
        }
        "p_status" => "ACTIVE".to_owned(),
        "p_name" => "device".to_owned(),
        "p_account_number" | "p_process_by" | "p_description" | "p_request" | "p_response" | "p_status_details"
        | "p_error_code" | "p_error_kind" => "Cirrus".to_owned(),
        other => panic!("{function} takes {other}, which is new: say by what it is called here"),
    }
}
