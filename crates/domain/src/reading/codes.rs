//! The codes of the problems that a body can have: a closed list. Programs match on them: never rename one.

/// The body is longer than allowed.
pub const BODY_TOO_LARGE: &str = "body_too_large";
/// The body is not UTF-8.
pub const NOT_UTF8: &str = "not_utf8";
/// The body is not JSON, ends too early, or something follows it.
pub const MALFORMED_JSON: &str = "malformed_json";
/// The body nests too deep.
pub const TOO_DEEP: &str = "too_deep";
/// The body holds more values than any order needs.
pub const TOO_MANY_VALUES: &str = "too_many_values";
/// The body is JSON but no object.
pub const NOT_AN_OBJECT: &str = "not_an_object";
/// No field of that name is known there.
pub const UNKNOWN_FIELD: &str = "unknown_field";
/// A field stands there twice.
pub const REPEATED_FIELD: &str = "repeated_field";
/// A field that must be there is not.
pub const MISSING_FIELD: &str = "missing_field";
/// A text stands where a number is meant, and the like.
pub const WRONG_TYPE: &str = "wrong_type";
/// The type is right, the text or number is not of the form that is meant.
pub const WRONG_FORM: &str = "wrong_form";
/// Too small, too large or too long.
pub const OUT_OF_RANGE: &str = "out_of_range";
/// More devices than one bulk change may have.
pub const TOO_MANY_DEVICES: &str = "too_many_devices";
/// Two fields exclude or contradict each other.
pub const CONFLICTING_FIELDS: &str = "conflicting_fields";
/// A field means something only with an option that is not set.
pub const FIELD_WITHOUT_OPTION: &str = "field_without_option";
/// An option is set without the fields that it needs.
pub const OPTION_WITHOUT_FIELD: &str = "option_without_field";
/// The order asks for nothing.
pub const NOTHING_WOULD_CHANGE: &str = "nothing_would_change";
/// No change type has that number.
pub const UNKNOWN_CHANGE_TYPE: &str = "unknown_change_type";
/// The portal does not know lines by that.
pub const WRONG_PORTAL: &str = "wrong_portal";
/// A date lies too far back or too far ahead ([`crate::dates::check_date`]).
pub const DATE_OUT_OF_RANGE: &str = "date_out_of_range";
/// There are more problems than are listed.
pub const MORE_PROBLEMS: &str = "more_problems";

/// All of them.
pub const ALL: &[&str] = &[
    BODY_TOO_LARGE,
    NOT_UTF8,
    MALFORMED_JSON,
    TOO_DEEP,
    TOO_MANY_VALUES,
    NOT_AN_OBJECT,
    UNKNOWN_FIELD,
    REPEATED_FIELD,
    MISSING_FIELD,
    WRONG_TYPE,
    WRONG_FORM,
    OUT_OF_RANGE,
    TOO_MANY_DEVICES,
    CONFLICTING_FIELDS,
    FIELD_WITHOUT_OPTION,
    OPTION_WITHOUT_FIELD,
    NOTHING_WOULD_CHANGE,
    UNKNOWN_CHANGE_TYPE,
    WRONG_PORTAL,
    DATE_OUT_OF_RANGE,
    MORE_PROBLEMS,
];
