//! Reference data: what orders refer to. Every kind is listed, shown, created and changed in the same way.

pub(crate) mod customer_rate_plans;
pub(crate) mod customer_rate_pools;
pub(crate) mod customers;
pub(crate) mod integration_authentications;
pub(crate) mod service_providers;
pub(crate) mod sites;

use axum::extract::Request;
use lineshift_domain::reach::Reach;
use lineshift_store::catalogue::{
    CustomerRatePlan, CustomerRatePool, IntegrationAuthentication, RevCustomer, ServiceProvider, Site,
};

use crate::body::{SMALL_BODY, read_body, require_json};
use crate::fields::Fields;
use crate::problem::ApiProblem;

/// Reads the fields of a body.
pub(crate) async fn read_fields(request: Request) -> Result<Fields, ApiProblem> {
    let (parts, body) = request.into_parts();
    require_json(&parts.headers)?;
    Fields::read(&read_body(&parts.headers, body, SMALL_BODY).await?)
}

/// What of the reference data somebody limited may see.
trait Within {
    fn is_within(&self, reach: &Reach) -> bool;
}

impl Within for ServiceProvider {
    fn is_within(&self, reach: &Reach) -> bool {
        reach.reaches_provider(self.id)
    }
}

impl Within for RevCustomer {
    fn is_within(&self, reach: &Reach) -> bool {
        reach.reaches_customer(self.id)
    }
}

impl Within for Site {
    fn is_within(&self, reach: &Reach) -> bool {
        reach.reaches_site(self.id, self.rev_customer_id)
    }
}

/// Whose accounts are called concerns the tenant as a whole.
impl Within for IntegrationAuthentication {
    fn is_within(&self, reach: &Reach) -> bool {
        reach.is_everything()
    }
}

/// What lines may be put on: whoever orders must be able to choose.
impl Within for CustomerRatePlan {
    fn is_within(&self, _: &Reach) -> bool {
        true
    }
}

impl Within for CustomerRatePool {
    fn is_within(&self, _: &Reach) -> bool {
        true
    }
}

/// Turns a reference to something that is not there into a problem with its field.
fn referred<T>(field: &str, found: Result<T, lineshift_store::StoreError>) -> Result<T, ApiProblem> {
    use lineshift_domain::refusal::Problem;
    match found {
        Err(lineshift_store::StoreError::NotFound { .. }) => {
            Err(ApiProblem::refused(vec![Problem::new(field, "unknown_reference", "there is none with this id; check it")]))
        }
        other => Ok(other?),
    }
}

