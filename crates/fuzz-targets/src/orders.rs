//! Bodies of orders: `AssociateCustomer` and `BulkChange`, through each portal.

use lineshift_domain::limits::Limits;
use lineshift_domain::lines::read_line;
use lineshift_domain::order::Order;
use lineshift_domain::reading::{read_associate_customer, read_bulk_change};
use lineshift_domain::refusal::{Refusal, RefusalClass};
use lineshift_domain::terms::PortalType;

use crate::json_layout::spread;
use crate::refusals::{self, Said};

/// The first byte chooses form and portal, the rest is the body.
pub(crate) fn run(bytes: &[u8]) {
    let Some((&first, body)) = bytes.split_first() else { return };
    let read = if first & 1 == 0 { read_associate_customer } else { read_bulk_change };
    let portal = PortalType::ALL[usize::from(first >> 1) % PortalType::ALL.len()];
    let limits = Limits { devices_per_change: 1_000, body_bytes: 1 << 20, ..Limits::default() };
    match read(body, portal, &limits) {
        Ok(order) => {
            assert_eq!(order.portal, portal);
            let again = read(&spread(body), portal, &Limits { body_bytes: usize::MAX, ..limits });
            assert_eq!(again.as_ref(), Ok(&order), "another layout, another order");
            check_lines(&order);
        }
        Err(refusal) => check(&refusal),
    }
}

/// A line that is written as one is written back as the same digits.
fn check_lines(order: &Order) {
    for written in order.lines.iter() {
        if let Ok(digits) = read_line(order.identifier, written) {
            assert_eq!(read_line(order.identifier, &digits.to_string()), Ok(digits));
        }
    }
}

fn check(refusal: &Refusal) {
    let said =
        refusal.problems.iter().map(|problem| Said { field: &problem.field, code: &problem.code, message: &problem.message });
    refusals::check(said, refusal.class == RefusalClass::Rule);
}
