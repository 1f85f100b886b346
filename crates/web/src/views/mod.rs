//! What the API answers and takes, as JSON. These types are the contract with clients: the store's may change without them.
//!
//! Ids are whole numbers, moments RFC 3339 in UTC, decimals texts. Fields are only ever added.

mod account;
mod audit;
mod bulk_change;
mod device;
mod limits;
mod order;
mod people;
mod plan_queue;
mod progress;
mod reference;
mod session;
mod steps;
mod submission;
mod sync;

pub use account::{
    AccountLimitsView, AccountRequest, AccountView, CallbackCredentialsRequest, CallbackTakenView, CallsView, ConnectionTestView,
    CredentialsRequest, JasperCredentialsRequest, PondCredentialsRequest, RevioCredentialsRequest,
};
pub use audit::{AuditEntryView, AuditFormat};
pub use bulk_change::{
    BulkChangeDetailView, BulkChangeView, CountsView, DeviceChangeView, ErrorCountView, EstimateView, LogEntryView, RetriedView,
    RetryRequest, ScheduledView, WaitingView,
};
use chrono::{DateTime, FixedOffset, SubsecRound as _, Utc};
use chrono_tz::Tz;
pub use device::{AssignmentOfDeviceView, DeviceUsageView, DeviceView, HistoryEntryView};
pub use limits::{KeyView, LimitsView, MeView, ReadyView, TenantView};
use lineshift_domain::refusal::Problem;
use lineshift_store::paging::Listed;
pub use order::{
    AssignmentView, OrderView, OrderedCarrierRatePlanView, OrderedProductView, OrderedRevServiceView, OrderedStatusView, PlanView,
};
pub use people::{
    AddedUserView, ApiKeyView, CreatedApiKeyView, InvitationView, NewApiKey, NewRole, NewUser, RolePatch, RoleView, UserPatch,
    UserSessionView, UserView, reach_words, scope_words,
};
pub use plan_queue::{MoveRequest, PlanQueueEntryView};
pub use progress::ProgressView;
pub use reference::{
    CustomerPatch, CustomerRatePlanPatch, CustomerRatePlanView, CustomerRatePoolPatch, CustomerRatePoolView, CustomerView,
    IntegrationAuthenticationPatch, IntegrationAuthenticationView, NewCustomer, NewCustomerRatePlan, NewCustomerRatePool,
    NewIntegrationAuthentication, NewServiceProvider, NewSite, ServiceProviderPatch, ServiceProviderView, SitePatch, SiteView,
};
use serde::{Deserialize, Serialize};
pub use session::{
    EndOneTimePasswordsRequest, InvitationRequest, JoinRequest, OneTimePasswordConfirmation, OneTimePasswordView,
    OpenIdOneTimePassword, OpenIdProviderView, OpenIdSignInView, OwnPasswordRequest, OwnSessionView, PasswordChangeRequest,
    PersonView, ReceivedInvitationView, ReceivedInvitationsView, SessionView, SignInRequest, SwitchTenantRequest,
};
pub use steps::{SettleRequest, SettledView, StepView, UnsettledStepView};
pub use submission::{
    AssociateCustomerRequest, BulkChangeRequest, CarrierRatePlanUpdate, CustomerRatePlanUpdate, RevProductRequest, StatusUpdate,
    SubmittedView, ValidatedLineView, ValidationView,
};
pub use sync::{SyncCountsView, SyncFindingView, SyncRequest, SyncRunView};
use utoipa::ToSchema;

use crate::cursor::Cursor;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// What to give as `after` (bulk changes: `before`) for the next page; null: this was the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    pub(crate) fn of<S, K: Cursor>(listed: Listed<S, K>, view: impl FnMut(S) -> T) -> Self {
        Self { items: listed.items.into_iter().map(view).collect(), next: listed.next.map(|key| key.encode()) }
    }
}

/// A failed request, as RFC 9457 has it (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem, example = json!({
    "type": "urn:lineshift:problem:refused",
    "title": "The request was refused",
    "status": 422,
    "detail": "SiteId: missing; without RevCustomerId the customer is a site: give SiteId, or RevCustomerId for a Rev customer",
    "errors": [{
        "field": "SiteId",
        "code": "missing_field",
        "message": "missing; without RevCustomerId the customer is a site: give SiteId, or RevCustomerId for a Rev customer"
    }]
}))]
pub struct ProblemView {
    /// What kind of problem, for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// Every single problem that was found; empty where there is nothing more to say.
    #[serde(default)]
    pub errors: Vec<FieldProblemView>,
}

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FieldProblem)]
pub struct FieldProblemView {
    /// Where: a path such as `AssociateCustomerRequest.RevProducts[2].Rate`; empty for the request as a whole.
    pub field: String,
    /// What, for programs.
    pub code: String,
    /// What was found, what was expected and what to do.
    pub message: String,
}

impl From<Problem> for FieldProblemView {
    fn from(problem: Problem) -> Self {
        let Problem { field, code, message } = problem;
        Self { field, code, message }
    }
}

/// A moment, as it is kept and as the tenant's people see it (B6.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Moment)]
pub struct MomentView {
    /// In UTC.
    pub utc: DateTime<Utc>,
    /// In the tenant's time zone.
    pub local: DateTime<FixedOffset>,
}

impl MomentView {
    pub(crate) fn new(at: DateTime<Utc>, zone: Tz) -> Self {
        Self { utc: at.trunc_subsecs(6), local: at.trunc_subsecs(6).with_timezone(&zone).fixed_offset() }
    }
}
