//! What is sealed is found wherever it stands, and replaced only where it is as it was read.

use super::fixture::{Fixture, at, authentication, provider};
use crate::Store;
use crate::billing::AccountSettings;
use crate::paging::MAX_PAGE_ITEMS;
use crate::people::NewUser;
use crate::secrets::{Resealed, SealedColumn, SealedRow, SealedText};

fn settings(sealed: Option<&[u8]>) -> AccountSettings {
    AccountSettings {
        base_address: "https://restapi.rev.io/v1".to_owned(),
        secret_encrypted: sealed.map(<[u8]>::to_vec),
        is_local: false,
        write_enabled: true,
        concurrency: None,
        calls_a_minute: None,
        calls_a_day: None,
    }
}

fn text(row: SealedRow, name: &str, sealed: &[u8]) -> SealedText {
    SealedText { row, name: name.to_owned(), sealed: sealed.to_vec() }
}

fn resealed(row: SealedRow, before: &[u8], after: &[u8]) -> Resealed {
    Resealed { row, before: before.to_vec(), after: after.to_vec() }
}

async fn sealed<S: Store>(fixture: &Fixture<'_, S>, column: SealedColumn) -> Vec<SealedText> {
    fixture.store.list_sealed(fixture.tenant, column, None, 10).await.expect("listed").items
}

/// By id, without the rows that have none, and each tenant's own.
pub async fn sealed_texts_are_listed_page_by_page<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "sealed texts").await;
    let tenant = fixture.tenant;
    let mut accounts = vec![fixture.authentication];
    let mut providers = vec![fixture.provider];
    for name in ["second", "third", "fourth"] {
        accounts.push(store.create_integration_authentication(tenant, &authentication(name), at(0)).await.expect("an account"));
        providers.push(store.create_service_provider(tenant, &provider(name), at(0)).await.expect("a provider"));
    }
    for (nth, secret) in [(0, b"\0one"), (2, b"\0two"), (3, b"\xffend")] {
        store.set_account(tenant, accounts[nth], &settings(Some(secret)), at(1)).await.expect("set");
    }
    store.set_account(tenant, accounts[1], &settings(None), at(1)).await.expect("set");
    store.set_callback_secret(tenant, providers[1], Some(b"\0callbacks")).await.expect("set");

    let rows = [0, 2, 3].map(|nth| SealedRow::Account(accounts[nth]));
    let first = store.list_sealed(tenant, SealedColumn::Accounts, None, 2).await.expect("listed");
    assert_eq!(first.items, [text(rows[0], "Rev.io", b"\0one"), text(rows[1], "third", b"\0two")]);
    let last = store.list_sealed(tenant, SealedColumn::Accounts, first.next, 2).await.expect("listed");
    assert_eq!((first.next, last.items, last.next), (Some(accounts[2].0), vec![text(rows[2], "fourth", b"\xffend")], None));
    let callbacks = text(SealedRow::Callbacks(providers[1]), "second", b"\0callbacks");
    assert_eq!(sealed(&fixture, SealedColumn::Callbacks).await, [callbacks]);
    for column in SealedColumn::ALL {
        let of_other = store.list_sealed(fixture.other, *column, None, 10).await.expect("listed");
        assert_eq!((of_other.items, of_other.next), (vec![], None));
    }
}

/// What was changed or taken away since it was read stays as it is; the version of an account does, too, so that nobody builds it anew.
pub async fn a_sealed_text_is_replaced_unless_it_changed<S: Store>(store: &S) {
    let fixture = Fixture::new(store, "sealed anew").await;
    let (tenant, account, provider) = (fixture.tenant, fixture.authentication, fixture.provider);
    store.set_account(tenant, account, &settings(Some(b"\0one")), at(1)).await.expect("set");
    store.set_callback_secret(tenant, provider, Some(b"\0callbacks")).await.expect("set");
    let before = store.get_account(tenant, account).await.expect("the account");
    let both = [
        resealed(SealedRow::Account(account), b"\0one", b"\0two"),
        resealed(SealedRow::Callbacks(provider), b"\0callbacks", b"\xffanew"),
    ];
    assert_eq!(store.replace_sealed(fixture.other, &both).await.expect("asked"), 0, "another tenant's");
    assert_eq!(store.replace_sealed(tenant, &both).await.expect("replaced"), 2);
    let mut expected = before;
    expected.secret_encrypted = Some(b"\0two".to_vec());
    assert_eq!(store.get_account(tenant, account).await.expect("the account"), expected);
    assert_eq!(store.get_callback_secret(tenant, provider).await.expect("asked").as_deref(), Some(&b"\xffanew"[..]));
    assert_eq!(store.replace_sealed(tenant, &both).await.expect("asked"), 0, "twice");

    store.set_account(tenant, account, &settings(Some(b"\0changed")), at(2)).await.expect("set");
    store.set_callback_secret(tenant, provider, None).await.expect("taken away");
    let late = [
        resealed(SealedRow::Account(account), b"\0two", b"\0late"),
        resealed(SealedRow::Callbacks(provider), b"\xffanew", b"\0late"),
    ];
    assert_eq!(store.replace_sealed(tenant, &late).await.expect("asked"), 0);
    assert_eq!(sealed(&fixture, SealedColumn::Accounts).await, [text(SealedRow::Account(account), "Rev.io", b"\0changed")]);
    assert_eq!(sealed(&fixture, SealedColumn::Callbacks).await, []);
}

/// Users are global: other bodies may have made some at the same time. The step that was taken last stays.
pub async fn one_time_passwords_of_users_are_sealed_anew<S: Store>(store: &S) {
    let mut ids = Vec::new();
    for name in ["with", "without", "another"] {
        let user = NewUser { email: format!("{name}@sealed.example"), display_name: name.to_owned(), password_hash: None };
        ids.push(store.create_user(&user, at(0)).await.expect("a user"));
    }
    let rows = [ids[0], ids[2]].map(SealedRow::OneTimePasswords);
    for (id, sealed) in [(ids[0], b"\0one"), (ids[2], b"\xfftwo")] {
        store.set_totp_secret(id, Some(sealed)).await.expect("set");
        assert!(store.take_totp_step(id, 7).await.expect("taken"));
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.list_sealed_of_users(after, 1).await.expect("listed");
        found.extend(page.items.into_iter().filter(|text| text.name.ends_with("@sealed.example")));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, [text(rows[0], "with@sealed.example", b"\0one"), text(rows[1], "another@sealed.example", b"\xfftwo")]);

    let both = [resealed(rows[0], b"\0one", b"\0anew"), resealed(rows[1], b"\xffchanged", b"\0anew")];
    assert_eq!(store.replace_sealed_of_users(&both).await.expect("replaced"), 1, "the other was changed since");
    let stored = store.get_user(ids[0]).await.expect("a user");
    assert_eq!((stored.totp_secret.as_deref(), stored.totp_last_step), (Some(&b"\0anew"[..]), 7));
    assert_eq!(store.get_user(ids[2]).await.expect("a user").totp_secret.as_deref(), Some(&b"\xfftwo"[..]));
    assert_eq!(store.replace_sealed_of_users(&both).await.expect("asked"), 0, "twice");
    let listed = store.list_sealed_of_users(None, MAX_PAGE_ITEMS).await.expect("listed").items;
    assert!(listed.iter().any(|text| text.sealed == b"\0anew") && listed.iter().all(|text| text.row.id() != ids[1].0));
}
