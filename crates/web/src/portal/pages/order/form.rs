//! The form of an order, with all that was typed into it.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use lineshift_domain::ids::{RevCustomerId, ServiceProviderId};
use lineshift_domain::order::Order;
use lineshift_domain::refusal::Refusal;
use lineshift_domain::terms::PortalType;
use lineshift_store::catalogue::ServiceProvider;

use super::chosen::by_provider;
use super::customers::{Customer, Found, search};
use super::fields::{Fields, Section};
use super::summary::counted;
use super::typed::{CUSTOMER, CUSTOMER_FOUND, Said, Typed};
use super::{Act, address, choose, require};
use crate::portal::form::Form;
use crate::portal::page::answer;
use crate::portal::refused::PageRefused;
use crate::portal::viewer::{Frame, Place, Viewer, portal_of};
use crate::problem::ApiProblem;
use crate::query::Parameters;

/// What is asked for, and of which lines.
pub(super) struct Asked {
    pub(super) portal: PortalType,
    pub(super) act: Act,
    pub(super) provider: ServiceProvider,
    /// How many lines of the service provider are chosen.
    pub(super) count: i64,
    pub(super) typed: Typed,
}

/// The field for whose lines an order is.
pub(super) const SERVICE_PROVIDER: &str = "service_provider";

/// How many lines of it are chosen, where a page says so.
const COUNT: &str = "count";

impl Asked {
    /// What a form asks for. None: no lines of that service provider are chosen, or of several and none was named.
    pub(super) async fn of(viewer: &Viewer, place: &(String, String), form: &Form) -> Result<Option<Self>, ApiProblem> {
        let portal = portal_of(&place.0)?;
        let act = Act::of(&place.1)?;
        require(viewer, portal)?;
        let provider =
            form.text(SERVICE_PROVIDER).map(|id| id.parse().map(ServiceProviderId).map_err(|_| ApiProblem::not_found()));
        Self::chosen(viewer, portal, act, provider.transpose()?, Typed::of(act, form)).await
    }

    /// The same for a further page of the lines of a preview, which says how many there are: they are not counted again for each page.
    pub(super) async fn of_page(viewer: &Viewer, place: &(String, String), form: &Form) -> Result<Option<Self>, ApiProblem> {
        let given = |name: &str| form.text(name).and_then(|text| text.parse::<i64>().ok());
        let (Some(id), Some(count)) = (given(SERVICE_PROVIDER).map(ServiceProviderId), given(COUNT)) else {
            return Self::of(viewer, place, form).await;
        };
        let (portal, act) = (portal_of(&place.0)?, Act::of(&place.1)?);
        require(viewer, portal)?;
        if !viewer.caller.rights.reach.reaches_provider(id) {
            return Err(ApiProblem::not_found());
        }
        let provider = viewer.web.engine.store().get_service_provider(viewer.caller.tenant, id).await?;
        Ok(Some(Self { portal, act, provider, count, typed: Typed::of(act, form) }))
    }

    async fn chosen(
        viewer: &Viewer,
        portal: PortalType,
        act: Act,
        provider: Option<ServiceProviderId>,
        typed: Typed,
    ) -> Result<Option<Self>, ApiProblem> {
        let mut chosen = by_provider(viewer, portal).await?;
        let place = match provider {
            Some(id) => chosen.iter().position(|each| each.provider.id == id),
            None => (chosen.len() == 1).then_some(0),
        };
        let Some(place) = place else { return Ok(None) };
        let chosen = chosen.swap_remove(place);
        Ok(Some(Self { portal, act, provider: chosen.provider, count: chosen.count, typed }))
    }

    /// The address of the form, to which it is sent.
    pub(super) fn address(&self) -> String {
        format!("{}/{}", address(self.portal), self.act.segment())
    }

