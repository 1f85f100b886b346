//! The fields of the forms: what each is called, what it may hold, and what was said about it.

use lineshift_connectors::billing::{Catalogue, Offer};
use lineshift_store::catalogue::{CustomerRatePlan, CustomerRatePool};
use lineshift_store::paging::MAX_PAGE_ITEMS;

use super::Act;
use super::customers::{Customer, Found, sites_of};
use super::form::Asked;
use super::offers::Offers;
use super::summary::price;
use super::typed::{CUSTOMER, CUSTOMER_FOUND, Said};
use crate::portal::line_filter::tell_apart;
use crate::portal::viewer::Viewer;
use crate::problem::ApiProblem;

/// Fields that belong together.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) note: String,
    pub(super) fields: Vec<Field>,
}

/// A field of a form.
pub(super) struct Field {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) hint: String,
    /// What it looks like: `text`, `number`, `date`, `area`, `check`, `select`, `radio`.
    pub(super) kind: &'static str,
    pub(super) value: String,
    /// Of a `select` and of `radio`: what it may hold; of a `text`: what is suggested.
    pub(super) choices: Vec<Choice>,
    /// Where suggestions come from while one types.
    pub(super) suggest_from: Option<String>,
    pub(super) problems: Vec<String>,
}

impl Field {
    /// Whether it is the first of those that stand in one row.
    pub(super) fn begins_row(&self) -> bool {
        self.name.starts_with("ProductId.")
    }

    /// Whether it is the last of them.
    pub(super) fn ends_row(&self) -> bool {
        self.name.starts_with("Quantity.")
    }
}

/// Something that a field may hold.
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) is_chosen: bool,
}

/// Makes the fields of a form, with what was typed and what was said about it.
pub(super) struct Fields<'a> {
    viewer: &'a Viewer,
    asked: &'a Asked,
    said: &'a Said,
}

impl<'a> Fields<'a> {
    pub(super) const fn new(viewer: &'a Viewer, asked: &'a Asked, said: &'a Said) -> Self {
        Self { viewer, asked, said }
    }

    /// All sections of the form.
    pub(super) async fn sections(&self, found: Option<Found>) -> Result<Vec<Section>, ApiProblem> {
        let mut sections = match self.asked.act {
            Act::Assign => self.assignment(found).await?,
            Act::CustomerRatePlan => {
                let mut plan = self.customer_rate_plan("Customer rate plan", ["CustomerRatePlanId", "CustomerPoolId"]).await?;
                plan.fields
                    .insert(3, self.date("Left blank: at once. A date ahead is scheduled, a past one takes effect at once."));
                vec![plan]
            }
            Act::CarrierRatePlan => {
                let mut plan = self.carrier_rate_plan().await?;
                plan.fields.push(self.date(&self.carrier_date()));
                vec![plan]
            }
            Act::Status => vec![self.status()],
        };
        sections.push(self.envelope());
        Ok(sections)
    }

    fn field(&self, name: &str, label: &str, kind: &'static str, hint: &str) -> Field {
        Field {
            name: name.to_owned(),
            label: label.to_owned(),
            hint: hint.to_owned(),
            kind,
            value: self.asked.typed.text(name).to_owned(),
            choices: Vec::new(),
            suggest_from: None,
            problems: self.said.at(name),
        }
    }

    /// A field with what it may hold; where nothing was chosen, the first.
    fn choice(&self, name: &str, label: &str, kind: &'static str, hint: &str, choices: Vec<(String, String)>) -> Field {
        let mut field = self.field(name, label, kind, hint);
        let given = choices.iter().any(|(value, _)| *value == field.value);
        let is_chosen = |nth: usize, value: &str| if given { value == field.value } else { nth == 0 && kind == "radio" };
        field.choices = choices
            .into_iter()
            .enumerate()
            .map(|(nth, (value, label))| Choice { is_chosen: is_chosen(nth, &value), value, label })
            .collect();
        field
    }

