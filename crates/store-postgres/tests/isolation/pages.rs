//! Pages and the plan queue: also transactions that were opened for the tenant, whose database was told of another meanwhile.

use lineshift_domain::codes::Code;
use lineshift_domain::lines::read_line;
use lineshift_domain::reach::Reach;
use lineshift_domain::terms::{LineIdentifier, PlanQueueState};
use lineshift_store::plan_queue::{EntryFilter, PlanQueueFilter, PlanQueueStore};
use lineshift_store::work::{Backlog, Message, RunnableChange, Settled, WorkStore};

use crate::filled::{Filled, HELD};
use crate::methods::BY;
use crate::orders::{QUERY, at, iccid, refusal};
use crate::tried::{Opened, Told, Tried, try_it};

/// Opens a page, misleads the database, calls one method, tells it the truth again and commits.
macro_rules! on_page {
    ($tried:ident, $claim:expr, $tenant:expr, $page:ident.$method:ident($($argument:expr),*)) => {{
        $tried.be_honest();
        let mut $page = $tried.store.open_page($claim, at(12)).await.expect("opened");
        $page.list_open_lines(QUERY).await.expect("lines");
        $tried.mislead();
        let answer = $page.$method($($argument),*).await;
        // What it changed is to be seen: a page that stands as it was found is paused without a trace. One whose call failed is undone.
        $tried.tell_again($tenant);
        if $tried.told != Told::TheTenant {
            drop($page.pause().await);
        }
        $tried.mislead();
        $tried.judge(concat!("PageWork::", stringify!($method)), answer).await;
    }};
}

pub(crate) async fn try_page(tried: &mut Tried<'_>, of: &Filled) {
    let (tenant, page) = (of.tenant, &of.page);
    let (row, line) = (of.page.from_id, of.lines[2]);
    let opened = tried.store.open_page(page, at(12)).await.map(|_| Opened);
    tried.judge("WorkStore::open_page", opened).await;
    on_page!(tried, page, tenant, held.list_open_lines(QUERY));
    let named = [(row, read_line(LineIdentifier::Iccid, &iccid(2)).expect("well-formed"))];
    on_page!(tried, page, tenant, held.look_up_named(&named, QUERY));
    on_page!(tried, page, tenant, held.record_judged(&[(row, line, 1)]));
    try_settling(tried, of).await;
    on_page!(tried, page, tenant, held.wake_due());
    on_page!(tried, &of.calling, tenant, held.list_outside_lines());
    on_page!(tried, page, tenant, held.hold_open(&[of.waiting_row(row)]));
    on_page!(tried, page, tenant, held.fail_after_steps(&[(row, refusal())]));
    let (rev, amop) = (of.assignment_write(true), of.assignment_write(false));
    on_page!(tried, &of.calling, tenant, held.usp_assign_customer_update_site(&rev));
    on_page!(tried, page, tenant, held.usp_devicebulkchange_assign_non_rev_customer(&amop));
    let (now, later) = (of.plan_write(None), of.plan_write(Some(at(9_000))));
    on_page!(tried, page, tenant, held.usp_devicebulkchange_customerrateplanchange_updatedevices(&now));
    on_page!(tried, page, tenant, held.usp_devicebulkchange_customerrateplanchange_updatedevicebynumber(&now));
    on_page!(tried, page, tenant, held.schedule_customer_rate_plan(&later));
    on_page!(tried, page, tenant, held.revert_assignment(&[row]));
    on_page!(tried, page, tenant, held.revert_customer_rate_plan(&[row]));
    end_page(tried, of).await;
}

/// What is settled is also kept in mind until the page ends, which then counts and logs it: so the row itself is looked at before that.
async fn try_settling(tried: &mut Tried<'_>, of: &Filled) {
    let row = of.page.from_id;
    let refused = [Settled::Refused(row, refusal()), Settled::Unsettled(row, refusal())];
    for settled in refused.into_iter().chain([Settled::AlreadySo(row), Settled::Canceled(row)]) {
        tried.be_honest();
        let mut page = tried.store.open_page(&of.page, at(12)).await.expect("opened");
        let before = page.list_open_lines(QUERY).await.expect("lines");
        tried.mislead();
        let answer = page.settle(&[settled]).await;
        tried.tell_again(of.tenant);
        let after = page.list_open_lines(QUERY).await;
        let is_open = after.is_ok_and(|after| after == before);
        if is_open == (tried.told == Told::TheTenant) {
            tried.wrong.push(format!("PageWork::settle: the row is still open: {is_open}"));
        }
        drop(page);
        tried.mislead();
        tried.judge("PageWork::settle", answer).await;
    }
}

/// The two methods with which a page's transaction ends.
async fn end_page(tried: &mut Tried<'_>, of: &Filled) {
    for method in ["PageWork::pause", "PageWork::finish"] {
        tried.be_honest();
        let mut page = tried.store.open_page(&of.page, at(12)).await.expect("opened");
        page.list_open_lines(QUERY).await.expect("lines");
        tried.mislead();
        let answer = if method == "PageWork::pause" { page.pause().await } else { page.finish(Some(BY)).await };
        tried.judge(method, answer).await;
    }
}

