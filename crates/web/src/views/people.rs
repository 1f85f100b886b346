//! People and keys: who may do what, and to whose lines.

use chrono::{DateTime, Utc};
use lineshift_domain::reach::Reach;
use lineshift_domain::roles::READY_MADE;
use lineshift_domain::scopes::Scopes;
use lineshift_store::access::ApiKey;
use lineshift_store::people as store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The permissions as a list of words.
#[must_use]
pub fn scope_words(scopes: &Scopes) -> Vec<String> {
    scopes.to_string().split_whitespace().map(str::to_owned).collect()
}

/// Whose lines are reached, as a list of words.
#[must_use]
pub fn reach_words(reach: &Reach) -> Vec<String> {
    reach.to_string().split_whitespace().map(str::to_owned).collect()
}

/// A named set of permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Role)]
pub struct RoleView {
    /// Id.
    pub id: i64,
    /// Name, unique per tenant.
    pub name: String,
    /// What it allows.
    #[schema(example = json!(["m2m:view", "m2m:create"]))]
    pub scopes: Vec<String>,
    /// Whether whoever has it must be limited to some customers, sites or service providers.
    pub is_limited: bool,
}

impl From<store::Role> for RoleView {
    fn from(role: store::Role) -> Self {
        let is_limited = READY_MADE.iter().any(|ready| ready.is_limited && ready.name == role.name);
        Self { id: role.id.0, scopes: scope_words(&role.scopes), name: role.name, is_limited }
    }
}

/// A role to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewRole {
    /// Name, unique per tenant.
    pub name: String,
    /// What it allows: words such as `m2m:view`, or `*` for everything.
    #[schema(example = json!(["m2m:view", "m2m:create"]))]
    pub scopes: Vec<String>,
}

/// What to change of it: absent fields stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RolePatch {
    /// Name, unique per tenant; ready-made roles keep theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it allows: words such as `m2m:view`, or `*` for everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scopes: Option<Vec<String>>,
}

/// A person in the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// Id within the tenant.
    pub id: i64,
    /// The address with which they sign in.
    pub email: String,
    /// How they are called.
    pub display_name: String,
    /// Their roles, by id: what all of them together allow.
    pub roles: Vec<i64>,
    /// Whose lines they see and may order: `*` is everything of the tenant.
    #[schema(example = json!(["customer:5", "site:7"]))]
    pub reach: Vec<String>,
    /// Whether they may act in this tenant.
    pub is_active: bool,
    /// When they were added.
    pub created_at: DateTime<Utc>,
    /// The OpenID provider that knows them, by its issuer; null: they did not sign in by one so far.
    #[schema(example = "https://id.example.com")]
    pub identity_issuer: Option<String>,
    /// Whether they have not taken their invitation up: until then they may nothing.
    pub is_pending: bool,
    /// While pending: until when the invitation counts; null: there is none, as when it was taken back because they may do more by now.
    pub invitation_ends_at: Option<DateTime<Utc>>,
}

impl From<store::Member> for UserView {
    fn from(member: store::Member) -> Self {
        Self {
            id: member.id.0,
            email: member.email,
            display_name: member.display_name,
            roles: member.roles.iter().map(|role| role.0).collect(),
            reach: reach_words(&member.reach),
            is_active: member.is_active,
            created_at: member.created_at,
            identity_issuer: member.identity_issuer,
            is_pending: member.is_pending,
            invitation_ends_at: member.invitation_ends_at,
        }
    }
}

/// A person to be added to the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewUser {
    /// The address with which they sign in.
    #[schema(example = "ann@example.com")]
    pub email: String,
    /// How they are called; where there is an account with this address, the name that its owner has counts once they accept.
    pub display_name: String,
    /// Their roles, by id.
    pub roles: Vec<i64>,
    /// Whose lines they see and may order: `*` for everything of the tenant, or words such as `customer:5`, `site:7` and
    /// `service_provider:2`. A line is reached when its service provider is named, or none is; and its customer or its site is named,
    /// or neither kind is.
    #[schema(example = json!(["customer:5", "site:7"]))]
    pub reach: Vec<String>,
    /// Whether they may act in this tenant. True by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// What to change of them: absent fields stay.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserPatch {
    /// Their roles, by id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<i64>>,
    /// Whose lines they see and may order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Vec<String>>,
    /// Whether they may act in this tenant; who may not is signed out of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_active: Option<bool>,
}

/// A person as they were added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = AddedUser)]
pub struct AddedUserView {
    /// The person.
    pub user: UserView,
    /// With which they join: whether or not there is an account with this address.
    pub invitation: InvitationView,
}

/// An invitation, shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Invitation)]
pub struct InvitationView {
    /// The word with which somebody joins, or sets a new password, once.
    pub token: String,
    /// Until when it counts.
    pub ends_at: DateTime<Utc>,
}

impl std::fmt::Debug for InvitationView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InvitationView").field("ends_at", &self.ends_at).finish_non_exhaustive()
    }
}

impl From<crate::Invitation> for InvitationView {
    fn from(invitation: crate::Invitation) -> Self {
        Self { token: invitation.token, ends_at: invitation.stored.ends_at }
    }
}

/// Where and since when somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = UserSession)]
pub struct UserSessionView {
    /// Since when.
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

impl From<store::Session> for UserSessionView {
    fn from(session: store::Session) -> Self {
        let store::Session { created_at, seen_at, ends_at, address, agent, .. } = session;
        Self { created_at, seen_at, ends_at, address, agent }
    }
}

/// A key with which programs call; never its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ApiKey)]
pub struct ApiKeyView {
    /// Id.
    pub id: i64,
    /// Who or what uses it; stands as `created_by` in what it orders.
    pub name: String,
    /// What it may do.
    #[schema(example = json!(["m2m:view", "m2m:create"]))]
    pub scopes: Vec<String>,
    /// Whose lines it sees and may order: `*` is everything of the tenant.
    pub reach: Vec<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// From when on it is refused.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Since when it is revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id.0,
            scopes: scope_words(&key.scopes),
            reach: reach_words(&key.reach),
            name: key.name,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
            revoked_at: key.revoked_at,
        }
    }
}

/// A key to be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NewApiKey {
    /// Who or what will use it.
    pub name: String,
    /// What it may do: words such as `m2m:view`, or `*` for everything.
    #[schema(example = json!(["m2m:view", "m2m:create"]))]
    pub scopes: Vec<String>,
    /// Whose lines it sees and may order: `*` for everything of the tenant, or words such as `customer:5`. Everything by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Vec<String>>,
    /// From when on it is refused; none by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// A key as it was created, with its secret, which is shown this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CreatedApiKey)]
pub struct CreatedApiKeyView {
    /// The key without its secret.
    pub api_key: ApiKeyView,
    /// The whole key, as programs send it.
    pub key: String,
}

impl std::fmt::Debug for CreatedApiKeyView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedApiKeyView").field("api_key", &self.api_key).finish_non_exhaustive()
    }
}
