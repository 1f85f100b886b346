//! Addresses of pages: what is sought stands in them, so that they can be kept and handed on.

use axum::http::Uri;

/// The parameters of an address, without those that a form sent empty.
pub(super) fn given(uri: &Uri) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned();
    pairs.filter(|(_, value)| !value.trim().is_empty()).map(|(name, value)| (name, value.trim().to_owned())).collect()
}

/// An address with those parameters, and with one in the place of what it was before.
pub(super) fn with_parameter(address: &str, given: &[(String, String)], name: &str, value: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(given.iter().filter(|(other, _)| other != name));
    query.append_pair(name, value);
    format!("{address}?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sought_stays_in_the_address() {
        let given = given(&"/m2m/lines?iccid=+89+&number=&after=x&q=a%26b".parse().expect("an address"));
        assert_eq!(
            given,
            [("iccid", "89"), ("after", "x"), ("q", "a&b")].map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(with_parameter("/m2m/lines", &given, "after", "y=="), "/m2m/lines?iccid=89&q=a%26b&after=y%3D%3D");
    }
}
