//! Whose lines somebody sees, by names: what is stored is ids.

use lineshift_domain::reach::{Named, Reach};
use lineshift_store::catalogue::{Names, Unnamed};

use crate::portal::viewer::Viewer;
use crate::problem::ApiProblem;

/// The names of what the people or keys of a page reach, asked for at once.
pub(super) struct ReachNames(Names);

impl ReachNames {
    /// Of all those words.
    pub(super) async fn of<'w>(viewer: &Viewer, reaches: impl Iterator<Item = &'w [String]>) -> Result<Self, ApiProblem> {
        let mut unnamed = Unnamed::default();
        for named in reaches.filter_map(named) {
            unnamed.rev_customers.extend(named.customers);
            unnamed.sites.extend(named.sites);
            unnamed.service_providers.extend(named.service_providers);
        }
        Ok(Self(viewer.web.engine.store().find_names(viewer.caller.tenant, &unnamed).await?))
    }

    /// Those words for people.
    pub(super) fn shown(&self, words: &[String]) -> String {
        let Some(named) = named(words) else { return "everything".to_owned() };
        let one = |what: &str, id: i64, name: Option<&String>| match name {
            Some(name) => format!("{what} {name} ({id})"),
            None => format!("{what} {id}"),
        };
        let customers = named.customers.iter().map(|id| one("customer", id.0, self.0.rev_customers.get(id)));
        let sites = named.sites.iter().map(|id| one("site", id.0, self.0.sites.get(id)));
        let providers = named.service_providers.iter().map(|id| one("service provider", id.0, self.0.service_providers.get(id)));
        let shown: Vec<String> = customers.chain(sites).chain(providers).collect();
        if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") }
    }
}

/// What those words name; none: everything.
fn named(words: &[String]) -> Option<Named> {
    match words.join(" ").parse() {
        Ok(Reach::Everything) => None,
        Ok(Reach::Named(named)) => Some(named),
        // The API writes what it reads.
        Err(_) => Some(Named::default()),
    }
}
