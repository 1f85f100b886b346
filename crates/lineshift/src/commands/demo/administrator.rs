//! Somebody who may sign in to the demonstration: with a password that was made for it.

use anyhow::{Context as _, Result};
use lineshift_domain::ids::TenantId;
use lineshift_domain::reach::Reach;
use lineshift_domain::roles::ADMINISTRATOR;
use lineshift_engine::{Clock as _, SystemClock};
use lineshift_store::people::{Membership, NewUser, PeopleStore as _};
use lineshift_store_sqlite::SqliteStore;
use lineshift_web::passwords::hash_password;
use secrecy::SecretString;

/// Under which address.
pub(super) const EMAIL: &str = "admin@example.com";

/// Makes them administrator, and answers their password.
pub(super) async fn make(store: &SqliteStore, tenant: TenantId) -> Result<SecretString> {
    let mut bytes = [0_u8; 15];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("making a password: {error}"))?;
    let password = SecretString::from(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let hashed = password.clone();
    let hash = tokio::task::spawn_blocking(move || hash_password(&hashed)).await.context("hashing a password")??;
    let now = SystemClock.now();
    let person = NewUser { email: EMAIL.to_owned(), display_name: "Administrator".to_owned(), password_hash: Some(hash) };
    let user = store.create_user(&person, now).await.context("making the administrator")?;
    let roles =
        store.list_roles(tenant).await?.into_iter().filter(|role| role.name == ADMINISTRATOR).map(|role| role.id).collect();
    store.add_member(tenant, user, &Membership { roles, reach: Reach::Everything, is_active: true }, now).await?;
    Ok(password)
}
