//! What was typed into a form, as the body of a request that the API's own reader judges, and what it says, beside the fields.

use std::collections::BTreeMap;

use lineshift_domain::ids::ServiceProviderId;
use lineshift_domain::limits::Limits;
use lineshift_domain::order::Order;
use lineshift_domain::reading::{codes, read_bulk_change};
use lineshift_domain::refusal::{Problem, Refusal, RefusalClass};
use lineshift_domain::terms::{LineIdentifier, PortalType};

use super::Act;
use super::customers::Customer;
use crate::portal::form::Form;

/// The field for the customer, by name or number.
pub(super) const CUSTOMER: &str = "customer";

/// The one of those found that was picked.
pub(super) const CUSTOMER_FOUND: &str = "customer_found";

/// How many products have a row when a form is opened.
const PRODUCT_ROWS: usize = 2;

/// The most products that a form takes: more are an order for the API.
const MOST_PRODUCTS: usize = 50;

/// How the text of a field stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Text,
    Number,
    Flag,
}
use Written::{Flag, Number, Text};

/// The fields of an order's part in a request, called as they are there.
const fn fields_of(act: Act) -> &'static [(&'static str, Written)] {
    match act {
        Act::Assign => &[
            ("SiteId", Number),
            ("CreateRevService", Flag),
            ("ServiceTypeId", Number),
            ("ProviderId", Number),
            ("RevPackageId", Number),
            ("UsagePlanGroupId", Number),
            ("Prorate", Flag),
            ("Description", Text),
            ("OnRevServiceFailure", Text),
            ("CarrierRatePlan", Text),
            ("CommPlan", Text),
            ("CustomerRatePlan", Number),
            ("CustomerRatePool", Number),
            ("CustomerDataAllocationMB", Number),
            ("EffectiveDate", Text),
            ("ReplaceScheduled", Flag),
            ("OnPartialFailure", Text),
        ],
        Act::CustomerRatePlan => &[
            ("CustomerRatePlanId", Number),
            ("CustomerPoolId", Number),
            ("CustomerDataAllocationMB", Number),
            ("EffectiveDate", Text),
            ("ReplaceScheduled", Flag),
        ],
        Act::CarrierRatePlan => &[("CarrierRatePlan", Text), ("CommPlan", Text), ("EffectiveDate", Text)],
        Act::Status => &[("TargetStatus", Text), ("ReasonCode", Text)],
    }
}

/// The fields of a product's row.
const PRODUCT: [&str; 3] = ["ProductId", "Rate", "Quantity"];

/// What an order says about itself.
const ENVELOPE: [(&str, Written); 3] = [("Name", Text), ("Reason", Text), ("ProcessChanges", Flag)];

/// What was typed: fields that the form has, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Typed(Vec<(String, String)>);

impl Typed {
    /// What a form holds of the act's fields. What else it holds is no part of the order.
    pub(super) fn of(act: Act, form: &Form) -> Self {
        let is_known = |name: &str| {
            let is = |known: &str| known == name;
            let of_act = fields_of(act).iter().chain(&ENVELOPE).any(|(known, _)| is(known));
            let of_customer = act == Act::Assign && (is(CUSTOMER) || is(CUSTOMER_FOUND) || product_row(name).is_some());
            of_act || of_customer
        };
        Self(form.pairs().iter().filter(|(name, _)| is_known(name)).cloned().collect())
    }

