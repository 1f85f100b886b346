//! Changes of what people may do, at the same moment, from two processes.

use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_domain::roles::ADMINISTRATOR;
use lineshift_store::StoreError;
use lineshift_store::access::AccessStore as _;
use lineshift_store::people::{Membership, NewInvitation, NewUser, PeopleStore as _};
use lineshift_store_postgres::testing::TestDatabase;
use lineshift_store_postgres::{Options, PostgresStore};

use super::start;

async fn administrator(store: &PostgresStore, tenant: TenantId, name: &str) -> (PrincipalId, Membership) {
    let roles = store.list_roles(tenant).await.expect("a list");
    let role = roles.iter().find(|role| role.name == ADMINISTRATOR).expect("a ready-made role").id;
    let membership = Membership { roles: vec![role], reach: Reach::Everything, is_active: true };
    let user = store.create_user(&person(name), start()).await.expect("a user");
    (store.add_member(tenant, user, &membership, start()).await.expect("a member"), membership)
}

fn person(name: &str) -> NewUser {
    NewUser { email: format!("{name}@example.com"), display_name: name.to_owned(), password_hash: None }
}

/// Two administrators who take each other's rights do not both succeed, whichever comes first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_administrators_one_stays() {
    let database = TestDatabase::new().await;
    let stores = [database.store(Options::default()).await, database.store(Options::default()).await];
    for round in 0..20 {
        let tenant = stores[0].create_tenant(&format!("round {round}"), chrono_tz::UTC, start()).await.expect("a tenant");
        let (one, membership) = administrator(&stores[0], tenant, &format!("one {round}")).await;
        let (other, _) = administrator(&stores[0], tenant, &format!("other {round}")).await;
        let gone = Membership { is_active: false, ..membership };
        let ends = tokio::join!(stores[0].update_member(tenant, one, &gone), stores[1].update_member(tenant, other, &gone));
        let refused = [&ends.0, &ends.1].map(|end| matches!(end, Err(StoreError::Conflict { .. })));
        assert!(refused[0] != refused[1] && (ends.0.is_ok() || ends.1.is_ok()), "round {round}: {ends:?}");
    }
}

/// Whoever is invited by one tenant while another makes them a member: either the invitation is refused, or the membership.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_invited_by_one_tenant_into_another() {
    let database = TestDatabase::new().await;
    let stores = [database.store(Options::default()).await, database.store(Options::default()).await];
    let tenant = stores[0].create_tenant("one", chrono_tz::UTC, start()).await.expect("a tenant");
    let other = stores[0].create_tenant("other", chrono_tz::UTC, start()).await.expect("a tenant");
    for round in 0..20_u8 {
        let (member, membership) = administrator(&stores[0], tenant, &format!("somebody {round}")).await;
        let invitation = NewInvitation { token_hash: [round; 32], ends_at: start() + chrono::TimeDelta::days(1) };
        let unused = NewInvitation { token_hash: [100 + round; 32], ..invitation.clone() };
        let plain = Membership { roles: Vec::new(), ..membership };
        let person = person(&format!("somebody {round}"));
        let (invited, joined) = tokio::join!(
            stores[0].invite_member(tenant, member, &invitation),
            stores[1].add_person(other, &person, &plain, &unused, start()),
        );
        let stands = stores[0].find_invited(&invitation.token_hash, start()).await.expect("a look-up").is_some();
        assert_eq!((invited.is_ok(), joined.is_ok()), (stands, !stands), "round {round}: {invited:?}, {joined:?}");
    }
}
