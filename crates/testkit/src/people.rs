//! People of an operator, signed in over HTTP.

use std::sync::LazyLock;

use lineshift_domain::ids::{PrincipalId, RoleId, TenantId, UserId};
use lineshift_domain::roles::READY_MADE;
use lineshift_engine::Clock as _;
use lineshift_store::people::{Membership, NewUser};
use lineshift_web::passwords::hash_password;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::http::{Answer, HttpCaller, send};
use crate::operator::Operator;

/// The password of everybody here.
pub const PASSWORD: &str = "tall-window-sings-low";

/// Its hash, made once: that takes as long as it should.
static HASH: LazyLock<String> = LazyLock::new(|| hash_password(&SecretString::from(PASSWORD)).expect("a hash"));

impl Operator {
    /// A user who belongs to no tenant yet, with [`PASSWORD`].
    pub async fn user(&self, email: &str) -> UserId {
        let display_name = email.split('@').next().unwrap_or(email).to_owned();
        let user = NewUser { email: email.to_owned(), display_name, password_hash: Some(HASH.clone()) };
        self.store.create_user(&user, self.clock.now()).await.expect("a new user")
    }

    /// Makes a user a member of a tenant with those of the ready-made roles; `reach` as it is stored.
    pub async fn member(&self, tenant: TenantId, user: UserId, roles: &[&str], reach: &str) -> PrincipalId {
        let mut ids = Vec::new();
        for name in roles {
            ids.push(self.role(tenant, name).await);
        }
        let reach = reach.parse().expect("a test writes a reach");
        let membership = Membership { roles: ids, reach, is_active: true };
        self.store.add_member(tenant, user, &membership, self.clock.now()).await.expect("a new member")
    }

    /// A ready-made role, made where the tenant has none of that name.
    async fn role(&self, tenant: TenantId, name: &str) -> RoleId {
        let roles = self.store.list_roles(tenant).await.expect("roles");
        if let Some(role) = roles.into_iter().find(|role| role.name == name) {
            return role.id;
        }
        let made = READY_MADE.iter().find(|role| role.name == name).expect("a test names a ready-made role");
        let scopes = made.scopes.parse().expect("its permissions are known");
        self.store.create_role(tenant, name, &scopes).await.expect("a new role")
    }
}

impl TestApp {
    /// A new person of the operator, who is signed in; roles by the names of the ready-made ones, `reach` as it is stored.
    pub async fn signed_in(&self, email: &str, roles: &[&str], reach: &str) -> HttpCaller {
        let user = self.operator.user(email).await;
        self.operator.member(self.operator.tenant(), user, roles, reach).await;
        self.signs_in(email).await
    }

    /// Somebody who is there already signs in.
    pub async fn signs_in(&self, email: &str) -> HttpCaller {
        let answer = self.sign_in(&json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.status, 200, "{email}: {}", answer.text());
        self.anonymous().with_session(&answer)
    }

    /// What signing in with that body answers to a browser that was not signed in.
    pub async fn sign_in(&self, body: &Value) -> Answer {
        send(self.anonymous().request(Method::POST, "/api/v1/session").json(body)).await
    }
}
