//! Dates in ISO 8601 as orders give them (B6.6).

use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeZone, Utc};

use crate::order::EffectiveDate;

/// See [`super::read_effective_date`].
pub(super) fn read_effective_date(text: &str) -> Option<EffectiveDate> {
    let (date, rest) = text.split_at_checked(10)?;
    let day = read_day(date)?;
    let Some(rest) = rest.strip_prefix('T') else {
        return rest.is_empty().then_some(EffectiveDate::Day(day));
    };
    let (time, offset) = match rest.find(['Z', '+', '-']) {
        Some(at) => (&rest[..at], Some(read_offset(&rest[at..])?)),
        None => (rest, None),
    };
    let local = day.and_time(read_time(time)?);
    match offset {
        None => Some(EffectiveDate::Local(local)),
        Some(offset) => offset.from_local_datetime(&local).single().map(|at| EffectiveDate::Instant(at.with_timezone(&Utc))),
    }
}

fn read_day(text: &str) -> Option<NaiveDate> {
    let [year, month, day] = parts(text, '-', [4, 2, 2])?;
    NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)
}

/// `HH:MM`, `HH:MM:SS` or `HH:MM:SS.f` with up to nine decimals.
fn read_time(text: &str) -> Option<NaiveTime> {
    if let Some([hour, minute]) = parts(text, ':', [2, 2]) {
        return NaiveTime::from_hms_opt(hour, minute, 0);
    }
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let [hour, minute, second] = parts(whole, ':', [2, 2, 2])?;
    let nanos = match fraction {
        None => 0,
        Some(digits) if (1..=9).contains(&digits.len()) => {
            read_digits(digits)? * 10_u32.pow(9 - u32::try_from(digits.len()).ok()?)
        }
        Some(_) => return None,
    };
    NaiveTime::from_hms_nano_opt(hour, minute, second, nanos)
}

/// `Z`, `+HH:MM`, `+HHMM` or `+HH`.
fn read_offset(text: &str) -> Option<FixedOffset> {
    if text == "Z" {
        return FixedOffset::east_opt(0);
    }
    let (sign, amount) = text.split_at_checked(1)?;
    let [hours, minutes] = match amount.len() {
        2 => [read_digits(amount)?, 0],
        4 => [read_digits(amount.get(..2)?)?, read_digits(amount.get(2..)?)?],
        _ => parts(amount, ':', [2, 2])?,
    };
    if minutes > 59 {
        return None;
    }
    let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
    if sign == "-" { FixedOffset::west_opt(seconds) } else { FixedOffset::east_opt(seconds) }
}

/// Numbers of exactly those lengths between separators.
fn parts<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[u32; N]> {
    let mut numbers = [0; N];
    let mut pieces = text.split(separator);
    for (number, length) in numbers.iter_mut().zip(lengths) {
        let piece = pieces.next().filter(|piece| piece.len() == length)?;
        *number = read_digits(piece)?;
    }
    pieces.next().is_none().then_some(numbers)
}

fn read_digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Option<String> {
        match read_effective_date(text)? {
            EffectiveDate::Instant(at) => Some(at.format("%FT%T%.f").to_string()),
            EffectiveDate::Day(_) | EffectiveDate::Local(_) => None,
        }
    }

    #[test]
    fn days_local_times_and_moments_are_told_apart() {
        let day = NaiveDate::from_ymd_opt(2026, 12, 1).expect("a day");
        assert_eq!(read_effective_date("2026-12-01"), Some(EffectiveDate::Day(day)));
        let local = |h, m, s, n| Some(EffectiveDate::Local(day.and_hms_nano_opt(h, m, s, n).expect("a time")));
        assert_eq!(read_effective_date("2026-12-01T00:00:00"), local(0, 0, 0, 0));
        assert_eq!(read_effective_date("2026-12-01T08:30"), local(8, 30, 0, 0));
        assert_eq!(read_effective_date("2026-12-01T08:30:15.1234567"), local(8, 30, 15, 123_456_700));
        assert_eq!(instant("2026-12-01T00:00:00Z").as_deref(), Some("2026-12-01T00:00:00"));
        assert_eq!(instant("2026-12-01T00:00:00.5+02:00").as_deref(), Some("2026-11-30T22:00:00.500"));
        assert_eq!(instant("2026-12-01T00:00-0530").as_deref(), Some("2026-12-01T05:30:00"));
        assert_eq!(instant("2026-12-01T00:00:00+14").as_deref(), Some("2026-11-30T10:00:00"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026",
            "2026-12",
            "12/01/2026",
            "2026-13-01",
            "2026-02-29",
            "2026-12-01 00:00:00",
            "2026-12-01T",
            "2026-12-01Z",
            "2026-12-01T24:00:00",
            "2026-12-01T00:00:60",
            "2026-12-01T00:00:00.",
            "2026-12-01T00:00:00.1234567890",
            "2026-12-01T00:00:00+",
            "2026-12-01T00:00:00+25:00",
            "2026-12-01T00:00:00+01:60",
            "2026-12-01T00:00:00ZZ",
            "2026-1-1",
            "+026-12-01",
            "2026-12-0é",
            "2026-12-01T00:00:00+1é",
            "tomorrow!!",
        ] {
            assert_eq!(read_effective_date(text), None, "{text:?}");
        }
    }
}
