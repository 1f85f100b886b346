//! What is sealed is found wherever it stands, and replaced only where it is as it was read.

use super::fixture::{Fixture, at, authentication, provider};
use crate::Store;
use crate::billing::AccountSettings;
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
