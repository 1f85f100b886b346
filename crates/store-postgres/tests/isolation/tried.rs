//! Calls of the store for one tenant where the database was told of another, and what is said of their answers.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Debug;

use lineshift_domain::counts::Counts;
use lineshift_domain::ids::{DeviceChangeId, TenantId};
use lineshift_domain::judge::ActiveStatuses;
use lineshift_domain::places::PlacesLeased;
use lineshift_store::billing::{CallsMade, TakenCalls};
use lineshift_store::bulk_changes::{Idempotency, StoredBulkChange};
use lineshift_store::carriers::CallbackNoted;
use lineshift_store::catalogue::{FoundCustomers, Names, Referenced};
use lineshift_store::devices::{Charges, CountedLines, OpenEntries, SoughtLines};
use lineshift_store::figures::LineFigures;
use lineshift_store::import::Imported;
use lineshift_store::paging::Listed;
use lineshift_store::plan_queue::DueResult;
use lineshift_store::selections::SelectedMatching;
use lineshift_store::sync::{LinePart, UnseenPart};
use lineshift_store::work::{Backlog, PageResult};
use lineshift_store::{Result, StoreError};
use lineshift_store_postgres::PostgresStore;
use lineshift_store_postgres::testing::{Instead, TestDatabase};

use crate::filled::Filled;
use crate::rows::{Rows, difference};

/// An answer that may tell nothing.
pub(crate) trait Answer: Debug {
    /// Whether it does.
    fn is_nothing(&self) -> bool;
}

/// Values that are nothing when they equal their default.
macro_rules! nothing_by_default {
    ($($answer:ty),* $(,)?) => {$(
        impl Answer for $answer {
            fn is_nothing(&self) -> bool {
                *self == <$answer>::default()
            }
        }
    )*};
}
nothing_by_default!(
    (),
    bool,
    i64,
    u64,
    usize,
    Backlog,
    CallbackNoted,
    Charges,
    Counts,
    DueResult,
    FoundCustomers,
    Names,
    OpenEntries,
    PageResult,
    Referenced,
    SelectedMatching,
    SoughtLines,
);

impl Answer for HashSet<DeviceChangeId> {
    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

/// Values whose being there says something.
macro_rules! always_something {
    ($($answer:ty),* $(,)?) => {$(
        impl Answer for $answer {
            fn is_nothing(&self) -> bool {
                false
            }
        }
    )*};
}
always_something!(
    ActiveStatuses,
    Idempotency,
    StoredBulkChange,
    lineshift_domain::ids::PrincipalId,
    lineshift_domain::ids::BulkChangeId,
    lineshift_domain::ids::CustomerRatePlanId,
    lineshift_domain::ids::CustomerRatePoolId,
    lineshift_domain::ids::IntegrationAuthenticationId,
    lineshift_domain::ids::RevCustomerId,
    lineshift_domain::ids::RoleId,
    lineshift_domain::ids::ServiceProviderId,
    lineshift_domain::ids::SiteId,
    lineshift_domain::ids::TenantId,
    lineshift_store::access::Tenant,
    lineshift_store::billing::IntegrationAccount,
    lineshift_store::bulk_changes::BulkChangeView,
    lineshift_store::catalogue::CustomerRatePlan,
    lineshift_store::catalogue::CustomerRatePool,
    lineshift_store::catalogue::IntegrationAuthentication,
    lineshift_store::catalogue::RevCustomer,
    lineshift_store::catalogue::ServiceProvider,
    lineshift_store::catalogue::Site,
    lineshift_store::devices::DeviceView,
    lineshift_store::people::AddedPerson,
    lineshift_store::people::Member,
    lineshift_store::people::Role,
    lineshift_store::plan_queue::PlanQueueEntry,
    lineshift_store::sync::SyncClaim,
    lineshift_store::sync::SyncRun,
    Opened,
);

/// A page, or due entries, that could be opened.
#[derive(Debug)]
pub(crate) struct Opened;

impl<T: Debug> Answer for Vec<T> {
    fn is_nothing(&self) -> bool {
        self.is_empty()
    }
}

impl<T: Debug> Answer for Option<T> {
    fn is_nothing(&self) -> bool {
        self.is_none()
    }
}

impl<T: Debug, K: Debug> Answer for Listed<T, K> {
    fn is_nothing(&self) -> bool {
        self.items.is_empty() && self.next.is_none()
    }
}

impl Answer for CountedLines {
    fn is_nothing(&self) -> bool {
        self.lines == 0
    }
}

impl Answer for Imported {
    fn is_nothing(&self) -> bool {
        // What was refused is told by its place in the list given.
        self.created == 0 && self.updated == 0
    }
}

impl Answer for LinePart {
    fn is_nothing(&self) -> bool {
        self.lines.is_empty() && self.next.is_none()
    }
}

impl Answer for UnseenPart {
    fn is_nothing(&self) -> bool {
        self.items.is_empty() && self.next.is_none()
    }
}

impl Answer for CallsMade {
    fn is_nothing(&self) -> bool {
        self.in_minute == 0 && self.in_day == 0
    }
}

impl Answer for LineFigures {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Answer for TakenCalls {
    fn is_nothing(&self) -> bool {
        self.taken == 0 && self.full.is_none()
    }
}

impl Answer for PlacesLeased {
    fn is_nothing(&self) -> bool {
        self.places == 0
    }
}

/// Of whom the database is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Of the tenant that is asked for: so that it is known that the calls are good for something.
    TheTenant,
    /// Of the other.
    Another,
    /// Of none.
    Nobody,
}

/// Calls a method of a trait of the store and judges it.
macro_rules! try_it {
    ($tried:ident, $trait:ident.$method:ident($($argument:expr),* $(,)?)) => {{
        let answer = $trait::$method($tried.store, $($argument),*).await;
        $tried.judge(concat!(stringify!($trait), "::", stringify!($method)), answer).await;
    }};
}
pub(crate) use try_it;

/// The calls so far.
pub(crate) struct Tried<'t> {
    pub(crate) store: &'t PostgresStore,
    database: &'t TestDatabase,
    pub(crate) told: Told,
    other: TenantId,
    /// Stands in the texts that no answer may hold.
    mark: &'static str,
    rows: Rows,
    before: Vec<Vec<String>>,
    pub(crate) methods: BTreeSet<String>,
    pub(crate) wrong: Vec<String>,
}

