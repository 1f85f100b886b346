//! Rev services with their products, by customer and Rev.io's service id: a row a product, those of a service together.

use anyhow::Result;
use lineshift_domain::ids::RevCustomerId;
use lineshift_store::import::{ImportRevProduct, ImportRevService, Imported};

use super::super::cells::Seen;
use super::super::header::{optional, required};
use super::super::{Cells, Column, Kind, References, Target};

/// The states of a service product in Rev.io.
const STATUSES: &[(&str, &str)] =
    &[("PENDING", "PENDING"), ("ACTIVE", "ACTIVE"), ("DENIED", "DENIED"), ("DISCONNECTED", "DISCONNECTED")];

/// See the module.
pub(super) struct RevServices {
    references: References,
    services: Seen<(i64, i64)>,
    products: Seen<(i64, i64)>,
    before: Option<(i64, i64)>,
}

impl Kind for RevServices {
    type Row = ImportRevService;

    const COLUMNS: &'static [Column] = &[
        required("customer_id"),
        required("service_id"),
        optional("iccid"),
        optional("number"),
        optional("service_type_id"),
        optional("provider_id"),
        optional("activated_date"),
        optional("disconnected_date"),
        optional("has_package"),
        optional("service_product_id"),
        optional("product_id"),
        optional("rate"),
        optional("quantity"),
        optional("status"),
        optional("description"),
    ];

    async fn begin(target: &Target<'_>) -> Result<Self> {
        Ok(Self {
            references: References::default().with_customers(target).await?,
            services: Seen::default(),
            products: Seen::default(),
            before: None,
        })
    }

    fn read(&mut self, cells: &mut Cells<'_, '_>) -> Option<Self::Row> {
        cells.required("customer_id", "the id of a Rev customer");
        let customer = self.references.customer(cells, "customer_id");
        let service = cells.required_id("service_id");
        let iccid = if cells.text("iccid").is_some() { cells.iccid("iccid") } else { None };
        let number = cells.subscriber_number("number");
        let rev_service_type_id = cells.id("service_type_id");
        let rev_provider_id = cells.id("provider_id");
        let activated_date = cells.date("activated_date");
        let disconnected_date = cells.date("disconnected_date");
        let has_package = cells.flag("has_package", false);
        let product = self.read_product(cells, customer);
        let key = (customer?.0, service?);
        if self.before != Some(key) {
            cells.only_once(&mut self.services, "service_id", key);
            self.before = Some(key);
        }
        Some(ImportRevService {
            rev_customer_id: RevCustomerId(key.0),
            rev_service_id: key.1,
            iccid: iccid.map(|iccid| iccid.to_string()),
            number: number.map(|number| number.to_string()),
            rev_service_type_id,
            rev_provider_id,
            activated_date,
            disconnected_date,
            has_package,
            products: product.into_iter().collect(),
        })
    }

    fn push(chunk: &mut Vec<(u64, Self::Row)>, line: u64, row: Self::Row) {
        match chunk.last_mut() {
            Some((_, before)) if !Self::begins_anew(before, &row) => before.products.extend(row.products),
            _ => chunk.push((line, row)),
        }
    }

    fn begins_anew(before: &Self::Row, row: &Self::Row) -> bool {
        (before.rev_customer_id, before.rev_service_id) != (row.rev_customer_id, row.rev_service_id)
    }

    async fn store(target: &Target<'_>, rows: &[Self::Row]) -> Result<Imported> {
        Ok(target.store.import_rev_services(target.tenant.id, rows, target.now).await?)
    }
}

impl RevServices {
    /// The product of a row, if it has one.
    fn read_product(&mut self, cells: &mut Cells<'_, '_>, customer: Option<RevCustomerId>) -> Option<ImportRevProduct> {
        let given = ["service_product_id", "product_id", "rate", "quantity", "status", "description"];
        if !given.iter().any(|name| cells.text(name).is_some()) {
            return None;
        }
        let id = cells.required_id("service_product_id");
        let product = cells.required_id("product_id");
        let status = cells.choice("status", STATUSES);
        let rate = cells.amount("rate");
        let quantity = cells.amount("quantity");
        let description = cells.owned("description");
        if let (Some(customer), Some(id)) = (customer, id) {
            cells.only_once(&mut self.products, "service_product_id", (customer.0, id));
        }
        Some(ImportRevProduct {
            rev_service_product_id: id?,
            rev_product_id: product?,
            rate,
            quantity,
            status: status?.to_owned(),
            description,
        })
    }
}