/// Declares the four endpoints of one kind of reference data. Handlers have the names of the store methods they call.
///
/// `read` takes what handlers work with, the fields of a body and the present thing, if there is one, and answers none after it reported a problem;
/// `check` looks up what the thing refers to.
macro_rules! endpoints {
    (
        $Stored:ident, $Id:ident, $View:ident, $New:ident, $Patch:ident, $many:literal, $one_of:literal;
        $list:ident, $create:ident: $path:literal;
        $get:ident, $update:ident: $one:literal;
        read $read:ident, check $check:ident
    ) => {
        use axum::Json;
        use axum::extract::{Request, State};
        use axum::http::{StatusCode, header};
        use axum::response::{IntoResponse as _, Response};
        use lineshift_domain::ids::$Id;
        use lineshift_domain::scopes::{Action, Module};
        use lineshift_engine::Caller;
        use lineshift_store::catalogue::$Stored;

        use crate::Web;
        use crate::api::reference::{Within as _, read_fields};
        use crate::auth::require_any_view;
        use crate::fields::Fields;
        use crate::problem::ApiProblem;
        use crate::query::{NoParameters, PageParams, Parameters, PathId};
        use crate::views::{$New, $Patch, $View, Page};

        /// What a body for a new one is read as, and what is left of that by a change that says nothing.
        pub(crate) fn read_body(web: &Web, body: &[u8]) -> Result<crate::reading::Read, ApiProblem> {
            let mut fields = Fields::read(body)?;
            let thing = $read(web, &mut fields, None);
            let thing = fields.finish(thing)?;
            let mut nothing = Fields::read(b"{}")?;
            let unchanged = $read(web, &mut nothing, Some(&thing));
            let unchanged = nothing.finish(unchanged)?;
            Ok(crate::reading::Read { meaning: format!("{thing:?}"), unchanged: Some(format!("{unchanged:?}")) })
        }

        #[doc = concat!("Lists ", $many, "\n\nBy id, inactive ones included.")]
        #[utoipa::path(get, path = $path, tag = crate::api::tag::REFERENCE, params(PageParams),
            summary = concat!("Lists ", $many), description = "By id, inactive ones included.",
            responses((status = 200, description = "A page", body = Page<$View>)))]
        pub(crate) async fn $list(
            State(web): State<Web>,
            caller: Caller,
            mut parameters: Parameters,
        ) -> Result<Json<Page<$View>>, ApiProblem> {
            require_any_view(&caller)?;
            let (limit, after) = (parameters.limit(), parameters.cursor("after"));
            parameters.finish()?;
            let reach = &caller.rights.reach;
            let mut listed = web.engine.store().$list(caller.tenant, reach, after, limit).await?;
            listed.items.retain(|thing| thing.is_within(reach));
            Ok(Json(Page::of(listed, $View::from)))
        }

        #[doc = concat!("Shows ", $one_of)]
        #[utoipa::path(get, path = $one, tag = crate::api::tag::REFERENCE, params(("id" = i64, Path, description = "Which one")),
            summary = concat!("Shows ", $one_of), description = "Needs a scope that ends in `:view`.",
            responses((status = 200, description = "It", body = $View)))]
        pub(crate) async fn $get(
            State(web): State<Web>,
            caller: Caller,
            PathId(id): PathId,
            _: NoParameters,
        ) -> Result<Json<$View>, ApiProblem> {
            require_any_view(&caller)?;
            let thing = web.engine.store().$get(caller.tenant, $Id(id)).await?;
            // As if what is beyond reach were not there.
            if !thing.is_within(&caller.rights.reach) {
                return Err(ApiProblem::not_found());
            }
            Ok(Json(thing.into()))
        }

        #[doc = concat!("Creates ", $one_of)]
        #[utoipa::path(post, path = $path, tag = crate::api::tag::REFERENCE, request_body = $New,
            summary = concat!("Creates ", $one_of), description = "Needs the scope `admin:create`.",
            responses(
                (status = 201, description = "As it was created", body = $View, headers(("Location" = String, description = "Its address"))),
                (status = 409, description = "One with the same name or id is there", body = crate::views::ProblemView,
                    content_type = "application/problem+json"),
            ))]
        pub(crate) async fn $create(
            State(web): State<Web>,
            caller: Caller,
            _: NoParameters,
            request: Request,
        ) -> Result<Response, ApiProblem> {
            caller.require(Module::Admin, Action::Create)?;
            let mut fields = read_fields(request).await?;
            let thing = $read(&web, &mut fields, None);
            let thing = fields.finish(thing)?;
            $check(&web, &caller, &thing).await?;
            let id = web.engine.store().$create(caller.tenant, &thing, web.engine.clock().now()).await?;
            let view = $View::from($Stored { id, ..thing });
            let location = [(header::LOCATION, format!(concat!($path, "/{}"), id))];
            Ok((StatusCode::CREATED, location, Json(view)).into_response())
        }

        #[doc = concat!("Changes ", $one_of)]
        #[utoipa::path(patch, path = $one, tag = crate::api::tag::REFERENCE, params(("id" = i64, Path, description = "Which one")),
            request_body = $Patch,
            summary = concat!("Changes ", $one_of),
            description = "A JSON merge (RFC 7396): absent fields stay, `null` clears where there may be nothing. Needs the scope `admin:edit`.",
            responses(
                (status = 200, description = "As it is now", body = $View),
                (status = 409, description = "Another one has the same name", body = crate::views::ProblemView,
                    content_type = "application/problem+json"),
            ))]
        pub(crate) async fn $update(
            State(web): State<Web>,
            caller: Caller,
            PathId(id): PathId,
            _: NoParameters,
            request: Request,
        ) -> Result<Json<$View>, ApiProblem> {
            caller.require(Module::Admin, Action::Edit)?;
            let mut fields = read_fields(request).await?;
            // After the body, which may have been long on its way.
            let present = web.engine.store().$get(caller.tenant, $Id(id)).await?;
            let thing = $read(&web, &mut fields, Some(&present));
            let thing = fields.finish(thing)?;
            $check(&web, &caller, &thing).await?;
            web.engine.store().$update(caller.tenant, &thing, web.engine.clock().now()).await?;
            Ok(Json(thing.into()))
        }
    };
}
use endpoints;