    fn date(&self, hint: &str) -> Field {
        let zone = self.viewer.zone();
        self.field("EffectiveDate", "Takes effect on", "date", &format!("{hint} The day begins in the zone {zone}."))
    }

    async fn assignment(&self, found: Option<Found>) -> Result<Vec<Section>, ApiProblem> {
        let chosen = Customer::read(self.asked.typed.text(CUSTOMER));
        let offers = Offers::of(self.viewer, chosen.as_ref().and_then(|chosen| chosen.rev_customer)).await?;
        let mut sections = vec![self.customer(found, chosen.as_ref(), &offers).await?];
        sections[0].fields.push(self.date(
            "Left blank: at once, and each line is dated by its activation. A date ahead: customer, site and account move at once, the \
             customer rate plan is scheduled.",
        ));
        sections.push(
            self.customer_rate_plan("Customer rate plan (if it is to change)", ["CustomerRatePlan", "CustomerRatePool"]).await?,
        );
        if Act::CarrierRatePlan.is_offered(self.viewer, &self.asked.provider) {
            sections.push(Section { title: "Carrier rate plan (if it is to change)", ..self.carrier_rate_plan().await? });
        }
        sections.push(self.rev_service(&offers));
        let on_failure = vec![
            ("keep".to_owned(), "Keep what was done: a retry does only what is missing".to_owned()),
            ("compensate".to_owned(), "Undo what this change did to that line".to_owned()),
        ];
        let failing =
            self.choice("OnPartialFailure", "When a step fails after others were done for a line", "radio", "", on_failure);
        sections.push(Section { title: "If something fails", note: String::new(), fields: vec![failing] });
        Ok(sections)
    }

    async fn customer(&self, found: Option<Found>, chosen: Option<&Customer>, offers: &Offers) -> Result<Section, ApiProblem> {
        let mut customer = self.field(CUSTOMER, "Customer", "text", "A part of the name, or the number.");
        customer.suggest_from = Some(format!("{}/customers", super::address(self.asked.portal)));
        let mut fields = vec![customer];
        if let Some(found) = found.filter(|found| !found.customers.is_empty()) {
            let choices = found.customers.iter().map(|customer| (customer.written(), customer.written())).collect();
            let mut several = self.choice(CUSTOMER_FOUND, "Which of these", "radio", &found.hint, choices);
            several.choices.iter_mut().for_each(|choice| choice.is_chosen = choice.value == several.value);
            fields.push(several);
        }
        if let Some(rev_customer) = chosen.filter(|chosen| chosen.site.is_none()).and_then(|chosen| chosen.rev_customer) {
            let (sites, more) = sites_of(self.viewer, rev_customer).await?;
            // Whoever reaches some of its sites only sees no others; the first that an order takes may be one of those.
            let sees_all = self.viewer.caller.rights.reach.reaches_customer(rev_customer);
            let first = sites
                .first()
                .filter(|_| sees_all)
                .map_or_else(|| "its first active site".to_owned(), |site| format!("{} (its first)", site.name));
            let mut sites: Vec<(String, String)> = sites.into_iter().map(|site| (site.id.to_string(), site.name)).collect();
            tell_apart(&mut sites);
            let choices = std::iter::once((String::new(), first)).chain(sites).collect();
            fields.push(if more {
                self.field(
                    "SiteId",
                    "Site",
                    "text",
                    "By its number: this customer has more sites than can be listed. Blank: its first.",
                )
            } else {
                self.choice("SiteId", "Site", "select", "", choices)
            });
        }
        // An order derives the account from the customer (B4.2).
        let note = if offers.account.is_empty() { String::new() } else { format!("Integration: {}.", offers.account) };
        Ok(Section { title: "Customer", note, fields })
    }