    /// A field's text; empty where none was given.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value.trim())
    }

    pub(super) fn has(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.retain(|(given, _)| given != name);
        if !value.is_empty() {
            self.0.push((name.to_owned(), value));
        }
    }

    /// Every field that was filled in, for a form that carries them on.
    pub(super) fn all(&self) -> &[(String, String)] {
        &self.0
    }

    /// How many rows for products the form has: those that were filled in, and one more.
    pub(super) fn product_rows(&self) -> usize {
        let last = self.0.iter().filter_map(|(name, _)| product_row(name)).max();
        last.map_or(PRODUCT_ROWS, |last| (last + 2).clamp(PRODUCT_ROWS, MOST_PRODUCTS))
    }

    /// The rows for products in which something stands.
    fn products(&self) -> Vec<usize> {
        (0..MOST_PRODUCTS).filter(|row| PRODUCT.iter().any(|name| self.has(&format!("{name}.{row}")))).collect()
    }

    /// The order that this asks for, of one line that stands for all: how many there are is none of the form's.
    pub(super) fn read(
        &self,
        act: Act,
        (portal, by, provider): (PortalType, LineIdentifier, ServiceProviderId),
        customer: Option<&Customer>,
        limits: &Limits,
    ) -> Result<Order, Refusal> {
        let mut order = Object::default();
        for (name, kind) in fields_of(act).iter().filter(|(name, _)| self.is_sent(name)) {
            order.put(name, &kind.json(self.text(name)));
        }
        if act == Act::Assign {
            self.put_options(&mut order, customer);
        }
        let mut body = Object::default();
        body.put("ServiceProviderId", &provider.to_string());
        body.put("ChangeType", &act.change_type().number().to_string());
        let lines = match by {
            LineIdentifier::Iccid => "Devices",
            LineIdentifier::Number => "Numbers",
        };
        body.put(lines, "[\"0\"]");
        for (name, kind) in ENVELOPE.iter().filter(|(name, _)| self.has(name)) {
            body.put(name, &kind.json(self.text(name)));
        }
        body.put(act.part(), &order.written());
        read_bulk_change(body.written().as_bytes(), portal, limits)
    }

    /// Whether a field goes into the request. What is to happen when a service cannot be opened is always chosen, and means something only
    /// where one is to be opened.
    fn is_sent(&self, name: &str) -> bool {
        self.has(name) && (name != "OnRevServiceFailure" || self.has("CreateRevService"))
    }

    /// What the form does not ask for by itself: the options that its fields mean, the customer, the products.
    fn put_options(&self, order: &mut Object, customer: Option<&Customer>) {
        let wants = |names: &[&str]| names.iter().any(|name| self.has(name));
        if wants(&["CarrierRatePlan", "CommPlan"]) {
            order.put("AddCarrierRatePlan", "true");
        }
        if wants(&["CustomerRatePlan", "CustomerRatePool", "CustomerDataAllocationMB"]) {
            order.put("AddCustomerRatePlan", "true");
        }
        if let Some(id) = customer.and_then(|customer| customer.rev_customer) {
            order.put("RevCustomerId", &quoted(&id.to_string()));
        }
        if let Some(id) = customer.and_then(|customer| customer.site).filter(|_| !self.has("SiteId")) {
            order.put("SiteId", &id.to_string());
        }
        let products: Vec<String> = self.products().into_iter().map(|row| self.product(row)).collect();
        if !products.is_empty() {
            order.put("RevProducts", &format!("[{}]", products.join(",")));
        }
    }

    fn product(&self, row: usize) -> String {
        let mut product = Object::default();
        for name in PRODUCT {
            let field = format!("{name}.{row}");
            if self.has(&field) {
                product.put(name, &Number.json(self.text(&field)));
            }
        }
        product.written()
    }
}

/// The row that a field of a product stands in.
fn product_row(name: &str) -> Option<usize> {
    let (field, row) = name.split_once('.')?;
    row.parse().ok().filter(|row| PRODUCT.contains(&field) && *row < MOST_PRODUCTS)
}

impl Written {
    /// A text as a value of a request. What is no number, where one is meant, stays a text, which the reader refuses as what it is.
    fn json(self, text: &str) -> String {
        match self {
            Flag if text == "false" => "false".to_owned(),
            Flag => "true".to_owned(),
            Number if is_number(text) => text.to_owned(),
            Text | Number => quoted(text),
        }
    }
}

/// Whether a text is a number as JSON writes them, without an exponent.
fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.strip_prefix('-').unwrap_or(text).split_once('.').map_or((text, None), |(a, b)| (a, Some(b)));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(digits)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An object of JSON while it is written: numbers stand in it as they were typed, to the last digit.
#[derive(Default)]
struct Object(String);

impl Object {
    fn put(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&quoted(name));
        self.0.push(':');
        self.0.push_str(value);
    }

    fn written(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }
}

/// What is wrong with a form: beside its fields, and what concerns no field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    fields: BTreeMap<String, Vec<String>>,
    /// Of the form as a whole.
    pub(super) whole: Vec<String>,
}