    /// The customer that is named, if the text names one; else what a search finds is offered, and said what is missing.
    pub(super) async fn customer(
        &mut self,
        viewer: &Viewer,
        said: &mut Said,
    ) -> Result<(Option<Customer>, Option<Found>), ApiProblem> {
        if self.act != Act::Assign {
            return Ok((None, None));
        }
        let text = self.typed.text(CUSTOMER).to_owned();
        if let Some(customer) = Customer::read(&text) {
            return Ok((Some(customer), None));
        }
        if text.is_empty() {
            said.add(CUSTOMER, "missing; give the customer, by name or number");
            return Ok((None, None));
        }
        let found = search(viewer, &text).await?;
        let picked = Customer::read(self.typed.text(CUSTOMER_FOUND)).filter(|picked| found.customers.contains(picked));
        let customer = picked.or_else(|| found.only().cloned());
        self.typed.set(CUSTOMER_FOUND, String::new());
        if let Some(customer) = customer {
            self.typed.set(CUSTOMER, customer.written());
            return Ok((Some(customer), None));
        }
        let message = if found.customers.is_empty() && found.hint.is_empty() {
            format!("there is no active customer {text:?} that you may use; give a part of the name, or the number")
        } else if found.customers.is_empty() {
            format!("no active customer {text:?} was found. {}", found.hint)
        } else if found.customers.len() == 1 {
            format!("one customer was found; choose it, if it is the one. {}", found.hint)
        } else {
            "several customers are called so; choose one of them".to_owned()
        };
        said.add(CUSTOMER, message);
        Ok((None, Some(found)))
    }

    /// The order, of a line that stands for all. Where the customer is still to be chosen, everything else is read all the same.
    pub(super) fn read(&self, viewer: &Viewer, customer: Option<&Customer>) -> Result<Order, Refusal> {
        let any = Customer { name: String::new(), rev_customer: Some(RevCustomerId(1)), site: None };
        let of = (self.portal, self.portal.first_identifier(), self.provider.id);
        self.typed.read(self.act, of, customer.or(Some(&any)), viewer.web.engine.limits())
    }
}

#[derive(Template)]
#[template(path = "order_form.html")]
struct FormPage {
    frame: Frame,
    address: String,
    begin: String,
    title: &'static str,
    provider: String,
    provider_id: i64,
    count: String,
    sections: Vec<Section>,
    /// What is wrong with the form as a whole.
    wrong: Vec<String>,
    /// How much is wrong with it, fields included.
    problems: usize,
}

/// `GET /{portal}/order/{act}`
pub(in crate::portal) async fn ask(
    viewer: Viewer,
    Path((portal, act)): Path<(String, String)>,
    mut parameters: Parameters,
) -> Result<Response, PageRefused> {
    let (portal, act) = (portal_of(&portal)?, Act::of(&act)?);
    require(&viewer, portal)?;
    let provider = parameters.id(SERVICE_PROVIDER, ServiceProviderId);
    let customer = parameters.text(CUSTOMER);
    parameters.finish()?;
    let mut typed = Typed::default();
    typed.set(CUSTOMER, customer.unwrap_or_default());
    match Asked::chosen(&viewer, portal, act, provider, typed).await? {
        Some(asked) => page(&viewer, &asked, &Said::default(), None).await,
        None => choose::page(&viewer, portal).await,
    }
}

/// The form with what was typed into it, and what is wrong with it.
pub(super) async fn page(viewer: &Viewer, asked: &Asked, said: &Said, found: Option<Found>) -> Result<Response, PageRefused> {
    let page = FormPage {
        frame: viewer.frame(asked.act.title(), Some(asked.portal), Place::Lines)?,
        address: asked.address(),
        begin: address(asked.portal),
        title: asked.act.title(),
        provider: asked.provider.name.clone(),
        provider_id: asked.provider.id.0,
        count: counted(asked.count, "chosen line", "chosen lines"),
        sections: Fields::new(viewer, asked, said).sections(found).await?,
        wrong: said.whole.clone(),
        problems: said.count(),
    };
    let status = if said.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, answer(&page)).into_response())
}