    async fn customer_rate_plan(&self, title: &'static str, [plan, pool]: [&str; 2]) -> Result<Section, ApiProblem> {
        let (store, tenant, reach) =
            (self.viewer.web.engine.store(), self.viewer.caller.tenant, &self.viewer.caller.rights.reach);
        let plans = store.list_customer_rate_plans(tenant, reach, None, MAX_PAGE_ITEMS).await?;
        let pools = store.list_customer_rate_pools(tenant, reach, None, MAX_PAGE_ITEMS).await?;
        let active = plans.items.into_iter().filter(|plan| plan.is_active).map(|plan| (plan.id.to_string(), plan_label(&plan)));
        let plan = self.by_id(plan, "Customer rate plan", "leave as it is", "no plan", plans.next.is_some(), active.collect());
        let active =
            pools.items.into_iter().filter(|pool| pool.is_active).map(|pool: CustomerRatePool| (pool.id.to_string(), pool.name));
        let pool = self.by_id(pool, "Customer rate pool", "leave as it is", "no pool", pools.next.is_some(), active.collect());
        let allocation = "Left blank: the new plan's default, or as it is. 0: none.";
        let allocation = self.field("CustomerDataAllocationMB", "Data allocation in MB", "number", allocation);
        let replace =
            "Cancels what is scheduled for these lines: all of it, or with a date ahead what is scheduled for that day or later.";
        let replace = self.field("ReplaceScheduled", "Replace what is scheduled", "check", replace);
        Ok(Section { title, note: String::new(), fields: vec![plan, pool, allocation, replace] })
    }

    /// A list to choose from; where it would be too long, a field for the number with suggestions.
    fn by_id(
        &self,
        name: &str,
        label: &'static str,
        keep: &str,
        clear: &str,
        is_long: bool,
        mut things: Vec<(String, String)>,
    ) -> Field {
        tell_apart(&mut things);
        if is_long {
            let hint = format!("Its number. Left blank: {keep}. 0: {clear}.");
            return self.choice(name, label, "text", &hint, things);
        }
        let fixed = [(String::new(), keep.to_owned()), ("0".to_owned(), clear.to_owned())];
        self.choice(name, label, "select", "", fixed.into_iter().chain(things).collect())
    }

    async fn carrier_rate_plan(&self) -> Result<Section, ApiProblem> {
        let (engine, provider) = (&self.viewer.web.engine, &self.asked.provider);
        let listed = engine.store().list_carrier_rate_plans(self.viewer.caller.tenant, provider.id, None, MAX_PAGE_ITEMS).await?;
        let choices = listed.items.into_iter().filter(|plan| plan.is_active).map(|plan| (plan.code, plan.name)).collect();
        let hint = format!("The code or the name that {} has for it. Left blank: as it is.", provider.name);
        let mut fields = vec![self.choice("CarrierRatePlan", "Carrier rate plan", "text", &hint, choices)];
        let abilities = engine.abilities(provider.integration_kind).and_then(|able| able.rate_plan);
        if abilities.is_none_or(|able| able.takes_comm_plan) {
            fields.push(self.field("CommPlan", "Communication plan", "text", "Left blank: as it is."));
        }
        Ok(Section { title: "Carrier rate plan", note: String::new(), fields })
    }

    fn carrier_date(&self) -> String {
        let abilities = self.viewer.web.engine.abilities(self.asked.provider.integration_kind);
        match abilities.and_then(|able| able.most_days_ahead) {
            Some(days) => format!("Left blank: at once. A date ahead, of at most {days} days, is passed on to the carrier."),
            None => "Left blank: at once. The carrier takes no date ahead.".to_owned(),
        }
    }

    /// Something of Rev.io's, by name where Rev.io says what there is; what was typed stays, whatever that is.
    fn of_rev(&self, name: &str, label: &str, hint: &str, offers: &Offers, of: impl Fn(&Catalogue) -> &Vec<Offer>) -> Field {
        let (mut choices, are_all) = offers.named(of);
        if !are_all {
            let hint = format!("Rev.io's number. {hint}");
            return Field { kind: "number", ..self.choice(name, label, "text", hint.trim_end(), choices) };
        }
        let typed = self.asked.typed.text(name);
        if !typed.is_empty() && choices.iter().all(|(value, _)| value != typed) {
            choices.insert(0, (typed.to_owned(), format!("{typed} (not in Rev.io's list)")));
        }
        choices.insert(0, (String::new(), "none".to_owned()));
        self.choice(name, label, "select", hint, choices)
    }

