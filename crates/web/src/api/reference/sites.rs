//! Sites: where lines are booked.

use lineshift_domain::ids::RevCustomerId;

super::endpoints! {
    Site, SiteId, SiteView, NewSite, SitePatch, "sites", "a site";
    list_sites, create_site: "/api/v1/sites";
    get_site, update_site: "/api/v1/sites/{id}";
    read read, check check
}

fn read(_: &Web, fields: &mut Fields, present: Option<&Site>) -> Option<Site> {
    let name = fields.text("name", present.map(|it| it.name.as_str()));
    let rev_customer_id = fields.optional_id("rev_customer_id", present.and_then(|it| it.rev_customer_id).map(|id| id.0));
    let is_active = fields.flag("is_active", present.map(|it| it.is_active), true);
    Some(Site {
        id: present.map_or(SiteId(0), |it| it.id),
        name: name?,
        rev_customer_id: rev_customer_id?.map(RevCustomerId),
        is_active: is_active?,
    })
}

async fn check(web: &Web, caller: &Caller, site: &Site) -> Result<(), ApiProblem> {
    if let Some(customer) = site.rev_customer_id {
        super::referred("rev_customer_id", web.engine.store().get_rev_customer(caller.tenant, customer).await)?;
    }
    Ok(())
}