impl Said {
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.whole.is_empty()
    }

    pub(super) fn at(&self, field: &str) -> Vec<String> {
        self.fields.get(field).cloned().unwrap_or_default()
    }

    /// How much is wrong.
    pub(super) fn count(&self) -> usize {
        self.whole.len() + self.fields.values().map(Vec::len).sum::<usize>()
    }

    pub(super) fn add(&mut self, field: &str, message: impl Into<String>) {
        self.fields.entry(field.to_owned()).or_default().push(message.into());
    }

    /// Takes what a rule refuses; what is no matter of the form is given back.
    pub(super) fn take(&mut self, refusal: Refusal, act: Act, typed: &Typed) -> Result<(), Refusal> {
        if !matches!(refusal.class, RefusalClass::Rule | RefusalClass::Unreadable) {
            return Err(refusal);
        }
        for problem in refusal.problems {
            let message = message_of(&problem);
            match field_of(&problem.field, act, typed) {
                Some(field) => self.add(&field, message),
                None => self.whole.push(message),
            }
        }
        Ok(())
    }
}

/// How people know fields that messages name.
const LABELS: &[(&str, &str)] = &[
    ("CreateRevService", "Open a service in Rev.io for each line"),
    ("ServiceTypeId", "Service type"),
    ("ProviderId", "Provider"),
    ("RevPackageId", "Package"),
    ("RevProducts", "Products"),
    ("RevCustomerId", "Customer"),
    ("SiteId", "Site"),
    ("CustomerRatePlan", "Customer rate plan"),
    ("CustomerRatePlanId", "Customer rate plan"),
    ("CustomerRatePool", "Customer rate pool"),
    ("CustomerPoolId", "Customer rate pool"),
    ("CustomerDataAllocationMB", "Data allocation in MB"),
    ("AddCustomerRatePlan", "Customer rate plan"),
    ("AddCarrierRatePlan", "Carrier rate plan"),
    ("CarrierRatePlan", "Carrier rate plan"),
    ("CommPlan", "Communication plan"),
    ("ReplaceScheduled", "Replace what is scheduled"),
    ("EffectiveDate", "Takes effect on"),
    ("TargetStatus", "New status"),
    ("ReasonCode", "Reason code"),
    ("Quantity", "Quantity"),
];

/// What was typed as a number and is none is told so as people write numbers; fields are called as the form calls them.
fn message_of(problem: &Problem) -> String {
    if problem.code == codes::WRONG_TYPE && problem.message.contains("a text") {
        let expected =
            if problem.message.contains("whole number") { "expected a whole number" } else { "expected a number such as 12.50" };
        return expected.to_owned();
    }
    let mut message = String::with_capacity(problem.message.len());
    let mut rest = problem.message.as_str();
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphanumeric()) {
        let end = rest[start..].find(|letter: char| !letter.is_ascii_alphanumeric()).map_or(rest.len(), |length| start + length);
        let word = &rest[start..end];
        message.push_str(&rest[..start]);
        match LABELS.iter().find(|(name, _)| *name == word) {
            Some((_, label)) => {
                message.push('"');
                message.push_str(label);
                message.push('"');
            }
            None => message.push_str(word),
        }
        rest = &rest[end..];
    }
    message.push_str(rest);
    message
}

/// The field of the form that a path in the request is about.
fn field_of(path: &str, act: Act, typed: &Typed) -> Option<String> {
    let name = match path.strip_prefix(act.part()) {
        Some("") => fields_of(act)[0].0,
        Some(inside) => inside.strip_prefix('.')?,
        None => path,
    };
    if let Some(rest) = name.strip_prefix("RevProducts[") {
        let (nth, field) = rest.split_once(']')?;
        let row = *typed.products().get(nth.parse::<usize>().ok()?)?;
        return Some(format!("{}.{row}", field.strip_prefix('.').unwrap_or("ProductId")));
    }
    let field = match name {
        "RevCustomerId" => CUSTOMER,
        "SiteId" if !typed.has("SiteId") => CUSTOMER,
        "RevProducts" => "ProductId.0",
        "AddCustomerRatePlan" => "CustomerRatePlan",
        "AddCarrierRatePlan" => "CarrierRatePlan",
        name => fields_of(act).iter().chain(&ENVELOPE).map(|(known, _)| *known).find(|known| *known == name)?,
    };
    Some(field.to_owned())
}

