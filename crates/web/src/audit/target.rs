//! On what something is done, and what it made: the last word of an address before an id, and the id.

/// The last id in an address with what it is of, as `bulk-changes/12`; by the pattern of the route. What is no number above 0 is not
/// written down: it names nothing, and may be anything.
pub(crate) fn of_route(route: &str, path: &str) -> Option<String> {
    let (pattern, given): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    let place = pattern.iter().rposition(|segment| segment.starts_with('{') && segment.ends_with("id}"))?;
    let name = match pattern[place] {
        "{id}" => pattern.get(place.checked_sub(1)?)?.to_string(),
        // `{service_provider_id}` names what it is of itself.
        named => format!("{}s", named.trim_matches(['{', '}']).trim_end_matches("_id").replace('_', "-")),
    };
    numbered(&name, given.get(place)?)
}

/// What an answer's `Location` names.
pub(crate) fn of_location(location: &str) -> Option<String> {
    let (name, id) = location.strip_prefix("/api/v1/")?.split_once('/')?;
    numbered(name, id)
}

fn numbered(name: &str, id: &str) -> Option<String> {
    let id: i64 = id.parse().ok().filter(|id| *id > 0)?;
    Some(format!("{name}/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_what_its_last_id_is_of() {
        for (route, path, expected) in [
            ("/api/v1/bulk-changes/{id}/start", "/api/v1/bulk-changes/12/start", Some("bulk-changes/12")),
            ("/api/v1/customers/{id}", "/api/v1/customers/7", Some("customers/7")),
            ("/callbacks/{tenant_id}/{service_provider_id}", "/callbacks/1/3", Some("service-providers/3")),
            ("/api/v1/customers/{id}", "/api/v1/customers/-7", None),
            ("/api/v1/customers/{id}", "/api/v1/customers/a%20b", None),
            ("/api/v1/customers", "/api/v1/customers", None),
            ("/{portal}/BulkChange", "/M2M/BulkChange", None),
            ("", "/", None),
        ] {
            assert_eq!(of_route(route, path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_location_names_what_was_made() {
        for (location, expected) in [
            ("/api/v1/bulk-changes/12", Some("bulk-changes/12")),
            ("/api/v1/bulk-changes/x", None),
            ("/elsewhere/12", None),
            ("https://example.org/", None),
        ] {
            assert_eq!(of_location(location).as_deref(), expected, "{location}");
        }
    }
}
