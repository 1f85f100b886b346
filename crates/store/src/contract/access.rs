//! Tenants and API keys.

use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_domain::roles::READY_MADE;
use lineshift_domain::scopes::Scopes;

use super::fixture::at;
use crate::access::{ApiKey, NewApiKey};
use crate::{Store, StoreError};

fn key(name: &str) -> NewApiKey {
    let scopes: Scopes = "m2m:view m2m:create".parse().expect("known scopes");
    NewApiKey { name: name.to_owned(), secret_hash: [7; 32], scopes, reach: Reach::Everything, expires_at: Some(at(100)) }
}

/// A name is taken once; a tenant is found as it was created, with its ready-made roles, and listed.
pub async fn a_tenant_has_a_name_of_its_own<S: Store>(store: &S) {
    let zone = chrono_tz::Europe::Berlin;
    let id = store.create_tenant("a name of its own", zone, at(3)).await.expect("a tenant");
    let found = store.get_tenant(id).await.expect("the tenant");
    assert_eq!((found.id, found.name.as_str(), found.time_zone, found.created_at), (id, "a name of its own", zone, at(3)));
    assert!(store.list_tenants().await.expect("a list").contains(&found));

    let roles = store.list_roles(id).await.expect("a list");
    let ready_made: Vec<_> = READY_MADE.iter().map(|role| (role.name.to_owned(), role.scopes.parse().expect("scopes"))).collect();
    assert_eq!(roles.into_iter().map(|role| (role.name, role.scopes)).collect::<Vec<_>>(), ready_made);

    let again = store.create_tenant("a name of its own", zone, at(4)).await;
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    let missing = store.get_tenant(TenantId(i64::MAX)).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })), "{missing:?}");
}

/// A key is found as it was created; its use is noted; revoked, it stays so since the first time.
pub async fn a_key_is_kept_until_it_is_revoked<S: Store>(store: &S) {
    let tenant = store.create_tenant("a key is kept", chrono_tz::UTC, at(0)).await.expect("a tenant");
    let id = store.create_api_key(tenant, &key("portal"), at(1)).await.expect("a key");
    let second = store.create_api_key(tenant, &key("batch"), at(1)).await.expect("another key");
    let created = ApiKey {
        tenant_id: tenant,
        id,
        name: "portal".to_owned(),
        secret_hash: [7; 32],
        scopes: key("portal").scopes,
        reach: Reach::Everything,
        created_at: at(1),
        expires_at: Some(at(100)),
        last_used_at: None,
        revoked_at: None,
    };
    assert_eq!(store.find_api_key(tenant, id).await.expect("a look-up"), Some(created.clone()));

    store.record_api_key_uses(tenant, &[(second, at(4)), (id, at(5))]).await.expect("a use");
    store.revoke_api_key(tenant, id, at(6)).await.expect("revoked");
    store.revoke_api_key(tenant, id, at(7)).await.expect("revoked already");
    let revoked = ApiKey { last_used_at: Some(at(5)), revoked_at: Some(at(6)), ..created };
    let listed = store.list_api_keys(tenant).await.expect("a list");
    assert_eq!(listed.iter().map(|key| key.id).collect::<Vec<_>>(), [id, second]);
    assert_eq!((&listed[0], listed[1].last_used_at), (&revoked, Some(at(4))));
}

/// Another tenant neither finds nor revokes a key, nor notes its use.
pub async fn keys_stay_with_their_tenant<S: Store>(store: &S) {
    let tenant = store.create_tenant("keys stay", chrono_tz::UTC, at(0)).await.expect("a tenant");
    let other = store.create_tenant("keys stay: another", chrono_tz::UTC, at(0)).await.expect("a tenant");
    let id = store.create_api_key(tenant, &key("portal"), at(1)).await.expect("a key");

    assert_eq!(store.find_api_key(other, id).await.expect("a look-up"), None);
    assert_eq!(store.list_api_keys(other).await.expect("a list"), vec![]);
    for missing in [(other, id), (tenant, PrincipalId(i64::MAX))] {
        let revoked = store.revoke_api_key(missing.0, missing.1, at(2)).await;
        assert!(matches!(revoked, Err(StoreError::NotFound { .. })), "{revoked:?}");
    }
    store.record_api_key_uses(other, &[(id, at(3))]).await.expect("nothing to note");
    let kept = store.find_api_key(tenant, id).await.expect("a look-up").expect("the key");
    assert_eq!((kept.last_used_at, kept.revoked_at), (None, None));

    let orphan = store.create_api_key(TenantId(i64::MAX), &key("nobody"), at(1)).await;
    assert!(matches!(orphan, Err(StoreError::Conflict { .. })), "{orphan:?}");
}

/// `/readyz` asks so.
pub async fn a_store_that_answers_is_ready<S: Store>(store: &S) {
    store.check_ready().await.expect("a store that was just opened");
}
