//! Texts that are stored or typed and read back: reach, permissions, dates, addresses, keys.

use lineshift_domain::reach::Reach;
use lineshift_domain::reading::read_effective_date;
use lineshift_domain::scopes::Scopes;
use lineshift_web::{parse_api_key, read_email};

/// Each reader takes the whole text.
pub(crate) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(reach) = text.parse::<Reach>() {
        assert_eq!(reach.to_string().parse::<Reach>().as_ref(), Ok(&reach));
        assert!(reach.covers(&reach), "{reach}");
    }
    if let Ok(scopes) = text.parse::<Scopes>() {
        assert_eq!(scopes.to_string().parse::<Scopes>().as_ref(), Ok(&scopes));
        assert!(scopes.covers(&scopes) && Scopes::all().covers(&scopes), "{scopes}");
    }
    if let Some(date) = read_effective_date(&text) {
        for zone in [chrono_tz::UTC, chrono_tz::America::New_York, chrono_tz::Asia::Kathmandu] {
            // A moment, whichever zone its day begins in, and never a panic where clocks jump.
            let _: chrono::DateTime<chrono::Utc> = lineshift_domain::dates::resolve(date, zone);
        }
    }
    if let Some(email) = read_email(&text) {
        assert_eq!(read_email(&email).as_ref(), Some(&email), "as it is stored, it is read as itself");
    }
    if let Some(key) = parse_api_key(&text) {
        assert_eq!(key.secret.format(key.tenant, key.id), text, "a key has one form");
    }
}