#[cfg(test)]
mod tests {
    use lineshift_domain::order::{Effect, RevCharge};

    use super::*;

    fn typed(fields: &[(&str, &str)]) -> Typed {
        Typed(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn read(act: Act, typed: &Typed, customer: Option<&str>) -> Result<Order, Said> {
        let customer = customer.and_then(Customer::read);
        let of = (PortalType::M2M, LineIdentifier::Iccid, ServiceProviderId(3));
        typed.read(act, of, customer.as_ref(), &Limits::default()).map_err(|refusal| {
            let mut said = Said::default();
            said.take(refusal, act, typed).expect("a rule refuses");
            said
        })
    }

    #[test]
    fn a_form_is_read_as_a_request_is() {
        let form = typed(&[
            ("CreateRevService", "true"),
            ("ServiceTypeId", "6"),
            ("ProviderId", "42"),
            ("ProductId.0", "5011"),
            ("Rate.0", "12.50"),
            ("ProductId.2", "5013"),
            ("Rate.2", "1"),
            ("Quantity.2", "3"),
            ("OnRevServiceFailure", "continue"),
            ("CustomerRatePlan", "7"),
            ("ProcessChanges", "false"),
            ("Name", "Say \"hello\" {"),
        ]);
        let order = read(Act::Assign, &form, Some("Acme (customer 4711, site 8)")).expect("an order");
        assert_eq!((order.name.as_deref(), order.process_changes), (Some("Say \"hello\" {"), false));
        let Effect::CustomerAssignment(assignment) = order.effect else { panic!("an assignment") };
        assert_eq!((assignment.rev_customer_id.map(|id| id.0), assignment.site_id.map(|id| id.0)), (Some(4711), Some(8)));
        let Some(RevCharge::Products(products)) = assignment.rev_service.map(|service| service.charge) else {
            panic!("products")
        };
        let products: Vec<_> = products.iter().map(|it| (it.product_id, it.rate.to_string(), it.quantity.to_string())).collect();
        assert_eq!(products, [(5011, "12.5".to_owned(), "1".to_owned()), (5013, "1".to_owned(), "3".to_owned())]);
    }

    #[test]
    fn all_that_is_wrong_is_said_beside_its_field() {
        let form = typed(&[
            ("CreateRevService", "true"),
            ("ProviderId", "x"),
            ("ProductId.1", "5011"),
            ("Rate.1", "12,50"),
            ("CustomerDataAllocationMB", "-1"),
            ("EffectiveDate", "soon"),
        ]);
        let said = read(Act::Assign, &form, Some("Acme (customer 4711)")).expect_err("much is wrong");
        let fields: Vec<&str> = said.fields.keys().map(String::as_str).collect();
        assert_eq!(fields, ["CustomerDataAllocationMB", "EffectiveDate", "ProviderId", "Rate.1", "ServiceTypeId"]);
        assert!(said.at("Rate.1")[0].starts_with("expected a number"), "{said:?}");
        assert_eq!(said.at("ProviderId"), ["expected a whole number"]);
        assert_eq!(
            said.at("ServiceTypeId"),
            ["\"Open a service in Rev.io for each line\" needs \"Service type\"; give Rev.io's id"]
        );
        assert_eq!(said.whole, [] as [&str; 0]);
        let said = read(Act::CustomerRatePlan, &typed(&[]), None).expect_err("it asks for nothing");
        assert!(said.at("CustomerRatePlanId")[0].contains("asks for nothing"), "{said:?}");
        let said = read(Act::Status, &typed(&[]), None).expect_err("no status");
        assert_eq!(said.at("TargetStatus").len(), 1);
    }

    #[test]
    fn numbers_are_what_json_takes_for_numbers() {
        for number in ["0", "12", "-1", "0.5", "12.50"] {
            assert!(is_number(number), "{number}");
        }
        for other in ["", "-", ".5", "5.", "007", "1e3", "1,5", "+1", "1 000", "--1", "0x1"] {
            assert!(!is_number(other), "{other}");
        }
    }
}