    fn rev_service(&self, offers: &Offers) -> Section {
        let mut fields = vec![
            self.field(
                "CreateRevService",
                "Open a service in Rev.io for each line",
                "check",
                "One that is there already is taken.",
            ),
            self.of_rev("ServiceTypeId", "Service type", "", offers, |it| &it.service_types),
            self.of_rev("ProviderId", "Provider", "", offers, |it| &it.providers),
            self.of_rev(
                "RevPackageId",
                "Package",
                "It brings its products. Give a package or products, not both.",
                offers,
                |it| &it.packages,
            ),
        ];
        for row in 0..self.asked.typed.product_rows() {
            let nth = row + 1;
            fields.push(self.of_rev(&format!("ProductId.{row}"), &format!("Product {nth}"), "", offers, |it| &it.products));
            fields.push(self.field(&format!("Rate.{row}"), &format!("Rate a month {nth}"), "number", ""));
            fields.push(self.field(&format!("Quantity.{row}"), &format!("Quantity {nth}"), "number", "Left blank: 1."));
        }
        let skip_or_go_on = vec![
            ("skip".to_owned(), "Leave the line as it is; it counts as failed".to_owned()),
            ("continue".to_owned(), "Assign the line all the same; it still counts as failed".to_owned()),
        ];
        fields.extend([
            self.field("UsagePlanGroupId", "Usage plan group", "number", "Rev.io's number."),
            self.field(
                "Prorate",
                "Prorate",
                "check",
                "Rev.io charges the first month in part; only then is the date sent as the day on which the charge begins.",
            ),
            self.field("Description", "Description", "text", "Shown on the bill."),
            self.choice("OnRevServiceFailure", "When a service cannot be opened", "radio", "", skip_or_go_on),
        ]);
        let note =
            format!("For customers of Rev.io only. With a date, the service is opened at once and dated so. {}", offers.note);
        let note = note.trim_end().to_owned();
        Section { title: "Billing service in Rev.io", note, fields }
    }

    fn status(&self) -> Section {
        let abilities = self.viewer.web.engine.abilities(self.asked.provider.integration_kind).and_then(|able| able.status);
        let orderable = abilities.into_iter().flat_map(|able| able.statuses).filter(|status| !status.reached_from.is_empty());
        let choices = std::iter::once((String::new(), "choose".to_owned()))
            .chain(
                orderable
                    .map(|status| (status.name.to_owned(), format!("{} (from {})", status.name, status.reached_from.join(", ")))),
            )
            .collect();
        let mut fields = vec![self.choice("TargetStatus", "New status", "select", "", choices)];
        if abilities.is_some_and(|able| able.takes_reason_code) {
            fields.push(self.field("ReasonCode", "Reason code", "text", "The carrier's."));
        }
        Section { title: "Status", note: "It takes effect at once.".to_owned(), fields }
    }

    fn envelope(&self) -> Section {
        let start = vec![
            ("true".to_owned(), "Start at once".to_owned()),
            ("false".to_owned(), "Hold until somebody starts it".to_owned()),
        ];
        let fields = vec![
            self.field("Name", "Name", "text", "By which this change is found later."),
            self.field("Reason", "Reason", "area", "Why it is ordered; it stays with the change."),
            self.choice("ProcessChanges", "When it is ordered", "radio", "", start),
        ];
        Section { title: "This change", note: String::new(), fields }
    }
}

fn plan_label(plan: &CustomerRatePlan) -> String {
    match plan.monthly_price {
        Some(each) => format!("{} ({} a month)", plan.name, price(each)),
        None => plan.name.clone(),
    }
}
