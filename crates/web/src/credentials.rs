//! The fields of credentials, by kind of integration: the same for the API, the command line and what is said when one is
//! missing.
//!
//! What they hold is never repeated. The last word has whoever reads them when the account is called.

use lineshift_connectors::billing::revio::RevioCredentials;
use lineshift_connectors::carrier::Carriers;
use lineshift_connectors::carrier::pond::{DistributorId, InventoryId};
use lineshift_connectors::http::HeaderName;
use lineshift_domain::terms::IntegrationKind;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};

/// The longest part of credentials, in characters.
pub const LONGEST_CREDENTIAL: usize = 1_000;

/// One field of credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialField {
    /// Its name in the API and in what is sealed.
    pub name: &'static str,
    /// How the command line takes it, with what stands behind it: `--user USER`.
    pub option: &'static str,
    /// Whether there are no credentials without it.
    pub is_required: bool,
    form: Form,
}

impl CredentialField {
    /// The option alone: `--user`.
    #[must_use]
    pub fn flag(&self) -> &'static str {
        self.option.split(' ').next().unwrap_or_default()
    }
}

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// It stands before both a colon and an at sign, which would move the borders between the parts of a login.
    Name,
    /// It stands before a colon.
    Login,
    Text,
    /// It is sent as a header.
    HeaderValue,
    HeaderName,
    /// It stands in the path of an address.
    PathPart,
}

const fn field(name: &'static str, option: &'static str, form: Form) -> CredentialField {
    CredentialField { name, option, is_required: true, form }
}

const fn optional(name: &'static str, option: &'static str, form: Form) -> CredentialField {
    CredentialField { name, option, is_required: false, form }
}

const REV_IO: &[CredentialField] = &[
    field("user", "--user USER", Form::Name),
    field("client_code", "--client-code CODE", Form::Name),
    field("password", "--password-file FILE", Form::Text),
    optional("subscription_key", "--subscription-key-file FILE", Form::HeaderValue),
];

const JASPER: &[CredentialField] =
    &[field("user", "--user USER", Form::Login), field("api_key", "--api-key-file FILE", Form::Text)];

const POND: &[CredentialField] = &[
    field("api_key", "--api-key-file FILE", Form::HeaderValue),
    field("distributor_id", "--distributor-id ID", Form::PathPart),
    optional("header", "--header NAME", Form::HeaderName),
    optional("inventory_id", "--inventory-id ID", Form::PathPart),
];

/// The fields of a kind's credentials; none: they are not described here, and only its connector knows them.
#[must_use]
pub fn fields_of(kind: IntegrationKind) -> Option<&'static [CredentialField]> {
    match kind {
        IntegrationKind::REV_IO => Some(REV_IO),
        IntegrationKind::JASPER => Some(JASPER),
        IntegrationKind::POND => Some(POND),
        _ => None,
    }
}

/// What is to be typed so that an account of that kind has credentials: the options, those that may be left out in brackets; or
/// where to give them instead.
#[must_use]
pub fn how_to_give(kind: IntegrationKind) -> String {
    let Some(fields) = fields_of(kind) else {
        return "give them over the API: PUT /api/v1/integrations/{id}/account".to_owned();
    };
    let shown = |field: &CredentialField| if field.is_required { field.option.to_owned() } else { format!("[{}]", field.option) };
    fields.iter().map(shown).collect::<Vec<_>>().join(" ")
}

/// The kinds that accounts and service providers can be of: those of the glossary, and those of registered carriers.
#[must_use]
pub fn known_kinds(carriers: &Carriers) -> Vec<IntegrationKind> {
    let mut kinds = IntegrationKind::GLOSSARY.to_vec();
    kinds
        .extend(carriers.iter().map(|carrier| carrier.abilities().kind).filter(|kind| !IntegrationKind::GLOSSARY.contains(kind)));
    kinds
}

/// Whether this version can call accounts of that kind.
#[must_use]
pub fn is_callable(carriers: &Carriers, kind: IntegrationKind) -> bool {
    kind == IntegrationKind::REV_IO || carriers.find(kind).is_some()
}

/// Why accounts of that kind cannot be called.
#[must_use]
pub fn not_callable(carriers: &Carriers, kind: IntegrationKind) -> String {
    let kinds: Vec<&str> =
        known_kinds(carriers).into_iter().filter(|kind| is_callable(carriers, *kind)).map(|kind| kind.as_str()).collect();
    format!("it is a {kind} account, and this version calls {} only", kinds.join(", "))
}

