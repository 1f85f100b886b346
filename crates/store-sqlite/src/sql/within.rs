//! Whether something is within a reach, as a condition: three JSON arrays of ids, each the word "any" where it does not limit.

/// Whether an id is among those named. Nobody's is not: the answer is then null.
macro_rules! among {
    ($id:expr, $named:literal) => {
        concat!($id, " IN (SELECT value FROM json_each(CASE ", $named, " WHEN 'any' THEN '[]' ELSE ", $named, " END))")
    };
}

/// Whether the customer or site of `$of` is named, or neither kind is: the former two arrays are "any" together.
macro_rules! assigned_within {
    ($of:literal, $customers:literal, $sites:literal) => {
        concat!(
            "(",
            $customers,
            " = 'any' OR ",
            among!(concat!($of, ".rev_customer_id"), $customers),
            " OR ",
            among!(concat!($of, ".site_id"), $sites),
            ")"
        )
    };
}

/// Whether a line is reached: `d` its device, `dt` its assignment.
macro_rules! line_within {
    ($customers:literal, $sites:literal, $providers:literal) => {
        concat!(
            assigned_within!("dt", $customers, $sites),
            " AND (",
            $providers,
            " = 'any' OR ",
            among!("d.service_provider_id", $providers),
            ")"
        )
    };
}

/// Whether a plan queue entry `q` is reached: for whom it was ordered, and its line as it stands.
macro_rules! entry_within {
    ($customers:literal, $sites:literal, $providers:literal) => {
        concat!(assigned_within!("q", $customers, $sites), " AND ", line_within!($customers, $sites, $providers))
    };
}

pub(crate) use {among, assigned_within, entry_within, line_within};
