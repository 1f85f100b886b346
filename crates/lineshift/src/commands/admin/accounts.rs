//! `lineshift admin user invite` and `reset-one-time-passwords`: for whoever runs the installation, where people are locked out of an account
//! that is no single tenant's to open.

use anyhow::{Result, anyhow};
use lineshift_domain::ids::TenantId;
use lineshift_domain::rights::Rights;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::Store;
use lineshift_store::people::User;
use lineshift_web::{Invitation, read_email};
use serde_json::json;

use crate::audited::{Asked, Told, audited, audited_in};
use crate::cli::Context;
use crate::exit::{Done, Refused};
use crate::output::Output;

/// Gives somebody an invitation: to a tenant that has added them, else to set a new password.
pub(super) async fn invite(
    store: &dyn Store,
    context: &Context,
    email: &str,
    tenant: Option<TenantId>,
    output: Output,
) -> Result<Done> {
    let user = find(store, email).await?;
    let now = SystemClock.now();
    let made = tenant.map_or_else(|| Invitation::new(now), |tenant| Invitation::of_tenant(tenant, now));
    let invitation = made.map_err(|error| anyhow!("making an invitation: {error}"))?;
    match tenant {
        Some(tenant) => invite_to(store, context, &user, tenant, &invitation).await?,
        None => {
            let tenants = store.list_tenants_of(user.id).await?;
            if tenants.is_empty() {
                let message = format!("{} has joined no tenant yet; say by --tenant to which they are invited", user.email);
                return Err(Refused(message).into());
            }
            audited_in(store, context, "admin user invite", &tenants, async {
                store.set_invitation(user.id, &invitation.stored.token_hash, invitation.stored.ends_at).await?;
                Ok(((), told(&user)))
            })
            .await?;
        }
    }
    let Invitation { token, stored } = &invitation;
    let shown = format!(
        "{} was invited; until {} UTC the invitation {token} counts\nIt is shown this once; hand it to them alone.",
        user.email,
        stored.ends_at.format("%F %H:%M"),
    );
    let value = json!({ "email": user.email, "invitation": { "token": token, "ends_at": stored.ends_at } });
    output.one(&shown, &value)?;
    Ok(Done::Fully)
}

async fn invite_to(store: &dyn Store, context: &Context, user: &User, tenant: TenantId, invitation: &Invitation) -> Result<()> {
    let member = store.find_member_of(tenant, user.id).await?;
    let member = member.ok_or_else(|| Refused(format!("{} was not added to that tenant", user.email)))?;
    let asked = Asked { tenant, action: "admin user invite", target: Some(format!("users/{}", member.id)) };
    audited(store, context, asked, async {
        store.invite_member(tenant, member.id, &invitation.stored, &Rights::all()).await?;
        Ok(((), Told::default()))
    })
    .await
}

/// Takes somebody's authenticator away, and ends their sessions: one of them may be whoever took it from them.
pub(super) async fn reset_one_time_passwords(store: &dyn Store, context: &Context, email: &str, output: Output) -> Result<Done> {
    let user = find(store, email).await?;
    audited_in(store, context, "admin user reset-one-time-passwords", &store.list_tenants_of(user.id).await?, async {
        store.set_totp_secret(user.id, None).await?;
        store.sign_out_everywhere(user.id, SystemClock.now()).await?;
        Ok(((), told(&user)))
    })
    .await?;
    let shown = format!("{} is asked for one-time passwords no more, and was signed out everywhere", user.email);
    output.one(&shown, &json!({ "email": user.email, "one_time_passwords": false }))?;
    Ok(Done::Fully)
}

/// What the audit log says of them: their ids differ from tenant to tenant.
pub(super) fn told(user: &User) -> Told {
    Told { note: Some(user.email.clone()), ..Told::default() }
}

/// The account with that address.
pub(super) async fn find(store: &dyn Store, email: &str) -> Result<User> {
    let found = match read_email(email) {
        Some(email) => store.find_user_by_email(&email).await?,
        None => None,
    };
    found.ok_or_else(|| Refused(format!("nobody has the address {email:?}")).into())
}
