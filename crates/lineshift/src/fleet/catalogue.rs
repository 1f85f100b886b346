//! What the lines of a generated fleet refer to: the same for every seed and size.

use lineshift_domain::terms::IntegrationKind;

/// A carrier account and the form of its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Provider {
    /// Name.
    pub(crate) name: &'static str,
    /// The carrier's system.
    pub(crate) kind: IntegrationKind,
    /// How ICCIDs begin: 89, country, issuer.
    pub(super) prefix: &'static str,
    /// Digits between prefix and check digit.
    pub(super) serial_digits: usize,
    /// The status of most lines.
    pub(super) active: &'static str,
    /// A status that is not active.
    pub(super) inactive: &'static str,
    /// The carrier's plans.
    pub(crate) carrier_plans: [&'static str; 2],
    /// The carrier's communication plan, where it knows such.
    pub(super) communication_plan: Option<&'static str>,
}

/// Of a Cisco pod; 40 of 100 lines.
pub(crate) const METERS: usize = 0;
/// Of ThingSpace; 20 of 100 lines.
pub(crate) const TRACKERS: usize = 1;
/// Of Telegence; 20 of 100 lines, ordered by number.
pub(crate) const PHONES: usize = 2;
/// Of POND; 10 of 100 lines.
pub(crate) const SENSORS: usize = 3;
/// Of another Cisco pod; 10 of 100 lines.
pub(crate) const ROUTERS: usize = 4;

/// Carrier accounts, by the places above.
pub(crate) const PROVIDERS: [Provider; 5] = [
    Provider {
        name: "Control Center US",
        kind: IntegrationKind::JASPER,
        prefix: "8901170",
        serial_digits: 12,
        active: "ACTIVATED",
        inactive: "DEACTIVATED",
        carrier_plans: ["IOT 5MB SHARED", "IOT 50MB SHARED"],
        communication_plan: Some("LTE-M DATA"),
    },
    Provider {
        name: "ThingSpace",
        kind: IntegrationKind::THING_SPACE,
        prefix: "891480",
        serial_digits: 13,
        active: "active",
        inactive: "suspended",
        carrier_plans: ["59141x48526x84777", "59142x48526x84777"],
        communication_plan: None,
    },
    Provider {
        name: "Telegence",
        kind: IntegrationKind::TELEGENCE,
        prefix: "8901410",
        serial_digits: 12,
        active: "A",
        inactive: "S",
        carrier_plans: ["SDDVRP", "SDDIRP"],
        communication_plan: None,
    },
    Provider {
        name: "POND IoT",
        kind: IntegrationKind::POND,
        prefix: "894450",
        serial_digits: 12,
        active: "In-Service",
        inactive: "Out-of-Service",
        carrier_plans: ["GLOBAL-100MB", "GLOBAL-1GB"],
        communication_plan: None,
    },
    Provider {
        name: "Control Center CA",
        kind: IntegrationKind::JASPER,
        prefix: "8930272",
        serial_digits: 11,
        active: "ACTIVATED",
        inactive: "INVENTORY",
        carrier_plans: ["CA FLEX 1GB", "CA FLEX 5GB"],
        communication_plan: Some("4G DATA SMS"),
    },
];

/// The Rev.io account that every customer belongs to.
pub(crate) const BILLING: &str = "Rev.io production";

/// A Rev customer: id, name, whether it is active.
pub(crate) const CUSTOMERS: [(i64, &str, bool); 5] = [
    (300_101, "Cedar Valley Transit", true),
    (300_102, "Prairie Cold Chain", true),
    (300_103, "Summit Fleet Services", true),
    (300_104, "Lakeside Vending", true),
    (300_105, "Old Mill Couriers", false),
];

/// The Rev customer to whom the demonstration hands lines.
pub(crate) const NEW_CUSTOMER: i64 = 300_101;
/// The Rev customer who is billed for lines that others want.
pub(crate) const BILLED_CUSTOMER: i64 = 300_103;

/// A site: id, name, its Rev customer, whether it is active.
pub(crate) const SITES: [(i64, &str, Option<i64>, bool); 9] = [
    (101, "Cedar Valley Depot North", Some(300_101), true),
    (102, "Cedar Valley Depot South", Some(300_101), true),
    (103, "Prairie Warehouse", Some(300_102), true),
    (104, "Summit Yard", Some(300_103), true),
    (105, "Lakeside Kiosks", Some(300_104), true),
    (106, "Old Mill Garage", Some(300_105), false),
    (107, "Metro Water Meters", None, true),
    (108, "Riverside School Buses", None, true),
    (109, "Coastal Weather Stations", None, false),
];

/// The AMOP customer to whom the demonstration hands lines.
pub(crate) const NEW_SITE: i64 = 107;
/// The AMOP customer who has lines already.
pub(crate) const PRESENT_SITE: i64 = 108;

/// A plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Id.
    pub(crate) id: i64,
    /// Name.
    pub(crate) name: &'static str,
    /// Money a month.
    pub(crate) monthly_price: &'static str,
    /// MB that a line gets when none are ordered.
    pub(crate) default_mb: Option<u32>,
    /// The most MB.
    pub(crate) bound_mb: Option<u32>,
    /// Rev.io's product.
    pub(crate) rev_product_id: Option<i64>,
    /// Whether orders may name it.
    pub(crate) is_active: bool,
}

/// The plan of sensors.
pub(crate) const SMALL_PLAN: i64 = 11;
/// A larger one.
pub(crate) const MEDIUM_PLAN: i64 = 12;
/// Its bound is below what the demonstration orders by number.
pub(crate) const TELEMATICS_PLAN: i64 = 13;
/// The plan of phones.
pub(crate) const PHONE_PLAN: i64 = 14;

/// Customer rate plans.
pub(crate) const PLANS: [Plan; 6] = [
    plan(SMALL_PLAN, "Sensor 50 MB", "2.5", Some(50), Some(100), Some(5_011), true),
    plan(MEDIUM_PLAN, "Meter 250 MB", "4.75", Some(250), Some(500), Some(5_012), true),
    plan(TELEMATICS_PLAN, "Telematics 1 GB", "9.9", Some(1_024), Some(2_048), Some(5_013), true),
    plan(PHONE_PLAN, "Mobility 5 GB", "25", Some(5_120), Some(10_240), Some(5_014), true),
    plan(15, "Unlimited", "45", None, None, None, true),
    plan(16, "Legacy 10 MB", "1", Some(10), Some(10), None, false),
];

const fn plan(
    id: i64,
    name: &'static str,
    monthly_price: &'static str,
    default_mb: Option<u32>,
    bound_mb: Option<u32>,
    rev_product_id: Option<i64>,
    is_active: bool,
) -> Plan {
    Plan { id, name, monthly_price, default_mb, bound_mb, rev_product_id, is_active }
}

/// A pool: id, name, whether it is active.
pub(crate) const POOLS: [(i64, &str, bool); 3] =
    [(21, "Fleet pool", true), (22, "Mobility pool", true), (23, "Retired pool", false)];

/// The pool of phones.
pub(crate) const PHONE_POOL: i64 = 22;
/// The pool of everything else.
pub(crate) const FLEET_POOL: i64 = 21;