/// What is wrong with a field of credentials; the field is empty where it is none alone.
pub type WrongCredential = (&'static str, String);

/// Makes the JSON that is sealed of fields of credentials, each given once.
///
/// # Errors
/// Each field that is wrong, and what is expected of it; reads after "expected". Nothing of what was given is repeated.
pub fn to_be_sealed(
    carriers: &Carriers,
    kind: IntegrationKind,
    given: &[(String, SecretString)],
) -> Result<SecretString, Vec<WrongCredential>> {
    let text_of = |name: &str| given.iter().find(|(field, _)| field == name).map(|(_, text)| text.expose_secret());
    let fields = fields_of(kind).unwrap_or_default();
    let wrong = |field: &CredentialField| match text_of(field.name) {
        Some(text) => field.form.problem(text).map(|expected| (field.name, expected)),
        None => field.is_required.then(|| (field.name, "it to be given".to_owned())),
    };
    let problems: Vec<WrongCredential> = fields.iter().filter_map(wrong).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let object: Map<String, Value> =
        given.iter().map(|(name, text)| (name.clone(), Value::String(text.expose_secret().to_owned()))).collect();
    let json = SecretString::from(Value::Object(object).to_string());
    let checked = match carriers.find(kind) {
        Some(carrier) => carrier.check_credentials(&json),
        None if kind == IntegrationKind::REV_IO => {
            RevioCredentials::from_json(&json).map(drop).map_err(|error| error.to_string())
        }
        None => Err(not_callable(carriers, kind)),
    };
    checked.map_err(|why| vec![("", format!("other ones: {why}"))])?;
    Ok(json)
}

/// Whether a text may be a part of credentials at all.
#[must_use]
pub fn is_credential(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= LONGEST_CREDENTIAL && !text.chars().any(char::is_control)
}

impl Form {
    /// What is expected instead of that text; none: it fits.
    fn problem(self, text: &str) -> Option<String> {
        let fits = match self {
            Self::Name => is_credential(text) && !text.contains([':', '@']),
            Self::Login => is_credential(text) && !text.contains(':'),
            Self::Text => is_credential(text),
            Self::HeaderValue => is_credential(text) && text.chars().all(|c| c.is_ascii_graphic()),
            Self::HeaderName => HeaderName::find(text).is_some(),
            Self::PathPart => text.parse::<DistributorId>().is_ok() && text.parse::<InventoryId>().is_ok(),
        };
        let expected = || match self {
            Self::Name => format!("1 to {LONGEST_CREDENTIAL} characters without : and @"),
            Self::Login => format!("1 to {LONGEST_CREDENTIAL} characters without :"),
            Self::Text => format!("1 to {LONGEST_CREDENTIAL} characters without control characters"),
            Self::HeaderValue => format!("1 to {LONGEST_CREDENTIAL} letters, digits and signs without blanks"),
            Self::HeaderName => "the name of a header of one's own, such as x-api-key".to_owned(),
            Self::PathPart => "an id of letters, digits, - and _ as the carrier gave it".to_owned(),
        };
        (!fits).then(expected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: IntegrationKind, given: &[(&str, &str)]) -> Result<String, Vec<WrongCredential>> {
        let given: Vec<(String, SecretString)> =
            given.iter().map(|(name, text)| ((*name).to_owned(), SecretString::from(*text))).collect();
        to_be_sealed(&Carriers::default(), kind, &given).map(|json| json.expose_secret().to_owned())
    }

    #[test]
    fn what_is_sealed_is_what_the_connector_reads() {
        let revio = [("user", "api"), ("client_code", "acme_sandbox"), ("password", "p: w@rd"), ("subscription_key", "k1==")];
        assert!(made(IntegrationKind::REV_IO, &revio).is_ok());
        assert_eq!(
            made(IntegrationKind::JASPER, &[("user", "a@b"), ("api_key", "k\"ey")]).as_deref(),
            Ok(r#"{"api_key":"k\"ey","user":"a@b"}"#)
        );
        let pond = [("api_key", "k"), ("distributor_id", "d-1"), ("header", "X-Pond"), ("inventory_id", "main")];
        assert!(made(IntegrationKind::POND, &pond).is_ok());
        assert!(made(IntegrationKind::POND, &pond[..2]).is_ok());
    }

    #[test]
    fn every_wrong_field_is_named_and_none_repeated() {
        let wrong = |kind, given: &[(&str, &str)]| {
            let problems = made(kind, given).expect_err("they are wrong");
            assert!(problems.iter().all(|(_, text)| !text.contains("s3cr3t")), "{problems:?}");
            problems.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        let revio = [("user", "a@s3cr3t"), ("client_code", ""), ("password", "s3cr3t\nx"), ("subscription_key", "s3cr3t x")];
        assert_eq!(wrong(IntegrationKind::REV_IO, &revio), ["user", "client_code", "password", "subscription_key"]);
        assert_eq!(wrong(IntegrationKind::JASPER, &[("user", "a:s3cr3t")]), ["user", "api_key"]);
        let pond = [("api_key", "s3cr3t x"), ("distributor_id", "../s3cr3t"), ("header", "host"), ("inventory_id", "")];
        assert_eq!(wrong(IntegrationKind::POND, &pond), ["api_key", "distributor_id", "header", "inventory_id"]);
        let unknown = [("user", "api"), ("api_key", "s3cr3t"), ("password", "s3cr3t")];
        assert_eq!(wrong(IntegrationKind::JASPER, &unknown), [""], "the connector refuses what it does not know");
    }

    #[test]
    fn what_is_to_be_typed_goes_with_the_kind() {
        assert_eq!(how_to_give(IntegrationKind::JASPER), "--user USER --api-key-file FILE");
        let pond = "--api-key-file FILE --distributor-id ID [--header NAME] [--inventory-id ID]";
        assert_eq!(how_to_give(IntegrationKind::POND), pond);
        assert!(how_to_give(IntegrationKind::named("Another")).contains("PUT /api/v1/integrations/{id}/account"));
        let text = not_callable(&Carriers::default(), IntegrationKind::TELEGENCE);
        assert_eq!(text, "it is a Telegence account, and this version calls Jasper, POND, Rev.io only");
    }
}