impl<'t> Tried<'t> {
    pub(crate) async fn new(
        store: &'t PostgresStore,
        database: &'t TestDatabase,
        tables: &[String],
        (tenant, other): (&Filled, &Filled),
        told: Told,
    ) -> Self {
        // What is asked for one tenant changes nothing of the other in any case.
        let rows = match told {
            Told::TheTenant => Rows::of(tables, &[other.tenant]),
            _ => Rows::of(tables, &[tenant.tenant, other.tenant]),
        };
        let before = rows.read(database).await;
        let (methods, wrong) = (BTreeSet::new(), Vec::new());
        Self {
            store,
            database,
            told,
            other: other.tenant,
            mark: if told == Told::TheTenant { other.mark } else { tenant.mark },
            rows,
            before,
            methods,
            wrong,
        }
    }

    /// From now on the database is told wrongly.
    pub(crate) fn mislead(&self) {
        self.store.hold_to(match self.told {
            Told::TheTenant => None,
            Told::Another => Some(Instead::Tenant(self.other)),
            Told::Nobody => Some(Instead::Nobody),
        });
    }

    /// From now on it is told of the tenant that is named.
    pub(crate) fn be_honest(&self) {
        self.store.hold_to(None);
    }

    /// From now on it is told of the tenant asked for, in open transactions also.
    pub(crate) fn tell_again(&self, tenant: TenantId) {
        self.store.hold_to(Some(Instead::Tenant(tenant)));
    }

    /// What a call answered, and what it left in the database.
    pub(crate) async fn judge<T: Answer>(&mut self, method: &str, answer: Result<T>) {
        self.methods.insert(method.to_owned());
        let shown = format!("{answer:?}");
        match answer {
            answer if self.told == Told::TheTenant => self.judge_control(method, answer),
            Ok(answer) if !answer.is_nothing() => self.wrong.push(format!("{method} answered {shown}")),
            // What is out of reach says nothing about whom it belongs to.
            Err(StoreError::Unavailable(why)) if !why.to_string().contains("was changed while it was judged") => {
                self.wrong.push(format!("{method} did not come about: {shown}"));
            }
            _ => {}
        }
        if shown.contains(self.mark) {
            self.wrong.push(format!("{method} told {shown}"));
        }
        let after = self.rows.read(self.database).await;
        if after != self.before {
            self.wrong.push(format!("{method} changed {:#?}", difference(&self.before, &after)));
            self.before = after;
        }
    }

    /// A call that reads across tenants by intention, on the closed list: what it says of the tenant is given apart from the rest.
    pub(crate) async fn judge_part<T: Answer>(&mut self, method: &str, of_the_tenant: T) {
        self.judge(method, Ok(of_the_tenant)).await;
    }

    /// A call whose answer belongs to no tenant, or that changes what belongs to the other.
    pub(crate) async fn note<T: Debug>(&mut self, method: &str, answer: Result<T>) {
        self.methods.insert(method.to_owned());
        if answer.is_err() {
            self.wrong.push(format!("{method} failed: {answer:?}"));
        }
        self.before = self.rows.read(self.database).await;
    }

    fn judge_control<T: Answer>(&mut self, method: &str, answer: Result<T>) {
        match answer {
            Ok(answer) => {
                let reads = ["get_", "find_", "list_", "count_", "look_", "recount"];
                let name = method.rsplit("::").next().unwrap_or_default();
                if reads.iter().any(|verb| name.starts_with(verb)) && answer.is_nothing() {
                    self.wrong.push(format!("{method} found nothing, so that nothing is shown by it"));
                }
            }
            Err(error) => self.wrong.push(format!("{method} failed: {error:?}")),
        }
    }
}
