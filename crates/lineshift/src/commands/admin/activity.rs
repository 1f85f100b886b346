//! `lineshift admin user disable` and `enable`: whether somebody may sign in at all, wherever they belong.

use anyhow::Result;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::Store;
use serde_json::json;

use super::accounts::{find, told};
use crate::audited::audited_in;
use crate::cli::Context;
use crate::exit::Done;
use crate::output::Output;

/// Keeps somebody from signing in, and ends all of their sessions.
pub(super) async fn disable(store: &dyn Store, context: &Context, email: &str, output: Output) -> Result<Done> {
    let user = find(store, email).await?;
    audited_in(store, context, "admin user disable", &store.list_tenants_of(user.id).await?, async {
        store.set_user_active(user.id, false).await?;
        // Else the sessions would go on when they may sign in again.
        store.sign_out_everywhere(user.id, SystemClock.now()).await?;
        Ok(((), told(&user)))
    })
    .await?;
    let shown = format!("{} may not sign in from now on, and was signed out everywhere", user.email);
    output.one(&shown, &json!({ "email": user.email, "is_active": false }))?;
    Ok(Done::Fully)
}

/// Lets somebody sign in again.
pub(super) async fn enable(store: &dyn Store, context: &Context, email: &str, output: Output) -> Result<Done> {
    let user = find(store, email).await?;
    audited_in(store, context, "admin user enable", &store.list_tenants_of(user.id).await?, async {
        store.set_user_active(user.id, true).await?;
        Ok(((), told(&user)))
    })
    .await?;
    output.one(&format!("{} may sign in again", user.email), &json!({ "email": user.email, "is_active": true }))?;
    Ok(Done::Fully)
}
