//! Signing in, sessions, passwords.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TenantView;

/// Signing in. Fields that are not known are refused.
#[derive(Debug, ToSchema)]
#[schema(as = SignInRequest)]
#[expect(dead_code, reason = "describes a body that is read field by field, so that all problems are found")]
pub struct SignInRequest {
    /// The address; capitals do not matter.
    #[schema(example = "ada@fleet.example")]
    email: String,
    /// The password.
    #[schema(format = Password)]
    password: String,
    /// Where the account has an authenticator: what it shows now, asked for by `one_time_password_needed`.
    #[schema(example = "287082")]
    one_time_password: Option<String>,
    /// In which tenant; where it is not given, the one in which one was last, or whose invitation one accepted first.
    tenant_id: Option<i64>,
}

/// Another tenant to work in.
#[derive(Debug, ToSchema)]
#[schema(as = SwitchTenantRequest)]
#[expect(dead_code, reason = "describes a body that is read field by field, so that all problems are found")]
pub struct SwitchTenantRequest {
    /// One of `tenants` of the session.
    tenant_id: i64,
}

/// Another password of one's own.
#[derive(Debug, ToSchema)]
#[schema(as = PasswordChangeRequest)]
#[expect(dead_code, reason = "describes a body that is read field by field, so that all problems are found")]
pub struct PasswordChangeRequest {
    /// The present one.
    #[schema(format = Password)]
    password: String,
    /// The new one: 12 to 128 characters, not a common one, without a pattern, not one's own name.
    #[schema(format = Password)]
    new_password: String,
}

/// The password of somebody who was invited.
#[derive(Debug, ToSchema)]
#[schema(as = InvitationRequest)]
#[expect(dead_code, reason = "describes a body that is read field by field, so that all problems are found")]
pub struct InvitationRequest {
    /// The token that came with the invitation.
    #[schema(format = Password)]
    token: String,
    /// The password: 12 to 128 characters, not a common one, without a pattern, not one's own name.
    #[schema(format = Password)]
    password: String,
}

/// Accepting an invitation to one's account.
#[derive(Debug, ToSchema)]
#[schema(as = JoinRequest)]
#[expect(dead_code, reason = "describes a body that is read field by field, so that all problems are found")]
pub struct JoinRequest {
    /// The token that came with the invitation.
    #[schema(format = Password)]
    token: String,
    /// One's password; left out where the account has none.
    #[schema(format = Password)]
    password: Option<String>,
    /// Another one, with which everybody else is signed out: recommended where somebody else may know the present one.
    #[schema(format = Password)]
    new_password: Option<String>,
}

/// What one is invited to, and what one's account is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReceivedInvitations)]
pub struct ReceivedInvitationsView {
    /// Since when the account exists.
    pub account_created_at: DateTime<Utc>,
    /// By which tenants it is used: those that one belongs to, active there or not.
    pub tenants: Vec<TenantView>,
    /// The invitations that may be accepted now.
    pub items: Vec<ReceivedInvitationView>,
}

/// An invitation to join a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ReceivedInvitation)]
pub struct ReceivedInvitationView {
    /// The tenant's id.
    pub id: i64,
    /// Its name.
    pub tenant: String,
    /// When it added one.
    pub created_at: DateTime<Utc>,
    /// Until when one may accept.
    pub ends_at: DateTime<Utc>,
}

/// One's password, where a session is not enough.
#[derive(Debug, ToSchema)]
#[schema(as = OwnPasswordRequest)]
#[expect(dead_code, reason = "describes a body that is read field by field, so that all problems are found")]
pub struct OwnPasswordRequest {
    /// The password.
    #[schema(format = Password)]
    password: String,
}

/// One's password and what one's authenticator shows now.
#[derive(Debug, ToSchema)]
#[schema(as = EndOneTimePasswordsRequest)]
#[expect(dead_code, reason = "describes a body that is read field by field, so that all problems are found")]
pub struct EndOneTimePasswordsRequest {
    /// The password.
    #[schema(format = Password)]
    password: String,
    /// What the authenticator shows: six digits, which count as used.
    #[schema(format = Password)]
    one_time_password: String,
}

/// What shows that an authenticator took the secret.
#[derive(Debug, ToSchema)]
#[schema(as = OneTimePasswordConfirmation)]
#[expect(dead_code, reason = "describes a body that is read field by field, so that all problems are found")]
pub struct OneTimePasswordConfirmation {
    /// `enrolment` of the answer that told the secret, unchanged.
    enrolment: String,
    /// What the authenticator shows now.
    #[schema(example = "287082")]
    one_time_password: String,
}

/// What an authenticator needs; shown once.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = OneTimePasswordSecret)]
pub struct OneTimePasswordView {
    /// The secret in base32, to be typed.
    pub secret: String,
    /// The same with everything else, to be shown as a picture.
    #[schema(example = "otpauth://totp/Lineshift:ada@fleet.example?secret=...")]
    pub uri: String,
    /// To be sent back with the first password, within ten minutes.
    pub enrolment: String,
}

/// How people may sign in beside a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = OpenIdSignIn)]
pub struct OpenIdSignInView {
    /// The provider; null: there is none, and people sign in with a password.
    pub provider: Option<OpenIdProviderView>,
}

/// An OpenID provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = OpenIdProvider)]
pub struct OpenIdProviderView {
    /// How people call it.
    #[schema(example = "Example Inc.")]
    pub label: String,
    /// Where a browser goes to sign in there.
    #[schema(example = "/api/v1/session/openid/start")]
    pub start: String,
}

/// What an authenticator shows, of somebody whom an OpenID provider has vouched for.
#[derive(Debug, ToSchema)]
#[schema(as = OpenIdOneTimePassword)]
#[expect(dead_code, reason = "describes a body that is read field by field, so that all problems are found")]
pub struct OpenIdOneTimePassword {
    /// What it shows now.
    #[schema(example = "287082")]
    one_time_password: String,
}

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Person)]
pub struct PersonView {
    /// As whom they act in this tenant: the id of the user there.
    pub id: i64,
    /// Address.
    pub email: String,
    /// How they are called.
    pub display_name: String,
    /// What they may do, by all of their roles together.
    #[schema(example = json!(["m2m:view", "m2m:create"]))]
    pub scopes: Vec<String>,
    /// Whose lines they see: `*` for all, or the customers, sites and service providers.
    #[schema(example = "customer:4711")]
    pub reach: String,
}

/// The session of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// Who is signed in.
    pub person: PersonView,
    /// In which tenant.
    pub tenant: TenantView,
    /// All tenants that they may work in, this one among them.
    pub tenants: Vec<TenantView>,
    /// What requests that change something must show in `X-CSRF-Token`.
    pub csrf_token: String,
    /// When it ends at the latest.
    pub ends_at: DateTime<Utc>,
    /// After how many seconds without a request it ends sooner.
    pub idle_seconds: i64,
}

/// One of one's sessions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = OwnSession)]
pub struct OwnSessionView {
    /// Names it; not what proves it.
    #[schema(example = "0f1e2d3c4b5a69788796a5b4c3d2e1f0")]
    pub id: String,
    /// Whether it is the one of this request.
    pub is_this: bool,
    /// In which tenant.
    pub tenant_id: i64,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub seen_at: DateTime<Utc>,
    /// When it ends at the latest.
    pub ends_at: DateTime<Utc>,
    /// From where it began.
    pub address: String,
    /// With which browser, as it says itself.
    pub agent: String,
}