pub(crate) async fn try_plan_queue(tried: &mut Tried<'_>, of: &Filled) {
    let (tenant, id, now) = (of.tenant, of.entry.id, at(60));
    for filter in [
        PlanQueueFilter::Open,
        PlanQueueFilter::OpenOfDevice(of.entry.device_id),
        PlanQueueFilter::OfChange(of.entry.bulk_change_id, PlanQueueState::Open),
    ] {
        let limited = format!("service_provider:{}", of.provider).parse().expect("a reach");
        for reach in [Reach::Everything, limited] {
            try_it!(tried, PlanQueueStore.list_queue_entries(tenant, &reach, filter, None, 10));
            try_it!(tried, PlanQueueStore.list_due_entries(tenant, &reach, &EntryFilter::ALL, None, 10));
        }
    }
    try_it!(tried, PlanQueueStore.get_queue_entry(tenant, id));
    try_it!(tried, PlanQueueStore.move_queue_entry(tenant, id, at(110), BY, now));
    // Which tenants have work, of which kind and when: that and no more is read across tenants.
    let due = tried.store.list_tenants_with_due_entries(at(HELD)).await;
    assert!(due.as_ref().is_ok_and(|due| due.contains(&tenant)), "{due:?}");
    tried.note("PlanQueueStore::list_tenants_with_due_entries", due).await;
    let next = tried.store.next_due().await;
    assert!(next.as_ref().is_ok_and(|next| *next >= Some(at(100))), "{next:?}");
    tried.note("PlanQueueStore::next_due", next).await;

    let opened = tried.store.open_due(tenant, 10, at(200)).await.map(|work| work.map(|_| Opened));
    tried.judge("PlanQueueStore::open_due", opened).await;
    for refuse in [true, false] {
        tried.be_honest();
        let Some(work) = tried.store.open_due(tenant, 10, at(200)).await.expect("opened") else { continue };
        assert!(work.entries().iter().any(|entry| entry.id == id));
        tried.mislead();
        let refused = [(id, refusal())];
        let answer = work.finish(if refuse && tried.told != Told::TheTenant { &refused } else { &[] }).await;
        tried.judge("DueWork::finish", answer).await;
    }
    tried.mislead();
    try_it!(tried, PlanQueueStore.cancel_queue_entry(tenant, id, BY, now));
}

pub(crate) async fn try_work(tried: &mut Tried<'_>, of: &Filled) {
    let (tenant, now) = (of.tenant, at(60));
    let change = |id| RunnableChange { tenant_id: tenant, bulk_change_id: id };
    let runnable = tried.store.list_runnable().await.expect("listed");
    let runnable: Vec<_> = runnable.into_iter().filter(|runnable| runnable.change.tenant_id == tenant).collect();
    tried.judge_part("WorkStore::list_runnable", runnable).await;
    try_it!(tried, WorkStore.claim_page(change(of.open), BY, at(HELD), now));
    try_it!(tried, WorkStore.claim_page(change(of.open), BY, at(2 * HELD), at(HELD + 1)));
    try_it!(tried, WorkStore.renew_lease(&of.calling, at(HELD)));
    try_it!(tried, WorkStore.complete_page(&of.done, now));
    for id in [of.done.bulk_change_id, of.open] {
        try_it!(tried, WorkStore.complete_bulk_change(change(id), now));
    }
    try_it!(tried, WorkStore.cancel_queue_entries(tenant, of.entry.bulk_change_id, BY, &Reach::Everything, now));
    try_measure(tried, of).await;
    try_it!(tried, WorkStore.fail_page(&of.calling, Code::StoreFailed, BY, now));
    if tried.told == Told::TheTenant {
        let held = of.claim(tried.store, of.open).await;
        try_it!(tried, WorkStore.give_back_page(&held, now));
    } else {
        try_it!(tried, WorkStore.give_back_page(&of.page, now));
    }
    // The other tenant's may be taken meanwhile: they are its own.
    let ours = |messages: Vec<Message>| messages.into_iter().filter(|message| message.tenant_id == tenant).collect::<Vec<_>>();
    let taken = tried.store.take_messages(100).await.map(ours);
    assert_eq!(taken.as_ref().is_ok_and(|taken| !taken.is_empty()), tried.told == Told::TheTenant, "{taken:?}");
    if tried.told == Told::TheTenant {
        // Those of the other were taken as well.
        tried.note("WorkStore::take_messages", taken).await;
    } else {
        tried.judge("WorkStore::take_messages", taken).await;
    }
}

/// What waits is summed over all tenants: with two that were filled alike, what is told of one is half of it.
async fn try_measure(tried: &mut Tried<'_>, of: &Filled) {
    if tried.told == Told::TheTenant {
        let measured = tried.store.measure(at(200)).await;
        return tried.note("WorkStore::measure", measured).await;
    }
    tried.be_honest();
    let both = tried.store.measure(at(200)).await.expect("measured");
    tried.mislead();
    let told = tried.store.measure(at(200)).await.expect("measured");
    assert_ne!((both.pages_waiting, both.rows_waiting, both.stuck_steps), (0, 0, 0), "{}", of.mark);
    let tenants = i64::from(tried.told == Told::Another);
    let of_the_tenant = Backlog {
        pages_waiting: told.pages_waiting - both.pages_waiting / 2 * tenants,
        rows_waiting: told.rows_waiting - both.rows_waiting / 2 * tenants,
        entries_due: told.entries_due - both.entries_due / 2 * tenants,
        stuck_steps: told.stuck_steps - both.stuck_steps / 2 * tenants,
        ..Backlog::default()
    };
    tried.judge_part("WorkStore::measure", of_the_tenant).await;
}
