//! Writes bodies as clients do, independently of how they are read.

use lineshift_domain::order::{
    ActivationOrder, AssignmentOrder, CarrierRatePlanOrder, CustomerRatePlanOrder, Effect, EffectiveDate, Order, PlanValues,
    RevCharge, RevServiceOrder, Setting, StatusOrder,
};
use lineshift_domain::terms::{LineIdentifier, OnPartialFailure, OnRevServiceFailure};
use rust_decimal::Decimal;

/// An object: names and JSON texts of its fields.
pub(crate) type Entries = Vec<(&'static str, String)>;

/// How a client writes what may be written in several ways.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// Field names: as in the rules, in lower case or in upper case.
    pub(crate) case: u8,
    /// Whether absent values are written as `null`.
    pub(crate) nulls: bool,
    /// Minutes from UTC in which moments are written.
    pub(crate) offset_minutes: i32,
    /// Whether there are blanks between the values.
    pub(crate) blanks: bool,
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is JSON")
}

pub(crate) fn object(entries: &[(&str, String)], style: Style) -> String {
    let gap = if style.blanks { " \n\t" } else { "" };
    let fields: Vec<String> = entries
        .iter()
        .map(|(name, value)| {
            let name = match style.case {
                0 => (*name).to_owned(),
                1 => name.to_ascii_lowercase(),
                _ => name.to_ascii_uppercase(),
            };
            format!("{gap}\"{name}\"{gap}:{gap}{value}{gap}")
        })
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn array(elements: impl Iterator<Item = String>) -> String {
    format!("[{}]", elements.collect::<Vec<_>>().join(","))
}

/// Writes the values of one object field by field.
struct Writer {
    entries: Entries,
    style: Style,
}

impl Writer {
    fn new(style: Style) -> Self {
        Self { entries: Vec::new(), style }
    }

    fn put(&mut self, name: &'static str, value: Option<String>) {
        match value {
            Some(value) => self.entries.push((name, value)),
            None if self.style.nulls => self.entries.push((name, "null".to_owned())),
            None => {}
        }
    }

    fn text(&mut self, name: &'static str, value: Option<&str>) {
        self.put(name, value.map(quoted));
    }

    fn number(&mut self, name: &'static str, value: Option<i64>) {
        self.put(name, value.map(|value| value.to_string()));
    }

    fn option(&mut self, name: &'static str, value: bool) {
        self.put(name, value.then(|| "true".to_owned()));
    }

    fn date(&mut self, date: Option<EffectiveDate>) {
        let offset = chrono::FixedOffset::east_opt(self.style.offset_minutes * 60).expect("less than a day");
        let text = date.map(|date| match date {
            EffectiveDate::Day(day) => day.format("%Y-%m-%d").to_string(),
            EffectiveDate::Local(local) => local.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
            EffectiveDate::Instant(at) => at.with_timezone(&offset).format("%Y-%m-%dT%H:%M:%S%.f%:z").to_string(),
        });
        self.text("EffectiveDate", text.as_deref());
    }

    fn setting<T>(&mut self, name: &'static str, setting: Setting<T>, number: impl Fn(T) -> String) {
        self.put(
            name,
            match setting {
                Setting::Keep => None,
                Setting::Clear => Some("0".to_owned()),
                Setting::Set(value) => Some(number(value)),
            },
        );
    }

    fn plan(&mut self, plan: &'static str, pool: &'static str, values: &PlanValues) {
        self.setting(plan, values.plan, |id| id.to_string());
        self.setting(pool, values.pool, |id| id.to_string());
        self.setting("CustomerDataAllocationMB", values.allocation_mb, |amount: Decimal| amount.to_string());
    }

    fn lines(&mut self, order: &Order) {
        let list = array(order.lines.iter().map(quoted));
        let name = if order.identifier == LineIdentifier::Iccid { "Devices" } else { "Numbers" };
        self.put(name, Some(list));
    }

    fn envelope(&mut self, order: &Order) {
        self.number("ServiceProviderId", Some(order.service_provider_id.0));
        self.put("ProcessChanges", (!order.process_changes).then(|| "false".to_owned()));
        self.text("Name", order.name.as_deref());
        self.text("Reason", order.reason.as_deref());
    }

    fn assignment(&mut self, order: &AssignmentOrder) {
        self.text("RevCustomerId", order.rev_customer_id.map(|id| id.to_string()).as_deref());
        self.number("SiteId", order.site_id.map(|id| id.0));
        self.number("IntegrationAuthenticationId", order.integration_authentication_id.map(|id| id.0));
        self.option("CreateRevService", order.rev_service.is_some());
        if let Some(service) = &order.rev_service {
            self.rev_service(service);
        }
        let carrier = order.carrier_rate_plan.as_ref();
        self.option("AddCarrierRatePlan", carrier.is_some());
        self.text("CarrierRatePlan", carrier.and_then(|plan| plan.carrier_rate_plan.as_deref()));
        self.text("CommPlan", carrier.and_then(|plan| plan.comm_plan.as_deref()));
        self.option("AddCustomerRatePlan", order.customer_rate_plan.is_some());
        self.plan("CustomerRatePlan", "CustomerRatePool", &order.customer_rate_plan.unwrap_or_default());
        self.option("ReplaceScheduled", order.replace_scheduled);
        self.date(order.effective_date);
        let keeps_going = order.on_rev_service_failure == OnRevServiceFailure::Continue;
        self.text("OnRevServiceFailure", keeps_going.then_some("continue"));
        let undoes = order.on_partial_failure == OnPartialFailure::Compensate;
        self.text("OnPartialFailure", undoes.then_some("compensate"));
    }

    fn rev_service(&mut self, service: &RevServiceOrder) {
        self.number("ServiceTypeId", Some(service.service_type_id));
        self.number("ProviderId", Some(service.provider_id));
        match &service.charge {
            RevCharge::Package(id) => self.number("RevPackageId", Some(*id)),
            RevCharge::Products(products) => {
                let list = array(products.iter().map(|product| {
                    let mut writer = Writer::new(self.style);
                    writer.number("ProductId", Some(product.product_id));
                    writer.put("Rate", Some(product.rate.to_string()));
                    writer.put("Quantity", (product.quantity != Decimal::ONE).then(|| product.quantity.to_string()));
                    object(&writer.entries, self.style)
                }));
                self.put("RevProducts", Some(list));
            }
        }
        self.number("UsagePlanGroupId", service.usage_plan_group_id);
        self.option("Prorate", service.prorate);
        self.text("Description", service.description.as_deref());
    }

    fn customer_rate_plan(&mut self, order: &CustomerRatePlanOrder) {
        let mut inside = Writer::new(self.style);
        inside.plan("CustomerRatePlanId", "CustomerPoolId", &order.values);
        inside.date(order.effective_date);
        inside.option("ReplaceScheduled", order.replace_scheduled);
        self.put("CustomerRatePlanUpdate", Some(object(&inside.entries, self.style)));
    }

    fn carrier_rate_plan(&mut self, order: &CarrierRatePlanOrder) {
        let mut inside = Writer::new(self.style);
        inside.text("CarrierRatePlan", order.carrier_rate_plan.as_deref());
        inside.text("CommPlan", order.comm_plan.as_deref());
        inside.date(order.effective_date);
        self.put("CarrierRatePlanUpdate", Some(object(&inside.entries, self.style)));
    }

    fn status(&mut self, order: &StatusOrder) {
        let mut inside = Writer::new(self.style);
        inside.text("TargetStatus", Some(&order.target_status));
        inside.text("ReasonCode", order.reason_code.as_deref());
        self.put("StatusUpdate", Some(object(&inside.entries, self.style)));
    }

    fn activation(&mut self, order: &ActivationOrder) {
        let mut inside = Writer::new(self.style);
        inside.text("BillingAccount", Some(&order.billing_account));
        let lines = array(order.lines.iter().map(|line| {
            let mut writer = Writer::new(self.style);
            writer.text("ICCID", Some(&line.iccid));
            writer.text("IMEI", Some(&line.imei));
            writer.text("ServiceZipCode", Some(&line.service_zip_code));
            object(&writer.entries, self.style)
        }));
        inside.put("Lines", Some(lines));
        inside.text("RatePlanCode", Some(&order.rate_plan_code));
        inside.put("OfferingCodes", Some(array(order.offering_codes.iter().map(|code| quoted(code)))));
        inside.text("FirstName", Some(&order.first_name));
        inside.text("LastName", Some(&order.last_name));
        if let Some(plan) = &order.customer_rate_plan {
            inside.customer_rate_plan(plan);
        }
        inside.text("StaticIp", order.static_ip.as_deref());
        if let Some(assignment) = &order.assignment {
            let mut within = Writer::new(self.style);
            within.assignment(assignment);
            inside.put("AssociateCustomerRequest", Some(object(&within.entries, self.style)));
        }
        self.put("NewServiceActivation", Some(object(&inside.entries, self.style)));
    }
}

/// The fields of an `AssociateCustomer` body; the order must be an assignment.
pub(crate) fn associate_customer(order: &Order, style: Style) -> Entries {
    let mut writer = Writer::new(style);
    writer.envelope(order);
    writer.lines(order);
    if let Effect::CustomerAssignment(assignment) = &order.effect {
        writer.assignment(assignment);
    }
    writer.entries
}

/// The fields of a `BulkChange` body.
pub(crate) fn bulk_change(order: &Order, style: Style) -> Entries {
    let mut writer = Writer::new(style);
    writer.number("ChangeType", Some(order.change_type().number()));
    match &order.effect {
        Effect::CustomerAssignment(assignment) => {
            let mut inside = Writer::new(style);
            inside.assignment(assignment);
            writer.put("AssociateCustomerRequest", Some(object(&inside.entries, style)));
        }
        Effect::CustomerRatePlanChange(plan) => writer.customer_rate_plan(plan),
        Effect::CarrierRatePlanChange(plan) => writer.carrier_rate_plan(plan),
        Effect::StatusUpdate(status) => writer.status(status),
        Effect::NewServiceActivation(activation) => writer.activation(activation),
    }
    writer.envelope(order);
    if !matches!(order.effect, Effect::NewServiceActivation(_)) {
        writer.lines(order);
    }
    writer.entries
}
