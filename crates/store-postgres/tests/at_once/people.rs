//! Changes of what people may do, at the same moment, from two processes.

use lineshift_domain::ids::{PrincipalId, TenantId};
use lineshift_domain::reach::Reach;
use lineshift_domain::rights::Rights;
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
    store.set_password(user, "argon", start()).await.expect("set");
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

/// Whoever is invited to set a password by one tenant while they accept the invitation of another: the account is not the first one's
/// alone, whichever comes first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_invited_by_one_tenant_into_another() {
    let database = TestDatabase::new().await;
    let stores = [database.store(Options::default()).await, database.store(Options::default()).await];
    let tenant = stores[0].create_tenant("one", chrono_tz::UTC, start()).await.expect("a tenant");
    let other = stores[0].create_tenant("other", chrono_tz::UTC, start()).await.expect("a tenant");
    for round in 0..20_u8 {
        let (member, membership) = administrator(&stores[0], tenant, &format!("somebody {round}")).await;
        let invitation = NewInvitation { token_hash: [round; 32], ends_at: start() + chrono::TimeDelta::days(1) };
        let theirs = NewInvitation { token_hash: [100 + round; 32], ..invitation.clone() };
        let plain = Membership { roles: Vec::new(), ..membership };
        let person = person(&format!("somebody {round}"));
        let added = stores[1].add_person(other, &person, &plain, &theirs, start()).await.expect("added");
        let all = Rights::all();
        let (invited, accepted) = tokio::join!(
            stores[0].invite_member(tenant, member, &invitation, &all),
            stores[1].join(other, &theirs.token_hash, added.user, start()),
        );
        let stands = stores[0].find_invited(&invitation.token_hash, start()).await.expect("a look-up").is_some();
        assert_eq!(accepted.expect("accepted"), Some(added.member));
        assert!(!stands, "round {round}: {invited:?}");
    }
}

/// Two tenants' invitations to one new account, taken up at the same moment: one is, and the account is that one's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_invitations_to_one_account_one_sets_the_password() {
    let database = TestDatabase::new().await;
    let stores = [database.store(Options::default()).await, database.store(Options::default()).await];
    let mut tenants = Vec::new();
    for name in ["one", "other"] {
        tenants.push(stores[0].create_tenant(name, chrono_tz::UTC, start()).await.expect("a tenant"));
    }
    for round in 0..20_u8 {
        let plain = Membership { roles: Vec::new(), reach: Reach::Everything, is_active: true };
        let mut user = None;
        for (nth, tenant) in tenants.iter().enumerate() {
            let token_hash = [round + 100 * u8::try_from(nth).expect("two of them"); 32];
            let invitation = NewInvitation { token_hash, ends_at: start() + chrono::TimeDelta::days(1) };
            let added = stores[0].add_person(*tenant, &person(&format!("new {round}")), &plain, &invitation, start()).await;
            user = Some(added.expect("added").user);
        }
        let tokens = [[round; 32], [100 + round; 32]];
        let taken = tokio::join!(
            stores[0].join_with_password(tenants[0], &tokens[0], "one", start()),
            stores[1].join_with_password(tenants[1], &tokens[1], "other", start()),
        );
        let refused = [&taken.0, &taken.1].map(|end| matches!(end, Err(StoreError::Conflict { .. })));
        assert!(refused[0] != refused[1], "round {round}: {taken:?}");
        let user = stores[0].get_user(user.expect("a user")).await.expect("the user");
        assert_eq!(user.password_hash.as_deref(), Some(if refused[0] { "other" } else { "one" }), "round {round}");
    }
}
