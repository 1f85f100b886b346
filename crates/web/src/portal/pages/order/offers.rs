//! What a service in Rev.io can be made of, by name, as far as Rev.io says so in time.

use lineshift_connectors::billing::{Catalogue, Offer};
use lineshift_connectors::http::AccountKey;
use lineshift_domain::ids::RevCustomerId;
use lineshift_domain::terms::IntegrationKind;
use lineshift_store::StoreError;

use super::customers::sites_of;
use crate::portal::viewer::Viewer;
use crate::problem::ApiProblem;

/// The most that a field offers: a longer list is no help, and numbers are taken all the same.
const MOST_OFFERED: usize = 300;

/// The most letters of a description that are shown: it is as long as somebody in Rev.io made it.
const MOST_LETTERS: usize = 80;

/// Through which account a customer is billed, and what can be ordered there.
#[derive(Default)]
pub(super) struct Offers {
    /// The name of the account; empty: none is known.
    pub(super) account: String,
    catalogue: Option<Catalogue>,
    /// Why nothing is offered by name; empty: it is.
    pub(super) note: String,
}

impl Offers {
    /// Of the customer that is chosen: an order derives the account from it (B4.2).
    pub(super) async fn of(viewer: &Viewer, customer: Option<RevCustomerId>) -> Result<Self, ApiProblem> {
        let later = "Choose a customer of Rev.io first: then these are offered by name.";
        let Some(customer) = customer else {
            return Ok(Self { note: later.to_owned(), ..Self::default() });
        };
        let (engine, tenant) = (&viewer.web.engine, viewer.caller.tenant);
        let store = engine.store();
        let account = match store.get_rev_customer(tenant, customer).await {
            Ok(found) if may_use(viewer, customer).await? => {
                store.get_integration_authentication(tenant, found.integration_authentication_id).await?
            }
            // An order that names it is refused.
            Ok(_) | Err(StoreError::NotFound { .. }) => return Ok(Self { note: later.to_owned(), ..Self::default() }),
            Err(error) => return Err(error.into()),
        };
        if account.integration_kind != IntegrationKind::REV_IO {
            return Ok(Self { account: account.name, ..Self::default() });
        }
        let key = AccountKey { tenant_id: tenant, integration_authentication_id: account.id };
        let (catalogue, note) = match engine.billing_catalogue(key).await? {
            Ok(catalogue) => (Some(catalogue), String::new()),
            Err(why) => (None, format!("Rev.io's lists are not known now: {why}. Give Rev.io's numbers, or come again.")),
        };
        Ok(Self { account: account.name, catalogue, note })
    }

    /// What something is called, with its number.
    pub(super) fn name(&self, of: impl Fn(&Catalogue) -> &Vec<Offer>, id: i64) -> String {
        let offered = self.catalogue.as_ref().and_then(|catalogue| of(catalogue).iter().find(|offer| offer.id == id));
        offered.map_or_else(|| id.to_string(), label)
    }

    /// What may stand in a field: numbers, and what they are called; and whether these are all.
    pub(super) fn named(&self, of: impl Fn(&Catalogue) -> &Vec<Offer>) -> (Vec<(String, String)>, bool) {
        let offered = self.catalogue.as_ref().map_or(&[][..], |catalogue| of(catalogue).as_slice());
        let named = offered.iter().take(MOST_OFFERED).map(|offer| (offer.id.to_string(), label(offer))).collect();
        (named, (1..=MOST_OFFERED).contains(&offered.len()))
    }
}

/// Whether the viewer reaches a customer, or a site of it.
async fn may_use(viewer: &Viewer, customer: RevCustomerId) -> Result<bool, ApiProblem> {
    Ok(viewer.caller.rights.reach.reaches_customer(customer) || !sites_of(viewer, customer).await?.0.is_empty())
}

fn label(offer: &Offer) -> String {
    let description: String = offer.description.chars().take(MOST_LETTERS).collect();
    if description.trim().is_empty() { format!("number {}", offer.id) } else { format!("{description} ({})", offer.id) }
}
